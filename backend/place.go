package backend

import (
	"cmp"
	"context"
	"sort"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// A position is the text of a place in an order, see resources.Query.After: a
// letter, the id and what is ordered by.
//
//	i<id>            order by id
//	t<id><ms>        order by a Time index
//	k<id><value>     order by a Text index or SortKey
//	n<id>            the same, a record without a value
//	< >              before the first record, behind the last
const (
	atStart = "<"
	atEnd   = ">"
)

// longestKey bounds what a value of SortKey adds to a position.
const longestKey = 512

// compare orders matches upwards: records without a value come last, ids decide
// among equals.
func (m *match) compare(o *match) int {
	switch {
	case m.some != o.some && m.some:
		return -1
	case m.some != o.some:
		return 1
	}
	return cmp.Or(cmp.Compare(m.time, o.time), cmp.Compare(m.key, o.key), cmp.Compare(m.id, o.id))
}

// keyed reports whether the order is that of SortKey.
func (f *finder) keyed() bool { return f.q.SortKey != nil && f.q.Sort == resources.NoIndex }

// letter is the form of the positions of the wanted order.
func (f *finder) letter() byte {
	switch {
	case f.keyed() || f.order().Shape() == resources.Text:
		return 'k'
	case f.order().Shape() == resources.Time:
		return 't'
	}
	return 'i'
}

// position writes the place of a match.
func (f *finder) position(m *match) string {
	switch letter := f.letter(); {
	case letter == 'i':
		return "i" + m.id
	case !m.some:
		return "n" + m.id
	case letter == 't':
		return "t" + m.id + strconv.FormatInt(int64(m.time), 10)
	}
	return "k" + m.id + m.key
}

// place reads Query.After; nil is the end that the walk begins at.
func (f *finder) place() (*match, error) {
	text := f.q.After
	if text == "" || (text == atStart && !f.q.Backward) || (text == atEnd && f.q.Backward) {
		return nil, nil
	}
	if len(text) < 1+idSize {
		return nil, strange()
	}
	letter, m := text[0], &match{id: text[1 : 1+idSize], key: text[1+idSize:]}
	if _, ok := known(m.id); !ok {
		return nil, strange()
	}
	m.some = letter != 'n' && letter != 'i'
	switch {
	case letter == 'n' && f.letter() != 'i' && m.key == "":
		return m, nil
	case letter != f.letter(), letter == 'i' && m.key != "":
		return nil, strange()
	case letter == 't':
		ms, err := strconv.ParseInt(m.key, 10, 64)
		if err != nil {
			return nil, strange()
		}
		m.key, m.time = "", float64(ms)
	}
	return m, nil
}

// strange says that a position is not one of this query.
func strange() error {
	return &resources.Error{Code: resources.CodeInvalidCursor, Detail: "The cursor does not belong to this query; begin again with an empty one."}
}

// entry is how a place stands in a span over a Text or Member index.
func (sp span) entry(m *match) string {
	switch {
	case sp.valued:
		return sp.value + "\x00" + m.id
	case sp.shape == resources.Text:
		return m.key + "\x00" + m.id
	}
	return m.id
}

// holds reports whether a place lies inside the span.
func (sp span) holds(m *match) bool {
	if sp.shape == resources.Time {
		low, lowErr := strconv.ParseFloat(sp.min, 64)
		high, highErr := strconv.ParseFloat(sp.max, 64)
		return lowErr == nil && highErr == nil && low <= m.time && m.time <= high
	}
	e := sp.entry(m) // the lower bound is part of a span, the upper one is not
	return (sp.min == "-" || e >= sp.min[1:]) && (sp.max == "+" || e < sp.max[1:])
}

// reading is a command that reads entries of a span from a place on.
type reading struct {
	at       *match // nil: from the end of the span
	with, up bool   // the place itself is included; the direction
	wanted   int    // entries
	asked    int    // the same and some to sort out
	entries  *redis.StringSliceCmd
	scored   *redis.ZSliceCmd
}

// ask begins to read up to n entries.
func (sp span) ask(ctx context.Context, pipe redis.Cmdable, r reading, n int) reading {
	r.wanted = n
	by := redis.ZRangeArgs{Key: sp.key, Start: sp.min, Stop: sp.max, Rev: !r.up}
	timed := sp.shape == resources.Time
	if r.at != nil {
		var from string
		switch {
		case timed: // what has the same time is sorted out by take
			from = strconv.FormatInt(int64(r.at.time), 10)
			n++
		case r.with:
			from = "[" + sp.entry(r.at)
		default:
			from = "(" + sp.entry(r.at)
		}
		if r.up {
			by.Start = from
		} else {
			by.Stop = from
		}
	}
	if !r.up {
		by.Start, by.Stop = by.Stop, by.Start
	}
	r.asked = n
	by.Count, by.ByScore, by.ByLex = int64(n), timed, !timed
	if timed {
		r.scored = pipe.ZRangeArgsWithScores(ctx, by)
	} else {
		r.entries = pipe.ZRangeArgs(ctx, by)
	}
	return r
}

// take gives what ask has read, in the direction of the walk; end is true when
// nothing more comes behind it.
func (sp span) take(r *reading) (found []match, end bool) {
	if r.scored == nil {
		list := r.entries.Val()
		found = make([]match, 0, len(list))
		for _, e := range list {
			cut := max(len(e)-idSize, 0)
			m := match{id: e[cut:]}
			if sp.shape == resources.Text && !sp.valued {
				m.key, m.some = strings.TrimSuffix(e[:cut], "\x00"), true
			}
			found = append(found, m)
		}
		return found, len(list) < r.asked
	}
	list := r.scored.Val()
	found = make([]match, 0, len(list))
	for _, z := range list {
		id, _ := z.Member.(string)
		m := match{id: id, time: z.Score, some: true}
		if r.at != nil {
			switch d := m.compare(r.at); {
			case d == 0 && !r.with, d < 0 && r.up, d > 0 && !r.up:
				continue
			}
		}
		found = append(found, m)
	}
	return found, len(list) < r.asked
}

// source gives the next n places of a walk, fewer at the end.
type source func(ctx context.Context, n int) ([]match, error)

// entriesOf walks over a span, by key. Each answer of the store is complete in
// itself, so that changes meanwhile make it miss none that stay.
func entriesOf(client redis.Cmdable, sp span, r reading) source {
	end := false
	return func(ctx context.Context, n int) ([]match, error) {
		for asked := n; !end && n > 0; asked *= 2 {
			now := sp.ask(ctx, client, r, asked)
			if err := now.err(); err != nil {
				return nil, explain(ctx, "walk index", err)
			}
			found, last := sp.take(&now)
			if len(found) < n && !last {
				continue // too many of one time
			}
			if end = last && len(found) <= n; len(found) > n {
				found = found[:n]
			}
			if len(found) > 0 {
				r.at, r.with = &found[len(found)-1], false
			}
			return found, nil
		}
		return nil, nil
	}
}

func (r *reading) err() error {
	if r.scored != nil {
		return r.scored.Err()
	}
	return r.entries.Err()
}

// among walks over ids that stand in ascending order.
func among(ids []string, r reading) source {
	from, to := 0, len(ids)
	if r.at != nil {
		from, to = split(ids, func(id *string) int { return cmp.Compare(r.at.id, *id) }, r)
	}
	return func(_ context.Context, n int) ([]match, error) {
		n = min(n, to-from)
		found := make([]match, n)
		for i := range found {
			if r.up {
				found[i].id = ids[from]
				from++
			} else {
				to--
				found[i].id = ids[to]
			}
		}
		return found, nil
	}
}

// split tells which part of an ascending list a walk from a place has before
// it; where compares the place with an element.
func split[T any](list []T, where func(*T) int, r reading) (from, to int) {
	at, there := sort.Find(len(list), func(i int) int { return where(&list[i]) })
	behind := at
	if there {
		behind++
	}
	switch {
	case r.up && r.with:
		return at, len(list)
	case r.up:
		return behind, len(list)
	case r.with:
		return 0, behind
	}
	return 0, at
}
