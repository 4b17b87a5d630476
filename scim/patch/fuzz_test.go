package patch_test

import (
	"errors"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// FuzzPatch sends any JSON as the operations of a request, against any
// document that the schema accepts. Nothing panics, the stored document stays,
// refusals are SCIM errors of status 400, and a result is in stored form: the
// schema accepts it and finds nothing in it to normalise, unknown attributes
// included. Most of the function is the seeds.
func FuzzPatch(f *testing.F) {
	u, g := types(f)
	docs := []string{
		"", `"title":"x","emails":[` + work + `,{"type":"home","value":"b"}],"name":{"givenName":"a"}`,
		`"$ENT":{"department":"x","manager":{"value":"$U2","$ref":"Users/$U2"}},"roles":[{"value":"a","primary":true}]`,
		`"$OWN":{"badge":"1","tags":["a","b"],"desk":{"site":"s"},"phones":[{"model":"m","serial":"1"}]}`,
	}
	for i, ops := range []string{
		`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a"},{"op":"add","path":"name","value":{"familyName":"x"}}`,
		`{"op":"replace","value":{"$ENT":{"manager.value":""},"emails[type eq \"x\"].primary":"True","$OWN:tags":["c"]}}`,
		`{"op":"remove","path":"emails","value":[{"value":"b"}]},{"op":"remove","path":"$ENT"},{"op":"add","path":"$OWN:desk.note","value":"n"}`,
		`{"op":"remove","path":"members[value eq \"$U1\" or not (type pr)]"},{"op":"add","path":"members","value":["$U1"]}`,
		`{"op":"replace","path":"$OWN:phones[model eq \"m\"]","value":{"model":null,"color":[]}},{"op":"add","path":"emails","value":[{"primary":true},{}]}`,
		`{"op":"replace","path":"roles[primary eq \"True\"].value","value":"x"},{"op":"remove","path":"roles[value sw \"x\"].primary"}`,
	} {
		for k, doc := range docs {
			f.Add(body(ops), user(doc), uint8(i+k))
		}
	}
	profiles := []string{"rfc", "entra", "generic", "ping"}
	engine := patch.New(filter.New())
	f.Fuzz(func(t *testing.T, request, stored string, pick uint8) {
		body, err := jsontree.Parse([]byte(request), jsontree.BodyLimits())
		if err != nil {
			return
		}
		doc, err := jsontree.Parse([]byte(stored), jsontree.BodyLimits())
		if err != nil {
			return
		}
		o := patch.Options{Profile: profiles[pick%4], Self: userOne}
		for _, typ := range []*schema.Type{u, g} {
			if typ.Check(&doc, schema.Options{}) != nil {
				continue
			}
			doc.Set("id", jsontree.Str(userOne))
			before := string(doc.Append(nil))
			p, err := engine.Parse(typ, &body, o)
			if err != nil {
				mustRefuse(t, err)
				continue
			}
			got, err := p.Apply(&doc, nil)
			if after := string(doc.Append(nil)); after != before {
				t.Fatalf("the stored document became %s", after)
			}
			if err != nil {
				mustRefuse(t, err)
				continue
			}
			mustStand(t, typ, &got, o.Profile)
		}
	})
}

func mustRefuse(t *testing.T, err error) {
	t.Helper()
	var se scimerrors.ScimError
	if !errors.As(err, &se) || se.Status != 400 || se.ScimType == "" || se.Detail == "" {
		t.Fatalf("not a refusal a client can read: %#v", err)
	}
}

func mustStand(t *testing.T, typ *schema.Type, got *jsontree.Value, profile string) {
	t.Helper()
	bare := got.Clone()
	if bare.GetString("id") != userOne {
		t.Fatalf("the id is gone: %s", got.Append(nil))
	}
	bare.Delete("id")
	checked := bare.Clone()
	if err := typ.Check(&checked, schema.Options{Profile: profile}); err != nil {
		t.Fatalf("the result is not valid: %v\n%s", err, got.Append(nil))
	}
	if a, b := string(bare.Append(nil)), string(checked.Append(nil)); a != b {
		t.Fatalf("the result is not in stored form:\n%s\n%s", a, b)
	}
}
