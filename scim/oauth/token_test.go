package oauth_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

const form = "application/x-www-form-urlencoded"

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// TestClientSecret: client_secret_basic and client_secret_post give a token
// that works, with the scopes asked for, until it expires.
func TestClientSecret(t *testing.T) {
	onBoth(t, func(h *house) {
		cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret, Scopes: []resources.Scope{resources.ScopeUsers, resources.ScopeGroupsRead}})
		r := h.serve("POST", "/orgs/acme/oauth/token", "grant_type=client_credentials&scope=users", "Content-Type", form+"; charset=UTF-8", "Authorization", basic(cl.ID, secret.Text))
		if r.Code != 200 || r.json["expires_in"] != 3600.0 || r.str("scope") != "users" || r.str("token_type") != "Bearer" || r.Header().Get("Pragma") != "no-cache" {
			h.Fatalf("%d %s", r.Code, r.Body)
		}
		if got := h.scim(r.str("access_token"), "GET", "/Users"); got.Code != 200 {
			h.Errorf("users: %d %s", got.Code, got.Body)
		}
		if got := h.scim(r.str("access_token"), "GET", "/Groups"); got.Code != 403 {
			h.Errorf("groups without the scope: %d", got.Code)
		}
		all := h.token("client_id", cl.ID, "client_secret", secret.Text)
		if got := h.scim(all, "GET", "/Groups"); got.Code != 200 {
			h.Errorf("groups: %d %s", got.Code, got.Body)
		}
		if got := h.serve("GET", "/orgs/rival/scim/v2/Users", "", "Authorization", "Bearer "+all); got.Code != 404 {
			h.Errorf("in another organization: %d", got.Code)
		}
		config := h.scim(all, "GET", "/ServiceProviderConfig").Body.String()
		if !strings.Contains(config, `"type":"oauth2"`) || !strings.Contains(config, issuer+"/.well-known/oauth-authorization-server") || !strings.Contains(config, `"oauthbearertoken"`) {
			h.Errorf("ServiceProviderConfig does not announce OAuth: %s", config)
		}
		_, static, err := h.dir.CreateToken(h.Context(), h.admin, "acme", resources.TokenSpec{})
		if err != nil {
			h.Fatal(err)
		}
		if config = h.scim(static, "GET", "/ServiceProviderConfig").Body.String(); strings.Contains(config, "oauth2") {
			h.Errorf("a connection with a token of its own is told of OAuth: %s", config)
		}
		h.wait(time.Hour - time.Second)
		if got := h.scim(all, "GET", "/Users"); got.Code != 200 {
			h.Errorf("a second before it expires: %d", got.Code)
		}
		h.wait(2 * time.Second)
		if got := h.scim(all, "GET", "/Users"); got.Code != 401 || !strings.HasPrefix(got.Header().Get("WWW-Authenticate"), "Bearer ") {
			h.Errorf("expired: %d %v", got.Code, got.Header())
		}
		h.wantError(h.ask("client_id", cl.ID, "client_secret", secret.Text, "scope", "users scim"), 400, "invalid_scope")
		h.wait(366 * 24 * time.Hour)
		h.wantError(h.ask("client_id", cl.ID, "client_secret", secret.Text), 401, "invalid_client")
	})
}

// TestEndOfTokens: rotation keeps both secrets alive; a revoked secret and a
// deleted client end their tokens.
func TestEndOfTokens(t *testing.T) {
	onBoth(t, func(h *house) {
		ctx := h.Context()
		cl, first := h.client(resources.ClientSpec{Method: resources.MethodSecret})
		_, second, err := h.dir.RotateClientSecret(ctx, h.admin, "acme", cl.ID, 0)
		if err != nil {
			h.Fatal(err)
		}
		a, b := h.token("client_id", cl.ID, "client_secret", first.Text), h.token("client_id", cl.ID, "client_secret", second.Text)
		for _, token := range []string{a, b} {
			if got := h.scim(token, "GET", "/Users"); got.Code != 200 {
				h.Errorf("%d %s", got.Code, got.Body)
			}
		}
		if err := h.dir.RevokeClientSecret(ctx, h.admin, "acme", cl.ID, first.ID); err != nil {
			h.Fatal(err)
		}
		if x, y := h.scim(a, "GET", "/Users").Code, h.scim(b, "GET", "/Users").Code; x != 401 || y != 200 {
			h.Errorf("after the first secret was revoked: %d, %d", x, y)
		}
		if err := h.dir.DeleteClient(ctx, h.admin, "acme", cl.ID); err != nil {
			h.Fatal(err)
		}
		if got := h.scim(b, "GET", "/Users"); got.Code != 401 {
			h.Errorf("after the client was deleted: %d", got.Code)
		}
		h.wantError(h.ask("client_id", cl.ID, "client_secret", second.Text), 401, "invalid_client")
	})
}

