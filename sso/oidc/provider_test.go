package oidc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/sso/oidc"
)

// TestDiscoverySSRF: security §0 item 9, O7. What would aim usher at the network it
// runs in, or drown it, is refused when a connection is saved.
func TestDiscoverySSRF(t *testing.T) {
	w := open(t, "")
	over := func(name string, v any) issuer.Faults { return issuer.Faults{Discovery: map[string]any{name: v}} }
	for name, c := range map[string]struct {
		lie   issuer.Faults
		check string
	}{
		"token endpoint link-local":  {over("token_endpoint", "http://169.254.169.254/latest"), oidc.CheckEndpoints},
		"the same over https":        {over("token_endpoint", "https://169.254.169.254/latest"), oidc.CheckEndpoints},
		"keys on this machine":       {over("jwks_uri", "http://localhost/keys"), oidc.CheckEndpoints},
		"keys by a name for it":      {over("jwks_uri", "https://localhost/keys"), oidc.CheckKeys},
		"authorization is a script":  {over("authorization_endpoint", "javascript:alert(1)"), oidc.CheckEndpoints},
		"UserInfo in the clear":      {over("userinfo_endpoint", "http://issuer.example/me"), oidc.CheckEndpoints},
		"end session with a user":    {over("end_session_endpoint", "https://a:b@issuer.example/end"), oidc.CheckEndpoints},
		"no token endpoint":          {over("token_endpoint", nil), oidc.CheckEndpoints},
		"no keys":                    {over("jwks_uri", nil), oidc.CheckEndpoints},
		"endpoint a list":            {over("token_endpoint", []string{"https://issuer.example"}), oidc.CheckEndpoints},
		"another issuer":             {over("issuer", w.b.cfg.URL), oidc.CheckIssuer},
		"issuer with a slash more":   {over("issuer", w.a.cfg.URL+"/"), oidc.CheckIssuer},
		"no issuer":                  {over("issuer", nil), oidc.CheckIssuer},
		"algorithms of no use":       {over("id_token_signing_alg_values_supported", []string{"HS256", "none"}), oidc.CheckAlg},
		"a document of 10 MiB":       {issuer.Faults{DiscoverySize: 10 << 20}, oidc.CheckDiscovery},
		"keys of 10 MiB":             {issuer.Faults{KeysSize: 10 << 20}, oidc.CheckKeys},
		"keys elsewhere by redirect": {issuer.Faults{KeysRedirect: "https://169.254.169.254/"}, oidc.CheckKeys},
		"down":                       {issuer.Faults{Down: true}, oidc.CheckDiscovery},
	} {
		t.Run(name, func(t *testing.T) {
			w.a.Set(c.lie)
			e, err := w.Discover(t.Context(), w.a.cfg.URL)
			refused(t, err, c.check)
			if e.Token != "" {
				t.Error("endpoints are given all the same")
			}
		})
	}
	w.a.Set(issuer.Faults{})
	if _, err := w.Discover(t.Context(), w.a.cfg.URL); err != nil {
		t.Error(err)
	}
	for _, url := range []string{
		"http://issuer.example", "https://127.0.0.1", "https://issuer.example/?a=b", "https://issuer.example/#x", "issuer.example", "", "file:///etc/passwd",
		"https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/organizations/v2.0",
	} {
		_, err := w.Discover(t.Context(), url)
		refused(t, err, oidc.CheckIssuer)
	}
}

// A provider that answers slowly or from elsewhere later costs a sign-in little,
// and is told of (security O7).
func TestMovedEndpoints(t *testing.T) {
	w := open(t, "")
	w.a.Set(issuer.Faults{Discovery: map[string]any{"token_endpoint": strings.Replace(w.b.conn.Endpoints.Token, "/b/", "/a/", 1)}})
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error("the confirmed endpoint does not serve:", err)
	}
	if w.b.Asked("/token") != 0 || w.a.Asked("/token") != 1 {
		t.Error("the code went where nobody had confirmed")
	}
	if len(w.moved) != 1 || !strings.Contains(w.moved[0], "token_endpoint") {
		t.Error("told:", w.moved)
	}
	w.wait(30 * time.Minute)
	if _, err := w.signIn(t, w.a); err != nil || len(w.moved) != 1 {
		t.Error("within the hour:", err, w.moved)
	}
	w.wait(31 * time.Minute)
	if _, err := w.signIn(t, w.a); err != nil || len(w.moved) != 2 {
		t.Error("after the hour:", err, w.moved)
	}
	// Another path at the same host is followed.
	w.b.Set(issuer.Faults{Discovery: map[string]any{"token_endpoint": w.b.conn.Endpoints.Token + "?v=2"}})
	if _, err := w.signIn(t, w.b); err != nil || len(w.moved) != 2 {
		t.Error(err, w.moved)
	}
	unconfirmed := *w.b.conn
	unconfirmed.Endpoints.Token = ""
	_, _, err := w.Start(t.Context(), org, slug, &unconfirmed, oidc.Flow{})
	refused(t, err, oidc.CheckEndpoints)
}

