package schema

import (
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
)

// CheckValue normalises and validates the value of a whole attribute, or
// sub-attribute, in place. For a multi-valued attribute the result is always
// an array. A value that means "unassigned" (null, [], "", {"value": ""}, L-9)
// becomes null, see [jsontree.Value.Empty]. Whether the attribute may be
// written (readOnly, immutable) or cleared (required) is the caller's
// question; readOnly and unknown sub-attributes are dropped.
// Errors are as in [Type.Check].
func (a *Attr) CheckValue(v *jsontree.Value, opts Options) error {
	j := judge{opts: opts, at: -1, sub: -1}
	return j.whole(a, v)
}

// CheckElement does the same for one element of a multi-valued attribute, as
// behind emails[type eq "work"]; the result is never an array.
func (a *Attr) CheckElement(v *jsontree.Value, opts Options) error {
	j := judge{opts: opts, at: -1, sub: -1}
	if v.Kind == jsontree.Null || v.Kind == jsontree.Absent {
		unassign(v)
		return nil
	}
	if v.Kind == jsontree.Array && len(v.Items) == 1 && v.Items[0].Kind != jsontree.Array {
		*v = v.Items[0].As(v.Name) // L-8
	}
	return j.single(a, v)
}

// judge walks values and remembers where it is, for messages.
type judge struct {
	opts    Options
	at, sub int // index in the attribute's and in the sub-attribute's array, or -1
}

// unassign makes a value unassigned.
func unassign(v *jsontree.Value) { *v = jsontree.Value{Kind: jsontree.Null, Name: v.Name} }

// path tells where the judge is: "emails[0].primary".
func (j *judge) path(a *Attr) string {
	top := a
	if a.Parent != nil {
		top = a.Parent
	}
	p := top.path
	if j.at >= 0 {
		p += "[" + strconv.Itoa(j.at) + "]"
	}
	if a.Parent == nil {
		return p
	}
	p += "." + a.Name
	if j.sub >= 0 {
		p += "[" + strconv.Itoa(j.sub) + "]"
	}
	return p
}

// member judges a member of a document or extension by its attribute.
func (j *judge) member(a *Attr, m *jsontree.Value) error {
	m.Name = a.Name
	if a.Mutability == ReadOnly {
		unassign(m) // R-51, S7
		return nil
	}
	return j.whole(a, m)
}

func (j *judge) whole(a *Attr, v *jsontree.Value) error {
	switch {
	case v.Kind == jsontree.Null || v.Kind == jsontree.Absent:
		unassign(v)
		return nil
	case a.Multi:
		return j.list(a, v)
	}
	return j.single(a, v)
}

func (j *judge) single(a *Attr, v *jsontree.Value) error {
	if a.Type == TypeComplex {
		return j.complex(a, v)
	}
	if v.Kind == jsontree.Array && len(v.Items) == 0 && !a.Multi {
		unassign(v)
		return nil
	}
	return j.leaf(a, v)
}

// list judges a multi-valued attribute. One value in place of the array is
// taken as an array of it (L-8).
func (j *judge) list(a *Attr, v *jsontree.Value) error {
	if v.Kind != jsontree.Array {
		one := *v
		one.Name = ""
		*v = jsontree.Value{Kind: jsontree.Array, Name: v.Name, Items: []jsontree.Value{one}}
		if a.Type == TypeComplex && one.Kind != jsontree.Object && one.Kind != jsontree.String {
			return j.mistyped(a, &one, "an array of objects")
		}
	}
	partial := j.opts.Partial
	j.opts.Partial = false
	index := &j.at
	if a.Parent != nil {
		index = &j.sub
	}
	n := 0
	for i := range v.Items {
		e := &v.Items[i]
		if e.Kind == jsontree.Null {
			continue
		}
		*index = i
		if err := j.single(a, e); err != nil {
			return err
		}
		if e.Kind == jsontree.Null {
			continue
		}
		if n != i {
			v.Items[n] = *e
		}
		n++
	}
	*index = -1
	j.opts.Partial = partial
	if v.Items = v.Items[:n]; n == 0 {
		unassign(v)
		return nil
	}
	if n > 1 && (!j.opts.Unseen || !a.veiled()) { // else it is not known yet which are alike
		if j.opts.Profile == "ping" {
			a.firstPrimary(v) // before twins are merged, so that both agree (L-31, PNG-03)
		}
		a.MergeRepeated(v)
		return a.onePrimary(v)
	}
	return nil
}

// complex judges one complex value.
func (j *judge) complex(a *Attr, v *jsontree.Value) error {
	switch {
	case v.Kind == jsontree.Array && !a.Multi && len(v.Items) == 0:
		unassign(v)
		return nil
	case v.Kind == jsontree.Array && !a.Multi && len(v.Items) == 1 && v.Items[0].Kind != jsontree.Array:
		*v = v.Items[0].As(v.Name) // L-8
		return j.whole(a, v)
	case v.Kind == jsontree.String && v.Text == "":
		unassign(v) // L-9
		return nil
	case v.Kind == jsontree.String && a.value != nil:
		one := jsontree.Str(v.Text).As(a.value.Name) // L-8
		*v = jsontree.Value{Kind: jsontree.Object, Name: v.Name, Items: []jsontree.Value{one}}
	case v.Kind != jsontree.Object:
		return j.mistyped(a, v, "an object")
	}
	return j.object(a, v)
}

// object judges the sub-attributes of a complex value and decides whether
// anything is left of it.
func (j *judge) object(a *Attr, v *jsontree.Value) error {
	n, content, cleared, noValue := 0, false, false, false
	for i := range v.Items {
		m := &v.Items[i]
		sub := a.Sub(m.Name)
		if sub == nil || sub.Mutability == ReadOnly {
			continue // ignored (L-14, R-51)
		}
		m.Name = sub.Name
		if err := j.whole(sub, m); err != nil {
			return err
		}
		if m.Kind == jsontree.Null {
			cleared = cleared || !sub.label
			noValue = noValue || sub == a.value
			if !j.opts.Partial {
				continue
			}
		} else {
			content = content || !sub.label
		}
		if n != i {
			v.Items[n] = *m
		}
		n++
	}
	v.Items = v.Items[:n]
	if j.opts.Partial {
		if noValue && !content {
			unassign(v)
		}
		return nil
	}
	// What says nothing but its own type once its value is cleared is no
	// value any more (L-9, ENT-15).
	if n == 0 || (cleared && !content) {
		unassign(v)
		return nil
	}
	return need(j, a.required, v)
}
