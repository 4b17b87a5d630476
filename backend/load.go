package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// chunkSize is how many records or ids one command names at most.
const chunkSize = 500

// load reads up to a chunk of records, nil where there is none, groups with
// their counts of changes and sizes.
func (s *Store) load(ctx context.Context, client redis.UniversalClient, k keys, ids []string) ([]*resources.Record, error) {
	return s.loadWith(ctx, client, k, ids, false, nil)
}

// loadWith is load, with the records' groups if asked: their ids come in the
// same trip, and their names in a second one when there are any. room is space
// for the profiles that the caller has left over, or nil.
func (s *Store) loadWith(ctx context.Context, client redis.UniversalClient, k keys, ids []string, groups bool, room *[]byte) ([]*resources.Record, error) {
	recs := make([]*resources.Record, len(ids))
	if len(ids) == 0 {
		return recs, nil
	}
	groupIDs, at := k.groupsAmong(ids)
	args := k.mget(ids, groups)
	var reply []byte
	var links *redis.SliceCmd
	var sizes []*redis.IntCmd
	var err error
	if len(groupIDs) == 0 {
		reply, err = s.raw(ctx, client, args)
	} else {
		bodies := redis.NewRawCmd(ctx, args...)
		pipe := client.Pipeline()
		err = pipe.Process(ctx, bodies)
		links = pipe.HMGet(ctx, k.links(), groupIDs...)
		for _, g := range groupIDs {
			sizes = append(sizes, pipe.ZCard(ctx, k.members(g)))
		}
		if err == nil {
			_, err = pipe.Exec(ctx)
		}
		reply = bodies.Val()
	}
	if err != nil {
		return nil, explain(ctx, "read records", err)
	}
	values, err := s.mget(ctx, client, args, reply)
	if err != nil {
		return nil, explain(ctx, "read records", err)
	}
	if err := s.codec.decodeAll(recs, ids, values, room); err != nil {
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

// mget is the command that reads records, and after them their groups.
func (k keys) mget(ids []string, groups bool) []any {
	args := make([]any, 1, 1+2*len(ids))
	args[0] = "MGET"
	// All keys are cut from one text: a page would make hundreds otherwise.
	var text strings.Builder
	text.Grow(2 * len(ids) * (len("ug") + len(k.tag) + 1 + idSize))
	cut := func(parts ...string) {
		from := text.Len()
		for _, p := range parts {
			text.WriteString(p)
		}
		args = append(args, text.String()[from:])
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
	return args
}

// rawValues takes the reply to an MGET of n keys apart without copying it: ""
// stands for a key that is not there, since no value of ours is empty. The
// library would make a string and an interface of every value.
func rawValues(reply []byte, n int) ([]string, error) {
	text := unsafe.String(unsafe.SliceData(reply), len(reply))
	if strings.HasPrefix(text, "-") {
		return nil, answer(strings.TrimRight(text[1:], "\r\n"))
	}
	count, rest, ok := replyHead(text, '*')
	if !ok || count != n {
		return nil, fmt.Errorf("an answer to MGET of %d keys that is not understood", n)
	}
	out := make([]string, n)
	for i := range out {
		if nothing, found := strings.CutPrefix(rest, "_\r\n"); found {
			rest = nothing
			continue
		}
		size, after, ok := replyHead(rest, '$')
		switch {
		case ok && size == -1:
			rest = after
		case ok && size >= 0 && len(after) >= size+2:
			out[i], rest = after[:size], after[size+2:]
		default:
			return nil, errors.New("an answer to MGET that is cut off")
		}
	}
	return out, nil
}

// replyHead reads a line such as "$12" and gives the number and what follows.
func replyHead(text string, mark byte) (n int, rest string, ok bool) {
	line, rest, ok := strings.Cut(text, "\r\n")
	if !ok || len(line) < 2 || line[0] != mark {
		return 0, "", false
	}
	n, err := strconv.Atoi(line[1:])
	return n, rest, err == nil
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
func (s *Store) nameGroups(ctx context.Context, client redis.UniversalClient, k keys, recs []*resources.Record, rows []string) error {
	if !slices.ContainsFunc(rows, func(row string) bool { return row != "" }) {
		return nil
	}
	names := map[string]string{}
	var all []string
	for _, row := range rows {
		for _, id := range unpackIDs(row) {
			if _, seen := names[id]; !seen {
				names[id] = ""
				all = append(all, id)
			}
		}
	}
	for chunk := range slices.Chunk(all, chunkSize) {
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
	for i, row := range rows {
		if row != "" && recs[i] != nil {
			recs[i].Groups = groupRefs(row, func(_ int, id string) (string, bool) {
				name, ok := names[id]
				return name, ok
			})
		}
	}
	return nil
}

// page reads records in order, without those that went away meanwhile, with
// their groups if asked. room is as in loadWith; only one chunk can lie in it.
func (s *Store) page(ctx context.Context, client redis.UniversalClient, k keys, ids []string, withGroups bool, room *[]byte) ([]*resources.Record, error) {
	out := make([]*resources.Record, 0, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		recs, err := s.loadWith(ctx, client, k, chunk, withGroups, room)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			if r != nil {
				out = append(out, r)
			}
		}
		room = nil
	}
	return out, nil
}
