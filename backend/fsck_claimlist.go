package backend

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

func (c *check) hash(text string) uint64 { return maphash.String(c.seed, text) }

// saidClaims walks the records and notes the claims that they say, as hashes; or,
// with a list of claims, takes those off it.
func (c *check) saidClaims(ctx context.Context, strange map[string]string) (map[uint64]bool, error) {
	said := map[uint64]bool{}
	if c.cfg.Placed == nil {
		return said, nil
	}
	for _, kind := range []resources.Kind{resources.KindUser, resources.KindSetting} {
		err := c.eachChunk(ctx, kind, func(ctx context.Context, ids []string) error {
			list, err := c.read(ctx, ids, false)
			if err != nil {
				return err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			for i := range list {
				for _, h := range list[i].held {
					name := claimField(h.Claim)
					if delete(strange, name); strange == nil {
						said[c.hash(name)] = true
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return said, nil
}

// leaveOut notes that not all records could be counted. What none of the others
// says may be said by them: nothing is taken away for that in this round.
func (c *check) leaveOut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partly = true
}

// partial tells whether walks over the records leave out some.
func (c *check) partial() bool {
	for _, kind := range resources.Kinds() {
		if !c.whole(c.k.index(resources.All(kind))) {
			return true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.partly
}

// strangeClaims tells of claims on the list that no record says. One that was taken
// anew meanwhile may be that of a record that was walked over before.
func (c *check) strangeClaims(ctx context.Context, strange map[string]string) error {
	for name, was := range strange {
		listed, err := c.client.HGet(ctx, c.k.claims(), name).Result()
		if errors.Is(err, redis.Nil) || err == nil && listed != was {
			continue
		}
		if err != nil {
			return explain(ctx, "read claims", err)
		}
		kind, key, _ := strings.Cut(name, "|")
		claim := resources.Claim{Kind: resources.ClaimKind(kind), Key: key}
		said, err := c.client.Get(ctx, claimKey(claim)).Result()
		if err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
			return explain(ctx, "read claims", err)
		}
		d := c.claimDifference(claim, listed, said)
		holder, _, _ := strings.Cut(listed, "|")
		d.Code, d.Record = FindingClaimExtra, holder
		d.Reason = "the claim " + d.Key + " is held by \"" + holder + "\", the records say \"\""
		if bad, err := c.damagedHolder(ctx, holder); err != nil || bad {
			if err != nil {
				return err
			}
			continue // it may well say so: that it is damaged is told
		}
		if strings.HasPrefix(said, "C|"+string(c.k.org)+"|") {
			c.mend(d, "", "")
		} else {
			c.mend(d, "", said)
		}
		if err := c.once(ctx, *d); err != nil {
			return err
		}
	}
	return nil
}

// damagedHolder tells whether a holder is a record that cannot be read.
func (c *check) damagedHolder(ctx context.Context, holder string) (bool, error) {
	if _, ok := known(holder); !ok {
		return false, nil
	}
	list, err := c.read(ctx, []string{holder}, false)
	if err != nil {
		return false, err
	}
	return list[0].bad != nil, nil
}

// claimsBack compares entries of the list with the claims.
func (c *check) claimsBack(ctx context.Context, fields []string, _ bool) ([]difference, error) {
	listed, err := c.client.HMGet(ctx, c.k.claims(), fields...).Result()
	if err != nil {
		return nil, explain(ctx, "read claims", err)
	}
	pipe := c.client.Pipeline()
	claims, said := make([]resources.Claim, len(fields)), make([]*redis.StringCmd, len(fields))
	for i, name := range fields {
		kind, key, _ := strings.Cut(name, "|")
		claims[i] = resources.Claim{Kind: resources.ClaimKind(kind), Key: key}
		said[i] = pipe.Get(ctx, claimKey(claims[i]))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
		return nil, explain(ctx, "read claims", err)
	}
	var found []difference
	for i, name := range fields {
		entry, ok := listed[i].(string)
		v := said[i].Val()
		if !ok || v == "C|"+string(c.k.org)+"|"+entry || c.cfg.Placed != nil {
			continue // with records, the walk over them has told it
		}
		d := c.claimDifference(claims[i], entry, v)
		d.Code, d.item = FindingClaimDiffers, name
		d.Reason = "the claim " + d.Key + " says \"" + v + "\", the organization's list \"" + entry + "\""
		if v == "" {
			c.mend(d, entry, "C|"+string(c.k.org)+"|"+entry)
		}
		found = append(found, *d)
	}
	return found, nil
}
