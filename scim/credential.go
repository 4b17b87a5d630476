package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/oauth"
)

// authenticate finds out who sent a request: the one bearer token it carries,
// and where the connection is bound to a certificate, the certificate it came
// with (RFC 8705 §3). Nobody gets a Caller any other way.
func (s *Server) authenticate(ctx context.Context, r *http.Request) (resources.Caller, error) {
	token, ok := bearer(r.Header)
	if !ok {
		return resources.Caller{}, &resources.Error{Code: resources.CodeUnauthenticated, Detail: "Send the provisioning token in the header Authorization: Bearer <token>."}
	}
	var caller resources.Caller
	var err error
	if jose.LooksLike(token) {
		caller, err = s.foreign(ctx, r, token)
	} else {
		caller, err = s.dir.Authenticate(ctx, token)
	}
	if err != nil {
		return resources.Caller{}, err
	}
	if slices.ContainsFunc(caller.Scopes, func(sc resources.Scope) bool { return slices.Contains(resources.AdminScopes(), sc) }) {
		return resources.Caller{}, &resources.Error{Code: resources.CodeForbidden, Detail: "This token is for the REST API; provisioning needs a token with the scope scim, or one of its parts."}
	}
	if caller.Cert != "" && !resources.CertAllowed(caller.Cert, oauth.CertOf(r)) {
		return resources.Caller{}, wrongToken()
	}
	return caller, nil
}

// wrongToken is what Authenticate says of every token that is not good.
func wrongToken() error {
	return &resources.Error{Code: resources.CodeUnauthenticated, Detail: "The bearer token is missing, wrong, expired or revoked; ask your administrator for a valid one."}
}

// foreign checks a token that another issuer signed. The organization in the
// path tells only whose connections to look through; what the connection found
// has pinned decides.
func (s *Server) foreign(ctx context.Context, r *http.Request, text string) (resources.Caller, error) {
	tok, err := jose.Parse(text)
	if err != nil || s.issuers == nil || !accessType(tok.Typ) {
		return resources.Caller{}, wrongToken()
	}
	var buf [maxSegments]string
	segs, ok := segments(buf[:], r.URL)
	if !ok || len(segs) < 2 || segs[0] != "orgs" {
		return resources.Caller{}, wrongToken()
	}
	return s.dir.AuthenticateForeign(ctx, resources.Foreign{
		Org: segs[1], Text: text, Issuer: tok.Claims.Issuer,
		Verify: func(ctx context.Context, t resources.Trust) (resources.Claims, error) {
			keys, err := s.issuers.Keys(ctx, jwks.Source{Issuer: t.Issuer, URI: t.KeysURI}, tok.Kid)
			if errors.Is(err, jwks.ErrNoKeys) {
				return resources.Claims{}, fmt.Errorf("%w: %w", resources.ErrUnavailable, err)
			}
			if err != nil {
				return resources.Claims{}, err
			}
			if err := tok.Verify(keys); err != nil {
				return resources.Claims{}, err
			}
			return resources.Claims(tok.Claims), nil
		},
	})
}

// accessType reports whether a token's typ is that of an access token (RFC 9068
// §2.1) or says no more than that it is a token. A log-out token or any other
// signed for another purpose is not taken for one (RFC 8725 §3.11).
func accessType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "" || typ == "jwt" || typ == "at+jwt"
}
