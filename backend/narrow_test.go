package backend_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestNarrow: when records must be looked at, further terms of an AND narrow
// them down where that costs less (issue 3 §4), and never change the answer.
func TestNarrow(t *testing.T) {
	const users = 900
	c := newClock()
	s := open(t, backend.Config{URL: redistest.Start(t), Now: c.now})
	ctx, org := t.Context(), resources.OrgID("narrow")
	_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		for i := range users {
			id, err := resources.NewID(resources.KindUser, c.now(), rand.Reader)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("u%03d", i)
			rec := &resources.Record{Kind: resources.KindUser, ID: id, Version: 1, Created: 1, Modified: int64(i), Display: name, Profile: []byte(`{}`)}
			has := []resources.Entry{
				{Index: resources.UserAll, Value: id},
				{Index: resources.UserName, Value: name},
				{Index: resources.UserNameOrder, Value: name},
				{Index: resources.UserModified, Time: int64(i)},
				{Index: resources.UserDisplayOrder, Value: string("ab"[i%3/2]) + name},
			}
			if i%3 == 0 {
				has = append(has, resources.Entry{Index: resources.UserInactive, Value: id})
			}
			tx.Put(nil, rec, nil, has)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	inactive := resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}                                     // 300
	displayB := resources.Cond{Op: resources.CondPrefix, Index: resources.UserDisplayOrder, Value: "b"}                 // 300, others
	displayA := resources.Cond{Op: resources.CondPrefix, Index: resources.UserDisplayOrder, Value: "a"}                 // 600
	contains := resources.Cond{Op: resources.CondContains, Index: resources.UserNameOrder, Value: "9"}                  // a walk over 900
	early := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: 0, To: 401}                   // 402
	nearlyAll := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: 0, To: 800}               // 801
	few := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: 0, To: 99}                      // 100
	either := resources.Cond{Op: resources.CondOr, Subs: []resources.Cond{displayB, {Op: resources.CondIDs}, contains}} // 900 + 300
	for _, x := range []struct {
		subs []resources.Cond
		plan string
	}{
		{[]resources.Cond{inactive, displayB}, "and(ui=300, ud=300) -> 0 match 0 of 0"},
		{[]resources.Cond{inactive, contains}, "and(ui=300, walk uz=171) -> 57 match 57 of 57"},
		{[]resources.Cond{early, inactive}, "and(ui=300, in ul=134) -> 134 match 134 of 134"},
		{[]resources.Cond{inactive, nearlyAll}, "ui=300 match 267 of 300"},
		{[]resources.Cond{inactive, displayA}, "ui=300 match 300 of 300"},
		{[]resources.Cond{inactive, either}, "ui=300 match 57 of 300"},
		{[]resources.Cond{few, inactive, contains}, "ul=100 match 7 of 100"},
	} {
		where := resources.Cond{Op: resources.CondAnd, Subs: x.subs}
		exact, err := s.Find(ctx, org, resources.Query{Kind: resources.KindUser, Where: &where, Limit: users})
		if err != nil {
			t.Fatal(err)
		}
		right := map[string]bool{}
		for _, r := range exact.Records {
			right[r.ID] = true
		}
		q := resources.Query{Kind: resources.KindUser, Where: &where, Limit: users, Explain: true, Match: func(r *resources.Record) bool { return right[r.ID] }}
		page, err := s.Find(ctx, org, q)
		if err != nil || page.Plan != x.plan || page.Total != exact.Total {
			t.Errorf("%q, %d found; want %q, %d (%v)", page.Plan, page.Total, x.plan, exact.Total, err)
		}
		q.Keyset = true
		if page, err = s.Find(ctx, org, q); err != nil || page.Plan != x.plan || len(page.Records) != exact.Total {
			t.Errorf("by position: %q, %d found; want %q, %d (%v)", page.Plan, len(page.Records), x.plan, exact.Total, err)
		}
	}
}
