package oauth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

const tenant = "7d1e4b6a-9a40-4c2e-8f71-3f0c9a52d001"

// sts is an issuer as Entra ID is one, with moods.
type sts struct {
	*house
	server *httptest.Server
	key    *rsa.PrivateKey

	mu    sync.Mutex
	kid   string
	mood  string // "" is well; slow, large, redirect, down, other
	asked int    // for keys
}

func openIssuer(t *testing.T, store string) *sts {
	t.Helper()
	s := &sts{kid: "k1"}
	var err error
	if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, stop) }))
	t.Cleanup(s.server.Close)
	t.Cleanup(func() { close(stop) })
	roots := x509.NewCertPool()
	roots.AddCert(s.server.Certificate())
	get, err := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}, Roots: roots, Agent: "usher/test"})
	if err != nil {
		t.Fatal(err)
	}
	s.house = open(t, store, get.Get)
	return s
}

func (s *sts) answer(w http.ResponseWriter, r *http.Request, stop chan struct{}) {
	s.mu.Lock()
	mood, kid := s.mood, s.kid
	if r.URL.Path == "/keys" {
		s.asked++
	}
	s.mu.Unlock()
	switch mood {
	case "slow":
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return
	case "large":
		for range 160 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	case "redirect":
		http.Redirect(w, r, "https://169.254.169.254/", http.StatusFound)
	case "down":
		w.WriteHeader(http.StatusBadGateway)
	}
	if mood != "" && mood != "other" {
		return
	}
	if r.URL.Path == "/keys" {
		fmt.Fprint(w, keySet(kid, &s.key.PublicKey))
		return
	}
	name := s.issuer()
	if mood == "other" {
		name = "https://sts.example/"
	}
	fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, name, s.server.URL+"/keys")
}

func (s *sts) set(mood, kid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood, s.kid = mood, kid
}

func (s *sts) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *sts) issuer() string { return s.server.URL + "/" + tenant + "/" }

func (s *sts) trust() resources.ClientSpec {
	return resources.ClientSpec{Method: resources.MethodExternal, Profile: resources.ProfileEntra, Trust: resources.Trust{
		Issuer: s.issuer(), Audience: "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", App: "00000014-0000-0000-c000-000000000000", Tenant: tenant,
	}}
}

// jwt is a token as the provisioning service sends it.
func (s *sts) jwt(kid string, change map[string]any) string {
	now := s.now().Unix()
	return sign(s, gojose.RS256, s.key, kid, "JWT", claimSet(map[string]any{
		"iss": s.issuer(), "aud": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "appid": "00000014-0000-0000-c000-000000000000", "tid": tenant,
		"iat": now, "nbf": now, "exp": now + 3600, "sub": "x", "appidacr": "2", "ver": "1.0",
	}, change))
}

// TestEntraToken: a connection that pins Entra ID's claims takes its tokens and
// no others (idp-wire.md §3.0; issue: issuer, audience, appid, tenant pinned).
func TestEntraToken(t *testing.T) {
	for name, url := range map[string]func() string{"embedded": func() string { return "" }, "redis": func() string { return redistest.Start(t) }} {
		t.Run(name, func(t *testing.T) {
			s := openIssuer(t, url())
			cl, _ := s.client(s.trust())
			if r := s.scim(s.jwt("k1", nil), "GET", "/Users?aadOptscim062020"); r.Code != 200 {
				t.Fatalf("%d %s", r.Code, r.Body)
			}
			if r := s.scim(s.jwt("k1", nil), "GET", "/ServiceProviderConfig"); r.Code != 200 || strings.Contains(r.Body.String(), `"oauth2"`) {
				t.Errorf("ServiceProviderConfig: %d %s", r.Code, r.Body)
			}
			now := s.now().Unix()
			other, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			bad := map[string]string{
				"another key":   sign(t, gojose.RS256, other, "k1", "JWT", claimSet(map[string]any{"iss": s.issuer()}, nil)),
				"shared secret": sign(t, gojose.HS256, []byte(keySet("k1", &s.key.PublicKey)), "k1", "JWT", "{}"),
				"id token":      sign(t, gojose.RS256, s.key, "k1", "logout+jwt", "{}"),
				"dots":          "a.b.c",
				"long":          "a.b." + strings.Repeat("c", 9000),
			}
			for name, change := range map[string]map[string]any{
				"issuer": {"iss": "https://sts.windows.net/x/"}, "audience": {"aud": "x"}, "no audience": {"aud": nil}, "app": {"appid": "x"}, "no app": {"appid": nil},
				"tenant": {"tid": "x"}, "no tenant": {"tid": nil}, "expired": {"exp": now - 121}, "no end": {"exp": nil}, "not yet": {"nbf": now + 300},
			} {
				bad[name] = s.jwt("k1", change)
			}
			for name, token := range bad {
				if r := s.scim(token, "GET", "/Users"); r.Code != 401 || !strings.Contains(r.str("detail"), "missing, wrong, expired or revoked") {
					t.Errorf("%s: %d %s", name, r.Code, r.Body)
				}
			}
			if r := s.scim(s.jwt("k1", map[string]any{"appid": nil, "azp": "00000014-0000-0000-c000-000000000000", "exp": now - 60}), "GET", "/Users"); r.Code != 200 {
				t.Errorf("azp, and a minute over: %d %s", r.Code, r.Body)
			}
			for _, org := range []string{"rival", "nobody"} {
				if r := s.serve("GET", "/orgs/"+org+"/scim/v2/Users", "", "Authorization", "Bearer "+s.jwt("k1", nil)); r.Code != 401 {
					t.Errorf("in organization %s: %d", org, r.Code)
				}
			}
			token := s.jwt("k1", nil)
			s.scim(token, "GET", "/Users")
			if err := s.dir.DeleteClient(t.Context(), s.admin, "acme", cl.ID); err != nil {
				t.Fatal(err)
			}
			if r := s.scim(token, "GET", "/Users"); r.Code != 401 {
				t.Errorf("after deletion: %d", r.Code)
			}
			if strings.Contains(s.log.String(), token) {
				t.Error("the token is in the log")
			}
		})
	}
}

