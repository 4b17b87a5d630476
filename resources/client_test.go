package resources_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/resources"
)

const day = 24 * time.Hour

// keySet is a key set of one fresh key.
func keySet(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + base64.RawURLEncoding.EncodeToString(pub) + `"}]}`
}

func (b *bundle) client(t *testing.T, spec resources.ClientSpec) (*resources.Client, string) {
	t.Helper()
	cl, secret, err := b.CreateClient(t.Context(), b.operator, "acme", spec)
	if err != nil {
		t.Fatal(err)
	}
	if secret == nil {
		return cl, ""
	}
	return cl, secret.Text
}

// TestClientSecrets: two live secrets, each until it expires or is revoked;
// tokens die with the secret they were issued for (security T2).
func TestClientSecrets(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, first := b.client(t, resources.ClientSpec{Method: resources.MethodSecret, Profile: resources.ProfileOkta, Scopes: []resources.Scope{resources.ScopeUsers}})
		grant := func(secret string) (string, error) {
			_, text, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret})
			return text, err
		}
		token, err := grant(first)
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.Authenticate(ctx, token)
		if err != nil || c.Org != b.a.Org || c.Client != cl.ID || c.Token != cl.ID || c.Profile != resources.ProfileOkta || c.Scopes[0] != resources.ScopeUsers {
			t.Fatalf("caller %+v, %v", c, err)
		}
		b.clock.Advance(300 * day)
		_, second, err := b.RotateClientSecret(ctx, b.operator, "acme", cl.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = b.RotateClientSecret(ctx, b.operator, "acme", cl.ID, 0)
		wantCode(t, err, resources.CodeTooManySecrets)
		for _, s := range []string{first, second.Text} {
			if _, err := grant(s); err != nil {
				t.Error(err)
			}
		}
		b.clock.Advance(65*day - time.Second)
		if _, err := grant(first); err != nil {
			t.Errorf("a second before it expires: %v", err)
		}
		b.clock.Advance(time.Second)
		_, err = grant(first)
		wantCode(t, err, resources.CodeUnauthenticated)
		token, err = grant(second.Text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Authenticate(ctx, token); err != nil {
			t.Fatal(err)
		}
		// The expired one makes room.
		_, third, err := b.RotateClientSecret(ctx, b.operator, "acme", cl.ID, 3*365*day)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.RevokeClientSecret(ctx, b.operator, "acme", cl.ID, "x"), resources.CodeNotFound)
		if err := b.RevokeClientSecret(ctx, b.operator, "acme", cl.ID, second.ID); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(ctx, token)
		wantCode(t, err, resources.CodeUnauthenticated)
		if token, err = grant(third.Text); err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteClient(ctx, b.operator, "acme", cl.ID); err != nil {
			t.Fatal(err)
		}
		_, err = b.Authenticate(ctx, token)
		wantCode(t, err, resources.CodeUnauthenticated)
		_, err = grant(third.Text)
		wantCode(t, err, resources.CodeUnauthenticated)
		wantCode(t, b.DeleteClient(ctx, b.operator, "acme", cl.ID), resources.CodeNotFound)
		if list, err := b.ListTokens(ctx, b.operator, "acme"); err != nil || len(list) != 1 {
			t.Errorf("%d tokens are listed, want the operator's one; %v", len(list), err)
		}
	})
}

// TestAccessTokens: they live as long as said and are swept; of one client a
// hundred are alive at most, the oldest makes room.
func TestAccessTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, secret := b.client(t, resources.ClientSpec{Method: resources.MethodSecret, TokenLifetime: 2 * time.Hour})
		var texts []string
		for range 101 {
			tok, text, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret})
			if err != nil {
				t.Fatal(err)
			}
			if tok.Expires.Sub(tok.Created) != 2*time.Hour {
				t.Fatalf("it lives %s", tok.Expires.Sub(tok.Created))
			}
			texts = append(texts, text)
		}
		_, err := b.Authenticate(ctx, texts[0])
		wantCode(t, err, resources.CodeUnauthenticated)
		for _, text := range texts[1:] {
			if _, err := b.Authenticate(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(2*time.Hour - time.Second)
		if _, err := b.Authenticate(ctx, texts[100]); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(2 * time.Second)
		_, err = b.Authenticate(ctx, texts[100])
		wantCode(t, err, resources.CodeUnauthenticated)
		n, err := b.store.Sweep(ctx, b.a.Org, b.clock.Now(), 500, resources.Placement)
		if err != nil || n < 100 {
			t.Errorf("%d swept, %v; want the 100 tokens", n, err)
		}
		if faults, err := b.store.Audit(ctx, b.a.Org, resources.Placement); err != nil || len(faults) > 0 {
			t.Errorf("faults %v, %v", faults, err)
		}
	})
}

