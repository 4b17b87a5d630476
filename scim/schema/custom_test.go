package schema_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

const (
	thingURN = "urn:example:2.0:Thing"
	moreURN  = "urn:example:2.0:Thing:More" // longer than, and under, thingURN (L-5)
)

// thing is a resource type with every data type, required and immutable
// attributes, and a required extension.
func thing() scim.ResourceType {
	str := func(name string, m elimity.AttributeMutability, required bool) elimity.SimpleParams {
		return elimity.SimpleStringParams(elimity.StringParams{Name: name, Mutability: m, Required: required})
	}
	rw, immutable := elimity.AttributeMutabilityReadWrite(), elimity.AttributeMutabilityImmutable()
	number := func(name string, d elimity.AttributeDataType, many bool) elimity.CoreAttribute {
		return elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: name, Type: d, MultiValued: many}))
	}
	return scim.ResourceType{
		Name: "Thing", Endpoint: "/Things",
		Schema: elimity.Schema{ID: thingURN, Name: optional.NewString("Thing"), Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(str("serial", immutable, false)),
			number("count", elimity.AttributeTypeInteger(), false),
			number("sizes", elimity.AttributeTypeInteger(), true),
			number("weight", elimity.AttributeTypeDecimal(), false),
			elimity.SimpleCoreAttribute(elimity.SimpleDateTimeParams(elimity.DateTimeParams{Name: "made"})),
			elimity.SimpleCoreAttribute(elimity.SimpleBinaryParams(elimity.BinaryParams{Name: "blob"})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "origin", SubAttributes: []elimity.SimpleParams{
				str("plant", immutable, false), str("note", rw, false),
			}}),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "parts", MultiValued: true, SubAttributes: []elimity.SimpleParams{
				str("code", rw, true), str("note", rw, false),
			}}),
		}},
		SchemaExtensions: []scim.SchemaExtension{{Required: true, Schema: elimity.Schema{
			ID: moreURN,
			Attributes: []elimity.CoreAttribute{
				elimity.SimpleCoreAttribute(str("owner", rw, true)),
				elimity.SimpleCoreAttribute(str("tag", immutable, false)),
			},
		}}},
	}
}

func things(t testing.TB) *schema.Type {
	t.Helper()
	r, err := schema.NewRegistry([]scim.ResourceType{thing()}, map[string]resources.Kind{"Thing": resources.KindToken})
	if err != nil {
		t.Fatal(err)
	}
	return r.Type("Thing")
}

