package schema_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

const badgeURN = "urn:example:extension:2.0:Badge"

// declared has every data type, single and multi-valued, as extension of User
// and Group and as a type of its own.
func declared(t testing.TB) *schema.Registry {
	t.Helper()
	var attrs []resources.AttributeDef
	for _, typ := range []string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference"} {
		attrs = append(attrs, resources.AttributeDef{Name: typ + "One", Type: typ}, resources.AttributeDef{Name: typ + "Many", Type: typ, MultiValued: true})
	}
	subs := append([]resources.AttributeDef{{Name: "$ref", Type: "reference", ReferenceTypes: []string{"User"}}}, attrs...)
	attrs = append(attrs,
		resources.AttributeDef{Name: "complexOne", Type: "complex", SubAttributes: subs},
		resources.AttributeDef{Name: "complexMany", Type: "complex", MultiValued: true, SubAttributes: subs})
	d := &resources.Declared{
		Schemas: []resources.SchemaDef{
			{ID: badgeURN, Name: "Badge", Description: "About badges", Attributes: attrs},
			{ID: thingURN, Attributes: append([]resources.AttributeDef{
				{Name: "key", Type: "binary", Uniqueness: "global", Required: true},
				{Name: "pin", Type: "string", Mutability: "writeOnly", Returned: "never"},
				{Name: "size", Type: "integer", CanonicalValues: []string{"1", "2"}, Uniqueness: "server"},
			}, attrs...)},
		},
		Types: []resources.TypeDef{
			{Name: "user", SchemaExtensions: []resources.ExtensionDef{{Schema: badgeURN}}},
			{Name: "Group", SchemaExtensions: []resources.ExtensionDef{{Schema: strings.ToUpper(badgeURN), Required: true}}},
			{Name: "Thing", Endpoint: "/Things", Description: "A thing", Schema: thingURN, SchemaExtensions: []resources.ExtensionDef{{Schema: badgeURN}}},
		},
	}
	types, kinds, err := schema.Declared(d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewRegistry(types, kinds)
	if err != nil {
		t.Fatal(err)
	}
	r.Complete(d)
	return r
}

// what is declared stands beside what is built in.
func TestDeclared(t *testing.T) {
	r := declared(t)
	user, group, thing := r.Type("User"), r.Type("Group"), r.Type("things")
	if thing == nil || thing.Kind != resources.KindCustom || user.Kind != resources.KindUser || len(r.Types) != 3 {
		t.Fatalf("types %v", r.Types)
	}
	if len(user.Extensions) != 6 || user.Extension(badgeURN).Required || !group.Extension(badgeURN).Required {
		t.Error("the extensions are not those declared")
	}
	if user.Hides || group.Hides || !thing.Hides {
		t.Error("only things hide something")
	}
	for _, c := range []struct {
		attr           *schema.Attr
		key            string
		unique, listed bool
	}{
		{thing.Attr("", "stringMany"), thingURN + ":stringMany", false, true},
		{user.Attr("", "referenceOne"), badgeURN + ":referenceOne", false, true},
		{user.Attr("", "complexOne").Sub("stringone"), badgeURN + ":complexOne.stringOne", false, true},
		{thing.Attr("", "integerOne"), thingURN + ":integerOne", false, false},
		{thing.Attr("", "key"), thingURN + ":key", true, false},
		{thing.Attr("", "pin"), thingURN + ":pin", false, false},
		{user.Attr("", "userName"), "", false, false},
		{user.Attr(schema.EnterpriseUserURN, "department"), "", false, false},
	} {
		if a := c.attr; a.Key != c.key || a.Unique != c.unique || a.Listed != c.listed {
			t.Errorf("%s: %q %v %v, want %q %v %v", a.Path(), a.Key, a.Unique, a.Listed, c.key, c.unique, c.listed)
		}
	}
	if a := thing.Attr("", "size"); len(a.Canonical) != 2 || a.Uniqueness != schema.Server || thing.Attr("", "key").Uniqueness != schema.Global {
		t.Error("what the library does not carry is lost")
	}
	if types, kinds, err := schema.Declared(nil); err != nil || len(types) != 2 || len(kinds) != 2 {
		t.Errorf("nothing declared: %v %v %v", types, kinds, err)
	}
	var list struct{ Resources []struct{ ID string } }
	if err := json.Unmarshal(r.AppendSchemas(nil, "b", nil), &list); err != nil || len(list.Resources) != 13 {
		t.Errorf("schemas %v, %v", list, err)
	}
}

