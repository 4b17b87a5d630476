package scim_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

const (
	deviceURN = "urn:example:schemas:2.0:Device"
	stockURN  = "urn:example:schemas:2.0:Device:Stock" // longer than, and under, deviceURN
	roomURN   = "urn:example:schemas:2.0:Room"
	planURN   = "urn:example:schemas:2.0:Plan"
	badgeURN  = "urn:example:schemas:extension:2.0:Badge"
)

// samples are the simple types with two values each.
func samples() []sample {
	return []sample{
		{"string", `"Alpha one"`, `"beta"`},
		{"boolean", `false`, `true`},
		{"decimal", `1.25`, `2.5e3`},
		{"integer", `-3`, `42`},
		{"dateTime", `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.250+00:00"`},
		{"binary", `"AAEC"`, `"//8="`},
		{"reference", `"https://example.com/A"`, `"urn:x:b"`},
	}
}

// declaration has every data type, single and multi-valued, and every
// characteristic, in two types of resources and an extension of users and
// groups.
func declaration(t testing.TB) *resources.Declared {
	t.Helper()
	attr := func(name, typ string, more ...string) string {
		return `{"name":"` + name + `","type":"` + typ + `"` + strings.Join(more, "") + `}`
	}
	const many = `,"multiValued":true`
	var device []string
	for _, v := range samples() {
		device = append(device, attr(v.one(), v.typ), attr(v.many(), v.typ, many))
	}
	subs := `,"subAttributes":[` + strings.Join([]string{
		attr("value", "string"), attr("type", "string", `,"canonicalValues":["lan","wifi"]`), attr("primary", "boolean"),
		attr("$ref", "reference", `,"referenceTypes":["User","Room"]`),
		attr("weight", "decimal"), attr("since", "dateTime"), attr("fixed", "string", `,"mutability":"immutable"`),
		attr("pin", "string", `,"returned":"never"`), attr("hint", "string", `,"returned":"request"`),
		attr("code", "string", `,"returned":"always","caseExact":true`), attr("words", "string", many),
	}, ",") + "]"
	device = append(device,
		attr("complexOne", "complex", subs), attr("complexMany", "complex", many, subs),
		attr("serial", "string", `,"required":true,"uniqueness":"server","caseExact":true`),
		attr("label", "string", `,"uniqueness":"global"`),
		attr("number", "integer", `,"uniqueness":"server"`),
		attr("aliases", "string", many, `,"uniqueness":"server"`),
		attr("made", "string", `,"mutability":"immutable"`),
		attr("marks", "string", many, `,"mutability":"immutable"`),
		attr("by", "string", `,"mutability":"readOnly"`),
		attr("pin", "string", `,"mutability":"writeOnly"`),
		attr("secret", "string", `,"returned":"never","required":false`),
		attr("notes", "string", `,"returned":"request"`),
		attr("state", "string", `,"returned":"always","canonicalValues":["new","old"]`),
		attr("level", "integer", `,"canonicalValues":["1","2"]`),
		attr("exact", "string", `,"caseExact":true`),
		attr("members", "string", many), attr("groups", "string"), attr("active", "boolean"), attr("userName", "string"),
	)
	schema := func(id, name string, attrs ...string) string {
		return `{"id":"` + id + `","name":"` + name + `","description":"d","attributes":[` + strings.Join(attrs, ",") + `]}`
	}
	badge := schema(badgeURN, "Badge",
		attr("number", "string", `,"uniqueness":"server","caseExact":true`), attr("colour", "string"), attr("valid", "boolean"),
		attr("until", "dateTime"), attr("floors", "integer", many), attr("issued", "string", `,"mutability":"immutable"`),
		attr("pin", "string", `,"mutability":"writeOnly"`), attr("memo", "string", `,"returned":"request"`),
		attr("doors", "complex", many, `,"subAttributes":[`+attr("value", "string", `,"required":true`)+`,`+attr("type", "string")+`,`+attr("primary", "boolean")+`]`))
	raw := `{"schemas":[` + strings.Join([]string{
		schema(deviceURN, "Device", device...),
		schema(stockURN, "Stock", attr("shelf", "string", `,"required":true`), attr("count", "integer"), attr("tag", "string", `,"mutability":"immutable"`)),
		schema(roomURN, "Room", attr("displayName", "string", `,"required":true`), attr("seats", "integer"), attr("serial", "string", `,"uniqueness":"server","caseExact":true`)),
		schema(planURN, "Plan", attr("floor", "string", `,"required":true`), attr("code", "string", `,"required":true,"returned":"never"`)),
		badge,
	}, ",") + `],"resourceTypes":[
		{"name":"Device","endpoint":"/Devices","description":"A device","schema":"` + deviceURN + `","schemaExtensions":[{"schema":"` + stockURN + `","required":false}]},
		{"name":"Room","endpoint":"/Rooms","schema":"` + roomURN + `","schemaExtensions":[{"schema":"` + planURN + `","required":true}]},
		{"name":"User","schemaExtensions":[{"schema":"` + badgeURN + `","required":false}]},
		{"name":"Group","schemaExtensions":[{"schema":"` + badgeURN + `","required":false}]}]}`
	d, err := resources.ParseDeclared([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// declare makes a declaration hold for both organizations.
func (h *house) declare(d *resources.Declared) *house {
	h.t.Helper()
	raw, err := d.Document()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, slug := range []string{"acme", "rival"} {
		if _, err := h.dir.SetDeclared(context.Background(), h.admin, slug, raw, nil); err != nil {
			h.t.Fatalf("declare for %s: %v", slug, err)
		}
	}
	return h
}

// onDeclared runs a test on both stores with the declaration.
func onDeclared(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	d := declaration(t)
	t.Run("embedded", func(t *testing.T) { test(t, newHouse(t, "", scim.Config{}).declare(d)) })
	t.Run("redis", func(t *testing.T) { test(t, newHouse(t, redistest.Start(t), scim.Config{}).declare(d)) })
}

// device makes a body; members begin with a comma.
func deviceBody(serial string, members ...string) string {
	return `{"schemas":["` + deviceURN + `"],"serial":` + quote(serial) + strings.Join(members, "") + `}`
}

func (h *house) device(serial string, members ...string) string {
	h.t.Helper()
	return h.ask("POST", "/Devices", deviceBody(serial, members...)).want(201).str("id")
}

// sorted orders ids: those of one millisecond have no order of their own.
func sorted(ids string) string {
	list := strings.Fields(ids)
	slices.Sort(list)
	return strings.Join(list, " ")
}

// found gives the ids that a filter finds, in order, and checks the total.
func (h *house) found(endpoint, filter string) string {
	h.t.Helper()
	r := h.ask("GET", endpoint+"?"+filterOf(filter), "").want(200)
	if n := len(r.list("Resources")); n != r.num("totalResults") {
		h.t.Fatalf("%s: %d resources of %d", filter, n, r.num("totalResults"))
	}
	var ids []string
	for i := range r.list("Resources") {
		ids = append(ids, r.str("Resources", i, "id"))
	}
	return sorted(strings.Join(ids, " "))
}

// at is the house in a subtest.
func (h *house) at(t testing.TB) *house {
	sub := *h
	sub.t = t
	return &sub
}

// holds compares an attribute of the answer with JSON.
func (r reply) holds(want string, path ...any) {
	r.t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		r.t.Fatalf("%s: %v", want, err)
	}
	if got := r.at(path...); !reflect.DeepEqual(got, w) {
		r.t.Errorf("%v is %s, want %s", path, mustJSON(got), want)
	}
}
