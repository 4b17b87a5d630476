package oidc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/sso/oidc"
)

// bad is a token that must be refused. gap says that go-oidc by itself takes it
// (security §0 item 8): should it learn, the check of our own is one that it has
// too.
type bad struct {
	name  string
	lie   issuer.Lie
	check string
	gap   bool
}

// badTokens are the rows of the matrix (security O5) at a time.
func badTokens(now time.Time) []bad {
	claim := func(name string, v any) issuer.Lie { return issuer.Lie{Claims: map[string]any{name: v}} }
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	return []bad{
		{"alg none", issuer.Lie{Alg: "none"}, oidc.CheckAlg, false},
		{"HS256 with the client secret", issuer.Lie{Alg: "HS256"}, oidc.CheckAlg, false},
		{"wrong key, same kid", issuer.Lie{Forged: true}, oidc.CheckSignature, false},
		{"RSA of 1024 bits", issuer.Lie{Weak: true, Header: map[string]any{"alg": "RS256"}, Alg: "RS256"}, oidc.CheckKeySize, true},
		{"unknown kid", issuer.Lie{Header: map[string]any{"kid": "nobody's"}}, oidc.CheckSignature, false},
		{"crit", issuer.Lie{Header: map[string]any{"crit": []string{"x"}, "x": 1}}, oidc.CheckForm, false},
		{"another issuer", claim("iss", "https://evil.example"), oidc.CheckIss, false},
		{"foreign aud", claim("aud", "another"), oidc.CheckAudience, false},
		{"no aud", claim("aud", nil), oidc.CheckAudience, false},
		{"two aud without azp", claim("aud", []string{"usher", "another"}), oidc.CheckAudience, true},
		{"two aud, foreign azp", issuer.Lie{Claims: map[string]any{"aud": []string{"usher", "another"}, "azp": "another"}}, oidc.CheckAudience, true},
		{"foreign azp", claim("azp", "another"), oidc.CheckAzp, true},
		{"azp a number", claim("azp", 1), oidc.CheckAzp, true},
		{"no sub", claim("sub", nil), oidc.CheckSubject, true},
		{"empty sub", claim("sub", ""), oidc.CheckSubject, true},
		{"sub of 256", claim("sub", strings.Repeat("x", 256)), oidc.CheckSubject, true},
		{"sub with a line break", claim("sub", "a\nb"), oidc.CheckSubject, true},
		{"sub a number", claim("sub", 7), oidc.CheckSubject, false},
		{"sub twice", issuer.Lie{Twice: "sub"}, oidc.CheckForm, true},
		{"SUB for sub", issuer.Lie{Claims: map[string]any{"sub": nil, "SUB": "alice-a"}}, oidc.CheckSubject, true},
		{"Email beside email", claim("Email", "root@acme.example"), oidc.CheckForm, true},
		{"exp a second ago", claim("exp", at(-time.Second)), oidc.CheckExpiry, false},
		{"exp now", claim("exp", at(0)), oidc.CheckExpiry, true},
		{"no exp", claim("exp", nil), oidc.CheckExpiry, false},
		{"exp in ten years", claim("exp", at(87600*time.Hour)), oidc.CheckLifetime, true},
		{"lives a day and a second", claim("exp", at(24*time.Hour+time.Second)), oidc.CheckLifetime, true},
		{"iat in ten years", issuer.Lie{Claims: map[string]any{"iat": at(87600 * time.Hour), "exp": at(87601 * time.Hour)}}, oidc.CheckIssuedAt, true},
		{"iat 121 seconds ahead", claim("iat", at(121*time.Second)), oidc.CheckIssuedAt, true},
		{"iat 601 seconds ago", claim("iat", at(-601*time.Second)), oidc.CheckIssuedAt, true},
		{"no iat", claim("iat", nil), oidc.CheckIssuedAt, true},
		{"iat a text", claim("iat", "now"), oidc.CheckIssuedAt, false},
		{"nbf 121 seconds ahead", claim("nbf", at(121*time.Second)), oidc.CheckNotBefore, true},
		{"another nonce", claim("nonce", "x"), oidc.CheckNonce, true},
		{"no nonce", claim("nonce", nil), oidc.CheckNonce, true},
		{"typ logout+jwt", issuer.Lie{Header: map[string]any{"typ": "logout+jwt"}}, oidc.CheckType, true},
		{"typ at+jwt", issuer.Lie{Header: map[string]any{"typ": "application/at+jwt"}}, oidc.CheckType, true},
		{"events", claim("events", map[string]any{issuer.LogoutEvent: map[string]any{}}), oidc.CheckEvents, true},
		{"another at_hash", claim("at_hash", "AAAA"), oidc.CheckAtHash, true},
		{"auth_time ahead", claim("auth_time", at(time.Hour)), oidc.CheckAuthTime, true},
		{"auth_time a text", claim("auth_time", "x"), oidc.CheckAuthTime, true},
		{"the session has ended", claim("session_expiry", at(-1)), oidc.CheckSession, true},
		{"session_expiry a text", claim("session_expiry", "x"), oidc.CheckSession, true},
	}
}

