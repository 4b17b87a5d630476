package backend_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestFailover freezes a primary of a cluster, and kills one behind Sentinels, under load:
// until another server has taken over every call says in time that the store is
// unavailable, then all goes on by itself. What was acknowledged and is gone was
// reported.
func TestFailover(t *testing.T) {
	t.Parallel()
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.Cluster(t, redistest.ClusterConfig{NodeTimeout: 2500 * time.Millisecond})
		failOver(t, c.URL, func(key string) *redistest.Server { return c.PrimaryOf(t, key) }, (*redistest.Server).Freeze)
	})
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		g := redistest.Sentinels(t, redistest.SentinelConfig{DownAfter: 2500 * time.Millisecond}) // a busy machine must not make a second failover
		failOver(t, g.URL, func(string) *redistest.Server { return g.Primary(t) }, (*redistest.Server).Kill)
	})
}

func failOver(t *testing.T, url string, primary func(key string) *redistest.Server, harm func(*redistest.Server)) {
	const org = resources.OrgID("failover")
	var mu sync.Mutex
	lost := map[string]bool{}
	s := open(t, backend.Config{URL: url, Lost: func(_ context.Context, list []backend.LostWrite) {
		mu.Lock()
		defer mu.Unlock()
		for _, l := range list {
			lost[l.LSN] = true
		}
	}})
	stop, done := make(chan struct{}), make(chan *traffic)
	go func() { done <- drive(t, s, org, false, stop) }()
	time.Sleep(500 * time.Millisecond)
	old := primary("ev:{" + string(org) + "}")
	began := time.Now()
	harm(old)
	for primary("ev:{"+string(org)+"}") == old {
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("another primary after %v", time.Since(began))
	time.Sleep(2 * time.Second)
	close(stop)
	x := <-done
	time.Sleep(3 * time.Second) // the watcher looks for lost writes: durability local promises none
	old.Thaw()
	t.Logf("%d writes and %d reads done, %d and %d unavailable, %d lost; %v without a write, slowest call %v", x.writes, x.reads, x.refusedW, x.refusedR, len(lost), x.gap, x.slowest)
	if x.gap < time.Second || x.gap > 12*time.Second || x.slowest > 4*time.Second {
		t.Error("the failover was not felt, or for too long")
	}
	mu.Lock()
	defer mu.Unlock()
	x.check(t, s, org, lost)
}
