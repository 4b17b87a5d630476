package patch_test

import (
	"strings"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
)

const (
	syntax   = scimerrors.ScimTypeInvalidSyntax
	badPath  = scimerrors.ScimTypeInvalidPath
	badValue = scimerrors.ScimTypeInvalidValue
	mutable  = scimerrors.ScimTypeMutability
	noTarget = scimerrors.ScimTypeNoTarget
)

// the envelope.
func TestBody(t *testing.T) {
	u, _ := types(t)
	const urn = `"schemas":["` + patch.MessageURN + `"]`
	const one = `{"op":"replace","path":"title","value":"x"}`
	for _, r := range []struct {
		name, body string
		err        scimerrors.ScimType
	}{
		{"good", `{` + urn + `,"Operations":[` + one + `]}`, ""},
		{"names in any case (R-3, L-3)", `{"SCHEMAS":["` + strings.ToUpper(patch.MessageURN) + `"],"operations":[{"OP":"Replace","Path":"title","VALUE":"x"}]}`, ""},
		{"other members are ignored", `{` + urn + `,"x":1,"Operations":[{"name":"n","op":"add","path":"title","value":"x"}]}`, ""},
		{"path null is no path (AUT-02)", `{` + urn + `,"Operations":[{"op":"add","path":null,"value":{"title":"x"}}]}`, ""},
		{"no schemas", `{"Operations":[` + one + `]}`, syntax},
		{"schemas a string", `{"schemas":"` + patch.MessageURN + `","Operations":[` + one + `]}`, syntax},
		{"other schema", `{"schemas":["urn:x"],"Operations":[` + one + `]}`, syntax},
		{"no operations", `{` + urn + `}`, syntax},
		{"empty operations", `{` + urn + `,"Operations":[]}`, syntax},
		{"operations an object", `{` + urn + `,"Operations":` + one + `}`, syntax},
		{"an array", `[]`, syntax},
		{"operation a string", `{` + urn + `,"Operations":["add"]}`, syntax},
		{"no op", `{` + urn + `,"Operations":[{"path":"title","value":"x"}]}`, syntax},
		{"op a number", `{` + urn + `,"Operations":[{"op":1,"path":"title"}]}`, syntax},
		{"unknown op", `{` + urn + `,"Operations":[{"op":"move","path":"title"}]}`, syntax},
		{"path a number", `{` + urn + `,"Operations":[{"op":"add","path":1,"value":"x"}]}`, badPath},
		{"1000 operations", `{` + urn + `,"Operations":[` + strings.Repeat(one+",", 999) + one + `]}`, ""},
		{"1001 operations", `{` + urn + `,"Operations":[` + strings.Repeat(one+",", 1000) + one + `]}`, syntax},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := tree(t, r.body)
			p, err := patch.New(filter.New()).Parse(u, &v, patch.Options{})
			if r.err != "" {
				row{err: r.err}.refused(t, err, jsontree.Value{})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			doc := tree(t, user(""))
			got, err := p.Apply(&doc, nil)
			if err != nil || got.GetString("title") != "x" {
				t.Errorf("%v, title %q", err, got.GetString("title"))
			}
		})
	}
}

