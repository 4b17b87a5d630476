package jwk_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/internal/jwk"
)

// public writes a key as an independent library does.
func public(t testing.TB, id string, key any) string {
	t.Helper()
	text, err := json.Marshal(gojose.JSONWebKey{Key: key, KeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func set(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

func TestParse(t *testing.T) {
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
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, unused, err := jwk.Parse(set(public(t, "r", &r.PublicKey), public(t, "e", &e.PublicKey), public(t, "e3", &e384.PublicKey), public(t, "d", ed)))
	if err != nil || len(unused) > 0 || len(keys) != 4 {
		t.Fatalf("%d keys, unused %v, %v", len(keys), unused, err)
	}
	same := []bool{
		r.PublicKey.Equal(keys[0].Public), e.PublicKey.Equal(keys[1].Public), e384.PublicKey.Equal(keys[2].Public), ed.Equal(keys[3].Public.(ed25519.PublicKey)),
	}
	for i, ok := range same {
		if !ok {
			t.Errorf("key %d is not the one that was written", i)
		}
	}
	if keys[0].ID != "r" {
		t.Errorf("kid %q", keys[0].ID)
	}
}

func TestParseRefuses(t *testing.T) {
	weak := `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 170) + `w"}` // 1024 bits
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := public(t, "e", &e.PublicKey)
	for name, c := range map[string]struct{ key, reason string }{
		"weak RSA":        {weak, "2048 to 8192 bits"},
		"private":         {public(t, "e", e), "private key material"},
		"shared secret":   {`{"kty":"oct","k":"AAAA"}`, "private key material"},
		"unknown kty":     {`{"kty":"AKP"}`, "kty"},
		"no object":       {`"x"`, "not an object"},
		"off the curve":   {strings.Replace(good, `"x":"`, `"x":"AAAA`, 1), "32 bytes"},
		"other curve":     {strings.Replace(good, "P-256", "P-521", 1), "P-256 and P-384"},
		"for encryption":  {strings.Replace(good, `{`, `{"use":"enc",`, 1), "use"},
		"even exponent":   {`{"kty":"RSA","e":"Ag","n":"` + strings.Repeat("_", 341) + `w"}`, "RSA"},
		"padded":          {`{"kty":"RSA","e":"AQAB","n":"AA=="}`, "base64url"},
		"Ed448":           {`{"kty":"OKP","crv":"Ed448","x":"AA"}`, "Ed25519"},
		"short Ed25519":   {`{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, "32 bytes"},
		"point elsewhere": {`{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`, "not on the curve"},
	} {
		keys, unused, err := jwk.Parse(set(c.key))
		if err != nil || len(keys) > 0 || len(unused) != 1 || !strings.Contains(unused[0].Error(), c.reason) {
			t.Errorf("%s: %d keys, unused %v, %v; want %q", name, len(keys), unused, err, c.reason)
		}
	}
	for _, text := range []string{``, `[]`, `{"keys":{}}`, `{"Keys":[]}`, `{"keys":[],"keys":[]}`, `{"keys":[` + strings.TrimSuffix(strings.Repeat(`{},`, 101), ",") + `]}`} {
		if _, _, err := jwk.Parse([]byte(text)); err == nil {
			t.Errorf("%.40q is taken for a key set", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, unused, err := jwk.Parse([]byte(text))
		if err != nil && len(keys)+len(unused) > 0 {
			t.Error("keys of what is no set")
		}
		for _, k := range keys {
			if k.Public == nil {
				t.Error("a key without a key")
			}
		}
	})
}
