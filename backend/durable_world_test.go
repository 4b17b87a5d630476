package backend_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

const shortWait = 100 * time.Millisecond // of writes for replicas, in tests that let them wait in vain

// couple is a primary and its replica. The store reaches the one that is primary
// through door; the replica follows through link.
type couple struct {
	primary, replica *redistest.Server
	door, link       *conformance.Proxy
	url              string
}

func newCouple(t testing.TB, args ...string) *couple {
	t.Helper()
	args = append([]string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, args...)
	p := &couple{primary: redistest.Run(t, redistest.Config{Args: args}), replica: redistest.Run(t, redistest.Config{Args: args})}
	p.door, p.link = newProxy(t, p.primary.Addr), newProxy(t, p.primary.Addr)
	p.url = strings.Replace(p.primary.URL, p.primary.Addr, p.door.Addr(), 1)
	host, port, _ := strings.Cut(p.link.Addr(), ":")
	for _, words := range [][]string{
		{"CONFIG", "SET", "masterauth", p.primary.Password},
		{"REPLICAOF", host, port},
		{"CONFIG", "SET", "requirepass", p.primary.Password},
	} {
		do(t, p.replica, words...)
	}
	p.replica.Password = p.primary.Password
	p.follows(t)
	return p
}

func newProxy(t testing.TB, target string) *conformance.Proxy {
	t.Helper()
	p, err := conformance.NewProxy(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func do(t testing.TB, s *redistest.Server, words ...string) any {
	t.Helper()
	reply, err := s.Do(context.Background(), words...)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// follows waits until the replica is online.
func (p *couple) follows(t testing.TB) {
	t.Helper()
	within(t, 10*time.Second, "the replica follows", func() bool {
		text, _ := do(t, p.primary, "INFO", "replication").(string)
		return strings.Contains(text, "state=online") && strings.Contains(text, ",lag=0") || strings.Contains(text, ",lag=1\r")
	})
}

// part cuts the replica off; the primary does not hear of it through a closed
// door only: nothing of what it writes from now on arrives.
func (p *couple) part() { p.link.Redirect("127.0.0.1:1"); p.link.CutAll() }

// promote makes the replica the primary, and leads the store to it.
func (p *couple) promote(t testing.TB) {
	t.Helper()
	p.primary.Kill()
	do(t, p.replica, "REPLICAOF", "NO", "ONE")
	p.door.Redirect(p.replica.Addr)
	p.door.CutAll()
}

func within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

// losses collects what the store says it lost.
type losses struct {
	mu        sync.Mutex
	list      []string
	failovers int
}

func (l *losses) lost(_ context.Context, list []backend.LostWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range list {
		l.list = append(l.list, string(w.Org)+" "+w.LSN)
	}
}

func (l *losses) failover(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failovers++
}

func (l *losses) seen() ([]string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(slices.Values(l.list)), l.failovers
}

// watched opens a store that tells l of losses.
func watched(t testing.TB, cfg backend.Config, l *losses) *backend.Store {
	t.Helper()
	cfg.Lost, cfg.Failover = l.lost, l.failover
	if cfg.Wait == 0 {
		cfg.Wait = 500 * time.Millisecond
	}
	return open(t, cfg)
}

// put creates a user with an event.
func put(t testing.TB, s *backend.Store, org resources.OrgID, name string) (resources.Commit, *resources.Record, error) {
	u := newRecord(t, resources.KindUser, name)
	c, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, u, nil, entriesOf(u))
		tx.Event(resources.Event{Type: "user.created", Kind: u.Kind, ID: u.ID})
		return nil
	})
	return c, u, err
}

// history is what writers were told.
type history struct {
	mu    sync.Mutex
	acked map[string]*resources.Record // "org lsn" of every acknowledged commit to what it made
	n     int
}

// load writes with many writers to several organizations until stop is closed.
func (h *history) load(t testing.TB, s *backend.Store, writers int, stop <-chan struct{}) *sync.WaitGroup {
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			org := resources.OrgID(fmt.Sprintf("loss%d", w%3))
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c, u, err := put(t, s, org, fmt.Sprintf("w%d-%d-%d", w, i, time.Now().UnixNano()))
				h.mu.Lock()
				h.n++
				if err == nil {
					h.acked[string(org)+" "+c.LSN] = u
				}
				h.mu.Unlock()
			}
		})
	}
	return &group
}

func (h *history) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.acked)
}

// missing lists the acknowledged commits whose user is not in the store.
func (h *history) missing(t testing.TB, s *backend.Store) []string {
	t.Helper()
	var out []string
	for at, u := range maps.All(h.acked) {
		org, _, _ := strings.Cut(at, " ")
		rec, err := s.Get(context.Background(), resources.OrgID(org), resources.KindUser, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if rec == nil {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// told waits until the store has told of the losses, and of no others.
func told(t testing.TB, l *losses, want []string) {
	t.Helper()
	end := time.Now().Add(15 * time.Second)
	for {
		got, failovers := l.seen()
		if failovers > 0 && slices.Equal(got, want) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("failovers %d, lost %d, want %d (-want +got)\n%s", failovers, len(got), len(want), cmp.Diff(want, got))
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(time.Second) // the look after it finds nothing else
	if got, _ := l.seen(); !slices.Equal(got, want) {
		t.Fatalf("more was told later (-want +got)\n%s", cmp.Diff(want, got))
	}
}

// quietLog keeps the many lines of a failover out of a test's output.
func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
