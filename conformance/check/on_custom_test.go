package check

import (
	"slices"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
)

// TestGroundsHidden: what is hidden whole is not looked for, what is unique is
// never sent twice, and an extension is sent with all it requires, or with
// something when it is required itself.
func TestGroundsHidden(t *testing.T) {
	const schemas = `[{"id":"urn:x:Safe","attributes":[
		{"name":"never","type":"complex","mutability":"readWrite","returned":"never","subAttributes":[{"name":"a","type":"string","mutability":"readWrite","returned":"default"}]},
		{"name":"number","type":"integer","mutability":"readWrite","returned":"default","uniqueness":"server"},
		{"name":"print","type":"binary","mutability":"readWrite","returned":"default","uniqueness":"global"}]},
		{"id":"urn:x:Must","attributes":[{"name":"by","type":"string","mutability":"readOnly","returned":"default"},{"name":"pin","type":"string","mutability":"writeOnly","returned":"never"}]},
		{"id":"urn:x:May","attributes":[{"name":"need","type":"string","required":true,"mutability":"readWrite","returned":"default"},{"name":"more","type":"string","mutability":"readWrite","returned":"default"}]}]`
	v, err := jsontree.Parse([]byte(schemas), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	k := &announced{schemas: v.Items, types: []resourceType{{name: "Safe", endpoint: "/Safes", schema: "urn:x:Safe", extensions: []extension{{"urn:x:Must", true}, {"urn:x:May", false}}}}}
	s := (&runner{known: k}).session(t.Context(), "p")
	var paths []string
	for _, f := range grounds(k, "type")[0].fields {
		paths = append(paths, f.full())
		v := s.sample(f, 0)
		text, err := encode(obj{"v": v})
		if err != nil {
			t.Fatal(err)
		}
		back, err := jsontree.Parse(text, jsontree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if why := same(&back, obj{"v": v}); why != "" {
			t.Errorf("%s cannot be compared: %s", f.full(), why)
		}
		if u := f.def.GetString("uniqueness"); u != "" && s.sample(f, 0) == s.sample(f, 0) {
			t.Errorf("%s is unique and has the same value twice", f.full())
		}
	}
	if want := []string{"number", "print", "urn:x:May:need", "urn:x:May:more"}; !slices.Equal(paths, want) {
		t.Errorf("fields %v, want %v", paths, want)
	}
	raw, err := encode(s.start(k.types[0]))
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsontree.Parse(raw, jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := obj{"schemas": contains{"urn:x:Safe", "urn:x:Must", "urn:x:May"}, "urn:x:Must": obj{"pin": anything{}}, "urn:x:May": obj{"need": anything{}, "more": nil}}
	if why := same(&got, want); why != "" {
		t.Errorf("%s: %s", why, raw)
	}
}
