package admin_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/messages"
	"github.com/usher-scim/usher/internal/redistest"
)

// TestRefusals is one function because its length is that of its table.
func TestRefusals(t *testing.T) {
	h := open(t, "")
	h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme"}`)
	const orgs, tokens = "/api/v1/orgs", "/api/v1/orgs/acme/tokens"
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code, field              string
		says                     string // in the detail
	}{
		{"no token", "GET", orgs, "", []string{"Authorization: "}, 401, "unauthenticated", "", "Authorization: Bearer"},
		{"wrong token", "GET", orgs, "", []string{"Authorization: Bearer ush_platform_x_y"}, 401, "unauthenticated", "", "expired or revoked"},
		{"basic authentication", "GET", orgs, "", []string{"Authorization: Basic eDp5"}, 401, "unauthenticated", "", ""},
		{"token in the query (T6)", "GET", orgs + "?access_token=" + h.api, "", []string{"Authorization: "}, 401, "unauthenticated", "", ""},
		{"token in a cookie (T6)", "GET", orgs, "", []string{"Authorization: ", "Cookie: token=" + h.api}, 401, "unauthenticated", "", ""},
		{"provisioning token", "GET", orgs, "", []string{"Authorization: Bearer " + h.scim}, 403, "forbidden", "", "scope platform"},
		{"provisioning token before faults of the body", "POST", orgs, `{]`, []string{"Authorization: Bearer " + h.scim}, 403, "forbidden", "", ""},
		{"unknown path", "GET", "/api/v1/org", "", nil, 404, "not_found", "", "/api/openapi.json"},
		{"unknown path without a token", "GET", "/api/v1/org", "", []string{"Authorization: "}, 401, "unauthenticated", "", ""},
		{"method", "PUT", orgs, "{}", nil, 405, "method_not_allowed", "", "GET, POST"},
		{"unknown query parameter", "GET", orgs + "?limt=3", "", nil, 422, "invalid_value", "query.limt", "unknown"},
		{"limit too large", "GET", orgs + "?limit=501", "", nil, 422, "invalid_value", "query.limit", "500"},
		{"limit no number", "GET", orgs + "?limit=x", "", nil, 422, "invalid_value", "query.limit", "integer"},
		{"offset below zero", "GET", orgs + "?offset=-1", "", nil, 422, "invalid_value", "query.offset", "0"},
		{"no body", "POST", orgs, "", nil, 400, "invalid_json", "", "missing"},
		{"no object", "POST", orgs, `["a"]`, nil, 422, "invalid_value", "body", "object"},
		{"broken body", "POST", orgs, `{"slug":`, nil, 400, "invalid_json", "", "JSON"},
		{"doubled member", "POST", orgs, `{"slug":"a","slug":"b"}`, nil, 400, "invalid_json", "", "slug"},
		{"not JSON", "POST", orgs, "slug=a", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type", "", "application/json"},
		{"unknown member", "POST", orgs, `{"slug":"a","nam":"b"}`, nil, 422, "invalid_value", "body.nam", ""},
		{"missing member", "POST", orgs, `{"name":"b"}`, nil, 422, "invalid_value", "body", "slug"},
		{"wrong type", "POST", orgs, `{"slug":7}`, nil, 422, "invalid_value", "body.slug", "string"},
		{"bad slug", "POST", orgs, `{"slug":"Not A Slug"}`, nil, 422, "invalid_value", "slug", "hyphens"},
		{"taken slug", "POST", orgs, `{"slug":"acme"}`, nil, 409, "slug_in_use", "slug", "another"},
		{"taken slug when renaming", "PATCH", orgs + "/acme", `{"slug":"demo"}`, nil, 409, "slug_in_use", "slug", ""},
		{"state of the system", "PATCH", orgs + "/acme", `{"state":"deleting"}`, nil, 422, "invalid_value", "body.state", "active"},
		{"null", "PATCH", orgs + "/acme", `{"name":null}`, nil, 422, "invalid_value", "body", "name cannot be null"},
		{"null outside of a patch", "POST", orgs, `{"slug":"a","name":null}`, nil, 400, "invalid_json", "", "null"},
		{"huge body", "POST", orgs, `{"slug":"` + strings.Repeat("a", 70_000) + `"}`, nil, 413, "body_too_large", "", "65536"},
		{"unknown organization", "GET", orgs + "/nobody", "", nil, 404, "not_found", "", ""},
		{"tokens of an unknown organization", "GET", orgs + "/nobody/tokens", "", nil, 404, "not_found", "", ""},
		{"the platform is no organization", "GET", orgs + "/platform", "", nil, 404, "not_found", "", ""},
		{"scope of an organization for an operator", "POST", orgs + "/platform/tokens", `{"scopes":["scim"]}`, nil, 422, "invalid_value", "scopes", "platform"},
		{"scope that gives the platform away", "POST", tokens, `{"scopes":["platform"]}`, nil, 422, "invalid_value", "scopes", "scim"},
		{"unknown profile", "POST", tokens, `{"profile":"acme"}`, nil, 422, "invalid_value", "profile", "okta"},
		{"unknown policy", "POST", tokens, `{"policy":"strict"}`, nil, 422, "invalid_value", "policy", "relaxed"},
		{"a token for nobody", "POST", tokens, `{"user":"01k7sisni94bv9g0q0o0"}`, nil, 422, "invalid_value", "user", "a user that exists"},
		{"lifetime of nothing", "POST", tokens, `{"lifetime":"0d"}`, nil, 422, "invalid_value", "lifetime", "90d"},
		{"lifetime beyond the most", "POST", tokens, `{"lifetime":"366d"}`, nil, 422, "invalid_value", "lifetime", "365d"},
		{"lifetime that overflows", "POST", tokens, `{"lifetime":"4000000000d"}`, nil, 422, "invalid_value", "lifetime", "365d"},
		{"lifetime without a unit", "POST", tokens, `{"lifetime":"90"}`, nil, 422, "invalid_value", "lifetime", "90d"},
		{"unknown token", "DELETE", tokens + "/nothing", "", nil, 404, "not_found", "", ""},
		{"rotation of an unknown token", "POST", tokens + "/nothing/rotate", "", nil, 404, "not_found", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := h.ask(tt.method, tt.path, tt.body, tt.header...)
			if w.Code != tt.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Fatalf("status %d %s, want %d application/problem+json: %s", w.Code, w.Header().Get("Content-Type"), tt.status, w.Body)
			}
			p := decoded(t, w)
			field, _ := p["field"].(string)
			detail, _ := p["detail"].(string)
			if p["code"] != tt.code || field != tt.field || p["status"] != float64(tt.status) || p["title"] != messages.Title("en", tt.code) || w.Header().Get("Content-Language") != "en" {
				t.Errorf("problem %v, want code %s and field %q", p, tt.code, tt.field)
			}
			if p["request_id"] != w.Header().Get("X-Request-Id") {
				t.Errorf("request_id %v is not the header's", p["request_id"])
			}
			if detail == "" || !strings.Contains(detail, tt.says) {
				t.Errorf("the detail %q does not say %q", detail, tt.says)
			}
			checkHeaders(t, w)
			if strings.Contains(w.Body.String(), h.api) || strings.Contains(w.Body.String(), h.scim) {
				t.Error("the answer shows a token")
			}
		})
	}
}

