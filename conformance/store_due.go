package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
)

func dueChecks() []StoreCheck {
	return []StoreCheck{
		{"due-at-the-earlier-time", "Tx.Due, Queue.Due", inWorld(dueEarlier)},
		{"due-asked-anew-stays", "Tx.Undue", inWorld(dueAnew)},
		{"due-again-later", "Tx.Undue, Tx.Due", inWorld(dueLater)},
		{"due-forgets-failures", "Tx.Undue", inWorld(dueForgets)},
		{"due-race-loses-nothing", "Tx.Undue", inWorld(dueRace)},
		{"due-with-links", "Tx.Due", inWorld(dueLinks)},
		{"due-nonsense", "Tx.Due, Tx.Disband, Tx.Fence", inWorld(dueNonsense)},
	}
}

// dueItems reads what is due by the clock's time, and when the next is.
func (w *world) dueItems() ([]resources.DueItem, time.Time, error) {
	return w.Queue.Due(w.ctx, w.org, w.Now(), 1000)
}

// dueNow compares the items that are due now.
func (w *world) dueNow(want ...string) error {
	items, _, err := w.dueItems()
	var got []string
	for _, x := range items {
		got = append(got, x.Item)
	}
	if err != nil || len(got) != len(want) || (len(want) > 0 && !reflect.DeepEqual(got, want)) {
		return saw(err, "due are %q, want %q", got, want)
	}
	return nil
}

func (w *world) makeDue(item string, t time.Time) error {
	return w.do(func(tx resources.Tx) { tx.Due(item, t) })
}

func dueEarlier(w *world) error {
	now := w.Now()
	c, err := w.update(func(tx resources.Tx) error { tx.Due("p", now.Add(time.Hour)); return nil })
	if err != nil || !c.Changed {
		return saw(err, "a unit with nothing but Due: %+v", c)
	}
	if err := w.dueNow(); err != nil {
		return err
	}
	err = errors.Join(
		w.makeDue("p", now.Add(2*time.Hour)), // later than it is: stays
		w.makeDue("zero", time.Time{}),
		w.makeDue("never", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)),
		w.do(func(tx resources.Tx) { tx.Due("twice", now.Add(time.Minute)); tx.Due("twice", now.Add(-time.Minute)) }),
	)
	if err == nil {
		err = w.dueNow("zero", "twice")
	}
	if err != nil {
		return err
	}
	if _, next, err := w.dueItems(); err != nil || now.Add(time.Hour).Sub(next) > time.Millisecond || next.After(now.Add(time.Hour)) {
		return saw(err, "the next is due at %s, want %s", next, now.Add(time.Hour))
	}
	if err := errors.Join(w.makeDue("p", now), w.dueNow("zero", "twice", "p")); err != nil {
		return fmt.Errorf("asked for earlier: %w", err)
	}
	w.Advance(48 * time.Hour)
	return w.dueNow("zero", "twice", "p")
}

