package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/resources"
)

// marking is a word about who changes a membership now, in the words of
// commit.lua, section 2j.
type marking struct{ group, name, how string }

const (
	changeBegins   = "begin"  // set it; nobody else's may be there
	changeEnds     = "end"    // take it away, if it is this one
	changeGoesOn   = "within" // it must be there
	changeByNobody = "free"   // none may be there
)

// Mark notes that a change of a membership begins.
func (u *unit) Mark(group, change string) { u.mark(group, change, changeBegins) }

// Unmark notes its end.
func (u *unit) Unmark(group, change string) { u.mark(group, change, changeEnds) }

// Within notes what change the commit is part of.
func (u *unit) Within(group, change string) {
	how := changeGoesOn
	if change == "" {
		how = changeByNobody
	}
	u.mark(group, change, how)
}

// mark notes the last word about a group.
func (u *unit) mark(group, change, how string) {
	kind, ok := known(group)
	named, good := known(change)
	free := change == "" && how == changeByNobody || change == resources.AnyChange && how == changeGoesOn
	if !ok || kind != resources.KindGroup || !free && (!good || named != resources.KindSetting) {
		u.fail("Mark, Unmark or Within of the group %q for the change %q: the ids of a group and of a setting are needed", group, change)
		return
	}
	u.marks = slices.DeleteFunc(u.marks, func(m marking) bool { return m.group == group })
	u.marks = append(u.marks, marking{group, change, how})
}

// marks reports whether the commit sets or takes away marks.
func (p *plan) marks() bool {
	return slices.ContainsFunc(p.u.marks, func(m marking) bool { return m.how == changeBegins || m.how == changeEnds })
}

// guard lists what must be so with the marks of groups: who says nothing about
// a group that it links in waits for changes of others. A group that this
// commit creates has no mark, one that it deletes loses it.
func (p *plan) guard() {
	for _, m := range p.u.marks {
		c := p.changeOf(m.group)
		if deleted := c != nil && c.after == nil; !deleted && m.name != resources.AnyChange {
			p.guards = append(p.guards, m)
		}
	}
	for i := range p.links {
		group := p.links[i].group
		said := slices.ContainsFunc(p.u.marks, func(m marking) bool { return m.group == group })
		c := p.changeOf(group)
		if created := c != nil && c.before == nil; !said && !created {
			p.guards = append(p.guards, marking{group, "", changeByNobody})
		}
	}
}

// errBusy says that a membership is being changed by others.
var errBusy = errors.New("the membership of a group is being changed by another request")

// How long a commit waits for changes of others, and how often it looks.
const (
	busyFor      = 30 * time.Second
	busyMinPause = 5 * time.Millisecond
	busyMaxPause = 200 * time.Millisecond
)

// turn is the waiting of one Update for changes of others.
type turn struct {
	until time.Time // by the system's clock, for it bounds work
	pause time.Duration
}

// await pauses before the next try, or tells that the time is up.
func (s *Store) await(ctx context.Context, p *turn) error {
	if started().After(p.until) {
		return fmt.Errorf("backend: update: %w: %w", resources.ErrUnavailable, errBusy)
	}
	p.pause = min(max(2*p.pause, busyMinPause), busyMaxPause)
	return explain(ctx, "update", s.sleep(ctx, p.pause))
}