func checkHeaders(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	needs := map[int]string{401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After"}
	if name := needs[w.Code]; name != "" && w.Header().Get(name) == "" {
		t.Errorf("a %d without %s", w.Code, name)
	}
}

func TestStoreAway(t *testing.T) {
	server := redistest.Run(t, redistest.Config{})
	h := open(t, server.URL)
	h.want(200, "GET", "/api/v1/orgs", "")
	server.Kill()
	w := h.ask("GET", "/api/v1/orgs/demo", "")
	if w.Code != 503 || decoded(t, w)["code"] != "unavailable" {
		t.Fatalf("%d %s, want 503 unavailable", w.Code, w.Body)
	}
	checkHeaders(t, w)
	for _, leak := range []string{"dial", "redis", "127.0.0.1", "EOF", ".go:"} {
		if strings.Contains(w.Body.String(), leak) {
			t.Errorf("the answer shows %q: %s", leak, w.Body)
		}
	}
}

func TestRequestID(t *testing.T) {
	h := open(t, "")
	for given, kept := range map[string]bool{"abc-1.2_X": true, "a b": false, "x\"y": false, strings.Repeat("a", 65): false} {
		got := h.ask("GET", "/api/v1/orgs", "", "X-Request-Id: "+given).Header().Get("X-Request-Id")
		if (got == given) != kept {
			t.Errorf("X-Request-Id %q became %q, kept should be %v", given, got, kept)
		}
	}
}