func TestPaths(t *testing.T) {
	const ops = `{"op":"add","path":`
	var rows []row
	for _, path := range []string{
		"/title", "emails/0/value", "emails[0]", "emails[0].value", "nope", "name.nope", "emails[nope eq \\\"x\\\"]",
		"emails[type eq \\\"work\\\"", "emails[type eq \\\"work\\\"]value", "emails[type eq \\\"work\\\"].nope", "emails[]", "title.", ".title",
		"title x", "urn:x:y:title", "$ENT:nope", "$USER", "title[value eq \\\"x\\\"]", " ",
	} {
		rows = append(rows, row{
			name: "R-89 S17 " + path, ops: ops + `"` + path + `","value":"x"}`, err: badPath, says: "operation 1 (add",
			doc: `"emails":[` + work + `]`,
		})
	}
	long := strings.Repeat("a", 3000)
	rows = append(rows,
		row{name: "S19 long path is cut", ops: ops + `"emails[type eq \"` + strings.Repeat("é", 200) + `\"].nope","value":"x"}`, err: badPath, says: "…"},
		row{name: "R-89 too long", ops: ops + `"` + long + `","value":"x"}`, err: badPath},
		row{name: "L-14 unknown key", ops: `{"op":"add","value":{"title":"x","nope":"y"}}`, err: badPath, says: "nope"},
		row{name: "L-14 unknown key in an extension", ops: `{"op":"add","value":{"$ENT":{"nope":"y"}}}`, err: badPath, says: "nope"},
		row{name: "L-14 profile generic ignores", profiles: "generic", ops: `{"op":"add","path":"nope","value":"x"},{"op":"add","path":"nope[a eq \"b\"].c","value":"x"},
			{"op":"add","value":{"title":"x","nope":"y","urn:x:y":{"a":1},"$ENT":{"nope":"y"}}},{"op":"remove","path":"name.nope"}`, want: `"title":"x"`},
		row{name: "L-14 profile generic refuses bad syntax", profiles: "generic", ops: `{"op":"add","path":"emails[type eq","value":"x"}`, err: badPath},
		row{name: "L-14 profile generic refuses JSON Pointer", profiles: "generic", ops: `{"op":"add","path":"/title","value":"x"}`, err: badPath},
		row{name: "L-5 core URN", ops: `{"op":"add","path":"$USER:title","value":"x"}`, want: `"title":"x"`},
		row{name: "L-3 case", ops: `{"op":"add","path":"NAME.FAMILYNAME","value":"x"}`, want: `"name":{"familyName":"x"}`},
		row{name: "L-15 short name of an extension attribute", ops: `{"op":"add","path":"department","value":"x"}`, want: `"$ENT":{"department":"x"}`},
		row{
			name: "L-3 extension URN in another case", ops: `{"op":"add","path":"` + strings.ToUpper("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User") + `:Department","value":"x"}`,
			want: `"$ENT":{"department":"x"}`,
		},
		row{
			name: "L-4 value path as key", doc: `"emails":[` + work + `]`, ops: `{"op":"replace","value":{"emails[type eq \"work\"].display":"x"}}`,
			want: `"emails":[{"primary":true,"type":"work","value":"amelie.roux@acme.example","display":"x"}]`,
		},
		row{
			name: "L-4 whole extension as key", ops: `{"op":"add","value":{"$ENT":{"department":"x","manager.value":"$U2","costCenter":null}}}`,
			want: `"$ENT":{"department":"x","manager":{"value":"$U2"}}`,
		},
		row{
			name: "R-101 whole extension merges", doc: `"$ENT":{"department":"x","costCenter":"c"}`, ops: `{"op":"replace","path":"$ENT","value":{"department":"y"}}`,
			want: `"$ENT":{"department":"y","costCenter":"c"}`,
		},
		row{name: "extension with a string", ops: `{"op":"replace","path":"$ENT","value":"y"}`, err: badValue},
		row{
			name: "single complex value by filter", doc: `"name":{"familyName":"a"}`, ops: `{"op":"replace","path":"name[familyName eq \"a\"].givenName","value":"y"}`,
			want: `"name":{"familyName":"a","givenName":"y"}`,
		},
		row{name: "R-103 single complex value, no match", doc: `"name":{"familyName":"a"}`, ops: `{"op":"replace","path":"name[familyName eq \"b\"].givenName","value":"y"}`, err: noTarget},
	)
	runUsers(t, rows)
}

