package backend_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestStoreOnCluster runs what the embedded store and a single server are
// tested with on a Redis Cluster, too.
func TestStoreOnCluster(t *testing.T) {
	t.Parallel()
	c := redistest.Cluster(t, redistest.ClusterConfig{})
	url := c.URL
	t.Run("found", func(t *testing.T) { behindPlainURL(t, c) })
	t.Run("store", func(t *testing.T) { everyPromise(t, backend.Config{URL: url}) })
	t.Run("model", func(t *testing.T) { unitsAgainstModel(t, url) })
	t.Run("places", func(t *testing.T) { placesAgainstModel(t, url) })
	t.Run("linearizable", func(t *testing.T) { linearHistories(t, url) })
}

// TestStoreOnSentinel is the same behind Sentinels.
func TestStoreOnSentinel(t *testing.T) {
	t.Parallel()
	url := redistest.Sentinels(t, redistest.SentinelConfig{}).URL
	t.Run("store", func(t *testing.T) { everyPromise(t, backend.Config{URL: url}) })
}

// behindPlainURL: the address of any node is enough, a replica's too.
func behindPlainURL(t *testing.T, c *redistest.ClusterServers) {
	ctx, claim := t.Context(), resources.Claim{Kind: resources.ClaimEmail, Key: "found@example.com"}
	for i, node := range c.Nodes {
		s, u, org := open(t, backend.Config{URL: node.URL}), newUser(t, "found"), resources.OrgID(fmt.Sprintf("found%d", i))
		_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
			tx.Put(nil, u, nil, entriesOf(u))
			tx.Claim(claim, u.ID)
			return nil
		})
		var refused *resources.Refusal
		if i == 0 && err != nil || i > 0 && (!errors.As(err, &refused) || refused.HolderOrg != "found0") {
			t.Errorf("through node %d: %v", i, err)
		}
	}
	if s, err := backend.Open(ctx, backend.Config{URL: strings.TrimSuffix(c.Nodes[0].URL, "0") + "1"}); err == nil {
		_ = s.Close()
		t.Error("a database of a cluster was opened")
	} else if !strings.Contains(err.Error(), "only number 0") && !strings.Contains(err.Error(), "SELECT is not allowed") {
		t.Errorf("a database of a cluster: %v", err)
	}
}
