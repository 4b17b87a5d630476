package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/usher-scim/usher/resources"
)

func placesChecks() []StoreCheck {
	return []StoreCheck{
		{"pool-unbounded", "Pool.Limit", inWorld(poolUnbounded)},
		{"pool-least", "Tx.Least, BR-245", inWorld(poolLeast)},
		{"pool-most", "Tx.Most", inWorld(poolMost)},
		{"pool-holds", "Tx.Holds", inWorld(poolHolds)},
		{"pool-guards-alone", "Tx.Most, Tx.Wait", inWorld(poolGuardsAlone)},
		{"pool-counts-and-waiting", "Store.Counts, Store.Waiting", inWorld(countsAndWaiting)},
		{"pool-nonsense", "Tx, Store.Counts", inWorld(poolNonsense)},
	}
}

func poolUnbounded(w *world) error {
	many := resources.Pool{Name: "seats", Limit: -1, Line: "line"}
	err := w.deeds(
		deed{"take none of none", full, takes(seats(0), "a")},
		deed{"wait for none", 0, waits("x", 1, seats(0))},
		deed{"take", 0, takes(many, "a", "b", "c")},
		deed{"take from the line", 0, takes(many, "x")},
	)
	if err != nil {
		return err
	}
	return w.stand(4, "")
}

func poolLeast(w *world) error {
	least := func(n int, also func(tx resources.Tx)) func(tx resources.Tx) {
		return func(tx resources.Tx) { tx.Least("seats", n); also(tx); tx.Least("seats", 0) }
	}
	err := w.deeds(
		deed{"nobody to remove", 0, least(1, gives("seats", "nobody"))},
		deed{"take", 0, takes(seats(5), "a", "b")},
		deed{"both leave", resources.RefusedFew, least(1, gives("seats", "a", "b"))},
		deed{"one leaves", 0, least(1, gives("seats", "a"))},
		deed{"the last leaves", resources.RefusedFew, least(1, gives("seats", "b"))},
		deed{"somebody else leaves", 0, least(1, gives("seats", "nobody"))},
		deed{"fewer than wanted, nobody leaves", 0, least(5, takes(seats(5), "b"))},
		deed{"the last hands over", 0, least(1, func(tx resources.Tx) { tx.Give("seats", "b"); tx.Take(seats(5), "c") })},
	)
	if err != nil {
		return err
	}
	r, err := refused(w.do(least(1, gives("seats", "c"))), resources.RefusedFew)
	if err == nil && r.Pool != "seats" {
		err = fmt.Errorf("the refusal names the pool %q", r.Pool)
	}
	return errors.Join(err, w.stand(1, ""))
}

func poolMost(w *world) error {
	most := func(n int, also func(tx resources.Tx)) func(tx resources.Tx) {
		return func(tx resources.Tx) { tx.Most("seats", n); also(tx); tx.Most("seats", 9) }
	}
	return w.deeds(
		deed{"the first two", 0, most(0, takes(seats(5), "a", "b"))},
		deed{"somebody was there", resources.RefusedMany, most(0, takes(seats(5), "c"))},
		deed{"what leaves counts", resources.RefusedMany, most(1, gives("seats", "a"))},
		deed{"not more", 0, most(2, takes(seats(5), "c"))},
	)
}

func poolHolds(w *world) error {
	if err := w.do(takes(seats(2), "a")); err != nil {
		return err
	}
	_, err := w.update(func(tx resources.Tx) error {
		for holder, want := range map[string]bool{"a": true, "b": false} {
			if got, err := tx.Holds("seats", holder); !slices.Equal(got, []bool{want}) || err != nil {
				return saw(err, "%s holds a place: %v", holder, got)
			}
		}
		if got, err := tx.Holds("seats", "b", "a", "c"); !slices.Equal(got, []bool{false, true, false}) || err != nil {
			return saw(err, "of three the second holds a place: %v", got)
		}
		if got, err := tx.Holds("seats"); len(got) > 0 || err != nil {
			return saw(err, "nobody asked for: %v", got)
		}
		if got, err := tx.Holds("nothing", "a"); !slices.Equal(got, []bool{false}) || err != nil {
			return saw(err, "a place in a pool that is not there: %v", got)
		}
		return nil
	})
	return err
}

