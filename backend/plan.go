package backend

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/usher-scim/usher/resources"
)

// maxLinks bounds the links of one commit, so that no script runs long
// (redis.md T11); those of members deleted in the same commit come on top.
const maxLinks = 1000

// plan is a commit spelled out for the script: the items of each section.
type plan struct {
	u     *unit
	stamp string
	now   int64

	names     []nameCheck
	namesGone []nameCheck
	missing   []sighting // key and id of what must exist
	links     []linkWork
	guards    []marking
	trash     []string
	one       []op
	two       []op
	pairs     []pairsOp
	unpack    []packed
	pack      []packed

	spread  *spreadPlan // how claims are taken and given back; nil when the commit does it
	created int         // users
	frees   bool
}

type nameCheck struct {
	index           resources.Index
	value, id, also string
}

type linkWork struct {
	group       string
	add, remove []string
}

type op struct {
	cmd, key string
	x        any
}

// pairsOp is a write of any number of pairs of arguments under one key.
type pairsOp struct {
	cmd, key string
	args     []any
}

// maxPairs bounds the arguments of one pairsOp: scripts can spread only so many.
const maxPairs = 1000

type packed struct{ key, value, id string }

// planOf turns what the closure asked for into a plan. It returns a
// *resources.Refusal when the answer is known without asking.
func planOf(u *unit, stamp string, now int64) (*plan, error) {
	if u.err != nil {
		return nil, u.err
	}
	p := &plan{u: u, stamp: stamp, now: now}
	if len(u.changes) > 0 {
		p.two, p.pairs, p.pack = make([]op, 0, 8), make([]pairsOp, 0, 16), make([]packed, 0, 8)
	}
	for _, c := range u.changes {
		if err := p.record(c); err != nil {
			return nil, err
		}
		if c.kind == resources.KindGroup && c.after != nil {
			p.now = c.after.Modified // document and membership change at one time
		}
	}
	if err := p.givenUp(); err != nil {
		return nil, err
	}
	if err := p.memberships(); err != nil {
		return nil, err
	}
	p.guard()
	for _, c := range u.claims {
		if u.s.spread {
			break // see reserve
		}
		p.add2("SET", claimKey(c.claim), claimPrefix(u.keys.org, c.holder)+stamp)
		p.add3("HSET", u.keys.claims(), claimField(c.claim), c.holder+"|"+stamp)
	}
	if err := errors.Join(p.places(), p.disbanded()); err != nil {
		return nil, err
	}
	for _, e := range u.expiry {
		// Sweep removes a setting as it was read, so that more time must show there.
		if e.kind == resources.KindSetting && !u.puts(e.id) {
			return nil, fmt.Errorf("backend: Expire of the setting %s without a Put of it", e.id)
		}
		p.add3("ZADD", u.keys.expiry(), strconv.FormatInt(e.at, 10), u.keys.record(e.kind, e.id))
	}
	p.frees = p.onlyFrees()
	return p, nil
}

// empty reports whether there is nothing to do and nothing to be refused for.
func (p *plan) empty() bool {
	u := p.u
	return p.linksOnly() && len(p.links)+len(p.guards)+len(u.events)+len(u.due)+len(u.pools)+len(u.leases) == 0
}

// linksOnly reports whether links are all there is to do: then nothing is
// written, appended or made due unless one of them changes.
func (p *plan) linksOnly() bool {
	u := p.u
	return len(u.changes)+len(u.claims)+len(u.frees)+len(u.expiry)+len(p.two)+len(p.pairs) == 0 &&
		!u.moves() && len(u.undue) == 0 && !p.marks() &&
		(len(p.links) > 0 || len(u.events)+len(u.due) == 0)
}

// onlyFrees reports whether the commit takes no room but for its events and
// what they make due, or cannot wait: such a commit may run when memory is short.
func (p *plan) onlyFrees() bool {
	if p.u.pressing {
		return true
	}
	for _, c := range p.u.changes {
		if c.after != nil {
			return false
		}
	}
	for _, l := range p.links {
		if len(l.add) > 0 {
			return false
		}
	}
	u := p.u
	return len(u.claims)+len(u.expiry)+len(u.takes)+len(u.waits) == 0 && !p.marks() &&
		(len(u.changes)+len(p.links)+len(u.frees)+len(u.undue) > 0 || u.moves())
}

func (p *plan) add1(cmd, key string)        { p.one = append(p.one, op{cmd: cmd, key: key}) }
func (p *plan) add2(cmd, key string, x any) { p.two = append(p.two, op{cmd, key, x}) }

// add3 adds a pair to the write under its key: a user with a licence has many
// entries in one index, and one command for all costs far less than one for each.
func (p *plan) add3(cmd, key string, x, y any) {
	for i := len(p.pairs) - 1; i >= 0; i-- {
		if o := &p.pairs[i]; o.key == key && o.cmd == cmd && len(o.args) < maxPairs {
			o.args = append(o.args, x, y)
			return
		}
	}
	p.pairs = append(p.pairs, pairsOp{cmd, key, []any{x, y}})
}

// record plans the writes of one record.
func (p *plan) record(c *change) error {
	k := p.u.keys
	key := k.record(c.kind, c.id)
	if c.after == nil {
		if c.before == nil {
			return nil // made and removed again by one closure
		}
		p.remove(c, key)
		return nil
	}
	raw, err := p.u.s.codec.encode(c.after, p.stamp)
	if err != nil {
		return err
	}
	p.add2("SET", key, raw)
	if c.kind == resources.KindGroup && (c.before == nil || c.before.Display != c.after.Display) {
		p.add3("HSET", k.groupNames(), c.id, c.after.Display)
	}
	if c.kind == resources.KindUser && c.before == nil {
		p.created++
	}
	p.entries(c)
	return nil
}

