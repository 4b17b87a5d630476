package schema_test

import (
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

func TestLookups(t *testing.T) {
	r := registry(t)
	users := r.Type("User")
	for _, name := range []string{"Users", "/Users", "users", "/users", "user", "USER"} { // L-27
		if r.Type(name) != users {
			t.Errorf("Type(%q) is not User", name)
		}
	}
	for _, name := range []string{"", "/", "Userss", "//Users", "Me"} {
		if r.Type(name) != nil {
			t.Errorf("Type(%q) exists", name)
		}
	}
	const ent = schema.EnterpriseUserURN
	for _, c := range []struct{ urn, name, path string }{
		{"", "userName", "userName"},
		{"", "USERNAME", "userName"},
		{"", "externalid", "externalId"},
		{"", "meta", "meta"},
		{"", "id", "id"},
		{"", "schemas", "schemas"},
		{schema.UserURN, "username", "userName"},
		{strings.ToUpper(schema.UserURN), "id", "id"},
		{"", "department", ent + ":department"},
		{"", "MANAGER", ent + ":manager"}, // L-15
		{ent, "manager", ent + ":manager"},
		{strings.ToLower(ent), "Manager", ent + ":manager"},
		{ent, "userName", ""},
		{schema.UserURN, "manager", ""},
		{"urn:x", "userName", ""},
		{"", "password", ""},
		{"", "nope", ""},
		{"", strings.Repeat("a", 100), ""},
		{"", "", ""},
		{"", "name.givenName", ""},
	} {
		a := users.Attr(c.urn, c.name)
		if (a == nil) != (c.path == "") || (a != nil && a.Path() != c.path) {
			t.Errorf("Attr(%q, %q): got %v, want %q", c.urn, c.name, a, c.path)
		}
	}
	manager := users.Attr(ent, "manager")
	if s := manager.Sub("VALUE"); s == nil || s.Path() != ent+":manager.value" || s.Parent != manager || s.URN != ent {
		t.Errorf("manager.value: %+v", s)
	}
	if users.Attr("", "emails").Sub("nope") != nil || users.Attr("", "title").Sub("value") != nil {
		t.Error("no such sub-attributes")
	}
	if users.Schema(strings.ToUpper(ent)).URN != ent || users.Schema(schema.UserURN) != users.Core || users.Schema(schema.GroupURN) != nil {
		t.Error("Schema goes by URN without case")
	}
}

// L-5: the longest schema URN is the prefix.
func TestSplitURN(t *testing.T) {
	users, custom := registry(t).Type("User"), things(t)
	for _, c := range []struct {
		typ           *schema.Type
		in, urn, rest string
	}{
		{users, schema.EnterpriseUserURN + ":manager.value", schema.EnterpriseUserURN, "manager.value"},
		{users, strings.ToUpper(schema.EnterpriseUserURN) + ":Manager", schema.EnterpriseUserURN, "Manager"},
		{users, schema.EnterpriseUserURN, schema.EnterpriseUserURN, ""},
		{users, schema.UserURN + ":userName", schema.UserURN, "userName"},
		{users, schema.UserURN + "x:userName", "", ""},
		{users, "userName", "", ""},
		{users, "urn:", "", ""},
		{custom, moreURN + ":owner", moreURN, "owner"},
		{custom, moreURN, moreURN, ""},
		{custom, thingURN + ":Moreover", thingURN, "Moreover"},
	} {
		s, rest := c.typ.SplitURN(c.in)
		if c.urn == "" {
			if s != nil || rest != c.in {
				t.Errorf("%s: got %v, %q", c.in, s, rest)
			}
			continue
		}
		if s == nil || s.URN != c.urn || rest != c.rest {
			t.Errorf("%s: got %v, %q", c.in, s, rest)
		}
	}
}

// Characteristics of RFC 7643 §8.7.1 that the rest of usher relies on.
func TestBuiltinCharacteristics(t *testing.T) {
	r := registry(t)
	for _, c := range []struct{ typ, path, want string }{
		{"User", "userName", "string one required nocase readWrite default server"},
		{"User", "externalId", "string one optional case readWrite default none"},
		{"User", "id", "string one required case readOnly always server"},
		{"User", "schemas", "reference many required case readOnly always none"},
		{"User", "meta.created", "dateTime one optional nocase readOnly default none"},
		{"User", "meta.version", "string one optional case readOnly default none"},
		{"User", "active", "boolean one optional nocase readWrite default none"},
		{"User", "emails", "complex many optional nocase readWrite default none"},
		{"User", "emails.primary", "boolean one optional nocase readWrite default none"},
		{"User", "groups", "complex many optional nocase readOnly default none"},
		{"User", "x509Certificates.value", "binary one optional case readWrite default none"},
		{"User", "manager.displayName", "string one optional nocase readOnly default none"},
		{"Group", "displayName", "string one required nocase readWrite default server"},
		{"Group", "members", "complex many optional nocase readWrite default none"},
		{"Group", "members.value", "string one optional nocase immutable default none"},
		{"Group", "members.$ref", "reference one optional case immutable default none"},
		{"Group", "members.display", "string one optional nocase readOnly request none"},
	} {
		top, sub, _ := strings.Cut(c.path, ".")
		a := r.Type(c.typ).Attr("", top)
		if sub != "" {
			a = a.Sub(sub)
		}
		pick := func(b bool, yes, no string) string {
			if b {
				return yes
			}
			return no
		}
		got := strings.Join([]string{
			a.Type.String(), pick(a.Multi, "many", "one"), pick(a.Required, "required", "optional"),
			pick(a.CaseExact, "case", "nocase"), a.Mutability.String(), a.Returned.String(), a.Uniqueness.String(),
		}, " ")
		if got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.typ, c.path, got, c.want)
		}
	}
	// The library appends to these lists while serving: room would be a race.
	for _, rt := range schema.Builtin() {
		if n := len(rt.Schema.Attributes); cap(rt.Schema.Attributes) != n {
			t.Errorf("%s: the attribute list has room for %d more", rt.Name, cap(rt.Schema.Attributes)-n)
		}
	}
}

