package schema_test

import (
	"errors"
	"strings"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

const (
	userURN  = `"urn:ietf:params:scim:schemas:core:2.0:User"`
	groupURN = `"urn:ietf:params:scim:schemas:core:2.0:Group"`
	entURN   = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
)

func registry(t testing.TB) *schema.Registry {
	t.Helper()
	r, err := schema.NewRegistry(schema.Builtin(), map[string]resources.Kind{
		"User": resources.KindUser, "Group": resources.KindGroup,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tree(t testing.TB, text string) *jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse([]byte(text), jsontree.BodyLimits())
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return &v
}

func text(v *jsontree.Value) string { return string(v.Append(nil)) }

// wantError checks status, scimType, and that Detail starts with the path.
func wantError(t *testing.T, err error, scimType scimerrors.ScimType, path string) {
	t.Helper()
	var se scimerrors.ScimError
	if !errors.As(err, &se) {
		t.Fatalf("got %v, want a ScimError value", err)
	}
	if se.Status != 400 || se.ScimType != scimType {
		t.Errorf("got %d %s (%s), want 400 %s", se.Status, se.ScimType, se.Detail, scimType)
	}
	if !strings.HasPrefix(se.Detail, path+" ") {
		t.Errorf("detail %q does not start with %q", se.Detail, path)
	}
}

// user makes a body of the members given, with schemas and userName.
func user(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"schemas":[` + userURN + `],"userName":"a"` + members + `}`
}

func ext(members string) string {
	return `{"schemas":[` + userURN + `,` + entURN + `],"userName":"a",` + entURN + `:{` + members + `}}`
}

// stored is a table line: what goes in and what must be stored. out "" means
// that the input is stored as it is.
type stored struct{ name, in, out string }

func checkStored(t *testing.T, typ *schema.Type, opts schema.Options, lines []stored) {
	t.Helper()
	for _, c := range lines {
		t.Run(c.name, func(t *testing.T) {
			doc := tree(t, c.in)
			if err := typ.Check(doc, opts); err != nil {
				t.Fatalf("refused: %v", err)
			}
			want := c.out
			if want == "" {
				want = c.in
			}
			if got := text(doc); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if err := typ.Check(doc, opts); err != nil || text(doc) != want {
				t.Errorf("a second Check changed it to %s (%v)", text(doc), err)
			}
		})
	}
}

func TestCheckSchemas(t *testing.T) {
	users := registry(t).Type("User")
	with := func(schemas string) string { return `{"schemas":` + schemas + `,"userName":"a"}` }
	checkStored(t, users, schema.Options{}, []stored{
		{"R-1 core only", user(""), ""},
		{"R-2 canonical case", with(`["URN:ietf:params:scim:schemas:core:2.0:USER"]`), user("")},
		{"R-1 duplicates", with(`[` + userURN + `,` + userURN + `]`), user("")},
		{"L-13 unknown URN", with(`[` + userURN + `,"urn:example:x","` + `urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]`), user("")},
		{"R-2 extension without content", with(`[` + entURN + `,` + userURN + `]`), user("")},
		{"order as sent", `{"schemas":[` + entURN + `,` + userURN + `],"userName":"a",` + entURN + `:{"department":"x"}}`, ""},
		{"L-12 extension forgotten", `{"schemas":[` + userURN + `],"userName":"a",` + entURN + `:{"department":"x"}}`, ext(`"department":"x"`)},
		{"R-3 name in other case", `{"SCHEMAS":[` + userURN + `],"USERNAME":"a"}`, user("")},
		{"1.1 URN beside the core URN", with(`["urn:scim:schemas:core:1.0",` + userURN + `]`), user("")},
	})
	checkStored(t, users, schema.Options{Profile: "onelogin"}, []stored{
		{"OLG-02 1.1 URN alone", with(`["urn:scim:schemas:core:1.0"]`), user("")},
	})
	for name, body := range map[string]string{
		"missing":          `{"userName":"a"}`,
		"null":             with(`null`),
		"empty":            with(`[]`),
		"a string":         with(userURN),
		"a number inside":  with(`[` + userURN + `,1]`),
		"core URN missing": with(`[` + entURN + `]`),
		"only the 1.1 URN": with(`["urn:scim:schemas:core:1.0"]`),
		"group's URN":      with(`[` + groupURN + `]`),
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			err := users.Check(tree(t, body), schema.Options{})
			wantError(t, err, scimerrors.ScimTypeInvalidSyntax, "schemas")
			if name != "a number inside" && !strings.Contains(err.Error(), userURN[1:len(userURN)-1]) {
				t.Errorf("%q does not name the expected URN", err)
			}
		})
	}
	for _, body := range []string{`[]`, `"x"`, `null`, `1`} {
		wantError(t, users.Check(tree(t, body), schema.Options{}), scimerrors.ScimTypeInvalidSyntax, "the body")
	}
}

