package filter

import (
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// Match decides whether a stored record is meant. It looks at Record.Groups and
// Record.Members where the filter names them. A record whose profile cannot be
// read has no attributes but id and meta.
func (f *Filter) Match(r *resources.Record) bool {
	e := evaluationOf(f, r)
	return e.record(f.root)
}

// MatchElement decides about one value of the attribute that a filter in
// brackets belongs to.
func (f *Filter) MatchElement(v *jsontree.Value) bool { return f.root.element(v) }

// evaluation is one record under a filter. What costs work is made when first
// asked for.
type evaluation struct {
	f      *Filter
	rec    *resources.Record
	doc    jsontree.Value
	parsed bool
	made   jsontree.Value // the last value made from the record
}

func evaluationOf(f *Filter, r *resources.Record) evaluation { return evaluation{f: f, rec: r} }

// document parses the profile, once.
func (e *evaluation) document() *jsontree.Value {
	if !e.parsed {
		e.parsed = true
		if v, err := jsontree.Parse(e.rec.Profile, jsontree.Limits{}); err == nil {
			e.doc = v
		}
	}
	return &e.doc
}

// record evaluates a node on the whole record.
func (e *evaluation) record(n *node) bool {
	switch n.op {
	case opAnd:
		return e.record(n.left) && e.record(n.right)
	case opOr:
		return e.record(n.left) || e.record(n.right)
	case opNot:
		return !e.record(n.left)
	}
	if n.src == fromMeta {
		return e.meta(n)
	}
	v := e.value(n)
	if n.op == opElem {
		return anyElement(n.left, v)
	}
	return n.attribute(v)
}

// anyElement reports whether one value matches the condition in brackets
//
func anyElement(inner *node, v *jsontree.Value) bool {
	if v.Empty() {
		return false
	}
	if v.Kind != jsontree.Array {
		return inner.element(v)
	}
	for i := range v.Items {
		if inner.element(&v.Items[i]) {
			return true
		}
	}
	return false
}

// element evaluates a node on one value of the attribute of the brackets.
func (n *node) element(v *jsontree.Value) bool {
	switch n.op {
	case opAnd:
		return n.left.element(v) && n.right.element(v)
	case opOr:
		return n.left.element(v) || n.right.element(v)
	case opNot:
		return !n.left.element(v)
	}
	return n.attribute(v)
}

// value finds the attribute of n, or nil.
func (e *evaluation) value(n *node) *jsontree.Value {
	switch n.src {
	case nowhere:
		return nil
	case fromCaller:
		return n.ofCaller()
	case fromID:
		e.made = jsontree.Str(e.rec.ID)
	case fromGroups:
		e.made = groupsOf(e.rec)
	case fromMembers:
		e.made = membersOf(e.rec)
	case fromStanding:
		apart := resources.ShownApart(e.rec)
		return apart.Get(n.attr.Name)
	case fromExtension:
		return e.document().Get(n.attr.URN).Get(n.attr.Name)
	default:
		return e.document().Get(n.attr.Name)
	}
	return &e.made
}

// ofCaller is the value that all resources of the organization have, or nil.
func (n *node) ofCaller() *jsontree.Value {
	if n.fixed == "" {
		return nil
	}
	v := jsontree.Str(n.fixed)
	return &v
}

// attribute compares v, which is the attribute of n, absent (nil), one value
// or an array of values: one that matches is enough.
func (n *node) attribute(v *jsontree.Value) bool {
	if n.how == asPresence {
		has := n.present(v)
		return has == (n.op == opPr || n.op == opNe)
	}
	if v.Empty() {
		return n.op == opNe
	}
	if v.Kind != jsontree.Array {
		return n.one(v)
	}
	for i := range v.Items {
		if n.one(&v.Items[i]) {
			return true
		}
	}
	return false
}

// present reports whether v, or the sub-attribute of one of its values, is not
// empty.
func (n *node) present(v *jsontree.Value) bool {
	if n.sub == nil {
		return presentOf(n.attr, v)
	}
	if v != nil && v.Kind == jsontree.Array {
		for i := range v.Items {
			if present(v.Items[i].Get(n.sub.Name)) {
				return true
			}
		}
		return false
	}
	return present(v.Get(n.sub.Name))
}

// presentOf is present without sub-attributes that nobody may see, so that
// nothing is learned about them.
func presentOf(a *schema.Attr, v *jsontree.Value) bool {
	if a.Type != schema.TypeComplex || !slices.ContainsFunc(a.Subs, (*schema.Attr).Hidden) {
		return present(v)
	}
	if v != nil && v.Kind == jsontree.Array {
		return slices.ContainsFunc(v.Items, func(e jsontree.Value) bool { return presentOf(a, &e) })
	}
	return slices.ContainsFunc(a.Subs, func(sub *schema.Attr) bool { return !sub.Hidden() && present(v.Get(sub.Name)) })
}

// present reports whether a value holds anything but "", [], {} and null.
func present(v *jsontree.Value) bool {
	switch {
	case v.Empty():
		return false
	case v.Kind == jsontree.String:
		return v.Text != ""
	case v.Kind == jsontree.Array, v.Kind == jsontree.Object:
		for i := range v.Items {
			if present(&v.Items[i]) {
				return true
			}
		}
		return false
	}
	return true
}

// one compares one value of the attribute.
func (n *node) one(v *jsontree.Value) bool {
	if n.sub != nil {
		v = v.Get(n.sub.Name)
		if v.Empty() {
			return n.op == opNe
		}
		if v.Kind == jsontree.Array {
			for i := range v.Items {
				if n.compare(&v.Items[i]) {
					return true
				}
			}
			return false
		}
	}
	return n.compare(v)
}

// compare compares a simple value. One of another type than the schema says
// equals nothing.
func (n *node) compare(v *jsontree.Value) bool {
	switch n.how {
	case asBool:
		return (v.Kind == n.lit.Kind) == (n.op == opEq)
	case asNumber:
		if v.Kind == jsontree.Number {
			if d, ok := parseDecimal(v.Text); ok {
				return n.op.holds(d.cmp(n.num))
			}
		}
	case asInstant:
		if v.Kind == jsontree.String {
			if t, ok := parseInstant(v.Text); ok {
				return n.op.holds(t.Compare(n.at))
			}
		}
	case asLink:
		if v.Kind == jsontree.String {
			return n.link(v.Text)
		}
	default:
		if v.Kind == jsontree.String {
			return n.textual(n.how.fold(v.Text))
		}
	}
	return n.op == opNe
}

// holds tells what an operator says of the outcome of a comparison.
func (o op) holds(c int) bool {
	switch o {
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opGt:
		return c > 0
	case opGe:
		return c >= 0
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	}
	return false
}

// textual compares folded text with the folded literal.
func (n *node) textual(s string) bool {
	switch n.op {
	case opCo:
		return strings.Contains(s, n.text)
	case opSw:
		return strings.HasPrefix(s, n.text)
	case opEw:
		return strings.HasSuffix(s, n.text)
	}
	return n.op.holds(strings.Compare(s, n.text))
}

// link compares a URL relative to the base, "Users/<id>", with a literal that
// may be absolute.
func (n *node) link(s string) bool {
	switch same := s == n.text || strings.HasSuffix(n.text, "/"+s); n.op {
	case opEq:
		return same
	case opNe:
		return !same
	}
	return n.textual(s)
}

// meta compares the attributes that usher keeps itself.
func (e *evaluation) meta(n *node) bool {
	if n.op == opElem {
		v := e.metaObject()
		return n.left.element(&v)
	}
	if n.how == asInstant {
		if e.f.typ.Made {
			return n.op == opNe
		}
		var t time.Time
		if n.sub.Lower == "created" {
			t = e.rec.CreatedAt()
		} else {
			t = e.rec.LastModified()
		}
		return n.op.holds(t.Compare(n.at))
	}
	v := e.metaObject()
	return n.attribute(&v)
}

// metaObject renders meta as far as it is known here.
func (e *evaluation) metaObject() jsontree.Value {
	const layout = "2006-01-02T15:04:05.000Z"
	v := jsontree.Obj(jsontree.Str(e.f.typ.Name).As("resourceType"))
	if !e.f.typ.Made {
		v.Set("created", jsontree.Str(e.rec.CreatedAt().Format(layout)))
		v.Set("lastModified", jsontree.Str(e.rec.LastModified().Format(layout)))
	}
	v.Set("location", jsontree.Str(strings.TrimPrefix(e.f.typ.Endpoint, "/")+"/"+e.rec.ID))
	if e.f.parser.Version != nil {
		v.Set("version", jsontree.Str(e.f.parser.Version(e.rec)))
	}
	return v
}

// groupsOf renders the direct memberships of a user.
func groupsOf(r *resources.Record) jsontree.Value {
	items := make([]jsontree.Value, len(r.Groups))
	for i, g := range r.Groups {
		items[i] = jsontree.Obj(
			jsontree.Str(g.ID).As("value"),
			jsontree.Str("Groups/"+g.ID).As("$ref"),
			jsontree.Str(g.Display).As("display"),
			jsontree.Str("direct").As("type"))
	}
	return jsontree.Arr(items...)
}

// membersOf renders the direct members of a group, without their names.
func membersOf(r *resources.Record) jsontree.Value {
	items := make([]jsontree.Value, len(r.Members))
	for i, id := range r.Members {
		kind, _ := resources.KindOf(id)
		items[i] = jsontree.Obj(
			jsontree.Str(id).As("value"),
			jsontree.Str(kind.String()+"s/"+id).As("$ref"),
			jsontree.Str(kind.String()).As("type"))
	}
	return jsontree.Arr(items...)
}