func thingBody(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"schemas":["` + thingURN + `","` + moreURN + `"]` + members + `,"` + moreURN + `":{"owner":"o"}}`
}

// each data type takes what the RFC allows and nothing else.
func TestDataTypes(t *testing.T) {
	typ := things(t)
	for name, values := range map[string]struct{ good, bad []string }{
		"count": {
			good: []string{`0`, `-0`, `-12`, `123456789012345`},
			bad:  []string{`1.0`, `1e2`, `"1"`, `true`, `[1]`, `{}`},
		},
		"weight": {
			good: []string{`0`, `1.50`, `-2e3`, `1E-400`},
			bad:  []string{`1e400`, `"1"`, `false`},
		},
		"made": {
			good: []string{
				`"2026-03-27T19:59:26Z"`, `"2026-03-27T19:59:26"`, `"2026-03-27T19:59:26.123456789Z"`,
				`"2026-03-27T19:59:26.000+01:00"`, `"2024-02-29T00:00:00-14:00"`,
			},
			bad: []string{
				`"2026-03-27"`, `"2026-03-27T19:59Z"`, `"2026-03-27 19:59:26Z"`, `"2026-03-27t19:59:26z"`,
				`"2026-03-27T19:59:26.Z"`, `"2026-03-27T19:59:26.1234567890Z"`, `"2026-13-27T19:59:26Z"`, `"2026-02-30T19:59:26Z"`,
				`"2026-03-27T25:59:26Z"`, `"2026-03-27T19:59:26+01"`, `"2026-03-27T19:59:26+99:99"`, `"2026-03-27T19:59:26Zx"`,
				`"-2026-03-27T19:59:26Z"`, `1774641566`, `" 2026-03-27T19:59:26Z"`, `"now"`,
			},
		},
		"blob": {
			good: []string{`"AAAA"`, `"AAA="`, `"AA=="`, `"AAA"`, `"AA"`, `"+/09"`},
			bad:  []string{`"A"`, `"A==="`, `"===="`, `"AA=A"`, `"A A="`, `"-_AA"`, `"AA==="`, `"AA==\n"`, `1`},
		},
		"sizes": {
			good: []string{`[1,2]`, `[1]`},
			bad:  []string{`[1.5]`, `[[1]]`, `["1"]`, `[{}]`, `[true]`},
		},
	} {
		for _, v := range values.good {
			in := thingBody(`"` + name + `":` + v)
			doc := tree(t, in)
			if err := typ.Check(doc, schema.Options{}); err != nil {
				t.Errorf("%s %s: %v", name, v, err)
			} else if got := text(doc); got != in {
				t.Errorf("%s %s is stored as %s", name, v, got)
			}
		}
		for _, v := range values.bad {
			err := typ.Check(tree(t, thingBody(`"`+name+`":`+v)), schema.Options{})
			if err == nil {
				t.Errorf("%s %s was accepted", name, v)
				continue
			}
			if name != "sizes" {
				wantError(t, err, scimerrors.ScimTypeInvalidValue, name)
			}
		}
	}
	checkStored(t, typ, schema.Options{}, []stored{
		{"L-8 one number", thingBody(`"sizes":1`), thingBody(`"sizes":[1]`)},
		{"duplicates", thingBody(`"sizes":[1,2,1]`), thingBody(`"sizes":[1,2]`)},
	})
}

// Our base64 check agrees with the standard library's (with and without
// padding), line breaks apart.
func FuzzBase64(f *testing.F) {
	typ := things(f)
	for _, s := range []string{"", "AA==", "AAA", "A=", "=", "AAAA====", "AAAAA===", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := str(s)
		ours := typ.Attr("", "blob").CheckValue(&v, schema.Options{}) == nil
		_, padded := base64.StdEncoding.DecodeString(s)
		_, raw := base64.RawStdEncoding.DecodeString(s)
		if want := (padded == nil || raw == nil) && !strings.ContainsAny(s, "\r\n"); ours != want {
			t.Fatalf("%q: accepted %v, want %v", s, ours, want)
		}
	})
}

// required extensions, attributes and sub-attributes.
func TestRequired(t *testing.T) {
	typ := things(t)
	for _, c := range []struct{ name, in, path string }{
		{"R-47 extension missing", `{"schemas":["` + thingURN + `"]}`, moreURN},
		{"R-47 extension null", `{"schemas":["` + thingURN + `"],"` + moreURN + `":null}`, moreURN},
		{"R-47 extension empty", `{"schemas":["` + thingURN + `"],"` + moreURN + `":{"owner":""}}`, moreURN},
		{"R-47 extension of unknown attributes", `{"schemas":["` + thingURN + `"],"` + moreURN + `":{"x":1}}`, moreURN},
		{"attribute of the extension", `{"schemas":["` + thingURN + `"],"` + moreURN + `":{"tag":"t"}}`, moreURN + ":owner"},
		{"sub-attribute", thingBody(`"parts":[{"code":"c"},{"note":"n"}]`), "parts[1].code"},
		{"sub-attribute null", thingBody(`"parts":[{"code":null,"note":"n"}]`), "parts[0].code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := typ.Check(tree(t, c.in), schema.Options{})
			wantError(t, err, scimerrors.ScimTypeInvalidValue, c.path)
			if !strings.Contains(err.Error(), "is required") {
				t.Errorf("%q does not say that it is required", err)
			}
		})
	}
	checkStored(t, typ, schema.Options{}, []stored{
		{
			"L-5 longest URN wins", `{"schemas":["` + thingURN + `"],"` + moreURN + `:owner":"o"}`,
			`{"schemas":["` + thingURN + `","` + moreURN + `"],"` + moreURN + `":{"owner":"o"}}`,
		},
	})
}

// immutable values on PUT.
func TestCheckImmutable(t *testing.T) {
	typ := things(t)
	const old = `{"serial":"1","origin":{"plant":"p","note":"n"},"parts":[{"code":"c"}],"` + moreURN + `":{"owner":"o","tag":"t"}}`
	for _, c := range []struct{ name, old, now, want, path string }{
		{"equal", old, old, old, ""},
		{
			"all else may change", old, `{"serial":"1","origin":{"plant":"p","note":"m"},"parts":[{"code":"d"}],"` + moreURN + `":{"owner":"x","tag":"t"}}`,
			`{"serial":"1","origin":{"plant":"p","note":"m"},"parts":[{"code":"d"}],"` + moreURN + `":{"owner":"x","tag":"t"}}`, "",
		},
		{"unset before", `{"origin":{"note":"n"}}`, old, old, ""},
		{
			"left out is kept", old, `{"` + moreURN + `":{"owner":"x"}}`,
			`{"` + moreURN + `":{"owner":"x","tag":"t"},"serial":"1","origin":{"plant":"p"}}`, "",
		},
		{"nothing to keep", `{"origin":{"note":"n"}}`, `{}`, `{}`, ""},
		{
			"extension left out", old, `{"serial":"1","origin":{"plant":"p"}}`,
			`{"serial":"1","origin":{"plant":"p"},"` + moreURN + `":{"tag":"t"}}`, "",
		},
		{"changed", old, `{"serial":"2"}`, "", "serial"},
		{"changed case", `{"serial":"a"}`, `{"serial":"A"}`, "", "serial"},
		{"sub-attribute changed", old, `{"serial":"1","origin":{"plant":"q"}}`, "", "origin.plant"},
		{"extension changed", old, `{"` + moreURN + `":{"tag":"u"}}`, "", moreURN + ":tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			was, now := tree(t, c.old), tree(t, c.now)
			err := schema.CheckImmutable(typ, was, now)
			if c.path != "" {
				wantError(t, err, scimerrors.ScimTypeMutability, c.path)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text(now) != c.want {
				t.Errorf("got  %s\nwant %s", text(now), c.want)
			}
			if text(was) != c.old {
				t.Errorf("the stored document was changed: %s", text(was))
			}
		})
	}
}
