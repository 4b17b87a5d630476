package resources_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestTokens: a token works until it expires or is revoked, rotation allows
// two at a time, and only a hash is stored (R-125, security T1).
func TestTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		tok, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{Name: "Okta", Profile: resources.ProfileOkta, Scopes: []resources.Scope{resources.ScopeUsers}, Lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.Authenticate(ctx, text)
		if err != nil || c.Org != b.a.Org || c.Slug != "acme" || c.Profile != resources.ProfileOkta || c.Token != tok.ID {
			t.Fatalf("caller %+v, %v", c, err)
		}
		secret := text[strings.LastIndexByte(text, '_')+1:]
		rec, err := b.store.Get(ctx, b.a.Org, resources.KindToken, tok.ID)
		if err != nil || strings.Contains(string(rec.Profile), secret) {
			t.Errorf("the stored token holds its secret, or %v", err)
		}
		second, text2, err := b.RotateToken(ctx, b.operator, "acme", tok.ID)
		if err != nil || second.Connection != tok.Connection || second.ID == tok.ID {
			t.Fatalf("rotated %+v, %v", second, err)
		}
		_, _, err = b.RotateToken(ctx, b.operator, "acme", tok.ID)
		wantCode(t, err, resources.CodeTooManyTokens)
		if err := b.RevokeToken(ctx, b.operator, "acme", tok.ID); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(ctx, text)
		wantCode(t, err, resources.CodeUnauthenticated)
		if _, err = b.Authenticate(ctx, text2); err != nil {
			t.Error(err)
		}
		b.clock.Advance(time.Hour - time.Second)
		if _, err = b.Authenticate(ctx, text2); err != nil {
			t.Errorf("one second before it expires: %v", err)
		}
		b.clock.Advance(time.Second)
		_, err = b.Authenticate(ctx, text2)
		wantCode(t, err, resources.CodeUnauthenticated)
	})
}

