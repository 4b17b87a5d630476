package backend_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// fill gives a store an organization with some of everything, and its record in
// the platform.
func fill(t *testing.T, s *backend.Store, slug string, users int) resources.OrgID {
	t.Helper()
	ctx := t.Context()
	home := newRecord(t, resources.KindOrg, slug)
	home.Profile = []byte(`{"slug":"` + slug + `"}`)
	org := resources.OrgID(home.ID)
	_, err := s.Update(ctx, resources.PlatformOrg, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, home, nil, homeEntries(home))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	crowd(t, s, org, users)
	w := &writer{s: s, org: org, name: "w"}
	if err := w.begin(ctx, t); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 4; n++ {
		if err := w.step(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	return org
}

func homeEntries(r *resources.Record) []resources.Entry {
	return []resources.Entry{{Index: resources.OrgAll, Value: r.ID}, {Index: resources.OrgSlug, Value: resources.OrgSlug.Key(r.Display)}}
}

// placedHere is placedAll with organizations.
func placedHere(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
	if r.Kind == resources.KindOrg {
		return homeEntries(r), nil, resources.Holdings{}
	}
	return placedAll(r)
}

// whole backs up organizations into one file.
func whole(t *testing.T, s *backend.Store, orgs map[string]resources.OrgID) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := s.NewBackup(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	for slug, org := range orgs {
		if _, err := s.Backup(t.Context(), w, backend.BackupConfig{Org: org, Slug: slug, Placed: placedHere}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Complete(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// readFile checks a file that must be sound.
func readFile(t *testing.T, file []byte) *backend.BackupContents {
	t.Helper()
	contents, err := backend.ReadBackup(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// TestInterrupted: a backup that ends at any of its chunks leaves nothing in the
// way of the next one; a restoration that ends at any of its pieces shows nothing,
// and can be gone on with or dropped.
func TestInterrupted(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, backend.Config{URL: url})
		org := fill(t, s, "acme", 600)
		file := whole(t, s, map[string]resources.OrgID{"acme": org})
		contents := readFile(t, file)
		for n := 1; ; n++ { // backups
			inner, cancel := context.WithCancel(ctx)
			w, err := s.NewBackup(&bytes.Buffer{}, "test")
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Backup(inner, w, backend.BackupConfig{Org: org, Slug: "acme", Placed: placedHere, Told: countdown(n, cancel)})
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("ended at chunk %d: %v", n, err)
			}
		}
		target := open(t, backend.Config{})
		for n := 1; n < 1000; n++ { // restorations, one with two interrupts, every other one dropped
			inner, cancel := context.WithCancel(ctx)
			_, err := target.Restore(inner, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere, Resume: n%2 == 0, Told: countdown(n, cancel)})
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("ended at piece %d: %v", n, err)
			}
			if got, err := target.Named(ctx, resources.PlatformOrg, resources.OrgSlug, "acme"); got != "" && err == nil {
				if faults, err := target.Audit(ctx, org, placedHere); len(faults) > 0 || err != nil { // all is there
					t.Errorf("seen too early: %q, %v", faults[:min(5, len(faults))], err)
				}
				continue
			} else if err != nil {
				t.Fatalf("ended at piece %d: %v", n, err)
			}
			if n%2 == 1 {
				_, err := target.Restore(ctx, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere})
				wantReason(t, err, "was interrupted (go on with --resume")
				continue
			}
			if dropped, err := target.DropRestored(ctx, contents, nil); err != nil || len(dropped) != 1 {
				t.Fatalf("drop: %v, %v", dropped, err)
			}
		}
		if got, err := target.Named(ctx, resources.PlatformOrg, resources.OrgSlug, "acme"); got != string(org) || err != nil {
			t.Errorf("afterwards: %q, %v", got, err)
		}
		if faults, err := target.Audit(ctx, org, placedHere); len(faults) > 0 || err != nil {
			t.Errorf("audit: %q, %v", faults[:min(5, len(faults))], err)
		}
	})
}

// countdown ends a context at the n-th call.
func countdown(n int, cancel context.CancelFunc) func(backend.BackupStep) {
	return func(backend.BackupStep) {
		if n--; n == 0 {
			cancel()
		}
	}
}

func wantReason(t *testing.T, err error, part string) {
	t.Helper()
	u, ok := errors.AsType[*backend.Unrestorable](err)
	if !ok || !strings.Contains(strings.Join(u.Reasons, "\n"), part) {
		t.Errorf("error %v, want one with %q", err, part)
	}
}

// TestInTheWay: what stands in the way of a restoration is listed, and nothing is
// left of it.
func TestInTheWay(t *testing.T) {
	ctx := t.Context()
	s := open(t, backend.Config{})
	org := fill(t, s, "acme", 250)
	file := whole(t, s, map[string]resources.OrgID{"acme": org})
	contents := readFile(t, file)
	again := func(s *backend.Store) error {
		_, err := s.Restore(ctx, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere})
		return err
	}
	wantReason(t, again(s), "acme is in the store already")

	other := open(t, backend.Config{})
	fill(t, other, "acme", 1)
	wantReason(t, again(other), "the slug acme belongs to another organization")

	third := open(t, backend.Config{})
	neighbour := fill(t, third, "beta", 1)
	held := resources.Claim{Kind: resources.ClaimEmail, Key: fmt.Sprintf("%s-crowd-200@example.com", org)}
	if _, err := third.Update(ctx, neighbour, func(_ context.Context, tx resources.Tx) error { tx.Claim(held, "somebody"); return nil }); err != nil {
		t.Fatal(err)
	}
	wantReason(t, again(third), "the e-mail address "+held.Key+" is held by somebody of the organization "+string(neighbour))
	if n, err := third.Erase(ctx, org, 10); n != 0 || err != nil {
		t.Errorf("%d things are left, %v", n, err)
	}
	if got, _, err := third.Holder(ctx, resources.Claim{Kind: resources.ClaimEmail, Key: fmt.Sprintf("%s-crowd-1@example.com", org)}); got != "" || err != nil {
		t.Errorf("a claim is left: %q, %v", got, err)
	}
	_, err := s.Restore(ctx, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere, Only: []string{"gamma"}})
	wantReason(t, err, "gamma is not in the file")
}

