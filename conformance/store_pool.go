package conformance

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/usher-scim/usher/resources"
)

func poolChecks() []StoreCheck {
	return []StoreCheck{
		{"pool-bound", "Tx.Take, security V3", inWorld(poolBound)},
		{"pool-race", "Tx.Take, security V3", inWorld(poolRace)},
		{"pool-full-guard", "Tx.Wait", inWorld(poolFull)},
		{"pool-swap-in-one-commit", "Tx.Give, Tx.Take", inWorld(poolSwap)},
	}
}

func (w *world) take(holder string, limit int) error {
	return w.do(func(tx resources.Tx) { tx.Take(resources.Pool{Name: "seats", Limit: limit}, holder) })
}

func poolBound(w *world) error {
	for i, holder := range []string{"a", "b", "a"} {
		if err := w.take(holder, 2); err != nil {
			return fmt.Errorf("take %d: %w", i, err)
		}
	}
	r, err := refused(w.take("c", 2), resources.RefusedFull)
	if err != nil {
		return err
	}
	if r.Pool != "seats" {
		return fmt.Errorf("the refusal names the pool %q", r.Pool)
	}
	if err := w.do(func(tx resources.Tx) { tx.Give("seats", "a") }); err != nil {
		return err
	}
	if err := w.take("c", 2); err != nil {
		return fmt.Errorf("take a seat that was given back: %w", err)
	}
	_, err = refused(w.take("a", 2), resources.RefusedFull)
	return err
}

func poolRace(w *world) error {
	const racers, limit, rounds = 64, 5, 3
	var inside, most atomic.Int32
	errs := together(racers, func(i int) error {
		holder := fmt.Sprintf("h%d", i)
		for range rounds {
			err := w.take(holder, limit)
			if err != nil {
				if _, err := refused(err, resources.RefusedFull); err != nil {
					return err
				}
				continue
			}
			n := inside.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			inside.Add(-1)
			if err := w.do(func(tx resources.Tx) { tx.Give("seats", holder) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if most.Load() > limit {
		return fmt.Errorf("%d holders at once in a pool of %d", most.Load(), limit)
	}
	var won atomic.Int32
	errs = together(racers, func(i int) error {
		if err := w.take(fmt.Sprintf("k%d", i), limit); err == nil {
			won.Add(1)
		}
		return nil
	})
	if won.Load() != limit {
		return fmt.Errorf("%d of %d racers got one of %d places, %w", won.Load(), racers, limit, errors.Join(errs...))
	}
	return nil
}

func poolFull(w *world) error {
	full := func(limit int) error {
		return w.do(func(tx resources.Tx) {
			tx.Wait("line", "nobody", 0, resources.Pool{Name: "seats", Limit: limit, Line: "line"})
			tx.Event(resources.Event{Type: "waiting"})
		})
	}
	if _, err := refused(full(1), resources.RefusedNotFull); err != nil {
		return err
	}
	if err := w.take("a", 1); err != nil {
		return err
	}
	if err := full(1); err != nil {
		return fmt.Errorf("the guard on a full pool: %w", err)
	}
	_, err := refused(full(2), resources.RefusedNotFull)
	return err
}

func poolSwap(w *world) error {
	if err := w.take("a", 1); err != nil {
		return err
	}
	swap := func(from, to string) error {
		return w.do(func(tx resources.Tx) {
			tx.Give("seats", from)
			tx.Take(resources.Pool{Name: "seats", Limit: 1}, to)
		})
	}
	if err := swap("a", "b"); err != nil {
		return fmt.Errorf("hand a seat over: %w", err)
	}
	_, err := refused(swap("a", "c"), resources.RefusedFull) // a holds nothing
	return err
}

func claimChecks() []StoreCheck {
	return []StoreCheck{
		{"claim-across-organizations", "Tx.Claim, BR-001", inWorld(claimAcross)},
		{"claim-race", "Tx.Claim, security V4", inWorld(claimRace)},
		{"claim-handed-over", "Tx.Claim, Tx.Release", inWorld(claimHandedOver)},
	}
}

func claimAcross(w *world) error {
	c := resources.Claim{Kind: resources.ClaimEmail, Key: "ada+" + string(w.org) + "@example.com"}
	other := newWorld(w.ctx, w.StoreEnv)
	claim := func(w *world, holder string) error {
		return w.do(func(tx resources.Tx) { tx.Claim(c, holder) })
	}
	if err := claim(w, "ada"); err != nil {
		return err
	}
	if err := claim(w, "ada"); err != nil {
		return fmt.Errorf("claim one's own: %w", err)
	}
	for _, x := range []struct {
		w      *world
		holder string
	}{{w, "eve"}, {other, "ada"}} {
		r, err := refused(claim(x.w, x.holder), resources.RefusedClaim)
		if err != nil {
			return err
		}
		if r.Claim != c || r.Holder != "ada" || r.HolderOrg != w.org {
			return fmt.Errorf("the refusal is %+v", *r)
		}
	}
	release := func(w *world, holder string) error {
		return w.do(func(tx resources.Tx) { tx.Release(c, holder) })
	}
	if err := errors.Join(release(other, "ada"), release(w, "eve")); err != nil {
		return fmt.Errorf("release of what others hold: %w", err)
	}
	if _, err := refused(claim(other, "bob"), resources.RefusedClaim); err != nil {
		return fmt.Errorf("after a release by a stranger: %w", err)
	}
	if err := release(w, "ada"); err != nil {
		return err
	}
	if err := claim(other, "bob"); err != nil {
		return fmt.Errorf("claim what was released: %w", err)
	}
	return nil
}

func claimRace(w *world) error {
	c := resources.Claim{Kind: resources.ClaimEmail, Key: "race+" + string(w.org) + "@example.com"}
	var won atomic.Int32
	errs := together(32, func(i int) error {
		in := w
		if i%2 == 1 {
			in = newWorld(w.ctx, w.StoreEnv)
		}
		err := in.do(func(tx resources.Tx) { tx.Claim(c, fmt.Sprintf("h%d", i)) })
		if err == nil {
			won.Add(1)
			return nil
		}
		_, err = refused(err, resources.RefusedClaim)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if won.Load() != 1 {
		return fmt.Errorf("%d of 32 won the claim", won.Load())
	}
	return nil
}

func claimHandedOver(w *world) error {
	c := resources.Claim{Kind: resources.ClaimEmail, Key: "hand+" + string(w.org) + "@example.com"}
	if err := w.do(func(tx resources.Tx) { tx.Claim(c, "old") }); err != nil {
		return err
	}
	err := w.do(func(tx resources.Tx) {
		tx.Release(c, "old")
		tx.Claim(c, "new")
	})
	if err != nil {
		return fmt.Errorf("hand a claim over in one commit: %w", err)
	}
	r, err := refused(w.do(func(tx resources.Tx) { tx.Claim(c, "old") }), resources.RefusedClaim)
	if err == nil && r.Holder != "new" {
		err = fmt.Errorf("the holder is %q, want new", r.Holder)
	}
	return err
}