// TestIDTokenMatrix: security O5, §0 item 8. Every bad token is refused by
// the check that is there for it, and the honest one after it is not.
func TestIDTokenMatrix(t *testing.T) {
	w := open(t, "")
	for _, c := range badTokens(w.Now()) {
		t.Run(c.name, func(t *testing.T) {
			w.a.conn.Algs = nil
			w.a.Set(issuer.Faults{Token: c.lie})
			if c.lie.Weak { // the key has to be published before it is known
				if _, err := w.signIn(t, w.a); err == nil {
					t.Fatal("an unknown key is taken")
				}
				w.wait(time.Minute)
				defer w.wait(-time.Minute)
			}
			_, err := w.signIn(t, w.a)
			refused(t, err, c.check)
			if took := gooidcTakes(t, w, w.a); took != c.gap {
				t.Errorf("go-oidc by itself takes it: %t, want %t", took, c.gap)
			}
		})
	}
	w.a.Set(issuer.Faults{})
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error(err)
	}
}

// gooidcTakes reports whether go-oidc with its own key set and no more code than
// its documentation shows takes the token that a provider gives.
func gooidcTakes(t *testing.T, w *world, at *place) bool {
	t.Helper()
	quiet := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ctx := gooidc.ClientContext(t.Context(), quiet)
	provider, err := gooidc.NewProvider(ctx, at.cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	raw := tokenOf(t, w, at)
	_, err = provider.VerifierContext(ctx, &gooidc.Config{ClientID: "usher", Now: w.Now, SupportedSigningAlgs: []string{"RS256", "ES256"}}).Verify(ctx, raw)
	return err == nil
}

// TestClockSkew: the edges of what clocks may differ by.
func TestClockSkew(t *testing.T) {
	w := open(t, "")
	now := w.Now()
	for name, claims := range map[string]map[string]any{
		"iat ten minutes ago":    {"iat": now.Add(-10 * time.Minute).Unix()},
		"iat two minutes ahead":  {"iat": now.Add(2 * time.Minute).Unix()},
		"iat with a fraction":    {"iat": float64(now.Unix()) + 0.5},
		"nbf two minutes ahead":  {"nbf": now.Add(2 * time.Minute).Unix()},
		"exp in a second":        {"exp": now.Add(time.Second).Unix()},
		"lives exactly a day":    {"exp": now.Add(24 * time.Hour).Unix()},
		"auth_time a bit ahead":  {"auth_time": now.Add(2 * time.Minute).Unix()},
		"aud a list":             {"aud": []string{"usher"}},
		"two aud, azp is usher":  {"aud": []string{"usher", "x"}, "azp": "usher"},
		"sub of 255":             {"sub": strings.Repeat("é", 255)},
		"no at_hash":             {"at_hash": nil},
		"a session that goes on": {"session_expiry": now.Add(time.Hour).Unix()},
	} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: claims}})
		a, err := w.signIn(t, w.a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if name == "a session that goes on" && !a.Ends.Equal(now.Add(time.Hour)) {
			t.Error("the session ends", a.Ends)
		}
	}
	w.a.Set(issuer.Faults{Token: issuer.Lie{Header: map[string]any{"typ": nil, "kid": nil}}})
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error("neither typ nor kid:", err)
	}
}

// TestStepUp: security O12. What the connection demands is demanded of the token.
func TestStepUp(t *testing.T) {
	w := open(t, "")
	w.a.conn.MaxAge = 300
	for name, c := range map[string]struct {
		ago time.Duration
		ok  bool
	}{"now": {0, true}, "at the edge": {420 * time.Second, true}, "too long ago": {421 * time.Second, false}} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"auth_time": w.Now().Add(-c.ago).Unix()}}})
		if _, err := w.signIn(t, w.a); c.ok && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !c.ok {
			refused(t, err, oidc.CheckAuthTime)
		}
	}
	w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"auth_time": nil}}})
	_, err := w.signIn(t, w.a)
	refused(t, err, oidc.CheckAuthTime)
	w.a.conn.MaxAge, w.a.conn.ACR = 0, []string{"mfa", "phr"}
	for _, acr := range []any{nil, "", "pwd", "mfa phr", []string{"mfa"}} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"acr": acr}}})
		_, err = w.signIn(t, w.a)
		refused(t, err, oidc.CheckACR)
	}
	w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"acr": "phr"}}})
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error(err)
	}
}

// TestIDTokenReplay: security O8. A token that was used is refused, even should
// randomness repeat itself so that its nonce fits.
func TestIDTokenReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, store string) {
		w := open(t, store)
		w.a.Set(issuer.Faults{Replay: true, Token: issuer.Lie{Claims: map[string]any{"at_hash": nil}}})
		w.random = bytes.NewReader(bytes.Repeat([]byte{7}, 96))
		if _, err := w.signIn(t, w.a); err != nil {
			t.Fatal(err)
		}
		w.random = bytes.NewReader(bytes.Repeat([]byte{7}, 96))
		_, err := w.signIn(t, w.a)
		refused(t, err, oidc.CheckReplay)
		w.random = rand.Reader
		_, err = w.signIn(t, w.a)
		refused(t, err, oidc.CheckNonce)
	})
}

// A store that does not answer is no fault of the provider, and lets nobody in.
func TestStoreDown(t *testing.T) {
	w := open(t, "")
	b := w.begin(t, w.a)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a, _, _, err := w.Finish(ctx, org, slug, w.a.conn, b.values, b.cookie)
	if _, is := errors.AsType[*oidc.Fault](err); err == nil || is || a != nil {
		t.Errorf("%v, %v", a, err)
	}
}
