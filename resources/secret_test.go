package resources_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestSecret: many nodes that ask for a secret at once get the same one, and so
// does a node that starts later; purposes have different ones (S15).
func TestSecret(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		node := func() *resources.Directory {
			dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			return dir
		}
		var wg sync.WaitGroup
		got := make([][]byte, 8)
		for i := range got {
			dir := node()
			wg.Go(func() {
				var err error
				if got[i], err = dir.Secret(t.Context(), "test"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, s := range got {
			if len(s) != 32 || !bytes.Equal(s, got[0]) {
				t.Errorf("node %d has a secret of %d bytes, equal to the first: %v", i, len(s), bytes.Equal(s, got[0]))
			}
		}
		other, err := b.Secret(t.Context(), "other")
		if err != nil || len(other) != 32 || bytes.Equal(other, got[0]) {
			t.Errorf("another purpose: %d bytes, equal: %v, %v", len(other), bytes.Equal(other, got[0]), err)
		}
		again, err := b.Secret(t.Context(), "test")
		if err != nil || !bytes.Equal(again, got[0]) {
			t.Errorf("a later node has another secret: %v", err)
		}
		faults, err := b.store.Audit(t.Context(), resources.PlatformOrg, resources.Placement)
		if err != nil || len(faults) > 0 {
			t.Errorf("audit: %q, %v", faults, err)
		}
	})
}

// TestSecretOutlivesTheProgram: another connection to the same server finds
// the secret of the one before.
func TestSecretOutlivesTheProgram(t *testing.T) {
	url := redistest.Start(t)
	var first []byte
	for i := range 2 {
		store, err := backend.Open(t.Context(), backend.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s, err := dir.Secret(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = s
		} else if !bytes.Equal(s, first) {
			t.Error("a new start has another secret")
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSecretNeedsRandomness: no secret is made of too little.
func TestSecretNeedsRandomness(t *testing.T) {
	b := newBundle(t, "")
	few := &io.LimitedReader{R: rand.Reader, N: 1 << 10}
	dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: few, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	few.N = 31
	if s, err := dir.Secret(t.Context(), "test"); err == nil {
		t.Errorf("a secret of %d bytes was made of 31", len(s))
	}
}
