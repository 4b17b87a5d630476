package resources_test

import (
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestRoleToken: a token that stands for an administrator goes as far as the
// roles do, while they do (BR-060, security T1).
func TestRoleToken(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), withAdmin(b.a)
		ada := b.user(t, b.a, "ada")
		issue := func(scope resources.Scope) (string, error) {
			_, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{User: ada, Scopes: []resources.Scope{scope}})
			return text, err
		}
		_, err := issue(resources.ScopeAdminUsers)
		fails(t, err, resources.CodeInvalidValue, "scopes")
		if _, err := b.GrantRole(ctx, c, ada, resources.RoleUserAdmin); err != nil {
			t.Fatal(err)
		}
		_, err = issue(resources.ScopeAdmin)
		fails(t, err, resources.CodeInvalidValue, "scopes")
		token, err := issue(resources.ScopeAdminUsers)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Authenticate(ctx, token); err != nil {
			t.Fatal(err)
		}
		if _, err := b.RevokeRole(ctx, c, ada, resources.RoleUserAdmin); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(5 * time.Second)
		_, err = b.Authenticate(ctx, token)
		wantCode(t, err, resources.CodeUnauthenticated)
	})
}
