package scim

import (
	"net/url"
	"slices"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

const (
	defaultCount = 100
	maxCount     = 200 // filter.maxResults (security S15)
)

// params are the query parameters of SCIM (RFC 7644 §3.4.2). has tells a
// parameter that is there and empty from one that is not there.
type params struct {
	filter, sortBy, sortOrder, startIndex, count param
	attributes, excludedAttributes, cursor       param
}

type param struct {
	text string
	has  bool
}

// slot finds the place for a parameter, in any case, so that a wrong spelling
// never turns a filtered list into a full one; nil for unknown ones, which are
// ignored (R-60, L-29).
func (p *params) slot(name string) (*param, string) {
	for _, known := range [...]struct {
		name string
		to   *param
	}{
		{"filter", &p.filter},
		{"startIndex", &p.startIndex},
		{"count", &p.count},
		{"attributes", &p.attributes},
		{"excludedAttributes", &p.excludedAttributes},
		{"sortBy", &p.sortBy},
		{"sortOrder", &p.sortOrder},
		{"cursor", &p.cursor},
	} {
		if jsontree.EqualName(known.name, name) {
			return known.to, known.name
		}
	}
	return nil, ""
}

// parseParams takes a query string apart. Only & separates: a semicolon may
// stand in a filter. A parameter that comes twice says two things at once and
// is refused.
func parseParams(raw string) (p params, err error) {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(key)
		value, valueErr := url.QueryUnescape(value)
		if keyErr != nil || valueErr != nil {
			return p, invalid(scimerrors.ScimTypeInvalidValue, "The query string holds a percent sign that is not followed by two hexadecimal digits; encode it as %%25.")
		}
		to, name := p.slot(key)
		if to == nil {
			continue
		}
		if to.has {
			return p, invalid(scimerrors.ScimTypeInvalidValue, "%s: the parameter is there more than once; send it once, lists with commas.", name)
		}
		*to = param{text: value, has: true}
	}
	return p, nil
}

// integer reads a whole number; numbers too large for a machine are only that.
func (p param) integer(name string, otherwise int) (int, error) {
	if !p.has {
		return otherwise, nil
	}
	const most = 1 << 31
	digits := strings.TrimPrefix(p.text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, invalid(scimerrors.ScimTypeInvalidValue, "%s must be a whole number.", name)
	}
	n := 0
	for _, d := range digits {
		n = min(n*10+int(d-'0'), most)
	}
	if len(digits) < len(p.text) {
		n = -n
	}
	return n, nil
}

// projection says which attributes an answer shows (R-77…R-79).
type projection struct {
	list      *filter.Projection
	named     bool // the client sent attributes: PATCH must answer 200
	deep      bool // the stored bytes must be decoded to leave things out
	noGroups  bool
	noMembers bool
	noMeta    bool
	counts    bool // of group licensing, which must be asked for
	member    memberParts
}

// memberParts are the sub-attributes of members that are left out, and whether
// display is shown, which must be asked for.
type memberParts struct{ noValue, noRef, noType, display bool }

func (s *Server) projection(t *schema.Type, p *params) (projection, error) {
	if p.attributes.text == "" && p.excludedAttributes.text == "" {
		return projection{}, nil
	}
	list, err := s.filters.Projection(t, []string{p.attributes.text}, []string{p.excludedAttributes.text})
	if err != nil || list.All() {
		return projection{}, err
	}
	out := projection{
		list: list, named: p.attributes.text != "",
		noGroups: !list.Wants("groups"), noMembers: !list.Wants("members"), noMeta: !list.Wants("meta"),
	}
	out.deep = out.named || !besideOnly(t, p.excludedAttributes.text)
	if t.Kind == resources.KindGroup && out.named {
		out.counts = counted(t, list)
	}
	if t.Kind == resources.KindGroup && !out.noMembers && out.deep {
		out.member = probeMember(list)
	}
	return out, nil
}