// poolGuardsAlone: a unit that only asks is refused as well, and writes nothing.
func poolGuardsAlone(w *world) error {
	if err := w.do(takes(seats(2), "a", "b")); err != nil {
		return err
	}
	if _, err := refused(w.do(func(tx resources.Tx) { tx.Most("seats", 1) }), resources.RefusedMany); err != nil {
		return err
	}
	c, err := w.update(func(tx resources.Tx) error { tx.Most("seats", 2); tx.Least("seats", 5); return nil })
	if err != nil || c.Changed || c.LSN != "" {
		return saw(err, "a unit that only asks: %+v", c)
	}
	for what, fn := range map[string]func(resources.Tx){
		"take": takes(seats(5), "c"), "give": gives("seats", "c"), "wait": waits("d", 1), "quit": func(tx resources.Tx) { tx.Quit("line", "d") },
	} {
		c, err := w.update(func(tx resources.Tx) error { fn(tx); return nil })
		if err != nil || !c.Changed {
			return saw(err, "a unit with nothing but %s: %+v", what, c)
		}
	}
	return nil
}

func countsAndWaiting(w *world) error {
	err := w.deeds(
		deed{"take", 0, takes(seats(2), "a", "b")},
		deed{"take", 0, takes(resources.Pool{Name: "free/a-b.c_d", Limit: -1}, "a")},
		deed{"wait", 0, waits("x", 1111, seats(2))},
		deed{"wait", 0, waits("y", 2222, seats(2))},
	)
	if err != nil {
		return err
	}
	held, waiting, err := w.Store.Counts(w.ctx, w.org, []string{"nothing", "free/a-b.c_d", "seats"}, []string{"line", "seats"})
	if err != nil || !reflect.DeepEqual(held, []int{0, 1, 2}) || !reflect.DeepEqual(waiting, []int{2, 0}) {
		return saw(err, "counts %v and %v", held, waiting)
	}
	if held, waiting, err = w.Store.Counts(w.ctx, w.org, nil, nil); err != nil || len(held)+len(waiting) > 0 {
		return saw(err, "counts of nothing: %v and %v", held, waiting)
	}
	all := []resources.Waiter{{Holder: "x", At: 1111}, {Holder: "y", At: 2222}}
	for limit, want := range map[int][]resources.Waiter{0: nil, 1: all[:1], 2: all, 9: all} {
		got, err := w.Store.Waiting(w.ctx, w.org, "line", limit)
		if err != nil || len(got) != len(want) || (len(want) > 0 && !reflect.DeepEqual(got, want)) {
			return saw(err, "the first %d of the line: %v", limit, got)
		}
	}
	other := newWorld(w.ctx, w.StoreEnv)
	return other.stand(0, "")
}

func poolNonsense(w *world) error {
	for what, fn := range map[string]func(resources.Tx){
		"a pool without a name": takes(resources.Pool{Limit: 1}, "a"),
		"a pool with braces":    gives("se{at}s", "a"),
		"a pool with a space":   func(tx resources.Tx) { tx.Least("se ats", 1) },
		"a long name":           func(tx resources.Tx) { tx.Most(strings.Repeat("x", 81), 1) },
		"a line with an accent": func(tx resources.Tx) { tx.Quit("é", "a") },
		"nobody":                takes(seats(1), ""),
		"a long holder":         waits(strings.Repeat("x", 65), 1),
		"another line":          waits("x", 1, resources.Pool{Name: "seats", Line: "other"}),
		"no time":               waits("x", -1),
		"fewer than none":       func(tx resources.Tx) { tx.Most("seats", -1) },
		"more than one commit can contain": func(tx resources.Tx) {
			for i := range 501 {
				tx.Take(seats(-1), fmt.Sprint(i))
			}
		},
	} {
		var r *resources.Refusal
		if err := w.do(fn); err == nil || errors.As(err, &r) || errors.Is(err, resources.ErrUnavailable) {
			return saw(err, "%s: want an error of the caller", what)
		}
	}
	if _, _, err := w.Store.Counts(w.ctx, w.org, []string{"{}"}, nil); err == nil {
		return errors.New("counts of a pool with braces: no error")
	}
	if _, err := w.Store.Waiting(w.ctx, w.org, "", 1); err == nil {
		return errors.New("a line without a name: no error")
	}
	return w.stand(0, "")
}
