package backend_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestReplicatedLosesNothing: with durability replicated no acknowledged write is
// lost, however the failover comes (security D2).
func TestReplicatedLosesNothing(t *testing.T) {
	for run := range 3 {
		t.Run(fmt.Sprint("run", run), func(t *testing.T) {
			t.Parallel()
			p, l := newCouple(t), &losses{}
			s := watched(t, backend.Config{URL: p.url, Log: quietLog(), Durability: backend.DurabilityReplicated, Wait: shortWait}, l)
			h := &history{acked: map[string]*resources.Record{}}
			stop := make(chan struct{})
			writers := h.load(t, s, 8, stop)
			within(t, 10*time.Second, "writes arrive", func() bool { return h.count() > 200 })
			p.part()
			time.Sleep(time.Duration(1+run) * 2 * shortWait)
			p.promote(t)
			close(stop)
			writers.Wait()
			if lost := h.missing(t, s); len(lost) > 0 {
				t.Errorf("%d of %d acknowledged writes are lost: %v", len(lost), h.count(), lost[:1])
			}
			told(t, l, nil)
			t.Logf("%d acknowledged of %d, none lost", h.count(), h.n)
		})
	}
}

// frozen is a store with durability replicated whose only replica has just been
// frozen: it has confirmed all that was written before, and nothing since.
func frozen(t *testing.T) (*backend.Store, *couple) {
	t.Helper()
	p := newCouple(t)
	s := watched(t, backend.Config{URL: p.url, Durability: backend.DurabilityReplicated, Wait: shortWait}, &losses{})
	// There are many connections, of all kinds, and the replica has confirmed what
	// they did: WAIT on another than the write's would answer for that.
	atOnce(8, func(w int) {
		for i := range 10 {
			confirmed(t, func() error { // a busy machine may be slow to confirm
				_, _, err := put(t, s, "safe", fmt.Sprint("before", w, "-", i, "-", time.Now().UnixNano()))
				return err
			})
			if _, err := s.Named(context.Background(), "safe", resources.UserName, "nobody"); err != nil {
				t.Error(err)
			}
		}
	})
	p.replica.Freeze()
	t.Cleanup(p.replica.Thaw)
	return s, p
}

// confirmed does something again until the replica confirms it.
func confirmed(t *testing.T, fn func() error) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		err := fn()
		if err == nil {
			return
		}
		if !errors.Is(err, resources.ErrUnavailable) || time.Now().After(end) {
			t.Error(err)
			return
		}
	}
}

func atOnce(n int, fn func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { fn(i) })
	}
	group.Wait()
}

// TestReplicaSilent: what the replica has not received is not acknowledged; the
// outcome is unknown, and the same request is right again. WAIT answers for its
// own connection only: on another it would answer 1 here (security §0.6).
func TestReplicaSilent(t *testing.T) {
	ctx := context.Background()
	s, p := frozen(t)
	start := time.Now()
	atOnce(6, func(i int) {
		_, u, err := put(t, s, "safe", fmt.Sprint("unsafe", i))
		if !errors.Is(err, resources.ErrOutcomeUnknown) || !errors.Is(err, resources.ErrUnavailable) {
			t.Errorf("a write that no replica has: %v, want ErrOutcomeUnknown", err)
		}
		if rec, err := s.Get(ctx, "safe", resources.KindUser, u.ID); rec == nil || err != nil {
			t.Errorf("the write was not executed: %v", err)
		}
	})
	if d := time.Since(start); d < 5*shortWait || d > 20*shortWait {
		t.Errorf("it was given up after %s, want a little more than five times %s", d, shortWait)
	}
	p.replica.Thaw()
	within(t, 5*time.Second, "the replica confirms again", func() bool {
		_, _, err := put(t, s, "safe", fmt.Sprint("after", time.Now().UnixNano()))
		return err == nil
	})
}

// TestReplicaSilentThenRefused: a write that was executed, was not confirmed and is
// refused when it is sent again may be there nevertheless.
func TestReplicaSilentThenRefused(t *testing.T) {
	s, p := frozen(t)
	failed := make(chan error, 1)
	go func() {
		_, _, err := put(t, s, "safe", "doomed")
		failed <- err
	}()
	within(t, 5*time.Second, "the write is executed", func() bool {
		id, err := s.Named(context.Background(), "safe", resources.UserName, "doomed")
		return err == nil && id != ""
	})
	time.Sleep(shortWait * 3 / 2) // it was short once
	do(t, p.primary, "REPLICAOF", "127.0.0.1", "1")
	if err := <-failed; !errors.Is(err, resources.ErrOutcomeUnknown) {
		t.Errorf("the write: %v, want ErrOutcomeUnknown", err)
	}
}

