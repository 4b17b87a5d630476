package oidc_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// TestLogoutMatrix: security §0 item 10, O9. Every bad logout token is refused by
// the check that is there for it.
func TestLogoutMatrix(t *testing.T) {
	w := open(t, "")
	claim := func(name string, v any) issuer.Lie { return issuer.Lie{Claims: map[string]any{name: v}} }
	at := func(d time.Duration) int64 { return w.Now().Add(d).Unix() }
	for name, c := range map[string]struct {
		lie   issuer.Lie
		check string
	}{
		"typ JWT":          {issuer.Lie{Header: map[string]any{"typ": "JWT"}}, oidc.CheckType},
		"no typ":           {issuer.Lie{Header: map[string]any{"typ": nil}}, oidc.CheckType},
		"alg none":         {issuer.Lie{Alg: "none"}, oidc.CheckAlg},
		"HS256":            {issuer.Lie{Alg: "HS256"}, oidc.CheckAlg},
		"forged":           {issuer.Lie{Forged: true}, oidc.CheckSignature},
		"another issuer":   {claim("iss", "https://evil.example"), oidc.CheckIss},
		"another client":   {claim("aud", "x"), oidc.CheckAudience},
		"two clients":      {claim("aud", []string{"usher", "x"}), oidc.CheckAudience},
		"iat 301 s ago":    {claim("iat", at(-301*time.Second)), oidc.CheckIssuedAt},
		"iat a year ago":   {claim("iat", at(-8760*time.Hour)), oidc.CheckIssuedAt},
		"iat ahead":        {claim("iat", at(5*time.Minute)), oidc.CheckIssuedAt},
		"no iat":           {claim("iat", nil), oidc.CheckIssuedAt},
		"expired":          {claim("exp", at(-time.Second)), oidc.CheckExpiry},
		"no exp":           {claim("exp", nil), oidc.CheckExpiry},
		"lives long":       {claim("exp", at(25*time.Hour)), oidc.CheckLifetime},
		"not yet":          {claim("nbf", at(time.Hour)), oidc.CheckNotBefore},
		"no events":        {claim("events", nil), oidc.CheckEvents},
		"another event":    {claim("events", map[string]any{"x": map[string]any{}}), oidc.CheckEvents},
		"events a list":    {claim("events", []string{issuer.LogoutEvent}), oidc.CheckEvents},
		"the event a text": {claim("events", map[string]any{issuer.LogoutEvent: "x"}), oidc.CheckEvents},
		"nonce":            {claim("nonce", "x"), oidc.CheckNonce},
		"empty nonce":      {claim("nonce", ""), oidc.CheckNonce},
		"no jti":           {claim("jti", nil), oidc.CheckJTI},
		"jti without end":  {claim("jti", strings.Repeat("x", 257)), oidc.CheckJTI},
		"nobody":           {issuer.Lie{Claims: map[string]any{"sub": nil, "sid": nil}}, oidc.CheckSubject},
		"empty sub":        {claim("sub", ""), oidc.CheckSubject},
		"sid a number":     {claim("sid", 7), oidc.CheckSubject},
		"jti twice":        {issuer.Lie{Twice: "jti"}, oidc.CheckForm},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := w.a.LogoutToken("usher", "alice-a", "s1", c.lie)
			if err != nil {
				t.Fatal(err)
			}
			l, err := w.VerifyLogout(t.Context(), org, w.a.conn, raw)
			if l != nil {
				t.Error("it signs out", l)
			}
			refused(t, err, c.check)
		})
		w.wait(time.Second) // the limiter is not what is tried here
	}
	_, err := w.VerifyLogout(t.Context(), org, w.a.conn, tokenOf(t, w, w.a))
	refused(t, err, oidc.CheckType) // an ID token is no logout token
	raw, err := w.b.LogoutToken("usher", "alice-b", "", issuer.Lie{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.VerifyLogout(t.Context(), org, w.a.conn, raw)
	refused(t, err, oidc.CheckSignature) // of another provider
}

// A good logout token works once, on every store; so does its sister without sid.
func TestLogout(t *testing.T) {
	onBoth(t, func(t *testing.T, store string) {
		w := open(t, store)
		for _, c := range []struct{ sub, sid string }{{"alice-a", "s1"}, {"alice-a", ""}, {"", "s1"}} {
			raw, err := w.a.LogoutToken("usher", c.sub, c.sid, issuer.Lie{Claims: map[string]any{"iat": w.Now().Add(-5 * time.Minute).Unix()}})
			if err != nil {
				t.Fatal(err)
			}
			l, err := w.VerifyLogout(t.Context(), org, w.a.conn, raw)
			if err != nil || l.Subject != c.sub || l.SID != c.sid {
				t.Errorf("%v: %v, %v", c, l, err)
			}
			_, err = w.VerifyLogout(t.Context(), org, w.a.conn, raw)
			refused(t, err, oidc.CheckReplay)
		}
	})
}

// What a provider is answered, over HTTP.
func TestServeLogout(t *testing.T) {
	w := open(t, "")
	var ended []oidc.Logout
	var noted []error
	var fails error
	post := func(media string, body []byte) (int, string) {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/sso/acme/a/logout", bytes.NewReader(body)).WithContext(t.Context())
		r.Header.Set("Content-Type", media)
		w.ServeLogout(rec, r, org, w.a.conn, func(_ context.Context, l oidc.Logout) (int, error) {
			ended = append(ended, l)
			return 1, fails
		}, func(_ context.Context, err error) { noted = append(noted, err) })
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Error("the answer may be kept")
		}
		return rec.Code, rec.Body.String()
	}
	const form = "application/x-www-form-urlencoded"
	token := func() []byte {
		raw, err := w.a.LogoutToken("usher", "alice-a", "s1", issuer.Lie{})
		if err != nil {
			t.Fatal(err)
		}
		return []byte(url.Values{"logout_token": {raw}}.Encode())
	}
	once := token()
	if code, body := post(form+"; charset=utf-8", once); code != 200 || body != "" || len(ended) != 1 || ended[0].SID != "s1" {
		t.Error(code, body, ended)
	}
	for name, c := range map[string]struct {
		media string
		body  []byte
	}{
		"again": {form, once}, "JSON": {"application/json", token()}, "twice": {form, append(append(token(), '&'), token()...)},
		"nothing": {form, nil}, "17 KiB": {form, append([]byte("x="+strings.Repeat("x", 17<<10)+"&"), token()...)}, "no media type": {"", token()},
	} {
		if code, body := post(c.media, c.body); code != 400 || body != `{"error":"invalid_request"}`+"\n" || len(ended) != 1 {
			t.Error(name, code, body)
		}
	}
	if len(noted) != 6 {
		t.Error("noted:", noted)
	}
	fails = errors.New("the store is away")
	if code, _ := post(form, token()); code != 503 {
		t.Error("it is told that sessions ended, and they did not:", code)
	}
	fails = nil
	limited := 0
	for range 20 {
		if code, _ := post(form, token()); code == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 10 || !resources.HasCode(noted[len(noted)-1], resources.CodeRateLimited) {
		t.Errorf("%d of 20 at once are too many", limited)
	}
	w.wait(time.Second)
	if code, _ := post(form, token()); code != 200 {
		t.Error("a second later:", code)
	}
}

// Where the provider's own way out is.
func TestLogoutURL(t *testing.T) {
	w := open(t, "")
	u, err := url.Parse(w.LogoutURL(w.a.conn, "a.b.c", public+"/signin"))
	if err != nil || origin(u.String()) != origin(w.a.cfg.URL) {
		t.Fatal(u, err)
	}
	q := u.Query()
	if q.Get("id_token_hint") != "a.b.c" || q.Get("client_id") != "usher" || q.Get("post_logout_redirect_uri") != public+"/signin" {
		t.Error(u)
	}
	if u, _ := url.Parse(w.LogoutURL(w.a.conn, strings.Repeat("x", 7<<10), "")); u.Query().Has("id_token_hint") {
		t.Error("a token that is too long stands in the URL")
	}
	none := *w.a.conn
	for _, end := range []string{"", "javascript:alert(1)", "http://elsewhere.example/"} {
		none.Endpoints.EndSession = end
		if got := w.LogoutURL(&none, "a.b.c", ""); got != "" {
			t.Errorf("%q leads to %q", end, got)
		}
	}
}