// TestRefusedGrants: whatever is wrong, the answer is the same.
func TestRefusedGrants(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	cl, secret := b.client(t, resources.ClientSpec{Method: resources.MethodSecret, Scopes: []resources.Scope{resources.ScopeUsers, resources.ScopeGroups}})
	cert := strings.Repeat("ab", 32)
	bound, boundSecret := b.client(t, resources.ClientSpec{Method: resources.MethodSecret, Cert: strings.ToUpper(cert)})
	keyed, _ := b.client(t, resources.ClientSpec{Method: resources.MethodKey, Keys: keySet(t)})
	settingOf := func(id string) string { return id[:19] + "5" }
	for name, g := range map[string]resources.Grant{
		"wrong secret":       {Org: "acme", Client: cl.ID, Secret: secret + "0"},
		"no secret":          {Org: "acme", Client: cl.ID},
		"unknown client":     {Org: "acme", Client: settingOf(cl.ID[:10] + "0000000000"), Secret: secret},
		"no id":              {Org: "acme", Client: "x", Secret: secret},
		"other organization": {Org: "beta", Client: cl.ID, Secret: secret},
		"no organization":    {Org: "nobody", Client: cl.ID, Secret: secret},
		"no certificate":     {Org: "acme", Client: bound.ID, Secret: boundSecret},
		"other certificate":  {Org: "acme", Client: bound.ID, Secret: boundSecret, Cert: strings.Repeat("ac", 32)},
		"secret of keyed":    {Org: "acme", Client: keyed.ID},
	} {
		_, _, err := b.ClientToken(ctx, g)
		wantCode(t, err, resources.CodeUnauthenticated)
		if err.Error() != "unauthenticated: The client is unknown or its proof is wrong, expired or used before; ask your administrator for valid credentials." {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, text, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: bound.ID, Secret: boundSecret, Cert: cert})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := b.Authenticate(ctx, text); err != nil || c.Cert != cert {
		t.Errorf("caller %+v, %v", c, err)
	}
	tok, _, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret, Scopes: []resources.Scope{resources.ScopeGroups}})
	if err != nil || len(tok.Scopes) != 1 || tok.Scopes[0] != resources.ScopeGroups {
		t.Errorf("%+v, %v", tok, err)
	}
	_, _, err = b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret, Scopes: []resources.Scope{resources.ScopeSCIM}})
	wantCode(t, err, resources.CodeForbidden)
	suspended := resources.OrgSuspended
	if _, err := b.UpdateOrg(ctx, b.operator, "acme", resources.OrgChange{State: &suspended}); err != nil {
		t.Fatal(err)
	}
	_, _, err = b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret})
	wantCode(t, err, resources.CodeOrgSuspended)
}