func TestNewRegistryRefuses(t *testing.T) {
	attr := func(name string) elimity.CoreAttribute {
		return elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: name}))
	}
	typ := func(name, endpoint, urn string, attrs ...elimity.CoreAttribute) scim.ResourceType {
		return scim.ResourceType{Name: name, Endpoint: endpoint, Schema: elimity.Schema{ID: urn, Attributes: attrs}}
	}
	good := typ("A", "/As", "urn:a", attr("x"))
	twice := good
	twice.SchemaExtensions = []scim.SchemaExtension{{Schema: elimity.Schema{ID: "URN:A"}}}
	for _, c := range []struct {
		says  string
		types []scim.ResourceType
	}{
		{"record kind", []scim.ResourceType{typ("Z", "/Zs", "urn:z")}},
		{"already taken", []scim.ResourceType{good, typ("B", "/AS", "urn:b")}},
		{"already taken", []scim.ResourceType{good, typ("A", "/Bs", "urn:b")}},
		{"endpoint", []scim.ResourceType{typ("A", "As", "urn:a")}},
		{"endpoint", []scim.ResourceType{typ("", "/As", "urn:a")}},
		{"endpoint", []scim.ResourceType{typ("A", "/", "urn:a")}},
		{"not a URN", []scim.ResourceType{typ("A", "/As", "http://a")}},
		{"appears twice", []scim.ResourceType{twice}},
		{"two attributes", []scim.ResourceType{typ("A", "/As", "urn:a", attr("x"), attr("X"))}},
		{"common attribute", []scim.ResourceType{typ("A", "/As", "urn:a", attr("ID"))}},
		{"needs sub-attributes", []scim.ResourceType{typ("A", "/As", "urn:a", elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "c"}))}},
		{"may not be complex", []scim.ResourceType{typ("A", "/As", "urn:a", elimity.Definition().Attributes[3])}},
	} {
		_, err := schema.NewRegistry(c.types, map[string]resources.Kind{"A": 0, "B": 0, "": 0})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want it to say %q", err, c.says)
		}
	}
}
