package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/usher-scim/usher/resources"
)

func eventChecks() []StoreCheck {
	return []StoreCheck{
		{"events-read-back", "Store.Events", inWorld(eventsReadBack)},
		{"events-in-commit-order", "Store.Events, Commit.LSN, redis §8 G1 G2", inWorld(eventsInOrder)},
		{"events-after-nonsense", "Store.Events", inWorld(eventsNonsense)},
		{"events-back", "Store.EventsBack", inWorld(eventsBack)},
	}
}

func eventsReadBack(w *world) error {
	want := []resources.Event{
		{Type: "user.created", Kind: resources.KindUser, ID: "u1", Version: 1, Actor: "t", Request: "r", Changed: []string{"userName", "emails"}},
		{Type: "user.deleted", Kind: resources.KindUser, ID: "u1", Names: []string{"ada \u2603 \"quoted\""}},
		{Type: "group.updated", Kind: resources.KindGroup, ID: "g1", Added: []string{"u1"}, Removed: []string{"u2"}},
	}
	c, err := w.update(func(tx resources.Tx) error {
		for _, e := range want {
			tx.Event(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var got []resources.StoredEvent
	for after := ""; ; {
		part, err := w.Store.Events(w.ctx, w.org, after, 1)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			break
		}
		got, after = append(got, part...), part[0].LSN
	}
	if len(got) != len(want) || got[len(got)-1].LSN != c.LSN {
		return fmt.Errorf("%d events, the last %v; want %d, the last with the commit's number %s", len(got), got, len(want), c.LSN)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i].Event, want[i]) {
			return fmt.Errorf("event %d is %+v, want %+v", i, got[i].Event, want[i])
		}
	}
	return nil
}

// eventsInOrder lets many commit at once: every commit is in the stream
// exactly once, and one record's versions are in order.
func eventsInOrder(w *world) error {
	users, err := w.users("e", 1)
	if err != nil {
		return err
	}
	const workers = 16
	lsn := make([]string, workers)
	errs := together(workers, func(i int) error {
		c, err := w.update(func(tx resources.Tx) error {
			rec, err := tx.Read(resources.KindUser, users[0].rec.ID)
			if err != nil {
				return err
			}
			after := *rec
			after.Version++
			tx.Put(rec, &after, nil, nil)
			tx.Event(resources.Event{Type: "user.updated", ID: rec.ID, Version: after.Version, Actor: fmt.Sprint(i)})
			return nil
		})
		lsn[i] = c.LSN
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 100)
	if err != nil {
		return err
	}
	if len(events) != workers {
		return fmt.Errorf("%d commits left %d events", workers, len(events))
	}
	for i, e := range events {
		var worker int
		if _, err := fmt.Sscan(e.Actor, &worker); err != nil {
			return err
		}
		if e.Version != uint64(i+2) {
			return fmt.Errorf("event %d is of version %d: not in commit order", i, e.Version)
		}
		if lsn[worker] != e.LSN {
			return fmt.Errorf("the commit of worker %d has the number %s, its event %s", worker, lsn[worker], e.LSN)
		}
	}
	return nil
}

func eventsNonsense(w *world) error {
	for _, after := range []string{"x", "-", "1", "1-x", "+", "$", "(1-0"} {
		if _, err := w.Store.Events(w.ctx, w.org, after, 1); !resources.HasCode(err, resources.CodeInvalidValue) {
			return saw(err, "after %q: want the error invalid_value", after)
		}
		if _, err := w.Store.EventsBack(w.ctx, w.org, after, 1); !resources.HasCode(err, resources.CodeInvalidValue) {
			return saw(err, "before %q: want the error invalid_value", after)
		}
	}
	return nil
}

// eventsBack walks the stream backwards in pieces: it is the same stream.
func eventsBack(w *world) error {
	for i := range 10 {
		if err := w.do(func(tx resources.Tx) {
			tx.Event(resources.Event{Type: "x", Version: uint64(2 * i)})
			tx.Event(resources.Event{Type: "x", Version: uint64(2*i + 1)})
		}); err != nil {
			return err
		}
	}
	want, err := w.Store.Events(w.ctx, w.org, "", 100)
	if err != nil || len(want) != 20 {
		return saw(err, "%d events, want 20", len(want))
	}
	for _, piece := range []int{1, 3, 20, 100} {
		var got []resources.StoredEvent
		for before := ""; ; {
			part, err := w.Store.EventsBack(w.ctx, w.org, before, piece)
			if err != nil || len(part) > piece {
				return saw(err, "a piece of %d has %d events", piece, len(part))
			}
			if len(part) == 0 {
				break
			}
			got, before = append(got, part...), part[len(part)-1].LSN
		}
		slices.Reverse(got)
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("in pieces of %d the stream is read back as %v, forwards as %v", piece, got, want)
		}
	}
	if got, err := w.Store.EventsBack(w.ctx, w.org, "", 0); len(got) > 0 || err != nil {
		return saw(err, "no events were asked for: %v", got)
	}
	return nil
}
