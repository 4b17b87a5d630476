package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// OrgState is where an organization is in its life.
type OrgState string

// The states of an organization.
const (
	OrgActive    OrgState = "active"
	OrgSuspended OrgState = "suspended" // its credentials are refused, nothing is lost
	OrgDeleting  OrgState = "deleting"  // being erased; cannot be undone
)

// Organization is a tenant.
type Organization struct {
	ID      OrgID     `json:"-"`
	Slug    string    `json:"slug"` // its name in URLs, unique, can change
	Name    string    `json:"name"`
	State   OrgState  `json:"state"`
	Created time.Time `json:"created"`

	Declared uint64 `json:"declared,omitempty"` // version of its declaration; 0 when it never had one

	First *FirstAdministrator `json:"first,omitempty"` // who is still to be created; nil afterwards
}

var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// PlatformSlug stands for PlatformOrg where an organization is named to manage
// its tokens. No organization can take it.
const PlatformSlug = "platform"

func checkSlug(slug string) error {
	if slug == PlatformSlug {
		return &Error{Code: CodeInvalidValue, Field: "slug", Detail: "The slug platform stands for usher itself; choose another one."}
	}
	if slugForm.MatchString(slug) {
		return nil
	}
	return &Error{Code: CodeInvalidValue, Field: "slug", Detail: "A slug is 1 to 63 characters of a-z, 0-9 and inner hyphens, for example acme-fr."}
}

// serves refuses the credentials of an organization that is not active: nil, or
// being deleted, is as good as a wrong token.
func (o *Organization) serves() error {
	switch {
	case o == nil, o.State == OrgDeleting:
		return badToken()
	case o.State == OrgSuspended:
		return &Error{Code: CodeOrgSuspended, Detail: "The organization is suspended; ask the operator to resume it."}
	}
	return nil
}

func (o *Organization) entries() []Entry {
	return []Entry{
		{Index: OrgAll, Value: string(o.ID)},
		{Index: OrgSlug, Value: OrgSlug.Key(o.Slug)},
	}
}

func (o *Organization) record(before *Record, now time.Time) (*Record, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode organization: %w", err)
	}
	ms := now.UnixMilli()
	rec := &Record{Kind: KindOrg, ID: string(o.ID), Version: 1, Created: ms, Modified: ms, Display: clip(o.Name, 100), Profile: body}
	if before != nil {
		rec.Version, rec.Created = before.Version+1, before.Created
	}
	return rec, nil
}

func orgOf(rec *Record) (*Organization, error) {
	var o Organization
	if err := json.Unmarshal(rec.Profile, &o); err != nil {
		return nil, fmt.Errorf("decode organization %s: %w", rec.ID, err)
	}
	o.ID = OrgID(rec.ID)
	return &o, nil
}

// SlugOf is the slug of an organization's stored record, for tools that show it;
// "" when the record cannot be read.
func SlugOf(rec *Record) string {
	o, err := orgOf(rec)
	if err != nil {
		return ""
	}
	return o.Slug
}

func (d *Directory) orgByID(ctx context.Context, id OrgID) (*Organization, error) {
	rec, err := d.store.Get(ctx, PlatformOrg, KindOrg, string(id))
	if err != nil {
		return nil, fmt.Errorf("read organization: %w", err)
	}
	if rec == nil {
		return nil, nil
	}
	return orgOf(rec)
}

func (d *Directory) orgBySlug(ctx context.Context, slug string) (*Organization, error) {
	id, err := d.store.Named(ctx, PlatformOrg, OrgSlug, OrgSlug.Key(slug))
	if err != nil {
		return nil, fmt.Errorf("find organization: %w", err)
	}
	if id == "" {
		return nil, notFound(KindOrg)
	}
	o, err := d.orgByID(ctx, OrgID(id))
	if err == nil && o == nil {
		return nil, notFound(KindOrg)
	}
	return o, err
}

// CreateOrg makes an organization; an empty name becomes the slug. Codes:
// slug_in_use, invalid_value.
func (d *Directory) CreateOrg(ctx context.Context, c Caller, slug, name string) (*Organization, error) {
	return d.createOrg(ctx, c, slug, name, nil)
}

func (d *Directory) createOrg(ctx context.Context, c Caller, slug, name string, first *FirstAdministrator) (*Organization, error) {
	if err := c.mayPlatform(); err != nil {
		return nil, err
	}
	if err := checkSlug(slug); err != nil {
		return nil, err
	}
	if name == "" {
		name = slug
	}
	if err := checkOrgName(name); err != nil {
		return nil, err
	}
	id, _, err := d.idFor(c, KindOrg)
	if err != nil {
		return nil, err
	}
	return d.putOrg(ctx, c, OrgID(id), slug, name, first)
}

// putOrg stores a new organization under an id that nobody has used.
func (d *Directory) putOrg(ctx context.Context, c Caller, id OrgID, slug, name string, first *FirstAdministrator) (*Organization, error) {
	now := d.now().UTC().Truncate(time.Millisecond)
	o := &Organization{ID: id, Slug: slug, Name: name, State: OrgActive, Created: now, First: first}
	_, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := o.record(nil, now)
		if err != nil {
			return err
		}
		tx.Put(nil, rec, nil, o.entries())
		tx.Event(Event{Type: "organization.created", Kind: KindOrg, ID: rec.ID, Version: 1, Actor: c.Token, Request: c.Request})
		return nil
	})
	if r, ok := errors.AsType[*Refusal](err); ok && c.NewID != "" && r.Holder == c.NewID {
		return d.orgByID(ctx, id) // an earlier run of the same request has made it
	}
	if err != nil {
		return nil, fmt.Errorf("create organization: %w", slugTaken(err))
	}
	return o, nil
}

