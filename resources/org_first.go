package resources

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// FirstAdministrator is who administers a new organization at the beginning.
type FirstAdministrator struct {
	Email       string `json:"email"` // also its userName
	DisplayName string `json:"displayName,omitempty"`
	User        string `json:"user"` // id, see Caller.NewID; one is made when it is empty
}

// normalised refuses what cannot be a user.
func (f FirstAdministrator) normalised() (FirstAdministrator, error) {
	f.Email, f.DisplayName = strings.TrimSpace(f.Email), strings.TrimSpace(f.DisplayName)
	if _, ok := EmailKey(f.Email); !ok || len(f.Email) > MaxName {
		return f, &Error{Code: CodeEmailInvalid, Field: "admin.email", Detail: "The first administrator's e-mail address " + quoted(f.Email) + " is not valid; write it like zoe@example.com."}
	}
	if len(f.DisplayName) > MaxName {
		return f, &Error{Code: CodeNameInvalid, Field: "admin.displayName", Detail: fmt.Sprintf("The first administrator's name is longer than %d bytes; shorten it.", MaxName)}
	}
	return f, nil
}

// document is the user to create.
func (f *FirstAdministrator) document() jsontree.Value {
	email := jsontree.Obj()
	email.Set("value", jsontree.Str(f.Email))
	email.Set("type", jsontree.Str("work"))
	email.Set("primary", jsontree.Bool(true))
	doc := jsontree.Obj()
	doc.Set("schemas", jsontree.Arr(jsontree.Str("urn:ietf:params:scim:schemas:core:2.0:User")))
	doc.Set("userName", jsontree.Str(f.Email))
	if f.DisplayName != "" {
		doc.Set("displayName", jsontree.Str(f.DisplayName))
	}
	doc.Set("emails", jsontree.Arr(email))
	return doc
}

// CreateOrgFor makes an organization with its first administrator, who comes with
// it or, when the program ends in between, with the next cleaning. Codes: those
// of [Directory.CreateOrg] and of [Directory.CreateUser] for the administrator;
// then the organization is not made.
func (d *Directory) CreateOrgFor(ctx context.Context, c Caller, slug, name string, first FirstAdministrator) (*Organization, error) {
	first, err := first.normalised()
	if err != nil {
		return nil, err
	}
	if first.User == "" {
		if first.User, err = d.newID(KindUser, d.now()); err != nil {
			return nil, err
		}
	}
	o, err := d.createOrg(ctx, c, slug, name, &first)
	if err != nil || o.First == nil { // an earlier run of the same request has done all
		return o, err
	}
	if err := d.appoint(ctx, c, o); err != nil {
		if _, refused := errors.AsType[*Error](err); refused {
			err = errors.Join(err, d.abandonOrg(context.WithoutCancel(ctx), c, o))
		}
		return nil, fmt.Errorf("create organization: %w", err)
	}
	o.First = nil
	return o, nil
}

// appoint creates an organization's first administrator and takes it out of the
// organization's record. It can be done again from any point.
func (d *Directory) appoint(ctx context.Context, c Caller, o *Organization) error {
	c.Org, c.Slug, c.Origin, c.NewID, c.Policy, c.Declared = o.ID, o.Slug, OriginAPI, o.First.User, NameRelaxed, nil
	c.Scopes = []Scope{ScopeAdmin}
	if _, err := d.CreateUser(ctx, c, o.First.document()); err != nil {
		return fmt.Errorf("create the first administrator: %w", err)
	}
	if _, err := d.changeRole(ctx, c, o.First.User, RoleFullAdmin, true); err != nil {
		return fmt.Errorf("make the first administrator one: %w", err)
	}
	return d.withoutFirst(ctx, c, o.ID, "organization.appointed", func(*Organization) {})
}

// abandonOrg gives up an organization whose first administrator cannot be: it is
// erased, and its slug is free at once.
func (d *Directory) abandonOrg(ctx context.Context, c Caller, o *Organization) error {
	return d.withoutFirst(ctx, c, o.ID, "organization.deleting", func(o *Organization) {
		o.Slug, o.State = "abandoned-"+string(o.ID), OrgDeleting
	})
}

// withoutFirst changes an organization that waits for its first administrator,
// so that it does not wait any more.
func (d *Directory) withoutFirst(ctx context.Context, c Caller, id OrgID, event string, fn func(*Organization)) error {
	_, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindOrg, string(id))
		if err != nil || rec == nil {
			return err
		}
		o, err := orgOf(rec)
		if err != nil || o.First == nil {
			return err
		}
		before := *o
		o.First = nil
		fn(o)
		return d.rewriteOrg(tx, c, rec, &before, o, event)
	})
	d.forgetCallers()
	return err
}

// appointAfter is when a creation that has not ended by itself never will.
const appointAfter = time.Minute

// appointLate makes up for a program that ended before an organization had its
// first administrator. Who cannot be one, because the address was taken
// meanwhile, is given up.
func (d *Directory) appointLate(ctx context.Context, o *Organization) error {
	err := d.appoint(ctx, system(), o)
	refusal, refused := errors.AsType[*Error](err)
	if !refused {
		return err
	}
	d.log.WarnContext(ctx, "first administrator given up", "org", o.Slug, "code", refusal.Code)
	return d.withoutFirst(ctx, system(), o.ID, "organization.updated", func(*Organization) {})
}
