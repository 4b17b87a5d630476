package backend

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestBothWaysOfGetAgree: a user reads the same by the script and by plain
// values, with no group, one, many, and with groups that are gone.
func TestBothWaysOfGetAgree(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Config{URL: redistest.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	const org = "ways"
	rec := func(kind resources.Kind, name string) *resources.Record { return bare(t, kind, name) }
	update := func(fn func(tx resources.Tx)) {
		t.Helper()
		if _, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var groups []*resources.Record
	update(func(tx resources.Tx) {
		groups = groups[:0]
		for i := range 600 {
			g := rec(resources.KindGroup, fmt.Sprint("g", i))
			groups = append(groups, g)
			tx.Put(nil, g, nil, nil)
		}
	})
	for name, n := range map[string]int{"none": 0, "one": 1, "some": 7, "many": 600} {
		u := rec(resources.KindUser, name)
		update(func(tx resources.Tx) {
			tx.Put(nil, u, nil, nil)
			for _, g := range groups[:n] {
				tx.Link(g.ID, u.ID)
			}
		})
		s.agree(t, org, u.ID, n)
	}
	gone, err := s.Get(ctx, org, resources.KindGroup, groups[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	u := rec(resources.KindUser, "left")
	update(func(tx resources.Tx) {
		tx.Put(nil, u, nil, nil)
		tx.Link(groups[0].ID, u.ID)
		tx.Link(groups[1].ID, u.ID)
	})
	update(func(tx resources.Tx) { tx.Delete(gone, nil) })
	s.agree(t, org, u.ID, 1)
	s.agree(t, org, rec(resources.KindUser, "never").ID, -1)
}

// bare makes a record that is not stored.
func bare(t *testing.T, kind resources.Kind, name string) *resources.Record {
	t.Helper()
	id, err := resources.NewID(kind, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &resources.Record{Kind: kind, ID: id, Version: 1, Display: name, Profile: []byte(`{}`)}
}

// agree reads one user both ways; n < 0 expects none.
func (s *Store) agree(t *testing.T, org resources.OrgID, id string, n int) {
	t.Helper()
	var got [2]*resources.Record
	for i, usual := range []int32{0, usualFull} {
		s.usual.Store(usual)
		var err error
		if got[i], err = s.Get(context.Background(), org, resources.KindUser, id); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("(-plain +script)\n%s", diff)
	}
	if (got[0] == nil) != (n < 0) || (n >= 0 && len(got[0].Groups) != n) {
		t.Errorf("read %+v, want %d groups", got[0], n)
	}
}
