package resources_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// withAdmin is a caller with every right of an administrator.
func withAdmin(c resources.Caller) resources.Caller {
	c.Scopes = append(slices.Clone(c.Scopes), resources.ScopeAdmin)
	return c
}

// administrators lists active full administrators by id.
func (b *bundle) administrators(t *testing.T, c resources.Caller) []string {
	t.Helper()
	list, err := b.Administrators(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		if a.Active && slices.Contains(a.Roles, resources.RoleFullAdmin) {
			out = append(out, a.User)
		}
	}
	return out
}

// TestRoles: roles are granted, listed and revoked by full administrators only
// (BR-060), and the last active full administrator stays (BR-245).
func TestRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), withAdmin(b.a)
		ada, eva := b.user(t, b.a, "ada"), b.user(t, b.a, "eva")
		for _, role := range []resources.Role{resources.RoleReadOnly, resources.RoleFullAdmin, resources.RoleFullAdmin} {
			if _, err := b.GrantRole(ctx, c, ada, role); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.Administrators(ctx, c)
		want := []resources.Administrator{{User: ada, UserName: "ada", Active: true, Roles: []resources.Role{resources.RoleFullAdmin, resources.RoleReadOnly}}}
		if diff := gocmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("administrators (-want +got):\n%s%v", diff, err)
		}

		_, err = b.GrantRole(ctx, c, eva, "king")
		wantCode(t, err, resources.CodeInvalidValue)
		_, err = b.GrantRole(ctx, c, "nobody", resources.RoleReadOnly)
		wantCode(t, err, resources.CodeNotFound)
		_, err = b.GrantRole(ctx, withAdmin(b.b), ada, resources.RoleReadOnly)
		wantCode(t, err, resources.CodeNotFound) // of another organization
		for _, scope := range resources.AdminScopes()[1:] {
			_, err = b.GrantRole(ctx, resources.Caller{Org: b.a.Org, Scopes: []resources.Scope{scope}}, eva, resources.RoleFullAdmin)
			wantCode(t, err, resources.CodeForbidden)
		}

		for name, lose := range b.losses(t.Context(), c) {
			if err := lose(ada); !resources.HasCode(err, resources.CodeLastAdmin) {
				t.Errorf("%s of the last administrator: %v", name, err)
			}
		}
		if _, err := b.GrantRole(ctx, c, eva, resources.RoleFullAdmin); err != nil {
			t.Fatal(err)
		}
		a, err := b.RevokeRole(ctx, c, ada, resources.RoleFullAdmin)
		if err != nil || !slices.Equal(a.Roles, []resources.Role{resources.RoleReadOnly}) {
			t.Errorf("revoked: %+v, %v", a, err)
		}
		if got := b.administrators(t, c); !slices.Equal(got, []string{eva}) {
			t.Errorf("administrators %v, want %s", got, eva)
		}
	})
}

// TestRoleScopes: every role has a scope of its own, and nothing else has one.
func TestRoleScopes(t *testing.T) {
	var got []resources.Scope
	for _, r := range resources.Roles() {
		got = append(got, r.Scope())
	}
	if diff := gocmp.Diff(resources.AdminScopes(), got); diff != "" {
		t.Error(diff)
	}
	if got := resources.Role("king").Scope(); got != "" {
		t.Errorf("an unknown role has the scope %s", got)
	}
}

// losses are the ways in which a full administrator ceases to be one.
func (b *bundle) losses(ctx context.Context, c resources.Caller) map[string]func(id string) error {
	return map[string]func(id string) error{
		"deactivation": func(id string) error {
			_, _, err := b.UpdateUser(ctx, c, id, set("active", jsontree.Bool(false)))
			return err
		},
		"deletion": func(id string) error { return b.DeleteUser(ctx, c, id, nil) },
		"demotion": func(id string) error {
			_, err := b.RevokeRole(ctx, c, id, resources.RoleFullAdmin)
			return err
		},
	}
}

// TestLastAdministratorRace: two last administrators are lost at the same moment,
// in every combination of ways, a thousand times: one always stays (BR-245).
func TestLastAdministratorRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		c := withAdmin(b.a)
		ways := []string{"deactivation", "deletion", "demotion"}
		losses := b.losses(t.Context(), c)
		pair := [2]string{}
		for round := range 1000 {
			for i, id := range pair {
				pair[i] = b.restore(t, c, id, fmt.Sprintf("admin%d-%d", i, round))
			}
			how := [2]string{ways[round%3], ways[round/3%3]}
			var errs [2]error
			var both sync.WaitGroup
			for i := range pair {
				both.Go(func() { errs[i] = losses[how[i]](pair[i]) })
			}
			both.Wait()
			for i, err := range errs {
				if err != nil && !resources.HasCode(err, resources.CodeLastAdmin) {
					t.Fatalf("round %d: %s: %v", round, how[i], err)
				}
			}
			if left := b.administrators(t, c); len(left) != 1 {
				t.Fatalf("round %d, %v: %d administrators are left, errors %v", round, how, len(left), errs)
			}
		}
	})
}

