package resources_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// watched is a store that compares every record that is written with where
// Placement says that it must be found.
type watched struct {
	resources.Store
	t    *testing.T
	puts int
}

func (w *watched) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (resources.Commit, error) {
	return w.Store.Update(ctx, org, func(ctx context.Context, tx resources.Tx) error {
		return fn(ctx, &watchedTx{Tx: tx, w: w})
	})
}

type watchedTx struct {
	resources.Tx
	w *watched
}

func (x *watchedTx) Put(before, after *resources.Record, had, has []resources.Entry) {
	x.w.puts++
	x.w.compare("before", before, had)
	x.w.compare("after", after, has)
	x.Tx.Put(before, after, had, has)
}

func (x *watchedTx) Delete(before *resources.Record, had []resources.Entry) {
	x.w.compare("deleted", before, had)
	x.Tx.Delete(before, had)
}

func (w *watched) compare(when string, rec *resources.Record, entries []resources.Entry) {
	w.t.Helper()
	if rec == nil {
		if len(entries) > 0 {
			w.t.Errorf("%s: no record, but entries %v", when, entries)
		}
		return
	}
	want, _, _ := resources.Placement(rec)
	order := func(a, b resources.Entry) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Value, b.Value))
	}
	got := slices.SortedFunc(slices.Values(entries), order)
	if diff := gocmp.Diff(slices.SortedFunc(slices.Values(want), order), got); diff != "" {
		w.t.Errorf("%s: %s %s is placed otherwise than Placement says (-Placement +act):\n%s", when, rec.Kind, rec.Profile, diff)
	}
}

// TestPlacement: the acts write records exactly where Placement says.
func TestPlacement(t *testing.T) {
	b := newBundle(t, "")
	w := &watched{Store: b.store, t: t}
	dir, err := resources.New(resources.Config{Store: w, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	user, err := dir.CreateUser(ctx, b.a, parse(t, `{"schemas":[],"userName":"Zoé@a.test","externalId":"X7","displayName":"Zoé","active":false,"emails":[{"value":"z@a.test"},{"value":"Z@A.test"},{"value":"y@a.test"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, claims, _ := resources.Placement(user); len(claims) != 1 || claims[0].Key != "z@a.test" {
		t.Errorf("claims %v", claims)
	}
	for _, name := range []string{"displayName", "externalId", "emails", "active"} {
		if _, _, err := dir.UpdateUser(ctx, b.a, user.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Delete(name)
			return doc, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	group, err := dir.CreateGroup(ctx, b.a, parse(t, `{"schemas":[],"displayName":"Support FR","externalId":"g"}`), []string{user.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.UpdateGroup(ctx, b.a, group.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		doc.Set("displayName", jsontree.Str("Ventes"))
		doc.Delete("externalId")
		return doc, resources.MemberEdit{Remove: []string{user.ID}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := dir.DeleteGroup(ctx, b.a, group.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := dir.DeleteUser(ctx, b.a, user.ID, nil); err != nil {
		t.Fatal(err)
	}
	slug := "acme-fr"
	if _, err := dir.UpdateOrg(ctx, b.operator, "acme", resources.OrgChange{Slug: &slug}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := dir.CreateToken(ctx, b.operator, slug, resources.TokenSpec{}); err != nil {
		t.Fatal(err)
	}
	if w.puts != 9 {
		t.Errorf("%d writes were compared, want 9", w.puts)
	}
	for _, rec := range []*resources.Record{
		{Kind: resources.KindUser, ID: user.ID, Profile: []byte("{")},
		{Kind: resources.KindOrg, ID: "o", Profile: []byte("{")},
	} {
		if entries, claims, _ := resources.Placement(rec); len(entries)+len(claims) > 0 {
			t.Errorf("a %s that cannot be read has a place: %v, %v", rec.Kind, entries, claims)
		}
	}
	audit(t, b)
}