func slugTaken(err error) error {
	var r *Refusal
	if errors.As(err, &r) && r.Reason == RefusedName {
		return &Error{Code: CodeSlugInUse, Field: "slug", Detail: "This slug belongs to another organization; choose another one."}
	}
	return err
}

// Orgs lists organizations, oldest first: up to limit after skipping offset,
// and how many there are.
func (d *Directory) Orgs(ctx context.Context, c Caller, offset, limit int) ([]*Organization, int, error) {
	if err := c.mayPlatform(); err != nil {
		return nil, 0, err
	}
	return d.orgs(ctx, offset, limit)
}

func (d *Directory) orgs(ctx context.Context, offset, limit int) ([]*Organization, int, error) {
	page, err := d.store.Find(ctx, PlatformOrg, Query{Kind: KindOrg, Offset: offset, Limit: limit, NoGroups: true, Budget: d.budget})
	if err != nil {
		return nil, 0, fmt.Errorf("list organizations: %w", err)
	}
	out := make([]*Organization, 0, len(page.Records))
	for _, rec := range page.Records {
		o, err := orgOf(rec)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, o)
	}
	return out, page.Total, nil
}

// Org reads one organization by slug; administrators of an organization read
// their own only.
func (d *Directory) Org(ctx context.Context, c Caller, slug string) (*Organization, error) {
	if err := c.mayNameOrg(slug, false); err != nil {
		return nil, err
	}
	return d.orgBySlug(ctx, slug)
}

// OrgChange is what to change of an organization; nil fields stay.
type OrgChange struct {
	Slug  *string
	Name  *string
	State *OrgState // OrgActive or OrgSuspended
}

// checkOrgName refuses names that cannot stand in a list or in a mail's header.
func checkOrgName(name string) error {
	if name == "" || len(name) > 200 || strings.ContainsFunc(name, unicode.IsControl) {
		return &Error{Code: CodeInvalidValue, Field: "name", Detail: "The name of an organization is 1 to 200 bytes long and has no control characters."}
	}
	return nil
}

// UpdateOrg renames, suspends or resumes an organization; its administrators can
// change its name only. Codes: not_found, slug_in_use, invalid_value.
func (d *Directory) UpdateOrg(ctx context.Context, c Caller, slug string, change OrgChange) (*Organization, error) {
	if err := c.mayNameOrg(slug, true); err != nil {
		return nil, err
	}
	if change.Slug != nil || change.State != nil {
		if err := c.mayPlatform(); err != nil {
			return nil, err
		}
	}
	if change.Slug != nil {
		if err := checkSlug(*change.Slug); err != nil {
			return nil, err
		}
	}
	if change.Name != nil {
		if err := checkOrgName(*change.Name); err != nil {
			return nil, err
		}
	}
	if change.State != nil && *change.State != OrgActive && *change.State != OrgSuspended {
		return nil, &Error{Code: CodeInvalidValue, Field: "state", Detail: "The state can be set to active or suspended; delete the organization to erase it."}
	}
	return d.changeOrg(ctx, c, slug, "organization.updated", func(o *Organization) {
		if change.Slug != nil {
			o.Slug = *change.Slug
		}
		if change.Name != nil {
			o.Name = *change.Name
		}
		if change.State != nil {
			o.State = *change.State
		}
	})
}

// changeOrg changes an organization for a caller who may.
func (d *Directory) changeOrg(ctx context.Context, c Caller, slug, event string, fn func(*Organization)) (*Organization, error) {
	found, err := d.orgBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	var result *Organization
	_, err = d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindOrg, string(found.ID))
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound(KindOrg)
		}
		o, err := orgOf(rec)
		if err != nil {
			return err
		}
		result = o
		if o.Slug != found.Slug {
			return notFound(KindOrg) // renamed since it was found: another may have the name by now
		}
		if o.State == OrgDeleting {
			return &Error{Code: CodeNotFound, Detail: "The organization is being deleted."}
		}
		if err := c.seen(o); err != nil {
			return err
		}
		before := *o
		fn(o)
		if *o == before {
			return nil
		}
		return d.rewriteOrg(tx, c, rec, &before, o, event)
	})
	d.forgetCallers()
	if err != nil {
		return nil, fmt.Errorf("change organization: %w", slugTaken(err))
	}
	return result, nil
}

// rewriteOrg asks for an organization that was changed to be stored.
func (d *Directory) rewriteOrg(tx Tx, c Caller, rec *Record, before, o *Organization, event string) error {
	next, err := o.record(rec, d.now())
	if err != nil {
		return err
	}
	tx.Put(rec, next, before.entries(), o.entries())
	tx.Event(Event{Type: event, Kind: KindOrg, ID: rec.ID, Version: next.Version, Actor: c.Token, Request: c.Request})
	return nil
}

// DeleteOrg begins to erase an organization and everything it has. From this
// moment on its credentials are refused; [Directory.Clean] does the erasing in
// pieces and removes the organization's record last. confirm must repeat the
// slug (BR-260).
func (d *Directory) DeleteOrg(ctx context.Context, c Caller, slug, confirm string) error {
	if confirm != slug {
		return &Error{Code: CodeConfirmation, Field: "confirm", Detail: "Deleting an organization erases every user, group and token of it and cannot be undone; repeat its slug to confirm."}
	}
	if err := c.mayPlatform(); err != nil {
		return err
	}
	_, err := d.changeOrg(ctx, c, slug, "organization.deleting", func(o *Organization) { o.State = OrgDeleting })
	return err
}

// newID makes an id for a record created at now; both must be the same time,
// because ranges of creation times are ranges of ids.
func (d *Directory) newID(kind Kind, now time.Time) (string, error) {
	id, err := NewID(kind, now, d.random)
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}
