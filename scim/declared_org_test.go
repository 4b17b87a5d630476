package scim_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// declareFor declares a document for one organization, as its operator does.
func (h *house) declareFor(slug, file string) {
	h.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.dir.SetDeclared(context.Background(), h.admin, slug, raw, nil); err != nil {
		h.t.Fatal(err)
	}
}

// badgesFor gives the users of an organization the example extension.
func (h *house) badgesFor(slug string) {
	h.t.Helper()
	raw, err := os.ReadFile(exampleBadge)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.dir.PutSchema(context.Background(), h.admin, slug, exampleURN, raw); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.dir.Extend(context.Background(), h.admin, slug, "User", exampleURN, false); err != nil {
		h.t.Fatal(err)
	}
}

const (
	exampleURN   = "urn:example:params:scim:schemas:extension:badge:2.0:User"
	exampleType  = "../docs/examples/device-type.json"
	exampleBadge = "../docs/examples/badge-extension.json"
)

// TestCrossTenantDeclared is security S1 for declared types: what one
// organization declares is nothing at another one, neither its addresses nor
// its attributes nor its ids.
func TestCrossTenantDeclared(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.declareFor("acme", exampleType)
		body := `{"schemas":["urn:example:params:scim:schemas:core:2.0:Device"],"displayName":"Laptop","serialNumber":"S1"}`
		id := h.ask("POST", "/Devices", body).want(201).str("id")
		there := func(method, path, body string) reply {
			t.Helper()
			return h.askAs(h.token["rival"], method, "/orgs/rival/scim/v2"+path, body)
		}
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"} {
			same(t, method, there(method, "/Nothing", body).want(404), there(method, "/Devices", body).want(404))
			same(t, method, there(method, "/Nothing/x", body).want(404), there(method, "/Devices/"+id, body).want(404))
			same(t, method, there(method, "/Users/00000000000000000004", body), there(method, "/Users/"+id, body))
		}
		for _, path := range []string{"/Schemas/urn:example:params:scim:schemas:core:2.0:Device", "/ResourceTypes/Device"} {
			h.ask("GET", path, "").want(200)
			there("GET", path, "").want(404)
		}
		for _, path := range []string{"/Schemas", "/ResourceTypes"} {
			if r := there("GET", path, "").want(200); strings.Contains(r.Body.String(), "Device") {
				t.Errorf("%s of the other organization: %s", path, r.Body)
			}
		}
		// The same type declared by both is two: ids and unique values of one mean
		// nothing to the other.
		h.declareFor("rival", exampleType)
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			same(t, method, there(method, "/Devices/"+id[:9]+"0"+id[10:], body), there(method, "/Devices/"+id, body).want(404))
		}
		there("POST", "/Devices", body).want(201)
		h.ask("POST", "/Devices", body).fails(409, "uniqueness")
		if n := there("GET", "/Devices", "").want(200).num("totalResults"); n != 1 {
			t.Errorf("%d devices", n)
		}
	})
}

// discovery shows what is declared, with every
// characteristic, and follows a change at once.
func TestDeclaredDiscovery(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	if n := h.ask("GET", "/ResourceTypes", "").want(200).num("totalResults"); n != 3 {
		t.Fatalf("%d resource types before", n)
	}
	h.badgesFor("acme")
	r := h.ask("GET", "/ResourceTypes/User", "").want(200)
	if n := len(r.list("schemaExtensions")); n != 6 {
		t.Errorf("User: %s", r.Body)
	}
	h.declare(declaration(t))
	h.badgesFor("rival")
	r = h.askAs(h.token["rival"], "GET", "/orgs/rival/scim/v2/ResourceTypes", "").want(200)
	if r.num("totalResults") != 5 {
		t.Errorf("types: %s", r.Body)
	}
	r = h.ask("GET", "/ResourceTypes/device", "").want(200)
	r.holds(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"Device","name":"Device","description":"A device",
		"endpoint":"/Devices","schema":"` + deviceURN + `","schemaExtensions":[{"schema":"` + stockURN + `","required":false}],
		"meta":{"resourceType":"ResourceType","location":"` + publicURL + `/orgs/acme/scim/v2/ResourceTypes/Device"}}`)
	h.ask("GET", "/ResourceTypes/Room", "").want(200).holds(`true`, "schemaExtensions", 0, "required")
	r = h.ask("GET", "/Schemas/"+deviceURN, "").want(200)
	shown := map[string]any{}
	for i := range r.list("attributes") {
		shown[r.str("attributes", i, "name")] = r.at("attributes", i)
	}
	for name, want := range map[string]string{
		"serial":     `{"name":"serial","type":"string","multiValued":false,"description":"","required":true,"caseExact":true,"mutability":"readWrite","returned":"default","uniqueness":"server"}`,
		"label":      `{"name":"label","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"global"}`,
		"marks":      `{"name":"marks","type":"string","multiValued":true,"description":"","required":false,"caseExact":false,"mutability":"immutable","returned":"default","uniqueness":"none"}`,
		"by":         `{"name":"by","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,"mutability":"readOnly","returned":"default","uniqueness":"none"}`,
		"pin":        `{"name":"pin","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,"mutability":"writeOnly","returned":"never","uniqueness":"none"}`,
		"notes":      `{"name":"notes","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,"mutability":"readWrite","returned":"request","uniqueness":"none"}`,
		"state":      `{"name":"state","type":"string","multiValued":false,"description":"","required":false,"caseExact":false,"canonicalValues":["new","old"],"mutability":"readWrite","returned":"always","uniqueness":"none"}`,
		"level":      `{"name":"level","type":"integer","multiValued":false,"description":"","required":false,"canonicalValues":["1","2"],"mutability":"readWrite","returned":"default","uniqueness":"none"}`,
		"binaryMany": `{"name":"binaryMany","type":"binary","multiValued":true,"description":"","required":false,"caseExact":true,"mutability":"readWrite","returned":"default","uniqueness":"none"}`,
		"decimalOne": `{"name":"decimalOne","type":"decimal","multiValued":false,"description":"","required":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}`,
	} {
		reply{t: t, json: map[string]any{"a": shown[name]}}.holds(want, "a")
	}
	ref := reply{t: t, json: map[string]any{"a": shown["complexMany"]}}
	ref.holds(`{"name":"$ref","type":"reference","multiValued":false,"description":"","required":false,"caseExact":true,"referenceTypes":["User","Room"],"mutability":"readWrite","returned":"default","uniqueness":"none"}`, "a", "subAttributes", 3)
	for i := range h.ask("GET", "/Schemas", "").want(200).list("Resources") {
		urn := h.ask("GET", "/Schemas", "").str("Resources", i, "id")
		if h.ask("GET", "/Schemas/"+urn, "").want(200).str("id") != urn {
			t.Errorf("schema %s", urn)
		}
	}
}

