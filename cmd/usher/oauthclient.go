package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// oauthClient is an OAuth client as the REST API shows it. Secret is there only
// in the answer that made it.
type oauthClient struct {
	ID            string              `json:"id"`
	Name          string              `json:"name"`
	Method        string              `json:"method"`
	Scopes        []string            `json:"scopes"`
	Profile       string              `json:"profile"`
	Policy        string              `json:"policy"`
	TokenLifetime string              `json:"token_lifetime,omitempty"`
	Secrets       []oauthClientSecret `json:"secrets,omitempty"`
	JWKS          json.RawMessage     `json:"jwks,omitempty"`
	Issuer        string              `json:"issuer,omitempty"`
	Audience      string              `json:"audience,omitempty"`
	AppID         string              `json:"appid,omitempty"`
	Tenant        string              `json:"tenant,omitempty"`
	JWKSURI       string              `json:"jwks_uri,omitempty"`
	CertSHA256    string              `json:"cert_sha256,omitempty"`
	Created       time.Time           `json:"created"`
	LastUsed      time.Time           `json:"last_used,omitzero"`
	SecretID      string              `json:"secret_id,omitempty"`
	Secret        string              `json:"client_secret,omitempty"`
}

type oauthClientSecret struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

type oauthClientList struct {
	Items []oauthClient `json:"items"`
	Total int           `json:"total"`
}

// newOAuthClient is what to ask for; what is left out has a default.
type newOAuthClient struct {
	Name           string          `json:"name,omitempty"`
	Method         string          `json:"method"`
	Scopes         []string        `json:"scopes,omitempty"`
	Profile        string          `json:"profile,omitempty"`
	Policy         string          `json:"policy,omitempty"`
	TokenLifetime  string          `json:"token_lifetime,omitempty"`
	SecretLifetime string          `json:"secret_lifetime,omitempty"`
	JWKS           json.RawMessage `json:"jwks,omitempty"`
	Issuer         string          `json:"issuer,omitempty"`
	Audience       string          `json:"audience,omitempty"`
	AppID          string          `json:"appid,omitempty"`
	Tenant         string          `json:"tenant,omitempty"`
	JWKSURI        string          `json:"jwks_uri,omitempty"`
	CertSHA256     string          `json:"cert_sha256,omitempty"`
}

// What tokens of Entra ID's provisioning service say (idp-wire.md §3.0).
const (
	entraIssuer   = "https://sts.windows.net/"
	entraAudience = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
	entraAppID    = "00000014-0000-0000-c000-000000000000"
)

func clientsPath(slug string, more ...string) string {
	var path strings.Builder
	path.WriteString(orgPath(slug) + "/clients")
	for _, m := range more {
		path.WriteString("/" + url.PathEscape(m))
	}
	return path.String()
}

func newClientCommand(p *program) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand("client", "Manage the OAuth clients and trusted issuers of an organization",
		v.createClient(), v.listClients(), v.rotateClient(), v.revokeClientSecret(), v.deleteClient())
	addAPIFlags(cmd, &v.api)
	for _, c := range cmd.Commands() {
		addOutputFlag(c, &v.output)
	}
	return cmd
}

// clientFlags are what a new client is described with beside its plain members.
type clientFlags struct{ entra, jwksFile, certFile string }

