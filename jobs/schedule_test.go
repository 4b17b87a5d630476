package jobs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-scim/usher/resources"
)

// when notes when items were done.
type when struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (n *when) note(item string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		n.at = map[string]time.Time{}
	}
	n.at[item] = time.Now()
}

// of is when an item was done last.
func (n *when) of(item string) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at[item]
}

func TestScheduledWorkIsPunctual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		for i := range 600 { // more than a page of the patrol
			w.org(resources.OrgID(fmt.Sprintf("idle%d", i)))
		}
		org := w.org("later")
		var done when
		r := w.runner()
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			done.note(item.Item)
			return w.did(ctx, l, item)
		}
		defer w.start(r)()
		began := time.Now()
		times := map[string]time.Duration{"ua": 10 * time.Second, "ub": 10*time.Second + 30*time.Millisecond, "uc": time.Minute, "ud": 3 * time.Minute}
		for item, d := range times {
			w.ask(org, began.Add(d), item)
		}
		time.Sleep(4 * time.Minute)
		for item, d := range times {
			if late := done.of(item).Sub(began.Add(d)); late < 0 || late > 2*slowPoll {
				t.Errorf("%s was done %v after its time", item, late)
			}
		}
		w.once(org, 4)
	})
}

// A bell that got lost, with whoever took it, costs some seconds and no more.
func TestLostBellIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("lost")
		w.asks(org, 5)
		time.Sleep(time.Second)
		bells, err := w.store.Bells(t.Context(), time.Hour, 10)
		if err != nil || len(bells) != 1 {
			t.Fatal(bells, err)
		}
		if err := w.store.Heard(t.Context(), bells...); err != nil {
			t.Fatal(err)
		}
		defer w.start(w.runner())()
		time.Sleep(2*patrolPause + time.Second)
		w.once(org, 5)
	})
}

// Work that comes to an organization that was not there when the runner began.
func TestNewOrganizationIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		defer w.start(w.runner())()
		time.Sleep(10 * time.Second)
		org := w.org("young")
		w.ask(org, time.Now().Add(time.Minute), "u1")
		w.ask(org, time.Now(), "u2")
		time.Sleep(time.Second)
		w.once(org, 1)
		time.Sleep(time.Minute + 4*patrolPause)
		w.once(org, 2)
	})
}

// An organization with very much to do does not keep others waiting for long.
func TestOrganizationsShareFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		var done when
		r := w.runner()
		r.Workers = 2
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			time.Sleep(5 * time.Millisecond)
			if l.Org == "small" {
				done.note(item.Item)
			}
			return w.did(ctx, l, item)
		}
		big := []resources.OrgID{w.org("big1"), w.org("big2"), w.org("big3")}
		small := w.org("small")
		for _, org := range big {
			w.asks(org, 4000)
		}
		defer w.start(r)()
		for i := range 5 {
			time.Sleep(1700 * time.Millisecond)
			item := fmt.Sprint("u", i)
			asked := time.Now()
			w.ask(small, asked, item)
			time.Sleep(3 * time.Second)
			late := done.of(item).Sub(asked)
			if late < 0 || late > 2*time.Second+2*slowPoll {
				t.Errorf("%s waited %v for three organizations with much to do", item, late)
			}
		}
		for _, org := range big {
			if w.left(org) == 0 {
				t.Errorf("%s has nothing left: the test shows nothing", org)
			}
		}
	})
}

// Nodes whose clocks disagree do every item once, and go on.
func TestSkewedClocks(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		w := newWorld(t, url)
		org := w.org("skew")
		skews := []time.Duration{0}
		if url != "" {
			skews = []time.Duration{-20 * time.Second, 0, 20 * time.Second}
		}
		for _, skew := range skews {
			now := func() time.Time { return time.Now().Add(skew) }
			n := newWorldAt(t, url, now)
			if url == "" {
				n = w
			}
			n.orgs = w.orgs
			r := n.runner()
			r.Now = now
			r.Lease = 10 * time.Second
			defer n.start(r)()
		}
		for i := range 10 {
			w.ask(org, time.Now(), fmt.Sprint("ua", i), fmt.Sprint("ub", i), fmt.Sprint("uc", i))
			time.Sleep(20 * time.Millisecond)
		}
		w.empty(time.Minute, org)
		w.once(org, 30)
	})
}

