package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

func markChecks() []StoreCheck {
	return []StoreCheck{
		{"marked-membership-waits", "Tx.Mark, Tx.Within", inWorld(markWaits)},
		{"mark-ends", "Tx.Unmark, Tx.Within", inWorld(markEnds)},
		{"mark-goes-with-the-group", "Tx.Mark", inWorld(markGoes)},
		{"mark-of-nonsense", "Tx.Mark", inWorld(markOfNonsense)},
	}
}

// marked is a group with users whose membership is being changed, and the name
// of that change.
func (w *world) marked(n int) (g thing, users []thing, change string, err error) {
	if g, users, err = w.team(n); err != nil {
		return g, users, "", err
	}
	if change, err = w.newID(resources.KindSetting); err != nil {
		return g, users, "", err
	}
	err = w.do(func(tx resources.Tx) {
		tx.Mark(g.rec.ID, change)
		tx.Link(g.rec.ID, users[0].rec.ID)
	})
	return g, users, change, err
}

// stopped reports whether a commit waits: it is given up after a moment.
func (w *world) stopped(fn func(tx resources.Tx)) error {
	const moment = 30 * time.Millisecond
	half, stop := context.WithTimeout(context.WithoutCancel(w.ctx), moment/2)
	defer stop()
	ctx, cancel := context.WithTimeout(w.ctx, moment)
	defer cancel()
	c, err := w.Store.Update(ctx, w.org, func(_ context.Context, tx resources.Tx) error {
		fn(tx)
		return nil
	})
	// It may end in the middle of a look, which then says so in words of its own, or
	// see that there is no time for another one.
	early := half.Err() == nil && !errors.Is(err, context.DeadlineExceeded)
	if err == nil || c.Changed || early {
		return saw(err, "a commit that should wait: %+v", c)
	}
	return nil
}

func markWaits(w *world) error {
	g, users, change, err := w.marked(3)
	if err != nil {
		return err
	}
	other, err := w.newID(resources.KindSetting)
	if err != nil {
		return err
	}
	id := g.rec.ID
	for what, fn := range map[string]func(resources.Tx){
		"a link":            func(tx resources.Tx) { tx.Link(id, users[1].rec.ID) },
		"an unlink":         func(tx resources.Tx) { tx.Unlink(id, users[0].rec.ID) },
		"another change":    func(tx resources.Tx) { tx.Mark(id, other) },
		"waiting, no links": func(tx resources.Tx) { tx.Within(id, "") },
	} {
		if err := w.stopped(fn); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	err = w.do(func(tx resources.Tx) {
		tx.Within(id, other)
		tx.Link(id, users[1].rec.ID)
	})
	if !errors.Is(err, resources.ErrFenced) {
		return saw(err, "a piece of a change that has not the mark")
	}
	err = w.do(func(tx resources.Tx) {
		tx.Within(id, change)
		tx.Link(id, users[2].rec.ID)
	})
	if err != nil {
		return fmt.Errorf("a piece of the change itself: %w", err)
	}
	if err := w.do(func(tx resources.Tx) { tx.Mark(id, change) }); err != nil {
		return fmt.Errorf("the same mark again: %w", err)
	}
	// Who goes leaves at once.
	err = w.do(func(tx resources.Tx) {
		tx.Within(id, resources.AnyChange)
		tx.Unlink(id, users[0].rec.ID)
	})
	if err != nil {
		return fmt.Errorf("a commit that minds no mark: %w", err)
	}
	if err := w.do(func(tx resources.Tx) { tx.Unmark(id, change) }); err != nil {
		return err
	}
	return w.linked(g, users, []bool{false, false, true})
}

func markEnds(w *world) error {
	g, users, change, err := w.marked(3)
	if err != nil {
		return err
	}
	id := g.rec.ID
	if err := w.do(func(tx resources.Tx) { tx.Unmark(id, users[0].rec.ID[:19]+change[19:]) }); err != nil {
		return fmt.Errorf("the end of another change: %w", err)
	}
	waits := make(chan error, 1)
	go func() { waits <- w.do(func(tx resources.Tx) { tx.Link(id, users[1].rec.ID) }) }()
	err = w.do(func(tx resources.Tx) {
		tx.Link(id, users[2].rec.ID)
		tx.Within(id, change)
	})
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Unmark(id, change) }); err != nil {
		return err
	}
	if err := <-waits; err != nil {
		return fmt.Errorf("who has waited for the end: %w", err)
	}
	if err := w.do(func(tx resources.Tx) { tx.Within(id, "") }); err != nil {
		return fmt.Errorf("waiting for nothing: %w", err)
	}
	err = w.do(func(tx resources.Tx) {
		tx.Within(id, change)
		tx.Unlink(id, users[2].rec.ID)
	})
	if !errors.Is(err, resources.ErrFenced) {
		return saw(err, "a piece of a change that has ended")
	}
	return w.linked(g, users, []bool{true, true, true})
}

func markGoes(w *world) error {
	g, users, change, err := w.marked(1)
	if err != nil {
		return err
	}
	err = w.do(func(tx resources.Tx) {
		if rec, _ := tx.Read(resources.KindGroup, g.rec.ID); rec != nil {
			tx.Delete(rec, g.entries)
		}
	})
	if err != nil {
		return fmt.Errorf("the deletion of a group that is being changed: %w", err)
	}
	_, err = refused(w.do(func(tx resources.Tx) {
		tx.Within(g.rec.ID, change)
		tx.Unlink(g.rec.ID, users[0].rec.ID)
	}), resources.RefusedMissing)
	return err
}

func markOfNonsense(w *world) error {
	g, users, change, err := w.marked(1)
	if err != nil {
		return err
	}
	for _, fn := range []func(resources.Tx){
		func(tx resources.Tx) { tx.Mark(users[0].rec.ID, change) },
		func(tx resources.Tx) { tx.Mark(g.rec.ID, users[0].rec.ID) },
		func(tx resources.Tx) { tx.Mark(g.rec.ID, resources.AnyChange) },
		func(tx resources.Tx) { tx.Unmark(g.rec.ID, "") },
	} {
		err := w.do(fn)
		if err == nil || errors.Is(err, resources.ErrUnavailable) {
			return saw(err, "a mark that makes no sense")
		}
	}
	return w.do(func(tx resources.Tx) { tx.Unmark(g.rec.ID, change) })
}