// S7, S10, L-14, L-21, L-23, R-24, R-35, R-51: nothing a client may not decide
// gets in.
func TestMassAssignment(t *testing.T) {
	r := registry(t)
	checkStored(t, r.Type("User"), schema.Options{}, []stored{
		{"id and meta", user(`"id":"x","meta":{"version":"W/\"1\""}`), user("")},
		{"id null", user(`"id":null`), user("")},
		{"id of a wrong type", user(`"id":{"a":1},"meta":7`), user("")},
		{"groups", user(`"groups":[{"value":"g"}]`), user("")},
		{"password", user(`"password":"Kx7-throwaway","PASSWORD2":1`), user("")},
		{"password by URN", user(`"urn:ietf:params:scim:schemas:core:2.0:User:password":"p"`), user("")},
		{"unknown attributes", user(`"tenantId":"t","isAdmin":true,"state":"active"`), user("")},
		{"unknown extension", user(`"urn:example:2.0:User":{"isAdmin":true},"urn:example:2.0:User:isAdmin":true`), user("")},
		{"unknown sub-attribute", user(`"name":{"givenName":"A","admin":true}`), user(`"name":{"givenName":"A"}`)},
		{"unknown in extension", ext(`"department":"x","isAdmin":true`), ext(`"department":"x"`)},
		{"readOnly sub-attribute", ext(`"manager":{"value":"m","displayName":"Boss"}`), ext(`"manager":{"value":"m"}`)},
		{"members on a user", user(`"members":[{"value":"x"}]`), user("")},
		{"ENT-21 displayName in roles", user(`"roles":[{"value":"r","displayName":"R"}]`), user(`"roles":[{"value":"r"}]`)},
		{"core URN as an object", user(userURN + `:{"userName":"b"}`), user("")},
	})
	for _, name := range []string{"password", "Password", "PASSWORD"} {
		if !schema.Ignored(name) || r.Type("User").Attr("", name) != nil {
			t.Errorf("%s must be ignored and not published", name)
		}
	}
	if schema.Ignored("passwords") || schema.Ignored("userName") {
		t.Error("only password is ignored")
	}
}

