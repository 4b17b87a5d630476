package scim

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

const searchURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// sortedReach is how far into a sorted list over all types a page may reach:
// that many resources of every type are held in memory, whole, to merge them.
const sortedReach = 2 * maxCount

// params reads what is asked of a list: from the query of a GET, from the body
// of a POST to .search.
func (c *call) params() (params, error) {
	if c.r.Method != http.MethodPost {
		return parseParams(c.r.URL.RawQuery)
	}
	doc, err := c.document()
	if err != nil {
		return params{}, err
	}
	return searchParams(&doc)
}

// searchParams reads a SearchRequest. What it does not know is ignored, as in a
// query; null is as good as nothing.
func searchParams(doc *jsontree.Value) (p params, err error) {
	if !names(doc.Get("schemas"), searchURN) {
		return p, invalid(scimerrors.ScimTypeInvalidSyntax, "schemas: a search names %q; add it to the array schemas.", searchURN)
	}
	for i := range doc.Items {
		m := &doc.Items[i]
		to, name := p.slot(m.Name)
		if to == nil || m.Kind == jsontree.Null {
			continue
		}
		kind := jsontree.String
		switch to {
		case &p.attributes, &p.excludedAttributes:
			if m.Kind == jsontree.Array {
				if to.text, err = listed(m, name); err != nil {
					return p, err
				}
				to.has = true
				continue
			}
		case &p.startIndex, &p.count:
			kind = jsontree.Number
		}
		if m.Kind != kind && m.Kind != jsontree.String {
			return p, invalid(scimerrors.ScimTypeInvalidValue, "%s has a value of the wrong type; see RFC 7644 section 3.4.3.", name)
		}
		*to = param{text: m.Text, has: true}
	}
	return p, nil
}

// listed writes an array of names as a query would.
func listed(v *jsontree.Value, name string) (string, error) {
	list := make([]string, 0, len(v.Items))
	for i := range v.Items {
		if v.Items[i].Kind != jsontree.String {
			return "", invalid(scimerrors.ScimTypeInvalidValue, "%s must be an array of strings.", name)
		}
		list = append(list, v.Items[i].Text)
	}
	return strings.Join(list, ","), nil
}

// share is what one type adds to a list over all.
type share struct {
	view view
	q    resources.Query
	key  func(*resources.Record) (string, bool) // what it is sorted by; nil: this type has no such attribute
}

// found is one resource of such a list.
type found struct {
	from *share
	rec  *resources.Record
	key  string
	has  bool
}

// listAll answers the query at the root and POST /.search: the resources of all
// types, one type after the other, or merged by sortBy. A type that the
// token may not read is left out.
func (c *call) listAll(ctx context.Context) error {
	p, err := c.params()
	if err != nil {
		return err
	}
	if p.cursor.has {
		return c.walkAll(ctx, &p)
	}
	start, err := p.startIndex.integer("startIndex", 1)
	if err != nil {
		return err
	}
	count, err := p.count.integer("count", defaultCount)
	if err != nil {
		return err
	}
	start, count = max(start, 1), min(max(count, 0), maxCount)
	shares, err := c.shares(&p)
	if err != nil {
		return err
	}
	find := c.inTurn
	if p.sortBy.text != "" {
		find = c.merged
	}
	list, total, err := find(ctx, shares, start-1, count)
	if err != nil {
		return err
	}
	return c.showAll(ctx, list, func(dst []byte) []byte {
		return appendListHead(dst, total, start, len(list))
	})
}

