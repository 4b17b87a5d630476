package resources_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestSeatRace: 200 creations at once against 50 seats: exactly 50 are seated,
// the rest waits with an issue, nobody is refused, also when replies are lost;
// freed seats go to those who wait longest, and fewer units leave the oldest
// assignments theirs, without anybody acting (BR-150, BR-164, security L1).
func TestSeatRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) { seatRace(t, b, func() {}) })
	t.Run("lost replies", func(t *testing.T) {
		underHarm(t, "licence.", 10, seatRace)
	})
}

func seatRace(t *testing.T, b *bundle, harm func()) {
	const users, seats, gone = 200, 50, 20
	op := b.operated(t, "acme")
	sub := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: seats})
	ids := createAtOnce(t, b, users, harm)
	seated := b.held(t, b.a, "host", ids)
	if len(seated) != seats {
		t.Errorf("%d are seated, want %d", len(seated), seats)
	}
	var waiting []string
	for _, id := range ids {
		if slices.Contains(seated, id) {
			continue
		}
		waiting = append(waiting, id)
		b.wantShows(t, b.a, id, "host=no_seats_available")
		if s := b.standing(t, b.a, id); len(s.Issues) != 1 || s.Issues[0].Code != resources.CodeNoSeats || s.Issues[0].Attribute != "licenses" || s.Issues[0].Detail == "" {
			t.Errorf("issues %+v", s.Issues)
		}
	}
	line, err := b.store.Waiting(t.Context(), b.a.Org, "sku/host", users)
	if err != nil || len(line) != users-seats {
		t.Fatalf("%d wait, want %d (%v)", len(line), users-seats, err)
	}
	audit(t, b)

	b.clock.Advance(time.Second)
	for _, id := range seated[:gone] {
		harm()
		if err := b.DeleteUser(t.Context(), b.a, id, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.work(t, b.a.Org)
	var want []string
	for _, w := range line[:gone] {
		want = append(want, w.Holder)
	}
	sameIDs(t, "seated when seats freed", b.held(t, b.a, "host", waiting), want)
	usage, err := b.Usage(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range usage {
		if u.SKU == "host" && (u.Total != seats || u.Used != seats || u.Free != 0 || u.Waiting != users-seats-gone) {
			t.Errorf("usage %+v", u)
		}
	}
	units := seats - gone
	if _, err := b.UpdateSubscription(t.Context(), op, sub.ID, resources.SubscriptionChange{Units: &units}); err != nil {
		t.Fatal(err)
	}
	b.work(t, b.a.Org)
	sameIDs(t, "seated with fewer units", b.held(t, b.a, "host", ids), seated[gone:])
	audit(t, b)
}

// createAtOnce creates users who ask for a host licence, twenty at a time.
func createAtOnce(t *testing.T, b *bundle, n int, harm func()) []string {
	ids := make([]string, n)
	var wg sync.WaitGroup
	for worker := range 20 {
		wg.Go(func() {
			for i := worker; i < n; i += 20 {
				harm()
				rec, err := b.CreateUser(t.Context(), b.a, asking(t, fmt.Sprintf("u-%03d", i), `{"licenses":["host"]}`))
				if err != nil {
					t.Errorf("refused: %v", err)
					continue
				}
				ids[i] = rec.ID
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ids
}
