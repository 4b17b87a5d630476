package resources_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

const badgeURN = "urn:example:params:scim:schemas:extension:badge:2.0:User"

func example(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../docs/examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// badge is the example extension, attached to User and Group.
func badge(t testing.TB) string {
	t.Helper()
	return `{"schemas":[` + example(t, "badge-extension.json") + `],"resourceTypes":[` +
		`{"name":"User","schemaExtensions":[{"schema":"` + badgeURN + `","required":false}]},{"name":"Group","schemaExtensions":[{"schema":"` + badgeURN + `"}]}]}`
}

func declared(t testing.TB, raw string) *resources.Declared {
	t.Helper()
	d, err := resources.ParseDeclared([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestParseDeclared: the examples are read with the defaults of RFC 7643 §2.2,
// and what is written again reads the same.
func TestParseDeclared(t *testing.T) {
	device := declared(t, example(t, "device-type.json"))
	typ, schema := device.Type("dEVICE"), device.Schema("urn:EXAMPLE:params:scim:schemas:core:2.0:device")
	if typ == nil || schema == nil || typ.Endpoint != "/Devices" || len(schema.Attributes) != 9 {
		t.Fatalf("type %+v, schema %+v", typ, schema)
	}
	want := resources.AttributeDef{
		Name: "model", Type: "string", Description: "What the maker calls it.",
		Mutability: "readWrite", Returned: "default", Uniqueness: "none",
	}
	if diff := gocmp.Diff(want, schema.Attributes[2]); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if ref := schema.Attributes[7].SubAttributes[1]; ref.Name != "$ref" || !ref.CaseExact {
		t.Errorf("a reference compares exactly: %+v", ref)
	}
	for _, raw := range []string{example(t, "device-type.json"), badge(t), "{}"} {
		d := declared(t, raw)
		text, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(d, declared(t, string(text))); diff != "" {
			t.Errorf("written and read again (-first +second):\n%s", diff)
		}
	}
}

// withAttribute is a declaration of one schema with one attribute.
func withAttribute(members string) string {
	return `{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a",` + members + `}]}]}`
}

// withType is a declaration of one resource type.
func withType(members string) string {
	return `{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a"}]},{"id":"urn:x:ext","attributes":[{"name":"a"}]}],"resourceTypes":[{` + members + `}]}`
}

func TestParseDeclaredRefuses(t *testing.T) {
	const thing = `"name":"Thing","endpoint":"/Things","schema":"urn:x:y"`
	tests := []struct{ raw, field, says string }{
		{`[`, "", "not JSON"},
		{`[]`, "", "JSON object"},
		{`{"schemas":[],"schemas":[]}`, "", "not JSON"},
		{`{"schema":[]}`, "schema", "members schemas and resourceTypes"},
		{`{"schemas":{}}`, "schemas", "list"},
		{`{"schemas":[1]}`, "schemas[0]", "object"},
		{`{"schemas":[{"attributes":[{"name":"a"}]}]}`, "schemas[0].id", "needs an id"},
		{`{"schemas":[{"id":"badge","attributes":[{"name":"a"}]}]}`, "schemas[0].id", "not a URN"},
		{`{"schemas":[{"id":"urn:x:y:","attributes":[{"name":"a"}]}]}`, "schemas[0].id", "not a URN"},
		{`{"schemas":[{"id":"urn:ietf:params:scim:schemas:core:2.0:User","attributes":[{"name":"a"}]}]}`, "schemas[0].id", "namespace of the SCIM standard"},
		{`{"schemas":[{"id":"urn:IETF:params:scim:schemas:extension:usherlicense:9.0:User","attributes":[{"name":"a"}]}]}`, "schemas[0].id", "usher's own extensions"},
		{`{"schemas":[{"id":"urn:IETF:params:scim:schemas:extension:Enterprise:2.0:User","attributes":[{"name":"a"}]}]}`, "schemas[0].id", "namespace of the SCIM standard"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[]}]}`, "schemas[0].attributes", "at least one"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a"}]},{"id":"URN:X:Y","attributes":[{"name":"a"}]}]}`, "schemas[1].id", "declared twice"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a"}]},{"id":"urn:x:y:A","attributes":[{"name":"a"}]}]}`, "schemas[1].id", "ambiguous"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"a"},{"name":"A"}]}]}`, "schemas[0].attributes[1].name", "there twice"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"Schemas"}]}]}`, "schemas[0].attributes[0].name", "means nothing"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"1a"}]}]}`, "schemas[0].attributes[0].name", "not a name"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"$ref"}]}]}`, "schemas[0].attributes[0].name", "not a name"},
		{`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"` + strings.Repeat("a", 61) + `"}]}]}`, "schemas[0].attributes[0].name", "at most 60"},
		{withAttribute(`"type":"text"`), "schemas[0].attributes[0].type", "dateTime"},
		{withAttribute(`"type":1`), "schemas[0].attributes[0].type", "quotes"},
		{withAttribute(`"required":"true"`), "schemas[0].attributes[0].required", "without quotes"},
		{withAttribute(`"canonicalValues":"x"`), "schemas[0].attributes[0].canonicalValues", "list"},
		{withAttribute(`"canonicalValues":[1]`), "schemas[0].attributes[0].canonicalValues[0]", "text"},
		{withAttribute(`"type":"complex"`), "schemas[0].attributes[0].subAttributes", "needs sub-attributes"},
		{withAttribute(`"subAttributes":[{"name":"b"}]`), "schemas[0].attributes[0].subAttributes", "Only complex"},
		{withAttribute(`"type":"complex","subAttributes":[{"name":"b","type":"complex"}]`), "schemas[0].attributes[0].subAttributes[0].type", "not complex"},
		{withAttribute(`"type":"complex","subAttributes":[{"name":"b","subAttributes":[]}]`), "schemas[0].attributes[0].subAttributes[0].subAttributes", "no sub-attributes"},
		{withAttribute(`"type":"complex","subAttributes":[{"name":"b"},{"name":"B"}]`), "schemas[0].attributes[0].subAttributes[1].name", "there twice"},
		{withAttribute(`"mutability":"writeOnly","returned":"default"`), "schemas[0].attributes[0].returned", "never returned"},
		{withAttribute(`"mutability":"readOnly","required":true`), "schemas[0].attributes[0].required", "readOnly"},
		{withAttribute(`"mutability":"ReadOnly"`), "schemas[0].attributes[0].mutability", "not known"},
		{withAttribute(`"type":"boolean","uniqueness":"server"`), "schemas[0].attributes[0].uniqueness", "cannot be unique"},
		{withAttribute(`"type":"complex","uniqueness":"global","subAttributes":[{"name":"b"}]`), "schemas[0].attributes[0].uniqueness", "cannot be unique"},
		{withAttribute(`"referenceTypes":["User"]`), "schemas[0].attributes[0].referenceTypes", "reference"},
		{withType(`"name":"A b","endpoint":"/Things","schema":"urn:x:y"`), "resourceTypes[0].name", "not a name"},
		{withType(`"name":"Schema","endpoint":"/Things","schema":"urn:x:y"`), "resourceTypes[0].name", "already"},
		{withType(`"name":"Thing","endpoint":"Things","schema":"urn:x:y"`), "resourceTypes[0].endpoint", "not an endpoint"},
		{withType(`"name":"Thing","endpoint":"/a/b","schema":"urn:x:y"`), "resourceTypes[0].endpoint", "not an endpoint"},
		{withType(`"name":"Thing","endpoint":"/.search","schema":"urn:x:y"`), "resourceTypes[0].endpoint", "not an endpoint"},
		{withType(`"name":"Thing","endpoint":"/users","schema":"urn:x:y"`), "resourceTypes[0].endpoint", "already"},
		{withType(`"name":"Thing","endpoint":"/Things","schema":"urn:x:z"`), "resourceTypes[0].schema", "not declared"},
		{withType(thing + `,"schemaExtensions":[{"schema":"urn:x:none"}]`), "resourceTypes[0].schemaExtensions[0].schema", "not declared"},
		{withType(thing + `,"schemaExtensions":[{"schema":"urn:x:ext"},{"schema":"urn:X:ext"}]`), "resourceTypes[0].schemaExtensions[1].schema", "twice"},
		{withType(thing + `,"schemaExtensions":[{"schema":"urn:x:y"}]`), "resourceTypes[0].schemaExtensions[0].schema", "core"},
		{withType(thing + `},{"name":"thing","endpoint":"/t","schema":"urn:x:ext"`), "resourceTypes[1].name", "twice"},
		{withType(thing + `},{"name":"Other","endpoint":"/THINGS","schema":"urn:x:ext"`), "resourceTypes[1].endpoint", "another"},
		{withType(thing + `},{"name":"Other","endpoint":"/Others","schema":"urn:x:y"`), "resourceTypes[1].schema", "one resource type only"},
		{withType(`"name":"User","endpoint":"/People"`), "resourceTypes[0].endpoint", "/Users"},
		{withType(`"name":"Group","schema":"urn:x:y"`), "resourceTypes[0].schema", "core schema of Group"},
		{strings.Replace(withType(thing), `"name":"a"`, `"name":"ExternalID"`, 1), "resourceTypes[0].schema", "every resource has it"},
	}
	for _, tt := range tests {
		_, err := resources.ParseDeclared([]byte(tt.raw))
		e, ok := errors.AsType[*resources.Error](err)
		if !ok || e.Code != resources.CodeInvalidValue || e.Field != tt.field || !strings.Contains(e.Detail, tt.says) {
			t.Errorf("%s\n  gives %v,\n  want %s at %q", tt.raw, err, tt.says, tt.field)
		}
	}
}

// TestDeclaredBounds: no declaration is larger than what can be compiled and
// stored (security S12).
func TestDeclaredBounds(t *testing.T) {
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	for _, raw := range []string{
		`{"schemas":[` + many(51, `{}`) + `]}`,
		`{"resourceTypes":[` + many(21, `{}`) + `]}`,
		`{"schemas":[{"id":"urn:x:y","attributes":[` + many(201, `{}`) + `]}]}`,
		withAttribute(`"type":"complex","subAttributes":[` + many(51, `{}`) + `]`),
		`{"schemas":[` + strings.Repeat(" ", 256<<10) + `]}`,
	} {
		if _, err := resources.ParseDeclared([]byte(raw)); !resources.HasCode(err, resources.CodeInvalidValue) || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%.60s…: %v", raw, err)
		}
	}
	_, err := resources.ParseDeclared([]byte(`{"schemas":[` + many(50, `{"id":1,"attributes":2}`) + `]}`))
	if list, ok := err.(interface{ Unwrap() []error }); !ok || len(list.Unwrap()) != 20 {
		t.Errorf("of very many faults twenty are told, got %v", err)
	}
}

func TestMerge(t *testing.T) {
	operator, own := declared(t, example(t, "device-type.json")), declared(t, badge(t))
	both, err := operator.Merge(own)
	if err != nil || both.Schema(badgeURN) == nil || both.Type("Device") == nil || len(both.Type("User").SchemaExtensions) != 1 {
		t.Fatalf("%+v, %v", both, err)
	}
	second := strings.ReplaceAll(badge(t), badgeURN, "urn:x:second")
	if both, err = both.Merge(declared(t, second)); err != nil || len(both.Type("User").SchemaExtensions) != 2 || len(own.Type("User").SchemaExtensions) != 1 {
		t.Fatalf("%+v, %v", both, err)
	}
	var none *resources.Declared
	for _, tt := range []struct{ operator, own, want *resources.Declared }{
		{none, none, nil}, {none, &resources.Declared{Version: 3}, nil}, {none, own, own}, {operator, none, operator}, {operator, &resources.Declared{}, operator},
	} {
		if got, err := tt.operator.Merge(tt.own); got != tt.want || err != nil {
			t.Errorf("%v, %v, want %v", got, err, tt.want)
		}
	}
	const device = "urn:example:params:scim:schemas:core:2.0:Device"
	for says, change := range map[string][]string{
		"the schema":        {},
		"the resource type": {device, "urn:x:device"},
		"the endpoint":      {device, "urn:x:device", `"Device",`, `"Gadget",`},
		"of the other":      {device, "urn:example:params:scim:schemas:core:2.0:Device:model", `"Device",`, `"Gadget",`, "/Devices", "/Gadgets"},
	} {
		_, err := operator.Merge(declared(t, strings.NewReplacer(change...).Replace(example(t, "device-type.json"))))
		if !resources.HasCode(err, resources.CodeInvalidValue) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// TestIndexed: which attributes stand in which index, and under what.
func TestIndexed(t *testing.T) {
	tests := []struct {
		parent, leaf   resources.AttributeDef
		unique, listed bool
	}{
		{leaf: resources.AttributeDef{Type: "string"}, listed: true},
		{leaf: resources.AttributeDef{Type: "reference", Uniqueness: "server"}, unique: true, listed: true},
		{leaf: resources.AttributeDef{Type: "integer", Uniqueness: "global"}, unique: true},
		{leaf: resources.AttributeDef{Type: "boolean"}},
		{leaf: resources.AttributeDef{Type: "complex"}},
		{leaf: resources.AttributeDef{Type: "string", Returned: "never", Uniqueness: "server"}, unique: true},
		{parent: resources.AttributeDef{Returned: "never"}, leaf: resources.AttributeDef{Type: "string"}},
	}
	for _, tt := range tests {
		if unique, listed := resources.Indexed(&tt.parent, &tt.leaf); unique != tt.unique || listed != tt.listed {
			t.Errorf("%+v in %+v: %v %v", tt.leaf, tt.parent, unique, listed)
		}
	}
	if got := resources.AttrKey("Device", "urn:X:serialNumber", resources.FoldFor(false, "É\x1f")); got != "device\x1furn:x:serialnumber\x1fé " {
		t.Errorf("key %q", got)
	}
	if got := resources.FoldFor(true, "É"); got != "É" {
		t.Errorf("exact %q", got)
	}
}

func FuzzParseDeclared(f *testing.F) {
	f.Add([]byte(example(f, "device-type.json")))
	f.Add([]byte(badge(f)))
	f.Add([]byte(withType(`"name":"Thing","endpoint":"/Things","schema":"urn:x:y","schemaExtensions":[{"schema":"urn:x:ext","required":true}]`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := resources.ParseDeclared(raw)
		if err != nil {
			if !resources.HasCode(err, resources.CodeInvalidValue) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		text, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		again, err := resources.ParseDeclared(text)
		if len(text) > 256<<10 {
			return // spelled out it may be larger than what can be sent
		}
		if diff := gocmp.Diff(d, again); err != nil || diff != "" {
			t.Fatalf("written and read again: %v (-first +second):\n%s", err, diff)
		}
	})
}
