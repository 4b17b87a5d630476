package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/internal/messages"
	"github.com/usher-scim/usher/resources"
)

// Org is an organization on the wire.
type Org struct {
	Slug    string    `json:"slug" doc:"Its name in URLs." example:"acme-fr"`
	Name    string    `json:"name" doc:"Its name for people."`
	State   string    `json:"state" enum:"active,suspended,deleting" doc:"A suspended organization's tokens are refused; a deleting one is being erased."`
	Created time.Time `json:"created"`

	Language string `json:"language,omitempty" enum:"en,fr" doc:"Of one organization only: of texts for people, see settings."`
}

// FirstAdmin names an organization's first administrator.
type FirstAdmin struct {
	Email string `json:"email" minLength:"3" maxLength:"320" example:"zoe@acme.example"`
	Name  string `json:"name,omitempty" maxLength:"200" example:"Zoé Martin" doc:"Shown as displayName."`
}

// OrgPage is a part of the list of organizations.
type OrgPage struct {
	Items []Org `json:"items"`
	Total int   `json:"total" doc:"How many organizations there are in all."`
}

// NewOrg asks for an organization.
type NewOrg struct {
	Slug string `json:"slug" minLength:"1" maxLength:"63" doc:"1 to 63 characters of a-z, 0-9 and inner hyphens."`
	Name string `json:"name,omitempty" maxLength:"200" doc:"At most 200 bytes; the slug when left out."`

	Admin *FirstAdmin `json:"admin,omitempty" doc:"Becomes a user of the organization and full administrator."`
}

// OrgChange says what to change of an organization.
type OrgChange struct {
	Slug     *string       `json:"slug,omitempty" minLength:"1" maxLength:"63" nullable:"false" doc:"A new slug (platform operator). It changes the organization's SCIM URL."`
	Name     *string       `json:"name,omitempty" minLength:"1" maxLength:"200" nullable:"false"`
	State    *string       `json:"state,omitempty" enum:"active,suspended" nullable:"false" doc:"Platform operator."`
	Language Patch[string] `json:"language,omitzero" enum:"en,fr" example:"fr" doc:"en or fr; null: en."`
}

// Deletion is the answer to a deletion that has begun.
type Deletion struct {
	State string `json:"state" enum:"deleting" doc:"The erasing goes on in the background; the organization answers 404 when it is gone."`
}

// OrgPath is embedded in the input of operations on one organization. It is
// exported because huma fills parameters of exported types only.
type OrgPath struct {
	asked
	Slug string `path:"org" maxLength:"63" doc:"The organization's slug; for tokens also platform, which means the operators' own."`
}

// at is the address of something inside the organization.
func (p *OrgPath) at(parts ...string) string {
	return orgsPath + "/" + url.PathEscape(p.Slug) + "/" + strings.Join(parts, "/")
}

type (
	listOrgs struct {
		asked
		Offset int `query:"offset" minimum:"0" maximum:"10000000" doc:"How many to skip."`
		Limit  int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many to return at most."`
	}
	createOrg struct {
		asked
		Body NewOrg
	}
	changeOrg struct {
		OrgPath
		Conditional
		Body OrgChange `contentType:"application/merge-patch+json"`
	}
	deleteOrg struct {
		OrgPath
		Confirm string `query:"confirm" doc:"The slug again."`
	}
	orgPageOut  struct{ Body OrgPage }
	deletionOut struct{ Body Deletion }
)

func wireOrg(o *resources.Organization) Org {
	return Org{Slug: o.Slug, Name: o.Name, State: string(o.State), Created: o.Created}
}

func (d *door) registerOrgs(api huma.API) {
	const list, one = "/api/v1/orgs", "/api/v1/orgs/{org}"
	huma.Register(api, d.needs(resources.AreaPlatform, operation("list-orgs", http.MethodGet, list, "List organizations, oldest first", 200)), d.listOrgs)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("create-org", http.MethodPost, list, "Create an organization, with its first administrator when one is named", 201, 409)), d.createOrg)
	huma.Register(api, d.needs(resources.AreaOrg, operation("get-org", http.MethodGet, one, "Read an organization", 200, 404)), d.getOrg)
	huma.Register(api, d.needs(resources.AreaOrg, operation("change-org", http.MethodPatch, one, "Rename, suspend or resume an organization", 200, 404, 409)), d.changeOrg)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("delete-org", http.MethodDelete, one, "Erase an organization and everything it has", 202, 404, 428)), d.deleteOrg)
}

