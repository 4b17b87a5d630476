package resources

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// resettleParams say whom a job of the type resettle settles again: a sort of
// users, those with an address at a domain, or those who hold seats of a
// subscription beyond its units.
type resettleParams struct {
	Who          string `json:"who,omitempty"`
	Domain       string `json:"domain,omitempty"`
	Subscription string `json:"subscription,omitempty"`
}

// The sorts of users.
const (
	whoInactive = "inactive"
	whoCalls    = "calling"
)

func (d *Directory) resettleStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p resettleParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	switch {
	case p.Subscription != "":
		return d.shortenStep(ctx, l, j, p.Subscription)
	case p.Domain != "":
		return d.domainStep(ctx, l, j, p.Domain)
	case p.Who == whoInactive:
		return d.settlePage(ctx, l, j, &Cond{Op: CondIn, Index: UserInactive}, settleOptions{}, nil)
	case p.Who == whoCalls:
		status := AttrKey("User", FactPath(CallingURN+":callingStatus"), "")
		return d.settlePage(ctx, l, j, &Cond{Op: CondPrefix, Index: UserAttr, Value: status}, settleOptions{}, nil)
	}
	return true, nil
}

// settlePage settles the next users who meet a condition, nil for all, in the
// order of their creation.
func (d *Directory) settlePage(ctx context.Context, l Lease, j *Job, where *Cond, opt settleOptions, seen func(string, outcome)) (done bool, err error) {
	q := Query{Kind: KindUser, Where: where, Keyset: true, After: j.Cursor, Limit: settlePiece, NoGroups: true, Budget: d.budget}
	page, err := d.store.Find(ctx, l.Org, q)
	if err != nil {
		return false, fmt.Errorf("find users: %w", err)
	}
	if j.Cursor == "" {
		if j.Total = page.Total; j.Total < 0 {
			q.Keyset, q.Limit = false, 0
			count, err := d.store.Find(ctx, l.Org, q)
			if err != nil {
				return false, fmt.Errorf("count users: %w", err)
			}
			j.Total = count.Total
		}
	}
	ids := make([]string, len(page.Records))
	for i, rec := range page.Records {
		ids[i] = rec.ID
	}
	if err := d.settleAll(ctx, l, j, ids, page.Records, opt, seen); err != nil {
		return false, err
	}
	j.Cursor = page.Next
	return page.Next == "", nil
}

// heldBy is the condition for users who have an assignment of a SKU with the
// status; that for the status assigned holds for those with another one, too.
func heldBy(sku string, status AssignmentStatus) *Cond {
	if status == Assigned {
		return &Cond{Op: CondIs, Index: UserAttr, Value: factKey(facts[LicenceUserURN+":effective.value"], sku)}
	}
	return &Cond{Op: CondIs, Index: UserAttr, Value: factKey(factHeld, sku+keySeparator+string(status))}
}

// allowed is how many seats of a subscription can be held at t; -1: without a
// bound.
func (s *Subscription) allowed(t time.Time) int {
	switch {
	case !s.ActiveAt(t):
		return 0
	case s.Model == ModelUsage:
		return -1
	}
	return s.Units
}

// shortening is where a job is that takes seats away beyond a subscription's
// units.
type shortening struct {
	Picked []string `json:"picked,omitempty"` // users who give their seat back next, in order
	Taken  int      `json:"taken"`            // how many of those gave it back
	Futile int      `json:"futile"`           // rounds in a row in which nobody did
}

// Shortened is the result of a job that takes seats away beyond a subscription's
// units.
type Shortened struct {
	Waiting int `json:"waiting"` // users who wait for a seat now
	Moved   int `json:"moved"`   // users who got a seat of another subscription
}

// How many users are picked at once, how many of them a step works on, and how
// often nobody may give a seat back before the job has failed: once is chance,
// because the units can change while users are looked through.
const (
	pickMost   = 20_000
	pickPieces = 250
	maxFutile  = 4
)

