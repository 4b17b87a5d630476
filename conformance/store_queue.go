package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

func queueChecks() []StoreCheck {
	return []StoreCheck{
		{"queue-due-in-order", "Queue.Due", inWorld(queueDue)},
		{"queue-postpone", "Queue.Postpone", inWorld(queuePostpone)},
		{"queue-asked-anew", "Tx.Due, Queue.Postpone, Queue.Park", inWorld(queueAnew)},
		{"queue-park", "Queue.Park, Queue.Parked, Queue.Unpark", inWorld(queuePark)},
		{"queue-lease", "Queue.Lease", inWorld(queueLease)},
		{"queue-lease-race", "Queue.Lease", inWorld(queueLeaseRace)},
		{"queue-fence", "Tx.Fence, Queue.Unlease", inWorld(queueFence)},
		{"queue-skewed-lease", "Queue.Lease", inWorld(queueSkew)},
		{"queue-bells", "Queue.Bells, Queue.Heard, Queue.Ring", inWorld(queueBells)},
		{"queue-bells-taken-over", "Queue.Bells", inWorld(queueTakeover)},
		{"erase-queue", "Store.Erase", inWorld(eraseQueue)},
	}
}

// dueIn puts items on the list, each at an offset from now.
func (w *world) dueIn(offsets map[string]time.Duration) error {
	return w.do(func(tx resources.Tx) {
		for item, d := range offsets {
			tx.Due(item, w.Now().Add(d))
		}
	})
}

// list reads what is due as "item/tries", with "!" when it was parked.
func (w *world) list(limit int) (string, time.Time, error) {
	items, next, err := w.Queue.Due(w.ctx, w.org, w.Now(), limit)
	words := make([]string, len(items))
	for i, d := range items {
		words[i] = fmt.Sprintf("%s/%d", d.Item, d.Tries)
		if d.Parked {
			words[i] += "!"
		}
	}
	return strings.Join(words, " "), next, err
}

// lists compares what is due with what it should be.
func (w *world) lists(want string) error {
	if got, _, err := w.list(100); got != want || err != nil {
		return saw(err, "due is %q, want %q", got, want)
	}
	return nil
}

// first reads the first item that is due.
func (w *world) first() (resources.DueItem, error) {
	items, _, err := w.Queue.Due(w.ctx, w.org, w.Now(), 1)
	if err != nil || len(items) == 0 {
		return resources.DueItem{}, saw(err, "nothing is due")
	}
	return items[0], nil
}

// leased takes a lease that must be free.
func (w *world) leased(worker string, d time.Duration) (resources.Lease, error) {
	l, ok, err := w.Queue.Lease(w.ctx, w.org, worker, d)
	if err != nil || !ok {
		return l, saw(err, "%s does not get the lease", worker)
	}
	return l, nil
}

func queueDue(w *world) error {
	if err := w.dueIn(map[string]time.Duration{"a": -3 * time.Second, "b": -time.Second, "c": 0, "d": time.Minute, "e": time.Hour}); err != nil {
		return err
	}
	for _, c := range []struct {
		limit int
		want  string
		next  time.Duration
	}{{10, "a/0 b/0 c/0", time.Minute}, {3, "a/0 b/0 c/0", time.Minute}, {1, "a/0", -time.Second}} {
		got, next, err := w.list(c.limit)
		if d := next.Sub(w.Now()).Round(time.Microsecond); got != c.want || d != c.next || err != nil {
			return saw(err, "with limit %d due is %q and the next in %v, want %q and %v", c.limit, got, d, c.want, c.next)
		}
	}
	w.Advance(2 * time.Hour)
	got, next, err := w.list(10)
	if got != "a/0 b/0 c/0 d/0 e/0" || !next.IsZero() || err != nil {
		return saw(err, "two hours later due is %q and the next at %v", got, next)
	}
	first, err := w.first()
	if err != nil {
		return err
	}
	firsts, err := w.Queue.Next(w.ctx, []resources.OrgID{"none1", w.org, "none2"})
	if err != nil || len(firsts) != 3 || !firsts[0].IsZero() || firsts[1].UnixMicro() != first.At || !firsts[2].IsZero() {
		return saw(err, "Next gives %v, want the time of the first item for one of three", firsts)
	}
	if err := w.do(func(tx resources.Tx) { tx.Undue(first) }); err != nil {
		return err
	}
	return w.lists("b/0 c/0 d/0 e/0")
}

func queuePostpone(w *world) error {
	if err := w.dueIn(map[string]time.Duration{"a": -time.Second}); err != nil {
		return err
	}
	l, err := w.leased("w1", time.Hour)
	if err != nil {
		return err
	}
	for tries := 1; tries <= 3; tries++ {
		item, err := w.first()
		if err != nil {
			return err
		}
		if done, err := w.Queue.Postpone(w.ctx, l, item, w.Now().Add(time.Second)); !done || err != nil {
			return saw(err, "Postpone says %v", done)
		}
		// What was read before the postponing is old.
		if done, err := w.Queue.Postpone(w.ctx, l, item, w.Now().Add(time.Minute)); done || err != nil {
			return saw(err, "a second Postpone of the same reading says %v", done)
		}
		if err := w.lists(""); err != nil {
			return err
		}
		w.Advance(time.Second)
		if err := w.lists(fmt.Sprintf("a/%d", tries)); err != nil {
			return err
		}
	}
	// Done and asked for later, the failures are forgotten.
	item, err := w.first()
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Undue(item) }); err != nil {
		return err
	}
	if err := w.dueIn(map[string]time.Duration{"a": 0}); err != nil {
		return err
	}
	return w.lists("a/0")
}

