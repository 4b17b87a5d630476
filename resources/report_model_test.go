package resources_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
)

// held is what a user holds on one day.
type held struct{ pack, location string }

// ledger says by user and by day who holds what from that day on, as far as a
// later day does not say otherwise. It is filled day by day and knows nothing of
// intervals.
type ledger map[string]map[string]held

// from notes that from a day on a user holds something, whatever was said before.
func (l ledger) from(user, day string, h held) {
	days := l[user]
	if days == nil {
		days = make(map[string]held)
		l[user] = days
	}
	maps.DeleteFunc(days, func(d string, _ held) bool { return d >= day })
	days[day] = h
}

// on is what a user holds on a day.
func (l ledger) on(user, day string) held {
	last := ""
	for d := range l[user] {
		if d <= day && d > last {
			last = d
		}
	}
	return l[user][last]
}

// count is the report over a stretch of days, both inclusive: user-days by what
// was held, and the users of each.
func (l ledger) count(t testing.TB, from, to string) map[held][2]int {
	out := make(map[held][2]int)
	for user := range l {
		seen := make(map[held]bool)
		for day := from; day <= to; day = plusDays(t, day, 1) {
			h := l.on(user, day)
			if h.pack == "" {
				continue
			}
			n := out[h]
			n[0]++
			if !seen[h] {
				seen[h] = true
				n[1]++
			}
			out[h] = n
		}
	}
	return out
}

func plusDays(t testing.TB, day string, n int) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return d.AddDate(0, 0, n).Format(time.DateOnly)
}

// zones are time zones whose days are unlike those of others: far east and west,
// with summer time of an hour and of half an hour, with odd minutes.
var zones = []string{"", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"}

// billing drives one organization and its model.
type billing struct {
	*bundle
	c      resources.Caller
	zone   string
	model  ledger
	floor  map[string]string // by user: the day of the last change
	now    map[string]held
	living []string
}

// TestBillingModel: whatever happens to packages, with whatever clock and time
// zone, reports of both levels, a recount from the stream of events and a plain
// count day by day come to the same: a day is billable once, a deleted user until its
// last (BR-175, BR-176, BR-177, BR-178).
func TestBillingModel(t *testing.T) {
	b := newBundle(t, "")
	start := b.clock.Now()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		b.clock.set(start.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(rt, "start")) * time.Minute))
		m := &billing{bundle: b, c: b.org(t, fmt.Sprintf("org%d", n)), model: ledger{}, floor: map[string]string{}, now: map[string]held{}}
		m.c.Scopes = append(m.c.Scopes, resources.ScopeAdmin)
		m.plan(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		for i := range rapid.IntRange(1, 4).Draw(rt, "users") {
			m.living = append(m.living, b.user(t, m.c, fmt.Sprintf("u%d", i)))
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			m.step(t, rt)
		}
		m.check(t, rt)
	})
}

// plan sets the time zone; two locations exist.
func (m *billing) plan(t *testing.T, zone string) {
	m.zone = zone
	if err := m.Replan(t.Context(), m.c, func(p *resources.Plan) {
		p.Settings.TimeZone = zone
		p.Locations = []resources.Location{{ID: "place1", Name: "Lyon"}, {ID: "place2", Name: "Brest"}}
	}); err != nil {
		t.Fatal(err)
	}
}

func (m *billing) today(t testing.TB) string {
	zone, err := time.LoadLocation(m.zone)
	if err != nil {
		t.Fatal(err)
	}
	return m.clock.Now().In(zone).Format(time.DateOnly)
}

// step does one thing to the organization.
func (m *billing) step(t *testing.T, rt *rapid.T) {
	if len(m.living) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.living)-1).Draw(rt, "user")
	switch what := rapid.IntRange(0, 19).Draw(rt, "what"); {
	case what < 10:
		h := held{rapid.SampledFrom([]string{"", "", "suite", "calling"}).Draw(rt, "package"), ""}
		if h.pack != "" {
			h.location = rapid.SampledFrom([]string{"", "place1", "place2"}).Draw(rt, "location")
		}
		if err := m.Hold(t.Context(), m.c, m.living[i], h.pack, h.location); err != nil {
			t.Fatal(err)
		}
		m.note(t, m.living[i], h)
	case what < 17:
		m.clock.Advance(time.Duration(rapid.IntRange(1, 30*24*60).Draw(rt, "minutes")) * time.Minute)
	case what < 18:
		m.clock.Advance(-time.Duration(rapid.IntRange(1, 3*24*60).Draw(rt, "back")) * time.Minute)
	case what < 19:
		m.plan(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
	default:
		if err := m.Drop(t.Context(), m.c, m.living[i]); err != nil {
			t.Fatal(err)
		}
		m.note(t, m.living[i], held{})
		m.living = slices.Delete(m.living, i, i+1)
	}
}

// note writes into the model that a user holds something from now on: a package
// has the day, of one that goes the day is still counted.
func (m *billing) note(t *testing.T, user string, h held) {
	if m.now[user] == h {
		return
	}
	m.now[user] = h
	day := max(m.today(t), m.floor[user]) // time does not run backwards for anybody
	m.floor[user] = day
	if h.pack == "" {
		day = plusDays(t, day, 1)
	}
	m.model.from(user, day, h)
}

