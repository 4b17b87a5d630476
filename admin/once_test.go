package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/admin"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

const keyLine = "Idempotency-Key: 5d0c-1"

// TestOnce: the same request with the same key is done once and answered alike.
func TestOnce(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		first := h.ask("POST", base+"/users", `{"email":"zoe@acme.example"}`, keyLine)
		again := h.ask("POST", base+"/users", `{"email":"zoe@acme.example"}`, keyLine)
		if first.Code != 201 || again.Code != 201 || first.Body.String() != again.Body.String() {
			h.Fatalf("%d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
		}
		for _, name := range []string{"ETag", "Location", "Content-Type"} {
			if first.Header().Get(name) != again.Header().Get(name) || first.Header().Get(name) == "" {
				h.Errorf("%s is %q, then %q", name, first.Header().Get(name), again.Header().Get(name))
			}
		}
		if first.Header().Get("Idempotency-Replayed") != "" || again.Header().Get("Idempotency-Replayed") != "true" {
			h.Error("Idempotency-Replayed does not tell the first answer from the second")
		}
		if got := decoded(h.T, h.ask("POST", base+"/users", `{"email":"ida@acme.example"}`, keyLine)); got["code"] != "idempotency_key_reused" || got["status"] != 422.0 {
			h.Errorf("another body: %v", got)
		}
		if got := decoded(h.T, h.ask("POST", base+"/groups", `{"displayName":"zoe"}`, keyLine)); got["code"] != "idempotency_key_reused" {
			h.Errorf("another path: %v", got)
		}
		if n := len(items(h.want(200, "GET", base+"/users", ""))); n != 1 {
			h.Errorf("%d users, want 1", n)
		}
		// Another token has keys of its own; refusals are answers too.
		other := h.token("acme", "admin")
		for range 2 {
			if got := h.wantBy(other, 409, "POST", base+"/users", `{"email":"zoe@acme.example"}`, keyLine); got["code"] != "user_name_in_use" {
				h.Errorf("another token: %v", got)
			}
		}
		h.api = h.want(201, "POST", "/api/v1/orgs/platform/tokens", `{}`)["token"].(string)
		if w := h.ask("POST", base+"/users", `{"email":"ada@acme.example"}`, keyLine); w.Code != 201 {
			h.Errorf("the key of another operator: %d %s", w.Code, w.Body)
		}
		h.ahead = 25 * time.Hour
		if w := h.ask("POST", base+"/users", `{"email":"ida@acme.example"}`, keyLine); w.Code != 201 {
			h.Errorf("the key a day later: %d %s", w.Code, w.Body)
		}
	})
}

func TestOnceRefusesBadKeys(t *testing.T) {
	h := open(t, "")
	for _, key := range []string{"a b", strings.Repeat("x", 65), "clé", "a\tb"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/orgs", strings.NewReader(`{"slug":"acme"}`))
		r.Header.Set("Authorization", "Bearer "+h.api)
		r.Header.Set("Content-Type", "application/json")
		r.Header["Idempotency-Key"] = []string{key}
		w := httptest.NewRecorder()
		h.door.ServeHTTP(w, r)
		if got := decoded(t, w); w.Code != 422 || got["field"] != "header.Idempotency-Key" {
			t.Errorf("key %q: %d %s", key, w.Code, w.Body)
		}
	}
	if w := h.ask("POST", "/api/v1/orgs", `{"slug":"`+strings.Repeat("a", 70_000)+`"}`, keyLine); w.Code != 413 {
		t.Errorf("a large body: %d %s", w.Code, w.Body)
	}
	h.want(404, "GET", "/api/v1/orgs/acme", "")
}

