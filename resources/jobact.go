package resources

import (
	"context"
	"fmt"
	"time"
)

// Jobs lists jobs, newest first; state and typ narrow when not empty.
func (d *Directory) Jobs(ctx context.Context, c Caller, state JobState, typ JobType, after string, limit int) (jobs []*Job, next string, err error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, "", err
	}
	where := []Cond{*nounJob.all()}
	if state != "" {
		where = append(where, *nounJob.with(attrOf("state", string(state))))
	}
	if typ != "" {
		where = append(where, *nounJob.with(attrOf("type", string(typ))))
	}
	return listSettings(ctx, d, c.Org, where, after, limit, jobIn)
}

// maxList is how many things one page of an administrator's list has at most.
const maxList = 1000

// listSettings reads a page of settings of one noun, newest first. after is what
// an earlier page gave as next.
func listSettings[T any](ctx context.Context, d *Directory, org OrgID, where []Cond, after string, limit int, read func(*Record) (*T, error)) (list []*T, next string, err error) {
	q := Query{
		Kind: KindSetting, Where: &Cond{Op: CondAnd, Subs: where}, Descending: true,
		Keyset: true, After: after, Limit: min(max(limit, 1), maxList), NoGroups: true, Budget: d.budget,
	}
	if len(where) == 1 {
		q.Where = &where[0]
	}
	page, err := d.store.Find(ctx, org, q)
	if err != nil {
		return nil, "", fmt.Errorf("list: %w", err)
	}
	for _, rec := range page.Records {
		v, err := read(rec)
		if err != nil {
			return nil, "", err
		}
		if v != nil {
			list = append(list, v)
		}
	}
	return list, page.Next, nil
}

// Job reads one job.
func (d *Directory) Job(ctx context.Context, c Caller, id string) (*Job, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return nil, err
	}
	j, err := jobIn(rec)
	if err == nil && j == nil {
		err = noJob()
	}
	return j, err
}

func noJob() error {
	return &Error{Code: CodeNotFound, Detail: "There is no such job; jobs are kept for 30 days after their end."}
}

// settingByID reads a setting; nil when there is none.
func (d *Directory) settingByID(ctx context.Context, org OrgID, id string) (*Record, error) {
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil, nil
	}
	rec, err := d.store.Get(ctx, org, KindSetting, id)
	if err != nil {
		return nil, fmt.Errorf("read a setting: %w", err)
	}
	return rec, nil
}

// area is the part of an organization that a job works on.
func (t JobType) area() Area {
	switch t {
	case JobImportNumbers:
		return AreaPlaces
	case JobActivationMails:
		return AreaUsers
	}
	return AreaLicences
}

// CancelJob stops a job before its next step; job_ended when it is over. What
// its steps have done stays done.
func (d *Directory) CancelJob(ctx context.Context, c Caller, id string) (*Job, error) {
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil, noJob()
	}
	var result *Job
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		j, err := jobIn(rec)
		switch {
		case err != nil:
			return err
		case j == nil:
			return noJob()
		case c.mayAdmin(j.Type.area(), true) != nil:
			return c.mayAdmin(j.Type.area(), true)
		case j.ended():
			return &Error{Code: CodeJobEnded, Detail: "The job is over, its state is " + string(j.State) + "; there is nothing left to cancel."}
		}
		if result = j; !j.CancelAt.IsZero() {
			return nil
		}
		if j.Type == JobRelease {
			return &Error{Code: CodeJobRunning, Detail: "The decision about held licences has been made, and what follows from it cannot be stopped half way."}
		}
		now := d.now().UTC().Truncate(time.Millisecond)
		j.CancelAt = now
		stored, err := j.place().put(tx, rec, id, string(j.Type), j, now)
		if err != nil {
			return err
		}
		tx.Due("j"+id, now)
		tx.Event(Event{Type: "job.cancelled", Kind: KindSetting, ID: id, Version: stored.Version, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cancel job: %w", err)
	}
	return result, nil
}

// JobErrors gives a job's errors one by one, in order.
func (d *Directory) JobErrors(ctx context.Context, c Caller, id string, yield func(JobError) error) error {
	j, err := d.Job(ctx, c, id)
	if err != nil {
		return err
	}
	for piece := range j.Pieces {
		var rows []JobError
		if _, err := d.readRows(ctx, c.Org, id, piece, &rows); err != nil {
			return fmt.Errorf("read errors of job %s: %w", id, err)
		}
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
	}
	return nil
}