// counted reports whether a projection shows anything that is counted when it
// is asked for.
func counted(t *schema.Type, list *filter.Projection) bool {
	x := t.Extension(resources.LicenceGroupURN)
	return x != nil && slices.ContainsFunc(x.Attrs, func(a *schema.Attr) bool { return a.Counted && list.Shows(a) })
}

// besideOnly reports whether a list names nothing but attributes that are not
// stored with the document, so that leaving them out needs no decoding. A
// declared attribute may have such a name and be stored.
func besideOnly(t *schema.Type, list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		a := t.Attr("", name)
		switch {
		case a == nil:
			if strings.ContainsAny(name, ":.") {
				return false
			}
		case a.URN == "" && a.Lower == "meta":
		case a.URN == t.Core.URN && t.Kind == resources.KindUser && a.Lower == "groups":
		case a.URN == t.Core.URN && t.Kind == resources.KindGroup && a.Lower == "members":
		default:
			return false
		}
	}
	return true
}

// probeMember asks the projection what it leaves of a member.
func probeMember(list *filter.Projection) memberParts {
	x := jsontree.Str("x")
	doc := jsontree.Obj(jsontree.Arr(jsontree.Obj(x.As("value"), x.As("$ref"), x.As("type"), x.As("display"))).As("members"))
	list.Apply(&doc)
	var left *jsontree.Value
	if m := doc.Get("members"); m != nil && len(m.Items) > 0 {
		left = &m.Items[0]
	}
	return memberParts{
		noValue: left.Get("value") == nil, noRef: left.Get("$ref") == nil,
		noType: left.Get("type") == nil, display: left.Get("display") != nil,
	}
}

// view reads the parameters that say how a resource is shown.
func (c *call) view() (*view, error) {
	p, err := parseParams(c.r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	only, err := c.projection(c.typ(), &p)
	return &view{base: c.base(), caller: &c.caller, typ: c.typ(), only: only}, err
}

func (c *call) typ() *schema.Type { return c.route.typ }

// query turns the parameters of a list into a question for the Directory.
func (s *Server) query(t *schema.Type, c *resources.Caller, p *params, only *projection) (q resources.Query, start int, err error) {
	q.Kind = t.Kind
	count := 0
	if !p.cursor.has { // else see cursor.go
		if start, err = p.startIndex.integer("startIndex", 1); err != nil {
			return q, 0, err
		}
		if count, err = p.count.integer("count", defaultCount); err != nil {
			return q, 0, err
		}
	}
	if p.filter.has {
		f, err := s.filters.Parse(t, p.filter.text, filterOptions(c))
		if err != nil {
			return q, 0, err
		}
		q = f.Plan()
	}
	if err := s.order(t, p, &q); err != nil {
		return q, 0, err
	}
	start = max(start, 1)
	q.Offset, q.Limit = start-1, min(max(count, 0), maxCount)
	if q.Where == nil {
		q.Where = filter.Everything(t).Where
	}
	// The version of a user covers its groups, so meta needs them too.
	q.NoGroups = t.Kind != resources.KindUser || (only.noGroups && only.noMeta)
	return q, start, nil
}

// order reads sortBy and sortOrder.
func (s *Server) order(t *schema.Type, p *params, q *resources.Query) (err error) {
	descending := false
	switch {
	case p.sortOrder.text == "" || strings.EqualFold(p.sortOrder.text, "ascending"):
	case strings.EqualFold(p.sortOrder.text, "descending"):
		descending = true
	default:
		return invalid(scimerrors.ScimTypeInvalidValue, "sortOrder must be ascending or descending.")
	}
	if p.sortBy.text == "" {
		return nil
	}
	q.Descending = descending
	q.Sort, q.SortKey, err = filter.SortPlan(t, p.sortBy.text, s.filters)
	return err
}

// filterOptions are the tolerances of a connection (L-17), and what is known of
// its organization.
func filterOptions(c *resources.Caller) filter.Options {
	return filter.Options{
		Unquoted: c.Profile == resources.ProfileEntra || c.Profile == resources.ProfileGeneric,
		Fixed:    func(a *schema.Attr) string { return organizationValue(c, a) },
	}
}
