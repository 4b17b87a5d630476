package backend_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/journaltest"
	"github.com/usher-scim/usher/resources"
)

// TestStoreKept runs every promise of the ports on a store with a data directory,
// and compares what it holds when it is opened again, from the journal and from a
// snapshot, with what it held.
func TestStoreKept(t *testing.T) {
	for i, check := range conformance.StoreChecks() {
		t.Run(check.Name, func(t *testing.T) {
			c, disk := newClock(), journaltest.New()
			cfg := backend.Config{Now: c.now}.OnDisk(disk)
			s := open(t, cfg)
			if err := check.Run(context.Background(), envOf(s, c, fmt.Sprintf("k%do", i))); err != nil {
				t.Fatalf("%s: %v", check.Source, err)
			}
			sameAgain(t, s, backend.Config{Now: c.now}, disk)
		})
	}
}

// sameAgain opens copies of the disk and compares.
func sameAgain(t *testing.T, s *backend.Store, cfg backend.Config, disk *journaltest.Disk) {
	t.Helper()
	want := s.Content()
	replayed := open(t, cfg.OnDisk(disk.Copy()))
	if d := cmp.Diff(want, replayed.Content()); d != "" {
		t.Fatalf("from the journal (-before +after):\n%s", d)
	}
	if err := s.Snapshot(context.Background()); err != nil {
		t.Fatal(err)
	}
	restored := open(t, cfg.OnDisk(disk.Copy()))
	if d := cmp.Diff(want, restored.Content()); d != "" {
		t.Fatalf("from a snapshot (-before +after):\n%s", d)
	}
}

func putUser(ctx context.Context, t testing.TB, s *backend.Store, org resources.OrgID, name string) (resources.Commit, error) {
	t.Helper()
	return s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		u := newRecord(t, resources.KindUser, name)
		tx.Put(nil, u, nil, []resources.Entry{{Index: resources.UserAll, Value: u.ID}})
		return nil
	})
}

// A script that fails half way has done what it has done: the same is there after
// the store is opened again.
func TestHalfAScriptIsKept(t *testing.T) {
	disk := journaltest.New()
	s := open(t, backend.Config{}.OnDisk(disk))
	ctx := context.Background()
	_, err := s.Eval(ctx, "redis.call('SET', KEYS[1], 'a') redis.call('SADD', KEYS[2], 'x') redis.call('HSET', KEYS[2], 'f', 'v') redis.call('SET', KEYS[1], 'b')", []string{"k:{o}", "s:{o}"})
	if err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Fatalf("the script ended with %v", err)
	}
	if _, err := s.Eval(ctx, "redis.call('SET', KEYS[1], 'c') error('on purpose')", []string{"l:{o}"}); err == nil {
		t.Fatal("an error is not told")
	}
	want := map[string]string{"k:{o}": `string ["a"]`, "s:{o}": `set ["x"]`, "l:{o}": `string ["c"]`}
	if d := cmp.Diff(want, s.Content()); d != "" {
		t.Fatalf("in memory (-want +got):\n%s", d)
	}
	sameAgain(t, s, backend.Config{}, disk)
}

// What the journal cannot keep is refused before it is done.
func TestUnkeptWritesAreRefused(t *testing.T) {
	s := open(t, backend.Config{}.OnDisk(journaltest.New()))
	ctx := context.Background()
	for body, want := range map[string]string{
		"redis.call('LPUSH', KEYS[1], '10')":    "does not know the command LPUSH",
		"redis.pcall('SPOP', KEYS[1]) return 1": "",
		"redis.call('XADD', KEYS[1], 'x', 'f')": "id",
	} {
		if _, err := s.Eval(ctx, body, []string{"k:{o}"}); (want != "" && err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	if got := s.Content(); len(got) != 0 {
		t.Errorf("the store holds %v", got)
	}
	if err := s.Naked(ctx, "SET", "k", "v"); err == nil || !strings.Contains(err.Error(), "no script that writes") {
		t.Errorf("a write outside of scripts: %v", err)
	}
}

// Commit numbers grow over a restart and when the clock goes back.
func TestEventsGrowWhateverTheClockDoes(t *testing.T) {
	ctx, disk := context.Background(), journaltest.New()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var last string
	var ids []string
	for _, back := range []time.Duration{0, 0, time.Hour, 25 * time.Hour} {
		at := at.Add(-back)
		s, err := backend.Open(ctx, backend.Config{}.OnDisk(disk).ServerClock(func() time.Time { return at }))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			c, err := s.Update(ctx, resources.OrgID(fmt.Sprint("o", i)), func(_ context.Context, tx resources.Tx) error {
				tx.Event(resources.Event{Type: "user.updated", Kind: resources.KindUser, ID: newRecord(t, resources.KindUser, "x").ID})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if ids = append(ids, c.LSN); c.LSN == "" || len(c.LSN) < len(last) || (len(c.LSN) == len(last) && c.LSN <= last) {
				t.Fatalf("the id %q follows %q: %q", c.LSN, last, ids)
			}
			last = c.LSN
		}
		if back == time.Hour {
			if err := s.Snapshot(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A full disk: writes fail with ErrUnavailable and are never acknowledged, reads
// go on, the log says so; with room again writes are taken, and all that was
// acknowledged is there.
func TestFullDisk(t *testing.T) {
	ctx, disk := context.Background(), journaltest.New()
	var log lines
	cfg := backend.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}
	s := open(t, cfg.OnDisk(disk))
	kept := 0
	disk.Limit(20_000)
	var err error
	for ; kept < 1000 && err == nil; kept++ {
		_, err = putUser(ctx, t, s, "o", fmt.Sprint("u", kept))
	}
	kept--
	if !errors.Is(err, resources.ErrUnavailable) || kept == 0 {
		t.Fatalf("after %d users: %v, want ErrUnavailable", kept, err)
	}
	for range 3 {
		if _, err := putUser(ctx, t, s, "o", "never"); !errors.Is(err, resources.ErrUnavailable) {
			t.Fatalf("a write after the disk was full: %v", err)
		}
	}
	if n, err := s.Count(ctx, "o", "p", "k", time.Now().Add(time.Hour)); !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("the vault counts %d, %v", n, err)
	}
	audit(t, s, "o") // reads go on
	crashed := open(t, backend.Config{}.OnDisk(disk.Copy()))
	if n := users(crashed); n < kept || n > kept+1 {
		t.Errorf("after a crash there are %d users, %d were acknowledged", n, kept)
	}
	disk.Limit(0)
	for range 3000 { // machines may be slow
		if _, err = putUser(ctx, t, s, "o", "after"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("with room again: %v\n%s", err, log.String())
	}
	for _, word := range []string{"writes are refused", "can be written again"} {
		if !strings.Contains(log.String(), word) {
			t.Errorf("the log does not say %q:\n%s", word, log.String())
		}
	}
	sameAgain(t, s, backend.Config{}, disk)
}

// users counts the records of users.
func users(s *backend.Store) (n int) {
	for key := range s.Content() {
		if strings.HasPrefix(key, "u:") {
			n++
		}
	}
	return n
}

// lines is a log that goroutines write and the test reads.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds to the log.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String gives the log.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
