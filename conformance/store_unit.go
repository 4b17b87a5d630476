package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/resources"
)

func unitChecks() []StoreCheck {
	return []StoreCheck{
		{"closure-error-writes-nothing", "Store.Update", inWorld(closureError)},
		{"empty-unit", "Store.Update, Commit", inWorld(emptyUnit)},
		{"closure-runs-again-on-change", "Store.Update, Tx.Read", inWorld(runsAgain)},
		{"absence-is-noted-too", "Tx.Read", inWorld(absenceNoted)},
		{"change-goes-before-refusal", "Store.Update", inWorld(changeBeforeRefusal)},
		{"stamp-tells-aba", "Record.Stamp", inWorld(stampABA)},
		{"id-in-use-runs-again", "Tx.Put", inWorld(idInUse)},
		{"counter-under-race", "Store.Update", inWorld(counterRace)},
		{"gives-up-as-unavailable", "Store.Update, ErrUnavailable", inWorld(givesUp)},
		{"cancelled-context", "Store", inWorld(cancelled)},
		{"all-or-nothing", "Store.Update, security V2", inWorld(allOrNothing)},
		{"nonsense-is-an-error", "Tx", inWorld(nonsense)},
	}
}

func closureError(w *world) error {
	u, err := w.user("never")
	if err != nil {
		return err
	}
	mine := errors.New("mine")
	_, err = w.update(func(tx resources.Tx) error { tx.Put(nil, u.rec, nil, u.entries); return mine })
	if !errors.Is(err, mine) {
		return saw(err, "want the error of the closure")
	}
	if got, err := w.get(u); got != nil || err != nil {
		return saw(err, "a failed closure left %v", got)
	}
	return nil
}

func emptyUnit(w *world) error {
	c, err := w.update(func(resources.Tx) error { return nil })
	if err != nil || c.Changed || c.LSN != "" {
		return saw(err, "a unit that asks for nothing: %+v", c)
	}
	return nil
}

// runsAgain changes a record between a closure's read and its commit.
func runsAgain(w *world) error {
	users, err := w.users("r", 1)
	if err != nil {
		return err
	}
	u, runs := users[0], 0
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		before, err := tx.Read(resources.KindUser, u.rec.ID)
		if err != nil {
			return err
		}
		if runs == 1 {
			if _, err := w.rewrite(u, "meanwhile"); err != nil {
				return err
			}
		}
		after := *before
		after.Version++
		after.Display = before.Display + "+mine"
		tx.Put(before, &after, nil, nil)
		return nil
	})
	if err != nil {
		return err
	}
	got, err := w.mustGet(u)
	if err != nil {
		return err
	}
	if runs != 2 || got.Display != "meanwhile+mine" || got.Version != 3 {
		return fmt.Errorf("%d runs gave %q version %d, want 2, meanwhile+mine, 3", runs, got.Display, got.Version)
	}
	return nil
}

func absenceNoted(w *world) error {
	u, err := w.user("ghost")
	if err != nil {
		return err
	}
	var saw []bool
	_, err = w.update(func(tx resources.Tx) error {
		rec, err := tx.Read(resources.KindUser, u.rec.ID)
		if err != nil {
			return err
		}
		saw = append(saw, rec != nil)
		if len(saw) == 1 {
			if err := w.create(u); err != nil {
				return err
			}
		}
		tx.Event(resources.Event{Type: "seen", ID: u.rec.ID})
		return nil
	})
	if err != nil {
		return err
	}
	if len(saw) != 2 || saw[0] || !saw[1] {
		return fmt.Errorf("the closure saw %v, want absent and then present", saw)
	}
	return nil
}

// changeBeforeRefusal: a commit that would be refused on what it no longer
// sees must run again and not be refused.
func changeBeforeRefusal(w *world) error {
	users, err := w.users("c", 2)
	if err != nil {
		return err
	}
	mine, runs := users[0], 0
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		rec, err := tx.Read(resources.KindUser, mine.rec.ID)
		if err != nil {
			return err
		}
		if runs > 1 {
			return nil
		}
		if _, err := w.rewrite(mine, "moved"); err != nil {
			return err
		}
		after := *rec
		after.Version++
		has := append([]resources.Entry{{Index: resources.UserName, Value: "c1"}}, mine.entries[2:]...)
		tx.Put(rec, &after, mine.entries, has)
		return nil
	})
	if err != nil || runs != 2 {
		return fmt.Errorf("after %d runs: %w; want 2 runs and no refusal", runs, errors.Join(err, errors.New("a taken name was judged on a stale read")))
	}
	return nil
}

// stampABA deletes a record and creates it again under the same id and
// version while a closure holds the old one.
func stampABA(w *world) error {
	users, err := w.users("aba", 1)
	if err != nil {
		return err
	}
	u, runs := users[0], 0
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		rec, err := tx.Read(resources.KindUser, u.rec.ID)
		if err != nil {
			return err
		}
		if runs == 1 {
			if err := w.do(func(tx resources.Tx) { tx.Delete(rec, u.entries) }); err != nil {
				return err
			}
			if err := w.create(u); err != nil {
				return err
			}
		}
		after := *rec
		after.Version++
		tx.Put(rec, &after, u.entries, u.entries)
		return nil
	})
	if err == nil && runs != 2 {
		err = fmt.Errorf("%d runs: the commit took a new record of version 1 for the old one", runs)
	}
	return err
}

