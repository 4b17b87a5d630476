package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
)

// The bounds of an ID token (security O5).
const (
	maxToken    = 64 << 10 // bytes; some name two hundred groups
	maxSubject  = 255      // characters (OpenID Connect Core §2)
	oldest      = 10 * time.Minute
	leeway      = 2 * time.Minute // of clocks, for iat, nbf and auth_time; exp has none
	maxLifetime = 24 * time.Hour
)

// algorithms are those that a connection accepts: never none, never one with a
// shared secret.
func algorithms(c *resources.Connection) []string {
	want := c.Algs
	if len(want) == 0 {
		want = []string{"RS256", "PS256", "ES256", "EdDSA"}
	}
	var out []string
	for _, a := range want {
		if slices.Contains(jose.Algorithms(), a) {
			out = append(out, a)
		}
	}
	return out
}

// opened is a token whose outside was looked at.
func opened(raw string, c *resources.Connection) (*jose.Token, *Fault) {
	if strings.Count(raw, ".") == 4 {
		return nil, fault(CheckForm, "The token is encrypted. Have the provider sign tokens only.")
	}
	tok, err := jose.Open(raw, maxToken)
	if err != nil {
		return nil, &Fault{Check: CheckForm, Reason: "The token is not a signed token as it should be: " + quoted(err.Error()) + "."}
	}
	if algs := algorithms(c); !slices.Contains(algs, tok.Alg) {
		return nil, fault(CheckAlg, fmt.Sprintf("The token is signed with %s; accepted are %s.", quoted(tok.Alg), strings.Join(algs, ", ")))
	}
	return tok, nil
}

// kind is the typ of a token in its short form.
func kind(tok *jose.Token) string {
	return strings.TrimPrefix(strings.ToLower(tok.Typ), "application/")
}

// keySetOf lets go-oidc check a signature with the keys at hand, and keeps the
// reason when none fits: go-oidc makes text of it.
type keySetOf struct {
	party *Party
	from  jwks.Source
	tok   *jose.Token
	err   error // a *Fault, or that of the context
}

// VerifySignature is what go-oidc asks.
func (k *keySetOf) VerifySignature(ctx context.Context, _ string) ([]byte, error) {
	if k.err = k.verify(ctx); k.err != nil {
		return nil, k.err
	}
	return k.tok.Body.Append(nil), nil // what was read strictly, and nothing else
}

func (k *keySetOf) verify(ctx context.Context) error {
	cache := k.party.cfg.Keys
	keys, err := cache.Keys(ctx, k.from, k.tok.Kid)
	if err == nil && k.tok.Verify(keys) == nil {
		return nil
	}
	// A provider may give its new key no name, or that of the old one.
	if err == nil && (k.tok.Kid == "" || slices.ContainsFunc(keys, func(key jwk.Key) bool { return key.ID == k.tok.Kid })) {
		if keys, err = cache.Renew(ctx, k.from); err == nil && k.tok.Verify(keys) == nil {
			return nil
		}
	}
	switch {
	case errors.Is(err, jwks.ErrNoKeys):
		return &Fault{Check: CheckKeys, Reason: "The provider's keys cannot be had. Does its jwks_uri answer?", Err: err}
	case err != nil:
		return err
	}
	if why := cache.Unused(k.from, k.tok.Kid); why != "" {
		return fault(CheckKeySize, "The key "+quoted(k.tok.Kid)+" of the provider cannot be used: "+why+".")
	}
	return fault(CheckSignature, "No key of the provider fits the signature (key name "+quoted(k.tok.Kid)+").")
}

// idToken checks an ID token and gives its claims.
func (p *Party) idToken(ctx context.Context, c *resources.Connection, ends resources.Endpoints, got exchanged, nonce string, log *protocol) (document, error) {
	tok, f := opened(got.id, c)
	if f != nil {
		return document{}, log.bad(f)
	}
	log.good(CheckForm, "It is a signed token, and no name stands in it twice.")
	log.good(CheckAlg, "It is signed with "+tok.Alg+".")
	if typ := kind(tok); typ != "" && typ != "jwt" && typ != "id_token+jwt" {
		return document{}, log.bad(fault(CheckType, "The token is of the type "+quoted(tok.Typ)+", which is no ID token's."))
	}
	log.good(CheckType, "Its type is that of an ID token.")
	keys := &keySetOf{party: p, from: jwks.Source{Issuer: c.Issuer, URI: ends.JWKS}, tok: tok}
	verifier := gooidc.NewVerifier(c.Issuer, keys, &gooidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: algorithms(c), Now: p.cfg.Now})
	verified, err := verifier.Verify(ctx, got.id)
	if keys.err != nil {
		return document{}, log.told(keys.err)
	}
	log.good(CheckSignature, "A key of the provider made the signature.")
	doc := document{tok.Body}
	for _, r := range rules(doc, expected{issuer: c.Issuer, client: c.ClientID, nonce: nonce, maxAge: c.MaxAge, acr: c.ACR, now: p.cfg.Now()}) {
		if r.reason != "" {
			return document{}, log.bad(fault(r.name, r.reason))
		}
		log.good(r.name, r.fine)
	}
	if err != nil { // a second opinion that found what the list does not know
		return document{}, log.bad(&Fault{Check: CheckForm, Reason: "The ID token was refused.", Err: err})
	}
	if verified.AccessTokenHash == "" {
		log.good(CheckAtHash, "There is none.")
	} else if verified.VerifyAccessToken(got.access) != nil {
		return document{}, log.bad(fault(CheckAtHash, "The access token is not the one that the ID token was given with (at_hash)."))
	} else {
		log.good(CheckAtHash, "The access token is the one that belongs to it.")
	}
	return doc, nil
}

