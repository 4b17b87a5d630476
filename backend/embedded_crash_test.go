package backend_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/journaltest"
	"github.com/usher-scim/usher/resources"
)

var errPower = errors.New("the power is gone")

// F2, V1: the power goes at a random moment while several write and snapshots are
// taken; whatever was not synced is gone, or half of it. No acknowledged write is
// lost, and all that is derived agrees with the records.
func TestPowerCuts(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	disk := journaltest.New()
	acked := map[string]bool{}
	for cut := range 200 {
		if cut%25 == 0 { // small and large directories
			disk, acked = journaltest.New(), map[string]bool{}
		}
		s, err := backend.Open(t.Context(), backend.Config{}.OnDisk(disk))
		if err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		checkNames(t, cut, s, acked)
		disk.Fail(1+chance.IntN(40), errPower, true)
		var mu sync.Mutex
		var writers sync.WaitGroup
		for w := range 3 {
			writers.Go(func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("c%dw%di%d", cut, w, i)
					if !writeName(t, s, name) {
						return
					}
					mu.Lock()
					acked[name] = true
					mu.Unlock()
				}
			})
		}
		for range chance.IntN(3) {
			_ = s.Snapshot(t.Context()) // the power may go meanwhile
		}
		writers.Wait()
		if err := s.Close(); !errors.Is(err, errPower) {
			t.Fatalf("cut %d: closed: %v", cut, err)
		}
		disk.PowerCut(func(n int) int {
			if cut%2 == 0 {
				return 0
			}
			return chance.IntN(n + 1)
		})
	}
}

// writeName makes a user with a unique name in one of two organizations and
// reports whether it was acknowledged.
func writeName(t *testing.T, s *backend.Store, name string) bool {
	_, err := s.Update(context.Background(), resources.OrgID(fmt.Sprint("o", len(name)%2)), func(_ context.Context, tx resources.Tx) error {
		u := newRecord(t, resources.KindUser, name)
		tx.Put(nil, u, nil, entriesOf(u))
		tx.Event(resources.Event{Type: "user.created", Kind: u.Kind, ID: u.ID, Version: 1})
		return nil
	})
	if err != nil && !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("%s: %v", name, err)
	}
	return err == nil
}

func checkNames(t *testing.T, cut int, s *backend.Store, acked map[string]bool) {
	t.Helper()
	for _, org := range []resources.OrgID{"o0", "o1"} {
		auditNames(t, s, org)
	}
	for name := range acked {
		org := resources.OrgID(fmt.Sprint("o", len(name)%2))
		id, err := s.Named(t.Context(), org, resources.UserName, resources.UserName.Key(name))
		if err != nil || id == "" {
			t.Fatalf("cut %d: %s was acknowledged and is lost: %q, %v", cut, name, id, err)
		}
	}
}

func auditNames(t *testing.T, s *backend.Store, org resources.OrgID) {
	t.Helper()
	faults, err := s.Audit(t.Context(), org, func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		return entriesOf(r), nil, resources.Holdings{}
	})
	if err != nil || len(faults) > 0 {
		t.Fatalf("audit of %s: %q, %v", org, faults, err)
	}
}

// TestKeptEqualsMemory gives a store with a data directory and one in memory the
// same random units of work; the first loses power and is opened again, and takes
// snapshots, as often as it likes. Both hold the same.
func TestKeptEqualsMemory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, disk := newClock(), journaltest.New()
		stamps := newStamps()
		reopen := func() *backend.Store {
			s, err := backend.Open(context.Background(), backend.Config{Now: c.now, Rand: stamps}.OnDisk(disk))
			if err != nil {
				rt.Fatal(err)
			}
			return s
		}
		twin, err := backend.Open(context.Background(), backend.Config{Now: c.now, Rand: newStamps()})
		if err != nil {
			rt.Fatal(err)
		}
		n := 0
		x := &machine{t: rt, s: reopen(), twin: twin, clock: c, org: "o", m: &model{recs: map[string]modelRec{}, links: map[[2]string]bool{}}}
		defer func() {
			if err := errors.Join(x.s.Close(), twin.Close()); err != nil {
				t.Error(err)
			}
		}()
		x.newID = func(kind resources.Kind) string {
			n++
			return fmt.Sprintf("%019d%d", n, kind)
		}
		for range rapid.IntRange(1, 20).Draw(rt, "units") {
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				if err := x.s.Close(); err != nil {
					rt.Fatal(err)
				}
				disk.PowerCut(func(int) int { return 0 })
				x.s = reopen()
			case 1:
				if err := x.s.Snapshot(context.Background()); err != nil {
					rt.Fatal(err)
				}
			case 2:
				for _, s := range []*backend.Store{x.s, twin} {
					if _, err := s.Sweep(context.Background(), x.org, c.now(), 5, resources.Placement); err != nil {
						rt.Fatal(err)
					}
					if _, err := s.Count(context.Background(), x.org, "p", "k", c.now().Add(time.Minute)); err != nil {
						rt.Fatal(err)
					}
				}
			default:
				x.unit()
			}
		}
		x.compare()
		if d := cmp.Diff(timeless(twin.Content()), timeless(x.s.Content())); d != "" {
			rt.Fatalf("-in memory +kept:\n%s", d)
		}
	})
}

// timeless leaves out what has the time of its writing in it.
func timeless(content map[string]string) map[string]string {
	for key := range content {
		if strings.HasPrefix(key, "at:") {
			delete(content, key)
		}
	}
	return content
}

// stampSource gives two stores the same stamps, whatever else they draw.
type stampSource struct {
	mu     sync.Mutex
	chance *rand.ChaCha8
}

func newStamps() *stampSource {
	return &stampSource{chance: rand.NewChaCha8([32]byte{1})}
}

// Read fills p, for a stamp with the next one.
func (s *stampSource) Read(p []byte) (int, error) {
	if len(p) < 12 {
		clear(p)
		return len(p), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chance.Read(p)
}

// An attempt whose answer was lost with the process is known after the restart: it
// is applied once.
func TestAttemptIsKnownAfterARestart(t *testing.T) {
	ctx, disk := context.Background(), journaltest.New()
	fixed := backend.Config{Rand: fixedStamp{}}
	s := open(t, fixed.OnDisk(disk))
	until := time.Now().Add(time.Hour)
	if n, err := s.Count(ctx, "o", "p", "k", until); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	again := open(t, fixed.OnDisk(disk.Copy()))
	if n, err := again.Count(ctx, "o", "p", "k", until); n != 1 || err != nil {
		t.Errorf("the same attempt after a restart counts to %d, %v; want 1", n, err)
	}
	other := open(t, backend.Config{}.OnDisk(disk.Copy()))
	if n, err := other.Count(ctx, "o", "p", "k", until); n != 2 || err != nil {
		t.Errorf("another attempt after a restart counts to %d, %v; want 2", n, err)
	}
}

// fixedStamp makes every attempt the same one.
type fixedStamp struct{}

// Read fills p with one byte.
func (fixedStamp) Read(p []byte) (int, error) {
	copy(p, slices.Repeat([]byte{7}, len(p)))
	return len(p), nil
}
