package resources_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// askedStore counts the look-ups of tokens and can hold those of one back.
type askedStore struct {
	resources.Store
	asked   atomic.Int64
	inside  atomic.Int64
	held    string        // id of the token whose look-ups wait
	release chan struct{} // closed to let them go
}

func (s *askedStore) Get(ctx context.Context, org resources.OrgID, kind resources.Kind, id string) (*resources.Record, error) {
	if kind == resources.KindToken {
		s.asked.Add(1)
		if id == s.held {
			s.inside.Add(1)
			defer s.inside.Add(-1)
			select {
			case <-s.release:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return s.Store.Get(ctx, org, kind, id)
}

// flood is a directory over an askedStore, with a token that works.
type flood struct {
	*resources.Directory
	t     *testing.T
	store *askedStore
	clock *clock
	good  string
}

func newFlood(t *testing.T) *flood {
	t.Helper()
	b := newBundle(t, "")
	_, good, err := b.CreateToken(t.Context(), b.operator, "acme", resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	s := &askedStore{Store: b.store, release: make(chan struct{})}
	d, err := resources.New(resources.Config{Store: s, Vault: b.store, Now: b.clock.Now, Rand: zeros{}, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	return &flood{Directory: d, t: t, store: s, clock: b.clock, good: good}
}

// works checks that the good token does, after so many look-ups.
func (f *flood) works(asked int64) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	f.store.asked.Store(0)
	if _, err := f.Authenticate(ctx, f.good); err != nil || f.store.asked.Load() != asked {
		f.t.Fatalf("the good token: %v after %d look-ups, want %d", err, f.store.asked.Load(), asked)
	}
}

// guess is the n-th wrong secret for a token of the organization.
func (f *flood) guess(id string, n int) string {
	const digits = "0123456789abcdef"
	part := strings.Split(f.good, "_")
	secret := []byte(strings.Repeat("0", len(part[3])))
	for i := range 8 {
		secret[i] = digits[n>>(4*i)&15]
	}
	return strings.Join([]string{"ush", part[1], id, string(secret)}, "_")
}

// id is that of the good token.
func (f *flood) id() string { return strings.Split(f.good, "_")[2] }

// TestFloodOfGuesses is security T3: guessed tokens do not wash a token that
// works out of memory, and the same guess is looked up once.
func TestFloodOfGuesses(t *testing.T) {
	f := newFlood(t)
	f.works(1)
	const guesses = 10_500 // more than are remembered
	for n := range guesses {
		_, err := f.Authenticate(t.Context(), f.guess(f.id(), n))
		wantCode(t, err, resources.CodeUnauthenticated)
	}
	f.works(0)
	f.store.asked.Store(0)
	for range 100 {
		_, err := f.Authenticate(t.Context(), f.guess(f.id(), guesses-1))
		wantCode(t, err, resources.CodeUnauthenticated)
	}
	if n := f.store.asked.Load(); n != 0 {
		t.Errorf("one guess was looked up %d times", n)
	}
}

// TestGuessesQueue is security T3: while the store takes its time, few guesses
// ask it at once, and a token that has worked does not wait behind them.
func TestGuessesQueue(t *testing.T) {
	f := newFlood(t)
	f.works(1)
	f.clock.Advance(4 * time.Second)                     // it has to be looked up again
	f.store.held = strings.Repeat("0", 19) + f.id()[19:] // another token
	const guesses, atOnce = 60, 16
	ended := make(chan error, guesses)
	for n := range guesses {
		go func() {
			_, err := f.Authenticate(context.WithoutCancel(t.Context()), f.guess(f.store.held, n))
			ended <- err
		}()
	}
	for deadline := time.Now().Add(10 * time.Second); f.store.inside.Load() < atOnce && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // for those that should not come
	if n := f.store.inside.Load(); n != atOnce {
		t.Errorf("%d guesses are being looked up at once, want %d", n, atOnce)
	}
	f.works(1)
	impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := f.Authenticate(impatient, f.guess(f.store.held, 77_777))
	if err == nil || resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("a guess that was not looked up: %v", err)
	}
	close(f.store.release)
	for range guesses {
		wantCode(t, <-ended, resources.CodeUnauthenticated)
	}
	f.works(0)
}