func (v *orgVerb) createClient() *cobra.Command {
	var spec newOAuthClient
	var more clientFlags
	cmd := &cobra.Command{
		Use: "create SLUG", Short: "Make an OAuth client for a new connection; its secret, else its id, alone goes to stdout", Args: wants("slug"),
		Long: "Make an OAuth client for a new connection. It gets its access tokens at\n" +
			"/orgs/SLUG/oauth/token, or with external-jwt brings tokens of an issuer that you trust.\n" +
			"Its secret, or for the other methods its id, alone goes to stdout.",
		Example: "  usher client create acme --name okta --profile okta > secret.txt\n" +
			"  usher client create acme --method private-key-jwt --jwks-file keys.json\n" +
			"  usher client create acme --entra-tenant 7d1e4b6a-9a40-4c2e-8f71-3f0c9a52d001",
	}
	f := cmd.Flags()
	f.StringVar(&spec.Name, "name", "", "what it is for (default provisioning)")
	f.StringVar(&spec.Method, "method", "client-secret", "how it proves who it is: client-secret, private-key-jwt or external-jwt")
	f.StringSliceVar(&spec.Scopes, "scopes", nil, "what it may do: scim (default), scim:read, users, users:read, groups, groups:read, resources, resources:read")
	f.StringVar(&spec.Profile, "profile", "", "dialect of the identity provider: rfc (default), entra, okta, onelogin, jumpcloud, ping, authentik, generic")
	f.StringVar(&spec.Policy, "policy", "", "what it accepts as userName: relaxed (default) or email")
	f.StringVar(&spec.TokenLifetime, "token-lifetime", "", "how long its access tokens live: 60m to 6h (default 60m)")
	f.StringVar(&spec.SecretLifetime, "secret-lifetime", "", "how long its secret works: 365d to 1098d (default 365d)")
	f.StringVar(&more.jwksFile, "jwks-file", "", "file with its public keys as a JSON Web Key Set, for private-key-jwt")
	f.StringVar(&spec.Issuer, "issuer", "", "whose tokens are accepted, to the letter, for external-jwt")
	f.StringVar(&spec.Audience, "audience", "", "what must be among the claim aud, for external-jwt")
	f.StringVar(&spec.AppID, "appid", "", "what the claim appid, or azp, must be, for external-jwt")
	f.StringVar(&spec.Tenant, "tenant", "", "what the claim tid must be, for external-jwt")
	f.StringVar(&spec.JWKSURI, "jwks-uri", "", "where the issuer's keys lie, when its discovery document does not tell")
	f.StringVar(&more.entra, "entra-tenant", "", "id of an Entra ID tenant: trust the tokens of its provisioning service (method, profile, issuer, audience, appid and tenant)")
	f.StringVar(&more.certFile, "cert-file", "", "PEM file with the certificate that every request must come with")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := more.apply(&spec, cmd.Flags().Changed("method")); err != nil {
			return err
		}
		return v.act(func(ctx context.Context, c *client, args []string) error {
			var cl oauthClient
			if err := c.call(ctx, "cannot create a client for "+args[0], http.MethodPost, clientsPath(args[0]), spec, &cl); err != nil {
				return err
			}
			return v.printClient(cl)
		})(cmd, args)
	}
	return cmd
}

// apply completes what to ask for by the flags that stand for several members
// or for files.
func (f *clientFlags) apply(spec *newOAuthClient, methodGiven bool) error {
	if f.entra != "" {
		if methodGiven && spec.Method != "external-jwt" || spec.Issuer+spec.Tenant+spec.AppID != "" {
			return &failure{exit: exitUsage, why: errors.New("--entra-tenant sets method, issuer, appid and tenant itself"), todo: "leave those flags out"}
		}
		spec.Method, spec.Issuer, spec.AppID, spec.Tenant = "external-jwt", entraIssuer+f.entra+"/", entraAppID, f.entra
		if spec.Audience == "" {
			spec.Audience = entraAudience
		}
		if spec.Profile == "" {
			spec.Profile = "entra"
		}
	}
	spec.Method = strings.ReplaceAll(spec.Method, "-", "_")
	if f.jwksFile != "" {
		text, err := os.ReadFile(f.jwksFile)
		if err != nil {
			return &failure{exit: exitUsage, what: "cannot read the key set", why: err, todo: "check the path and its permissions"}
		}
		if !json.Valid(text) {
			return &failure{exit: exitUsage, what: "cannot read the key set", why: errors.New(f.jwksFile + " is not JSON"), todo: "give a JSON Web Key Set, {\"keys\": […]}"}
		}
		spec.JWKS = text
	}
	if f.certFile == "" {
		return nil
	}
	text, err := os.ReadFile(f.certFile)
	if err != nil {
		return &failure{exit: exitUsage, what: "cannot read the certificate", why: err, todo: "check the path and its permissions"}
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return &failure{exit: exitUsage, what: "cannot read the certificate", why: errors.New(f.certFile + " does not begin with a PEM certificate"), todo: "give the client's own certificate, not its key"}
	}
	sum := sha256.Sum256(block.Bytes)
	spec.CertSHA256 = hex.EncodeToString(sum[:])
	return nil
}

