package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
)

// Client is an OAuth client, or an issuer that is trusted, on the wire.
type Client struct {
	ID            string         `json:"id" doc:"The client_id."`
	Name          string         `json:"name"`
	Method        string         `json:"method" enum:"client_secret,private_key_jwt,external_jwt" doc:"How it proves who it is."`
	Scopes        []string       `json:"scopes"`
	Profile       string         `json:"profile" doc:"The dialect of the identity provider behind it."`
	Policy        string         `json:"policy" doc:"What it accepts as userName."`
	Strict        bool           `json:"strict,omitempty" doc:"Whether what cannot be granted refuses the request instead of becoming an issue."`
	Asks          bool           `json:"entitlements,omitempty" doc:"Whether entitlements of users ask for licences."`
	TokenLifetime string         `json:"token_lifetime,omitempty" doc:"How long its access tokens live." example:"60m"`
	Secrets       []ClientSecret `json:"secrets,omitempty"`
	JWKS          map[string]any `json:"jwks,omitempty" doc:"Its public keys (RFC 7517)."`
	Issuer        string         `json:"issuer,omitempty" doc:"The claim iss that its tokens must have; likewise the next three."`
	Audience      string         `json:"audience,omitempty"`
	AppID         string         `json:"appid,omitempty" doc:"The claim appid, or azp."`
	Tenant        string         `json:"tenant,omitempty" doc:"The claim tid."`
	JWKSURI       string         `json:"jwks_uri,omitempty" doc:"Where the issuer's keys lie; found by discovery when left out."`
	CertSHA256    string         `json:"cert_sha256,omitempty" doc:"The certificate that its requests must come with: SHA-256 in hex."`
	Created       time.Time      `json:"created"`
	LastUsed      time.Time      `json:"last_used,omitzero" doc:"To the hour; left out when never used."`
}

// ClientSecret is one of a client's secrets, without its text.
type ClientSecret struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// IssuedClient is a client with a secret that was made just now, shown this
// once; other methods have none.
type IssuedClient struct {
	Client
	SecretID string `json:"secret_id,omitempty"`
	Secret   string `json:"client_secret,omitempty" doc:"Only a hash of it is kept: store it now."`
}

// ClientList is every client of an organization.
type ClientList struct {
	Items []Client `json:"items"`
	Total int      `json:"total"`
}

// NewClient asks for a client.
type NewClient struct {
	Name           string         `json:"name,omitempty" maxLength:"100" doc:"For people; default provisioning."`
	Method         string         `json:"method" enum:"client_secret,private_key_jwt,external_jwt"`
	Scopes         []string       `json:"scopes,omitempty" maxItems:"16" doc:"What it may do; default scim."`
	Profile        string         `json:"profile,omitempty" doc:"rfc (default), entra, okta, onelogin, jumpcloud, ping, authentik or generic."`
	Policy         string         `json:"policy,omitempty" doc:"relaxed (default) or email."`
	Strict         bool           `json:"strict,omitempty" doc:"What cannot be granted refuses the request instead of becoming an issue."`
	Asks           bool           `json:"entitlements,omitempty" doc:"Entitlements of users ask for licences."`
	TokenLifetime  string         `json:"token_lifetime,omitempty" maxLength:"20" doc:"How long its access tokens live: 60m (default) to 6h." example:"2h"`
	SecretLifetime string         `json:"secret_lifetime,omitempty" maxLength:"20" doc:"How long its secret works: 365d (default) to 1098d." example:"730d"`
	JWKS           map[string]any `json:"jwks,omitempty" doc:"For private_key_jwt: 1 to 10 public keys (RFC 7517)."`
	Issuer         string         `json:"issuer,omitempty" maxLength:"500" doc:"For external_jwt: whose tokens are accepted, to the letter."`
	Audience       string         `json:"audience,omitempty" maxLength:"500" doc:"For external_jwt: must be among aud."`
	AppID          string         `json:"appid,omitempty" maxLength:"500" doc:"For external_jwt: must be appid, or azp."`
	Tenant         string         `json:"tenant,omitempty" maxLength:"500" doc:"For external_jwt: must be tid, when given."`
	JWKSURI        string         `json:"jwks_uri,omitempty" maxLength:"500" doc:"For external_jwt: where the issuer's keys lie, when discovery does not tell."`
	CertSHA256     string         `json:"cert_sha256,omitempty" maxLength:"100" doc:"Binds the client to a certificate: its SHA-256 in hex or base64url."`
}

