package backend

import (
	"context"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// orphan tells of a key about a record that does not exist.
func (c *check) orphan(ctx context.Context, key, id string, code FindingCode, reason string) error {
	kind, ok := known(id)
	d := difference{
		Finding: Finding{Code: code, Key: key, Record: id, Reason: "there are " + reason},
		guards:  []guard{{"exists", key, "", "1"}},
	}
	if ok {
		d.guards = append(d.guards, c.k.seenHead(kind, id, ""))
	}
	if code == FindingMembersOrphan {
		d.Reason, d.Remedy = "there is "+reason, "restore the group from a backup, or delete the key"
	} else {
		d.fixes = []fix{{"DEL", key, nil}}
	}
	return c.once(ctx, d)
}

// secretListed looks whether a secret stands on the list of what expires.
func (c *check) secretListed(ctx context.Context, key string) error {
	return c.again(ctx, []string{key}, func(ctx context.Context, _ []string, _ bool) ([]difference, error) {
		pipe := c.client.Pipeline()
		value, score := pipe.GetRange(ctx, key, 0, 26), pipe.Do(ctx, scoresOf(c.k.expiry(), []string{key})...)
		if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
			return nil, explain(ctx, "read what expires", err)
		}
		list, err := score.Slice()
		if there := err != nil || len(list) != 1 || list[0] != nil; there || value.Val() == "" {
			return nil, explain(ctx, "read what expires", err)
		}
		ms, ok := digits(value.Val()[:min(expirySize, len(value.Val()))])
		if d, wrong := c.expires(key, int64(ms), nil); wrong && ok {
			d.item = key
			d.guards = append(d.guards, guard{"exists", key, "", "1"})
			return []difference{d}, nil
		}
		return nil, nil
	})
}

// suspect notes a claim that says it is the organization's and is not on its list
// as it was at first. Two numbers for each claim of the list are kept for that.
func (c *check) suspect(ctx context.Context, key, said string) error {
	if c.listed == nil {
		c.listed, c.suspects = map[uint64]bool{}, map[string]string{}
		err := c.eachListed(ctx, func(key, said string) { c.listed[c.hash(key+said)] = true })
		if err != nil {
			return err
		}
	}
	if !c.listed[c.hash(key+said)] && len(c.suspects) < maxTold {
		c.suspects[key] = said
	}
	return nil
}

// eachListed walks the organization's list of claims, as the claims should be.
func (c *check) eachListed(ctx context.Context, fn func(key, said string)) error {
	return c.scan(ctx, "HSCAN", c.k.claims(), func(name, entry string) error {
		kind, key, _ := strings.Cut(name, "|")
		fn(claimKey(resources.Claim{Kind: resources.ClaimKind(kind), Key: key}), "C|"+string(c.k.org)+"|"+entry)
		return nil
	})
}

// leaks tells of claims that say they are the organization's and are not on its
// list. A list that says otherwise of the claim is told by the walk over records.
func (c *check) leaks(ctx context.Context) error {
	if len(c.suspects) == 0 {
		return nil
	}
	if err := c.rest(ctx, c.cfg.Pause); err != nil {
		return err
	}
	if err := c.eachListed(ctx, func(key, _ string) { delete(c.suspects, key) }); err != nil {
		return err
	}
	// What is noted to be given back is on its way.
	err := c.scan(ctx, "HSCAN", "in"+c.k.tag, func(name, _ string) error {
		if note, ok := strings.CutPrefix(name, "r|"); ok {
			kind, key, _ := strings.Cut(note[:max(strings.LastIndexByte(note, '|'), 0)], "|")
			delete(c.suspects, claimKey(resources.Claim{Kind: resources.ClaimKind(kind), Key: key}))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, said := range c.suspects {
		d := difference{
			Finding: Finding{Code: FindingClaimExtra, Key: key, Reason: "the claim " + key + " is not on the list of its organization"},
			apart:   []guard{{"get", key, "", said}}, mend: &mend{key: key, seen: said},
		}
		if err := c.once(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
