package filter

import (
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// SortPlan turns sortBy into an index of the store, or, when there is none for
// the attribute, into the SortKey of a query: then index is
// resources.NoIndex. Of several values the primary one counts, else the first;
// a complex attribute means its "value". Errors: 400 invalidValue for names
// that the type does not have, and for attributes that cannot be sorted by:
// complex ones without a value, groups, members, and what is never returned.
func SortPlan(t *schema.Type, sortBy string, p *Parser) (index resources.Index, key func(*resources.Record) (string, bool), err error) {
	n, err := p.sortAttribute(t, sortBy)
	if err != nil {
		return resources.NoIndex, nil, err
	}
	switch n.src {
	case fromID:
		return resources.All(t.Kind), nil, nil
	case fromMeta:
		return p.sortByMeta(t, n)
	case fromCaller: // alike for all
		return resources.All(t.Kind), nil, nil
	case fromGroups, fromMembers:
		return resources.NoIndex, nil, aSortKey.fault("resources cannot be sorted by %s", quote(n.attr.Path()))
	}
	if n.attr.URN == t.Core.URN {
		switch {
		case t.Kind == resources.KindUser && n.how == asName:
			return resources.UserNameOrder, nil, nil
		case t.Kind == resources.KindUser && n.attr.Lower == "displayname" && n.how == asText:
			return resources.UserDisplayOrder, nil, nil
		case t.Kind == resources.KindGroup && n.attr.Lower == "displayname" && n.how == asText:
			return resources.GroupNameOrder, nil, nil
		}
	}
	f := &Filter{parser: p, typ: t}
	return resources.NoIndex, func(r *resources.Record) (string, bool) {
		e := evaluationOf(f, r)
		return n.sortKey(e.value(n))
	}, nil
}

// SortValue gives what a record is ordered by under sortBy, for merging lists of
// several types: the same order as [SortPlan] gives within one. Errors are its.
func SortValue(t *schema.Type, sortBy string, p *Parser) (func(*resources.Record) (string, bool), error) {
	n, err := p.sortAttribute(t, sortBy)
	if err != nil {
		return nil, err
	}
	f := &Filter{parser: p, typ: t}
	return func(r *resources.Record) (string, bool) {
		switch {
		case n.src == fromCaller:
			return "", true
		case n.src == fromID, n.src == fromMeta && n.sub.Lower == "location":
			return r.ID, true
		case n.src == fromMeta && n.sub.Lower == "created":
			return instantKey(r.CreatedAt()), true
		case n.src == fromMeta && n.sub.Lower == "lastmodified":
			return instantKey(r.LastModified()), true
		case n.src == fromMeta:
			return t.Name, true
		}
		e := evaluationOf(f, r)
		return n.sortKey(e.value(n))
	}, nil
}

// sortAttribute resolves and checks sortBy.
func (p *Parser) sortAttribute(t *schema.Type, sortBy string) (*node, error) {
	if len(sortBy) > maxPath {
		return nil, aSortKey.fault("it is longer than %d bytes", maxPath)
	}
	if err := aSortKey.checkUTF8(sortBy); err != nil {
		return nil, err
	}
	s := scanner{parser: p, typ: t, what: aSortKey, text: sortBy}
	name, err := s.word()
	if err != nil {
		return nil, err
	}
	if name == "" || s.pos != len(sortBy) {
		return nil, s.missing("one attribute name is expected")
	}
	n := &node{}
	if err := s.resolve(n, name, 0); err != nil {
		return nil, err
	}
	if n.target().Type == schema.TypeComplex {
		if n.sub = n.attr.Sub("value"); n.sub == nil {
			return nil, s.fail(0, "%s consists of sub-attributes; name one of them, such as %s",
				quote(n.attr.Path()), quote(n.attr.Subs[0].Path()))
		}
	}
	if err := s.readable(n, 0); err != nil {
		return nil, err
	}
	switch n.target().Type {
	case schema.TypeBoolean:
		n.how = asBool
	case schema.TypeInteger, schema.TypeDecimal:
		n.how = asNumber
	case schema.TypeDateTime:
		n.how = asInstant
	default:
		n.how = s.mannerOf(n)
	}
	return n, nil
}

// sortByMeta: location and the time of creation go with the id.
func (p *Parser) sortByMeta(t *schema.Type, n *node) (resources.Index, func(*resources.Record) (string, bool), error) {
	switch n.sub.Lower {
	case "lastmodified":
		if index := resources.Modified(t.Kind); index != resources.NoIndex {
			return index, nil, nil
		}
		return resources.NoIndex, func(r *resources.Record) (string, bool) {
			return instantKey(r.LastModified()), true
		}, nil
	case "version":
		return resources.NoIndex, nil, aSortKey.fault("resources cannot be sorted by meta.version")
	}
	return resources.All(t.Kind), nil, nil
}

// sortKey gives the text to sort by, which compares by bytes.
func (n *node) sortKey(v *jsontree.Value) (string, bool) {
	v = chosen(v)
	if n.sub != nil {
		v = chosen(v.Get(n.sub.Name))
	}
	if v.Empty() {
		return "", false
	}
	switch n.how {
	case asBool:
		return map[jsontree.Kind]string{jsontree.False: "0", jsontree.True: "1"}[v.Kind], v.IsBool()
	case asNumber:
		if d, ok := parseDecimal(v.Text); ok && v.Kind == jsontree.Number {
			return d.key(), true
		}
		return "", false
	case asInstant:
		if t, ok := parseInstant(v.Text); ok && v.Kind == jsontree.String {
			return instantKey(t), true
		}
		return "", false
	}
	if v.Kind != jsontree.String || v.Text == "" {
		return "", false
	}
	return n.how.fold(v.Text), true
}

// chosen gives the value that stands for an attribute in an order: of several
// the primary one, else the first.
func chosen(v *jsontree.Value) *jsontree.Value {
	if v == nil || v.Kind != jsontree.Array {
		return v
	}
	for i := range v.Items {
		if p := v.Items[i].Get("primary"); p != nil && p.Kind == jsontree.True {
			return &v.Items[i]
		}
	}
	if len(v.Items) == 0 {
		return nil
	}
	return &v.Items[0]
}
