package schema

import "github.com/usher-scim/usher/internal/jsontree"

// names finds attributes by name without ASCII case, without allocation, and
// faster than a map: a slot holds one or two attributes.
type names [64][]*Attr

// slot is the same for all spellings of a name.
func slot(name string) uint8 {
	n := len(name)
	return (uint8(n)*5 + (name[0]|0x20)*3 + (name[n/2] | 0x20) + (name[n-1] | 0x20)) & 63
}

func (n *names) get(name string) *Attr {
	if name == "" {
		return nil
	}
	return lookup(n[slot(name)], name)
}

func (n *names) add(a *Attr) {
	s := slot(a.Name)
	n[s] = append(n[s], a)
}

// lookup is a linear search: complex attributes have at most a dozen
// sub-attributes, and clients mostly spell them as the schema does.
func lookup(attrs []*Attr, name string) *Attr {
	for _, a := range attrs {
		if a.Name == name {
			return a
		}
	}
	for _, a := range attrs {
		if len(a.Name) == len(name) && jsontree.EqualName(a.Name, name) {
			return a
		}
	}
	return nil
}
