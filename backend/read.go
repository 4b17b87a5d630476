package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// Ping implements resources.Store.
func (s *Store) Ping(ctx context.Context) (err error) {
	defer s.observe("ping", started(), &err)
	return explain(ctx, "ping", s.ping(ctx))
}

// ping asks the server, on a cluster the one that has the platform's slot:
// without it nobody's credentials can be looked at, while without another one
// most organizations can still be served.
func (s *Store) ping(ctx context.Context) error {
	if !s.sharded {
		return s.reads.Ping(ctx).Err()
	}
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return err
	}
	return s.reads.Exists(ctx, k.events()).Err()
}

// Get implements resources.Store.
func (s *Store) Get(ctx context.Context, org resources.OrgID, kind resources.Kind, id string) (rec *resources.Record, err error) {
	defer s.observe("get", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	return s.fetch(ctx, k, kind, id)
}

// fetch reads one record with what readers see beside it. Where users mostly
// have groups one script gets all in one trip; where they mostly have none two
// plain values do at half the cost, and a second trip names the groups of the
// exceptions. What is usual is learnt from the answers.
func (s *Store) fetch(ctx context.Context, k keys, kind resources.Kind, id string) (*resources.Record, error) {
	if got, ok := known(id); !ok || got != kind {
		return nil, nil
	}
	if kind == resources.KindUser && s.embedded == nil && s.usual.Load() > usualFull/8 {
		return s.fetchByScript(ctx, k, id)
	}
	linked := kind == resources.KindUser || kind == resources.KindGroup
	recs, err := s.loadWith(ctx, s.reads, k, []string{id}, linked, nil)
	if err != nil {
		return nil, err
	}
	if kind == resources.KindUser && recs[0] != nil {
		s.learn(len(recs[0].Groups) > 0)
	}
	return recs[0], nil
}

// usualFull stands for: every record that was read has groups.
const usualFull = 1 << 16

// learn moves the running average a little. Two at once may lose one step.
func (s *Store) learn(groups bool) {
	was := s.usual.Load()
	next := was - was/16
	if groups {
		next += usualFull / 16
	}
	if next != was {
		s.usual.Store(next)
	}
}

// fetchByScript reads a user with its groups in one trip.
func (s *Store) fetchByScript(ctx context.Context, k keys, id string) (*resources.Record, error) {
	c := newCall(s.scripts.get, 3)
	c.key(k.record(resources.KindUser, id), k.groupsOf(id), k.groupNames())
	reply, err := s.run(ctx, s.reads, c)
	if err != nil {
		return nil, explain(ctx, "read", err)
	}
	list, ok := reply.([]any)
	if !ok || len(list) == 0 {
		return nil, nil
	}
	raw, _ := list[0].(string)
	rec, err := s.codec.decode(resources.KindUser, id, raw)
	if err != nil {
		return nil, err
	}
	if len(list) == 3 {
		rec.Groups = namedRefs(list[1], list[2])
	}
	s.learn(len(rec.Groups) > 0)
	return rec, nil
}

// namedRefs makes references of a script's answer: ids in a row and their
// names, none for groups that are gone.
func namedRefs(ids, list any) []resources.GroupRef {
	row, _ := ids.(string)
	names, _ := list.([]any)
	return groupRefs(row, func(i int, _ string) (string, bool) {
		if i >= len(names) {
			return "", false
		}
		name, ok := names[i].(string)
		return name, ok
	})
}

// groupRefs makes references of ids in a row, in id order, without the groups
// that have no name: they are gone.
func groupRefs(row string, name func(i int, id string) (string, bool)) []resources.GroupRef {
	var refs []resources.GroupRef
	for i, rest := 0, row; len(rest) >= idSize; i, rest = i+1, rest[idSize:] {
		if n, ok := name(i, rest[:idSize]); ok {
			if refs == nil {
				refs = make([]resources.GroupRef, 0, len(row)/idSize)
			}
			refs = append(refs, resources.GroupRef{ID: rest[:idSize], Display: n})
		}
	}
	slices.SortFunc(refs, func(a, b resources.GroupRef) int { return strings.Compare(a.ID, b.ID) })
	return refs
}

// setLinks reads "<count>:<milliseconds>" of a group.
func setLinks(r *resources.Record, v string) {
	count, ms, ok := strings.Cut(v, ":")
	if !ok {
		return
	}
	n, _ := digits(count)
	t, _ := digits(ms)
	r.Links, r.LinksModified = n, int64(t)
}

// groupIDs lists the groups a member is in, in the stored order, without those
// that are gone.
func (s *Store) groupIDs(ctx context.Context, k keys, id string) ([]string, error) {
	row, err := s.reads.Get(ctx, k.groupsOf(id)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, explain(ctx, "read groups", err)
	}
	ids := unpackIDs(row)
	live := ids[:0]
	for chunk := range slices.Chunk(ids, chunkSize) {
		names, err := s.reads.HMGet(ctx, k.groupNames(), chunk...).Result()
		if err != nil {
			return nil, explain(ctx, "read groups", err)
		}
		for i, name := range names {
			if name != nil {
				live = append(live, chunk[i])
			}
		}
	}
	return live, nil
}

// Many implements resources.Store.
func (s *Store) Many(ctx context.Context, org resources.OrgID, ids []string) (recs []*resources.Record, err error) {
	defer s.observe("many", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	recs = make([]*resources.Record, 0, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		part, err := s.load(ctx, s.reads, k, chunk)
		if err != nil {
			return nil, err
		}
		recs = append(recs, part...)
	}
	return recs, nil
}

// Named implements resources.Store.
func (s *Store) Named(ctx context.Context, org resources.OrgID, index resources.Index, value string) (id string, err error) {
	defer s.observe("named", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return "", err
	}
	if index.Shape() != resources.Unique {
		return "", fmt.Errorf("backend: Named: the index %s is not a unique one", index.Code())
	}
	id, err = s.reads.HGet(ctx, k.index(index), value).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return id, explain(ctx, "named", err)
}

// Members implements resources.Store.
func (s *Store) Members(ctx context.Context, org resources.OrgID, group, after string, limit int) (refs []resources.MemberRef, err error) {
	defer s.observe("members", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	if kind, ok := known(group); !ok || kind != resources.KindGroup || limit <= 0 {
		return nil, nil
	}
	for len(refs) < limit {
		size := min(limit-len(refs), chunkSize)
		ids, err := s.memberIDs(ctx, s.reads, k, group, after, size)
		if err != nil {
			return nil, err
		}
		if refs, err = s.named(ctx, k, refs, ids); err != nil {
			return nil, err
		}
		if len(ids) < size {
			break
		}
		after = ids[len(ids)-1]
	}
	return refs, nil
}

// memberIDs reads ids of members after one, whether they exist or not.
func (s *Store) memberIDs(ctx context.Context, client redis.UniversalClient, k keys, group, after string, limit int) ([]string, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	ids, err := client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: k.members(group), Start: from, Stop: "+", ByLex: true, Count: int64(limit)}).Result()
	return ids, explain(ctx, "read members", err)
}

// named appends the members that exist, with what is shown of them.
func (s *Store) named(ctx context.Context, k keys, refs []resources.MemberRef, ids []string) ([]resources.MemberRef, error) {
	if len(ids) == 0 {
		return refs, nil
	}
	pipe := s.reads.Pipeline()
	heads := make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		kind, _ := known(id)
		heads[i] = pipe.GetRange(ctx, k.record(kind, id), 0, headSize-1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, explain(ctx, "read members", err)
	}
	for i, id := range ids {
		if heads[i].Val() == "" {
			continue
		}
		h, err := readHead(heads[i].Val())
		if err != nil {
			return nil, fmt.Errorf("backend: record %s: %w", id, err)
		}
		refs = append(refs, resources.MemberRef{ID: id, Display: h.display})
	}
	return refs, nil
}

// MemberIDs implements resources.Store.
func (s *Store) MemberIDs(ctx context.Context, org resources.OrgID, group, after string, limit int) (ids []string, err error) {
	defer s.observe("member_ids", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	for len(ids) < limit {
		size := min(limit-len(ids), walkSize)
		part, err := s.memberIDs(ctx, s.reads, k, group, after, size)
		if err != nil {
			return nil, err
		}
		ids = append(ids, part...)
		if len(part) < size {
			break
		}
		after = part[len(part)-1]
	}
	return ids, nil
}

// Exist implements resources.Store.
func (s *Store) Exist(ctx context.Context, org resources.OrgID, ids []string) (there []bool, err error) {
	defer s.observe("exist", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	there = make([]bool, len(ids))
	for _, kind := range []resources.Kind{resources.KindUser, resources.KindGroup} {
		var mine []string
		var at []int
		for i, id := range ids {
			if got, ok := known(id); ok && got == kind {
				mine, at = append(mine, id), append(at, i)
			}
		}
		for chunk := range slices.Chunk(mine, chunkSize) {
			scores, err := s.standIn(ctx, s.reads, k.index(resources.All(kind)), chunk)
			if err != nil {
				return nil, err
			}
			for i, x := range scores {
				there[at[i]] = x != nil
			}
			at = at[len(chunk):]
		}
	}
	return there, nil
}

// IsMember implements resources.Store.
func (s *Store) IsMember(ctx context.Context, org resources.OrgID, group string, ids []string) (in []bool, err error) {
	defer s.observe("is_member", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	in = make([]bool, 0, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		there, err := s.standIn(ctx, s.reads, k.members(group), chunk)
		if err != nil {
			return nil, err
		}
		for _, x := range there {
			in = append(in, x != nil)
		}
	}
	return in, nil
}

// standIn reads the score of each id in a sorted set; nil where it is not in.
// The client's own ZMSCORE cannot tell 0 from absent.
func (s *Store) standIn(ctx context.Context, client redis.UniversalClient, key string, ids []string) ([]any, error) {
	args := make([]any, 0, 2+len(ids))
	args = append(args, "ZMSCORE", key)
	for _, id := range ids {
		args = append(args, id)
	}
	list, err := client.Do(ctx, args...).Slice()
	if err == nil && len(list) != len(ids) {
		err = fmt.Errorf("ZMSCORE gave %d answers for %d ids", len(list), len(ids))
	}
	return list, explain(ctx, "read index", err)
}
