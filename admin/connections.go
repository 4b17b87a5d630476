package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const connectionsPath = orgPath + "/connections"

// Connection is an OpenID provider by which people sign in. Its secret is written
// and never read.
type Connection struct {
	ID        string         `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Name      string         `json:"name" example:"entra" doc:"Stands in addresses."`
	Label     string         `json:"label,omitempty" example:"Microsoft" doc:"On the button that people see."`
	Issuer    string         `json:"issuer" example:"https://login.microsoftonline.com/8f1c2d3e-0000-4a5b-9c6d-7e8f90a1b2c3/v2.0"`
	ClientID  string         `json:"clientId" example:"2f6e8b1c-usher"`
	Method    string         `json:"method" enum:"client_secret_basic,client_secret_post,private_key_jwt,none" doc:"How usher proves itself."`
	HasSecret bool           `json:"hasSecret" doc:"Whether a client secret or private key is kept."`
	PublicKey map[string]any `json:"publicKey,omitempty" doc:"Of private_key_jwt: the key to register, as JWK."`
	Scopes    []string       `json:"scopes,omitempty" doc:"Asked for beside openid; left out: email and profile."`
	Algs      []string       `json:"algs,omitempty" doc:"Signatures of ID tokens; left out: RS256, PS256, ES256 and EdDSA."`
	Claims    ClaimMap       `json:"claims"`
	Enforced  []string       `json:"enforced,omitempty" doc:"Verified domains whose people must sign in here (BR-115)."`
	JIT       string         `json:"jit" enum:"auto,on,off" doc:"Whether people without a user get one at their first sign-in (BR-118); auto is on unless the organization is provisioned by SCIM."`
	Off       bool           `json:"off" doc:"Nobody can sign in by it; it can be tested."`
	MaxAge    int            `json:"maxAge,omitempty" doc:"How old the sign-in at the provider may be, in seconds."`
	ACR       []string       `json:"acr,omitempty" doc:"Ways of authentication of which one is demanded."`
	Logout    bool           `json:"logout" doc:"Whether signing out signs out at the provider too."`
	Created   time.Time      `json:"created"`
	Endpoints Endpoints      `json:"endpoints" doc:"As the provider published them when the connection was saved."`
	Register  Registration   `json:"register" doc:"What to enter at the provider."`
}

// ClaimMap names the claims of a token; what is left out is the usual one.
type ClaimMap struct {
	ExternalID  string `json:"externalId,omitempty" maxLength:"100" doc:"Compared with the externalId of users; left out: not compared." example:"employee_id"`
	Email       string `json:"email,omitempty" maxLength:"100" doc:"Usually email."`
	Verified    string `json:"emailVerified,omitempty" maxLength:"100" doc:"Usually email_verified; of Entra ID xms_edov."`
	DisplayName string `json:"displayName,omitempty" maxLength:"100" doc:"Usually name."`
	GivenName   string `json:"givenName,omitempty" maxLength:"100" doc:"Usually given_name."`
	FamilyName  string `json:"familyName,omitempty" maxLength:"100" doc:"Usually family_name."`
	Language    string `json:"language,omitempty" maxLength:"100" doc:"Usually locale."`
}

// Endpoints are what the provider's discovery document names.
type Endpoints struct {
	Authorization string `json:"authorization,omitempty"`
	Token         string `json:"token,omitempty"`
	JWKS          string `json:"jwks,omitempty"`
	UserInfo      string `json:"userInfo,omitempty"`
	EndSession    string `json:"endSession,omitempty"`
	IssParameter  bool   `json:"issParameter" doc:"Whether answers name their issuer (RFC 9207)."`
}

// Registration is what an administrator enters at the provider.
type Registration struct {
	RedirectURI   string `json:"redirectUri" example:"https://usher.example.com/sso/acme/entra/callback"`
	BackChannel   string `json:"backChannelLogoutUri" example:"https://usher.example.com/sso/acme/entra/logout"`
	PostLogout    string `json:"postLogoutRedirectUri" example:"https://usher.example.com/signin"`
	InitiateLogin string `json:"initiateLoginUri" example:"https://usher.example.com/sso/acme/entra/start"`
	KeysURI       string `json:"jwksUri,omitempty" doc:"Of private_key_jwt, for providers that prefer an address to a copy." example:"https://usher.example.com/sso/acme/entra/jwks.json"`
}

// NewConnection says what a connection shall be.
type NewConnection struct {
	Name         string   `json:"name" minLength:"1" maxLength:"40" example:"entra"`
	Label        string   `json:"label,omitempty" maxLength:"100" example:"Microsoft"`
	Issuer       string   `json:"issuer" minLength:"1" maxLength:"500" example:"https://login.microsoftonline.com/8f1c2d3e-0000-4a5b-9c6d-7e8f90a1b2c3/v2.0"`
	ClientID     string   `json:"clientId" minLength:"1" maxLength:"500" example:"2f6e8b1c-usher"`
	Method       string   `json:"method,omitempty" enum:"client_secret_basic,client_secret_post,private_key_jwt,none" doc:"client_secret_basic when left out."`
	ClientSecret string   `json:"clientSecret,omitempty" maxLength:"500" doc:"Sealed at once, never shown."`
	Scopes       []string `json:"scopes,omitempty" maxItems:"20"`
	Algs         []string `json:"algs,omitempty" maxItems:"20"`
	Claims       ClaimMap `json:"claims,omitzero"`
	Enforced     []string `json:"enforced,omitempty" maxItems:"200"`
	JIT          string   `json:"jit,omitempty" enum:"auto,on,off"`
	Off          bool     `json:"off,omitempty"`
	MaxAge       int      `json:"maxAge,omitempty" minimum:"0"`
	ACR          []string `json:"acr,omitempty" maxItems:"20"`
	Logout       bool     `json:"logout,omitempty"`
}

// ConnectionChange is a merge patch of a connection.
type ConnectionChange struct {
	Name         *string         `json:"name,omitempty" minLength:"1" maxLength:"40" nullable:"false"`
	Label        Patch[string]   `json:"label,omitzero" maxLength:"100" example:"Microsoft"`
	Issuer       *string         `json:"issuer,omitempty" minLength:"1" maxLength:"500" nullable:"false"`
	ClientID     *string         `json:"clientId,omitempty" minLength:"1" maxLength:"500" nullable:"false"`
	Method       *string         `json:"method,omitempty" enum:"client_secret_basic,client_secret_post,private_key_jwt,none" nullable:"false"`
	ClientSecret *string         `json:"clientSecret,omitempty" maxLength:"500" nullable:"false" doc:"Replaces the one that is kept."`
	NewKey       *bool           `json:"newKey,omitempty" nullable:"false" doc:"Of private_key_jwt: makes another key; the old one ends at once."`
	Scopes       Patch[[]string] `json:"scopes,omitzero"`
	Algs         Patch[[]string] `json:"algs,omitzero"`
	Claims       Patch[ClaimMap] `json:"claims,omitzero" doc:"Replaced as a whole."`
	Enforced     Patch[[]string] `json:"enforced,omitzero"`
	JIT          Patch[string]   `json:"jit,omitzero" doc:"auto, on or off; null is auto." example:"off"`
	Off          Patch[bool]     `json:"off,omitzero"`
	MaxAge       Patch[int]      `json:"maxAge,omitzero"`
	ACR          Patch[[]string] `json:"acr,omitzero"`
	Logout       Patch[bool]     `json:"logout,omitzero"`
}

// ConnectionPath is embedded in the input of operations on one connection.
type ConnectionPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The connection's id or name."`
}

