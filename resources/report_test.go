package resources_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// seated is an organization with a plan in which the packages cost nothing more
// than asking for them.
func (b *bundle) seated(t *testing.T) resources.Caller {
	t.Helper()
	c := withAdmin(b.a)
	if err := b.Replan(t.Context(), c, func(p *resources.Plan) {
		p.Settings.TimeZone = "Europe/Paris"
		p.Locations = []resources.Location{{ID: "place1", Name: "Lyon"}}
		for _, sku := range []string{"meetings", "suite"} {
			p.Subscriptions = append(p.Subscriptions, resources.Subscription{ID: "sub-" + sku, SKU: sku, Model: resources.ModelUsage})
		}
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bundle) at(t *testing.T, local string) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", local, zone)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.set(at)
}

// TestReportOfRealUsers follows packages through the documents of users, as
// identity providers write them (BR-175 … BR-178, BR-240).
func TestReportOfRealUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), b.seated(t)
		pack := func(name, sku string) string {
			return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",%q],"userName":%q,"emails":[{"value":"%s@a.test"}],%q:{"package":%q}}`,
				resources.LicenceUserURN, name, name, resources.LicenceUserURN, sku)
		}
		b.at(t, "2027-03-27 23:59") // the next day has 23 hours
		ada, err := b.CreateUser(ctx, c, parse(t, pack("ada", "meetings")))
		if err != nil {
			t.Fatal(err)
		}
		b.at(t, "2027-03-28 00:01")
		eva, err := b.CreateUser(ctx, c, parse(t, pack("eva", "meetings")))
		if err != nil {
			t.Fatal(err)
		}
		b.at(t, "2027-03-30 12:00")
		if _, _, err := b.UpdateUser(ctx, c, eva.ID, set("active", parse(t, "false"))); err != nil { // goes on
			t.Fatal(err)
		}
		b.at(t, "2027-04-02 12:00")
		if err := b.DeleteUser(ctx, c, ada.ID, nil); err != nil {
			t.Fatal(err)
		}
		b.at(t, "2027-05-10 12:00")

		r, rows := b.report(t, c, resources.ReportSpec{Level: resources.LevelUser})
		if r.From != "2027-03-01" || r.To != "2027-04-30" || r.Days != 61 || r.TimeZone != "Europe/Paris" {
			t.Errorf("report %+v, want the last two months", r)
		}
		want := []resources.ReportRow{
			{Org: "acme", User: ada.ID, Email: "ada@a.test", Package: "meetings", From: "2027-03-27", To: "2027-04-02", Days: 7, Users: 1, Share: 0.114754},
			{Org: "acme", User: eva.ID, Email: "eva@a.test", Package: "meetings", From: "2027-03-28", To: "2027-04-30", Days: 34, Users: 1, Share: 0.557377},
		}
		if diff := gocmp.Diff(want, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		total := []resources.PackTotal{{Package: "meetings", Users: 2, UserDays: 41, Share: 0.672131}}
		if diff := gocmp.Diff(total, r.ByPack); diff != "" || r.UserDays != 41 {
			t.Errorf("totals %d (-want +got):\n%s", r.UserDays, diff)
		}
		now, err := b.UsageNow(ctx, c)
		if diff := gocmp.Diff([]resources.ReportRow{{Org: "acme", Package: "meetings", Users: 1}}, now); diff != "" || err != nil {
			t.Errorf("usage now (-want +got):\n%s%v", diff, err)
		}

		_, rows = b.report(t, b.operator, resources.ReportSpec{Level: resources.LevelPartner, From: r.From, To: r.To})
		partner := []resources.ReportRow{{Org: "acme", Package: "meetings", Days: 41, Users: 2, Share: 0.672131}}
		if diff := gocmp.Diff(partner, rows); diff != "" {
			t.Errorf("rows of the partner (-want +got):\n%s", diff)
		}
	})
}

// meddling is a store on which somebody acts whenever users were read.
type meddling struct {
	resources.Store
	then func()
}

func (m *meddling) Find(ctx context.Context, org resources.OrgID, q resources.Query) (resources.Page, error) {
	page, err := m.Store.Find(ctx, org, q)
	if q.Kind == resources.KindUser && q.Limit > 0 {
		m.then()
	}
	return page, err
}