// TestJWKSFlood: security O6, through the door: a thousand unknown key names in
// ten seconds fetch at most once; a rotated key is picked up, and the one that
// was removed is dead within 61 minutes.
func TestJWKSFlood(t *testing.T) {
	s := openIssuer(t, "")
	s.client(s.trust())
	if r := s.scim(s.jwt("k1", nil), "GET", "/Users"); r.Code != 200 {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	s.wait(2 * time.Minute)
	before := s.fetches()
	claims := s.jwt("k1", nil)
	for i := range 1000 {
		token := b64(fmt.Sprintf(`{"alg":"RS256","kid":"unknown%d"}`, i)) + claims[strings.IndexByte(claims, '.'):]
		if r := s.scim(token, "GET", "/Users"); r.Code != 401 {
			t.Fatalf("%d %s", r.Code, r.Body)
		}
		s.wait(10 * time.Millisecond)
	}
	if n := s.fetches() - before; n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	s.set("", "k2")
	s.wait(time.Minute)
	if r := s.scim(s.jwt("k2", nil), "GET", "/Users"); r.Code != 200 {
		t.Errorf("the new key: %d %s", r.Code, r.Body)
	}
	if r := s.scim(s.jwt("k1", nil), "GET", "/Users"); r.Code != 401 {
		t.Errorf("the removed key after the new one was seen: %d", r.Code)
	}
	s.set("", "k3")
	s.wait(61 * time.Minute)
	if r := s.scim(s.jwt("k2", nil), "GET", "/Users"); r.Code != 401 {
		t.Errorf("a removed key after 61 minutes: %d", r.Code)
	}
}

// TestHostileIssuer: an issuer that is slow, floods, redirects, lies or is down
// costs a bounded wait and gives nobody access; the client is told to try
// again, others are served meanwhile.
func TestHostileIssuer(t *testing.T) {
	s := openIssuer(t, "")
	s.client(s.trust())
	_, static, err := s.dir.CreateToken(t.Context(), s.admin, "acme", resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	for _, mood := range []string{"slow", "large", "redirect", "down", "other"} {
		s.set(mood, "k1")
		s.wait(2 * time.Minute)
		began := time.Now()
		if r := s.scim(s.jwt("k1", nil), "GET", "/Users"); r.Code != 503 || r.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", mood, r.Code, r.Body)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s: it took %s", mood, took)
		}
		if r := s.scim(static, "GET", "/Users"); r.Code != 200 {
			t.Errorf("%s: a token of our own: %d", mood, r.Code)
		}
	}
	s.set("", "k1")
	s.wait(2 * time.Minute)
	if r := s.scim(s.jwt("k1", nil), "GET", "/Users"); r.Code != 200 {
		t.Errorf("when the issuer is well again: %d %s", r.Code, r.Body)
	}
}

// TestPrivateIssuer: an issuer on this machine is never asked unless the
// operator allows it (security O7).
func TestPrivateIssuer(t *testing.T) {
	s := openIssuer(t, "")
	guarded, err := outbound.New(outbound.Config{Agent: "usher/test"})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	h := open(t, "", func(ctx context.Context, url string) ([]byte, error) {
		asked++
		return guarded.Get(ctx, url)
	})
	s.house = h
	for i, address := range []string{s.issuer(), "https://169.254.169.254/", strings.Replace(s.issuer(), "127.0.0.1", "localhost", 1), "http://localhost/"} {
		spec := s.trust()
		spec.Trust.Issuer = address
		h.client(spec)
		if r := h.scim(s.jwt("k1", map[string]any{"iss": address}), "GET", "/Users"); r.Code != 503 {
			t.Errorf("%s: %d %s", address, r.Code, r.Body)
		}
		if asked != i+1 {
			t.Errorf("%s was not looked at", address)
		}
	}
	if s.fetches() != 0 {
		t.Error("the issuer on this machine was asked")
	}
}
