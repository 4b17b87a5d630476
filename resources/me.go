package resources

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// A token may stand for a user of its organization. It ends with the
// user, and rests while the user is inactive.

func userUnknown(id string) *Error {
	return &Error{Code: CodeInvalidValue, Field: "user", Detail: "There is no user with the id " + quoted(id) + " in this organization; a token stands for a user that exists."}
}

// standsFor refuses, inside the commit that issues a token, a user that does
// not exist or has no role for a scope of administrators; nil when the token
// stands for nobody.
func standsFor(user string, scopes []Scope) func(Tx, string) error {
	if user == "" {
		return nil
	}
	return func(tx Tx, _ string) error {
		rec, err := tx.Read(KindUser, user)
		if err != nil {
			return err
		}
		if rec == nil {
			return userUnknown(user)
		}
		if s := StandingOf(rec); !s.covers(scopes) {
			return &Error{Code: CodeInvalidValue, Field: "scopes", Detail: "The user has no role that goes so far; grant the role first, or leave the user out."}
		}
		return nil
	}
}

// covers reports whether the roles of a user go as far as the scopes of
// administrators in a list (BR-060).
func (s *Standing) covers(scopes []Scope) bool {
	for _, scope := range scopes {
		if slices.Contains(AdminScopes(), scope) && !slices.ContainsFunc(s.Roles, func(r Role) bool { return r == RoleFullAdmin || r.Scope() == scope }) {
			return false
		}
	}
	return true
}

// userWorks reports whether the user of a token is there and active, and still
// has the roles that the token's scopes need; the token of nobody always works.
func (d *Directory) userWorks(ctx context.Context, org OrgID, user string, scopes []Scope) (bool, error) {
	if user == "" {
		return true, nil
	}
	rec, err := d.store.Get(ctx, org, KindUser, user)
	if err != nil {
		return false, fmt.Errorf("read the token's user: %w", err)
	}
	if rec == nil {
		return false, nil
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return false, fmt.Errorf("stored document of %s: %w", user, err)
	}
	u, s := UserOf(&doc), StandingOf(rec)
	return !u.Inactive && s.covers(scopes), nil
}

// mayReadSelf lets a token with the scope me read its user, and nothing else.
func (c Caller) mayReadSelf(kind Kind, id string) bool {
	return kind == KindUser && c.User != "" && c.User == id && c.has(ScopeMe)
}
