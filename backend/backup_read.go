package backend

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// errLapsed says that a freeze ended by itself.
var errLapsed = errors.New("the freeze ended")

// say writes lines.
func (b *backup) say(lines ...*line) error {
	for _, l := range lines {
		if err := b.put(l); err != nil {
			return err
		}
	}
	b.step.Lines += len(lines)
	return nil
}

// kind reads all records of a kind, in the order of their ids: what is created
// behind the walk's place is noted.
func (b *backup) kind(ctx context.Context, kind resources.Kind) error {
	return b.walkIDs(ctx, b.keys.index(resources.All(kind)), func(ids []string) error {
		if kind == resources.KindUser {
			b.step.Users += len(ids)
		}
		return b.records(ctx, kind, ids, false)
	})
}

// walkIDs gives the members of a set whose scores are all 0, in order.
func (b *backup) walkIDs(ctx context.Context, key string, fn func([]string) error) error {
	for from := "-"; ; {
		began := started()
		ids, err := b.s.scans.ZRangeArgs(ctx, redis.ZRangeArgs{Key: key, Start: from, Stop: "+", ByLex: true, Count: linkChunk}).Result()
		if err != nil {
			return explain(ctx, "read a list for the backup", err)
		}
		if len(ids) == 0 {
			return nil
		}
		if err := fn(ids); err != nil {
			return err
		}
		from = "(" + ids[len(ids)-1]
		if b.frozen {
			continue
		}
		if err := b.rest(ctx, began); err != nil {
			return err
		}
	}
}

