package backend_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// backUpAround backs up an organization that changes once its users were read: what
// changed stands in the file a second time.
func backUpAround(t *testing.T, s *backend.Store, org resources.OrgID, change func() error) []byte {
	t.Helper()
	n := 0
	var file bytes.Buffer
	out, err := s.NewBackup(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Backup(t.Context(), out, backend.BackupConfig{Org: org, Slug: "acme", Placed: placedHere, Told: func(backend.BackupStep) {
		if n++; n == 3 {
			if err := change(); err != nil {
				t.Error(err)
			}
		}
	}})
	if err = errors.Join(err, out.Complete()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestTwoRestorations: who goes on with a restoration ends the one that runs
// still, wherever both are: else older lines could overwrite newer ones.
func TestTwoRestorations(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, backend.Config{URL: url})
		org := fill(t, s, "acme", 150)
		w := &writer{s: s, org: org, name: "moving"}
		if err := w.begin(ctx, t); err != nil {
			t.Fatal(err)
		}
		file := backUpAround(t, s, org, func() error { return w.step(ctx, 1) })
		contents := readFile(t, file)
		target := open(t, backend.Config{})
		for last := 1; ; last++ { // the piece of the first one behind which the second one begins
			inner, cancel := context.WithCancel(ctx)
			pieces := 0
			_, err := target.Restore(ctx, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere, Resume: true, Told: func(backend.BackupStep) {
				if pieces++; pieces != last {
					return
				}
				_, err := target.Restore(inner, bytes.NewReader(file), contents, backend.RestoreConfig{Placed: placedHere, Resume: true, Told: countdown(3, cancel)})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("the second one, after piece %d: %v", last, err)
				}
			}})
			cancel()
			got, e := target.Named(ctx, resources.PlatformOrg, resources.OrgSlug, "acme")
			if e != nil {
				t.Fatal(e)
			}
			if got == "" {
				if err == nil {
					t.Errorf("after piece %d: success, and nothing is there", last)
				}
				continue
			}
			if rec, err := target.Get(ctx, org, resources.KindUser, w.a.ID); err != nil || rec == nil || rec.Version != 2 {
				t.Errorf("after piece %d the organization is seen with the user %+v, %v", last, rec, err)
			}
			if faults, err := target.Audit(ctx, org, placedHere); len(faults) > 0 || err != nil {
				t.Errorf("audit after piece %d: %q, %v", last, faults[:min(5, len(faults))], err)
			}
			if pieces < last || t.Failed() {
				return
			}
			if err := eraseHere(ctx, target, org); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// eraseHere removes an organization with its record.
func eraseHere(ctx context.Context, s *backend.Store, org resources.OrgID) error {
	_, err := s.Update(ctx, resources.PlatformOrg, func(_ context.Context, tx resources.Tx) error {
		rec, err := tx.Read(resources.KindOrg, string(org))
		if err == nil && rec != nil {
			tx.Delete(rec, homeEntries(rec))
		}
		return err
	})
	for n := 1; err == nil && n > 0; {
		n, err = s.Erase(ctx, org, 500)
	}
	return err
}

// claimant creates or changes a user that has an e-mail address, or "" for none.
func claimant(ctx context.Context, s *backend.Store, org resources.OrgID, id, mail string) error {
	_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		before, err := tx.Read(resources.KindUser, id)
		if err != nil {
			return err
		}
		was, is := factsOf(id, 0, ""), factsOf(id, 0, mail)
		if before == nil {
			tx.Put(nil, is.record(id, 1), nil, is.entries(id, 1))
		} else {
			is.version = before.Version + 1
			claims := claimsOfUser(before)
			if len(claims) > 0 {
				was.mail = claims[0].Key
				tx.Release(claims[0], id)
			}
			tx.Put(before, is.record(id, 1), was.entries(id, 1), is.entries(id, 1))
		}
		if mail != "" {
			tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: mail}, id)
		}
		return nil
	})
	return err
}

func claimsOfUser(r *resources.Record) (out []resources.Claim) {
	_, held, _ := expected(r)
	for _, h := range held {
		out = append(out, h.Claim)
	}
	return out
}

// TestClaimMovesWithinBackup: a claim that moved from one user to another while
// the backup ran, and that another organization of the target has, is refused in
// whatever order the lines come.
func TestClaimMovesWithinBackup(t *testing.T) {
	ctx := t.Context()
	const mail = "moves@example.com"
	for _, spread := range []bool{false, true} {
		for _, turned := range []bool{false, true} {
			s := open(t, backend.Config{SpreadClaims: spread})
			org := fill(t, s, "acme", 1)
			ids := []string{newRecord(t, resources.KindUser, "x").ID, newRecord(t, resources.KindUser, "x").ID}
			if slices.Sort(ids); turned {
				slices.Reverse(ids)
			}
			for i, m := range []string{mail, ""} {
				if err := claimant(ctx, s, org, ids[i], m); err != nil {
					t.Fatal(err)
				}
			}
			file := backUpAround(t, s, org, func() error {
				return errors.Join(claimant(ctx, s, org, ids[0], ""), claimant(ctx, s, org, ids[1], mail))
			})
			target := open(t, backend.Config{SpreadClaims: spread})
			beta := fill(t, target, "beta", 1)
			holder := newRecord(t, resources.KindUser, "x").ID
			if err := claimant(ctx, target, beta, holder, mail); err != nil {
				t.Fatal(err)
			}
			_, err := target.Restore(ctx, bytes.NewReader(file), readFile(t, file), backend.RestoreConfig{Placed: placedHere})
			wantReason(t, err, "the e-mail address "+mail+" is held by "+holder)
		}
	}
}

