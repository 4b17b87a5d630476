package backend

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

// Erase implements resources.Store. It walks the organization's own lists,
// never the server's keys, and clears a list only together with what it
// lists, so that it can be stopped and started at any point.
func (s *Store) Erase(ctx context.Context, org resources.OrgID, limit int) (n int, err error) {
	defer s.observe("erase", started(), &err)
	k, err := keysOf(org)
	if err != nil || limit <= 0 {
		return 0, err
	}
	limit = min(limit, chunkSize)
	if err := s.endBackup(ctx, k); err != nil {
		return 0, err
	}
	for _, kind := range resources.Kinds() {
		if n, err = s.eraseRecords(ctx, k, kind, limit); n > 0 || err != nil {
			return n, err
		}
	}
	for _, step := range []func(context.Context, keys, int) (int, error){s.eraseClaims, s.eraseNotes, s.eraseExpiry, s.eraseTrash, s.erasePlaces} {
		if n, err = step(ctx, k, limit); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, s.eraseRest(ctx, k)
}

// endBackup makes a backup that is running find out that what it reads goes away.
func (s *Store) endBackup(ctx context.Context, k keys) error {
	c := newCall(s.scripts.erase, 3)
	c.key(k.backup(), k.backup())
	c.arg("ZREM")
	_, err := s.write(ctx, c)
	return explain(ctx, "erase", err)
}

func (s *Store) eraseRecords(ctx context.Context, k keys, kind resources.Kind, limit int) (int, error) {
	list := k.index(resources.All(kind))
	ids, err := s.reads.ZRange(ctx, list, 0, int64(limit-1)).Result()
	if err != nil {
		return 0, explain(ctx, "erase", err)
	}
	return s.eraseListed(ctx, list, "ZREM", ids, func(id string) []string {
		switch kind {
		case resources.KindUser:
			return []string{k.record(kind, id), k.groupsOf(id)}
		case resources.KindGroup:
			return []string{k.record(kind, id), k.groupsOf(id), k.members(id)}
		}
		return []string{k.record(kind, id)}
	})
}

// eraseListed deletes the keys that belong to the entries of a list, and the
// entries.
func (s *Store) eraseListed(ctx context.Context, list, cmd string, entries []string, keysFor func(string) []string) (int, error) {
	if len(entries) == 0 {
		return 0, nil
	}
	c := newCall(s.scripts.erase, 2+4*len(entries))
	c.key(list)
	for _, e := range entries {
		c.key(keysFor(e)...)
	}
	c.arg(cmd)
	for _, e := range entries {
		c.arg(e)
	}
	if _, err := s.write(ctx, c); err != nil {
		return 0, explain(ctx, "erase", err)
	}
	return len(entries), nil
}

func (s *Store) eraseClaims(ctx context.Context, k keys, limit int) (int, error) {
	pairs, err := s.somePairs(ctx, k.claims(), limit)
	if err != nil {
		return 0, explain(ctx, "erase", err)
	}
	n := min(len(pairs)/2, chunkSize)
	if n == 0 {
		return 0, nil
	}
	c := newCall(s.scripts.unclaim, 2+2*n)
	c.key(k.claims())
	if s.spread { // given back one by one, as their notes say
		c = newCall(s.scripts.claim.leave, 2+n)
		c.key(k.claims(), k.notes())
	} else {
		for i := range n {
			kind, key, _ := strings.Cut(pairs[2*i], "|")
			c.key(claimKey(resources.Claim{Kind: resources.ClaimKind(kind), Key: key}))
		}
		c.arg("C|" + string(k.org) + "|")
	}
	for i := range n {
		c.arg(pairs[2*i])
	}
	if _, err := s.write(ctx, c); err != nil {
		return 0, explain(ctx, "erase", err)
	}
	return n, nil
}

// eraseNotes does what was noted about claims before the notes go.
func (s *Store) eraseNotes(ctx context.Context, k keys, limit int) (int, error) {
	n, err := s.replay(ctx, k, limit)
	return n, explain(ctx, "erase", err)
}

func (s *Store) eraseExpiry(ctx context.Context, k keys, limit int) (int, error) {
	due, err := s.reads.ZRange(ctx, k.expiry(), 0, int64(limit-1)).Result()
	if err != nil {
		return 0, explain(ctx, "erase", err)
	}
	return s.eraseListed(ctx, k.expiry(), "ZREM", due, func(key string) []string { return []string{key} })
}

func (s *Store) eraseTrash(ctx context.Context, k keys, limit int) (int, error) {
	groups, err := s.reads.ZRange(ctx, k.trashList(), 0, int64(limit-1)).Result()
	if err != nil {
		return 0, explain(ctx, "erase", err)
	}
	return s.eraseListed(ctx, k.trashList(), "ZREM", groups, func(g string) []string { return []string{k.trash(g)} })
}

// erasePlaces erases pools and lines.
func (s *Store) erasePlaces(ctx context.Context, k keys, limit int) (int, error) {
	names, _, err := s.reads.SScan(ctx, k.places(), 0, "", int64(limit)).Result()
	if err != nil {
		return 0, explain(ctx, "erase", err)
	}
	names = names[:min(len(names), chunkSize)]
	return s.eraseListed(ctx, k.places(), "SREM", names, func(key string) []string { return []string{key} })
}

// erasedTime is how long the word is kept that an organization was erased: longer
// than any node remembers commits for the sake of a failover.
const erasedTime = time.Hour

// eraseRest deletes the keys that an organization has once.
func (s *Store) eraseRest(ctx context.Context, k keys) error {
	c := newCall(s.scripts.eraseRest, 36)
	c.key(k.erased(), k.events(), k.links(), k.changing(), k.groupNames(), k.claims(), k.expiry(), k.trashList(), k.places(),
		k.attempts('0'), k.attempts('1'), k.notes(), k.tombstones(), k.due(), k.tries(), k.parked(), k.causes(), k.lease(),
		k.backup(), k.restoring())
	for _, i := range resources.Indexes() {
		c.key(k.index(i))
	}
	word := erasedTime.Milliseconds()
	if s.embedded != nil {
		word = 0 // nobody looks for commits there
	}
	c.arg(strconv.FormatInt(word, 10))
	_, err := s.write(ctx, c)
	if err == nil && s.watch != nil {
		s.watch.ring.drop(func(a *ackedCommit) bool { return a.org == k.org })
	}
	return explain(ctx, "erase", err)
}
