package resources

import (
	"context"
	"fmt"
	"slices"
)

// The mass-revocation guard (BR-165): a change that would take a product from more
// than GuardUsers users, and from more than GuardPercent of those who have it,
// waits for an administrator. What was changed stays changed; a Hold in the plan
// lets the users count as if it were not.

// The defaults of the guard (BR-165).
const (
	guardUsers   = 10
	guardPercent = 20
)

// guardBounds are the thresholds of an organization.
func (s *Settings) guardBounds() (users, percent int) {
	users, percent = s.GuardUsers, s.GuardPercent
	if users == 0 {
		users = guardUsers
	}
	if percent == 0 {
		percent = guardPercent
	}
	return users, percent
}

// guardedFrom is how many users can lose a product at once without a look at it.
func (s *Settings) guardedFrom() int {
	users, _ := s.guardBounds()
	return users
}

// trips reports whether taking a product from n of its holders must be confirmed.
func (s *Settings) trips(n, holders int) bool {
	users, percent := s.guardBounds()
	return !s.GuardOff && n > users && n*100 > holders*percent
}

// losses lists the SKUs that a user would lose for good when groups stop giving
// them: those that are assigned and have no other source. gone has the SKUs that
// each group does not give any more; untemplated says which of them give nothing at
// all any more, so that the organization's template may decide instead (BR-162).
func losses(s *Standing, gone map[string][]string, untemplated func(group string) bool) []string {
	stays := false // in a templated group
	for i := range s.Licences {
		for _, src := range s.Licences[i].Sources {
			stays = stays || src.Type == SourceGroup && !untemplated(src.Ref)
		}
	}
	var out []string
	for i := range s.Licences {
		a := &s.Licences[i]
		if a.Status != Assigned || !stays && containsFold(s.OrgSKUs, a.SKU) {
			continue
		}
		lost := len(a.Sources) > 0
		for _, src := range a.Sources {
			lost = lost && src.Type == SourceGroup && containsFold(gone[src.Ref], a.SKU)
		}
		if lost {
			out = append(out, a.SKU)
		}
	}
	return out
}

// tally counts who would lose what.
type tally struct {
	users map[string][]string // by SKU as the assignment spells it
	any   []string            // users who lose something
}

func (t *tally) add(id string, skus []string) {
	if len(skus) == 0 {
		return
	}
	t.any = append(t.any, id)
	for _, sku := range skus {
		t.users[sku] = append(t.users[sku], id)
	}
}

// count reads users and adds what each would lose.
func (d *Directory) count(ctx context.Context, org OrgID, ids []string, t *tally, gone map[string][]string, untemplated func(string) bool) error {
	const chunk = 500
	for piece := range slices.Chunk(ids, chunk) {
		users := slices.DeleteFunc(slices.Clone(piece), func(id string) bool { k, ok := KindOf(id); return !ok || k != KindUser })
		recs, err := d.store.Many(ctx, org, users)
		if err != nil {
			return fmt.Errorf("look at who would lose licences: %w", err)
		}
		for _, rec := range recs {
			if rec != nil {
				s := StandingOf(rec)
				t.add(rec.ID, losses(&s, gone, untemplated))
			}
		}
	}
	return nil
}

// tripped lists the SKUs that a change takes from too many, sorted.
func (d *Directory) tripped(ctx context.Context, org OrgID, p *Plan, t *tally) ([]string, error) {
	var out []string
	for sku, users := range t.users {
		if len(users) <= p.Settings.guardedFrom() {
			continue
		}
		holders, err := d.holders(ctx, org, p, sku)
		if err != nil {
			return nil, err
		}
		if p.Settings.trips(len(users), holders) {
			out = append(out, sku)
		}
	}
	slices.Sort(out)
	return out, nil
}

// holders counts who has a product.
func (d *Directory) holders(ctx context.Context, org OrgID, p *Plan, sku string) (int, error) {
	pools := []string{freePool(sku).Name}
	for i := range p.Subscriptions {
		if s := &p.Subscriptions[i]; FoldSKU(s.SKU) == FoldSKU(sku) {
			pools = append(pools, s.pool().Name)
		}
	}
	held, _, err := d.store.Counts(ctx, org, pools, nil)
	if err != nil {
		return 0, fmt.Errorf("count holders: %w", err)
	}
	sum := 0
	for _, n := range held {
		sum += n
	}
	return sum, nil
}

