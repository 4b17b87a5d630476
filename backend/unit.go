package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

// unit is one run of an Update closure: what it saw and what it asks for.
// It implements resources.Tx.
type unit struct {
	s    *Store
	ctx  context.Context // of this run only; a unit does not outlive it
	keys keys
	err  error // the first request that makes no sense

	seen    []sighting
	lists   []sighting // key is the member's id, want the groups' ids in a row
	changes []*change
	links   []*groupLinks
	unmoved []sighting // key is the group's id, want its count of changes
	claims  []claimTake
	frees   []claimTake
	pools   []*poolWork
	lines   []*lineWork
	takes   []taking
	waits   []waiting
	expiry  []expiry
	undue   []resources.DueItem
	due     []resources.DueItem
	leases  []string // tokens that must be the newest
	marks   []marking
	disband []string // groups whose members become due as they are cleared
	events  []string

	pressing bool // the commit may run when memory is short
}

// sighting is something read and what it said.
type sighting struct{ key, want string }

// change is what becomes of one record: from before to after, nil for none.
type change struct {
	id            string
	kind          resources.Kind
	before, after *resources.Record
	had, has      []resources.Entry
}

// groupLinks are the wanted links of one group, the last word for each member.
type groupLinks struct {
	group  string
	order  []string
	member map[string]bool // true: in
}

type claimTake struct {
	claim  resources.Claim
	holder string
}

type expiry struct {
	kind resources.Kind
	id   string
	at   int64
}

func (u *unit) fail(format string, args ...any) {
	if u.err == nil {
		u.err = fmt.Errorf("backend: "+format, args...)
	}
}

// Read reads a record and notes its version and stamp.
func (u *unit) Read(kind resources.Kind, id string) (*resources.Record, error) {
	if got, ok := known(id); !ok || got != kind {
		return nil, nil
	}
	rec, err := u.s.fetch(u.ctx, u.keys, kind, id)
	if err == nil {
		u.seen = append(u.seen, sighting{u.keys.record(kind, id), headWant(rec)})
	}
	return rec, err
}

// headWant is what GETRANGE shows of a record: version and stamp.
func headWant(r *resources.Record) string {
	if r == nil {
		return ""
	}
	return string(appendPadded(make([]byte, 0, 25), r.Version, 13)) + r.Stamp
}

// GroupsOf reads the groups of a member and notes the list.
func (u *unit) GroupsOf(id string) ([]string, error) {
	if _, ok := known(id); !ok {
		return nil, nil
	}
	ids, err := u.s.groupIDs(u.ctx, u.keys, id)
	if err != nil {
		return nil, err
	}
	u.lists = append(u.lists, sighting{id, strings.Join(ids, "")})
	return ids, nil
}

// change finds or starts the change of a record.
func (u *unit) change(kind resources.Kind, id string) *change {
	for _, c := range u.changes {
		if c.id == id {
			return c
		}
	}
	c := &change{id: id, kind: kind}
	u.changes = append(u.changes, c)
	return c
}

// puts reports whether a record is to be written.
func (u *unit) puts(id string) bool {
	return slices.ContainsFunc(u.changes, func(c *change) bool { return c.id == id && c.after != nil })
}

// Put notes that a record is to be written.
func (u *unit) Put(before, after *resources.Record, had, has []resources.Entry) {
	if after == nil {
		u.fail("Put without a record; use Delete")
		return
	}
	if kind, ok := known(after.ID); !ok || kind != after.Kind {
		u.fail("Put of a %s with the id %q: the id is not one of that kind", after.Kind, after.ID)
		return
	}
	if before != nil && before.ID != after.ID {
		u.fail("Put of %s over %s: a record cannot change its id", after.ID, before.ID)
		return
	}
	u.set(before, after, after.Kind, after.ID, had, has)
}

// Delete notes that a record is to be removed.
func (u *unit) Delete(before *resources.Record, had []resources.Entry) {
	if before == nil {
		u.fail("Delete without a record")
		return
	}
	if kind, ok := known(before.ID); !ok || kind != before.Kind {
		u.fail("Delete of a %s with the id %q: the id is not one of that kind", before.Kind, before.ID)
		return
	}
	u.set(before, nil, before.Kind, before.ID, had, nil)
}