func TestAdd(t *testing.T) {
	runUsers(t, []row{
		{name: "R-92 value missing", ops: `{"op":"add"}`, err: badValue, says: "value is an object"},
		{name: "R-92 value an array", ops: `{"op":"add","value":[{"title":"x"}]}`, err: badValue},
		{name: "R-92 path and no value", ops: `{"op":"add","path":"title"}`, err: badValue, says: "value is missing"},
		{
			name: "R-92 merged", doc: `"title":"a","name":{"familyName":"f"}`, ops: `{"op":"add","value":{"title":"b","name":{"givenName":"g"}}}`,
			want: `"title":"b","name":{"familyName":"f","givenName":"g"}`,
		},
		{
			name: "R-93 multi-valued appends", doc: `"emails":[` + work + `]`, ops: `{"op":"add","path":"emails","value":[{"type":"home","value":"h@x"}]}`,
			want: `"emails":[` + work + `,{"type":"home","value":"h@x"}]`,
		},
		{name: "R-93 one object for a list", ops: `{"op":"add","path":"emails","value":{"type":"home","value":"h@x"}}`, want: `"emails":[{"type":"home","value":"h@x"}]`},
		{name: "R-93 strings for a list of objects (L-8)", ops: `{"op":"add","path":"emails","value":["h@x","i@x"]}`, want: `"emails":[{"value":"h@x"},{"value":"i@x"}]`},
		{
			name: "R-94 same value", doc: `"emails":[` + work + `],"title":"x"`, ops: `{"op":"add","path":"emails","value":[{"value":"amelie.roux@acme.example","type":"work","primary":true}]}`,
			want: `"emails":[` + work + `],"title":"x"`,
		},
		{
			name: "R-94 L-24 same value twice in one request", ops: `{"op":"add","path":"emails","value":[{"value":"a"},{"value":"a"}]},{"op":"add","path":"emails","value":{"value":"a"}}`,
			want: `"emails":[{"value":"a"}]`,
		},
		{
			name: "R-14 same type and value is merged", doc: `"emails":[{"type":"work","value":"a@x"}]`, ops: `{"op":"add","path":"emails","value":[{"type":"Work","value":"A@x","display":"d"}]}`,
			want: `"emails":[{"type":"Work","value":"A@x","display":"d"}]`,
		},
		{name: "R-94 simple values", doc: `"$OWN":{"tags":["a","b"]}`, ops: `{"op":"add","path":"$OWN:tags","value":["b","c"]}`, want: `"$OWN":{"tags":["a","b","c"]}`},
		{
			name: "R-94 addresses have no value", doc: `"addresses":[{"locality":"Lyon","type":"work"}]`, ops: `{"op":"add","path":"addresses","value":[{"type":"work","locality":"Lyon"}]}`,
			want: `"addresses":[{"locality":"Lyon","type":"work"}]`,
		},
		{name: "nothing to add changes nothing", doc: `"emails":[` + work + `]`, ops: `{"op":"add","path":"emails","value":[]},{"op":"add","value":{"emails":null}}`, want: `"emails":[` + work + `]`},
		{
			name: "add to selected values merges", doc: `"addresses":[{"type":"work","locality":"Lyon"}]`, ops: `{"op":"add","path":"addresses[type eq \"work\"]","value":{"region":"r","locality":null}}`,
			want: `"addresses":[{"type":"work","region":"r"}]`,
		},
		{name: "R-106 extension", ops: `{"op":"add","path":"$ENT:department","value":"x"}`, want: `"$ENT":{"department":"x"}`},
		{name: "wrong type names operation and attribute", ops: `{"op":"add","path":"title","value":"x"},{"op":"add","path":"active","value":"maybe"}`, err: badValue, says: `operation 2 (add "active"): active`},
		{
			name: "sub-attribute of every value", doc: `"emails":[{"value":"a"},{"value":"b"}]`, ops: `{"op":"add","path":"emails.type","value":"work"}`,
			want: `"emails":[{"value":"a","type":"work"},{"value":"b","type":"work"}]`,
		},
		{name: "R-100 sub-attribute of no value", ops: `{"op":"add","path":"emails.value","value":"a"}`, want: `"emails":[{"value":"a"}]`},
	})
}

