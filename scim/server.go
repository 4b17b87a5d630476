package scim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/elimity-com/scim"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// Config is what a Server needs.
type Config struct {
	Directory *resources.Directory // required
	PublicURL string               // required: absolute URL under which clients reach /orgs/…
	Log       *slog.Logger         // required
	Now       func() time.Time     // required

	// Issuers keeps the keys of issuers that connections trust; nil: tokens that
	// others signed are refused.
	Issuers *jwks.Cache

	// Rate and Burst limit the requests of one organization on this node, per
	// second and at once (security T3); 0 means 200 and 400.
	Rate  float64
	Burst int

	// Observe, when not nil, is called once per request: the operation, the
	// resource type or discovery endpoint ("" when the address is unknown),
	// the status of the answer and how long it took.
	Observe func(op, resource string, status int, d time.Duration)

	// Stranger, when not nil, is told of every request without a valid
	// credential and says how long its sender has to wait; 0 lets the refusal
	// through (security T3).
	Stranger func(*http.Request) time.Duration
}

// answerTime bounds the work for one answer; identity providers give up after
// 60 seconds (L-33). Streams of members are bounded by the listener instead.
const answerTime = 50 * time.Second

// Server answers everything under /orgs/. It is an http.Handler, safe for
// concurrent use.
type Server struct {
	dir       *resources.Directory
	publicURL string // without a slash at the end
	log       *slog.Logger
	now       func() time.Time
	observe   func(op, resource string, status int, d time.Duration)
	issuers   *jwks.Cache

	common  *world // of organizations that declare nothing
	worlds  worldCache
	filters *filter.Parser
	patches *patch.Engine
	limits  limiter
	bulks   bulkGate
	buffers sync.Pool // of *[]byte, for answers
	rooms   sync.Pool // of *[]byte, for the profiles of pages

	stranger func(*http.Request) time.Duration // may be nil
}

// New makes a Server. The error lists every fault of the configuration.
func New(c Config) (*Server, error) {
	publicURL, err := c.check()
	if err != nil {
		return nil, err
	}
	if c.Rate == 0 {
		c.Rate = 200
	}
	if c.Burst == 0 {
		c.Burst = 400
	}
	if c.Observe == nil {
		c.Observe = func(string, string, int, time.Duration) {}
	}
	s := &Server{
		dir: c.Directory, publicURL: publicURL, log: c.Log, now: c.Now, observe: c.Observe,
		limits: limiter{rate: c.Rate, burst: c.Burst}, issuers: c.Issuers,
	}
	if s.common, err = s.newWorld(schema.Builtin(), builtinKinds()); err != nil {
		return nil, err
	}
	s.filters = filter.New()
	s.filters.Version = tagOf
	s.patches = patch.New(s.filters)
	s.stranger = c.Stranger
	return s, nil
}

func (c *Config) check() (publicURL string, err error) {
	var faults []error
	if c.Directory == nil {
		faults = append(faults, errors.New("scim: Config.Directory is required"))
	}
	if c.Log == nil {
		faults = append(faults, errors.New("scim: Config.Log is required"))
	}
	if c.Now == nil {
		faults = append(faults, errors.New("scim: Config.Now is required"))
	}
	if c.Rate < 0 || c.Burst < 0 {
		faults = append(faults, errors.New("scim: Config.Rate and Config.Burst must not be negative; 0 means the default"))
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		faults = append(faults, errors.New("scim: Config.PublicURL must be an absolute http or https URL without query, fragment and user, for example https://usher.example.com"))
	}
	return strings.TrimRight(c.PublicURL, "/"), errors.Join(faults...)
}

// ResourceTypes is the registry: every built-in resource type with its schemas
// and a handler that does the real work. The handlers take the caller from the
// request's Authorization header.
func (s *Server) ResourceTypes() []scim.ResourceType { return s.common.types }

// ServeHTTP answers one request. Every answer but 204 and 304 has a SCIM body.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, w: answer{ResponseWriter: w}, r: r, began: s.now(), request: requestID(r.Header)}
	always := [...]string{c.request, "no-store", "nosniff"} // one allocation for all
	h := w.Header()
	h["X-Request-Id"], h["Cache-Control"], h["X-Content-Type-Options"] = always[0:1:1], always[1:2:2], always[2:3:3]
	ctx := r.Context()
	defer c.finish(ctx)
	if err := c.serve(ctx); err != nil {
		c.fail(ctx, err)
	}
}

// serve decides who asks, what for, and whether it may be; then the route does
// its work.
func (c *call) serve(ctx context.Context) error {
	caller, err := c.authenticate(ctx, c.r)
	if err != nil {
		return err
	}
	c.caller = caller
	c.caller.Request = c.request
	if wait := c.limits.take(caller.Org, c.now()); wait > 0 {
		return rateLimited(wait)
	}
	if c.world, err = c.worldOf(caller); err != nil {
		return err
	}
	if err := c.locate(); err != nil {
		return err
	}
	if c.r.Method == http.MethodOptions {
		c.w.Header().Set("Allow", c.route.allow)
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if c.act = c.route.act(c.r.Method); c.act == nil {
		c.w.Header().Set("Allow", c.route.allow)
		return notAllowed(c.route)
	}
	if c.json, err = negotiate(c.r.Header); err != nil {
		return err
	}
	if c.act.op == "get" { // one round trip, which the store bounds
		return c.act.serve(c, ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.deadline = time.AfterFunc(answerTime, cancel)
	defer c.deadline.Stop()
	return c.act.serve(c, ctx)
}
