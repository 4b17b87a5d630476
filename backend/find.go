package backend

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// defaultBudget applies to queries that name none.
const defaultBudget = 250_000

// finder answers one query.
type finder struct {
	s        *Store
	keys     keys
	q        resources.Query
	client   redis.UniversalClient
	deadline time.Time // of walks; by the system's clock, for it bounds work
	looked   int       // records looked at
	low      []byte    // scratch of lowered
	trace    trace
}

// Find implements resources.Store.
//
// What an index holds in the wanted order is answered by rank, or by key when
// the page begins at a position (keyset.go). Otherwise the ids that Where
// leaves are gathered, looked at if Match or SortKey ask for it, put in order,
// and the page of them is read.
func (s *Store) Find(ctx context.Context, org resources.OrgID, q resources.Query) (page resources.Page, err error) {
	defer s.observe("find", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return resources.Page{}, err
	}
	if err := checkQuery(&q); err != nil {
		return resources.Page{}, err
	}
	f := &finder{s: s, keys: k, q: q, client: s.reads, deadline: started().Add(s.cfg.ScanTime)}
	if q.Keyset {
		page, err = f.keyset(ctx)
	} else {
		page, err = f.offset(ctx)
	}
	if q.Explain && err == nil {
		page.Plan = f.plan()
	}
	return page, err
}

// offset answers a query for a page by its offset.
func (f *finder) offset(ctx context.Context) (resources.Page, error) {
	if page, ok, err := f.lookUp(ctx); ok || err != nil {
		return page, err
	}
	if f.q.Match == nil && !f.keyed() {
		page, ok, err := f.byRank(ctx)
		if ok || err != nil {
			return page, err
		}
	}
	return f.gather(ctx)
}

func checkQuery(q *resources.Query) error {
	if resources.All(q.Kind) == resources.NoIndex {
		return fmt.Errorf("backend: find: unknown kind %d", q.Kind)
	}
	if q.Offset < 0 || q.Limit < 0 {
		return fmt.Errorf("backend: find: offset and limit must not be negative")
	}
	if q.Keyset && (q.Offset > 0 || q.Limit == 0) {
		return fmt.Errorf("backend: find: a page by position has a limit and no offset")
	}
	if !q.Keyset && (q.After != "" || q.Backward) {
		return fmt.Errorf("backend: find: positions are for pages by position")
	}
	if q.Budget <= 0 {
		q.Budget = defaultBudget
	}
	if q.Sort != resources.NoIndex {
		switch {
		case q.Sort.Kind() != q.Kind:
			return fmt.Errorf("backend: find: the index %s holds no %s", q.Sort.Code(), q.Kind)
		case q.Sort.Shape() == resources.Member:
			q.Sort = resources.NoIndex // ordered by id, as is the default
		case q.Sort.Shape() != resources.Text && q.Sort.Shape() != resources.Time:
			return fmt.Errorf("backend: find: the index %s has no order", q.Sort.Code())
		}
	}
	if q.Where == nil {
		return nil
	}
	return checkCond(q.Kind, q.Where)
}

// shapesOf lists which index shapes an operator can ask.
func shapesOf(op resources.CondOp) []resources.Shape {
	switch op {
	case resources.CondIs:
		return []resources.Shape{resources.Unique, resources.Equal, resources.Text}
	case resources.CondPrefix, resources.CondContains:
		return []resources.Shape{resources.Text}
	case resources.CondRange:
		return []resources.Shape{resources.Time, resources.Member}
	case resources.CondIn:
		return []resources.Shape{resources.Member}
	}
	return nil
}

func checkCond(kind resources.Kind, c *resources.Cond) error {
	switch c.Op {
	case resources.CondAnd, resources.CondOr:
		for i := range c.Subs {
			if err := checkCond(kind, &c.Subs[i]); err != nil {
				return err
			}
		}
		return nil
	case resources.CondIDs, resources.CondGroupsOf, resources.CondMembersOf:
		return nil
	case resources.CondIs, resources.CondPrefix, resources.CondContains, resources.CondRange, resources.CondIn:
	default:
		return fmt.Errorf("backend: find: unknown condition %d", c.Op)
	}
	if c.Index == resources.NoIndex || c.Index.Kind() != kind || !slices.Contains(shapesOf(c.Op), c.Index.Shape()) {
		return fmt.Errorf("backend: find: condition %d cannot be asked of index %d for a %s", c.Op, c.Index, kind)
	}
	return nil
}

// order is the index whose order is wanted.
func (f *finder) order() resources.Index {
	if f.q.Sort == resources.NoIndex {
		return resources.All(f.q.Kind)
	}
	return f.q.Sort
}

