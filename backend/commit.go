package backend

import (
	"strconv"

	"github.com/usher-scim/usher/resources"
)

// call spells the plan out in the order commit.lua reads it.
func (p *plan) call() *call {
	sc := p.u.s.scripts.commit
	if p.frees {
		sc = p.u.s.scripts.release
	}
	// Keys and args are read in step but sent apart: args are kept aside.
	// The room is that of a creation, and of links: what grows is copied.
	w := &wire{call: newCall(sc, 192+4*len(p.missing)), args: make([]any, 0, 128+len(p.missing))}
	k := p.u.keys
	w.key(k.attempts('0'), k.attempts('1'))
	mode := "all"
	if p.linksOnly() {
		mode = "links"
	}
	w.add(p.stamp, strconv.FormatInt(p.now, 10), mode)
	w.count(len(p.u.leases))
	for _, token := range p.u.leases {
		w.key(k.lease())
		w.add(token)
	}
	p.checks(w)
	p.linkSection(w)
	p.removals(w)
	p.writes(w)
	if len(p.u.pools)+len(p.u.lines) > 0 {
		w.key(k.places())
	}
	p.dues(w)
	w.key(k.links(), k.index(resources.GroupModified), k.backup()) // the last key is what guard.lua looks at
	w.call.arg(w.args...)
	return w.call
}

// wire collects keys and args of a call.
type wire struct {
	call *call
	args []any
}

func (w *wire) key(keys ...string) { w.call.key(keys...) }
func (w *wire) add(args ...any)    { w.args = append(w.args, args...) }
func (w *wire) count(n int)        { w.args = append(w.args, n) } // as a number: small ones cost nothing

// checks writes sections 2a to 2j.
func (p *plan) checks(w *wire) {
	k := p.u.keys
	w.count(len(p.u.seen))
	for _, x := range p.u.seen {
		w.key(x.key)
		w.add(x.want)
	}
	w.count(len(p.u.lists))
	for _, x := range p.u.lists {
		w.key(k.groupsOf(x.key), k.groupNames())
		w.add(x.want)
	}
	w.count(len(p.u.unmoved))
	for _, x := range p.u.unmoved {
		w.key(k.links())
		w.add(x.key, x.want)
	}
	w.count(len(p.names))
	for _, n := range p.names {
		w.key(k.index(n.index))
		w.add(n.value, n.id, n.also)
	}
	folded := p.u.claims
	if p.spread != nil {
		folded = nil
	}
	w.count(len(folded))
	for _, c := range folded {
		freed := ""
		for _, f := range p.u.frees {
			if f.claim == c.claim {
				freed = claimPrefix(k.org, f.holder)
			}
		}
		w.key(claimKey(c.claim))
		w.add(claimPrefix(k.org, c.holder), freed)
	}
	p.spreadSection(w)
	p.placeChecks(w)
	w.count(len(p.missing))
	for _, x := range p.missing {
		w.key(x.key)
	}
	w.count(len(p.guards))
	if len(p.guards) > 0 {
		w.key(k.changing())
	}
	for _, g := range p.guards {
		w.add(g.group, g.name, g.how)
	}
}

// linkSection writes section 3.
func (p *plan) linkSection(w *wire) {
	k := p.u.keys
	w.count(len(p.links))
	for _, l := range p.links {
		w.key(k.members(l.group))
		w.add(l.group)
		w.count(len(l.add))
		w.count(len(l.remove))
		for _, list := range [...][]string{l.add, l.remove} {
			for _, m := range list {
				w.key(k.groupsOf(m))
				w.add(m)
			}
		}
	}
}

// removals writes sections 4a to 4e.
func (p *plan) removals(w *wire) {
	k := p.u.keys
	w.key(k.events())
	w.count(len(p.u.events))
	for _, e := range p.u.events {
		w.add(e)
	}
	w.count(len(p.namesGone))
	for _, n := range p.namesGone {
		w.key(k.index(n.index))
		w.add(n.value, n.id)
	}
	folded := p.u.frees
	if p.spread != nil {
		folded = nil
	}
	w.count(len(folded))
	for _, f := range folded {
		w.key(claimKey(f.claim), k.claims())
		w.add(claimPrefix(k.org, f.holder), claimField(f.claim))
	}
	w.count(len(p.trash))
	for _, g := range p.trash {
		w.key(k.members(g), k.trash(g), k.trashList())
		w.add(g, p.trashScore(g))
	}
	w.packed(p.unpack)
}

// writes writes sections 4f and 4g.
func (p *plan) writes(w *wire) {
	w.count(len(p.one))
	for _, o := range p.one {
		w.key(o.key)
		w.add(o.cmd)
	}
	w.count(len(p.two))
	for _, o := range p.two {
		w.key(o.key)
		w.add(o.cmd, o.x)
	}
	w.count(len(p.pairs))
	for _, o := range p.pairs {
		w.key(o.key)
		w.add(o.cmd)
		w.count(len(o.args))
		w.add(o.args...)
	}
	w.packed(p.pack)
}

func (w *wire) packed(list []packed) {
	w.count(len(list))
	for _, x := range list {
		w.key(x.key)
		w.add(x.value, x.id)
	}
}