func queueAnew(w *world) error {
	l, err := w.leased("w1", time.Hour)
	if err != nil {
		return err
	}
	moves := map[string]func(resources.DueItem) (bool, error){
		"Postpone": func(i resources.DueItem) (bool, error) {
			return w.Queue.Postpone(w.ctx, l, i, w.Now().Add(time.Hour))
		},
		"Park": func(i resources.DueItem) (bool, error) { return w.Queue.Park(w.ctx, l, i, "fault", w.Now()) },
	}
	for name, move := range moves {
		if err := w.dueIn(map[string]time.Duration{"a": 0}); err != nil {
			return err
		}
		item, err := w.first()
		if err != nil {
			return err
		}
		if err := w.dueIn(map[string]time.Duration{"a": 0}); err != nil {
			return err
		}
		if done, err := move(item); done || err != nil {
			return saw(err, "%s of an item that was asked for anew says %v", name, done)
		}
		if err := w.do(func(tx resources.Tx) { tx.Undue(item) }); err != nil {
			return err
		}
		if err := w.lists("a/0"); err != nil {
			return fmt.Errorf("after %s: %w", name, err)
		}
	}
	// Being asked for anew ends the waiting and the count.
	item, err := w.first()
	if err != nil {
		return err
	}
	if _, err := w.Queue.Postpone(w.ctx, l, item, w.Now().Add(time.Hour)); err != nil {
		return err
	}
	if err := w.dueIn(map[string]time.Duration{"a": 0}); err != nil {
		return err
	}
	return w.lists("a/0")
}

func queuePark(w *world) error {
	if err := w.dueIn(map[string]time.Duration{"a": -2 * time.Second, "b": -time.Second}); err != nil {
		return err
	}
	l, err := w.leased("w1", time.Hour)
	if err != nil {
		return err
	}
	for _, want := range []string{"a", "b"} {
		item, err := w.first()
		if err != nil {
			return err
		}
		item.Tries = 7
		if done, err := w.Queue.Park(w.ctx, l, item, "fault of "+want, w.Now()); !done || err != nil {
			return saw(err, "Park of %s says %v", want, done)
		}
		w.Advance(time.Second)
	}
	parked, err := w.Queue.Parked(w.ctx, w.org, 10)
	if err != nil || len(parked) != 2 || parked[0].Item != "a" || parked[1].Item != "b" || parked[0].Cause != "fault of a" || parked[0].Tries != 8 ||
		parked[0].Since.UnixMilli() != w.Now().Add(-2*time.Second).UnixMilli() {
		return saw(err, "parked are %+v", parked)
	}
	if one, err := w.Queue.Parked(w.ctx, w.org, 1); len(one) != 1 || err != nil {
		return saw(err, "with limit 1 parked are %+v", one)
	}
	for _, want := range []bool{true, false} {
		if there, err := w.Queue.Unpark(w.ctx, w.org, "a", w.Now()); there != want || err != nil {
			return saw(err, "Unpark says %v, want %v", there, want)
		}
	}
	if err := w.lists("a/0"); err != nil {
		return err
	}
	// A parked item that is asked for anew is both until it is done.
	if err := w.dueIn(map[string]time.Duration{"b": time.Second}); err != nil {
		return err
	}
	w.Advance(2 * time.Second)
	if err := w.lists("a/0 b/0!"); err != nil {
		return err
	}
	items, _, err := w.Queue.Due(w.ctx, w.org, w.Now(), 2)
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Undue(items[1]) }); err != nil {
		return err
	}
	if parked, err := w.Queue.Parked(w.ctx, w.org, 10); len(parked) != 0 || err != nil {
		return saw(err, "what was done is still parked: %+v", parked)
	}
	return nil
}

func eraseQueue(w *world) error {
	if err := w.dueIn(map[string]time.Duration{"a": 0, "b": 0, "c": 0}); err != nil {
		return err
	}
	l, err := w.leased("w1", time.Hour)
	if err != nil {
		return err
	}
	items, _, err := w.Queue.Due(w.ctx, w.org, w.Now(), 3)
	if err != nil {
		return err
	}
	if _, err := w.Queue.Park(w.ctx, l, items[0], "fault", w.Now()); err != nil {
		return err
	}
	if _, err := w.Queue.Postpone(w.ctx, l, items[1], w.Now()); err != nil {
		return err
	}
	if _, err := w.eraseOut(); err != nil {
		return err
	}
	parked, err := w.Queue.Parked(w.ctx, w.org, 10)
	if err != nil || len(parked) > 0 {
		return saw(err, "Erase left parked items: %+v", parked)
	}
	return w.lists("")
}

// queueLeaseRace: of many workers exactly one gets a lease.
func queueLeaseRace(w *world) error {
	const workers = 20
	var mu sync.Mutex
	var got []string
	var faults []error
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			l, ok, err := w.Queue.Lease(w.ctx, w.org, fmt.Sprint("w", i), time.Minute)
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, err)
			if ok {
				got = append(got, l.Token)
			}
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil || len(got) != 1 {
		return saw(err, "%d of %d workers got the lease", len(slices.Compact(got)), workers)
	}
	return nil
}
