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

// all evaluates an AND: the cheapest term, and the others if exact.
func (f *finder) all(ctx context.Context, subs []resources.Cond, exact bool) ([]string, error) {
	if len(subs) == 0 {
		return f.everyID(ctx)
	}
	costs := make([]int, len(subs))
	order := make([]int, len(subs))
	for i := range subs {
		order[i] = i
		var err error
		if costs[i], err = f.cost(ctx, &subs[i]); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return costs[order[a]] < costs[order[b]] })
	out, err := f.ids(ctx, &subs[order[0]], exact)
	if err != nil || !exact {
		return out, err
	}
	for _, i := range order[1:] {
		if len(out) == 0 {
			return nil, nil
		}
		if out, err = f.keep(ctx, out, &subs[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
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

// keep leaves the ids for which the condition holds.
func (f *finder) keep(ctx context.Context, ids []string, c *resources.Cond) ([]string, error) {
	if c.Op == resources.CondRange || c.Op == resources.CondIn {
		return f.keepScored(ctx, ids, c)
	}
	other, err := f.ids(ctx, c, true)
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

// cost estimates how many ids a condition gives.
func (f *finder) cost(ctx context.Context, c *resources.Cond) (int, error) {
	switch c.Op {
	case resources.CondIDs:
		return len(c.IDs), nil
	case resources.CondAnd, resources.CondOr:
		sum, least := 0, int(^uint(0)>>1)
		for i := range c.Subs {
			n, err := f.cost(ctx, &c.Subs[i])
			if err != nil {
				return 0, err
			}
			sum, least = sum+n, min(least, n)
		}
		if c.Op == resources.CondAnd {
			return least, nil
		}
		return sum, nil
	}
	n, err := f.costCommand(ctx, c).Result()
	shape := resources.Shape(0)
	if c.Op == resources.CondIs {
		shape = c.Index.Shape()
	}
	if c.Op == resources.CondGroupsOf || shape == resources.Unique || shape == resources.Equal {
		n /= idSize // ids in a row
	}
	return int(n), explain(ctx, "find", err)
}

func (f *finder) costCommand(ctx context.Context, c *resources.Cond) *redis.IntCmd {
	switch c.Op {
	case resources.CondGroupsOf:
		return f.client.StrLen(ctx, f.keys.groupsOf(c.Value)) // bytes, see cost
	case resources.CondMembersOf:
		return f.client.ZCard(ctx, f.keys.members(c.Value))
	case resources.CondContains:
		return f.client.ZCard(ctx, f.keys.index(c.Index)) // all of it is walked
	}
	if sp, ok := f.span(c); ok {
		return sp.count(ctx, f.client)
	}
	return f.client.HStrLen(ctx, f.keys.index(c.Index), c.Value) // bytes, see cost
}
