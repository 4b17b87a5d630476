package admin

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/messages"
	"github.com/usher-scim/usher/resources"
)

const (
	bodyLimit   = 64 << 10         // bytes of a request body, see also declarationLimit
	actDeadline = 10 * time.Second // for the work behind one request

	downloadDeadline = 10 * time.Minute // for one that ends with either of these
	downloadPath     = "/download"
	errorsPath       = "/errors.csv"
)

// Config is what the door needs. Directory, Log, Now and Rand are required.
type Config struct {
	Directory *resources.Directory
	Log       *slog.Logger
	Now       func() time.Time
	Rand      io.Reader // request ids come from it
	Version   string    // shown in the OpenAPI document

	// PublicURL is where clients reach the server, without a slash at the end, for
	// the addresses that administrators enter at their provider.
	PublicURL string
	// Discover, when not nil, reads what an OpenID provider publishes before a
	// connection to it is kept. An error that wraps a resources.Error refuses it.
	Discover func(ctx context.Context, issuer string) (resources.Endpoints, error)

	// Issuers, when not nil, is asked for the keys of an issuer before a
	// connection trusts it.
	Issuers *jwks.Cache

	// Stranger, when not nil, is told of every request without a valid
	// credential and says how long its sender has to wait; 0 lets the refusal
	// through (security T3).
	Stranger func(*http.Request) time.Duration
}

type door struct {
	directory *resources.Directory
	log       *slog.Logger
	now       func() time.Time
	random    io.Reader
	issuers   *jwks.Cache
	mux       *http.ServeMux
	stranger  func(*http.Request) time.Duration
	rights    map[string]right // by the pattern of the operation
	publicURL string
	discover  func(context.Context, string) (resources.Endpoints, error) // or nil
}

// New makes the handler of everything under /api/.
func New(c Config) (http.Handler, error) {
	var faults []error
	if c.Directory == nil {
		faults = append(faults, errors.New("admin: Config.Directory is required"))
	}
	if c.Log == nil {
		faults = append(faults, errors.New("admin: Config.Log is required"))
	}
	if c.Now == nil {
		faults = append(faults, errors.New("admin: Config.Now is required"))
	}
	if c.Rand == nil {
		faults = append(faults, errors.New("admin: Config.Rand is required"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	d := &door{
		directory: c.Directory, log: c.Log, now: c.Now, random: c.Rand, mux: http.NewServeMux(),
		issuers: c.Issuers, stranger: c.Stranger, rights: make(map[string]right),
		publicURL: strings.TrimSuffix(c.PublicURL, "/"), discover: c.Discover,
	}
	api := humago.New(d.mux, d.openAPI(c.Version))
	d.registerOrgs(api)
	d.registerTokens(api)
	d.registerClients(api)
	d.registerSchemas(api)
	d.registerLicensing(api)
	d.registerPeople(api)
	d.registerWork(api)
	describe(api.OpenAPI())
	return d, d.checkRights(api.OpenAPI())
}

// openAPI is huma's configuration without its defaults that do not suit: a
// documentation page that loads scripts from elsewhere, $schema links in every
// body, and unknown query parameters that are let pass.
func (d *door) openAPI(version string) huma.Config {
	c := huma.DefaultConfig("usher", version)
	c.Info.Description = apiDescription
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/openapi", "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	merge := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decodeMerge}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format, mergeFormat: merge}
	c.Transformers = []huma.Transformer{d.asProblem}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An API token: an operator's with the scope platform, or an organization's with a scope admin…"},
	}
	c.Security = []map[string][]string{{"token": {}}}
	return c
}

// exchange is the response writer of one request. Besides writing it carries
// what the door found out about the request to the operations, so that they
// need no values in the context.
type exchange struct {
	http.ResponseWriter
	id      string
	began   time.Time
	pattern string // of the operation, or ""
	lang    string // of the texts that people read
	caller  resources.Caller
	status  int    // 0: the answer has not begun
	none    string // If-None-Match of a GET
	mute    bool   // the answer has no body

	once *resources.Once // of a request with a key
	held *bytes.Buffer   // its answer, as long as it is held back
}

