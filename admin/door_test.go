package admin_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/admin"
	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a door over a real Directory on an embedded or a real store.
type house struct {
	*testing.T
	door      http.Handler
	directory *resources.Directory
	store     *backend.Store
	scim, api string        // tokens
	ahead     time.Duration // of the clock, for what takes time
	dns       map[string][]string
	letters   []resources.Letter
}

// keep is the mail server.
func (h *house) keep(_ context.Context, l resources.Letter) error {
	h.letters = append(h.letters, l)
	return nil
}

func open(t *testing.T, url string) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h := &house{T: t, dns: map[string][]string{}}
	now := func() time.Time { return time.Now().Add(h.ahead) }
	store, err := backend.Open(t.Context(), backend.Config{URL: url, Log: log, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	lookup := func(_ context.Context, name string) ([]string, error) { return h.dns[name], nil }
	directory, err := resources.New(resources.Config{Store: store, Vault: store, Queue: store, Now: now, Rand: rand.Reader, Log: log, LookupTXT: lookup, Send: h.keep})
	if err != nil {
		t.Fatal(err)
	}
	made, err := directory.Bootstrap(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	door, err := admin.New(admin.Config{Directory: directory, Log: log, Now: time.Now, Rand: rand.Reader, Version: "test", PublicURL: "https://usher.example"})
	if err != nil {
		t.Fatal(err)
	}
	h.door, h.directory, h.store, h.scim, h.api = door, directory, store, made.SCIMToken, made.APIToken
	return h
}

// ask sends one request with the API token; header lines are "Name: value".
func (h *house) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	h.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(h.Context(), method, path, content)
	r.Header.Set("Authorization", "Bearer "+h.api)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Request-Id") == "" {
		h.Errorf("%s %s: headers %v lack no-store or X-Request-Id", method, path, w.Header())
	}
	return w
}

// want asks and checks the status; it returns the decoded body.
func (h *house) want(status int, method, path, body string) map[string]any {
	h.Helper()
	w := h.ask(method, path, body)
	if w.Code != status {
		h.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if w.Body.Len() == 0 {
		return nil
	}
	return decoded(h.T, w)
}

func decoded(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("the body is not JSON: %v: %s", err, w.Body)
	}
	return out
}

func TestLifeOfAnOrganization(t *testing.T) {
	stores := map[string]func(t *testing.T) string{
		"embedded": func(*testing.T) string { return "" },
		"redis":    func(t *testing.T) string { return redistest.Start(t) },
	}
	for name, url := range stores {
		t.Run(name, func(t *testing.T) { lifeOfAnOrganization(open(t, url(t))) })
	}
}

func lifeOfAnOrganization(h *house) {
	made := h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme","name":"Acme SA"}`)
	if made["slug"] != "acme" || made["name"] != "Acme SA" || made["state"] != "active" {
		h.Fatalf("created %v", made)
	}
	if got := h.want(201, "POST", "/api/v1/orgs", `{"slug":"unnamed"}`); got["name"] != "unnamed" {
		h.Errorf("the name of an unnamed organization is %v, want its slug", got["name"])
	}
	checkPages(h)
	changeAndDelete(h)
}

// checkPages reads the list in pieces.
func checkPages(h *house) {
	// Two made in one millisecond may stand in any order.
	var slugs []string
	for _, part := range []struct{ query, rest string }{{"?limit=2", "2"}, {"?limit=2&offset=2", "1"}, {"?offset=3", "0"}} {
		page := h.want(200, "GET", "/api/v1/orgs"+part.query, "")
		items, _ := page["items"].([]any)
		if page["total"] != 3.0 || strconv.Itoa(len(items)) != part.rest {
			h.Errorf("page %s: %v, want %s of 3", part.query, page, part.rest)
		}
		for _, item := range items {
			slugs = append(slugs, item.(map[string]any)["slug"].(string))
		}
	}
	slices.Sort(slugs)
	if want := []string{"acme", "demo", "unnamed"}; !slices.Equal(slugs, want) {
		h.Errorf("pages hold %v, want %v", slugs, want)
	}
}