func idInUse(w *world) error {
	users, err := w.users("taken", 1)
	if err != nil {
		return err
	}
	runs := 0
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		u, err := w.user("fresh")
		if err != nil {
			return err
		}
		if runs == 1 {
			u.rec.ID = users[0].rec.ID
			u.entries[0].Value = u.rec.ID
		}
		tx.Put(nil, u.rec, nil, u.entries)
		return nil
	})
	if err != nil || runs != 2 {
		return fmt.Errorf("%d runs, %w; want 2 and no error", runs, errors.Join(err, errors.New("an id in use was not noticed")))
	}
	got, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	return same(got, users[0].rec)
}

func counterRace(w *world) error {
	users, err := w.users("counter", 1)
	if err != nil {
		return err
	}
	const workers, each = 8, 5
	errs := together(workers, func(int) error {
		for range each {
			_, err := w.update(func(tx resources.Tx) error {
				rec, err := tx.Read(resources.KindUser, users[0].rec.ID)
				if err != nil {
					return err
				}
				after := *rec
				after.Version++
				after.Standing = append([]byte("x"), rec.Standing...)
				tx.Put(rec, &after, nil, nil)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	got, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	if string(got.Standing) != strings.Repeat("x", workers*each) || got.Version != workers*each+1 {
		return fmt.Errorf("%d increments gave %d, version %d", workers*each, len(got.Standing), got.Version)
	}
	return nil
}

func givesUp(w *world) error {
	users, err := w.users("busy", 1)
	if err != nil {
		return err
	}
	u, runs := users[0], 0
	_, err = w.update(func(tx resources.Tx) error {
		if runs++; runs > 1000 {
			return errors.New("the closure ran more than 1000 times")
		}
		if _, err := tx.Read(resources.KindUser, u.rec.ID); err != nil {
			return err
		}
		if u, err = w.rewrite(u, fmt.Sprintf("busy%d", runs)); err != nil {
			return err
		}
		tx.Event(resources.Event{Type: "never"})
		return nil
	})
	if !errors.Is(err, resources.ErrUnavailable) {
		return saw(err, "after %d runs: want ErrUnavailable", runs)
	}
	return nil
}

func cancelled(w *world) error {
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	_, err := w.Store.Get(ctx, w.org, resources.KindUser, "00000000000000000000")
	if !errors.Is(err, context.Canceled) {
		return saw(err, "Get: want context.Canceled")
	}
	_, err = w.Store.Update(ctx, w.org, func(_ context.Context, tx resources.Tx) error {
		tx.Event(resources.Event{Type: "x"})
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		return saw(err, "Update: want context.Canceled")
	}
	return nil
}

// allOrNothing asks for much and for one thing that cannot be.
func allOrNothing(w *world) error {
	users, err := w.users("holder", 1)
	if err != nil {
		return err
	}
	u, err := w.user("new")
	if err != nil {
		return err
	}
	g, err := w.group("new")
	if err != nil {
		return err
	}
	claim := resources.Claim{Kind: resources.ClaimEmail, Key: "nothing-" + string(w.org) + "@example.com"}
	err = w.do(func(tx resources.Tx) {
		tx.Put(nil, u.rec, nil, u.entries)
		tx.Put(nil, g.rec, nil, g.entries)
		tx.Link(g.rec.ID, u.rec.ID)
		tx.Claim(claim, u.rec.ID)
		tx.Take(resources.Pool{Name: "pool", Limit: 0}, users[0].rec.ID) // full
		tx.Event(resources.Event{Type: "never"})
	})
	if _, err := refused(err, resources.RefusedFull); err != nil {
		return err
	}
	for _, x := range []thing{u, g} {
		if got, err := w.get(x); got != nil || err != nil {
			return saw(err, "a refused commit left the %s", x.rec.Kind)
		}
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 10)
	if err != nil || len(events) != 0 {
		return saw(err, "a refused commit left %d events", len(events))
	}
	if err := w.do(func(tx resources.Tx) { tx.Claim(claim, users[0].rec.ID) }); err != nil {
		return fmt.Errorf("a refused commit left a claim: %w", err)
	}
	return nil
}

func nonsense(w *world) error {
	u, err := w.user("x")
	if err != nil {
		return err
	}
	long := *u.rec
	long.Display = strings.Repeat("x", 1000)
	other := *u.rec
	other.Kind = resources.KindGroup
	for name, fn := range map[string]func(resources.Tx){
		"put nothing":         func(tx resources.Tx) { tx.Put(nil, nil, nil, nil) },
		"put a bad id":        func(tx resources.Tx) { tx.Put(nil, &resources.Record{ID: "x"}, nil, nil) },
		"put the wrong kind":  func(tx resources.Tx) { tx.Put(nil, &other, nil, nil) },
		"put a long display":  func(tx resources.Tx) { tx.Put(nil, &long, nil, nil) },
		"delete nothing":      func(tx resources.Tx) { tx.Delete(nil, nil) },
		"claim nothing":       func(tx resources.Tx) { tx.Claim(resources.Claim{Kind: resources.ClaimEmail}, u.rec.ID) },
		"claim for a bad one": func(tx resources.Tx) { tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: "a@b.c"}, "a|b") },
		"a pool of braces":    func(tx resources.Tx) { tx.Take(resources.Pool{Name: "{x}", Limit: 1}, u.rec.ID) },
		"expire a user":       func(tx resources.Tx) { tx.Expire(resources.KindUser, u.rec.ID, w.Now()) },
	} {
		if err := w.do(fn); err == nil || errors.Is(err, resources.ErrUnavailable) {
			return fmt.Errorf("%s: %w; want an error that nobody repeats", name, errors.Join(err, errors.New("accepted or retried")))
		}
	}
	return nil
}
