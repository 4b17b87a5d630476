package resources

import (
	"context"
	"fmt"
	"time"
)

// JobActivationMails sends the activation mail to everybody who has not come yet
// (BR-091).
const JobActivationMails JobType = "activation-mails"

// bulkPause is between two mails of a bulk, so that the work of the organization
// goes on between them: fifty a second.
const bulkPause = 20 * time.Millisecond

// BulkSent is the result of a job that sends activation mails.
type BulkSent struct {
	Queued  int `json:"queued"`
	Skipped int `json:"skipped"` // sent one less than ten minutes ago, or come meanwhile
}

// neverActivated is the condition for users who have yet to sign in for the first
// time and may.
func neverActivated() *Cond {
	state := func(s string) Cond {
		return Cond{Op: CondIs, Index: UserAttr, Value: factKey(facts[LifecycleURN+":state"], s)}
	}
	return &Cond{Op: CondOr, Subs: []Cond{state(StateNotVerified), state(StateVerified)}}
}

// SendBulk sends the activation mail to everybody who has not activated (BR-091):
// dry counts them, else a job does it. Codes: confirmation_required unless
// confirm, job_running.
func (d *Directory) SendBulk(ctx context.Context, c Caller, dry, confirm bool) (int, *Job, error) {
	if err := c.mayAdmin(AreaUsers, true); err != nil {
		return 0, nil, err
	}
	page, err := d.store.Find(ctx, c.Org, Query{Kind: KindUser, Where: neverActivated(), NoGroups: true, Budget: d.budget})
	if err != nil {
		return 0, nil, fmt.Errorf("count who has not activated: %w", err)
	}
	if dry {
		return page.Total, nil, nil
	}
	if !confirm {
		return page.Total, nil, &Error{
			Code: CodeConfirmation, Field: "confirm",
			Detail: fmt.Sprintf("This sends an activation mail to %d users, and links that they have stop working; it cannot be undone. Confirm to send.", page.Total),
		}
	}
	j, err := d.runJob(ctx, c, &Job{Type: JobActivationMails, Sole: "all"}, struct{}{})
	return page.Total, j, err
}

// bulkStep queues the mails of the next users. A step that runs again finds the
// mails that it made, because their ids follow from the job.
func (d *Directory) bulkStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var res BulkSent
	if err := j.result(&res); err != nil {
		return false, err
	}
	q := Query{Kind: KindUser, Where: neverActivated(), Keyset: true, After: j.Cursor, Limit: settlePiece, NoGroups: true, Budget: d.budget}
	page, err := d.store.Find(ctx, l.Org, q)
	if err != nil {
		return false, fmt.Errorf("find who has not activated: %w", err)
	}
	if j.Cursor == "" {
		count := q
		count.Keyset, count.Limit = false, 0
		all, err := d.store.Find(ctx, l.Org, count)
		if err != nil {
			return false, fmt.Errorf("count who has not activated: %w", err)
		}
		j.Total = all.Total
	}
	due := d.now()
	for _, rec := range page.Records {
		queued, err := d.bulkMail(ctx, l, j, rec.ID, due)
		switch {
		case HasCode(err, CodeRateLimited) || HasCode(err, CodeUserInactive) || HasCode(err, CodeRequestClosed) || HasCode(err, CodeNotFound):
			res.Skipped++
			j.Done++
			continue
		case err == nil && queued:
			res.Queued++
			due = due.Add(bulkPause)
		}
		if err := j.settled(rec.ID, err); err != nil {
			return false, err
		}
	}
	if _, err := j.finish(res); err != nil {
		return false, err
	}
	j.Cursor = page.Next
	return page.Next == "", nil
}

// bulkMail queues the mail of a bulk to one user, once.
func (d *Directory) bulkMail(ctx context.Context, l Lease, j *Job, user string, due time.Time) (queued bool, err error) {
	id, err := mailID(j.Created, "bulk", j.ID, user)
	if err != nil {
		return false, err
	}
	_, err = d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		was, err := tx.Read(KindSetting, id)
		if queued = was != nil; queued || err != nil {
			return err
		}
		rec, err := tx.Read(KindUser, user)
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound(KindUser)
		}
		m, err := d.invitation(rec)
		if err != nil {
			return err
		}
		m.ID, m.Trigger, m.Job, m.By = id, TriggerBulk, j.ID, j.By
		queued = true
		return d.queueMailAt(tx, m, due)
	})
	if mailWaiting(err) {
		err = tooSoon()
	}
	return queued, err
}
