package backend

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// viewed is one record as a chunk has read it, with where it must be found.
type viewed struct {
	id   string
	kind resources.Kind
	raw  string // "": there is none
	rec  *resources.Record
	bad  error

	row   string // the groups it is in, when asked for
	links string // groups: the field of gv
	has   []resources.Entry
	held  []resources.HeldClaim
	holds resources.Holdings
}

// read reads records, whatever state their bytes are in.
func (c *check) read(ctx context.Context, ids []string, rows bool) ([]viewed, error) {
	out := make([]viewed, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	groups, at := c.k.groupsAmong(ids)
	pipe := c.client.Pipeline()
	bodies := redis.NewRawCmd(ctx, c.k.mget(ids, rows)...)
	if err := pipe.Process(ctx, bodies); err != nil {
		return nil, explain(ctx, "read records", err)
	}
	var links *redis.SliceCmd
	if len(groups) > 0 && c.whole(c.k.links()) {
		links = pipe.HMGet(ctx, c.k.links(), groups...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return nil, explain(ctx, "read records", err)
	}
	values, err := rawValues(bodies.Val(), len(bodies.Args())-1)
	if err != nil {
		return nil, explain(ctx, "read records", err)
	}
	for i, id := range ids {
		out[i].id, out[i].raw = id, values[i]
		out[i].kind, _ = known(id)
		if rows {
			out[i].row = values[len(ids)+i]
		}
	}
	if links != nil {
		for j, v := range links.Val() {
			out[at[j]].links, _ = v.(string)
		}
	}
	c.decode(out, ids, values[:len(ids)])
	return out, nil
}

// decode decodes and places records, one by one when one of them is damaged.
func (c *check) decode(out []viewed, ids, values []string) {
	recs := make([]*resources.Record, len(ids))
	whole := c.s.codec.decodeAll(recs, ids, values, nil) == nil
	for i := range out {
		x := &out[i]
		if x.rec = recs[i]; !whole {
			x.rec = nil
			if x.raw != "" {
				x.rec, x.bad = c.s.codec.decode(x.kind, x.id, x.raw)
			}
		}
		if x.rec == nil {
			continue
		}
		if x.links != "" {
			setLinks(x.rec, x.links)
		}
		c.place(x)
	}
}

// errUnreadable is what is wrong with a record whose text is no JSON.
var errUnreadable = errors.New("its text is no JSON")

// place derives where a record must be found.
func (c *check) place(x *viewed) {
	if c.cfg.Placed == nil {
		return
	}
	x.has, x.held, x.holds = c.cfg.Placed(x.rec)
	switch x.kind {
	case resources.KindSetting, resources.KindToken, resources.KindOrg:
		// Of these Placement cannot tell "nowhere" from "unreadable".
		if !readable(x.rec) {
			x.bad = errUnreadable
		}
	default:
		if len(x.has) == 0 && !readable(x.rec) {
			x.bad = errUnreadable
		}
	}
	group := resources.Modified(resources.KindGroup)
	for i := range x.has {
		if e := &x.has[i]; e.Index == group {
			e.Time = max(e.Time, x.rec.LinksModified)
		}
	}
	x.has = distinct(x.has)
}

func readable(r *resources.Record) bool {
	return json.Valid(r.Profile) && (len(r.Standing) == 0 || json.Valid(r.Standing))
}

// distinct drops entries that stand in the list twice: two addresses that differ
// in case are one.
func distinct(list []resources.Entry) []resources.Entry {
	out := list[:0]
	for _, e := range list {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// says tells whether the record says that it stands in an index under a value.
func (x *viewed) says(i resources.Index, value string) (resources.Entry, bool) {
	for _, e := range x.has {
		if e.Index == i && (i.Shape() == resources.Time || i.Shape() == resources.Member || e.Value == value) {
			return e, true
		}
	}
	return resources.Entry{}, false
}

// head is the guard that the record is as it was read, groups with their count of
// changes.
func (c *check) head(x *viewed) []guard {
	g := []guard{c.k.seenHead(x.kind, x.id, x.raw)}
	if x.kind == resources.KindGroup {
		g = append(g, guard{"field", c.k.links(), x.id, x.links})
	}
	return g
}

// damage is the finding about a record that cannot be read.
func (c *check) damage(x *viewed) difference {
	c.leaveOut()
	reason := "its bytes make no sense"
	if x.bad != nil {
		reason = strings.TrimPrefix(x.bad.Error(), "backend: record "+x.id+": ")
	}
	return difference{
		Finding: Finding{
			Code: FindingRecordDamaged, Key: c.k.record(x.kind, x.id), Record: x.id,
			Reason: "the record " + x.id + " cannot be read: " + reason,
			Remedy: "delete the organization and restore it from a backup, or delete the key and let the identity provider send the resource again",
		},
		item: x.id, guards: []guard{c.k.seenHead(x.kind, x.id, x.raw)},
	}
}