// guardMembers holds back what a removal of members from a templated group, or
// the deletion of the group, would take away from many users at once (BR-165).
// It is called before the membership changes, with the plan by which it is done
// and everybody who leaves. When the guard trips, an alert is opened, the plan
// gets a hold and the users get into its pool; then the membership may change: who
// is in the pool counts as a member still. It returns the alert, or nil when
// nothing is held. Who is called again after a failure finds the same hold.
func (d *Directory) guardMembers(ctx context.Context, c Caller, p *Plan, group string, removed []string) (*Alert, error) {
	given := p.given(group)
	if len(given) == 0 || p.Settings.GuardOff || len(removed) <= p.Settings.guardedFrom() {
		return nil, nil
	}
	sum := tally{users: make(map[string][]string)}
	leaves := func(g string) bool { return g == group || p.templateOf(g) == nil }
	if err := d.count(ctx, c.Org, removed, &sum, map[string][]string{group: given}, leaves); err != nil {
		return nil, err
	}
	skus, err := d.tripped(ctx, c.Org, p, &sum)
	if err != nil || len(skus) == 0 {
		return nil, err
	}
	var users []string
	for _, sku := range skus {
		users = append(users, sum.users[sku]...)
	}
	users = sortedSet(users)
	a, again, err := d.hold(ctx, c, group, skus, len(users))
	if err != nil {
		return nil, fmt.Errorf("hold licences back: %w", err)
	}
	for piece := range slices.Chunk(users, memberPiece) {
		if a, err = d.keep(ctx, c, a.ID, piece, again); err != nil {
			return nil, fmt.Errorf("hold licences back: %w", err)
		}
	}
	return a, nil
}

// given lists what members of a group have by it: of its template, and of holds
// that let it count as it was.
func (p *Plan) given(group string) []string {
	var out []string
	if t := p.templateOf(group); t != nil {
		out = slices.Clone(t.SKUs)
	}
	for i := range p.Holds {
		if h := &p.Holds[i]; h.Members && h.Source.Ref == group {
			out = append(out, without(h.SKUs, out)...)
		}
	}
	return out
}

// guardTemplates holds back what changed templates would take away from many users
// at once (BR-165), in the commit of the change: members of the groups count as if
// the templates still gave it. next is the plan to be stored, whose look-ups are
// those before. It returns the alert, or nil when nothing is held.
func (d *Directory) guardTemplates(ctx context.Context, tx Tx, c Caller, next *Plan, gains []templateGain) (*Alert, error) {
	gone, total := make(map[string][]string), 0
	for _, g := range gains {
		if len(g.lost) == 0 {
			continue
		}
		gone[g.group] = g.lost
		size, err := d.groupSize(ctx, c.Org, g.group)
		if err != nil {
			return nil, err
		}
		total += size
	}
	if next.Settings.GuardOff || total <= next.Settings.guardedFrom() {
		return nil, nil
	}
	leaves := func(g string) bool { return next.templateAt(g) < 0 }
	sum := tally{users: make(map[string][]string)}
	seen := make(map[string]bool)
	for group := range gone {
		err := d.eachMember(ctx, c.Org, group, func(ids []string) error {
			ids = slices.DeleteFunc(ids, func(id string) bool { return seen[id] })
			for _, id := range ids {
				seen[id] = true
			}
			return d.count(ctx, c.Org, ids, &sum, gone, leaves)
		})
		if err != nil {
			return nil, err
		}
	}
	skus, err := d.tripped(ctx, c.Org, next, &sum)
	if err != nil || len(skus) == 0 {
		return nil, err
	}
	return d.holdTemplates(tx, c, next, gone, skus, &sum)
}

// groupSize is how many direct members a group has; 0 when it is gone.
func (d *Directory) groupSize(ctx context.Context, org OrgID, group string) (int, error) {
	rec, err := d.store.Get(ctx, org, KindGroup, group)
	if err != nil {
		return 0, fmt.Errorf("read a group: %w", err)
	}
	if rec == nil {
		return 0, nil
	}
	return rec.Size, nil
}

// eachMember goes through the members of a group in pieces.
func (d *Directory) eachMember(ctx context.Context, org OrgID, group string, fn func(ids []string) error) error {
	const chunk = 5000
	for after := ""; ; {
		ids, err := d.store.MemberIDs(ctx, org, group, after, chunk)
		if err != nil {
			return fmt.Errorf("read members: %w", err)
		}
		if len(ids) > 0 {
			after = ids[len(ids)-1]
		}
		last := len(ids) < chunk
		if err := fn(ids); err != nil || last {
			return err
		}
	}
}

// allMembers lists everybody in a group, for its deletion.
func (d *Directory) allMembers(ctx context.Context, org OrgID, group string) ([]string, error) {
	var all []string
	err := d.eachMember(ctx, org, group, func(ids []string) error {
		all = append(all, ids...)
		return nil
	})
	return all, err
}
