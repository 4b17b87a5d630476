package resources_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// dueItem finds an item on the list of an organization.
func (b *bundle) dueItem(t *testing.T, org resources.OrgID, name string) resources.DueItem {
	t.Helper()
	items, _, err := b.store.Due(t.Context(), org, b.clock.Now().AddDate(1, 0, 0), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if item.Item == name {
			return item
		}
	}
	t.Fatalf("%s is not due: %v", name, items)
	return resources.DueItem{}
}

// TestJobLife: a job goes on step by step, one of its sort at a time, survives
// whoever worked on it, is listed, and goes 30 days after its end (BR-264).
func TestJobLife(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 5})
		ids := b.crowd(t, b.a, "u", 3)
		tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}})
		b.work(t, b.a.Org)
		job, err := b.ApplyTemplate(ctx, op, tpl.ID, false, false)
		if err != nil || job.State != resources.JobQueued || job.By != "test" {
			t.Fatalf("start: %+v, %v", job, err)
		}
		_, err = b.ApplyTemplate(ctx, op, tpl.ID, false, false)
		fails(t, err, resources.CodeJobRunning, "")
		b.clock.Advance(time.Millisecond) // ids sort by it
		if _, err = b.ApplyTemplate(ctx, op, tpl.ID, true, false); err != nil {
			t.Errorf("a preview runs beside: %v", err)
		}
		list, next, err := b.Jobs(ctx, op, resources.JobQueued, resources.JobApplyTemplate, "", 10)
		if err != nil || len(list) != 1 || list[0].ID != job.ID || next != "" {
			t.Errorf("queued jobs %v %q, %v", list, next, err)
		}
		b.work(t, b.a.Org)
		if job, err = b.Job(ctx, op, job.ID); err != nil || job.State != resources.JobDone || job.Done != 3 || job.Total != 3 || job.Started.IsZero() || job.Ended.IsZero() {
			t.Errorf("ended: %+v, %v", job, err)
		}
		sameIDs(t, "applied", b.held(t, b.a, "host", ids), ids)
		_, err = b.CancelJob(ctx, op, job.ID)
		fails(t, err, resources.CodeJobEnded, "")
		first, next, err := b.Jobs(ctx, op, "", "", "", 1)
		if err != nil || len(first) != 1 || next == "" || first[0].Type != resources.JobPreviewTemplate {
			t.Fatalf("newest job %+v %q, %v", first, next, err)
		}
		if second, _, err := b.Jobs(ctx, op, "", "", next, 1); err != nil || len(second) != 1 || second[0].ID != job.ID {
			t.Errorf("the one before %+v, %v", second, err)
		}
		b.clock.Advance(30*24*time.Hour + time.Minute)
		b.work(t, b.a.Org)
		_, err = b.Job(ctx, op, job.ID)
		fails(t, err, resources.CodeNotFound, "")
		if list, _, err := b.Jobs(ctx, op, "", "", "", 10); err != nil || len(list) != 0 {
			t.Errorf("jobs after 30 days: %v, %v", list, err)
		}
	})
}

// TestJobCancelled: a job that is cancelled does nothing more.
func TestJobCancelled(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.crowd(t, b.a, "u", 2)
		tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"basic"}})
		job, err := b.ApplyTemplate(ctx, op, tpl.ID, false, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second time is no fault
			if _, err := b.CancelJob(ctx, op, job.ID); err != nil {
				t.Fatal(err)
			}
		}
		b.work(t, b.a.Org)
		if job, err = b.Job(ctx, op, job.ID); err != nil || job.State != resources.JobCancelled || job.Done != 0 {
			t.Errorf("cancelled: %+v, %v", job, err)
		}
		if _, err = b.ApplyTemplate(ctx, op, tpl.ID, false, false); err != nil {
			t.Errorf("another one after that: %v", err)
		}
	})
}

// TestJobErrors: errors of single items are kept in order and bounded, and go with
// the job.
func TestJobErrors(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		job, err := b.RetryLicences(ctx, op, "HOST")
		if err != nil {
			t.Fatal(err)
		}
		l := b.lease(t, b.a.Org)
		for _, n := range []int{2500, 7000, 900} {
			if err := b.FailItems(ctx, l, b.dueItem(t, b.a.Org, "j"+job.ID), job, n); err != nil {
				t.Fatal(err)
			}
			if job, err = b.Job(ctx, op, job.ID); err != nil {
				t.Fatal(err)
			}
		}
		if job.Failed != 10_400 || job.Errors != 10_000 {
			t.Errorf("%d failed, %d kept, want 10400 and 10000", job.Failed, job.Errors)
		}
		rows := 0
		if err := b.JobErrors(ctx, op, job.ID, func(e resources.JobError) error {
			if rows++; e.Code != resources.CodeInvalidValue {
				t.Errorf("row %+v", e)
			}
			return nil
		}); err != nil || rows != 10_000 {
			t.Errorf("%d rows, %v", rows, err)
		}
		stop := errors.New("stop")
		if err := b.JobErrors(ctx, op, job.ID, func(resources.JobError) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("a reader that stops: %v", err)
		}
		b.work(t, b.a.Org)
		b.clock.Advance(31 * 24 * time.Hour)
		b.work(t, b.a.Org)
		page, err := b.store.Find(ctx, b.a.Org, resources.Query{Kind: resources.KindSetting, Limit: 100})
		if err != nil || page.Total > 1 { // the plan may stay
			t.Errorf("%d settings left, %v", page.Total, err)
		}
	})
}

