package backend_test

import (
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
)

// TestStoreOnCluster runs what the embedded store and a single server are
// tested with on a Redis Cluster, too.
func TestStoreOnCluster(t *testing.T) {
	url := redistest.Cluster(t, redistest.ClusterConfig{}).URL
	t.Run("store", func(t *testing.T) { everyPromise(t, backend.Config{URL: url}) })
}

// TestStoreOnSentinel is the same behind Sentinels.
func TestStoreOnSentinel(t *testing.T) {
	url := redistest.Sentinels(t, redistest.SentinelConfig{}).URL
	t.Run("store", func(t *testing.T) { everyPromise(t, backend.Config{URL: url}) })
}
