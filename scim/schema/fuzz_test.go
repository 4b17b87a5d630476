package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// onlyKnown fails for anything in a stored document that the type does not
// have, may not be written, is unassigned, or is spelled differently.
func onlyKnown(t *testing.T, typ *schema.Type, doc *jsontree.Value) {
	t.Helper()
	for i := range doc.Items {
		m := &doc.Items[i]
		if m.Name == "schemas" {
			listed(t, typ, doc, m)
			continue
		}
		if x := typ.Extension(m.Name); x != nil {
			if m.Name != x.URN || m.Kind != jsontree.Object || len(m.Items) == 0 {
				t.Fatalf("extension stored as %q %s", m.Name, text(m))
			}
			for k := range m.Items {
				known(t, typ.Attr(x.URN, m.Items[k].Name), &m.Items[k])
			}
			continue
		}
		known(t, typ.Attr(typ.Core.URN, m.Name), m)
	}
}

func known(t *testing.T, a *schema.Attr, m *jsontree.Value) {
	t.Helper()
	if a == nil || a.Name != m.Name || a.Mutability == schema.ReadOnly || m.Empty() {
		t.Fatalf("stored %q: %s", m.Name, text(m))
	}
	if a.Multi != (m.Kind == jsontree.Array) {
		t.Fatalf("%s is stored as %s", a.Path(), text(m))
	}
	elements := []jsontree.Value{*m}
	if a.Multi {
		elements = m.Items
	}
	for i := range elements {
		if a.Type != schema.TypeComplex {
			continue
		}
		if elements[i].Kind != jsontree.Object || len(elements[i].Items) == 0 {
			t.Fatalf("%s holds %s", a.Path(), text(&elements[i]))
		}
		for k := range elements[i].Items {
			known(t, a.Sub(elements[i].Items[k].Name), &elements[i].Items[k])
		}
	}
}

// listed checks schemas: the core URN, and exactly the extensions stored.
func listed(t *testing.T, typ *schema.Type, doc, schemas *jsontree.Value) {
	t.Helper()
	seen := map[string]bool{}
	for i := range schemas.Items {
		urn := schemas.Items[i].Text
		if seen[urn] || typ.Schema(urn) == nil || typ.Schema(urn).URN != urn {
			t.Fatalf("schemas: %s", text(schemas))
		}
		seen[urn] = true
	}
	for _, x := range typ.Extensions {
		if seen[x.URN] != (doc.Get(x.URN) != nil) {
			t.Fatalf("schemas %s for %s", text(schemas), text(doc))
		}
	}
	if !seen[typ.Core.URN] {
		t.Fatalf("schemas without the core URN: %s", text(schemas))
	}
}

// FuzzCheck: any body is refused or brought into stored form; stored form has
// nothing unknown, is valid JSON, and passes again unchanged.
func FuzzCheck(f *testing.F) {
	r := registry(f)
	types := []*schema.Type{r.Type("User"), r.Type("Group"), things(f)}
	profiles := []string{"rfc", "ping", "onelogin"}
	for i, body := range []string{
		enterpriseUser, user(`"emails":["a",{"value":"a"}],"name":""`), ext(`"manager":["m"]`),
		user(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value":"m"`),
		user(`"roles":[` + strings.Repeat(`{"value":"a","type":""},`, 20) + `"a"]`),
		user(`"emails":[{"value":"a","primary":"True"},{"value":"b","primary":true}]`),
		thingBody(`"sizes":[1,1,2],"made":"2026-03-27T19:59:26Z","blob":"AA==","parts":{"code":"c"}`),
		`{"schemas":[` + groupURN + `],"displayName":"g","members":["x"]}`,
	} {
		f.Add([]byte(body), uint8(i))
		f.Add([]byte(body), uint8(3+i))
	}
	f.Fuzz(func(t *testing.T, body []byte, pick uint8) {
		doc, err := jsontree.Parse(body, jsontree.BodyLimits())
		if err != nil {
			return
		}
		typ := types[int(pick)%len(types)]
		opts := schema.Options{Profile: profiles[int(pick)/len(types)%len(profiles)]}
		stable(t, typ, &doc, opts)
	})
}

// stable checks the properties of stored form and reports whether the document
// was accepted at all.
func stable(t *testing.T, typ *schema.Type, doc *jsontree.Value, opts schema.Options) bool {
	t.Helper()
	sent := text(doc)
	if typ.Check(doc, opts) != nil {
		return false
	}
	once := text(doc)
	if !json.Valid([]byte(once)) {
		t.Fatalf("%s is stored as invalid JSON: %s", sent, once)
	}
	onlyKnown(t, typ, doc)
	if err := typ.Check(doc, opts); err != nil {
		t.Fatalf("refuses its own result %s: %v", once, err)
	}
	again, err := jsontree.Parse([]byte(once), jsontree.BodyLimits())
	if err != nil {
		t.Fatalf("%s is stored as what the parser refuses: %v in %s", sent, err, once)
	}
	if err := typ.Check(&again, schema.Options{}); err != nil {
		t.Fatalf("the strict profile refuses the stored %s: %v", once, err)
	}
	if text(doc) != once || text(&again) != once {
		t.Fatalf("%s is not stable:\n%s\n%s\n%s", sent, once, text(doc), text(&again))
	}
	return true
}

// FuzzCheckValue: any value for any attribute is refused or becomes stable.
func FuzzCheckValue(f *testing.F) {
	users := registry(f).Type("User")
	attrs := append(append([]*schema.Attr{}, users.Core.Attrs...), users.Extensions[0].Attrs...)
	for i, v := range []string{`"a"`, `{"value":"","type":"work"}`, `[{"value":"a"},"a",null]`, `{"givenName":null}`, `true`, `[["a"]]`} {
		f.Add([]byte(v), uint8(i), true)
		f.Add([]byte(v), uint8(11+i), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, pick uint8, partial bool) {
		v, err := jsontree.Parse(body, jsontree.BodyLimits())
		if err != nil {
			return
		}
		a := attrs[int(pick)%len(attrs)]
		opts := schema.Options{Partial: partial}
		for _, check := range []func(*jsontree.Value, schema.Options) error{a.CheckValue, a.CheckElement} {
			v := v.Clone()
			if check(&v, opts) != nil {
				continue
			}
			once := text(&v)
			if err := check(&v, opts); err != nil || text(&v) != once {
				t.Fatalf("%s: %s became %s (%v)", a.Path(), once, text(&v), err)
			}
		}
	})
}
