package resources_test

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestNewID: ids are 20 characters, carry their kind, sort by time and never
// repeat.
func TestNewID(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	seen := map[string]bool{}
	for _, kind := range resources.Kinds() {
		for range 1000 {
			id, err := resources.NewID(kind, at, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if k, ok := resources.KindOf(id); !ok || k != kind || seen[id] || len(id) != 20 {
				t.Fatalf("id %q: kind %v, %v; seen before: %v", id, k, ok, seen[id])
			}
			seen[id] = true
			if first := resources.FirstIDAt(at); id < first || id >= resources.FirstIDAt(at.Add(time.Millisecond)) {
				t.Fatalf("id %q is outside its millisecond, which begins at %q", id, first)
			}
		}
	}
}

// TestKindOfRefuses: what is not an id of ours never becomes part of a key
// (security S2).
func TestKindOfRefuses(t *testing.T) {
	for _, id := range []string{
		"", "1", "../../b", "1%00", "t:b:u:1", "a{b}c", strings.Repeat("z", 20), strings.Repeat("A", 20),
		strings.Repeat("0", 19), strings.Repeat("0", 21), strings.Repeat("0", 19) + "\x00",
	} {
		if k, ok := resources.KindOf(id); ok {
			t.Errorf("KindOf(%q) = %v, want it refused", id, k)
		}
	}
}

// zeros is randomness for tests that must not need any.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
