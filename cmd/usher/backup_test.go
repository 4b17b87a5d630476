package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// A backup that was interrupted when only its name was missing gets its name: what
// is complete is not to be thrown away.
func TestBackupWithoutItsName(t *testing.T) {
	dir := t.TempDir()
	data, out := filepath.Join(dir, "data"), filepath.Join(dir, "all.jsonl")
	start(t, map[string]string{"USHER_DATA_DIR": data}).stop(t)
	wantCode(t, exitOK, nil, "backup", "--data-dir", data, "--out", out)
	whole, err := os.ReadFile(out)
	if err = errors.Join(err, os.Rename(out, out+partialSuffix)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, exitOK, nil, "backup", "--data-dir", data, "--out", out, "--resume")
	if again, err := os.ReadFile(out); err != nil || !bytes.Equal(again, whole) {
		t.Errorf("the file is another one: %v", err)
	}
}

// Whatever order organizations are named in, and how often, the backup of them can
// be restored.
func TestBackupOfNamedOrganizations(t *testing.T) {
	dir := t.TempDir()
	data, out := filepath.Join(dir, "data"), filepath.Join(dir, "some.jsonl")
	start(t, map[string]string{"USHER_DATA_DIR": data}).stop(t)
	wantCode(t, exitOK, nil, "backup", "--data-dir", data, "--out", out, "--org", "demo", "--org", "platform", "--org", "demo")
	wantCode(t, exitOK, nil, "restore", out, "--data-dir", filepath.Join(dir, "other"))
}

// A backup of all organizations has every one of them, also when others are
// deleted while they are listed.
func TestBackupListsAll(t *testing.T) {
	ctx := t.Context()
	store, err := backend.Open(ctx, backend.Config{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	change := func(fn func(tx resources.Tx)) {
		_, err := store.Update(ctx, resources.PlatformOrg, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil })
		if err != nil {
			t.Error(err)
		}
	}
	entries := func(r *resources.Record) []resources.Entry { e, _, _ := resources.Placement(r); return e }
	const going, staying = 300, 520
	var orgs []*resources.Record
	for i := range going + staying {
		id, err := resources.NewID(resources.KindOrg, time.Now(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		slug := fmt.Sprintf("o-%04d", i)
		orgs = append(orgs, &resources.Record{Kind: resources.KindOrg, ID: id, Version: 1, Created: 1, Modified: 1, Display: slug, Profile: fmt.Appendf(nil, `{"slug":%q,"state":"active"}`, slug)})
	}
	for from := 0; from < len(orgs); from += 100 {
		change(func(tx resources.Tx) {
			for _, r := range orgs[from:min(from+100, len(orgs))] {
				tx.Put(nil, r, nil, entries(r))
			}
		})
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for _, r := range orgs[:going] {
			change(func(tx resources.Tx) {
				if rec, err := tx.Read(resources.KindOrg, r.ID); err == nil && rec != nil {
					tx.Delete(rec, entries(rec))
				}
			})
		}
	})
	defer wait.Wait()
	b := &backupCommand{program: &program{stderr: io.Discard}, store: store}
	for range 5 {
		list, err := b.wanted(ctx)
		if err != nil {
			t.Fatal(err)
		}
		there := map[resources.OrgID]bool{}
		for _, c := range list {
			if there[c.Org] {
				t.Errorf("%s is listed twice", c.Slug)
			}
			there[c.Org] = true
		}
		missing := 0
		for _, r := range orgs[going:] {
			if !there[resources.OrgID(r.ID)] {
				missing++
			}
		}
		if missing > 0 || !there[resources.PlatformOrg] {
			t.Fatalf("%d organizations are not in the backup", missing)
		}
	}
}
