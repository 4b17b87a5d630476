package backend_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// model is an organization as plain data.
type model struct {
	recs  map[string]modelRec
	links map[[2]string]bool // group, member
}

type modelRec struct {
	kind     resources.Kind
	name     string
	external string
	mail     string
	version  uint64
}

func (m *model) clone() *model {
	return &model{recs: maps.Clone(m.recs), links: maps.Clone(m.links)}
}

func (r modelRec) entries(id string, modified int64) []resources.Entry {
	rec := &resources.Record{Kind: r.kind, ID: id, Display: r.name, Modified: modified}
	out := entriesOf(rec)
	if r.kind == resources.KindUser {
		out = append(out, resources.Entry{Index: resources.UserExternalID, Value: r.external})
		if r.mail != "" {
			out = append(out, resources.Entry{Index: resources.UserEmail, Value: r.mail})
		}
		if r.external == "x0" {
			out = append(out, resources.Entry{Index: resources.UserInactive, Value: id})
		}
	}
	return out
}

func (r modelRec) record(id string, modified int64) *resources.Record {
	return &resources.Record{
		Kind: r.kind, ID: id, Version: r.version, Created: 1, Modified: modified, Display: r.name,
		Profile: fmt.Appendf(nil, `{"e":%q,"m":%q}`, r.external, r.mail),
	}
}

// expected derives entries and claims from a stored record alone.
func expected(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
	var none resources.Holdings
	if r.Kind != resources.KindUser {
		return entriesOf(r), nil, none
	}
	m := modelRec{kind: r.Kind, name: r.Display}
	if _, err := fmt.Sscanf(string(r.Profile), `{"e":%q,"m":%q}`, &m.external, &m.mail); err != nil {
		panic(err)
	}
	if m.mail == "" {
		return m.entries(r.ID, r.Modified), nil, none
	}
	return m.entries(r.ID, r.Modified), []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: m.mail}, Holder: r.ID}}, none
}

// machine drives a store and a model with the same random units of work.
type machine struct {
	t     *rapid.T
	s     *backend.Store
	twin  *backend.Store // does the same, if there is one
	clock *clock
	org   resources.OrgID
	m     *model
	newID func(resources.Kind) string
}

// step is one piece of a unit: it changes the model, if it can, and asks the
// store for the same. It returns false when the commit must be refused.
type step func(next *model, tx resources.Tx) (ok bool, err error)

func (x *machine) pick(kind resources.Kind) string {
	var ids []string
	for id, r := range x.m.recs {
		if r.kind == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if len(ids) == 0 || rapid.IntRange(0, 9).Draw(x.t, "absent") == 0 {
		return x.newID(kind)
	}
	return rapid.SampledFrom(ids).Draw(x.t, "id")
}

func (x *machine) facts(kind resources.Kind) modelRec {
	r := modelRec{kind: kind, name: fmt.Sprintf("n%d", rapid.IntRange(0, 7).Draw(x.t, "name"))}
	if kind == resources.KindUser {
		r.external = fmt.Sprintf("x%d", rapid.IntRange(0, 2).Draw(x.t, "external"))
		if n := rapid.IntRange(-2, 5).Draw(x.t, "mail"); n >= 0 {
			r.mail = fmt.Sprintf("%s-%d@example.com", x.org, n)
		}
	}
	return r
}

// write puts a record over what the model has under the id.
func (x *machine) write(next *model, tx resources.Tx, id string, r modelRec) error {
	modified := x.clock.now().UnixMilli()
	had, exists := x.m.recs[id]
	if !exists {
		r.version = 1
		tx.Put(nil, r.record(id, modified), nil, r.entries(id, modified))
	} else {
		before, err := tx.Read(r.kind, id)
		if err != nil {
			return err
		}
		r.version = before.Version + 1
		tx.Put(before, r.record(id, modified), had.entries(id, before.Modified), r.entries(id, modified))
	}
	mail := next.recs[id].mail // one unit may write a record twice
	if mail != r.mail && mail != "" {
		tx.Release(resources.Claim{Kind: resources.ClaimEmail, Key: mail}, id)
	}
	if mail != r.mail && r.mail != "" {
		tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: r.mail}, id)
	}
	next.recs[id] = r
	return nil
}

func (x *machine) put(kind resources.Kind, fresh bool) step {
	id := x.newID(kind)
	if !fresh {
		id = x.pick(kind)
	}
	r := x.facts(kind)
	return func(next *model, tx resources.Tx) (bool, error) {
		return true, x.write(next, tx, id, r)
	}
}

func (x *machine) remove(kind resources.Kind) step {
	id := x.pick(kind)
	return func(next *model, tx resources.Tx) (bool, error) {
		had, exists := x.m.recs[id]
		if !exists {
			return true, nil
		}
		before, err := tx.Read(kind, id)
		if err != nil {
			return false, err
		}
		groups, err := tx.GroupsOf(id)
		if err != nil {
			return false, err
		}
		for _, g := range groups {
			tx.Unlink(g, id)
		}
		tx.Delete(before, had.entries(id, before.Modified))
		if had.mail != "" {
			tx.Release(resources.Claim{Kind: resources.ClaimEmail, Key: had.mail}, id)
		}
		delete(next.recs, id)
		maps.DeleteFunc(next.links, func(l [2]string, _ bool) bool { return l[0] == id || l[1] == id })
		return true, nil
	}
}

