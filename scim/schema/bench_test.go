package schema_test

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// enterpriseUser is a 1.2 KB body as an identity provider sends it.
const enterpriseUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"externalId":"aroux","userName":"amelie.roux@acme.example","active":true,"displayName":"Amélie Roux",` +
	`"name":{"formatted":"Mme Amélie Roux","familyName":"Roux","givenName":"Amélie","honorificPrefix":"Mme"},` +
	`"title":"Chef du support","preferredLanguage":"fr-FR","locale":"fr-FR","timezone":"Europe/Paris","userType":"Employee",` +
	`"emails":[{"primary":true,"type":"work","value":"amelie.roux@acme.example"},{"type":"home","value":"amelie@roux.example"}],` +
	`"phoneNumbers":[{"type":"work","value":"+33 4 72 00 00 01"},{"type":"mobile","value":"+33 6 00 00 00 01"}],` +
	`"addresses":[{"type":"work","streetAddress":"1 place Bellecour","locality":"Lyon","postalCode":"69002","country":"FR","primary":true}],` +
	`"meta":{"resourceType":"User"},"roles":[],` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"00417","costCenter":"CC-4130","organization":"Acme",` +
	`"division":"Services","department":"Support","manager":{"value":"0dk2m1c5q8a4b7e9f3g0","$ref":"../Users/0dk2m1c5q8a4b7e9f3g0"}}}`

func BenchmarkParse(b *testing.B) {
	body := []byte(enterpriseUser)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsontree.Parse(body, jsontree.BodyLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseCheck(b *testing.B) {
	users := registry(b).Type("User")
	body := []byte(enterpriseUser)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := jsontree.Parse(body, jsontree.BodyLimits())
		if err == nil {
			err = users.Check(&doc, schema.Options{})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// A document in stored form, as PATCH checks its result.
func BenchmarkCheckStored(b *testing.B) {
	users := registry(b).Type("User")
	doc := tree(b, enterpriseUser)
	b.ReportAllocs()
	for b.Loop() {
		if err := users.Check(doc, schema.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAttr(b *testing.B) {
	users := registry(b).Type("User")
	b.ReportAllocs()
	for b.Loop() {
		if users.Attr("", "x509CERTIFICATES") == nil || users.Attr("", "userName") == nil {
			b.Fatal("unknown")
		}
	}
}

// Looking names up costs no allocation, however they are spelled; neither does
// checking a document that needs no change.
func TestNoAllocations(t *testing.T) {
	users := registry(t).Type("User")
	emails := users.Attr("", "emails")
	doc := tree(t, enterpriseUser)
	if err := users.Check(doc, schema.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"Attr":  func() { users.Attr("", "USERNAME"); users.Attr(schema.EnterpriseUserURN, "manager") },
		"Sub":   func() { emails.Sub("value"); emails.Sub("VALUE") },
		"Check": func() { _ = users.Check(doc, schema.Options{}) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
