package backend

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/usher-scim/usher/resources"
)

// tokenSize is the length of a lease's token. It stands behind two bytes of the
// lease's key, as version and stamp do in a record.
const tokenSize = 25

// longestItem bounds what stands in the list of what is due, in bytes.
const longestItem = longestName + 8

// dueAt are microseconds since 1970 that a score holds exactly: before 1970 is
// at once, after the year 2255 is then.
func dueAt(t time.Time) int64 {
	if t.Year() > 2255 { // beyond, UnixMicro is beyond what a score holds, or overflows
		return 1<<53 - 1
	}
	return min(max(t.UnixMicro(), 0), 1<<53-1)
}

// maxDue bounds the items of one commit, as maxLinks does links.
const maxDue = 1000

// badItem notes what is wrong with an item, if anything.
func (u *unit) badItem(item string) bool {
	if item == "" || len(item) > longestItem {
		u.fail("item %q: a letter and an id of at most %d bytes is needed", item, longestItem)
		return true
	}
	return false
}

// Due notes an item that becomes due.
func (u *unit) Due(item string, t time.Time) {
	if u.badItem(item) {
		return
	}
	at := dueAt(t)
	for i := range u.due {
		if u.due[i].Item == item {
			u.due[i].At = min(u.due[i].At, at)
			return
		}
	}
	if len(u.due) == maxDue {
		u.fail("one unit of work makes more than %d items due; do it in several", maxDue)
		return
	}
	u.due = append(u.due, resources.DueItem{Item: item, At: at})
}

// Pressing implements resources.Tx.
func (u *unit) Pressing() { u.pressing = true }

// Undue notes an item that was done.
func (u *unit) Undue(item resources.DueItem) {
	if u.badItem(item.Item) {
		return
	}
	u.undue = append(u.undue, item)
}

// Fence notes a lease that must be the newest.
func (u *unit) Fence(l resources.Lease) {
	switch {
	case l.Org != u.keys.org:
		u.fail("Fence with a lease of the organization %q", string(l.Org))
	case len(l.Token) != tokenSize:
		u.fail("Fence with a token of %d characters; a lease has %d", len(l.Token), tokenSize)
	case !slices.Contains(u.leases, l.Token):
		u.leases = append(u.leases, l.Token)
	}
}

// Disband notes a group whose members become due as they are cleared.
func (u *unit) Disband(group string) {
	if !slices.Contains(u.disband, group) {
		u.disband = append(u.disband, group)
	}
}

// dueNow tells whether something becomes due that waits for no later time.
func (p *plan) dueNow() bool {
	now := p.u.s.cfg.Now().UnixMicro()
	return slices.ContainsFunc(p.u.due, func(d resources.DueItem) bool { return d.At <= now })
}

// disbanded checks that only deleted groups are disbanded.
func (p *plan) disbanded() error {
	for _, g := range p.u.disband {
		if c := p.changeOf(g); c == nil || c.kind != resources.KindGroup || c.after != nil {
			return fmt.Errorf("backend: Disband of %q, which the unit of work does not delete", g)
		}
	}
	return nil
}

// disbandedScore is the score in the list of trash of a group whose members
// become due; others have 0.
const disbandedScore = 1

// trashScore tells with which score a deleted group waits to be swept.
func (p *plan) trashScore(group string) string {
	if slices.Contains(p.u.disband, group) {
		return strconv.Itoa(disbandedScore)
	}
	return "0"
}

// dues writes section 4i.
func (p *plan) dues(w *wire) {
	k := p.u.keys
	w.count(len(p.u.undue))
	w.count(len(p.u.due))
	if len(p.u.undue)+len(p.u.due) > 0 {
		w.key(k.due(), k.tries(), k.parked(), k.causes())
	}
	for _, d := range p.u.undue {
		w.add(d.Item, strconv.FormatInt(d.At, 10))
	}
	now := p.u.s.cfg.Now().UnixMicro()
	for _, d := range p.u.due {
		at := strconv.FormatInt(d.At, 10)
		if d.At <= now {
			at = "<" + at // now, whatever this node takes for it: other nodes look by their own clocks
		}
		w.add(d.Item, at)
	}
}