// TestAssertions: what an assertion must say (RFC 7523 §3).
func TestAssertions(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, _ := b.client(t, resources.ClientSpec{Method: resources.MethodKey, Keys: keySet(t)})
		serial := 0
		try := func(change func(*resources.Claims)) error {
			serial++
			now := b.clock.Now()
			c := resources.Claims{
				Issuer: cl.ID, Subject: cl.ID, Audience: []string{"us"}, ID: fmt.Sprint("j", serial), IssuedAt: now, Expires: now.Add(5 * time.Minute),
			}
			change(&c)
			_, _, err := b.ClientToken(ctx, resources.Grant{
				Org: "acme", Client: cl.ID, Audiences: []string{"us", "our endpoint"},
				Assertion: func([]jwk.Key) (resources.Claims, error) { return c, nil },
			})
			return err
		}
		now := b.clock.Now()
		for name, change := range map[string]func(*resources.Claims){
			"plain":            func(*resources.Claims) {},
			"the endpoint":     func(c *resources.Claims) { c.Audience = []string{"our endpoint"} },
			"both our names":   func(c *resources.Claims) { c.Audience = []string{"us", "our endpoint"} },
			"no iat":           func(c *resources.Claims) { c.IssuedAt = time.Time{} },
			"ten minutes":      func(c *resources.Claims) { c.Expires = now.Add(10 * time.Minute) },
			"a fast clock":     func(c *resources.Claims) { c.IssuedAt, c.NotBefore = now.Add(time.Minute), now.Add(time.Minute) },
			"the last second":  func(c *resources.Claims) { c.Expires = now.Add(time.Second) },
			"a jti of 255":     func(c *resources.Claims) { c.ID = strings.Repeat("j", 255) },
			"issued long past": func(c *resources.Claims) { c.IssuedAt = now.Add(-11 * time.Minute) },
		} {
			if err := try(change); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, change := range map[string]func(*resources.Claims){
			"foreign aud":      func(c *resources.Claims) { c.Audience = []string{"https://other.example"} },
			"a foreign aud":    func(c *resources.Claims) { c.Audience = []string{"us", "https://other.example"} },
			"no aud":           func(c *resources.Claims) { c.Audience = nil },
			"another issuer":   func(c *resources.Claims) { c.Issuer = "x" },
			"another subject":  func(c *resources.Claims) { c.Subject = "x" },
			"no jti":           func(c *resources.Claims) { c.ID = "" },
			"a jti of 256":     func(c *resources.Claims) { c.ID = strings.Repeat("j", 256) },
			"no exp":           func(c *resources.Claims) { c.Expires = time.Time{} },
			"expired":          func(c *resources.Claims) { c.Expires = now },
			"too long":         func(c *resources.Claims) { c.Expires = now.Add(10*time.Minute + time.Second) },
			"not yet":          func(c *resources.Claims) { c.NotBefore = now.Add(3 * time.Minute) },
			"of the future":    func(c *resources.Claims) { c.IssuedAt = now.Add(3 * time.Minute) },
			"issued too early": func(c *resources.Claims) { c.IssuedAt = now.Add(-13 * time.Minute) },
		} {
			if err := try(change); !resources.HasCode(err, resources.CodeUnauthenticated) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestAssertionRace: of many who show one assertion at the same time one gets a
// token; one whose signature is wrong gets none (security T2).
func TestAssertionRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, _ := b.client(t, resources.ClientSpec{Method: resources.MethodKey, Keys: keySet(t)})
		var good atomic.Int32
		var group sync.WaitGroup
		c := resources.Claims{Issuer: cl.ID, Subject: cl.ID, Audience: []string{"us"}, ID: "once", Expires: b.clock.Now().Add(time.Minute)}
		for range 16 {
			group.Go(func() {
				_, _, err := b.ClientToken(ctx, resources.Grant{
					Org: "acme", Client: cl.ID, Audiences: []string{"us"},
					Assertion: func([]jwk.Key) (resources.Claims, error) { return c, nil },
				})
				if err == nil {
					good.Add(1)
				} else if !resources.HasCode(err, resources.CodeUnauthenticated) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if good.Load() != 1 {
			t.Errorf("one assertion was accepted %d times", good.Load())
		}
		_, _, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Assertion: func([]jwk.Key) (resources.Claims, error) {
			return c, errors.New("wrong signature")
		}})
		wantCode(t, err, resources.CodeUnauthenticated)
	})
}

// TestAssertionReplayBetweenClocks: a node whose clock is ahead sweeps; one
// whose clock is behind, so that the assertion still holds there, must know
// that it was used (security T2).
func TestAssertionReplayBetweenClocks(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, _ := b.client(t, resources.ClientSpec{Method: resources.MethodKey, Keys: keySet(t)})
		c := resources.Claims{Issuer: cl.ID, Subject: cl.ID, Audience: []string{"us"}, ID: "once", Expires: b.clock.Now().Add(time.Minute)}
		grant := func() error {
			_, _, err := b.ClientToken(ctx, resources.Grant{
				Org: "acme", Client: cl.ID, Audiences: []string{"us"}, Assertion: func([]jwk.Key) (resources.Claims, error) { return c, nil },
			})
			return err
		}
		if err := grant(); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(61 * time.Second)
		if _, err := b.Clean(ctx); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(-2 * time.Second)
		wantCode(t, grant(), resources.CodeUnauthenticated)
	})
}
