package backend_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

func askFor(t *testing.T, s *backend.Store, org resources.OrgID, items ...string) {
	t.Helper()
	_, err := s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		for i, item := range items {
			tx.Due(item, time.Now().Add(time.Duration(i-10)*time.Second))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestQueueOnABadNetwork: whatever is sent again because its reply was lost
// happens once, and says what it did.
func TestQueueOnABadNetwork(t *testing.T) {
	const org = resources.OrgID("bad")
	ctx := context.Background()
	s, proxy, _ := behind(t)
	askFor(t, s, org, "a", "b")
	lose := func(text string) { proxy.SwallowReplies(text, 2) }
	lose("lz:{bad}")
	l, ok, err := s.Lease(ctx, org, "w", time.Hour)
	if !ok || err != nil || !strings.HasPrefix(l.Token, "0000000000001") {
		t.Fatalf("lease: %+v, %v, %v; want the first one", l, ok, err)
	}
	items, _, err := s.Due(ctx, org, time.Now(), 10)
	if err != nil || len(items) != 2 {
		t.Fatal(items, err)
	}
	lose("dt:{bad}")
	if done, err := s.Postpone(ctx, l, items[0], time.Now()); !done || err != nil {
		t.Errorf("postpone: %v, %v", done, err)
	}
	lose("dc:{bad}")
	if done, err := s.Park(ctx, l, items[1], "fault", time.Now()); !done || err != nil {
		t.Errorf("park: %v, %v", done, err)
	}
	lose("dp:{bad}")
	if there, err := s.Unpark(ctx, org, "b", time.Now()); !there || err != nil {
		t.Errorf("unpark: %v, %v", there, err)
	}
	lose("lz:{bad}")
	if err := s.Unlease(ctx, l); err != nil {
		t.Errorf("unlease: %v", err)
	}
	items, _, err = s.Due(ctx, org, time.Now().Add(time.Second), 10)
	if err != nil || len(items) != 2 || items[0].Tries+items[1].Tries != 1 {
		t.Errorf("due is %+v, %v; want both, one of them tried once", items, err)
	}
	if n := proxy.Harmed(); n != 10 {
		t.Errorf("%d replies were lost, want 10", n)
	}
}

// TestBellsWithoutTheirGroup: a stream that was restored without its group of
// consumers is heard all the same, and bells that were trimmed ring again.
func TestBellsWithoutTheirGroup(t *testing.T) {
	ctx := context.Background()
	url := redistest.Start(t)
	s := open(t, backend.Config{URL: url})
	c := redistest.Client(t, url)
	if err := s.Ring(ctx, "one", "two"); err != nil {
		t.Fatal(err)
	}
	if err := c.XGroupDestroy(ctx, "bl:{platform}", "workers").Err(); err != nil {
		t.Fatal(err)
	}
	bells, err := s.Bells(ctx, time.Hour, 10)
	if err != nil || len(bells) != 2 {
		t.Fatalf("bells %+v, %v", bells, err)
	}
	if err := s.Ring(ctx, "three"); err != nil {
		t.Fatal(err)
	}
	if err := c.XTrimMaxLen(ctx, "bl:{platform}", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ring(ctx, "three"); err != nil {
		t.Fatal(err)
	}
	if bells, err = s.Bells(ctx, time.Hour, 10); err != nil || len(bells) != 1 || bells[0].Org != "three" {
		t.Errorf("after the stream was trimmed: %+v, %v", bells, err)
	}
}

// TestQueueRefuses: what cannot be meant is refused before anything is sent.
func TestQueueRefuses(t *testing.T) {
	ctx := context.Background()
	s := open(t, backend.Config{})
	_, _, nobody := s.Lease(ctx, "o", "", time.Minute)
	_, _, never := s.Lease(ctx, "o", "w", 0)
	_, _, braces := s.Due(ctx, "{o}", time.Now(), 1)
	_, next := s.Next(ctx, []resources.OrgID{"o", ""})
	for name, err := range map[string]error{"no worker": nobody, "no time": never, "no organization": braces, "Next of none": next, "Ring for none": s.Ring(ctx, "")} {
		if err == nil || errors.Is(err, resources.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if items, _, err := s.Due(ctx, "o", time.Now(), 0); items != nil || err != nil {
		t.Errorf("nothing was asked for: %v, %v", items, err)
	}
}

// TestAuditSeesTheQueue: tries, parked items and causes that do not belong
// together are found.
func TestAuditSeesTheQueue(t *testing.T) {
	const org = resources.OrgID("queued")
	ctx := context.Background()
	url := redistest.Start(t)
	s := open(t, backend.Config{URL: url})
	askFor(t, s, org, "a", "b")
	audit(t, s, org)
	c := redistest.Client(t, url)
	err := errors.Join(
		c.HSet(ctx, "dt:{queued}", "a", "1 1", "x", "1 1").Err(),
		c.HSet(ctx, "dc:{queued}", "y", "8 fault").Err(),
		c.ZAdd(ctx, "dp:{queued}", redis.Z{Score: 1, Member: "z"}).Err(),
	)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := s.Audit(ctx, org, nil)
	want := []string{
		"the parked item z has no cause", "there are tries of the item x, which is not on the list",
		"there is a cause of the item y, which is not parked",
	}
	if err != nil || strings.Join(faults, "\n") != strings.Join(want, "\n") {
		t.Errorf("faults %q, %v; want %q", faults, err, want)
	}
}

// TestDueByAClockAhead: what a node whose clock is ahead makes due at once is due
// at once for the others, too, and what it makes due later is not due earlier than
// it says (security F17).
func TestDueByAClockAhead(t *testing.T) {
	url := redistest.Start(t)
	const org = resources.OrgID("ahead")
	fast := open(t, backend.Config{URL: url, Now: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	_, err := fast.Update(t.Context(), org, func(_ context.Context, tx resources.Tx) error {
		tx.Due("unow", time.Now().Add(10*time.Minute))
		tx.Due("ulater", time.Now().Add(12*time.Minute))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, backend.Config{URL: url})
	items, next, err := s.Due(t.Context(), org, time.Now().Add(time.Second), 10)
	if err != nil || len(items) != 1 || items[0].Item != "unow" || time.Until(next) < 11*time.Minute {
		t.Errorf("due are %v, then %s, %v; want unow at once and the other one later", items, next, err)
	}
}
