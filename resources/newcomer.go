package resources

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// create stores a new resource under a fresh id, or under the one the caller
// asks for (Caller.NewID). build makes the record, checks what only its id and
// time decide, and asks for what else the commit does; it may run several
// times. Should the caller's id be there already, that record is the result and
// nothing is written. A refused commit comes back as it is.
func (d *Directory) create(ctx context.Context, c Caller, kind Kind, build func(tx Tx, id string, now int64) (*Record, error)) (*Record, error) {
	if k, ok := KindOf(c.NewID); c.NewID != "" && (!ok || k != kind) {
		return nil, fmt.Errorf("id %q is not one for a %s", c.NewID, kind)
	}
	var rec *Record
	runs := 0
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) (err error) {
		runs++
		if c.NewID != "" && runs > 1 { // something stood against the first run: perhaps the resource itself
			if rec, err = tx.Read(kind, c.NewID); rec != nil || err != nil {
				return err
			}
		}
		id, at, err := d.idFor(c, kind)
		if err != nil {
			return err
		}
		if rec, err = build(tx, id, at.UnixMilli()); err != nil {
			return err
		}
		return checkSize(nil, rec)
	})
	if r, ok := errors.AsType[*Refusal](err); ok && c.NewID != "" && r.Holder == c.NewID {
		// It was created before: what it needs is held by itself.
		if rec, err = d.store.Get(ctx, c.Org, kind, c.NewID); err == nil && rec == nil {
			err = fmt.Errorf("%s %s vanished while it was created again: %w", kind, c.NewID, ErrUnavailable)
		}
	}
	return rec, err
}

// idFor gives a new resource its id and its time of creation. With the id that
// a caller asks for it is the time inside, because ranges of times of creation
// are ranges of ids.
func (d *Directory) idFor(c Caller, kind Kind) (string, time.Time, error) {
	if at, ok := timeOf(c.NewID); ok {
		return c.NewID, at, nil
	}
	at := d.now()
	id, err := d.newID(kind, at)
	return id, at, err
}
