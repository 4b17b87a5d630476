package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/usher-scim/usher/resources"
)

// errStopped cuts acts that did not end in time when the runner ends.
var errStopped = errors.New("the runner ends")

// loop is one life of a runner. It takes bells and starts a turn for each
// organization, at most as many at once as acts, each in a goroutine of its own.
type loop struct {
	Runner
	worker string // its name, another one in each life
	dice   *dice
	life   context.Context // its end stops turns from taking items on
	acts   context.Context // of acts, outlives life
	slots  chan struct{}   // one for each act under way; those who wait are served in order
	patrol *patrol

	// Only the goroutine of run looks at these.
	turns    map[resources.OrgID]*turn
	failures int
	rest     time.Duration

	ended chan *turn
}

// run takes bells and starts turns until ctx ends.
func (l *loop) run(ctx context.Context) {
	pause := quickPoll
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		look := timer.C
		if len(l.turns) >= l.Workers {
			look = nil // somebody else may take them
		}
		select {
		case <-ctx.Done():
			return
		case t := <-l.ended:
			l.over(ctx, t)
			pause = quickPoll
			if l.rest > 0 {
				pause = l.rest
			}
			timer.Reset(pause)
		case <-look:
			n := l.listen(ctx)
			switch {
			case l.rest > 0:
				pause = l.rest
			case n > 0:
				pause = quickPoll
			default:
				pause = min(2*pause, slowPoll)
			}
			timer.Reset(pause)
		}
	}
}

// listen takes bells, starts turns and returns how many bells it took.
func (l *loop) listen(ctx context.Context) int {
	bells, err := l.Queue.Bells(ctx, l.Lease, l.Workers-len(l.turns))
	if err != nil {
		l.failed(ctx, err)
		return 0
	}
	if len(bells) == 0 {
		l.well(ctx)
	}
	for _, b := range bells {
		if t := l.turns[b.Org]; t != nil {
			t.late = append(t.late, b)
			continue
		}
		t := newTurn(l, b)
		l.turns[b.Org] = t
		go func() { //nolint:contextcheck // acts outlive the context that ends the loop
			t.err = t.run()
			l.ended <- t
		}()
	}
	return len(bells)
}

// over notes the end of a turn. Bells that came while it went on may be of what
// it did not see any more: they are rung again, behind those of others.
func (l *loop) over(ctx context.Context, t *turn) {
	delete(l.turns, t.org)
	err := t.err
	if len(t.late) > 0 && ctx.Err() == nil {
		if err = errors.Join(err, l.Queue.Ring(ctx, t.org)); err == nil {
			err = l.Queue.Heard(ctx, t.late...)
		}
	}
	switch {
	case ctx.Err() != nil: // the end is no failure
	case err != nil:
		l.failed(ctx, err)
	default:
		l.well(ctx)
	}
}

// failed makes the loop rest.
func (l *loop) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	l.failures++
	l.rest = min(max(2*l.rest, firstRest), longestPause)
	l.Log.WarnContext(ctx, "looking for work failed, will be repeated", "err", err, "failures", l.failures, "pause", l.rest.String())
}

func (l *loop) well(ctx context.Context) {
	if l.failures > 0 {
		l.Log.InfoContext(ctx, "looking for work succeeds again", "failures", l.failures)
	}
	l.failures, l.rest = 0, 0
}

// finish waits for turns: some time for acts to end well, some more for those
// that were cut, and the time to give leases back.
func (l *loop) finish(ctx context.Context, cut context.CancelCauseFunc) {
	ctx = context.WithoutCancel(ctx)
	grace := time.AfterFunc(graceTime, func() { cut(errStopped) })
	defer grace.Stop()
	last := time.NewTimer(graceTime + lingerTime + 2*partingTime)
	defer last.Stop()
	for len(l.turns) > 0 {
		select {
		case t := <-l.ended:
			delete(l.turns, t.org)
		case <-last.C:
			l.Log.WarnContext(ctx, "work left behind: an act does not end", "organizations", len(l.turns))
			return
		}
	}
}
