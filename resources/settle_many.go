package resources

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// How many users one step of a job settles, and how many of them at once: the
// store answers many commits faster side by side than one after the other.
const (
	settlePiece = 500
	settleWidth = 32
)

// settleMany reads users and settles them, see settleAll.
func (d *Directory) settleMany(ctx context.Context, l Lease, j *Job, ids []string, opt settleOptions) error {
	recs, err := d.store.Many(ctx, l.Org, ids)
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	return d.settleAll(ctx, l, j, ids, recs, opt, nil)
}

// settleAll settles users side by side, as their records were read (nil: there was
// none), which saves every one a trip, and counts them in the job's progress.
// What is refused for one user becomes an error of the job; any other error ends
// the step. seen, when not nil, hears of every outcome, one at a time.
func (d *Directory) settleAll(ctx context.Context, l Lease, j *Job, ids []string, recs []*Record, opt settleOptions, seen func(id string, o outcome)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(settleWidth, len(ids)) {
		workers.Go(func() {
			for i := range next {
				id, opt := ids[i], opt
				opt.Read = recs[i]
				o, err := d.settleUser(ctx, l, id, nil, opt)
				mu.Lock()
				if err = j.settled(id, err); err != nil {
					stop(err)
				} else if seen != nil {
					seen(id, o)
				}
				mu.Unlock()
			}
		})
	}
	for i := range ids {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// settled counts a user; an error that is not of the domain is given back.
func (j *Job) settled(id string, err error) error {
	refusal, ok := errors.AsType[*Error](err)
	switch {
	case ok:
		j.fail(id, refusal.Code, refusal.Detail)
	case err != nil:
		return fmt.Errorf("settle user %s: %w", id, err)
	}
	j.Done++
	return nil
}
