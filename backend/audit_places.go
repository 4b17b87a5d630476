package backend

import (
	"context"
	"strconv"

	"github.com/usher-scim/usher/resources"
)

// placesExpected is what the records say about pools and lines.
type placesExpected struct {
	pools  map[string]map[string]bool  // holders by pool
	lines  map[string]map[string]int64 // since when, by line and holder
	others map[string]bool             // pools about which no record says who is in
	bounds []resources.Bound
}

func newPlacesExpected() placesExpected {
	return placesExpected{pools: map[string]map[string]bool{}, lines: map[string]map[string]int64{}, others: map[string]bool{}}
}

func (e *placesExpected) add(id string, h resources.Holdings) {
	for _, p := range h.Pools {
		if e.pools[p] == nil {
			e.pools[p] = map[string]bool{}
		}
		e.pools[p][id] = true
	}
	for l, at := range h.Lines {
		if e.lines[l] == nil {
			e.lines[l] = map[string]int64{}
		}
		e.lines[l][id] = at
	}
	for _, p := range h.Others {
		e.others[p] = true
	}
	e.bounds = append(e.bounds, h.Bounds...)
}

// poolsAndLines compares pools and lines with the records both ways, and pools
// with their bounds.
func (a *audit) poolsAndLines(ctx context.Context) error {
	names, err := a.f.client.SMembers(ctx, a.f.keys.places()).Result()
	if err != nil {
		return explain(ctx, "audit", err)
	}
	held, waiting := map[string]int{}, map[string]int{}
	for _, entry := range names {
		letters, name, ok := a.f.keys.parsePlace(entry)
		switch {
		case !ok:
			a.fault("the list of pools and lines has %q, which is neither", entry)
		case letters == "sp":
			held[name], err = a.pool(ctx, name)
		default:
			waiting[name], err = a.line(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	for name, holders := range a.places.pools {
		for id := range holders {
			a.fault("%s does not hold its place in the pool %s", id, name)
		}
	}
	for name, holders := range a.places.lines {
		for id := range holders {
			a.fault("%s does not stand in the line %s", id, name)
		}
	}
	return a.bounds(ctx, held, waiting)
}

// pool compares the holders of a pool, crosses them off, and counts them.
func (a *audit) pool(ctx context.Context, name string) (int, error) {
	holders, err := a.f.client.SMembers(ctx, a.f.keys.pool(name)).Result()
	if err != nil {
		return 0, explain(ctx, "audit", err)
	}
	for _, h := range holders {
		if a.expected != nil && !a.places.others[name] && !a.places.pools[name][h] {
			a.fault("%s holds a place in the pool %s, which no record says", h, name)
		}
		delete(a.places.pools[name], h)
	}
	if len(holders) == 0 {
		a.fault("the list of pools and lines has the pool %s, which is empty", name)
	}
	return len(holders), nil
}

// line does the same for a line.
func (a *audit) line(ctx context.Context, name string) (int, error) {
	list, err := a.f.client.ZRangeWithScores(ctx, a.f.keys.line(name), 0, -1).Result()
	if err != nil {
		return 0, explain(ctx, "audit", err)
	}
	for _, z := range list {
		h, _ := z.Member.(string)
		want, ok := a.places.lines[name][h]
		switch {
		case a.expected == nil:
		case !ok:
			a.fault("%s stands in the line %s, which no record says", h, name)
		case want != int64(z.Score):
			a.fault("%s stands in the line %s since %d, the record says %d", h, name, int64(z.Score), want)
		}
		delete(a.places.lines[name], h)
	}
	if len(list) == 0 {
		a.fault("the list of pools and lines has the line %s, which is empty", name)
	}
	return len(list), nil
}

// bounds looks for pools with more holders than places, and for free places
// that nobody is about to give to those who wait.
func (a *audit) bounds(ctx context.Context, held, waiting map[string]int) error {
	now := a.f.s.cfg.Now()
	due, err := a.f.client.ZCount(ctx, a.f.keys.due(), "-inf", strconv.FormatInt(dueAt(now), 10)).Result()
	if err != nil {
		return explain(ctx, "audit", err)
	}
	for _, b := range a.places.bounds {
		n := held[b.Name]
		if b.Limit >= 0 && n > b.Limit {
			a.fault("the pool %s has %d holders and %d places", b.Name, n, b.Limit)
		}
		open := !now.Before(b.From) && (b.Until.IsZero() || now.Before(b.Until))
		if w := waiting[b.Line]; open && w > 0 && due == 0 && (b.Limit < 0 || n < b.Limit) {
			a.fault("the pool %s has free places, %d wait in the line %s, and nothing is due", b.Name, w, b.Line)
		}
	}
	return nil
}