type (
	createConnection struct {
		OrgPath
		Body NewConnection
	}
	changeConnection struct {
		ConnectionPath
		Conditional
		Body ConnectionChange `contentType:"application/merge-patch+json"`
	}
	deleteConnection struct {
		ConnectionPath
		Conditional
		Confirm bool `query:"confirm" doc:"Must be true: people may have no other way in."`
	}
)

func (d *door) registerConnections(api huma.API) {
	const one = connectionsPath + "/{id}"
	inside(d, api, resources.AreaOrg, operation("list-connections", http.MethodGet, connectionsPath, "List the connections to OpenID providers by name", 200), d.listConnections)
	inside(d, api, resources.AreaOrg, operation("create-connection", http.MethodPost, connectionsPath, "Connect an OpenID provider; its discovery document and keys are read first", 201, 409), d.createConnection)
	inside(d, api, resources.AreaOrg, operation("get-connection", http.MethodGet, one, "Read a connection", 200), d.getConnection)
	inside(d, api, resources.AreaOrg, operation("change-connection", http.MethodPatch, one, "Change a connection; the provider is asked when the issuer changes or the connection is switched on", 200, 409, 412), d.changeConnection)
	inside(d, api, resources.AreaOrg, operation("delete-connection", http.MethodDelete, one, "Remove a connection; sessions by it end", 204, 412, 428), d.deleteConnection)
	inside(d, api, resources.AreaOrg, operation("discover-connection", http.MethodPost, one+"/discover", "Read the discovery document again; what it says is confirmed and kept", 200), d.discoverConnection)
	d.registerTrials(api)
}