// TestRefusedRequests: what is no proper request, and what is no good proof
// (RFC 6749 §5.2).
func TestRefusedRequests(t *testing.T) {
	h := open(t, "", nil)
	cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	id, pass := "client_id="+cl.ID, "client_secret="+secret.Text
	const path, grant = "/orgs/acme/oauth/token", "grant_type=client_credentials"
	good := grant + "&" + id + "&" + pass
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
	}{
		"no form":          {"POST", path, `{"grant_type":"client_credentials"}`, []string{"Content-Type", "application/json"}, 400, "invalid_request"},
		"no type":          {"POST", path, good, nil, 400, "invalid_request"},
		"compressed":       {"POST", path, good, []string{"Content-Type", form, "Content-Encoding", "gzip"}, 400, "invalid_request"},
		"no grant":         {"POST", path, id + "&" + pass, []string{"Content-Type", form}, 400, "invalid_request"},
		"other grant":      {"POST", path, strings.Replace(good, grant, "grant_type=password", 1), []string{"Content-Type", form}, 400, "unsupported_grant_type"},
		"twice":            {"POST", path, good + "&" + pass, []string{"Content-Type", form}, 400, "invalid_request"},
		"in the query":     {"POST", path + "?" + good, grant, []string{"Content-Type", form}, 400, "invalid_request"},
		"badly encoded":    {"POST", path, good + "&x=%zz", []string{"Content-Type", form}, 400, "invalid_request"},
		"too large":        {"POST", path, good + "&x=" + strings.Repeat("x", 64<<10), []string{"Content-Type", form}, 413, "invalid_request"},
		"two ways":         {"POST", path, good, []string{"Content-Type", form, "Authorization", basic(cl.ID, secret.Text)}, 400, "invalid_request"},
		"two ways again":   {"POST", path, good + "&client_assertion=x", []string{"Content-Type", form}, 400, "invalid_request"},
		"two headers":      {"POST", path, grant, []string{"Content-Type", form, "Authorization", basic(cl.ID, secret.Text), "Authorization", "Basic eDp5"}, 400, "invalid_request"},
		"another name":     {"POST", path, grant + "&client_id=x", []string{"Content-Type", form, "Authorization", basic(cl.ID, secret.Text)}, 400, "invalid_request"},
		"other assertion":  {"POST", path, grant + "&client_assertion=x&client_assertion_type=saml", []string{"Content-Type", form}, 400, "invalid_request"},
		"17 scopes":        {"POST", path, good + "&scope=" + strings.Repeat("users+", 17), []string{"Content-Type", form}, 400, "invalid_scope"},
		"no client":        {"POST", path, grant, []string{"Content-Type", form}, 401, "invalid_client"},
		"wrong secret":     {"POST", path, grant + "&" + id + "&client_secret=x", []string{"Content-Type", form}, 401, "invalid_client"},
		"unknown client":   {"POST", path, grant + "&client_id=x&" + pass, []string{"Content-Type", form}, 401, "invalid_client"},
		"wrong in header":  {"POST", path, grant, []string{"Content-Type", form, "Authorization", basic(cl.ID, "x")}, 401, "invalid_client"},
		"bearer":           {"POST", path, grant, []string{"Content-Type", form, "Authorization", "Bearer " + secret.Text}, 401, "invalid_client"},
		"broken header":    {"POST", path, grant, []string{"Content-Type", form, "Authorization", "Basic !"}, 401, "invalid_client"},
		"of another org":   {"POST", "/orgs/rival/oauth/token", good, []string{"Content-Type", form}, 401, "invalid_client"},
		"of no org":        {"POST", "/orgs/nobody/oauth/token", good, []string{"Content-Type", form}, 401, "invalid_client"},
		"other case":       {"POST", "/orgs/ACME/oauth/token", good, []string{"Content-Type", form}, 401, "invalid_client"},
		"GET":              {"GET", path, "", nil, 405, "invalid_request"},
		"odd organization": {"POST", "/orgs/a%2fb/oauth/token", good, []string{"Content-Type", form}, 404, "not_found"},
	} {
		h.wait(10 * time.Second) // the limit is another test's
		r := h.serve(c.method, c.path, c.body, c.headers...)
		if r.Code != c.status || r.str("error") != c.code || r.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s, want %d %s", name, r.Code, r.Body, c.status, c.code)
		}
		inHeader := strings.Contains(strings.Join(c.headers, " "), "Authorization")
		if challenged := strings.HasPrefix(r.Header().Get("WWW-Authenticate"), "Basic "); r.Code == 401 && challenged != inHeader {
			t.Errorf("%s: WWW-Authenticate %q", name, r.Header().Get("WWW-Authenticate"))
		}
	}
	suspended := resources.OrgSuspended
	if _, err := h.dir.UpdateOrg(t.Context(), h.admin, "acme", resources.OrgChange{State: &suspended}); err != nil {
		t.Fatal(err)
	}
	h.wantError(h.ask("client_id", cl.ID, "client_secret", secret.Text), 400, "unauthorized_client")
	h.wantError(h.ask("client_id", cl.ID, "client_secret", "x"), 401, "invalid_client")
}

