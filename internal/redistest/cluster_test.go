package redistest

import (
	"context"
	"testing"
	"time"
)

func TestClusterFailsOver(t *testing.T) {
	t.Parallel() // most of it is waiting
	start := time.Now()
	c := Cluster(t, ClusterConfig{})
	t.Logf("formed in %v", time.Since(start))
	ctx := context.Background()
	first := c.PrimaryOf(t, "ev:{acme}")
	if _, err := first.Do(ctx, "SET", "ev:{acme}", "1"); err != nil {
		t.Fatalf("SET on the key's primary: %v", err)
	}
	if n, err := first.Do(ctx, "WAIT", "1", "400"); err != nil || n != int64(1) {
		t.Fatalf("WAIT = %v, %v; want one replica", n, err)
	}
	replicas := c.ReplicasOf(first)
	if len(replicas) != 1 {
		t.Fatalf("the primary has %d replicas, want 1", len(replicas))
	}
	start = time.Now()
	first.Kill()
	second := c.PrimaryOf(t, "ev:{acme}")
	t.Logf("failed over in %v", time.Since(start))
	if second != replicas[0] {
		t.Fatalf("%s serves the slot, want the replica %s", second.Addr, replicas[0].Addr)
	}
	if v, err := second.Do(ctx, "GET", "ev:{acme}"); err != nil || v != "1" {
		t.Fatalf("GET = %v, %v", v, err)
	}
	if err := first.Restart(); err != nil {
		t.Fatalf("restart: %v", err)
	}
	bounded, cancel := context.WithTimeout(ctx, formTime)
	defer cancel()
	if err := eventually(bounded, func() error { return first.settled(ctx, len(c.Nodes)) }); err != nil {
		t.Fatalf("the old primary does not come back: %v", err)
	}
	if got := c.ReplicasOf(second); len(got) != 1 || got[0] != first {
		t.Fatalf("the old primary does not follow the new one: %v", got)
	}
}

func TestSentinelsFailOver(t *testing.T) {
	t.Parallel()
	start := time.Now()
	g := Sentinels(t, SentinelConfig{})
	t.Logf("formed in %v", time.Since(start))
	first := g.Primary(t)
	if first != g.Nodes[0] || len(g.ReplicasOf(first)) != 2 {
		t.Fatalf("the primary is %s with %d replicas", first.Addr, len(g.ReplicasOf(first)))
	}
	ctx := context.Background()
	start = time.Now()
	first.Freeze()
	second := g.Primary(t)
	for second == first { // the Sentinels need a second to see it
		second = g.Primary(t)
	}
	t.Logf("failed over in %v", time.Since(start))
	first.Thaw()
	bounded, cancel := context.WithTimeout(ctx, formTime)
	defer cancel()
	if err := eventually(bounded, func() error { return first.follows(ctx) }); err != nil {
		t.Fatalf("the old primary does not come back: %v", err)
	}
}

func TestOwnSlotReadsRangesAndSlotsOnTheirWay(t *testing.T) {
	const view = "a 127.0.0.1:1@2 master - 0 0 9 connected 10-20\n" +
		"b 127.0.0.1:3@4 myself,master - 0 0 7 connected 0-5 8 [9->-a]\n"
	for slot, want := range map[int]bool{0: true, 5: true, 6: false, 8: true, 9: false, 15: false} {
		if epoch, owns := ownSlot(view, slot); owns != want || epoch != 7 {
			t.Errorf("ownSlot(%d) = %d, %v; want 7, %v", slot, epoch, owns, want)
		}
	}
}
