package resources_test

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// An administrator of users gives nobody another identity who may do more: who
// chooses where the links of a full administrator go is one (BR-060).
func TestIdentityOfMoreRights(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		users := m.bundle.admin(m.T, m.a.Slug, resources.ScopeAdminUsers)
		users.Origin = resources.OriginAPI
		active, _, _ := m.arrived("boss")
		waiting, _ := m.person("next")
		places, _ := m.person("site")
		for id, role := range map[string]resources.Role{active: resources.RoleFullAdmin, waiting: resources.RoleFullAdmin, places: resources.RoleLocationAdmin} {
			if _, err := m.GrantRole(ctx, m.admin, id, role); err != nil {
				m.Fatal(err)
			}
		}
		mine, _ := m.person("peer")
		for _, role := range []resources.Role{resources.RoleUserAdmin, resources.RoleReadOnly} {
			if _, err := m.GrantRole(ctx, m.admin, mine, role); err != nil {
				m.Fatal(err)
			}
		}
		address := func(local string) resources.Edit {
			return set("emails", parse(m.T, `[{"value":"`+local+`@acme.example"}]`))
		}
		for name, id := range map[string]string{"active": active, "waiting": waiting, "places": places} {
			_, _, err := m.UpdateUser(ctx, users, id, address("mallory-"+name))
			wantCode(m.T, err, resources.CodeForbidden)
			_, _, err = m.UpdateUser(ctx, users, id, set("externalId", jsontree.Str("mallory-"+name)))
			wantCode(m.T, err, resources.CodeForbidden)
			if _, _, err = m.UpdateUser(ctx, users, id, set("title", jsontree.Str("Chief"))); err != nil {
				m.Errorf("%s: what is no identity: %v", name, err)
			}
		}
		if _, _, err := m.UpdateUser(ctx, users, mine, address("peer-two")); err != nil {
			m.Errorf("of who may do the same: %v", err)
		}
		if _, _, err := m.UpdateUser(ctx, m.admin, waiting, address("next-two")); err != nil {
			m.Errorf("by a full administrator: %v", err)
		}
		if _, _, err := m.UpdateUser(ctx, m.a, active, address("boss-two")); err != nil {
			m.Errorf("by the identity provider: %v", err)
		}
	})
}
