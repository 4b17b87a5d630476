package patch

import (
	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// list is the value of a multi-valued attribute while an edit works on it.
type list struct {
	*edit
	attr    *schema.Attr
	items   []jsontree.Value // may be changed in place
	touched []int            // elements this edit made primary, in order
}

// multi applies an edit to a multi-valued attribute.
func (p *Patch) multi(s slot, e *edit) error {
	a, cur := e.path.Attr, s.get()
	l := list{edit: e, attr: a}
	if cur != nil && cur.Kind == jsontree.Array {
		l.items = cur.Items
	}
	had := len(l.items) > 0
	var was jsontree.Value
	if a.Mutability == schema.Immutable && had {
		was = cur.Clone()
	}
	var err error
	switch {
	case e.path.Filter == nil && e.path.Sub == nil:
		err = l.whole()
	default:
		err = l.some(p.dialect)
	}
	if err != nil {
		return err
	}
	l.settlePrimary()
	next := jsontree.Arr(l.items...)
	if e.path.Filter != nil || e.path.Sub != nil {
		a.MergeRepeated(&next) // what was changed may have become what another is
		l.items = next.Items
	}
	switch {
	case was.Kind == jsontree.Array && !jsontree.Equal(&was, &next):
		return e.immutable(a)
	case len(l.items) > 0:
		s.set(next)
	case a.Required && (had || e.drops()):
		return e.needed(a.Path())
	case cur != nil:
		s.drop()
	}
	return nil
}

// whole applies an edit that names all values of the attribute.
func (l *list) whole() error {
	switch {
	case l.op == opRemove && l.value.Kind == jsontree.Array:
		l.removeGiven()
	case l.op == opRemove:
		l.items = nil
	case l.op == opAdd:
		return l.add(l.value.Items)
	default:
		// CheckValue has merged repeated values already.
		l.items = l.value.Clone().Items
		for i := range l.items {
			l.note(i)
		}
	}
	return nil
}

// some applies an edit to the values a filter selects, or to all of them when
// the path has a sub-attribute but no filter.
func (l *list) some(d dialect) error {
	matched, n := false, 0
	for i := range l.items {
		el := l.items[i]
		keep := true
		if l.path.Filter == nil || l.path.Filter.MatchElement(&el) {
			matched = true
			var err error
			if keep, err = l.one(&el); err != nil {
				return err
			}
			if keep && l.setsPrimary() {
				l.touched = append(l.touched, n)
			}
		}
		if keep {
			l.items[n] = el
			n++
		}
	}
	l.items = l.items[:n]
	if matched || l.drops() {
		return nil // nothing left to take away is done already
	}
	return l.create(d)
}

// one changes a selected value and reports whether it stays.
func (l *list) one(el *jsontree.Value) (keep bool, err error) {
	if l.path.Sub == nil {
		switch {
		case l.drops():
			return false, nil
		case l.attr.Type != schema.TypeComplex:
			*el = l.value
			return true, nil
		case l.op == opReplace:
			l.replace(el)
			return len(el.Items) > 0, nil
		}
	}
	if el.Kind != jsontree.Object {
		return true, l.refuse(scimerrors.ScimTypeInvalidPath, "%s has simple values without sub-attributes; end the path behind the ]", l.attr.Path())
	}
	before := len(el.Items)
	if err := l.change(el); err != nil {
		return true, err
	}
	if l.drops() && len(el.Items) < before {
		return !hollow(el, l.path.Sub), nil
	}
	return len(el.Items) > 0, nil
}

// replace puts the whole new value in the place of a selected one (RFC 7644
// §3.5.2.3), which stays what the filter says it is where the new one is
// silent, so that the same path finds it again.
func (l *list) replace(el *jsontree.Value) {
	next := l.value.Clone()
	if eqs, plain := l.path.Filter.Equalities(); plain {
		for _, eq := range eqs {
			if eq.Sub != nil && next.Get(eq.Sub.Name) == nil {
				next.Set(eq.Sub.Name, el.Get(eq.Sub.Name).Clone())
			}
		}
	}
	stripNulls(&next)
	if !jsontree.Equal(el, &next) {
		*el = next
	}
}

// create makes the value an unmatched path would have changed: without a
// filter always, with one if the profile wants it and the filter says
// what the value is (L-7, ENT-11, ENT-19).
func (l *list) create(d dialect) error {
	made := jsontree.Obj()
	if f := l.path.Filter; f != nil {
		eqs, plain := f.Equalities()
		if !d.create || !plain {
			return l.noTarget()
		}
		for _, eq := range eqs {
			if eq.Sub == nil {
				continue // simple values: the new value is the operation's
			}
			v := eq.Value.Clone()
			if err := eq.Sub.CheckValue(&v, schema.Options{}); err != nil {
				return l.wrap(err)
			}
			if eq.Sub.Mutability == schema.ReadOnly || v.Empty() {
				return l.refuse(scimerrors.ScimTypeNoTarget, "no value of %s matches the filter, and none can be made from it", l.attr.Path())
			}
			made.Set(eq.Sub.Name, v)
		}
	}
	if l.attr.Type != schema.TypeComplex {
		made = l.value
	} else if err := l.change(&made); err != nil {
		return err
	}
	l.items = append(l.items, made)
	l.note(len(l.items) - 1)
	return nil
}

// setsPrimary reports whether the edit's value makes a value primary.
func (l *list) setsPrimary() bool {
	if l.path.Sub != nil {
		return l.path.Sub.Lower == "primary" && l.value.Kind == jsontree.True
	}
	return isPrimary(&l.value)
}

func isPrimary(el *jsontree.Value) bool {
	m := el.Get("primary")
	return m != nil && m.Kind == jsontree.True
}

// note remembers that the edit made element i primary, if it did.
func (l *list) note(i int) {
	if isPrimary(&l.items[i]) {
		l.touched = append(l.touched, i)
	}
}

// settlePrimary keeps the value the edit made primary, the last one if it made
// several (L-31), and takes the mark from all others.
func (l *list) settlePrimary() {
	if len(l.touched) == 0 || l.attr.Sub("primary") == nil {
		return
	}
	keep := l.touched[len(l.touched)-1]
	for i := range l.items {
		if m := l.items[i].Get("primary"); i != keep && m != nil && m.Kind == jsontree.True {
			m.Kind = jsontree.False
		}
	}
}

// hollow reports whether a value that lost a sub-attribute says nothing any
// more: a type, or a primary mark, of no value (ENT-15). Without its value a
// display name says nothing either.
func hollow(el *jsontree.Value, lost *schema.Attr) bool {
	for i := range el.Items {
		switch el.Items[i].Name {
		case "type", "primary":
		case "display", "$ref":
			if lost.Lower != "value" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// stripNulls takes cleared sub-attributes out of a value that is stored whole.
func stripNulls(v *jsontree.Value) {
	n := 0
	for i := range v.Items {
		if !v.Items[i].Empty() {
			v.Items[n] = v.Items[i]
			n++
		}
	}
	v.Items = v.Items[:n]
}