// TestTwoBackups: while one backup of an organization runs, another one is
// refused; one that has died is in nobody's way for long.
func TestTwoBackups(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, backend.Config{URL: url})
		org := fill(t, s, "acme", 10)
		first := true
		_, _, err := backUp(ctx, s, org, func(backend.BackupStep) {
			if first {
				first = false
				if _, _, err := backUp(ctx, s, org, nil); err == nil || !strings.Contains(err.Error(), "another backup") {
					t.Errorf("the second one: %v", err)
				}
			}
		})
		if err != nil || first {
			t.Error(err)
		}
		began := time.Now()
		_, _, err = backUp(ctx, s, org, func(backend.BackupStep) {
			if _, err := s.Erase(ctx, org, 1); err != nil {
				t.Error(err)
			}
		})
		if err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("of an organization that is being erased: %v, after %s", err, time.Since(began))
		}
	})
}

// TestDamagedFiles: whatever happens to a file, it is refused, with the number of
// a line.
func TestDamagedFiles(t *testing.T) {
	s := open(t, backend.Config{})
	org, beta := fill(t, s, "acme", 30), fill(t, s, "beta", 5)
	file := whole(t, s, map[string]resources.OrgID{"acme": org, "beta": beta})
	if n := len(readFile(t, file).Orgs); n != 2 {
		t.Fatalf("%d organizations", n)
	}
	refused := func(what string, bad []byte) {
		t.Helper()
		_, err := backend.ReadBackup(bytes.NewReader(bad))
		if err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		refused(fmt.Sprintf("cut before line %d", i+1), bytes.Join(lines[:i], nil))
		without := append(append([][]byte{}, lines[:i]...), lines[i+1:]...)
		refused(fmt.Sprintf("without line %d", i+1), bytes.Join(without, nil))
		twice := append(append(append([][]byte{}, lines[:i]...), lines[i]), lines[i:]...)
		refused(fmt.Sprintf("line %d twice", i+1), bytes.Join(twice, nil))
		if i > 0 {
			turned := append([][]byte{}, lines...)
			turned[i-1], turned[i] = turned[i], turned[i-1]
			refused(fmt.Sprintf("lines %d and %d turned round", i, i+1), bytes.Join(turned, nil))
		}
	}
	seeded := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		bad := bytes.Clone(file)
		at := seeded.IntN(len(bad))
		bad[at] ^= 1 << seeded.IntN(8)
		refused(fmt.Sprintf("bit %d", at), bad)
		refused("cut off", file[:seeded.IntN(len(file))])
	}
	refused("behind the end", append(bytes.Clone(file), "x"...))
	refused("of the future", bytes.Replace(file, []byte(`"version":1`), []byte(`"version":2`), 1))
}

// FuzzReadBackup: no file makes the reader fail otherwise than by an error.
func FuzzReadBackup(f *testing.F) {
	f.Add([]byte(`{"format":"usher-backup","version":1,"id":"0123456789ab","time":"2026-01-01T00:00:00Z","by":"x"}` + "\n"))
	f.Add([]byte(`{"format":"usher-backup","version":1,"id":"0123456789ab","time":"2026-01-01T00:00:00Z","by":"x"}` + "\n" +
		`{"t":"begin","org":"acme","slug":"acme","time":"2026-01-01T00:00:00Z"}` + "\n" +
		`{"t":"user","id":"01k7tmrof57mpbunoql0","version":1,"stamp":"0123456789ab","profile":{}}` + "\n" +
		`{"t":"members","group":"01k7tmrof57mpbunoqlh","in":["01k7tmrof57mpbunoql0"]}` + "\n" +
		`{"t":"due","item":"p","at":1}` + "\n" + `{"t":"event","lsn":"1-0","event":{"t":"x"}}` + "\n" +
		`{"t":"secret","purpose":"p","hash":"00000000000000000000000000000000","expires":1,"value":"AA=="}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		contents, err := backend.ReadBackup(bytes.NewReader(text))
		if err == nil && !contents.Complete {
			t.Error("a file without an end was accepted")
		}
	})
}
