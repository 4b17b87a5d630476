package conformance_test

import (
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestOnCluster plays the recorded sessions and random histories against a
// server whose store is a Redis Cluster.
func TestOnCluster(t *testing.T) {
	c := redistest.Cluster(t, redistest.ClusterConfig{})
	suites(t, "cluster", c.URL, func() { c.Clear(t) })
}

// TestOnSentinel does so behind Sentinels.
func TestOnSentinel(t *testing.T) {
	g := redistest.Sentinels(t, redistest.SentinelConfig{})
	suites(t, "sentinel", g.URL, func() { g.Clear(t) })
}

func suites(t *testing.T, store, url string, clear func()) {
	for _, suite := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"sessions", func(t *testing.T) { replayAll(t, store, url) }},
		{"import", func(t *testing.T) { importWhileAdding(t, url) }},
		{"model", func(t *testing.T) { playHistories(t, store, url) }},
	} {
		clear()
		t.Run(suite.name, suite.run)
	}
}
