package resources_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// orphanBase declares one type, one extension and its attributes; the tests
// change a word of it.
const orphanBase = `{"schemas":[
 {"id":"urn:x:core","attributes":[{"name":"label","caseExact":true},{"name":"size","type":"integer"},{"name":"spare"},{"name":"secret","mutability":"writeOnly"},
  {"name":"place","type":"complex","subAttributes":[{"name":"room"},{"name":"door"}]}]},
 {"id":"urn:x:ext","attributes":[{"name":"mark"},{"name":"unused"}]}],
 "resourceTypes":[
 {"name":"Thing","endpoint":"/Things","schema":"urn:x:core","schemaExtensions":[{"schema":"urn:x:ext","required":false}]},
 {"name":"Other","endpoint":"/Others","schema":"urn:x:ext2"},
 {"name":"User","schemaExtensions":[{"schema":"urn:x:ext","required":false}]}]}`

func orphanDocument() string {
	return strings.Replace(orphanBase, `{"id":"urn:x:ext",`, `{"id":"urn:x:ext2","attributes":[{"name":"mark"}]},{"id":"urn:x:ext",`, 1)
}

// TestOrphans: a change that stored values stand against is refused and says
// which; one that only adds, or takes what nobody has, is not.
func TestOrphans(t *testing.T) {
	tests := []struct{ name, old, new, says string }{
		{"nothing lost: an attribute nobody has", `,{"name":"unused"}`, ``, ""},
		{"a value", `{"name":"mark"},{"name":"unused"}`, `{"name":"unused"}`, "urn:x:ext:mark would be removed, and 2 Thing resources have it"},
		{"a part of a value", `,{"name":"door"}`, ``, ""},
		{"a part that is there", `{"name":"room"},`, ``, "urn:x:core:place.room would be removed, and 1 Thing resource has it"},
		{"the whole schema and its use", `,"schemaExtensions":[{"schema":"urn:x:ext","required":false}]},
 {"name":"Other"`, `},{"name":"Other"`, "the extension urn:x:ext of Thing would be removed, and 2 Thing resources have values of it"},
		{"of users", `,
 {"name":"User","schemaExtensions":[{"schema":"urn:x:ext","required":false}]}`, ``, "the extension urn:x:ext of User would be removed, and 1 User resource has values of it"},
		{"a type", `{"name":"Thing","endpoint":"/Things","schema":"urn:x:core","schemaExtensions":[{"schema":"urn:x:ext","required":false}]},`, ``, "the resource type Thing would be removed, and 3 Thing resources are there"},
		{"a type without resources", `{"name":"Other","endpoint":"/Others","schema":"urn:x:ext2"},`, ``, ""},
		{"another endpoint", `/Things`, `/Gadgets`, ""},
		{"another core", `"schema":"urn:x:core"`, `"schema":"urn:x:core3"`, "core schema of Thing would be another one"},
		{"a type of values", `{"name":"size","type":"integer"}`, `{"name":"size","type":"decimal"}`, "would change its type from integer to decimal"},
		{"many", `{"name":"label",`, `{"name":"label","multiValued":true,`, "would become multi-valued"},
		{"case", `"caseExact":true`, `"caseExact":false`, "(caseExact)"},
		{"unique", `{"name":"label",`, `{"name":"label","uniqueness":"server",`, "would become unique"},
		{"unique where nobody has it", `{"name":"spare"}`, `{"name":"spare","uniqueness":"server"}`, ""},
		{"a secret", `,"mutability":"writeOnly"`, ``, "would become visible"},
		{"a secret from now on", `{"name":"label",`, `{"name":"label","mutability":"writeOnly",`, "would become writeOnly"},
		{"nobody may set it", `{"name":"label",`, `{"name":"label","mutability":"readOnly",`, "would become readOnly"},
		{"stays once set", `{"name":"label",`, `{"name":"label","mutability":"immutable",`, ""},
		{"hidden", `{"name":"label",`, `{"name":"label","returned":"request",`, ""},
		{"required and there", `{"name":"label",`, `{"name":"label","required":true,`, ""},
		{"required and missing", `{"name":"size",`, `{"name":"size","required":true,`, "urn:x:core:size would become required, and 2 Thing resources lack it"},
		{"new and required", `{"name":"spare"}`, `{"name":"spare"},{"name":"more","required":true}`, "urn:x:core:more would become required, and 3 Thing resources lack it"},
		{"new and required in an extension", `{"name":"unused"}`, `{"name":"unused"},{"name":"more","required":true}`, "urn:x:ext:more would become required, and 2 Thing resources lack it"},
		{"an extension required", `{"schema":"urn:x:ext","required":false}]},
 {"name":"Other"`, `{"schema":"urn:x:ext","required":true}]},{"name":"Other"`, "the extension urn:x:ext of Thing would become required, and 1 Thing resource lacks it"},
		{"an extension added", `{"schema":"urn:x:ext","required":false}]}]}`, `{"schema":"urn:x:ext","required":false},{"schema":"urn:x:core3"}]}]}`, ""},
		{"required of groups that are not there", `{"name":"User",`, `{"name":"Group","schemaExtensions":[{"schema":"urn:x:ext","required":true}]},{"name":"User",`, ""},
		{"words only", `{"name":"label",`, `{"name":"label","description":"Text.","canonicalValues":["a"],`, ""},
	}
	b := newBundle(t, "")
	ctx := t.Context()
	document := strings.Replace(orphanDocument(), `{"id":"urn:x:ext",`, `{"id":"urn:x:core3","attributes":[{"name":"label"}]},{"id":"urn:x:ext",`, 1)
	set := func(raw string) error { return second(b.SetDeclared(ctx, b.operator, "acme", []byte(raw), nil)) }
	if err := set(document); err != nil {
		t.Fatal(err)
	}
	c := b.signIn(t, b.Directory, "acme")
	var first string
	for i, body := range []string{
		`{"schemas":["c"],"label":"A","size":3,"secret":"s","place":{"room":"r"},"urn:x:ext":{"mark":"m"}}`,
		`{"schemas":["c"],"label":"B","urn:x:ext":{"mark":"n"}}`, `{"schemas":["c"],"label":"C"}`,
	} {
		rec, err := b.CreateCustom(ctx, c, "Thing", parse(t, body))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = rec.ID
		}
	}
	if _, err := b.CreateUser(ctx, c, parse(t, `{"schemas":["u"],"userName":"zoe","urn:x:ext":{"mark":"m"}}`)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		changed := strings.Replace(document, tt.old, tt.new, 1)
		if changed == document {
			t.Fatalf("%s: %s is not in the document", tt.name, tt.old)
		}
		err := set(changed)
		if tt.says == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if err := set(document); err != nil && !resources.HasCode(err, resources.CodeSchemaInUse) {
				t.Errorf("%s: back again: %v", tt.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*resources.Error](err)
		if !ok || e.Code != resources.CodeSchemaInUse || !strings.Contains(strings.ToLower(e.Detail), strings.ToLower(tt.says)) || tt.name == "a part that is there" && !strings.Contains(e.Detail, first) {
			t.Errorf("%s: %v\n  want %q", tt.name, err, tt.says)
		}
	}
}

// TestOrphansOfMany: a walk goes over all pieces, and ends early only when it
// has found something.
func TestOrphansOfMany(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	if _, err := b.SetDeclared(ctx, b.operator, "acme", []byte(badge(t)), nil); err != nil {
		t.Fatal(err)
	}
	c := b.signIn(t, b.Directory, "acme")
	for i := range 1200 {
		b.user(t, c, fmt.Sprint("u", i))
	}
	if _, err := b.CreateUser(ctx, c, badgeDoc(t, `"userName":"last"`, "B-1")); err != nil {
		t.Fatal(err)
	}
	_, err := b.DeleteSchema(ctx, b.operator, "acme", badgeURN)
	if !resources.HasCode(err, resources.CodeSchemaInUse) || !strings.Contains(err.Error(), "and 1 User resource has values of it") {
		t.Errorf("%v", err)
	}
}
