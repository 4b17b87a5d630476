package oauth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
	"github.com/usher-scim/usher/scim/oauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	publicURL = "https://usher.example"
	issuer    = publicURL + "/orgs/acme"
	endpoint  = issuer + "/oauth/token"
)

// house is both doors over a real Directory on a real store, with a clock that
// the test moves.
type house struct {
	*testing.T
	dir   *resources.Directory
	store *backend.Store
	admin resources.Caller
	mux   *http.ServeMux
	log   *logged

	mu    sync.Mutex
	ahead time.Duration
}

// logged collects what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(h *house)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(open(t, "", nil)) })
	t.Run("redis", func(t *testing.T) { test(open(t, redistest.Start(t), nil)) })
}

// open builds a house; get, when not nil, fetches documents of issuers.
func open(t *testing.T, store string, get func(context.Context, string) ([]byte, error)) *house {
	t.Helper()
	h := &house{T: t, log: &logged{}}
	log := slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if h.store, err = backend.Open(t.Context(), backend.Config{URL: store, Now: h.now, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	if h.dir, err = resources.New(resources.Config{Store: h.store, Vault: h.store, Now: h.now, Rand: rand.Reader, Log: log}); err != nil {
		t.Fatal(err)
	}
	h.admin = resources.Caller{Org: resources.PlatformOrg, Token: "test", Scopes: []resources.Scope{resources.ScopePlatform}}
	for _, slug := range []string{"acme", "rival"} {
		if _, err := h.dir.CreateOrg(t.Context(), h.admin, slug, ""); err != nil {
			t.Fatal(err)
		}
	}
	var issuers *jwks.Cache
	if get != nil {
		if issuers, err = jwks.New(jwks.Config{Get: get, Now: h.now, Log: log}); err != nil {
			t.Fatal(err)
		}
	}
	door, err := scim.New(scim.Config{Directory: h.dir, PublicURL: publicURL, Log: log, Now: h.now, Issuers: issuers, Rate: 1e6, Burst: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := oauth.New(oauth.Config{Directory: h.dir, PublicURL: publicURL, Log: log, Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	h.mux = http.NewServeMux()
	h.mux.Handle("/orgs/", door)
	h.mux.Handle("/orgs/{org}"+oauth.TokenPath, tokens)
	h.mux.Handle("/orgs/{org}"+oauth.MetadataPath, tokens)
	h.mux.Handle(oauth.MetadataPath+"/", tokens)
	return h
}

func (h *house) client(spec resources.ClientSpec) (*resources.Client, *resources.IssuedSecret) {
	h.Helper()
	cl, secret, err := h.dir.CreateClient(h.Context(), h.admin, "acme", spec)
	if err != nil {
		h.Fatal(err)
	}
	return cl, secret
}

// reply is an answer, decoded.
type reply struct {
	*httptest.ResponseRecorder
	json map[string]any
}

func (r reply) str(name string) string { s, _ := r.json[name].(string); return s }

// serve sends a request; headers come in pairs.
func (h *house) serve(method, path, body string, headers ...string) reply {
	h.Helper()
	r := httptest.NewRequestWithContext(h.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	out := reply{ResponseRecorder: w}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out.json); err != nil {
			h.Fatalf("%s %s: the answer is not JSON: %v\n%s", method, path, err, w.Body)
		}
	}
	return out
}

// ask asks the token endpoint; pairs are parameters.
func (h *house) ask(pairs ...string) reply {
	h.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return h.serve("POST", "/orgs/acme/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// token asks and wants a token.
func (h *house) token(pairs ...string) string {
	h.Helper()
	r := h.ask(pairs...)
	if r.Code != 200 || r.str("token_type") != "Bearer" || r.Header().Get("Cache-Control") != "no-store" {
		h.Fatalf("%d %v %s", r.Code, r.Header(), r.Body)
	}
	return r.str("access_token")
}

// scim asks the SCIM door with a token and gives the status.
func (h *house) scim(token, method, path string) reply {
	h.Helper()
	return h.serve(method, "/orgs/acme/scim/v2"+path, "", "Authorization", "Bearer "+token)
}

func (h *house) wantError(r reply, status int, code string) {
	h.Helper()
	if r.Code != status || r.str("error") != code || r.str("error_description") == "" || r.Header().Get("Cache-Control") != "no-store" {
		h.Errorf("%d %v %s, want %d %s", r.Code, r.Header(), r.Body, status, code)
	}
}

// claimSet writes claims; change may add, replace and (with nil) remove some.
func claimSet(claims, change map[string]any) string {
	for name, v := range change {
		claims[name] = v
		if v == nil {
			delete(claims, name)
		}
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sign makes a token.
func sign(t testing.TB, alg gojose.SignatureAlgorithm, key any, kid, typ, payload string) string {
	t.Helper()
	options := (&gojose.SignerOptions{}).WithHeader("kid", kid)
	if typ != "" {
		options = options.WithType(gojose.ContentType(typ))
	}
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// keySet writes public keys, names and keys in turn.
func keySet(pairs ...any) string {
	set := gojose.JSONWebKeySet{}
	for i := 0; i+1 < len(pairs); i += 2 {
		set.Keys = append(set.Keys, gojose.JSONWebKey{KeyID: fmt.Sprint(pairs[i]), Key: pairs[i+1]})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
