package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// onBoth runs a test on the embedded store and on a real server.
func onBoth(t *testing.T, fn func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { fn(t, "") })
	t.Run("redis", func(t *testing.T) { fn(t, redistest.Start(t)) })
}

// world is a store with organizations, and acts whose whole effect is an event.
type world struct {
	t     testing.TB
	store *backend.Store
	log   *slog.Logger

	mu   sync.Mutex
	orgs []resources.OrgID
}

func newWorld(t testing.TB, url string) *world {
	t.Helper()
	return newWorldAt(t, url, time.Now)
}

func newWorldAt(t testing.TB, url string, now func() time.Time) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := backend.Open(context.Background(), backend.Config{URL: url, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, store: s, log: log}
}

// org makes sure that an organization is on the runner's list.
func (w *world) org(org resources.OrgID) resources.OrgID {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.orgs = append(w.orgs, org)
	return org
}

func (w *world) list(context.Context) ([]resources.OrgID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]resources.OrgID(nil), w.orgs...), nil
}

// ask makes items due.
func (w *world) ask(org resources.OrgID, at time.Time, items ...string) {
	w.t.Helper()
	_, err := w.store.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		for _, item := range items {
			tx.Due(item, at)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// asks makes many items due.
func (w *world) asks(org resources.OrgID, n int) {
	w.t.Helper()
	items := make([]string, 0, 500)
	for i := range n {
		items = append(items, fmt.Sprint("u", i))
		if len(items) == cap(items) || i == n-1 {
			w.ask(org, time.Now(), items...)
			items = items[:0]
		}
	}
}

// did is the act of these tests: an event, and the item off the list, in one
// commit under the lease.
func (w *world) did(ctx context.Context, l resources.Lease, item resources.DueItem) error {
	_, err := w.store.Update(ctx, l.Org, func(_ context.Context, tx resources.Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		tx.Event(resources.Event{Type: "did", ID: item.Item})
		return nil
	})
	return err
}

// runner is a runner over the world; tests change what they look at.
func (w *world) runner() Runner {
	return Runner{Queue: w.store, Work: w.did, Orgs: w.list, Now: time.Now, Rand: rand.Reader, Log: w.log}
}

// start runs a runner until stop is called, which waits for its end.
func (w *world) start(r Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
}

// effects counts the events of an organization by item.
func (w *world) effects(org resources.OrgID) map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for after := ""; ; {
		events, err := w.store.Events(context.Background(), org, after, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range events {
			count[e.ID]++
			after = e.LSN
		}
		if len(events) < 1000 {
			return count
		}
	}
}

// left counts what stands on the list of an organization, due or not: 0, or 1
// for some.
func (w *world) left(org resources.OrgID) int {
	w.t.Helper()
	next, err := w.store.Next(context.Background(), []resources.OrgID{org})
	if err != nil {
		w.t.Fatal(err)
	}
	if next[0].IsZero() {
		return 0
	}
	return 1
}

// await waits until something is so.
func (w *world) await(what string, within time.Duration, so func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			w.t.Fatalf("after %v still not: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// empty waits until nothing is left on the lists of organizations.
func (w *world) empty(within time.Duration, orgs ...resources.OrgID) time.Duration {
	w.t.Helper()
	return w.await("all items are done", within, func() bool {
		for _, org := range orgs {
			if w.left(org) > 0 {
				return false
			}
		}
		return true
	})
}

// once checks that each of n items had its effect exactly once.
func (w *world) once(org resources.OrgID, n int) {
	w.t.Helper()
	got := w.effects(org)
	for item, times := range got {
		if times != 1 {
			w.t.Errorf("%s of %s was done %d times", item, org, times)
		}
	}
	if len(got) != n {
		w.t.Errorf("%d items of %s were done, want %d", len(got), org, n)
	}
}
