package backend

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// trashPiece is how many former members of a group one script clears: about a
// millisecond, two when they become due.
const trashPiece = 250

// Sweep implements resources.Store.
func (s *Store) Sweep(ctx context.Context, org resources.OrgID, now time.Time, limit int, placed resources.Placed) (n int, err error) {
	defer s.observe("sweep", started(), &err)
	k, err := keysOf(org)
	if err != nil || limit <= 0 {
		return 0, err
	}
	n, err = s.sweepExpired(ctx, k, now, limit, placed)
	if err != nil {
		return n, err
	}
	for n < limit {
		m, err := s.sweepTrash(ctx, k, now, min(limit-n, trashPiece))
		n += m
		if err != nil {
			return n, err
		}
		if m == 0 {
			break
		}
	}
	if n == 0 {
		n, err = s.sweepClaims(ctx, k, limit)
	}
	if n == 0 && err == nil {
		return s.sweepAttempts(ctx, k)
	}
	return n, err
}

// sweepExpired removes records and secrets whose time has passed, one by one:
// each may have been given more time meanwhile.
func (s *Store) sweepExpired(ctx context.Context, k keys, now time.Time, limit int, placed resources.Placed) (int, error) {
	ms := strconv.FormatInt(now.UnixMilli(), 10)
	due, err := s.reads.ZRangeArgs(ctx, redis.ZRangeArgs{Key: k.expiry(), Start: "-inf", Stop: "(" + ms, ByScore: true, Count: int64(limit)}).Result()
	if err != nil {
		return 0, explain(ctx, "sweep", err)
	}
	n := 0
	for _, key := range due {
		kind, id, record := k.parseRecord(key)
		done, there := false, false
		if record && kind == resources.KindSetting {
			done, there, err = s.sweepPlaced(ctx, k, id, now, placed)
		}
		if !there && err == nil {
			done, err = s.sweepThing(ctx, k, key, ms)
		}
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}

// sweepPlaced removes a setting whose time has passed with its places in indexes
// and its claims. It reports whether it did, and whether the setting was there: it
// may have been given more time.
func (s *Store) sweepPlaced(ctx context.Context, k keys, id string, now time.Time, placed resources.Placed) (done, there bool, err error) {
	c, err := s.Update(ctx, k.org, func(ctx context.Context, tx resources.Tx) error {
		rec, err := tx.Read(resources.KindSetting, id)
		if there = rec != nil; err != nil || !there {
			return err
		}
		// Behind the reading: who gives more time writes the record too.
		ends, err := s.reads.ZScore(ctx, k.expiry(), k.record(rec.Kind, id)).Result()
		if errors.Is(err, redis.Nil) || err == nil && int64(ends) >= now.UnixMilli() {
			return nil
		}
		if err != nil {
			return explain(ctx, "sweep", err)
		}
		entries, claims, _ := placed(rec)
		tx.Delete(rec, entries)
		for _, c := range claims {
			tx.Release(c.Claim, c.Holder)
		}
		return nil
	})
	return c.Changed, there, err
}

// sweepThing removes what stands in no index by value: a token, a secret.
func (s *Store) sweepThing(ctx context.Context, k keys, key, ms string) (bool, error) {
	c := newCall(s.scripts.expire, 8)
	c.key(k.expiry(), key)
	kind, id, record := k.parseRecord(key)
	if record {
		for _, i := range resources.Indexes() {
			if i.Kind() == kind && (i.Shape() == resources.Member || i.Shape() == resources.Time) {
				c.key(k.index(i))
			}
		}
	}
	c.key(k.backup())
	c.arg(ms, id)
	reply, err := s.write(ctx, c)
	done, _ := reply.(int64)
	return done > 0, explain(ctx, "sweep", err)
}

// sweepTrash clears up to limit memberships of one deleted group. Users whose
// group was disbanded become due.
func (s *Store) sweepTrash(ctx context.Context, k keys, now time.Time, limit int) (int, error) {
	list, err := s.reads.ZRangeWithScores(ctx, k.trashList(), 0, 0).Result()
	if err != nil || len(list) == 0 {
		return 0, explain(ctx, "sweep", err)
	}
	group, _ := list[0].Member.(string)
	ids, err := s.reads.ZRange(ctx, k.trash(group), 0, int64(limit-1)).Result()
	if err != nil {
		return 0, explain(ctx, "sweep", err)
	}
	c := newCall(s.scripts.trash, 5+3*len(ids))
	c.key(k.trashList(), k.trash(group), k.due())
	for _, id := range ids {
		c.key(k.groupsOf(id))
	}
	c.key(k.backup())
	c.arg(group, strconv.FormatInt(dueAt(now), 10))
	for _, id := range ids {
		item := ""
		if kind, ok := known(id); ok && kind == resources.KindUser {
			item = resources.ItemOfUser(id)
		}
		c.arg(id, item)
	}
	if _, err = s.write(ctx, c); err != nil {
		return 0, explain(ctx, "sweep", err)
	}
	if list[0].Score == disbandedScore && len(ids) > 0 {
		s.rang(k.org)
	}
	return max(len(ids), 1), nil
}

// sweepAttempts forgets attempts that are too old to be sent again.
func (s *Store) sweepAttempts(ctx context.Context, k keys) (int, error) {
	c := newCall(s.scripts.attempts, 2)
	c.key(k.attempts('0'), k.attempts('1'))
	reply, err := s.write(ctx, c)
	n, _ := reply.(int64)
	return int(n), explain(ctx, "sweep", err)
}
