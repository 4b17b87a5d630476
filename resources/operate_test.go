package resources_test

import (
	"slices"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestOperate: a platform operator acts on any organization, an administrator on
// the own one, and a provisioning connection on none (BR-060).
func TestOperate(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	c, err := b.Operate(ctx, b.operator, "beta")
	if err != nil || c.Org != b.b.Org || c.Slug != "beta" || c.Origin != "API" || c.Token != "test" {
		t.Errorf("operator: %+v, %v", c, err)
	}
	if _, err := b.CreateUser(ctx, c, userDoc(t, "u", "u@beta.example")); err != nil {
		t.Errorf("an operator creates a user: %v", err)
	}
	_, err = b.Operate(ctx, b.operator, "gamma")
	fails(t, err, resources.CodeNotFound, "")
	_, err = b.Operate(ctx, b.operator, resources.PlatformSlug)
	fails(t, err, resources.CodeNotFound, "")
	for _, scope := range resources.AdminScopes() {
		own := b.admin(t, "acme", scope)
		if c, err = b.Operate(ctx, own, "acme"); err != nil || c.Org != b.a.Org || c.Origin != "API" {
			t.Errorf("%s: %+v, %v", scope, c, err)
		}
		_, err = b.Operate(ctx, own, "beta")
		fails(t, err, resources.CodeNotFound, "")
	}
	_, err = b.Operate(ctx, b.a, "acme")
	fails(t, err, resources.CodeForbidden, "")
	if err := b.DeleteOrg(ctx, b.operator, "beta", "beta"); err != nil {
		t.Fatal(err)
	}
	_, err = b.Operate(ctx, b.operator, "beta")
	fails(t, err, resources.CodeNotFound, "")
}

// TestAdminScopes: what each role may change (BR-060).
func TestAdminScopes(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	may := map[resources.Scope][]string{
		resources.ScopeAdmin:         {"settings", "templates"},
		resources.ScopeAdminLicences: {"templates"},
		resources.ScopeAdminUsers:    nil, resources.ScopeAdminPlaces: nil, resources.ScopeAdminRead: nil,
	}
	for scope, want := range may {
		c := b.admin(t, "acme", scope)
		if _, _, err := b.Settings(ctx, c); err != nil {
			t.Errorf("%s does not read settings: %v", scope, err)
		}
		if _, err := b.Templates(ctx, c); err != nil {
			t.Errorf("%s does not read templates: %v", scope, err)
		}
		_, _, err := b.ChangeSettings(ctx, c, func(s *resources.Settings, _ uint64) error { return nil })
		if got := err == nil; got != slices.Contains(want, "settings") {
			t.Errorf("%s changes settings: %v", scope, err)
		}
		_, err = b.RetryLicences(ctx, c, "")
		if got := err == nil || resources.HasCode(err, resources.CodeJobRunning); got != slices.Contains(want, "templates") {
			t.Errorf("%s retries licences: %v", scope, err)
		}
	}
}

// TestScopesOfTokens: scopes of administrators and of provisioning do not share a
// credential, and clients only provision.
func TestScopesOfTokens(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	for _, scopes := range [][]resources.Scope{
		{resources.ScopeSCIM, resources.ScopeAdmin},
		{resources.ScopeAdminRead, resources.ScopeUsersRead},
		{resources.ScopePlatform},
		{"admin:all"},
	} {
		_, _, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{Scopes: scopes})
		fails(t, err, resources.CodeInvalidValue, "scopes")
	}
	_, _, err := b.CreateToken(ctx, b.operator, resources.PlatformSlug, resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeAdmin}})
	fails(t, err, resources.CodeInvalidValue, "scopes")
	_, _, err = b.CreateClient(ctx, b.operator, "acme", resources.ClientSpec{Method: resources.MethodSecret, Scopes: []resources.Scope{resources.ScopeAdmin}})
	fails(t, err, resources.CodeInvalidValue, "scopes")
}

// TestConnectionFlags: strictness and entitlements belong to the connection and
// reach every caller that it makes (domain.md §5.6).
func TestConnectionFlags(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	for _, flag := range []bool{false, true} {
		tok, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{Strict: flag, Asks: flag})
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.Authenticate(ctx, text)
		if err != nil || c.Strict != flag || c.Asks != flag {
			t.Errorf("token: %+v, %v, want flags %v", c, err, flag)
		}
		if _, text, err = b.RotateToken(ctx, b.operator, "acme", tok.ID); err != nil {
			t.Fatal(err)
		}
		if c, err = b.Authenticate(ctx, text); err != nil || c.Strict != flag || c.Asks != flag {
			t.Errorf("rotated token: %+v, %v, want flags %v", c, err, flag)
		}
		cl, secret := b.client(t, resources.ClientSpec{Method: resources.MethodSecret, Strict: flag, Asks: flag})
		_, access, err := b.ClientToken(ctx, resources.Grant{Org: "acme", Client: cl.ID, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		if c, err = b.Authenticate(ctx, access); err != nil || c.Strict != flag || c.Asks != flag {
			t.Errorf("client: %+v, %v, want flags %v", c, err, flag)
		}
	}
}