func (p *plan) remove(c *change, key string) {
	k := p.u.keys
	p.add1("DEL", key)
	p.entries(c)
	switch c.kind {
	case resources.KindGroup:
		p.add2("HDEL", k.groupNames(), c.id)
		p.add2("HDEL", k.links(), c.id)
		p.add2("HDEL", k.changing(), c.id)
		p.add1("UNLINK", k.groupsOf(c.id))
		p.trash = append(p.trash, c.id)
	case resources.KindUser:
		p.add1("UNLINK", k.groupsOf(c.id))
		p.created--
	default:
		p.add2("ZREM", k.expiry(), key)
	}
}

// entries plans the index entries that differ between had and has.
func (p *plan) entries(c *change) {
	for _, e := range c.had {
		if !stays(e, c.has) {
			p.takeOut(e, c.id)
		}
	}
	for _, e := range c.has {
		if !holds(c.had, e) {
			p.putIn(e, c.id)
		}
	}
}

// holds reports whether an equal entry is in the list. Records stand in a
// Member index by their id alone.
func holds(list []resources.Entry, e resources.Entry) bool {
	for _, x := range list {
		if x == e || (x.Index == e.Index && e.Index.Shape() == resources.Member) {
			return true
		}
	}
	return false
}

// stays reports whether an entry need not be taken out: it is still wanted,
// or it is about to be overwritten.
func stays(e resources.Entry, has []resources.Entry) bool {
	if e.Index.Shape() == resources.Time {
		for _, x := range has {
			if x.Index == e.Index {
				return true
			}
		}
	}
	return holds(has, e)
}

func (p *plan) takeOut(e resources.Entry, id string) {
	key := p.u.keys.index(e.Index)
	switch e.Index.Shape() {
	case resources.Unique:
		p.namesGone = append(p.namesGone, nameCheck{index: e.Index, value: e.Value, id: id})
	case resources.Equal:
		p.unpack = append(p.unpack, packed{key, e.Value, id})
	case resources.Text:
		p.add2("ZREM", key, e.Value+"\x00"+id)
	default:
		p.add2("ZREM", key, id)
	}
}

func (p *plan) putIn(e resources.Entry, id string) {
	key := p.u.keys.index(e.Index)
	switch e.Index.Shape() {
	case resources.Unique:
		p.names = append(p.names, nameCheck{index: e.Index, value: e.Value, id: id})
		p.add3("HSET", key, e.Value, id)
	case resources.Equal:
		p.pack = append(p.pack, packed{key, e.Value, id})
	case resources.Text:
		p.add3("ZADD", key, "0", e.Value+"\x00"+id)
	case resources.Time:
		p.add3("ZADD", key, strconv.FormatInt(e.Time, 10), id)
	default:
		p.add3("ZADD", key, "0", id)
	}
}

// givenUp lets a name go from one record to another within one commit, and
// refuses to give one to two of them: the script would see it free twice.
func (p *plan) givenUp() error {
	for i := range p.names {
		n := &p.names[i]
		for _, g := range p.namesGone {
			if g.index == n.index && g.value == n.value {
				n.also = g.id
			}
		}
		for _, earlier := range p.names[:i] {
			if earlier.index == n.index && earlier.value == n.value && earlier.id != n.id {
				return &resources.Refusal{Reason: resources.RefusedName, Index: n.index, Value: n.value, Holder: earlier.id}
			}
		}
	}
	for i, c := range p.u.claims {
		for _, earlier := range p.u.claims[:i] {
			if earlier.claim == c.claim {
				return &resources.Refusal{Reason: resources.RefusedClaim, Claim: c.claim, Holder: earlier.holder, HolderOrg: p.u.keys.org}
			}
		}
	}
	return nil
}

// memberships plans the links, without those of groups that go away.
func (p *plan) memberships() error {
	total := 0
	for _, g := range p.u.links {
		kind, ok := known(g.group)
		if !ok || kind != resources.KindGroup {
			return &resources.Refusal{Reason: resources.RefusedMissing, Value: g.group}
		}
		switch c := p.changeOf(g.group); {
		case c != nil && c.after == nil:
			continue
		case c == nil || c.before != nil:
			p.missing = append(p.missing, sighting{p.u.keys.record(kind, g.group), g.group})
		}
		w := linkWork{group: g.group}
		for _, m := range g.order {
			counted, err := p.member(&w, m, g.member[m])
			if err != nil {
				return err
			}
			total += counted
		}
		p.links = append(p.links, w)
	}
	if total > maxLinks {
		return fmt.Errorf("backend: one unit of work changes %d memberships; at most %d are possible, do it in several", total, maxLinks)
	}
	return nil
}

// member plans one link and tells how much it counts against maxLinks.
func (p *plan) member(w *linkWork, m string, in bool) (int, error) {
	kind, ok := known(m)
	c := p.changeOf(m)
	gone := c != nil && c.after == nil
	if !in {
		if ok {
			w.remove = append(w.remove, m)
		}
		if gone {
			return 0, nil
		}
		return 1, nil
	}
	if !ok || gone || (kind != resources.KindUser && kind != resources.KindGroup) {
		return 0, &resources.Refusal{Reason: resources.RefusedMissing, Value: m}
	}
	if c == nil || c.before != nil {
		p.missing = append(p.missing, sighting{p.u.keys.record(kind, m), m})
	}
	w.add = append(w.add, m)
	return 1, nil
}

func (p *plan) changeOf(id string) *change {
	for _, c := range p.u.changes {
		if c.id == id {
			return c
		}
	}
	return nil
}
