package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Token is a provisioning credential on the wire.
type Token struct {
	ID         string    `json:"id"`
	Connection string    `json:"connection" doc:"The same for a token and those that replace it."`
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Profile    string    `json:"profile" doc:"The dialect of the identity provider behind it."`
	Policy     string    `json:"policy" doc:"What it accepts as userName."`
	Strict     bool      `json:"strict,omitempty" doc:"Whether what cannot be granted refuses the request instead of becoming an issue."`
	Asks       bool      `json:"entitlements,omitempty" doc:"Whether entitlements of users ask for licences."`
	User       string    `json:"user,omitempty" doc:"The id of the user it stands for; left out when it stands for a connection."`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"`
	LastUsed   time.Time `json:"last_used,omitzero" doc:"To the hour; left out when never used."`
}

// IssuedToken is a token with its secret text, which is shown this once.
type IssuedToken struct {
	Token
	Text string `json:"token" doc:"The bearer token. Only a hash of it is kept: store it now."`
}

// TokenList is every token of an organization.
type TokenList struct {
	Items []Token `json:"items"`
	Total int     `json:"total"`
}

// NewToken asks for a token. Every member has a default.
type NewToken struct {
	Name     string   `json:"name,omitempty" maxLength:"100" doc:"For people; default provisioning."`
	Scopes   []string `json:"scopes,omitempty" maxItems:"16" doc:"What it may do; default scim. Of administrators, and not together with others: admin, admin:users, admin:licences, admin:locations, admin:read."`
	Strict   bool     `json:"strict,omitempty" doc:"What cannot be granted refuses the request instead of becoming an issue."`
	Asks     bool     `json:"entitlements,omitempty" doc:"Entitlements of users ask for licences."`
	Profile  string   `json:"profile,omitempty" doc:"rfc (default), entra, okta, onelogin, jumpcloud, ping, authentik or generic."`
	Policy   string   `json:"policy,omitempty" doc:"relaxed (default) or email."`
	User     string   `json:"user,omitempty" maxLength:"40" doc:"The id of a user of the organization that the token stands for; its scope is then me by default. It ends with the user."`
	Lifetime string   `json:"lifetime,omitempty" maxLength:"20" doc:"A whole number of m, h or d between 1m and 365d; default 180d." example:"90d"`
}

type (
	createToken struct {
		OrgPath
		Body NewToken
	}
	oneToken struct {
		OrgPath
		ID string `path:"id" maxLength:"40" doc:"The token's id."`
	}
	tokenListOut struct{ Body TokenList }
	issuedOut    struct{ Body IssuedToken }
)

func wireToken(t *resources.Token) Token {
	scopes := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	return Token{
		ID: t.ID, Connection: t.Connection, Name: t.Name, Scopes: scopes, Profile: string(t.Profile),
		Policy: string(t.Policy), Strict: t.Strict, Asks: t.Asks, User: t.User, Created: t.Created, Expires: t.Expires, LastUsed: t.LastUsed,
	}
}

func (d *door) registerTokens(api huma.API) {
	const list, one = "/api/v1/orgs/{org}/tokens", "/api/v1/orgs/{org}/tokens/{id}"
	huma.Register(api, d.needs(resources.AreaOrg, operation("list-tokens", http.MethodGet, list, "List an organization's tokens, oldest first, without secrets", 200, 404)), d.listTokens)
	huma.Register(api, d.needs(resources.AreaOrg, operation("create-token", http.MethodPost, list, "Create a token for a new connection", 201, 404)), d.createToken)
	huma.Register(api, d.needs(resources.AreaOrg, operation("rotate-token", http.MethodPost, one+"/rotate", "Issue a second token for a token's connection; the old one keeps working", 201, 404, 409)), d.rotateToken)
	huma.Register(api, d.needs(resources.AreaOrg, operation("revoke-token", http.MethodDelete, one, "End a token", 204, 404)), d.revokeToken)
}

func (d *door) listTokens(ctx context.Context, in *OrgPath) (*tokenListOut, error) {
	tokens, err := d.directory.ListTokens(ctx, in.caller, in.Slug)
	if err != nil {
		return nil, problem(err)
	}
	out := &tokenListOut{Body: TokenList{Items: make([]Token, 0, len(tokens)), Total: len(tokens)}}
	for _, t := range tokens {
		out.Body.Items = append(out.Body.Items, wireToken(t))
	}
	return out, nil
}

func (d *door) createToken(ctx context.Context, in *createToken) (*issuedOut, error) {
	lifetime, err := parseLifetime(in.Body.Lifetime)
	if err != nil {
		return nil, problem(err)
	}
	spec := resources.TokenSpec{
		Name: in.Body.Name, Profile: resources.Profile(in.Body.Profile),
		Policy: resources.NamePolicy(in.Body.Policy), User: in.Body.User, Lifetime: lifetime,
		Strict: in.Body.Strict, Asks: in.Body.Asks,
	}
	for _, s := range in.Body.Scopes {
		spec.Scopes = append(spec.Scopes, resources.Scope(s))
	}
	c, err := in.creating(resources.KindToken)
	if err != nil {
		return nil, problem(err)
	}
	t, text, err := d.directory.CreateToken(ctx, c, in.Slug, spec)
	if err != nil {
		return nil, problem(err)
	}
	return &issuedOut{Body: IssuedToken{Token: wireToken(t), Text: text}}, nil
}

func (d *door) rotateToken(ctx context.Context, in *oneToken) (*issuedOut, error) {
	c, err := in.creating(resources.KindToken)
	if err != nil {
		return nil, problem(err)
	}
	t, text, err := d.directory.RotateToken(ctx, c, in.Slug, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return &issuedOut{Body: IssuedToken{Token: wireToken(t), Text: text}}, nil
}

func (d *door) revokeToken(ctx context.Context, in *oneToken) (*struct{}, error) {
	if err := d.directory.RevokeToken(ctx, in.caller, in.Slug, in.ID); err != nil {
		return nil, problem(err)
	}
	return nil, nil
}

// parseLifetime reads a lifetime such as 90d, 12h or 30m; "" is the default,
// given as 0. Zero is refused, because the Directory would take it for the
// default.
func parseLifetime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	bad := &resources.Error{
		Code: resources.CodeInvalidValue, Field: "lifetime",
		Detail: "A lifetime is a whole number of minutes, hours or days between 1m and 365d, for example 90d.",
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	unit, ok := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if !ok || err != nil || n == 0 || time.Duration(n) > 365*24*time.Hour/unit {
		return 0, bad
	}
	return time.Duration(n) * unit, nil
}