// expected is what the claims must agree with.
type expected struct {
	issuer, client, nonce string
	maxAge                int
	acr                   []string
	now                   time.Time
}

// rule is what came of one check of the claims; reason "" is fine.
type rule struct{ name, fine, reason string }

// rules are the checks of an ID token's claims (OpenID Connect Core §3.1.3.7;
// security §0 item 8, O5, O12), in the order in which they are told.
func rules(d document, e expected) []rule {
	exp, hasExp := d.time("exp")
	iat, hasIat := d.time("iat")
	out := []rule{
		when(CheckIss, d.text("iss") == e.issuer, "It is from the issuer.", "The token is from the issuer "+quoted(d.text("iss"))+", not from this connection's."),
		audience(d, e), azp(d, e), subject(d),
		when(CheckExpiry, hasExp && e.now.Before(exp), "It has not expired.", "The token has expired, or does not say when it does. Are the clocks right?"),
		when(CheckIssuedAt, hasIat && !iat.Before(e.now.Add(-oldest)) && !iat.After(e.now.Add(leeway)), "It was issued just now.",
			"The token was not issued just now (within ten minutes before and two after), or does not say when. Are the clocks right?"),
		when(CheckLifetime, hasExp && hasIat && exp.After(iat) && exp.Sub(iat) <= maxLifetime, "It lives for a day at most.", "The token lives for more than a day, or ends before it begins."),
		notBefore(d, e),
		when(CheckNonce, subtle.ConstantTimeCompare([]byte(d.text("nonce")), []byte(e.nonce)) == 1, "It belongs to this sign-in.", "The token does not belong to this sign-in: its nonce is another, or is missing."),
		when(CheckEvents, d.member("events") == nil, "It is no logout token.", "The token has events: it is a logout token, not an ID token."),
		authTime(d, e),
		when(CheckACR, len(e.acr) == 0 || slices.Contains(e.acr, d.text("acr")), "The provider signed the person in as the connection demands.",
			"The provider signed the person in as "+quoted(d.text("acr"))+"; the connection demands one of "+quoted(strings.Join(e.acr, " "))+"."),
		tenant(d, e),
	}
	if ends, has := d.time("session_expiry"); d.member("session_expiry") != nil {
		out = append(out, when(CheckSession, has && e.now.Before(ends), "The provider's session goes on.", "The provider's session has ended, or its end cannot be read."))
	}
	return out
}

func when(name string, ok bool, fine, reason string) rule {
	if ok {
		reason = ""
	}
	return rule{name, fine, reason}
}

// audience: the token is for usher alone, or was asked for by usher.
func audience(d document, e expected) rule {
	aud := d.list("aud")
	alone := len(aud) == 1 && aud[0] == e.client
	among := slices.Contains(aud, e.client) && d.text("azp") == e.client
	return when(CheckAudience, alone || among, "It is for this client.", "The token is not for this client alone (its aud is "+quoted(strings.Join(aud, " "))+"), and no azp says that this client asked for it.")
}

func azp(d document, e expected) rule {
	return when(CheckAzp, d.member("azp") == nil || d.text("azp") == e.client, "No other client asked for it.", "Another client asked for the token: its azp is "+quoted(d.text("azp"))+".")
}

func subject(d document) rule {
	m := d.member("sub")
	ok := m != nil && m.Kind == jsontree.String && m.Text != "" && utf8.RuneCountInString(m.Text) <= maxSubject && !strings.ContainsFunc(m.Text, unicode.IsControl)
	return when(CheckSubject, ok, "It names a subject.", "The token's sub is missing, empty, no text or longer than 255 characters.")
}

func notBefore(d document, e expected) rule {
	nbf, has := d.time("nbf")
	ok := d.member("nbf") == nil || has && !nbf.After(e.now.Add(leeway))
	return when(CheckNotBefore, ok, "It is good by now.", "The token is not good yet (nbf). Are the clocks right?")
}

func authTime(d document, e expected) rule {
	at, has := d.time("auth_time")
	if !has {
		return when(CheckAuthTime, e.maxAge <= 0 && d.member("auth_time") == nil, "The connection does not ask when the person signed in at the provider.",
			"The connection demands that the person signed in lately, and the token does not say when (auth_time).")
	}
	old := e.maxAge > 0 && e.now.Sub(at) > time.Duration(e.maxAge)*time.Second+leeway
	return when(CheckAuthTime, !old && !at.After(e.now.Add(leeway)), "The person signed in at the provider when it says.",
		"The person signed in at the provider too long ago for this connection, or in the future.")
}

// tenant: tokens of Entra ID are of the tenant that the issuer is of (security O1).
func tenant(d document, e expected) rule {
	want, must := tenantOf(e.issuer)
	got := strings.ToLower(d.text("tid"))
	ok := got == want
	if !must {
		ok = ok || got == "" || want == ""
	} else if want == "" {
		ok = false
	}
	return when(CheckTenant, ok, "It is of the issuer's tenant, if there are tenants.", "The token is of the tenant "+quoted(got)+", not of the issuer's.")
}