func TestCheckNames(t *testing.T) {
	const core = "urn:ietf:params:scim:schemas:core:2.0:User:"
	const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
	checkStored(t, registry(t).Type("User"), schema.Options{}, []stored{
		{
			"L-3 any case", user(`"NAME":{"GIVENNAME":"A"},"eMails":[{"VALUE":"v","Type":"work"}]`),
			user(`"name":{"givenName":"A"},"emails":[{"value":"v","type":"work"}]`),
		},
		{
			"URN of the extension in other case", `{"schemas":[` + userURN + `],"userName":"a",` + strings.ToUpper(entURN) + `:{"DEPARTMENT":"x"}}`,
			ext(`"department":"x"`),
		},
		{"L-5 flat", user(`"` + ent + `department":"x"`), ext(`"department":"x"`)},
		{"L-5 flat, dotted", user(`"` + ent + `manager.value":"m"`), ext(`"manager":{"value":"m"}`)},
		{
			"L-5 flat, two of one", user(`"` + ent + `manager.value":"m","` + ent + `manager.$ref":"r"`),
			ext(`"manager":{"value":"m","$ref":"r"}`),
		},
		{
			"L-5 flat joins nested", ext(`"costCenter":"c"},"` + ent + `department":"x","` + ent + `manager":{"value":"m"`),
			ext(`"costCenter":"c","department":"x","manager":{"value":"m"}`),
		},
		{"flat core", user(`"` + core + `title":"t"`), user(`"title":"t"`)},
		{"flat null", user(`"` + ent + `department":null`), user("")},
		{"flat unknown", user(`"` + ent + `nope":1,"` + ent + `manager.nope":1,"` + ent + `":1`), user("")},
		{
			"flat beside a null extension", user(entURN + `:null,"` + ent + `department":"x"`),
			`{"schemas":[` + userURN + `,` + entURN + `],"userName":"a",` + entURN + `:{"department":"x"}}`,
		},
	})
	users := registry(t).Type("User")
	wantError(t, users.Check(tree(t, user(`"title":"a","`+core+`title":"b"`)), schema.Options{}),
		scimerrors.ScimTypeInvalidSyntax, `"`+core+`title"`)
	wantError(t, users.Check(tree(t, ext(`"manager":"m"},"`+ent+`manager.value":"n","x":{`)), schema.Options{}),
		scimerrors.ScimTypeInvalidSyntax, `"`+ent+`manager.value"`)
	wantError(t, users.Check(tree(t, user(entURN+`:7,"`+ent+`department":"x"`)), schema.Options{}),
		scimerrors.ScimTypeInvalidValue, ent[:len(ent)-1])
	wantError(t, users.Check(tree(t, user(entURN+`:"x"`)), schema.Options{}),
		scimerrors.ScimTypeInvalidValue, ent[:len(ent)-1])
}

// L-9, L-10, L-11, R-6: what means unassigned is not stored.
func TestCheckUnassigned(t *testing.T) {
	checkStored(t, registry(t).Type("User"), schema.Options{}, []stored{
		{"ENT-09 nulls", user(`"addresses":null,"title":null,"department":null,"manager":null`), user("")},
		{"ENT-08 empty roles", user(`"roles":[]`), user("")},
		{"empty strings", user(`"title":"","active":"","photos":"","name":""`), user("")},
		{"empty array for one value", user(`"title":[],"name":[],"active":[]`), user("")},
		{"empty objects", user(`"name":{},"emails":{},"roles":[{}]`), user("")},
		{"empty sub-attributes", user(`"name":{"givenName":"","familyName":null,"formatted":"F"}`), user(`"name":{"formatted":"F"}`)},
		{"L-9 value empty", user(`"emails":[{"value":""}],"roles":[{"value":null}]`), user("")},
		{
			"ENT-15 only a type left", user(`"phoneNumbers":[{"type":"mobile","value":""},{"type":"work","value":"1"}]`),
			user(`"phoneNumbers":[{"type":"work","value":"1"}]`),
		},
		{"ENT-15 address", user(`"addresses":[{"type":"work","primary":true,"formatted":null}]`), user("")},
		{"ENT-12 never had a value", user(`"emails":[{"type":"work","primary":true}]`), ""},
		{
			"value empty, other content", user(`"addresses":[{"type":"work","formatted":"","country":"FR"}]`),
			user(`"addresses":[{"type":"work","country":"FR"}]`),
		},
		{"null elements", user(`"emails":[null,{"value":"v"},null,""]`), user(`"emails":[{"value":"v"}]`)},
		{"extension null", user(entURN + `:null`), user("")},
		{"extension empty", user(entURN + `:{}`), user("")},
		{"extension of nulls", ext(`"department":null,"manager":{"value":""}`), user("")},
		{"OLG-02 manager", ext(`"department":"Support","manager":{"managerId":"","displayName":" "}`), ext(`"department":"Support"`)},
		{"L-9 manager with $ref", ext(`"manager":{"value":"","$ref":"../Users/x"}`), user("")},
		{"L-11 $ref null", ext(`"manager":{"value":"m","$ref":null}`), ext(`"manager":{"value":"m"}`)},
	})
}