// TestReplicaSilentReplyLost: an attempt that is sent again and finds itself
// known writes nothing. What WAIT promises is about the writes of its own
// connection, so that it could answer for nothing then. (Redis 7.0 is stricter
// than its promise: any command of the connection will do.)
func TestReplicaSilentReplyLost(t *testing.T) {
	ctx := context.Background()
	s, p := frozen(t)
	p.door.SwallowReplies("doomed", 1)
	if _, _, err := put(t, s, "safe", "doomed"); !errors.Is(err, resources.ErrOutcomeUnknown) {
		t.Errorf("a create whose reply was lost: %v, want ErrOutcomeUnknown", err)
	}
	exp := time.Now().Add(time.Hour)
	for what, fn := range map[string]func() error{
		"add":   func() error { _, err := s.Add(ctx, "safe", "add", "k", exp); return err },
		"count": func() error { _, err := s.Count(ctx, "safe", "count", "k", exp); return err },
		"put":   func() error { return s.Put(ctx, "safe", "put", "k", nil, exp) },
	} {
		p.door.SwallowReplies("vt:{safe}:"+what, 1)
		if err := fn(); !errors.Is(err, resources.ErrOutcomeUnknown) {
			t.Errorf("%s of the vault whose reply was lost: %v, want ErrOutcomeUnknown", what, err)
		}
	}
	if n := p.door.Harmed(); n != 4 {
		t.Errorf("the proxy harmed %d requests, want 4", n)
	}
}

// TestReplicaSilentNothingToDo: who answers that all is so already relies on what
// others have written, which may yet be lost.
func TestReplicaSilentNothingToDo(t *testing.T) {
	ctx := context.Background()
	s, p := frozen(t)
	p.replica.Thaw()
	g := newRecord(t, resources.KindGroup, "everyone")
	var u *resources.Record
	confirmed(t, func() (err error) {
		_, u, err = put(t, s, "safe", fmt.Sprint("member", time.Now().UnixNano()))
		return err
	})
	join := func(tx resources.Tx) { tx.Link(g.ID, u.ID) }
	update := func(fn func(resources.Tx)) (resources.Commit, error) {
		return s.Update(ctx, "safe", func(_ context.Context, tx resources.Tx) error { fn(tx); return nil })
	}
	found := func(tx resources.Tx) {
		if rec, err := tx.Read(g.Kind, g.ID); rec == nil && err == nil {
			tx.Put(nil, g, nil, entriesOf(g))
		}
	}
	for _, fn := range []func(resources.Tx){found, join} {
		confirmed(t, func() error { _, err := update(fn); return err })
	}
	nothing := map[string]func(resources.Tx){"the same link": join, "an empty unit": func(resources.Tx) {}}
	for what, fn := range nothing {
		confirmed(t, func() error {
			c, err := update(fn)
			if c.Changed {
				t.Errorf("%s: %+v", what, c)
			}
			return err
		})
	}
	p.replica.Freeze()
	for what, fn := range nothing {
		if _, err := update(fn); !errors.Is(err, resources.ErrOutcomeUnknown) {
			t.Errorf("%s, the replica being silent: %v, want ErrOutcomeUnknown", what, err)
		}
	}
	if _, ok, err := s.Lease(ctx, "safe", "w", time.Minute); !ok || err != nil {
		t.Errorf("a lease does not wait for replicas: %v, %v", ok, err)
	}
}

