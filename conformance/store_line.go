package conformance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/resources"
)

func lineChecks() []StoreCheck {
	return []StoreCheck{
		{"line-first-come-first-served", "Tx.Take, Tx.Wait, BR-164", inWorld(lineOrder)},
		{"line-newcomers-come-last", "Tx.Take, BR-164", inWorld(lineNewcomers)},
		{"line-wait-guard", "Tx.Wait", inWorld(lineGuard)},
		{"line-quit", "Tx.Quit", inWorld(lineQuit)},
		{"line-of-several-pools", "Tx.Take, Tx.Wait", inWorld(lineOfSeveral)},
		{"line-in-one-commit", "Tx.Take, Tx.Give, Tx.Wait", inWorld(lineInOneCommit)},
		{"line-left-in-one-commit", "Tx.Take, Tx.Quit", inWorld(lineLeft)},
		{"line-last-word-counts", "Tx", inWorld(lineLastWord)},
	}
}

// seats is a pool of the given number of places, behind the line "line".
func seats(limit int) resources.Pool {
	return resources.Pool{Name: "seats", Limit: limit, Line: "line"}
}

// deed is one commit and what must become of it: reason 0 is success.
type deed struct {
	what string
	want resources.Reason
	fn   func(tx resources.Tx)
}

func takes(pool resources.Pool, holders ...string) func(resources.Tx) {
	return func(tx resources.Tx) {
		for _, h := range holders {
			tx.Take(pool, h)
		}
	}
}

func gives(pool string, holders ...string) func(resources.Tx) {
	return func(tx resources.Tx) {
		for _, h := range holders {
			tx.Give(pool, h)
		}
	}
}

func waits(holder string, at int64, pools ...resources.Pool) func(resources.Tx) {
	return func(tx resources.Tx) { tx.Wait("line", holder, at, pools...) }
}

// deeds does one commit after the other and compares the outcomes.
func (w *world) deeds(list ...deed) error {
	for _, d := range list {
		err := w.do(d.fn)
		if d.want == 0 {
			if err != nil {
				return fmt.Errorf("%s: %w", d.what, err)
			}
			continue
		}
		if _, err := refused(err, d.want); err != nil {
			return fmt.Errorf("%s: %w", d.what, err)
		}
	}
	return nil
}

// stand compares who holds and who waits: holders is how many hold places in
// seats, line who waits in order.
func (w *world) stand(held int, line string) error {
	counts, waiting, err := w.Store.Counts(w.ctx, w.org, []string{"seats"}, []string{"line"})
	if err != nil {
		return err
	}
	list, err := w.Store.Waiting(w.ctx, w.org, "line", 100)
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for i, x := range list {
		names[i] = x.Holder
	}
	got := strings.Join(names, " ")
	if counts[0] != held || waiting[0] != len(list) || got != line {
		return fmt.Errorf("%d hold and %d wait: %q; want %d and %q", counts[0], waiting[0], got, held, line)
	}
	return nil
}

const full, open = resources.RefusedFull, resources.RefusedNotFull

func lineOrder(w *world) error {
	p := seats(1)
	err := w.deeds(
		deed{"take", 0, takes(p, "a")},
		deed{"wait", 0, waits("late", 30, p)},
		deed{"wait", 0, waits("early", 10, p)},
		deed{"wait", 0, waits("y", 20, p)},
		deed{"wait", 0, waits("x", 20, p)},
		deed{"wait again, since earlier", 0, waits("late", 1, p)},
	)
	if err == nil {
		err = w.stand(1, "early x y late")
	}
	if err != nil {
		return err
	}
	holder := "a"
	for i, next := range []string{"early", "x", "y", "late"} {
		if err := w.deeds(deed{"give", 0, gives("seats", holder)}); err != nil {
			return err
		}
		for _, other := range []string{"early", "x", "y", "late"}[i+1:] {
			if err := w.deeds(deed{other + " before " + next, full, takes(p, other)}); err != nil {
				return err
			}
		}
		if err := w.deeds(deed{next + ", whose turn it is", 0, takes(p, next)}); err != nil {
			return err
		}
		holder = next
	}
	return w.stand(1, "")
}

