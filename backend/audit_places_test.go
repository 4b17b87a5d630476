package backend_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// TestAuditSeesPlaces: every way in which pools and lines can differ from the
// records is told.
func TestAuditSeesPlaces(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		c := newClock()
		s := open(t, backend.Config{URL: url, Now: c.now})
		org := envOf(s, c, "audit").Org()
		a, b, x := newUser(t, "a"), newUser(t, "b"), newUser(t, "x")
		pool := resources.Pool{Name: "seat/1", Limit: 2, Line: "sku/s"}
		full := pool
		full.Limit = 0
		do := func(fn func(tx resources.Tx)) {
			t.Helper()
			if _, err := s.Update(t.Context(), org, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		do(func(tx resources.Tx) {
			for _, u := range []*resources.Record{a, b, x} {
				tx.Put(nil, u, nil, entriesOf(u))
			}
			tx.Take(pool, a.ID)
			tx.Take(pool, b.ID)
			tx.Take(resources.Pool{Name: "hold/1", Limit: -1}, x.ID)
		})
		do(func(tx resources.Tx) { tx.Wait(pool.Line, x.ID, 7, full) })
		right := map[string]resources.Holdings{
			a.ID: {Pools: []string{"seat/1"}, Bounds: []resources.Bound{{Pool: pool}}, Others: []string{"hold/1"}},
			b.ID: {Pools: []string{"seat/1"}},
			x.ID: {Lines: map[string]int64{"sku/s": 7}},
		}
		bounded := func(limit int, from, until time.Time) resources.Holdings {
			h := right[a.ID]
			h.Bounds = []resources.Bound{{Pool: resources.Pool{Name: "seat/1", Limit: limit, Line: "sku/s"}, From: from, Until: until}}
			return h
		}
		now := c.now()
		for name, tt := range map[string]struct {
			id   string
			says resources.Holdings
			want []string // beginnings of faults
		}{
			"as it is":               {b.ID, right[b.ID], nil},
			"holds, unsaid":          {b.ID, resources.Holdings{}, []string{b.ID + " holds a place in the pool seat/1"}},
			"said, not held":         {b.ID, resources.Holdings{Pools: []string{"seat/1", "seat/2"}}, []string{b.ID + " does not hold its place in the pool seat/2"}},
			"waits, unsaid":          {x.ID, resources.Holdings{}, []string{x.ID + " stands in the line sku/s, which"}},
			"said, not waiting":      {b.ID, resources.Holdings{Pools: []string{"seat/1"}, Lines: map[string]int64{"sku/s": 1}}, []string{b.ID + " does not stand in the line sku/s"}},
			"waits since later":      {x.ID, resources.Holdings{Lines: map[string]int64{"sku/s": 6}}, []string{x.ID + " stands in the line sku/s since 7"}},
			"oversold":               {a.ID, bounded(1, time.Time{}, time.Time{}), []string{"the pool seat/1 has 2 holders and 1 places"}},
			"free, and one waits":    {a.ID, bounded(3, time.Time{}, time.Time{}), []string{"the pool seat/1 has free places, 1 wait"}},
			"free, not begun":        {a.ID, bounded(3, now.Add(time.Second), time.Time{}), nil},
			"free, ended":            {a.ID, bounded(3, time.Time{}, now), nil},
			"unbounded, one waits":   {a.ID, bounded(-1, now, now.Add(1)), []string{"the pool seat/1 has free places, 1 wait"}},
			"nobody vouches for all": {a.ID, resources.Holdings{Pools: []string{"seat/1"}}, []string{x.ID + " holds a place in the pool hold/1"}},
		} {
			faults, err := s.Audit(t.Context(), org, func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
				if r.ID == tt.id {
					return entriesOf(r), nil, tt.says
				}
				return entriesOf(r), nil, right[r.ID]
			})
			if err != nil || !slices.EqualFunc(faults, tt.want, strings.HasPrefix) {
				t.Errorf("%s: faults %q, %v; want %q", name, faults, err, tt.want)
			}
		}
		do(func(tx resources.Tx) { tx.Due("s1", now) })
		right[a.ID] = bounded(3, time.Time{}, time.Time{})
		faults, err := s.Audit(t.Context(), org, func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
			return entriesOf(r), nil, right[r.ID]
		})
		if err != nil || len(faults) > 0 {
			t.Errorf("free, one waits, and work is due: faults %q, %v", faults, err)
		}
	})
}
