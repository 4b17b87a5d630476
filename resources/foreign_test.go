package resources_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

func trust() resources.Trust {
	return resources.Trust{Issuer: "https://sts.example/t/", Audience: "aud", App: "app", Tenant: "t"}
}

// TestForeign: every pinned claim must be so, the times must be of now, and the
// caller is that of the connection (security O5).
func TestForeign(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		cl, _ := b.client(t, resources.ClientSpec{Method: resources.MethodExternal, Trust: trust(), Scopes: []resources.Scope{resources.ScopeSCIMRead}})
		serial := 0
		try := func(org string, change func(*resources.Claims)) (resources.Caller, error) {
			serial++
			now := b.clock.Now()
			c := resources.Claims{Issuer: "https://sts.example/t/", Audience: []string{"aud"}, App: "app", Tenant: "t", IssuedAt: now, Expires: now.Add(time.Hour)}
			change(&c)
			return b.AuthenticateForeign(ctx, resources.Foreign{
				Org: org, Text: fmt.Sprint("a.b.", serial), Issuer: c.Issuer,
				Verify: func(context.Context, resources.Trust) (resources.Claims, error) { return c, nil },
			})
		}
		same := func(*resources.Claims) {}
		c, err := try("acme", same)
		if err != nil || c.Org != b.a.Org || c.Slug != "acme" || c.Client != cl.ID || c.Scopes[0] != resources.ScopeSCIMRead {
			t.Fatalf("caller %+v, %v", c, err)
		}
		now := b.clock.Now()
		for name, change := range map[string]func(*resources.Claims){
			"several audiences": func(c *resources.Claims) { c.Audience = []string{"x", "aud"} },
			"a minute over":     func(c *resources.Claims) { c.Expires = now.Add(-time.Minute) },
			"a fast clock":      func(c *resources.Claims) { c.NotBefore = now.Add(time.Minute) },
		} {
			if _, err := try("acme", change); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, change := range map[string]func(*resources.Claims){
			"issuer":                 func(c *resources.Claims) { c.Issuer = "https://sts.example/t" },
			"audience":               func(c *resources.Claims) { c.Audience = []string{"AUD"} },
			"app":                    func(c *resources.Claims) { c.App = "" },
			"tenant":                 func(c *resources.Claims) { c.Tenant = "u" },
			"no end":                 func(c *resources.Claims) { c.Expires = time.Time{} },
			"ended":                  func(c *resources.Claims) { c.Expires = now.Add(-2 * time.Minute) },
			"for years":              func(c *resources.Claims) { c.Expires = now.Add(87600 * time.Hour) },
			"for a week, at its end": func(c *resources.Claims) { c.IssuedAt = now.Add(-167 * time.Hour) },
			"not yet":                func(c *resources.Claims) { c.NotBefore = now.Add(3 * time.Minute) },
			"too early":              func(c *resources.Claims) { c.IssuedAt = now.Add(3 * time.Minute) },
		} {
			if _, err := try("acme", change); !resources.HasCode(err, resources.CodeUnauthenticated) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, org := range []string{"beta", "nobody", "platform", ""} {
			if _, err := try(org, same); !resources.HasCode(err, resources.CodeUnauthenticated) {
				t.Errorf("organization %q: %v", org, err)
			}
		}
		if list, err := b.ListClients(ctx, b.operator, "acme"); err != nil || len(list) != 1 || list[0].LastUsed.IsZero() {
			t.Errorf("the use is not noted, or %v", err)
		}
	})
}

// TestForeignRemembered: a good token is checked every three seconds, a refused
// one every second, and what ends on another node ends here within five.
func TestForeignRemembered(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	cl, _ := b.client(t, resources.ClientSpec{Method: resources.MethodExternal, Trust: trust()})
	other, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: zeros{}, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	var fault error
	try := func() error {
		_, err := b.AuthenticateForeign(ctx, resources.Foreign{
			Org: "acme", Text: "a.b.c", Issuer: trust().Issuer,
			Verify: func(context.Context, resources.Trust) (resources.Claims, error) {
				checks++
				return resources.Claims{Issuer: trust().Issuer, Audience: []string{"aud"}, App: "app", Tenant: "t", Expires: b.clock.Now().Add(time.Hour)}, fault
			},
		})
		return err
	}
	for range 10 {
		if err := try(); err != nil {
			t.Fatal(err)
		}
	}
	if checks != 1 {
		t.Errorf("%d checks of one token at a time", checks)
	}
	b.clock.Advance(3 * time.Second)
	if err := try(); err != nil || checks != 2 {
		t.Errorf("%d checks after three seconds, %v", checks, err)
	}
	if err := other.DeleteClient(ctx, b.operator, "acme", cl.ID); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(4 * time.Second)
	wantCode(t, try(), resources.CodeUnauthenticated)

	b.client(t, resources.ClientSpec{Method: resources.MethodExternal, Trust: trust()})
	b.clock.Advance(time.Second)
	fault = fmt.Errorf("no keys: %w", resources.ErrUnavailable)
	if err := try(); !errors.Is(err, resources.ErrUnavailable) {
		t.Errorf("without keys: %v, want unavailable", err)
	}
	fault = errors.New("wrong signature")
	wantCode(t, try(), resources.CodeUnauthenticated)
	fault = nil
	wantCode(t, try(), resources.CodeUnauthenticated) // remembered
	b.clock.Advance(time.Second)
	if err := try(); err != nil {
		t.Error(err)
	}
}