// WriteHeader notes the status. A GET of what the client has already is
// answered without it (RFC 9110 §13.1.2).
func (x *exchange) WriteHeader(status int) {
	if tag := x.Header().Get("ETag"); status == http.StatusOK && x.none != "" && tag != "" && matches(x.none, tag) {
		status, x.mute = http.StatusNotModified, true
		x.Header().Del("Content-Type")
	}
	if x.status = status; x.held == nil {
		x.ResponseWriter.WriteHeader(status)
	}
}

// Write begins the answer, if nobody has, with status 200.
func (x *exchange) Write(body []byte) (int, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	switch {
	case x.mute:
		return len(body), nil
	case x.held != nil:
		return x.held.Write(body)
	}
	return x.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController and huma reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// asked is embedded in the input of every operation: who asks.
type asked struct {
	caller resources.Caller
	lang   string
	once   *resources.Once // of a request with a key, or nil
}

// Resolve is called by huma before the operation.
func (a *asked) Resolve(ctx huma.Context) []error {
	_, w := humago.Unwrap(ctx)
	x, ok := w.(*exchange)
	if !ok {
		return []error{errNoDoor}
	}
	a.caller, a.lang, a.once = x.caller, x.lang, x.once
	return nil
}

// ServeHTTP takes a request through the steps that all operations share.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, id: d.requestID(r), began: d.now(), lang: messages.Language(r.Header.Get("Accept-Language"))}
	defer d.finish(r, x)
	x.Header().Set("X-Request-Id", x.id)
	x.Header().Set("Cache-Control", "no-store")
	x.Header().Set("Vary", "Accept-Language")
	if r.Method == http.MethodGet {
		x.none = r.Header.Get("If-None-Match")
	}
	deadline := actDeadline
	if strings.HasSuffix(r.URL.Path, downloadPath) || strings.HasSuffix(r.URL.Path, errorsPath) {
		deadline = downloadDeadline
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(x, r.Body, importLimit+1) // each operation has a limit of its own

	if !strings.HasPrefix(r.URL.Path, "/api/openapi") {
		caller, err := d.authenticate(ctx, r)
		if err != nil {
			d.refuse(x, r, d.unlessStranger(r, err))
			return
		}
		caller.Request = x.id
		x.caller = caller
	}
	if _, x.pattern = d.mux.Handler(r); x.pattern == "" {
		d.refuse(x, r, d.unrouted(x, r))
		return
	}
	key, err := onceKey(r)
	if err == nil {
		err = d.enter(ctx, x, r)
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method == http.MethodPatch && err == nil &&
		(media == mergeType || media == "application/json") {
		r.Header.Set("Content-Type", mergeFormat) // every PATCH is a merge patch
	}
	switch {
	case err != nil:
		d.refuse(x, r, err)
	case key != "":
		d.serveOnce(x, r, key)
	default:
		d.mux.ServeHTTP(x, r)
	}
}

// enter asks whether the caller may do what the operation is about, and makes the
// caller of one inside an organization one that acts on it: strictly, and as
// somebody who came through this door.
func (d *door) enter(ctx context.Context, x *exchange, r *http.Request) error {
	needs, ok := d.rights[x.pattern]
	if !ok { // the OpenAPI document, see checkRights
		return nil
	}
	if !needs.inside {
		return x.caller.May(needs.area, needs.change)
	}
	rest := strings.TrimPrefix(r.URL.EscapedPath(), orgsPath+"/")
	slug, _, _ := strings.Cut(rest, "/")
	if text, err := url.PathUnescape(slug); err == nil {
		slug = text
	}
	if slug == resources.PlatformSlug && ofPlatform(x.pattern) && x.caller.May(resources.AreaPlatform, true) == nil {
		return nil // reports over all organizations belong to usher's own
	}
	c, err := d.directory.Operate(ctx, x.caller, slug)
	if err != nil {
		return err
	}
	c.Strict, c.Origin, c.Request = true, "API", x.id
	x.caller = c
	return c.May(needs.area, needs.change)
}

// bearer is the text of the credential, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || len(r.Header.Values("Authorization")) > 1 {
		return ""
	}
	return token
}