// NewSecret asks for a further secret of a client.
type NewSecret struct {
	Lifetime string `json:"lifetime,omitempty" maxLength:"20" doc:"365d (default) to 1098d."`
}

type (
	createClient struct {
		OrgPath
		Body NewClient
	}
	addSecret struct {
		ClientPath
		Body NewSecret
	}
	oneSecret struct {
		ClientPath
		Secret string `path:"secret" maxLength:"40" doc:"The secret's id."`
	}
	clientListOut   struct{ Body ClientList }
	issuedClientOut struct{ Body IssuedClient }
)

// ClientPath is embedded in the input of operations on one client. It is
// exported because huma fills parameters of exported types only.
type ClientPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The client's id."`
}

func wireClient(cl *resources.Client) (Client, error) {
	out := Client{
		ID: cl.ID, Name: cl.Name, Method: string(cl.Method), Profile: string(cl.Profile), Policy: string(cl.Policy), Strict: cl.Strict, Asks: cl.Asks,
		Issuer: cl.Trust.Issuer, Audience: cl.Trust.Audience, AppID: cl.Trust.App, Tenant: cl.Trust.Tenant, JWKSURI: cl.Trust.KeysURI,
		CertSHA256: cl.Cert, Created: cl.Created, LastUsed: cl.LastUsed, Scopes: make([]string, len(cl.Scopes)),
	}
	for i, s := range cl.Scopes {
		out.Scopes[i] = string(s)
	}
	for _, s := range cl.Secrets {
		out.Secrets = append(out.Secrets, ClientSecret{ID: s.ID, Created: s.Created, Expires: s.Expires})
	}
	if cl.Lifetime > 0 {
		out.TokenLifetime = strconv.Itoa(int(cl.Lifetime.Minutes())) + "m"
	}
	if cl.Keys != "" {
		if err := json.Unmarshal([]byte(cl.Keys), &out.JWKS); err != nil {
			return out, fmt.Errorf("decode the keys of client %s: %w", cl.ID, err)
		}
	}
	return out, nil
}

func wireIssued(cl *resources.Client, secret *resources.IssuedSecret) (*issuedClientOut, error) {
	c, err := wireClient(cl)
	out := &issuedClientOut{Body: IssuedClient{Client: c}}
	if secret != nil {
		out.Body.SecretID, out.Body.Secret = secret.ID, secret.Text
	}
	return out, err
}

func (d *door) registerClients(api huma.API) {
	const list, one = "/api/v1/orgs/{org}/clients", "/api/v1/orgs/{org}/clients/{id}"
	huma.Register(api, d.needs(resources.AreaPlatform, operation("list-clients", http.MethodGet, list, "List an organization's OAuth clients and trusted issuers, oldest first", 200, 404)), d.listClients)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("create-client", http.MethodPost, list, "Create an OAuth client, or trust an issuer, for a new connection", 201, 404)), d.createClient)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("delete-client", http.MethodDelete, one, "End a client and every access token it has", 204, 404)), d.deleteClient)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("add-client-secret", http.MethodPost, one+"/secrets", "Issue a second secret for a client; the old one keeps working", 201, 404, 409)), d.addSecret)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("revoke-client-secret", http.MethodDelete, one+"/secrets/{secret}", "End a secret and the access tokens that were issued for it", 204, 404)), d.revokeSecret)
}

func (d *door) listClients(ctx context.Context, in *OrgPath) (*clientListOut, error) {
	clients, err := d.directory.ListClients(ctx, in.caller, in.Slug)
	if err != nil {
		return nil, problem(err)
	}
	out := &clientListOut{Body: ClientList{Items: make([]Client, 0, len(clients)), Total: len(clients)}}
	for _, cl := range clients {
		c, err := wireClient(cl)
		if err != nil {
			return nil, problem(err)
		}
		out.Body.Items = append(out.Body.Items, c)
	}
	return out, nil
}

func (d *door) createClient(ctx context.Context, in *createClient) (*issuedClientOut, error) {
	spec, err := in.Body.spec()
	if err == nil {
		err = d.checkIssuer(ctx, in.caller, spec)
	}
	if err != nil {
		return nil, problem(err)
	}
	cl, secret, err := d.directory.CreateClient(ctx, in.caller, in.Slug, spec)
	return issued(cl, secret, err)
}

