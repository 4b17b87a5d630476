package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	sliceTime = time.Second // of a turn; then others come before the same organization comes again
	batchSize = 256         // items read at once
	recheck   = 50 * time.Millisecond
	repeats   = 8 // how often a turn does an item that the act leaves as it was
)

// turn is the work of one organization under one lease, for a bounded time. It
// reads what is due ahead of the acts, which run side by side.
type turn struct {
	*loop
	org  resources.OrgID
	bell resources.Bell
	late []resources.Bell // that came meanwhile; of the loop
	err  error            // of run; read after it ended

	lease resources.Lease
	ctx   context.Context // of acts
	cut   context.CancelCauseFunc
	slice *time.Timer

	mu      sync.Mutex
	known   map[string]bool  // items taken on and not over yet
	done    map[string]piece // items that were done
	tired   int              // how many became spent
	running sync.WaitGroup
	freed   chan struct{} // has something when an act was over since the last look
	trouble error         // why the turn must end; nil when it need not, or because the lease was lost
	logged  int           // failures that the log was told of
}

// piece is an item that was done, perhaps in part: then it stands on the list as
// before and is done again. So is one whose act does nothing at all, and for its
// sake a turn repeats only so often.
type piece struct {
	at    int64
	times int
}

func newTurn(l *loop, b resources.Bell) *turn {
	return &turn{loop: l, org: b.Org, bell: b, known: map[string]bool{}, done: map[string]piece{}, freed: make(chan struct{}, 1)}
}

// run takes a turn from the bell to giving it back. A lease is asked for only
// when something is due; without one whoever has it looks again at its end.
func (t *turn) run() error {
	items, next, err := t.Queue.Due(t.life, t.org, t.Now(), batchSize)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		t.patrol.hint(t.org, next)
		return t.heard(t.life)
	}
	// Not by life: a lease that is granted and not heard of would keep others off.
	lease, ok, err := t.Queue.Lease(t.acts, t.org, t.worker, t.Lease)
	if err != nil {
		return err
	}
	if !ok {
		return t.heard(t.life)
	}
	t.lease = lease
	t.Observe.Leases(1)
	defer t.Observe.Leases(-1)
	t.ctx, t.cut = context.WithCancelCause(t.acts)
	defer t.cut(nil)
	t.slice = time.NewTimer(sliceTime)
	defer t.slice.Stop()
	var holding sync.WaitGroup
	over := make(chan struct{})
	holding.Go(func() { t.hold(over) })
	err = t.feed(items)
	t.settle()
	close(over)
	holding.Wait()
	return errors.Join(err, t.part())
}

// heard gives the bell back.
func (t *turn) heard(ctx context.Context) error { return t.Queue.Heard(ctx, t.bell) }

// settle waits for the acts. Those that were cut and do not end soon are left
// behind: once the lease is given back they cannot write.
func (t *turn) settle() {
	ended := make(chan struct{})
	go func() { t.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return
	case <-t.ctx.Done():
	}
	linger := time.NewTimer(lingerTime)
	defer linger.Stop()
	select {
	case <-ended:
	case <-linger.C:
		t.Log.WarnContext(t.life, "acts left behind: they do not end though they were told to", "organization", t.org)
	}
}

// part gives the lease and the bell back. What became due while others were kept
// off by the lease, and what is left, is rung for: looked for after the lease is
// free, it cannot be missed.
func (t *turn) part() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.life), partingTime)
	defer cancel()
	t.mu.Lock()
	trouble := t.trouble
	t.mu.Unlock()
	if trouble == nil {
		trouble = t.Queue.Unlease(ctx, t.lease)
	} else if err := t.Queue.Unlease(ctx, t.lease); err != nil {
		return trouble // the store does not answer: the bell comes again by itself
	}
	items, next, err := t.Queue.Due(ctx, t.org, t.Now(), 1)
	if err != nil {
		return errors.Join(trouble, err)
	}
	switch {
	case len(items) == 0:
		t.patrol.hint(t.org, next)
	case t.spent(items[0]):
		t.patrol.hint(t.org, t.Now().Add(recheck))
	default:
		err = t.Queue.Ring(ctx, t.org)
	}
	if err == nil {
		err = t.heard(ctx)
	}
	return errors.Join(trouble, err)
}

