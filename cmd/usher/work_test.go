package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// waits reports whether something stands on a list for so long.
func waits(t *testing.T, s *backend.Store, org resources.OrgID, d time.Duration) bool {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		next, err := s.Next(t.Context(), []resources.OrgID{org})
		if err != nil {
			t.Fatal(err)
		}
		if next[0].IsZero() {
			return false
		}
	}
	return true
}

// Work that waits is done by a server that was told to, and left by one that was
// told not to; several servers on one store share it.
func TestServeWorks(t *testing.T) {
	url := redistest.Start(t)
	env := map[string]string{"USHER_REDIS_URL": url}
	store, err := backend.Open(t.Context(), backend.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(items ...string) {
		_, err := store.Update(t.Context(), resources.PlatformOrg, func(_ context.Context, tx resources.Tx) error {
			for _, item := range items {
				tx.Due(item, time.Now())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask("unobody", "usomebody")
	idle := start(t, map[string]string{"USHER_REDIS_URL": url, "USHER_JOBS_WORKERS": "0"})
	if !waits(t, store, resources.PlatformOrg, time.Second) {
		t.Error("a server without workers works")
	}
	if !strings.Contains(idle.stderr.String(), "leaves work that waits to others") {
		t.Errorf("the log does not say that nobody works:\n%s", idle.stderr)
	}
	first, second := start(t, env), start(t, env, "--no-bootstrap")
	if waits(t, store, resources.PlatformOrg, 20*time.Second) {
		t.Error("nobody did what waited")
	}
	var numbers string
	for _, n := range []*node{first, second} {
		_, text := get(t, n.MetricsURL, "")
		numbers += text
	}
	for _, want := range []string{`usher_work_items_total{outcome="done",sort="u"}`, "usher_work_seconds_count", "usher_work_wait_seconds_count", "usher_work_leases 0"} {
		if !strings.Contains(numbers, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	first.stop(t)
	ask("uanybody")
	if waits(t, store, resources.PlatformOrg, 20*time.Second) {
		t.Error("the other server did not go on")
	}
}
