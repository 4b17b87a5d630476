package oidc_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// A sign-in from the first redirect to the assertion, by each way of proving
// oneself and each algorithm.
func TestSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, store string) {
		w := open(t, store)
		got, err := w.signIn(t, w.a)
		if err != nil {
			t.Fatal(err)
		}
		if got.IDToken == "" || got.SID == "" {
			t.Error("token or session of the provider are missing")
		}
		got.IDToken, got.SID = "", ""
		yes := true
		want := &resources.Assertion{
			Connection: w.a.conn, Issuer: w.a.cfg.URL, Subject: "alice-a", Email: "alice@acme.example", Verified: &yes,
			DisplayName: "Alice Smith", GivenName: "Alice", FamilyName: "Smith", Language: "fr", AuthTime: w.Now(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.a.conn.Method = "client_secret_post"
		if _, err := w.signIn(t, w.a); err != nil {
			t.Error("client_secret_post:", err)
		}
		w.secret = []byte("wrong")
		_, err = w.signIn(t, w.a)
		refused(t, err, oidc.CheckExchange)
		w.a.conn.Method = "tls_client_auth"
		_, err = w.signIn(t, w.a)
		refused(t, err, oidc.CheckParty)
	})
	for _, alg := range []string{"RS256", "PS256", "EdDSA"} {
		w := open(t, "", func(c *issuer.Config) { c.Alg, c.Clients[0].Secret = alg, "" })
		w.a.conn.Method = "none"
		if _, err := w.signIn(t, w.a); err != nil {
			t.Error(alg, err)
		}
		w.a.conn.Algs = []string{"ES256", "none", "HS256"}
		_, err := w.signIn(t, w.a)
		refused(t, err, oidc.CheckAlg)
	}
}

// What is asked of the provider, and what is not told to it.
func TestStart(t *testing.T) {
	w := open(t, "")
	w.a.conn.MaxAge, w.a.conn.ACR, w.a.conn.Scopes = 300, []string{"mfa", "phr"}, []string{"openid", "email", "email", "groups"}
	f := oidc.Flow{Hint: "alice@acme.example", Prompt: "login", Language: "fr", Return: "/me", Test: true, By: "someone"}
	redirect, cookie, err := w.Start(t.Context(), org, slug, w.a.conn, f)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"client_id": "usher", "response_type": "code", "redirect_uri": public + "/sso/acme/a/callback", "scope": "openid email groups",
		"code_challenge_method": "S256", "max_age": "300", "acr_values": "mfa phr", "login_hint": "alice@acme.example", "prompt": "login", "ui_locales": "fr",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if strings.TrimSuffix(redirect, "?"+u.RawQuery) != w.a.conn.Endpoints.Authorization {
		t.Error("the browser is sent to", redirect)
	}
	seen := map[string]bool{cookie: true}
	for _, name := range []string{"state", "nonce", "code_challenge"} { // 256 bits each (security O3)
		if v := q.Get(name); len(v) != 43 || seen[v] {
			t.Errorf("%s is %q", name, v)
		} else {
			seen[v] = true
		}
	}
	again, kept, err := w.Start(t.Context(), org, slug, w.a.conn, oidc.Flow{Cookie: cookie})
	if err != nil || kept != cookie {
		t.Errorf("the cookie of another tab: %q became %q, %v", cookie, kept, err)
	}
	if u, err := url.Parse(again); err != nil || seen[u.Query().Get("state")] || seen[u.Query().Get("nonce")] || seen[u.Query().Get("code_challenge")] {
		t.Error("two flows of a browser share a secret:", again, err)
	}
	if _, fresh, err := w.Start(t.Context(), org, slug, w.a.conn, oidc.Flow{Cookie: "x"}); err != nil || fresh == "x" {
		t.Error("a cookie that is none of ours is kept:", err)
	}
	_, back, checks, err := w.Finish(t.Context(), org, slug, w.a.conn, url.Values{"state": {q.Get("state")}, "error": {"access_denied"}, "iss": {w.a.cfg.URL}}, cookie)
	refused(t, err, oidc.CheckProvider)
	if diff := cmp.Diff(oidc.Flow{Return: "/me", Test: true, By: "someone"}, back); diff != "" {
		t.Error(diff)
	}
	if last := checks[len(checks)-1]; last.OK || last.Name != oidc.CheckProvider {
		t.Error("the last check is", last)
	}
	if c := oidc.Cookie(cookie); c.Name != "__Host-usher-flow" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.MaxAge != 600 {
		t.Errorf("the cookie is %s", c)
	}
}

// TestLoginCSRF: security O3. A code and state of another browser are of no use,
// and nobody is asked.
func TestLoginCSRF(t *testing.T) {
	w := open(t, "")
	for name, cookie := range map[string]string{"another browser": w.begin(t, w.a).cookie, "no cookie": "", "rubbish": "x"} {
		b := w.begin(t, w.a)
		b.cookie = cookie
		_, err := w.finish(t, w.a, b)
		refused(t, err, oidc.CheckBrowser)
		if n := w.a.Asked("/token"); n != 0 {
			t.Errorf("%s: %d token requests", name, n)
		}
	}
}

// TestStateReuse: security O3. A state works once, also for many at once, and for
// ten minutes.
func TestStateReuse(t *testing.T) {
	onBoth(t, func(t *testing.T, store string) {
		w := open(t, store)
		b := w.begin(t, w.a)
		var good atomic.Int32
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := w.finish(t, w.a, b); err == nil {
					good.Add(1)
				}
			})
		}
		group.Wait()
		if good.Load() != 1 || w.a.Asked("/token") != 1 {
			t.Errorf("%d of 20 came through, %d token requests", good.Load(), w.a.Asked("/token"))
		}
		_, err := w.finish(t, w.a, b)
		refused(t, err, oidc.CheckState)
		late := w.begin(t, w.a)
		w.wait(10 * time.Minute)
		_, err = w.finish(t, w.a, late)
		refused(t, err, oidc.CheckState)
	})
}

