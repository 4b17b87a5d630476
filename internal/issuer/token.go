package issuer

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwk"
)

// tokenLife is how long tokens are good.
const tokenLife = 10 * time.Minute

// assertionType is the client_assertion_type of RFC 7523.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// token exchanges a code.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	lies := p.lies()
	if lies.TokenRedirect != "" {
		http.Redirect(w, r, lies.TokenRedirect, http.StatusTemporaryRedirect)
		return
	}
	if lies.Reject != "" {
		refuse(w, http.StatusBadRequest, lies.Reject, "<script>not for you</script>")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "the form cannot be read")
		return
	}
	c, err := p.proven(r)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "invalid_client", err.Error())
		return
	}
	g, why := p.redeem(c, r.PostForm)
	if g == nil {
		refuse(w, http.StatusBadRequest, "invalid_grant", why)
		return
	}
	id, err := p.idToken(g, lies)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	out := map[string]any{"access_token": g.token, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds())}
	if !lies.Omit {
		out["id_token"] = id
	}
	answer(w, http.StatusOK, out)
}

// redeem takes a code, once.
func (p *Provider) redeem(c *Client, form url.Values) (*grant, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[form.Get("code")]
	delete(p.grants, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case form.Get("grant_type") != "authorization_code" || g == nil || p.cfg.Now().Sub(g.at) > codeLife:
		return nil, "there is no such code"
	case g.client != c || g.redirect != form.Get("redirect_uri"):
		return nil, "the code is for another client or another redirect_uri"
	case g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return nil, "the code_verifier does not fit"
	}
	p.access[g.token] = g
	return g, ""
}

// idToken makes the ID token.
func (p *Provider) idToken(g *grant, lies Faults) (string, error) {
	p.mu.Lock()
	first := p.first
	p.mu.Unlock()
	if lies.Replay && first != "" {
		return first, nil
	}
	now := p.cfg.Now()
	claims := over(profile(g.user), map[string]any{
		"iss": p.cfg.URL, "aud": g.client.ID, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "auth_time": g.at.Unix(),
		"sid": g.sid, "at_hash": p.hash(g.token),
	})
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.user.ACR != "" {
		claims["acr"] = g.user.ACR
	}
	text, err := p.sign("JWT", g.client.Secret, claims, lies.Token)
	if err == nil && first == "" {
		p.mu.Lock()
		p.first = text
		p.mu.Unlock()
	}
	return text, err
}

// hash is at_hash (OpenID Connect Core §3.1.3.6).
func (p *Provider) hash(access string) string {
	if p.cfg.Alg == "EdDSA" {
		sum := sha512.Sum512([]byte(access))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// profile are the claims about a user.
func profile(u *User) map[string]any {
	claims := map[string]any{"sub": u.Subject}
	for name, v := range map[string]string{"email": u.Email, "name": u.Name, "given_name": u.Given, "family_name": u.Family, "locale": u.Locale} {
		if v != "" {
			claims[name] = v
		}
	}
	if u.Verified != nil {
		claims["email_verified"] = *u.Verified
	}
	maps.Copy(claims, u.Extra)
	return claims
}

// userInfo answers OpenID Connect Core §5.3.
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	g, lies := p.access[token], p.faults
	p.mu.Unlock()
	if g == nil || p.cfg.Now().Sub(g.at) > tokenLife {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "invalid_token", "there is no such access token")
		return
	}
	answer(w, http.StatusOK, over(profile(g.user), lies.UserInfo))
}

// proven finds the client that a request comes from (OpenID Connect Core §9).
func (p *Provider) proven(r *http.Request) (*Client, error) {
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" {
		return p.asserted(r, assertion)
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		var err, err2 error
		id, err = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if err := errors.Join(err, err2); err != nil {
			return nil, errors.New("the header is not encoded as RFC 6749 §2.3.1 says")
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c := p.client(id)
	if c == nil || c.Keys != nil || c.KeysURI != "" || subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1 {
		return nil, errors.New("the client is not known or has not proven itself")
	}
	return c, nil
}

// asserted checks a client's own token (RFC 7523 §3).
func (p *Provider) asserted(r *http.Request, text string) (*Client, error) {
	tok, err := jose.Parse(text)
	if err != nil {
		return nil, err
	}
	c := p.client(tok.Claims.Subject)
	if c == nil || r.PostForm.Get("client_assertion_type") != assertionType {
		return nil, errors.New("the client is not known, or the client_assertion_type is another")
	}
	raw := c.Keys
	if c.KeysURI != "" {
		if raw, err = p.fetch(r, c.KeysURI); err != nil {
			return nil, err
		}
	}
	keys, _, err := jwk.Parse(raw)
	if err != nil {
		return nil, err
	}
	if err := tok.Verify(keys); err != nil {
		return nil, err
	}
	endpoint, now := strings.TrimSuffix(p.cfg.URL, "/")+pathToken, p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case tok.Claims.Issuer != c.ID:
		return nil, errors.New("iss is not the client")
	case !slices.Equal(tok.Claims.Audience, []string{endpoint}) && !slices.Equal(tok.Claims.Audience, []string{p.cfg.URL}):
		return nil, errors.New("aud is neither the token endpoint nor the issuer")
	case !now.Before(tok.Claims.Expires) || tok.Claims.Expires.Sub(now) > time.Hour:
		return nil, errors.New("exp is not within the hour")
	case tok.Claims.ID == "" || p.used[tok.Claims.ID]:
		return nil, errors.New("the assertion was used before")
	}
	p.used[tok.Claims.ID] = true
	return c, nil
}

// fetch gets a client's keys.
func (p *Provider) fetch(r *http.Request, address string) ([]byte, error) {
	if p.cfg.HTTP == nil {
		return nil, errors.New("keys are not fetched here")
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	resp, err := p.cfg.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	return io.ReadAll(io.LimitReader(resp.Body, 64<<10))
}
