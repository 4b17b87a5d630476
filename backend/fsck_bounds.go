package backend

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/usher-scim/usher/resources"
)

// placeBack looks whether those who hold a place, or wait, say so.
func (c *check) placeBack(ctx context.Context, letters, name, key string, ids []string) ([]difference, error) {
	var good []string
	for _, id := range ids {
		if _, ok := known(id); ok {
			good = append(good, id)
		}
	}
	recs := map[string]*viewed{}
	if len(good) > 0 {
		list, err := c.read(ctx, good, false)
		if err != nil {
			return nil, err
		}
		for i := range list {
			recs[list[i].id] = &list[i]
		}
	}
	truth, ruled, err := c.ruled(ctx, letters, name)
	if err != nil || truth {
		return nil, err
	}
	var found []difference
	for _, id := range ids {
		x := recs[id]
		if x != nil && (x.bad != nil || x.holdsPlace(letters, name)) {
			continue
		}
		d := difference{Finding: Finding{Code: FindingPoolExtra, Key: key, Entry: id, Record: id}, item: id}
		if x != nil {
			d.guards = c.head(x)
		}
		if letters == "sp" {
			d.Reason = fmt.Sprintf("%s holds a place in the pool %s, which no record says", id, name)
			d.guards = append(d.guards, guard{"member", key, id, "1"})
			d.fixes = []fix{{"SREM", key, []string{id}}}
			if !c.mentioned(name) {
				d.guards = append(d.guards, ruled...)
				d.fixes, d.Remedy = nil, "no record speaks of this pool: when no held change of licences is about it, delete the key"
			}
		} else {
			score, err := c.client.ZScore(ctx, key, id).Result()
			if err != nil {
				continue // it has gone meanwhile, or the next command tells
			}
			d.Code, d.Reason = FindingLineExtra, fmt.Sprintf("%s stands in the line %s, which no record says", id, name)
			d.guards = append(d.guards, guard{"score", key, id, number(int64(score))})
			d.fixes = []fix{{"ZREM", key, []string{id}}}
		}
		found = append(found, d)
	}
	return found, nil
}

// ruled looks once more whether a pool that no record spoke of is by now one in
// which no record says who is (resources.Holdings.Others): it may have come after
// the records were read. If not, it gives what must stay so.
func (c *check) ruled(ctx context.Context, letters, name string) (truth bool, guards []guard, err error) {
	if letters != "sp" || c.mentioned(name) {
		return false, nil, nil
	}
	list, err := c.read(ctx, slices.Sorted(maps.Keys(c.tally.rulers)), false)
	for i := range list {
		x := &list[i]
		if slices.Contains(x.holds.Others, name) {
			return true, nil, nil
		}
		guards = append(guards, c.head(x)...)
	}
	return false, guards, err
}

func (x *viewed) holdsPlace(letters, name string) bool {
	if letters == "ln" {
		_, ok := x.holds.Lines[name]
		return ok
	}
	return slices.Contains(x.holds.Pools, name)
}

// mentioned tells whether any record is in a pool or bounds it. One that is not may
// be that of a record that was lost, and then it is all that is left of it.
func (c *check) mentioned(pool string) bool {
	return c.tally.pools[pool] > 0 || slices.ContainsFunc(c.tally.bounds, func(b bounding) bool { return b.Name == pool })
}

// bounding is a bound with the record that sets it.
type bounding struct {
	resources.Bound
	owner string
}

// soon is how far ahead work is looked for that may hand out free places: it may
// have been postponed after a failure.
const soon = time.Hour

// bounds looks for pools with more holders than places, and for free places
// that nobody is about to give to those who wait.
func (c *check) bounds(ctx context.Context, held, waiting map[string]int) error {
	due, err := c.dueSoon(ctx)
	if err != nil {
		return err
	}
	for _, b := range c.tally.bounds {
		f, wrong := c.bound(b.Bound, held[b.Name], waiting[b.Line], due)
		for look := 1; wrong && look < looks/2; look++ {
			if err := c.rest(ctx, c.cfg.Pause); err != nil {
				return err
			}
			if f, wrong, err = c.boundNow(ctx, b); err != nil {
				return err
			}
		}
		if wrong {
			c.find(f)
		}
	}
	return nil
}

func (c *check) dueSoon(ctx context.Context) (int64, error) {
	if !c.whole(c.k.due()) {
		return 0, nil
	}
	n, err := c.client.ZCount(ctx, c.k.due(), "-inf", strconv.FormatInt(dueAt(c.s.cfg.Now().Add(soon)), 10)).Result()
	return n, explain(ctx, "count what is due", err)
}

// boundNow looks at a bound again.
func (c *check) boundNow(ctx context.Context, b bounding) (Finding, bool, error) {
	list, err := c.read(ctx, []string{b.owner}, false)
	if err != nil {
		return Finding{}, false, err
	}
	pipe := c.client.Pipeline()
	held, waiting := pipe.SCard(ctx, c.k.pool(b.Name)), pipe.ZCard(ctx, c.k.line(b.Line))
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return Finding{}, false, explain(ctx, "count pools", err)
	}
	due, err := c.dueSoon(ctx)
	if err != nil {
		return Finding{}, false, err
	}
	for _, is := range list[0].holds.Bounds {
		if is.Name == b.Name {
			f, wrong := c.bound(is, int(held.Val()), int(waiting.Val()), due)
			return f, wrong, nil
		}
	}
	return Finding{}, false, nil
}

// bound compares a pool with its bound.
func (c *check) bound(b resources.Bound, n, w int, due int64) (Finding, bool) {
	now := c.s.cfg.Now()
	open := !now.Before(b.From) && (b.Until.IsZero() || now.Before(b.Until))
	f := Finding{Code: FindingPoolOver, Key: c.k.pool(b.Name)}
	switch {
	case b.Limit >= 0 && n > b.Limit:
		f.Reason = fmt.Sprintf("the pool %s has %d holders and %d places", b.Name, n, b.Limit)
		f.Remedy = "take licences from users, or give the subscription more seats (usher subscription)"
	case open && w > 0 && due == 0 && (b.Limit < 0 || n < b.Limit):
		f.Code = FindingPoolIdle
		f.Reason = fmt.Sprintf("the pool %s has free places, %d wait in the line %s, and nothing is due", b.Name, w, b.Line)
		f.Remedy = "change one of those who wait, or the subscription: what is free is handed out then"
	default:
		return f, false
	}
	return f, true
}