func TestRemove(t *testing.T) {
	const two = `"emails":[{"type":"work","value":"a"},{"type":"home","value":"b"}]`
	runUsers(t, []row{
		{name: "R-95 no path", ops: `{"op":"remove"}`, err: noTarget},
		{name: "R-95 no path but a value", ops: `{"op":"remove","value":{"title":"x"}}`, err: noTarget},
		{name: "R-96 attribute", doc: `"title":"x","nickName":"n"`, ops: `{"op":"remove","path":"title"}`, want: `"nickName":"n"`},
		{name: "R-96 absent", doc: `"nickName":"n"`, ops: `{"op":"remove","path":"title"}`, want: `"nickName":"n"`},
		{name: "R-96 all values", doc: two, ops: `{"op":"remove","path":"emails"}`},
		{name: "R-96 filtered", doc: two, ops: `{"op":"remove","path":"emails[type eq \"work\"]"}`, want: `"emails":[{"type":"home","value":"b"}]`},
		{name: "R-96 filter grammar", doc: two, ops: `{"op":"remove","path":"emails[(type eq \"work\" or type eq \"home\") and not (value pr and value sw \"c\")]"}`},
		{name: "R-98 filter without match", doc: two, ops: `{"op":"remove","path":"emails[type eq \"x\"]"}`, want: two},
		{name: "R-96 last sub-attribute", doc: `"name":{"givenName":"x"}`, ops: `{"op":"remove","path":"name.givenName"}`},
		{name: "R-96 sub-attribute of every value", doc: two, ops: `{"op":"remove","path":"emails.type"}`, want: `"emails":[{"value":"a"},{"value":"b"}]`},
		{name: "R-97 required", ops: `{"op":"remove","path":"userName"}`, err: mutable, says: "userName is required"},
		{name: "R-97 required, with other operations (R-90)", doc: `"title":"x"`, ops: `{"op":"remove","path":"title"},{"op":"remove","path":"userName"}`, err: mutable, says: "operation 2"},
		{name: "R-97 readOnly", ops: `{"op":"remove","path":"groups"}`, err: mutable},
		{name: "R-97 readOnly", ops: `{"op":"remove","path":"meta.created"}`, err: mutable},
		{name: "R-97 id", ops: `{"op":"remove","path":"id"}`, err: mutable},
		{name: "R-97 schemas", ops: `{"op":"remove","path":"schemas"}`, err: mutable},
		{name: "R-97 required sub-attribute", doc: `"$OWN":{"desk":{"site":"a"}}`, ops: `{"op":"remove","path":"$OWN:desk.site"}`, err: mutable},
		{name: "R-97 required sub-attribute of a value", doc: `"$OWN":{"phones":[{"model":"a"}]}`, ops: `{"op":"remove","path":"$OWN:phones[model eq \"a\"].model"}`, err: mutable},
		{name: "R-106 last attribute of an extension", doc: `"$ENT":{"department":"x"}`, ops: `{"op":"remove","path":"$ENT:department"}`},
		{name: "R-106 extension", doc: `"title":"t","$ENT":{"department":"x","manager":{"value":"$U2"}}`, ops: `{"op":"remove","path":"$ENT"}`, want: `"title":"t"`},
		{name: "L-6 by values", doc: two, ops: `{"op":"remove","path":"emails","value":[{"value":"B"}]}`, want: `"emails":[{"type":"work","value":"a"}]`},
		{name: "L-6 by one string", doc: two, ops: `{"op":"remove","path":"emails","value":"a"}`, want: `"emails":[{"type":"home","value":"b"}]`},
		{name: "L-6 every given sub-attribute counts", doc: two, ops: `{"op":"remove","path":"emails","value":[{"value":"a","type":"home"},{"type":"work","value":"a"}]}`, want: `"emails":[{"type":"home","value":"b"}]`},
		{name: "L-6 empty list removes nothing", doc: two, ops: `{"op":"remove","path":"emails","value":[]}`, want: two},
		{name: "L-6 null is no value", doc: two, ops: `{"op":"remove","path":"emails","value":null}`},
		{name: "L-6 simple values", doc: `"$OWN":{"tags":["a","b","c"]}`, ops: `{"op":"remove","path":"$OWN:tags","value":["C","a"]}`, want: `"$OWN":{"tags":["b"]}`},
		{name: "simple values by filter", doc: `"$OWN":{"tags":["a","b"]}`, ops: `{"op":"remove","path":"$OWN:tags[value eq \"a\"]"}`, want: `"$OWN":{"tags":["b"]}`},
		{name: "value of a single attribute is not asked", doc: `"title":"x"`, ops: `{"op":"remove","path":"title","value":"y"}`},
		{name: "R-97 required list", doc: `"$REQ":{"codes":["a"],"note":"n"}`, ops: `{"op":"remove","path":"$REQ:codes"}`, err: mutable, says: "codes is required"},
		{name: "R-97 last value of a required list", doc: `"$REQ":{"codes":["a"]}`, ops: `{"op":"remove","path":"$REQ:codes[value eq \"a\"]"}`, err: mutable, says: "codes is required"},
		{name: "R-97 one value of a required list", doc: `"$REQ":{"codes":["a","b"]}`, ops: `{"op":"remove","path":"$REQ:codes","value":"a"}`, want: `"$REQ":{"codes":["b"]}`},
		{name: "R-97 extension with a required list", doc: `"$REQ":{"codes":["a"]}`, ops: `{"op":"remove","path":"$REQ"}`, err: mutable},
		{name: "L-9 required list", doc: `"$REQ":{"codes":["a"]}`, ops: `{"op":"replace","path":"$REQ:codes","value":[]}`, err: badValue, says: "codes is required"},
		{name: "R-85 extension without its required list", ops: `{"op":"add","path":"$REQ:note","value":"n"}`, err: badValue, says: "codes is required"},
		{name: "back and forth in two places: no change", doc: `"title":"x","nickName":"n"`, ops: `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"x"},
			{"op":"add","path":"department","value":"x"},{"op":"remove","path":"department"}`, want: `"title":"x","nickName":"n"`},
		{name: "removed and added again: no change", doc: `"title":"x","nickName":"n"`, ops: `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"x"}`, want: `"title":"x","nickName":"n"`},
	})
}

