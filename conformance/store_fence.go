package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
)

func fenceChecks() []StoreCheck {
	return []StoreCheck{
		{"fence-refuses-old-leases", "Tx.Fence", inWorld(fence)},
		{"fence-race", "Tx.Fence", inWorld(fenceRace)},
		{"disband-makes-members-due", "Tx.Disband, Store.Sweep", inWorld(disband)},
		{"seen-runs-again-on-change", "Tx.Seen", inWorld(seenChanged)},
	}
}

// fence: a worker that was paused while another took over cannot write.
func fence(w *world) error {
	u, err := w.user("worked")
	if err != nil {
		return err
	}
	old, ok, err := w.Queue.Lease(w.ctx, w.org, "old", time.Minute)
	if err != nil || !ok {
		return saw(err, "no lease")
	}
	write := func(l resources.Lease, item string) (runs int, err error) {
		_, err = w.update(func(tx resources.Tx) error {
			runs++
			tx.Fence(l)
			tx.Due(item, w.Now())
			return nil
		})
		return runs, err
	}
	if _, err := write(old, "1"); err != nil {
		return fmt.Errorf("under its lease: %w", err)
	}
	w.Advance(time.Minute + time.Second)
	if _, err := write(old, "2"); err != nil {
		return fmt.Errorf("under a lease that ended and was not taken over: %w", err)
	}
	lease, ok, err := w.Queue.Lease(w.ctx, w.org, "new", time.Minute)
	if err != nil || !ok || lease.Token <= old.Token {
		return saw(err, "taken over: %v, token %q after %q", ok, lease.Token, old.Token)
	}
	runs, err := write(old, "never")
	if !errors.Is(err, resources.ErrFenced) || runs != 1 {
		return saw(err, "under a lease that was taken over, after %d runs", runs)
	}
	// A closure that reads, changes and links is stopped as well, before anything
	// else that could be said about it.
	err = w.do(func(tx resources.Tx) {
		tx.Fence(old)
		tx.Put(nil, u.rec, nil, u.entries)
		tx.Take(seats(0), "x")
		tx.Seen(resources.KindUser, u.rec.ID, u.rec)
	})
	if !errors.Is(err, resources.ErrFenced) {
		return saw(err, "want ErrFenced")
	}
	if rec, err := w.get(u); rec != nil || err != nil {
		return saw(err, "a fenced commit left %v", rec)
	}
	if _, err := write(lease, "3"); err != nil {
		return fmt.Errorf("under the new lease: %w", err)
	}
	if err := w.Queue.Unlease(w.ctx, lease); err != nil {
		return err
	}
	if _, err := write(lease, "given back"); !errors.Is(err, resources.ErrFenced) {
		return saw(err, "under a lease that was given back: want ErrFenced")
	}
	return w.dueNow("1", "2", "3")
}

// fenceRace: workers take leases that end at once and write as long as they
// can. In the stream, which is in the order of commits, no token comes after a
// greater one.
func fenceRace(w *world) error {
	const workers, rounds = 8, 40
	var written atomic.Int32
	errs := together(workers, func(i int) error {
		for range rounds {
			w.Advance(2 * time.Second)
			l, ok, err := w.Queue.Lease(w.ctx, w.org, fmt.Sprint(i), time.Second)
			if err != nil {
				return err
			}
			for ok {
				err := w.do(func(tx resources.Tx) { tx.Fence(l); tx.Event(resources.Event{Type: "worked", ID: l.Token}) })
				if errors.Is(err, resources.ErrFenced) {
					break
				}
				if err != nil {
					return err
				}
				if written.Add(1); written.Load()%3 == 0 {
					break
				}
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	last := ""
	for after := ""; ; {
		events, err := w.Store.Events(w.ctx, w.org, after, 500)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.ID < last {
				return fmt.Errorf("a write under the lease %s comes after one under %s", e.ID, last)
			}
			last, after = e.ID, e.LSN
		}
		if len(events) == 0 {
			return nil
		}
	}
}

// disband: who was in a deleted group becomes due as Sweep clears it, users
// only, and only if it was asked for.
func disband(w *world) error {
	g, users, err := w.withMembers(30)
	if err != nil {
		return err
	}
	nested, err := w.group("nested")
	if err != nil {
		return err
	}
	quiet, err := w.group("quiet")
	if err != nil {
		return err
	}
	if err := w.create(nested, quiet); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) {
		tx.Link(g.rec.ID, nested.rec.ID)
		tx.Link(quiet.rec.ID, idsOf(users)...)
	}); err != nil {
		return err
	}
	remove := func(x thing, also func(resources.Tx)) error {
		_, err := w.update(func(tx resources.Tx) error {
			rec, err := tx.Read(x.rec.Kind, x.rec.ID)
			also(tx)
			tx.Delete(rec, x.entries)
			return err
		})
		return err
	}
	sweep := func() error {
		for {
			if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 7, resources.Placement); n == 0 || err != nil {
				return err
			}
		}
	}
	if err := errors.Join(remove(quiet, func(resources.Tx) {}), sweep(), w.dueNow()); err != nil {
		return fmt.Errorf("a group that was not disbanded: %w", err)
	}
	if err := errors.Join(remove(g, func(tx resources.Tx) { tx.Disband(g.rec.ID) }), w.dueNow(), sweep()); err != nil {
		return err
	}
	items, _, err := w.dueItems()
	if err != nil {
		return err
	}
	var got []string
	for _, x := range items {
		got = append(got, strings.TrimPrefix(x.Item, "u"))
	}
	return sameIDs(sorted(got), sorted(idsOf(users)))
}

// seenChanged: a unit that relies on something remembered runs again when that
// has changed, has come into being, or is gone.
func seenChanged(w *world) error {
	users, err := w.users("seen", 1)
	if err != nil {
		return err
	}
	absent, err := w.user("absent")
	if err != nil {
		return err
	}
	first, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	rely := func(x thing, remembered *resources.Record) (runs int, err error) {
		_, err = w.update(func(tx resources.Tx) error {
			if runs++; runs > 1 {
				if remembered, err = w.get(x); err != nil {
					return err
				}
			}
			tx.Seen(resources.KindUser, x.rec.ID, remembered)
			tx.Event(resources.Event{Type: "relied"})
			return nil
		})
		return runs, err
	}
	check := func(what string, x thing, remembered *resources.Record, want int) error {
		if runs, err := rely(x, remembered); runs != want || err != nil {
			return saw(err, "%s: %d runs, want %d", what, runs, want)
		}
		return nil
	}
	if err := errors.Join(check("unchanged", users[0], first, 1), check("absent", absent, nil, 1)); err != nil {
		return err
	}
	changed, err := w.rewrite(users[0], "seen-again")
	if err != nil {
		return err
	}
	if err := w.create(absent); err != nil {
		return err
	}
	if err := errors.Join(check("changed", users[0], first, 2), check("come into being", absent, nil, 2)); err != nil {
		return err
	}
	rec, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Delete(rec, changed.entries) }); err != nil {
		return err
	}
	if err := check("gone", users[0], rec, 2); err != nil {
		return err
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 100)
	if err != nil || len(events) != 5 {
		return saw(err, "five units left %d events", len(events))
	}
	return nil
}
