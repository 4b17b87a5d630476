package resources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxUnits bounds the units of one subscription.
const maxUnits = 10_000_000

// errSame ends a change that changes nothing.
var errSame = errors.New("nothing changes")

// Subscriptions lists an organization's subscriptions by SKU, the one ending
// last first, with what is used.
func (d *Directory) Subscriptions(ctx context.Context, c Caller) ([]SubscriptionUsage, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	return d.subscriptionUsage(ctx, c.Org, p.Subscriptions)
}

// subscriptionUsage counts what is used of subscriptions, those that were
// deleted left out.
func (d *Directory) subscriptionUsage(ctx context.Context, org OrgID, subs []Subscription) ([]SubscriptionUsage, error) {
	var out []SubscriptionUsage
	var pools []string
	now := d.now()
	for _, s := range subs {
		if !s.Gone {
			out = append(out, SubscriptionUsage{Subscription: s, Active: s.ActiveAt(now)})
			pools = append(pools, s.pool().Name)
		}
	}
	held, _, err := d.store.Counts(ctx, org, pools, nil)
	if err != nil {
		return nil, fmt.Errorf("count seats: %w", err)
	}
	for i := range out {
		out[i].Used = held[i]
	}
	slices.SortFunc(out, func(a, b SubscriptionUsage) int {
		return cmp.Or(cmp.Compare(a.SKU, b.SKU), laterEnd(a.Ends, b.Ends), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// laterEnd orders ends, the last first; zero is never.
func laterEnd(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return -1
	case b.IsZero():
		return 1
	}
	return b.Compare(a)
}

// checked brings a subscription into the form it is stored in and refuses what
// cannot be.
func (s Subscription) checked(cat *Catalogue) (Subscription, error) {
	p := cat.Product(s.SKU)
	if p == nil {
		return s, cat.unknown("sku", s.SKU)
	}
	if s.SKU = p.SKU; !p.Paid {
		return s, invalidField("sku", "The product %s is free: everybody can have it without a subscription.", p.SKU)
	}
	if s.Model == "" {
		s.Model = ModelSeats
	}
	switch {
	case s.Model != ModelSeats && s.Model != ModelUsage:
		return s, invalidField("model", "The model is seats or usage.")
	case s.Model == ModelUsage && s.Units != 0:
		return s, invalidField("units", "A subscription of the model usage has no units: it is counted, not bounded. Leave them out.")
	case s.Units < 0 || s.Units > maxUnits:
		return s, invalidField("units", "A subscription has 0 to %d units.", maxUnits)
	case len(s.Note) > 200 || hasControl(s.Note):
		return s, invalidField("note", "The note is at most 200 bytes long, without control characters.")
	}
	s.Starts, s.Ends = instant(s.Starts), instant(s.Ends)
	if !s.Ends.IsZero() && !s.Starts.Before(s.Ends) {
		return s, invalidField("ends", "The subscription would end before it begins.")
	}
	return s, nil
}

// instant is a time as it is stored: in UTC, to the millisecond.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// CreateSubscription adds a subscription (platform operator); its id is given.
// Who waits for the product is seated. Codes: sku_unknown, invalid_value,
// too_many.
func (d *Directory) CreateSubscription(ctx context.Context, c Caller, s Subscription) (Subscription, error) {
	if err := c.mayAdmin(AreaPlatform, true); err != nil {
		return s, err
	}
	cat, err := d.loadCatalogue(ctx)
	if err != nil {
		return s, err
	}
	if s, err = s.checked(cat); err != nil {
		return s, err
	}
	now := d.now()
	if !s.Ends.IsZero() && !now.Before(s.Ends) {
		return s, invalidField("ends", "The subscription would be over already; choose a time to come, or leave it out.")
	}
	if s.ID, _, err = d.idFor(c, KindSetting); err != nil {
		return s, err
	}
	s.Gone = false
	err = d.changePlan(ctx, c, "subscription.created", func(tx Tx, p *Plan) error {
		if made := p.subscription(s.ID); made != nil { // by an earlier run of the same request
			s = *made
			return errSame
		}
		if len(p.Subscriptions) >= maxSubscriptions {
			return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d subscriptions; delete those that are over.", maxSubscriptions)}
		}
		p.Subscriptions = append(p.Subscriptions, s)
		d.dueFor(tx, &s, now)
		return nil
	})
	return s, err
}

// dueFor asks for the work that a new or changed subscription makes: the plan is
// compared with the pools now, at its begin and at its end.
func (d *Directory) dueFor(tx Tx, s *Subscription, now time.Time) {
	tx.Due("p", now)
	if s.Starts.After(now) {
		tx.Due("p", s.Starts)
	}
	if s.Ends.After(now) {
		tx.Due("p", s.Ends)
	}
}

// UpdateSubscription changes a subscription (platform operator). Fewer units
// than are used are possible: the oldest assignments keep their seats (domain.md
// §3.7). Codes: not_found, invalid_value.
func (d *Directory) UpdateSubscription(ctx context.Context, c Caller, id string, change SubscriptionChange) (Subscription, error) {
	if err := c.mayAdmin(AreaPlatform, true); err != nil {
		return Subscription{}, err
	}
	cat, err := d.loadCatalogue(ctx)
	if err != nil {
		return Subscription{}, err
	}
	var out Subscription
	err = d.changePlan(ctx, c, "subscription.updated", func(tx Tx, p *Plan) error {
		s := p.subscription(id)
		if s == nil || s.Gone {
			return noSubscription()
		}
		if err := c.seen(*s); err != nil {
			return err
		}
		next := *s
		change.apply(&next)
		next, err := next.checked(cat)
		if err != nil {
			return err
		}
		if out = next; next == *s {
			return errSame
		}
		*s = next
		d.dueFor(tx, s, d.now())
		return nil
	})
	return out, err
}

func (ch *SubscriptionChange) apply(s *Subscription) {
	if ch.Units != nil {
		s.Units = *ch.Units
	}
	if ch.Starts != nil {
		s.Starts = *ch.Starts
	}
	if ch.Ends != nil {
		s.Ends = *ch.Ends
	}
	if ch.Note != nil {
		s.Note = *ch.Note
	}
}

func noSubscription() error {
	return &Error{Code: CodeNotFound, Detail: "There is no such subscription."}
}

// subscription finds a subscription by id; nil when there is none.
func (p *Plan) subscription(id string) *Subscription {
	for i := range p.Subscriptions {
		if p.Subscriptions[i].ID == id {
			return &p.Subscriptions[i]
		}
	}
	return nil
}

// SubscriptionChange is what to change; nil fields stay.
type SubscriptionChange struct {
	Units  *int
	Starts *time.Time
	Ends   *time.Time // zero: never
	Note   *string
}

// DeleteSubscription ends a subscription at once (platform operator); confirm
// must be true when seats of it are used (BR-260). Its users take seats of other
// subscriptions, the oldest assignments first, or wait. Codes: not_found,
// confirmation_required.
func (d *Directory) DeleteSubscription(ctx context.Context, c Caller, id string, confirm bool) error {
	if err := c.mayAdmin(AreaPlatform, true); err != nil {
		return err
	}
	err := d.changePlan(ctx, c, "subscription.deleted", func(tx Tx, p *Plan) error {
		s := p.subscription(id)
		if s == nil || s.Gone {
			return noSubscription()
		}
		if err := c.seen(*s); err != nil {
			return err
		}
		held, _, err := d.store.Counts(ctx, c.Org, []string{s.pool().Name}, nil)
		if err != nil {
			return fmt.Errorf("count seats: %w", err)
		}
		if held[0] > 0 && !confirm {
			return seatsUsed(held[0])
		}
		if !confirm {
			tx.Most(s.pool().Name, 0) // nobody has come in since
		}
		now := instant(d.now())
		s.Gone, s.Ends = true, now
		if s.Starts.After(now) {
			s.Starts = time.Time{}
		}
		tx.Due("p", now)
		return nil
	})
	if r, ok := errors.AsType[*Refusal](err); ok && r.Reason == RefusedMany {
		return seatsUsed(1)
	}
	return err
}

func seatsUsed(n int) error {
	return &Error{Code: CodeConfirmation, Field: "confirm", Detail: fmt.Sprintf("Users have seats of this subscription (%d) and would lose them, unless another one has room; confirm to end it.", n)}
}
