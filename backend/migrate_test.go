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
	writes, reads      int           // that were done
	refusedW, refusedR int           // that said the store is unavailable
	gap                time.Duration // longest time without a write
	slowest            time.Duration // longest call
	names              map[string]string
	unknown            map[string]bool
	other              []error // anything else
}

// drive writes and reads until stop is closed. Every write makes a user with a
// name of its own, or gives the last one another display name; names are claimed.
func drive(s *backend.Store, org resources.OrgID, t *testing.T, stop <-chan struct{}) *traffic {
	x := &traffic{names: map[string]string{}, unknown: map[string]bool{}}
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
			_, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
				tx.Put(nil, u, nil, entriesOf(u))
				tx.Claim(claim, u.ID)
				tx.Event(resources.Event{Type: "user.created", ID: u.ID})
				return nil
			})
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

// check compares what is in the store with what the writer was told.
func (x *traffic) check(t *testing.T, s *backend.Store, org resources.OrgID) {
	t.Helper()
	for _, err := range x.other {
		t.Errorf("a call failed: %v", err)
	}
	for id, name := range x.names {
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
			events[e.Event.ID]++
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
	if len(events) < len(x.names) {
		t.Errorf("%d events of %d writes", len(events), len(x.names))
	}
	audit(t, s, org)
}

// TestSlotMovesUnderLoad moves an organization's slot key by key to another node
// while it is written and read: calls say at worst that the store is
// unavailable, nothing is done twice and nothing is missing afterwards.
func TestSlotMovesUnderLoad(t *testing.T) {
	const org = resources.OrgID("mover")
	c := redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1})
	s := open(t, backend.Config{URL: c.URL})
	stop, done := make(chan struct{}), make(chan *traffic)
	go func() { done <- drive(s, org, t, stop) }()
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
	if x.refusedW == 0 || x.writes < 50 {
		t.Error("the slot's move was not felt, or little was written")
	}
	x.check(t, s, org)
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
// could begin, delete one of them and be stopped when it comes back to it.
func TestNoScriptBeginsWhileItsSlotMoves(t *testing.T) {
	const org = resources.OrgID("half")
	c := redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1})
	s, tag, ctx := open(t, backend.Config{URL: c.URL}), "{"+string(org)+"}", t.Context()
	u := newUser(t, "before")
	if _, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, u, nil, entriesOf(u))
		tx.Event(resources.Event{Type: "user.created", ID: u.ID})
		return nil
	}); err != nil {
		t.Fatal(err)
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
	for _, generation := range []string{"0", "1"} { // as in an organization that is busy
		do(from, "HSETNX", "at:"+tag+":"+generation, "m", "1")
	}
	slot := do(from, "CLUSTER", "KEYSLOT", tag)
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", do(from, "CLUSTER", "MYID"))
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", do(to, "CLUSTER", "MYID"))
	rename := func(_ context.Context, tx resources.Tx) error {
		rec, err := tx.Read(resources.KindUser, u.ID)
		if err != nil || rec == nil {
			return err
		}
		next := *rec
		next.Version, next.Display = rec.Version+1, "after"
		tx.Put(rec, &next, entriesOf(rec), entriesOf(&next))
		tx.Event(resources.Event{Type: "user.updated", ID: u.ID})
		return nil
	}
	if _, err := s.Update(ctx, org, rename); !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("a write while the slot moves: %v, want that the store is unavailable", err)
	}
	do(from, "CLUSTER", "SETSLOT", slot, "STABLE")
	do(to, "CLUSTER", "SETSLOT", slot, "STABLE")
	audit(t, s, org)
	if events, err := s.Events(ctx, org, "", 10); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v; want 1", len(events), err)
	}
	if _, err := s.Update(ctx, org, rename); err != nil {
		t.Errorf("a write after the slot's move was given up: %v", err)
	}
	audit(t, s, org)
}
