package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/resources"
)

// Where things are, behind /orgs/{org}. The metadata also stands where RFC 8414
// §3.1 looks for it first: the path between host and organization.
const (
	TokenPath    = "/oauth/token"
	MetadataPath = "/.well-known/oauth-authorization-server"
)

const (
	answerTime = 10 * time.Second // for the work behind one request
	maxSlug    = 63
)

// Config is what a Server needs. All fields but ClientCerts, Observe and
// Stranger are required.
type Config struct {
	Directory *resources.Directory
	PublicURL string // absolute URL under which clients reach /orgs/…
	Log       *slog.Logger
	Now       func() time.Time

	// ClientCerts says that the listener asks for client certificates, hence that
	// clients can be bound to one.
	ClientCerts bool

	// Observe, when not nil, is called once per request like that of scim.Config.
	Observe func(op, resource string, status int, d time.Duration)

	// Stranger, when not nil, is that of scim.Config (security T3).
	Stranger func(*http.Request) time.Duration

	// Sender, when not nil, names who sent a request, also behind a proxy; else
	// its RemoteAddr does.
	Sender func(*http.Request) string
}

// Server answers the token endpoint and the metadata of every organization. It
// is an http.Handler, safe for concurrent use.
type Server struct {
	cfg    Config
	public string // without a slash at the end
	path   string // of public, or ""
	limits limiter
}

// New makes a Server.
func New(c Config) (*Server, error) {
	if c.Directory == nil || c.PublicURL == "" || c.Log == nil || c.Now == nil {
		return nil, errors.New("oauth: Directory, PublicURL, Log and Now of Config are required")
	}
	if c.Observe == nil {
		c.Observe = func(string, string, int, time.Duration) {}
	}
	if c.Sender == nil {
		c.Sender = func(r *http.Request) string {
			host, _, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil {
				return r.RemoteAddr
			}
			return host
		}
	}
	s := &Server{cfg: c, public: strings.TrimRight(c.PublicURL, "/")}
	u, err := url.Parse(s.public)
	if err != nil {
		return nil, fmt.Errorf("oauth: PublicURL: %w", err)
	}
	s.path = u.Path
	return s, nil
}

// CertOf names the certificate that a request came with, as
// resources.CertHash does, or gives "". The handshake has proven that the
// client has its key.
func CertOf(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	return resources.CertHash(r.TLS.PeerCertificates[0].Raw)
}

// exchange is one request on its way.
type exchange struct {
	*Server
	w      http.ResponseWriter
	r      *http.Request
	began  time.Time
	op     string // for metrics and logs
	org    string // slug
	client string // id, when it is well formed
	asked  bool   // for a token, by a request that is well formed
	status int
}

// ServeHTTP answers one request. Every answer is JSON.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Server: s, w: w, r: r, began: s.cfg.Now(), op: "other"}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if id := r.Header.Get("X-Request-Id"); id != "" {
		w.Header().Set("X-Request-Id", id) // the front has checked or made it
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	defer x.report(ctx)
	var ok bool
	if x.op, x.org, ok = s.locate(r.URL.Path); !ok || len(x.org) > maxSlug {
		x.org = ""
		x.fail(ctx, notHere())
		return
	}
	serve, allow := x.metadata, []string{http.MethodGet, http.MethodHead}
	if x.op == "token" {
		serve, allow = x.token, []string{http.MethodPost}
	}
	if !slices.Contains(allow, r.Method) {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		x.fail(ctx, &problem{http.StatusMethodNotAllowed, "invalid_request", "This address answers " + strings.Join(allow, " and ") + " only.", 0})
		return
	}
	if err := serve(ctx); err != nil {
		p := problemOf(err)
		if p.status >= http.StatusInternalServerError && r.Context().Err() == nil {
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "token request failed", append(x.attrs(), slog.Any("err", err))...)
		}
		x.fail(ctx, p)
	}
}

// locate takes an address apart. A path of the public URL, which a proxy takes
// off in front, stands inside the address of the metadata (RFC 8414 §3.1).
func (s *Server) locate(path string) (op, org string, ok bool) {
	rest, ok := strings.CutPrefix(path, MetadataPath)
	if ok {
		org, ok = strings.CutPrefix(strings.TrimPrefix(rest, s.path), "/orgs/")
		return "metadata", org, ok && org != "" && !strings.Contains(org, "/")
	}
	rest, ok = strings.CutPrefix(path, "/orgs/")
	org, rest, _ = strings.Cut(rest, "/")
	switch "/" + rest {
	case TokenPath:
		return "token", org, ok && org != ""
	case MetadataPath:
		return "metadata", org, ok && org != ""
	}
	return "other", "", false
}

func (s *Server) issuer(org string) string { return s.public + "/orgs/" + org }

// metadata is the document of RFC 8414 §2.
type metadata struct {
	Issuer    string            `json:"issuer"`
	Token     string            `json:"token_endpoint"`
	Responses []string          `json:"response_types_supported"`
	Grants    []string          `json:"grant_types_supported"`
	Methods   []string          `json:"token_endpoint_auth_methods_supported"`
	Algs      []string          `json:"token_endpoint_auth_signing_alg_values_supported"`
	Scopes    []resources.Scope `json:"scopes_supported"`
	Bound     bool              `json:"tls_client_certificate_bound_access_tokens"`
}