// A change of the declaration is followed by the next request: what was
// compiled from the old one is not used again.
func TestDeclaredChange(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	ask := func(attribute string) reply {
		return h.ask("PATCH", "/Users/"+h.found("/Users", `userName eq "u"`), ops(`{"op":"add","path":"urn:x:y:Z:`+attribute+`","value":"1"}`))
	}
	h.user("u")
	for i, attribute := range []string{"one", "two", "three"} {
		ask(attribute).fails(400, "invalidPath")
		raw := `{"schemas":[{"id":"urn:x:y:Z","attributes":[`
		for k, a := range []string{"one", "two", "three"}[:i+1] {
			raw += strings.Repeat(",", min(k, 1)) + `{"name":"` + a + `"}`
		}
		raw += `]}],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:x:y:Z"}]}]}`
		if _, err := h.dir.SetDeclared(context.Background(), h.admin, "acme", []byte(raw), nil); err != nil {
			t.Fatal(err)
		}
		ask(attribute).want(200).holds(`"1"`, "urn:x:y:Z", attribute)
	}
}

// resources of declared types have scopes of their own.
func TestDeclaredScopes(t *testing.T) {
	h := newHouse(t, "", scim.Config{}).declare(declaration(t))
	id := h.device("s")
	base := "/orgs/acme/scim/v2/Devices"
	for scope, status := range map[resources.Scope][2]int{
		resources.ScopeSCIM: {200, 200}, resources.ScopeSCIMRead: {200, 403}, resources.ScopeResources: {200, 200},
		resources.ScopeResourcesRead: {200, 403}, resources.ScopeUsers: {403, 403}, resources.ScopeGroups: {403, 403},
	} {
		token := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{scope}})
		h.askAs(token, "GET", base+"/"+id, "").want(status[0])
		h.askAs(token, "GET", base, "").want(status[0])
		h.askAs(token, "PUT", base+"/"+id, deviceBody("s")).want(status[1])
		h.askAs(token, "PATCH", base+"/"+id, ops(`{"op":"replace","path":"stringOne","value":"x"}`)).want(status[1])
		if status[1] == 403 {
			h.askAs(token, "POST", base, deviceBody("t")).want(403)
			h.askAs(token, "DELETE", base+"/"+id, "").want(403)
		}
	}
	read := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeResources}})
	h.askAs(read, "GET", "/orgs/acme/scim/v2/Users", "").want(403)
}

// Names that customers choose never become labels of metrics or logs.
func TestDeclaredLabels(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	h := newHouse(t, "", scim.Config{})
	h.declare(declaration(t))
	h.open(h.store, scim.Config{Observe: func(_, resource string, _ int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		seen[resource] = true
	}})
	id := h.device("s")
	for _, method := range []string{"GET", "DELETE", "GET"} {
		h.ask(method, "/Devices/"+id, "")
	}
	h.ask("GET", "/Rooms", "").want(200)
	if len(seen) != 1 || !seen["Custom"] {
		t.Errorf("labels %v", seen)
	}
	if log := h.log.String(); !strings.Contains(log, `"kind":"Custom"`) || strings.Contains(log, "Device") {
		t.Errorf("log: %s", log)
	}
}

// …R-127: versions and conditions of declared types.
func TestDeclaredVersions(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		id := h.device("s", `,"pin":"1"`)
		r := h.ask("GET", "/Devices/"+id, "").want(200)
		if tag := r.Header().Get("ETag"); tag != `W/"1"` || tag != r.str("meta", "version") {
			t.Errorf("version %s", tag)
		}
		h.ask("GET", "/Devices/"+id, "", "If-None-Match", `W/"1"`).want(304)
		h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"pin","value":"1"}`)).want(200)
		h.ask("GET", "/Devices/"+id, "", "If-None-Match", `W/"1"`).want(304)
		h.ask("PATCH", "/Devices/"+id, ops(`{"op":"replace","path":"pin","value":"2"}`), "If-Match", `W/"1"`).want(200)
		for method, body := range map[string]string{"PUT": deviceBody("s"), "PATCH": ops(`{"op":"remove","path":"pin"}`), "DELETE": ""} {
			h.ask(method, "/Devices/"+id, body, "If-Match", `W/"1"`).fails(412, "")
		}
		h.ask("DELETE", "/Devices/"+id, "", "If-Match", `W/"2"`).want(204)
		h.ask("GET", "/Devices/"+id, "").want(404)
		h.ask("DELETE", "/Devices/"+id, "").want(404)
	})
}
