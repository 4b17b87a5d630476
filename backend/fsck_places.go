package backend

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// The standing in a record is what was decided: a pool or a line that says
// otherwise is wrong, and is what repair changes. Pools of which no record says
// who is in (resources.Holdings.Others) are truth themselves.

// placesOf looks whether records stand in the pools and lines they say.
func (c *check) placesOf(ctx context.Context, list []*viewed, _ bool) ([]difference, error) {
	pools, lines := map[string][]*viewed{}, map[string][]*viewed{}
	for _, x := range list {
		for _, p := range x.holds.Pools {
			if c.whole(c.k.pool(p)) {
				pools[p] = append(pools[p], x)
			}
		}
		for l := range x.holds.Lines {
			if c.whole(c.k.line(l)) {
				lines[l] = append(lines[l], x)
			}
		}
	}
	if len(pools)+len(lines) == 0 {
		return nil, nil
	}
	pipe := c.client.Pipeline()
	in, at := map[string]*redis.BoolSliceCmd{}, map[string]*redis.Cmd{}
	for p, some := range pools {
		ids := make([]any, len(some))
		for i, x := range some {
			ids[i] = x.id
		}
		in[p] = pipe.SMIsMember(ctx, c.k.pool(p), ids...)
	}
	for l, some := range lines {
		ids := make([]string, len(some))
		for i, x := range some {
			ids[i] = x.id
		}
		at[l] = pipe.Do(ctx, scoresOf(c.k.line(l), ids)...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return nil, explain(ctx, "read pools", err)
	}
	found, err := c.poolsOf(ctx, pools, in)
	if err != nil {
		return nil, err
	}
	more, err := c.linesOf(ctx, lines, at)
	return append(found, more...), err
}

func (c *check) poolsOf(ctx context.Context, pools map[string][]*viewed, in map[string]*redis.BoolSliceCmd) (found []difference, err error) {
	for p, some := range pools {
		if wrongType(in[p].Err()) {
			if err := c.brokenPlace(ctx, c.k.pool(p)); err != nil {
				return nil, err
			}
			continue
		}
		for i, x := range some {
			if !in[p].Val()[i] {
				found = append(found, c.notInPool(x, p))
			}
		}
	}
	return found, nil
}

func (c *check) linesOf(ctx context.Context, lines map[string][]*viewed, at map[string]*redis.Cmd) (found []difference, err error) {
	for l, some := range lines {
		if wrongType(at[l].Err()) {
			if err := c.brokenPlace(ctx, c.k.line(l)); err != nil {
				return nil, err
			}
			continue
		}
		scores, _ := at[l].Slice()
		for i, x := range some {
			if d, wrong := c.inLine(x, l, x.holds.Lines[l], scores[i]); wrong {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

// brokenPlace tells of a pool or line of a wrong type that records derive.
func (c *check) brokenPlace(ctx context.Context, key string) error {
	is, err := c.client.Type(ctx, key).Result()
	if err != nil {
		return explain(ctx, "look at keys", err)
	}
	c.mu.Lock()
	known := c.broken[key]
	c.broken[key] = true
	c.mu.Unlock()
	if known || is == "none" || is == typeOf(key) {
		return nil
	}
	return c.once(ctx, difference{
		Finding: Finding{Code: FindingWrongType, Key: key, Reason: fmt.Sprintf("%s is a %s, it must be a %s", key, is, typeOf(key))},
		guards:  []guard{{"type", key, "", is}}, fixes: []fix{{"DEL", key, nil}},
	})
}

func (c *check) notInPool(x *viewed, pool string) difference {
	key := c.k.pool(pool)
	return difference{
		Finding: Finding{Code: FindingPoolMissing, Key: key, Entry: x.id, Record: x.id, Reason: fmt.Sprintf("%s does not hold its place in the pool %s", x.id, pool)},
		item:    x.id,
		guards:  append(c.head(x), guard{"member", key, x.id, "0"}),
		fixes:   []fix{{"SADD", key, []string{x.id}}, {"SADD", c.k.places(), []string{key}}},
	}
}

func (c *check) inLine(x *viewed, line string, want int64, is any) (difference, bool) {
	key := c.k.line(line)
	text, there := is.(string)
	if score, err := strconv.ParseFloat(text, 64); there && err == nil && int64(score) == want {
		return difference{}, false
	}
	d := difference{
		Finding: Finding{Code: FindingLineMissing, Key: key, Entry: x.id, Record: x.id, Reason: fmt.Sprintf("%s does not stand in the line %s", x.id, line)},
		item:    x.id,
		guards:  append(c.head(x), guard{"score", key, x.id, text}),
		fixes:   []fix{{"ZADD", key, []string{number(want), x.id}}, {"SADD", c.k.places(), []string{key}}},
	}
	if there {
		d.Code, d.Reason = FindingLineScore, fmt.Sprintf("%s stands in the line %s since %s, the record says %d", x.id, line, text, want)
	}
	return d, true
}

// places walks pools and lines that have more in them than records say, and
// compares the list of them, and pools with their bounds.
func (c *check) places(ctx context.Context) error {
	names := map[string]bool{} // keys
	err := c.scan(ctx, "SSCAN", c.k.places(), func(key, _ string) error {
		if _, _, ok := c.k.parsePlace(key); ok {
			names[key] = true
			return nil
		}
		return c.once(ctx, difference{
			Finding: Finding{Code: FindingPlaceList, Key: c.k.places(), Entry: key, Reason: fmt.Sprintf("the list of pools and lines has %q, which is neither", key)},
			guards:  []guard{{"member", c.k.places(), key, "1"}}, fixes: []fix{{"SREM", c.k.places(), []string{key}}},
		})
	})
	if err != nil {
		return err
	}
	for p := range c.tally.pools {
		names[c.k.pool(p)] = true
	}
	for p := range c.tally.others {
		names[c.k.pool(p)] = true
	}
	for l := range c.tally.lines {
		names[c.k.line(l)] = true
	}
	for _, b := range c.tally.bounds {
		names[c.k.pool(b.Name)] = true
		if b.Line != "" {
			names[c.k.line(b.Line)] = true
		}
	}
	held, waiting := map[string]int{}, map[string]int{}
	for key := range names {
		letters, name, _ := c.k.parsePlace(key)
		sizes := held
		if letters == "ln" {
			sizes = waiting
		}
		if sizes[name], err = c.onePlace(ctx, letters, name, key); err != nil {
			return err
		}
	}
	return c.bounds(ctx, held, waiting)
}

// onePlace counts a pool or a line and walks it when that is not what records say.
func (c *check) onePlace(ctx context.Context, letters, name, key string) (int, error) {
	if !c.whole(key) {
		return 0, nil
	}
	cmd, size, want := "SSCAN", c.client.SCard(ctx, key), c.tally.pools[name]
	if letters == "ln" {
		cmd, size, want = "ZSCAN", c.client.ZCard(ctx, key), c.tally.lines[name]
	}
	n, err := size.Result()
	if wrongType(err) {
		if c.tally.others[name] || want == 0 {
			return 0, c.anotherType(ctx, key)
		}
		return 0, c.brokenPlace(ctx, key)
	}
	if err != nil {
		return 0, explain(ctx, "count pools", err)
	}
	if err := c.placeListed(ctx, letters, name, key, n); err != nil {
		return 0, err
	}
	kept := letters == "sp" && c.tally.others[name]
	if c.cfg.Placed == nil || kept || c.partial() || (int(n) == want && !c.cfg.Deep) {
		return int(n), nil
	}
	add, end := pieces(chunkSize, func(ids []string) error {
		return c.again(ctx, ids, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
			return c.placeBack(ctx, letters, name, key, ids)
		})
	})
	if err := c.scan(ctx, cmd, key, func(id, _ string) error { return add(id) }); err != nil {
		return 0, err
	}
	return int(n), end()
}

// placeListed compares the list of pools and lines with one of them.
func (c *check) placeListed(ctx context.Context, letters, name, key string, n int64) error {
	list := c.k.places()
	if !c.whole(list) {
		return nil
	}
	in, err := c.client.SIsMember(ctx, list, key).Result()
	if err != nil {
		return explain(ctx, "read pools", err)
	}
	what := "pool"
	if letters == "ln" {
		what = "line"
	}
	d := difference{Finding: Finding{Code: FindingPlaceList, Key: list, Entry: key}}
	switch {
	case in == (n > 0):
		return nil
	case in:
		d.Reason = fmt.Sprintf("the list of pools and lines has the %s %s, which is empty", what, name)
		d.guards = []guard{{"member", list, key, "1"}, {"exists", key, "", "0"}}
		d.fixes = []fix{{"SREM", list, []string{key}}}
	default:
		d.Reason = fmt.Sprintf("the list of pools and lines lacks the %s %s", what, name)
		d.guards = []guard{{"member", list, key, "0"}, {"exists", key, "", "1"}}
		d.fixes = []fix{{"SADD", list, []string{key}}}
	}
	return c.once(ctx, d)
}
