package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/usher-scim/usher/internal/seal"
)

func keysOf(t *testing.T, current byte, older ...byte) *seal.Keys {
	t.Helper()
	var old [][]byte
	for _, b := range older {
		old = append(old, bytes.Repeat([]byte{b}, seal.KeySize))
	}
	k, err := seal.New(bytes.Repeat([]byte{current}, seal.KeySize), old...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What was sealed opens for its context alone, and by who has the key (security
// X10).
func TestSeal(t *testing.T) {
	k := keysOf(t, 1)
	sealed := k.Seal("a|connection|1", []byte("secret"))
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("the secret stands in what was sealed")
	}
	if got, err := k.Open("a|connection|1", sealed); err != nil || string(got) != "secret" {
		t.Errorf("opens to %q, %v", got, err)
	}
	if bytes.Equal(sealed, k.Seal("a|connection|1", []byte("secret"))) {
		t.Error("two seals are the same")
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another organization": func() ([]byte, error) { return k.Open("b|connection|1", sealed) },
		"another key":          func() ([]byte, error) { return keysOf(t, 2).Open("a|connection|1", sealed) },
		"changed":              func() ([]byte, error) { return k.Open("a|connection|1", changed) },
		"cut":                  func() ([]byte, error) { return k.Open("a|connection|1", sealed[:3]) },
		"empty":                func() ([]byte, error) { return k.Open("a|connection|1", nil) },
	} {
		if got, err := open(); !errors.Is(err, seal.ErrSealed) || got != nil {
			t.Errorf("%s: opens to %q, %v", name, got, err)
		}
	}
}

// After an exchange of keys what the old one sealed opens until it goes.
func TestRotation(t *testing.T) {
	old := keysOf(t, 1).Seal("c", []byte("x"))
	both := keysOf(t, 2, 1)
	if got, err := both.Open("c", old); err != nil || string(got) != "x" {
		t.Errorf("opens to %q, %v", got, err)
	}
	if _, err := keysOf(t, 2).Open("c", both.Seal("c", []byte("y"))); err != nil {
		t.Error("the newer key did not seal:", err)
	}
	if _, err := keysOf(t, 2).Open("c", old); err == nil {
		t.Error("a key that went still opens")
	}
	more, err := keysOf(t, 2).Opening(bytes.Repeat([]byte{1}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := more.Open("c", old); err != nil || string(got) != "x" {
		t.Errorf("with another key to open it opens to %q, %v", got, err)
	}
	if _, err := keysOf(t, 2).Open("c", more.Seal("c", []byte("y"))); err != nil {
		t.Error("the other key sealed:", err)
	}
	if _, err := more.Opening([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
	all := both.DeriveAll("d")
	if !bytes.Equal(all[0], keysOf(t, 2).Derive("d")) || !bytes.Equal(all[1], keysOf(t, 1).Derive("d")) || bytes.Equal(all[0], both.Derive("e")) {
		t.Error("what is derived does not follow from key and context")
	}
}

func TestShortKey(t *testing.T) {
	if _, err := seal.New(make([]byte, seal.KeySize-1)); err == nil {
		t.Error("a short key was taken")
	}
}