// shares asks every type the same question.
func (c *call) shares(p *params) ([]*share, error) {
	types := slices.DeleteFunc(slices.Clone(c.world.registry.Types), func(t *schema.Type) bool { return t.Made })
	options := filterOptions(&c.caller)
	options.Others = types
	out := make([]*share, len(types))
	known := false
	var unknown error
	for i, t := range types {
		only, err := c.projection(t, p)
		if err != nil {
			return nil, err
		}
		sh := &share{view: view{base: c.base(), caller: &c.caller, typ: t, only: only}}
		if p.filter.has {
			f, err := c.filters.Parse(t, p.filter.text, options)
			if err != nil {
				return nil, err
			}
			sh.q = f.Plan()
		}
		if sh.q.Kind = t.Kind; sh.q.Where == nil {
			sh.q.Where = filter.Everything(t).Where
		}
		sh.q.NoGroups = t.Kind != resources.KindUser || (only.noGroups && only.noMeta)
		if err := c.sortShare(sh, t, p); err != nil {
			unknown = err
		} else {
			known = true
		}
		out[i] = sh
	}
	if !known {
		return nil, unknown
	}
	return out, nil
}

// sortShare orders one type. An error says that sortBy means nothing to it.
func (c *call) sortShare(sh *share, t *schema.Type, p *params) (err error) {
	if err := c.order(t, &params{sortOrder: p.sortOrder}, &sh.q); err != nil {
		return err
	}
	sh.q.Descending = strings.EqualFold(p.sortOrder.text, "descending") && p.sortBy.text != ""
	if p.sortBy.text == "" {
		return nil
	}
	if err := c.order(t, p, &sh.q); err != nil {
		return err
	}
	sh.key, err = filter.SortValue(t, p.sortBy.text, c.filters)
	return err
}

// inTurn reads a page of one type after the other.
func (c *call) inTurn(ctx context.Context, shares []*share, offset, limit int) (list []found, total int, err error) {
	err = c.each(ctx, shares, func(sh *share) bool {
		sh.q.Offset, sh.q.Limit = max(offset-total, 0), limit-len(list)
		return true // the total is wanted of all
	}, func(sh *share, page *resources.Page) {
		total += page.Total
		for _, rec := range page.Records {
			list = append(list, found{from: sh, rec: rec})
		}
	})
	return list, total, err
}

// merged reads what may stand on the page of every type and merges it. What has
// no value comes last, or first when descending.
func (c *call) merged(ctx context.Context, shares []*share, offset, limit int) (list []found, total int, err error) {
	if offset+limit > sortedReach {
		return nil, 0, &resources.Error{Code: resources.CodeTooMany, Field: "startIndex", Detail: "A sorted list over all types reaches its first " + itoa(sortedReach) + " resources only; ask one type, leave out sortBy, or filter more narrowly."}
	}
	err = c.each(ctx, shares, func(sh *share) bool {
		sh.q.Limit = offset + limit
		return true
	}, func(sh *share, page *resources.Page) {
		total += page.Total
		for _, rec := range page.Records {
			one := found{from: sh, rec: rec}
			if sh.key != nil {
				one.key, one.has = sh.key(rec)
			}
			list = append(list, one)
		}
	})
	if err != nil {
		return nil, 0, err
	}
	sign := 1
	if shares[0].q.Descending {
		sign = -1
	}
	slices.SortStableFunc(list, func(a, b found) int {
		if a.has != b.has {
			if a.has {
				return -sign
			}
			return sign
		}
		return sign * cmp.Compare(a.key, b.key)
	})
	list = list[min(offset, len(list)):]
	return list[:min(limit, len(list))], total, nil
}

// each asks the types in turn, until ask says that there is nothing more to ask.
// Those that the token may not read are left out, unless it may read none.
func (c *call) each(ctx context.Context, shares []*share, ask func(*share) bool, take func(*share, *resources.Page)) error {
	readable := false
	var forbidden error
	for _, sh := range shares {
		if !ask(sh) {
			break
		}
		page, err := c.dir.Find(ctx, c.caller, sh.q)
		if resources.HasCode(err, resources.CodeForbidden) {
			forbidden = err
			continue
		}
		if err != nil {
			return err
		}
		readable = true
		take(sh, &page)
	}
	if !readable {
		return forbidden
	}
	return nil
}
