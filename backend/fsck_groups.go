package backend

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/resources"
)

// names walks what members see of groups when it is about more groups than there
// are, and the counts of changes likewise.
func (c *check) names(ctx context.Context) error {
	for _, x := range []struct {
		key, reason string
		code        FindingCode
		want        int
	}{
		{c.k.groupNames(), "there is a name of the group %s, which does not exist", FindingGroupName, c.tally.groups},
		{c.k.links(), "there is a count of changes of the group %s, which does not exist", FindingGroupCount, c.tally.counted},
	} {
		if !c.whole(x.key) {
			continue
		}
		n, err := c.client.HLen(ctx, x.key).Result()
		if err != nil {
			return explain(ctx, "count groups", err)
		}
		if int(n) == x.want && !c.cfg.Deep {
			continue
		}
		add, end := pieces(chunkSize, func(ids []string) error {
			return c.again(ctx, ids, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
				return c.namesBack(ctx, x.key, x.reason, x.code, ids)
			})
		})
		if err := c.scan(ctx, "HSCAN", x.key, func(id, _ string) error { return add(id) }); err != nil {
			return err
		}
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) namesBack(ctx context.Context, key, reason string, code FindingCode, ids []string) ([]difference, error) {
	list, err := c.heads(ctx, ids)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	var groups []string
	for _, g := range list {
		if there[g.id] = g.raw != "" && c.idIn(resources.GroupAll)(g.id); there[g.id] {
			groups = append(groups, g.id)
		}
	}
	if err := c.missed(ctx, resources.GroupAll, groups); c.cfg.Placed != nil && err != nil {
		return nil, err
	}
	var found []difference
	is, err := c.client.HMGet(ctx, key, ids...).Result()
	if err != nil {
		return nil, explain(ctx, "read groups", err)
	}
	for i, id := range ids {
		text, ok := is[i].(string)
		if there[id] || !ok {
			continue
		}
		d := difference{
			Finding: Finding{Code: code, Key: key, Entry: id, Record: id, Reason: fmt.Sprintf(reason, id)},
			item:    id, guards: []guard{{"field", key, id, text}},
			fixes: []fix{{"HDEL", key, []string{id}}},
		}
		if kind, ok := known(id); ok && kind == resources.KindGroup {
			d.guards = append(d.guards, c.k.seenHead(kind, id, ""))
		}
		found = append(found, d)
	}
	return found, nil
}

// trash checks that only groups that are gone wait to be cleared, and that there
// is something to clear.
func (c *check) trash(ctx context.Context) error {
	list := c.k.trashList()
	add, end := pieces(chunkSize, func(ids []string) error {
		return c.again(ctx, ids, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
			heads, err := c.heads(ctx, ids)
			if err != nil {
				return nil, err
			}
			var found []difference
			for _, g := range heads {
				n, err := c.client.Exists(ctx, c.k.trash(g.id)).Result()
				if err != nil {
					return nil, explain(ctx, "look at the trash", err)
				}
				d := difference{
					Finding: Finding{Code: FindingTrash, Key: list, Entry: g.id, Record: g.id},
					item:    g.id, guards: []guard{{"head", c.k.record(resources.KindGroup, g.id), "", g.raw}},
					fixes: []fix{{"ZREM", list, []string{g.id}}},
				}
				switch {
				case g.raw != "":
					d.Reason = "the group " + g.id + " lives and waits to be swept"
					d.fixes = append(d.fixes, fix{"UNLINK", c.k.trash(g.id), nil})
				case n == 0:
					d.Reason = "the group " + g.id + " waits to be swept and left nothing"
					d.guards = append(d.guards, guard{"exists", c.k.trash(g.id), "", "0"})
				default:
					continue
				}
				found = append(found, d)
			}
			return found, nil
		})
	})
	if err := c.scan(ctx, "ZSCAN", list, func(id, _ string) error { return add(id) }); err != nil {
		return err
	}
	return end()
}
