package backend

import (
	"cmp"
	"context"
	"slices"

	"github.com/usher-scim/usher/resources"
)

// lookedUp is how many records one value may have to be read with the look-up.
const lookedUp = 20

// lookUp answers a query for the records that an index has under one value,
// which is what identity providers ask before every write, in one trip. ok is
// false when the query is another one, or has too many candidates.
func (f *finder) lookUp(ctx context.Context) (page resources.Page, ok bool, err error) {
	c := f.q.Where
	if c == nil || c.Op != resources.CondIs || f.s.embedded != nil || f.q.WithMembers ||
		f.q.Sort != resources.NoIndex || f.q.SortKey != nil ||
		(c.Index.Shape() != resources.Unique && c.Index.Shape() != resources.Equal) {
		return resources.Page{}, false, nil
	}
	found, ok, err := f.valued(ctx, c)
	if !ok || err != nil {
		return resources.Page{}, ok, err
	}
	f.term(c, 0, len(found))
	if f.q.Match != nil {
		f.looked = len(found)
		found = slices.DeleteFunc(found, func(r *resources.Record) bool { return !f.matches(r) })
		f.trace.hits = len(found)
	}
	slices.SortFunc(found, func(a, b *resources.Record) int { return cmp.Compare(a.ID, b.ID) })
	from, to := f.window(len(found))
	page = resources.Page{Total: len(found), Records: found[from:to:to]}
	if f.q.Descending {
		slices.Reverse(page.Records)
	}
	return page, true, nil
}

// valued reads the records under one value, in the order the index has them.
func (f *finder) valued(ctx context.Context, c *resources.Cond) ([]*resources.Record, bool, error) {
	k, kind := f.keys, f.q.Kind
	linked := kind == resources.KindUser || kind == resources.KindGroup
	groups, members := "", ""
	if linked && (!f.q.NoGroups || f.q.WithGroups) {
		groups = k.groupsOf("")
	}
	if kind == resources.KindGroup {
		members = k.members("")
	}
	w := newCall(f.s.scripts.find, 8)
	w.key(k.index(c.Index), k.groupNames(), k.links())
	w.arg(c.Value, k.record(kind, ""), groups, lookedUp, members)
	reply, err := f.s.run(ctx, f.client, w)
	if err != nil {
		return nil, true, explain(ctx, "look up", err)
	}
	list, _ := reply.([]any)
	if len(list) == 0 {
		return nil, true, nil
	}
	row, _ := list[0].(string)
	ids := unpackIDs(row)
	const perID = 5 // see find.lua
	if len(list) != 1+perID*len(ids) {
		return nil, false, nil
	}
	out := make([]*resources.Record, 0, len(ids))
	for i, id := range ids {
		item := list[1+perID*i:]
		raw, _ := item[0].(string)
		if got, ok := known(id); raw == "" || !ok || got != kind {
			continue // gone: the index is about to follow
		}
		rec, err := f.s.codec.decode(kind, id, raw)
		if err != nil {
			return nil, true, err
		}
		count, _ := item[1].(string)
		setLinks(rec, count)
		rec.Groups = namedRefs(item[2], item[3])
		size, _ := item[4].(int64)
		rec.Size = int(size)
		out = append(out, rec)
	}
	return out, true, nil
}
