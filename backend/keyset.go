package backend

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// keyset answers a query for a page behind or before a position. What an index
// has in the wanted order is walked by key from there on, and so are the ids
// that Where leaves when the order is by id; records are looked at until the
// page is full. Any other order is gathered as for an offset.
func (f *finder) keyset(ctx context.Context) (resources.Page, error) {
	if f.q.Sort != resources.NoIndex {
		f.q.SortKey = nil // positions are those of the index
	}
	at, err := f.place()
	if err != nil {
		return resources.Page{}, err
	}
	if at == nil && !f.q.Backward {
		page, ok, err := f.lookUp(ctx)
		if err != nil || (ok && page.Total <= f.q.Limit) {
			return page, err
		}
		f.trace, f.looked = trace{}, 0 // more than a page: begin again
	}
	r := reading{at: at, up: f.q.Descending == f.q.Backward}
	if sp, ok := f.ordered(); ok {
		page, ok, err := f.byKey(ctx, sp, r)
		if ok || err != nil {
			return page, err
		}
	}
	if f.q.Match != nil && f.q.Where != nil && f.letter() == 'i' {
		return f.byID(ctx, r)
	}
	return f.gather(ctx)
}

// ordered gives the span that has the matches, or more, in the wanted order.
func (f *finder) ordered() (span, bool) {
	if f.keyed() {
		return span{}, false
	}
	if f.q.Where == nil {
		return f.everything(f.order()), true
	}
	sp, ok := f.span(f.q.Where)
	return sp, ok && sp.orderedAs(f.order())
}

// walked is what a walk from a position has brought.
type walked struct {
	found  []match // in the direction of the walk, up to one more than the page has
	last   *match  // where the walk ended early because of its bounds
	behind bool    // something lies on the other side of the position
	total  int
}

// full reports whether the walk need not go on for this page.
func (f *finder) full(w *walked) bool { return len(w.found) > f.q.Limit || w.last != nil }

// byKey walks over a span; ok is false when records that have no place in its
// index may belong on the page.
func (f *finder) byKey(ctx context.Context, sp span, r reading) (resources.Page, bool, error) {
	if r.at != nil {
		if sp.shape != resources.Member && !sp.valued && !r.at.some {
			return resources.Page{}, false, nil
		}
		if !sp.holds(r.at) {
			return resources.Page{}, true, strange()
		}
	}
	var w walked
	lacks, err := f.survey(ctx, sp, r, &w)
	if err != nil {
		return resources.Page{}, true, err
	}
	if f.q.Match != nil {
		if err := f.walkThrough(ctx, &w, r, func(r reading) source { return entriesOf(f.client, sp, r) }); err != nil {
			return resources.Page{}, true, err
		}
	}
	if lacks { // those without a value stand above all others
		if (r.up && !f.full(&w)) || (!r.up && r.at == nil) {
			return resources.Page{}, false, nil
		}
		w.behind = w.behind || !r.up
	}
	f.way("key ", sp.index)
	page, err := f.leaf(ctx, &w)
	return page, true, err
}

// survey reads what one trip can tell: how many there are, whether the index
// lacks some, and without Match the entries of the page. The one at the position
// is read too: when it is there still, it is on the page before.
func (f *finder) survey(ctx context.Context, sp span, r reading, w *walked) (lacks bool, err error) {
	all := resources.All(f.q.Kind)
	whole := f.q.Where == nil && sp.index != all
	w.total = -1
	if f.q.Match != nil && !whole {
		return false, nil
	}
	pipe := f.client.Pipeline()
	if whole {
		pipe = f.client.TxPipeline() // the counts must be of one moment
	}
	var there *redis.IntCmd
	if f.q.Where == nil {
		there = pipe.ZCard(ctx, sp.key)
	} else {
		there = sp.count(ctx, pipe)
	}
	total := there
	if whole {
		total = pipe.ZCard(ctx, f.keys.index(all))
	}
	n := f.q.Limit + 1
	if r.with = r.at != nil; r.with {
		n++
	}
	if f.q.Match == nil {
		r = sp.ask(ctx, pipe, r, n)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return false, explain(ctx, "find", err)
	}
	if f.q.Match == nil {
		w.total = int(total.Val())
		err = f.around(ctx, sp, r, w)
	}
	return total.Val() != there.Val(), err
}

// around makes what was read from a position on into a walk.
func (f *finder) around(ctx context.Context, sp span, r reading, w *walked) (err error) {
	if w.found, err = f.rest(ctx, sp, r); err != nil || r.at == nil {
		return err
	}
	if len(w.found) > 0 && w.found[0].compare(r.at) == 0 {
		w.found, w.behind = w.found[1:], true
		return nil
	}
	w.found = w.found[:min(len(w.found), f.q.Limit+1)]
	other, err := entriesOf(f.client, sp, r.turned())(ctx, 1)
	w.behind = len(other) > 0
	return err
}

