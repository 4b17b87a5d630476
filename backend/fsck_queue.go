package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// queue checks that failures are of items on the list, and that every parked item
// has its cause and every cause its item.
func (c *check) queue(ctx context.Context) error {
	k := c.k
	for _, x := range []struct {
		hash, list, reason string
		code               FindingCode
	}{
		{k.tries(), k.due(), "there are tries of the item %s, which is not on the list", FindingTriesExtra},
		{k.causes(), k.parked(), "there is a cause of the item %s, which is not parked", FindingCauseExtra},
	} {
		if !c.whole(x.list) {
			continue
		}
		err := c.scan(ctx, "HSCAN", x.hash, func(item, _ string) error {
			if err := c.client.ZScore(ctx, x.list, item).Err(); !errors.Is(err, redis.Nil) {
				return explain(ctx, "read what is due", err)
			}
			return c.once(ctx, difference{
				Finding: Finding{Code: x.code, Key: x.hash, Entry: item, Reason: fmt.Sprintf(x.reason, item)},
				guards:  []guard{{"score", x.list, item, ""}}, fixes: []fix{{"HDEL", x.hash, []string{item}}},
			})
		})
		if err != nil {
			return err
		}
	}
	err := c.scan(ctx, "ZSCAN", k.parked(), func(item, _ string) error {
		if err := c.client.HGet(ctx, k.causes(), item).Err(); !errors.Is(err, redis.Nil) {
			return explain(ctx, "read what is parked", err)
		}
		return c.once(ctx, difference{
			Finding: Finding{Code: FindingCauseMissing, Key: k.causes(), Entry: item, Reason: "the parked item " + item + " has no cause"},
			guards:  []guard{{"field", k.causes(), item, ""}},
			fixes:   []fix{{"HSET", k.causes(), []string{item, "1 the cause was lost"}}},
		})
	})
	if err != nil {
		return err
	}
	return c.scan(ctx, "ZSCAN", k.due(), func(item, at string) error {
		if n, err := strconv.ParseFloat(at, 64); item != "" && len(item) <= longestItem && err == nil && n >= 0 {
			return nil
		}
		return c.once(ctx, difference{
			Finding: Finding{
				Code: FindingDueDamaged, Key: k.due(), Entry: item, Reason: fmt.Sprintf("the item %q is due at %s, which makes no sense", item, at),
				Remedy: "look at the item with usher job list; take it off with redis-cli ZREM if it is none",
			},
			guards: []guard{{"score", k.due(), item, at}},
		})
	})
}

