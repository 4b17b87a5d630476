package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-scim/usher/resources"
)

func TestRunnerDoesWhatIsDueOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWorld(t, url)
		orgs := []resources.OrgID{w.org("one"), w.org("two"), w.org("three")}
		stop := w.start(w.runner())
		defer stop()
		for _, org := range orgs {
			w.asks(org, 700)
		}
		w.empty(2*time.Minute, orgs...)
		for _, org := range orgs {
			w.once(org, 700)
		}
		stop()
		for _, org := range orgs {
			if _, ok, err := w.store.Lease(t.Context(), org, "next", time.Minute); !ok || err != nil {
				t.Errorf("the lease of %s was not given back: %v", org, err)
			}
		}
	})
}

func TestRunnerNeedsItsParts(t *testing.T) {
	w := newWorld(t, "")
	whole := w.runner()
	for name, take := range map[string]func(*Runner){
		"Queue": func(r *Runner) { r.Queue = nil }, "Work": func(r *Runner) { r.Work = nil }, "Orgs": func(r *Runner) { r.Orgs = nil },
		"Now": func(r *Runner) { r.Now = nil }, "Rand": func(r *Runner) { r.Rand = nil }, "Log": func(r *Runner) { r.Log = nil },
	} {
		r := whole
		take(&r)
		if err := r.Run(t.Context()); err == nil {
			t.Errorf("Run without %s: no error", name)
		}
	}
	whole.Rand = strings.NewReader("short")
	if err := whole.Run(t.Context()); err == nil {
		t.Error("Run without randomness: no error")
	}
}

// A worker that sleeps over its lease wakes up, and its commit is refused. Its
// clock is an hour late, so that its lease has run out for others at once.
func TestPausedWorkerIsFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		if url == "" {
			t.Log("one store has one clock: the late worker takes its lease by hand")
		}
		w := newWorld(t, url)
		org := w.org("fenced")
		late := w
		if url != "" {
			late = newWorldAt(t, url, func() time.Time { return time.Now().Add(-time.Hour) })
			late.orgs = w.orgs
		}
		asleep, wake := make(chan struct{}), make(chan struct{})
		var came atomic.Value
		slow := late.runner()
		slow.Observe.Item = func(_ string, o Outcome, _ time.Duration) { came.Store(o) }
		slow.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			close(asleep)
			<-wake
			err := late.did(context.WithoutCancel(ctx), l, item)
			if !errors.Is(err, resources.ErrFenced) {
				t.Errorf("the commit of the worker that slept: %v, want ErrFenced", err)
			}
			return err
		}
		if url == "" {
			slow.Lease = 20 * time.Millisecond
			slow.Queue = unprolonged{late.store, &sync.Map{}}
		}
		w.ask(org, time.Now().Add(-2*time.Hour), "u1")
		stopSlow := w.start(slow)
		defer stopSlow()
		<-asleep
		stop := w.start(w.runner())
		defer stop()
		w.empty(time.Minute, org)
		close(wake)
		w.await("the sleeper noticed", 5*time.Second, func() bool { return came.Load() == Dropped })
		w.once(org, 1)
	})
}

// unprolonged grants leases and never prolongs them.
type unprolonged struct {
	resources.Queue
	had *sync.Map
}

func (q unprolonged) Lease(ctx context.Context, org resources.OrgID, worker string, d time.Duration) (resources.Lease, bool, error) {
	if _, again := q.had.LoadOrStore(org, true); again {
		return resources.Lease{}, false, nil
	}
	return q.Queue.Lease(ctx, org, worker, d)
}

// A worker that died keeps its lease and its bells until they run out; then
// others go on.
func TestDeadWorkerIsSucceeded(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWorld(t, url)
		org := w.org("dead")
		w.asks(org, 50)
		w.await("the bell rang", 5*time.Second, func() bool {
			bells, err := w.store.Bells(t.Context(), time.Hour, 10)
			return err == nil && len(bells) == 1
		})
		const life = 700 * time.Millisecond
		if _, ok, err := w.store.Lease(t.Context(), org, "dead", life); !ok || err != nil {
			t.Fatal(ok, err)
		}
		r := w.runner()
		r.Lease = life
		defer w.start(r)()
		if d := w.empty(time.Minute, org); d < life/2 {
			t.Errorf("others worked %v after the lease was granted for %v", d, life)
		}
		w.once(org, 50)
	})
}

