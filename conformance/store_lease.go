package conformance

import (
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

func queueLease(w *world) error {
	first, err := w.leased("w1", time.Minute)
	if err != nil {
		return err
	}
	if len(first.Token) != 25 || first.Org != w.org || first.Worker != "w1" {
		return saw(nil, "the lease is %+v; 25 characters of token, organization and worker are wanted", first)
	}
	if _, ok, err := w.Queue.Lease(w.ctx, w.org, "w2", time.Minute); ok || err != nil {
		return saw(err, "a second worker gets the lease: %v", ok)
	}
	w.Advance(50 * time.Second)
	longer, err := w.leased("w1", time.Minute)
	if err != nil || longer.Token != first.Token {
		return saw(err, "prolonging gives the token %q instead of %q", longer.Token, first.Token)
	}
	w.Advance(50 * time.Second)
	if _, ok, err := w.Queue.Lease(w.ctx, w.org, "w2", time.Minute); ok || err != nil {
		return saw(err, "a second worker gets a lease that was prolonged: %v", ok)
	}
	w.Advance(10 * time.Second)
	second, err := w.leased("w2", time.Minute)
	if err != nil || second.Token <= first.Token {
		return saw(err, "taking over gives the token %q, which must be greater than %q", second.Token, first.Token)
	}
	if err := w.Queue.Unlease(w.ctx, first); err != nil {
		return err
	}
	if _, ok, err := w.Queue.Lease(w.ctx, w.org, "w1", time.Minute); ok || err != nil {
		return saw(err, "giving back a lost lease freed the other one's: %v", ok)
	}
	if err := w.Queue.Unlease(w.ctx, second); err != nil {
		return err
	}
	third, err := w.leased("w2", time.Minute)
	if err != nil || third.Token <= second.Token {
		return saw(err, "a lease after giving one back has the token %q, which must be greater than %q", third.Token, second.Token)
	}
	return nil
}

// queueFence: a worker that slept over its lease can change nothing any more.
func queueFence(w *world) error {
	if err := w.dueIn(map[string]time.Duration{"a": 0}); err != nil {
		return err
	}
	item, err := w.first()
	if err != nil {
		return err
	}
	old, err := w.leased("w1", time.Minute)
	if err != nil {
		return err
	}
	done := func(l resources.Lease) error {
		return w.do(func(tx resources.Tx) {
			tx.Fence(l)
			tx.Event(resources.Event{Type: "did"})
			tx.Undue(item)
		})
	}
	w.Advance(2 * time.Minute)
	newer, err := w.leased("w2", time.Minute)
	if err != nil {
		return err
	}
	_, postponed := w.Queue.Postpone(w.ctx, old, item, w.Now().Add(time.Hour))
	_, parked := w.Queue.Park(w.ctx, old, item, "fault", w.Now())
	for name, err := range map[string]error{"commit": done(old), "Postpone": postponed, "Park": parked} {
		if !errors.Is(err, resources.ErrFenced) {
			return saw(err, "%s under a lost lease is not refused by ErrFenced", name)
		}
	}
	if err := w.lists("a/0"); err != nil {
		return err
	}
	if err := w.Queue.Unlease(w.ctx, newer); err != nil {
		return err
	}
	if err := done(newer); !errors.Is(err, resources.ErrFenced) {
		return saw(err, "a commit under a lease that was given back is not refused by ErrFenced")
	}
	last, err := w.leased("w2", time.Minute)
	if err != nil {
		return err
	}
	if err := done(last); err != nil {
		return fmt.Errorf("a commit under the newest lease: %w", err)
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 10)
	if err != nil || len(events) != 1 {
		return saw(err, "the work was done %d times", len(events))
	}
	return w.lists("")
}

// queueSkew: a lease of a worker whose clock runs far ahead keeps others off for
// a while at most.
func queueSkew(w *world) error {
	w.Advance(24 * time.Hour)
	if _, err := w.leased("ahead", time.Minute); err != nil {
		return err
	}
	w.Advance(-24 * time.Hour)
	if _, err := w.leased("right", time.Minute); err != nil {
		return err
	}
	w.Advance(-2 * time.Minute)
	if _, ok, err := w.Queue.Lease(w.ctx, w.org, "behind", time.Minute); ok || err != nil {
		return saw(err, "a worker whose clock is two minutes late takes a lease that holds: %v", ok)
	}
	w.Advance(2 * time.Minute)
	return nil
}

// hear takes all bells, those taken before too, and gives them back.
func (w *world) hear() error {
	for {
		bells, err := w.Queue.Bells(w.ctx, 0, 100)
		if err != nil || len(bells) == 0 {
			return err
		}
		if err := w.Queue.Heard(w.ctx, bells...); err != nil {
			return err
		}
	}
}

func queueBells(w *world) error {
	if err := w.hear(); err != nil {
		return err
	}
	for range 5 {
		if err := w.Queue.Ring(w.ctx, w.org, w.org); err != nil {
			return err
		}
	}
	bells, err := w.Queue.Bells(w.ctx, time.Hour, 10)
	if err != nil || len(bells) != 1 || bells[0].Org != w.org {
		return saw(err, "after ten rings of one organization the bells are %+v, want one", bells)
	}
	if more, err := w.Queue.Bells(w.ctx, time.Hour, 10); len(more) != 0 || err != nil {
		return saw(err, "a bell that somebody took is given to another: %+v", more)
	}
	if err := w.Queue.Ring(w.ctx, w.org); err != nil {
		return err
	}
	again, err := w.Queue.Bells(w.ctx, time.Hour, 10)
	if err != nil || len(again) != 1 || again[0].ID == bells[0].ID {
		return saw(err, "a ring after the bell was taken gives %+v", again)
	}
	if err := w.Queue.Heard(w.ctx, bells[0], again[0]); err != nil {
		return err
	}
	if left, err := w.Queue.Bells(w.ctx, 0, 10); len(left) != 0 || err != nil {
		return saw(err, "bells that were given back come again: %+v", left)
	}
	return nil
}

// queueTakeover: bells of a worker that died come again, before new ones.
func queueTakeover(w *world) error {
	if err := w.hear(); err != nil {
		return err
	}
	if err := w.Queue.Ring(w.ctx, w.org); err != nil {
		return err
	}
	taken, err := w.Queue.Bells(w.ctx, time.Hour, 10)
	if err != nil || len(taken) != 1 {
		return saw(err, "the bells are %+v", taken)
	}
	other := w.Org()
	if err := w.Queue.Ring(w.ctx, other); err != nil {
		return err
	}
	first, err := w.Queue.Bells(w.ctx, 0, 1)
	if err != nil || len(first) != 1 || first[0] != taken[0] {
		return saw(err, "the first bell is %+v, want the one that was not given back, %+v", first, taken[0])
	}
	both, err := w.Queue.Bells(w.ctx, 0, 10)
	if err != nil || len(both) != 2 || both[1].Org != other {
		return saw(err, "the bells are %+v, want the old and the new one", both)
	}
	return w.Queue.Heard(w.ctx, both...)
}