// metadata answers where the token endpoint is and what it takes (RFC 8414 §2).
func (x *exchange) metadata(ctx context.Context) error {
	known, err := x.cfg.Directory.HasOrg(ctx, x.org)
	if err != nil {
		return fmt.Errorf("find organization: %w", err)
	}
	if !known {
		return &resources.Error{Code: resources.CodeNotFound}
	}
	x.w.Header().Set("Cache-Control", "public, max-age=300")
	return x.send(http.StatusOK, metadata{
		Issuer: x.issuer(x.org), Token: x.issuer(x.org) + TokenPath, Responses: []string{}, Grants: []string{"client_credentials"},
		Methods: []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}, Algs: jose.Algorithms(),
		Scopes: resources.ConnectionScopes(), Bound: x.cfg.ClientCerts,
	})
}

// token issues an access token (RFC 6749 §4.4).
func (x *exchange) token(ctx context.Context) error {
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, bodyLimit)
	q, p := read(x.r)
	if q != nil {
		if k, ok := resources.KindOf(q.client); ok && k == resources.KindSetting {
			x.client = q.client
		}
		if wait := x.limits.take(x.org, q.client, x.cfg.Sender(x.r), x.cfg.Now()); wait > 0 {
			p = tooMany("This client asks too often; use the token it has, and wait as Retry-After says.", wait)
		}
	}
	if p != nil {
		if p.status == http.StatusUnauthorized && q.basic {
			x.w.Header().Set("WWW-Authenticate", `Basic realm="usher", charset="UTF-8"`)
		}
		x.fail(ctx, p)
		return nil
	}
	x.asked = true
	t, text, err := x.cfg.Directory.ClientToken(ctx, x.grant(q))
	if err != nil {
		if q.basic && resources.HasCode(err, resources.CodeUnauthenticated) {
			x.w.Header().Set("WWW-Authenticate", `Basic realm="usher", charset="UTF-8"`)
		}
		return err
	}
	scopes := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	x.w.Header().Set("Pragma", "no-cache")
	return x.send(http.StatusOK, struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Scope   string `json:"scope"`
	}{text, "Bearer", int(t.Expires.Sub(t.Created).Seconds()), strings.Join(scopes, " ")})
}

func (x *exchange) grant(q *request) resources.Grant {
	g := resources.Grant{
		Org: x.org, Client: q.client, Secret: q.secret, Scopes: q.scopes, Cert: CertOf(x.r),
		Audiences: []string{x.issuer(x.org), x.issuer(x.org) + TokenPath}, Request: x.r.Header.Get("X-Request-Id"),
	}
	if q.assertion != nil {
		g.Assertion = func(keys []jwk.Key) (resources.Claims, error) {
			if err := q.assertion.Verify(keys); err != nil {
				return resources.Claims{}, err
			}
			return resources.Claims(q.assertion.Claims), nil
		}
	}
	return g
}

// fail answers with an error.
func (x *exchange) fail(ctx context.Context, p *problem) {
	guessed := p.status == http.StatusUnauthorized || p.status == http.StatusNotFound && x.org != ""
	if guessed && x.cfg.Stranger != nil {
		if wait := x.cfg.Stranger(x.r); wait > 0 {
			x.w.Header().Del("WWW-Authenticate")
			p = tooMany("Too many requests with a wrong proof or for an unknown organization come from your address; wait as Retry-After says, and check the credentials.", wait)
		}
	}
	if p.retry > 0 {
		x.w.Header().Set("Retry-After", strconv.Itoa(p.retry))
	}
	err := x.send(p.status, struct {
		Code   string `json:"error"`
		Detail string `json:"error_description"`
	}{p.code, plain(p.detail)})
	if err != nil {
		x.cfg.Log.LogAttrs(ctx, slog.LevelError, "token request failed", append(x.attrs(), slog.Any("err", err))...)
	}
}

// plain is a text without what a description must not hold (RFC 6749 §5.2).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}

func (x *exchange) send(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.status = status
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // an error means that the client has gone
	}
	return nil
}

// report tells logs and metrics. Neither ever sees a secret, a token or an
// assertion.
func (x *exchange) report(ctx context.Context) {
	took := x.cfg.Now().Sub(x.began)
	x.cfg.Observe(x.op, "oauth", x.status, took)
	level := slog.LevelDebug
	if x.asked && x.status != http.StatusTooManyRequests || x.status == http.StatusUnauthorized { // who sends too much, or rubbish, must not fill the log
		level = slog.LevelInfo
	}
	x.cfg.Log.LogAttrs(ctx, level, "token request", append(x.attrs(), slog.Int("status", x.status), slog.Duration("dur", took))...)
}

// attrs are what every log line has: names that are well formed only.
func (x *exchange) attrs() []slog.Attr {
	return []slog.Attr{slog.String("req", x.r.Header.Get("X-Request-Id")), slog.String("op", x.op), slog.String("client", x.client)}
}