func TestNodesShareTheWork(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		const orgs, each, nodes = 100, 40, 3
		w := newWorld(t, url)
		var all []resources.OrgID
		for i := range orgs {
			all = append(all, w.org(resources.OrgID(fmt.Sprintf("org%02d", i))))
		}
		var did [nodes]atomic.Int32
		for n := range nodes {
			r := w.runner()
			r.Workers = 4
			r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
				did[n].Add(1)
				return w.did(ctx, l, item)
			}
			defer w.start(r)()
		}
		for _, org := range all {
			w.asks(org, each)
		}
		w.empty(3*time.Minute, all...)
		for _, org := range all {
			w.once(org, each)
		}
		for n := range did {
			if did[n].Load() < orgs*each/20 {
				t.Errorf("node %d did %d of %d items", n, did[n].Load(), orgs*each)
			}
		}
	})
}

// Lives of a few milliseconds, work that keeps coming: nothing is lost and
// nothing done twice.
func TestRunnerStartsAndStopsRepeatedly(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		const lives, orgs = 1000, 4
		w := newWorld(t, url)
		var all []resources.OrgID
		for i := range orgs {
			all = append(all, w.org(resources.OrgID(fmt.Sprintf("org%d", i))))
		}
		r := w.runner()
		for i := range lives {
			w.ask(all[i%orgs], time.Now(), fmt.Sprint("u", i))
			stop := w.start(r)
			time.Sleep(time.Duration(i%5) * time.Millisecond)
			stop()
		}
		stop := w.start(r)
		w.empty(2*time.Minute, all...)
		stop()
		for _, org := range all {
			w.once(org, lives/orgs)
		}
	})
}

// While the store does not answer the runner rests, and no item is blamed.
func TestStoreGoneAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("gone")
		away := &away{Queue: w.store, now: time.Now}
		r := w.runner()
		r.Queue = away
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			if away.is() {
				return fmt.Errorf("read: %w", resources.ErrUnavailable)
			}
			return w.did(ctx, l, item)
		}
		away.until.Store(time.Now().Add(40 * time.Second).UnixMilli())
		w.asks(org, 20)
		stop := w.start(r)
		defer stop()
		time.Sleep(39 * time.Second)
		if n := away.asked.Load(); n < 6 || n > 20 {
			t.Errorf("a store that is away was asked for bells %d times in 39 s", n)
		}
		time.Sleep(35 * time.Second)
		w.once(org, 20)
		stop()
	})
}

// away is a queue that does not answer until a time.
type away struct {
	resources.Queue
	now   func() time.Time
	until atomic.Int64
	asked atomic.Int32
}

func (a *away) is() bool { return a.now().UnixMilli() < a.until.Load() }

func (a *away) Bells(ctx context.Context, idle time.Duration, limit int) ([]resources.Bell, error) {
	if a.is() {
		a.asked.Add(1)
		return nil, resources.ErrUnavailable
	}
	return a.Queue.Bells(ctx, idle, limit)
}

func (a *away) Next(ctx context.Context, orgs []resources.OrgID) ([]time.Time, error) {
	if a.is() {
		return nil, resources.ErrUnavailable
	}
	return a.Queue.Next(ctx, orgs)
}

// The store goes away in the middle of a turn: the items stay as they are.
func TestStoreGoneInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("gone")
		r := w.runner()
		var gone atomic.Bool
		gone.Store(true)
		r.Queue = stuck{w.store, &gone}
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			if gone.Load() {
				return fmt.Errorf("commit: %w", resources.ErrUnavailable)
			}
			return w.did(ctx, l, item)
		}
		w.asks(org, 20)
		stop := w.start(r)
		defer stop()
		time.Sleep(30 * time.Second)
		items, _, err := w.store.Due(t.Context(), org, time.Now(), 100)
		if err != nil || len(items) != 20 || slices.ContainsFunc(items, func(i resources.DueItem) bool { return i.Tries > 0 }) {
			t.Errorf("due is %v, %v; want 20 items that were never tried", items, err)
		}
		gone.Store(false)
		time.Sleep(time.Minute)
		w.once(org, 20)
		stop()
	})
}

// stuck is a queue on which nothing can be postponed while gone.
type stuck struct {
	resources.Queue
	gone *atomic.Bool
}

func (q stuck) Postpone(ctx context.Context, l resources.Lease, item resources.DueItem, at time.Time) (bool, error) {
	if q.gone.Load() {
		return false, resources.ErrUnavailable
	}
	return q.Queue.Postpone(ctx, l, item, at)
}