// A sign-in costs a provider at most one discovery and one key set an hour, however
// many there are.
func TestCost(t *testing.T) {
	w := open(t, "")
	before, keys := w.a.Asked("/.well-known/openid-configuration"), w.a.Asked("/keys")
	for range 3 { // hours
		for range 20 {
			if _, err := w.signIn(t, w.a); err != nil {
				t.Fatal(err)
			}
			w.wait(3 * time.Minute)
		}
	}
	if n := w.a.Asked("/.well-known/openid-configuration") - before; n != 3 {
		t.Errorf("%d discoveries in three hours", n)
	}
	if n := w.a.Asked("/keys") - keys; n != 3 {
		t.Errorf("%d key sets in three hours", n)
	}
	if n := w.a.Asked("/userinfo"); n != 0 {
		t.Errorf("%d times UserInfo, although the token has everything", n)
	}
}

// TestJWKSFlood: security O6. Many tokens with unknown names fetch the keys once a
// minute at most, and honest ones go on.
func TestJWKSFlood(t *testing.T) {
	w := open(t, "")
	if _, err := w.signIn(t, w.a); err != nil {
		t.Fatal(err)
	}
	w.wait(2 * time.Minute)
	before := w.a.Asked("/keys")
	for _, kid := range []any{"x", "y", nil, "z", w.a.Keys()[0]} {
		for range 10 {
			w.a.Set(issuer.Faults{Token: issuer.Lie{Forged: true, Header: map[string]any{"kid": kid}}})
			_, err := w.signIn(t, w.a)
			refused(t, err, oidc.CheckSignature)
			w.wait(200 * time.Millisecond)
		}
	}
	if n := w.a.Asked("/keys") - before; n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	w.a.Set(issuer.Faults{})
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error(err)
	}
}

// TestRotation: security O6. A new key is taken at the first sign-in, also when it
// has no name or that of the old one.
func TestRotation(t *testing.T) {
	w := open(t, "")
	if _, err := w.signIn(t, w.a); err != nil {
		t.Fatal(err)
	}
	for _, kid := range []any{"", nil} {
		w.wait(time.Minute)
		if err := w.a.Rotate(); err != nil {
			t.Fatal(err)
		}
		lie := issuer.Lie{}
		if kid == nil {
			lie.Header = map[string]any{"kid": nil}
		}
		w.a.Set(issuer.Faults{Token: lie})
		if _, err := w.signIn(t, w.a); err != nil {
			t.Errorf("kid %v: %v", kid, err)
		}
	}
}

// TestKeyRevoked: security O6. A key that the provider has withdrawn is dead within
// 61 minutes; a provider that is down lives on for a day.
func TestKeyRevoked(t *testing.T) {
	w := open(t, "")
	if _, err := w.signIn(t, w.a); err != nil {
		t.Fatal(err)
	}
	w.a.Withdraw(w.a.Keys()[0])
	w.wait(59 * time.Minute)
	if _, err := w.signIn(t, w.a); err != nil {
		t.Error("within the hour nobody knows:", err)
	}
	w.wait(2 * time.Minute)
	_, err := w.signIn(t, w.a)
	refused(t, err, oidc.CheckSignature)

	if _, err := w.signIn(t, w.b); err != nil {
		t.Fatal(err)
	}
	w.b.Set(issuer.Faults{KeysRedirect: "https://issuer.example/"})
	w.wait(23 * time.Hour)
	if _, err := w.signIn(t, w.b); err != nil {
		t.Error("the keys of yesterday do not serve:", err)
	}
	w.wait(61 * time.Minute)
	_, err = w.signIn(t, w.b)
	refused(t, err, oidc.CheckKeys)
}

// Slow keys end a sign-in in time, with a reason that is not the provider's guilt.
func TestSlowKeys(t *testing.T) {
	w := open(t, "")
	w.a.Set(issuer.Faults{KeysDelay: time.Minute})
	began := time.Now()
	_, err := w.signIn(t, w.a)
	refused(t, err, oidc.CheckKeys)
	if took := time.Since(began); took > 12*time.Second {
		t.Error("it took", took)
	}
}

// The guard stands at each request, not only when a connection is saved: what a
// name stands for may change.
func TestGuardAtExchange(t *testing.T) {
	w := open(t, "")
	b := w.begin(t, w.a)
	strict := w.party(t) // allows nothing
	_, _, _, err := strict.Finish(t.Context(), org, slug, w.a.conn, b.values, b.cookie)
	refused(t, err, oidc.CheckEndpoints)
	if w.a.Asked("/token") != 0 {
		t.Error("it was asked all the same")
	}
	if _, err := strict.Discover(t.Context(), w.a.cfg.URL); err == nil {
		t.Error("an address of this machine is discovered")
	} else if f, ok := errors.AsType[*oidc.Fault](err); !ok || !strings.Contains(f.Reason, "outbound.allow") {
		t.Error("the remedy is missing:", err)
	}
}