// expiryOf looks whether records that expire stand in the list of what expires.
func (c *check) expiryOf(ctx context.Context, list []*viewed, _ bool) ([]difference, error) {
	key := c.k.expiry()
	if c.cfg.Expires == nil || !c.whole(key) {
		return nil, nil
	}
	var due []*viewed
	var names []string
	var ends []int64
	for _, x := range list {
		if t, ok := c.cfg.Expires(x.rec); ok {
			due, names, ends = append(due, x), append(names, c.k.record(x.kind, x.id)), append(ends, t.UnixMilli())
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	is, err := c.s.standIn(ctx, c.client, key, names)
	if err != nil {
		return nil, err
	}
	var found []difference
	for i, x := range due {
		if d, wrong := c.expires(names[i], ends[i], is[i]); wrong {
			d.item, d.Record = x.id, x.id
			d.guards = append(d.guards, c.head(x)...)
			found = append(found, d)
		}
	}
	return found, nil
}

// expires compares when something is to expire with when it says.
func (c *check) expires(name string, want int64, is any) (difference, bool) {
	key := c.k.expiry()
	text, there := is.(string)
	if score, err := strconv.ParseFloat(text, 64); there && err == nil && int64(score) == want {
		return difference{}, false
	}
	d := difference{
		Finding: Finding{Code: FindingExpiryMissing, Key: key, Entry: name, Reason: name + " expires and is not on the list of what does"},
		guards:  []guard{{"score", key, name, text}},
		fixes:   []fix{{"ZADD", key, []string{number(want), name}}},
	}
	if there {
		d.Code, d.Reason = FindingExpiryTime, fmt.Sprintf("%s is to expire at %s, it says %d", name, text, want)
	}
	return d, true
}

// expiry walks the list of what expires: it must exist, and secrets must say the
// same time.
func (c *check) expiry(ctx context.Context) error {
	add, end := pieces(chunkSize, func(names []string) error {
		return c.again(ctx, names, c.expiryBack)
	})
	if err := c.scan(ctx, "ZSCAN", c.k.expiry(), func(name, _ string) error { return add(name) }); err != nil {
		return err
	}
	return end()
}

func (c *check) expiryBack(ctx context.Context, names []string, _ bool) ([]difference, error) {
	key := c.k.expiry()
	scores, err := c.s.standIn(ctx, c.client, key, names)
	if err != nil {
		return nil, err
	}
	var found []difference
	var ids []string
	pipe := c.client.Pipeline()
	values := make([]*redis.StringCmd, len(names))
	for i, name := range names {
		if typeOf(name) == "string" && c.mine(name) {
			values[i] = pipe.GetRange(ctx, name, 0, 26)
		}
	}
	if pipe.Len() > 0 {
		if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
			return nil, explain(ctx, "read what expires", err)
		}
	}
	for i, name := range names {
		score, there := scores[i].(string)
		if !there {
			continue
		}
		value := ""
		if values[i] != nil {
			value = values[i].Val()
		}
		if value == "" {
			d := difference{
				Finding: Finding{Code: FindingExpiryExtra, Key: key, Entry: name, Reason: fmt.Sprintf("%s is to expire at %s and does not exist", name, score)},
				item:    name, guards: []guard{{"score", key, name, score}}, fixes: []fix{{"ZREM", key, []string{name}}},
			}
			if values[i] != nil {
				d.guards = append(d.guards, guard{"exists", name, "", "0"})
			}
			found = append(found, d)
			continue
		}
		if _, id, ok := c.k.parseRecord(name); ok {
			ids = append(ids, id)
		} else if d, wrong := c.secret(name, value, score); wrong {
			found = append(found, d)
		}
	}
	return found, c.expiring(ctx, ids)
}

// mine tells whether a key is one of the organization.
func (c *check) mine(key string) bool {
	for i := 0; i <= 2 && i < len(key); i++ {
		if len(key[i:]) > len(c.k.tag) && key[i:i+len(c.k.tag)] == c.k.tag && key[i+len(c.k.tag)] == ':' {
			return true
		}
	}
	return false
}

// secret compares when a secret is to expire with what stands before its value.
func (c *check) secret(name, value, score string) (difference, bool) {
	ms, ok := uint64(0), len(value) >= expirySize
	if ok {
		ms, ok = digits(value[:expirySize])
	}
	if !ok {
		return difference{
			Finding: Finding{
				Code: FindingSecretDamaged, Key: name, Reason: "the secret " + name + " does not say when it expires",
				Remedy: "delete the key: whoever needs the secret asks for a new one",
			},
			item: name, guards: []guard{{"score", c.k.expiry(), name, score}, {"exists", name, "", "1"}},
		}, true
	}
	return c.expires(name, int64(ms), score)
}

// expiring checks records that expire and stand in no index: access tokens.
func (c *check) expiring(ctx context.Context, ids []string) error {
	if len(ids) == 0 || c.cfg.Placed == nil {
		return nil
	}
	list, err := c.read(ctx, ids, false)
	if err != nil {
		return err
	}
	var nowhere []string
	byKind := map[resources.Kind][]string{}
	for i := range list {
		switch x := &list[i]; {
		case x.raw == "":
		case x.bad != nil || len(x.has) == 0:
			nowhere = append(nowhere, x.id)
		default:
			byKind[x.kind] = append(byKind[x.kind], x.id)
		}
	}
	for kind, ids := range byKind {
		if err := c.missed(ctx, resources.All(kind), ids); err != nil {
			return err
		}
	}
	return c.again(ctx, nowhere, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
		return c.forward(ctx, ids, false)
	})
}