// shortenStep takes seats away that a subscription does not have any more: the
// oldest assignments keep theirs (domain.md §3.7). Who gives one back gets one of
// another subscription, the oldest first, or waits. A pool is over its limit only
// until this job ends.
func (d *Directory) shortenStep(ctx context.Context, l Lease, j *Job, id string) (done bool, err error) {
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return false, err
	}
	var at shortening
	var res Shortened
	for _, v := range []struct {
		raw  []byte
		into any
	}{{[]byte(j.Cursor), &at}, {j.Result, &res}} {
		if len(v.raw) > 0 {
			if err := json.Unmarshal(v.raw, v.into); err != nil {
				return false, fmt.Errorf("decode the progress of job %s: %w", j.ID, err)
			}
		}
	}
	s := plan.subscription(id)
	over := 0
	if s != nil {
		if over, err = d.oversold(ctx, l.Org, s); err != nil {
			return false, err
		}
	}
	switch {
	case over <= 0:
		if s != nil && res.Waiting > 0 {
			if err := d.noteShort(ctx, l, s, res.Waiting); err != nil {
				return false, err
			}
		}
		j.Cursor = ""
		return true, nil
	case len(at.Picked) == 0:
		if err := d.pick(ctx, l.Org, plan, s, j, &at); err != nil {
			return false, err
		}
	default:
		if err := d.unseat(ctx, l, j, s, &at, &res); err != nil {
			return false, err
		}
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return false, fmt.Errorf("encode the progress of job %s: %w", j.ID, err)
	}
	j.Cursor = string(raw)
	_, err = j.finish(res)
	return false, err
}

// oversold is how many seats of a subscription are held that it does not have.
func (d *Directory) oversold(ctx context.Context, org OrgID, s *Subscription) (int, error) {
	limit := s.allowed(d.now())
	if limit < 0 {
		return 0, nil
	}
	held, _, err := d.store.Counts(ctx, org, []string{s.pool().Name}, nil)
	if err != nil {
		return 0, fmt.Errorf("count seats: %w", err)
	}
	return held[0] - limit, nil
}

// holding is one seat, as pick looks at it.
type holding struct {
	id    string
	since int64
}

// pick chooses who gives a seat back. It walks over everybody who has the
// product: about a second for 100 000 users.
func (d *Directory) pick(ctx context.Context, org OrgID, plan *Plan, s *Subscription, j *Job, at *shortening) error {
	var all []holding
	for after := ""; ; {
		page, err := d.store.Find(ctx, org, Query{Kind: KindUser, Where: heldBy(s.SKU, Assigned), Keyset: true, After: after, Limit: 1000, NoGroups: true, Budget: d.budget})
		if err != nil {
			return fmt.Errorf("find holders: %w", err)
		}
		for _, rec := range page.Records {
			st := StandingOf(rec)
			if a := st.Licence(s.SKU); a != nil && a.Subscription == s.ID {
				all = append(all, holding{rec.ID, a.Since})
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	held, _, err := d.store.Counts(ctx, org, []string{s.pool().Name}, nil)
	if err != nil {
		return fmt.Errorf("count seats: %w", err)
	}
	over := held[0] - s.allowed(d.now())
	if over <= 0 {
		return nil // some left meanwhile
	}
	if at.Futile++; at.Taken > 0 {
		at.Futile = 0
	}
	if at.Taken = 0; at.Futile >= maxFutile {
		return &Error{Code: CodeSubscriptionInUse, Detail: fmt.Sprintf("%d seats are held beyond the units and cannot be taken back; usher's log and the errors of this job say more.", over)}
	}
	slices.SortFunc(all, func(a, b holding) int { return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.id, b.id)) })
	all = all[max(0, len(all)-over):]
	if !plan.elsewhere(s, d.now()) { // nobody can move: whoever is left when it is enough keeps the seat, and that be the oldest
		slices.Reverse(all)
	}
	all = all[:min(len(all), pickMost)]
	at.Picked = make([]string, len(all))
	for i := range all {
		at.Picked[i] = all[i].id
	}
	j.Total = max(j.Total, j.Done+over)
	return nil
}

// elsewhere reports whether another subscription offers the product now.
func (p *Plan) elsewhere(s *Subscription, t time.Time) bool {
	return slices.ContainsFunc(p.Subscriptions, func(o Subscription) bool {
		return o.ID != s.ID && FoldSKU(o.SKU) == FoldSKU(s.SKU) && o.allowed(t) != 0
	})
}

// unseat makes the next of those who were picked give their seat back, one after
// the other, because their order decides who gets what.
func (d *Directory) unseat(ctx context.Context, l Lease, j *Job, s *Subscription, at *shortening, res *Shortened) error {
	piece := at.Picked[:min(len(at.Picked), pickPieces)]
	at.Picked = at.Picked[len(piece):]
	for _, id := range piece {
		over, err := d.oversold(ctx, l.Org, s)
		if err != nil {
			return err
		}
		if over <= 0 { // enough, unless the units change again
			at.Picked, at.Taken = nil, at.Taken+1
			return nil
		}
		o, err := d.settleUser(ctx, l, id, nil, settleOptions{Leave: s.ID})
		if err := j.settled(id, err); err != nil {
			return err
		}
		if err == nil && o.Changed {
			at.Taken++
		}
		if err == nil && slices.Contains(o.Lost, s.SKU) {
			res.Waiting++
		} else if err == nil && o.Changed {
			res.Moved++
		}
	}
	return nil
}

// noteShort makes the alert of users who lost the seats of a subscription.
func (d *Directory) noteShort(ctx context.Context, l Lease, s *Subscription, n int) error {
	return d.alertOn(ctx, &l, l.Org, AlertShortened, s.ID, func(a *Alert) bool {
		what := "has fewer units than were used"
		if !s.ActiveAt(d.now()) {
			what = "is over"
		}
		detail := fmt.Sprintf("A subscription to %s %s: %d users lost their seat and wait for another; the oldest assignments kept theirs.", s.SKU, what, n)
		if a.Count == n && a.Detail == detail {
			return false
		}
		a.Count, a.Detail, a.SKUs = n, detail, []string{s.SKU}
		return true
	})
}

// workPlan compares subscriptions with what is held of them, the due item p:
// it runs when one was changed, begins or ends. Who holds seats that are no more
// is settled by a job, who waits for seats that are there gets them.
func (d *Directory) workPlan(ctx context.Context, l Lease, item DueItem) error {
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return err
	}
	again := false
	for i := range plan.Subscriptions {
		s := &plan.Subscriptions[i]
		over, err := d.oversold(ctx, l.Org, s)
		if err != nil {
			return err
		}
		if over <= 0 {
			continue
		}
		_, err = d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
			tx.Fence(l)
			j := &Job{Type: JobResettle, Sole: s.ID, Subjects: []string{s.ID, s.SKU}}
			return d.startJob(tx, l.worker(), j, resettleParams{Subscription: s.ID})
		})
		if HasCode(jobTaken(err), CodeJobRunning) {
			again = true // it may have made its last look already
		} else if err != nil {
			return fmt.Errorf("start to take seats away: %w", err)
		}
	}
	return d.planWorked(ctx, l, item, again)
}