// byRank answers when the matches stand side by side in an index that has the
// wanted order; ok is false when they do not.
func (f *finder) byRank(ctx context.Context) (page resources.Page, ok bool, err error) {
	if f.q.Where == nil {
		return f.whole(ctx)
	}
	sp, ok := f.span(f.q.Where)
	if !ok || !sp.orderedAs(f.order()) {
		return resources.Page{}, false, nil
	}
	first, n, err := sp.place(ctx, f.client)
	if err != nil {
		return resources.Page{}, true, err
	}
	f.way("rank ", sp.index)
	from, to := f.window(n)
	if from == to {
		return resources.Page{Total: n}, true, nil
	}
	n, entries, err := f.ranked(ctx, sp, first, n)
	if err != nil {
		return resources.Page{}, true, err
	}
	page, err = f.read(ctx, n, idsOf(sp.shape, entries))
	return page, true, err
}

// window turns offset and limit into places of an ascending list of n; the
// page is turned round when read.
func (f *finder) window(n int) (from, to int) {
	from = min(f.q.Offset, n)
	to = from + min(f.q.Limit, n-from)
	if f.q.Descending {
		from, to = n-to, n-from
	}
	return from, to
}

// whole answers a query for everything, in two trips.
func (f *finder) whole(ctx context.Context) (resources.Page, bool, error) {
	key, all := f.keys.index(f.order()), f.keys.index(resources.All(f.q.Kind))
	pipe := f.client.Pipeline()
	total := pipe.ZCard(ctx, all)
	there := total
	if key != all {
		there = pipe.ZCard(ctx, key)
	}
	var entries *redis.StringSliceCmd
	if f.q.Limit > 0 {
		from, to := int64(f.q.Offset), int64(f.q.Offset+f.q.Limit-1)
		if f.q.Descending {
			entries = pipe.ZRevRange(ctx, key, from, to)
		} else {
			entries = pipe.ZRange(ctx, key, from, to)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return resources.Page{}, true, explain(ctx, "find", err)
	}
	if total.Val() != there.Val() {
		return resources.Page{}, false, nil // some records have no place in this order
	}
	f.way("rank ", f.order())
	if entries == nil {
		return resources.Page{Total: int(total.Val())}, true, nil
	}
	ids := idsOf(f.order().Shape(), entries.Val())
	if f.q.Descending {
		slices.Reverse(ids) // read turns it again
	}
	page, err := f.read(ctx, int(total.Val()), ids)
	return page, true, err
}

// read reads the page of the given ids, which are in ascending order.
func (f *finder) read(ctx context.Context, total int, ids []string) (resources.Page, error) {
	if f.q.Descending {
		slices.Reverse(ids)
	}
	return f.fill(ctx, total, ids)
}

// fill reads the page of the given ids as they stand.
func (f *finder) fill(ctx context.Context, total int, ids []string) (resources.Page, error) {
	withGroups := !f.q.NoGroups && (f.q.Kind == resources.KindUser || f.q.Kind == resources.KindGroup)
	recs, err := f.s.page(ctx, f.client, f.keys, ids, withGroups, f.q.Room)
	if err != nil {
		return resources.Page{}, err
	}
	if f.q.WithMembers {
		if err := f.members(ctx, recs); err != nil {
			return resources.Page{}, err
		}
	}
	return resources.Page{Total: total, Records: recs}, nil
}

// members fills in the members of groups.
func (f *finder) members(ctx context.Context, recs []*resources.Record) error {
	for _, r := range recs {
		if r == nil || r.Kind != resources.KindGroup {
			continue
		}
		for after := ""; ; {
			ids, err := f.s.memberIDs(ctx, f.client, f.keys, r.ID, after, walkSize)
			if err != nil {
				return err
			}
			r.Members = append(r.Members, ids...)
			if len(ids) < walkSize {
				break
			}
			after = ids[len(ids)-1]
		}
	}
	return nil
}

// idsOf cuts the ids out of index entries.
func idsOf(shape resources.Shape, entries []string) []string {
	if shape == resources.Text {
		for i, e := range entries {
			entries[i] = e[max(len(e)-idSize, 0):]
		}
	}
	return entries
}

const idSize = 20

// tooMany says that the query needs more work than one may cause.
func (f *finder) tooMany() error {
	attributes := "id and meta.created"
	switch f.q.Kind {
	case resources.KindUser:
		attributes = "userName, externalId, emails.value, displayName, active, groups.value, id, meta.created and meta.lastModified"
	case resources.KindGroup:
		attributes = "displayName, externalId, members.value, id, meta.created and meta.lastModified"
	case resources.KindCustom:
		attributes = "externalId, declared texts, id, meta.created and meta.lastModified"
	}
	return &resources.Error{Code: resources.CodeTooMany, Detail: "Too many resources would have to be looked at one by one. " +
		"Narrow the filter by an indexed attribute (" + attributes + "), and sort by one of these."}
}

// spend counts n records to look at and checks the bounds.
func (f *finder) spend(n int) error {
	f.looked += n
	if f.looked > f.q.Budget {
		return f.tooMany()
	}
	return f.inTime()
}

func (f *finder) inTime() error {
	if started().After(f.deadline) {
		return f.tooMany()
	}
	return nil
}