// set joins a write with earlier ones of the same record: the first before
// and the last after count.
func (u *unit) set(before, after *resources.Record, kind resources.Kind, id string, had, has []resources.Entry) {
	first := len(u.changes)
	c := u.change(kind, id)
	if len(u.changes) > first {
		c.before, c.had = before, had
		u.seen = append(u.seen, sighting{u.keys.record(kind, id), headWant(before)})
	}
	c.after, c.has = after, has
}

// Link notes members to add.
func (u *unit) Link(group string, members ...string) { u.link(group, members, true) }

// Unlink notes members to remove.
func (u *unit) Unlink(group string, members ...string) { u.link(group, members, false) }

func (u *unit) link(group string, members []string, in bool) {
	if len(members) == 0 {
		return
	}
	var g *groupLinks
	for _, x := range u.links {
		if x.group == group {
			g = x
		}
	}
	if g == nil {
		g = &groupLinks{group: group, member: make(map[string]bool, len(members))}
		u.links = append(u.links, g)
	}
	for _, m := range members {
		if _, there := g.member[m]; !there {
			g.order = append(g.order, m)
		}
		g.member[m] = in
	}
}

// Unmoved notes a membership that must be as it was seen.
func (u *unit) Unmoved(group string, links uint64) {
	u.unmoved = append(u.unmoved, sighting{group, strconv.FormatUint(links, 10)})
}

// Claim notes a key to take.
func (u *unit) Claim(c resources.Claim, holder string) {
	if badClaim(c, holder) {
		u.fail("Claim of kind %q for %q: kind and holder are letters and digits, the key is not empty", c.Kind, holder)
		return
	}
	u.claims = append(dropClaim(u.claims, c, holder), claimTake{c, holder})
}

// Release notes a key to give back.
func (u *unit) Release(c resources.Claim, holder string) {
	if badClaim(c, holder) {
		u.fail("Release of kind %q for %q: kind and holder are letters and digits, the key is not empty", c.Kind, holder)
		return
	}
	u.claims = dropClaim(u.claims, c, holder)
	u.frees = append(dropClaim(u.frees, c, holder), claimTake{c, holder})
}

// badClaim keeps the separators of stored values out of their parts.
func badClaim(c resources.Claim, holder string) bool {
	return c.Key == "" || holder == "" || c.Kind == "" || strings.ContainsAny(holder, "|{}") || strings.ContainsAny(string(c.Kind), "|{}:")
}

// dropClaim removes an earlier word of the holder about the same key.
func dropClaim(list []claimTake, c resources.Claim, holder string) []claimTake {
	return slices.DeleteFunc(list, func(x claimTake) bool { return x.claim == c && x.holder == holder })
}

// Seen notes a record that was remembered.
func (u *unit) Seen(kind resources.Kind, id string, rec *resources.Record) {
	if got, ok := known(id); !ok || got != kind {
		u.fail("Seen of a %s with the id %q: the id is not one of that kind", kind, id)
		return
	}
	if rec != nil && rec.ID != id {
		u.fail("Seen of %s with the record %s", id, rec.ID)
		return
	}
	u.seen = append(u.seen, sighting{u.keys.record(kind, id), headWant(rec)})
}

// Expire notes when Sweep may remove a record.
func (u *unit) Expire(kind resources.Kind, id string, t time.Time) {
	if got, ok := known(id); !ok || got != kind {
		u.fail("Expire of a %s with the id %q: the id is not one of that kind", kind, id)
		return
	}
	if kind != resources.KindToken && kind != resources.KindSetting {
		u.fail("Expire of a %s: records of this kind must be deleted by their rules", kind)
		return
	}
	u.expiry = append(u.expiry, expiry{kind, id, t.UnixMilli()})
}

// Event notes a line for the organization's stream.
func (u *unit) Event(e resources.Event) {
	b, err := json.Marshal(e)
	if err != nil {
		u.fail("event %s: %w", e.Type, err)
		return
	}
	u.events = append(u.events, string(b))
}
