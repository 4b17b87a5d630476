package resources

import (
	"context"
	"fmt"
)

// GroupLicensing tells of a group's template and its progress.
type GroupLicensing struct {
	Template *Template
	Members  int
	Assigned int  // members that hold every product of the template
	Failed   int  // members that lack one
	Job      *Job // the last one that followed a change, or nil
}

// GroupLicensing counts; it costs a walk over the members when the group has a
// template. Codes: not_found.
func (d *Directory) GroupLicensing(ctx context.Context, c Caller, group string) (*GroupLicensing, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil && c.may(KindGroup, false) != nil {
		return nil, err
	}
	if k, ok := KindOf(group); !ok || k != KindGroup {
		return nil, notFound(KindGroup)
	}
	rec, err := d.store.Get(ctx, c.Org, KindGroup, group)
	if err != nil {
		return nil, fmt.Errorf("read a group: %w", err)
	}
	if rec == nil {
		return nil, notFound(KindGroup)
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	out := &GroupLicensing{Members: rec.Size}
	jobs, _, err := listSettings(ctx, d, c.Org, []Cond{*nounJob.with(attrOf("of", group))}, "", 1, jobIn)
	if err != nil {
		return nil, err
	}
	if len(jobs) > 0 {
		out.Job = jobs[0]
	}
	t := p.templateOf(group)
	if t == nil {
		return out, nil
	}
	copied := *t
	out.Template = &copied
	err = d.eachMember(ctx, c.Org, group, func(ids []string) error { return d.countLicensed(ctx, c.Org, ids, t, out) })
	return out, err
}

// countLicensed counts users of a piece of a membership by how far they have what
// a template gives.
func (d *Directory) countLicensed(ctx context.Context, org OrgID, ids []string, t *Template, out *GroupLicensing) error {
	const chunk = 500
	for len(ids) > 0 {
		recs, err := d.store.Many(ctx, org, ids[:min(len(ids), chunk)])
		if err != nil {
			return fmt.Errorf("read members: %w", err)
		}
		ids = ids[len(recs):]
		for _, rec := range recs {
			if rec == nil || rec.Kind != KindUser {
				continue
			}
			s := StandingOf(rec)
			has := true
			for _, sku := range t.SKUs {
				a := s.Licence(sku)
				has = has && a != nil && a.Status == Assigned
			}
			if has {
				out.Assigned++
			} else {
				out.Failed++
			}
		}
	}
	return nil
}
