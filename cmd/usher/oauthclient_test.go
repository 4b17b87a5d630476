package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/internal/redistest"
)

// grant asks a server's token endpoint; pairs are parameters. It gives the
// status and the token or the error.
func grant(t *testing.T, c *http.Client, root string, pairs ...string) (int, string) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := c.PostForm(root+"/orgs/acme/oauth/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return resp.StatusCode, out.Token + out.Error
}

// TestClientRoundTrip: an OAuth client made on the command line gets tokens
// until its secret is revoked, on both stores.
func TestClientRoundTrip(t *testing.T) {
	for name, args := range map[string]func() []string{
		"embedded": func() []string { return nil }, "redis": func() []string { return []string{"--redis", redistest.Start(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, nil, args()...)
			with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
			wantCode(t, 0, nil, with("org", "create", "acme")...)
			made := wantCode(t, 0, nil, with("client", "create", "acme", "--name", "okta", "--profile", "okta", "--token-lifetime", "2h")...)
			secret := strings.TrimSpace(made.stdout)
			id := strings.Trim(strings.Fields(made.stderr)[1], ",")
			if !strings.HasPrefix(secret, "ushs_") || strings.Contains(made.stderr, secret) || !strings.Contains(made.stderr, "works until") {
				t.Fatalf("created:\n%s%s", made.stdout, made.stderr)
			}
			code, token := grant(t, browser(), n.root(), "client_id", id, "client_secret", secret)
			if code != 200 {
				t.Fatalf("%d %s", code, token)
			}
			users := n.root() + "/orgs/acme/scim/v2/Users"
			if r, body := get(t, users, token); r.StatusCode != 200 {
				t.Errorf("%d %s", r.StatusCode, body)
			}
			if r, body := get(t, n.root()+"/.well-known/oauth-authorization-server/orgs/acme", ""); r.StatusCode != 200 || !strings.Contains(body, n.root()+"/orgs/acme/oauth/token") {
				t.Errorf("metadata: %d %s", r.StatusCode, body)
			}
			var list oauthClientList
			decode(t, wantCode(t, 0, nil, with("client", "list", "acme", "--output", "json")...).stdout, &list)
			if list.Total != 1 || list.Items[0].ID != id || len(list.Items[0].Secrets) != 1 || list.Items[0].TokenLifetime != "120m" {
				t.Fatalf("list %+v", list)
			}
			second := strings.TrimSpace(wantCode(t, 0, nil, with("client", "rotate", "acme", id)...).stdout)
			wantCode(t, exitConflict, nil, with("client", "rotate", "acme", id)...)
			wantCode(t, 0, nil, with("client", "revoke", "acme", id, list.Items[0].Secrets[0].ID)...)
			if r, _ := get(t, users, token); r.StatusCode != 401 {
				t.Errorf("a token of a revoked secret: %d", r.StatusCode)
			}
			if code, text := grant(t, browser(), n.root(), "client_id", id, "client_secret", secret); code != 401 || text != "invalid_client" {
				t.Errorf("a revoked secret: %d %s", code, text)
			}
			if code, text := grant(t, browser(), n.root(), "client_id", id, "client_secret", second); code != 200 {
				t.Errorf("the second secret: %d %s", code, text)
			}
			if out := wantCode(t, 0, nil, with("client", "delete", "acme", id)...).stdout; !strings.Contains(out, "deleted") {
				t.Errorf("deleted:\n%s", out)
			}
			wantCode(t, exitNotFound, nil, with("client", "delete", "acme", id)...)
			if log := n.stderr.String() + n.stdout.String(); strings.Contains(log, secret) || strings.Contains(log, second) || strings.Contains(log, token) {
				t.Error("the log holds a secret or a token")
			}
		})
	}
}

// TestClientMethods: keys from a file, the shorthand for Entra ID, and what is
// refused before anything is sent.
func TestClientMethods(t *testing.T) {
	n := start(t, nil)
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	wantCode(t, 0, nil, with("org", "create", "acme")...)
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := file(t, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"`+base64.RawURLEncoding.EncodeToString(pub)+`"}]}`)
	id := strings.TrimSpace(wantCode(t, 0, nil, with("client", "create", "acme", "--method", "private-key-jwt", "--jwks-file", keys)...).stdout)
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: gojose.EdDSA, Key: key}, (&gojose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	jws, err := signer.Sign(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"aud":%q,"jti":"1","exp":%d}`, id, id, n.root()+"/orgs/acme", now+60))
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{200, 401} { // the second time it is a replay
		if code, text := grant(t, browser(), n.root(), "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion); code != want {
			t.Errorf("%d %s, want %d", code, text, want)
		}
	}
	wantCode(t, exitUsage, nil, with("client", "create", "acme", "--method", "private-key-jwt")...)
	wantCode(t, exitUsage, nil, with("client", "create", "acme", "--method", "private-key-jwt", "--jwks-file", file(t, "keys"))...)
	wantCode(t, exitUsage, nil, with("client", "create", "acme", "--cert-file", keys)...)
	wantCode(t, exitUsage, nil, with("client", "create", "acme", "--entra-tenant", "t", "--issuer", "https://x/")...)
	wantCode(t, exitUsage, nil, with("client", "create", "acme", "--method", "external-jwt", "--issuer", "http://127.0.0.1/", "--audience", "a", "--appid", "b")...)
}

