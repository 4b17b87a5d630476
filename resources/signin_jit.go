package resources

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// OriginJIT is how users come in who are created at their first sign-in, see
// Caller.Origin.
const OriginJIT = "JIT"

// create creates the user of an assertion in the way in which every user is
// created, with link, activation and session in the same commit (BR-118).
func (v *signingIn) create(ctx context.Context) (*Record, error) {
	c := v.caller("")
	c.Token, c.Origin, c.Scopes, c.Policy = v.connected.ID, OriginJIT, []Scope{ScopeUsers}, NameRelaxed
	var err error
	if c.Declared, err = v.d.declaredFor(ctx, v.org); err != nil {
		return nil, err
	}
	doc := v.document()
	u := UserOf(&doc)
	return v.d.createUser(ctx, c, doc, &revision{
		change: func(_ *Plan, s *Standing) error {
			v.arrive(s, v.key)
			return nil
		},
		beside: func(tx Tx, p *Plan, id string, before, after *Standing) error {
			if !p.verifies(v.key) { // it was when it was decided
				return errDecideAnew
			}
			return v.beside(ctx, tx, p, id, before, after, byJIT, &u)
		},
	})
}

// document is the user to create.
func (v *signingIn) document() jsontree.Value {
	a := v.a
	doc := jsontree.Obj()
	doc.Set("schemas", jsontree.Arr(jsontree.Str("urn:ietf:params:scim:schemas:core:2.0:User")))
	doc.Set("userName", jsontree.Str(a.Email))
	if v.connected.Claims.ExternalID != "" && a.ExternalID != "" && len(a.ExternalID) <= MaxName {
		doc.Set("externalId", jsontree.Str(a.ExternalID))
	}
	name := jsontree.Obj()
	for _, x := range []struct {
		to          *jsontree.Value
		field, text string
	}{{&name, "givenName", a.GivenName}, {&name, "familyName", a.FamilyName}, {&doc, "displayName", a.DisplayName}, {&doc, "preferredLanguage", a.Language}} {
		if text := shownText(x.text); text != "" {
			x.to.Set(x.field, jsontree.Str(text))
		}
	}
	if len(name.Items) > 0 {
		doc.Set("name", name)
	}
	email := jsontree.Obj()
	email.Set("value", jsontree.Str(a.Email))
	email.Set("type", jsontree.Str("work"))
	email.Set("primary", jsontree.Bool(true))
	doc.Set("emails", jsontree.Arr(email))
	doc.Set("active", jsontree.Bool(true))
	return doc
}

// shownText is a text of a token as a name of a user; what is no name is left out.
func shownText(text string) string {
	const most = 128 // BR-106
	if len(text) > 4*most || harmless(text, len(text)) != text {
		return ""
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// provisioned reports whether an identity provider keeps the users of an
// organization by SCIM: whether there is a token or an OAuth client that may. One
// that has expired counts as long as nobody has revoked it: provisioning that
// stands still is not a reason to create users in another way (BR-118).
func (d *Directory) provisioned(ctx context.Context, org OrgID) (bool, error) {
	writes := func(scopes []Scope) bool {
		return slices.Contains(scopes, ScopeSCIM) || slices.Contains(scopes, ScopeUsers)
	}
	tokens, err := d.tokensOf(ctx, org)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(tokens, func(t *Token) bool { return writes(t.Scopes) }) {
		return true, nil
	}
	clients, err := d.clientsOf(ctx, org)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(clients, func(cl *Client) bool { return writes(cl.Scopes) }), nil
}

// departedKept is how long it is known that an identity provider removed a user.
const departedKept = 400 * 24 * time.Hour

const departedPurpose = "departed"

// noteDeparture keeps that the identity provider is removing a user, so that no
// sign-in brings it back while the provider keeps the users (security I5). It is
// written before the commit: should that not come, the address is still taken and
// nobody asks.
func (d *Directory) noteDeparture(ctx context.Context, c Caller, u *User) error {
	if c.Origin != "" || u.IdentityKey == "" {
		return nil
	}
	key := hashSecret(u.IdentityKey)
	if err := d.vault.Put(ctx, c.Org, departedPurpose, key, []byte{1}, d.now().Add(departedKept)); err != nil {
		return fmt.Errorf("note a departure: %w", err)
	}
	return nil
}

// departed reports whether the identity provider has removed a user with the
// address.
func (d *Directory) departed(ctx context.Context, org OrgID, key string) (bool, error) {
	value, err := d.vault.Peek(ctx, org, departedPurpose, hashSecret(key))
	if err != nil {
		return false, fmt.Errorf("look for a departure: %w", err)
	}
	return value != nil, nil
}
