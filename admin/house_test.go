package admin_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(h *house)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(open(t, "")) })
	t.Run("redis", func(t *testing.T) { test(open(t, redistest.Start(t))) })
}

// org makes an organization and gives its path.
func (h *house) org(slug string) string {
	h.Helper()
	h.want(201, "POST", "/api/v1/orgs", `{"slug":"`+slug+`"}`)
	return "/api/v1/orgs/" + slug
}

// token issues a token of an organization with one scope, or with all of them.
func (h *house) token(slug string, scopes ...string) string {
	h.Helper()
	list := ""
	for _, s := range scopes {
		list += `,"` + s + `"`
	}
	made := h.want(201, "POST", "/api/v1/orgs/"+slug+"/tokens", `{"scopes":[`+list[1:]+`]}`)
	return made["token"].(string)
}

// by asks with another token.
func (h *house) by(token, method, path, body string, header ...string) *httptest.ResponseRecorder {
	h.Helper()
	return h.ask(method, path, body, append(header, "Authorization: Bearer "+token)...)
}

// wantBy asks with another token and checks the status.
func (h *house) wantBy(token string, status int, method, path, body string, header ...string) map[string]any {
	h.Helper()
	w := h.by(token, method, path, body, header...)
	if w.Code != status {
		h.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if w.Body.Len() == 0 {
		return nil
	}
	return decoded(h.T, w)
}

// user creates a user and gives its id.
func (h *house) user(base, name, more string) string {
	h.Helper()
	made := h.want(201, "POST", base+"/users", fmt.Sprintf(`{"email":"%s@%s.example"%s}`, name, base[len("/api/v1/orgs/"):], more))
	return made["id"].(string)
}

// work does everything that is due in an organization.
func (h *house) work(slug string) {
	h.Helper()
	c := h.caller(slug)
	l, ok, err := h.store.Lease(h.Context(), c.Org, "tester", time.Hour)
	if err != nil || !ok {
		h.Fatalf("lease: %v, %v", ok, err)
	}
	for range 10_000 {
		items, _, err := h.store.Due(h.Context(), c.Org, time.Now().Add(h.ahead), 100)
		if err != nil {
			h.Fatal(err)
		}
		if len(items) == 0 {
			if err := h.store.Unlease(h.Context(), l); err != nil {
				h.Error(err)
			}
			return
		}
		for _, item := range items {
			if err := h.directory.WorkOn(h.Context(), l, item); err != nil {
				h.Fatalf("work on %s: %v", item.Item, err)
			}
		}
	}
	h.Fatal("work does not end")
}

// items are the things of a list.
func items(list map[string]any) []map[string]any {
	var out []map[string]any
	for _, v := range array(list["items"]) {
		out = append(out, object(v))
	}
	return out
}

// subscribe adds a subscription and gives its id.
func (h *house) subscribe(base, sku string, units int) string {
	h.Helper()
	return h.want(201, "POST", base+"/subscriptions", fmt.Sprintf(`{"sku":%q,"units":%d}`, sku, units))["id"].(string)
}

// pushed creates a user of the organization demo as an identity provider does,
// and gives its id.
func (h *house) pushed(doc string) string {
	h.Helper()
	c, err := h.directory.Authenticate(h.Context(), h.scim)
	if err != nil {
		h.Fatal(err)
	}
	return h.create(c, doc)
}

// create creates a user from a document.
func (h *house) create(c resources.Caller, doc string) string {
	h.Helper()
	tree, err := jsontree.Parse([]byte(doc), jsontree.Limits{})
	if err != nil {
		h.Fatal(err)
	}
	rec, err := h.directory.CreateUser(h.Context(), c, tree)
	if err != nil {
		h.Fatal(err)
	}
	return rec.ID
}
