package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// Expected tells under what a record should be found: its index entries, the
// claims it should hold, its places in pools and lines. The rules are the
// domain's, not the store's.
type Expected = resources.Placed

// Audit compares every index, link, claim, pool and line of an organization
// with its records and returns the differences as sentences; none means that
// all agree.
// It reads everything into memory and wants an organization at rest. Without
// expected it only checks that what indexes and claims name exists.
func (s *Store) Audit(ctx context.Context, org resources.OrgID, expected Expected) (faults []string, err error) {
	defer s.observe("audit", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	a := &audit{
		f:        &finder{s: s, keys: k, client: s.scans, deadline: started().Add(time.Hour)},
		expected: expected,
		records:  map[string]*resources.Record{},
		entries:  map[resources.Index]map[string]int64{},
		claims:   map[resources.Claim]string{},
		places:   newPlacesExpected(),
	}
	for _, step := range []func(context.Context) error{a.load, a.indexes, a.links, a.marks, a.trash, a.heldClaims, a.queue, a.expiry, a.poolsAndLines} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(a.faults)
	return a.faults, nil
}

// audit is one comparison.
type audit struct {
	f        *finder
	expected Expected
	records  map[string]*resources.Record
	entries  map[resources.Index]map[string]int64 // what should be: entry to score
	claims   map[resources.Claim]string           // what should be: claim to holder
	places   placesExpected
	faults   []string
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// load reads all records and derives what should be in the indexes.
func (a *audit) load(ctx context.Context) error {
	for _, kind := range resources.Kinds() {
		err := a.f.walk(ctx, a.f.everything(resources.All(kind)), func(ids []string) error {
			for chunk := range slices.Chunk(ids, chunkSize) {
				recs, err := a.f.s.load(ctx, a.f.client, a.f.keys, chunk)
				if err != nil {
					return err
				}
				for i, r := range recs {
					if r == nil || r.Kind != kind {
						a.fault("index %s names %s, which does not exist", resources.All(kind).Code(), chunk[i])
						continue
					}
					a.records[r.ID] = r
					a.expect(r)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *audit) expect(r *resources.Record) {
	if a.expected == nil {
		return
	}
	entries, claims, holdings := a.expected(r)
	a.places.add(r.ID, holdings)
	for _, e := range entries {
		score := e.Time
		if e.Index == resources.Modified(resources.KindGroup) {
			score = max(score, r.LinksModified)
		}
		if a.entries[e.Index] == nil {
			a.entries[e.Index] = map[string]int64{}
		}
		a.entries[e.Index][entryText(e.Index.Shape(), e.Value, r.ID)] = score
	}
	for _, c := range claims {
		a.claims[c.Claim] = c.Holder
	}
}

// entryText is an entry as faults show it.
func entryText(shape resources.Shape, value, id string) string {
	switch shape {
	case resources.Member, resources.Time:
		return id
	}
	return value + "\x00" + id
}

// indexes compares each index both ways.
func (a *audit) indexes(ctx context.Context) error {
	for _, i := range resources.Indexes() {
		found := map[string]int64{}
		if err := a.read(ctx, i, found); err != nil {
			return err
		}
		for e, score := range found {
			if r := a.records[e[max(0, len(e)-idSize):]]; r == nil || r.Kind != i.Kind() {
				a.fault("index %s has %q of a record that does not exist", i.Code(), e)
				continue
			}
			if a.expected == nil {
				continue
			}
			if want, ok := a.entries[i][e]; !ok {
				a.fault("index %s has %q, which the record does not say", i.Code(), e)
			} else if want != score {
				a.fault("index %s has %q at %d, the record says %d", i.Code(), e, score, want)
			}
		}
		for e := range a.entries[i] {
			if _, ok := found[e]; !ok {
				a.fault("index %s lacks %q", i.Code(), e)
			}
		}
	}
	return nil
}

// read reads a whole index into entries and scores.
func (a *audit) read(ctx context.Context, i resources.Index, into map[string]int64) error {
	key := a.f.keys.index(i)
	switch i.Shape() {
	case resources.Unique, resources.Equal:
		return a.hash(ctx, key, func(value, ids string) {
			if len(ids) == 0 || len(ids)%idSize != 0 {
				a.fault("index %s has ids of %d bytes for %q", i.Code(), len(ids), value)
			}
			for _, id := range unpackIDs(ids) {
				into[value+"\x00"+id] = 0
			}
		})
	case resources.Time:
		list, err := a.f.client.ZRangeWithScores(ctx, key, 0, -1).Result()
		for _, z := range list {
			id, _ := z.Member.(string)
			into[id] = int64(z.Score)
		}
		return explain(ctx, "audit", err)
	}
	return a.f.walk(ctx, a.f.everything(i), func(entries []string) error {
		for _, e := range entries {
			into[e] = 0
		}
		return nil
	})
}

// hash walks all fields of a hash.
func (a *audit) hash(ctx context.Context, key string, fn func(field, value string)) error {
	for cursor := uint64(0); ; {
		pairs, next, err := a.f.client.HScan(ctx, key, cursor, "", walkSize).Result()
		if err != nil {
			return explain(ctx, "audit", err)
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			fn(pairs[i], pairs[i+1])
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// links compares both directions of membership, and the names and counts.
func (a *audit) links(ctx context.Context) error {
	forward := map[string]bool{} // group and member
	names := map[string]string{}
	for id, r := range a.records {
		if r.Kind != resources.KindGroup {
			continue
		}
		names[id] = r.Display
		ids, err := a.f.client.ZRange(ctx, a.f.keys.members(id), 0, -1).Result()
		if err != nil {
			return explain(ctx, "audit", err)
		}
		for _, m := range ids {
			if a.records[m] == nil {
				a.fault("group %s has the member %s, which does not exist", id, m)
			}
			forward[id+m] = true
		}
		if (len(ids) > 0) && r.Links == 0 {
			a.fault("group %s has members and no count of changes", id)
		}
	}
	if err := a.backward(ctx, forward, names); err != nil {
		return err
	}
	for pair := range forward {
		a.fault("%s does not know its group %s", pair[idSize:], pair[:idSize])
	}
	err := a.hash(ctx, a.f.keys.groupNames(), func(id, name string) {
		if want, ok := names[id]; !ok || want != name {
			a.fault("the group %s is called %q to its members, the record says %q", id, name, want)
		}
		delete(names, id)
	})
	for id := range names {
		a.fault("the group %s has no name to its members", id)
	}
	if err != nil {
		return err
	}
	return a.hash(ctx, a.f.keys.links(), func(id, _ string) {
		if a.records[id] == nil {
			a.fault("there is a count of changes of the group %s, which does not exist", id)
		}
	})
}

// backward walks the members' side and crosses off what the groups say.
func (a *audit) backward(ctx context.Context, forward map[string]bool, names map[string]string) error {
	for id, r := range a.records {
		if r.Kind != resources.KindUser && r.Kind != resources.KindGroup {
			continue
		}
		row, err := a.f.client.Get(ctx, a.f.keys.groupsOf(id)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return explain(ctx, "audit", err)
		}
		seen := map[string]bool{}
		for _, g := range unpackIDs(row) {
			if seen[g] {
				a.fault("%s says twice that it is in the group %s", id, g)
			}
			seen[g] = true
			if _, living := names[g]; living && !forward[g+id] {
				a.fault("%s says it is in the group %s, which does not have it", id, g)
			} else if !living {
				if _, err := a.f.client.ZScore(ctx, a.f.keys.trash(g), id).Result(); err != nil {
					a.fault("%s says it is in the group %s, which is gone and not waiting to be swept", id, g)
				}
			}
			delete(forward, g+id)
		}
	}
	return nil
}

// trash checks that only groups that are gone wait to be swept.
func (a *audit) trash(ctx context.Context) error {
	groups, err := a.f.client.ZRange(ctx, a.f.keys.trashList(), 0, -1).Result()
	for _, g := range groups {
		if a.records[g] != nil {
			a.fault("the group %s lives and waits to be swept", g)
		}
	}
	return explain(ctx, "audit", err)
}

// heldClaims compares the organization's list with the claims, and both with
// what the records should hold.
func (a *audit) heldClaims(ctx context.Context) error {
	var failed error
	err := a.hash(ctx, a.f.keys.claims(), func(field, value string) {
		kind, key, _ := strings.Cut(field, "|")
		c := resources.Claim{Kind: resources.ClaimKind(kind), Key: key}
		v, err := a.f.client.Get(ctx, claimKey(c)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			failed = errors.Join(failed, explain(ctx, "audit", err))
		}
		if v != "C|"+string(a.f.keys.org)+"|"+value {
			a.fault("the claim %s says %q, the organization's list %q", claimKey(c), v, value)
		}
		if a.expected == nil {
			return
		}
		holder, _, _ := strings.Cut(value, "|")
		if want := a.claims[c]; want != holder {
			a.fault("the claim %s is held by %q, the records say %q", claimKey(c), holder, want)
		}
		delete(a.claims, c)
	})
	for c, id := range a.claims {
		a.fault("the record %s does not hold its claim %s", id, claimKey(c))
	}
	return errors.Join(err, failed)
}

// expiry checks that what is to expire exists.
func (a *audit) expiry(ctx context.Context) error {
	list, err := a.f.client.ZRangeWithScores(ctx, a.f.keys.expiry(), 0, -1).Result()
	for _, z := range list {
		key, _ := z.Member.(string)
		n, err := a.f.client.Exists(ctx, key).Result()
		if err != nil {
			return explain(ctx, "audit", err)
		}
		if n == 0 {
			a.fault("%s is to expire at %s and does not exist", key, strconv.FormatFloat(z.Score, 'f', -1, 64))
		}
	}
	return explain(ctx, "audit", err)
}
