package resources_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestShrinkGrowShrink: a subscription that grows and shrinks again while seats
// are being taken away ends with as many as it has (domain.md §3.7).
func TestShrinkGrowShrink(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 10})
		resize := func(units int) {
			t.Helper()
			if _, err := b.UpdateSubscription(t.Context(), op, sub.ID, resources.SubscriptionChange{Units: &units}); err != nil {
				t.Fatal(err)
			}
		}
		ids := b.crowd(t, b.a, "u", 10, "host")
		b.work(t, b.a.Org)
		resize(8)
		b.workUpTo(t, b.a.Org, 2) // the job has picked who goes
		resize(12)
		ids = append(ids, b.crowd(t, b.a, "v", 2, "host")...)
		resize(8)
		b.work(t, b.a.Org)
		sameIDs(t, "seated", b.held(t, b.a, "host", ids), ids[:8])
	})
}

// staleLine is a store that tells once of a line as it was, and lets something
// happen before the commit after next.
type staleLine struct {
	resources.Store
	line    []resources.Waiter
	commits int
	before  func()
}

func (s *staleLine) Waiting(context.Context, resources.OrgID, string, int) ([]resources.Waiter, error) {
	return s.line, nil
}

func (s *staleLine) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (resources.Commit, error) {
	if s.commits++; s.commits == 2 {
		s.before()
	}
	return s.Store.Update(ctx, org, fn)
}

// TestLineRace: who begins to wait while a worker finds that they do not stays in
// the line (BR-164).
func TestLineRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 1})
		b.licensed(t, b.a, "first", "host")
		late := b.licensed(t, b.a, "late")
		b.work(t, b.a.Org)
		store := &staleLine{Store: b.store, line: []resources.Waiter{{Holder: late}}, before: func() {
			block := parse(t, `{"b":{"licenses":["host"]}}`).Items[0]
			if _, _, err := b.UpdateUser(ctx, b.a, late, set(resources.LicenceUserURN, block)); err != nil {
				t.Error(err)
			}
		}}
		dir, err := resources.New(resources.Config{Store: store, Vault: b.store, Queue: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog()})
		if err != nil {
			t.Fatal(err)
		}
		if err := dir.WorkOn(ctx, b.lease(t, b.a.Org), resources.DueItem{Item: "shost", At: b.clock.Now().UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		two := 2
		if _, err := b.UpdateSubscription(ctx, op, sub.ID, resources.SubscriptionChange{Units: &two}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		if got := b.shows(t, b.a, late); got != "host=assigned" {
			t.Errorf("the user who began to wait shows %s, want a seat", got)
		}
	})
}

// TestPickFull: choosing another subscription that has no seat is refused, and the
// seat stays (BR-150, BR-152).
func TestPickFull(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		one := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 1})
		id := b.licensed(t, b.a, "u", "host")
		two := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 0})
		_, err := b.ChangeLicences(ctx, op, id, resources.LicenceChange{Subscription: map[string]string{"host": two.ID}}, nil)
		fails(t, err, resources.CodeNoSeats, "")
		b.work(t, b.a.Org)
		s := b.standing(t, b.a, id)
		if a := s.Licence("host"); a == nil || a.Status != resources.Assigned || a.Subscription != one.ID {
			t.Errorf("the licence is %+v, want the seat that there was", a)
		}
	})
}
