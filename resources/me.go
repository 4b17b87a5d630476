package resources

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// A token may stand for a user of its organization. It ends with the
// user, and rests while the user is inactive.

func userUnknown(id string) *Error {
	return &Error{Code: CodeInvalidValue, Field: "user", Detail: "There is no user with the id " + quoted(id) + " in this organization; a token stands for a user that exists."}
}

// standsFor refuses, inside the commit that issues a token, a user that does
// not exist; nil when the token stands for nobody.
func standsFor(user string) func(Tx, string) error {
	if user == "" {
		return nil
	}
	return func(tx Tx, _ string) error {
		rec, err := tx.Read(KindUser, user)
		if err == nil && rec == nil {
			err = userUnknown(user)
		}
		return err
	}
}

// userWorks reports whether the user of a token is there and active; the token
// of nobody always works.
func (d *Directory) userWorks(ctx context.Context, org OrgID, user string) (bool, error) {
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
	u := UserOf(&doc)
	return !u.Inactive, nil
}

// mayReadSelf lets a token with the scope me read its user, and nothing else.
func (c Caller) mayReadSelf(kind Kind, id string) bool {
	return kind == KindUser && c.User != "" && c.User == id && c.has(ScopeMe)
}
