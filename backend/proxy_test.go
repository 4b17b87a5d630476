package backend_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// behind opens a store on a real server with a proxy in between.
func behind(t *testing.T) (*backend.Store, *conformance.Proxy, *redistest.Server) {
	t.Helper()
	return behindWith(t, backend.Config{})
}

func behindWith(t *testing.T, cfg backend.Config) (*backend.Store, *conformance.Proxy, *redistest.Server) {
	t.Helper()
	server := redistest.Run(t, redistest.Config{})
	p, err := conformance.NewProxy(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.URL = strings.Replace(server.URL, server.Addr, p.Addr(), 1)
	return open(t, cfg), p, server
}

func newUser(t testing.TB, name string) *resources.Record {
	t.Helper()
	return newRecord(t, resources.KindUser, name)
}

func TestLostReplies(t *testing.T) {
	const org = resources.OrgID("lost")
	ctx := context.Background()
	s, proxy, _ := behind(t)
	g := newRecord(t, resources.KindGroup, "everyone")
	if _, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, g, nil, entriesOf(g))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	fates := map[string]func(text string, n int){"swallowed": proxy.SwallowReplies, "cut": proxy.CutRequests}
	want := 0
	for name, harm := range fates {
		for losses := 1; losses <= 3; losses++ {
			mark := fmt.Sprintf("%s%d", name, losses)
			harm(mark, losses)
			u, before := newUser(t, mark), proxy.Harmed()
			c, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
				tx.Put(nil, u, nil, entriesOf(u))
				tx.Link(g.ID, u.ID)
				tx.Take(resources.Pool{Name: "seats", Limit: 100}, u.ID)
				tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: mark}, u.ID)
				tx.Event(resources.Event{Type: "user.created", ID: u.ID})
				return nil
			})
			want++
			if err != nil || !c.Changed {
				t.Fatalf("%s, %d times: %+v, %v", name, losses, c, err)
			}
			if got := proxy.Harmed() - before; got != losses {
				t.Fatalf("%s: the proxy harmed %d requests, want %d", name, got, losses)
			}
			rec, err := s.Get(ctx, org, resources.KindGroup, g.ID)
			if err != nil || rec.Links != uint64(want) {
				t.Fatalf("%s, %d times: the link was made %d times of %d, %v", name, losses, rec.Links, want, err)
			}
			events, err := s.Events(ctx, org, "", 100)
			if err != nil || len(events) != want || events[want-1].LSN != c.LSN {
				t.Fatalf("%s, %d times: %d events, want %d, the last %s; %v", name, losses, len(events), want, c.LSN, err)
			}
		}
	}
	auditAll(t, s, org)
}

func TestLostReplyOfTake(t *testing.T) {
	ctx := context.Background()
	s, proxy, _ := behind(t)
	if err := s.Put(ctx, "lost", "invite", "k", []byte("value"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	// The server must know the script, else the reply that gets lost is that it does not.
	if got, err := s.Take(ctx, "lost", "invite", "other"); got != nil || err != nil {
		t.Fatalf("a take of nothing gives %q, %v", got, err)
	}
	proxy.SwallowReplies("vt:{lost}:invite", 1)
	got, err := s.Take(ctx, "lost", "invite", "k")
	if string(got) != "value" || err != nil {
		t.Fatalf("a take whose reply was lost gives %q, %v", got, err)
	}
	if got, err := s.Take(ctx, "lost", "invite", "k"); got != nil || err != nil {
		t.Fatalf("a second take gives %q, %v", got, err)
	}
}

// TestLostReplyOfCount: a count whose reply was lost counts once (security C1).
func TestLostReplyOfCount(t *testing.T) {
	ctx := context.Background()
	s, proxy, _ := behind(t)
	for want := 1; want <= 3; want++ {
		proxy.SwallowReplies("vt:{lost}:tries", 1)
		n, err := s.Count(ctx, "lost", "tries", "k", time.Now().Add(time.Hour))
		if n != want || err != nil {
			t.Fatalf("count %d, whose reply was lost, gives %d, %v", want, n, err)
		}
	}
	if proxy.Harmed() != 3 {
		t.Errorf("the proxy harmed %d requests, want 3", proxy.Harmed())
	}
}

// TestRepliesStayLost: the outcome is unknown, the error says try again.
func TestRepliesStayLost(t *testing.T) {
	ctx := context.Background()
	s, proxy, _ := behind(t)
	proxy.SwallowReplies("doomed", 1000)
	u := newUser(t, "doomed")
	_, err := s.Update(ctx, "lost", func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, u, nil, entriesOf(u))
		return nil
	})
	if !errors.Is(err, resources.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	if n := proxy.Harmed(); n < 2 || n > 10 {
		t.Fatalf("the attempt was sent %d times", n)
	}
}

func TestServerGoneAndBack(t *testing.T) {
	ctx := context.Background()
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes"}})
	s := open(t, backend.Config{URL: server.URL})
	put := func(name string) error {
		u := newUser(t, name)
		_, err := s.Update(ctx, "gone", func(_ context.Context, tx resources.Tx) error {
			tx.Put(nil, u, nil, entriesOf(u))
			return nil
		})
		return err
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	start := time.Now()
	if err := put("while"); !errors.Is(err, resources.ErrUnavailable) {
		t.Fatalf("a write without a server: %v, want ErrUnavailable", err)
	}
	if _, err := s.Named(ctx, "gone", resources.UserName, "before"); !errors.Is(err, resources.ErrUnavailable) {
		t.Fatalf("a read without a server: %v, want ErrUnavailable", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %s to see that the server is gone", d)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	// The restarted server has lost its scripts: NOSCRIPT is met on the way.
	if err := put("after"); err != nil {
		t.Fatalf("a write to the restarted server: %v", err)
	}
	for _, name := range []string{"before", "after"} {
		if id, err := s.Named(ctx, "gone", resources.UserName, name); id == "" || err != nil {
			t.Errorf("%s is lost: %v", name, err)
		}
	}
}