// TestReportWhileChanging: many users, living and deleted, are reported on in
// several steps while everything changes, between the steps and within them; what
// is said of days that are over stays exact (BR-178).
func TestReportWhileChanging(t *testing.T) {
	b := newBundle(t, "")
	ctx, c := t.Context(), b.seated(t)
	b.at(t, "2027-01-05 10:00")
	const users = 2300
	ids := make([]string, users)
	for i := range ids {
		ids[i] = b.user(t, c, fmt.Sprintf("u%d", i))
		b.clock.Advance(time.Millisecond)
	}
	for _, id := range ids {
		b.change(t, c, id, "suite", false)
	}
	b.at(t, "2027-01-08 10:00")
	for i := 0; i < users; i += 3 {
		b.change(t, c, ids[i], "", i%2 == 0)
	}
	b.at(t, "2027-01-21 10:00")
	round := 0
	m := &meddling{Store: b.store, then: func() {
		for i := round; i < users; i += 5 { // those still there end, begin anew, or go
			b.change(t, c, ids[i], []string{"", "calling", ""}[i%3], i%3 == 2)
		}
		round++
	}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	d, err := resources.New(resources.Config{Store: m, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	spec := resources.ReportSpec{Level: resources.LevelOrg, From: "2027-01-01", To: "2027-01-20"}
	r, err := d.CreateReport(ctx, c, spec)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.CreateReport(ctx, c, spec)
	wantCode(t, err, resources.CodeJobRunning)
	if j, err := d.WorkJob(ctx, b.store, c, r.Job); err != nil || j.State != resources.JobDone || j.Total < j.Done || round < 2 {
		t.Errorf("after %d rounds: job %+v, %v", round, j, err)
	}
	if r, err = b.Report(ctx, c, r.ID); err != nil {
		t.Fatal(err)
	}
	gone := (users + 2) / 3
	days := gone*4 + (users-gone)*16
	want := []resources.PackTotal{{Package: "suite", Users: users, UserDays: days, Share: float64(days) / 20}}
	if diff := gocmp.Diff(want, r.ByPack); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// change makes a user hold something else, or go, unless it is gone.
func (b *bundle) change(t *testing.T, c resources.Caller, id, sku string, drop bool) {
	t.Helper()
	rec, err := b.store.Get(t.Context(), c.Org, resources.KindUser, id)
	switch {
	case err != nil:
	case rec == nil:
	case drop:
		err = b.Drop(t.Context(), c, id)
	default:
		err = b.Hold(t.Context(), c, id, sku, "place1")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestReportBounds: who may make which report, how many there are, and that a
// deleted one leaves nothing (BR-178).
func TestReportBounds(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), b.seated(t)
		for name, tt := range map[string]struct {
			caller resources.Caller
			level  resources.ReportLevel
			code   resources.Code
		}{
			"no level":                  {c, "", resources.CodeInvalidValue},
			"a partner's of a customer": {c, resources.LevelPartner, resources.CodeForbidden},
			"a customer's of all":       {b.operator, resources.LevelOrg, resources.CodeInvalidValue},
			"to read only":              {resources.Caller{Org: c.Org, Scopes: []resources.Scope{resources.ScopeAdminRead}}, resources.LevelOrg, resources.CodeForbidden},
			"by an identity provider":   {b.a, resources.LevelUser, resources.CodeForbidden},
		} {
			if _, err := b.CreateReport(ctx, tt.caller, resources.ReportSpec{Level: tt.level}); !resources.HasCode(err, tt.code) {
				t.Errorf("%s: %v, want %s", name, err, tt.code)
			}
		}
		before, err := b.store.Find(ctx, c.Org, resources.Query{Kind: resources.KindSetting})
		if err != nil {
			t.Fatal(err)
		}
		id := b.user(t, c, "ada")
		if err := b.Hold(ctx, c, id, "suite", "place1"); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(48 * time.Hour)
		zone, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			t.Fatal(err)
		}
		day := b.clock.Now().In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
		r, rows := b.report(t, c, resources.ReportSpec{Level: resources.LevelUser, From: day, To: day})
		if len(rows) != 1 || rows[0].Location != "Lyon" || rows[0].Share != 1 {
			t.Errorf("rows %+v", rows)
		}
		if list, _, err := b.Reports(ctx, c, "", 10); err != nil || len(list) != 1 || list[0].ID != r.ID {
			t.Errorf("list %v, %v", list, err)
		}
		again := c
		again.NewID = r.ID // the same request once more
		if same, err := b.CreateReport(ctx, again, resources.ReportSpec{Level: resources.LevelUser}); err != nil || same.ID != r.ID || same.From != day {
			t.Errorf("repeated: %+v, %v", same, err)
		}
		_, err = b.Report(ctx, withAdmin(b.b), r.ID)
		wantCode(t, err, resources.CodeNotFound)
		if err := b.DeleteReport(ctx, c, r.ID); err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.DeleteReport(ctx, c, r.ID), resources.CodeNotFound)
		wantCode(t, b.ReportRows(ctx, c, r.ID, nil), resources.CodeNotFound)
		after, err := b.store.Find(ctx, c.Org, resources.Query{Kind: resources.KindSetting})
		if err != nil || after.Total != before.Total+1 { // the job, which its own time removes
			t.Errorf("%d settings are left of %d and a job: %v", after.Total, before.Total, err)
		}
	})
}

// TestReportDeletedUnderWay: a report that is deleted while its job runs leaves
// no rows, and the job ends.
func TestReportDeletedUnderWay(t *testing.T) {
	b := newBundle(t, "")
	ctx, c := t.Context(), b.seated(t)
	for i := range 1100 {
		b.user(t, c, fmt.Sprintf("u%d", i))
	}
	r, err := b.CreateReport(ctx, c, resources.ReportSpec{Level: resources.LevelUser})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := b.StepJob(ctx, b.store, c, r.Job); err != nil || done {
		t.Fatalf("the first step ended it: %v, %v", done, err)
	}
	if err := b.DeleteReport(ctx, c, r.ID); err != nil {
		t.Fatal(err)
	}
	j, err := b.WorkJob(ctx, b.store, c, r.Job)
	if err != nil || j.State != resources.JobCancelled {
		t.Errorf("job %+v: %v", j, err)
	}
	_, err = b.Report(ctx, c, r.ID)
	wantCode(t, err, resources.CodeNotFound)
}