// TestJobFails: a step that is refused ends the job with the reason; one that was
// parked ends it, too, with an alert.
func TestJobFails(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"basic"}})
		job, err := b.ApplyTemplate(ctx, op, tpl.ID, false, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.DeleteTemplate(ctx, op, tpl.ID); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		if job, err = b.Job(ctx, op, job.ID); err != nil || job.State != resources.JobFailed || job.Fault == "" {
			t.Errorf("refused: %+v, %v", job, err)
		}
		if job, err = b.RetryLicences(ctx, op, ""); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			b.NoteParked(ctx, b.a.Org, "j"+job.ID, "a secret cause")
		}
		if job, err = b.Job(ctx, op, job.ID); err != nil || job.State != resources.JobFailed {
			t.Errorf("parked: %+v, %v", job, err)
		}
		list := b.alerts(t, op, resources.AlertParked)
		if len(list) != 1 || list[0].Count != 2 || list[0].Subject != "j"+job.ID {
			t.Fatalf("alerts %+v", list)
		}
		_, err = b.CloseAlert(ctx, op, list[0].ID, resources.AlertOpen)
		fails(t, err, resources.CodeInvalidValue, "state")
		_, err = b.Decide(ctx, op, list[0].ID, true)
		fails(t, err, resources.CodeInvalidValue, "id")
		if a, err := b.CloseAlert(ctx, op, list[0].ID, resources.AlertDismissed); err != nil || a.State != resources.AlertDismissed || a.By != "test" {
			t.Errorf("closed %+v, %v", a, err)
		}
		_, err = b.CloseAlert(ctx, op, list[0].ID, resources.AlertDone)
		fails(t, err, resources.CodeRequestClosed, "")
		if a, err := b.Alert(ctx, op, list[0].ID); err != nil || a.State != resources.AlertDismissed {
			t.Errorf("read %+v, %v", a, err)
		}
		_, err = b.Alert(ctx, op, job.ID)
		fails(t, err, resources.CodeNotFound, "")
		b.clock.Advance(366 * 24 * time.Hour)
		b.work(t, b.a.Org)
		_, err = b.Alert(ctx, op, list[0].ID) // kept for a year
		fails(t, err, resources.CodeNotFound, "")
		b.NoteParked(ctx, b.a.Org, "j"+job.ID, "") // a new one about the same opens
		if list := b.alerts(t, op, resources.AlertParked); len(list) != 1 || list[0].Count != 1 {
			t.Errorf("alerts %+v", list)
		}
	})
}

// TestJobFenced: who lost the lease writes nothing (issue: a paused worker that
// wakes up cannot write).
func TestJobFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 5})
		ids := b.crowd(t, b.a, "u", 3)
		tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}})
		b.work(t, b.a.Org)
		old := b.lease(t, b.a.Org)
		b.clock.Advance(2 * time.Hour)
		if _, ok, err := b.store.Lease(ctx, b.a.Org, "another", time.Hour); err != nil || !ok {
			t.Fatalf("take the lease over: %v, %v", ok, err)
		}
		job, err := b.ApplyTemplate(ctx, op, tpl.ID, false, false)
		if err != nil {
			t.Fatal(err)
		}
		units := 1
		subs, err := b.Subscriptions(ctx, op)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.UpdateSubscription(ctx, op, subs[0].ID, resources.SubscriptionChange{Units: &units}); err != nil {
			t.Fatal(err)
		}
		idle, err := b.RetryLicences(ctx, op, "basic") // settles nobody
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"j" + job.ID, "j" + idle.ID, "p"} {
			if err := b.WorkOn(ctx, old, b.dueItem(t, b.a.Org, name)); !errors.Is(err, resources.ErrFenced) {
				t.Errorf("work on %s with a lost lease: %v", name, err)
			}
		}
		sameIDs(t, "given by a lost lease", b.held(t, b.a, "host", ids), nil)
		if job, err = b.Job(ctx, op, job.ID); err != nil || job.State != resources.JobQueued {
			t.Errorf("job %+v, %v", job, err)
		}
	})
}

// TestJobGoesOn: a job whose worker dies between two steps goes on where it was.
func TestJobGoesOn(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	const n = 1200
	for i := range n {
		b.user(t, b.a, fmt.Sprintf("u%d", i))
	}
	tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"basic"}})
	job, err := b.ApplyTemplate(t.Context(), op, tpl.ID, false, false)
	if err != nil {
		t.Fatal(err)
	}
	for done := 0; ; {
		over := b.workUpTo(t, b.a.Org, 1)
		job, err = b.Job(t.Context(), op, job.ID)
		if err != nil || job.Done < done || job.Total != n {
			t.Fatalf("job %+v, %v", job, err)
		}
		if done = job.Done; over || job.State == resources.JobDone {
			break
		}
	}
	if job.Done != n || job.Failed != 0 || job.State != resources.JobDone {
		t.Errorf("job %+v", job)
	}
}
