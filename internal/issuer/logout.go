package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// LogoutEvent is the event of a logout token.
const LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutToken makes a logout token for a client (OpenID Connect Back-Channel
// Logout 1.0 §2.4), with what is wrong with it. subject or sid may be "".
func (p *Provider) LogoutToken(client, subject, sid string, l Lie) (string, error) {
	c := p.client(client)
	if c == nil {
		return "", fmt.Errorf("issuer: there is no client %q", client)
	}
	id, err := p.name()
	if err != nil {
		return "", err
	}
	now := p.cfg.Now()
	claims := map[string]any{
		"iss": p.cfg.URL, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(tokenLife / 5).Unix(), "jti": id,
		"events": map[string]any{LogoutEvent: map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	return p.sign("logout+jwt", c.Secret, claims, l)
}

// SendLogout posts a logout token to a client and returns the status it answers
// with.
func (p *Provider) SendLogout(ctx context.Context, client, token string) (int, error) {
	c := p.client(client)
	if c == nil || c.LogoutURI == "" || p.cfg.HTTP == nil {
		return 0, errors.New("issuer: there is nobody to send a logout token to")
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.LogoutURI, body)
	if err != nil {
		return 0, fmt.Errorf("issuer: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.cfg.HTTP.Do(req)
	if err != nil {
		return 0, fmt.Errorf("issuer: %w", err)
	}
	_ = resp.Body.Close() // the status is all that is of interest
	return resp.StatusCode, nil
}