func lineNewcomers(w *world) error {
	err := w.deeds(
		deed{"fill", 0, takes(seats(2), "a", "b")},
		deed{"wait", 0, waits("x", 1, seats(2))},
		deed{"wait", 0, waits("y", 2, seats(2))},
		deed{"a newcomer takes one of 3, one free, two waiting", full, takes(seats(3), "new")},
		deed{"a newcomer takes one of 4, two free, two waiting", full, takes(seats(4), "new")},
		deed{"the second takes one of 3", full, takes(seats(3), "y")},
		deed{"the second takes one of 4", 0, takes(seats(4), "y")},
		deed{"a newcomer takes what is left for the first", full, takes(seats(4), "new")},
		deed{"a newcomer takes one of 5", 0, takes(seats(5), "new")},
		deed{"a holder takes what it has", 0, takes(seats(1), "a")},
	)
	if err != nil {
		return err
	}
	return w.stand(4, "x")
}

func lineGuard(w *world) error {
	other := resources.Pool{Name: "others", Limit: 1, Line: "line"}
	err := w.deeds(
		deed{"wait for a free place", open, waits("x", 1, seats(1))},
		deed{"take", 0, takes(seats(1), "a")},
		deed{"wait when one of two pools is free", open, waits("x", 1, seats(1), other)},
		deed{"take the other", 0, takes(other, "b")},
		deed{"wait for both", 0, waits("x", 1, seats(1), other)},
		deed{"wait for an unbounded pool", open, waits("y", 1, resources.Pool{Name: "seats", Limit: -1, Line: "line"})},
		deed{"the first waits on, one place is free", open, waits("x", 1, seats(2))},
		deed{"the second waits, one place is free for the first", 0, waits("y", 2, seats(2))},
		deed{"a third waits, two are free for two", 0, waits("z", 3, seats(3))},
		deed{"the second waits on, two are free for two", open, waits("y", 2, seats(3))},
		deed{"who has a place waits", open, waits("a", 3, seats(1))},
		deed{"who gives the place waits behind the others", 0, func(tx resources.Tx) {
			tx.Give("seats", "a")
			tx.Wait("line", "a", 4, seats(1))
		}},
		deed{"wait for nothing", 0, waits("n", 5)},
	)
	if err != nil {
		return err
	}
	r, err := refused(w.do(waits("q", 9, other, seats(9))), open)
	if err == nil && r.Pool != "seats" {
		err = fmt.Errorf("the refusal names the pool %q; want seats", r.Pool)
	}
	return errors.Join(err, w.stand(0, "x y z a n"))
}

func lineQuit(w *world) error {
	p := seats(1)
	err := w.deeds(
		deed{"take", 0, takes(p, "a")},
		deed{"wait", 0, waits("x", 1, p)},
		deed{"wait", 0, waits("y", 2, p)},
		deed{"quit what nobody waits in", 0, func(tx resources.Tx) { tx.Quit("nowhere", "x") }},
		deed{"quit without waiting", 0, func(tx resources.Tx) { tx.Quit("line", "stranger") }},
		deed{"quit", 0, func(tx resources.Tx) { tx.Quit("line", "x") }},
		deed{"give", 0, gives("seats", "a")},
		deed{"come back as a newcomer", full, takes(p, "x")},
		deed{"take in turn", 0, takes(p, "y")},
	)
	if err != nil {
		return err
	}
	return w.stand(1, "")
}

// lineOfSeveral: two pools of different sizes behind one line.
func lineOfSeveral(w *world) error {
	p, q := seats(1), resources.Pool{Name: "others", Limit: 1, Line: "line"}
	err := w.deeds(
		deed{"take", 0, takes(p, "a")},
		deed{"take", 0, takes(q, "b")},
		deed{"wait", 0, waits("x", 1, p, q)},
		deed{"wait", 0, waits("y", 2, p, q)},
		deed{"give in both", 0, func(tx resources.Tx) { tx.Give("seats", "a"); tx.Give("others", "b") }},
		deed{"the second takes in one", full, takes(q, "y")},
		deed{"both take, each in one", 0, func(tx resources.Tx) { tx.Take(q, "x"); tx.Take(p, "y") }},
	)
	if err != nil {
		return err
	}
	return w.stand(1, "")
}

