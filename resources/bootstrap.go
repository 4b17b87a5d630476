package resources

import (
	"context"
	"time"
)

// Bootstrapped is what Bootstrap made; the tokens are shown this once.
type Bootstrapped struct {
	Org       *Organization
	SCIMToken string
	APIToken  string
}

// Bootstrap fills a store that has no organization: the organization demo with
// a SCIM token, and an operator's API token that lives as long as said
// (security X12). It returns nil when there is an organization already. The
// organization comes last, so that a start cut short is made up for by the
// next one.
func (d *Directory) Bootstrap(ctx context.Context, apiLifetime time.Duration) (*Bootstrapped, error) {
	_, total, err := d.orgs(ctx, 0, 0)
	if err != nil || total > 0 {
		return nil, err
	}
	api, err := d.OperatorToken(ctx, apiLifetime)
	if err != nil {
		return nil, err
	}
	id, err := d.newID(KindOrg, d.now())
	if err != nil {
		return nil, err
	}
	spec, err := TokenSpec{Name: "demo provisioning"}.normalised(OrgID(id))
	if err != nil {
		return nil, err
	}
	_, scim, err := d.issueNew(ctx, system(), OrgID(id), spec)
	if err != nil {
		return nil, err
	}
	org, err := d.putOrg(ctx, system(), OrgID(id), "demo", "Demo", nil)
	if HasCode(err, CodeSlugInUse) {
		return nil, nil // another node was faster
	}
	if err != nil {
		return nil, err
	}
	return &Bootstrapped{Org: org, SCIMToken: scim, APIToken: api}, nil
}

// OperatorToken issues an API token for operating usher and returns its text.
// It asks for no credential: only the program that was started on the store
// calls it, for the first token and when all others are lost.
func (d *Directory) OperatorToken(ctx context.Context, lifetime time.Duration) (string, error) {
	spec, err := TokenSpec{Name: "operator", Lifetime: lifetime}.normalised(PlatformOrg)
	if err != nil {
		return "", err
	}
	_, text, err := d.issueNew(ctx, system(), PlatformOrg, spec)
	return text, err
}

// system is the caller of what the program does by itself.
func system() Caller {
	return Caller{Org: PlatformOrg, Token: "system", Scopes: []Scope{ScopePlatform}}
}