// L-2, L-8, L-31, R-13, R-14.
func TestCheckShapes(t *testing.T) {
	r := registry(t)
	checkStored(t, r.Type("User"), schema.Options{}, []stored{
		{
			"L-2 boolean strings", user(`"active":"True","emails":[{"value":"v","primary":"false"}]`),
			user(`"active":true,"emails":[{"value":"v","primary":false}]`),
		},
		{"L-2 any case", user(`"active":"FALSE"`), user(`"active":false`)},
		{"L-8 object for array", user(`"emails":{"value":"v"}`), user(`"emails":[{"value":"v"}]`)},
		{"L-8 string for array", user(`"emails":"v"`), user(`"emails":[{"value":"v"}]`)},
		{"L-8 strings in array", user(`"roles":["r","s"]`), user(`"roles":[{"value":"r"},{"value":"s"}]`)},
		{"L-8 manager string", ext(`"manager":"m"`), ext(`"manager":{"value":"m"}`)},
		{"L-8 manager array", ext(`"manager":[{"value":"m","$ref":"r"}]`), ext(`"manager":{"value":"m","$ref":"r"}`)},
		{"L-8 manager array of string", ext(`"manager":["m"]`), ext(`"manager":{"value":"m"}`)},
		{"L-8 name array", user(`"name":[{"givenName":"A"}]`), user(`"name":{"givenName":"A"}`)},
		{
			"R-14 exact duplicates", user(`"emails":[{"value":"v","type":"work"},{"type":"work","value":"v"},{"value":"v"}]`),
			user(`"emails":[{"value":"v","type":"work"},{"value":"v"}]`),
		},
		{
			"R-14 the same primary twice", user(`"emails":[{"value":"v","primary":true},{"value":"v","primary":"true"}]`),
			user(`"emails":[{"value":"v","primary":true}]`),
		},
		{
			"R-14 many", user(`"roles":[` + strings.Repeat(`"a","b","c",{"value":"a","type":"t"},{"type":"t","value":"a"},`, 20) + `"a"]`),
			user(`"roles":[{"value":"a"},{"value":"b"},{"value":"c"},{"value":"a","type":"t"}]`),
		},
		{
			"R-15 verbatim", user(`"emails":[{"value":" Ü@EXAMPLE.com\n","type":"WORK"}],"displayName":" \u0007 x"`),
			user(`"emails":[{"value":" Ü@EXAMPLE.com\n","type":"WORK"}],"displayName":" \u0007 x"`),
		},
		{"L-30 JSON in a string", user(`"roles":[{"value":"{\"id\":1}"}]`), ""},
		{"primary false everywhere", user(`"emails":[{"value":"a","primary":false},{"value":"b","primary":false}]`), ""},
		{"primary true in two attributes", user(`"emails":[{"value":"a","primary":true}],"ims":[{"value":"b","primary":true}]`), ""},
	})
	two := user(`"emails":[{"value":"a","primary":true},{"value":"b"},{"value":"c","primary":true}]`)
	wantError(t, r.Type("User").Check(tree(t, two), schema.Options{}), scimerrors.ScimTypeInvalidValue, "emails")
	checkStored(t, r.Type("User"), schema.Options{Profile: "ping"}, []stored{
		{"L-31 PNG-03", two, user(`"emails":[{"value":"a","primary":true},{"value":"b"},{"value":"c","primary":false}]`)},
		{
			"L-31 and R-14", user(`"emails":[{"value":"a","primary":true},{"value":"b","primary":true},{"value":"b","primary":false}]`),
			user(`"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]`),
		},
	})
	checkStored(t, r.Type("Group"), schema.Options{}, []stored{
		{
			"ENT-22", `{"schemas":[` + groupURN + `,"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"externalId":"c2","displayName":"Support FR","meta":{"resourceType":"Group"}}`,
			`{"schemas":[` + groupURN + `],"externalId":"c2","displayName":"Support FR"}`,
		},
	})
}

