package backend

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// span is a stretch of a sorted set: entries that stand side by side.
type span struct {
	key      string
	index    resources.Index
	shape    resources.Shape
	min, max string // as the range commands write them

	// Of a Text index the entries of one value stand in the order of their ids.
	valued bool
	value  string
}

// span tells whether the records of a condition stand side by side in an
// index, and where.
func (f *finder) span(c *resources.Cond) (span, bool) {
	for (c.Op == resources.CondAnd || c.Op == resources.CondOr) && len(c.Subs) == 1 {
		c = &c.Subs[0]
	}
	switch c.Op {
	case resources.CondIs, resources.CondPrefix, resources.CondRange, resources.CondIn:
	default:
		return span{}, false
	}
	sp := span{key: f.keys.index(c.Index), index: c.Index, shape: c.Index.Shape(), min: "-", max: "+"}
	switch {
	case sp.shape == resources.Time:
		sp.min, sp.max = strconv.FormatInt(c.From, 10), strconv.FormatInt(c.To, 10)
	case sp.shape == resources.Text && c.Op == resources.CondIs:
		sp.min, sp.max = "["+c.Value+"\x00", "("+c.Value+"\x01"
		sp.valued, sp.value = true, c.Value
	case sp.shape == resources.Text:
		sp.min, sp.max = "["+c.Value, "("+c.Value+"\xff" // no UTF-8 text has this byte
	case sp.shape == resources.Member && c.Op == resources.CondRange:
		if c.FromID != "" {
			sp.min = "[" + c.FromID
		}
		if c.ToID != "" {
			sp.max = "(" + c.ToID
		}
	case sp.shape == resources.Member:
	default:
		return span{}, false
	}
	return sp, true
}

// everything is the span of a whole index.
func (f *finder) everything(i resources.Index) span {
	sp := span{key: f.keys.index(i), index: i, shape: i.Shape(), min: "-", max: "+"}
	if sp.shape == resources.Time {
		sp.min, sp.max = "-inf", "+inf"
	}
	return sp
}

// orderedAs tells whether the entries are in the order of an index.
func (sp span) orderedAs(i resources.Index) bool {
	return sp.index == i || ((sp.shape == resources.Member || sp.valued) && i.Shape() == resources.Member)
}

// count asks how many entries stand in the span.
func (sp span) count(ctx context.Context, pipe redis.Cmdable) *redis.IntCmd {
	if sp.shape == resources.Time {
		return pipe.ZCount(ctx, sp.key, sp.min, sp.max)
	}
	return pipe.ZLexCount(ctx, sp.key, sp.min, sp.max)
}

// place tells the rank of the first entry and how many there are.
func (sp span) place(ctx context.Context, client redis.UniversalClient) (first, n int, err error) {
	pipe := client.Pipeline()
	count, before := sp.placed(ctx, pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, 0, explain(ctx, "find", err)
	}
	return rankOf(before), int(count.Val()), nil
}

// placed asks how many entries stand in the span and how many before it; nil
// for none.
func (sp span) placed(ctx context.Context, pipe redis.Cmdable) (count, before *redis.IntCmd) {
	count = sp.count(ctx, pipe)
	switch {
	case sp.timed():
		before = pipe.ZCount(ctx, sp.key, "-inf", "("+sp.min)
	case sp.min != "-":
		before = pipe.ZLexCount(ctx, sp.key, "-", "("+sp.min[1:])
	}
	return count, before
}

func (sp span) timed() bool { return sp.shape == resources.Time }

func rankOf(before *redis.IntCmd) int {
	if before == nil {
		return 0
	}
	return int(before.Val())
}

// walkSize is how many index entries a walk reads at a time.
const walkSize = 1000

// walk reads the entries of a span piece by piece, by key, so that changes
// meanwhile make it miss none that stay. It may show one twice that moves.
func (f *finder) walk(ctx context.Context, sp span, fn func(entries []string) error) error {
	if sp.shape == resources.Time {
		return f.walkTime(ctx, sp, fn)
	}
	by := redis.ZRangeArgs{Key: sp.key, Start: sp.min, Stop: sp.max, ByLex: true, Count: walkSize}
	for {
		entries, err := f.s.scans.ZRangeArgs(ctx, by).Result()
		if err != nil {
			return explain(ctx, "walk index", err)
		}
		if len(entries) == 0 {
			return nil
		}
		by.Start = "(" + entries[len(entries)-1]
		if err := fn(entries); err != nil || len(entries) < walkSize {
			return err
		}
		if err := f.inTime(); err != nil {
			return err
		}
	}
}

// walkTime is walk over a Time index; the entries are ids.
func (f *finder) walkTime(ctx context.Context, sp span, fn func(entries []string) error) error {
	next := entriesOf(f.s.scans, sp, reading{up: true})
	for {
		list, err := next(ctx, walkSize)
		if err != nil || len(list) == 0 {
			return err
		}
		entries := make([]string, len(list))
		for i := range list {
			entries[i] = list[i].id
		}
		if err := fn(entries); err != nil || len(list) < walkSize {
			return err
		}
		if err := f.inTime(); err != nil {
			return err
		}
	}
}
