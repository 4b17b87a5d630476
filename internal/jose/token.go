package jose

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwk"
)

// MaxToken is how many bytes a token may have.
const MaxToken = 8 << 10

// Algorithms lists the names of the algorithms that are accepted. There is no
// "none" and nothing with a shared secret among them: a public key must never
// serve as one (RFC 8725 §2.1, §3.1).
func Algorithms() []string { return []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} }

func signatures() []gojose.SignatureAlgorithm {
	return []gojose.SignatureAlgorithm{gojose.RS256, gojose.PS256, gojose.ES256, gojose.ES384, gojose.EdDSA}
}

// Claims are the claims that usher looks at. Times that are not there are
// zero.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	ID        string // jti
	Expires   time.Time
	NotBefore time.Time
	IssuedAt  time.Time
	App       string // appid of Entra's first version, else azp
	Tenant    string // tid
}

// Token is a token taken apart. Until Verify has agreed nothing in it is known
// to be true.
type Token struct {
	Alg, Kid, Typ string
	Claims        Claims
	Body          *jsontree.Value // every claim as it stands, for who looks at others
	text          string
}

// LooksLike reports whether a text has the outer form of a signed token: three
// parts between dots. No other credential of usher has.
func LooksLike(text string) bool { return strings.Count(text, ".") == 2 }

// Parse takes a token apart and reads its claims. Members given twice, headers
// that demand an extension (crit), algorithms that are not accepted and claims of
// the wrong type are refused.
func Parse(text string) (*Token, error) {
	t, err := Open(text, MaxToken)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(Algorithms(), t.Alg) {
		return nil, errors.New("header: the algorithm is not accepted")
	}
	r := reader{of: t.Body}
	t.Claims = r.claims()
	if r.err != nil {
		return nil, r.err
	}
	return t, nil
}

// Open takes a token of at most so many bytes apart for who has a reason of its
// own for each thing that is wrong: Claims stays empty, and the algorithm may be
// any. Verify accepts those of Algorithms all the same.
func Open(text string, most int) (*Token, error) {
	if len(text) > most {
		return nil, fmt.Errorf("the token is longer than %d bytes", most)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token has not three parts")
	}
	header, err := part(parts[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	body, err := part(parts[1])
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	t := &Token{Body: body, text: text}
	r := reader{of: header}
	t.Alg, t.Kid, t.Typ = r.text("alg"), r.text("kid"), r.text("typ")
	if r.get("crit") != nil {
		return nil, errors.New("header: it demands an extension (crit)")
	}
	if r.err != nil {
		return nil, r.err
	}
	return t, nil
}

// part decodes one part of a token: a JSON object in base64url.
func part(text string) (*jsontree.Value, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("it is not base64url")
	}
	v, err := jsontree.Parse(raw, jsontree.Limits{Depth: 8, Members: 128, Digits: 24, Values: 1024})
	if err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if v.Kind != jsontree.Object {
		return nil, errors.New("it is not an object")
	}
	return &v, nil
}

// Verify checks the signature: one of the keys must have made it. The key is
// the one that the header names, or with no name any; a key bound to an
// algorithm serves no other.
func (t *Token) Verify(keys []jwk.Key) error {
	jws, err := gojose.ParseSignedCompact(t.text, signatures())
	if err != nil {
		return errors.New("the token is not a signature in compact form")
	}
	for _, k := range keys {
		if t.Kid != "" && k.ID != t.Kid || !fits(k.Alg, t.Alg) {
			continue
		}
		if _, err := jws.Verify(k.Public); err == nil {
			return nil
		}
	}
	return errors.New("no key fits the signature")
}

// fits reports whether a key bound to an algorithm may check another. Ed25519
// is the newer name of what usher knows as EdDSA (RFC 9864).
func fits(bound, alg string) bool {
	return bound == "" || bound == alg || bound == "Ed25519" && alg == "EdDSA"
}

// reader reads members and remembers the first fault.
type reader struct {
	of  *jsontree.Value
	err error
}

// get finds a member by its exact name: JOSE names have a case.
func (r *reader) get(name string) *jsontree.Value {
	for i := range r.of.Items {
		if r.of.Items[i].Name == name {
			return &r.of.Items[i]
		}
	}
	return nil
}

func (r *reader) fail(name string) {
	if r.err == nil {
		r.err = errors.New("the member " + name + " has the wrong type")
	}
}

func (r *reader) text(name string) string {
	v := r.get(name)
	if v == nil {
		return ""
	}
	if v.Kind != jsontree.String {
		r.fail(name)
		return ""
	}
	return v.Text
}

// time reads a NumericDate; fractions of a second are cut off.
// One with an exponent is refused: cutting would make another time of it.
func (r *reader) time(name string) time.Time {
	v := r.get(name)
	if v == nil {
		return time.Time{}
	}
	whole, _, _ := strings.Cut(v.Text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if v.Kind != jsontree.Number || strings.ContainsAny(v.Text, "eE") || err != nil || n < 0 || n > 1<<40 {
		r.fail(name)
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func (r *reader) audience() []string {
	v := r.get("aud")
	switch {
	case v == nil:
		return nil
	case v.Kind == jsontree.String:
		return []string{v.Text}
	case v.Kind != jsontree.Array:
		r.fail("aud")
		return nil
	}
	out := make([]string, 0, len(v.Items))
	for i := range v.Items {
		if v.Items[i].Kind != jsontree.String {
			r.fail("aud")
			return nil
		}
		out = append(out, v.Items[i].Text)
	}
	return out
}

func (r *reader) claims() Claims {
	c := Claims{
		Issuer: r.text("iss"), Subject: r.text("sub"), Audience: r.audience(), ID: r.text("jti"),
		Expires: r.time("exp"), NotBefore: r.time("nbf"), IssuedAt: r.time("iat"),
		App: r.text("appid"), Tenant: r.text("tid"),
	}
	if azp := r.text("azp"); c.App == "" {
		c.App = azp
	}
	return c
}
