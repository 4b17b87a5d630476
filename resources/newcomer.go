package resources

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// newcomer decides which id a new resource gets, over all runs of the closure
// that creates it.
type newcomer struct {
	kind   Kind
	caller Caller
	runs   int
}

// id gives the id for this run: a fresh one, or the one the caller asks for.
// Of that one, from the second run on, it is looked whether it exists already:
// then there is nothing to create, and that record is given instead.
func (n *newcomer) id(d *Directory, tx Tx, now time.Time) (id string, there *Record, err error) {
	if n.caller.NewID == "" {
		id, err = d.newID(n.kind, now)
		return id, nil, err
	}
	if k, ok := KindOf(n.caller.NewID); !ok || k != n.kind {
		return "", nil, fmt.Errorf("id %q is not one for a %s", n.caller.NewID, n.kind)
	}
	n.runs++
	if n.runs > 1 {
		there, err = tx.Read(n.kind, n.caller.NewID)
	}
	return n.caller.NewID, there, err
}

// at is when the new resource is created: the time inside the id that the
// caller asks for, because ranges of times of creation are ranges of ids.
func (n *newcomer) at(now time.Time) time.Time {
	if t, ok := timeOf(n.caller.NewID); ok {
		return t
	}
	return now
}

// repeated gives the resource that a commit was refused for, when that is the
// one the caller wanted to create: it was created before.
func (n *newcomer) repeated(ctx context.Context, d *Directory, err error) (*Record, error) {
	var r *Refusal
	if n.caller.NewID == "" || !errors.As(err, &r) || r.Holder != n.caller.NewID {
		return nil, nil
	}
	rec, err := d.store.Get(ctx, n.caller.Org, n.kind, n.caller.NewID)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", n.kind, err)
	}
	return rec, nil
}
