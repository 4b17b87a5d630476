package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// FirstAdmin is who shall administer a new organization.
type FirstAdmin struct {
	ID    string // for the user, see Caller.NewID, or ""
	Email string
	Name  string // displayName, or ""
}

// Found makes an organization together with its first administrator, a new user
// with the role full_admin; first may be nil. An organization whose administrator
// cannot be made is not made either. Codes: those of [Directory.CreateOrg] and
// [Directory.CreateUser].
func (d *Directory) Found(ctx context.Context, c Caller, slug, name string, first *FirstAdmin) (*Organization, *Administrator, error) {
	doc := jsontree.Obj()
	if first != nil {
		doc = first.document()
		u := UserOf(&doc)
		admin := Caller{Origin: OriginAPI}
		if err := admin.checkAddresses(nil, &u); err != nil {
			return nil, nil, adminField(err)
		}
	}
	o, err := d.CreateOrg(ctx, c, slug, name)
	if err != nil || first == nil {
		return o, nil, err
	}
	inside, err := d.Operate(ctx, c, o.Slug)
	if err != nil {
		return nil, nil, err
	}
	inside.NewID = first.ID
	u, err := d.CreateUser(ctx, inside, doc)
	if _, refused := errors.AsType[*Error](err); refused {
		return nil, nil, errors.Join(adminField(err), d.unfound(ctx, c, o))
	}
	if err != nil { // perhaps the user is there: the same request finds the organization and goes on
		return nil, nil, fmt.Errorf("make the first administrator: %w", err)
	}
	inside.NewID = ""
	admin, err := d.GrantRole(ctx, inside, u.ID, RoleFullAdmin)
	if err != nil {
		return nil, nil, fmt.Errorf("make the first administrator: %w", err)
	}
	return o, admin, nil
}

// document is the SCIM User of a first administrator.
func (f *FirstAdmin) document() jsontree.Value {
	const userURN = "urn:ietf:params:scim:schemas:core:2.0:User"
	doc := jsontree.Obj(
		jsontree.Arr(jsontree.Str(userURN)).As("schemas"),
		jsontree.Str(f.Email).As("userName"),
		jsontree.Arr(jsontree.Obj(jsontree.Str(f.Email).As("value"), jsontree.Str("work").As("type"), jsontree.Bool(true).As("primary"))).As("emails"),
		jsontree.Bool(true).As("active"),
	)
	if f.Name != "" {
		doc.Set("displayName", jsontree.Str(f.Name))
	}
	return doc
}

// adminField says that the fault is the administrator's.
func adminField(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	return &Error{Code: e.Code, Field: "admin.email", Detail: e.Detail, Err: e.Err}
}

// unfound takes back an organization that has nothing yet, so that its slug is
// free at once.
func (d *Directory) unfound(ctx context.Context, c Caller, o *Organization) error {
	_, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindOrg, string(o.ID))
		if err != nil || rec == nil {
			return err
		}
		tx.Delete(rec, o.entries())
		tx.Event(Event{Type: "organization.deleted", Kind: KindOrg, ID: rec.ID, Actor: c.Token, Request: c.Request, Names: []string{o.Slug}})
		return nil
	})
	if err != nil {
		return fmt.Errorf("take an organization back: %w", err)
	}
	return nil
}