func (d *door) listOrgs(ctx context.Context, in *listOrgs) (*orgPageOut, error) {
	orgs, total, err := d.directory.Orgs(ctx, in.caller, in.Offset, in.Limit)
	if err != nil {
		return nil, problem(err)
	}
	out := &orgPageOut{Body: OrgPage{Items: make([]Org, 0, len(orgs)), Total: total}}
	for _, o := range orgs {
		out.Body.Items = append(out.Body.Items, wireOrg(o))
	}
	return out, nil
}

func (d *door) createOrg(ctx context.Context, in *createOrg) (*one[Org], error) {
	c, err := in.creating(resources.KindOrg)
	if err != nil {
		return nil, problem(err)
	}
	o, err := d.newOrg(ctx, in, c)
	if err != nil {
		return nil, problem(err)
	}
	out, err := d.orgAnswer(ctx, c, o)
	if err != nil {
		return nil, problem(err)
	}
	out.Location = orgsPath + "/" + o.Slug
	return out, nil
}

// newOrg makes an organization, with its first administrator when one is named.
func (d *door) newOrg(ctx context.Context, in *createOrg, c resources.Caller) (*resources.Organization, error) {
	a := in.Body.Admin
	if a == nil {
		return d.directory.CreateOrg(ctx, c, in.Body.Slug, in.Body.Name)
	}
	user, err := in.newID(resources.KindUser, 1)
	if err != nil {
		return nil, err
	}
	first := resources.FirstAdministrator{Email: a.Email, DisplayName: a.Name, User: user}
	return d.directory.CreateOrgFor(ctx, c, in.Body.Slug, in.Body.Name, first)
}

// orgAnswer shows an organization with its language.
func (d *door) orgAnswer(ctx context.Context, c resources.Caller, o *resources.Organization) (*one[Org], error) {
	tag, err := tagOf(o)
	if err != nil {
		return nil, err
	}
	out := &one[Org]{ETag: tag, Body: wireOrg(o)}
	if o.State == resources.OrgDeleting {
		return out, nil
	}
	c, err = d.directory.Operate(ctx, c, o.Slug)
	if err != nil {
		return nil, err
	}
	s, _, err := d.directory.Settings(ctx, c)
	out.Body.Language = cmp.Or(s.Language, messages.English)
	return out, err
}

func (d *door) getOrg(ctx context.Context, in *OrgPath) (*one[Org], error) {
	o, err := d.directory.Org(ctx, in.caller, in.Slug)
	if err != nil {
		return nil, problem(err)
	}
	out, err := d.orgAnswer(ctx, in.caller, o)
	if err != nil {
		return nil, problem(err)
	}
	return out, nil
}

func (d *door) changeOrg(ctx context.Context, in *changeOrg) (*one[Org], error) {
	change := resources.OrgChange{Slug: in.Body.Slug, Name: in.Body.Name}
	if in.Body.State != nil {
		state := resources.OrgState(*in.Body.State)
		change.State = &state
	}
	c := in.caller
	c.Seen = in.seen()
	o, err := d.directory.UpdateOrg(ctx, c, in.Slug, change)
	if err != nil {
		return nil, problem(err)
	}
	if c.Slug != "" { // an administrator's, not an operator's
		c.Slug = o.Slug
	}
	if err := d.changeLanguage(ctx, c, o.Slug, &in.Body.Language); err != nil {
		return nil, problem(err)
	}
	out, err := d.orgAnswer(ctx, c, o)
	if err != nil {
		return nil, problem(err)
	}
	return out, nil
}

// changeLanguage changes the organization's language, which stands in its
// settings.
func (d *door) changeLanguage(ctx context.Context, c resources.Caller, slug string, to *Patch[string]) error {
	if !to.set {
		return nil
	}
	c, err := d.directory.Operate(ctx, c, slug)
	if err != nil {
		return err
	}
	c.Seen = nil
	_, _, err = d.directory.ChangeSettings(ctx, c, func(s *resources.Settings, _ uint64) error {
		to.apply(&s.Language)
		return nil
	})
	return err
}

func (d *door) deleteOrg(ctx context.Context, in *deleteOrg) (*deletionOut, error) {
	if err := d.directory.DeleteOrg(ctx, in.caller, in.Slug, in.Confirm); err != nil {
		return nil, problem(err)
	}
	return &deletionOut{Body: Deletion{State: string(resources.OrgDeleting)}}, nil
}
