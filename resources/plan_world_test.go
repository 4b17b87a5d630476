package resources_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// operated is the platform operator acting on an organization.
func (b *bundle) operated(t *testing.T, slug string) resources.Caller {
	t.Helper()
	c, err := b.Operate(t.Context(), b.operator, slug)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// admin is the caller of an organization's API token with these scopes.
func (b *bundle) admin(t *testing.T, slug string, scopes ...resources.Scope) resources.Caller {
	t.Helper()
	_, token, err := b.CreateToken(t.Context(), b.operator, slug, resources.TokenSpec{Name: "admin", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lease takes an organization for a worker.
func (b *bundle) lease(t *testing.T, org resources.OrgID) resources.Lease {
	t.Helper()
	l, ok, err := b.store.Lease(t.Context(), org, "tester", time.Hour)
	if err != nil || !ok {
		t.Fatalf("lease: %v, %v", ok, err)
	}
	return l
}

// work does everything that is due in an organization by now.
func (b *bundle) work(t *testing.T, org resources.OrgID) {
	t.Helper()
	b.workUpTo(t, org, 100_000)
	b.recount(t, org)
}

// recount compares every index, pool and line of an organization at rest with its
// records.
func (b *bundle) recount(t *testing.T, org resources.OrgID) {
	t.Helper()
	faults, err := b.store.Audit(t.Context(), org, resources.Placement)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("recount: %s", f)
	}
}

// workUpTo does so many pieces of work at most and reports whether all is done.
func (b *bundle) workUpTo(t *testing.T, org resources.OrgID, most int) bool {
	t.Helper()
	l := b.lease(t, org)
	for n := 0; ; {
		items, _, err := b.store.Due(t.Context(), org, b.clock.Now(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 0 {
			return true
		}
		for _, item := range items {
			if n++; n > most {
				return false
			}
			if err := b.WorkOn(t.Context(), l, item); err != nil {
				t.Fatalf("work on %s: %v", item.Item, err)
			}
		}
		b.clock.Advance(time.Millisecond)
	}
}

// licensed creates a user who asks for products.
func (b *bundle) licensed(t *testing.T, c resources.Caller, name string, skus ...string) string {
	t.Helper()
	doc := userDoc(t, name, name+"@acme.example")
	if len(skus) > 0 {
		doc = parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"emails":[{"value":"%s@acme.example"}],%q:{"licenses":["%s"]}}`,
			name, name, resources.LicenceUserURN, strings.Join(skus, `","`)))
	}
	rec, err := b.CreateUser(t.Context(), c, doc)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Millisecond)
	return rec.ID
}

// crowd creates n users who ask for products, one after the other.
func (b *bundle) crowd(t *testing.T, c resources.Caller, prefix string, n int, skus ...string) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = b.licensed(t, c, fmt.Sprintf("%s-%03d", prefix, i), skus...)
	}
	return ids
}

// held lists who of the users a product is assigned to.
func (b *bundle) held(t *testing.T, c resources.Caller, sku string, ids []string) []string {
	t.Helper()
	var out []string
	recs, err := b.store.Many(t.Context(), c.Org, ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if rec == nil {
			continue
		}
		s := resources.StandingOf(rec)
		if a := s.Licence(sku); a != nil && a.Status == resources.Assigned {
			out = append(out, rec.ID)
		}
	}
	return out
}

// sources lists the types of the sources of a user's product.
func (b *bundle) sources(t *testing.T, c resources.Caller, id, sku string) []string {
	t.Helper()
	rec, err := b.store.Get(t.Context(), c.Org, resources.KindUser, id)
	if err != nil || rec == nil {
		t.Fatalf("get %s: %v, %v", id, rec, err)
	}
	s := resources.StandingOf(rec)
	a := s.Licence(sku)
	if a == nil {
		return nil
	}
	var out []string
	for _, src := range a.Sources {
		out = append(out, string(src.Type))
	}
	return out
}

// subscribe makes a subscription with seats.
func (b *bundle) subscribe(t *testing.T, c resources.Caller, s resources.Subscription) resources.Subscription {
	t.Helper()
	s, err := b.CreateSubscription(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// alerts lists open alerts of a kind.
func (b *bundle) alerts(t *testing.T, c resources.Caller, kind resources.AlertKind) []*resources.Alert {
	t.Helper()
	list, _, err := b.Alerts(t.Context(), c, resources.AlertOpen, kind, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// group creates a group with members.
func (b *bundle) group(t *testing.T, c resources.Caller, name string, members ...string) string {
	t.Helper()
	rec, err := b.CreateGroup(t.Context(), c, groupDoc(t, name), members)
	if err != nil {
		t.Fatal(err)
	}
	return rec.ID
}

// fails checks that an error has a code and a field.
func fails(t *testing.T, err error, code resources.Code, field string) {
	t.Helper()
	e, ok := errors.AsType[*resources.Error](err)
	if !ok || e.Code != code || field != "" && e.Field != field {
		t.Errorf("error %v, want code %s and field %q", err, code, field)
	}
}

func sameIDs(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d users, want %d:\n got %v\nwant %v", what, len(got), len(want), got, want)
	}
}

// another is a second node over the same store.
func (b *bundle) another(t *testing.T) *resources.Directory {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// deactivate makes a user inactive.
func (b *bundle) deactivate(t *testing.T, c resources.Caller, id string) {
	t.Helper()
	_, _, err := b.UpdateUser(t.Context(), c, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Set("active", jsontree.Bool(false))
		return doc, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
