package resources_test

import (
	"crypto/rand"
	"log/slog"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// beside is another node: a Directory of its own over the same store.
func (b *bundle) beside(t *testing.T) *bundle {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Queue: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	other := *b
	other.Directory = dir
	return &other
}

// named creates a user of acme with an address.
func (b *bundle) named(t *testing.T, name string) string {
	t.Helper()
	return b.licensed(t, b.a, name)
}

// told lists the types and rules of the events about a user, oldest first.
func (b *bundle) told(t *testing.T, id string) []string {
	t.Helper()
	events, _, err := b.Timeline(t.Context(), withAdmin(b.a), id, "", 100, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range events {
		e := &events[i]
		word := e.Type
		if e.Rule != "" {
			word += " " + e.Rule
		}
		out = append(out, word)
	}
	slices.Reverse(out)
	return out
}

// TestLife: a user goes through its life, and the stream tells of every step once
// (domain.md §3.1, BR-107, BR-261).
func TestLife(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		id := b.named(t, "zoe")
		want := func(state string) {
			t.Helper()
			if got := b.standing(t, b.a, id).State; got != state {
				t.Errorf("state %s, want %s", got, state)
			}
		}
		write := func(name string, v jsontree.Value) {
			t.Helper()
			if _, _, err := b.UpdateUser(ctx, b.a, id, set(name, v)); err != nil {
				t.Fatal(err)
			}
		}
		want(resources.StateNotVerified)
		if err := b.Prove(ctx, b.a.Org, id, "zoe@acme.example"); err != nil {
			t.Fatal(err)
		}
		want(resources.StateVerified)
		write("active", jsontree.Bool(false))
		want(resources.StateInactive)
		write("active", jsontree.Bool(true))
		want(resources.StateVerified)
		b.comeIn(t, id, byPassword)
		want(resources.StateActive)
		b.comeIn(t, id, bySSO)
		b.clock.Advance(2 * time.Hour)
		b.comeIn(t, id, byPassword)
		write("active", jsontree.Bool(false))
		want(resources.StateInactive)
		write("active", jsontree.Bool(true))
		want(resources.StateActive)
		if s := b.standing(t, b.a, id); s.Login.Method != resources.MethodPassword || s.Login.Last == s.Login.First {
			t.Errorf("sign-ins %+v", s.Login)
		}
		diff := gocmp.Diff([]string{
			"user.created", "user.verified", "user.updated", "user.deactivated", "user.updated", "user.reactivated",
			"user.activated BR-107", "user.signed_in", "user.signed_in", "user.signed_in",
			"user.updated", "user.deactivated", "user.updated", "user.reactivated",
		}, b.told(t, id))
		if diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		b.recount(t, b.a.Org)
	})
}

// TestAnotherAddress: an address that the identity provider changes is not proven
// by the old one, and is again when it comes back (BR-005).
func TestAnotherAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		id := b.named(t, "zoe")
		if err := b.Prove(t.Context(), b.a.Org, id, "zoe@acme.example"); err != nil {
			t.Fatal(err)
		}
		b.comeIn(t, id, byPassword)
		for address, want := range map[string]string{"zoe@other.example": "false", "zoe@acme.example": "true"} {
			rec, _, err := b.UpdateUser(t.Context(), b.a, id, set("emails", jsontree.Arr(jsontree.Obj(jsontree.Str(address).As("value")))))
			if err != nil {
				t.Fatal(err)
			}
			doc := parse(t, string(rec.Profile))
			block := doc.Get(resources.LifecycleURN)
			if got := string(block.Get("emailVerified").Append(nil)); want != got || block.GetString("state") != resources.StateActive {
				t.Errorf("%s: %s", address, block.Append(nil))
			}
		}
	})
}

// TestPreHijack: what somebody prepared before the user came in first is worthless
// then (security H1).
func TestPreHijack(t *testing.T) {
	mine, foreign := resources.Link{Issuer: "https://idp.example", Subject: "s1"}, resources.Link{Issuer: "https://evil.example", Subject: "x"}
	for name, tt := range map[string]struct {
		by   resources.Session
		want resources.Prepared
	}{
		"by provider": {bySSO, resources.Prepared{Links: []resources.Link{mine}}},
		"by password": {byPassword, resources.Prepared{Password: true}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, b *bundle) {
				ctx, id := t.Context(), b.named(t, "zoe")
				err := b.Prepare(ctx, b.a.Org, id, resources.Prepared{
					Password: true, Links: []resources.Link{mine, foreign}, Purposes: []resources.Purpose{resources.PurposeActivate, resources.PurposeReset},
				})
				if err != nil {
					t.Fatal(err)
				}
				epoch := b.standing(t, b.a, id).Epoch
				cookie := b.comeIn(t, id, tt.by)
				got, err := b.AccessOf(ctx, b.a.Org, id)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(&tt.want, got); diff != "" {
					t.Errorf("access (-want +got):\n%s", diff)
				}
				if s := b.standing(t, b.a, id); s.Epoch != epoch+1 {
					t.Errorf("the epoch is %d, was %d", s.Epoch, epoch)
				}
				if holder, _, err := b.SubjectHolder(ctx, foreign.Issuer, foreign.Subject); holder != "" || err != nil {
					t.Errorf("the foreign subject is still that of %s: %v", holder, err)
				}
				b.wantIn(t, cookie, true)
				b.recount(t, b.a.Org)
			})
		})
	}
}

