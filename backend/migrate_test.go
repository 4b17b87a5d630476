package backend_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// traffic is what one writer and one reader of an organization have seen while
// something happened to the servers.
type traffic struct {
	writes, reads      int               // that were done
	refusedW, refusedR int               // that said the store is unavailable
	gap                time.Duration     // longest time without a write
	slowest            time.Duration     // longest call
	names, lsns        map[string]string // by id
	unknown            map[string]bool
	other              []error // anything else
}

// drive writes and reads until stop is closed. Every write makes a user with a
// name of its own, which is claimed if claims are asked for.
func drive(t *testing.T, s *backend.Store, org resources.OrgID, claims bool, stop <-chan struct{}) *traffic {
	x := &traffic{names: map[string]string{}, lsns: map[string]string{}, unknown: map[string]bool{}}
	last, before := time.Now(), ""
	timed := func(ask func() error) error {
		began := time.Now()
		err := ask()
		x.slowest = max(x.slowest, time.Since(began))
		return err
	}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return x
		default:
		}
		u := newUser(t, fmt.Sprintf("%s-%d", org, i))
		claim := resources.Claim{Kind: resources.ClaimEmail, Key: u.Display}
		err := timed(func() error {
			c, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
				tx.Put(nil, u, nil, entriesOf(u))
				if claims {
					tx.Claim(claim, u.ID)
				}
				tx.Event(resources.Event{Type: "user.created", ID: u.ID})
				return nil
			})
			x.lsns[u.ID] = c.LSN
			return err
		})
		switch {
		case err == nil:
			x.writes++
			x.gap = max(x.gap, time.Since(last))
			last, before = time.Now(), u.ID
			x.names[u.ID] = u.Display
		case errors.Is(err, resources.ErrUnavailable):
			x.refusedW++
			x.unknown[u.ID] = true
		default:
			x.other = append(x.other, err)
		}
		if before == "" {
			continue
		}
		err = timed(func() error {
			rec, err := s.Get(context.Background(), org, resources.KindUser, before)
			if err == nil && rec == nil {
				return errors.New("a user that was made is gone")
			}
			return err
		})
		switch {
		case err == nil:
			x.reads++
		case errors.Is(err, resources.ErrUnavailable):
			x.refusedR++
		default:
			x.other = append(x.other, err)
		}
	}
}

// check compares what is in the store with what the writer was told, but for
// the commits that were reported as lost.
func (x *traffic) check(t *testing.T, s *backend.Store, org resources.OrgID, lost map[string]bool) {
	t.Helper()
	for _, err := range x.other {
		t.Errorf("a call failed: %v", err)
	}
	for id, name := range x.names {
		if lost[x.lsns[id]] {
			continue
		}
		rec, err := s.Get(t.Context(), org, resources.KindUser, id)
		if err != nil || rec == nil || rec.Display != name {
			t.Fatalf("%s is not there: %v, %v", name, rec, err)
		}
	}
	events, after := map[string]int{}, ""
	for {
		page, err := s.Events(t.Context(), org, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			events[e.ID]++
			after = e.LSN
		}
		if len(page) == 0 {
			break
		}
	}
	for id, n := range events {
		if n != 1 || x.names[id] == "" && !x.unknown[id] {
			t.Errorf("%s was written %d times", id, n)
		}
	}
	if len(events) < len(x.names)-len(lost) {
		t.Errorf("%d events of %d writes", len(events), len(x.names))
	}
	audit(t, s, org)
}

