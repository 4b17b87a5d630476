package backend_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// mailed gives an organization one user with an address, which is returned.
func mailed(t *testing.T, s *backend.Store, org resources.OrgID, mail string) (r *resources.Record, had []resources.Entry) {
	t.Helper()
	f := factsOf("mover", 0, mail)
	r = f.record(newRecord(t, resources.KindUser, "x").ID, 1)
	had = f.entries(r.ID, 1)
	_, err := s.Update(t.Context(), org, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, r, nil, had)
		tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: mail}, r.ID)
		tx.Event(resources.Event{Type: "user.created", ID: r.ID})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, had
}

// TestRestoredClaimsOfTwo: an address that went from one organization to another
// while both were backed up stays with the one that is restored first; dropping
// the other takes nothing from it. Claims of one file are all of one attempt.
func TestRestoredClaimsOfTwo(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			source := open(t, backend.Config{})
			acme, beta := fill(t, source, "acme", 3), fill(t, source, "beta", 3)
			const mail = "mover@example.com"
			claim := resources.Claim{Kind: resources.ClaimEmail, Key: mail}
			r, had := mailed(t, source, acme, mail)
			var file bytes.Buffer
			w, err := source.NewBackup(&file, "test")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := source.Backup(ctx, w, backend.BackupConfig{Org: acme, Slug: "acme", Placed: placedHere}); err != nil {
				t.Fatal(err)
			}
			_, err = source.Update(ctx, acme, func(_ context.Context, tx resources.Tx) error {
				before, err := tx.Read(resources.KindUser, r.ID)
				tx.Delete(before, had)
				tx.Release(claim, r.ID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			mailed(t, source, beta, mail)
			if _, err := source.Backup(ctx, w, backend.BackupConfig{Org: beta, Slug: "beta", Placed: placedHere}); err != nil {
				t.Fatal(err)
			}
			if err := w.Complete(); err != nil {
				t.Fatal(err)
			}
			target := open(t, backend.Config{URL: url, SpreadClaims: true})
			_, err = target.Restore(ctx, bytes.NewReader(file.Bytes()), readFile(t, file.Bytes()), backend.RestoreConfig{Placed: placedHere})
			wantReason(t, err, "the e-mail address "+mail+" is held by "+r.ID)
			if holder, org, err := target.Holder(ctx, claim); holder != r.ID || org != acme || err != nil {
				t.Errorf("the claim is held by %q of %q (%v), want %s of %s", holder, org, err, r.ID, acme)
			}
		})
	}
}

// TestRestoreMeetsWhatBrokeOff: a claim that a crash has left behind does not keep
// an organization from being restored.
func TestRestoreMeetsWhatBrokeOff(t *testing.T) {
	ctx := t.Context()
	source := open(t, backend.Config{})
	acme := fill(t, source, "acme", 3)
	const mail = "mover@example.com"
	r, _ := mailed(t, source, acme, mail)
	file := whole(t, source, map[string]resources.OrgID{"acme": acme})
	sum := sha256.Sum256([]byte(mail))
	key := "em:{" + hex.EncodeToString(sum[:16]) + "}"
	for name, cfg := range map[string]backend.Config{"spread": {SpreadClaims: true}, "folded": {}} {
		for state, says := range map[string]string{
			"reserved": "P|gone|x|000000000000|em|" + mail, "without owner": "C|gone|x|000000000000",
		} {
			if name == "folded" && state != "reserved" {
				continue // folded commits leave none
			}
			target := open(t, cfg)
			if err := target.Raw().Set(ctx, key, says, 0).Err(); err != nil {
				t.Fatal(err)
			}
			_, err := target.Restore(ctx, bytes.NewReader(file), readFile(t, file), backend.RestoreConfig{Placed: placedHere})
			if err != nil {
				t.Errorf("%s, %s: %v", name, state, err)
			}
			if holder, org, err := target.Holder(ctx, resources.Claim{Kind: resources.ClaimEmail, Key: mail}); err != nil || holder != r.ID || org != acme {
				t.Errorf("%s, %s: the holder is %q of %q (%v)", name, state, holder, org, err)
			}
		}
	}
}