// TestClientSpec: what a client cannot be, each with the field at fault.
func TestClientSpec(t *testing.T) {
	b := newBundle(t, "")
	good := keySet(t)
	long := strings.Repeat("x", 501)
	with := func(change func(*resources.Trust)) resources.ClientSpec {
		s := resources.ClientSpec{Method: resources.MethodExternal, Trust: trust()}
		change(&s.Trust)
		return s
	}
	for _, c := range []struct {
		field string
		spec  resources.ClientSpec
	}{
		{"method", resources.ClientSpec{}},
		{"method", resources.ClientSpec{Method: "password"}},
		{"scopes", resources.ClientSpec{Method: resources.MethodSecret, Scopes: []resources.Scope{resources.ScopePlatform}}},
		{"profile", resources.ClientSpec{Method: resources.MethodSecret, Profile: "x"}},
		{"token_lifetime", resources.ClientSpec{Method: resources.MethodSecret, TokenLifetime: 59 * time.Minute}},
		{"token_lifetime", resources.ClientSpec{Method: resources.MethodSecret, TokenLifetime: 6*time.Hour + 1}},
		{"secret_lifetime", resources.ClientSpec{Method: resources.MethodSecret, SecretLifetime: 364 * day}},
		{"secret_lifetime", resources.ClientSpec{Method: resources.MethodSecret, SecretLifetime: 1099 * day}},
		{"secret_lifetime", resources.ClientSpec{Method: resources.MethodKey, Keys: good, SecretLifetime: 365 * day}},
		{"jwks", resources.ClientSpec{Method: resources.MethodKey}},
		{"jwks", resources.ClientSpec{Method: resources.MethodSecret, Keys: good}},
		{"jwks", resources.ClientSpec{Method: resources.MethodKey, Keys: `{"keys":[]}`}},
		{"jwks", resources.ClientSpec{Method: resources.MethodKey, Keys: `x`}},
		{"jwks", resources.ClientSpec{Method: resources.MethodKey, Keys: strings.Replace(good, `"kid"`, `"d":"AA","kid"`, 1)}},
		{"jwks", resources.ClientSpec{Method: resources.MethodKey, Keys: `{"keys":[` + strings.Repeat(good[9:len(good)-2]+",", 10) + good[9:len(good)-2] + `]}`}},
		{"cert_sha256", resources.ClientSpec{Method: resources.MethodSecret, Cert: "ab"}},
		{"issuer", resources.ClientSpec{Method: resources.MethodSecret, Trust: trust()}},
		{"issuer", with(func(t *resources.Trust) { t.Issuer = "" })},
		{"issuer", with(func(t *resources.Trust) { t.Issuer = "sts.example" })},
		{"issuer", with(func(t *resources.Trust) { t.Issuer = "https://a@sts.example/" })},
		{"audience", with(func(t *resources.Trust) { t.Audience = "" })},
		{"appid", with(func(t *resources.Trust) { t.App = "" })},
		{"tenant", with(func(t *resources.Trust) { t.Tenant = long })},
		{"jwks_uri", with(func(t *resources.Trust) { t.KeysURI = "file:///etc/passwd" })},
		{"token_lifetime", resources.ClientSpec{Method: resources.MethodExternal, Trust: trust(), TokenLifetime: time.Hour}},
	} {
		_, _, err := b.CreateClient(t.Context(), b.operator, "acme", c.spec)
		e, ok := errors.AsType[*resources.Error](err)
		if !ok || e.Code != resources.CodeInvalidValue || e.Field != c.field {
			t.Errorf("%+v: %v, want invalid_value of %s", c.spec, err, c.field)
		}
	}
	if _, _, err := b.CreateClient(t.Context(), b.a, "acme", resources.ClientSpec{Method: resources.MethodSecret}); !resources.HasCode(err, resources.CodeForbidden) {
		t.Errorf("a provisioning token makes clients: %v", err)
	}
	if _, _, err := b.CreateClient(t.Context(), b.operator, "platform", resources.ClientSpec{Method: resources.MethodSecret}); !resources.HasCode(err, resources.CodeNotFound) {
		t.Errorf("a client of the operators: %v", err)
	}
	for range 100 {
		b.client(t, resources.ClientSpec{Method: resources.MethodSecret, Cert: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"})
	}
	_, _, err := b.CreateClient(t.Context(), b.operator, "acme", resources.ClientSpec{Method: resources.MethodSecret})
	wantCode(t, err, resources.CodeTooMany)
}
