package resources_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// park makes an item due in acme and parks it, as a worker does.
func (b *bundle) park(t *testing.T, item string) {
	t.Helper()
	at := resources.DueItem{Item: item, At: b.clock.Now().UnixMicro(), Tries: 7}
	b.asked(t, item)
	l := b.lease(t, b.a.Org)
	defer b.unlease(t, l)
	if done, err := b.store.Park(t.Context(), l, at, "the store said no", b.clock.Now()); !done || err != nil {
		t.Fatalf("park: %v, %v", done, err)
	}
	b.NoteParked(t.Context(), b.a.Org, item, "the store said no")
}

func (b *bundle) asked(t *testing.T, item string) {
	t.Helper()
	_, err := b.store.Update(t.Context(), b.a.Org, func(_ context.Context, tx resources.Tx) error {
		tx.Due(item, b.clock.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) unlease(t *testing.T, l resources.Lease) {
	t.Helper()
	if err := b.store.Unlease(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

// openAlerts counts the open alerts about parked work in acme.
func (b *bundle) openAlerts(t *testing.T, c resources.Caller) int {
	t.Helper()
	alerts, _, err := b.Alerts(t.Context(), c, resources.AlertOpen, resources.AlertParked, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return len(alerts)
}

func TestParkedWork(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	admin := b.admin(t, "acme", resources.ScopeAdminLicences)
	reader := b.admin(t, "acme", resources.ScopeAdminRead)
	b.park(t, "unobody")
	for name, c := range map[string]resources.Caller{"operator": op, "administrator": admin, "reader": reader} {
		items, err := b.Parked(t.Context(), c, 10)
		if err != nil || len(items) != 1 || items[0].Item != "unobody" || items[0].Tries != 8 {
			t.Fatalf("%s sees %+v, %v", name, items, err)
		}
		if shown := items[0].Cause != ""; shown != (name == "operator") {
			t.Errorf("%s sees the cause %q", name, items[0].Cause)
		}
	}
	if _, err := b.Parked(t.Context(), b.a, 10); !resources.HasCode(err, resources.CodeForbidden) {
		t.Errorf("an identity provider lists parked work: %v", err)
	}
	if err := b.Unpark(t.Context(), reader, "unobody"); !resources.HasCode(err, resources.CodeForbidden) {
		t.Errorf("a reader unparks: %v", err)
	}
	if n := b.openAlerts(t, admin); n != 1 {
		t.Fatalf("%d alerts are open, want one", n)
	}
	if err := b.Unpark(t.Context(), admin, "unobody"); err != nil {
		t.Fatal(err)
	}
	if n := b.openAlerts(t, admin); n != 0 {
		t.Errorf("%d alerts are open after the work was taken up again", n)
	}
	if err := b.Unpark(t.Context(), admin, "unobody"); !resources.HasCode(err, resources.CodeNotFound) {
		t.Errorf("unparked twice: %v", err)
	}
	items, _, err := b.store.Due(t.Context(), b.a.Org, b.clock.Now(), 10)
	items = slices.DeleteFunc(items, func(i resources.DueItem) bool { return i.Item == "g?" }) // the alert asked for a digest
	if err != nil || len(items) != 1 || items[0].Item != "unobody" || items[0].Tries != 0 {
		t.Errorf("due is %+v, %v", items, err)
	}
}

// What was parked and asked for again is done, and nothing says any more that
// somebody has to look.
func TestParkedWorkThatIsDone(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	b.park(t, "unobody")
	b.clock.Advance(time.Minute)
	b.asked(t, "unobody")
	b.work(t, b.a.Org)
	if items, err := b.Parked(t.Context(), op, 10); len(items) != 0 || err != nil {
		t.Errorf("parked are %+v, %v", items, err)
	}
	if n := b.openAlerts(t, op); n != 0 {
		t.Errorf("%d alerts are open", n)
	}
}

func TestWorkOrgs(t *testing.T) {
	b := newBundle(t, "")
	if err := b.DeleteOrg(t.Context(), b.operator, "beta", "beta"); err != nil {
		t.Fatal(err)
	}
	got, err := b.WorkOrgs(t.Context())
	if want := []resources.OrgID{resources.PlatformOrg, b.a.Org}; err != nil || !slices.Equal(got, want) {
		t.Errorf("work is looked for in %v, %v; want %v", got, err, want)
	}
}
