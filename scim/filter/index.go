package filter

import (
	"math"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// leafCond finds a condition for one comparison; nil when no index helps.
// exact tells that the condition holds for no other records.
func (f *Filter) leafCond(n *node, sub *schema.Attr) (cond *resources.Cond, exact bool) {
	value := sub == nil || sub.Lower == "value"
	switch n.src {
	case fromID:
		return f.idCond(n)
	case fromMeta:
		return f.metaCond(n)
	case fromGroups: // ids are lower case: folded or not, equal is equal
		if n.op == opEq && value && n.how != asPresence {
			return &resources.Cond{Op: resources.CondMembersOf, Value: n.text}, true
		}
	case fromMembers:
		if n.op == opEq && value && n.how != asPresence {
			return &resources.Cond{Op: resources.CondGroupsOf, Value: n.text}, true
		}
	case fromDocument:
		switch {
		case f.typ.Kind == resources.KindCustom:
			return f.declaredCond(n, sub)
		case n.how != asPresence:
			return f.documentCond(n, value)
		}
	case fromExtension:
		return f.declaredCond(n, sub)
	}
	return nil, false
}

func (f *Filter) idCond(n *node) (*resources.Cond, bool) {
	switch {
	case n.op == opPr, n.op == opNe && n.isNull():
		return f.every(), true
	case n.op == opEq && n.isNull():
		return nothing(), true
	case n.op == opEq:
		return &resources.Cond{Op: resources.CondIDs, IDs: []string{n.text}}, n.how == asExact
	}
	return nil, false
}

// metaCond answers times from the indexes by time of change and by id.
func (f *Filter) metaCond(n *node) (*resources.Cond, bool) {
	if n.sub == nil {
		if n.op == opPr {
			return f.every(), true
		}
		return nil, false
	}
	switch {
	case n.how == asPresence:
		return nil, false
	case n.sub.Lower == "lastmodified":
		return f.modifiedCond(n)
	case n.sub.Lower == "created":
		return f.createdCond(n)
	case n.sub.Lower == "resourcetype":
		if n.textual(n.how.fold(f.typ.Name)) {
			return f.every(), true
		}
		return nothing(), true
	}
	return nil, false
}

// millis is the range of whole milliseconds, both ends included, in which a
// time compares with the literal as the operator says; the literal may be
// finer than a millisecond. ok is false for ne.
func millis(o op, t time.Time) (from, to int64, ok bool) {
	from, to = math.MinInt64, math.MaxInt64
	floor := t.UnixMilli()
	whole := t.Equal(time.UnixMilli(floor))
	ceil := floor
	if !whole {
		ceil++
	}
	switch o {
	case opEq:
		from, to = ceil, floor // empty when the literal is finer
	case opGt:
		from = floor + 1
	case opGe:
		from = ceil
	case opLt:
		to = ceil - 1
	case opLe:
		to = floor
	default:
		return 0, 0, false
	}
	return from, to, true
}

// modifiedCond: the indexes by time of last change hold just what
// meta.lastModified shows, for groups with the changes of the membership.
func (f *Filter) modifiedCond(n *node) (*resources.Cond, bool) {
	index := resources.Modified(f.typ.Kind)
	from, to, ok := millis(n.op, n.at)
	if !ok || index == resources.NoIndex {
		return nil, false
	}
	if from > to {
		return nothing(), true
	}
	return &resources.Cond{Op: resources.CondRange, Index: index, From: from, To: to}, true
}

// createdCond: ids begin with the time of creation, to the millisecond.
func (f *Filter) createdCond(n *node) (*resources.Cond, bool) {
	from, to, ok := millis(n.op, n.at)
	if !ok {
		return nil, false
	}
	if from > to {
		return nothing(), true
	}
	c := &resources.Cond{Op: resources.CondRange, Index: resources.All(f.typ.Kind)}
	if from != math.MinInt64 {
		c.FromID = resources.FirstIDAt(time.UnixMilli(from))
	}
	if to != math.MaxInt64 {
		c.ToID = resources.FirstIDAt(time.UnixMilli(to + 1))
	}
	return c, true
}

// documentCond answers the attributes of the profile that have an index.
func (f *Filter) documentCond(n *node, value bool) (*resources.Cond, bool) {
	none := resources.NoIndex
	switch {
	case n.attr.Lower == "externalid" && n.attr.URN == "":
		if f.typ.Kind == resources.KindGroup {
			return textCond(n, resources.GroupExternalID, none)
		}
		if f.typ.Kind == resources.KindUser {
			return textCond(n, resources.UserExternalID, none)
		}
	case n.attr.URN != f.typ.Core.URN:
	case f.typ.Kind == resources.KindUser:
		switch n.attr.Lower {
		case "username":
			return textCond(n, resources.UserName, resources.UserNameOrder)
		case "displayname":
			return textCond(n, resources.UserDisplayOrder, resources.UserDisplayOrder)
		case "emails":
			if value {
				return textCond(n, resources.UserEmail, none)
			}
		case "active":
			if n.op == opEq && n.lit.Kind == jsontree.False {
				return &resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}, true
			}
		}
	case f.typ.Kind == resources.KindGroup && n.attr.Lower == "displayname":
		return textCond(n, resources.GroupName, resources.GroupNameOrder)
	}
	return nil, false
}

// keyRoom is how long a folded value may be to stand in an index uncut.
const keyRoom = 11 * resources.MaxName

// textCond asks one index for equality and another for order, prefix and
// contents. An index may fold more than the attribute does and writes control
// characters as spaces: then it finds too much and the record decides.
func textCond(n *node, equal, ordered resources.Index) (*resources.Cond, bool) {
	if n.lit.Text == "" {
		return nil, false // empty values stand in no index
	}
	c := resources.Cond{Op: resources.CondIs, Index: equal}
	switch n.op {
	case opEq:
	case opSw:
		c.Op, c.Index = resources.CondPrefix, ordered
	case opCo:
		c.Op, c.Index = resources.CondContains, ordered
	default:
		return nil, false
	}
	if c.Index == resources.NoIndex {
		return nil, false
	}
	folds := mannerOfIndex(c.Index)
	alike := folds == n.how
	if !alike && (folds == asExact || n.op != opEq) {
		return nil, false
	}
	c.Value = c.Index.Key(n.lit.Text)
	if !alike {
		return &c, false
	}
	if len(n.text) > keyRoom && n.op != opEq {
		return nil, false
	}
	return &c, c.Value == n.text && strings.IndexByte(c.Value, ' ') < 0
}

// mannerOfIndex says how the entries of an index are folded.
func mannerOfIndex(i resources.Index) manner {
	switch i {
	case resources.UserName, resources.UserNameOrder:
		return asName
	case resources.UserEmail, resources.UserDisplayOrder, resources.GroupName, resources.GroupNameOrder:
		return asText
	}
	return asExact
}
