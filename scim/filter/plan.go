package filter

import (
	"slices"

	"github.com/usher-scim/usher/resources"
)

// Plan turns the filter into the question for the store. Where holds what
// indexes can answer, Match is set when they cannot decide alone, and then
// looks only at what they left open: `members eq "x" and userName co "y"` does
// not load any membership. The caller adds order and page.
func (f *Filter) Plan() resources.Query {
	q := resources.Query{Kind: f.typ.Kind}
	where, rest := f.narrowed()
	q.Where = where
	if rest == nil {
		return q
	}
	left := &Filter{parser: f.parser, typ: f.typ, root: rest}
	q.Match = ofType(f.typ, left.Match)
	q.Needle = f.needle(rest)
	rest.walk(func(n *node) {
		if n.attr == nil {
			return
		}
		switch n.src {
		case fromGroups:
			q.WithGroups = true
		case fromMembers:
			q.WithMembers = true
		case fromMeta: // the version covers the groups of a user
			q.WithGroups = q.WithGroups || n.sub != nil && n.sub.Lower == "version"
		}
	})
	return q
}

// split is plan for the whole filter, with what the store does taken into
// account: when Match decides, it may ask any one term of an AND and leave out
// the others, so Match has to decide those too. Only whom a group has as a
// member is too dear to decide on the record, and few groups have one member:
// that term is then asked alone.
func (f *Filter) split() (*resources.Cond, *node) {
	where, rest := f.plan(f.root)
	if rest == nil || !conjunction(where) {
		return where, rest
	}
	var groups *resources.Cond
	var others *node
	for _, term := range terms(f.root, nil) {
		if c, left := f.plan(term); groups == nil && left == nil && c.Op == resources.CondGroupsOf {
			groups = c
			continue
		}
		others = all(others, term)
	}
	if groups != nil {
		return groups, others
	}
	return where, f.root
}

// terms appends what the outermost ands join.
func terms(n *node, to []*node) []*node {
	if n.op != opAnd {
		return append(to, n)
	}
	return terms(n.right, terms(n.left, to))
}

// plan splits a node into a condition for indexes, or nil, and what remains to
// be decided on each record, or nil. The node is true exactly when both are.
func (f *Filter) plan(n *node) (*resources.Cond, *node) {
	switch n.op {
	case opAnd:
		left, leftRest := f.plan(n.left)
		right, rightRest := f.plan(n.right)
		return both(left, right), all(leftRest, rightRest)
	case opOr:
		left, leftRest := f.plan(n.left)
		right, rightRest := f.plan(n.right)
		switch {
		case left == nil || right == nil:
			return nil, n
		case leftRest == nil && rightRest == nil:
			return either(left, right), nil
		}
		return either(left, right), n
	case opNot:
		return nil, n
	}
	if n.src == nowhere || n.src == fromCaller {
		if n.op != opElem && n.attribute(n.ofCaller()) {
			return f.every(), nil
		}
		return nothing(), nil
	}
	var cond *resources.Cond
	var exact bool
	if n.op == opElem {
		cond, exact = f.elementCond(n.left)
	} else {
		cond, exact = f.leafCond(n, n.sub)
	}
	if cond != nil && exact {
		return cond, nil
	}
	return cond, n
}

// conjunction reports whether a condition holds an AND at any depth.
func conjunction(c *resources.Cond) bool {
	if c == nil || c.Op != resources.CondOr {
		return c != nil && c.Op == resources.CondAnd
	}
	for i := range c.Subs {
		if conjunction(&c.Subs[i]) {
			return true
		}
	}
	return false
}

// all joins what remains of two sides.
func all(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return &node{op: opAnd, left: a, right: b}
}

// elementCond finds a condition for brackets. It is exact only when the
// brackets hold a single comparison: an index knows the values of an attribute,
// not which of them stand together.
func (f *Filter) elementCond(inner *node) (cond *resources.Cond, exact bool) {
	switch inner.op {
	case opAnd:
		left, _ := f.elementCond(inner.left)
		right, _ := f.elementCond(inner.right)
		return both(left, right), false
	case opOr:
		left, leftExact := f.elementCond(inner.left)
		right, rightExact := f.elementCond(inner.right)
		if left == nil || right == nil {
			return nil, false
		}
		return either(left, right), leftExact && rightExact
	case opNot:
		return nil, false
	}
	if inner.op == opNe || inner.isNull() {
		return nil, false // of one value: tells nothing about the record
	}
	return f.leafCond(inner, inner.sub)
}

// both is the condition that a and b hold, where nil is not known.
func both(a, b *resources.Cond) *resources.Cond {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	subs := append(members(resources.CondAnd, a), members(resources.CondAnd, b)...)
	out := subs[:0]
	for _, s := range subs {
		if i := sameRange(out, s); i >= 0 {
			out[i].From, out[i].To = max(out[i].From, s.From), min(out[i].To, s.To)
			continue
		}
		out = append(out, s)
	}
	if len(out) == 1 {
		return &out[0]
	}
	return &resources.Cond{Op: resources.CondAnd, Subs: out}
}

// sameRange finds a range of times over the same index as s.
func sameRange(list []resources.Cond, s resources.Cond) int {
	if s.Op != resources.CondRange || s.Index.Shape() != resources.Time {
		return -1
	}
	for i := range list {
		if list[i].Op == resources.CondRange && list[i].Index == s.Index {
			return i
		}
	}
	return -1
}

// either is the condition that a or b holds.
func either(a, b *resources.Cond) *resources.Cond {
	subs := append(members(resources.CondOr, a), members(resources.CondOr, b)...)
	out := subs[:0]
	ids := -1
	for _, s := range subs {
		if s.Op == resources.CondIDs {
			if ids >= 0 {
				out[ids].IDs = append(slices.Clip(out[ids].IDs), s.IDs...)
				continue
			}
			ids = len(out)
		}
		out = append(out, s)
	}
	if len(out) == 1 {
		return &out[0]
	}
	return &resources.Cond{Op: resources.CondOr, Subs: out}
}

// members are the parts of a condition that is a list of the given kind, or
// the condition itself. The result is the caller's.
func members(op resources.CondOp, c *resources.Cond) []resources.Cond {
	if c.Op == op {
		return append([]resources.Cond(nil), c.Subs...)
	}
	return []resources.Cond{*c}
}

// nothing is the condition no record meets.
func nothing() *resources.Cond { return &resources.Cond{Op: resources.CondIDs} }

// every is the condition that every record meets.
func (f *Filter) every() *resources.Cond {
	if q := Everything(f.typ); q.Where != nil {
		return q.Where
	}
	return &resources.Cond{Op: resources.CondIn, Index: resources.All(f.typ.Kind)}
}
