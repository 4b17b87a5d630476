package backend_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// The client's pools that could not reach their server look once a second whether
// they are closed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// clock is a clock that only moves when told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// open opens a store that the test closes; url "" is the embedded one.
func open(t testing.TB, cfg backend.Config) *backend.Store {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := backend.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// onBoth runs a test on the embedded store and on a real server.
func onBoth(t *testing.T, fn func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { fn(t, "") })
	t.Run("redis", func(t *testing.T) { fn(t, redistest.Start(t)) })
}

// envOf makes a conformance environment; the names of its organizations begin
// with prefix.
func envOf(s *backend.Store, c *clock, prefix string) conformance.StoreEnv {
	var mu sync.Mutex
	n := 0
	return conformance.StoreEnv{
		Store: s, Vault: s, Queue: s, Now: c.now, Advance: c.advance,
		Org: func() resources.OrgID {
			mu.Lock()
			defer mu.Unlock()
			n++
			return resources.OrgID(fmt.Sprintf("%s%d", strings.ToLower(prefix), n))
		},
	}
}