// dueAnew: an item that was read and then asked for again survives its Undue,
// at whatever time it was asked for.
func dueAnew(w *world) error {
	for what, again := range map[string]time.Duration{"same": 0, "earlier": -time.Hour, "later": time.Hour} {
		if err := w.makeDue("s1", w.Now()); err != nil {
			return err
		}
		read, _, err := w.dueItems()
		if err != nil || len(read) != 1 {
			return saw(err, "%s: due are %v", what, read)
		}
		if err := w.makeDue("s1", w.Now().Add(again)); err != nil {
			return err
		}
		if err := w.do(func(tx resources.Tx) { tx.Undue(read[0]) }); err != nil {
			return err
		}
		anew, _, err := w.dueItems()
		if err != nil || len(anew) != 1 || anew[0].At == read[0].At {
			return saw(err, "%s: asked for anew, then taken off as it was read: %v, read %v", what, anew, read)
		}
		if err := w.do(func(tx resources.Tx) { tx.Undue(anew[0]) }); err != nil {
			return err
		}
		if err := w.dueNow(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func dueLater(w *world) error {
	if err := w.makeDue("p", w.Now()); err != nil {
		return err
	}
	read, _, err := w.dueItems()
	if err != nil || len(read) != 1 {
		return saw(err, "due are %v", read)
	}
	at := w.Now().Add(time.Hour)
	err = w.do(func(tx resources.Tx) { tx.Due("p", at); tx.Undue(read[0]) })
	if err == nil {
		err = w.dueNow()
	}
	if err != nil {
		return err
	}
	if _, next, err := w.dueItems(); err != nil || !next.Equal(at) {
		return saw(err, "done and asked for again at %s: it is due at %s", at, next)
	}
	return nil
}

// dueForgets: an item that was done is not parked any more, and its tries are
// not those of the next one of the name.
func dueForgets(w *world) error {
	lease, ok, err := w.Queue.Lease(w.ctx, w.org, "a", time.Minute)
	if err != nil || !ok {
		return saw(err, "no lease")
	}
	if err := w.makeDue("j1", w.Now()); err != nil {
		return err
	}
	read, _, err := w.dueItems()
	if err != nil || len(read) != 1 {
		return saw(err, "due are %v", read)
	}
	if done, err := w.Queue.Park(w.ctx, lease, read[0], "broken", w.Now()); err != nil || !done {
		return saw(err, "parked: %v", done)
	}
	if err := errors.Join(w.makeDue("j1", w.Now()), w.makeDue("j1", w.Now())); err != nil {
		return err
	}
	if read, _, err = w.dueItems(); err != nil || len(read) != 1 {
		return saw(err, "due are %v", read)
	}
	if err := w.do(func(tx resources.Tx) { tx.Fence(lease); tx.Undue(read[0]) }); err != nil {
		return err
	}
	if parked, err := w.Queue.Parked(w.ctx, w.org, 10); err != nil || len(parked) > 0 {
		return saw(err, "parked are %v", parked)
	}
	return w.dueNow()
}

// dueRace: many ask, each for an event that it appends, and a worker notes how
// many events it has seen as it takes the item off. If any asking were lost, the
// list would be empty before the last event was seen.
func dueRace(w *world) error {
	const askers, rounds = 8, 125
	var ended atomic.Int32
	seen := 0
	work := func() (bool, error) {
		read, _, err := w.dueItems()
		if err != nil || len(read) == 0 {
			return false, err
		}
		events, err := w.Store.EventsBack(w.ctx, w.org, "", askers*rounds)
		if err != nil {
			return false, err
		}
		seen = len(events)
		return true, w.do(func(tx resources.Tx) { tx.Undue(read[0]) })
	}
	errs := together(askers+1, func(i int) error {
		if i < askers {
			defer ended.Add(1)
			for range rounds {
				if err := w.do(func(tx resources.Tx) { tx.Event(resources.Event{Type: "x"}); tx.Due("u1", w.Now()) }); err != nil {
					return err
				}
			}
			return nil
		}
		for ended.Load() < askers {
			if _, err := work(); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = work(); err != nil {
			return err
		}
	}
	if seen != askers*rounds {
		return fmt.Errorf("%d of %d askings were seen to", seen, askers*rounds)
	}
	return nil
}

// dueLinks: a commit of links makes something due when one of them changes.
func dueLinks(w *world) error {
	g, users, err := w.team(2)
	if err != nil {
		return err
	}
	link := func() error {
		_, err := w.update(func(tx resources.Tx) error {
			tx.Link(g.rec.ID, idsOf(users)...)
			tx.Event(resources.Event{Type: "group.updated"})
			tx.Due("u1", w.Now())
			return nil
		})
		return err
	}
	if err := errors.Join(link(), w.dueNow("u1")); err != nil {
		return err
	}
	read, _, err := w.dueItems()
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, users[0].rec.ID); tx.Undue(read[0]) }); err != nil {
		return err
	}
	if err := errors.Join(w.dueNow(), link(), w.dueNow()); err != nil {
		return fmt.Errorf("linked again: %w", err)
	}
	return nil
}

func dueNonsense(w *world) error {
	users, err := w.users("n", 1)
	if err != nil {
		return err
	}
	g, _, err := w.team(0)
	if err != nil {
		return err
	}
	for what, fn := range map[string]func(resources.Tx){
		"no item":           func(tx resources.Tx) { tx.Due("", w.Now()) },
		"a long item":       func(tx resources.Tx) { tx.Due(strings.Repeat("x", 100), w.Now()) },
		"no item taken off": func(tx resources.Tx) { tx.Undue(resources.DueItem{}) },
		"more than one commit can contain": func(tx resources.Tx) {
			for i := range 1001 {
				tx.Due(fmt.Sprint("u", i), w.Now())
			}
		},
		"a group that stays":          func(tx resources.Tx) { tx.Disband(g.rec.ID); tx.Due("p", w.Now()) },
		"a user disbanded":            func(tx resources.Tx) { tx.Disband(users[0].rec.ID); tx.Delete(users[0].rec, nil) },
		"a lease of another":          func(tx resources.Tx) { tx.Fence(resources.Lease{Org: "other", Token: strings.Repeat("x", 25)}) },
		"a lease without a token":     func(tx resources.Tx) { tx.Fence(resources.Lease{Org: w.org}) },
		"a record of another kind":    func(tx resources.Tx) { tx.Seen(resources.KindGroup, users[0].rec.ID, nil) },
		"a record under another's id": func(tx resources.Tx) { tx.Seen(resources.KindGroup, g.rec.ID, users[0].rec) },
	} {
		if err := w.do(fn); err == nil || errors.Is(err, resources.ErrUnavailable) || errors.Is(err, resources.ErrFenced) {
			return saw(err, "%s: want an error of the caller", what)
		}
	}
	return w.dueNow()
}
