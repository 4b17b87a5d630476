package filter

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

const thingURN = "urn:example:2.0:Thing"

// things is a declared type; the users get its schema as an extension.
func things(t testing.TB) (thing, user *schema.Type) {
	t.Helper()
	attr := func(name, typ string) resources.AttributeDef { return resources.AttributeDef{Name: name, Type: typ} }
	serial, exact, words, pin := attr("serial", "string"), attr("exact", "string"), attr("words", "string"), attr("pin", "string")
	serial.Uniqueness, exact.CaseExact, words.MultiValued, pin.Returned = "server", true, true, "never"
	part := attr("parts", "complex")
	part.MultiValued, part.SubAttributes = true, []resources.AttributeDef{attr("value", "string"), attr("link", "reference"), attr("size", "integer"), pin}
	d := &resources.Declared{
		Schemas: []resources.SchemaDef{
			{ID: thingURN, Attributes: []resources.AttributeDef{serial, exact, words, pin, part, attr("level", "integer"), attr("active", "boolean"), attr("userName", "string")}},
			{ID: thingURN + ":More", Attributes: []resources.AttributeDef{serial, words}},
		},
		Types: []resources.TypeDef{
			{Name: "Thing", Endpoint: "/Things", Schema: thingURN, SchemaExtensions: []resources.ExtensionDef{{Schema: thingURN + ":More"}}},
			{Name: "User", SchemaExtensions: []resources.ExtensionDef{{Schema: thingURN}}},
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
	return r.Type("Thing"), r.Type("User")
}

// Equality and prefixes of declared texts are answered by indexes; what is
// asked about a declared type never leaves it.
func TestPlanDeclared(t *testing.T) {
	thing, user := things(t)
	p := New()
	for _, c := range []struct {
		typ         *schema.Type
		filter, has string
	}{
		{thing, `serial eq "X"`, "; indexes: is rk; exact"},
		{thing, `serial eq "X Y"`, "; indexes: is rk; each record: serial eq ?"},
		{thing, `serial eq ""`, "; indexes: is rt; each record"},
		{thing, `serial sw "X"`, "; indexes: prefix ra; exact"},
		{thing, `serial co "X"`, "; indexes: is rt; each record"},
		{thing, `exact eq "X"`, "; indexes: is ra; exact"},
		{thing, `words eq "x" or exact sw "y"`, "; indexes: or(is ra, prefix ra); exact"},
		{thing, `parts.link eq "x"`, "; indexes: is ra; exact"},
		{thing, `parts[value eq "x"]`, "; indexes: is ra; exact"},
		{thing, `parts[value eq "x" and size gt 3]`, "; indexes: is ra; each record"},
		{thing, `parts co "x"`, "; indexes: is rt; each record"},
		{thing, thingURN + `:More:serial eq "x"`, "; indexes: is rk; exact"},
		{thing, `level eq 3`, "; indexes: is rt; each record"},
		{thing, `active eq false`, "; indexes: is rt; each record"},
		{thing, `userName eq "a"`, "; indexes: is ra; exact"},
		{thing, `externalId eq "a"`, "; indexes: is ra; exact"},
		{thing, `externalId sw "a"`, "; indexes: prefix ra; exact"},
		{thing, `id pr`, "; indexes: is rt; exact"},
		{thing, `meta.resourceType eq "Thing"`, "; indexes: is rt; exact"},
		{thing, `id eq "0ab1cd2ef3gh4ij5kl64"`, "; indexes: and(is rt, ids); exact"},
		{thing, `meta.lastModified gt "2026-01-01T00:00:00Z"`, "; indexes: and(is rt, range rl); exact"},
		{thing, `meta.created gt "2026-01-01T00:00:00Z" and level eq 3`, "; indexes: and(is rt, range rc); each record: meta.created gt ? and level eq ?"},
		{thing, `serial eq "x" or id eq "0ab1cd2ef3gh4ij5kl64"`, "; indexes: and(is rt, or(is rk, ids)); exact"},
		{thing, `serial eq "x" and id eq "0ab1cd2ef3gh4ij5kl64"`, "; indexes: and(is rk, ids); exact"},
		{thing, `not (serial eq "x")`, "; indexes: is rt; each record"},
		{user, thingURN + `:serial eq "x"`, "; indexes: is uk; exact"},
		{user, `words sw "x"`, "; indexes: prefix ut; exact"},
		{user, `level eq 1`, "; indexes: none; each record"},
		{user, `department eq "x"`, "; indexes: none; each record"},
		{user, `exact eq "x" and userName eq "y"`, "; indexes: and(is ut, is un); exact"},
	} {
		if got := mustParse(t, p, c.typ, c.filter).Explain(); !strings.Contains(got, c.has) {
			t.Errorf("%s\n got %s\nwant …%s", c.filter, got, c.has)
		}
	}
	c := mustParse(t, p, thing, `serial eq "Straße"`).Plan().Where
	if want := resources.AttrKey("Thing", thingURN+":serial", "strasse"); c.Value != want || c.Index != resources.CustomKey {
		t.Errorf("asks for %q, want %q", c.Value, want)
	}
	if q := Everything(user); q.Where != nil || q.Kind != resources.KindUser {
		t.Errorf("all users: %v", q)
	}
	for _, filter := range []string{`pin eq "x"`, `pin pr`, `parts.pin eq "x"`, `parts[pin eq "x"]`} {
		if _, err := p.Parse(thing, filter, Options{}); err == nil {
			t.Errorf("%s is answered", filter)
		}
	}
}

// A record of another type matches nothing, not even a negation.
func TestMatchDeclared(t *testing.T) {
	thing, _ := things(t)
	rec := func(typeName string) *resources.Record {
		return &resources.Record{
			Kind: resources.KindCustom, ID: "0ab1cd2ef3gh4ij5kl64", Version: 1, Standing: []byte(`{"type":"` + typeName + `"}`),
			Profile: []byte(`{"level":3,"words":["A","b c"],"parts":[{"pin":"1"}],"` + thingURN + `:More":{"serial":"S"}}`),
		}
	}
	for filter, want := range map[string]bool{
		`parts pr`: false, `parts eq null`: true, `parts ne null`: false, // only what nobody sees
		`level eq 3`: true, `level gt 3`: false, `not (level gt 3)`: true, `words co "C"`: true, `exact ne "x"`: true,
		thingURN + `:More:serial co "s"`: true, `serial co "s"`: false, `meta.location ew "Things/0ab1cd2ef3gh4ij5kl64"`: true,
	} {
		match := mustParse(t, New(), thing, filter).Plan().Match
		if got := match(rec("Thing")); got != want {
			t.Errorf("%s: %v", filter, got)
		}
		if match(rec("Other")) {
			t.Errorf("%s matches a resource of another type", filter)
		}
	}
}
