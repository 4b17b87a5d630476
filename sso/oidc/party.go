package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
)

// Config is what a Party needs. Every field but Moved is required.
type Config struct {
	Client    *outbound.Client
	Keys      *jwks.Cache
	Vault     resources.Vault
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger
	PublicURL string // of usher, without a slash at the end
	// Secret opens the client secret or private key of a connection, see
	// resources.Directory.ConnectionSecret.
	Secret func(ctx context.Context, org resources.OrgID, c *resources.Connection) ([]byte, error)
	// Moved is told that discovery names other hosts than an administrator
	// confirmed (security O7), at most once an hour, see
	// resources.Directory.NoteMoved. The log is told anyway.
	Moved func(ctx context.Context, org resources.OrgID, c *resources.Connection, reason string) error
}

// Party is usher as a relying party. It is safe for concurrent use.
type Party struct {
	cfg  Config
	http *http.Client // guarded

	mu     sync.Mutex
	looks  map[string]*look    // by issuer and confirmed endpoints
	limits map[string]*limited // by connection
}

// New makes a Party.
func New(c Config) (*Party, error) {
	if c.Client == nil || c.Keys == nil || c.Vault == nil || c.Now == nil || c.Rand == nil || c.Log == nil || c.Secret == nil {
		return nil, errors.New("oidc: every field of Config but Moved is required")
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("oidc: Config.PublicURL %q is not a URL", c.PublicURL)
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return &Party{cfg: c, http: c.Client.HTTP(), looks: map[string]*look{}, limits: map[string]*limited{}}, nil
}

// Callback is the redirect_uri of a connection: the one address that its provider
// sends people back to (security O3).
func (p *Party) Callback(slug, connection string) string {
	return p.at(slug, connection, "callback")
}

// LogoutURI is where the provider of a connection sends logout tokens.
func (p *Party) LogoutURI(slug, connection string) string {
	return p.at(slug, connection, "logout")
}

// KeysURI is where the public key of a connection lies, for providers that prefer
// an address to a copy.
func (p *Party) KeysURI(slug, connection string) string {
	return p.at(slug, connection, "jwks.json")
}

func (p *Party) at(slug, connection, what string) string {
	return p.cfg.PublicURL + "/sso/" + url.PathEscape(slug) + "/" + url.PathEscape(connection) + "/" + what
}

// random makes 256 bits.
func random(from io.Reader) ([]byte, error) {
	b := make([]byte, secretSize)
	if _, err := io.ReadFull(from, b); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	return b, nil
}

// secretSize is the length of secrets in bytes; as text they have textSize
// characters.
const (
	secretSize = 32
	textSize   = 43
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
