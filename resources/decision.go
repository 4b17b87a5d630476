package resources

import (
	"context"
	"fmt"
	"slices"
)

// The outcomes of a held revocation.
const (
	OutcomeConfirmed = "confirmed"
	OutcomeRejected  = "rejected"
)

// Decide confirms or rejects a held revocation (BR-165); request_closed when it
// was decided before. Confirmed, the licences go. Rejected, they stay: as direct
// ones, or of a template in the template. A job settles the users.
func (d *Directory) Decide(ctx context.Context, c Caller, alert string, confirm bool) (*Alert, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	if k, ok := KindOf(alert); !ok || k != KindSetting {
		return nil, noAlert()
	}
	event, outcome := "revocation.rejected", OutcomeRejected
	if confirm {
		event, outcome = "revocation.confirmed", OutcomeConfirmed
	}
	var result *Alert
	err := d.changePlan(ctx, c, event, func(tx Tx, next *Plan) error {
		rec, a, err := readAlert(tx, alert)
		switch {
		case err != nil:
			return err
		case a == nil:
			return noAlert()
		case a.Kind != AlertHeldRevocation:
			return invalidField("id", "Nothing is held by this alert; close it as done or dismissed.")
		case a.State != AlertOpen:
			return alertClosed(a)
		}
		a.State, a.Decided, a.By, a.Outcome = AlertDone, instant(d.now()), c.Token, outcome
		var groups []string
		if groups, err = d.closeHolds(ctx, tx, c, next, alert, confirm); err != nil {
			return err
		}
		j := &Job{Type: JobRelease, Subjects: []string{alert}}
		if err := d.startJob(tx, c, j, releaseParams{Alert: alert, Confirm: confirm, Groups: groups}); err != nil {
			return err
		}
		a.Job, result = j.ID, a
		return d.putAlert(tx, c, rec, a)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// closeHolds changes the plan as was decided. It gives the groups whose members
// are to be settled. A hold of users who left a group stays until the job has
// emptied its pool: rejected, it counts until then, confirmed it gives nothing.
func (d *Directory) closeHolds(ctx context.Context, tx Tx, c Caller, next *Plan, alert string, confirm bool) (groups []string, err error) {
	for i := range next.Holds {
		h := &next.Holds[i]
		switch {
		case h.Alert != alert:
		case h.Members:
			groups = append(groups, h.Source.Ref)
			if !confirm {
				if err := d.restore(ctx, tx, next, h); err != nil {
					return nil, err
				}
			}
		default:
			if h.Decided = true; confirm {
				h.SKUs = nil
			}
		}
	}
	next.Holds = slices.DeleteFunc(next.Holds, func(h Hold) bool { return h.Alert == alert && h.Members })
	if !confirm {
		// Documents of groups say which template they have; gaining needs no guard.
		for _, g := range next.gains() {
			if g.moved {
				if err := d.showTemplate(tx, c, next, g.group); err != nil {
					return nil, err
				}
			}
		}
	}
	return groups, nil
}

// restore gives the products of a rejected hold back to the template of its group,
// or makes one. A group that is gone needs none.
func (d *Directory) restore(ctx context.Context, tx Tx, next *Plan, h *Hold) error {
	rec, err := tx.Read(KindGroup, h.Source.Ref)
	if err != nil || rec == nil {
		return err
	}
	cat, err := d.catalogue(ctx)
	if err != nil {
		return err
	}
	at := next.templateAt(h.Source.Ref)
	if at >= 0 && len(next.Templates[at].Groups) == 1 {
		t := &next.Templates[at]
		// What the template gives by now beside it may exclude what was taken.
		skus, err := cat.together("skus", slices.Concat(t.SKUs, without(h.SKUs, t.SKUs)))
		if err != nil {
			return err
		}
		t.SKUs = skus
		return nil
	}
	skus := h.SKUs
	if at >= 0 { // the others of a shared template keep what they have
		if skus, err = cat.together("skus", slices.Concat(next.Templates[at].SKUs, without(h.SKUs, next.Templates[at].SKUs))); err != nil {
			return err
		}
		next.leaveTemplate(at, h.Source.Ref)
	}
	id, err := d.newID(KindSetting, d.now())
	if err != nil {
		return err
	}
	t := Template{ID: id, Type: TemplateGroup, Name: clip(rec.Display, 100), SKUs: skus, Groups: []string{h.Source.Ref}}
	next.Templates = append(next.Templates, t)
	return next.checkTemplates(&t)
}

// releaseParams say what was decided about which hold.
type releaseParams struct {
	Alert   string   `json:"alert"`
	Confirm bool     `json:"confirm"`
	Groups  []string `json:"groups,omitempty"` // of holds of templates: their members are settled
}

// releaseStep carries a decision about a held revocation out. Users who left a
// group are gone through by the list of the alert, from its end: rejected, they
// get the licences directly unless they are members again; then they leave the
// pool. The hold goes last, with the end of the job in the plan, so that nobody
// loses anything in between. Members of groups are settled by a job of their own.
func (d *Directory) releaseStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p releaseParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	if len(p.Groups) > 0 {
		return d.releaseMembers(ctx, l, j, p.Groups)
	}
	rec, err := d.settingByID(ctx, l.Org, p.Alert)
	if err != nil {
		return false, err
	}
	a, err := alertIn(rec)
	if err != nil || a == nil {
		return err == nil, err
	}
	if j.Total < 0 {
		j.Total = a.Held
	}
	if a.Pieces == 0 {
		return true, d.endHold(ctx, l, p.Alert)
	}
	var users []string
	if _, err := d.readRows(ctx, l.Org, a.ID, a.Pieces-1, &users); err != nil {
		return false, err
	}
	if err := d.releaseUsers(ctx, l, j, a, p.Confirm, users); err != nil {
		return false, err
	}
	return false, d.dropHeld(ctx, l, a, users)
}

// releaseMembers settles the members of groups whose template was decided about.
func (d *Directory) releaseMembers(ctx context.Context, l Lease, j *Job, groups []string) (done bool, err error) {
	raw := j.Params
	defer func() { j.Params = raw }()
	own := *j
	if _, err := own.finish(groupParams{Groups: groups}); err != nil {
		return false, err
	}
	j.Params = own.Result
	return d.groupStep(ctx, l, j)
}

// releaseUsers settles users of a hold that was decided.
func (d *Directory) releaseUsers(ctx context.Context, l Lease, j *Job, a *Alert, confirm bool, users []string) error {
	if confirm {
		return d.settleMany(ctx, l, j, users, settleOptions{})
	}
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return err
	}
	back := make([]bool, len(users))
	if plan.templateOf(a.Source.Ref) != nil {
		if back, err = d.store.IsMember(ctx, l.Org, a.Source.Ref, users); err != nil {
			return fmt.Errorf("look for members: %w", err)
		}
	}
	var direct, members []string
	for i, id := range users {
		if back[i] {
			members = append(members, id)
		} else {
			direct = append(direct, id)
		}
	}
	if err := d.settleMany(ctx, l, j, members, settleOptions{}); err != nil {
		return err
	}
	return d.settleMany(ctx, l, j, direct, settleOptions{Direct: a.SKUs})
}

// dropHeld takes the last piece off the list of an alert, and its users out of the
// pool. They are due: without the hold its source goes.
func (d *Directory) dropHeld(ctx context.Context, l Lease, a *Alert, users []string) error {
	pool := (&Hold{Alert: a.ID}).holdPool()
	_, err := d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
		tx.Fence(l)
		rec, now, err := readAlert(tx, a.ID)
		if err != nil || now == nil || now.Pieces != a.Pieces {
			return err
		}
		for _, id := range users {
			tx.Give(pool, id)
			if a.Outcome == OutcomeRejected {
				tx.Due(ItemOfUser(id), d.now())
			}
		}
		now.Pieces--
		if err := d.dropRows(ctx, tx, l.Org, a.ID, now.Pieces); err != nil {
			return err
		}
		_, err = now.place().put(tx, rec, a.ID, string(a.Kind), now, d.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("empty a hold: %w", err)
	}
	return nil
}

// endHold takes a hold out of the plan once nobody is in its pool any more.
func (d *Directory) endHold(ctx context.Context, l Lease, alert string) error {
	return d.changePlan(ctx, l.worker(), "hold.ended", func(tx Tx, next *Plan) error {
		tx.Fence(l)
		n := len(next.Holds)
		next.Holds = slices.DeleteFunc(next.Holds, func(h Hold) bool { return h.Alert == alert })
		if len(next.Holds) == n {
			return errSame
		}
		return nil
	})
}
