package patch_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// What random requests are made of: paths of every form and values of every
// kind, fitting or not.
var (
	somePaths = []string{
		"title", "userName", "active", "name", "name.givenName", "name.formatted", "emails", "emails.type", "emails.primary",
		`emails[type eq \"work\"]`, `emails[type eq \"work\"].value`, `emails[primary eq \"True\"].display`, `emails[value sw \"a\"].primary`,
		`emails[type eq \"home\" and primary eq true].value`, `emails[not (value pr)]`, "addresses", `addresses[type eq \"work\"].formatted`,
		"roles", `roles[primary eq true]`, "manager", "manager.value", "$ENT:manager", "$ENT:manager.$ref", "$ENT:manager.displayName", "$ENT:department", "$ENT",
		"$OWN", "$OWN:badge", "$OWN:state", "$OWN:tags", `$OWN:tags[value eq \"a\"]`, "$OWN:keys", "$OWN:desk", "$OWN:desk.site", "$OWN:desk.serial", "$OWN:seat", "$OWN:seat.row", "$REQ", "$REQ:codes", "$REQ:note",
		"$OWN:phones", `$OWN:phones[model eq \"a\"]`, `$OWN:phones[model eq \"a\"].serial`, `$OWN:phones[serial pr].model`, "$OWN:floor", "$OWN:remote",
		"id", "schemas", "meta", "groups", "password", "externalId", "x509Certificates.value", `name[givenName eq \"a\"].familyName`, "nope",
	}
	someValues = []string{
		`""`, `null`, `[]`, `{}`, `"a"`, `"b"`, `"True"`, `true`, `false`, `3`, `["a","b"]`, `"work"`,
		`{"value":"a"}`, `{"value":""}`, `{"value":null,"type":"work"}`, `[{"value":"a","type":"work","primary":true}]`,
		`[{"value":"a","primary":true},{"value":"b","primary":"true","type":"home"}]`, `{"value":"b","type":"work","primary":true,"display":"d"}`,
		`{"givenName":"a","familyName":null}`, `{"site":"s","serial":"1"}`, `{"row":"1","codes":["a"]}`, `{"note":"n","site":""}`, `[{"model":"a","serial":"1"},{"model":"b"}]`,
		`{"model":"a","color":null}`, `{"formatted":"a","type":"work"}`, `{"$ref":"Users/$U2","value":"$U2"}`,
		`{"title":"a","name.givenName":"b","$ENT":{"department":"a","manager.value":"$U1"}}`, `{"$OWN:tags":["a"],"emails[type eq \"work\"].value":"c"}`,
		`{"badge":"1","tags":["b"],"desk":{"site":"z"}}`,
	}
	someProfiles = []string{"rfc", "entra", "generic", "ping"}
)

func randomOps(r *rand.Rand) string {
	var ops []string
	for range 1 + r.IntN(4) {
		op := `{"op":"` + []string{"add", "replace", "remove"}[r.IntN(3)] + `"`
		if r.IntN(12) > 0 {
			op += `,"path":"` + somePaths[r.IntN(len(somePaths))] + `"`
		}
		if r.IntN(12) > 0 {
			op += `,"value":` + someValues[r.IntN(len(someValues))]
		}
		ops = append(ops, op+"}")
	}
	return strings.Join(ops, ",")
}

// Whatever a client sends one after the other: the stored document is always
// in stored form, a refusal is one a client can read, an edit never touches
// the patch or what it started from, and sending a document's own content back
// changes no byte (R-94, L-21).
func TestRandomRequests(t *testing.T) {
	u, _ := types(t)
	engine := patch.New(filter.New())
	r := rand.New(rand.NewPCG(7, 644))
	doc, applied := tree(t, user("")), 0
	const rounds = 60_000
	for i := range rounds {
		if i%50 == 0 {
			doc = tree(t, user(`"emails":[`+work+`,{"type":"home","value":"b"}]`))
		}
		o := patch.Options{Profile: someProfiles[r.IntN(4)], Self: userOne}
		ops := randomOps(r)
		request, before := tree(t, body(ops)), string(doc.Append(nil))
		p, err := engine.Parse(u, &request, o)
		if err != nil {
			mustRefuse(t, err)
			continue
		}
		got, err := p.Apply(&doc, nil)
		if after := string(doc.Append(nil)); after != before {
			t.Fatalf("%s\nthe stored document\n%s\nbecame\n%s", ops, before, after)
		}
		if err != nil {
			mustRefuse(t, err)
			continue
		}
		mustStand(t, u, &got, o.Profile)
		again, err := p.Apply(&doc, nil)
		if err != nil || string(again.Append(nil)) != string(got.Append(nil)) {
			t.Fatalf("%s\ntwice on one document: %v\n%s\n%s", ops, err, got.Append(nil), again.Append(nil))
		}
		mustEcho(t, engine, u, &got, o)
		doc = got
		applied++
	}
	if applied < rounds/10 {
		t.Errorf("only %d of %d requests were applied: the test checks too little", applied, rounds)
	}
}

// mustEcho replaces a document by itself.
func mustEcho(t *testing.T, engine *patch.Engine, u *schema.Type, doc *jsontree.Value, o patch.Options) {
	t.Helper()
	text := string(doc.Append(nil))
	request := tree(t, body(`{"op":"replace","value":`+text+`}`))
	p, err := engine.Parse(u, &request, o)
	if err != nil {
		t.Fatalf("echo of %s: %v", text, err)
	}
	got, err := p.Apply(doc, nil)
	if err != nil || string(got.Append(nil)) != text {
		t.Fatalf("echo of %s: %v\n%s", text, err, got.Append(nil))
	}
}