// TestEntraShorthand: what --entra-tenant stands for (idp-wire.md §3.0).
func TestEntraShorthand(t *testing.T) {
	var sent newOAuthClient
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		w.WriteHeader(201)
		_, _ = w.Write([]byte(`{"id":"x"}`))
	}))
	defer server.Close()
	env := map[string]string{"USHER_API_TOKEN": "t", "USHER_API_URL": server.URL}
	wantCode(t, 0, env, "client", "create", "acme", "--entra-tenant", "7d1e4b6a")
	want := newOAuthClient{
		Method: "external_jwt", Profile: "entra", Issuer: "https://sts.windows.net/7d1e4b6a/", Audience: "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
		AppID: "00000014-0000-0000-c000-000000000000", Tenant: "7d1e4b6a",
	}
	a, _ := json.Marshal(sent)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Errorf("sent %s, want %s", a, b)
	}
}

// TestBoundClient: a client bound to a certificate gets and uses tokens over
// connections with that certificate only; others need none (RFC 8705 §3).
func TestBoundClient(t *testing.T) {
	server, own, foreign := newPair(t, 1), newPair(t, 2), newPair(t, 3)
	for name, args := range map[string][]string{
		"any certificate": {}, "of an authority": {"--client-ca", own.cert},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, map[string]string{"USHER_TLS_CLIENT_CERTS": "request"}, append(args, "--tls-cert", server.cert, "--tls-key", server.key)...)
			pair := func(f pairFiles) *tls.Certificate {
				c, err := tls.LoadX509KeyPair(f.cert, f.key)
				if err != nil {
					t.Fatal(err)
				}
				return &c
			}
			none, right := trusting(t, server, nil), trusting(t, server, pair(own))
			api := func(method, path, body string, out any) {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, n.APIURL+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+n.APIToken)
				req.Header.Set("Content-Type", "application/json")
				resp, err := none.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode != 201 {
					t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
				}
			}
			api("POST", "/orgs", `{"slug":"acme"}`, &struct{}{})
			spec, more := newOAuthClient{Method: "client_secret"}, clientFlags{certFile: own.cert}
			if err := more.apply(&spec, true); err != nil {
				t.Fatal(err)
			}
			body, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			var bound, free oauthClient
			api("POST", "/orgs/acme/clients", string(body), &bound)
			api("POST", "/orgs/acme/clients", `{"method":"client_secret"}`, &free)
			code, token := grant(t, right, n.root(), "client_id", bound.ID, "client_secret", bound.Secret)
			if code != 200 {
				t.Fatalf("with its certificate: %d %s", code, token)
			}
			if code, text := grant(t, none, n.root(), "client_id", bound.ID, "client_secret", bound.Secret); code != 401 {
				t.Errorf("without a certificate: %d %s", code, text)
			}
			if got := status(t, right, n.root()+"/orgs/acme/scim/v2/Users", token); got != 200 {
				t.Errorf("the token with its certificate: %d", got)
			}
			if got := status(t, none, n.root()+"/orgs/acme/scim/v2/Users", token); got != 401 {
				t.Errorf("the token without a certificate: %d", got)
			}
			if len(args) == 0 { // with an authority the handshake refuses it
				if got := status(t, trusting(t, server, pair(foreign)), n.root()+"/orgs/acme/scim/v2/Users", token); got != 401 {
					t.Errorf("the token with another certificate: %d", got)
				}
			}
			if code, text := grant(t, none, n.root(), "client_id", free.ID, "client_secret", free.Secret); code != 200 {
				t.Errorf("a client that is not bound: %d %s", code, text)
			}
		})
	}
}

// TestGuessedClients: who guesses clients is told to wait; a client that proves
// itself from the same address is not (security T3).
func TestGuessedClients(t *testing.T) {
	n := start(t, nil)
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	wantCode(t, 0, nil, with("org", "create", "acme")...)
	made := wantCode(t, 0, nil, with("client", "create", "acme")...)
	secret, id := strings.TrimSpace(made.stdout), strings.Trim(strings.Fields(made.stderr)[1], ",")
	seen := map[int]int{}
	for i := range 100 {
		code, _ := grant(t, browser(), n.root(), "client_id", fmt.Sprint("guess", i), "client_secret", secret)
		seen[code]++
	}
	if seen[401] < 20 || seen[429] < 10 || seen[401]+seen[429] != 100 {
		t.Errorf("answers by status %v, want about 20 refusals before the first 429", seen)
	}
	if code, text := grant(t, browser(), n.root(), "client_id", id, "client_secret", secret); code != 200 {
		t.Errorf("a good client: %d %s", code, text)
	}
}

// status asks with a token.
func status(t *testing.T, c *http.Client, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestMetadataBesideOrganization: the metadata is at both of its addresses of
// the whole server, and no address makes a client send its secret again (L-27).
func TestMetadataBesideOrganization(t *testing.T) {
	n := start(t, nil)
	for _, path := range []string{"/.well-known/oauth-authorization-server/orgs/demo", "/orgs/demo/.well-known/oauth-authorization-server"} {
		if r, body := get(t, n.root()+path, ""); r.StatusCode != 200 || !strings.Contains(body, n.root()+"/orgs/demo/oauth/token") {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"//orgs/demo/oauth/token", "/orgs//demo/oauth/token", "/orgs/./demo/oauth/token", "/orgs/x/../demo/oauth/token", "/orgs/demo/oauth/token/."} {
		resp, err := c.Post(n.root()+path, "application/x-www-form-urlencoded", strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}