// restore makes a user an active full administrator, a new one if need be.
func (b *bundle) restore(t *testing.T, c resources.Caller, id, name string) string {
	t.Helper()
	rec, err := b.store.Get(t.Context(), c.Org, resources.KindUser, id)
	if err != nil {
		t.Fatal(err)
	}
	if rec == nil {
		id = b.user(t, c, name)
	} else if _, _, err = b.UpdateUser(t.Context(), c, id, set("active", jsontree.Bool(true))); err != nil {
		t.Fatal(err)
	}
	if _, err = b.GrantRole(t.Context(), c, id, resources.RoleFullAdmin); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestFirstAdministrator: an organization is made with its first administrator,
// or not at all (BR-245).
func TestFirstAdministrator(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		o, err := b.CreateOrgFor(ctx, b.operator, "gamma", "Gamma", resources.FirstAdministrator{Email: " Zoe@gamma.test ", DisplayName: "Zoé"})
		if err != nil || o.First != nil {
			t.Fatalf("created %+v: %v", o, err)
		}
		c := resources.Caller{Org: o.ID, Slug: o.Slug, Scopes: []resources.Scope{resources.ScopeAdmin}}
		list, err := b.Administrators(ctx, c)
		if err != nil || len(list) != 1 {
			t.Fatalf("administrators %+v: %v", list, err)
		}
		want := resources.Administrator{User: list[0].User, UserName: "Zoe@gamma.test", Email: "Zoe@gamma.test", Active: true, Roles: []resources.Role{resources.RoleFullAdmin}}
		if diff := gocmp.Diff(want, list[0]); diff != "" {
			t.Errorf("administrator (-want +got):\n%s", diff)
		}
		wantCode(t, b.DeleteUser(ctx, c, want.User, nil), resources.CodeLastAdmin)

		_, err = b.CreateOrgFor(ctx, b.operator, "delta", "", resources.FirstAdministrator{Email: "nobody"})
		wantCode(t, err, resources.CodeEmailInvalid)
		_, err = b.CreateOrgFor(ctx, b.operator, "delta", "", resources.FirstAdministrator{Email: "zoe@gamma.test"})
		wantCode(t, err, resources.CodeEmailInOtherOrg)
		_, err = b.CreateOrgFor(ctx, b.a, "delta", "", resources.FirstAdministrator{Email: "x@delta.test"})
		wantCode(t, err, resources.CodeForbidden)
		if _, err = b.Org(ctx, b.operator, "delta"); !resources.HasCode(err, resources.CodeNotFound) {
			t.Errorf("an organization without its administrator is there: %v", err)
		}
		// The slug is free at once.
		if _, err = b.CreateOrgFor(ctx, b.operator, "delta", "", resources.FirstAdministrator{Email: "x@delta.test"}); err != nil {
			t.Error(err)
		}
	})
}

// TestFirstAdministratorLate: a program that ended anywhere in between is made up
// for by the next cleaning.
func TestFirstAdministratorLate(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		for steps := range 3 {
			slug := fmt.Sprintf("late%d", steps)
			o, err := b.HalfOrg(t.Context(), b.operator, slug, resources.FirstAdministrator{Email: slug + "@late.test"}, steps)
			if err != nil {
				t.Fatal(err)
			}
			b.clean(t)
			b.clock.Advance(2 * time.Minute)
			b.clean(t)
			c := resources.Caller{Org: o.ID, Slug: slug, Scopes: []resources.Scope{resources.ScopeAdmin}}
			if got := b.administrators(t, c); len(got) != 1 {
				t.Errorf("after %d steps: administrators %v, want one", steps, got)
			}
			if o, err = b.Org(t.Context(), b.operator, slug); err != nil || o.First != nil {
				t.Errorf("after %d steps: organization %+v: %v", steps, o, err)
			}
		}
		// The address is somebody else's by then.
		if _, err := b.HalfOrg(t.Context(), b.operator, "lost", resources.FirstAdministrator{Email: "late0@late.test"}, 0); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(2 * time.Minute)
		b.clean(t)
		if o, err := b.Org(t.Context(), b.operator, "lost"); err != nil || o.First != nil {
			t.Errorf("organization %+v: %v", o, err)
		}
	})
}
