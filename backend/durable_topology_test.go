package backend_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestReplicatedFailover: a primary under Sentinels and one of a cluster are
// killed under load with durability replicated; others take over by themselves
// and nothing acknowledged is lost.
func TestReplicatedFailover(t *testing.T) {
	for name, group := range map[string]func(t *testing.T) (url string, kill func()){
		"sentinel": func(t *testing.T) (string, func()) {
			g := redistest.Sentinels(t, redistest.SentinelConfig{Replicas: 1})
			return g.URL, func() { g.Primary(t).Kill() }
		},
		"cluster": func(t *testing.T) (string, func()) {
			c := redistest.Cluster(t, redistest.ClusterConfig{})
			return c.URL, func() { c.PrimaryOf(t, "ev:{loss0}").Kill() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, kill := group(t)
			l := &losses{}
			s := watched(t, backend.Config{URL: url, Log: quietLog(), Durability: backend.DurabilityReplicated, AllowMissing: true}, l)
			h := &history{acked: map[string]*resources.Record{}}
			stop := make(chan struct{})
			writers := h.load(t, s, 6, stop)
			within(t, 20*time.Second, "writes arrive", func() bool { return h.count() > 200 })
			kill()
			within(t, 30*time.Second, "another is primary", func() bool { _, failovers := l.seen(); return failovers > 0 })
			close(stop)
			writers.Wait()
			if lost := h.missing(t, s); len(lost) > 0 {
				t.Errorf("%d of %d acknowledged writes are lost", len(lost), h.count())
			}
			if got, _ := l.seen(); len(got) > 0 {
				t.Errorf("told of losses: %v", got)
			}
			t.Logf("%d acknowledged of %d", h.count(), h.n)
		})
	}
}

// TestDurabilityFigures measures what durability costs, for docs/operations.md.
// It runs when USHER_TEST_FIGURES is the seconds for each figure.
func TestDurabilityFigures(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("USHER_TEST_FIGURES"))
	if err != nil {
		return // only on request: it takes minutes and shows nothing on a busy machine
	}
	aof := func(policy string) []string { return []string{"--appendonly", "yes", "--appendfsync", policy} }
	type row struct {
		name string
		url  func(t *testing.T) string
		d    backend.Durability
	}
	alone := func(args []string) func(*testing.T) string {
		return func(t *testing.T) string { return redistest.Run(t, redistest.Config{Args: args}).URL }
	}
	couple := func(args []string) func(*testing.T) string {
		return func(t *testing.T) string { return newCouple(t, args...).primary.URL }
	}
	cluster := func(t *testing.T) string {
		return redistest.Cluster(t, redistest.ClusterConfig{Args: aof("everysec")}).URL
	}
	sentinel := func(t *testing.T) string {
		return redistest.Sentinels(t, redistest.SentinelConfig{Replicas: 1, Args: aof("everysec")}).URL
	}
	for _, r := range []row{
		{"alone, no AOF, local", alone(nil), backend.DurabilityLocal},
		{"alone, everysec, local", alone(aof("everysec")), backend.DurabilityLocal},
		{"alone, always, fsync", alone(aof("always")), backend.DurabilityFsync},
		{"replica, everysec, local", couple(aof("everysec")), backend.DurabilityLocal},
		{"replica, everysec, replicated", couple(aof("everysec")), backend.DurabilityReplicated},
		{"replica, always, fsync", couple(aof("always")), backend.DurabilityFsync},
		{"sentinel, everysec, local", sentinel, backend.DurabilityLocal},
		{"sentinel, everysec, replicated", sentinel, backend.DurabilityReplicated},
		{"cluster, everysec, local", cluster, backend.DurabilityLocal},
		{"cluster, everysec, replicated", cluster, backend.DurabilityReplicated},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := open(t, backend.Config{URL: r.url(t), Durability: r.d, AllowMissing: true, Log: quietLog()})
			for _, callers := range []int{1, 32} {
				times := figures(t, s, callers, time.Duration(seconds)*time.Second)
				t.Logf("%-32s %2d callers: %6.0f creates/s, p50 %s, p99 %s", r.name, callers, float64(len(times))/float64(seconds),
					times[len(times)/2].Round(10*time.Microsecond), times[len(times)*99/100].Round(10*time.Microsecond))
			}
		})
	}
}

// figures creates users for a time and tells how long each took, in order.
func figures(t *testing.T, s *backend.Store, callers int, d time.Duration) []time.Duration {
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	end := time.Now().Add(d)
	for w := range callers {
		group.Go(func() {
			var mine []time.Duration
			for i := 0; time.Now().Before(end); i++ {
				u, entries := enterprise(t, w*1_000_000+callers*100_000+i)
				start := time.Now()
				hire(t, s, u, entries)
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	group.Wait()
	if len(all) == 0 {
		t.Fatal(fmt.Sprint("nothing was created in ", d))
	}
	slices.Sort(all)
	return all
}