// rest gives what a reading has brought, and reads again, more at a time, when
// many entries have the time of the place.
func (f *finder) rest(ctx context.Context, sp span, r reading) ([]match, error) {
	found, end := sp.take(&r)
	if len(found) >= r.wanted || end {
		return found[:min(len(found), r.wanted)], nil
	}
	return entriesOf(f.client, sp, r)(ctx, r.wanted)
}

// turned is the reading of the other side of a position, itself included: it
// is on the page before.
func (r reading) turned() reading { return reading{at: r.at, with: true, up: !r.up} }

// byID walks over the ids that Where leaves.
func (f *finder) byID(ctx context.Context, r reading) (resources.Page, error) {
	ids, err := f.ids(ctx, f.q.Where, false)
	if err != nil {
		return resources.Page{}, err
	}
	w := walked{total: -1}
	if err := f.walkThrough(ctx, &w, r, func(r reading) source { return among(ids, r) }); err != nil {
		return resources.Page{}, err
	}
	return f.leaf(ctx, &w)
}

// walkThrough looks at the records of a walk until there is one more than the page
// has, and on the other side of the position until there is one.
func (f *finder) walkThrough(ctx context.Context, w *walked, r reading, from func(reading) source) error {
	var err error
	if w.found, w.last, err = f.collect(ctx, from(r), f.q.Limit+1); err != nil {
		return err
	}
	if r.at == nil {
		if !f.full(w) {
			w.total = len(w.found)
		}
		return nil
	}
	other, _, err := f.collect(ctx, from(r.turned()), 1)
	// Where the bounds do not let it be known, there may well be something.
	w.behind = len(other) > 0 || resources.HasCode(err, resources.CodeTooMany)
	if resources.HasCode(err, resources.CodeTooMany) {
		return nil
	}
	return err
}

// collect takes matches until there are enough. When the work becomes too much
// it ends early with what there is, and last is the place it got to; without
// any match that is an error.
func (f *finder) collect(ctx context.Context, next source, enough int) (found []match, last *match, err error) {
	for n := min(enough, chunkSize); len(found) < enough; n = min(2*n, chunkSize) {
		places, err := next(ctx, max(min(n, f.q.Budget-f.looked), 1))
		if err != nil || len(places) == 0 {
			return found, nil, err
		}
		if err := f.spend(len(places)); err != nil {
			if len(found) > 0 {
				return found, last, nil
			}
			return nil, nil, err
		}
		last = &places[len(places)-1]
		if found, err = f.lookAt(ctx, places, found); err != nil {
			return nil, nil, err
		}
	}
	return found, nil, nil
}

// lookAt appends those of some places whose records match.
func (f *finder) lookAt(ctx context.Context, places, found []match) ([]match, error) {
	few := f.looked <= keptRecords
	if !few {
		f.client = f.s.scans
	}
	ids := make([]string, len(places))
	for i := range places {
		ids[i] = places[i].id
	}
	recs, err := f.records(ctx, ids, few)
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		for places[0].id != r.ID { // records that went away are left out
			places = places[1:]
		}
		if !f.matches(r) {
			continue
		}
		f.trace.hits++
		m := places[0]
		if few {
			m.rec = r
		}
		found = append(found, m)
	}
	return found, nil
}

// cutAt cuts the page at a position out of all matches, in ascending order.
func (f *finder) cutAt(ctx context.Context, all []match) (resources.Page, error) {
	at, err := f.place()
	if err != nil {
		return resources.Page{}, err
	}
	r := reading{at: at, up: f.q.Descending == f.q.Backward}
	from, to := 0, len(all)
	if at != nil {
		from, to = split(all, func(m *match) int { return at.compare(m) }, r)
	}
	w := walked{total: len(all), behind: to-from < len(all)}
	n := min(to-from, f.q.Limit+1)
	if r.up {
		w.found = slices.Clone(all[from : from+n])
	} else {
		w.found = slices.Clone(all[to-n : to])
		slices.Reverse(w.found)
	}
	return f.leaf(ctx, &w)
}

// leaf makes the page of a walk.
func (f *finder) leaf(ctx context.Context, w *walked) (resources.Page, error) {
	ahead, back := "", ""
	shown := w.found[:min(len(w.found), f.q.Limit)]
	switch {
	case len(w.found) > len(shown):
		ahead = f.position(&shown[len(shown)-1])
	case w.last != nil:
		ahead = f.position(w.last)
	}
	switch {
	case !w.behind:
	case len(shown) > 0:
		back = f.position(&shown[0])
	case f.q.Backward:
		back = atStart
	default:
		back = atEnd
	}
	if f.q.Backward {
		slices.Reverse(shown)
		ahead, back = back, ahead
	}
	ids := make([]string, len(shown))
	kept := make([]*resources.Record, 0, len(shown))
	for i := range shown {
		if ids[i] = shown[i].id; shown[i].rec != nil {
			kept = append(kept, shown[i].rec)
		}
	}
	page := resources.Page{Total: w.total, Records: kept}
	if len(kept) < len(ids) {
		var err error
		if page, err = f.fill(ctx, w.total, ids); err != nil {
			return resources.Page{}, err
		}
	}
	page.Next, page.Prev = ahead, back
	return page, nil
}