// TestMixUp: security O4, RFC 9207. An answer of another issuer, or to another
// connection than the one that was begun at, ends before anybody is asked.
func TestMixUp(t *testing.T) {
	w := open(t, "")
	none := ""
	for name, c := range map[string]struct {
		begin, end *place
		iss        *string
		check      string
	}{
		"begun at A, ended at B":       {w.a, w.b, nil, oidc.CheckConnection},
		"begun at B, ended at A":       {w.b, w.a, nil, oidc.CheckConnection},
		"begun at B with the iss of A": {w.b, w.b, &w.a.cfg.URL, oidc.CheckIssParam},
		"without iss":                  {w.a, w.a, &none, oidc.CheckIssParam},
	} {
		t.Run(name, func(t *testing.T) {
			c.begin.Set(issuer.Faults{Iss: c.iss})
			_, err := w.finish(t, c.end, w.begin(t, c.begin))
			refused(t, err, c.check)
			if n := w.a.Asked("/token") + w.b.Asked("/token"); n != 0 {
				t.Errorf("%d token requests", n)
			}
			c.begin.Set(issuer.Faults{})
		})
	}
	other := w.begin(t, w.a)
	moved := *w.a
	conn := *w.a.conn
	conn.Issuer, conn.Endpoints, moved.conn = w.b.cfg.URL, w.b.conn.Endpoints, &conn
	other.values.Set("iss", w.b.cfg.URL)
	_, err := w.finish(t, &moved, other)
	refused(t, err, oidc.CheckConnection)
	if n := w.b.Asked("/token"); n != 0 {
		t.Errorf("the code of A was sent to B, which the connection has become: %d times", n)
	}
	sister := *w.a // another connection to the same provider
	conn = *w.a.conn
	conn.ID, sister.conn = "sister", &conn
	_, err = w.finish(t, &sister, w.begin(t, w.a))
	refused(t, err, oidc.CheckConnection)
	if n := w.a.Asked("/token"); n != 0 {
		t.Errorf("%d token requests for a sister connection", n)
	}
	// A provider that does not promise iss and does not send it is fine.
	w.b.conn.Endpoints.IssParameter = false
	w.b.Set(issuer.Faults{Iss: &none, Discovery: map[string]any{"authorization_response_iss_parameter_supported": nil}})
	if _, err := w.signIn(t, w.b); err != nil {
		t.Error(err)
	}
}

// What a provider refuses is told with its code, without what only it may have
// written.
func TestProviderRefuses(t *testing.T) {
	w := open(t, "")
	w.a.Set(issuer.Faults{Deny: "access_denied"})
	_, err := w.signIn(t, w.a)
	refused(t, err, oidc.CheckProvider)
	if f, ok := errors.AsType[*oidc.Fault](err); !ok || f.Provider != "access_denied" || strings.ContainsAny(f.Reason, "\n\r\x00") {
		t.Errorf("%#v", err)
	}
	w.a.Set(issuer.Faults{Reject: "invalid_grant"})
	_, err = w.signIn(t, w.a)
	refused(t, err, oidc.CheckExchange)
	if text := err.Error(); !strings.Contains(text, "invalid_grant") || strings.Contains(text, "script") {
		t.Error(text)
	}
	w.a.Set(issuer.Faults{Omit: true})
	_, err = w.signIn(t, w.a)
	refused(t, err, oidc.CheckExchange)
	w.a.Set(issuer.Faults{TokenRedirect: "https://169.254.169.254/"})
	_, err = w.signIn(t, w.a)
	refused(t, err, oidc.CheckExchange)
	if !strings.Contains(err.Error(), "redirect") {
		t.Error(err)
	}
}

// Values of a callback that are no answer.
func TestCallbackValues(t *testing.T) {
	w := open(t, "")
	good := w.begin(t, w.a)
	for name, c := range map[string]struct {
		change func(url.Values)
		check  string
	}{
		"code twice":     {func(v url.Values) { v.Add("code", "x") }, oidc.CheckCallback},
		"state twice":    {func(v url.Values) { v.Add("state", v.Get("state")) }, oidc.CheckCallback},
		"iss twice":      {func(v url.Values) { v.Add("iss", v.Get("iss")) }, oidc.CheckCallback},
		"long code":      {func(v url.Values) { v.Set("code", strings.Repeat("x", 9000)) }, oidc.CheckCallback},
		"nothing":        {func(v url.Values) { v.Del("code") }, oidc.CheckCallback},
		"error of signs": {func(v url.Values) { v.Set("error", "<b>") }, oidc.CheckCallback},
		"no state":       {func(v url.Values) { v.Del("state") }, oidc.CheckState},
		"short state":    {func(v url.Values) { v.Set("state", "x") }, oidc.CheckState},
		"unknown state":  {func(v url.Values) { v.Set("state", strings.Repeat("A", 43)) }, oidc.CheckState},
	} {
		values := url.Values{}
		for k, v := range good.values {
			values[k] = append([]string(nil), v...)
		}
		c.change(values)
		_, err := w.finish(t, w.a, began{values, good.cookie})
		t.Run(name, func(t *testing.T) { refused(t, err, c.check) })
	}
	if _, err := w.finish(t, w.a, good); err != nil {
		t.Error("what was refused has used the state up:", err)
	}
}