// TestOnceCrash: a run that ended between its commit and its note does not create
// twice when the request is repeated.
func TestOnceCrash(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		const body = `{"email":"zoe@acme.example"}`
		r := httptest.NewRequestWithContext(h.Context(), "POST", base+"/users", nil)
		r.Header.Set("Content-Type", "application/json")
		c := h.caller("acme")
		once, err := h.directory.BeginOnce(h.Context(), c, resources.Repeatable{Key: "5d0c-1", Request: admin.Fingerprint(r, []byte(body)), Secret: h.api})
		if err != nil {
			h.Fatal(err)
		}
		if w := h.ask("POST", base+"/users", body, keyLine); w.Code != 409 || decoded(h.T, w)["code"] != "request_in_flight" || w.Header().Get("Retry-After") == "" {
			h.Errorf("while it is on its way: %d %s", w.Code, w.Body)
		}
		if c.NewID, err = once.ID(resources.KindUser, 0); err != nil {
			h.Fatal(err)
		}
		h.create(c, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"zoe@acme.example","emails":[{"value":"zoe@acme.example"}],"active":true}`)
		h.ahead = time.Minute // its lead is over
		for range 2 {
			if got := h.wantBy(h.api, 201, "POST", base+"/users", body, keyLine); got["id"] != c.NewID {
				h.Errorf("repeated: %v, want the user %s", got, c.NewID)
			}
		}
	})
}

// TestOnceOfEverything: whatever a POST creates, a run that was cut off before its
// note and its repetition create it once.
func TestOnceOfEverything(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	h.want(201, "POST", base+"/locations", `{"name":"Paris","country":"FR"}`)
	for path, body := range map[string]string{
		"/users/batch": `{"users":[{"email":"a@acme.example"},{"email":"b@acme.example"}]}`, "/groups": `{"displayName":"Sales"}`,
		"/subscriptions": `{"sku":"host","units":3}`, "/licence-templates": `{"type":"org","skus":["basic"]}`,
		"/locations": `{"name":"Lyon"}`, "/billing-reports": `{}`, "/licences/retry": `{}`, "/tokens": `{"name":"x"}`,
	} {
		list := base + strings.TrimSuffix(path, "/batch")
		if path == "/licences/retry" {
			list = base + "/jobs"
		}
		before := len(items(h.want(200, "GET", list, "")))
		h.cutOff(path, base+path, body)
		after := len(items(h.want(200, "GET", list, "")))
		w := h.ask("POST", base+path, body, "Idempotency-Key: cut-"+strings.ReplaceAll(path, "/", "-"))
		if w.Code >= 300 {
			t.Errorf("%s repeated: %d %s", path, w.Code, w.Body)
		}
		if now := len(items(h.want(200, "GET", list, ""))); after == before || now != after {
			t.Errorf("%s: %d things, after the run that was cut off %d, after its repetition %d", path, before, after, now)
		}
	}
}

// cutOff does a request whose answer is never written down, as if the node had
// died then: what was remembered of it is put back to how it began.
func (h *house) cutOff(path, full, body string) {
	h.Helper()
	key := "cut-" + strings.ReplaceAll(path, "/", "-")
	c := h.caller("acme")
	if path == "/tokens" {
		var err error
		if c, err = h.directory.Authenticate(h.Context(), h.api); err != nil {
			h.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(h.Context(), "POST", full, nil)
	r.Header.Set("Content-Type", "application/json")
	request := resources.Repeatable{Key: key, Request: admin.Fingerprint(r, []byte(body)), Secret: h.api}
	once, err := h.directory.BeginOnce(h.Context(), c, request)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.directory.EndOnce(h.Context(), c, once, nil); err != nil {
		h.Fatal(err)
	}
	if w := h.ask("POST", full, body, "Idempotency-Key: "+key); w.Code >= 300 {
		h.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	// The same beginning, without the answer.
	if err := h.directory.EndOnce(h.Context(), c, once, []byte{}); err != nil {
		h.Fatal(err)
	}
}

// TestOnceAtOnce: of many at once one is done; the others get its answer or are
// told that it is on its way.
func TestOnceAtOnce(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		var wg sync.WaitGroup
		got := make([]*httptest.ResponseRecorder, 12)
		for i := range got {
			wg.Go(func() { got[i] = h.ask("POST", base+"/groups", `{"displayName":"Sales"}`, keyLine) })
		}
		wg.Wait()
		made := 0
		for _, w := range got {
			switch w.Code {
			case 201:
				made++
			case 409:
				if decoded(h.T, w)["code"] != "request_in_flight" {
					h.Errorf("%s", w.Body)
				}
			default:
				h.Errorf("%d %s", w.Code, w.Body)
			}
		}
		if n := len(items(h.want(200, "GET", base+"/groups", ""))); made == 0 || n != 1 {
			h.Errorf("%d were told that it is made, and there are %d", made, n)
		}
	})
}

// TestOnceKeepsNoSecrets: what is remembered of an answer with a token is sealed.
func TestOnceKeepsNoSecrets(t *testing.T) {
	url := redistest.Start(t)
	h := open(t, url)
	h.org("acme")
	text := h.wantBy(h.api, 201, "POST", "/api/v1/orgs/acme/tokens", `{"name":"okta"}`, keyLine)["token"].(string)
	if again := h.wantBy(h.api, 201, "POST", "/api/v1/orgs/acme/tokens", `{"name":"okta"}`, keyLine); again["token"] != text {
		t.Errorf("another token the second time")
	}
	db := redistest.Client(t, url)
	secret, sealed := strings.Split(text, "_")[3], 0
	for _, key := range db.Keys(t.Context(), "*").Val() {
		if db.Type(t.Context(), key).Val() != "string" {
			continue
		}
		value := db.Get(t.Context(), key).Val()
		if strings.Contains(value, secret) || strings.Contains(value, text) || strings.Contains(key, "5d0c-1") {
			t.Errorf("%s has the secret or the key in clear", key)
		}
		if bytes.Contains([]byte(key), []byte("once")) {
			sealed++
		}
	}
	if sealed == 0 {
		t.Error("nothing is remembered at all: the test looks in the wrong place")
	}
}

// caller is the operator that acts on an organization through the API.
func (h *house) caller(slug string) resources.Caller {
	h.Helper()
	platform, err := h.directory.Authenticate(h.Context(), h.api)
	if err != nil {
		h.Fatal(err)
	}
	c, err := h.directory.Operate(context.WithoutCancel(h.Context()), platform, slug)
	if err != nil {
		h.Fatal(fmt.Errorf("operate on %s: %w", slug, err))
	}
	return c
}
