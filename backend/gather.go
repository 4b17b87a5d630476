package backend

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/usher-scim/usher/resources"
)

// match is one record that the query finds.
type match struct {
	id   string
	key  string // the value to order by
	some bool   // whether there is one
	time float64
	rec  *resources.Record // kept while there are few
}

// keptRecords is how many records a query keeps rather than reads again.
const keptRecords = 500

// gather answers by collecting ids, looking at the records where needed,
// ordering and cutting out the page.
func (f *finder) gather(ctx context.Context) (resources.Page, error) {
	found, err := f.matched(ctx)
	if err != nil {
		return resources.Page{}, err
	}
	if f.q.Keyset {
		return f.cutAt(ctx, found)
	}
	return f.cut(ctx, found)
}

// matched collects all matches, in ascending order.
func (f *finder) matched(ctx context.Context) ([]match, error) {
	var found []match
	var err error
	looks := f.q.Match != nil || f.q.SortKey != nil
	switch {
	case f.q.Where == nil && looks:
		found, err = f.scan(ctx)
	case f.q.Where == nil:
		var ids []string
		ids, err = f.everyID(ctx)
		found = matchesOf(ids)
	default:
		var ids []string
		ids, err = f.ids(ctx, f.q.Where, f.q.Match == nil)
		if err == nil && looks {
			found, err = f.look(ctx, ids, nil)
		} else {
			found = matchesOf(ids)
		}
	}
	if err != nil {
		return nil, err
	}
	return found, f.arrange(ctx, found)
}

func matchesOf(ids []string) []match {
	found := make([]match, len(ids))
	for i, id := range ids {
		found[i].id = id
	}
	return found
}

// scan looks at every record of the kind.
func (f *finder) scan(ctx context.Context) ([]match, error) {
	all := f.everything(resources.All(f.q.Kind))
	f.way("scan ", all.index)
	if f.q.Needle != "" && f.q.Explain {
		f.trace.way += " needle"
	}
	n, err := f.client.ZCard(ctx, all.key).Result()
	if err != nil {
		return nil, explain(ctx, "find", err)
	}
	if int(n) > f.q.Budget {
		return nil, f.tooMany() // it could only fail later
	}
	f.client = f.s.scans
	var found []match
	err = f.walk(ctx, all, func(entries []string) error {
		found, err = f.look(ctx, entries, found)
		return err
	})
	return found, err
}

// look reads records and appends those that match.
func (f *finder) look(ctx context.Context, ids []string, found []match) ([]match, error) {
	if len(ids) > f.q.Budget-f.looked {
		return nil, f.tooMany()
	}
	if len(ids) > keptRecords {
		f.client = f.s.scans
	}
	for chunk := range slices.Chunk(ids, chunkSize) {
		if err := f.spend(len(chunk)); err != nil {
			return nil, err
		}
		recs, err := f.records(ctx, chunk, len(ids) <= keptRecords)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			if !f.matches(r) {
				continue
			}
			f.trace.hits++
			m := match{id: r.ID}
			if f.q.SortKey != nil {
				if m.key, m.some = f.q.SortKey(r); !m.some {
					m.key = ""
				} else if f.q.Keyset {
					m.key = m.key[:min(len(m.key), longestKey)]
				}
			}
			if len(ids) <= keptRecords && len(found) < keptRecords {
				m.rec = r
			}
			found = append(found, m)
		}
	}
	return found, nil
}

// records reads a chunk with what Match and SortKey look at; when few are
// read, also with what the page needs.
func (f *finder) records(ctx context.Context, ids []string, few bool) ([]*resources.Record, error) {
	linked := f.q.Kind == resources.KindUser || f.q.Kind == resources.KindGroup
	withGroups := linked && (f.q.WithGroups || few && !f.q.NoGroups)
	recs, err := f.s.page(ctx, f.client, f.keys, ids, withGroups, nil)
	if err == nil && f.q.WithMembers {
		err = f.members(ctx, recs)
	}
	return recs, err
}

func (f *finder) matches(r *resources.Record) bool {
	if f.q.Match == nil {
		return true
	}
	if f.q.Needle != "" && !f.lowered(r.Profile) {
		return false
	}
	return f.q.Match(r)
}

// lowered holds the needle against a copy with ASCII letters lowered: linear
// whatever the text.
func (f *finder) lowered(text []byte) bool {
	f.low = append(f.low[:0], text...)
	for i, c := range f.low {
		if c >= 'A' && c <= 'Z' {
			f.low[i] = c + ('a' - 'A')
		}
	}
	return bytes.Contains(f.low, []byte(f.q.Needle))
}

// arrange puts the matches into ascending order: records without a value come
// last, ids decide among equals.
func (f *finder) arrange(ctx context.Context, found []match) error {
	if len(found) == 0 || (len(found) == 1 && !f.q.Keyset) { // a position needs the value
		return nil
	}
	order := f.order()
	switch {
	case order.Shape() == resources.Time:
		f.trace.order = " by " + order.Code()
		if err := f.times(ctx, found); err != nil {
			return err
		}
	case f.q.SortKey != nil:
		f.trace.order = " by value"
	case order.Shape() == resources.Text:
		f.trace.order = " by " + order.Code()
		if err := f.texts(ctx, found, order); err != nil {
			return err
		}
	}
	slices.SortFunc(found, func(a, b match) int { return a.compare(&b) })
	return nil
}

// times reads the place of each match in a Time index.
func (f *finder) times(ctx context.Context, found []match) error {
	for len(found) > 0 {
		n := min(chunkSize, len(found))
		ids := make([]string, n)
		for i := range ids {
			ids[i] = found[i].id
		}
		scores, err := f.s.standIn(ctx, f.client, f.keys.index(f.q.Sort), ids)
		if err != nil {
			return err
		}
		for i, v := range scores {
			found[i].key, found[i].some, found[i].time = "", v != nil, scoreOf(v)
		}
		found = found[n:]
	}
	return nil
}

// scoreOf reads a score in either version of the protocol.
func scoreOf(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		score, _ := strconv.ParseFloat(v, 64) // scores are written by us as integers
		return score
	}
	return 0
}

// texts reads the values of the matches by a walk over the Text index: no
// index leads from a record to its value.
func (f *finder) texts(ctx context.Context, found []match, order resources.Index) error {
	at := make(map[string]int, len(found))
	for i, m := range found {
		at[m.id] = i
	}
	return f.walk(ctx, f.everything(order), func(entries []string) error {
		for _, e := range entries {
			cut := len(e) - idSize - 1
			if cut < 0 {
				continue
			}
			if i, ok := at[e[cut+1:]]; ok {
				found[i].key, found[i].some = e[:cut], true
			}
		}
		return nil
	})
}

// cut reads the page out of the ordered matches.
func (f *finder) cut(ctx context.Context, found []match) (resources.Page, error) {
	from, to := f.window(len(found))
	kept := make([]*resources.Record, 0, to-from)
	ids := make([]string, 0, to-from)
	for _, m := range found[from:to] {
		ids = append(ids, m.id)
		if m.rec != nil {
			kept = append(kept, m.rec)
		}
	}
	if len(kept) < len(ids) {
		return f.read(ctx, len(found), ids)
	}
	if f.q.Descending {
		slices.Reverse(kept)
	}
	return resources.Page{Total: len(found), Records: kept}, nil
}
