package schema_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

const base = "https://scim.example/orgs/acme/scim/v2"

// decode reads discovery JSON strictly: valid, no null anywhere, no empty
// description, every key in lower camel case.
func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	if bytes.Contains(b, []byte("null")) || bytes.Contains(b, []byte(`"description":""`)) {
		t.Errorf("null or empty description in %s", b)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, v := range v {
				if k != "Resources" && (k[0] < 'a' || k[0] > 'z') {
					t.Errorf("key %q is not lower camel", k)
				}
				walk(v)
			}
		case []any:
			for _, v := range v {
				walk(v)
			}
		}
	}
	walk(m)
	return m
}

// every required part, as numbers and booleans.
func TestServiceProviderConfig(t *testing.T) {
	got := string(schema.AppendServiceProviderConfig(nil, base, schema.ProviderConfig{}))
	decode(t, []byte(got))
	want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],"patch":{"supported":true},` +
		`"bulk":{"supported":false,"maxOperations":1000,"maxPayloadSize":1048576},"filter":{"supported":true,"maxResults":200},` +
		`"changePassword":{"supported":false},"sort":{"supported":true},"etag":{"supported":true},` +
		`"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":100,"maxPageSize":200,"cursorTimeout":3600},` +
		`"authenticationSchemes":[{"type":"oauthbearertoken","name":"OAuth Bearer Token",` +
		`"description":"Authentication with a bearer token in the Authorization header",` +
		`"specUri":"https://www.rfc-editor.org/info/rfc6750","primary":true}],` +
		`"meta":{"resourceType":"ServiceProviderConfig","location":"` + base + `/ServiceProviderConfig"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m := decode(t, schema.AppendServiceProviderConfig(nil, base, schema.ProviderConfig{
		DocumentationURI: `https://x/"d"`, Bulk: true, BulkMaxOperations: 5, BulkMaxPayloadSize: 6, FilterMaxResults: 7,
	}))
	if m["documentationUri"] != `https://x/"d"` {
		t.Errorf("documentationUri: %v", m["documentationUri"])
	}
	if diff := cmp.Diff(map[string]any{"supported": true, "maxOperations": 5.0, "maxPayloadSize": 6.0}, m["bulk"]); diff != "" {
		t.Error(diff)
	}
}

//
func TestResourceTypes(t *testing.T) {
	r := registry(t)
	m := decode(t, r.AppendResourceTypes(nil, base))
	if m["totalResults"] != 2.0 || m["itemsPerPage"] != 2.0 || m["startIndex"] != 1.0 || len(m["Resources"].([]any)) != 2 {
		t.Errorf("list: %v", m)
	}
	one, ok := r.AppendResourceType([]byte("x"), base, "user")
	if !ok || one[0] != 'x' {
		t.Fatalf("User: %v %s", ok, one)
	}
	want := map[string]any{
		"schemas": []any{schema.ResourceTypeURN}, "id": "User", "name": "User", "description": "User Account",
		"endpoint": "/Users", "schema": schema.UserURN,
		"schemaExtensions": []any{
			map[string]any{"schema": schema.EnterpriseUserURN, "required": false},
			map[string]any{"schema": resources.LicenceUserURN, "required": false},
			map[string]any{"schema": resources.LifecycleURN, "required": false},
			map[string]any{"schema": resources.CallingURN, "required": false},
			map[string]any{"schema": resources.OrganizationURN, "required": false},
		},
		"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/User"},
	}
	if diff := cmp.Diff(want, decode(t, one[1:])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, m["Resources"].([]any)[0]); diff != "" {
		t.Errorf("the list shows another one: %s", diff)
	}
	for _, name := range []string{"Users", "/Users", "Nope", ""} {
		if out, ok := r.AppendResourceType([]byte("x"), base, name); ok || string(out) != "x" {
			t.Errorf("%q: %v %s", name, ok, out)
		}
	}
}

