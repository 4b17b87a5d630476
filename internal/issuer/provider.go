package issuer

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config is what a Provider needs. Now and Rand are required.
type Config struct {
	URL     string // the issuer, to the letter; what it serves lies below its path
	Users   []User
	Clients []Client
	Alg     string // of its keys: RS256, PS256, ES256 or EdDSA; "" is RS256
	Believe bool   // a login_hint that names a user signs it in without a page
	Now     func() time.Time
	Rand    io.Reader
	HTTP    *http.Client // sends logout tokens and fetches clients' keys; nil: nothing is
}

// User is somebody who can sign in.
type User struct {
	Subject  string
	Email    string
	Verified *bool // email_verified; nil: the claim is left out
	Name     string
	Given    string
	Family   string
	Locale   string
	ACR      string         // how the user signed in, or ""
	Extra    map[string]any // further claims
}

// Client is a relying party.
type Client struct {
	ID         string
	Secret     string   // "" with Keys, KeysURI or none
	Keys       []byte   // JWKS of private_key_jwt
	KeysURI    string   // where those keys lie instead
	Redirects  []string // redirect_uri must be one of them; none: any will do
	LogoutURI  string   // takes logout tokens
	PostLogout []string // post_logout_redirect_uri must be one of them; none: any will do
}

// The paths below the issuer.
const (
	pathDiscovery = "/.well-known/openid-configuration"
	pathKeys      = "/keys"
	pathAuthorize = "/authorize"
	pathToken     = "/token"
	pathUserInfo  = "/userinfo"
	pathEnd       = "/end"
)

// Provider is the provider. It is safe for concurrent use.
type Provider struct {
	cfg  Config
	base string // path of the issuer
	mux  *http.ServeMux

	mu     sync.Mutex
	faults Faults
	keys   []*key // the last signs
	hidden map[string]bool
	weak   *key
	grants map[string]*grant // by code
	access map[string]*grant // by access token
	used   map[string]bool   // jti of client assertions
	asked  map[string]int    // requests by path
	first  string            // the first ID token
}

// New makes a provider with one key.
func New(c Config) (*Provider, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("issuer: Config.URL %q is not a URL", c.URL)
	}
	if c.Now == nil || c.Rand == nil {
		return nil, errors.New("issuer: Config.Now and Config.Rand are required")
	}
	if c.Alg == "" {
		c.Alg = "RS256"
	}
	p := &Provider{
		cfg: c, base: strings.TrimSuffix(u.Path, "/"), mux: http.NewServeMux(), hidden: map[string]bool{},
		grants: map[string]*grant{}, access: map[string]*grant{}, used: map[string]bool{}, asked: map[string]int{},
	}
	for pattern, h := range map[string]http.HandlerFunc{
		"GET " + pathDiscovery: p.discovery, "GET " + pathKeys: p.publish, "GET " + pathAuthorize: p.authorize, "POST " + pathAuthorize: p.chosen,
		"POST " + pathToken: p.token, "GET " + pathUserInfo: p.userInfo, "GET " + pathEnd: p.end,
	} {
		p.mux.HandleFunc(pattern, h)
	}
	return p, p.Rotate()
}

// ServeHTTP answers what lies below the issuer.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, p.base)
	p.mu.Lock()
	p.asked[path]++
	down := p.faults.Down
	p.mu.Unlock()
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.StripPrefix(p.base, p.mux).ServeHTTP(w, r)
}

// Asked is how often a path below the issuer was asked for, such as "/token".
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// client finds a client; nil when there is none.
func (p *Provider) client(id string) *Client {
	for i := range p.cfg.Clients {
		if p.cfg.Clients[i].ID == id {
			return &p.cfg.Clients[i]
		}
	}
	return nil
}

// user finds a user by subject or address; nil when there is none.
func (p *Provider) user(name string) *User {
	for i := range p.cfg.Users {
		if u := &p.cfg.Users[i]; name != "" && (u.Subject == name || strings.EqualFold(u.Email, name)) {
			return u
		}
	}
	return nil
}

// name makes a name that nobody can guess.
func (p *Provider) name() (string, error) {
	b := make([]byte, 24)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return "", fmt.Errorf("issuer: randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func (p *Provider) lies() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}

// refuse answers like an OAuth endpoint (RFC 6749 §5.2).
func refuse(w http.ResponseWriter, status int, code, why string) {
	answer(w, status, map[string]string{"error": code, "error_description": why})
}
