package filter

import (
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// All declared types share one kind of record. Whatever is asked about one of
// them is narrowed down to it here, and nowhere else.

// Everything is the question for all resources of a type.
func Everything(t *schema.Type) resources.Query {
	q := resources.Query{Kind: t.Kind}
	if t.Kind == resources.KindCustom {
		q.Where = resources.OfType(t.Name)
	}
	return q
}

// narrowed is split for the records of the filter's own type.
func (f *Filter) narrowed() (*resources.Cond, *node) {
	where, rest := f.split()
	own := Everything(f.typ).Where
	switch {
	case own == nil || tellsType(where):
		return where, rest
	case where == nil:
		return own, rest
	case rest != nil: // the store may ask either of the two, see split
		rest = f.root
	}
	return both(own, where), rest
}

// tellsType reports whether a condition holds for resources of one declared
// type only: entries of declared attributes begin with the type's name.
func tellsType(c *resources.Cond) bool {
	if c == nil {
		return false
	}
	switch c.Op {
	case resources.CondIs, resources.CondPrefix:
		return c.Index == resources.CustomOfType || c.Index == resources.CustomKey || c.Index == resources.CustomAttr
	case resources.CondAnd:
		for i := range c.Subs {
			if tellsType(&c.Subs[i]) {
				return true
			}
		}
		return false
	case resources.CondOr:
		for i := range c.Subs {
			if !tellsType(&c.Subs[i]) {
				return false
			}
		}
		return true
	}
	return c.Op == resources.CondIDs && len(c.IDs) == 0
}

// ofType makes a match refuse records of another declared type.
func ofType(t *schema.Type, match func(*resources.Record) bool) func(*resources.Record) bool {
	if t.Kind != resources.KindCustom {
		return match
	}
	return func(r *resources.Record) bool {
		return jsontree.EqualName(resources.CustomType(r), t.Name) && match(r)
	}
}

// declaredCond answers what is asked of declared attributes, and of externalId
// of declared types: equality from the index of unique values or the one of
// all texts, prefixes from the latter.
func (f *Filter) declaredCond(n *node, sub *schema.Attr) (*resources.Cond, bool) {
	a := n.attr
	if sub != nil {
		a = sub
	}
	unique, listed, path := a.Unique, a.Listed, a.Key
	if n.attr.URN == "" && n.attr.Lower == "externalid" && f.typ.Kind == resources.KindCustom {
		listed, path = true, resources.ExternalIDPath
	}
	if n.how == asBool && listed {
		return f.flagCond(n, a)
	}
	if n.how != asExact && n.how != asText || n.lit.Text == "" {
		return nil, false // no text, or one that stands in no index
	}
	if a.Own && !resources.FactListed(path, n.lit.Text, n.op != opEq) {
		return nil, false // too many have it to be in one
	}
	c := resources.Cond{Op: resources.CondIs}
	key, attr := declaredIndexes(f.typ.Kind)
	switch {
	case n.op == opEq && unique:
		c.Index = key
	case n.op == opEq && listed:
		c.Index = attr
	case n.op == opSw && listed && len(n.text) <= keyRoom:
		c.Op, c.Index = resources.CondPrefix, attr
	default:
		return nil, false
	}
	c.Value = resources.AttrKey(f.typ.Name, path, resources.Folded(n.text))
	// Control characters stand in an index as spaces, and long values are cut.
	return &c, strings.HasSuffix(c.Value, n.text) && strings.IndexByte(n.text, ' ') < 0
}

// flagCond answers what is asked of a boolean of usher's extensions.
func (f *Filter) flagCond(n *node, a *schema.Attr) (*resources.Cond, bool) {
	value := "false"
	if n.lit.Kind == jsontree.True {
		value = "true"
	}
	if n.op != opEq || !a.Own || !resources.FactListed(a.Key, value, false) {
		return nil, false
	}
	_, attr := declaredIndexes(f.typ.Kind)
	return &resources.Cond{Op: resources.CondIs, Index: attr, Value: resources.AttrKey(f.typ.Name, a.Key, resources.Folded(value))}, true
}

func declaredIndexes(k resources.Kind) (unique, listed resources.Index) {
	switch k {
	case resources.KindUser:
		return resources.UserKey, resources.UserAttr
	case resources.KindGroup:
		return resources.GroupKey, resources.GroupAttr
	}
	return resources.CustomKey, resources.CustomAttr
}
