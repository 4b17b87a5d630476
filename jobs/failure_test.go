package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-scim/usher/resources"
)

// shortest makes every wait the shortest.
type shortest struct{}

func (shortest) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// An item that always fails is tried eight times, with growing pauses, and
// parked; the others are done meanwhile.
func TestPoisonIsParked(t *testing.T) {
	for name, poison := range map[string]func() error{
		"error":  func() error { return errors.New("the number is not one") },
		"panic":  func() error { panic("the number is not one") },
		"expiry": func() error { return context.DeadlineExceeded },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "")
				org := w.org("sick")
				var mu sync.Mutex
				var tried []time.Time
				var parked []string
				r := w.runner()
				r.Rand = shortest{}
				r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
					if item.Item != "u3" {
						return w.did(ctx, l, item)
					}
					mu.Lock()
					tried = append(tried, time.Now())
					mu.Unlock()
					return poison()
				}
				r.Parked = func(_ context.Context, org resources.OrgID, item, cause string) {
					parked = append(parked, fmt.Sprint(org, " ", item, " ", cause))
				}
				w.asks(org, 10)
				stop := w.start(r)
				time.Sleep(100 * time.Millisecond)
				if n := len(w.effects(org)); n != 9 {
					t.Errorf("%d items were done beside the poison, want 9", n)
				}
				time.Sleep(30 * time.Second)
				stop()
				if len(tried) != 8 || len(parked) != 1 || !strings.HasPrefix(parked[0], "sick u3 ") {
					t.Fatalf("tried %d times and parked %q, want 8 times and u3", len(tried), parked)
				}
				for i := 1; i < len(tried); i++ {
					if pause := tried[i].Sub(tried[i-1]); pause < time.Second || pause > time.Second+2*slowPoll {
						t.Errorf("pause %d was %v, want the shortest, a second", i, pause)
					}
				}
				items, err := w.store.Parked(t.Context(), org, 10)
				if err != nil || len(items) != 1 || items[0].Item != "u3" || items[0].Tries != 8 || items[0].Cause == "" {
					t.Errorf("parked are %+v, %v", items, err)
				}
				w.once(org, 9)
			})
		})
	}
}

// A parked item that somebody asks for again is done and is not parked any more.
func TestUnparkedWorkIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("sick")
		var healthy atomic.Bool
		r := w.runner()
		r.Rand = shortest{}
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			if !healthy.Load() {
				return errors.New("not yet")
			}
			return w.did(ctx, l, item)
		}
		w.ask(org, time.Now(), "u1", "u2")
		defer w.start(r)()
		time.Sleep(time.Minute)
		healthy.Store(true)
		if there, err := w.store.Unpark(t.Context(), org, "u1", time.Now()); !there || err != nil {
			t.Fatal(there, err)
		}
		w.ask(org, time.Now(), "u2")
		time.Sleep(time.Second)
		w.once(org, 2)
		if items, err := w.store.Parked(t.Context(), org, 10); len(items) != 0 || err != nil {
			t.Errorf("parked are still %+v, %v", items, err)
		}
	})
}

// While commits fail for the store's sake an item waits longer and longer, and
// is never parked for it.
func TestUnavailableIsNeverParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("busy")
		var healthy atomic.Bool
		r := w.runner()
		r.Rand = shortest{}
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			if !healthy.Load() {
				return fmt.Errorf("commit: %w: it kept changing", resources.ErrUnavailable)
			}
			return w.did(ctx, l, item)
		}
		w.ask(org, time.Now(), "u1")
		defer w.start(r)()
		time.Sleep(5 * time.Minute)
		healthy.Store(true)
		time.Sleep(3 * time.Second)
		w.once(org, 1)
	})
}

// An act may leave its item for the next piece: it is done until it is gone, and
// one that never goes keeps neither others from work nor a processor busy.
func TestActThatLeavesItsItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("left")
		var pieces, vain atomic.Int32
		r := w.runner()
		r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
			switch {
			case item.Item == "never":
				vain.Add(1)
				return nil
			case item.Item == "pieces" && pieces.Add(1) < 50:
				return nil
			}
			return w.did(ctx, l, item)
		}
		w.ask(org, time.Now(), "never", "pieces", "u1")
		stop := w.start(r)
		time.Sleep(10 * time.Second)
		stop()
		w.once(org, 2)
		if n := vain.Load(); n < 10 || n > 2000 {
			t.Errorf("the act that does nothing was called %d times in 10 s", n)
		}
		if n := pieces.Load(); n != 50 {
			t.Errorf("fifty pieces were done in %d", n)
		}
	})
}

// Many failures of one turn do not flood the log.
func TestFailuresAreLoggedSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "")
		org := w.org("flood")
		var log strings.Builder
		var mu sync.Mutex
		r := w.runner()
		r.Log = slog.New(slog.NewTextHandler(&locked{mu: &mu, to: &log}, nil))
		r.Work = func(context.Context, resources.Lease, resources.DueItem) error { return errors.New("no") }
		w.asks(org, 500)
		stop := w.start(r)
		time.Sleep(500 * time.Millisecond)
		stop()
		if n := strings.Count(log.String(), "\n"); n < loggedEach || n > 2*loggedEach {
			t.Errorf("500 failures made %d lines:\n%s", n, log.String())
		}
	})
}

type locked struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func TestWaits(t *testing.T) {
	d := &dice{from: rand.Reader}
	for tries, ceiling := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		low, high := time.Hour, time.Duration(0)
		for range 2000 {
			w := d.wait(tries)
			low, high = min(low, w), max(high, w)
		}
		ceiling *= time.Second
		if low < time.Second || high > ceiling || high < ceiling*9/10 || low > time.Second+ceiling/10 {
			t.Errorf("after %d tries waits are %v to %v, want 1s to %v", tries, low, high, ceiling)
		}
	}
	if w := (&dice{from: strings.NewReader("")}).wait(3); w != 16*time.Second {
		t.Errorf("without randomness the wait is %v", w)
	}
}