// records writes records of one kind; gone tells to write also that one is not
// there any more.
func (b *backup) records(ctx context.Context, kind resources.Kind, ids []string, gone bool) error {
	recs, err := b.s.load(ctx, b.s.scans, b.keys, ids)
	if err != nil {
		return err
	}
	ends := make([]float64, len(ids))
	if kind == resources.KindToken || kind == resources.KindSetting {
		recordKeys := make([]string, len(ids))
		for i, id := range ids {
			recordKeys[i] = b.keys.record(kind, id)
		}
		if ends, err = b.s.scans.ZMScore(ctx, b.keys.expiry(), recordKeys...).Result(); err != nil {
			return explain(ctx, "read expiries for the backup", err)
		}
	}
	changing, err := b.changing(ctx, kind, ids)
	if err != nil {
		return err
	}
	var room bytes.Buffer
	for i, r := range recs {
		switch {
		case r == nil && gone:
			err = b.say(&line{T: kindWords[kind], ID: ids[i], Gone: true})
		case r == nil || b.elsewhere(r):
		default:
			l := recordLine(r, int64(ends[i]), &room)
			l.Changing, _ = changing[i].(string)
			if err = b.say(l); err == nil {
				err = b.learn(ctx, r)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changing tells of groups by which setting their membership is being changed.
func (b *backup) changing(ctx context.Context, kind resources.Kind, ids []string) ([]any, error) {
	if kind != resources.KindGroup || len(ids) == 0 {
		return make([]any, len(ids)), nil
	}
	marks, err := b.s.scans.HMGet(ctx, b.keys.changing(), ids...).Result()
	return marks, explain(ctx, "read changes of memberships for the backup", err)
}

// elsewhere reports whether a record of the platform goes with the organization
// that it is about.
func (b *backup) elsewhere(r *resources.Record) bool {
	if b.cfg.Org != resources.PlatformOrg {
		return false
	}
	_, is := resources.HomeOf(r)
	return is
}

// learn reads the pools that a record tells of, but not who is in them.
func (b *backup) learn(ctx context.Context, r *resources.Record) error {
	if r.Kind != resources.KindSetting {
		return nil
	}
	_, _, holdings := b.cfg.Placed(r)
	for _, name := range holdings.Others {
		if b.others[name] {
			continue
		}
		b.others[name] = true
		if err := b.pool(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// pool writes who is in a pool.
func (b *backup) pool(ctx context.Context, name string) error {
	if badName(name) {
		return nil
	}
	holders, err := b.s.scans.SMembers(ctx, b.keys.pool(name)).Result()
	if err != nil {
		return explain(ctx, "read a pool for the backup", err)
	}
	slices.Sort(holders)
	more := false
	for chunk := range slices.Chunk(holders, linkChunk) {
		if err := b.say(&line{T: linePool, Name: name, Holders: chunk, More: more}); err != nil {
			return err
		}
		more = true
	}
	if !more {
		return b.say(&line{T: linePool, Name: name, Gone: true})
	}
	return nil
}

// memberships reads who is in which group.
func (b *backup) memberships(ctx context.Context) error {
	return b.walkIDs(ctx, b.keys.index(resources.GroupAll), func(groups []string) error {
		pipe := b.s.scans.Pipeline()
		sizes := make([]*redis.IntCmd, len(groups))
		for i, g := range groups {
			sizes[i] = pipe.ZCard(ctx, b.keys.members(g))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return explain(ctx, "read memberships for the backup", err)
		}
		for i, g := range groups {
			if sizes[i].Val() == 0 {
				continue // who comes in is noted
			}
			err := b.walkIDs(ctx, b.keys.members(g), func(ids []string) error {
				return b.say(&line{T: lineMembers, Group: g, In: ids})
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// trash reads what deleted groups leave to be done.
func (b *backup) trash(ctx context.Context) error {
	list, err := b.s.scans.ZRangeWithScores(ctx, b.keys.trashList(), 0, -1).Result()
	if err != nil {
		return explain(ctx, "read deleted groups for the backup", err)
	}
	for _, z := range list {
		group, _ := z.Member.(string)
		if z.Score == disbandedScore {
			if err := b.trashOf(ctx, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// trashOf writes who was in one of them and is still to become due.
func (b *backup) trashOf(ctx context.Context, group string) error {
	more := false
	err := b.walkIDs(ctx, b.keys.trash(group), func(ids []string) error {
		l := &line{T: lineTrash, Group: group, In: ids, More: more}
		more = true
		return b.say(l)
	})
	return err
}

// expiring reads what stands nowhere but among what expires: the secrets of the
// vault, and the access tokens of OAuth clients, which no list has.
func (b *backup) expiring(ctx context.Context) error {
	return b.scores(ctx, b.keys.expiry(), func(keys []string) error {
		for chunk := range slices.Chunk(keys, chunkSize) {
			var secrets []string
			ids := map[resources.Kind][]string{}
			for _, key := range chunk {
				if kind, id, ok := b.keys.parseRecord(key); ok {
					ids[kind] = append(ids[kind], id)
				} else {
					secrets = append(secrets, key)
				}
			}
			if err := b.secretsAt(ctx, secrets, false); err != nil {
				return err
			}
			for kind, list := range ids {
				if err := b.unlisted(ctx, kind, list); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// unlisted writes those records that no list has.
func (b *backup) unlisted(ctx context.Context, kind resources.Kind, ids []string) error {
	recs, err := b.s.load(ctx, b.s.scans, b.keys, ids)
	if err != nil {
		return err
	}
	var alone []string
	for _, r := range recs {
		if r == nil {
			continue
		}
		entries, _, _ := b.cfg.Placed(r)
		if !slices.ContainsFunc(entries, func(e resources.Entry) bool { return e.Index == resources.All(kind) }) {
			alone = append(alone, r.ID)
		}
	}
	if len(alone) == 0 {
		return nil
	}
	return b.records(ctx, kind, alone, false)
}

// scores gives what stands in an ordered list, in no order, at least once.
func (b *backup) scores(ctx context.Context, key string, fn func(members []string) error) error {
	for cursor := uint64(0); ; {
		began := started()
		pairs, next, err := b.s.scans.ZScan(ctx, key, cursor, "", walkSize).Result()
		if err != nil {
			return explain(ctx, "read a list for the backup", err)
		}
		members := make([]string, 0, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			members = append(members, pairs[i])
		}
		if err := fn(members); err != nil {
			return err
		}
		if err := b.rest(ctx, began); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// parseSecret splits the key of a secret of this organization.
func (k keys) parseSecret(key string) (purpose, hash string, ok bool) {
	rest, ok := strings.CutPrefix(key, "vt"+k.tag+":")
	if !ok {
		return "", "", false
	}
	purpose, hash, ok = strings.Cut(rest, ":")
	return purpose, hash, ok && isHash(hash)
}

// secretsAt writes secrets by their keys.
func (b *backup) secretsAt(ctx context.Context, keys []string, gone bool) error {
	if len(keys) == 0 {
		return nil
	}
	values, err := b.s.scans.MGet(ctx, keys...).Result()
	if err != nil {
		return explain(ctx, "read secrets for the backup", err)
	}
	for i, key := range keys {
		purpose, hash, ok := b.keys.parseSecret(key)
		if !ok {
			continue
		}
		l := &line{T: lineSecret, Purpose: purpose, Hash: hash, Gone: true}
		if raw, there := values[i].(string); there && len(raw) >= expirySize {
			ms, _ := digits(raw[:expirySize])
			l.Gone, l.Expires, l.Value = false, int64(ms), []byte(raw[expirySize:])
		} else if !gone {
			continue
		}
		if err := b.say(l); err != nil {
			return err
		}
	}
	return nil
}