// check makes reports over a random stretch of days and compares.
func (m *billing) check(t *testing.T, rt *rapid.T) {
	for _, day := range m.floor { // days that clocks have been ahead of are over
		for m.today(t) <= day {
			m.clock.Advance(24 * time.Hour)
		}
	}
	to := plusDays(t, m.today(t), -rapid.IntRange(1, 60).Draw(rt, "to"))
	from := plusDays(t, to, -rapid.IntRange(0, 300).Draw(rt, "days"))
	want := m.model.count(t, from, to)
	if diff := gocmp.Diff(want, m.recount(t).count(t, from, to)); diff != "" {
		rt.Fatalf("recount from events (-want +got):\n%s", diff)
	}
	for _, level := range []resources.ReportLevel{resources.LevelOrg, resources.LevelUser} {
		r, rows := m.report(t, m.c, resources.ReportSpec{Level: level, From: from, To: to})
		got := make(map[held][2]int)
		users := make(map[held]map[string]bool)
		for _, row := range rows {
			h := held{row.Package, map[string]string{"Lyon": "place1", "Brest": "place2"}[row.Location]}
			n := got[h]
			n[0] += row.Days
			if level == resources.LevelUser && users[h][row.User] {
				row.Users = 0
			} else if users[h] == nil {
				users[h] = make(map[string]bool)
			}
			users[h][row.User] = true
			n[1] += row.Users
			got[h] = n
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			rt.Fatalf("%s report %s to %s (-want +got):\n%s", level, from, to, diff)
		}
		m.checkTotals(rt, r, want)
		m.checkRows(rt, r, rows)
	}
	m.checkUsage(t, rt)
}

// checkTotals compares the sums of a report with the model.
func (m *billing) checkTotals(rt *rapid.T, r *resources.Report, want map[held][2]int) {
	days, sum := 0, 0
	for _, n := range want {
		days += n[0]
	}
	for _, p := range r.ByPack {
		sum += p.UserDays
	}
	if r.UserDays != days || sum != days {
		rt.Fatalf("totals %d and %d, want %d: %+v", r.UserDays, sum, days, r)
	}
}

// checkRows: rows of one user never overlap, and none goes on where another of
// the same ends.
func (m *billing) checkRows(rt *rapid.T, r *resources.Report, rows []resources.ReportRow) {
	if r.Rows != len(rows) {
		rt.Fatalf("%d rows, said were %d", len(rows), r.Rows)
	}
	for i, row := range rows {
		if r.Level == resources.LevelUser && (row.From < r.From || row.To > r.To || row.From > row.To) {
			rt.Fatalf("row %+v of a report %s to %s", row, r.From, r.To)
		}
		if i > 0 && row.User != "" && rows[i-1].User == row.User && rows[i-1].To >= row.From {
			rt.Fatalf("rows overlap: %+v, %+v", rows[i-1], row)
		}
	}
}

// checkUsage compares who holds what at this moment.
func (m *billing) checkUsage(t *testing.T, rt *rapid.T) {
	want, got := make(map[held]int), make(map[held]int)
	for _, user := range m.living {
		if h := m.now[user]; h.pack != "" {
			want[h]++
		}
	}
	rows, err := m.UsageNow(t.Context(), m.c)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		got[held{row.Package, map[string]string{"Lyon": "place1", "Brest": "place2"}[row.Location]}] += row.Users
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		rt.Fatalf("usage now (-want +got):\n%s", diff)
	}
}

// report makes a report and gives its rows.
func (b *bundle) report(t *testing.T, c resources.Caller, spec resources.ReportSpec) (*resources.Report, []resources.ReportRow) {
	t.Helper()
	r, err := b.CreateReport(t.Context(), c, spec)
	if err != nil {
		t.Fatal(err)
	}
	if j, err := b.WorkJob(t.Context(), b.store, c, r.Job); err != nil || j.State != resources.JobDone {
		t.Fatalf("job %+v: %v", j, err)
	}
	if r, err = b.Report(t.Context(), c, r.ID); err != nil || r.State != resources.JobDone {
		t.Fatalf("report %+v: %v", r, err)
	}
	var rows []resources.ReportRow
	if err := b.ReportRows(t.Context(), c, r.ID, func(row resources.ReportRow) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(rows, func(a, b resources.ReportRow) int { return cmp.Compare(a.User, b.User) })
	return r, rows
}

// recount makes a ledger out of the stream of events alone.
func (m *billing) recount(t *testing.T) ledger {
	out := ledger{}
	for after := ""; ; {
		events, err := m.store.Events(t.Context(), m.c.Org, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			switch after = e.LSN; e.Type {
			case "package.opened":
				out.from(e.ID, e.Day, held{e.SKU, e.At})
			case "package.closed":
				out.from(e.ID, e.Day, held{})
			}
		}
		if len(events) < 500 {
			return out
		}
	}
}
