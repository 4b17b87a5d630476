package backend

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// workers share the records: reading, decoding and placing is what costs.
const workers = 2

// begun counts how many records there should be, for Progress.
func (c *check) begun(ctx context.Context) error {
	for _, kind := range resources.Kinds() {
		key := c.k.index(resources.All(kind))
		if !c.whole(key) {
			continue
		}
		n, err := c.client.ZCard(ctx, key).Result()
		if err != nil {
			return explain(ctx, "count records", err)
		}
		c.total += int(n)
	}
	return nil
}

// records walks the records that the lists of all name and checks that each is
// where it must be.
func (c *check) records(ctx context.Context) error {
	for _, kind := range resources.Kinds() {
		if err := c.eachChunk(ctx, kind, c.chunk); err != nil {
			return err
		}
	}
	return nil
}

// eachChunk walks the ids of a kind and hands them to workers in chunks.
func (c *check) eachChunk(ctx context.Context, kind resources.Kind, do func(context.Context, []string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan []string)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ids := range work {
				since := started()
				err := do(ctx, ids)
				if err == nil {
					err = c.breathe(ctx, since)
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	add, end := pieces(chunkSize, func(ids []string) error {
		select {
		case work <- ids:
			return context.Cause(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	err := c.scanIndex(ctx, resources.All(kind), func(id, _ string) error {
		if got, ok := known(id); !ok || got != kind {
			return nil // the walk over the index tells it
		}
		return add(id)
	})
	if err == nil {
		err = end()
	}
	close(work)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// chunk checks some records and tells how far the walk is.
func (c *check) chunk(ctx context.Context, ids []string) error {
	if err := c.again(ctx, ids, c.forward); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += len(ids)
	c.report.Records += len(ids)
	if c.cfg.Progress != nil {
		c.cfg.Progress(c.k.org, c.done, max(c.total, c.done))
	}
	return nil
}

// forward looks whether records are where they say. first: they are counted.
func (c *check) forward(ctx context.Context, ids []string, first bool) ([]difference, error) {
	list, err := c.read(ctx, ids, true)
	if err != nil {
		return nil, err
	}
	var found []difference
	live := make([]*viewed, 0, len(list))
	for i := range list {
		x := &list[i]
		switch {
		case x.raw == "":
			found = append(found, c.named(x)...)
		case x.bad != nil:
			found = append(found, c.damage(x))
		default:
			live = append(live, x)
		}
	}
	if first {
		c.count(live)
	}
	for _, look := range []func(context.Context, []*viewed, bool) ([]difference, error){
		c.entries, c.rowsOf, c.groupsOf, c.claimsOf, c.placesOf, c.expiryOf,
	} {
		more, err := look(ctx, live, first)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// named is the difference that the list of all names a record that is not there.
func (c *check) named(x *viewed) []difference {
	i := resources.All(x.kind)
	key := c.k.index(i)
	d := difference{
		Finding: Finding{Code: FindingIndexExtra, Key: key, Entry: x.id, Record: x.id, Reason: fmt.Sprintf("index %s has %q of a record that does not exist", i.Code(), x.id)},
		item:    x.id,
		guards:  []guard{c.k.seenHead(x.kind, x.id, ""), {"score", key, x.id, "0"}},
		fixes:   []fix{{"ZREM", key, []string{x.id}}},
	}
	return []difference{d}
}

// count adds what records say to what should be.
func (c *check) count(list []*viewed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.tally
	for _, x := range list {
		for _, e := range x.has {
			t.entries[e.Index]++
		}
		t.claims += len(x.held)
		t.rows += len(x.row) / idSize
		for _, p := range x.holds.Pools {
			t.pools[p]++
		}
		for l := range x.holds.Lines {
			t.lines[l]++
		}
		if len(x.holds.Others)+len(x.holds.Bounds) > 0 {
			t.rulers[x.id] = true
		}
		for _, p := range x.holds.Others {
			t.others[p] = true
		}
		for _, b := range x.holds.Bounds {
			t.bounds = append(t.bounds, bounding{b, x.id})
		}
		if x.kind == resources.KindGroup {
			t.groups++
			if x.links != "" {
				t.counted++
			}
		}
	}
}

// lookup is an entry to look for.
type lookup struct {
	x *viewed
	e resources.Entry
}

// entries looks for the index entries of records.
func (c *check) entries(ctx context.Context, list []*viewed, first bool) ([]difference, error) {
	wanted := map[resources.Index][]lookup{}
	for _, x := range list {
		for _, e := range x.has {
			if c.whole(c.k.index(e.Index)) {
				wanted[e.Index] = append(wanted[e.Index], lookup{x, e})
			}
		}
	}
	pipe := c.client.Pipeline()
	cmds := map[resources.Index]*redis.Cmd{}
	for i, some := range wanted {
		args := make([]any, 2, 2+len(some))
		args[0], args[1] = "ZMSCORE", c.k.index(i)
		if indexType(i) == "hash" {
			args[0] = "HMGET"
		}
		for _, l := range some {
			args = append(args, field(l.e, l.x.id))
		}
		cmds[i] = pipe.Do(ctx, args...)
	}
	if len(cmds) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, explain(ctx, "read indexes", err)
	}
	var found []difference
	for i, some := range wanted {
		is, err := cmds[i].Slice()
		if err != nil || len(is) != len(some) {
			return nil, explain(ctx, "read indexes", errDamaged)
		}
		if i.Shape() == resources.Equal && first {
			c.countRows(i, some, is)
		}
		for j, l := range some {
			d, err := c.entry(ctx, l, is[j])
			if err != nil {
				return nil, err
			}
			if d != nil {
				found = append(found, *d)
			}
		}
	}
	return found, nil
}

// field is what an entry is called in its index.
func field(e resources.Entry, id string) string {
	switch e.Index.Shape() {
	case resources.Unique, resources.Equal:
		return e.Value
	case resources.Text:
		return e.Value + "\x00" + id
	}
	return id
}

// countRows counts the values and ids of an Equal index, each row with the record
// that stands first in it.
func (c *check) countRows(i resources.Index, some []lookup, is []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for j, l := range some {
		if row, _ := is[j].(string); len(row) >= idSize && row[:idSize] == l.x.id {
			c.tally.fields[i]++
			c.tally.inRows[i] += (len(row) + idSize - 1) / idSize
		}
	}
}