// printClient shows a new client or secret, the secret this once. For shells
// the secret, or the id where there is none, is all of stdout.
func (v *orgVerb) printClient(cl oauthClient) error {
	if v.output == "json" {
		return v.print(v.output, cl, nil)
	}
	if cl.Secret == "" {
		fmt.Fprintf(v.stderr, "Client %s (%s) is ready.\n", cl.ID, cl.Method)
		_, err := fmt.Fprintln(v.stdout, cl.ID)
		return err
	}
	until := ""
	for _, s := range cl.Secrets {
		if s.ID == cl.SecretID {
			until = s.Expires.Format(time.RFC3339)
		}
	}
	fmt.Fprintf(v.stderr, "Client %s, secret %s works until %s. It is shown this once: store it now.\n", cl.ID, cl.SecretID, until)
	_, err := fmt.Fprintln(v.stdout, cl.Secret)
	return err
}

func (v *orgVerb) listClients() *cobra.Command {
	cmd := &cobra.Command{Use: "list SLUG", Short: "List OAuth clients and trusted issuers, without secrets", Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var l oauthClientList
		if err := c.call(ctx, "cannot list clients of "+args[0], http.MethodGet, clientsPath(args[0]), nil, &l); err != nil {
			return err
		}
		return v.print(v.output, l, func() table {
			t := table{head: []string{"ID", "NAME", "METHOD", "SCOPES", "PROFILE", "SECRETS", "ISSUER", "LAST USED"}}
			for _, cl := range l.Items {
				used := "never"
				if !cl.LastUsed.IsZero() {
					used = cl.LastUsed.Format("2006-01-02T15Z")
				}
				secrets := make([]string, len(cl.Secrets))
				for i, s := range cl.Secrets {
					secrets[i] = s.ID + " until " + s.Expires.Format(time.DateOnly)
				}
				t.rows = append(t.rows, []string{cl.ID, cl.Name, cl.Method, strings.Join(cl.Scopes, ","), cl.Profile, strings.Join(secrets, ", "), cl.Issuer, used})
			}
			return t
		})
	})
	return cmd
}

func (v *orgVerb) rotateClient() *cobra.Command {
	in := struct {
		Lifetime string `json:"lifetime,omitempty"`
	}{}
	cmd := &cobra.Command{Use: "rotate SLUG ID", Short: "Make a second secret for a client; the old one works until it is revoked", Args: wants("slug", "id")}
	cmd.Flags().StringVar(&in.Lifetime, "secret-lifetime", "", "how long the secret works: 365d to 1098d (default 365d)")
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var cl oauthClient
		if err := c.call(ctx, "cannot rotate the secret of client "+args[1], http.MethodPost, clientsPath(args[0], args[1], "secrets"), in, &cl); err != nil {
			return err
		}
		return v.printClient(cl)
	})
	return cmd
}

func (v *orgVerb) revokeClientSecret() *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke SLUG ID SECRET", Short: "End a client's secret and the access tokens issued for it, within five seconds everywhere", Args: wants("slug", "id", "secret"),
	}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		return v.endClient(ctx, c, "cannot revoke secret "+args[2], clientsPath(args[0], args[1], "secrets", args[2]), args[2], "revoked")
	})
	return cmd
}

func (v *orgVerb) deleteClient() *cobra.Command {
	cmd := &cobra.Command{Use: "delete SLUG ID", Short: "End a client and every access token it has, within five seconds everywhere", Args: wants("slug", "id")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		return v.endClient(ctx, c, "cannot delete client "+args[1], clientsPath(args[0], args[1]), args[1], "deleted")
	})
	return cmd
}

func (v *orgVerb) endClient(ctx context.Context, c *client, what, path, id, state string) error {
	if err := c.call(ctx, what, http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	return v.print(v.output, map[string]string{"id": id, "state": state}, func() table { return table{rows: [][]string{{id, state}}} })
}