// two is what the tables of replace change.
const two = `"emails":[{"type":"work","value":"a","primary":true},{"type":"home","value":"b"}]`

func TestReplace(t *testing.T) {
	runUsers(t, []row{
		{name: "R-99 several attributes", doc: `"title":"x"`, ops: `{"op":"replace","value":{"title":"y","nickName":"n"}}`, want: `"title":"y","nickName":"n"`},
		{name: "R-100 acts as add", ops: `{"op":"replace","path":"name.givenName","value":"y"}`, want: `"name":{"givenName":"y"}`},
		{name: "R-101 L-9 cleared sub-attribute", doc: `"name":{"givenName":"x","familyName":"y"}`, ops: `{"op":"replace","path":"name","value":{"givenName":null}}`, want: `"name":{"familyName":"y"}`},
		{name: "R-101 L-9 all cleared", doc: `"name":{"givenName":"x"}`, ops: `{"op":"replace","path":"name","value":{"givenName":""}}`},
		{name: "R-101 empty object changes nothing", doc: `"name":{"givenName":"x"}`, ops: `{"op":"replace","path":"name","value":{}}`, want: `"name":{"givenName":"x"}`},
		{name: "R-101 empty object for nothing", ops: `{"op":"replace","path":"name","value":{}}`},
		{name: "R-102 whole list", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c"}]}`, want: `"emails":[{"value":"c"}]`},
		{name: "R-102 empty list", doc: two, ops: `{"op":"replace","path":"emails","value":[]}`},
		{name: "R-102 L-9 null, pathless", doc: two, ops: `{"op":"replace","value":{"emails":null}}`},
		{name: "R-102 same list: no change", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]}`, want: two},
		{
			name: "R-103 every match", doc: `"emails":[{"type":"work","value":"a"},{"type":"home","value":"b"},{"type":"work","value":"c"}]`, ops: `{"op":"replace","path":"emails[type eq \"work\"].display","value":"d"}`,
			want: `"emails":[{"type":"work","value":"a","display":"d"},{"type":"home","value":"b"},{"type":"work","value":"c","display":"d"}]`,
		},
		{name: "R-103 whole value", doc: two, ops: `{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"other","value":"c","display":""}}`, want: `"emails":[{"type":"work","value":"a","primary":true},{"type":"other","value":"c"}]`, once: true},
		{name: "R-103 no match", profiles: "rfc okta ping authentik", doc: two, ops: `{"op":"replace","path":"emails[type eq \"x\"].value","value":"c"}`, err: noTarget, says: "emails"},
		{name: "R-103 no match on an absent attribute", profiles: "rfc", ops: `{"op":"replace","path":"emails[type eq \"x\"]","value":{"value":"c"}}`, err: noTarget},
		{name: "L-7 whole value", profiles: "entra", ops: `{"op":"replace","path":"emails[type eq \"x\"]","value":{"value":"c"}}`, want: `"emails":[{"type":"x","value":"c"}]`},
		{name: "L-7 two conditions", profiles: "entra", ops: `{"op":"replace","path":"emails[type eq \"x\" and primary eq true].value","value":"c"}`, want: `"emails":[{"type":"x","primary":true,"value":"c"}]`},
		{name: "L-7 only plain equality", profiles: "entra", ops: `{"op":"replace","path":"emails[type ne \"x\"].value","value":"c"}`, err: noTarget},
		{name: "L-7 no alternatives", profiles: "entra", ops: `{"op":"replace","path":"emails[type eq \"x\" or type eq \"y\"].value","value":"c"}`, err: noTarget},
		{name: "L-7 simple values", profiles: "entra", doc: `"$OWN":{"tags":["b"]}`, ops: `{"op":"replace","path":"$OWN:tags[value eq \"a\"]","value":"a"}`, want: `"$OWN":{"tags":["b","a"]}`},
		{name: "simple values by filter", doc: `"$OWN":{"tags":["a","b"]}`, ops: `{"op":"replace","path":"$OWN:tags[value eq \"a\"]","value":"c"}`, want: `"$OWN":{"tags":["c","b"]}`, once: true},
		{name: "L-9 clearing what no filter matches is done", doc: two, ops: `{"op":"replace","path":"emails[type eq \"x\"].value","value":""}`, want: two},
		{name: "L-9 clearing a selected value", doc: two, ops: `{"op":"replace","path":"emails[type eq \"work\"]","value":null}`, want: `"emails":[{"type":"home","value":"b"}]`},
		{name: "L-9 required attribute", ops: `{"op":"replace","path":"userName","value":""}`, err: badValue, says: "userName is required"},
		{name: "L-9 required attribute, pathless null", ops: `{"op":"add","value":{"userName":null}}`, err: badValue},
		{name: "R-31 blank userName", ops: `{"op":"replace","path":"userName","value":"  "}`, err: badValue},
	})
}

// TestReplacePrimary is a table, long by nature: one primary value, and no
// type and value twice.
func TestReplacePrimary(t *testing.T) {
	runUsers(t, []row{
		{
			name: "R-104 one primary", doc: two, ops: `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`,
			want: `"emails":[{"type":"work","value":"a","primary":false},{"type":"home","value":"b","primary":true}]`,
		},
		{
			name: "R-104 added primary", doc: two, ops: `{"op":"add","path":"emails","value":[{"value":"c","primary":"True"}]}`,
			want: `"emails":[{"type":"work","value":"a","primary":false},{"type":"home","value":"b"},{"value":"c","primary":true}]`,
		},
		{
			name: "R-104 L-31 the last one set", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c","primary":true},{"value":"d","primary":true}]}`,
			want: `"emails":[{"value":"c","primary":false},{"value":"d","primary":true}]`,
		},
		{
			name: "L-31 ping keeps the first", profiles: "ping", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c","primary":true},{"value":"d","primary":true}]}`,
			want: `"emails":[{"value":"c","primary":true},{"value":"d","primary":false}]`,
		},
		{
			name: "R-14 R-104 twins, both primary", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c","type":"work","primary":true},{"value":"c","type":"work","primary":true}]}`,
			want: `"emails":[{"value":"c","type":"work","primary":true}]`,
		},
		{
			name: "R-14 L-31 twins and a later primary", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c","primary":true},{"value":"d","primary":true},{"value":"C"}]}`,
			want: `"emails":[{"value":"C","primary":false},{"value":"d","primary":true}]`,
		},
		{
			name: "R-14 L-31 ping, twins", profiles: "ping", doc: two, ops: `{"op":"replace","path":"emails","value":[{"value":"c","primary":true},{"value":"d","primary":true},{"value":"c","primary":true}]}`,
			want: `"emails":[{"value":"c","primary":true},{"value":"d","primary":false}]`,
		},
		{
			name: "R-14 R-104 twins added", doc: two, ops: `{"op":"add","path":"emails","value":[{"value":"c","primary":true},{"value":"c","primary":true}]}`,
			want: `"emails":[{"type":"work","value":"a","primary":false},{"type":"home","value":"b"},{"value":"c","primary":true}]`,
		},
		{
			name: "R-14 a type makes twins", doc: `"emails":[{"value":"a","type":"work"},{"value":"A","type":"home","display":"d","primary":true}]`,
			ops:  `{"op":"replace","path":"emails[type eq \"home\"].type","value":"Work"}`,
			want: `"emails":[{"value":"A","type":"Work","display":"d","primary":true}]`, once: true,
		},
		{
			name: "R-14 twins, then one of them changed", doc: `"emails":[{"value":"a","type":"work","display":"x"},{"value":"b","type":"work","display":"y"}]`,
			ops:  `{"op":"replace","path":"emails[type eq \"work\"].value","value":"c"},{"op":"add","path":"emails","value":[{"value":"c","type":"work","display":"z"}]}`,
			want: `"emails":[{"value":"c","type":"work","display":"z"}]`,
		},
		{
			name: "R-104 every match made primary", doc: two, ops: `{"op":"replace","path":"emails[value pr].primary","value":true}`,
			want: `"emails":[{"type":"work","value":"a","primary":false},{"type":"home","value":"b","primary":true}]`,
		},
	})
}

