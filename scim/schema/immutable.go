package schema

import "github.com/usher-scim/usher/internal/jsontree"

// CheckImmutable compares a PUT with the stored document, both in stored form
// an immutable attribute, or immutable sub-attribute of a
// single-valued attribute, that has a value and comes with another one is a
// 400 mutability. One that the client left out keeps its stored value, which is
// copied into doc, with its extension if need be. Elements of multi-valued attributes are added and removed, not
// edited, so their sub-attributes are not compared.
func CheckImmutable(t *Type, old, doc *jsontree.Value) error {
	if err := keepImmutable(t.Core.immutable, old, doc); err != nil {
		return err
	}
	for _, x := range t.Extensions {
		if len(x.immutable) == 0 {
			continue
		}
		was, now := old.Get(x.URN), doc.Get(x.URN)
		if was == nil {
			continue
		}
		if now == nil {
			now = doc.Set(x.URN, jsontree.Obj())
		}
		if err := keepImmutable(x.immutable, was, now); err != nil {
			return err
		}
		if len(now.Items) == 0 {
			doc.Delete(x.URN)
		}
	}
	return nil
}

// keepImmutable compares the listed attributes: the immutable ones, and
// complex ones that have immutable sub-attributes.
func keepImmutable(attrs []*Attr, old, doc *jsontree.Value) error {
	for _, a := range attrs {
		was, now := old.Get(a.Name), doc.Get(a.Name)
		switch {
		case was.Empty():
		case a.Mutability != Immutable:
			if now.Empty() {
				now = doc.Set(a.Name, jsontree.Obj())
			}
			if err := keepImmutable(a.immutable, was, now); err != nil {
				return err
			}
			if len(now.Items) == 0 {
				doc.Delete(a.Name)
			}
		case now.Empty():
			doc.Set(a.Name, was.Clone())
		case !jsontree.Equal(was, now):
			return mutability(a.path + " is immutable and already has another value: send the stored value or leave it out")
		}
	}
	return nil
}

// immutables lists what keepImmutable must look at.
func immutables(attrs []*Attr) []*Attr {
	var out []*Attr
	for _, a := range attrs {
		if a.Mutability == Immutable || (!a.Multi && a.Mutability != ReadOnly && len(a.immutable) > 0) {
			out = append(out, a)
		}
	}
	return out
}
