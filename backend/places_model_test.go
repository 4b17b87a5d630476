package backend_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// places is two bounded pools behind one line and the list of what is due,
// as plain data.
type places struct {
	pools map[string]map[string]bool
	line  []resources.Waiter
	due   map[string]int64
}

// The pools: a is small, b is larger, c has no bound and no line.
func poolOf(name string) resources.Pool {
	return map[string]resources.Pool{
		"a": {Name: "a", Limit: 1, Line: "l"},
		"b": {Name: "b", Limit: 2, Line: "l"},
		"c": {Name: "c", Limit: -1},
	}[name]
}

func (m *places) clone() *places {
	out := &places{pools: map[string]map[string]bool{}, line: slices.Clone(m.line), due: maps.Clone(m.due)}
	for name, holders := range m.pools {
		out.pools[name] = maps.Clone(holders)
	}
	return out
}

func (m *places) rank(holder string) int {
	return slices.IndexFunc(m.line, func(w resources.Waiter) bool { return w.Holder == holder })
}

func (m *places) quit(holder string) {
	m.line = slices.DeleteFunc(m.line, func(w resources.Waiter) bool { return w.Holder == holder })
}

// wish is what one holder does in a unit: at most one thing with pools, and one
// with the line.
type wish struct {
	holder          string
	gives, takes    string // pools, or ""
	waits, quits    bool
	at              int64
	least, most     int // of pool a; below 0: not asked
	due, undue      string
	dueIn           time.Duration
	pretendUndueOff int64
}

// apply does a unit by the rules of resources.Tx: what leaves first, then who
// takes, then who waits. The model changes only when nothing is refused.
func (m *places) apply(wishes []wish, now time.Time) (next *places, refused resources.Reason) {
	next = m.clone()
	least := 0
	for _, w := range wishes {
		if w.most >= 0 && len(m.pools["a"]) > w.most {
			return m, resources.RefusedMany
		}
		least = max(least, w.least)
	}
	for _, w := range wishes {
		if w.gives != "" {
			delete(next.pools[w.gives], w.holder)
		}
		if w.quits {
			next.quit(w.holder)
		}
	}
	removes := len(next.pools["a"]) < len(m.pools["a"])
	for _, w := range wishes {
		if w.takes == "" {
			continue
		}
		p, holders := poolOf(w.takes), next.pools[w.takes]
		ahead := 0
		if p.Line != "" {
			if ahead = next.rank(w.holder); ahead < 0 {
				ahead = len(next.line)
			}
		}
		if !holders[w.holder] && p.Limit >= 0 && len(holders)+ahead >= p.Limit {
			return m, resources.RefusedFull
		}
		holders[w.holder] = true
		if p.Line != "" {
			next.quit(w.holder)
		}
	}
	if removes && len(next.pools["a"]) < least {
		return m, resources.RefusedFew
	}
	return next.waits(m, wishes, now)
}

func (m *places) waits(before *places, wishes []wish, now time.Time) (*places, resources.Reason) {
	came := 0
	line := slices.Clone(m.line)
	for _, w := range wishes {
		if !w.waits {
			continue
		}
		ahead := m.rank(w.holder)
		if ahead < 0 {
			ahead = len(m.line) + came
			came++
			line = append(line, resources.Waiter{Holder: w.holder, At: w.at})
		}
		for _, name := range []string{"a", "b"} {
			if m.pools[name][w.holder] || len(m.pools[name])+ahead < poolOf(name).Limit {
				return before, resources.RefusedNotFull
			}
		}
	}
	slices.SortFunc(line, func(a, b resources.Waiter) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Holder, b.Holder))
	})
	m.line = line
	for _, w := range wishes {
		if at, there := m.due[w.undue]; there && w.pretendUndueOff == 0 && at == before.due[w.undue] {
			delete(m.due, w.undue)
		}
	}
	for _, w := range wishes {
		if w.due == "" {
			continue
		}
		t := now.Add(w.dueIn).UnixMicro()
		if at, there := m.due[w.due]; there && at <= t {
			t = at - 1
		}
		m.due[w.due] = t
	}
	return m, 0
}

// draw draws a unit: one wish for each of some holders.
func drawWishes(t *rapid.T, holders []string) []wish {
	var out []wish
	items := []string{"", "", "s1", "u1"}
	for _, h := range holders {
		w := wish{holder: h, least: -1, most: -1, at: int64(rapid.IntRange(1, 9).Draw(t, "at"))}
		switch rapid.IntRange(0, 11).Draw(t, "wish") {
		case 0, 1, 2, 3:
			w.takes = rapid.SampledFrom([]string{"a", "b", "b", "c"}).Draw(t, "takes")
		case 4, 5:
			w.gives = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "gives")
		case 6:
			w.gives, w.takes = "a", "b"
		case 7, 8:
			w.waits = true
			w.gives = rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "gives")
		case 9:
			w.quits = true
		default:
			continue
		}
		if rapid.IntRange(0, 5).Draw(t, "guard") == 0 {
			w.least = rapid.IntRange(0, 2).Draw(t, "least")
			w.most = rapid.IntRange(-1, 1).Draw(t, "most")
		}
		w.due, w.undue = rapid.SampledFrom(items).Draw(t, "due"), rapid.SampledFrom(items).Draw(t, "undue")
		w.dueIn = time.Duration(rapid.IntRange(-2, 2).Draw(t, "in")) * time.Second
		if rapid.Bool().Draw(t, "stale") {
			w.pretendUndueOff = 1
		}
		if slices.ContainsFunc(out, func(o wish) bool { return o.due == w.due || o.undue == w.undue }) {
			w.due, w.undue = "", "" // an item once in a unit
		}
		out = append(out, w)
	}
	return out
}

