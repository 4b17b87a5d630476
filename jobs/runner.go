package jobs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

// The times and bounds of a runner.
const (
	defaultWorkers = 8
	defaultLease   = 30 * time.Second
	quickPoll      = 5 * time.Millisecond // between two looks for bells while there is work
	slowPoll       = 100 * time.Millisecond
	firstRest      = time.Second // before the next look after the store did not answer; doubles up to longestPause
	graceTime      = 5 * time.Second
	lingerTime     = time.Second     // for acts that were told to end, before they are left behind
	partingTime    = 3 * time.Second // for giving back a lease and bells
)

// Runner does what is due in organizations, in the background and for ever. Any
// number of nodes may run one each; they share the work.
type Runner struct {
	// Queue is how work is found and shared. Required.
	Queue resources.Queue
	// Work does one item and takes it off the list in the commit of the work
	// (resources.Directory.WorkOn). Required.
	Work func(ctx context.Context, l resources.Lease, item resources.DueItem) error
	// Orgs lists the organizations that may have something due. Required.
	Orgs func(context.Context) ([]resources.OrgID, error)
	// Parked hears of an item that failed too often and waits for somebody to
	// look, with the last error. Nil: only the log does.
	Parked func(ctx context.Context, org resources.OrgID, item, cause string)
	// Now is the clock. Required.
	Now func() time.Time
	// Rand is where the worker's name and the jitter come from. Required.
	Rand io.Reader
	// Log receives failures and recoveries. Required.
	Log *slog.Logger
	// Observe is told what happens, for metrics.
	Observe Observe
	// Workers is how many items are worked on at once; 0 means 8.
	Workers int
	// Lease is how long an organization belongs to a worker that shows no sign of
	// life; 0 means 30 seconds.
	Lease time.Duration
}

// Observe are functions that hear what a runner does; each may be nil. They are
// called by many goroutines at once.
type Observe struct {
	// Item hears of an item that was worked on: the letter of its sort, what
	// came of it and how long it took.
	Item func(sort string, came Outcome, took time.Duration)
	// Waited hears how long an item was due before it was begun.
	Waited func(time.Duration)
	// Leases hears of leases taken (1) and given back (-1).
	Leases func(change int)
}

// Outcome says what came of an item.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Postponed Outcome = "failed"  // it failed and will be tried again
	Parked    Outcome = "parked"  // it failed too often
	Dropped   Outcome = "dropped" // the lease was lost, or the runner ends: it is somebody else's now
)

// Run works until ctx ends. Then it takes nothing new on, lets what is under way
// end within five seconds, gives its leases back and returns nil. It returns an
// error at once when a required field is missing. No failure ends it: while the
// store does not answer it rests, one second at first and 30 at most.
func (r Runner) Run(ctx context.Context) error {
	if r.Queue == nil || r.Work == nil || r.Orgs == nil || r.Now == nil || r.Rand == nil || r.Log == nil {
		return errors.New("jobs: a Runner needs Queue, Work, Orgs, Now, Rand and Log")
	}
	if r.Workers <= 0 {
		r.Workers = defaultWorkers
	}
	if r.Lease <= 0 {
		r.Lease = defaultLease
	}
	r.Observe = r.Observe.filled()
	l := &loop{
		Runner: r, dice: &dice{from: r.Rand}, life: ctx,
		slots: make(chan struct{}, r.Workers), turns: map[resources.OrgID]*turn{}, ended: make(chan *turn),
	}
	name := make([]byte, 10)
	if _, err := io.ReadFull(r.Rand, name); err != nil {
		return fmt.Errorf("jobs: no randomness: %w", err)
	}
	l.worker = hex.EncodeToString(name)
	l.patrol = &patrol{loop: l, wake: make(chan struct{}, 1)}
	// Acts outlive ctx, so that they can end well; cut ends those that do not.
	var cut context.CancelCauseFunc
	l.acts, cut = context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	var background sync.WaitGroup
	background.Go(func() { l.patrol.run(ctx) })
	l.run(ctx)
	l.finish(ctx, cut)
	background.Wait()
	return nil
}

func (o Observe) filled() Observe {
	if o.Item == nil {
		o.Item = func(string, Outcome, time.Duration) {}
	}
	if o.Waited == nil {
		o.Waited = func(time.Duration) {}
	}
	if o.Leases == nil {
		o.Leases = func(int) {}
	}
	return o
}