// wireConnection shows a connection of an organization.
func (d *door) wireConnection(slug string) func(*resources.Connection) Connection {
	return func(cn *resources.Connection) Connection {
		at := d.publicURL + "/sso/" + url.PathEscape(slug) + "/" + url.PathEscape(cn.Name)
		out := Connection{
			ID: cn.ID, Name: cn.Name, Label: cn.Label, Issuer: cn.Issuer, ClientID: cn.ClientID, Method: cn.Method, HasSecret: len(cn.Secret) > 0,
			Scopes: cn.Scopes, Algs: cn.Algs, Claims: ClaimMap(cn.Claims), Enforced: cn.Enforced, JIT: cn.JIT, Off: cn.Off, MaxAge: cn.MaxAge,
			ACR: cn.ACR, Logout: cn.Logout, Created: cn.Created, Endpoints: Endpoints(cn.Endpoints),
			Register: Registration{RedirectURI: at + "/callback", BackChannel: at + "/logout", PostLogout: d.publicURL + "/signin", InitiateLogin: at + "/start"},
		}
		if out.JIT == "" {
			out.JIT = "auto"
		}
		if len(cn.Public) > 0 {
			out.Register.KeysURI = at + "/jwks.json"
			if json.Unmarshal(cn.Public, &out.PublicKey) != nil {
				out.PublicKey = nil // it was made by usher and always reads
			}
		}
		return out
	}
}

func (d *door) connectionAnswer(slug string, cn *resources.Connection, err error) (*one[Connection], error) {
	if err != nil {
		return nil, err
	}
	tag, err := tagOf(*cn)
	return &one[Connection]{ETag: tag, Body: d.wireConnection(slug)(cn)}, err
}