// a wrong type names the path, what is wanted and what came.
func TestCheckTypes(t *testing.T) {
	r := registry(t)
	long := strings.Repeat("x", schema.MaxName+1)
	for _, c := range []struct{ name, in, path, says string }{
		{"primary", user(`"emails":[{"value":"v"},{"primary":1}]`), "emails[1].primary", "must be true or false, not a number"},
		{"index counts what was sent", user(`"emails":[null,{"value":1}]`), "emails[1].value", "not a number"},
		{"active word", user(`"active":"yes"`), "active", "must be true or false, not a string"},
		{"active space", user(`"active":" true"`), "active", "must be true or false"},
		{"active array", user(`"active":[true]`), "active", "not an array"},
		{"string number", user(`"title":1`), "title", "must be a string, not a number"},
		{"string boolean", user(`"displayName":true`), "displayName", "not a boolean"},
		{"string object", user(`"nickName":{}`), "nickName", "not an object"},
		{"reference", user(`"profileUrl":1`), "profileUrl", "must be a string holding a URI"},
		{"complex number", user(`"name":1`), "name", "must be an object, not a number"},
		{"complex without value", user(`"name":"Ann"`), "name", "must be an object, not a string"},
		{"complex array of two", ext(`"manager":["a","b"]`), entURN[1:len(entURN)-1] + ":manager", "not an array"},
		{"nested arrays", ext(`"manager":[["a"]]`), entURN[1:len(entURN)-1] + ":manager", "not an array"},
		{"multi boolean", user(`"emails":true`), "emails", "must be an array of objects, not a boolean"},
		{"multi nested", user(`"emails":[["a"]]`), "emails[0]", "must be an object, not an array"},
		{"sub-attribute array", user(`"name":{"givenName":["a"]}`), "name.givenName", "not an array"},
		{"binary", user(`"x509Certificates":[{"value":"a-_="}]`), "x509Certificates[0].value", "base64"},
		{"binary number", user(`"x509Certificates":[{"value":1}]`), "x509Certificates[0].value", "base64, not a number"},
		{"extension", ext(`"department":{}`), entURN[1:len(entURN)-1] + ":department", "must be a string"},
		{"R-31 missing", `{"schemas":[` + userURN + `]}`, "userName", "is required"},
		{"R-31 null", `{"schemas":[` + userURN + `],"userName":null}`, "userName", "is required"},
		{"R-31 empty", `{"schemas":[` + userURN + `],"userName":""}`, "userName", "is required"},
		{"R-31 blank", `{"schemas":[` + userURN + `],"userName":" \u00a0\t"}`, "userName", "blank"},
		{"userName long", `{"schemas":[` + userURN + `],"userName":"` + long + `"}`, "userName", "longer than 400"},
		{"userName control", `{"schemas":[` + userURN + `],"userName":"a\nb"}`, "userName", "control character"},
		{"userName C1 control", `{"schemas":[` + userURN + `],"userName":"a\u0085b"}`, "userName", "control character"},
		{"text long", user(`"title":"` + strings.Repeat("x", schema.MaxText+1) + `"`), "title", "longer than 65536"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := r.Type("User").Check(tree(t, c.in), schema.Options{})
			wantError(t, err, scimerrors.ScimTypeInvalidValue, c.path)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
	group := func(members string) string { return `{"schemas":[` + groupURN + `]` + members + `}` }
	for _, body := range []string{``, `,"displayName":""`, `,"displayName":" "`, `,"displayName":"a\u0000b"`, `,"displayName":"` + long + `"`, `,"displayName":7`} {
		v, err := jsontree.Parse([]byte(group(body)), jsontree.BodyLimits())
		if err != nil {
			continue // the parser refuses NUL itself
		}
		wantError(t, r.Type("Group").Check(&v, schema.Options{}), scimerrors.ScimTypeInvalidValue, "displayName")
	}
}