// authenticate demands an API token: an operator's, or an organization's with a
// scope for administrators. What it may do is for the Directory to say.
func (d *door) authenticate(ctx context.Context, r *http.Request) (resources.Caller, error) {
	token := bearer(r)
	if token == "" {
		return resources.Caller{}, &resources.Error{
			Code:   resources.CodeUnauthenticated,
			Detail: "Send an API token in one Authorization header: \"Authorization: Bearer ush_…\".",
		}
	}
	caller, err := d.directory.Authenticate(ctx, token)
	if err != nil {
		return resources.Caller{}, err
	}
	if caller.Org == resources.PlatformOrg && slices.Contains(caller.Scopes, resources.ScopePlatform) {
		return caller, nil
	}
	for _, s := range resources.AdminScopes() {
		if caller.Org != resources.PlatformOrg && slices.Contains(caller.Scopes, s) {
			return caller, nil
		}
	}
	return resources.Caller{}, &resources.Error{
		Code:   resources.CodeForbidden,
		Detail: "This token is for provisioning; the API needs an API token with the scope platform, or with a scope such as admin.",
	}
}

// unlessStranger turns a refused credential into 429 when too many came from
// the same sender. It happens after the refusal, so that a valid token works
// whatever else comes from its address.
func (d *door) unlessStranger(r *http.Request, err error) error {
	known, ok := errors.AsType[*resources.Error](err)
	if !ok || known.Code != resources.CodeUnauthenticated || d.stranger == nil {
		return err
	}
	wait := d.stranger(r)
	if wait <= 0 {
		return err
	}
	return &Problem{
		Status: http.StatusTooManyRequests, Code: string(resources.CodeRateLimited), retry: max(1, int(math.Ceil(wait.Seconds()))),
		Detail: "Too many requests without a valid token come from your address; wait as Retry-After says, and check the token.",
	}
}

var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// requestID takes the id that the listener or a proxy gave the request if it
// is safe to log and to echo, and makes one otherwise.
func (d *door) requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	safe := func(c rune) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.'
	}
	if id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(c rune) bool { return !safe(c) }) {
		return id
	}
	raw := make([]byte, 10)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		d.log.ErrorContext(r.Context(), "no randomness for a request id", "err", err)
		return "unknown"
	}
	return idText.EncodeToString(raw)
}

// unrouted is the error for a path that is nothing, or not with this method.
func (d *door) unrouted(x *exchange, r *http.Request) error {
	var allowed []string
	for _, m := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := d.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		return &resources.Error{Code: resources.CodeNotFound, Detail: "There is nothing at this path; /api/openapi.json lists what there is."}
	}
	x.Header().Set("Allow", strings.Join(allowed, ", "))
	return &Problem{
		Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
		Detail: fmt.Sprintf("This path answers %s only.", strings.Join(allowed, ", ")),
	}
}

// finish ends a request: it answers one whose operation panicked, so that the
// process lives, and writes the line in the log.
func (d *door) finish(r *http.Request, x *exchange) {
	fault := recover()
	cause, _ := fault.(error) // a panic may carry anything
	abort := errors.Is(cause, http.ErrAbortHandler)
	if fault != nil && !abort {
		if x.held != nil {
			x.held, x.status = nil, 0
		}
		d.log.ErrorContext(r.Context(), "request panicked", "req", x.id, "err", fmt.Sprint(fault), "stack", string(debug.Stack()))
		// Once the answer has begun only cutting it off says that it is not whole.
		if abort = x.status != 0; !abort {
			d.refuse(x, r, &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: internalDetail})
		}
	}
	level := slog.LevelInfo
	if r.Method == http.MethodGet || r.Method == http.MethodHead || x.status == http.StatusTooManyRequests { // who sends too much must not fill the log
		level = slog.LevelDebug
	}
	d.log.Log(r.Context(), level, "request", "req", x.id, "actor", x.caller.Token, "op", x.pattern, "status", x.status, "dur", d.now().Sub(x.began))
	if abort {
		panic(http.ErrAbortHandler)
	}
}
