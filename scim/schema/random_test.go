package schema_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// dice makes random documents out of what a type knows, and of what it does
// not: right and wrong types, nulls, names in any case, flat URNs.
type dice struct{ *rand.Rand }

func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }

func (d dice) spell(name string) string {
	switch d.IntN(8) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return strings.ToLower(name)
	}
	return name
}

// scalar is mostly right for the type.
func (d dice) scalar(t schema.DataType) jsontree.Value {
	if d.IntN(12) == 0 {
		t = schema.DataType(1 + d.IntN(8))
	}
	switch {
	case d.IntN(10) == 0:
		return jsontree.Value{Kind: jsontree.Null}
	case d.IntN(12) == 0:
		return jsontree.Str("")
	case d.IntN(100) == 0:
		return jsontree.Arr(jsontree.Str("x"))
	}
	switch t {
	case schema.TypeBoolean:
		if d.IntN(3) == 0 {
			return jsontree.Str(d.one("True", "false", "TRUE"))
		}
		return jsontree.Bool(d.IntN(3) == 0)
	case schema.TypeInteger:
		return jsontree.Num(d.one("0", "1", "-0", "123456789012345"))
	case schema.TypeDecimal:
		return jsontree.Num(d.one("0", "1.50", "-2e3"))
	case schema.TypeDateTime:
		return jsontree.Str("2026-03-27T19:59:26Z")
	case schema.TypeBinary:
		return jsontree.Str(d.one("AA==", "AAA", "AAAA"))
	}
	return jsontree.Str(d.one("a", "b", "c", " ", "é\n", "work"))
}

func (d dice) value(a *schema.Attr) jsontree.Value {
	if a.Multi && d.IntN(8) != 0 {
		list := jsontree.Arr()
		for range d.IntN(5) * (1 + 10*d.IntN(2)*d.IntN(2)) {
			list.Items = append(list.Items, d.single(a))
		}
		return list
	}
	return d.single(a)
}

func (d dice) single(a *schema.Attr) jsontree.Value {
	if a.Type != schema.TypeComplex || d.IntN(10) == 0 {
		return d.scalar(a.Type)
	}
	obj := jsontree.Obj()
	for _, s := range a.Subs {
		if d.IntN(2) == 0 {
			obj.Items = append(obj.Items, d.scalar(s.Type).As(d.spell(s.Name)))
		}
	}
	d.Shuffle(len(obj.Items), func(i, j int) { obj.Items[i], obj.Items[j] = obj.Items[j], obj.Items[i] })
	if !a.Multi && d.IntN(10) == 0 {
		return jsontree.Arr(obj)
	}
	return obj
}

func (d dice) document(typ *schema.Type) *jsontree.Value {
	doc := jsontree.Obj(jsontree.Arr(jsontree.Str(d.spell(typ.Core.URN)), jsontree.Str("urn:x")).As(d.spell("schemas")))
	if d.IntN(4) == 0 {
		doc.Items[0].Items[d.IntN(2)].Text = d.one("urn:scim:schemas:core:1.0", typ.Core.URN, schema.EnterpriseUserURN)
	}
	for _, a := range append(append([]*schema.Attr{}, typ.Common[1:]...), typ.Core.Attrs...) {
		if a.Required || d.IntN(3) == 0 {
			doc.Items = append(doc.Items, d.value(a).As(d.spell(a.Name)))
		}
	}
	for _, x := range typ.Extensions {
		obj := jsontree.Obj()
		for _, a := range x.Attrs {
			switch d.IntN(5) {
			case 0, 1:
				obj.Items = append(obj.Items, d.value(a).As(d.spell(a.Name)))
			case 2:
				doc.Items = append(doc.Items, d.value(a).As(d.spell(a.Path())))
			}
		}
		if x.Required || d.IntN(2) == 0 {
			doc.Items = append(doc.Items, obj.As(d.spell(x.URN)))
		}
	}
	doc.Items = append(doc.Items, jsontree.Str("p").As("password"), jsontree.Bool(true).As("isAdmin"))
	d.Shuffle(len(doc.Items), func(i, j int) { doc.Items[i], doc.Items[j] = doc.Items[j], doc.Items[i] })
	return &doc
}

// Check is idempotent, and what it stores is known to the type (S7), for
// random documents of every type and profile.
func TestCheckProperties(t *testing.T) {
	r := registry(t)
	d := dice{rand.New(rand.NewPCG(7643, 7644))}
	for _, typ := range []*schema.Type{r.Type("User"), r.Type("Group"), things(t)} {
		for _, profile := range []string{"rfc", "ping", "onelogin"} {
			accepted := 0
			const tries = 3000
			for range tries {
				if stable(t, typ, d.document(typ), schema.Options{Profile: profile}) {
					accepted++
				}
			}
			if accepted < tries/20 || accepted > tries*19/20 {
				t.Errorf("%s, %s: %d of %d documents accepted: the test tries too little", typ.Name, profile, accepted, tries)
			}
		}
	}
}
