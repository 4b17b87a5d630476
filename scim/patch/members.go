package patch

import (
	"slices"

	scimerrors "github.com/elimity-com/scim/errors"
	grammar "github.com/scim2/filter-parser/v2"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

// MemberEdit is what a request does to a group's membership, all operations
// folded into one. From a present membership M the new one is made like this:
//
//	if Replace: M is emptied
//	every member of M that Drops is true for goes
//	the ids in Remove go
//	the ids in Add come, each once
//
// Add and Remove have no id in common. No member has to be read unless
// RemoveWhere is set.
type MemberEdit struct {
	Replace     bool             // the present members go, all of them
	Add, Remove []string         // ids, in the order the request names them first
	RemoveWhere []*filter.Filter // value filters over members, nil if Replace
}

// Empty reports whether the request says nothing about members.
func (m *MemberEdit) Empty() bool {
	return !m.Replace && len(m.Add) == 0 && len(m.Remove) == 0 && len(m.RemoveWhere) == 0
}

// Drops reports whether a value filter of the request removes a present member
// with this id. Ids in Add stay whatever it says.
func (m *MemberEdit) Drops(id string) bool {
	for _, f := range m.RemoveWhere {
		if matchesMember(f, id) {
			return true
		}
	}
	return false
}

// matchesMember applies a value filter to a member. All a filter may ask for
// is in the id.
func matchesMember(f *filter.Filter, id string) bool {
	kind, ok := resources.KindOf(id)
	if !ok {
		return false
	}
	el := jsontree.Obj(
		jsontree.Str(id).As("value"),
		jsontree.Str(kind.String()+"s/"+id).As("$ref"),
		jsontree.Str(kind.String()).As("type"),
	)
	return f.MatchElement(&el)
}

// Members is the net effect of the request on the group's membership. The
// slices are shared; the caller leaves them as they are.
func (p *Patch) Members() MemberEdit { return p.members }

// MembersOnly reports that no operation touches the document, so that it need
// not be read: all are about members, or about nothing that is stored.
func (p *Patch) MembersOnly() bool { return len(p.edits) == 0 }

// memberFold follows the operations on members in order.
type memberFold struct {
	replace bool
	in      map[string]bool // what the request last said of an id: member or not
	order   []string        // the keys of in, in order
	where   []*filter.Filter
}

func (f *memberFold) set(ids []string, in bool) {
	if f.in == nil {
		f.in = make(map[string]bool, len(ids))
	}
	f.order = slices.Grow(f.order, len(ids))
	for _, id := range ids {
		if _, known := f.in[id]; !known {
			f.order = append(f.order, id)
		}
		f.in[id] = in
	}
}

// reset forgets everything before: the list is replaced.
func (f *memberFold) reset(ids []string) {
	*f = memberFold{replace: true}
	f.set(ids, true)
}

// removeWhere takes out who matches: of the ids added so far now, of the
// present members later.
func (f *memberFold) removeWhere(w *filter.Filter) {
	for id, in := range f.in {
		if in && matchesMember(w, id) {
			f.in[id] = false
		}
	}
	if !f.replace {
		f.where = append(f.where, w)
	}
}

func (f *memberFold) edit() MemberEdit {
	m := MemberEdit{Replace: f.replace, RemoveWhere: f.where}
	for _, id := range f.order {
		switch {
		case f.in[id]:
			m.Add = append(m.Add, id)
		case !f.replace:
			m.Remove = append(m.Remove, id)
		}
	}
	return m
}

// memberEdit folds one operation on members.
func (p *parsing) memberEdit(e *edit, value *jsontree.Value) error {
	if e.path.Sub != nil {
		return e.refuse(scimerrors.ScimTypeMutability,
			"members are added and removed, not edited; send add or remove with the path members (R-38)")
	}
	if e.path.Filter != nil {
		return p.membersWhere(e, value)
	}
	if value == nil && e.op != opRemove {
		return e.missing()
	}
	if e.op == opRemove && (value == nil || value.Kind == jsontree.Null) {
		p.fold.reset(nil)
		return nil
	}
	read := schema.MemberIDs
	if e.op == opRemove {
		read = schema.LeavingIDs
	}
	ids, err := read(value)
	if err != nil {
		return e.wrap(err)
	}
	switch e.op {
	case opAdd:
		p.fold.set(ids, true)
	case opRemove:
		p.fold.set(ids, false) // L-6
	default:
		p.fold.reset(ids) // R-102, OKT-13, OKT-14
	}
	return nil
}

// membersWhere folds an operation on the members a filter selects.
func (p *parsing) membersWhere(e *edit, value *jsontree.Value) error {
	if e.op != opRemove {
		if value == nil {
			return e.missing()
		}
		if e.op == opAdd || !value.Empty() {
			return e.refuse(scimerrors.ScimTypeMutability,
				"members are added and removed, not edited; send add or remove with the path members (R-38)")
		}
	}
	if ids, plain := namedIDs(e.path.Filter); plain {
		p.fold.set(ids, false)
		return nil
	}
	p.fold.removeWhere(e.path.Filter)
	return nil
}

// namedIDs lists the ids of a filter that is nothing but value eq "id", joined
// by or. An id that is none of a user or group can be nobody's and is left out.
func namedIDs(f *filter.Filter) (ids []string, plain bool) {
	var visit func(e grammar.Expression) bool
	visit = func(e grammar.Expression) bool {
		switch x := e.(type) {
		case *grammar.LogicalExpression:
			return x.Operator == grammar.OR && visit(x.Left) && visit(x.Right)
		case *grammar.AttributeExpression:
			name := x.AttributePath.AttributeName
			if sub := x.AttributePath.SubAttributeName(); sub != "" {
				name = sub
			}
			id, isText := x.CompareValue.(string)
			if x.Operator != grammar.EQ || !isText || !jsontree.EqualName(name, "value") {
				return false
			}
			if kind, ok := resources.KindOf(id); ok && (kind == resources.KindUser || kind == resources.KindGroup) {
				ids = append(ids, id)
			}
			return true
		}
		return false
	}
	plain = visit(f.Expression())
	return ids, plain
}