func (x *machine) link(in bool) step {
	g := x.pick(resources.KindGroup)
	members := []string{x.pick(resources.KindUser)}
	for range rapid.IntRange(0, 3).Draw(x.t, "more") {
		members = append(members, x.pick(resources.Kind(rapid.IntRange(0, 1).Draw(x.t, "kind"))))
	}
	return func(next *model, tx resources.Tx) (bool, error) {
		if in {
			tx.Link(g, members...)
		} else {
			tx.Unlink(g, members...)
		}
		ok := next.recs[g].kind == resources.KindGroup && next.recs[g].name != ""
		for _, m := range members {
			if _, exists := next.recs[m]; in && !exists {
				ok = false
			}
			if in {
				next.links[[2]string{g, m}] = true
			} else {
				delete(next.links, [2]string{g, m})
			}
		}
		return ok, nil
	}
}

// unique tells whether names and mails belong to one record each.
func (m *model) unique() bool {
	seen := map[string]bool{}
	for _, r := range m.recs {
		for _, key := range []string{fmt.Sprint("n", r.kind, r.name), "m" + r.mail} {
			if key != "m" && seen[key] {
				return false
			}
			seen[key] = true
		}
	}
	return true
}

// unit draws a unit of work, runs it on both and compares the outcome.
func (x *machine) unit() {
	var steps []step
	// Links and removals see the state before the unit, so that a unit
	// has at most one of them; records may come in numbers.
	switch rapid.IntRange(0, 9).Draw(x.t, "unit") {
	case 0, 1:
		steps = append(steps, x.remove(resources.Kind(rapid.IntRange(0, 1).Draw(x.t, "kind"))))
	case 2, 3, 4:
		steps = append(steps, x.link(rapid.IntRange(0, 2).Draw(x.t, "in") > 0))
	}
	removes := len(steps) > 0
	for range rapid.IntRange(0, 2).Draw(x.t, "puts") {
		// A record must not be removed and written by one unit.
		steps = append(steps, x.put(resources.Kind(rapid.IntRange(0, 1).Draw(x.t, "kind")), removes || rapid.Bool().Draw(x.t, "fresh")))
	}
	next, ok := x.m, true
	both := func(_ context.Context, tx resources.Tx) error {
		next, ok = x.m.clone(), true
		for _, st := range steps {
			fine, err := st(next, tx)
			if err != nil {
				return err
			}
			ok = ok && fine
		}
		return nil
	}
	c, err := x.s.Update(context.Background(), x.org, both)
	if x.twin != nil {
		if _, other := x.twin.Update(context.Background(), x.org, both); (err == nil) != (other == nil) {
			x.t.Fatalf("the store says %v, its twin %v", err, other)
		}
	}
	var refusal *resources.Refusal
	if err != nil && !errors.As(err, &refusal) {
		x.t.Fatalf("update: %v", err)
	}
	if ok = ok && next.unique(); ok != (err == nil) {
		x.t.Fatalf("the store says %v (%+v), the model %v", err, c, ok)
	}
	if ok {
		x.m = next
	}
}

func (x *machine) compare() {
	ctx := context.Background()
	faults, err := x.s.Audit(ctx, x.org, expected)
	if err != nil {
		x.t.Fatal(err)
	}
	if len(faults) > 0 {
		x.t.Fatalf("audit: %q", faults)
	}
	count := 0
	for _, kind := range []resources.Kind{resources.KindUser, resources.KindGroup} {
		page, err := x.s.Find(ctx, x.org, resources.Query{Kind: kind, Limit: 1000})
		if err != nil {
			x.t.Fatal(err)
		}
		count += page.Total
		for _, r := range page.Records {
			x.compareOne(r)
		}
	}
	if count != len(x.m.recs) {
		x.t.Fatalf("the store has %d records, the model %d", count, len(x.m.recs))
	}
}

func (x *machine) compareOne(r *resources.Record) {
	want, ok := x.m.recs[r.ID]
	if !ok || r.Display != want.name || r.Version != want.version {
		x.t.Fatalf("the store has %s %q version %d, the model %+v", r.ID, r.Display, r.Version, want)
	}
	var groups, names []string
	for l := range x.m.links {
		if l[1] == r.ID {
			groups = append(groups, l[0]+x.m.recs[l[0]].name)
		}
	}
	for _, g := range r.Groups {
		names = append(names, g.ID+g.Display)
	}
	slices.Sort(groups)
	if !slices.Equal(groups, names) {
		x.t.Fatalf("%s shows the groups %q, the model says %q", r.ID, names, groups)
	}
}

// TestModel drives random units of work against a plain model (security §4.4).
func TestModel(t *testing.T) {
	onBoth(t, unitsAgainstModel)
}

func unitsAgainstModel(t *testing.T, url string) {
	c := newClock()
	s := open(t, backend.Config{URL: url, Now: c.now})
	env := envOf(s, c, "model")
	rapid.Check(t, func(rt *rapid.T) {
		n := 0
		x := &machine{t: rt, s: s, clock: c, org: env.Org(), m: &model{recs: map[string]modelRec{}, links: map[[2]string]bool{}}}
		x.newID = func(kind resources.Kind) string {
			n++
			return fmt.Sprintf("%019d%d", n, kind)
		}
		for i := range rapid.IntRange(1, 40).Draw(rt, "units") {
			x.unit()
			if i%8 == 7 {
				c.advance(1e9)
				if _, err := s.Sweep(context.Background(), x.org, c.now(), rapid.IntRange(1, 10).Draw(rt, "sweep"), resources.Placement); err != nil {
					rt.Fatal(err)
				}
				x.compare()
			}
		}
		x.compare()
	})
}
