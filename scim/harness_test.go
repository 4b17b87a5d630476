package scim_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	publicURL     = "https://usher.example"
)

// house is a whole usher behind the door: a real Directory on a real store,
// with organizations acme and rival.
type house struct {
	*scim.Server
	t     testing.TB
	dir   *resources.Directory
	store *backend.Store
	url   string // of the store; "" is embedded
	admin resources.Caller
	token map[string]string // by organization slug
	log   *logged

	budget int // of queries; 0 is the default
}

// logged collects what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newHouse(t, "", scim.Config{})) })
	t.Run("redis", func(t *testing.T) { test(t, newHouse(t, redistest.Start(t), scim.Config{})) })
}

// newHouse builds a house; cfg may set Rate, Burst, Now and Observe.
func newHouse(t testing.TB, url string, cfg scim.Config) *house {
	t.Helper()
	ctx := context.Background()
	store, err := backend.Open(ctx, backend.Config{URL: url})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	h := &house{t: t, store: store, url: url, token: map[string]string{}, log: &logged{}}
	if url == "" { // closures must bear to be run again
		h.open(conformance.Twice(store), cfg)
	} else {
		h.open(store, cfg)
	}
	made, err := h.dir.Bootstrap(ctx, time.Hour)
	if err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	if h.admin, err = h.dir.Authenticate(ctx, made.APIToken); err != nil {
		t.Fatalf("operator: %v", err)
	}
	h.token["platform"] = made.APIToken
	h.addOrg("acme", resources.TokenSpec{})
	h.addOrg("rival", resources.TokenSpec{})
	return h
}

// open makes the Directory and the Server over a store.
func (h *house) open(store resources.Store, cfg scim.Config) {
	h.t.Helper()
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rate == 0 {
		cfg.Rate, cfg.Burst = 1e6, 1e6
	}
	level := slog.LevelDebug
	if _, bench := h.t.(*testing.B); bench {
		level = slog.LevelWarn
	}
	cfg.Log = slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: level}))
	dir, err := resources.New(resources.Config{Store: store, Vault: h.store, Now: cfg.Now, Rand: rand.Reader, Log: cfg.Log, Budget: h.budget})
	if err != nil {
		h.t.Fatalf("directory: %v", err)
	}
	h.dir, cfg.Directory, cfg.PublicURL = dir, dir, publicURL
	if h.Server, err = scim.New(cfg); err != nil {
		h.t.Fatalf("server: %v", err)
	}
}

func (h *house) addOrg(slug string, spec resources.TokenSpec) {
	h.t.Helper()
	ctx := context.Background()
	if _, err := h.dir.CreateOrg(ctx, h.admin, slug, ""); err != nil {
		h.t.Fatalf("organization %s: %v", slug, err)
	}
	h.token[slug] = h.newToken(slug, spec)
}

func (h *house) newToken(slug string, spec resources.TokenSpec) string {
	h.t.Helper()
	_, text, err := h.dir.CreateToken(context.Background(), h.admin, slug, spec)
	if err != nil {
		h.t.Fatalf("token of %s: %v", slug, err)
	}
	return text
}

// reply is an answer, decoded.
type reply struct {
	*httptest.ResponseRecorder
	t    testing.TB
	json map[string]any
}

// ask sends a request to organization acme. headers come in pairs; they win
// over the defaults.
func (h *house) ask(method, path, body string, headers ...string) reply {
	h.t.Helper()
	return h.askAs(h.token["acme"], method, "/orgs/acme/scim/v2"+path, body, headers...)
}

func (h *house) askAs(token, method, target, body string, headers ...string) reply {
	h.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := reply{ResponseRecorder: w, t: h.t}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out.json); err != nil {
			h.t.Fatalf("%s %s: the answer is not JSON: %v\n%s", method, target, err, w.Body)
		}
	}
	return out
}

// want checks the status, and that errors look as they must.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("status %d, want %d\n%s", r.Code, status, r.Body)
	}
	if status >= 400 && r.Body.Len() > 0 {
		code := r.Header().Get("Usher-Error-Code")
		if r.json["status"] != itoa(status) || code == "" || !strings.HasPrefix(r.str("detail"), code+": ") {
			r.t.Fatalf("not a SCIM error of status %d with code %q: %s", status, code, r.Body)
		}
	}
	return r
}

// fails checks status and scimType of an error.
func (r reply) fails(status int, scimType string) reply {
	r.t.Helper()
	r.want(status)
	if got, _ := r.json["scimType"].(string); got != scimType {
		r.t.Fatalf("scimType %q, want %q: %s", got, scimType, r.Body)
	}
	return r
}

// at follows names and indexes into the answer.
func (r reply) at(path ...any) any {
	var v any = r.json
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

func (r reply) str(path ...any) string { s, _ := r.at(path...).(string); return s }

func (r reply) num(path ...any) int { n, _ := r.at(path...).(float64); return int(n) }

func (r reply) list(path ...any) []any { l, _ := r.at(path...).([]any); return l }

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// user creates a user and returns its id.
func (h *house) user(userName string) string {
	h.t.Helper()
	return h.ask("POST", "/Users", userBody(userName)).want(201).str("id")
}

// group creates a group and returns its id.
func (h *house) group(name string, members ...string) string {
	h.t.Helper()
	return h.ask("POST", "/Groups", groupBody(name, members...)).want(201).str("id")
}

func userBody(userName string, more ...string) string {
	return `{"schemas":["` + userURN + `"],"userName":` + quote(userName) + strings.Join(more, "") + `}`
}

func groupBody(name string, members ...string) string {
	return `{"schemas":["` + groupURN + `"],"displayName":` + quote(name) + `,"members":` + memberList(members...) + `}`
}

func memberList(ids ...string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = `{"value":"` + id + `"}`
	}
	return "[" + strings.Join(out, ",") + "]"
}

// ops makes a PATCH body.
func ops(operations ...string) string {
	return `{"schemas":["` + patchURN + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

// memberIDs lists the members of a group as GET shows them.
func (h *house) memberIDs(group string) []string {
	h.t.Helper()
	r := h.ask("GET", "/Groups/"+group, "").want(200)
	var out []string
	for i := range r.list("members") {
		out = append(out, r.str("members", i, "value"))
	}
	return out
}
