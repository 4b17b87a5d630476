package resources

import (
	"context"
	"errors"
	"slices"
)

// templated reports whether being a member of a group decides about licences.
func (p *Plan) templated(group string) bool {
	return p.templateOf(group) != nil || slices.ContainsFunc(p.Holds, func(h Hold) bool { return h.Source.Ref == group })
}

// dueMembers makes users due who come into, or leave, a group that decides about
// licences (BR-161). Groups within groups do not count.
func (d *Directory) dueMembers(tx Tx, p *Plan, group string, lists ...[]string) {
	if !p.templated(group) {
		return
	}
	now := d.now()
	for _, list := range lists {
		for _, id := range list {
			if k, ok := KindOf(id); ok && k == KindUser {
				tx.Due(ItemOfUser(id), now)
			}
		}
	}
}

// guarding is what an act on a membership needs to know about the guard against
// mass revocation (BR-165). A nil one agrees to everything.
type guarding struct {
	removed []string // everybody who leaves the group
	done    bool     // what they would lose was looked at
}

// of says who leaves.
func (g *guarding) of(removed []string) *guarding {
	g.removed = removed
	return g
}

// unguarded ends a commit before which the guard must look.
type unguarded struct {
	plan    *Plan
	removed []string
}

// Error says so, for logs.
func (*unguarded) Error() string {
	return "members would leave a templated group without a look at what they lose"
}

// check ends the commit when the guard has to look first.
func (g *guarding) check(p *Plan, group string) error {
	if g == nil || g.done || p.Settings.GuardOff || !p.templated(group) || len(g.removed) <= p.Settings.guardedFrom() {
		return nil
	}
	return &unguarded{p, g.removed}
}

// guarded runs an act that may take many members out of a group. What the guard
// holds back stays with the users, the act itself is done (BR-165).
func (d *Directory) guarded(ctx context.Context, c Caller, group string, act func(*guarding) error) error {
	var g guarding
	err := act(&g)
	stopped, ok := errors.AsType[*unguarded](err)
	if !ok {
		return err
	}
	held, err := d.guardMembers(ctx, c, stopped.plan, group, stopped.removed)
	if err != nil {
		return err
	}
	c.Held.add(held)
	g.done = true
	return act(&g)
}

// disband makes the members of a group that is deleted due, if it decides about
// licences, once the guard has looked at what they lose.
func (d *Directory) disband(ctx context.Context, tx Tx, c Caller, p *Plan, group string, g *guarding) error {
	if !p.templated(group) {
		return nil
	}
	if !g.done && !p.Settings.GuardOff {
		members, err := d.allMembers(ctx, c.Org, group)
		if err != nil {
			return err
		}
		if err := g.of(members).check(p, group); err != nil {
			return err
		}
	}
	tx.Disband(group)
	_, _, err := d.groupTemplate(ctx, tx, c, p, group, nil, false)
	return err
}

// groupLicensed makes the products that a group's document names the template of
// the group (domain.md §5.3), in the commit of the document.
type groupLicensed struct {
	d    *Directory
	c    Caller
	skus []string // as the catalogue spells them
	held *Alert
	new  bool // the plan has changed
}

// check refuses products that a document newly names and that cannot be given.
func (g *groupLicensed) check(ctx context.Context, named, before []string) error {
	if g.skus = nil; len(named) == 0 {
		return nil
	}
	cat, err := g.d.catalogue(ctx)
	if err != nil {
		return err
	}
	g.skus, err = cat.checkGroupLicences(named, before, g.c.Strict)
	return err
}

// create gives the id of the template of a group that is created, or "".
func (g *groupLicensed) create(ctx context.Context, tx Tx, group string, run int) (string, error) {
	if len(g.skus) == 0 {
		return "", nil
	}
	p, err := g.d.planIn(ctx, tx, g.c.Org, run)
	if err != nil {
		return "", err
	}
	return g.template(ctx, tx, p, group)
}

// change gives the id of the template of a group whose document changes.
func (g *groupLicensed) change(ctx context.Context, tx Tx, p *Plan, group string, before, after *groupFacts) (string, error) {
	if slices.Equal(before.licences, after.licences) {
		return before.template, nil
	}
	if err := g.check(ctx, after.licences, before.licences); err != nil {
		return "", err
	}
	return g.template(ctx, tx, p, group)
}

func (g *groupLicensed) template(ctx context.Context, tx Tx, p *Plan, group string) (id string, err error) {
	id, g.held, err = g.d.groupTemplate(ctx, tx, g.c, p, group, g.skus, true)
	g.new = true
	return id, err
}

// done is called once the commit is made.
func (g *groupLicensed) done() {
	g.c.Held.add(g.held)
	if g.new {
		g.d.plans.drop(g.c.Org)
	}
}

// HeldBack collects the alerts of what acts of a caller would have taken away and
// the guard holds back (BR-165). The zero value is ready for use by one goroutine;
// a nil one collects nothing.
type HeldBack struct{ alerts []*Alert }

func (h *HeldBack) add(a *Alert) {
	if h != nil && a != nil {
		h.alerts = append(h.alerts, a)
	}
}

// Alerts lists what was held back.
func (h *HeldBack) Alerts() []*Alert {
	if h == nil {
		return nil
	}
	return h.alerts
}
