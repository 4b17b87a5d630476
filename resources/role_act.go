package resources

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Scope is what an administrator with the role may do, as a token's scope.
func (r Role) Scope() Scope {
	switch r {
	case RoleFullAdmin:
		return ScopeAdmin
	case RoleUserAdmin:
		return ScopeAdminUsers
	case RoleLicenceAdmin:
		return ScopeAdminLicences
	case RoleLocationAdmin:
		return ScopeAdminPlaces
	case RoleReadOnly:
		return ScopeAdminRead
	}
	return ""
}

// Administrator is a user with roles.
type Administrator struct {
	User     string
	UserName string
	Email    string // identity e-mail, or ""
	Active   bool
	Roles    []Role // in the order of [Roles]
}

// maxAdministrators bounds how many users of an organization have roles.
const maxAdministrators = 1000

// Administrators lists users with roles, in order of creation.
func (d *Directory) Administrators(ctx context.Context, c Caller) ([]Administrator, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	page, err := d.administrators(ctx, c, maxAdministrators)
	if err != nil {
		return nil, err
	}
	out := make([]Administrator, 0, len(page.Records))
	for _, rec := range page.Records {
		a, err := administratorOf(rec)
		if err != nil {
			return nil, err
		}
		if len(a.Roles) > 0 { // or they have gone since the index was read
			out = append(out, *a)
		}
	}
	return out, nil
}

func (d *Directory) administrators(ctx context.Context, c Caller, limit int) (Page, error) {
	where := &Cond{Op: CondOr}
	for _, r := range Roles() {
		where.Subs = append(where.Subs, Cond{Op: CondIs, Index: UserAttr, Value: factKey(factRole, string(r))})
	}
	page, err := d.store.Find(ctx, c.Org, Query{Kind: KindUser, Where: where, Limit: limit, NoGroups: true, Budget: d.budget})
	if err != nil {
		return Page{}, fmt.Errorf("find administrators: %w", err)
	}
	return page, nil
}

func administratorOf(rec *Record) (*Administrator, error) {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	u := userIn(rec, &doc)
	return &Administrator{User: rec.ID, UserName: u.UserName, Email: u.Identity, Active: !u.Inactive, Roles: u.standing.Roles}, nil
}

// GrantRole gives a user a role; one that it has already stays. Codes: not_found,
// invalid_value, too_many.
func (d *Directory) GrantRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	page, err := d.administrators(ctx, c, 0)
	if err != nil {
		return nil, err
	}
	if page.Total >= maxAdministrators {
		return nil, &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d administrators; take roles from others first.", maxAdministrators)}
	}
	return d.changeRole(ctx, c, user, role, true)
}

// RevokeRole takes a role from a user; one that it does not have is no fault.
// Codes: not_found, invalid_value, last_admin (BR-245).
func (d *Directory) RevokeRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	return d.changeRole(ctx, c, user, role, false)
}

// changeRole gives or takes a role. The guard of the last administrator is with
// settle, as for every other way to lose one.
func (d *Directory) changeRole(ctx context.Context, c Caller, user string, role Role, has bool) (*Administrator, error) {
	if role.Scope() == "" {
		return nil, &Error{Code: CodeInvalidValue, Field: "role", Detail: fmt.Sprintf("The role %q is not known; use %s.", clip(string(role), 40), joined(Roles()))}
	}
	rec, _, err := d.revise(ctx, c, user, revision{change: func(_ *Plan, s *Standing) error {
		s.setRole(role, has)
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("change roles: %w", err)
	}
	return administratorOf(rec)
}

// setRole gives or takes a role, in the order of [Roles].
func (s *Standing) setRole(role Role, has bool) {
	var out []Role
	for _, r := range Roles() {
		if r == role && has || r != role && slices.Contains(s.Roles, r) {
			out = append(out, r)
		}
	}
	s.Roles = out
}
