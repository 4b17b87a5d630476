package backend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// deep looks through all keys of the store.
type deep struct {
	s    *Store
	cfg  FsckConfig
	orgs map[resources.OrgID]*check
	real map[resources.OrgID]bool // organizations that there are
}

// keysLeft looks through all keys for what nothing names.
func (s *Store) keysLeft(ctx context.Context, orgs []resources.OrgID, cfg FsckConfig) (report FsckReport, err error) {
	d := &deep{s: s, cfg: cfg, orgs: map[resources.OrgID]*check{}, real: map[resources.OrgID]bool{}}
	all, err := s.FsckOrgs(ctx)
	if err != nil {
		return report, err
	}
	for _, org := range slices.Concat(all, orgs) {
		d.real[org] = true
	}
	for _, org := range orgs {
		if d.orgs[org], err = d.check(org); err != nil {
			return report, err
		}
	}
	err = s.everyKey(ctx, func(keys []string) error {
		since := started()
		if err := d.keys(ctx, keys); err != nil {
			return err
		}
		return d.orgs[orgs[0]].breathe(ctx, since)
	})
	for _, c := range d.orgs {
		if leaks := c.leaks(ctx); err == nil {
			err = leaks
		}
		c.report.Left = c.left
		report.add(c.report)
		if cfg.Repair {
			if told := c.tell(context.WithoutCancel(ctx)); err == nil {
				err = told
			}
		}
	}
	return report, err
}

func (d *deep) check(org resources.OrgID) (*check, error) {
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	c := newCheck(d.s, k, d.cfg)
	c.begin()
	return c, nil
}

// everyKey walks all keys, in chunks: those of each primary one after the other.
func (s *Store) everyKey(ctx context.Context, fn func([]string) error) error {
	if s.embedded != nil {
		for chunk := range slices.Chunk(s.embedded.Keys(), chunkSize) {
			if err := fn(chunk); err != nil {
				return err
			}
		}
		return nil
	}
	walk := func(ctx context.Context, client redis.Cmdable) error {
		for cursor := uint64(0); ; {
			keys, next, err := client.Scan(ctx, cursor, "", chunkSize).Result()
			if err != nil {
				return explain(ctx, "walk all keys", err)
			}
			if err := fn(keys); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := s.scans.(*redis.ClusterClient); ok {
		var one sync.Mutex
		return cluster.ForEachMaster(ctx, func(ctx context.Context, client *redis.Client) error {
			one.Lock()
			defer one.Unlock()
			return walk(ctx, client)
		})
	}
	return walk(ctx, s.scans)
}

// parts takes a key of ours apart.
func parts(key string) (letters, tag, rest string) {
	letters, rest, ok := strings.Cut(key, ":{")
	if !ok {
		return "", "", ""
	}
	tag, rest, ok = strings.Cut(rest, "}")
	if !ok {
		return "", "", ""
	}
	return letters, tag, strings.TrimPrefix(rest, ":")
}

// keys looks at some keys.
func (d *deep) keys(ctx context.Context, keys []string) error {
	byOrg := map[resources.OrgID][]string{}
	for _, key := range keys {
		letters, tag, _ := parts(key)
		if slices.Contains(claimLetters, letters) {
			if err := d.claim(ctx, key); err != nil {
				return err
			}
			continue
		}
		if letters == "er" || letters == "ab" {
			continue // what an organization leaves for a while after it is erased
		}
		real, err := typeOf(key) != "", error(nil)
		if real {
			real, err = d.exists(ctx, resources.OrgID(tag))
		}
		switch {
		case err != nil:
			return err
		case !real:
			d.unknown(key, tag)
		default:
			byOrg[resources.OrgID(tag)] = append(byOrg[resources.OrgID(tag)], key)
		}
	}
	for org, keys := range byOrg {
		if c := d.orgs[org]; c != nil {
			if err := c.keys(ctx, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

// exists tells whether there is an organization: it may have come after they were
// listed, or be one that is being restored and cannot be seen yet.
func (d *deep) exists(ctx context.Context, org resources.OrgID) (bool, error) {
	if d.real[org] {
		return true, nil
	}
	home, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return false, err
	}
	k, err := keysOf(org)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be an organization is none
	}
	pipe := d.s.scans.Pipeline()
	record, restoring := pipe.Exists(ctx, home.record(resources.KindOrg, string(org))), pipe.Exists(ctx, k.restoring())
	_, err = pipe.Exec(ctx)
	real := err == nil && record.Val()+restoring.Val() > 0
	if real {
		d.real[org] = true
	}
	return real, explain(ctx, "look for an organization", err)
}

// unknown tells of a key that is not of any organization. Only a check of all of
// them knows.
func (d *deep) unknown(key, tag string) {
	c := d.orgs[resources.PlatformOrg]
	if c == nil || !strings.Contains(key, ":{") {
		return // a key of another program: it may share the server
	}
	reason := "the key " + key + " is none that usher writes"
	if typeOf(key) != "" {
		reason = fmt.Sprintf("the key %s is of the organization %s, which does not exist", key, tag)
	}
	c.find(Finding{Code: FindingUnknownKey, Key: key, Reason: reason, Remedy: "find out who wrote it; if nobody needs it, delete it"})
}

// claim looks whether a claim stands on the list of its organization.
func (d *deep) claim(ctx context.Context, key string) error {
	v, err := d.s.scans.Get(ctx, key).Result()
	if err != nil {
		return nil //nolint:nilerr // gone, or of another type, which the organization's check tells
	}
	state, rest, _ := strings.Cut(v, "|")
	org, _, _ := strings.Cut(rest, "|")
	if state != "C" {
		return nil // it is being made
	}
	real, err := d.exists(ctx, resources.OrgID(org))
	if err != nil {
		return err
	}
	if !real {
		if c := d.orgs[resources.PlatformOrg]; c != nil {
			c.find(Finding{
				Code: FindingClaimForeigner, Key: key, Reason: fmt.Sprintf("the claim %s is held by the organization %s, which does not exist", key, org),
				Remedy: "delete the key, so that others can have what it claims",
			})
		}
		return nil
	}
	c := d.orgs[resources.OrgID(org)]
	if c == nil {
		return nil
	}
	return c.suspect(ctx, key, v)
}

// keys looks at keys of the organization.
func (c *check) keys(ctx context.Context, keys []string) error {
	var records []string
	for _, key := range keys {
		letters, _, rest := parts(key)
		var err error
		switch letters {
		case "ug":
			err = c.orphan(ctx, key, rest, FindingOrphan, "the groups of "+rest+", which does not exist")
		case "gm":
			err = c.orphan(ctx, key, rest, FindingMembersOrphan, "the membership of the group "+rest+", which does not exist")
		case "tr":
			err = c.once(ctx, difference{
				Finding: Finding{Code: FindingTrash, Key: key, Record: rest, Reason: "the group " + rest + " left a membership that waits for nobody to sweep it"},
				guards:  []guard{{"score", c.k.trashList(), rest, ""}, {"exists", key, "", "1"}}, fixes: []fix{{"ZADD", c.k.trashList(), []string{"0", rest}}},
			})
		case "sp", "ln":
			err = c.placeListed(ctx, letters, rest, key, 1)
		case "vt":
			err = c.secretListed(ctx, key)
		default:
			if _, id, ok := c.k.parseRecord(key); ok {
				records = append(records, id)
			}
		}
		if err != nil {
			return err
		}
	}
	return c.again(ctx, records, func(ctx context.Context, ids []string, _ bool) ([]difference, error) {
		return c.forward(ctx, ids, false)
	})
}
