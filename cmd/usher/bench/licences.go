package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/jobs"
	"github.com/usher-scim/usher/resources"
)

// The products of the catalogue that licences are measured with: seated has
// seats for everybody, added needs it and has as many, crowded has one seat.
const (
	seated, added, crowded = "host", "webinars", "meetings"
	plenty                 = 10_000_000
)

// licensedJSON is the n-th user, with a licence named.
func licensedJSON(n int, sku string) string {
	return strings.TrimSuffix(userJSON(n), "}") + `,"` + resources.LicenceUserURN + `":{"licenses":["` + sku + `"]}}`
}

// licences measures what seats cost. It comes last: nobody had a licence, and no
// worker ran, when the other rows were measured. Templates come before creation,
// because who is created with licences named gets none (BR-163).
func (m *meter) licences(ctx context.Context) error {
	op, err := m.dir.Operate(ctx, m.operator(), m.caller.Slug)
	if err != nil {
		return err
	}
	for sku, units := range map[string]int{seated: plenty, added: plenty, crowded: 1} {
		if _, err := m.dir.CreateSubscription(ctx, op, resources.Subscription{SKU: sku, Units: units}); err != nil {
			return err
		}
	}
	defer m.startWorker(ctx)()
	for _, stage := range []func(context.Context, resources.Caller) error{m.templates, m.usage, m.seats} {
		if err := stage(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// startWorker does what is due, as `usher serve` does, until the function that it
// gives back is called.
func (m *meter) startWorker(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	runner := jobs.Runner{
		Queue: m.store, Work: m.dir.WorkOn, Orgs: m.dir.WorkOrgs, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = runner.Run(ctx) // it only complains of missing fields; then no job ends, and that is told
	}()
	return func() {
		cancel()
		<-ended
	}
}

// templates measures a template for everybody and one for a large group, as the
// worker gives them to users there are.
func (m *meter) templates(ctx context.Context, op resources.Caller) error {
	all, _, err := m.dir.PutTemplate(ctx, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{seated}})
	if err != nil {
		return err
	}
	job, err := m.dir.ApplyTemplate(ctx, op, all.ID, false, false)
	if err != nil {
		return err
	}
	if err := m.job(ctx, op, job, "template given to all %d users"); err != nil {
		return err
	}
	_, _, err = m.dir.PutTemplate(ctx, op, resources.Template{Type: resources.TemplateGroup, SKUs: []string{seated, added}, Groups: []string{m.large}})
	if err != nil {
		return err
	}
	started, _, err := m.dir.Jobs(ctx, op, "", resources.JobSettleGroup, "", 1)
	if err != nil || len(started) == 0 {
		return fmt.Errorf("bench: the group template started no job: %w", err)
	}
	if err := m.job(ctx, op, started[0], "template on a group of %d"); err != nil {
		return err
	}
	// What it has given stays; users who are created from now on get nothing.
	_, err = m.dir.DeleteTemplate(ctx, op, all.ID)
	return err
}

// job waits for the end of a job and adds the row of how many users a second it
// settled, from the moment it was asked for.
func (m *meter) job(ctx context.Context, op resources.Caller, job *resources.Job, work string) error {
	const longest = 10 * time.Minute
	for begun := time.Now(); job.Ended.IsZero(); time.Sleep(50 * time.Millisecond) {
		var err error
		if job, err = m.dir.Job(ctx, op, job.ID); err != nil {
			return err
		}
		if time.Since(begun) > longest {
			return fmt.Errorf("bench: a job of the type %s did not end within %s: %+v", job.Type, longest, job)
		}
		m.say("\r%-40s %d of %d ", job.Type, job.Done, job.Total)
	}
	if job.State != resources.JobDone || job.Failed > 0 {
		return fmt.Errorf("bench: a job of the type %s ended as %s with %d of %d users failed: %s", job.Type, job.State, job.Failed, job.Total, job.Fault)
	}
	rate := float64(job.Done) / max(job.Ended.Sub(job.Created).Seconds(), 0.001)
	row := Row{Work: fmt.Sprintf(work, job.Done), Unit: "users/s", Value: rate, Gate: 5000, Goal: 8000}
	m.report.Rows = append(m.report.Rows, row)
	m.say("\r%-40s %.0f/s\n", row.Work, row.Value)
	return nil
}

// usage compares the figures of an organization with many holders with those of
// one with a single one and the same subscriptions.
func (m *meter) usage(ctx context.Context, _ resources.Caller) error {
	var single data
	if err := m.organization(ctx, &single); err != nil {
		return err
	}
	op, err := m.dir.Operate(ctx, m.operator(), single.caller.Slug)
	if err != nil {
		return err
	}
	for _, sku := range []string{seated, added, crowded} {
		if _, err := m.dir.CreateSubscription(ctx, op, resources.Subscription{SKU: sku, Units: plenty}); err != nil {
			return err
		}
	}
	doc, err := jsontree.Parse([]byte(licensedJSON(70_000_000, seated)), jsontree.BodyLimits())
	if err != nil {
		return err
	}
	if _, err := m.dir.CreateUser(ctx, single.caller, doc); err != nil {
		return err
	}
	figures := func(d *data) load {
		return m.getOf(d, "licences", func(buf []byte, _, _ int) []byte { return append(buf, "/Licenses"...) })
	}
	return m.slower(ctx, Row{Work: fmt.Sprintf("GET /Licenses: over %d holders ÷ one, time", m.Users), Gate: 1.5, Goal: 1.15}, figures(&m.data), figures(&single))
}

// seats measures creation with a licence named, while there are seats and when
// there are none.
func (m *meter) seats(ctx context.Context, _ resources.Caller) error {
	if err := m.compare(ctx, Row{Work: "POST /Users with a seat ÷ without", Gate: 0.80, Goal: 0.90}, m.createFor(seated), m.create()); err != nil {
		return err
	}
	return m.compare(ctx, Row{Work: "POST /Users waiting for a seat ÷ without", Gate: 0.60, Goal: 0.80}, m.createFor(crowded), m.create())
}

// createFor posts users that do not exist yet, with a licence named.
func (m *meter) createFor(sku string) load {
	l := m.create()
	return m.send(load{name: "create with " + sku, addr: l.addr, want: l.want}, "POST",
		func(buf []byte, _, _ int) []byte { return append(append(buf, m.prefix...), "/Users"...) },
		func(int, int) string { return licensedJSON(int(m.made.Add(1)), sku) })
}
