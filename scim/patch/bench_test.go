package patch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
)

const eightOps = `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a.roux@acme.example"},
	{"op":"Replace","path":"name.familyName","value":"Roux-Martin"},
	{"op":"Replace","path":"displayName","value":"Amélie Roux-Martin"},
	{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+33600000001"},
	{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"Lyon 3"},
	{"op":"Replace","path":"active","value":"True"},
	{"op":"Replace","path":"$ENT:department","value":"Support"},
	{"op":"Add","path":"$ENT:manager","value":"$U2"}`

const fullUser = `"name":{"familyName":"Roux","givenName":"Amélie","formatted":"Amélie Roux"},"displayName":"Amélie Roux","title":"Agent",
	"emails":[` + work + `],"phoneNumbers":[{"type":"work","value":"+33100000000"}],"active":true,"externalId":"aroux","$ENT":{"employeeNumber":"417"}`

func BenchmarkParse8(b *testing.B) {
	u, _ := types(b)
	engine, request := patch.New(filter.New()), tree(b, body(eightOps))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.Parse(u, &request, patch.Options{Profile: "entra"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply8(b *testing.B) {
	u, _ := types(b)
	request, doc := tree(b, body(eightOps)), tree(b, user(fullUser))
	p, err := patch.New(filter.New()).Parse(u, &request, patch.Options{Profile: "entra"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Apply(&doc, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMembers1000(b *testing.B) {
	_, g := types(b)
	request := tree(b, body(`{"op":"Add","path":"members","value":[`+thousandMembers(b)+`]}`))
	engine := patch.New(filter.New())
	b.ReportAllocs()
	for b.Loop() {
		p, err := engine.Parse(g, &request, patch.Options{Profile: "entra"})
		if err != nil || len(p.Members().Add) != 1000 {
			b.Fatal(err)
		}
	}
}

func thousandMembers(b *testing.B) string {
	b.Helper()
	var list []string
	for i := range 1000 {
		id, err := resources.NewID(resources.KindUser, time.UnixMilli(int64(i)), strings.NewReader("random bytes"))
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, string(jsontree.AppendString([]byte(`{"$ref":null,"value":`), id))+"}")
	}
	return strings.Join(list, ",")
}