func (d *door) listConnections(ctx context.Context, in *OrgPath) (*listOut[Connection], error) {
	all, err := d.directory.Connections(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", d.wireConnection(in.Slug)), nil
}

func (d *door) getConnection(ctx context.Context, in *ConnectionPath) (*one[Connection], error) {
	cn, err := d.directory.Connection(ctx, in.caller, in.ID)
	return d.connectionAnswer(in.Slug, cn, err)
}

func (d *door) createConnection(ctx context.Context, in *createConnection) (*one[Connection], error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	spec := resources.ConnectionSpec{
		Connection: resources.Connection{
			Name: b.Name, Label: b.Label, Issuer: b.Issuer, ClientID: b.ClientID, Method: b.Method, Scopes: b.Scopes, Algs: b.Algs,
			Claims: resources.ClaimMap(b.Claims), Enforced: b.Enforced, JIT: jitOf(b.JIT), Off: b.Off, MaxAge: b.MaxAge, ACR: b.ACR, Logout: b.Logout,
		},
		ClientSecret: b.ClientSecret,
	}
	if err := spec.Check(); err != nil { // before anybody is asked
		return nil, err
	}
	if spec.Endpoints, err = d.discovered(ctx, spec.Issuer); err != nil {
		return nil, err
	}
	cn, err := d.directory.CreateConnection(ctx, c, spec)
	out, err := d.connectionAnswer(in.Slug, cn, err)
	if err != nil {
		return nil, err
	}
	out.Location = in.at("connections", out.Body.ID)
	return out, nil
}

func jitOf(text string) string {
	if text == "auto" {
		return ""
	}
	return text
}

// discovered reads what an issuer publishes, so that nothing is stored that cannot
// work (security O7).
func (d *door) discovered(ctx context.Context, issuer string) (resources.Endpoints, error) {
	if d.discover == nil {
		return resources.Endpoints{}, nil
	}
	return d.discover(ctx, issuer)
}

// changeConnection changes a connection. Its provider is asked first when the issuer
// is another one, or when the connection is to be switched on; all else works while
// the provider does not.
func (d *door) changeConnection(ctx context.Context, in *changeConnection) (*one[Connection], error) {
	was, err := d.directory.Connection(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	c := in.caller
	c.Seen = in.seen()
	spec := resources.ConnectionSpec{Connection: *was}
	in.Body.apply(&spec)
	if err := spec.Check(); err != nil {
		return nil, err
	}
	ask := spec.Issuer != was.Issuer || was.Off && !spec.Off
	var found resources.Endpoints
	if ask {
		if found, err = d.discovered(ctx, spec.Issuer); err != nil {
			return nil, err
		}
	}
	cn, err := d.directory.ChangeConnection(ctx, c, was.ID, func(s *resources.ConnectionSpec) error {
		before := s.Connection
		in.Body.apply(s)
		if s.Issuer != spec.Issuer || before.Issuer != was.Issuer {
			return &resources.Error{Code: resources.CodeVersion, Detail: "The connection was given another issuer meanwhile; read it again and repeat the change."}
		}
		if ask && d.discover != nil {
			s.Endpoints = found
		}
		return nil
	})
	return d.connectionAnswer(in.Slug, cn, err)
}

func (d *door) discoverConnection(ctx context.Context, in *ConnectionPath) (*one[Connection], error) {
	was, err := d.directory.Connection(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	if d.discover == nil {
		return nil, &resources.Error{Code: resources.CodeUnavailable, Detail: "This server does not ask providers."}
	}
	found, err := d.discover(ctx, was.Issuer)
	if err != nil {
		return nil, err
	}
	cn, err := d.directory.ChangeConnection(ctx, in.caller, was.ID, func(s *resources.ConnectionSpec) error {
		if s.Issuer != was.Issuer {
			return &resources.Error{Code: resources.CodeVersion, Detail: "The connection was given another issuer meanwhile; try again."}
		}
		s.Endpoints = found
		return nil
	})
	return d.connectionAnswer(in.Slug, cn, err)
}

func (ch *ConnectionChange) apply(s *resources.ConnectionSpec) {
	for _, f := range []struct{ from, to *string }{
		{ch.Name, &s.Name}, {ch.Issuer, &s.Issuer}, {ch.ClientID, &s.ClientID}, {ch.Method, &s.Method}, {ch.ClientSecret, &s.ClientSecret},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	s.NewKey = ch.NewKey != nil && *ch.NewKey
	ch.Label.apply(&s.Label)
	ch.Scopes.apply(&s.Scopes)
	ch.Algs.apply(&s.Algs)
	if m := ch.Claims.pointer(); m != nil {
		s.Claims = resources.ClaimMap(*m)
	}
	ch.Enforced.apply(&s.Enforced)
	ch.JIT.apply(&s.JIT)
	s.JIT = jitOf(s.JIT)
	ch.Off.apply(&s.Off)
	ch.MaxAge.apply(&s.MaxAge)
	ch.ACR.apply(&s.ACR)
	ch.Logout.apply(&s.Logout)
}

func (d *door) deleteConnection(ctx context.Context, in *deleteConnection) (*nothing, error) {
	if !in.Confirm {
		return nil, unconfirmed("People who have no other way in cannot sign in any more, and sessions by the connection end; send confirm=true to delete it.")
	}
	c := in.caller
	c.Seen = in.seen()
	return nil, d.directory.DeleteConnection(ctx, c, in.ID)
}
