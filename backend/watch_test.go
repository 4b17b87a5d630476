package backend_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestFailoverNamesWhatItLost: a replica that was cut off becomes primary. What
// was acknowledged meanwhile is gone, and exactly that is told (redis.md §6.4).
func TestFailoverNamesWhatItLost(t *testing.T) {
	t.Parallel()
	p, l := newCouple(t), &losses{}
	s := watched(t, backend.Config{URL: p.url, Log: quietLog()}, l)
	h := &history{acked: map[string]*resources.Record{}}
	stop := make(chan struct{})
	writers := h.load(t, s, 6, stop)
	within(t, 10*time.Second, "writes arrive", func() bool { return h.count() > 300 })
	p.part()
	n := h.count()
	within(t, 10*time.Second, "writes are acknowledged that the replica does not have", func() bool { return h.count() > n+300 })
	p.door.CutAll() // calls for a look, which finds the primary as it was
	time.Sleep(500 * time.Millisecond)
	p.promote(t)
	n = h.count()
	within(t, 10*time.Second, "writes go on", func() bool { return h.count() > n+100 })
	close(stop)
	writers.Wait()
	want := h.missing(t, s)
	if len(want) < 200 {
		t.Fatalf("only %d of %d acknowledged writes are lost: this proves nothing", len(want), h.count())
	}
	told(t, l, want)
	t.Logf("lost %d of %d acknowledged writes", len(want), h.count())
}

// TestRestartNamesTheTail: a server that lost the end of its append-only file.
func TestRestartNamesTheTail(t *testing.T) {
	t.Parallel()
	// It writes its file before it answers, so that the file can be read at any time.
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	l := &losses{}
	s := watched(t, backend.Config{URL: server.URL, Log: quietLog()}, l)
	h := &history{acked: map[string]*resources.Record{}}
	write := func(n int) {
		for i := range n {
			c, u, err := put(t, s, "tail", fmt.Sprint(n, "-", i))
			if err != nil {
				t.Fatal(err)
			}
			h.acked["tail "+c.LSN] = u
		}
	}
	write(50)
	files, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	before, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	write(70)
	server.Kill()
	if err := os.WriteFile(files[0], before, 0o600); err != nil { // what was not synced when the power went
		t.Fatal(err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	want := h.missing(t, s)
	if len(want) != 70 {
		t.Fatalf("%d writes are lost, want 70", len(want))
	}
	told(t, l, want)
}

// TestSamePlaceOtherCommit: after a loss the stream has another commit at the
// very place of the lost one, as it happens when the clock of the new primary is
// behind. The lost one is told all the same.
func TestSamePlaceOtherCommit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes"}})
	l := &losses{}
	s := watched(t, backend.Config{URL: server.URL, Log: quietLog()}, l)
	var lsns []string
	for i := range 3 {
		c, _, err := put(t, s, "same", fmt.Sprint("u", i))
		if err != nil {
			t.Fatal(err)
		}
		lsns = append(lsns, c.LSN)
	}
	events, err := s.Events(ctx, "same", "", 10)
	if err != nil || len(events) != 3 {
		t.Fatal(events, err)
	}
	do(t, server, "DEL", "ev:{same}")
	for i, lsn := range lsns {
		id := events[i].ID
		if i == 1 {
			id = events[0].ID
		}
		do(t, server, "XADD", "ev:{same}", lsn, "e", fmt.Sprintf(`{"t":"user.created","k":%d,"i":%q}`, events[i].Kind, id))
	}
	server.Kill()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	told(t, l, []string{"same " + lsns[1]})
}

// TestNothingLostNothingTold: restarts that lose nothing, and organizations that
// were erased, by this node or another, are no losses.
func TestNothingLostNothingTold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	l := &losses{}
	s := watched(t, backend.Config{URL: server.URL, Log: quietLog()}, l)
	for _, org := range []resources.OrgID{"kept", "gone", "gone2"} {
		for i := range 20 {
			if _, _, err := put(t, s, org, fmt.Sprint("u", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	another := open(t, backend.Config{URL: server.URL})
	for org, eraser := range map[resources.OrgID]*backend.Store{"gone": s, "gone2": another} {
		for n := 1; n > 0; {
			var err error
			if n, err = eraser.Erase(ctx, org, 100); err != nil {
				t.Fatal(err)
			}
		}
	}
	server.Kill()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	told(t, l, nil)
}

// TestTornScriptStaysGone: a crash has left half of a script in the append-only
// file. Redis does not execute it when it starts, and must not at any later start.
func TestTornScriptStaysGone(t *testing.T) {
	t.Parallel()
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	watched(t, backend.Config{URL: server.URL, Log: quietLog()}, &losses{})
	ctx := t.Context()
	if _, err := server.Do(ctx, "EVAL", "redis.call('SET', 'torn1', '1') redis.call('SET', 'torn2', '1') return 1", "0"); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	files, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	st, err := os.Stat(files[0])
	if err == nil {
		err = os.Truncate(files[0], st.Size()-30) // EXEC and a part of the second SET
	}
	if err == nil {
		err = server.Restart()
	}
	if err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the file is written anew", func() bool {
		info, err := server.Do(ctx, "INFO", "persistence")
		text := fmt.Sprint(info)
		return err == nil && strings.Contains(text, "aof_rewrite_in_progress:0") && !strings.Contains(text, "aof_last_rewrite_time_sec:-1")
	})
	if _, err := server.Do(ctx, "EVAL", "redis.call('SET', 'next1', '1') redis.call('SET', 'next2', '1') return 1", "0"); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"torn1": "0", "torn2": "0", "next1": "1", "next2": "1"} {
		if n, err := server.Do(ctx, "EXISTS", key); err != nil || fmt.Sprint(n) != want {
			t.Errorf("%s: %v, %v", key, n, err)
		}
	}
}
