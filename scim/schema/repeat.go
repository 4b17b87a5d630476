package schema

import (
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// MergeRepeated makes an array hold no value twice, in place. Elements
// with a value and the same type are one, compared as the attribute compares:
// the later one's sub-attributes are set in the earlier one, but a primary
// mark stays. Of other elements those equal to an earlier one are dropped.
// v must be normalised; it is called with arrays only.
func (a *Attr) MergeRepeated(v *jsontree.Value) {
	const few = 16 // up to here comparing all pairs is cheaper than keys
	var seen map[string]int
	var key []byte
	if len(v.Items) > few {
		seen = make(map[string]int, len(v.Items))
	}
	n := 0
	for i := range v.Items {
		e, at := &v.Items[i], -1
		if seen == nil {
			at = a.twin(v.Items[:n], e)
		} else {
			key = a.AppendKey(key[:0], e)
			if k, again := seen[string(key)]; again {
				at = k
			} else {
				seen[string(key)] = n
			}
		}
		if at >= 0 {
			a.merge(&v.Items[at], e)
			continue
		}
		if n != i {
			v.Items[n] = *e
		}
		n++
	}
	v.Items = v.Items[:n]
}

// twin finds the element that e repeats, or -1.
func (a *Attr) twin(before []jsontree.Value, e *jsontree.Value) int {
	for i := range before {
		if a.same(&before[i], e) {
			return i
		}
	}
	return -1
}

// same is whether the keys of two elements are equal, without making them.
func (a *Attr) same(x, y *jsontree.Value) bool {
	if !a.paired(x) || !a.paired(y) {
		return jsontree.Equal(x, y)
	}
	return alike(a.value, x, y) && alike(a.Sub("type"), x, y)
}

// paired tells whether an element is known by its value and type.
func (a *Attr) paired(e *jsontree.Value) bool {
	return a.value != nil && a.value.Type != TypeComplex && a.Sub("type") != nil &&
		e.Kind == jsontree.Object && !e.Get(a.value.Name).Empty()
}

// alike compares one simple sub-attribute of two elements.
func alike(sub *Attr, x, y *jsontree.Value) bool {
	x, y = x.Get(sub.Name), y.Get(sub.Name)
	switch {
	case x.Empty() || y.Empty():
		return x.Empty() && y.Empty()
	case x.Kind == jsontree.String && y.Kind == jsontree.String && !sub.CaseExact:
		return x.Text == y.Text || resources.FoldText(x.Text) == resources.FoldText(y.Text)
	}
	return jsontree.Equal(x, y)
}

// merge sets in an element what its repetition says. Both have one primary
// mark if one of them has it: what a client marks twice is marked.
func (a *Attr) merge(into, from *jsontree.Value) {
	if into.Kind != jsontree.Object || from.Kind != jsontree.Object {
		return
	}
	for i := range from.Items {
		m := &from.Items[i]
		if a.primary != nil && m.Name == a.primary.Name && m.Kind == jsontree.False && marked(a, into) {
			continue
		}
		into.Set(m.Name, *m)
	}
}

// AppendKey writes an element so that two have the same key exactly when an
// array must not hold both, see [Attr.MergeRepeated].
func (a *Attr) AppendKey(dst []byte, e *jsontree.Value) []byte {
	if e.Kind != jsontree.Object {
		return e.Append(dst)
	}
	if a.paired(e) {
		dst = a.value.AppendFolded(dst, e.Get(a.value.Name))
		dst = append(dst, ',')
		typ := a.Sub("type")
		if m := e.Get(typ.Name); !m.Empty() {
			dst = typ.AppendFolded(dst, m)
		}
		return dst
	}
	dst = append(dst, '{') // never the first byte of a simple value
	for _, sub := range a.Subs {
		if m := e.Get(sub.Name); !m.Empty() {
			dst = m.Append(dst)
		}
		dst = append(dst, ',')
	}
	return dst
}

// AppendFolded writes a simple value of the attribute so that two are the same
// text exactly when the attribute takes them as equal.
func (a *Attr) AppendFolded(dst []byte, v *jsontree.Value) []byte {
	if v.Kind == jsontree.String && !a.CaseExact {
		return jsontree.AppendString(dst, string(resources.FoldText(v.Text)))
	}
	return v.Append(dst)
}

// marked reports whether an element is the primary one.
func marked(a *Attr, e *jsontree.Value) bool {
	p := e.Get(a.primary.Name)
	return p != nil && p.Kind == jsontree.True
}

// firstPrimary leaves only the first of several primary marks.
func (a *Attr) firstPrimary(v *jsontree.Value) {
	if a.primary == nil {
		return
	}
	seen := false
	for i := range v.Items {
		if !marked(a, &v.Items[i]) {
			continue
		}
		if seen {
			v.Items[i].Get(a.primary.Name).Kind = jsontree.False
		}
		seen = true
	}
}

// onePrimary refuses a second primary value.
func (a *Attr) onePrimary(v *jsontree.Value) error {
	if a.primary == nil {
		return nil
	}
	first := -1
	for i := range v.Items {
		switch {
		case !marked(a, &v.Items[i]):
		case first < 0:
			first = i
		default:
			return invalidValue(a.path + " has more than one value with primary true (elements " +
				strconv.Itoa(first) + " and " + strconv.Itoa(i) + "): mark only one")
		}
	}
	return nil
}