// TestDeactivateKillsSession: whatever ends somebody's access ends the sessions on
// every node at the next look (security O10, V11).
func TestDeactivateKillsSession(t *testing.T) {
	active := func(on bool) resources.Edit { return set("active", jsontree.Bool(on)) }
	for name, end := range map[string]func(t *testing.T, b *bundle, id string) error{
		"identity provider": func(t *testing.T, b *bundle, id string) error {
			_, _, err := b.UpdateUser(t.Context(), b.a, id, active(false))
			return err
		},
		"identity provider, and on again": func(t *testing.T, b *bundle, id string) error {
			if _, _, err := b.UpdateUser(t.Context(), b.a, id, active(false)); err != nil {
				return err
			}
			_, _, err := b.UpdateUser(t.Context(), b.a, id, active(true))
			return err
		},
		"administrator": func(t *testing.T, b *bundle, id string) error {
			_, _, err := b.UpdateUser(t.Context(), b.operated(t, "acme"), id, active(false))
			return err
		},
		"deletion": func(t *testing.T, b *bundle, id string) error { return b.DeleteUser(t.Context(), b.a, id, nil) },
		"sign out everywhere": func(t *testing.T, b *bundle, id string) error {
			return b.RevokeSessions(t.Context(), withAdmin(b.a), id, "")
		},
		"detached": func(t *testing.T, b *bundle, id string) error {
			c := b.operated(t, "acme")
			c.Detach = true
			_, _, err := b.UpdateUser(t.Context(), c, id, set("title", jsontree.Str("x")))
			return err
		},
		"suspension": func(t *testing.T, b *bundle, _ string) error {
			state := resources.OrgSuspended
			_, err := b.UpdateOrg(t.Context(), b.operator, "acme", resources.OrgChange{State: &state})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, b *bundle) {
				other := b.beside(t)
				id, eva := b.named(t, "zoe"), b.named(t, "eva")
				cookies := []string{b.comeIn(t, id, byPassword), b.comeIn(t, id, bySSO)}
				colleague := b.comeIn(t, eva, byPassword)
				for _, c := range cookies {
					b.wantIn(t, c, true)
					other.wantIn(t, c, true)
				}
				if err := end(t, b, id); err != nil {
					t.Fatal(err)
				}
				for _, c := range cookies {
					b.wantIn(t, c, false)
					other.wantIn(t, c, false)
				}
				other.wantIn(t, colleague, name != "suspension")
				b.recount(t, b.a.Org)
			})
		})
	}
}

// TestDeletedAccess: what lets a user in goes with it, in the same commit, and its
// subject can be another's (BR-240, BR-112).
func TestDeletedAccess(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, id := t.Context(), b.named(t, "zoe")
		link := resources.Link{Issuer: "https://idp.example", Subject: "s1"}
		if err := b.Prepare(ctx, b.a.Org, id, resources.Prepared{Password: true, Links: []resources.Link{link}}); err != nil {
			t.Fatal(err)
		}
		b.recount(t, b.a.Org)
		if holder, org, err := b.SubjectHolder(ctx, link.Issuer, link.Subject); holder != id || org != b.a.Org || err != nil {
			t.Errorf("the subject is that of %s in %s: %v", holder, org, err)
		}
		if err := b.DeleteUser(ctx, b.a, id, nil); err != nil {
			t.Fatal(err)
		}
		if a, err := b.AccessOf(ctx, b.a.Org, id); a != nil || err != nil {
			t.Errorf("the access is still there: %+v, %v", a, err)
		}
		if holder, _, err := b.SubjectHolder(ctx, link.Issuer, link.Subject); holder != "" || err != nil {
			t.Errorf("the subject is still that of %s: %v", holder, err)
		}
		b.recount(t, b.a.Org)
	})
}
