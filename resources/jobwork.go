package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The bounds of jobs (BR-264).
const (
	jobKept   = 30 * 24 * time.Hour // after the end
	jobTries  = 5                   // of one step; then the job has failed
	jobErrors = 10_000              // rows of errors kept of one job
)

// jobFault is what is said of a job whose step failed for no reason of the domain.
const jobFault = "A step of the job failed again and again; usher's log has the reason under the id of the job."

// ended reports whether nothing will happen to the job any more.
func (j *Job) ended() bool {
	return j.State == JobDone || j.State == JobFailed || j.State == JobCancelled
}

// fail notes an error of a single item; the job goes on.
func (j *Job) fail(item string, code Code, detail string) {
	j.Failed++
	if j.Errors+len(j.faults) < jobErrors {
		j.faults = append(j.faults, JobError{Item: item, Code: code, Detail: detail})
	}
}

// params reads what the job was asked to do.
func (j *Job) params(into any) error {
	if err := json.Unmarshal(j.Params, into); err != nil {
		return fmt.Errorf("decode the parameters of job %s: %w", j.ID, err)
	}
	return nil
}

// result reads what has come of the job so far; nothing when it has just begun.
func (j *Job) result(into any) error {
	if len(j.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(j.Result, into); err != nil {
		return fmt.Errorf("decode the result of job %s: %w", j.ID, err)
	}
	return nil
}

// finish writes what came of the job.
func (j *Job) finish(result any) (bool, error) {
	raw, err := json.Marshal(result)
	if err != nil {
		return false, fmt.Errorf("encode the result of job %s: %w", j.ID, err)
	}
	j.Result = raw
	return true, nil
}

// place is where a job stands in the indexes. While it is under way its key
// keeps others of its sort away (job_running).
func (j *Job) place() place {
	p := place{Noun: nounJob, Attrs: []string{attrOf("state", string(j.State)), attrOf("type", string(j.Type))}}
	for _, s := range j.Subjects {
		p.Attrs = append(p.Attrs, attrOf("of", s))
	}
	if j.Sole != "" && !j.ended() {
		p.Key = attrOf(string(j.Type), j.Sole)
	}
	return p
}

// jobIn reads a job from its record; nil when it is another setting.
func jobIn(rec *Record) (*Job, error) {
	if rec == nil || nounOf(rec) != nounJob {
		return nil, nil
	}
	var j Job
	if err := json.Unmarshal(rec.Profile, &j); err != nil {
		return nil, fmt.Errorf("decode job %s: %w", rec.ID, err)
	}
	j.ID = rec.ID
	return &j, nil
}

// startJob asks, in a commit, for a job and its first step. j says what it is;
// its state and times, and its id unless it has one, are filled in. Should one of
// its sort be under way the commit is refused, see jobTaken.
func (d *Directory) startJob(tx Tx, c Caller, j *Job, params any) error {
	now := d.now().UTC().Truncate(time.Millisecond)
	id := j.ID
	if id == "" {
		var err error
		if id, err = d.newID(KindSetting, now); err != nil {
			return err
		}
	}
	var err error
	if j.Params, err = json.Marshal(params); err != nil {
		return fmt.Errorf("encode the parameters of a job: %w", err)
	}
	j.ID, j.State, j.Created, j.By, j.For, j.Total = id, JobQueued, now, c.Token, c.User, -1
	if _, err := j.place().put(tx, nil, id, string(j.Type), j, now); err != nil {
		return err
	}
	tx.Due("j"+id, now)
	tx.Event(Event{Type: "job.created", Kind: KindSetting, ID: id, Version: 1, Actor: c.Token, Request: c.Request})
	return nil
}

// runJob starts a job in a commit of its own. Codes: job_running.
func (d *Directory) runJob(ctx context.Context, c Caller, j *Job, params any) (*Job, error) {
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		made, err := earlier(tx, c, jobIn)
		if made != nil {
			j = made
		}
		if made != nil || err != nil {
			return err
		}
		j.ID = c.NewID
		return d.startJob(tx, c, j, params)
	})
	if err != nil {
		return nil, fmt.Errorf("start a job: %w", jobTaken(err))
	}
	return j, nil
}

// jobTaken turns the refusal of a job that cannot run beside another into the
// error that callers are told.
func jobTaken(err error) error {
	if r, ok := errors.AsType[*Refusal](err); ok && r.Reason == RefusedName && r.Index == SettingKey {
		return &Error{Code: CodeJobRunning, Detail: "A job that does the same is under way, the one with id " + r.Holder + "; wait for its end or cancel it."}
	}
	return err
}

