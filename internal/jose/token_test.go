package jose_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwk"
)

const claims = `{"iss":"https://i.example","sub":"s","aud":["a","b"],"jti":"j","exp":1700000600,"nbf":1700000000.5,"iat":1700000000,"azp":"app","tid":"t"}`

// sign makes a token with an independent library.
func sign(t testing.TB, alg gojose.SignatureAlgorithm, key any, kid, payload string) string {
	t.Helper()
	options := (&gojose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options = options.WithHeader("kid", kid)
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

func TestVerify(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []jwk.Key{{ID: "r", Public: &r.PublicKey}, {ID: "e", Public: &e.PublicKey}, {ID: "e3", Public: &e384.PublicKey}, {ID: "d", Public: pub}}
	for _, c := range []struct {
		alg gojose.SignatureAlgorithm
		key any
		kid string
	}{{gojose.RS256, r, "r"}, {gojose.PS256, r, "r"}, {gojose.ES256, e, "e"}, {gojose.ES384, e384, "e3"}, {gojose.EdDSA, ed, "d"}, {gojose.ES256, e, ""}} {
		tok, err := jose.Parse(sign(t, c.alg, c.key, c.kid, claims))
		if err != nil {
			t.Fatalf("%s: %v", c.alg, err)
		}
		if err := tok.Verify(keys); err != nil {
			t.Errorf("%s with kid %q: %v", c.alg, c.kid, err)
		}
		if err := tok.Verify(keys[:0]); err == nil {
			t.Errorf("%s verifies without keys", c.alg)
		}
	}
	at := time.Unix(1700000000, 0).UTC()
	want := jose.Claims{
		Issuer: "https://i.example", Subject: "s", Audience: []string{"a", "b"}, ID: "j",
		Expires: at.Add(10 * time.Minute), NotBefore: at, IssuedAt: at, App: "app", Tenant: "t",
	}
	text := sign(t, gojose.RS256, r, "r", claims)
	tok, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, tok.Claims); diff != "" {
		t.Error(diff)
	}
	for name, k := range map[string]jwk.Key{
		"another name": {ID: "x", Public: &r.PublicKey}, "another algorithm": {ID: "r", Alg: "PS256", Public: &r.PublicKey},
		"another key": {ID: "r", Public: &e.PublicKey},
	} {
		if tok.Verify([]jwk.Key{k}) == nil {
			t.Errorf("a key of %s fits", name)
		}
	}
	part := strings.Split(text, ".")
	other := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(claims, `"s"`, `"root"`, 1)))
	if tok, err = jose.Parse(part[0] + "." + other + "." + part[2]); err != nil {
		t.Fatal(err)
	}
	if tok.Verify(keys) == nil {
		t.Error("changed claims verify")
	}
}

// TestParseRefuses: security O5, §0 item 8; RFC 8725 §2.1.
func TestParseRefuses(t *testing.T) {
	make := func(header, payload string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".AAAA"
	}
	const header = `{"alg":"RS256"}`
	if _, err := jose.Parse(make(header, claims)); err != nil {
		t.Fatalf("the pattern of the table is refused: %v", err)
	}
	for name, text := range map[string]string{
		"none":              make(`{"alg":"none"}`, claims),
		"none in capitals":  make(`{"alg":"NONE"}`, claims),
		"shared secret":     make(`{"alg":"HS256"}`, claims),
		"RS1":               make(`{"alg":"RS1"}`, claims),
		"no algorithm":      make(`{}`, claims),
		"critical":          make(`{"alg":"RS256","crit":["b64"],"b64":false}`, claims),
		"kid a number":      make(`{"alg":"RS256","kid":1}`, claims),
		"twice sub":         make(header, `{"sub":"a","sub":"b"}`),
		"twice alg":         make(`{"alg":"none","alg":"RS256"}`, claims),
		"exp a text":        make(header, `{"exp":"1700000000"}`),
		"exp negative":      make(header, `{"exp":-1}`),
		"nbf with exponent": make(header, `{"nbf":1.9e9}`),
		"exp far":           make(header, `{"exp":99999999999999}`),
		"aud an object":     make(header, `{"aud":{}}`),
		"aud of numbers":    make(header, `{"aud":[1]}`),
		"claims a list":     make(header, `[]`),
		"claims cut":        make(header, `{"iss":`),
		"two parts":         "a.b",
		"four parts":        make(header, claims) + ".x",
		"padding":           make(header, claims[:len(claims)-1]+` }`) + "==",
		"too long":          make(header, `{"iss":"`+strings.Repeat("x", jose.MaxToken)+`"}`),
		"nothing":           "",
		"not base64":        "!.!.!",
		"invalid UTF-8":     make(header, "{\"iss\":\"\xff\"}"),
		"text after claims": make(header, claims+"{}"),
	} {
		tok, err := jose.Parse(text)
		if err == nil && tok.Verify(nil) == nil {
			t.Errorf("%s is accepted", name)
		}
		if err == nil && name != "padding" {
			t.Errorf("%s is parsed", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.AAAA")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"k"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".")
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	keys := []jwk.Key{{Public: pub}}
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := jose.Parse(text)
		if err != nil {
			return
		}
		if !jose.LooksLike(text) || len(text) > jose.MaxToken {
			t.Errorf("%q is parsed", text)
		}
		if tok.Verify(keys) == nil {
			t.Errorf("%q verifies with a key that signed nothing", text)
		}
	})
}

// TestOpen: who looks for reasons gets a token of any algorithm; its signature is
// still checked under those that are accepted alone.
func TestOpen(t *testing.T) {
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"s","x":1}`)) + "."
	tok, err := jose.Open(text, len(text))
	if err != nil || tok.Alg != "none" || tok.Body.GetString("sub") != "s" || tok.Claims.Subject != "" {
		t.Errorf("%+v, %v", tok, err)
	}
	if tok.Verify([]jwk.Key{{}}) == nil {
		t.Error("it verifies")
	}
	if _, err := jose.Open(text, len(text)-1); err == nil {
		t.Error("a token that is too long is opened")
	}
}
