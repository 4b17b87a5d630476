package backend

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// check is the comparison of one organization.
type check struct {
	s      *Store
	k      keys
	cfg    FsckConfig
	client redis.UniversalClient

	mu     sync.Mutex // of all below
	report FsckReport
	told   map[uint64]int // findings that were told, as hashes, with the latest round that met them
	seed   maphash.Seed
	round  int
	left   int                 // findings of this round that are not repaired
	fixed  int                 // of this round
	repair map[FindingCode]int // of all rounds, for the stream
	where  map[FindingCode][]string

	listed   map[uint64]bool   // claims on the list, as hashes; only with Deep
	suspects map[string]string // claims that are not, with what they say

	tally  tally
	broken map[string]bool // keys of a wrong type that are not repaired
	partly bool            // not all records were read: some are damaged, or were found late
	total  int             // records, for Progress
	done   int
}

// tally is what a walk over all records has counted.
type tally struct {
	entries map[resources.Index]int // what should be in each index
	fields  map[resources.Index]int // of Equal indexes: values
	inRows  map[resources.Index]int // and ids under them
	groups  int
	counted int // groups with a count of changes
	links   int // members of groups
	rows    int // groups of members
	claims  int
	pools   map[string]int
	lines   map[string]int
	others  map[string]bool
	bounds  []bounding
	rulers  map[string]bool // ids of the records that others and bounds are from
}

func newCheck(s *Store, k keys, cfg FsckConfig) *check {
	return &check{
		s: s, k: k, cfg: cfg, client: s.scans, told: map[uint64]int{}, seed: maphash.MakeSeed(),
		repair: map[FindingCode]int{}, where: map[FindingCode][]string{},
	}
}

// begin begins a round.
func (c *check) begin() {
	c.round++
	c.left, c.fixed, c.done, c.total = 0, 0, 0, 0
	c.broken, c.partly = map[string]bool{}, false
	c.tally = tally{
		entries: map[resources.Index]int{}, fields: map[resources.Index]int{}, inRows: map[resources.Index]int{},
		pools: map[string]int{}, lines: map[string]int{}, others: map[string]bool{}, rulers: map[string]bool{},
	}
}

// maxTold bounds what is remembered of findings, so that a later round does not
// tell them again.
const maxTold = 1 << 20

// find tells a finding that is sure.
func (c *check) find(f Finding) {
	f.Org = c.k.org
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Repaired {
		c.fixed++
		c.report.Repaired++
		c.repair[f.Code]++
		if list := c.where[f.Code]; len(list) < toldKeys {
			c.where[f.Code] = append(list, f.where())
		}
	} else {
		h := maphash.String(c.seed, string(f.Code)+"\x00"+f.Key+"\x00"+f.Entry+"\x00"+f.Record)
		met := c.told[h]
		if met == c.round {
			return
		}
		c.left++
		if met > 0 || len(c.told) < maxTold {
			c.told[h] = c.round
		}
		if met > 0 {
			return
		}
	}
	c.report.Findings++
	if c.cfg.Found != nil {
		c.cfg.Found(f)
	}
}

// where names the place without what customers have typed.
func (f *Finding) where() string {
	if f.Record == "" {
		return f.Key
	}
	return f.Key + " " + f.Record
}

// looks is how often something that keeps changing is looked at again.
const looks = 6

// again looks at items and makes sure of what it finds. What has changed
// meanwhile is looked at again; what never stands still is left alone: its
// writers are at work, and each of their commits is whole.
func (c *check) again(ctx context.Context, items []string, look func(context.Context, []string, bool) ([]difference, error)) error {
	for try := 0; len(items) > 0; try++ {
		if try == looks {
			c.mu.Lock()
			c.report.Restless += len(items)
			c.mu.Unlock()
			return nil
		}
		found, err := look(ctx, items, try == 0)
		if err != nil || len(found) == 0 {
			return err
		}
		if err := c.rest(ctx, c.cfg.Pause); err != nil {
			return err
		}
		moved, err := c.settle(ctx, found)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		items = nil
		for _, d := range moved {
			if !seen[d.item] {
				seen[d.item] = true
				items = append(items, d.item)
			}
		}
	}
	return nil
}

// once is again for differences about which there is nothing to look at again:
// what has changed meanwhile is the next check's.
func (c *check) once(ctx context.Context, found ...difference) error {
	_, err := c.settle(ctx, found)
	return err
}

const atOnce = 64 // differences in one script

// settle makes sure of differences: it tells those that are so at one moment,
// repaired if asked, and returns those that are not.
func (c *check) settle(ctx context.Context, found []difference) (moved []difference, err error) {
	for len(found) > 0 {
		n := min(atOnce, len(found))
		part := found[:n]
		found = found[n:]
		apart, err := c.standApart(ctx, part)
		if err != nil {
			return nil, err
		}
		if err := c.reserve(ctx, part, apart); err != nil {
			return nil, err
		}
		states, err := c.compare(ctx, part, apart)
		if err != nil {
			return nil, err
		}
		// Once more: a confirmation that was noted when the claim was read may have
		// come, and its note gone, before the script looked for the note.
		after, err := c.standApart(ctx, part)
		if err != nil {
			return nil, err
		}
		for i := range part {
			d := &part[i]
			d.Repairable = len(d.fixes) > 0 || d.mend != nil
			switch {
			case !apart[i] || !after[i] || states[i] == '0':
				if err := c.unreserve(ctx, d); err != nil {
					return nil, err
				}
				moved = append(moved, *d)
			case states[i] == 'W':
				if err := firstDone(func() error { return c.unreserve(ctx, d) }, func() error { return c.inTheWay(ctx, d) }); err != nil {
					return nil, err
				}
			default:
				d.Repaired = c.cfg.Repair && d.Repairable
				if d.Repaired && d.mend != nil {
					if d.Repaired, err = c.mendClaim(ctx, d.mend); err != nil {
						return nil, err
					}
				}
				c.find(d.Finding)
			}
		}
	}
	return moved, nil
}

