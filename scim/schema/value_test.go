package schema_test

import (
	"strings"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

func str(s string) jsontree.Value { return jsontree.Str(s) }

// The value of a PATCH operation (L-2, L-8, L-9, R-93, R-101).
func TestCheckValue(t *testing.T) {
	r := registry(t)
	users := r.Type("User")
	const ent = schema.EnterpriseUserURN
	for _, c := range []struct {
		name, urn, attr, sub string
		partial              bool
		in, want             string
	}{
		{"string", "", "title", "", false, `"t"`, `"t"`},
		{"ENT-15 empty", "", "title", "", false, `""`, `null`},
		{"null", "", "title", "", false, `null`, `null`},
		{"ENT-14 False", "", "active", "", false, `"False"`, `false`},
		{"sub-attribute", "", "name", "givenName", false, `"A"`, `"A"`},
		{"sub-attribute of a multi-valued one", "", "emails", "primary", false, `"true"`, `true`},
		{"array", "", "emails", "", false, `[{"VALUE":"v","nope":1}]`, `[{"value":"v"}]`},
		{"one for an array", "", "emails", "", false, `{"value":"v"}`, `[{"value":"v"}]`},
		{"empty array", "", "emails", "", false, `[]`, `null`},
		{"ENT-17 string", ent, "manager", "", true, `"m"`, `{"value":"m"}`},
		{"ENT-17 array", ent, "manager", "", true, `[{"$ref":"r","value":"m"}]`, `{"$ref":"r","value":"m"}`},
		{"ENT-18 empty", ent, "manager", "", true, `""`, `null`},
		{"L-9 empty value", ent, "manager", "", true, `{"value":""}`, `null`},
		{"L-9 empty value and $ref", ent, "manager", "", true, `{"value":null,"$ref":"r"}`, `null`},
		{"partial keeps nulls", "", "name", "", true, `{"givenName":"","familyName":"F","x":1}`, `{"givenName":null,"familyName":"F"}`},
		{"partial of nulls", "", "name", "", true, `{"GIVENNAME":null}`, `{"givenName":null}`},
		{"partial of nothing", "", "name", "", true, `{}`, `{}`},
		{"whole drops nulls", "", "name", "", false, `{"givenName":"","familyName":"F"}`, `{"familyName":"F"}`},
		{"partial elements are whole", "", "emails", "", true, `[{"value":"v","display":null}]`, `[{"value":"v"}]`},
		{"schema path", "", "schemas", "", false, `["` + schema.UserURN + `"]`, `["` + schema.UserURN + `"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := users.Attr(c.urn, c.attr)
			if c.sub != "" {
				a = a.Sub(c.sub)
			}
			v := tree(t, c.in)
			if err := a.CheckValue(v, schema.Options{Partial: c.partial}); err != nil {
				t.Fatal(err)
			}
			if got := text(v); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	bad := tree(t, `[{"value":"a","primary":true},{"value":"b","primary":true}]`)
	wantError(t, users.Attr("", "emails").CheckValue(bad, schema.Options{}), scimerrors.ScimTypeInvalidValue, "emails")
	bad = tree(t, `[{"value":1}]`)
	wantError(t, users.Attr("", "emails").CheckValue(bad, schema.Options{}), scimerrors.ScimTypeInvalidValue, "emails[0].value")
	bad = tree(t, `7`)
	wantError(t, users.Attr("", "emails").Sub("value").CheckValue(bad, schema.Options{}), scimerrors.ScimTypeInvalidValue, "emails.value")
}

// Partial is for PATCH values; a whole document is always judged whole.
func TestCheckIgnoresPartial(t *testing.T) {
	typ := things(t)
	doc := tree(t, thingBody(`"origin":{"plant":"","note":"n"}`))
	if err := typ.Check(doc, schema.Options{Partial: true}); err != nil || text(doc) != thingBody(`"origin":{"note":"n"}`) {
		t.Errorf("got %s, %v", text(doc), err)
	}
}

func TestCheckElement(t *testing.T) {
	r := registry(t)
	emails := r.Type("User").Attr("", "emails")
	for _, c := range []struct {
		in, want string
		partial  bool
	}{
		{`{"value":"v","PRIMARY":"True"}`, `{"value":"v","primary":true}`, false},
		{`"v"`, `{"value":"v"}`, false},
		{`[{"value":"v"}]`, `{"value":"v"}`, false},
		{`null`, `null`, false},
		{`""`, `null`, false},
		{`{"type":"work","value":""}`, `null`, true},
		{`{"type":"work","display":""}`, `{"type":"work","display":null}`, true},
	} {
		v := tree(t, c.in)
		if err := emails.CheckElement(v, schema.Options{Partial: c.partial}); err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := text(v); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
	for in, path := range map[string]string{
		`[{"value":"a"},{"value":"b"}]`: "emails", `[]`: "emails", `7`: "emails", `[[]]`: "emails",
		`{"primary":"x"}`: "emails.primary",
	} {
		wantError(t, emails.CheckElement(tree(t, in), schema.Options{}), scimerrors.ScimTypeInvalidValue, path)
	}
	// An element of a simple multi-valued attribute.
	sizes := things(t).Attr("", "sizes")
	if v := tree(t, `3`); sizes.CheckElement(v, schema.Options{}) != nil || text(v) != "3" {
		t.Error("3 is a size")
	}
	wantError(t, sizes.CheckElement(tree(t, `"3"`), schema.Options{}), scimerrors.ScimTypeInvalidValue, "sizes")
}

// L-11, L-25, ENT-24, ENT-28, OKT-10, OKT-14.
func TestTakeMembers(t *testing.T) {
	user := "0123456789abcdefghi0"  // kind User
	group := "0123456789abcdefghi1" // kind Group
	token := "0123456789abcdefghi2" // kind Token
	for id, want := range map[string]resources.Kind{user: resources.KindUser, group: resources.KindGroup, token: resources.KindToken} {
		if k, ok := resources.KindOf(id); !ok || k != want {
			t.Fatalf("%s is of kind %v, the test wants %v", id, k, want)
		}
	}
	for _, c := range []struct {
		name, members string
		want          string // ids, joined
		present       bool
		path          string
	}{
		{"absent", ``, "", false, ""},
		{"null", `,"members":null`, "", true, ""},
		{"empty", `,"members":[]`, "", true, ""},
		{"name in other case", `,"Members":[{"VALUE":"` + user + `"}]`, user, true, ""},
		{"L-11", `,"members":[{"$ref":null,"value":"` + user + `","type":"User","display":"x"}]`, user, true, ""},
		{"ENT-28 strings", `,"members":["` + user + `","` + group + `"]`, user + " " + group, true, ""},
		{"one object", `,"members":{"value":"` + user + `"}`, user, true, ""},
		{"one string", `,"members":"` + user + `"`, user, true, ""},
		{"L-25 duplicates", `,"members":["` + user + `",{"value":"` + group + `"},{"value":"` + user + `","type":"User"}]`, user + " " + group, true, ""},
		{"null element", `,"members":[null,"` + user + `"]`, user, true, ""},
		{"malformed id", `,"members":["` + user + `","bob"]`, "", true, "members[1]"},
		{"malformed value", `,"members":[{"value":"bob"}]`, "", true, "members[0].value"},
		{"upper case", `,"members":[{"value":"` + strings.ToUpper(user) + `"}]`, "", true, "members[0].value"},
		{"id of a token", `,"members":[{"value":"` + token + `"}]`, "", true, "members[0].value"},
		{"empty string", `,"members":[""]`, "", true, "members[0]"},
		{"value missing", `,"members":[{"type":"User"}]`, "", true, "members[0].value"},
		{"value null", `,"members":[{"value":null}]`, "", true, "members[0].value"},
		{"number", `,"members":[7]`, "", true, "members[0]"},
		{"nested", `,"members":[["` + user + `"]]`, "", true, "members[0]"},
		{"boolean", `,"members":true`, "", true, "members"},
		{"type of a wrong type", `,"members":[{"value":"` + user + `","type":7}]`, "", true, "members[0].type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := tree(t, `{"displayName":"g"`+c.members+`}`)
			ids, present, err := schema.TakeMembers(doc)
			if c.path != "" {
				wantError(t, err, scimerrors.ScimTypeInvalidValue, c.path)
				return
			}
			if err != nil || strings.Join(ids, " ") != c.want || present != c.present {
				t.Errorf("got %v, %v, %v", ids, present, err)
			}
			if text(doc) != `{"displayName":"g"}` {
				t.Errorf("left %s", text(doc))
			}
		})
	}
	_, _, err := schema.TakeMembers(tree(t, `{"members":["bob<`+strings.Repeat("é", 200)+`"]}`))
	if err == nil || !strings.Contains(err.Error(), `"bob<éé`) || len(err.Error()) > 400 {
		t.Errorf("the message must name the id, cut: %v", err)
	}
}