// TestSlotMovesUnderLoad moves an organization's slot key by key to another node
// while it is written and read: calls say at worst that the store is
// unavailable, nothing is done twice and nothing is missing afterwards.
func TestSlotMovesUnderLoad(t *testing.T) {
	t.Parallel()
	const org = resources.OrgID("mover")
	c := redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1})
	s := open(t, backend.Config{URL: c.URL})
	stop, done := make(chan struct{}), make(chan *traffic)
	go func() { done <- drive(t, s, org, true, stop) }()
	time.Sleep(300 * time.Millisecond)
	for range 2 {
		from := c.PrimaryOf(t, "ev:{"+string(org)+"}")
		to := c.Nodes[0]
		if to == from {
			to = c.Nodes[1]
		}
		began := time.Now()
		n := moveSlot(t, c, from, to, "{"+string(org)+"}")
		t.Logf("%d keys moved in %v", n, time.Since(began))
		time.Sleep(300 * time.Millisecond)
	}
	close(stop)
	x := <-done
	t.Logf("%d writes and %d reads done, %d and %d unavailable; %v without a write, slowest call %v", x.writes, x.reads, x.refusedW, x.refusedR, x.gap, x.slowest)
	if x.gap < 200*time.Millisecond || x.writes < 20 {
		t.Error("the slot's move was not felt, or little was written")
	}
	x.check(t, s, org, nil)
}

// moveSlot is what redis-cli does to move a slot, a little slower.
func moveSlot(t *testing.T, c *redistest.ClusterServers, from, to *redistest.Server, key string) int {
	t.Helper()
	do := func(s *redistest.Server, words ...string) any {
		reply, err := s.Do(t.Context(), words...)
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		return reply
	}
	slot := fmt.Sprint(do(from, "CLUSTER", "KEYSLOT", key))
	source, target := fmt.Sprint(do(from, "CLUSTER", "MYID")), fmt.Sprint(do(to, "CLUSTER", "MYID"))
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	host, port, _ := strings.Cut(to.Addr, ":")
	moved := 0
	for {
		keys, _ := do(from, "CLUSTER", "GETKEYSINSLOT", slot, "10").([]any)
		if len(keys) == 0 {
			break
		}
		words := []string{"MIGRATE", host, port, "", "0", "2000", "AUTH", c.Password, "KEYS"}
		for _, k := range keys {
			words = append(words, fmt.Sprint(k))
		}
		do(from, words...)
		moved += len(keys)
		time.Sleep(5 * time.Millisecond)
	}
	for _, s := range []*redistest.Server{to, from, c.Nodes[0], c.Nodes[1], c.Nodes[2]} {
		do(s, "CLUSTER", "SETSLOT", slot, "NODE", target)
	}
	return moved
}

// TestNoScriptBeginsWhileItsSlotMoves: a script whose keys are all still there
// could begin, delete one of them and be stopped when it comes back to it. Here
// that is the list of attempts, at the turn of a minute.
func TestNoScriptBeginsWhileItsSlotMoves(t *testing.T) {
	t.Parallel()
	const org, tag = resources.OrgID("half"), "{half}"
	c := redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1})
	s, ctx, until := open(t, backend.Config{URL: c.URL}), t.Context(), time.Now().Add(time.Hour)
	count := func() (int, error) { return s.Count(ctx, org, "p", "k", until) }
	if n, err := count(); err != nil || n != 1 {
		t.Fatalf("count: %d, %v", n, err)
	}
	from := c.PrimaryOf(t, tag)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	do := func(s *redistest.Server, words ...string) string {
		reply, err := s.Do(ctx, words...)
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		return fmt.Sprint(reply)
	}
	for _, generation := range []string{"0", "1"} {
		do(from, "HSET", "at:"+tag+":"+generation, "m", "1")
	}
	slot := do(from, "CLUSTER", "KEYSLOT", tag)
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", do(from, "CLUSTER", "MYID"))
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", do(to, "CLUSTER", "MYID"))
	if n, err := count(); !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("a write while the slot moves: %d, %v, want that the store is unavailable", n, err)
	}
	do(from, "CLUSTER", "SETSLOT", slot, "STABLE")
	do(to, "CLUSTER", "SETSLOT", slot, "STABLE")
	if n, err := count(); err != nil || n != 2 {
		t.Errorf("a count after the slot's move was given up: %d, %v; want 2", n, err)
	}
}
