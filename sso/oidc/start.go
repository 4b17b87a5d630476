package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/usher-scim/usher/internal/seal"
	"github.com/usher-scim/usher/resources"
)

// CookieName is the cookie that binds flows to a browser.
const CookieName = "__Host-usher-flow"

// flowLife is how long somebody may stay at the provider (security O3).
const flowLife = 10 * time.Minute

// flowPurpose is what flows lie in the vault for.
const flowPurpose = "sso-flow"

// Flow is what a sign-in is for. Finish gives it back.
type Flow struct {
	Return string `json:"r,omitempty"` // where to go afterwards; the door checks it
	Test   bool   `json:"t,omitempty"` // an administrator tests the connection: nobody is signed in
	By     string `json:"b,omitempty"` // who tests: an id

	// Only for the way there.
	Hint     string `json:"-"` // login_hint: an address, or ""
	Prompt   string `json:"-"` // login, select_account, consent, none, or ""
	Language string `json:"-"` // ui_locales, or ""
	Cookie   string `json:"-"` // of the browser, when it has one: two tabs do not disturb each other
}

// pending is a flow in the vault. It lies there sealed with the browser's secret:
// without the cookie it says nothing, and no other browser can go on with it.
type pending struct {
	Connection string `json:"c"`
	Issuer     string `json:"i"`
	Salt       []byte `json:"s"` // of nonce and verifier
	Began      int64  `json:"a"` // milliseconds since 1970
	Flow       Flow   `json:"f"`
}

// Start begins a sign-in: the browser is sent to redirect with the cookie, see
// Cookie. The error is a *Fault when the connection cannot be used.
func (p *Party) Start(ctx context.Context, org resources.OrgID, slug string, c *resources.Connection, f Flow) (redirect, cookie string, err error) {
	ends, err := p.endpoints(ctx, org, c)
	if err != nil {
		return "", "", err
	}
	browser := cookieOf(f.Cookie)
	if browser == nil {
		if browser, err = random(p.cfg.Rand); err != nil {
			return "", "", err
		}
	}
	salt, err := random(p.cfg.Rand)
	if err != nil {
		return "", "", err
	}
	raw, err := random(p.cfg.Rand)
	if err != nil {
		return "", "", err
	}
	state, now := encode(raw), p.cfg.Now()
	kept := pending{Connection: c.ID, Issuer: c.Issuer, Salt: salt, Began: now.UnixMilli(), Flow: f}
	value, err := json.Marshal(kept)
	if err != nil {
		return "", "", fmt.Errorf("keep a flow: %w", err)
	}
	keys, err := seal.New(browser)
	if err != nil {
		return "", "", fmt.Errorf("keep a flow: %w", err)
	}
	value = keys.Seal(flowContext(org, state), value)
	if err := p.cfg.Vault.Put(ctx, org, flowPurpose, stateKey(state), value, now.Add(flowLife)); err != nil {
		return "", "", fmt.Errorf("keep a flow: %w", err)
	}
	cfg := oauth2.Config{ClientID: c.ClientID, Endpoint: oauth2.Endpoint{AuthURL: ends.Authorization}, RedirectURL: p.Callback(slug, c.Name), Scopes: scopes(c)}
	return cfg.AuthCodeURL(state, kept.asks(c, state, browser)...), encode(browser), nil
}

// asks are the parameters beyond the usual ones; f is that of the request itself.
func (k *pending) asks(c *resources.Connection, state string, browser []byte) []oauth2.AuthCodeOption {
	f := k.Flow
	out := []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("nonce", k.half(browser, "nonce", state)),
		oauth2.S256ChallengeOption(k.half(browser, "pkce", state)),
	}
	set := func(name, value string) {
		if value != "" {
			out = append(out, oauth2.SetAuthURLParam(name, value))
		}
	}
	if c.MaxAge > 0 {
		set("max_age", strconv.Itoa(c.MaxAge))
	}
	set("acr_values", strings.Join(c.ACR, " "))
	if len(f.Hint) <= 320 {
		set("login_hint", f.Hint)
	}
	if slices.Contains([]string{"login", "select_account", "consent", "none"}, f.Prompt) {
		set("prompt", f.Prompt)
	}
	if len(f.Language) <= 35 {
		set("ui_locales", f.Language)
	}
	return out
}

// half makes a secret of what lies in the vault and what lies in the browser.
func (k *pending) half(browser []byte, what, state string) string {
	h := hmac.New(sha256.New, browser)
	h.Write([]byte(what + "\x00" + state + "\x00"))
	h.Write(k.Salt)
	return encode(h.Sum(nil))
}

// scopes are those to ask for.
func scopes(c *resources.Connection) []string {
	out := []string{"openid"}
	more := c.Scopes
	if len(more) == 0 {
		more = []string{"email", "profile"}
	}
	for _, s := range more {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Cookie is the cookie for what Start gave.
func Cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: CookieName, Value: value, Path: "/", MaxAge: int(flowLife.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, // the provider leads back by a link
	}
}

// cookieOf reads the cookie; nil when it is none of ours.
func cookieOf(value string) []byte {
	if len(value) != textSize {
		return nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil
	}
	return b
}

// unsealed gives a flow to the browser that began it; nil to every other.
func unsealed(org resources.OrgID, state, cookie string, sealed []byte) (*pending, error) {
	browser := cookieOf(cookie)
	if browser == nil {
		return nil, nil // no flow of this browser
	}
	keys, err := seal.New(browser)
	if err != nil {
		return nil, fmt.Errorf("read a flow: %w", err)
	}
	value, err := keys.Open(flowContext(org, state), sealed)
	if errors.Is(err, seal.ErrSealed) {
		return nil, nil // no flow of this browser
	}
	if err != nil {
		return nil, fmt.Errorf("read a flow: %w", err)
	}
	kept := &pending{}
	if err := json.Unmarshal(value, kept); err != nil {
		return nil, fmt.Errorf("read a flow: %w", err)
	}
	return kept, nil
}

func flowContext(org resources.OrgID, state string) string { return string(org) + "|sso-flow|" + state }

func stateKey(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])
}