// ask asks the store for what was wished, and writes what each holder then has
// into its record, for the audit.
func ask(tx resources.Tx, wishes []wish, m, next *places, now time.Time) error {
	for _, w := range wishes {
		if w.gives != "" {
			tx.Give(w.gives, w.holder)
		}
		if w.quits {
			tx.Quit("l", w.holder)
		}
		if w.takes != "" {
			tx.Take(poolOf(w.takes), w.holder)
		}
		if w.waits {
			tx.Wait("l", w.holder, w.at, poolOf("a"), poolOf("b"))
		}
		if w.least >= 0 {
			tx.Least("a", w.least)
		}
		if w.most >= 0 {
			tx.Most("a", w.most)
		}
		if w.due != "" {
			tx.Due(w.due, now.Add(w.dueIn))
		}
		if w.undue != "" {
			tx.Undue(resources.DueItem{Item: w.undue, At: m.due[w.undue] + w.pretendUndueOff})
		}
		before, err := tx.Read(resources.KindUser, w.holder)
		if err != nil {
			return err
		}
		after := *before
		after.Version++
		if after.Profile, err = json.Marshal(next.holdings(w.holder)); err != nil {
			return err
		}
		tx.Put(before, &after, entriesOf(before), entriesOf(&after))
	}
	return nil
}

// holdings are what a holder's record says.
func (m *places) holdings(holder string) resources.Holdings {
	h := resources.Holdings{Lines: map[string]int64{}}
	for _, name := range []string{"a", "b", "c"} {
		if m.pools[name][holder] {
			h.Pools = append(h.Pools, name)
		}
	}
	if i := m.rank(holder); i >= 0 {
		h.Lines["l"] = m.line[i].At
	}
	return h
}

// TestPlacesModel drives random units of work over pools, a line and what is
// due against a plain model, and lets Audit recount it from the records.
func TestPlacesModel(t *testing.T) {
	onBoth(t, placesAgainstModel)
}

func placesAgainstModel(t *testing.T, url string) {
	c := newClock()
	s := open(t, backend.Config{URL: url, Now: c.now})
	env := envOf(s, c, "places")
	rapid.Check(t, func(rt *rapid.T) {
		org := env.Org()
		m := &places{pools: map[string]map[string]bool{"a": {}, "b": {}, "c": {}}, due: map[string]int64{}}
		holders := holdersIn(rt, s, org)
		for range rapid.IntRange(1, 25).Draw(rt, "units") {
			m = placesUnit(rt, s, org, c.now(), m, drawWishes(rt, holders))
			comparePlaces(rt, s, org, c.now(), m)
			c.advance(time.Duration(rapid.IntRange(0, 1).Draw(rt, "pause")) * time.Second)
		}
	})
}

func holdersIn(t *rapid.T, s *backend.Store, org resources.OrgID) []string {
	var ids []string
	_, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		ids = nil
		for i := range 5 {
			u := &resources.Record{Kind: resources.KindUser, ID: fmt.Sprintf("%019d0", i+1), Version: 1, Display: fmt.Sprint("h", i), Profile: []byte("{}")}
			tx.Put(nil, u, nil, entriesOf(u))
			ids = append(ids, u.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func placesUnit(t *rapid.T, s *backend.Store, org resources.OrgID, now time.Time, m *places, wishes []wish) *places {
	next, want := m.apply(wishes, now)
	_, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		return ask(tx, wishes, m, next, now)
	})
	var got resources.Reason
	var refusal *resources.Refusal
	switch {
	case errors.As(err, &refusal):
		got = refusal.Reason
	case err != nil:
		t.Fatalf("%+v: %v", wishes, err)
	}
	if got != want {
		t.Fatalf("%+v on %+v: the store says %v, the model %d", wishes, m, err, want)
	}
	return next
}

func comparePlaces(t *rapid.T, s *backend.Store, org resources.OrgID, now time.Time, m *places) {
	ctx := context.Background()
	line, err := s.Waiting(ctx, org, "l", 100)
	if err != nil || !slices.Equal(line, m.line) {
		t.Fatalf("%v stand in line, the model has %v; %v", line, m.line, err)
	}
	held, _, err := s.Counts(ctx, org, []string{"a", "b", "c"}, nil)
	if err != nil || held[0] != len(m.pools["a"]) || held[1] != len(m.pools["b"]) || held[2] != len(m.pools["c"]) {
		t.Fatalf("%v hold places, the model has %v; %v", held, m.pools, err)
	}
	items, _, err := s.Due(ctx, org, now.Add(time.Hour), 100)
	if err != nil || len(items) != len(m.due) {
		t.Fatalf("due are %v, the model has %v; %v", items, m.due, err)
	}
	for _, x := range items {
		if m.due[x.Item] != x.At {
			t.Fatalf("%s is due at %d, the model says %d", x.Item, x.At, m.due[x.Item])
		}
	}
	faults, err := s.Audit(ctx, org, func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		var h resources.Holdings
		if err := json.Unmarshal(r.Profile, &h); err != nil {
			t.Fatal(err)
		}
		return entriesOf(r), nil, h
	})
	if err != nil || len(faults) > 0 {
		t.Fatalf("audit: %q, %v", faults, err)
	}
}
