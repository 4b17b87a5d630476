package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/usher-scim/usher/resources"
)

// handOffLife is how long a hand-off is good: for one redirect.
const handOffLife = time.Minute

// HandOffConfig is what a HandOff needs. All fields are required.
type HandOffConfig struct {
	PublicURL string
	Secret    func(ctx context.Context, purpose string) ([]byte, error) // see resources.Directory.Secret
	Now       func() time.Time
	Rand      io.Reader
}

// HandOff makes the signed notes that tell an organization's application who
// signed in: a JSON Web Token with ES256, good for a minute, for one origin. Each
// organization has a key of its own, which follows from the server's secret and is
// the same on every node; the public one is what applications check with.
type HandOff struct{ cfg HandOffConfig }

// NewHandOff makes a HandOff.
func NewHandOff(c HandOffConfig) (*HandOff, error) {
	if c.PublicURL == "" || c.Secret == nil || c.Now == nil || c.Rand == nil {
		return nil, errors.New("oidc: every field of HandOffConfig is required")
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return &HandOff{c}, nil
}

// Token makes the note about a person for the application at an address: iss is
// usher's public URL, aud the origin of the address, sub the user's id.
func (h *HandOff) Token(ctx context.Context, p resources.Person, application string) (string, error) {
	to := origin(application)
	if !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "http://") {
		return "", errors.New("oidc: the application has no origin")
	}
	key, kid, err := h.key(ctx, p.Org)
	if err != nil {
		return "", err
	}
	id, err := random(h.cfg.Rand)
	if err != nil {
		return "", err
	}
	now := h.cfg.Now()
	claims := map[string]any{
		"iss": h.cfg.PublicURL, "aud": to, "sub": p.ID, "org": p.Org, "org_slug": p.Slug, "preferred_username": p.UserName,
		"iat": now.Unix(), "exp": now.Add(handOffLife).Unix(), "jti": encode(id),
	}
	for name, v := range map[string]string{"email": p.Email, "name": p.DisplayName, "locale": p.Language} {
		if v != "" {
			claims[name] = v
		}
	}
	if p.Email != "" { // an administrator may have given any
		claims["email_verified"] = p.Proven
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("hand-off: %w", err)
	}
	return signed(key, kid, text)
}

// JWKS is the document with the key that an organization's hand-offs are signed
// with, for /sso/{org}/jwks.json.
func (h *HandOff) JWKS(ctx context.Context, org resources.OrgID) ([]byte, error) {
	key, kid, err := h.key(ctx, org)
	if err != nil {
		return nil, err
	}
	return json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{Key: key.Public(), KeyID: kid, Algorithm: string(gojose.ES256), Use: "sig"}}})
}

// key derives the key of an organization. Of 2³² numbers one is no key of the
// curve; then the next is taken.
func (h *HandOff) key(ctx context.Context, org resources.OrgID) (*ecdsa.PrivateKey, string, error) {
	secret, err := h.cfg.Secret(ctx, "hand-off")
	if err != nil {
		return nil, "", fmt.Errorf("secret of hand-offs: %w", err)
	}
	for n := range 8 {
		seed, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("usher hand-off %d %s", n, org), secretSize)
		if err != nil {
			return nil, "", fmt.Errorf("hand-off: %w", err)
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed)
		if err != nil {
			continue
		}
		sum, err := (&gojose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, "", fmt.Errorf("hand-off: %w", err)
		}
		return key, encode(sum[:12]), nil
	}
	return nil, "", errors.New("oidc: no key follows from the secret")
}
