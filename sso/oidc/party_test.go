package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// pair is a private key as a connection keeps it, and its public one.
func pair(t *testing.T, key crypto.Signer) (private, public []byte) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err = json.Marshal(gojose.JSONWebKey{Key: key.Public(), KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// A connection proves itself with a key of its own, which the provider reads from
// the address that usher names.
func TestPrivateKeyJWT(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var doc []byte
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(doc) }))
	defer keys.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w := open(t, "", func(c *issuer.Config) {
		c.HTTP, c.Clients[0].Secret, c.Clients[0].KeysURI = client, "", keys.URL
	})
	w.a.conn.Method = "private_key_jwt"
	if w.JWKS(w.a.conn) != nil {
		t.Error("a key set without a key")
	}
	for _, key := range []crypto.Signer{r, e, d} {
		w.secret, w.a.conn.Public = pair(t, key)
		doc = w.JWKS(w.a.conn)
		if got, unused, err := jwk.Parse(doc); err != nil || len(got) != 1 || len(unused) > 0 || got[0].ID != "k1" {
			t.Errorf("%T: the document is %s", key, doc)
		}
		if _, err := w.signIn(t, w.a); err != nil {
			t.Errorf("%T: %v", key, err)
		}
		w.secret = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: w.secret})
		if _, err := w.signIn(t, w.a); err != nil {
			t.Errorf("%T as PEM: %v", key, err)
		}
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.secret, _ = pair(t, other)
	asked := w.a.Asked("/token")
	_, err = w.signIn(t, w.a)
	refused(t, err, oidc.CheckParty)
	w.secret = []byte("no key, and a secret")
	_, err = w.signIn(t, w.a)
	refused(t, err, oidc.CheckParty)
	if strings.Contains(err.Error(), "a secret") || w.a.Asked("/token") != asked {
		t.Error("the secret is told, or the code sent without a proof:", err)
	}
	private, err := json.Marshal(gojose.JSONWebKey{Key: d, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.a.conn.Public = private
	if got := w.JWKS(w.a.conn); got != nil {
		t.Error("a private key is published")
	}
}

// The note that an application gets is its organization's, for its origin, good for
// a minute; every node makes it with the same key.
func TestHandOff(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	node := func() *oidc.HandOff {
		h, err := oidc.NewHandOff(oidc.HandOffConfig{
			PublicURL: public, Now: func() time.Time { return now }, Rand: rand.Reader,
			Secret: func(context.Context, string) ([]byte, error) { return []byte("thirty-two bytes of secret here!"), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	person := resources.Person{ID: "u1", Org: org, Slug: slug, UserName: "alice", DisplayName: "Alice Smith", Email: "alice@acme.example", Language: "fr"}
	text, err := node().Token(t.Context(), person, "https://App.acme.example/welcome?x=1")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	keysOf := func(of resources.OrgID) []jwk.Key {
		doc, err := node().JWKS(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		keys, _, err := jwk.Parse(doc)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	if err := tok.Verify(keysOf(org)); err != nil || tok.Alg != "ES256" {
		t.Error(tok.Alg, err)
	}
	other := keysOf("other1")
	other[0].ID = tok.Kid
	if tok.Verify(other) == nil {
		t.Error("the key of another organization fits")
	}
	c := tok.Claims
	if c.Issuer != public || c.Subject != "u1" || !slices.Equal(c.Audience, []string{"https://app.acme.example"}) || c.ID == "" ||
		!c.IssuedAt.Equal(now) || c.Expires.Sub(now) != time.Minute {
		t.Errorf("%+v", c)
	}
	for _, application := range []string{"", "/path", "javascript:alert(1)", "//x", "data:text/html,x"} {
		if _, err := node().Token(t.Context(), person, application); err == nil {
			t.Errorf("a note for %q", application)
		}
	}
}

func TestConfig(t *testing.T) {
	if _, err := oidc.New(oidc.Config{}); err == nil {
		t.Error("a party of nothing")
	}
	if _, err := oidc.NewHandOff(oidc.HandOffConfig{}); err == nil {
		t.Error("a hand-off of nothing")
	}
}
