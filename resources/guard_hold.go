package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxHolds bounds the holds of an organization: each is looked at whenever a user
// is settled.
const maxHolds = 250

// roomForHold refuses one more revocation while too many wait to be decided.
func (p *Plan) roomForHold(n int) error {
	if len(p.Holds)+n <= maxHolds {
		return nil
	}
	return &Error{Code: CodeTooMany, Detail: "Too many changes that take licences from many users wait for a decision; an administrator has to confirm or reject the alerts first."}
}

// hold opens the alert and the hold of a group that loses members, or takes those
// that are open and not decided (again).
func (d *Directory) hold(ctx context.Context, c Caller, group string, skus []string, n int) (a *Alert, again bool, err error) {
	source := Source{Type: SourceGroup, Ref: group}
	err = d.changePlan(ctx, c, "licences.held", func(tx Tx, next *Plan) error {
		at := slices.IndexFunc(next.Holds, func(h Hold) bool { return h.Source == source && !h.Members && !h.Decided })
		if again = at >= 0; !again {
			if err := next.roomForHold(1); err != nil {
				return err
			}
			a = &Alert{Kind: AlertHeldRevocation, Subject: group, Source: source, SKUs: skus, Count: n}
			a.Detail = heldDetail(a)
			if err := d.openAlert(tx, c, a); err != nil {
				return err
			}
			next.Holds = append(next.Holds, Hold{Alert: a.ID, Source: source, SKUs: skus})
			return nil
		}
		h := &next.Holds[at]
		_, was, err := readAlert(tx, h.Alert)
		if err != nil {
			return err
		}
		if was == nil {
			return fmt.Errorf("the alert %s of a hold is gone", h.Alert)
		}
		a = was
		more := without(skus, h.SKUs)
		if len(more) == 0 {
			return errSame
		}
		h.SKUs = sortedSet(append(slices.Clone(h.SKUs), more...))
		return nil
	})
	return a, again, err
}

func heldDetail(a *Alert) string {
	return fmt.Sprintf("A change would take %s from %d users at once and is held: they keep it until you confirm the removal or reject it.", strings.Join(a.SKUs, ", "), a.Count)
}

// keep puts users into the pool of a hold and notes them with its alert, so that
// they can be gone through when it is decided. again says that some may be in
// already: they are left out, and when everybody is, nothing is written.
func (d *Directory) keep(ctx context.Context, c Caller, alert string, users []string, again bool) (*Alert, error) {
	var result *Alert
	_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		rec, a, err := readAlert(tx, alert)
		if err != nil {
			return err
		}
		if a == nil || a.State != AlertOpen {
			return fmt.Errorf("the hold was decided while it was made: %w", ErrUnavailable)
		}
		result = a
		p, err := d.loadPlan(ctx, c.Org)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(p.Holds, func(h Hold) bool { return h.Alert == alert })
		if at < 0 {
			return fmt.Errorf("the hold was decided while it was made: %w", ErrUnavailable)
		}
		tx.Seen(KindSetting, planID, p.rec)
		pool := Pool{Name: p.Holds[at].holdPool(), Limit: -1}
		var fresh []string
		in := make([]bool, len(users))
		if again {
			if in, err = tx.Holds(pool.Name, users...); err != nil {
				return err
			}
		}
		for i, id := range users {
			if !in[i] {
				tx.Take(pool, id)
				fresh = append(fresh, id)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := d.putRows(tx, alert, a.Pieces, fresh); err != nil {
			return err
		}
		a.Pieces, a.Held = a.Pieces+1, a.Held+len(fresh)
		a.Count, a.SKUs = max(a.Count, a.Held), p.Holds[at].SKUs
		a.Detail = heldDetail(a)
		return d.putAlert(tx, c, rec, a)
	})
	return result, err
}

// holdTemplates adds the holds of changed templates to the plan and opens their
// alert.
func (d *Directory) holdTemplates(tx Tx, c Caller, next *Plan, gone map[string][]string, skus []string, sum *tally) (*Alert, error) {
	var users []string
	for _, sku := range skus {
		users = append(users, sum.users[sku]...)
	}
	a := &Alert{Kind: AlertHeldRevocation, SKUs: skus, Count: len(sortedSet(users))}
	var err error
	if a.ID, err = d.newID(KindSetting, d.now()); err != nil {
		return nil, err
	}
	groups := make([]string, 0, len(gone))
	for g := range gone {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	if err := next.roomForHold(len(groups)); err != nil {
		return nil, err
	}
	for _, g := range groups {
		kept := slices.DeleteFunc(slices.Clone(gone[g]), func(s string) bool { return !containsFold(skus, s) })
		if len(kept) == 0 {
			continue
		}
		h := Hold{Alert: a.ID, Source: Source{Type: SourceGroup, Ref: g}, SKUs: kept, Members: true}
		if a.Source.Ref == "" {
			a.Source, a.Subject = h.Source, g
		}
		next.Holds = append(next.Holds, h)
	}
	a.Detail = heldDetail(a)
	return a, d.openAlert(tx, c, a)
}