// hold prolongs the lease until the turn is over.
func (t *turn) hold(over <-chan struct{}) {
	tick := time.NewTicker(t.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		lease, ok, err := t.Queue.Lease(t.ctx, t.org, t.worker, t.Lease)
		switch {
		case t.ctx.Err() != nil:
			return
		case err != nil: // the next tick may do it; the token guards what is written
			t.Log.WarnContext(t.ctx, "lease not prolonged", "err", err, "organization", t.org)
		case !ok:
			t.lost()
			return
		case lease.Token != t.lease.Token:
			// Somebody had it in between and gave it back. What is under way belongs
			// to the old one.
			t.lost()
			if err := t.Queue.Unlease(t.acts, lease); err != nil {
				t.Log.WarnContext(t.ctx, "lease not given back", "err", err, "organization", t.org)
			}
			return
		}
	}
}

// lost drops the work: the lease is somebody else's.
func (t *turn) lost() {
	t.Log.InfoContext(t.life, "lease lost to another worker", "organization", t.org)
	t.cut(resources.ErrFenced)
}

// troubled ends the turn because of what the store said.
func (t *turn) troubled(err error) {
	t.mu.Lock()
	t.trouble = errors.Join(t.trouble, err)
	t.mu.Unlock()
	t.cut(err)
}

// batch is what was read ahead.
type batch struct {
	items []resources.DueItem
	idle  bool // nothing was under way when the reading began
	err   error
}

// feed hands out items, reading ahead, until nothing is due, the slice is over,
// the turn is cut or the runner ends.
func (t *turn) feed(items []resources.DueItem) error {
	t.take(items)
	var ahead chan batch
	for {
		for i, item := range items {
			if ahead == nil && i >= len(items)/2 {
				ahead = t.readAhead()
			}
			if !t.slot() {
				if ahead != nil {
					<-ahead
				}
				return nil
			}
			t.running.Go(func() {
				defer func() { <-t.slots }()
				t.work(item)
			})
		}
		if ahead == nil {
			ahead = t.readAhead()
		}
		b := <-ahead
		ahead = nil
		if b.err != nil {
			return b.err
		}
		if len(b.items) == 0 && (b.idle || !t.pause()) {
			return nil
		}
		items = b.items
	}
}

// slot waits for the right to run one act more; false when the turn shall end.
// Every turn waits for one slot at a time, so all get equally many.
func (t *turn) slot() bool {
	for _, end := range []<-chan struct{}{t.life.Done(), t.ctx.Done()} {
		select {
		case <-end:
			return false
		default:
		}
	}
	select {
	case <-t.life.Done():
	case <-t.ctx.Done():
	case <-t.slice.C:
	case t.slots <- struct{}{}:
		return true
	}
	return false
}

// pause lets acts go on before the list is read again. One that ends may have made
// more due: a job its next step.
func (t *turn) pause() bool {
	timer := time.NewTimer(recheck)
	defer timer.Stop()
	select {
	case <-t.life.Done():
	case <-t.ctx.Done():
	case <-t.slice.C:
	case <-timer.C:
		return true
	case <-t.freed:
		return true
	}
	return false
}

// take notes items as taken on.
func (t *turn) take(items []resources.DueItem) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, item := range items {
		t.known[item.Item] = true
	}
}

// over notes that an item is not under way any more.
func (t *turn) over(item resources.DueItem, came Outcome) {
	defer func() {
		select {
		case t.freed <- struct{}{}:
		default:
		}
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, item.Item)
	if came != Done {
		return
	}
	p := t.done[item.Item]
	if p.at != item.At {
		p = piece{at: item.At}
	}
	if p.times++; p.times == repeats {
		t.tired++
	}
	t.done[item.Item] = p
}

// spent tells whether an item was done so often that the turn leaves it.
func (t *turn) spent(item resources.DueItem) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.done[item.Item]
	return p.at == item.At && p.times >= repeats
}

// readAhead reads the next items while others are worked on. The list still has
// those under way: they are left out as of the beginning of the reading, because
// one that ends meanwhile may be in the answer.
func (t *turn) readAhead() chan batch {
	t.mu.Lock()
	under := make(map[string]bool, len(t.known))
	for item := range t.known {
		under[item] = true
	}
	spent := t.tired
	t.mu.Unlock()
	ahead := make(chan batch, 1)
	go func() {
		items, _, err := t.Queue.Due(t.ctx, t.org, t.Now(), batchSize+len(under)+spent)
		if t.ctx.Err() != nil {
			err = nil
		}
		b := batch{idle: len(under) == 0, err: err}
		for _, item := range items {
			if !under[item.Item] && !t.spent(item) {
				b.items = append(b.items, item)
			}
		}
		t.take(b.items)
		ahead <- b
	}()
	return ahead
}
