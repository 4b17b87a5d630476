package backend

import (
	"context"
	"iter"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// chunkSize is how many records or ids one command names at most.
const chunkSize = 500

// chunksOf cuts a list into pieces.
func chunksOf(list []string, size int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(list) > 0 {
			n := min(size, len(list))
			if !yield(list[:n]) {
				return
			}
			list = list[n:]
		}
	}
}

// load reads up to a chunk of records, nil where there is none, groups with
// their counts of changes and sizes.
func (s *Store) load(ctx context.Context, client *redis.Client, k keys, ids []string) ([]*resources.Record, error) {
	return s.loadWith(ctx, client, k, ids, false)
}

// loadWith is load, with the records' groups if asked: their ids come in the
// same trip, and their names in a second one when there are any.
func (s *Store) loadWith(ctx context.Context, client *redis.Client, k keys, ids []string, groups bool) ([]*resources.Record, error) {
	recs := make([]*resources.Record, len(ids))
	if len(ids) == 0 {
		return recs, nil
	}
	groupIDs, at := k.groupsAmong(ids)
	var bodies, links *redis.SliceCmd
	sizes := make([]*redis.IntCmd, 0, len(groupIDs))
	var err error
	if len(groupIDs) == 0 {
		bodies = client.MGet(ctx, k.bodies(ids, groups)...)
		err = bodies.Err()
	} else {
		pipe := client.Pipeline()
		bodies, links = pipe.MGet(ctx, k.bodies(ids, groups)...), pipe.HMGet(ctx, k.links(), groupIDs...)
		for _, g := range groupIDs {
			sizes = append(sizes, pipe.ZCard(ctx, k.members(g)))
		}
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		return nil, explain(ctx, "read records", err)
	}
	values := bodies.Val()
	if err := s.codec.decodeAll(recs, ids, values); err != nil {
		return nil, err
	}
	for j, i := range at {
		if v, ok := links.Val()[j].(string); ok && recs[i] != nil {
			setLinks(recs[i], v)
		}
		if recs[i] != nil {
			recs[i].Size = int(sizes[j].Val())
		}
	}
	if !groups {
		return recs, nil
	}
	return recs, s.nameGroups(ctx, client, k, recs, values[len(ids):])
}

// bodies are the keys of records, and after them those of their groups.
func (k keys) bodies(ids []string, groups bool) []string {
	names := make([]string, 0, 2*len(ids))
	// All names are cut from one text: a page would make hundreds otherwise.
	var text strings.Builder
	text.Grow(2 * len(ids) * (len("ug") + len(k.tag) + 1 + idSize))
	cut := func(parts ...string) {
		from := text.Len()
		for _, p := range parts {
			text.WriteString(p)
		}
		names = append(names, text.String()[from:])
	}
	for _, id := range ids {
		if kind, ok := known(id); ok {
			cut(kindLetters[kind:kind+1], k.tag, ":", id) // as keys.record
		} else {
			cut(k.tag) // never a key
		}
	}
	if groups {
		for _, id := range ids {
			cut("ug", k.tag, ":", id) // as keys.groupsOf
		}
	}
	return names
}

// groupsAmong picks out the ids of groups and their places.
func (k keys) groupsAmong(ids []string) (groups []string, at []int) {
	for i, id := range ids {
		if kind, ok := known(id); ok && kind == resources.KindGroup {
			groups, at = append(groups, id), append(at, i)
		}
	}
	return groups, at
}

// nameGroups fills in the groups of records from rows of ids.
func (s *Store) nameGroups(ctx context.Context, client *redis.Client, k keys, recs []*resources.Record, rows []any) error {
	names := map[string]string{}
	var all []string
	for _, v := range rows {
		row, _ := v.(string)
		for _, id := range unpackIDs(row) {
			if _, seen := names[id]; !seen {
				names[id] = ""
				all = append(all, id)
			}
		}
	}
	for chunk := range chunksOf(all, chunkSize) {
		found, err := client.HMGet(ctx, k.groupNames(), chunk...).Result()
		if err != nil {
			return explain(ctx, "read groups", err)
		}
		for i, v := range found {
			name, ok := v.(string)
			if names[chunk[i]] = name; !ok {
				delete(names, chunk[i])
			}
		}
	}
	for i, v := range rows {
		if row, _ := v.(string); row != "" && recs[i] != nil {
			recs[i].Groups = groupRefs(row, func(_ int, id string) (string, bool) {
				name, ok := names[id]
				return name, ok
			})
		}
	}
	return nil
}

// page reads records in order, without those that went away meanwhile, with
// their groups if asked.
func (s *Store) page(ctx context.Context, client *redis.Client, k keys, ids []string, withGroups bool) ([]*resources.Record, error) {
	out := make([]*resources.Record, 0, len(ids))
	for chunk := range chunksOf(ids, chunkSize) {
		recs, err := s.loadWith(ctx, client, k, chunk, withGroups)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			if r != nil {
				out = append(out, r)
			}
		}
	}
	return out, nil
}
