package backend

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// indexes walks those indexes backwards, from entries to records, whose size is
// not what the records say.
func (c *check) indexes(ctx context.Context) error {
	for _, i := range resources.Indexes() {
		if !c.whole(c.k.index(i)) {
			continue
		}
		agrees, err := c.sizeAgrees(ctx, i)
		if err != nil {
			return err
		}
		if agrees && !c.cfg.Deep && c.cfg.Placed != nil {
			continue
		}
		if err := c.backward(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// sizeAgrees tells whether an index has as many entries as the records say. What
// they say was found there, so that nothing else can be in it.
func (c *check) sizeAgrees(ctx context.Context, i resources.Index) (bool, error) {
	key := c.k.index(i)
	var size *redis.IntCmd
	if indexType(i) == "hash" {
		size = c.client.HLen(ctx, key)
	} else {
		size = c.client.ZCard(ctx, key)
	}
	n, err := size.Result()
	if err != nil {
		return false, explain(ctx, "count index entries", err)
	}
	want := c.tally.entries[i]
	if i.Shape() == resources.Equal {
		return int(n) == c.tally.fields[i] && c.tally.inRows[i] == want, nil
	}
	return int(n) == want, nil
}

// standing is one entry of an index as it was met.
type standing struct {
	id, value, field string
	score            string
}

// backward walks an index from its entries to the records.
func (c *check) backward(ctx context.Context, i resources.Index) error {
	add, end := pieces(chunkSize, func(list []standing) error { return c.entriesBack(ctx, i, list) })
	err := c.scanIndex(ctx, i, func(name, value string) error {
		switch i.Shape() {
		case resources.Unique:
			return add(standing{id: value, value: name, field: name})
		case resources.Equal:
			if clean, bad := badRow(value, c.idIn(i)); bad || value == "" {
				d := difference{Finding: Finding{Key: c.k.index(i), Entry: shown(name)}}
				d.row(i, name, value, clean)
				if err := c.once(ctx, d); err != nil {
					return err
				}
				value = clean
			}
			for _, id := range unpackIDs(value) {
				if err := add(standing{id: id, value: name, field: name}); err != nil {
					return err
				}
			}
			return nil
		case resources.Text:
			cut := max(len(name)-idSize, 0)
			st := standing{id: name[cut:], field: name, score: value}
			if cut > 0 && name[cut-1] == 0 {
				st.value = name[:cut-1]
			} else {
				st.id = "" // no entry of ours
			}
			return add(st)
		}
		return add(standing{id: name, field: name, score: value})
	})
	if err != nil {
		return err
	}
	return end()
}

// entriesBack looks at a batch of entries.
func (c *check) entriesBack(ctx context.Context, i resources.Index, list []standing) error {
	byItem := map[string]standing{}
	items := make([]string, 0, len(list))
	for _, st := range list {
		item := st.field + "\x00" + st.id
		if _, seen := byItem[item]; !seen {
			byItem[item] = st
			items = append(items, item)
		}
	}
	return c.again(ctx, items, func(ctx context.Context, items []string, first bool) ([]difference, error) {
		now := make([]standing, len(items))
		for j, item := range items {
			now[j] = byItem[item]
		}
		if !first {
			var err error
			if now, err = c.refresh(ctx, i, now); err != nil {
				return nil, err
			}
		}
		return c.lookBack(ctx, i, now)
	})
}

// refresh reads entries again, without those that are gone.
func (c *check) refresh(ctx context.Context, i resources.Index, list []standing) ([]standing, error) {
	args := []any{"ZMSCORE", c.k.index(i)}
	if indexType(i) == "hash" {
		args[0] = "HMGET"
	}
	for _, st := range list {
		args = append(args, st.field)
	}
	is, err := c.client.Do(ctx, args...).Slice()
	if err != nil || len(is) != len(list) {
		return nil, explain(ctx, "read indexes", errors.Join(err, errDamaged))
	}
	out := list[:0]
	for j, st := range list {
		text, there := is[j].(string)
		switch {
		case !there, i.Shape() == resources.Unique && text != st.id, i.Shape() == resources.Equal && !at(text, st.id):
			continue
		}
		st.score = text
		out = append(out, st)
	}
	return out, nil
}

func (c *check) lookBack(ctx context.Context, i resources.Index, list []standing) ([]difference, error) {
	var ids []string
	at := map[string]int{}
	for _, st := range list {
		if _, seen := at[st.id]; !seen && c.idIn(i)(st.id) {
			at[st.id] = len(ids)
			ids = append(ids, st.id)
		}
	}
	recs, err := c.read(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	var found []difference
	for _, st := range list {
		j, ok := at[st.id]
		if !ok {
			found = append(found, c.astray(i, st, nil))
			continue
		}
		x := &recs[j]
		if x.bad != nil {
			found = append(found, c.damage(x))
			continue
		}
		if x.raw == "" {
			found = append(found, c.astray(i, st, x))
			continue
		}
		if c.cfg.Placed == nil {
			continue
		}
		e, says := x.says(i, st.value)
		if d := c.astray(i, st, x); !says {
			found = append(found, d)
		} else if d, wrong := c.misplaced(st, x, e); wrong {
			found = append(found, d)
		}
	}
	return found, c.unlisted(ctx, i, recs)
}

// astray is the difference that an index has an entry that no record says.
func (c *check) astray(i resources.Index, st standing, x *viewed) difference {
	key := c.k.index(i)
	d := difference{
		Finding: Finding{Code: FindingIndexExtra, Key: key, Entry: shown(st.field), Record: st.id},
		item:    st.field + "\x00" + st.id,
	}
	text := entryText(i.Shape(), st.value, st.id)
	switch {
	case x == nil:
		d.Reason, d.Record = fmt.Sprintf("index %s has %q of a record that does not exist", i.Code(), st.field), ""
	case x.raw == "":
		d.Reason = fmt.Sprintf("index %s has %q of a record that does not exist", i.Code(), text)
	default:
		d.Reason = fmt.Sprintf("index %s has %q, which the record does not say", i.Code(), text)
	}
	if x != nil {
		d.guards = c.head(x)
	}
	switch i.Shape() {
	case resources.Unique:
		d.guards = append(d.guards, guard{"field", key, st.field, st.id})
		d.fixes = []fix{{"HDEL", key, []string{st.field}}}
	case resources.Equal:
		d.guards = append(d.guards, guard{"infield", key, st.field, "1" + st.id})
		d.fixes = []fix{{"UNPACK", key, []string{st.field, st.id}}}
	default:
		d.guards = append(d.guards, guard{"score", key, st.field, st.score})
		d.fixes = []fix{{"ZREM", key, []string{st.field}}}
	}
	return d
}

// misplaced tells of an entry that stands at another score than it must.
func (c *check) misplaced(st standing, x *viewed, e resources.Entry) (difference, bool) {
	if indexType(e.Index) == "hash" {
		return difference{}, false
	}
	want := scoreWanted(e)
	if sameScore(st.score, want) {
		return difference{}, false
	}
	key := c.k.index(e.Index)
	return difference{
		Finding: Finding{
			Code: FindingIndexScore, Key: key, Entry: shown(st.field), Record: st.id,
			Reason: fmt.Sprintf("index %s has %q at %s, the record says %s", e.Index.Code(), entryText(e.Index.Shape(), st.value, st.id), st.score, want),
		},
		item:   st.field + "\x00" + st.id,
		guards: append(c.head(x), guard{"score", key, st.field, st.score}),
		fixes:  []fix{{"ZADD", key, []string{want, st.field}}},
	}, true
}

// unlisted looks whether the list of all has the records that another index led
// to. Those that it lacks were not walked: that is made up for.
func (c *check) unlisted(ctx context.Context, i resources.Index, recs []viewed) error {
	all := resources.All(i.Kind())
	if i == all || c.cfg.Placed == nil || !c.whole(c.k.index(all)) {
		return nil
	}
	var ids []string
	for j := range recs {
		if x := &recs[j]; x.raw != "" && x.bad == nil {
			if _, says := x.says(all, x.id); says {
				ids = append(ids, x.id)
			}
		}
	}
	return c.missed(ctx, all, ids)
}

// missed checks those of some records that the list of all does not name.
func (c *check) missed(ctx context.Context, all resources.Index, ids []string) error {
	if len(ids) == 0 || !c.whole(c.k.index(all)) {
		return nil
	}
	in, err := c.s.standIn(ctx, c.client, c.k.index(all), ids)
	if err != nil {
		return err
	}
	var out []string
	for j, v := range in {
		if v == nil {
			out = append(out, ids[j])
		}
	}
	if len(out) > 0 {
		c.leaveOut()
	}
	return c.again(ctx, out, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
		return c.forward(ctx, ids, false)
	})
}
