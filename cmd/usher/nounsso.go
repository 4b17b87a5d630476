package main

import (
	"net/http"
	"slices"

	"github.com/spf13/cobra"
)

func newSSOCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/connections", "/orgs/{slug}/connections/{name}"
	cols := []column{{"ID", "id"}, {"NAME", "name"}, {"ISSUER", "issuer"}, {"METHOD", "method"}, {"OFF", "off"}, {"JIT", "jit"}, {"ENFORCED", "enforced"}}
	whole := append(slices.Clip(cols), []column{
		{"REDIRECT URI", "register.redirectUri"},
		{"BACK-CHANNEL LOGOUT", "register.backChannelLogoutUri"},
		{"AFTER LOGOUT", "register.postLogoutRedirectUri"},
		{"KEYS", "register.jwksUri"},
	}...)
	test := []column{{"STATE", "state"}, {"ID", "id"}, {"OPEN IN A BROWSER", "url"}, {"OUTCOME", "outcome"}}
	about := []param{
		{flag: "label", name: "label", kind: 'n', usage: "what the button says"},
		{flag: "method", name: "method", kind: 's', usage: "client_secret_basic, client_secret_post, private_key_jwt or none"},
		{flag: "client-secret-file", name: "clientSecret", kind: 'f', usage: "file with the client secret; - is stdin"},
		{flag: "scope", name: "scopes", kind: 'l', usage: "asked for beside openid; email and profile when left out"},
		{flag: "alg", name: "algs", kind: 'l', usage: "signatures of ID tokens"},
		{flag: "claim-external-id", name: "claims.externalId", kind: 's', usage: "claim to compare with externalId"},
		{flag: "claim-email", name: "claims.email", kind: 's', usage: "claim with the e-mail address; email"},
		{flag: "claim-email-verified", name: "claims.emailVerified", kind: 's', usage: "claim that says whether it is verified; email_verified"},
		{flag: "enforce", name: "enforced", kind: 'l', usage: "verified domains whose people must sign in here"},
		{flag: "jit", name: "jit", kind: 's', usage: "auto, on or off: create users at their first sign-in"},
		{flag: "off", name: "off", kind: 'b', usage: "nobody can sign in by it; it can be tested"},
		{flag: "max-age", name: "maxAge", kind: 'i', usage: "how old the sign-in at the provider may be, in seconds"},
		{flag: "acr", name: "acr", kind: 'l', usage: "ways of authentication of which one is demanded"},
		{flag: "logout", name: "logout", kind: 'b', usage: "sign out at the provider too"},
	}
	return newNoun(p, "sso", "Manage the OpenID providers by which people sign in", []string{"connection"},
		verb{use: "list SLUG", short: "List connections", method: http.MethodGet, path: list, rows: "items", cols: cols},
		verb{use: "show SLUG NAME", short: "Show a connection, and what to register at the provider", method: http.MethodGet, path: one, cols: whole},
		verb{
			use: "add SLUG NAME", short: "Connect an OpenID provider", method: http.MethodPost, path: list, cols: whole, args: map[string]string{"name": "name"},
			example: "  usher sso add acme entra --issuer https://login.microsoftonline.com/TENANT/v2.0 --client-id ID --client-secret-file secret.txt",
			body: append([]param{
				{flag: "issuer", name: "issuer", kind: 's', usage: "address that the provider calls itself by", need: true},
				{flag: "client-id", name: "clientId", kind: 's', usage: "what the provider calls usher", need: true},
			}, about...),
		},
		verb{
			use: "set SLUG NAME", short: "Change a connection", method: http.MethodPatch, path: one, cols: whole,
			long:    "Change a connection. Claims are replaced together: give all that are not the usual ones.",
			example: "  usher sso set acme entra --enforce acme.example --jit off",
			body: append([]param{
				{flag: "name", name: "name", kind: 's', usage: "in addresses; the provider must learn the new ones"},
				{flag: "issuer", name: "issuer", kind: 's', usage: "address that the provider calls itself by"},
				{flag: "client-id", name: "clientId", kind: 's', usage: "what the provider calls usher"},
				{flag: "new-key", name: "newKey", kind: 'b', usage: "of private_key_jwt: make another key"},
			}, about...),
		},
		verb{use: "discover SLUG NAME", short: "Read what the provider publishes again, and confirm it", method: http.MethodPost, path: one + "/discover", cols: whole},
		verb{
			use: "remove SLUG NAME", short: "Remove a connection; sessions by it end", method: http.MethodDelete, path: one, said: "removed",
			ask: "People who have no other way in cannot sign in any more.",
		},
		verb{use: "test SLUG NAME", short: "Begin a test sign-in, to be made in a browser", method: http.MethodPost, path: one + "/test", cols: test},
		verb{
			use: "result SLUG NAME ID", short: "Show the checks of a test sign-in", method: http.MethodGet, path: one + "/tests/{id}", rows: "checks",
			cols: []column{{"CHECK", "name"}, {"PASSED", "passed"}, {"WHAT", "detail"}},
		},
		verb{
			use: "refusals SLUG", short: "List refused sign-ins of the last thirty days, newest first", method: http.MethodGet, path: "/orgs/{slug}/sign-in-refusals", list: true,
			cols: []column{{"AT", "at"}, {"CODE", "code"}, {"USER", "user"}, {"E-MAIL", "email"}, {"SUBJECT", "subject"}, {"FROM", "from"}, {"WHY", "reason"}},
			query: []param{
				{flag: "connection", name: "connection", kind: 's', usage: "id of the connection"},
				{flag: "user", name: "user", kind: 's', usage: "id of the user"},
			},
		},
	)
}

func newSessionCommand(p *program) *cobra.Command {
	const all = "/orgs/{slug}/users/{user}/sessions"
	return newNoun(p, "session", "See and end the sessions and links of users", nil,
		verb{
			use: "list SLUG USER", short: "List where a user is signed in", method: http.MethodGet, path: all, rows: "items",
			cols: []column{{"ID", "id"}, {"METHOD", "method"}, {"BEGAN", "began"}, {"LAST USE", "seen"}, {"ENDS", "ends"}, {"FROM", "from"}, {"BROWSER", "agent"}},
		},
		verb{
			use: "revoke SLUG USER", short: "Sign a user out everywhere", method: http.MethodDelete, path: all, said: "signed out",
			long: "Sign a user out everywhere. Links and codes in mails end too.",
		},
		verb{use: "end SLUG USER ID", short: "End one session", method: http.MethodDelete, path: all + "/{id}", said: "ended"},
		verb{
			use: "links SLUG USER", short: "List the accounts at providers by which a user comes in", method: http.MethodGet, path: "/orgs/{slug}/users/{user}/links", rows: "items",
			cols: []column{{"CONNECTION", "connection"}, {"ISSUER", "issuer"}, {"SUBJECT", "subject"}, {"LINKED", "linked"}, {"BY", "by"}},
		},
		verb{
			use: "unlink SLUG USER", short: "Remove the links of a user, who is linked anew at the next sign-in", method: http.MethodDelete, path: "/orgs/{slug}/users/{user}/links",
			said: "unlinked", ask: "The user is signed out everywhere.",
		},
	)
}
