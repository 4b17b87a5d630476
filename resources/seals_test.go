package resources_test

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"testing"

	"github.com/usher-scim/usher/internal/seal"
	"github.com/usher-scim/usher/resources"
)

// TestKeys: without a key of the operator all nodes share one in the store; once
// there is one it seals, and what was sealed before can be read (security X10).
func TestKeys(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	keys := func(d *resources.Directory) *seal.Keys {
		t.Helper()
		k, err := d.Keys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	given, err := seal.New(bytes.Repeat([]byte{9}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	with := func() *resources.Directory {
		d, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Keys: given})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if _, err := given.Open("c", keys(with()).Seal("c", []byte("x"))); err != nil {
		t.Error("the operator's key did not seal:", err)
	}
	before := keys(b.Directory).Seal("c", []byte("x"))
	if got, err := keys(b.another(t)).Open("c", before); err != nil || string(got) != "x" {
		t.Errorf("on another node it opens to %q, %v", got, err)
	}
	if _, err := given.Open("c", before); err == nil {
		t.Error("the key in the store is the operator's")
	}
	after := keys(with())
	if got, err := after.Open("c", before); err != nil || string(got) != "x" {
		t.Errorf("once the operator has given a key it opens to %q, %v", got, err)
	}
	if _, err := given.Open("c", after.Seal("c", []byte("y"))); err != nil {
		t.Error("the operator's key did not seal:", err)
	}
	if !bytes.Equal(after.Derive("d"), given.Derive("d")) || len(after.DeriveAll("d")) != 2 {
		t.Error("what is derived does not follow from the operator's key, with the older one as the second")
	}
}
