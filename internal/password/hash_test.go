package password_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/password"
)

var cheap = password.Cost{Memory: 8, Time: 1, Threads: 1}

func hasher(t *testing.T, c password.Config) *password.Hasher {
	t.Helper()
	c.Rand = rand.Reader
	h, err := password.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Hashes cost what security P2 says, are salted, and match their password alone,
// in whichever form it was typed.
func TestHash(t *testing.T) {
	h := hasher(t, password.Config{})
	one, err := h.Hash(t.Context(), "Zoe\u0301-1!zz")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s", one)
	}
	if two, err := h.Hash(t.Context(), "Zoe\u0301-1!zz"); err != nil || two == one {
		t.Errorf("two hashes of one password are the same: %v", err)
	}
	for text, want := range map[string]bool{"Zo\u00e9-1!zz": true, "Zoe\u0301-1!zz": true, "Zoe-1!zz": false, "": false, strings.Repeat("z", 5000): false} {
		if got, err := h.Verify(t.Context(), one, text); err != nil || got != want {
			t.Errorf("%q matches %v, %v", text, got, err)
		}
	}
}

// What comes after 72 bytes counts (security §0 item 16), and nothing is cut off.
func TestLongPasswords(t *testing.T) {
	h := hasher(t, password.Config{Cost: cheap})
	long := strings.Repeat("z", 256)
	encoded, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{long[:72], long[:255], long[:255] + "y", long + "z"} {
		if ok, err := h.Verify(t.Context(), encoded, other); ok || err != nil {
			t.Errorf("%d characters match 256: %v", len(other), err)
		}
	}
	if _, err := h.Hash(t.Context(), long+"z"); err == nil {
		t.Error("257 characters were hashed")
	}
}

// Who is nobody costs one hash, like everybody, and matches nothing (security P3).
func TestNobody(t *testing.T) {
	h := hasher(t, password.Config{Cost: cheap})
	encoded, err := h.Hash(t.Context(), "Zz1!zzzz")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{encoded, ""} {
		before := h.Runs()
		if ok, err := h.Verify(t.Context(), of, "Zz1!zzzy"); ok || err != nil {
			t.Errorf("%q matches, %v", of, err)
		}
		if n := h.Runs() - before; n != 1 {
			t.Errorf("%q costs %d hashes", of, n)
		}
	}
	if ok, err := h.Verify(t.Context(), "", ""); ok || err != nil {
		t.Errorf("the empty password of nobody matches, %v", err)
	}
}

// A hash of lower cost still matches and is stale (security P2, TestHashUpgrade).
func TestHashUpgrade(t *testing.T) {
	old := hasher(t, password.Config{Cost: cheap})
	now := hasher(t, password.Config{Cost: password.Cost{Memory: 16, Time: 2, Threads: 1}})
	encoded, err := old.Hash(t.Context(), "Zz1!zzzz")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := now.Verify(t.Context(), encoded, "Zz1!zzzz"); !ok || err != nil {
		t.Errorf("the older hash does not match: %v", err)
	}
	newer, err := now.Hash(t.Context(), "Zz1!zzzz")
	if err != nil {
		t.Fatal(err)
	}
	if old.Stale(encoded) || !now.Stale(encoded) || now.Stale(newer) || old.Stale(newer) || now.Stale("rubbish") {
		t.Error("stale is what is cheaper than new ones, and nothing else")
	}
}

// Only so many hashes are computed at once; who waits too long is told (security
// P2).
func TestBusy(t *testing.T) {
	h := hasher(t, password.Config{Cost: password.Cost{Memory: 64 << 10, Time: 4, Threads: 1}, Slots: 1, Wait: time.Millisecond})
	var wg sync.WaitGroup
	var mu sync.Mutex
	busy, done := 0, 0
	for range 8 {
		wg.Go(func() {
			_, err := h.Verify(t.Context(), "", "x")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case errors.Is(err, password.ErrBusy):
				busy++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done == 0 || busy == 0 {
		t.Errorf("%d were hashed, %d were sent away; want some of both", done, busy)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := hasher(t, password.Config{Cost: cheap, Slots: 1})
	if _, err := full.Verify(ctx, "", "x"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who went away: %v", err)
	}
}

func TestBadConfig(t *testing.T) {
	if _, err := password.New(password.Config{}); err == nil {
		t.Error("no randomness was taken")
	}
	for _, c := range []password.Cost{{Memory: 7, Time: 1, Threads: 1}, {Memory: 8, Time: 0, Threads: 1}, {Memory: 1 << 30, Time: 1, Threads: 1}} {
		if _, err := password.New(password.Config{Rand: rand.Reader, Cost: c}); err == nil {
			t.Errorf("the cost %+v was taken", c)
		}
	}
}

// Stored hashes that are none, or would cost too much, are refused before anything
// is computed.
func FuzzVerify(f *testing.F) {
	const salt, key = "c2FsdHNhbHRzYWx0c2FsdA", "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"
	f.Add("$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + key)
	for _, bad := range []string{
		"", "$", "$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + key, "$argon2id$v=16$m=8,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=8,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=8,t=1,p=257$" + salt + "$" + key, "$argon2id$v=19$m=8,t=1$" + salt + "$" + key,
		"$argon2id$v=19$m=08,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=8,t=1,p=1$" + salt + "\n$" + key,
		"$argon2id$v=19$m=8,t=1,p=1$$", "$2b$12$abcdefghijklmnopqrstuu", "$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + key + "$x",
	} {
		f.Add(bad)
	}
	h, err := password.New(password.Config{Rand: rand.Reader, Cost: cheap})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		if strings.Contains(encoded, "m=") && !strings.Contains(encoded, "m=8,t=1,") {
			h.Stale(encoded) // parses, without the cost
			return
		}
		ok, err := h.Verify(t.Context(), encoded, "Zz1!zzzz")
		if ok {
			t.Errorf("%q matches", encoded)
		}
		if err != nil && !errors.Is(err, password.ErrFormat) {
			t.Errorf("%q: %v", encoded, err)
		}
	})
}