// issued answers with a client and its new secret, or with what went wrong.
func issued(cl *resources.Client, secret *resources.IssuedSecret, err error) (*issuedClientOut, error) {
	var out *issuedClientOut
	if err == nil {
		out, err = wireIssued(cl, secret)
	}
	if err != nil {
		return nil, problem(err)
	}
	return out, nil
}

func (n *NewClient) spec() (resources.ClientSpec, error) {
	spec := resources.ClientSpec{
		Name: n.Name, Method: resources.Method(n.Method), Profile: resources.Profile(n.Profile), Policy: resources.NamePolicy(n.Policy),
		Strict: n.Strict, Asks: n.Asks,
		Trust: resources.Trust{Issuer: n.Issuer, Audience: n.Audience, App: n.AppID, Tenant: n.Tenant, KeysURI: n.JWKSURI},
		Cert:  n.CertSHA256,
	}
	for _, s := range n.Scopes {
		spec.Scopes = append(spec.Scopes, resources.Scope(s))
	}
	var err error
	if spec.TokenLifetime, err = parseSpan("token_lifetime", n.TokenLifetime); err != nil {
		return spec, err
	}
	if spec.SecretLifetime, err = parseSpan("secret_lifetime", n.SecretLifetime); err != nil {
		return spec, err
	}
	if n.JWKS != nil {
		keys, err := json.Marshal(n.JWKS)
		if err != nil {
			return spec, fmt.Errorf("encode a key set: %w", err)
		}
		spec.Keys = string(keys)
	}
	return spec, nil
}

// probeTime is how long the issuer of a new connection may take to answer.
const probeTime = 6 * time.Second

// checkIssuer asks an issuer for its keys before it is trusted, so that an
// address that will never be asked, or a document that will never be accepted,
// is told to whoever enters it (security O7). One that only does not answer
// now is accepted.
func (d *door) checkIssuer(ctx context.Context, c resources.Caller, spec resources.ClientSpec) error {
	if d.issuers == nil || spec.Trust.Issuer == "" || spec.Method != resources.MethodExternal {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	err := d.issuers.Probe(ctx, jwks.Source{Issuer: spec.Trust.Issuer, URI: spec.Trust.KeysURI})
	_, refused := errors.AsType[*outbound.Refusal](err)
	_, fault := errors.AsType[*jwks.Fault](err)
	if refused || fault {
		field := "issuer"
		if spec.Trust.KeysURI != "" {
			field = "jwks_uri"
		}
		return &resources.Error{Code: resources.CodeInvalidValue, Field: field, Detail: fmt.Sprintf(
			"The issuer's keys cannot be used: %v. Check issuer and jwks_uri; an address inside your network must be allowed by the operator (outbound.allow).", err)}
	}
	if err != nil {
		d.log.WarnContext(ctx, "issuer does not answer, trusted all the same", "req", c.Request, "err", err)
	}
	return nil
}

func (d *door) deleteClient(ctx context.Context, in *ClientPath) (*struct{}, error) {
	if err := d.directory.DeleteClient(ctx, in.caller, in.Slug, in.ID); err != nil {
		return nil, problem(err)
	}
	return nil, nil
}

func (d *door) addSecret(ctx context.Context, in *addSecret) (*issuedClientOut, error) {
	lifetime, err := parseSpan("lifetime", in.Body.Lifetime)
	if err != nil {
		return nil, problem(err)
	}
	cl, secret, err := d.directory.RotateClientSecret(ctx, in.caller, in.Slug, in.ID, lifetime)
	return issued(cl, secret, err)
}

func (d *door) revokeSecret(ctx context.Context, in *oneSecret) (*struct{}, error) {
	if err := d.directory.RevokeClientSecret(ctx, in.caller, in.Slug, in.ID, in.Secret); err != nil {
		return nil, problem(err)
	}
	return nil, nil
}

// parseSpan reads a time such as 90m, 2h or 365d; "" is the default, given as
// 0. Which times are allowed is for the Directory to say; zero is refused,
// because it would take it for the default.
func parseSpan(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	unit, ok := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if !ok || err != nil || n == 0 || time.Duration(n) > 10*365*24*time.Hour/unit {
		return 0, &resources.Error{
			Code: resources.CodeInvalidValue, Field: field,
			Detail: "A time is a whole number of minutes, hours or days, for example 90m, 2h or 365d.",
		}
	}
	return time.Duration(n) * unit, nil
}
