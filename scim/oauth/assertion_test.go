package oauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/resources"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// signer is a client with keys.
type signer struct {
	*house
	id     string
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	ed     ed25519.PrivateKey
	serial int
}

func newSigner(h *house) *signer {
	h.Helper()
	s := &signer{house: h}
	var err error
	if s.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		h.Fatal(err)
	}
	if s.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		h.Fatal(err)
	}
	var pub ed25519.PublicKey
	if pub, s.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		h.Fatal(err)
	}
	cl, _ := h.client(resources.ClientSpec{Method: resources.MethodKey, Keys: keySet("rsa", &s.rsa.PublicKey, "ec", &s.ec.PublicKey, "ed", pub)})
	s.id = cl.ID
	return s
}

func (s *signer) claims(change map[string]any) string {
	s.serial++
	now := s.now().Unix()
	return claimSet(map[string]any{
		"iss": s.id, "sub": s.id, "aud": issuer, "jti": fmt.Sprint("j", s.serial), "iat": now, "exp": now + 300,
	}, change)
}

func (s *signer) show(assertion string, more ...string) reply {
	return s.ask(append([]string{"client_assertion_type", jwtBearer, "client_assertion", assertion}, more...)...)
}

// TestClientAssertion: private_key_jwt with every algorithm, for the issuer or
// the token endpoint as audience (RFC 7523, R-146).
func TestClientAssertion(t *testing.T) {
	onBoth(t, func(h *house) {
		s := newSigner(h)
		for alg, key := range map[gojose.SignatureAlgorithm]any{gojose.RS256: s.rsa, gojose.PS256: s.rsa, gojose.ES256: s.ec, gojose.EdDSA: s.ed} {
			kid := map[any]string{s.rsa: "rsa", s.ec: "ec"}[keyOf(key)]
			if kid == "" {
				kid = "ed"
			}
			r := s.show(sign(h, alg, key, kid, "JWT", s.claims(nil)))
			if r.Code != 200 {
				h.Errorf("%s: %d %s", alg, r.Code, r.Body)
				continue
			}
			if got := h.scim(r.str("access_token"), "GET", "/Users"); got.Code != 200 {
				h.Errorf("%s: the token is worth %d", alg, got.Code)
			}
		}
		for name, change := range map[string]map[string]any{
			"the endpoint": {"aud": endpoint}, "a list": {"aud": []string{issuer}}, "without iat": {"iat": nil}, "typed": {},
		} {
			if r := s.show(sign(h, gojose.ES256, s.ec, "ec", "client-authentication+jwt", s.claims(change)), "client_id", s.id); r.Code != 200 {
				h.Errorf("%s: %d %s", name, r.Code, r.Body)
			}
		}
	})
}

// keyOf gives what can be a key of a map.
func keyOf(key any) any {
	if _, ok := key.(ed25519.PrivateKey); ok {
		return nil
	}
	return key
}

// TestClientAssertionReplay: security T2. The same jti twice: 200, 401; also
// when the second assertion is another one.
func TestClientAssertionReplay(t *testing.T) {
	onBoth(t, func(h *house) {
		s := newSigner(h)
		once := sign(h, gojose.ES256, s.ec, "ec", "JWT", s.claims(nil))
		if r := s.show(once); r.Code != 200 {
			h.Fatalf("%d %s", r.Code, r.Body)
		}
		h.wantError(s.show(once), 401, "invalid_client")
		again := sign(h, gojose.RS256, s.rsa, "rsa", "JWT", s.claims(map[string]any{"jti": "j1"}))
		h.wantError(s.show(again), 401, "invalid_client")
		h.wait(5*time.Minute + time.Second)
		h.wantError(s.show(once), 401, "invalid_client") // expired by now
		h.wait(2 * time.Minute)                          // by every clock, see TestAssertionReplayBetweenClocks
		if r := s.show(sign(h, gojose.ES256, s.ec, "ec", "JWT", s.claims(map[string]any{"jti": "j1"}))); r.Code != 200 {
			h.Errorf("a jti of an assertion that has expired: %d %s", r.Code, r.Body)
		}
		// Another client may use the same jti.
		if r := newSigner(h).show(sign(h, gojose.ES256, s.ec, "ec", "JWT", s.claims(nil))); r.Code != 200 {
			h.Errorf("%d %s", r.Code, r.Body)
		}
	})
}

// TestClientAssertionRefused: security T2, O5.
func TestClientAssertionRefused(t *testing.T) {
	h := open(t, "", nil)
	s, other := newSigner(h), newSigner(h)
	now := h.now().Unix()
	raw := func(header, payload string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "."
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"alg none":          raw(`{"alg":"none"}`, s.claims(nil)),
		"alg HS256":         sign(t, gojose.HS256, []byte(keySet("rsa", &s.rsa.PublicKey)), "rsa", "JWT", s.claims(nil)),
		"unknown key":       sign(t, gojose.RS256, weak, "rsa", "JWT", s.claims(nil)),
		"unknown kid":       sign(t, gojose.RS256, s.rsa, "else", "JWT", s.claims(nil)),
		"another's key":     sign(t, gojose.ES256, other.ec, "ec", "JWT", s.claims(nil)),
		"log-out token":     sign(t, gojose.ES256, s.ec, "ec", "logout+jwt", s.claims(nil)),
		"twice sub":         sign(t, gojose.ES256, s.ec, "ec", "JWT", `{"sub":"x",`+s.claims(nil)[1:]),
		"no token at all":   "x",
		"empty":             "",
		"no signature":      raw(`{"alg":"ES256","kid":"ec"}`, s.claims(nil)),
		"kid of other type": sign(t, gojose.ES256, s.ec, "rsa", "JWT", s.claims(nil)),
	}
	for name, change := range map[string]map[string]any{
		"foreign aud": {"aud": "https://other.example"}, "also foreign aud": {"aud": []string{issuer, "https://other.example"}}, "no aud": {"aud": nil},
		"aud of another organization": {"aud": publicURL + "/orgs/rival"}, "expired": {"exp": now - 1}, "too long": {"exp": now + 3600}, "no exp": {"exp": nil},
		"not yet": {"nbf": now + 3600}, "of the future": {"iat": now + 3600}, "no jti": {"jti": nil}, "other issuer": {"iss": other.id}, "other subject": {"sub": other.id},
	} {
		bad[name] = sign(t, gojose.ES256, s.ec, "ec", "JWT", s.claims(change))
	}
	for name, assertion := range bad {
		h.wait(time.Second)
		if r := s.show(assertion); r.Code != 401 || r.str("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
	}
	good := sign(t, gojose.ES256, s.ec, "ec", "JWT", s.claims(nil))
	h.wantError(s.show(good, "client_id", other.id), 400, "invalid_request")
	secret, _ := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	h.wantError(s.ask("client_id", s.id, "client_secret", "x"), 401, "invalid_client")
	h.wantError(s.show(sign(t, gojose.ES256, s.ec, "ec", "JWT", s.claims(map[string]any{"iss": secret.ID, "sub": secret.ID}))), 401, "invalid_client")
	if r := s.show(good); r.Code != 200 {
		t.Errorf("the good one: %d %s", r.Code, r.Body)
	}
}