func TestReplaceInTurn(t *testing.T) {
	runUsers(t, []row{
		{name: "R-90 each on the result of the one before", ops: `{"op":"add","path":"emails","value":[{"type":"work","value":"a"}]},
			{"op":"replace","path":"emails[type eq \"work\"].value","value":"b"},{"op":"remove","path":"emails[value eq \"a\"]"}`, want: `"emails":[{"type":"work","value":"b"}]`},
		{
			name: "R-90 a value added and changed", ops: `{"op":"add","path":"emails","value":[{"value":"a"}]},{"op":"replace","path":"emails[value eq \"a\"].value","value":"b"}`,
			want: `"emails":[{"value":"b"}]`, once: true,
		},
		{
			name: "R-90 a list replaced and changed", ops: `{"op":"replace","path":"emails","value":[{"value":"a"}]},{"op":"replace","path":"emails[value eq \"a\"].value","value":"b"}`,
			want: `"emails":[{"value":"b"}]`,
		},
		{name: "R-90 a value replaced and changed", doc: `"emails":[{"type":"work","value":"a"}]`, ops: `{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":"work","value":"b"}},
			{"op":"replace","path":"emails[value eq \"b\"].value","value":"c"}`, want: `"emails":[{"type":"work","value":"c"}]`},
		{name: "R-90 atomic", doc: two, ops: `{"op":"replace","path":"emails[type eq \"work\"].value","value":"b"},{"op":"remove","path":"emails[type eq \"home\"]"},
			{"op":"replace","path":"photos[type eq \"x\"].value","value":"b"}`, profiles: "rfc", err: noTarget, says: "operation 3"},
		{name: "R-105 readOnly path", ops: `{"op":"replace","path":"meta.created","value":"2020-01-01T00:00:00Z"}`, err: mutable},
		{name: "R-105 readOnly groups", ops: `{"op":"add","path":"groups","value":[{"value":"$G1"}]}`, err: mutable, says: "groups is readOnly"},
		{name: "R-105 readOnly sub-attribute", doc: `"$ENT":{"manager":{"value":"$U2"}}`, ops: `{"op":"replace","path":"$ENT:manager.displayName","value":"x"}`, err: mutable},
		{name: "L-21 readOnly keys are ignored", ops: `{"op":"replace","value":{"schemas":["$USER"],"meta":{"version":"x"},"groups":[],"id":"x","title":"t","$OWN:state":"x","$ENT":{"manager.displayName":"x"}}}`, want: `"title":"t"`},
		{name: "schemas as they are", doc: `"title":"t"`, ops: `{"op":"replace","path":"schemas","value":["$USER"]}`, want: `"title":"t"`},
		{name: "R-106 schemas as they are, other order", doc: `"$ENT":{"department":"t"}`, ops: `{"op":"replace","path":"schemas","value":["$ENT","$USER"]}`, want: `"$ENT":{"department":"t"}`},
		{name: "R-105 other schemas", ops: `{"op":"replace","path":"schemas","value":["$USER","$ENT"]}`, err: mutable},
		{name: "R-105 readOnly with the stored value", doc: `"$OWN":{"state":"x"}`, ops: `{"op":"replace","path":"$OWN:state","value":"x"}`, want: `"$OWN":{"state":"x"}`},
		{name: "R-105 immutable without value", ops: `{"op":"add","path":"$OWN:badge","value":"1"}`, want: `"$OWN":{"badge":"1"}`},
		{name: "R-105 immutable, same value", doc: `"$OWN":{"badge":"1"}`, ops: `{"op":"replace","value":{"$OWN":{"badge":"1"}}}`, want: `"$OWN":{"badge":"1"}`},
		{name: "R-105 immutable, other value", doc: `"$OWN":{"badge":"1"}`, ops: `{"op":"replace","path":"$OWN:badge","value":"2"}`, err: mutable, says: "badge is immutable"},
		{name: "R-105 immutable, other value as key", doc: `"$OWN":{"badge":"1"}`, ops: `{"op":"replace","value":{"$OWN:badge":"2"}}`, err: mutable},
		{name: "R-105 immutable removed", doc: `"$OWN":{"badge":"1"}`, ops: `{"op":"remove","path":"$OWN:badge"}`, err: mutable},
		{name: "R-105 immutable removed with its extension", doc: `"$OWN":{"badge":"1"}`, ops: `{"op":"remove","path":"$OWN"}`, err: mutable},
		{name: "R-105 immutable sub-attribute", doc: `"$OWN":{"desk":{"site":"a","serial":"1"}}`, ops: `{"op":"replace","path":"$OWN:desk","value":{"serial":"2"}}`, err: mutable},
		{name: "R-105 beside an immutable sub-attribute", doc: `"$OWN":{"desk":{"site":"a","serial":"1"}}`, ops: `{"op":"replace","path":"$OWN:desk","value":{"serial":"1","note":"n"}}`, want: `"$OWN":{"desk":{"site":"a","serial":"1","note":"n"}}`},
		{name: "R-105 immutable complex value, first", ops: `{"op":"add","path":"$OWN:seat.row","value":"1"}`, want: `"$OWN":{"seat":{"row":"1"}}`},
		{name: "R-105 immutable complex value, same", doc: `"$OWN":{"seat":{"row":"1"}}`, ops: `{"op":"replace","path":"$OWN:seat","value":{"row":"1"}}`, want: `"$OWN":{"seat":{"row":"1"}}`},
		{name: "R-105 immutable complex value, more", doc: `"$OWN":{"seat":{"row":"1"}}`, ops: `{"op":"add","path":"$OWN:seat.place","value":"a"}`, err: mutable},
		{name: "R-105 immutable complex value, removed", doc: `"$OWN":{"seat":{"row":"1"}}`, ops: `{"op":"remove","path":"$OWN:seat"}`, err: mutable},
		{name: "R-105 immutable complex value, part removed", doc: `"$OWN":{"seat":{"row":"1"}}`, ops: `{"op":"remove","path":"$OWN:seat.row"}`, err: mutable},
		{name: "R-97 required complex part by list", doc: `"$OWN":{"desk":{"site":"a","note":"n"}}`, ops: `{"op":"replace","path":"$OWN:desk","value":{"site":null}}`, err: badValue},
		{name: "R-105 immutable list", doc: `"$OWN":{"keys":["a"]}`, ops: `{"op":"add","path":"$OWN:keys","value":"b"}`, err: mutable},
		{name: "R-105 immutable list, nothing new", doc: `"$OWN":{"keys":["a"]}`, ops: `{"op":"add","path":"$OWN:keys","value":"a"}`, want: `"$OWN":{"keys":["a"]}`},
		{name: "R-105 immutable sub-attribute of a value", doc: `"$OWN":{"phones":[{"model":"m","serial":"1"}]}`, ops: `{"op":"replace","path":"$OWN:phones[model eq \"m\"].serial","value":"2"}`, err: mutable},
		{name: "R-97 partial complex value lacks a required one", ops: `{"op":"add","path":"$OWN:desk","value":{"note":"n"}}`, err: badValue, says: "site is required"},
		{name: "R-101 partial complex value with the required one stored", doc: `"$OWN":{"desk":{"site":"a"}}`, ops: `{"op":"add","path":"$OWN:desk","value":{"note":"n"}}`, want: `"$OWN":{"desk":{"site":"a","note":"n"}}`},
		{name: "L-9 required sub-attribute", doc: `"$OWN":{"desk":{"site":"a"}}`, ops: `{"op":"replace","path":"$OWN:desk.site","value":""}`, err: badValue},
		{name: "R-8 integer", ops: `{"op":"add","path":"$OWN:floor","value":"3"}`, err: badValue},
		{name: "L-2 nested boolean in an extension", ops: `{"op":"add","value":{"$OWN":{"remote":"False","floor":3}}}`, want: `"$OWN":{"remote":false,"floor":3}`},
	})
}
