package schema

import (
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Mentioned is what a PUT says about attributes that an answer does not show
// unless asked to (returned never or request, writeOnly). A client that sends
// back what it was shown does not know them, so what it does not mention stays
// (R-86 leaves the choice); null mentions.
type Mentioned struct {
	typ  *Type
	said map[*Attr]bool
	gone map[*Extension]bool // extensions that were cleared whole
}

// Mentioned reads a document as the client sent it, before [Type.Check]. The
// result is of no use for types that hide nothing.
func (t *Type) Mentioned(doc *jsontree.Value) *Mentioned {
	m := &Mentioned{typ: t}
	if !t.Hides || doc == nil || doc.Kind != jsontree.Object {
		return m
	}
	m.said, m.gone = map[*Attr]bool{}, map[*Extension]bool{}
	for i := range doc.Items {
		v := &doc.Items[i]
		s, rest := t.SplitURN(v.Name)
		switch {
		case s == nil:
			m.note(t.top.get(v.Name), v)
		case rest != "": // L-5
			name, sub, dotted := strings.Cut(rest, ".")
			a := t.Attr(s.URN, name)
			if a != nil && dotted {
				m.said[a] = true
				a = a.Sub(sub)
			}
			m.note(a, v)
		case s != t.Core:
			m.gone[t.Extension(s.URN)] = v.Empty()
			for k := range v.Items {
				m.note(s.Attr(v.Items[k].Name), &v.Items[k])
			}
		}
	}
	return m
}

// note remembers an attribute, and the sub-attributes of its value. Of several
// values only a cleared sub-attribute counts: one that stands in some of them
// says nothing about the others.
func (m *Mentioned) note(a *Attr, v *jsontree.Value) {
	if a == nil {
		return
	}
	m.said[a] = true
	values := []jsontree.Value{*v}
	if v.Kind == jsontree.Array {
		values = v.Items
	}
	for i := range values {
		for k := range values[i].Items {
			e := &values[i].Items[k]
			if sub := a.Sub(e.Name); sub != nil && (!a.Multi || e.Empty() || e.Kind == jsontree.String && e.Text == "") {
				m.said[sub] = true
			}
		}
	}
}

// Keep copies into next, a checked document, what of the stored one the client
// did not see and did not mention.
func (m *Mentioned) Keep(old, next *jsontree.Value) {
	if m.said == nil {
		return
	}
	m.keep(m.typ.Core.veiled, old, next)
	for _, x := range m.typ.Extensions {
		was := old.Get(x.URN)
		if len(x.veiled) == 0 || was == nil || m.gone[x] {
			continue
		}
		now := next.Get(x.URN)
		if now == nil {
			now = next.Set(x.URN, jsontree.Obj())
		}
		if m.keep(x.veiled, was, now); len(now.Items) == 0 {
			next.Delete(x.URN)
		}
	}
}

func (m *Mentioned) keep(attrs []*Attr, old, next *jsontree.Value) {
	for _, a := range attrs {
		was, now := old.Get(a.Name), next.Get(a.Name)
		switch {
		case was.Empty():
		case now == nil:
			if !m.said[a] && (a.unseen() || a.blank(was)) {
				next.Set(a.Name, was.Clone())
			}
		case a.Type != TypeComplex:
		case !a.Multi:
			m.keepSubs(a, was, now)
		default:
			m.keepElements(a, was, now)
		}
	}
}

func (m *Mentioned) keepSubs(a *Attr, was, now *jsontree.Value) {
	for _, sub := range a.Subs {
		if v := was.Get(sub.Name); sub.unseen() && !m.said[sub] && !v.Empty() && now.Get(sub.Name) == nil {
			now.Set(sub.Name, v.Clone())
		}
	}
}

// blank reports whether an answer shows nothing of a value of a, so that its
// absence from a PUT means nothing.
func (a *Attr) blank(v *jsontree.Value) bool {
	if v.Kind == jsontree.Array {
		for i := range v.Items {
			if !a.blank(&v.Items[i]) {
				return false
			}
		}
		return true
	}
	return len(a.shown(v).Items) == 0
}

// shown is what an answer shows of a complex value by itself.
func (a *Attr) shown(v *jsontree.Value) jsontree.Value {
	out := jsontree.Obj()
	for i := range v.Items {
		if sub := a.Sub(v.Items[i].Name); sub != nil && !sub.unseen() {
			out.Items = append(out.Items, v.Items[i])
		}
	}
	return out
}

// keepElements does keepSubs for every element of next that stands for a stored
// one as far as a client knows it: with the same type and value, or else the
// same in all it shows; the first for the first, where several are alike. Those
// of which a client knows nothing at all stay behind what it sent.
func (m *Mentioned) keepElements(a *Attr, was, now *jsontree.Value) {
	known := make(map[string][]*jsontree.Value, len(was.Items))
	for i := range was.Items {
		key := a.shownKey(&was.Items[i])
		known[key] = append(known[key], &was.Items[i])
	}
	for i := range now.Items {
		key := a.shownKey(&now.Items[i])
		if twins := known[key]; len(twins) > 0 {
			m.keepSubs(a, twins[0], &now.Items[i])
			known[key] = twins[1:]
		}
	}
	for i := range was.Items {
		if e := &was.Items[i]; a.blank(e) && slices.Contains(known[a.shownKey(e)], e) {
			now.Items = append(now.Items, e.Clone())
		}
	}
}

func (a *Attr) shownKey(e *jsontree.Value) string {
	seen := a.shown(e)
	return string(a.AppendKey(nil, &seen))
}