// Work that is under way when the runner is told to end is ended well, if it
// ends in time, and the organization is free for others either way.
func TestGracefulStop(t *testing.T) {
	tests := []struct {
		name    string
		takes   time.Duration
		deaf    bool // to the end of its context
		done    int
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"short acts end well", 3 * time.Second, false, 1, 2 * time.Second, 3 * time.Second},
		{"long acts are cut", time.Minute, false, 0, graceTime, graceTime + 100*time.Millisecond},
		{"deaf acts are left behind", time.Minute, true, 0, graceTime + lingerTime, graceTime + lingerTime + 100*time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "")
				org := w.org("stop")
				r := w.runner()
				r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
					select {
					case <-time.After(tt.takes):
					case <-deafOr(ctx, tt.deaf):
						return ctx.Err()
					}
					return w.did(context.WithoutCancel(ctx), l, item)
				}
				w.ask(org, time.Now(), "u1")
				stop := w.start(r)
				time.Sleep(time.Second)
				w.ask(org, time.Now(), "u2") // nothing new is taken on
				began := time.Now()
				stop()
				if d := time.Since(began); d < tt.atLeast || d > tt.atMost {
					t.Errorf("Run ended after %v, want %v to %v", d, tt.atLeast, tt.atMost)
				}
				if _, ok, err := w.store.Lease(t.Context(), org, "next", time.Minute); !ok || err != nil {
					t.Errorf("the lease was not given back: %v", err)
				}
				time.Sleep(2 * time.Minute) // what was left behind cannot write
				if n := len(w.effects(org)); n > 2 || (tt.done == 0 && n != 0) || n < tt.done {
					t.Errorf("%d items were done, want %d", n, tt.done)
				}
			})
		})
	}
}

func deafOr(ctx context.Context, deaf bool) <-chan struct{} {
	if deaf {
		return nil
	}
	return ctx.Done()
}

// What happens is told to those who count it.
func TestObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("seen")
		var items, waits atomic.Int32
		var leases atomic.Int32
		r := w.runner()
		r.Observe = Observe{
			Item: func(sort string, came Outcome, took time.Duration) {
				if sort != "u" || came != Done || took < 0 {
					t.Errorf("told of %q %q %v", sort, came, took)
				}
				items.Add(1)
			},
			Waited: func(d time.Duration) {
				if d < time.Minute || d > 2*time.Minute {
					t.Errorf("told of a wait of %v, want a minute", d)
				}
				waits.Add(1)
			},
			Leases: func(n int) { leases.Add(int32(n)) },
		}
		w.ask(org, time.Now().Add(-time.Minute), "u1", "u2", "u3")
		stop := w.start(r)
		time.Sleep(5 * time.Second)
		stop()
		if items.Load() != 3 || waits.Load() != 3 || leases.Load() != 0 {
			t.Errorf("told of %d items, %d waits, and %d leases are left", items.Load(), waits.Load(), leases.Load())
		}
	})
}

// What becomes due while the lease keeps another runner off, and too late for
// the turn that has it, is not left to the patrol.
func TestBellPutAsideIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("aside")
		var done when
		r := w.runner()
		r.Rand = shortest{} // the patrol comes every full second
		r.Workers = 1       // and takes no bell while it works
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			if item.Item == "slow" {
				time.Sleep(sliceTime * 3 / 2)
			}
			done.note(item.Item)
			return w.did(ctx, l, item)
		}
		began := time.Now()
		w.ask(org, began, "slow")
		defer w.start(r)()
		time.Sleep(sliceTime * 5 / 4)
		other := w.runner()
		other.Orgs = func(context.Context) ([]resources.OrgID, error) { return nil, nil } // its patrol finds nothing
		other.Work = r.Work
		defer w.start(other)()
		w.ask(org, time.Now(), "late")
		time.Sleep(5 * time.Second)
		if d := done.of("slow").Sub(began); d < sliceTime*3/2 {
			t.Fatalf("the slow act took %v", d)
		}
		if late := done.of("late").Sub(done.of("slow")); late > 2*slowPoll {
			t.Errorf("what was asked for during the slow act was done %v after it", late)
		}
		w.once(org, 2)
	})
}

// A bell that comes when a turn has looked for the last time is rung again.
func TestBellAtTheLastMomentIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("last")
		var done when
		r := w.runner()
		r.Rand = shortest{}
		var moment sync.Once
		var asked time.Time
		r.Queue = parting{w.store, func() {
			moment.Do(func() {
				w.ask(org, time.Now(), "late")
				time.Sleep(2 * slowPoll)
				asked = time.Now()
			})
		}}
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			done.note(item.Item)
			return w.did(ctx, l, item)
		}
		w.ask(org, time.Now(), "u1")
		stop := w.start(r)
		time.Sleep(5 * time.Second)
		stop()
		w.once(org, 2)
		if late := done.of("late").Sub(asked); late > 2*slowPoll {
			t.Errorf("what was asked for at the end of the turn was done %v after it", late)
		}
	})
}

// parting is a queue that does something whenever a bell is given back.
type parting struct {
	resources.Queue
	do func()
}

func (p parting) Heard(ctx context.Context, bells ...resources.Bell) error {
	p.do()
	return p.Queue.Heard(ctx, bells...)
}
