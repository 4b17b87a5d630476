package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
)

// The bounds of back-channel logout (security O9).
const (
	logoutBody   = 16 << 10        // bytes of a request
	logoutOldest = 5 * time.Minute // since a logout token was issued
	logoutRate   = 10              // a second for each connection

	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// maxHint is how long an ID token may be to stand in a URL, in bytes.
const maxHint = 6 << 10

// LogoutURL is where the provider signs somebody out of its own session and sends
// the browser back (OpenID Connect RP-Initiated Logout 1.0); "" when it cannot.
// idToken may be "".
func (p *Party) LogoutURL(c *resources.Connection, idToken, back string) string {
	if c.Endpoints.EndSession == "" || p.cfg.Client.Check(c.Endpoints.EndSession) != nil {
		return ""
	}
	u, err := url.Parse(c.Endpoints.EndSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", c.ClientID)
	if idToken != "" && len(idToken) <= maxHint {
		q.Set("id_token_hint", idToken)
	}
	if back != "" {
		q.Set("post_logout_redirect_uri", back)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Logout is who a provider signs out: by the name of its session, or, when SID is
// empty, everywhere.
type Logout struct{ Subject, SID string }

// limited is the limiter of a connection.
type limited struct{ *rate.Limiter }

// allow reports whether a connection may send one more logout token now.
func (p *Party) allow(connection string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limits[connection]
	if l == nil {
		if len(p.limits) >= 10_000 {
			clear(p.limits) // each begins anew, that is all
		}
		l = &limited{rate.NewLimiter(logoutRate, logoutRate)}
		p.limits[connection] = l
	}
	return l.AllowN(p.cfg.Now(), 1)
}

// VerifyLogout checks a logout token of a connection's provider (OpenID Connect
// Back-Channel Logout 1.0 §2.6; security §0 item 10, O9). It works once. The error
// is a *Fault, one of code rate_limited, or says that the store cannot be reached.
func (p *Party) VerifyLogout(ctx context.Context, org resources.OrgID, c *resources.Connection, raw string) (*Logout, error) {
	if !p.allow(c.ID) {
		return nil, &resources.Error{Code: resources.CodeRateLimited, Detail: "The provider sends more than ten logout tokens a second. Send it again later."}
	}
	tok, f := opened(raw, c)
	if f != nil {
		return nil, f
	}
	if kind(tok) != "logout+jwt" {
		return nil, fault(CheckType, "The token is of the type "+quoted(tok.Typ)+", a logout token's is logout+jwt.")
	}
	ends, err := p.endpoints(ctx, org, c)
	if err != nil {
		return nil, err
	}
	keys := &keySetOf{party: p, from: jwks.Source{Issuer: c.Issuer, URI: ends.JWKS}, tok: tok}
	verifier := gooidc.NewVerifier(c.Issuer, keys, &gooidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: algorithms(c), Now: p.cfg.Now})
	_, err = verifier.VerifyLogout(ctx, raw)
	if keys.err != nil {
		return nil, keys.err
	}
	doc := document{tok.Body}
	for _, r := range logoutRules(doc, expected{issuer: c.Issuer, client: c.ClientID, now: p.cfg.Now()}) {
		if r.reason != "" {
			return nil, fault(r.name, r.reason)
		}
	}
	if err != nil {
		return nil, &Fault{Check: CheckForm, Reason: "The logout token was refused.", Err: err}
	}
	exp, _ := doc.time("exp")
	sum := sha256.Sum256([]byte(c.ID + "\x00" + c.Issuer + "\x00" + doc.text("jti")))
	first, err := p.cfg.Vault.Add(ctx, org, "sso-logout", hex.EncodeToString(sum[:]), exp.Add(logoutOldest))
	if err != nil {
		return nil, fmt.Errorf("note a logout token: %w", err)
	}
	if !first {
		return nil, fault(CheckReplay, "The logout token was used before.")
	}
	return &Logout{Subject: doc.text("sub"), SID: doc.text("sid")}, nil
}

// logoutRules are the checks of a logout token's claims.
func logoutRules(d document, e expected) []rule {
	exp, hasExp := d.time("exp")
	iat, hasIat := d.time("iat")
	aud, jti := d.list("aud"), d.text("jti")
	named := d.text("sub") != "" && subject(d).reason == "" || d.member("sub") == nil && d.text("sid") != ""
	return []rule{
		when(CheckIss, d.text("iss") == e.issuer, "", "The token is from the issuer "+quoted(d.text("iss"))+", not from this connection's."),
		when(CheckAudience, len(aud) == 1 && aud[0] == e.client, "", "The token is not for this client alone."),
		when(CheckIssuedAt, hasIat && !iat.Before(e.now.Add(-logoutOldest)) && !iat.After(e.now.Add(leeway)), "", "The token was not issued within the last five minutes, or does not say when."),
		when(CheckExpiry, hasExp && e.now.Before(exp), "", "The token has expired, or does not say when it does."),
		when(CheckLifetime, hasExp && hasIat && exp.After(iat) && exp.Sub(iat) <= maxLifetime, "", "The token lives for more than a day."),
		notBefore(d, e),
		when(CheckEvents, isLogout(d), "", "The token has no back-channel logout event."),
		when(CheckNonce, d.member("nonce") == nil, "", "The token has a nonce: it is an ID token, not a logout token."),
		when(CheckJTI, jti != "" && len(jti) <= 256, "", "The token has no jti of 1 to 256 bytes."),
		when(CheckSubject, named && (d.member("sid") == nil || d.text("sid") != ""), "", "The token names neither a subject nor a session, or none that can be read."),
		tenant(d, e),
	}
}

func isLogout(d document) bool {
	events := d.member("events")
	if events == nil {
		return false
	}
	event := document{events}.member(logoutEvent)
	return event != nil && event.Kind == jsontree.Object
}

// ServeLogout answers a provider that signs somebody out: it reads the token,
// checks it and calls end, which ends the sessions and returns how many there
// were. It answers 200 only when they have ended. noted is called with what was
// refused.
func (p *Party) ServeLogout(w http.ResponseWriter, r *http.Request, org resources.OrgID, c *resources.Connection, end func(context.Context, Logout) (int, error), noted func(context.Context, error)) {
	w.Header().Set("Cache-Control", "no-store")
	status, told := http.StatusOK, ""
	err := p.logout(w, r, org, c, end)
	_, refused := errors.AsType[*Fault](err)
	switch {
	case err == nil:
	case resources.HasCode(err, resources.CodeRateLimited):
		status, told = http.StatusTooManyRequests, "temporarily_unavailable"
		w.Header().Set("Retry-After", "1")
	case refused:
		status, told = http.StatusBadRequest, "invalid_request"
	default:
		status, told = http.StatusServiceUnavailable, "temporarily_unavailable"
		w.Header().Set("Retry-After", "5")
	}
	if err != nil {
		noted(r.Context(), err)
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	if told != "" {
		_, _ = io.WriteString(w, `{"error":"`+told+`"}`+"\n") // the provider may have gone
	}
}

func (p *Party) logout(w http.ResponseWriter, r *http.Request, org resources.OrgID, c *resources.Connection, end func(context.Context, Logout) (int, error)) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method != http.MethodPost || err != nil || media != "application/x-www-form-urlencoded" {
		return fault(CheckCallback, "A logout token is posted as a form.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, logoutBody)
	if err := r.ParseForm(); err != nil {
		return fault(CheckCallback, "The form cannot be read, or is larger than 16 KiB.")
	}
	tokens := r.PostForm["logout_token"]
	if len(tokens) != 1 {
		return fault(CheckCallback, "The form has not one logout_token.")
	}
	l, err := p.VerifyLogout(r.Context(), org, c, tokens[0])
	if err != nil {
		return err
	}
	if _, err := end(r.Context(), *l); err != nil {
		return fmt.Errorf("end the sessions of a logout token: %w", err)
	}
	return nil
}
