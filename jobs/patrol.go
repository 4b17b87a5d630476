package jobs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	patrolPause = 2 * time.Second  // between two rounds
	patrolShare = 20               // a round takes at most so small a part of the time
	orgsFresh   = 30 * time.Second // how long the list of organizations is used
	patrolPage  = 500
)

// patrol looks through all organizations from time to time for what is due and
// whose bell was lost, or whose time has come, and rings. What becomes due before
// the next round it keeps in mind.
type patrol struct {
	*loop
	wake chan struct{} // holds one when a nearer time is kept in mind

	mu    sync.Mutex
	round time.Time // when the next one begins
	hints map[resources.OrgID]time.Time

	orgs   []resources.OrgID
	listed time.Time
}

// run goes its rounds until ctx ends.
func (p *patrol) run(ctx context.Context) {
	p.plan(p.dice.between(0, patrolPause)) // nodes that start together part here
	failures := 0
	for p.sleep(ctx) {
		now := p.Now()
		rings, full := p.due(now)
		if full {
			began := p.Now()
			found, err := p.look(ctx, now)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				failures++
				p.Log.WarnContext(ctx, "looking through organizations failed, will be repeated", "err", err, "failures", failures)
			default:
				failures = 0
			}
			rings = append(rings, found...)
			pause := max(patrolPause, patrolShare*p.Now().Sub(began))
			if failures > 0 {
				pause = min(patrolPause<<min(failures, 8), longestPause)
			}
			p.plan(p.dice.between(pause/2, 3*pause/2))
		}
		if err := p.Queue.Ring(ctx, rings...); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "workers not called, the next round does it", "err", err, "organizations", len(rings))
		}
	}
}

// plan sets the beginning of the next round.
func (p *patrol) plan(pause time.Duration) {
	p.mu.Lock()
	p.round = p.Now().Add(pause)
	p.mu.Unlock()
}

// hint says when something is due (zero: never). Times that a later round sees
// before they come need not be kept.
func (p *patrol) hint(org resources.OrgID, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.IsZero() || at.After(p.round) && at.After(p.Now().Add(2*patrolPause)) {
		return
	}
	if had, ok := p.hints[org]; ok && !at.Before(had) {
		return
	}
	if p.hints == nil {
		p.hints = map[resources.OrgID]time.Time{}
	}
	p.hints[org] = at
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// sleep waits for the next round or the first thing kept in mind; false at the
// end.
func (p *patrol) sleep(ctx context.Context) bool {
	for {
		p.mu.Lock()
		at := p.round
		for _, hint := range p.hints {
			if hint.Before(at) {
				at = hint
			}
		}
		p.mu.Unlock()
		pause := at.Sub(p.Now())
		if pause <= 0 {
			return ctx.Err() == nil
		}
		// Rounded up: a clock that is read in coarse steps must have arrived.
		timer := time.NewTimer(min(pause+time.Millisecond, 2*patrolPause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// due takes out what was kept in mind for this time, and tells whether it is
// time for a round.
func (p *patrol) due(now time.Time) (orgs []resources.OrgID, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for org, at := range p.hints {
		if !at.After(now) {
			orgs = append(orgs, org)
			delete(p.hints, org)
		}
	}
	return orgs, !p.round.After(now)
}

// look finds the organizations that have something due.
func (p *patrol) look(ctx context.Context, now time.Time) (due []resources.OrgID, err error) {
	if age := now.Sub(p.listed); p.listed.IsZero() || age < 0 || age >= orgsFresh {
		if p.orgs, err = p.Orgs(ctx); err != nil {
			return nil, err
		}
		p.listed = now
	}
	for page := range slices.Chunk(p.orgs, patrolPage) {
		next, err := p.Queue.Next(ctx, page)
		if err != nil {
			return due, err
		}
		for i, at := range next {
			if !at.IsZero() && !at.After(now) {
				due = append(due, page[i])
			} else {
				p.hint(page[i], at)
			}
		}
	}
	return due, nil
}
