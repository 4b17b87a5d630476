package scim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/scim"
)

// every address refuses the methods it does not have, with Allow;
// OPTIONS tells them; HEAD is GET without body.
func TestMethods(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	ids := map[string]string{"User": h.user("m@acme.example"), "Group": h.group("M"), "ResourceType": "User", "Schema": userURN}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"}
	for _, rt := range h.Routes() {
		path := "/" + strings.Replace(strings.Join(rt.Path, "/"), "{id}", ids[rt.Resource], 1)
		has := append([]string(nil), rt.Methods...)
		if slices.Contains(has, "GET") {
			has = append(has, "HEAD")
		}
		for _, m := range methods {
			if slices.Contains(has, m) {
				continue
			}
			r := h.ask(m, path, "").want(405)
			if r.Header().Get("Allow") != rt.Allow {
				t.Errorf("%s %s: Allow %q, want %q", m, path, r.Header().Get("Allow"), rt.Allow)
			}
		}
		r := h.ask("OPTIONS", path, "").want(204)
		for _, m := range append(has, "OPTIONS") {
			if !slices.Contains(strings.Split(r.Header().Get("Allow"), ", "), m) {
				t.Errorf("OPTIONS %s: Allow %q lacks %s", path, r.Header().Get("Allow"), m)
			}
		}
		if !slices.Contains(has, "HEAD") {
			continue
		}
		get, head := h.ask("GET", path, ""), h.ask("HEAD", path, "")
		if head.Code != get.Code || head.Body.Len() != 0 || head.Header().Get("ETag") != get.Header().Get("ETag") || head.Header().Get("Content-Type") != get.Header().Get("Content-Type") {
			t.Errorf("HEAD %s: %d %v %q, GET: %d %v", path, head.Code, head.Header(), head.Body, get.Code, get.Header())
		}
	}
}

// security S19: the headers that every answer has.
func TestHeaders(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/Users", ""},
		{"GET", "/Users/" + unknownUser, ""},
		{"POST", "/Users", userBody("h")},
		{"POST", "/Users", "{"},
		{"GET", "/ServiceProviderConfig", ""},
		{"GET", "/nothing", ""},
		{"PUT", "/Users", "{}"},
		{"GET", "/Me", ""},
	} {
		r := h.ask(c.method, c.path, c.body)
		for name, want := range map[string]string{"Content-Type": "application/scim+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
			if got := r.Header().Get(name); got != want {
				t.Errorf("%s %s: %s %q, want %q", c.method, c.path, name, got, want)
			}
		}
		if id := r.Header().Get("X-Request-Id"); len(id) < 8 {
			t.Errorf("%s %s: X-Request-Id %q", c.method, c.path, id)
		}
	}
	if got := h.ask("GET", "/Users", "", "X-Request-Id", "trace-42.a_B").Header().Get("X-Request-Id"); got != "trace-42.a_B" {
		t.Errorf("a good request id became %q", got)
	}
	for _, bad := range []string{strings.Repeat("a", 65), "a b", "a\tb", `"x"`, "é"} {
		if got := h.ask("GET", "/Users", "", "X-Request-Id", bad).Header().Get("X-Request-Id"); got == bad {
			t.Errorf("a bad request id was kept: %q", got)
		}
	}
}

// L-26, R-17.
func TestAccept(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for accept, want := range map[string]string{
		"":                                     "application/scim+json",
		"*/*":                                  "application/scim+json",
		"application/*;q=0.5":                  "application/scim+json",
		"application/scim+json; charset=utf-8": "application/scim+json",
		"application/json":                     "application/json",
		"application/json; charset=utf-8":      "application/json",
		"application/json, application/scim+json": "application/scim+json",
		"application/json, text/plain, */*":       "application/scim+json",
		"text/html, application/json;q=0.9":       "application/json",
		"APPLICATION/JSON":                        "application/json",
	} {
		r := h.ask("GET", "/Users", "", "Accept", accept).want(200)
		if got := r.Header().Get("Content-Type"); got != want {
			t.Errorf("Accept %q: Content-Type %q, want %q", accept, got, want)
		}
	}
	for _, accept := range []string{"text/html", "application/xml", "application/json;q=0", "image/png, text/*"} {
		h.ask("GET", "/Users", "", "Accept", accept).fails(406, "")
	}
}