// planWorked takes the item p off the list and says when there is something to do
// for it next.
func (d *Directory) planWorked(ctx context.Context, l Lease, item DueItem, again bool) error {
	run := 0
	_, err := d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
		run++
		tx.Fence(l)
		tx.Undue(item)
		plan, err := d.planIn(ctx, tx, l.Org, run+1) // always anew
		if err != nil {
			return err
		}
		now := d.now()
		if again {
			tx.Due(item.Item, now.Add(2*time.Second))
		}
		next := plan.clone()
		next.Subscriptions = slices.DeleteFunc(next.Subscriptions, func(s Subscription) bool {
			return s.Gone && d.empty(ctx, tx, l.Org, &s)
		})
		skus := make(map[string]bool)
		for i := range next.Subscriptions {
			s := &next.Subscriptions[i]
			for _, t := range []time.Time{s.Starts, s.Ends} {
				if t.After(now) {
					tx.Due(item.Item, t)
				}
			}
			if s.allowed(now) != 0 {
				skus[FoldSKU(s.SKU)] = true
			}
		}
		if err := d.dueLines(ctx, tx, l.Org, skus, now); err != nil || len(next.Subscriptions) == len(plan.Subscriptions) {
			return err
		}
		return d.putPlan(tx, l.worker(), plan, next, "subscription.ended")
	})
	if err != nil {
		return fmt.Errorf("work on the plan: %w", err)
	}
	return nil
}

// empty reports whether nobody holds seats of a subscription; the commit depends
// on it.
func (d *Directory) empty(ctx context.Context, tx Tx, org OrgID, s *Subscription) bool {
	held, _, err := d.store.Counts(ctx, org, []string{s.pool().Name}, nil)
	if err != nil || held[0] > 0 {
		return false // the next look finds it
	}
	tx.Most(s.pool().Name, 0)
	return true
}

// dueLines makes the lines due of products that have seats.
func (d *Directory) dueLines(ctx context.Context, tx Tx, org OrgID, skus map[string]bool, now time.Time) error {
	var lines, list []string
	for sku := range skus {
		list, lines = append(list, sku), append(lines, lineOf(sku))
	}
	_, waiting, err := d.store.Counts(ctx, org, nil, lines)
	if err != nil {
		return fmt.Errorf("count who waits: %w", err)
	}
	for i, n := range waiting {
		if n > 0 {
			tx.Due("s"+list[i], now)
		}
	}
	return nil
}