// TestReplicaSilentOthersRefused: while one write is short, others are refused
// unsent, and the connections stay free.
func TestReplicaSilentOthersRefused(t *testing.T) {
	s, _ := frozen(t)
	first := make(chan error)
	var u *resources.Record
	for try := 1; ; try++ {
		go func() {
			_, _, err := put(t, s, "safe", fmt.Sprint("first", try))
			first <- err
		}()
		time.Sleep(2 * shortWait)
		start := time.Now()
		var err error
		_, u, err = put(t, s, "safe", fmt.Sprint("second", try))
		if errors.Is(err, resources.ErrUnavailable) && !errors.Is(err, resources.ErrOutcomeUnknown) && time.Since(start) <= shortWait {
			break
		}
		if try == 5 { // on a busy machine the first may not be short yet
			t.Fatalf("a write while another is short: %v after %s, want ErrUnavailable at once", err, time.Since(start))
		}
		<-first
	}
	if rec, err := s.Get(context.Background(), "safe", resources.KindUser, u.ID); rec != nil || err != nil {
		t.Errorf("a write that was refused was executed: %v", err)
	}
	if err := <-first; !errors.Is(err, resources.ErrOutcomeUnknown) {
		t.Errorf("the first: %v", err)
	}
}

// TestScriptsForgotten: NOSCRIPT is met inside the pipeline.
func TestScriptsForgotten(t *testing.T) {
	p := newCouple(t)
	s := watched(t, backend.Config{URL: p.url, Durability: backend.DurabilityReplicated}, &losses{})
	for i := range 3 {
		do(t, p.primary, "SCRIPT", "FLUSH")
		if _, _, err := put(t, s, "safe", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDurabilityRefused: a promise that the server cannot keep is refused at the
// start, with what to do.
func TestDurabilityRefused(t *testing.T) {
	ctx := context.Background()
	everysec := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "everysec"}})
	for what, x := range map[string]struct {
		cfg  backend.Config
		want []string
	}{
		"no replica":  {backend.Config{URL: everysec.URL, Durability: backend.DurabilityReplicated}, []string{"durability_replicas 1", "0 follow", "durability_allow_missing"}},
		"no WAITAOF":  {backend.Config{URL: everysec.URL, Durability: backend.DurabilityFsync}, []string{"WAITAOF", "appendfsync is everysec", "appendfsync always"}},
		"no AOF":      {backend.Config{URL: redistest.Start(t), Durability: backend.DurabilityFsync}, []string{"appendonly no", "appendonly yes"}},
		"CONFIG shut": {backend.Config{URL: barred(t, "--appendonly", "yes", "--appendfsync", "always"), Durability: backend.DurabilityFsync}, []string{"does not tell its appendfsync", "+config|get"}},
	} {
		s, err := backend.Open(ctx, x.cfg)
		if err == nil {
			t.Errorf("%s: accepted", what)
			_ = s.Close()
			continue
		}
		for _, part := range x.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v; it should say %q", what, err, part)
			}
		}
	}
	s := open(t, backend.Config{URL: everysec.URL, Durability: backend.DurabilityReplicated, AllowMissing: true, Wait: 20 * time.Millisecond})
	if _, _, err := put(t, s, "o", "u"); !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("a write without replicas: %v", err)
	}
}

// barred runs a server that renames CONFIG away, as managed ones do.
func barred(t *testing.T, args ...string) string {
	t.Helper()
	return redistest.Run(t, redistest.Config{Args: append(args, "--rename-command", "CONFIG", "")}).URL
}

// TestKilled: SIGKILL takes what never reached a file. It does not show what a
// power cut takes from appendfsync everysec: the system still has the file's end
// (security §0.4, D1).
func TestKilled(t *testing.T) {
	for _, x := range []struct {
		name, sync string
		durability backend.Durability
		loses      bool
	}{
		{"always", "always", backend.DurabilityFsync, false},
		{"everysec", "everysec", backend.DurabilityLocal, false},
		{"none", "", backend.DurabilityLocal, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--appendonly", "yes", "--appendfsync", x.sync}
			if x.sync == "" {
				args = nil
			}
			server, l := redistest.Run(t, redistest.Config{Args: args}), &losses{}
			s := watched(t, backend.Config{URL: server.URL, Log: quietLog(), Durability: x.durability}, l)
			h := &history{acked: map[string]*resources.Record{}}
			stop := make(chan struct{})
			writers := h.load(t, s, 6, stop)
			within(t, 10*time.Second, "writes arrive", func() bool { return h.count() > 300 })
			server.Kill()
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
			close(stop)
			writers.Wait()
			want := h.missing(t, s)
			if x.loses != (len(want) > 0) {
				t.Errorf("%d of %d acknowledged writes are lost", len(want), h.count())
			}
			told(t, l, want)
			t.Logf("lost %d of %d", len(want), h.count())
		})
	}
}
