package resources

import (
	"context"
	"slices"
)

// Operate gives the caller that acts on the organization with the slug: a
// platform operator on any, everybody else on their own only; another one is
// not_found. What it creates came through the API.
func (d *Directory) Operate(ctx context.Context, c Caller, slug string) (Caller, error) {
	if c.mayPlatform() != nil {
		if err := c.mayAdmin(AreaOrg, false); err != nil {
			return Caller{}, err
		}
		if c.Slug != slug {
			return Caller{}, notFound(KindOrg)
		}
		if c.Origin == "" {
			c.Origin = OriginAPI
		}
		return c, nil
	}
	o, err := d.orgBySlug(ctx, slug)
	if err != nil {
		return Caller{}, err
	}
	if o.State == OrgDeleting {
		return Caller{}, orgDeleting()
	}
	declared, err := d.declaredFor(ctx, o)
	if err != nil {
		return Caller{}, err
	}
	if c.Origin == "" {
		c.Origin = OriginAPI
	}
	c.Org, c.Slug, c.Declared = o.ID, o.Slug, declared
	c.Scopes = append(slices.Clone(c.Scopes), ScopeAdmin) // an administrator of each
	return c, nil
}

// OriginAPI is how users come in through the REST API, see Caller.Origin.
const OriginAPI = "API"

// orgDeleting refuses acts inside an organization that is being erased.
func orgDeleting() error {
	return &Error{Code: CodeNotFound, Detail: "The organization is being deleted."}
}