// each attribute has its characteristics, at every depth.
func checkAttributes(t *testing.T, where string, list any) {
	for _, a := range list.([]any) {
		a := a.(map[string]any)
		name, _ := a["name"].(string)
		where := where + "." + name
		for _, key := range []string{"type", "description", "mutability", "returned", "uniqueness"} {
			if s, ok := a[key].(string); !ok || s == "" || s == "unknown" {
				t.Errorf("%s: %s is %v", where, key, a[key])
			}
		}
		for _, key := range []string{"multiValued", "required"} {
			if _, ok := a[key].(bool); !ok {
				t.Errorf("%s: %s is %v", where, key, a[key])
			}
		}
		_, exact := a["caseExact"].(bool)
		if text := a["type"] == "string" || a["type"] == "reference" || a["type"] == "binary"; text != exact {
			t.Errorf("%s: caseExact is %v", where, a["caseExact"])
		}
		if _, ok := a["referenceTypes"].([]any); a["type"] == "reference" && !ok {
			t.Errorf("%s: a reference without referenceTypes", where)
		}
		subs, ok := a["subAttributes"]
		if (a["type"] == "complex") != ok {
			t.Errorf("%s: subAttributes is %v", where, subs)
		}
		if ok {
			checkAttributes(t, where, subs)
		}
	}
}

func TestSchemas(t *testing.T) {
	r := registry(t)
	m := decode(t, r.AppendSchemas(nil, base, nil))
	var ids []string
	for _, s := range m["Resources"].([]any) {
		s := s.(map[string]any)
		id := s["id"].(string)
		ids = append(ids, id)
		checkAttributes(t, id, s["attributes"])
		if diff := cmp.Diff(map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + id}, s["meta"]); diff != "" {
			t.Error(diff)
		}
		if s["name"] == nil {
			t.Errorf("%s has no name", id)
		}
		one, ok := r.AppendSchema(nil, base, strings.ToUpper(id), nil)
		if !ok {
			t.Fatalf("%s is not found by its id", id)
		}
		if diff := cmp.Diff(s, decode(t, one)); diff != "" {
			t.Errorf("%s differs from the list: %s", id, diff)
		}
	}
	want := []string{
		schema.UserURN, schema.EnterpriseUserURN,
		resources.LicenceUserURN, resources.LifecycleURN, resources.CallingURN, resources.OrganizationURN,
		schema.GroupURN, resources.LicenceGroupURN,
		schema.ProviderConfigURN, schema.ResourceTypeURN, schema.SchemaURN,
	}
	if diff := cmp.Diff(want, ids); diff != "" || m["totalResults"] != 11.0 {
		t.Errorf("%v: %s", m["totalResults"], diff)
	}
	if out, ok := r.AppendSchema([]byte("x"), base, "urn:x", nil); ok || string(out) != "x" {
		t.Errorf("unknown schema: %v %s", ok, out)
	}
	if bytes.Contains(r.AppendSchemas(nil, base, nil), []byte("password")) && publishes(m, "password") {
		t.Error("password is published (S10)")
	}
}

func publishes(m map[string]any, name string) bool {
	for _, s := range m["Resources"].([]any) {
		for _, a := range s.(map[string]any)["attributes"].([]any) {
			if strings.EqualFold(a.(map[string]any)["name"].(string), name) {
				return true
			}
		}
	}
	return false
}

// A schema that two types share is listed once.
func TestSharedExtension(t *testing.T) {
	shared := []scim.SchemaExtension{{Schema: elimity.ExtensionEnterpriseUser()}}
	types := schema.Builtin()
	types[1].SchemaExtensions = shared
	r, err := schema.NewRegistry(types, map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Schemas()); n != 10 {
		t.Errorf("%d schemas, want 10", n)
	}
}

// What discovery says of itself agrees with what it sends.
func TestDiscoveryMatchesItsOwnSchemas(t *testing.T) {
	r := registry(t)
	user, _ := r.AppendResourceType(nil, base, "User")
	group, _ := r.AppendSchema(nil, base, schema.GroupURN, nil)
	for urn, body := range map[string][]byte{
		schema.ProviderConfigURN: schema.AppendServiceProviderConfig(nil, base, schema.ProviderConfig{DocumentationURI: "https://x"}),
		schema.ResourceTypeURN:   user,
		schema.SchemaURN:         group,
	} {
		doc := tree(t, string(body))
		for _, s := range r.Schemas() {
			if s.URN != urn {
				continue
			}
			for _, m := range doc.Items {
				if a := s.Attr(m.Name); a == nil && m.Name != "schemas" && m.Name != "meta" {
					t.Errorf("%s: %s is sent but not in the schema", urn, m.Name)
				}
			}
			for _, a := range s.Attrs {
				if a.Required && doc.Get(a.Name) == nil {
					t.Errorf("%s: %s is required but not sent", urn, a.Name)
				}
			}
		}
	}
}
