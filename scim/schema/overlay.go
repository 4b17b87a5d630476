package schema

import "github.com/usher-scim/usher/resources"

// Complete adds to a registry made of [Declared] what the library's attributes
// cannot carry: suggested values of other types than string, uniqueness of
// binaries, and where the values of declared attributes are indexed. It belongs
// to making the registry and is called before anybody uses it.
func (r *Registry) Complete(d *resources.Declared) {
	for _, t := range r.Types {
		t.Core.complete(d.Schema(t.Core.URN))
		for _, x := range t.Extensions {
			x.complete(d.Schema(x.URN))
		}
	}
}

// complete does it for one schema; def is nil for built-in ones.
func (s *Schema) complete(def *resources.SchemaDef) {
	if def == nil {
		return
	}
	for i := range def.Attributes {
		a := &def.Attributes[i]
		s.Attr(a.Name).complete(nil, a)
	}
}

func (a *Attr) complete(parent, def *resources.AttributeDef) {
	if a == nil {
		return
	}
	a.Canonical = def.CanonicalValues
	if u, err := find[Uniqueness](uniquenesses[:], def.Uniqueness, a.path, "uniqueness"); err == nil {
		a.Uniqueness = u
	}
	a.Key = a.URN + ":" + a.Name
	if a.Parent != nil {
		a.Key = a.Parent.Key + "." + a.Name
	}
	a.Unique, a.Listed = resources.Indexed(parent, def)
	for i := range def.SubAttributes {
		sub := &def.SubAttributes[i]
		a.Sub(sub.Name).complete(def, sub)
	}
}
