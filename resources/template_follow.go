package resources

import (
	"context"
	"slices"
)

// changeTemplates makes one change of the templates, with what follows from it in
// the same commit: what is held, the jobs, the documents of groups.
func (d *Directory) changeTemplates(ctx context.Context, c Caller, event string, fn func(*Plan) error) (held *Alert, err error) {
	err = d.changePlan(ctx, c, event, func(tx Tx, next *Plan) error {
		if err := fn(next); err != nil {
			return err
		}
		held, err = d.followTemplates(ctx, tx, c, next, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return held, nil
}

// templateGain is how a change of templates looks to one group.
type templateGain struct {
	group        string
	gained, lost []string
	moved        bool // another template gives it what it has
}

// gains compares what groups are given before and after a change of templates. The
// look-ups of p are those before, its templates those after.
func (p *Plan) gains() []templateGain {
	after := make(map[string]*Template)
	for i := range p.Templates {
		for _, g := range p.Templates[i].Groups {
			after[g] = &p.Templates[i]
		}
	}
	groups := make([]string, 0, len(after))
	for g := range p.groups {
		groups = append(groups, g)
	}
	for g := range after {
		groups = append(groups, g)
	}
	var out []templateGain
	for _, g := range sortedSet(groups) {
		was, is := p.groups[g], after[g]
		var had, has []string
		if was != nil {
			had = was.SKUs
		}
		if is != nil {
			has = is.SKUs
		}
		gain := templateGain{group: g, gained: without(has, had), lost: without(had, has)}
		gain.moved = (was == nil) != (is == nil) || was != nil && was.ID != is.ID
		if len(gain.gained)+len(gain.lost) > 0 || gain.moved {
			out = append(out, gain)
		}
	}
	return out
}

// without lists the SKUs of a that are not in b.
func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !containsFold(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// followTemplates asks for what follows from changed templates: a hold when they
// take too much from too many (BR-165), the documents of groups, and a job that
// settles members. own is a group whose document the caller writes itself.
func (d *Directory) followTemplates(ctx context.Context, tx Tx, c Caller, next *Plan, own string) (held *Alert, err error) {
	gains := next.gains()
	if len(gains) == 0 {
		return nil, nil
	}
	if held, err = d.guardTemplates(ctx, tx, c, next, gains); err != nil {
		return nil, err
	}
	var settle []string
	for _, g := range gains {
		if g.moved && g.group != own {
			if err := d.showTemplate(tx, c, next, g.group); err != nil {
				return nil, err
			}
		}
		if len(g.gained)+len(g.lost) > 0 {
			settle = append(settle, g.group)
		}
	}
	if len(settle) == 0 {
		return held, nil
	}
	return held, d.startJob(tx, c, &Job{Type: JobSettleGroup, Subjects: settle}, groupParams{Groups: settle})
}

// groupTemplate makes the products that a group's document names the template of
// the group, in the commit that writes the group; none of them take it away. A
// template that several groups share stays that of the others. present is false
// when the group is being deleted: what its members lose is guarded before
// (guardMembers), and they become due one by one (Tx.Disband). skus were checked
// with the catalogue; p is the plan that the commit depends on. It gives the id of
// the group's template, for its document, and the alert when taking products away
// waits for an administrator. Members are settled by a job.
func (d *Directory) groupTemplate(ctx context.Context, tx Tx, c Caller, p *Plan, group string, skus []string, present bool) (id string, held *Alert, err error) {
	next := p.clone()
	at := next.templateAt(group)
	give := present && len(skus) > 0
	switch {
	case !give && at < 0:
		return "", nil, nil
	case give && at >= 0 && slices.Equal(next.Templates[at].SKUs, sortedSet(skus)):
		return next.Templates[at].ID, nil, nil
	case give && at >= 0 && len(next.Templates[at].Groups) == 1:
		next.Templates[at].SKUs, id = sortedSet(skus), next.Templates[at].ID
	case at >= 0:
		next.leaveTemplate(at, group)
	}
	if give && id == "" {
		if id, err = d.newID(KindSetting, d.now()); err != nil {
			return "", nil, err
		}
		t := Template{ID: id, Type: TemplateGroup, SKUs: sortedSet(skus), Groups: []string{group}}
		next.Templates = append(next.Templates, t)
		if err := next.checkTemplates(&t); err != nil {
			return "", nil, err
		}
	}
	if present {
		if held, err = d.followTemplates(ctx, tx, c, next, group); err != nil {
			return "", nil, err
		}
	}
	return id, held, d.putPlan(tx, c, p, next, "template.updated")
}

// leaveTemplate takes a group out of the template at a place; one without groups
// goes.
func (p *Plan) leaveTemplate(at int, group string) {
	t := &p.Templates[at]
	if t.Groups = slices.DeleteFunc(t.Groups, func(g string) bool { return g == group }); len(t.Groups) == 0 {
		p.Templates = slices.Delete(p.Templates, at, at+1)
	}
}

// templateAt finds the template of a group among the templates; -1 is none.
func (p *Plan) templateAt(group string) int {
	return slices.IndexFunc(p.Templates, func(t Template) bool { return slices.Contains(t.Groups, group) })
}