// TestBadTokens: whatever is wrong with a token, the answer is the same
// (security S20).
func TestBadTokens(t *testing.T) {
	b := newBundle(t, "")
	_, text, err := b.CreateToken(t.Context(), b.operator, "acme", resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(text, "_")
	join := func(i int, s string) string {
		p := append([]string(nil), parts...)
		p[i] = s
		return strings.Join(p, "_")
	}
	details := map[string]bool{}
	for _, bad := range []string{
		"", "x", "ush_", "ush_a_b_c", text + "x", text[:len(text)-1], strings.ToUpper(text), text + "_",
		join(1, string(b.b.Org)), join(1, "platform"), join(1, "{x}"), join(2, b.b.Token), join(3, strings.Repeat("0", 52)),
		strings.Repeat("ush_", 100), "ush_\x00_\x00_\x00",
	} {
		_, err := b.Authenticate(t.Context(), bad)
		wantCode(t, err, resources.CodeUnauthenticated)
		details[err.Error()] = true
	}
	if len(details) != 1 {
		t.Errorf("%d different refusals: %v", len(details), details)
	}
}

// TestRevokedElsewhere: a token revoked on another node stops within five
// seconds (security T1).
func TestRevokedElsewhere(t *testing.T) {
	b := newBundle(t, "")
	tok, text, err := b.CreateToken(t.Context(), b.operator, "acme", resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: zeros{}, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Authenticate(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := b.RevokeToken(t.Context(), b.operator, "acme", tok.ID); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(5 * time.Second)
	_, err = other.Authenticate(t.Context(), text)
	wantCode(t, err, resources.CodeUnauthenticated)
}

// TestOrganizations: create, rename, suspend, resume, delete to the last key
// (BR-260).
func TestOrganizations(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		for _, slug := range []string{"", "platform", "A", "-a", "a-", "a b", "a/b", "é", strings.Repeat("a", 64), "a_b"} {
			_, err := b.CreateOrg(ctx, b.operator, slug, "")
			wantCode(t, err, resources.CodeInvalidValue)
		}
		_, err := b.CreateOrg(ctx, b.operator, "acme", "")
		wantCode(t, err, resources.CodeSlugInUse)
		_, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{})
		if err != nil {
			t.Fatal(err)
		}
		renamed, suspended, active := "acme-fr", resources.OrgSuspended, resources.OrgActive
		if _, err := b.UpdateOrg(ctx, b.operator, "acme", resources.OrgChange{Slug: &renamed}); err != nil {
			t.Fatal(err)
		}
		_, err = b.Org(ctx, b.operator, "acme")
		wantCode(t, err, resources.CodeNotFound)
		if c, err := b.Authenticate(ctx, text); err != nil || c.Slug != "acme-fr" {
			t.Errorf("after the rename: %+v, %v", c, err)
		}
		if _, err := b.UpdateOrg(ctx, b.operator, "acme-fr", resources.OrgChange{State: &suspended}); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(ctx, text)
		wantCode(t, err, resources.CodeOrgSuspended)
		if _, err := b.UpdateOrg(ctx, b.operator, "acme-fr", resources.OrgChange{State: &active}); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(5 * time.Second)
		if _, err = b.Authenticate(ctx, text); err != nil {
			t.Error(err)
		}
		if _, err := b.CreateUser(ctx, b.a, userDoc(t, "u", "u@acme.test")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.DeleteOrg(ctx, b.operator, "acme-fr", "yes"), resources.CodeConfirmation)
		if err := b.DeleteOrg(ctx, b.operator, "acme-fr", "acme-fr"); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(ctx, text)
		wantCode(t, err, resources.CodeUnauthenticated)
		b.clean(t)
		// What a request that came in before has written meanwhile goes as well.
		if _, err := b.CreateUser(ctx, b.a, userDoc(t, "late", "late@acme.test")); err != nil {
			t.Fatal(err)
		}
		if o, err := b.Org(ctx, b.operator, "acme-fr"); err != nil || o.State != resources.OrgDeleting {
			t.Errorf("right after its deletion: %+v, %v", o, err)
		}
		b.clock.Advance(15 * time.Second)
		b.clean(t)
		_, err = b.Org(ctx, b.operator, "acme-fr")
		wantCode(t, err, resources.CodeNotFound)
		for _, name := range []string{"u", "late"} {
			if _, err := b.CreateUser(ctx, b.b, userDoc(t, name, name+"@acme.test")); err != nil {
				t.Errorf("an address of a deleted organization is not free: %v", err)
			}
		}
		if _, err := b.CreateOrg(ctx, b.operator, "acme-fr", ""); err != nil {
			t.Errorf("the slug of a deleted organization is not free: %v", err)
		}
	})
}

// TestBootstrap: an empty store is filled once.
func TestBootstrap(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		if got, err := b.Bootstrap(t.Context(), time.Hour); got != nil || err != nil {
			t.Errorf("a store with organizations was bootstrapped: %+v, %v", got, err)
		}
		for _, slug := range []string{"acme", "beta"} {
			if err := b.DeleteOrg(t.Context(), b.operator, slug, slug); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(15 * time.Second)
		b.clean(t)
		got, err := b.Bootstrap(t.Context(), time.Hour)
		if err != nil || got == nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if c, err := b.Authenticate(t.Context(), got.SCIMToken); err != nil || c.Slug != "demo" {
			t.Errorf("%+v, %v", c, err)
		}
		api, err := b.Authenticate(t.Context(), got.APIToken)
		if err != nil {
			t.Fatal(err)
		}
		_, operator, err := b.CreateToken(t.Context(), api, resources.PlatformSlug, resources.TokenSpec{Name: "mine"})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.RevokeToken(t.Context(), api, resources.PlatformSlug, api.Token); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(t.Context(), got.APIToken)
		wantCode(t, err, resources.CodeUnauthenticated)
		if api, err = b.Authenticate(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		_, _, err = b.CreateToken(t.Context(), api, resources.PlatformSlug, resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeSCIM}})
		wantCode(t, err, resources.CodeInvalidValue)
		_, _, err = b.CreateToken(t.Context(), api, "demo", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopePlatform}})
		wantCode(t, err, resources.CodeInvalidValue)
		if _, total, err := b.Orgs(t.Context(), api, 0, 10); err != nil || total != 1 {
			t.Errorf("%d organizations, %v", total, err)
		}
	})
}
