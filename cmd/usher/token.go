package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// token is a provisioning token as the REST API shows it. Text is there only
// in the answer that issued it.
type token struct {
	ID         string    `json:"id"`
	Connection string    `json:"connection"`
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Profile    string    `json:"profile"`
	Policy     string    `json:"policy"`
	User       string    `json:"user,omitempty"`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"`
	LastUsed   time.Time `json:"last_used,omitzero"`
	Text       string    `json:"token,omitempty"`
}

type tokenList struct {
	Items []token `json:"items"`
	Total int     `json:"total"`
}

// newToken is what to ask for; what is left out has a default.
type newToken struct {
	Name     string   `json:"name,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	Profile  string   `json:"profile,omitempty"`
	Policy   string   `json:"policy,omitempty"`
	User     string   `json:"user,omitempty"`
	Lifetime string   `json:"lifetime,omitempty"`
	Strict   bool     `json:"strict,omitempty"`
	Asks     bool     `json:"entitlements,omitempty"`
}

func tokensPath(slug string, more ...string) string {
	var path strings.Builder
	path.WriteString(orgPath(slug) + "/tokens")
	for _, m := range more {
		path.WriteString("/" + url.PathEscape(m))
	}
	return path.String()
}

func newTokenCommand(p *program) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand("token", "Manage the tokens of an organization, or with \"platform\" the operators' API tokens",
		v.createToken(), v.listTokens(), v.rotateToken(), v.revokeToken())
	addAPIFlags(cmd, &v.api)
	for _, c := range cmd.Commands() {
		addOutputFlag(c, &v.output)
	}
	return cmd
}

func (v *orgVerb) createToken() *cobra.Command {
	var spec newToken
	cmd := &cobra.Command{
		Use: "create SLUG", Short: "Make a token for a new connection; the token alone goes to stdout", Args: wants("slug"),
		Example: "  usher token create acme --name okta --profile okta > token.txt\n  usher token create acme --scopes scim:read --lifetime 30d --output json",
	}
	f := cmd.Flags()
	f.StringVar(&spec.Name, "name", "", "what it is for (default provisioning)")
	f.StringSliceVar(&spec.Scopes, "scopes", nil, "what it may do: scim (default), scim:read, users, users:read, groups, groups:read, resources, resources:read; with --user also me; for the REST API admin, admin:users, admin:licences, admin:locations, admin:read")
	f.StringVar(&spec.Profile, "profile", "", "dialect of the identity provider: rfc (default), entra, okta, onelogin, jumpcloud, ping, authentik, generic")
	f.StringVar(&spec.Policy, "policy", "", "what it accepts as userName: relaxed (default) or email")
	f.StringVar(&spec.User, "user", "", "id of a user that it stands for at /Me; its scope is then me by default, and it ends with the user")
	f.BoolVar(&spec.Strict, "strict", false, "what cannot be granted refuses the request instead of becoming an issue")
	f.BoolVar(&spec.Asks, "entitlements", false, "entitlements of users ask for licences")
	f.StringVar(&spec.Lifetime, "lifetime", "", "how long it works: 1m to 365d, in m, h or d (default 180d)")
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var t token
		if err := c.call(ctx, "cannot create a token for "+args[0], http.MethodPost, tokensPath(args[0]), spec, &t); err != nil {
			return err
		}
		return v.printIssued(t)
	})
	return cmd
}

// printIssued shows a token's secret, this once. For people and shells the
// secret is all of stdout.
func (v *orgVerb) printIssued(t token) error {
	if v.output == "json" {
		return v.print(v.output, t, nil)
	}
	fmt.Fprintf(v.stderr, "Token %s works until %s. It is shown this once: store it now.\n", t.ID, t.Expires.Format(time.RFC3339))
	_, err := fmt.Fprintln(v.stdout, t.Text)
	return err
}

func (v *orgVerb) listTokens() *cobra.Command {
	cmd := &cobra.Command{Use: "list SLUG", Short: "List tokens, without their secrets", Args: wants("slug")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var l tokenList
		if err := c.call(ctx, "cannot list tokens of "+args[0], http.MethodGet, tokensPath(args[0]), nil, &l); err != nil {
			return err
		}
		return v.print(v.output, l, func() table {
			t := table{head: []string{"ID", "NAME", "SCOPES", "PROFILE", "POLICY", "EXPIRES", "LAST USED"}}
			for _, k := range l.Items {
				used := "never"
				if !k.LastUsed.IsZero() {
					used = k.LastUsed.Format("2006-01-02T15Z")
				}
				t.rows = append(t.rows, []string{k.ID, k.Name, strings.Join(k.Scopes, ","), k.Profile, k.Policy, k.Expires.Format(time.RFC3339), used})
			}
			return t
		})
	})
	return cmd
}

func (v *orgVerb) rotateToken() *cobra.Command {
	cmd := &cobra.Command{Use: "rotate SLUG ID", Short: "Make a second token for a token's connection; the old one works until it is revoked", Args: wants("slug", "id")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		var t token
		if err := c.call(ctx, "cannot rotate token "+args[1], http.MethodPost, tokensPath(args[0], args[1], "rotate"), nil, &t); err != nil {
			return err
		}
		return v.printIssued(t)
	})
	return cmd
}

func (v *orgVerb) revokeToken() *cobra.Command {
	cmd := &cobra.Command{Use: "revoke SLUG ID", Short: "End a token; it stops working within five seconds everywhere", Args: wants("slug", "id")}
	cmd.RunE = v.act(func(ctx context.Context, c *client, args []string) error {
		if err := c.call(ctx, "cannot revoke token "+args[1], http.MethodDelete, tokensPath(args[0], args[1]), nil, nil); err != nil {
			return err
		}
		out := map[string]string{"id": args[1], "state": "revoked"}
		return v.print(v.output, out, func() table { return table{rows: [][]string{{args[1], "revoked"}}} })
	})
	return cmd
}