// standApart tells of each difference whether the values in other slots are as
// seen.
func (c *check) standApart(ctx context.Context, list []difference) ([]bool, error) {
	ok := make([]bool, len(list))
	for i := range list {
		ok[i] = true
		for _, g := range list[i].apart {
			v, err := c.client.Get(ctx, g.key).Result()
			if err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
				return nil, explain(ctx, "look again", err)
			}
			ok[i] = ok[i] && v == g.want
		}
	}
	return ok, nil
}

// compare runs the script over differences and gives a letter for each.
func (c *check) compare(ctx context.Context, list []difference, skip []bool) (string, error) {
	stamp, err := c.s.stamp()
	if err != nil {
		return "", err
	}
	sc := c.s.scripts.look
	if c.cfg.Repair {
		sc = c.s.scripts.repair
	}
	w := &wire{call: newCall(sc, 64), args: make([]any, 0, 64)}
	w.key(c.k.attempts('0'), c.k.attempts('1'))
	w.add(stamp)
	w.count(len(list))
	for i := range list {
		w.count(len(list[i].guards))
		for _, g := range list[i].guards {
			w.key(g.key)
			w.add(g.kind, g.field, g.want)
		}
		fixes := list[i].fixes
		if !c.cfg.Repair || !skip[i] {
			fixes = nil
		}
		w.count(len(fixes))
		for _, f := range fixes {
			w.key(f.key)
			w.add(f.cmd)
			w.count(len(f.args))
			for _, a := range f.args {
				w.add(a)
			}
		}
	}
	w.call.arg(w.args...)
	var reply any
	if c.cfg.Repair {
		reply, err = c.s.write(ctx, w.call)
	} else {
		reply, err = c.s.run(ctx, c.client, w.call)
	}
	if err != nil {
		return "", explain(ctx, "look again", err)
	}
	states, _ := reply.(string)
	if len(states) != len(list) {
		return "", fmt.Errorf("backend: fsck: the script gave an answer that is not understood: %v", reply)
	}
	return states, nil
}

// inTheWay finds out which key of a difference has a wrong type and tells it.
func (c *check) inTheWay(ctx context.Context, d *difference) error {
	for _, g := range d.guards {
		if err := c.anotherType(ctx, g.key); err != nil {
			return err
		}
	}
	return nil
}

// anotherType tells a key that has another type than it must have.
func (c *check) anotherType(ctx context.Context, key string) error {
	is, err := c.client.Type(ctx, key).Result()
	if err != nil {
		return explain(ctx, "look at keys", err)
	}
	if want := typeOf(key); is != "none" && is != want {
		return c.wrong(ctx, key, is, want)
	}
	return nil
}

// wrong tells that a key has a wrong type. Only what is derived is removed, to be
// built anew by the next round.
func (c *check) wrong(ctx context.Context, key, is, want string) error {
	c.mu.Lock()
	known := c.broken[key]
	c.broken[key] = true
	c.mu.Unlock()
	if known {
		return nil
	}
	d := difference{
		Finding: Finding{Code: FindingWrongType, Key: key, Reason: fmt.Sprintf("%s is a %s, it must be a %s", key, is, want)},
		guards:  []guard{{"type", key, "", is}},
	}
	if _, _, ok := c.k.parseRecord(key); ok {
		c.leaveOut()
	}
	if derived(key) {
		d.fixes = []fix{{"DEL", key, nil}}
	} else {
		d.Remedy = "it holds what cannot be derived: delete the organization and restore it from a backup, or find out who wrote the key and rename it"
	}
	if c.s.spread && !strings.Contains(key, c.k.tag) {
		c.find(d.Finding) // a claim in a slot of its own, which is not repaired
		return nil
	}
	return c.once(ctx, d)
}

func wrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }

// rest waits; nothing for no time.
func (c *check) rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	return c.s.sleep(ctx, d)
}

// longestRest bounds how long a gentle check rests after one piece of work.
const longestRest = 250 * time.Millisecond

// breathe rests as long as the store has worked, when others want it too.
func (c *check) breathe(ctx context.Context, since time.Time) error {
	if !c.cfg.Gentle {
		return ctx.Err()
	}
	return c.rest(ctx, min(started().Sub(since), longestRest))
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// badRow tells whether ids in a row are none, or stand there twice, and gives the
// row without the fault.
func badRow(row string, good func(id string) bool) (clean string, bad bool) {
	var out strings.Builder
	seen := map[string]bool{}
	for at := 0; at < len(row); at += idSize {
		id := row[at:min(at+idSize, len(row))]
		if !good(id) || seen[id] {
			bad = true
			continue
		}
		seen[id] = true
		out.WriteString(id)
	}
	return out.String(), bad
}
