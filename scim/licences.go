package scim

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

// Licences are resources that usher makes of an organization's plan whenever
// they are asked for: one for each product, with the SKU as its id. There are
// few, so that lists are filtered, sorted and paged in memory.

// licenceRoutes are the addresses of licences: they can be read only.
func licenceRoutes(t *schema.Type, endpoint string) []route {
	return []route{
		{path: []string{endpoint}, typ: t, resource: t.Name, acts: []act{{http.MethodGet, "list", (*call).licences}}},
		{path: []string{endpoint, ".search"}, typ: t, resource: t.Name, acts: []act{{http.MethodPost, "search", (*call).licences}}},
		{path: []string{endpoint, anySegment}, typ: t, resource: t.Name, acts: []act{{http.MethodGet, "get", (*call).licence}}},
	}
}

// licenceRecords makes the licences of an organization, in the order of SKUs: what
// it has bought and what is free, not what is only wished for.
func (c *call) licenceRecords(ctx context.Context) ([]*resources.Record, error) {
	usage, err := c.dir.Usage(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	out := make([]*resources.Record, 0, len(usage))
	for i := range usage {
		if u := &usage[i]; !u.Paid || len(u.Pools) > 0 {
			out = append(out, &resources.Record{Kind: resources.KindSetting, ID: u.SKU, Display: u.Name, Profile: licenceDocument(u)})
		}
	}
	slices.SortFunc(out, func(a, b *resources.Record) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// licenceDocument is what readers see of a licence but for meta.
func licenceDocument(u *resources.Usage) []byte {
	seats := jsontree.Obj(jsontree.Str(u.SKU).As("sku"), jsontree.Bool(u.Paid).As("paid"), jsontree.Bool(u.Package).As("package"))
	count := func(name string, n int) {
		if n >= 0 { // else without a bound
			seats.Set(name, jsontree.Value{Kind: jsontree.Number, Text: itoa(n)})
		}
	}
	count("seatsTotal", u.Total)
	count("seatsUsed", u.Used)
	count("seatsReserved", u.Reserved)
	count("seatsFree", u.Free)
	count("seatsWaiting", u.Waiting)
	name := cmp.Or(u.Name, u.SKU)
	doc := jsontree.Obj(
		jsontree.Arr(jsontree.Str(schema.EntitlementURN), jsontree.Str(schema.LicenceURN)).As("schemas"),
		jsontree.Str(u.SKU).As("id"), jsontree.Str(name).As("displayName"), jsontree.Str("License").As("type"),
		jsontree.Str(licenceText(u)).As("description"), seats.As(schema.LicenceURN))
	return doc.Append(nil)
}

// licenceText says in a few words what a product is.
func licenceText(u *resources.Usage) string {
	text := "Free licence"
	switch {
	case u.Package && u.Paid:
		text = "Paid package"
	case u.Package:
		text = "Free package"
	case u.Paid:
		text = "Paid licence"
	}
	for i, capability := range u.Capabilities {
		if i == 0 {
			text += " for "
		} else if i == len(u.Capabilities)-1 {
			text += " and "
		} else {
			text += ", "
		}
		text += string(capability)
	}
	return text
}

// licence answers GET and HEAD of one licence.
func (c *call) licence(ctx context.Context) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	all, err := c.licenceRecords(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(rec *resources.Record) bool { return resources.FoldSKU(rec.ID) == resources.FoldSKU(c.id) })
	if at < 0 {
		return notHere(c.typ().Name)
	}
	return c.showIfNew(ctx, v, all[at])
}

// licences answers a query of licences, by GET or by POST to .search.
func (c *call) licences(ctx context.Context) error {
	p, err := c.params()
	if err != nil {
		return err
	}
	only, err := c.projection(c.typ(), &p)
	if err != nil {
		return err
	}
	all, err := c.licenceRecords(ctx)
	if err != nil {
		return err
	}
	if all, err = c.chosen(all, &p); err != nil {
		return err
	}
	page, head, err := c.licencePage(ctx, all, &p)
	if err != nil {
		return err
	}
	v := &view{base: c.base(), caller: &c.caller, typ: c.typ(), only: only}
	return c.showList(ctx, len(page), head, func(i int) (*view, *resources.Record) { return v, page[i] })
}

// chosen filters and sorts licences (R-61 … R-76).
func (c *call) chosen(all []*resources.Record, p *params) ([]*resources.Record, error) {
	if p.filter.has {
		f, err := c.filters.Parse(c.typ(), p.filter.text, filterOptions(&c.caller))
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(rec *resources.Record) bool { return !f.Match(rec) })
	}
	var q resources.Query
	if err := c.order(c.typ(), p, &q); err != nil || p.sortBy.text == "" {
		return all, err
	}
	key, err := filter.SortValue(c.typ(), p.sortBy.text, c.filters)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b *resources.Record) int { return compareKeys(key, a, b) })
	if q.Descending {
		slices.Reverse(all)
	}
	return all, nil
}

// compareKeys compares what two records are sorted by; what has no value comes
// last.
func compareKeys(key func(*resources.Record) (string, bool), a, b *resources.Record) int {
	left, hasLeft := key(a)
	right, hasRight := key(b)
	switch {
	case hasLeft && !hasRight:
		return -1
	case hasRight && !hasLeft:
		return 1
	}
	return strings.Compare(left, right)
}

// licencePage cuts a page out of a list and opens its message. By cursor the
// place is the licence that the page begins after, or with.
func (c *call) licencePage(ctx context.Context, all []*resources.Record, p *params) (page []*resources.Record, head func([]byte) []byte, err error) {
	if p.cursor.has {
		return c.licenceWalk(ctx, all, p)
	}
	start, err := p.startIndex.integer("startIndex", 1)
	if err != nil {
		return nil, nil, err
	}
	count, err := p.count.integer("count", defaultCount)
	if err != nil {
		return nil, nil, err
	}
	start, count = max(start, 1), min(max(count, 0), maxCount)
	page = all[min(start-1, len(all)):]
	page = page[:min(count, len(page))]
	return page, func(dst []byte) []byte { return appendListHead(dst, len(all), start, len(page)) }, nil
}

// licenceWalk is a page of a walk (RFC 9865). A licence that has gone meanwhile
// is no place: then the cursor is not good any more.
func (c *call) licenceWalk(ctx context.Context, all []*resources.Record, p *params) (page []*resources.Record, head func([]byte) []byte, err error) {
	walk, err := c.cursor(ctx, c.typ().Name, p)
	if err != nil {
		return nil, nil, err
	}
	from, total := 0, len(all)
	if at := walk.place; at.after != "" {
		i := slices.IndexFunc(all, func(rec *resources.Record) bool { return rec.ID == at.after })
		if i < 0 {
			return nil, nil, invalid(scimTypeInvalidCursor, "The cursor stands at a licence that is not there any more; begin again with an empty cursor.")
		}
		if from = i + 1; at.backward {
			from = max(i-walk.count, 0)
			all = all[:i]
		}
	}
	whole := len(all)
	page = all[from:min(from+walk.count, whole)]
	var next, previous *cursorPlace
	if n := from + len(page); len(page) > 0 && (n < whole || walk.place.backward) {
		next = &cursorPlace{after: page[len(page)-1].ID}
	}
	if from > 0 && len(page) > 0 {
		previous = &cursorPlace{after: page[0].ID, backward: true}
	}
	return page, func(dst []byte) []byte { return walk.appendListHead(dst, total, len(page), next, previous) }, nil
}
