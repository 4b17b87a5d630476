package resources

import (
	"context"
	"errors"
	"fmt"
)

// WorkOn does one due item under a lease and takes it off the list in the commit
// of the work. It does a bounded piece; what is left stays due. ErrFenced when
// the lease is lost.
func (d *Directory) WorkOn(ctx context.Context, l Lease, item DueItem) error {
	err := d.workOn(ctx, l, item)
	if err == nil && item.Parked {
		return d.closeParked(ctx, l.Org, item.Item)
	}
	return err
}

func (d *Directory) workOn(ctx context.Context, l Lease, item DueItem) error {
	kind, id := "", ""
	if item.Item != "" {
		kind, id = item.Item[:1], item.Item[1:]
	}
	switch kind {
	case "u":
		_, err := d.settleUser(ctx, l, id, &item, settleOptions{})
		if HasCode(err, CodeNotFound) { // no id of a user: nothing will ever be there
			return d.drop(ctx, l, item)
		}
		return err
	case "s":
		if err := d.seatWaiting(ctx, l, item, id); err != nil {
			return err
		}
		return d.noteWaiting(ctx, l, id)
	case "j":
		return d.workJob(ctx, l, item)
	case "p":
		return d.workPlan(ctx, l, item)
	case "h":
		return d.sweepAlert(ctx, l, item, id)
	case "w":
		return d.wakeLine(ctx, l, item)
	case "l":
		return d.workLocation(ctx, l, item, id)
	case "c":
		return d.workChange(ctx, l, item, id)
	case "d":
		return d.workDomain(ctx, l, item)
	case "a":
		return d.workDecided(ctx, l, item, id)
	case "m":
		return d.workMail(ctx, l, item, id)
	case "r":
		return d.workReminder(ctx, l, item, id)
	case "e":
		return d.workAddress(ctx, l, item, id)
	case "g":
		return d.workDigest(ctx, l, item)
	}
	return fmt.Errorf("the due item %q is of no kind that is known", item.Item)
}

// drop takes an item off the list that has nothing to do.
func (d *Directory) drop(ctx context.Context, l Lease, item DueItem) error {
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		return nil
	})
	return err
}

// seatsAtOnce is how many of a line are settled in one piece of work.
const seatsAtOnce = 50

// seatWaiting hands free seats of a product to those who wait longest, until
// one of them finds none (BR-164).
func (d *Directory) seatWaiting(ctx context.Context, l Lease, item DueItem, sku string) error {
	list, err := d.store.Waiting(ctx, l.Org, lineOf(sku), seatsAtOnce)
	if err != nil {
		return fmt.Errorf("read who waits for %s: %w", sku, err)
	}
	for _, w := range list {
		waits, err := d.nextInLine(ctx, l, w.Holder, sku)
		if err != nil {
			return err
		}
		if waits { // nobody behind can have a seat either
			return d.drop(ctx, l, item)
		}
	}
	if len(list) < seatsAtOnce {
		return d.drop(ctx, l, item)
	}
	return nil // more wait: the item stays due
}

// nextInLine settles one who waits and reports whether that is still so. Who
// does not know of waiting, is gone, or cannot be settled leaves the line, so
// that nobody behind waits for that.
func (d *Directory) nextInLine(ctx context.Context, l Lease, user, sku string) (bool, error) {
	waited, waits := false, false
	r := revision{again: true, lease: &l}
	r.saw = func(before, after *Standing, _ bool) {
		was, is := before.Licence(sku), after.Licence(sku)
		waited, waits = was != nil && was.waits(), is != nil && is.waits()
	}
	_, _, err := d.revise(ctx, l.worker(), user, r)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrFenced) || ctx.Err() != nil {
		return false, fmt.Errorf("settle %s: %w", user, err)
	}
	if err == nil && (waited || waits) {
		return waits, nil
	}
	fault := err
	_, err = d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		if fault == nil { // the user may have begun to wait since
			rec, err := tx.Read(KindUser, user)
			if err != nil {
				return err
			}
			if rec != nil {
				s := StandingOf(rec)
				if a := s.Licence(sku); a != nil && a.waits() {
					return nil
				}
			}
		}
		tx.Quit(lineOf(sku), user)
		if fault != nil { // looked at by itself, until somebody sees why
			tx.Due(ItemOfUser(user), d.now())
		}
		return nil
	})
	return false, err
}