// R-8…R-11: the library's own check agrees about every data type, so that its
// server can be asked about declared types too.
func TestDeclaredValues(t *testing.T) {
	thing := declared(t).Type("Thing")
	for typ, values := range map[string][2][]string{
		"string": {{`"x"`}, {`1`, `true`, `{}`}}, "boolean": {{`true`, `false`}, {`1`, `"yes"`}}, "decimal": {{`1.5`, `-2e3`, `7`}, {`"1"`, `true`}},
		"integer": {{`7`, `-3`}, {`1.5`, `"1"`}}, "dateTime": {{`"2026-01-02T03:04:05Z"`}, {`"2026"`, `5`}},
		"binary": {{`"AAEC"`, `"//8="`}, {`"*"`, `1`}}, "reference": {{`"https://a.example/b"`, `"../Users/1"`, `"urn:x:y"`}, {`1`, `{}`}},
		"complex": {{`{"stringOne":"a","integerOne":2,"$ref":"x"}`}, {`7`, `{"integerOne":"x"}`}},
	} {
		for good, list := range values {
			for _, text := range list {
				for _, a := range []*schema.Attr{thing.Attr("", typ+"One"), thing.Attr(badgeURN, typ+"Many")} {
					v := *tree(t, text)
					ours := a.CheckElement(&v, schema.Options{}) == nil
					_, bad := a.Core.ValidateSingular(native(t, text))
					if ours != (good == 0) || (bad == nil) != (good == 0) {
						t.Errorf("%s %s: usher %v, the library %v, want %v", a.Path(), text, ours, bad == nil, good == 0)
					}
				}
			}
		}
	}
	long := strings.Repeat("x", schema.MaxName+1)
	v := jsontree.Str(long)
	if err := thing.Attr("", "stringOne").CheckValue(&v, schema.Options{}); err != nil {
		t.Errorf("a long text: %v", err)
	}
}

// native decodes JSON as the library does.
func native(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A declaration that is not sound gives an error, whatever the library's
// constructors do.
func TestDeclaredFaults(t *testing.T) {
	for want, a := range map[string]resources.AttributeDef{
		`name is a letter`:         {Name: "1x", Type: "string"},
		`a name is`:                {Name: "", Type: "string"},
		`unknown type "text"`:      {Name: "x", Type: "text"},
		`unknown mutability`:       {Name: "x", Type: "string", Mutability: "write"},
		`unknown value of returne`: {Name: "x", Type: "complex", Returned: "maybe"},
		`unknown uniqueness`:       {Name: "x", Type: "integer", Uniqueness: "world"},
		`are called "A"`:           {Name: "x", Type: "complex", SubAttributes: []resources.AttributeDef{{Name: "a", Type: "string"}, {Name: "A", Type: "string"}}},
		`unknown type "complex"`:   {Name: "x", Type: "complex", SubAttributes: []resources.AttributeDef{{Name: "a", Type: "complex"}}},
	} {
		d := &resources.Declared{
			Schemas: []resources.SchemaDef{{ID: thingURN, Attributes: []resources.AttributeDef{a}}},
			Types:   []resources.TypeDef{{Name: "User", SchemaExtensions: []resources.ExtensionDef{{Schema: thingURN}}}},
		}
		if _, _, err := schema.Declared(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, d := range []*resources.Declared{
		{Types: []resources.TypeDef{{Name: "User", SchemaExtensions: []resources.ExtensionDef{{Schema: "urn:x:y"}}}}},
		{Types: []resources.TypeDef{{Name: "Thing", Endpoint: "/Things", Schema: "urn:x:y"}}},
	} {
		if _, _, err := schema.Declared(d); err == nil || !strings.Contains(err.Error(), "is not declared") {
			t.Errorf("%v", err)
		}
	}
}

// FuzzDeclared: whatever the domain takes as a declaration can be compiled, so
// that no stored one ever stands between an organization and its resources.
func FuzzDeclared(f *testing.F) {
	for _, name := range []string{"badge-extension", "device-type"} {
		raw, err := os.ReadFile("../../docs/examples/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	typ := `{"schemas":[{"id":"urn:a:b","attributes":[{"name":"x"}]},{"id":"urn:a:b:c","attributes":[{"name":"x","type":"complex","subAttributes":[{"name":"$ref"}]}]}],"resourceTypes":[`
	f.Add([]byte(typ + `{"name":"Users","endpoint":"/User","schema":"urn:a:b","schemaExtensions":[{"schema":"URN:a:b:c"}]}]}`))
	f.Add([]byte(typ + `{"name":"A","endpoint":"/B","schema":"urn:a:b"},{"name":"B","endpoint":"/a","schema":"urn:a:b:c"}]}`))
	f.Add([]byte(typ + `{"name":"user","schemaExtensions":[{"schema":"urn:a:b"},{"schema":"urn:a:b:c","required":true}]},{"name":"Group","schemaExtensions":[{"schema":"urn:a:b"}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := resources.ParseDeclared(raw)
		if err != nil {
			return
		}
		types, kinds, err := schema.Declared(d)
		if err != nil {
			t.Fatal(err)
		}
		r, err := schema.NewRegistry(types, kinds)
		if err != nil {
			t.Fatal(err)
		}
		r.Complete(d)
		if !json.Valid(r.AppendSchemas(nil, "b", nil)) || !json.Valid(r.AppendResourceTypes(nil, "b")) {
			t.Fatal("discovery is not JSON")
		}
	})
}
