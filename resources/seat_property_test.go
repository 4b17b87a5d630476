package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestSeatProperty compares whole organizations with a model after random acts:
// who has what from where (BR-151, BR-161 … BR-163), how many seats are taken and
// that none is free while somebody waits (BR-150), who waited longest (BR-164),
// what goes together (BR-153, BR-176), and that records, pools and lines agree.
func TestSeatProperty(t *testing.T) {
	for store, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(store, func(t *testing.T) {
			b := newBundle(t, url)
			if _, err := b.PutProduct(t.Context(), b.operator, resources.Product{SKU: "desk", Paid: true, Package: true}); err != nil {
				t.Fatal(err)
			}
			n := 0
			rapid.Check(t, func(r *rapid.T) {
				n++
				m := newSeatModel(t, r, b, fmt.Sprintf("org-%d", n))
				m.run()
			})
		})
	}
}

// run does random acts and compares when all work is done.
func (m *seatModel) run() {
	acts := []func(){
		m.create, m.create, m.create, m.wish, m.wish, m.activate, m.grant, m.leave, m.member, m.member, m.resize, m.work, m.check,
		func() { m.template(rapid.SampledFrom(m.groups).Draw(m.r, "group")) },
	}
	for range rapid.IntRange(5, 30).Draw(m.r, "acts") {
		acts[rapid.IntRange(0, len(acts)-1).Draw(m.r, "act")]()
	}
	m.check()
}

// line is who has, and who waits for, one product.
type line struct {
	seated, waiting []resources.Assignment
}

// check does all work and compares.
func (m *seatModel) check() {
	m.work()
	lines := map[string]*line{}
	for _, sku := range sellable {
		lines[sku] = &line{}
	}
	for id, u := range m.users {
		s := m.b.standing(m.t, m.idp, id)
		if got, want := sourcesOf(slices.Concat(s.Licences, s.Kept)), m.sources(id); !slices.Equal(got, want) {
			m.fail("%s has the sources\n%v, want\n%v", u.name, got, want)
		}
		m.compatible(u, &s)
		for _, a := range s.Licences {
			switch {
			case a.Status == resources.Assigned:
				lines[a.SKU].seated = append(lines[a.SKU].seated, a)
			case a.Issue == resources.CodeNoSeats:
				lines[a.SKU].waiting = append(lines[a.SKU].waiting, a)
			}
		}
	}
	for sku, l := range lines {
		if sku == "basic" {
			continue
		}
		units := m.subs[sku].Units
		if len(l.seated) > units {
			m.fail("%d have %s, there are %d units", len(l.seated), sku, units)
		}
		if len(l.seated) < units && len(l.waiting) > 0 {
			m.fail("%d have %s, %d wait, and there are %d units", len(l.seated), sku, len(l.waiting), units)
		}
		for _, w := range l.waiting {
			for _, a := range l.seated {
				if m.overtaken(sku, l, &a, &w) {
					m.fail("a seat of %s went to who asked at %d, another one waits since %d", sku, a.Asked, w.Asked)
				}
			}
		}
	}
	faults, err := m.b.store.Audit(m.t.Context(), m.idp.Org, resources.Placement)
	if err != nil || len(faults) > 0 {
		m.fail("audit: %v %v", err, faults)
	}
}

// overtaken reports whether a seat was given past one who waited for it already. It
// was not when there were enough for both, which nothing takes back (BR-164): before
// units became fewer, or before one came who had asked earlier than both.
func (m *seatModel) overtaken(sku string, l *line, seated, waiting *resources.Assignment) bool {
	return seated.Asked > waiting.Asked && seated.Since > max(waiting.Since, m.shrunk[sku]) &&
		!slices.ContainsFunc(l.seated, func(a resources.Assignment) bool {
			return a.Since >= seated.Since && a.Asked <= waiting.Asked
		})
}

// compatible checks the licences of one user as a set.
func (m *seatModel) compatible(u *modelUser, s *resources.Standing) {
	has := func(skus ...string) bool {
		return slices.ContainsFunc(s.Licences, func(a resources.Assignment) bool {
			return a.Status == resources.Assigned && slices.Contains(skus, a.SKU)
		})
	}
	failed := 0
	for _, a := range s.Licences {
		switch {
		case a.Status == resources.Failed && u.inactive:
			m.fail("%s is inactive and has %s in error", u.name, a.SKU)
		case a.Status == resources.Failed:
			failed++
		}
		switch {
		case a.Issue == resources.CodePrerequisite && has("host", "meetings"):
			m.fail("%s has what %s needs and does not get it", u.name, a.SKU)
		case a.SKU == "webinars" && a.Status == resources.Assigned && !has("host", "meetings"):
			m.fail("%s has webinars alone", u.name)
		case a.Issue == resources.CodeLicenceConflict && !has("desk", "meetings"):
			m.fail("%s has no package and %s is in conflict", u.name, a.SKU)
		}
	}
	if has("desk") && has("meetings") {
		m.fail("%s has two packages", u.name)
	}
	told := 0
	for _, i := range s.Issues {
		if i.Attribute != "emails" {
			told++
		}
	}
	if told != failed {
		m.fail("%s has %d licences in error and %d issues", u.name, failed, told)
	}
}

func (m *seatModel) fail(format string, args ...any) {
	m.r.Fatalf("%s\nafter %s", fmt.Sprintf(format, args...), strings.Join(m.trail, "\n      "))
}
