package resources_test

import (
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestSubscriptionLife: seats go to who came first, more units seat who waits
// longest, fewer leave the oldest assignments their seats, the end takes them all
// (BR-150, BR-164, domain.md §3.7), and alerts say so.
func TestSubscriptionLife(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "HOST", Units: 3})
		if sub.SKU != "host" || sub.Model != resources.ModelSeats {
			t.Errorf("stored %+v", sub)
		}
		ids := b.crowd(t, b.a, "u", 6, "host")
		b.work(t, b.a.Org)
		sameIDs(t, "with three seats", b.held(t, b.a, "host", ids), ids[:3])
		if list := b.alerts(t, op, resources.AlertNoSeats); len(list) != 1 || list[0].Count != 3 || list[0].Subject != "host" {
			t.Errorf("alerts %+v, want one of three who wait", list)
		}

		five := 5
		if _, err := b.UpdateSubscription(ctx, op, sub.ID, resources.SubscriptionChange{Units: &five}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "with five seats", b.held(t, b.a, "host", ids), ids[:5])

		two := 2
		if _, err := b.UpdateSubscription(ctx, op, sub.ID, resources.SubscriptionChange{Units: &two}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "with two seats", b.held(t, b.a, "host", ids), ids[:2])
		if list := b.alerts(t, op, resources.AlertShortened); len(list) != 1 || list[0].Count != 3 || list[0].Subject != sub.ID {
			t.Errorf("alerts %+v, want one of three who lost their seat", list)
		}
		usage, err := b.Subscriptions(ctx, op)
		if err != nil || len(usage) != 1 || usage[0].Used != 2 || !usage[0].Active {
			t.Errorf("subscriptions %+v, %v", usage, err)
		}

		fails(t, b.DeleteSubscription(ctx, op, sub.ID, false), resources.CodeConfirmation, "confirm")
		if err := b.DeleteSubscription(ctx, op, sub.ID, true); err != nil {
			t.Fatal(err)
		}
		fails(t, b.DeleteSubscription(ctx, op, sub.ID, true), resources.CodeNotFound, "")
		b.work(t, b.a.Org)
		sameIDs(t, "without a subscription", b.held(t, b.a, "host", ids), nil)
		if usage, err := b.Subscriptions(ctx, op); err != nil || len(usage) != 0 {
			t.Errorf("subscriptions %+v, %v after the deletion", usage, err)
		}
		b.subscribe(t, op, resources.Subscription{SKU: "host", Model: resources.ModelUsage})
		b.work(t, b.a.Org)
		sameIDs(t, "with usage", b.held(t, b.a, "host", ids), ids)
		if list := b.alerts(t, op, resources.AlertNoSeats); len(list) != 0 {
			t.Errorf("alerts %+v while nobody waits", list)
		}
	})
}

// TestSubscriptionTimes: seats are there from the begin to the end of a
// subscription, without anybody doing anything.
func TestSubscriptionTimes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		now := b.clock.Now()
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 2, Starts: now.Add(time.Hour), Ends: now.Add(3 * time.Hour)})
		ids := b.crowd(t, b.a, "u", 3, "host")
		b.work(t, b.a.Org)
		sameIDs(t, "before the begin", b.held(t, b.a, "host", ids), nil)
		b.clock.Advance(time.Hour)
		b.work(t, b.a.Org)
		sameIDs(t, "after the begin", b.held(t, b.a, "host", ids), ids[:2])
		b.clock.Advance(2 * time.Hour)
		b.work(t, b.a.Org)
		sameIDs(t, "after the end", b.held(t, b.a, "host", ids), nil)
		if list := b.alerts(t, op, resources.AlertShortened); len(list) != 1 || list[0].Count != 2 {
			t.Errorf("alerts %+v", list)
		}
	})
}

