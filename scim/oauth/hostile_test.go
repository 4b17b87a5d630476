package oauth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
	"github.com/usher-scim/usher/scim/oauth"
)

// rebuild replaces the token door by one with another configuration.
func (h *house) rebuild(change func(*oauth.Config)) {
	h.Helper()
	log := slog.New(slog.NewJSONHandler(h.log, nil)) // what operators see: Info and above
	c := oauth.Config{Directory: h.dir, PublicURL: publicURL, Log: log, Now: h.now}
	change(&c)
	tokens, err := oauth.New(c)
	if err != nil {
		h.Fatal(err)
	}
	h.mux = http.NewServeMux()
	h.mux.Handle("/", tokens)
}

// TestMetadataUnderPath: with a path in the public URL the metadata stands
// where RFC 8414 §3.1 puts it for that issuer, whether or not the proxy in
// front takes the path off the other addresses.
func TestMetadataUnderPath(t *testing.T) {
	h := open(t, "", nil)
	h.rebuild(func(c *oauth.Config) { c.PublicURL = "https://usher.example/idm/" })
	for _, path := range []string{
		"/.well-known/oauth-authorization-server/idm/orgs/acme", "/.well-known/oauth-authorization-server/orgs/acme",
		"/orgs/acme/.well-known/oauth-authorization-server",
	} {
		if r := h.serve("GET", path, ""); r.Code != 200 || r.str("issuer") != "https://usher.example/idm/orgs/acme" {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server/idm/acme", "/.well-known/oauth-authorization-server/other/orgs/acme"} {
		h.wantError(h.serve("GET", path, ""), 404, "not_found")
	}
}

// TestShareBehindProxy: who knows a client's id cannot use up its share, also
// when all requests come over one proxy (security T3, T4).
func TestShareBehindProxy(t *testing.T) {
	h := open(t, "", nil)
	h.rebuild(func(c *oauth.Config) { c.Sender = func(r *http.Request) string { return r.Header.Get("X-From") } })
	cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	ask := func(from, secret string) reply {
		return h.serve("POST", "/orgs/acme/oauth/token", "grant_type=client_credentials&client_id="+cl.ID+"&client_secret="+secret, "Content-Type", form, "X-From", from)
	}
	for range 40 {
		ask("192.0.2.1", "guess")
	}
	if r := ask("192.0.2.2", secret.Text); r.Code != 200 {
		t.Errorf("the client itself: %d %s", r.Code, r.Body)
	}
}

// TestRubbishNotLogged: requests that no client sent fill no log.
func TestRubbishNotLogged(t *testing.T) {
	h := open(t, "", nil)
	h.rebuild(func(*oauth.Config) {})
	for i := range 50 {
		h.serve("GET", "/orgs/acme/oauth/token", "")
		h.serve("POST", "/orgs/acme/oauth/token", "{}", "Content-Type", "application/json")
		h.serve("POST", "/orgs/acme/oauth/token", fmt.Sprint("client_id=", i, "&client_secret=x"), "Content-Type", form)
	}
	if n := strings.Count(h.log.String(), "\n"); n > 0 {
		t.Errorf("%d lines in the log:\n%.500s", n, h.log)
	}
}

// TestGuessedOrganizations: who looks for organizations by their metadata is
// told to wait like who guesses tokens (security T3).
func TestGuessedOrganizations(t *testing.T) {
	h := open(t, "", nil)
	h.rebuild(func(c *oauth.Config) {
		c.Stranger = func(*http.Request) time.Duration { return 1500 * time.Millisecond }
	})
	guess := "/orgs/" + strings.ToLower(rand.Text()[:10]) + oauth.MetadataPath
	if r := h.serve("GET", guess, ""); r.Code != 429 || r.Header().Get("Retry-After") != "2" {
		t.Errorf("%d %v", r.Code, r.Header())
	}
	if r := h.serve("GET", "/orgs/acme"+oauth.MetadataPath, ""); r.Code != 200 {
		t.Errorf("one that is there: %d", r.Code)
	}
}

// TestIssuerAway: while an issuer cannot be reached nobody can fill the log with
// tokens that claim to be its own (security T3).
func TestIssuerAway(t *testing.T) {
	h := open(t, "", nil)
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	issuers, err := jwks.New(jwks.Config{Now: h.now, Log: log, Get: func(context.Context, string) ([]byte, error) { return nil, errors.New("away") }})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	door, err := scim.New(scim.Config{
		Directory: h.dir, PublicURL: publicURL, Log: log, Now: h.now, Issuers: issuers, Rate: 1e6, Burst: 1e6,
		Stranger: func(*http.Request) time.Duration {
			if failed++; failed > 5 {
				return time.Second
			}
			return 0
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.mux = http.NewServeMux()
	h.mux.Handle("/orgs/", door)
	h.client(resources.ClientSpec{Method: resources.MethodExternal, Trust: resources.Trust{Issuer: "https://sts.example/", Audience: "a", App: "b"}})
	seen := map[int]int{}
	for i := range 50 {
		seen[h.scim(b64(`{"alg":"RS256"}`)+"."+b64(fmt.Sprintf(`{"iss":"https://sts.example/","jti":"%d"}`, i))+".AAAA", "GET", "/Users").Code]++
	}
	if seen[503] != 5 || seen[429] != 45 || strings.Count(h.log.String(), "\n") > 10 {
		t.Errorf("%v, %d lines in the log", seen, strings.Count(h.log.String(), "\n"))
	}
}
