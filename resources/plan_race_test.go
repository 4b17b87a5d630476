package resources_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// working works on what is due in an organization, some items at once, until the
// returned function is called, which does the rest.
func (b *bundle) working(t *testing.T, org resources.OrgID) (finish func()) {
	t.Helper()
	l := b.lease(t, org)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	under := make(map[string]bool) // like a runner, no item is begun twice at once
	take := func() (item resources.DueItem, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		items, _, err := b.store.Due(t.Context(), org, b.clock.Now(), 5)
		if err != nil {
			t.Error(err)
			return item, false
		}
		at := slices.IndexFunc(items, func(i resources.DueItem) bool { return !under[i.Item] })
		if at < 0 {
			return item, false
		}
		under[items[at].Item] = true
		return items[at], true
	}
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				item, ok := take()
				if !ok {
					continue
				}
				if err := b.WorkOn(t.Context(), l, item); err != nil && !errors.Is(err, resources.ErrUnavailable) {
					t.Errorf("work on %s: %v", item.Item, err)
				}
				mu.Lock()
				delete(under, item.Item)
				mu.Unlock()
			}
		})
	}
	return func() {
		close(stop)
		wg.Wait()
		b.work(t, org)
	}
}

// TestShrinkRace: users come, go and wait while a subscription grows and shrinks;
// in the end nothing is oversold, no seat is free while somebody waits, and the
// pool holds whom the records say (issue: recount).
func TestShrinkRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 20})
		finish := b.working(t, b.a.Org)
		const lanes, each = 4, 12
		ids := make([][]string, lanes)
		var wg sync.WaitGroup
		for lane := range lanes {
			wg.Go(func() {
				for i := range each {
					doc := parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d-%d",%q:{"licenses":["host"]}}`, lane, i, resources.LicenceUserURN))
					rec, err := b.CreateUser(ctx, b.a, doc)
					if err != nil {
						t.Error(err)
						return
					}
					if ids[lane] = append(ids[lane], rec.ID); i%5 == 4 {
						if err := b.DeleteUser(ctx, b.a, ids[lane][0], nil); err != nil {
							t.Error(err)
						}
						ids[lane] = ids[lane][1:]
					}
				}
			})
		}
		wg.Go(func() {
			for _, units := range []int{25, 8, 12, 3, 10} {
				if _, err := b.UpdateSubscription(ctx, op, sub.ID, resources.SubscriptionChange{Units: &units}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		finish()
		all := slices.Concat(ids...)
		held := b.held(t, b.a, "host", all)
		pool, waiting, err := b.store.Counts(ctx, b.a.Org, []string{"seat/" + sub.ID}, []string{"sku/host"})
		if err != nil || len(held) != 10 || pool[0] != 10 || waiting[0] != len(all)-10 {
			t.Errorf("%d of %d users hold a seat by their records, %d by the pool, %d wait; want 10 seats (%v)", len(held), len(all), pool[0], waiting[0], err)
		}
	})
}

// TestGuardRace: whoever is settled while many are taken out of a group keeps the
// licence, whatever comes first (BR-165).
func TestGuardRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		g := newGuarded(t, b, 30)
		finish := b.working(t, b.a.Org)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := b.EditMembers(t.Context(), b.a, g.group, resources.MemberEdit{Remove: g.members}); err != nil {
				t.Error(err)
			}
		})
		for lane := range 3 {
			wg.Go(func() {
				for _, id := range g.members[lane*10 : lane*10+10] {
					b.touch(t, id)
				}
			})
		}
		wg.Wait()
		finish()
		sameIDs(t, "held", b.held(t, b.a, "host", g.members), g.members)
		a := g.alert(t, 30)

		var mu sync.Mutex
		decided := 0
		for i := range 4 {
			wg.Go(func() {
				_, err := b.Decide(t.Context(), g.op, a.ID, i%2 == 0)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					decided++
				} else if !resources.HasCode(err, resources.CodeRequestClosed) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if decided != 1 {
			t.Errorf("%d decisions were made", decided)
		}
		b.work(t, b.a.Org)
		want := g.members
		if firstAlert(t, g).Outcome == resources.OutcomeConfirmed {
			want = nil
		}
		sameIDs(t, "decided", b.held(t, b.a, "host", g.members), want)
	})
}

// touch makes a user ask for something else, so that it is settled.
func (b *bundle) touch(t *testing.T, id string) {
	t.Helper()
	_, _, err := b.UpdateUser(t.Context(), b.a, id, set(resources.LicenceUserURN, parse(t, `{"licenses":["basic"]}`)))
	if err != nil {
		t.Error(err)
	}
}

// TestTemplateRace: templates of one organization that change at once end as if one
// came after the other, with nobody left behind (BR-161).
func TestTemplateRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		ids := b.crowd(t, b.a, "u", 6)
		finish := b.working(t, b.a.Org)
		var wg sync.WaitGroup
		for lane := range 3 {
			wg.Go(func() {
				group := b.group(t, b.a, fmt.Sprint("g", lane), ids[2*lane:2*lane+2]...)
				tpl, _, err := b.PutTemplate(t.Context(), op, groupTemplateOf(group, "basic"))
				if err != nil {
					t.Error(err)
					return
				}
				if lane == 0 {
					if _, err := b.DeleteTemplate(t.Context(), op, tpl.ID); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		finish()
		sameIDs(t, "basic", b.held(t, b.a, "basic", ids), ids[2:])
	})
}
