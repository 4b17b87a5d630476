package schema

import (
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// looksURN is a cheap test before names are compared with schema URNs.
func looksURN(name string) bool {
	return len(name) > 4 && name[3] == ':' && name[0]|0x20 == 'u' && name[1]|0x20 == 'r' && name[2]|0x20 == 'n'
}

// SplitURN splits "urn:…:User:manager.value" at the longest schema URN of the
// type (L-5) into the schema and the rest, "manager.value". The rest is ""
// when name is the URN itself. It gives nil when no schema of the type fits.
func (t *Type) SplitURN(name string) (s *Schema, rest string) {
	if !looksURN(name) {
		return nil, name
	}
	best := t.Core
	if !underURN(best.URN, name) {
		best = nil
	}
	for _, x := range t.Extensions {
		if underURN(x.URN, name) && (best == nil || len(x.URN) > len(best.URN)) {
			best = x.Schema
		}
	}
	if best == nil {
		return nil, name
	}
	return best, strings.TrimPrefix(name[len(best.URN):], ":")
}

// underURN reports whether name is the URN, or the URN, a colon and more.
func underURN(urn, name string) bool {
	return len(name) >= len(urn) && sameURN(urn, name[:len(urn)]) &&
		(len(name) == len(urn) || name[len(urn)] == ':')
}

// hasFlat reports whether a top-level name is a URN-qualified attribute.
func (t *Type) hasFlat(doc *jsontree.Value) bool {
	for i := range doc.Items {
		if s, rest := t.SplitURN(doc.Items[i].Name); s != nil && rest != "" {
			return true
		}
	}
	return false
}

// unflatten moves "urn:…:User:department" at top level into the object of its
// extension, and core attributes written that way to the top.
func (t *Type) unflatten(doc *jsontree.Value) error {
	items := doc.Items
	doc.Items = make([]jsontree.Value, 0, len(items))
	for _, m := range items {
		if s, rest := t.SplitURN(m.Name); s == nil || rest == "" {
			doc.Items = append(doc.Items, m)
		}
	}
	for _, m := range items {
		s, rest := t.SplitURN(m.Name)
		if s == nil || rest == "" {
			continue
		}
		name, sub, _ := strings.Cut(rest, ".")
		a := t.Attr(s.URN, name)
		if a == nil || (sub != "" && a.Sub(sub) == nil) {
			continue // unknown: ignored (L-14, S7)
		}
		if err := t.place(doc, s, a, sub, m); err != nil {
			return err
		}
	}
	return nil
}

// place stores a flat member where it belongs, refusing to overwrite.
func (t *Type) place(doc *jsontree.Value, s *Schema, a *Attr, sub string, m jsontree.Value) error {
	flat := m.Name
	home := doc
	if s != t.Core {
		if home = doc.Get(s.URN); home.Empty() {
			home = doc.Set(s.URN, jsontree.Obj())
		}
	}
	if home.Kind != jsontree.Object {
		return invalidValue(s.URN + " must be a JSON object with the attributes of this extension, not " + kindName(home))
	}
	if sub != "" {
		if home.Get(a.Name).Empty() {
			home.Set(a.Name, jsontree.Obj())
		}
		if home = home.Get(a.Name); home.Kind != jsontree.Object {
			return invalidSyntax(quote(flat) + " and " + a.path + " are both in the body: send one of them")
		}
		a = a.Sub(sub)
	}
	if home.Get(a.Name) != nil {
		return invalidSyntax(quote(flat) + " and " + a.path + " are both in the body: send one of them")
	}
	home.Set(a.Name, m)
	return nil
}
