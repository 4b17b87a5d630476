package conformance

import (
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

func expireChecks() []StoreCheck {
	return []StoreCheck{
		{"sweep-takes-the-places-of-settings", "Tx.Expire, Store.Sweep", inWorld(sweepPlaces)},
		{"sweep-leaves-what-has-more-time", "Tx.Expire, Store.Sweep", inWorld(sweepMoreTime)},
		{"sweep-gives-way", "Tx.Expire, Store.Sweep", inWorld(sweepGivesWay)},
		{"expire-needs-the-setting", "Tx.Expire", inWorld(expireAlone)},
		{"holder-of-a-claim", "Store.Holder", inWorld(claimHolder)},
	}
}

// note is a setting with a unique key and the attribute x.
func (w *world) note(key string) (thing, error) {
	return w.made(resources.KindSetting, `{}`, fmt.Sprintf(`{"noun":"note","key":%q,"attrs":["x"]}`, key))
}

// until stores a setting that ends at a time from now.
func (w *world) until(x thing, before *resources.Record, d time.Duration, claims ...resources.Claim) error {
	return w.do(func(tx resources.Tx) {
		var had []resources.Entry
		if before != nil {
			had = x.entries
		}
		tx.Expire(resources.KindSetting, x.rec.ID, w.Now().Add(d)) // before its Put, which is as good
		tx.Put(before, x.rec, had, x.entries)
		for _, c := range claims {
			tx.Claim(c, x.rec.ID)
		}
	})
}

// found counts the settings with an attribute.
func (w *world) found(attr string) (int, error) {
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{
		Kind: resources.KindSetting, Limit: 10, Where: &resources.Cond{Op: resources.CondIs, Index: resources.SettingAttr, Value: "note\x1f" + attr},
	})
	return page.Total, err
}

// sweepPlaces: what a setting was found by goes with it, so that its key is free
// and nothing finds it; its claims are given back. What has time left stays.
func sweepPlaces(w *world) error {
	early, err1 := w.note("early")
	late, err2 := w.note("late")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	claim := resources.Claim{Kind: resources.ClaimSubject, Key: "sweep-" + string(w.org)}
	if err := errors.Join(w.until(early, nil, time.Minute, claim), w.until(late, nil, time.Hour)); err != nil {
		return err
	}
	w.Advance(2 * time.Minute)
	placed := func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		entries, _, none := resources.Placement(r)
		return entries, []resources.HeldClaim{{Claim: claim, Holder: r.ID}}, none
	}
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, placed); n != 1 || err != nil {
		return saw(err, "Sweep cleans %d; want one", n)
	}
	if got, err := w.get(early); got != nil || err != nil {
		return saw(err, "what expired is still there: %v", got)
	}
	if got, err := w.get(late); got == nil || err != nil {
		return saw(err, "what has time left is gone")
	}
	if n, err := w.found("x"); n != 1 || err != nil {
		return saw(err, "%d settings are found by the attribute; want one", n)
	}
	if id, err := w.Store.Named(w.ctx, w.org, resources.SettingKey, "note\x1fearly"); id != "" || err != nil {
		return saw(err, "the key of what expired is held by %q", id)
	}
	if holder, _, err := w.Store.Holder(w.ctx, claim); holder != "" || err != nil {
		return saw(err, "the claim of what expired is held by %q", holder)
	}
	again, err := w.note("early")
	if err != nil {
		return err
	}
	if err := w.until(again, nil, time.Minute, claim); err != nil {
		return fmt.Errorf("the key and the claim cannot be taken again: %w", err)
	}
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, placed); n != 0 || err != nil {
		return saw(err, "Sweep cleans %d more; want none", n)
	}
	return nil
}

// sweepMoreTime: who gives a setting more time keeps it; deleted ones leave nothing
// to sweep.
func sweepMoreTime(w *world) error {
	x, err1 := w.note("k")
	gone, err2 := w.note("gone")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := errors.Join(w.until(x, nil, time.Minute), w.until(gone, nil, time.Minute)); err != nil {
		return err
	}
	stored, err := w.mustGet(x)
	if err != nil {
		return err
	}
	other, err := w.mustGet(gone)
	if err != nil {
		return err
	}
	next := *stored
	next.Version++
	if err := w.until(thing{&next, x.entries}, stored, time.Hour); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Delete(other, gone.entries) }); err != nil {
		return err
	}
	w.Advance(2 * time.Minute)
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); n != 0 || err != nil {
		return saw(err, "Sweep cleans %d; want none", n)
	}
	if n, err := w.found("x"); n != 1 || err != nil {
		return saw(err, "%d settings are found by the attribute; want one", n)
	}
	return nil
}

// sweepGivesWay: a setting that gets more time while Sweep is at it stays.
func sweepGivesWay(w *world) error {
	x, err := w.note("k")
	if err != nil {
		return err
	}
	if err := w.until(x, nil, time.Minute); err != nil {
		return err
	}
	w.Advance(2 * time.Minute)
	var late error
	asked := 0
	placed := func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		if asked++; asked == 1 {
			next := *r
			next.Version++
			late = w.until(thing{&next, x.entries}, r, time.Hour)
		}
		return resources.Placement(r)
	}
	n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, placed)
	if err := errors.Join(err, late); err != nil || n != 0 || asked != 1 {
		return saw(err, "Sweep cleans %d and asks %d times; want none and once", n, asked)
	}
	if n, err := w.found("x"); n != 1 || err != nil {
		return saw(err, "%d settings are found by the attribute; want one", n)
	}
	return nil
}

// expireAlone: a setting is given a time only with a Put of it.
func expireAlone(w *world) error {
	x, err := w.note("k")
	if err != nil {
		return err
	}
	if err := w.create(x); err != nil {
		return err
	}
	err = w.do(func(tx resources.Tx) { tx.Expire(resources.KindSetting, x.rec.ID, w.Now()) })
	if err == nil || errors.Is(err, resources.ErrUnavailable) {
		return fmt.Errorf("a setting expires that is not put: %w", errors.Join(err, errors.New("accepted or retried")))
	}
	return nil
}

// claimHolder: everybody can ask who has a claim and where, as long as somebody
// has it.
func claimHolder(w *world) error {
	c := resources.Claim{Kind: resources.ClaimSubject, Key: "holder {of} " + string(w.org)}
	holds := func(want string) error {
		holder, org, err := w.Store.Holder(w.ctx, c)
		if err != nil || holder != want || (org != w.org) != (want == "") {
			return saw(err, "the holder is %q of %q; want %q", holder, org, want)
		}
		return nil
	}
	if err := holds(""); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Claim(c, "someone") }); err != nil {
		return err
	}
	if err := holds("someone"); err != nil {
		return err
	}
	for _, other := range []resources.Claim{{Kind: resources.ClaimEmail, Key: c.Key}, {Kind: c.Kind, Key: c.Key + "x"}} {
		if holder, _, err := w.Store.Holder(w.ctx, other); holder != "" || err != nil {
			return saw(err, "a claim of another kind or key is held by %q", holder)
		}
	}
	if err := w.do(func(tx resources.Tx) { tx.Release(c, "another") }); err != nil {
		return err
	}
	if err := holds("someone"); err != nil {
		return fmt.Errorf("after a release by who has it not: %w", err)
	}
	if err := w.do(func(tx resources.Tx) { tx.Release(c, "someone") }); err != nil {
		return err
	}
	return holds("")
}
