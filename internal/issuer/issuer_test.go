package issuer_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	home     = "https://issuer.example/t"
	callback = "https://app.example/callback?x=1"
	verifier = "a verifier of at least forty-three characters"
)

// site is a provider and a browser that follows nothing.
type site struct {
	*issuer.Provider
	t   *testing.T
	now time.Time
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Unix(1_800_000_000, 0)}
	var err error
	s.Provider, err = issuer.New(issuer.Config{
		URL: home, Alg: "ES256", Now: func() time.Time { return s.now }, Rand: rand.Reader,
		Users:   []issuer.User{{Subject: "alice", Name: "Alice <Smith>", Email: "alice@acme.example"}, {Subject: "bob"}},
		Clients: []issuer.Client{{ID: "app", Secret: "secret", Redirects: []string{callback}, PostLogout: []string{"https://app.example/out"}}, {ID: "other", Secret: "secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) ask(method, path string, form url.Values, basic ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, home+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if len(basic) == 2 {
		r.SetBasicAuth(basic[0], basic[1])
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec
}

// request is an authorization request with something changed.
func request(change ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "scope": {"openid email"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	return "/authorize?" + q.Encode()
}

// code chooses alice on the page.
func (s *site) code() string {
	s.t.Helper()
	rec := s.ask("POST", request(), url.Values{"user": {"alice"}})
	u, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != http.StatusSeeOther || u.Query().Get("x") != "1" || u.Query().Get("state") != "s" || u.Query().Get("iss") != home {
		s.t.Fatalf("%d to %s", rec.Code, u)
	}
	return u.Query().Get("code")
}

func exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

// The page is plain: a form with one button for each user, which says what it is.
func TestPage(t *testing.T) {
	s := open(t)
	rec := s.ask("GET", request(), nil)
	page := rec.Body.String()
	for _, want := range []string{`<html lang="en">`, "<title>", "<h1>", "demonstrations and tests", `<button name="user" value="alice">Alice &lt;Smith&gt; – alice@acme.example</button>`, `value="bob">bob</button>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if !strings.Contains(rec.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("the page has no policy")
	}
	if rec := s.ask("POST", request(), url.Values{"user": {"eve"}}); rec.Code != http.StatusBadRequest {
		t.Error("somebody who is not there signs in")
	}
	for name, path := range map[string]string{"client": request("client_id", "x"), "redirect": request("redirect_uri", "https://evil.example")} {
		if rec := s.ask("GET", path, nil); rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
			t.Errorf("an unknown %s: %d", name, rec.Code)
		}
	}
	for name, path := range map[string]string{
		"invalid_request": request("code_challenge_method", "plain"), "invalid_request&": request("scope", "email"), "login_required": request("prompt", "none"),
	} {
		if rec := s.ask("GET", path, nil); !strings.Contains(rec.Header().Get("Location"), "error="+strings.TrimSuffix(name, "&")) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Header().Get("Location"))
		}
	}
}

// A code works once, for its client, with its verifier, for a minute.
func TestExchange(t *testing.T) {
	s := open(t)
	for name, c := range map[string]struct {
		change func(url.Values)
		client []string
		wait   time.Duration
		status int
	}{
		"good":             {func(url.Values) {}, []string{"app", "secret"}, 0, 200},
		"secret in form":   {func(v url.Values) { v.Set("client_id", "app"); v.Set("client_secret", "secret") }, nil, 0, 200},
		"another secret":   {func(url.Values) {}, []string{"app", "x"}, 0, 401},
		"nobody":           {func(url.Values) {}, nil, 0, 401},
		"another client":   {func(url.Values) {}, []string{"other", "secret"}, 0, 400},
		"another redirect": {func(v url.Values) { v.Set("redirect_uri", "x") }, []string{"app", "secret"}, 0, 400},
		"another verifier": {func(v url.Values) { v.Set("code_verifier", "x") }, []string{"app", "secret"}, 0, 400},
		"no code":          {func(v url.Values) { v.Del("code") }, []string{"app", "secret"}, 0, 400},
		"too late":         {func(url.Values) {}, []string{"app", "secret"}, 61 * time.Second, 400},
	} {
		code := s.code()
		form := exchange(code)
		c.change(form)
		s.now = s.now.Add(c.wait)
		if rec := s.ask("POST", "/token", form, c.client...); rec.Code != c.status {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if rec := s.ask("POST", "/token", exchange(code), "app", "secret"); rec.Code == 200 && c.status != 401 && name != "no code" {
			t.Errorf("%s: the code works again", name)
		}
	}
}

// The token is signed by a published key, the others stay, and what is withdrawn
// is gone.
func TestKeys(t *testing.T) {
	s := open(t)
	token := func() *jose.Token {
		var got struct {
			ID     string `json:"id_token"`
			Access string `json:"access_token"`
		}
		rec := s.ask("POST", "/token", exchange(s.code()), "app", "secret")
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Access == "" {
			t.Fatal(rec.Body, err)
		}
		tok, err := jose.Parse(got.ID)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	keys := func() []jwk.Key {
		got, _, err := jwk.Parse(s.ask("GET", "/keys", nil).Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	old := token()
	if err := old.Verify(keys()); err != nil || old.Claims.Issuer != home || old.Claims.Subject != "alice" {
		t.Error(old.Claims, err)
	}
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	fresh := token()
	if fresh.Kid == old.Kid || fresh.Verify(keys()) != nil || old.Verify(keys()) != nil {
		t.Error("after the rotation one of the keys does not fit")
	}
	s.Withdraw(old.Kid)
	if old.Verify(keys()) == nil || fresh.Verify(keys()) != nil {
		t.Error("after the withdrawal the wrong keys fit")
	}
	if s.Asked("/keys") != 5 {
		t.Error("counted:", s.Asked("/keys"))
	}
}

func TestEnd(t *testing.T) {
	s := open(t)
	q := url.Values{"client_id": {"app"}, "post_logout_redirect_uri": {"https://app.example/out"}, "state": {"s"}}
	if rec := s.ask("GET", "/end?"+q.Encode(), nil); rec.Header().Get("Location") != "https://app.example/out?state=s" {
		t.Error(rec.Code, rec.Header())
	}
	q.Set("post_logout_redirect_uri", "https://evil.example/")
	if rec := s.ask("GET", "/end?"+q.Encode(), nil); rec.Code != 200 || rec.Header().Get("Location") != "" {
		t.Error(rec.Code, rec.Header())
	}
	if _, err := s.SendLogout(t.Context(), "app", "x"); err == nil {
		t.Error("a logout token is sent to nobody")
	}
	if _, err := issuer.New(issuer.Config{}); err == nil {
		t.Error("a provider of nothing")
	}
}