// TestClaimMovesWithinFile: when a claim stands in a file for two organizations,
// as it moved between their backups, the second one is refused and the first one
// keeps it.
func TestClaimMovesWithinFile(t *testing.T) {
	ctx := t.Context()
	const mail = "moves@example.com"
	for _, spread := range []bool{false, true} {
		s := open(t, backend.Config{SpreadClaims: spread})
		var file bytes.Buffer
		out, err := s.NewBackup(&file, "test")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, slug := range []string{"acme", "beta"} {
			org, id := fill(t, s, slug, 1), newRecord(t, resources.KindUser, "x").ID
			ids = append(ids, id)
			if err := claimant(ctx, s, org, id, mail); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Backup(ctx, out, backend.BackupConfig{Org: org, Slug: slug, Placed: placedHere}); err != nil {
				t.Fatal(err)
			}
			if err := claimant(ctx, s, org, id, ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Complete(); err != nil {
			t.Fatal(err)
		}
		target := open(t, backend.Config{SpreadClaims: spread})
		_, err = target.Restore(ctx, bytes.NewReader(file.Bytes()), readFile(t, file.Bytes()), backend.RestoreConfig{Placed: placedHere})
		wantReason(t, err, "beta: the e-mail address "+mail+" is held by "+ids[0])
		if got, _, err := target.Holder(ctx, resources.Claim{Kind: resources.ClaimEmail, Key: mail}); got != ids[0] || err != nil {
			t.Errorf("spread %v: the first organization's claim is held by %q, %v", spread, got, err)
		}
	}
}

// TestDeepCheckBesideRestoration: what a restoration has written so far is not
// taken for what nobody needs: who deleted it would destroy it.
func TestDeepCheckBesideRestoration(t *testing.T) {
	ctx := t.Context()
	s := open(t, backend.Config{})
	org := fill(t, s, "acme", 150)
	file := whole(t, s, map[string]resources.OrgID{"acme": org})
	target := open(t, backend.Config{})
	fill(t, target, "beta", 1)
	check := func() (found []backend.Finding) {
		t.Helper()
		orgs, err := target.FsckOrgs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.FsckAll(ctx, orgs, backend.FsckConfig{Placed: placedHere, Deep: true, Found: func(f backend.Finding) { found = append(found, f) }})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	_, err := target.Restore(ctx, bytes.NewReader(file), readFile(t, file), backend.RestoreConfig{Placed: placedHere, Told: func(backend.BackupStep) {
		if found := check(); len(found) > 0 {
			t.Errorf("%d findings, the first %+v", len(found), found[0])
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if found := check(); len(found) > 0 {
		t.Errorf("afterwards: %+v", found)
	}
}

// TestPlatformBehindOthers: a file that has the platform behind others is refused
// before anything is written, and can be restored in two steps.
func TestPlatformBehindOthers(t *testing.T) {
	ctx := t.Context()
	s := open(t, backend.Config{})
	org := fill(t, s, "acme", 1)
	var file bytes.Buffer
	out, err := s.NewBackup(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []backend.BackupConfig{{Org: org, Slug: "acme"}, {Org: resources.PlatformOrg, Slug: resources.PlatformSlug}} {
		o.Placed = placedHere
		if _, err := s.Backup(ctx, out, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Complete(); err != nil {
		t.Fatal(err)
	}
	contents, target := readFile(t, file.Bytes()), open(t, backend.Config{})
	again := func(only ...string) error {
		_, err := target.Restore(ctx, bytes.NewReader(file.Bytes()), contents, backend.RestoreConfig{Placed: placedHere, Only: only})
		return err
	}
	wantReason(t, again(), "the platform stands behind other organizations")
	if err := errors.Join(again(resources.PlatformSlug), again("acme")); err != nil {
		t.Error(err)
	}
}

// TestEnforcedDomainInTheWay: a domain that another organization has is named as
// what it is.
func TestEnforcedDomainInTheWay(t *testing.T) {
	ctx := t.Context()
	s, target := open(t, backend.Config{}), open(t, backend.Config{})
	domain := resources.Claim{Kind: resources.ClaimEnforced, Key: "example.com"}
	org := fill(t, s, "acme", 1)
	file := whole(t, s, map[string]resources.OrgID{"acme": org})
	_, err := target.Update(ctx, fill(t, target, "beta", 1), func(_ context.Context, tx resources.Tx) error { tx.Claim(domain, "somebody"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Restore(ctx, bytes.NewReader(file), readFile(t, file), backend.RestoreConfig{Placed: func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		entries, claims, holdings := placedHere(r)
		if r.Kind == resources.KindGroup {
			claims = append(claims, resources.HeldClaim{Claim: domain, Holder: r.ID})
		}
		return entries, claims, holdings
	}})
	wantReason(t, err, "acme: the domain example.com, whose people must sign in by a connection, is held by somebody")
}
