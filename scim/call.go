package scim

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/resources"
)

// call is one request on its way through the door.
type call struct {
	*Server
	w       answer
	r       *http.Request
	began   time.Time
	request string // id of the request
	caller  resources.Caller
	world   *world // of the caller's organization
	route   *route
	act     *act
	id      string // the last path segment where the route has one that varies
	json    bool   // answer as application/json (L-26)
	plan    string // which indexes answered a list; only when debug lines are logged

	doc   *jsontree.Value // the body, when it is read already
	part  bool            // this is an operation of a Bulk …
	quiet bool            // … whose resource is not shown

	deadline *time.Timer // ends the work; stopped when an answer begins to stream; nil for what is short anyway
}

// answer notes what has been answered.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// requestID takes the client's X-Request-Id when it is harmless, else makes
// one. It is a name for logs, not a secret.
func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); id != "" && len(id) <= 64 && !strings.ContainsFunc(id, unsafeInID) {
		return id
	}
	return rand.Text()
}

func unsafeInID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' && r != '.'
}

// bearer reads the token (RFC 6750 §2.1). Tokens in queries or bodies are
// never looked at (security T6), nor is a request with two credentials.
func bearer(h http.Header) (token string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// base is the absolute URL of the caller's SCIM service.
func (c *call) base() string { return c.baseOf(c.caller) }

func (s *Server) baseOf(caller resources.Caller) string {
	return s.publicURL + "/orgs/" + caller.Slug + "/scim/v2"
}

// head reports whether only the header of the answer is wanted.
func (c *call) head() bool { return c.r.Method == http.MethodHead }

// send writes a whole answer.
func (c *call) send(status int, body []byte) {
	c.contentType()
	c.w.Header()["Content-Length"] = []string{itoa(len(body))}
	c.w.WriteHeader(status)
	if !c.head() {
		c.write(body)
	}
}

// write adds to the body. An error means that the client has gone; there is
// nobody left to tell.
func (c *call) write(body []byte) bool {
	_, err := c.w.Write(body)
	return err == nil
}

func (c *call) contentType() {
	kind := "application/scim+json"
	if c.json {
		kind = "application/json"
	}
	c.w.Header()["Content-Type"] = []string{kind}
}

// fail answers with an error. When a part of the answer has been sent already
// the connection is cut, so that nobody takes the part for the whole.
func (c *call) fail(ctx context.Context, err error) {
	p := problemOf(err)
	if p.status == http.StatusUnauthorized || errors.Is(err, jwks.ErrNoKeys) {
		p = c.unlessStranger(p)
	}
	if p.status >= http.StatusInternalServerError && p.status != http.StatusNotImplemented && c.r.Context().Err() == nil {
		c.log.LogAttrs(ctx, slog.LevelError, "request failed", append(c.attrs(), slog.Any("err", err))...)
	}
	if c.w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	h := c.w.Header()
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="usher"`)
	}
	if p.retry > 0 {
		h.Set("Retry-After", itoa(p.retry))
	}
	h.Set("Usher-Error-Code", p.code)
	c.send(p.status, ErrorBody(p.status, p.scimType, p.code, p.detail))
}

// unlessStranger turns a credential that was refused, or that cannot be checked
// while its issuer is away, into 429 when too many came from the same sender. It happens after the refusal, so that a valid token works
// whatever else comes from its address.
func (c *call) unlessStranger(p problem) problem {
	if c.stranger == nil {
		return p
	}
	wait := c.stranger(c.r)
	if wait <= 0 {
		return p
	}
	p = rateLimited(wait)
	p.detail = "Too many requests without a valid token come from your address; wait as Retry-After says, and check the token."
	return p
}

// finish ends a request: it turns a panic into an answer, and tells logs and
// metrics.
func (c *call) finish(ctx context.Context) {
	cause := recover()
	err, _ := cause.(error)
	abort := errors.Is(err, http.ErrAbortHandler)
	if cause != nil && !abort {
		c.log.LogAttrs(ctx, slog.LevelError, "request panicked",
			append(c.attrs(), slog.Any("err", cause), slog.String("stack", string(debug.Stack())))...)
		if abort = c.w.status != 0; !abort {
			p := internalProblem()
			c.w.Header().Set("Usher-Error-Code", p.code)
			c.send(p.status, ErrorBody(p.status, p.scimType, p.code, p.detail))
		}
	}
	c.report(ctx)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

func (c *call) report(ctx context.Context) {
	took := c.now().Sub(c.began)
	op, resource := c.what()
	c.observe(op, resource, c.w.status, took)
	level := slog.LevelDebug // reads, and 429: who sends too much must not fill the log
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.w.status != http.StatusTooManyRequests {
		level = slog.LevelInfo
	}
	if c.log.Enabled(ctx, level) {
		c.log.LogAttrs(ctx, level, "request", append(c.attrs(), slog.Int("status", c.w.status), slog.Duration("dur", took))...)
	}
}

// what names the operation and the resource for metrics, from closed sets.
func (c *call) what() (op, resource string) {
	op = "other"
	if c.act != nil {
		op = c.act.op
	}
	if c.route != nil {
		resource = c.route.resource
	}
	return op, resource
}

// attrs are what every log line of a request has. They never hold text of the
// client but well-formed ids.
func (c *call) attrs() []slog.Attr {
	op, resource := c.what()
	out := make([]slog.Attr, 0, 8)
	out = append(out, slog.String("req", c.request), slog.String("org", c.caller.Slug), slog.String("op", op), slog.String("kind", resource))
	if _, ok := resources.KindOf(c.id); ok {
		out = append(out, slog.String("id", c.id))
	}
	if c.plan != "" {
		out = append(out, slog.String("plan", c.plan))
	}
	return out
}
