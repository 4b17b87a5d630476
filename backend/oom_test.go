package backend_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestMemoryShort: when the server has no room left, what frees some is done,
// with the event and the work that it makes due, and the rest is refused as
// unavailable.
func TestMemoryShort(t *testing.T) {
	const org = resources.OrgID("short")
	ctx := context.Background()
	url := redistest.Run(t, redistest.Config{Args: []string{"--maxmemory-policy", "noeviction"}}).URL
	s := open(t, backend.Config{URL: url})
	do := func(fn func(tx resources.Tx)) error {
		_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil })
		return err
	}
	pool := resources.Pool{Name: "seats", Limit: 2, Line: "line"}
	u := newRecord(t, resources.KindUser, "leaver")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(do(func(tx resources.Tx) { tx.Put(nil, u, nil, entriesOf(u)); tx.Take(pool, u.ID); tx.Take(pool, "other") }))
	must(do(func(tx resources.Tx) { tx.Wait("line", "x", 1, pool); tx.Due("p", time.Now()) }))
	items, _, err := s.Due(ctx, org, time.Now(), 10)
	must(err)
	admin := redistest.Client(t, url)
	must(admin.ConfigSet(ctx, "maxmemory", "500kb").Err()) // less than an empty server takes
	for what, fn := range map[string]func(resources.Tx){
		"take": func(tx resources.Tx) { tx.Give("seats", "nobody"); tx.Take(pool, "y") },
		"wait": func(tx resources.Tx) { tx.Quit("line", "nobody"); tx.Wait("line", "y", 1, pool) },
		"due":  func(tx resources.Tx) { tx.Due("s1", time.Now()) },
	} {
		if err := do(fn); !errors.Is(err, resources.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
	rec, err := s.Get(ctx, org, resources.KindUser, u.ID)
	must(err)
	frees := []func(resources.Tx){
		func(tx resources.Tx) {
			tx.Delete(rec, entriesOf(rec))
			tx.Give("seats", u.ID)
			tx.Event(resources.Event{Type: "user.deleted"})
			tx.Due("s1", time.Now())
		},
		func(tx resources.Tx) { tx.Give("seats", "other") },
		func(tx resources.Tx) { tx.Quit("line", "x") },
		func(tx resources.Tx) { tx.Undue(items[0]) },
		func(tx resources.Tx) { // what cannot wait is done, too
			u := newRecord(t, resources.KindUser, "locked out")
			tx.Put(nil, u, nil, entriesOf(u))
			tx.Pressing()
		},
	}
	for i, fn := range frees {
		if err := do(fn); err != nil {
			t.Errorf("what frees room, %d: %v", i, err)
		}
	}
	held, waiting, err := s.Counts(ctx, org, []string{"seats"}, []string{"line"})
	if got := fmt.Sprint(held, waiting, err); got != "[0] [0] <nil>" {
		t.Errorf("afterwards %s", got)
	}
}