func changeAndDelete(h *house) {
	if got := h.want(200, "PATCH", "/api/v1/orgs/acme", `{"slug":"acme-fr","state":"suspended"}`); got["slug"] != "acme-fr" || got["state"] != "suspended" || got["name"] != "Acme SA" {
		h.Errorf("changed %v", got)
	}
	h.want(404, "GET", "/api/v1/orgs/acme", "")
	if got := h.want(200, "PATCH", "/api/v1/orgs/acme-fr", `{"state":"active"}`); got["state"] != "active" {
		h.Errorf("resumed %v", got)
	}
	if got := h.want(428, "DELETE", "/api/v1/orgs/acme-fr", ""); got["code"] != "confirmation_required" {
		h.Errorf("delete without confirmation: %v", got)
	}
	h.want(428, "DELETE", "/api/v1/orgs/acme-fr?confirm=acme", "")
	if got := h.want(202, "DELETE", "/api/v1/orgs/acme-fr?confirm=acme-fr", ""); got["state"] != "deleting" {
		h.Errorf("delete: %v", got)
	}
	if got := h.want(200, "GET", "/api/v1/orgs/acme-fr", ""); got["state"] != "deleting" {
		h.Errorf("while deleting: %v", got)
	}
	h.ahead = time.Minute // requests that came in before have ended
	for {
		n, err := h.directory.Clean(h.Context())
		if err != nil {
			h.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	h.want(404, "GET", "/api/v1/orgs/acme-fr", "")
}

func TestLifeOfAToken(t *testing.T) {
	h := open(t, "")
	const list = "/api/v1/orgs/demo/tokens"
	made := h.want(201, "POST", list, `{"name":"okta","scopes":["users:read"],"profile":"okta","policy":"email","lifetime":"90d"}`)
	text, _ := made["token"].(string)
	id, _ := made["id"].(string)
	caller, err := h.directory.Authenticate(t.Context(), text)
	if err != nil {
		t.Fatalf("the token does not work: %v", err)
	}
	if caller.Token != id || caller.Profile != "okta" || caller.Policy != "email" || len(caller.Scopes) != 1 || caller.Scopes[0] != "users:read" {
		t.Errorf("the token is worth %+v", caller)
	}
	created, expires := moment(t, made["created"]), moment(t, made["expires"])
	if expires.Sub(created) != 90*24*time.Hour {
		t.Errorf("it lives %v, want 90 days", expires.Sub(created))
	}
	rotated := h.want(201, "POST", list+"/"+id+"/rotate", "")
	if rotated["connection"] != made["connection"] || rotated["id"] == id || rotated["token"] == text {
		t.Errorf("rotated %v", rotated)
	}
	if got := h.want(409, "POST", list+"/"+id+"/rotate", ""); got["code"] != "too_many_tokens" {
		t.Errorf("third token: %v", got)
	}
	all := h.ask("GET", list, "")
	if strings.Contains(all.Body.String(), strings.Split(text, "_")[3]) || strings.Contains(all.Body.String(), "hash") || decoded(t, all)["total"] != 3.0 {
		t.Errorf("the list shows secrets or not 3 tokens: %s", all.Body)
	}
	if w := h.ask("DELETE", list+"/"+id, ""); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("revoke: %d %s", w.Code, w.Body)
	}
	h.want(404, "DELETE", list+"/"+id, "")
	if _, err := h.directory.Authenticate(t.Context(), text); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("the revoked token: %v, want unauthenticated", err)
	}
	if got := h.want(201, "POST", list, `{}`); got["name"] != "provisioning" || got["profile"] != "rfc" {
		t.Errorf("defaults: %v", got)
	}
}

func moment(t *testing.T, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatalf("%v is no time: %v", v, err)
	}
	return at
}