// workJob does one step of a job, a due item j<id>, and commits what came of it
// with the progress. A step that fails is tried again; after jobTries the job
// has failed. Jobs that ended long ago are removed.
func (d *Directory) workJob(ctx context.Context, l Lease, item DueItem) error {
	rec, err := d.store.Get(ctx, l.Org, KindSetting, item.Item[1:])
	if err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	j, err := jobIn(rec)
	if err != nil {
		return err
	}
	switch {
	case j == nil:
		return d.drop(ctx, l, item)
	case j.ended():
		return d.sweepJob(ctx, l, item, j)
	case !j.CancelAt.IsZero():
		j.end(JobCancelled, d.now())
		return d.commitStep(ctx, l, item, j)
	case j.State == JobQueued:
		j.State, j.Started = JobRunning, d.now().UTC().Truncate(time.Millisecond)
	}
	done, err := d.jobStep(ctx, l, j)
	switch {
	case errors.Is(err, ErrFenced) || errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		return fmt.Errorf("job %s (%s): %w", j.ID, j.Type, errors.Join(err, ctx.Err()))
	case err != nil:
		refusal, known := errors.AsType[*Error](err)
		if !known && item.Tries < jobTries-1 {
			return fmt.Errorf("job %s (%s): %w", j.ID, j.Type, err)
		}
		j.Fault = jobFault
		if known {
			j.Fault = refusal.Detail
		}
		d.log.ErrorContext(ctx, "job failed", "org", l.Org, "job", j.ID, "type", j.Type, "err", err)
		j.end(JobFailed, d.now())
	case done:
		j.end(JobDone, d.now())
	}
	return d.commitStep(ctx, l, item, j)
}

// end marks a job as over.
func (j *Job) end(state JobState, now time.Time) {
	j.State, j.Ended = state, now.UTC().Truncate(time.Millisecond)
	if state == JobDone && j.Total < j.Done {
		j.Total = j.Done
	}
}

// jobStep does one bounded piece of a job, about a second at most, and changes
// the job's progress, cursor and result; the caller commits them. What a step
// writes itself it commits fenced by the lease; a step may run again from the
// cursor that was committed last.
func (d *Directory) jobStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	switch j.Type {
	case JobResettle:
		return d.resettleStep(ctx, l, j)
	case JobSettleGroup:
		return d.groupStep(ctx, l, j)
	case JobApplyTemplate, JobPreviewTemplate:
		return d.templateStep(ctx, l, j)
	case JobRetry:
		return d.retryStep(ctx, l, j)
	case JobRelease:
		return d.releaseStep(ctx, l, j)
	case JobImportNumbers:
		return d.importStep(ctx, l, j)
	case JobReport:
		return d.reportStep(ctx, l, j)
	case JobActivationMails:
		return d.bulkStep(ctx, l, j)
	}
	return false, &Error{Code: CodeInvalidValue, Detail: "This version of usher does not know jobs of the type " + string(j.Type) + "."}
}

// commitStep stores what a step came to, under the lease: progress, errors, and
// when the next step is due. That somebody cancelled meanwhile is kept.
func (d *Directory) commitStep(ctx context.Context, l Lease, item DueItem, j *Job) error {
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		rec, err := tx.Read(KindSetting, j.ID)
		if err != nil {
			return err
		}
		was, err := jobIn(rec)
		if err != nil {
			return err
		}
		tx.Undue(item)
		if was == nil || was.ended() {
			return nil // another worker has finished it
		}
		next := *j
		next.CancelAt, next.faults = was.CancelAt, nil
		for rows := j.faults; len(rows) > 0; next.Pieces++ {
			piece := rows[:min(len(rows), rowsPiece)]
			if err := d.putRows(tx, j.ID, next.Pieces, piece); err != nil {
				return err
			}
			rows, next.Errors = rows[len(piece):], next.Errors+len(piece)
		}
		now := d.now()
		stored, err := next.place().put(tx, rec, j.ID, string(j.Type), &next, now)
		if err != nil {
			return err
		}
		if !next.ended() {
			tx.Due(item.Item, now)
			return nil
		}
		tx.Due(item.Item, next.Ended.Add(jobKept))
		tx.Event(Event{Type: "job.ended", Kind: KindSetting, ID: j.ID, Version: stored.Version, Actor: "system"})
		return d.mailEnded(tx, &next)
	})
	if err != nil {
		return fmt.Errorf("commit a step of job %s: %w", j.ID, err)
	}
	return nil
}

// sweepJob removes a job whose time has passed, with its errors; some pieces in
// each step.
func (d *Directory) sweepJob(ctx context.Context, l Lease, item DueItem, j *Job) error {
	const most = 20
	_, err := d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
		tx.Fence(l)
		rec, err := tx.Read(KindSetting, j.ID)
		if err != nil {
			return err
		}
		tx.Undue(item)
		was, err := jobIn(rec)
		if err != nil || was == nil {
			return err
		}
		if at := was.Ended.Add(jobKept); d.now().Before(at) {
			tx.Due(item.Item, at)
			return nil
		}
		for n := 0; n < most && was.Pieces > 0; n++ {
			was.Pieces--
			if err := d.dropRows(ctx, tx, l.Org, j.ID, was.Pieces); err != nil {
				return err
			}
		}
		for n := 0; n < most && was.Inputs > 0; n++ {
			was.Inputs--
			if err := d.dropRows(ctx, tx, l.Org, inputOf(j.ID), was.Inputs); err != nil {
				return err
			}
		}
		if was.Pieces+was.Inputs == 0 {
			tx.Delete(rec, placeOf(rec).entries(j.ID))
			return nil
		}
		tx.Due(item.Item, d.now())
		_, err = was.place().put(tx, rec, j.ID, string(was.Type), was, d.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("remove job %s: %w", j.ID, err)
	}
	return nil
}