func lineInOneCommit(w *world) error {
	p := seats(3)
	return errors.Join(w.deeds(
		deed{"more than there are", full, takes(p, "a", "b", "c", "d")},
		deed{"all there are", 0, takes(p, "a", "b", "c")},
		deed{"three wait at once", 0, func(tx resources.Tx) {
			for i, h := range []string{"x", "y", "z"} {
				tx.Wait("line", h, int64(i), p)
			}
		}},
		deed{"give and take in turn", 0, func(tx resources.Tx) { tx.Give("seats", "a"); tx.Take(p, "x") }},
		deed{"give two, the wrong ones take", full, func(tx resources.Tx) {
			tx.Give("seats", "b")
			tx.Give("seats", "c")
			tx.Take(p, "z")
			tx.Take(p, "new")
		}},
		deed{"give two, the right ones take", 0, func(tx resources.Tx) {
			tx.Take(p, "y")
			tx.Take(p, "z")
			tx.Give("seats", "b")
			tx.Give("seats", "c")
		}},
		deed{"the one before quits", 0, func(tx resources.Tx) {
			tx.Wait("line", "u", 1, p)
			tx.Wait("line", "v", 2, p)
		}},
		deed{"give, the first quits, the second takes", 0, func(tx resources.Tx) {
			tx.Give("seats", "x")
			tx.Quit("line", "u")
			tx.Take(p, "v")
		}},
		deed{"the second of two who come at once waits behind the first", 0, func(tx resources.Tx) {
			tx.Give("seats", "z")
			tx.Wait("line", "m", 1)
			tx.Wait("line", "n", 1, p)
		}},
		deed{"all is as it was", 0, func(tx resources.Tx) {
			tx.Quit("line", "m")
			tx.Quit("line", "n")
			tx.Take(p, "z")
		}},
		deed{"give, and wait for what was given", open, func(tx resources.Tx) {
			tx.Give("seats", "y")
			tx.Wait("line", "m", 1, p)
			tx.Wait("line", "n", 1, p)
		}},
	), w.stand(3, ""))
}

// lineLeft: places in the line that a commit empties count as empty in it, each
// once.
func lineLeft(w *world) error {
	p, q := seats(1), resources.Pool{Name: "others", Limit: 2, Line: "line"}
	fill := func(tx resources.Tx) {
		takes(p, "a")(tx)
		takes(q, "b", "c")(tx)
	}
	line := func(tx resources.Tx) {
		for i, h := range []string{"v", "w", "x", "y", "z"} {
			tx.Wait("line", h, int64(i), p, q)
		}
	}
	return errors.Join(w.deeds(
		deed{"fill", 0, fill},
		deed{"wait", 0, line},
		deed{"one before and one behind leave, the next but one takes", full, func(tx resources.Tx) {
			tx.Give("seats", "a")
			tx.Quit("line", "v")
			tx.Quit("line", "z")
			tx.Take(p, "x")
		}},
		deed{"one before and one behind leave, the next takes", 0, func(tx resources.Tx) {
			tx.Give("seats", "a")
			tx.Quit("line", "v")
			tx.Quit("line", "z")
			tx.Take(p, "w")
		}},
		deed{"the first takes two places, a newcomer one", full, func(tx resources.Tx) {
			gives("others", "b", "c")(tx)
			tx.Give("seats", "w")
			tx.Take(p, "x")
			tx.Take(q, "x")
			tx.Take(q, "new")
		}},
		deed{"the first takes two places, the second one", 0, func(tx resources.Tx) {
			gives("others", "b", "c")(tx)
			tx.Give("seats", "w")
			tx.Take(p, "x")
			tx.Take(q, "x")
			tx.Take(q, "y")
		}},
	), w.stand(1, ""))
}

func lineLastWord(w *world) error {
	p := seats(1)
	err := w.deeds(
		deed{"take and give", 0, func(tx resources.Tx) { tx.Take(p, "a"); tx.Give("seats", "a") }},
		deed{"give and take", 0, func(tx resources.Tx) { tx.Give("seats", "b"); tx.Take(p, "b") }},
		deed{"quit and wait", 0, func(tx resources.Tx) { tx.Quit("line", "x"); tx.Wait("line", "x", 1, p) }},
		deed{"wait and quit", 0, func(tx resources.Tx) { tx.Wait("line", "y", 1, p); tx.Quit("line", "y") }},
		deed{"wait and take", 0, func(tx resources.Tx) {
			tx.Wait("line", "b", 1, p)
			tx.Take(p, "b")
		}},
		deed{"take twice", 0, takes(p, "b", "b")},
	)
	if err != nil {
		return err
	}
	err = w.do(func(tx resources.Tx) { tx.Take(seats(9), "z"); tx.Wait("line", "z", 1, p) })
	var r *resources.Refusal
	if err == nil || errors.As(err, &r) {
		return saw(err, "to take a place and to wait for it in one commit is no error")
	}
	return w.stand(1, "x")
}
