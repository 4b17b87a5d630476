package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// rowsOf looks whether the groups of members stand in their rows as they must.
func (c *check) rowsOf(_ context.Context, list []*viewed, _ bool) ([]difference, error) {
	var found []difference
	for _, x := range list {
		clean, bad := badRow(x.row, c.idIn(resources.GroupAll))
		if !bad {
			continue
		}
		key := c.k.groupsOf(x.id)
		d := difference{
			Finding: Finding{Code: FindingRowDamaged, Key: key, Record: x.id, Reason: x.id + " has groups in a row that are none, or stand there twice"},
			item:    x.id, guards: []guard{{"get", key, "", x.row}}, fixes: []fix{{"SET", key, []string{clean}}},
		}
		if clean == "" {
			d.fixes = []fix{{"DEL", key, nil}}
		}
		found = append(found, d)
	}
	return found, nil
}

// groupsOf looks at what members see of groups, and at the members.
func (c *check) groupsOf(ctx context.Context, list []*viewed, first bool) ([]difference, error) {
	var groups []*viewed
	var ids []string
	for _, x := range list {
		if x.kind == resources.KindGroup {
			groups, ids = append(groups, x), append(ids, x.id)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	pipe := c.client.Pipeline()
	var names *redis.SliceCmd
	if c.whole(c.k.groupNames()) {
		names = pipe.HMGet(ctx, c.k.groupNames(), ids...)
	}
	sizes := make([]*redis.IntCmd, len(ids))
	for i, id := range ids {
		sizes[i] = pipe.ZCard(ctx, c.k.members(id))
	}
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return nil, explain(ctx, "read groups", err)
	}
	var found []difference
	for i, x := range groups {
		if wrongType(sizes[i].Err()) {
			if err := c.anotherType(ctx, c.k.members(x.id)); err != nil {
				return nil, err
			}
			continue
		}
		if names != nil {
			found = append(found, c.nameOf(x, names.Val()[i])...)
		}
		more, err := c.countOf(ctx, x, sizes[i].Val())
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
		if first && sizes[i].Val() > 0 {
			if err := c.members(ctx, x, int(sizes[i].Val())); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// nameOf compares the name that members see.
func (c *check) nameOf(x *viewed, is any) []difference {
	name, there := is.(string)
	if there && name == x.rec.Display {
		return nil
	}
	key := c.k.groupNames()
	d := difference{
		Finding: Finding{Code: FindingGroupName, Key: key, Entry: x.id, Record: x.id, Reason: fmt.Sprintf("the group %s is called %q to its members, the record says %q", x.id, name, x.rec.Display)},
		item:    x.id, guards: append(c.head(x), guard{"field", key, x.id, name}),
		fixes: []fix{{"HSET", key, []string{x.id, x.rec.Display}}},
	}
	if !there {
		d.Reason = "the group " + x.id + " has no name to its members"
	}
	return []difference{d}
}

// countOf looks for the count of changes that a group with members must have. How
// often it changed is not known any more: the new count is greater than any that
// a client can have seen.
func (c *check) countOf(ctx context.Context, x *viewed, size int64) ([]difference, error) {
	key := c.k.links()
	count, ms, cut := strings.Cut(x.links, ":")
	_, ok1 := digits(count)
	_, ok2 := digits(ms)
	if !c.whole(key) || (x.links != "" && cut && ok1 && ok2 && count != "" && ms != "") || (x.links == "" && size == 0) {
		return nil, nil
	}
	events, err := c.client.XLen(ctx, c.k.events()).Result()
	if err != nil && !wrongType(err) {
		return nil, explain(ctx, "count events", err)
	}
	at := max(x.rec.Modified, x.rec.LinksModified, c.s.cfg.Now().UnixMilli())
	return []difference{{
		Finding: Finding{Code: FindingGroupCount, Key: key, Entry: x.id, Record: x.id, Reason: "group " + x.id + " has members and no count of changes"},
		item:    x.id, guards: []guard{c.k.seenHead(x.kind, x.id, x.raw), {"field", key, x.id, x.links}},
		fixes: []fix{{"HSET", key, []string{x.id, number(events+size+1) + ":" + number(at)}}},
	}}, nil
}

// members walks the members of a group and looks whether they exist and know it.
func (c *check) members(ctx context.Context, x *viewed, size int) error {
	c.mu.Lock()
	c.tally.links += size
	c.mu.Unlock()
	add, end := pieces(chunkSize, func(ids []string) error {
		return c.again(ctx, ids, func(ctx context.Context, ids []string, first bool) ([]difference, error) {
			return c.membersOf(ctx, x, ids, first)
		})
	})
	err := c.scan(ctx, "ZSCAN", c.k.members(x.id), func(id, _ string) error { return add(id) })
	if err != nil {
		return err
	}
	return end()
}

// membersOf looks at some members. first: those that do not exist have no groups in
// a row, and are not counted as if they had.
func (c *check) membersOf(ctx context.Context, x *viewed, ids []string, first bool) ([]difference, error) {
	group, err := c.heads(ctx, []string{x.id})
	if err != nil {
		return nil, err
	}
	list, err := c.heads(ctx, ids)
	if err != nil {
		return nil, err
	}
	key := c.k.members(x.id)
	if first {
		c.mu.Lock()
		for _, m := range list {
			if m.raw == "" {
				c.tally.links--
			}
		}
		c.mu.Unlock()
	}
	// All scores are 0, unless somebody else wrote one: what is compared must be
	// what is there, or the difference would look like a change that never rests.
	scores, err := c.client.ZMScore(ctx, key, ids...).Result()
	if err != nil {
		return nil, explain(ctx, "read members", err)
	}
	var found []difference
	for i, m := range list {
		row, score := c.k.groupsOf(m.id), strconv.FormatFloat(scores[i], 'f', -1, 64)
		d := difference{item: ids[i], guards: []guard{{"head", c.k.record(x.kind, x.id), "", group[0].raw}, {"score", key, m.id, score}}}
		if kind, ok := known(m.id); ok {
			d.guards = append(d.guards, guard{"head", c.k.record(kind, m.id), "", m.raw})
		}
		switch {
		case m.raw == "":
			d.Finding = Finding{
				Code: FindingMemberMissing, Key: key, Entry: m.id, Record: x.id,
				Reason: fmt.Sprintf("group %s has the member %s, which does not exist", x.id, m.id),
				Remedy: "remove the member from the group by SCIM (PATCH /Groups/" + x.id + ", remove), or restore it from a backup",
			}
		case !at(m.row, x.id):
			d.Finding = Finding{Code: FindingLinkMissing, Key: row, Entry: x.id, Record: m.id, Reason: fmt.Sprintf("%s does not know its group %s", m.id, x.id)}
			d.guards = append(d.guards, guard{"inrow", row, x.id, "0"})
			d.fixes = []fix{{"JOIN", row, []string{x.id}}}
		default:
			continue
		}
		found = append(found, d)
	}
	return found, nil
}

// headed is an id with its record's version and stamp, "" for none, and its groups.
type headed struct{ id, raw, row string }

// heads reads which records there are, and their groups.
func (c *check) heads(ctx context.Context, ids []string) ([]headed, error) {
	pipe := c.client.Pipeline()
	heads, rows := make([]*redis.StringCmd, len(ids)), make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		if kind, ok := known(id); ok {
			heads[i] = pipe.GetRange(ctx, c.k.record(kind, id), 2, 26)
			rows[i] = pipe.Get(ctx, c.k.groupsOf(id))
		}
	}
	if pipe.Len() > 0 {
		if _, err := pipe.Exec(ctx); err != nil && err != redis.Nil && !wrongType(err) { //nolint:errorlint // Exec gives the first command's error as it is
			return nil, explain(ctx, "read members", err)
		}
	}
	out := make([]headed, len(ids))
	for i, id := range ids {
		out[i].id = id
		if heads[i] != nil {
			out[i].raw, out[i].row = heads[i].Val(), rows[i].Val()
		}
	}
	return out, nil
}

// rows walks the members' side when it has not as many groups as the groups'
// side has members.
func (c *check) rows(ctx context.Context) error {
	if c.tally.rows == c.tally.links && !c.cfg.Deep {
		return nil
	}
	for _, kind := range []resources.Kind{resources.KindUser, resources.KindGroup} {
		err := c.eachChunk(ctx, kind, func(ctx context.Context, ids []string) error {
			return c.again(ctx, ids, c.rowsBack)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rowsBack looks whether groups have the members that say so, or wait to be
// cleared of them.
func (c *check) rowsBack(ctx context.Context, ids []string, _ bool) ([]difference, error) {
	list, err := c.heads(ctx, ids)
	if err != nil {
		return nil, err
	}
	byGroup := map[string][]string{}
	for _, m := range list {
		for _, g := range unpackIDs(m.row) {
			if !slices.Contains(byGroup[g], m.id) {
				byGroup[g] = append(byGroup[g], m.id)
			}
		}
	}
	if len(byGroup) == 0 {
		return nil, nil
	}
	pipe := c.client.Pipeline()
	in, waits := map[string]*redis.Cmd{}, map[string]*redis.Cmd{}
	for g, ids := range byGroup {
		in[g], waits[g] = pipe.Do(ctx, scoresOf(c.k.members(g), ids)...), pipe.Do(ctx, scoresOf(c.k.trash(g), ids)...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return nil, explain(ctx, "read members", err)
	}
	var found []difference
	for g, ids := range byGroup {
		member, err1 := in[g].Slice()
		trash, err2 := waits[g].Slice()
		if err1 != nil || err2 != nil {
			continue // of a wrong type, which is told elsewhere
		}
		for i, id := range ids {
			if member[i] == nil && trash[i] == nil {
				found = append(found, c.strangeRow(id, g))
			}
		}
	}
	return found, nil
}

func scoresOf(key string, ids []string) []any {
	args := []any{"ZMSCORE", key}
	for _, id := range ids {
		args = append(args, id)
	}
	return args
}

// strangeRow is the difference that a member names a group that does not have it.
func (c *check) strangeRow(id, group string) difference {
	key := c.k.groupsOf(id)
	return difference{
		Finding: Finding{Code: FindingLinkExtra, Key: key, Entry: group, Record: id, Reason: fmt.Sprintf("%s says it is in the group %s, which does not have it", id, group)},
		item:    id,
		guards:  []guard{{"inrow", key, group, "1"}, {"score", c.k.members(group), id, ""}, {"score", c.k.trash(group), id, ""}},
		fixes:   []fix{{"PART", key, []string{group}}},
	}
}