// TestSubscriptionMoves: who has to leave a subscription takes a seat of another
// one, the oldest assignments first (domain.md §3.7).
func TestSubscriptionMoves(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		one := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 5})
		ids := b.crowd(t, b.a, "u", 5, "host")
		two := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 2})
		units := 1
		if _, err := b.UpdateSubscription(ctx, op, one.ID, resources.SubscriptionChange{Units: &units}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "seated", b.held(t, b.a, "host", ids), ids[:3])
		for i, want := range []string{one.ID, two.ID, two.ID} {
			rec, err := b.store.Get(ctx, b.a.Org, resources.KindUser, ids[i])
			if err != nil {
				t.Fatal(err)
			}
			s := resources.StandingOf(rec)
			if a := s.Licence("host"); a.Subscription != want {
				t.Errorf("user %d has a seat of %s, want %s", i, a.Subscription, want)
			}
		}
	})
}

// TestSubscriptionRefusals: what a subscription cannot be, and who may write one
// (BR-154, BR-167).
func TestSubscriptionRefusals(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	op := b.operated(t, "acme")
	past := b.clock.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		sub   resources.Subscription
		code  resources.Code
		field string
	}{
		"unknown":         {resources.Subscription{SKU: "gold"}, resources.CodeSKUUnknown, "sku"},
		"free":            {resources.Subscription{SKU: "basic"}, resources.CodeInvalidValue, "sku"},
		"model":           {resources.Subscription{SKU: "host", Model: "flat"}, resources.CodeInvalidValue, "model"},
		"units of usage":  {resources.Subscription{SKU: "host", Model: resources.ModelUsage, Units: 1}, resources.CodeInvalidValue, "units"},
		"negative":        {resources.Subscription{SKU: "host", Units: -1}, resources.CodeInvalidValue, "units"},
		"too many units":  {resources.Subscription{SKU: "host", Units: 1 << 30}, resources.CodeInvalidValue, "units"},
		"over already":    {resources.Subscription{SKU: "host", Units: 1, Ends: past}, resources.CodeInvalidValue, "ends"},
		"ends too early":  {resources.Subscription{SKU: "host", Units: 1, Starts: past.Add(9 * time.Hour), Ends: past.Add(8 * time.Hour)}, resources.CodeInvalidValue, "ends"},
		"note of control": {resources.Subscription{SKU: "host", Units: 1, Note: "a\nb"}, resources.CodeInvalidValue, "note"},
	} {
		_, err := b.CreateSubscription(ctx, op, tt.sub)
		t.Run(name, func(t *testing.T) { fails(t, err, tt.code, tt.field) })
	}
	own := b.admin(t, "acme", resources.ScopeAdmin)
	_, err := b.CreateSubscription(ctx, own, resources.Subscription{SKU: "host", Units: 1})
	fails(t, err, resources.CodeForbidden, "")
	if _, err := b.Subscriptions(ctx, own); err != nil {
		t.Errorf("an administrator reads subscriptions: %v", err)
	}
	_, err = b.Subscriptions(ctx, b.a)
	fails(t, err, resources.CodeForbidden, "")
}

// TestSubscriptionOfAnotherNode: what one node writes another changes at once, and
// decides by at the latest after three seconds.
func TestSubscriptionOfAnotherNode(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		other, third := b.another(t), b.another(t)
		id := b.licensed(t, b.a, "u")
		grant := func(dir *resources.Directory) error {
			_, err := dir.ChangeLicences(ctx, op, id, resources.LicenceChange{Add: []string{"host"}}, nil)
			return err
		}
		for _, dir := range []*resources.Directory{other, third} { // they remember that there is none
			fails(t, grant(dir), resources.CodeNotSubscribed, "")
		}
		sub := b.subscribe(t, op, resources.Subscription{SKU: "host"})
		two := 2
		if _, err := other.UpdateSubscription(ctx, op, sub.ID, resources.SubscriptionChange{Units: &two}); err != nil {
			t.Errorf("changed by another node: %v", err)
		}
		b.clock.Advance(3 * time.Second)
		if err := grant(third); err != nil {
			t.Errorf("granted on a third node: %v", err)
		}
	})
}