// TestTokenLimit: a client that asks without end is told to wait; others are
// not (security T3).
func TestTokenLimit(t *testing.T) {
	h := open(t, "", nil)
	cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	one, two := 0, 0
	for range 60 {
		if r := h.ask("client_id", cl.ID, "client_secret", secret.Text); r.Code == 200 {
			one++
		} else if r.Code != 429 || r.Header().Get("Retry-After") != "1" {
			t.Fatalf("%d %v", r.Code, r.Header())
		}
	}
	if r := h.ask("client_id", "somebody else", "client_secret", "x"); r.Code == 401 {
		two++
	}
	if one < 20 || one > 35 || two != 1 {
		t.Errorf("%d of 60 at once, want about 20; another client %d", one, two)
	}
	h.wait(2 * time.Second)
	h.token("client_id", cl.ID, "client_secret", secret.Text)
}

// TestMetadata: RFC 8414, at both addresses, for organizations that are there.
func TestMetadata(t *testing.T) {
	h := open(t, "", nil)
	for _, path := range []string{"/.well-known/oauth-authorization-server/orgs/acme", "/orgs/acme/.well-known/oauth-authorization-server"} {
		r := h.serve("GET", path, "")
		if r.Code != 200 || r.str("issuer") != issuer || r.str("token_endpoint") != endpoint || r.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
		for name, want := range map[string]string{
			"grant_types_supported": "client_credentials", "token_endpoint_auth_methods_supported": "client_secret_basic client_secret_post private_key_jwt",
			"token_endpoint_auth_signing_alg_values_supported": "RS256 PS256 ES256 ES384 EdDSA", "response_types_supported": "",
			"scopes_supported": "scim scim:read users users:read groups groups:read resources resources:read",
		} {
			list, ok := r.json[name].([]any)
			var got []string
			for _, v := range list {
				got = append(got, v.(string))
			}
			if !ok || strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", name, r.json[name], want)
			}
		}
		if r := h.serve("HEAD", path, ""); r.Code != 200 || r.Body.Len() > 0 {
			t.Errorf("HEAD: %d, %d bytes", r.Code, r.Body.Len())
		}
		h.wantError(h.serve("DELETE", path, ""), 405, "invalid_request")
		h.wantError(h.serve("GET", strings.Replace(path, "acme", "nobody", 1), ""), 404, "not_found")
	}
	h.wantError(h.serve("GET", "/.well-known/oauth-authorization-server/else", ""), 404, "not_found")
	h.wantError(h.serve("GET", "/.well-known/oauth-authorization-server/orgs/"+strings.Repeat("a", 64), ""), 404, "not_found")
}

// TestNothingLeaks: neither the store nor the log ever holds a secret or a
// token (security T1).
func TestNothingLeaks(t *testing.T) {
	h := open(t, "", nil)
	cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	token := h.token("client_id", cl.ID, "client_secret", secret.Text)
	h.scim(token, "GET", "/Users")
	h.ask("client_id", cl.ID, "client_secret", secret.Text+"wrong")
	h.serve("POST", "/orgs/acme/oauth/token?client_secret="+secret.Text, "", "Content-Type", form)
	rec, err := h.store.Get(t.Context(), orgOf(h, token), resources.KindSetting, cl.ID)
	if err != nil || rec == nil {
		t.Fatal(err)
	}
	part := strings.Split(token, "_")
	stored, err := h.store.Get(t.Context(), orgOf(h, token), resources.KindToken, part[2])
	if err != nil || stored == nil {
		t.Fatal(err)
	}
	events, err := h.store.Events(t.Context(), orgOf(h, token), "", 100)
	if err != nil || len(events) < 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	all := h.log.String() + string(rec.Profile) + string(stored.Profile)
	for _, hidden := range []string{secret.Text, strings.TrimPrefix(secret.Text, "ushs_"), token, part[3]} {
		if strings.Contains(all, hidden) {
			t.Errorf("%.8s… is in the log or the store", hidden)
		}
	}
	if !strings.Contains(h.log.String(), cl.ID) {
		t.Error("the log does not tell which client asked")
	}
}

func orgOf(h *house, token string) resources.OrgID {
	c, err := h.dir.Authenticate(h.Context(), token)
	if err != nil {
		h.Fatal(err)
	}
	return c.Org
}