// L-27: how people type addresses.
func TestSloppyAddresses(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id := h.user("sloppy@acme.example")
	for _, path := range []string{"/Users/" + id + "/", "//Users//" + id, "/users/" + id, "/USERS/" + id, "/Users/" + id + "?aadOptscim062020"} {
		if got := h.ask("GET", path, "").want(200).str("id"); got != id {
			t.Errorf("%s: id %q", path, got)
		}
	}
	for _, path := range []string{"/users/", "/groups", "/serviceproviderconfig", "/schemas/", "/resourcetypes"} {
		h.ask("GET", path, "").want(200)
	}
	for _, target := range []string{"/", "/orgs", "/orgs/acme", "/orgs/acme/scim", "/orgs/acme/v2/Users", "/orgs/acme/scim/Users", "/orgs/acme/scim/vx/Users", "/orgs/acme/scim/v2/Users/" + id + "/more", "/orgs/acme/scim/v2/Devices", "/other"} {
		h.askAs(h.token["acme"], "GET", target, "").fails(404, "")
	}
}

//
func TestOtherVersions(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, v := range []string{"v1", "v1.1", "v3", "V1"} {
		h.askAs(h.token["acme"], "GET", "/orgs/acme/scim/"+v+"/Users", "").fails(400, "invalidVers")
	}
	h.askAs(h.token["acme"], "GET", "/orgs/acme/scim/V2/Users", "").want(200)
}

// what is not offered says so.
func TestNotImplemented(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, c := range []struct{ method, path string }{
		{"GET", "/Me"},
		{"PUT", "/Me"},
		{"PATCH", "/Me"},
		{"DELETE", "/Me"},
		{"POST", "/Me"},
	} {
		body := ""
		if c.method == "POST" {
			body = "{}"
		}
		h.ask(c.method, c.path, body).fails(501, "")
	}
}

// R-41…R-46: discovery, with absolute locations; parameters are ignored.
func TestDiscovery(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	base := publicURL + "/orgs/acme/scim/v2"
	r := h.ask("GET", "/ServiceProviderConfig?filter=nonsense", "").want(200)
	for _, name := range []string{"patch", "filter", "sort", "etag"} {
		if r.at(name, "supported") != true {
			t.Errorf("%s: %v", name, r.at(name))
		}
	}
	if r.num("filter", "maxResults") != 200 || r.str("meta", "location") != base+"/ServiceProviderConfig" || r.str("authenticationSchemes", 0, "type") != "oauthbearertoken" {
		t.Errorf("ServiceProviderConfig: %s", r.Body)
	}
	types := h.ask("GET", "/ResourceTypes?startIndex=2&count=0&filter=x", "").want(200)
	if types.num("totalResults") != 3 || len(types.list("Resources")) != 3 || types.str("Resources", 0, "meta", "location") != base+"/ResourceTypes/User" {
		t.Errorf("ResourceTypes: %s", types.Body)
	}
	if r := h.ask("GET", "/ResourceTypes/Group", "").want(200); r.str("endpoint") != "/Groups" || r.str("schema") != groupURN {
		t.Errorf("ResourceTypes/Group: %s", r.Body)
	}
	h.ask("GET", "/ResourceTypes/Device", "").fails(404, "")
	if r := h.ask("GET", "/Schemas", "").want(200); r.num("totalResults") < 3 || r.num("totalResults") != len(r.list("Resources")) {
		t.Errorf("Schemas: %d", r.num("totalResults"))
	}
	if r := h.ask("GET", "/Schemas/"+strings.ReplaceAll(enterpriseURN, ":", "%3a"), "").want(200); r.str("id") != enterpriseURN || r.str("meta", "location") != base+"/Schemas/"+enterpriseURN {
		t.Errorf("Schemas/enterprise: %s", r.Body)
	}
	h.ask("GET", "/Schemas/urn:nobody", "").fails(404, "")
	other := h.askAs(h.token["rival"], "GET", "/orgs/rival/scim/v2/ServiceProviderConfig", "").want(200)
	if got := other.str("meta", "location"); got != publicURL+"/orgs/rival/scim/v2/ServiceProviderConfig" {
		t.Errorf("another organization's location: %q", got)
	}
}

// A faulty configuration names every fault at once.
func TestConfig(t *testing.T) {
	_, err := scim.New(scim.Config{PublicURL: "ftp://x", Rate: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Directory", "Log", "Now", "Rate", "PublicURL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	var _ http.Handler = (*scim.Server)(nil)
}
