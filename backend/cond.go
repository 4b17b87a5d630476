package backend

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// ids evaluates a condition to the ids of its records, in id order, each once.
// When exact is false it may give more than those.
func (f *finder) ids(ctx context.Context, c *resources.Cond, exact bool) ([]string, error) {
	before := len(f.trace.terms)
	var out []string
	var err error
	switch c.Op {
	case resources.CondAnd:
		out, err = f.all(ctx, c.Subs, exact)
		f.term(c, before, len(out))
		return out, err
	case resources.CondOr:
		for i := range c.Subs {
			part, err := f.ids(ctx, &c.Subs[i], exact)
			if err != nil {
				return nil, err
			}
			out = append(out, part...)
		}
	case resources.CondContains:
		err = f.walk(ctx, f.everything(c.Index), func(entries []string) error {
			for _, e := range entries {
				if cut := len(e) - idSize - 1; cut >= 0 && strings.Contains(e[:cut], c.Value) {
					out = append(out, e[cut+1:])
				}
			}
			return nil
		})
	case resources.CondIDs:
		out, err = f.existing(ctx, c.IDs)
	case resources.CondGroupsOf:
		if _, ok := known(c.Value); ok && f.q.Kind == resources.KindGroup {
			out, err = f.s.groupIDs(ctx, f.keys, c.Value)
		}
	case resources.CondMembersOf:
		out, err = f.membersOf(ctx, c.Value)
	default:
		out, err = f.indexed(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(out)
	out = slices.Compact(out)
	f.term(c, before, len(out))
	return out, nil
}

// indexed evaluates a condition by entries of an index.
func (f *finder) indexed(ctx context.Context, c *resources.Cond) ([]string, error) {
	if shape := c.Index.Shape(); shape == resources.Unique || shape == resources.Equal {
		v, err := f.client.HGet(ctx, f.keys.index(c.Index), c.Value).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, explain(ctx, "find", err)
		}
		return unpackIDs(v), nil
	}
	sp, _ := f.span(c)
	var out []string
	err := f.walk(ctx, sp, func(entries []string) error {
		out = append(out, idsOf(sp.shape, entries)...)
		return nil
	})
	return out, err
}

// unpackIDs cuts ids written in a row.
func unpackIDs(v string) []string {
	out := make([]string, 0, len(v)/idSize)
	for ; len(v) >= idSize; v = v[idSize:] {
		out = append(out, v[:idSize])
	}
	return out
}

func (f *finder) membersOf(ctx context.Context, group string) ([]string, error) {
	if kind, ok := known(group); !ok || kind != resources.KindGroup {
		return nil, nil
	}
	var out []string
	sp := span{key: f.keys.members(group), shape: resources.Member, min: "-", max: "+"}
	err := f.walk(ctx, sp, func(entries []string) error {
		for _, id := range entries {
			if kind, ok := known(id); ok && kind == f.q.Kind {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}

// existing keeps the ids of records of the wanted kind that are there.
func (f *finder) existing(ctx context.Context, ids []string) ([]string, error) {
	var out []string
	for chunk := range slices.Chunk(ids, chunkSize) {
		there, err := f.s.standIn(ctx, f.client, f.keys.index(resources.All(f.q.Kind)), chunk)
		if err != nil {
			return nil, err
		}
		for i, x := range there {
			if x != nil {
				out = append(out, chunk[i])
			}
		}
	}
	return out, nil
}

// all evaluates an AND: the cheapest term, and the others if exact. If not, it
// takes those that cost less than looking at the records they leave out.
func (f *finder) all(ctx context.Context, subs []resources.Cond, exact bool) ([]string, error) {
	if len(subs) == 0 {
		return f.everyID(ctx)
	}
	costs, err := f.costs(ctx, subs)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(subs))
	for i := range subs {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return costs[order[a]] < costs[order[b]] })
	out, err := f.ids(ctx, &subs[order[0]], exact)
	if err != nil {
		return nil, err
	}
	for _, i := range order[1:] {
		if len(out) == 0 {
			return nil, nil
		}
		if !exact {
			worth, err := f.worth(ctx, &subs[i], costs[i], len(out))
			if err != nil {
				return nil, err
			}
			if !worth {
				continue
			}
		}
		if out, err = f.keep(ctx, out, &subs[i], exact); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fewIDs is how many candidates are looked at without a thought.
const fewIDs = 200

// worth reports whether a further term of an AND, which would give cost ids,
// is worth asking to narrow n candidates down before they are looked at. On a
// server looking at a record takes as long as testing four ids, reading six of
// an index, or walking over a dozen entries; embedded, a record is the cheapest
// of all. A term that half of all records meet does not pay.
func (f *finder) worth(ctx context.Context, c *resources.Cond, cost, n int) (bool, error) {
	if n <= fewIDs || f.s.embedded != nil {
		return false, nil
	}
	switch c.Op {
	case resources.CondContains:
		return cost <= 4*n, nil
	case resources.CondRange, resources.CondIn:
	default:
		if cost > 2*n {
			return false, nil
		}
	}
	total, err := f.client.ZCard(ctx, f.keys.index(resources.All(f.q.Kind))).Result()
	return 2*cost <= int(total), explain(ctx, "find", err)
}

func (f *finder) everyID(ctx context.Context) ([]string, error) {
	var out []string
	err := f.walk(ctx, f.everything(resources.All(f.q.Kind)), func(entries []string) error {
		out = append(out, entries...)
		return nil
	})
	f.term(&resources.Cond{Op: resources.CondIn, Index: resources.All(f.q.Kind)}, 0, len(out))
	return out, err
}

// keep leaves the ids for which the condition holds, and perhaps others when
// exact is false.
func (f *finder) keep(ctx context.Context, ids []string, c *resources.Cond, exact bool) ([]string, error) {
	if c.Op == resources.CondRange || c.Op == resources.CondIn {
		return f.keepScored(ctx, ids, c)
	}
	other, err := f.ids(ctx, c, exact)
	if err != nil {
		return nil, err
	}
	out := ids[:0]
	for _, id := range ids {
		for len(other) > 0 && other[0] < id {
			other = other[1:]
		}
		if len(other) > 0 && other[0] == id {
			out = append(out, id)
		}
	}
	return out, nil
}

// keepScored asks the index about each id instead of reading the index.
func (f *finder) keepScored(ctx context.Context, ids []string, c *resources.Cond) ([]string, error) {
	out := ids[:0]
	for chunk := range slices.Chunk(ids, chunkSize) {
		scores, err := f.s.standIn(ctx, f.client, f.keys.index(c.Index), chunk)
		if err != nil {
			return nil, err
		}
		for i, id := range chunk {
			if scores[i] != nil && inRange(c, id, scores[i]) {
				out = append(out, id)
			}
		}
	}
	f.tested(c, len(out))
	return out, nil
}

func inRange(c *resources.Cond, id string, score any) bool {
	switch {
	case c.Op == resources.CondIn:
		return true
	case c.Index.Shape() == resources.Time:
		ms := int64(scoreOf(score))
		return c.From <= ms && ms <= c.To
	}
	return c.FromID <= id && (c.ToID == "" || id < c.ToID)
}

// costs estimates how many ids each condition gives, in one trip.
func (f *finder) costs(ctx context.Context, subs []resources.Cond) ([]int, error) {
	pipe := f.client.Pipeline()
	later := make([]func() int, len(subs))
	for i := range subs {
		later[i] = f.cost(ctx, pipe, &subs[i])
	}
	if pipe.Len() > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, explain(ctx, "find", err)
		}
	}
	out := make([]int, len(subs))
	for i := range subs {
		out[i] = later[i]()
	}
	return out, nil
}

// cost asks what an estimate needs and gives what it comes to.
func (f *finder) cost(ctx context.Context, pipe redis.Pipeliner, c *resources.Cond) func() int {
	switch c.Op {
	case resources.CondIDs:
		return func() int { return len(c.IDs) }
	case resources.CondAnd, resources.CondOr:
		parts := make([]func() int, len(c.Subs))
		for i := range c.Subs {
			parts[i] = f.cost(ctx, pipe, &c.Subs[i])
		}
		return func() int {
			sum, least := 0, int(^uint(0)>>1)
			for _, part := range parts {
				n := part()
				sum, least = sum+n, min(least, n)
			}
			if c.Op == resources.CondAnd {
				return least
			}
			return sum
		}
	}
	cmd := f.costCommand(ctx, pipe, c)
	shape := resources.Shape(0)
	if c.Op == resources.CondIs {
		shape = c.Index.Shape()
	}
	if c.Op == resources.CondGroupsOf || shape == resources.Unique || shape == resources.Equal {
		return func() int { return int(cmd.Val()) / idSize } // ids in a row
	}
	return func() int { return int(cmd.Val()) }
}

func (f *finder) costCommand(ctx context.Context, pipe redis.Pipeliner, c *resources.Cond) *redis.IntCmd {
	switch c.Op {
	case resources.CondGroupsOf:
		return pipe.StrLen(ctx, f.keys.groupsOf(c.Value)) // bytes, see cost
	case resources.CondMembersOf:
		return pipe.ZCard(ctx, f.keys.members(c.Value))
	case resources.CondContains:
		return pipe.ZCard(ctx, f.keys.index(c.Index)) // all of it is walked
	}
	if sp, ok := f.span(c); ok {
		return sp.count(ctx, pipe)
	}
	return pipe.HStrLen(ctx, f.keys.index(c.Index), c.Value) // bytes, see cost
}
