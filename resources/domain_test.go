package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// TestDomain: a domain is added, its record published and found, users follow, and
// it is removed (domain.md §3.4, BR-041).
func TestDomain(t *testing.T) {
	onBothDomains(t, func(t *testing.T, w *domains) {
		ctx := t.Context()
		ida := w.licensed(t, w.a, "ida") // @acme.example
		sub, err := w.CreateUser(ctx, w.a, userDoc(t, "sub", "sub@dev.acme.example"))
		if err != nil {
			t.Fatal(err)
		}
		dm := w.add(t, " ACME.example. ")
		name, value := dm.Record()
		token, ok := strings.CutPrefix(value, "usher-domain-verification=")
		if dm.Name != "acme.example" || dm.State != resources.DomainPending || name != "_usher-challenge.acme.example" || !ok || len(token) < 26 {
			t.Fatalf("%+v: %s %s", dm, name, value)
		}
		if again := w.add(t, "acme.example"); cmp.Diff(dm, again) != "" {
			t.Errorf("added again: %+v", again)
		}
		_, err = w.CheckDomain(ctx, w.admin, "acme.example")
		wantCode(t, err, resources.CodeDomainToken)
		if w.state(t, ida) != resources.StateNotVerified {
			t.Error("verified by a domain that is pending")
		}
		w.zone.publish("acme.example", "v=spf1 -all", value) // at the domain itself does as well
		got, err := w.CheckDomain(ctx, w.admin, "Acme.Example")
		if err != nil || got.State != resources.DomainVerified || got.Verified.IsZero() {
			t.Fatalf("%+v, %v", got, err)
		}
		w.work(t, w.a.Org)
		if s := w.state(t, ida); s != resources.StateVerified {
			t.Errorf("with a verified domain: %s", s)
		}
		if s := w.state(t, sub.ID); s != resources.StateNotVerified {
			t.Errorf("below a verified domain: %s", s) // E3: exactly that domain
		}
		if s := w.state(t, w.licensed(t, w.a, "zoe")); s != resources.StateVerified {
			t.Errorf("who comes later: %s", s)
		}
		list, err := w.Domains(ctx, w.admin)
		if err != nil || len(list) != 1 || list[0].Name != "acme.example" {
			t.Errorf("%+v, %v", list, err)
		}
		wantCode(t, w.RemoveDomain(ctx, w.admin, "acme.example"), resources.CodeConfirmation)
		sure := w.admin
		sure.Confirmed = true
		if err := w.RemoveDomain(ctx, sure, "acme.example"); err != nil {
			t.Fatal(err)
		}
		w.work(t, w.a.Org)
		if s := w.state(t, ida); s != resources.StateNotVerified {
			t.Errorf("without the domain: %s", s)
		}
		for _, err := range []error{w.RemoveDomain(ctx, w.admin, "acme.example"), func() error { _, err := w.CheckDomain(ctx, w.admin, "§"); return err }()} {
			wantCode(t, err, resources.CodeNotFound)
		}
		want := []string{"domain.added acme.example", "domain.verified acme.example", "domain.removed acme.example"}
		if d := cmp.Diff(want, w.told(t)); d != "" {
			t.Error(d)
		}
		if w.add(t, "acme.example").Token == dm.Token {
			t.Error("a token is used again after the domain was removed")
		}
	})
}

// TestDomainTokenOfOtherTenant: each organization has a token of its own, and both
// may verify a domain (security E3).
func TestDomainTokenOfOtherTenant(t *testing.T) {
	w := newDomains(t, "")
	ctx := t.Context()
	mine := w.add(t, "acme.example")
	theirs, err := w.AddDomain(ctx, w.beta, "acme.example")
	if err != nil {
		t.Fatal(err)
	}
	name, other := theirs.Record()
	_, value := mine.Record()
	if other == value {
		t.Fatal("two organizations have one token")
	}
	w.zone.publish(name, other)
	_, err = w.CheckDomain(ctx, w.admin, "acme.example")
	wantCode(t, err, resources.CodeDomainToken)
	if !strings.Contains(err.Error(), other) {
		t.Errorf("does not tell what was found: %v", err)
	}
	w.zone.publish(name, other, value)
	for _, c := range []resources.Caller{w.admin, w.beta} {
		if dm, err := w.CheckDomain(ctx, c, "acme.example"); err != nil || dm.State != resources.DomainVerified {
			t.Errorf("%+v, %v", dm, err)
		}
	}
}

// TestTokenMissing: the error shows what was found, bounded and harmless.
func TestTokenMissing(t *testing.T) {
	w := newDomains(t, "")
	name, value := w.add(t, "acme.example").Record()
	missing := func() string {
		_, err := w.CheckDomain(t.Context(), w.admin, "acme.example")
		wantCode(t, err, resources.CodeDomainToken)
		return err.Error()
	}
	if text := missing(); !strings.Contains(text, name) || !strings.Contains(text, value) || !strings.Contains(text, "none at all") {
		t.Error(text)
	}
	strange := make([]string, 50)
	for i := range strange {
		strange[i] = fmt.Sprint("line\n\x1b[31m\"", i, strings.Repeat("x", 4000))
	}
	w.zone.publish("acme.example", append(strange, "Usher-Domain-Verification=old")...)
	text := missing()
	if len(text) > 1000 || strings.ContainsAny(text, "\n\x1b") || !strings.Contains(text, "48 more") || !strings.Contains(text, `instead: "Usher-Domain-Verification=old"`) {
		t.Error(text)
	}
}

// TestDomainUnknown: no answer from DNS is not a missing record, neither for who
// asks nor for the daily look (security F18); one of the two names that has the
// record is enough.
func TestDomainUnknown(t *testing.T) {
	w := newDomains(t, "")
	ctx := t.Context()
	w.verified(t, "acme.example")
	name, value := w.named(t, "acme.example").Record()
	w.zone.fail(name, "acme.example")
	before := w.named(t, "acme.example")
	for range 40 {
		w.clock.Advance(12 * time.Hour)
		w.work(t, w.a.Org)
	}
	_, err := w.CheckDomain(ctx, w.admin, "acme.example")
	wantCode(t, err, resources.CodeUnavailable)
	if d := cmp.Diff(before, w.named(t, "acme.example")); d != "" {
		t.Errorf("changed without an answer: %s", d)
	}
	w.zone.publish(name)
	w.zone.fail("acme.example")
	_, err = w.CheckDomain(ctx, w.admin, "acme.example")
	wantCode(t, err, resources.CodeUnavailable) // the record may be at the name that did not answer
	w.zone.publish("acme.example", value)
	w.zone.fail(name)
	if dm, err := w.CheckDomain(ctx, w.admin, "acme.example"); err != nil || dm.State != resources.DomainVerified {
		t.Errorf("%+v, %v", dm, err)
	}
	if blind, err := w.bundle.another(t).AddDomain(ctx, w.admin, "acme.test"); err != nil {
		t.Error(blind, err)
	}
	_, err = w.bundle.another(t).CheckDomain(ctx, w.admin, "acme.test")
	wantCode(t, err, resources.CodeUnavailable)
}

// TestDomainLost: a record that is missing is told of after three days, verifies
// nobody after fourteen, and all is well when it is back (security E6).
func TestDomainLost(t *testing.T) {
	onBothDomains(t, func(t *testing.T, w *domains) {
		ida := w.licensed(t, w.a, "ida")
		w.verified(t, "acme.example")
		name, value := w.named(t, "acme.example").Record()
		days := func(n int) {
			for range n {
				w.clock.Advance(24*time.Hour + time.Minute)
				w.work(t, w.a.Org)
			}
		}
		is := func(when string, state resources.DomainState, of string, alerts int) {
			t.Helper()
			dm := w.named(t, "acme.example")
			if got := len(w.alerts(t, w.admin, resources.AlertDomain)); dm.State != state || w.state(t, ida) != of || got != alerts {
				t.Errorf("%s: domain %s, user %s, %d alerts; want %s, %s, %d", when, dm.State, w.state(t, ida), got, state, of, alerts)
			}
		}
		days(2)
		is("while it is there", resources.DomainVerified, resources.StateVerified, 0)
		w.zone.publish(name)
		days(3)
		is("on the second day", resources.DomainVerified, resources.StateVerified, 0)
		days(1)
		is("after three days", resources.DomainVerified, resources.StateVerified, 1)
		a := w.alerts(t, w.admin, resources.AlertDomain)[0]
		if a.Count != 3 || !strings.Contains(a.Detail, value) {
			t.Errorf("alert %+v", a)
		}
		if _, err := w.CloseAlert(t.Context(), w.admin, a.ID, resources.AlertDismissed); err != nil {
			t.Fatal(err)
		}
		days(10)
		is("after thirteen days", resources.DomainVerified, resources.StateVerified, 0)
		days(1)
		is("after fourteen days", resources.DomainLost, resources.StateNotVerified, 1)
		days(1)
		w.zone.publish(name, value)
		days(1)
		is("when it is back", resources.DomainVerified, resources.StateVerified, 0)
		want := []string{"added", "verified", "lost", "verified"}
		for i := range want {
			want[i] = "domain." + want[i] + " acme.example"
		}
		if d := cmp.Diff(want, w.told(t)); d != "" {
			t.Error(d)
		}
		w.zone.publish(name)
		days(5)
		is("missing again", resources.DomainVerified, resources.StateVerified, 1)
		sure := w.admin
		sure.Confirmed = true
		if err := w.RemoveDomain(t.Context(), sure, "acme.example"); err != nil {
			t.Fatal(err)
		}
		if got := w.alerts(t, w.admin, resources.AlertDomain); len(got) != 0 {
			t.Errorf("alerts after the domain was removed: %+v", got)
		}
	})
}

// TestDomainLooks: a new domain is looked at every ten minutes for a day, hourly
// for seven more, and then no more; a verified one daily.
func TestDomainLooks(t *testing.T) {
	w := newDomains(t, "")
	long := strings.Repeat("a.", 60) + "acme.example" // too long for the name of an item
	for _, name := range []string{"acme.example", long} {
		dm := w.add(t, name)
		looks := func(over, step time.Duration) int {
			for end := w.clock.Now().Add(over); w.clock.Now().Before(end); w.clock.Advance(step) {
				w.work(t, w.a.Org)
			}
			return w.zone.looks() / 2
		}
		w.zone.looks()
		if n := looks(24*time.Hour, 5*time.Minute); n < 120 || n > 144 {
			t.Errorf("%d looks on the first day", n)
		}
		if n := looks(7*24*time.Hour, 30*time.Minute); n < 140 || n > 169 {
			t.Errorf("%d looks in the week after", n)
		}
		if n := looks(30*24*time.Hour, 12*time.Hour); n > 1 {
			t.Errorf("%d looks after that", n)
		}
		w.zone.publish(dm.Record())
		if _, err := w.CheckDomain(t.Context(), w.admin, name); err != nil { // who asks is answered, though
			t.Fatal(err)
		}
		w.zone.looks()
		if n := looks(10*24*time.Hour, 6*time.Hour); n < 1 || n > 20 {
			t.Errorf("%d looks in ten days once it is verified", n)
		}
		sure := w.admin
		sure.Confirmed = true
		if err := w.RemoveDomain(t.Context(), sure, name); err != nil {
			t.Fatal(err)
		}
		if looks(2*24*time.Hour, 6*time.Hour); w.zone.looks() > 0 {
			t.Error("looked for a domain that was removed")
		}
	}
}

// TestDomainFoundByItself: nobody has to press a button, and by the next look all
// users are verified.
func TestDomainFoundByItself(t *testing.T) {
	w := newDomains(t, "")
	ids := w.crowd(t, w.a, "u", 30)
	w.zone.publish(w.add(t, "acme.example").Record())
	w.work(t, w.a.Org)
	if w.named(t, "acme.example").State != resources.DomainPending {
		t.Error("looked at at once")
	}
	w.clock.Advance(10 * time.Minute)
	w.work(t, w.a.Org)
	for _, id := range ids {
		if s := w.state(t, id); s != resources.StateVerified {
			t.Errorf("%s is %s", id, s)
		}
	}
}

// TestDomainRights: who may look and who may change (BR-060), If-Match, and how
// many there can be.
func TestDomainRights(t *testing.T) {
	w := newDomains(t, "")
	ctx := t.Context()
	w.add(t, "acme.example")
	for _, scope := range []resources.Scope{resources.ScopeAdminUsers, resources.ScopeAdminLicences, resources.ScopeAdminPlaces, resources.ScopeAdminRead} {
		c := w.bundle.admin(t, "acme", scope)
		if list, err := w.Domains(ctx, c); err != nil || len(list) != 1 {
			t.Errorf("%s: %v, %v", scope, list, err)
		}
		_, err := w.AddDomain(ctx, c, "other.example")
		wantCode(t, err, resources.CodeForbidden)
		_, err = w.CheckDomain(ctx, c, "acme.example")
		wantCode(t, err, resources.CodeForbidden)
		wantCode(t, w.RemoveDomain(ctx, c, "acme.example"), resources.CodeForbidden)
	}
	_, err := w.Domains(ctx, w.a)
	wantCode(t, err, resources.CodeForbidden)
	c := w.admin
	c.Seen = func(stored any) error {
		if dm, ok := stored.(resources.Domain); !ok || dm.Name != "acme.example" {
			t.Errorf("seen %v", stored)
		}
		return &resources.Error{Code: resources.CodeVersion}
	}
	wantCode(t, w.RemoveDomain(ctx, c, "acme.example"), resources.CodeVersion)
	for i := range 99 {
		w.add(t, fmt.Sprintf("d%d.acme.example", i))
	}
	_, err = w.AddDomain(ctx, w.admin, "more.example")
	wantCode(t, err, resources.CodeTooMany)
	list, err := w.Domains(ctx, w.admin)
	if err != nil || len(list) != 100 || !slices.IsSortedFunc(list, func(a, b resources.Domain) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d domains, %v", len(list), err)
	}
}

// TestDomainChangedMeanwhile: what was found in DNS is of no use to a domain that
// was removed, or added anew with another token, while DNS was asked.
func TestDomainChangedMeanwhile(t *testing.T) {
	for _, again := range []bool{false, true} {
		for _, worker := range []bool{false, true} {
			w := newDomains(t, "")
			w.zone.publish(w.add(t, "acme.example").Record())
			w.zone.while = func() {
				if err := w.RemoveDomain(t.Context(), w.admin, "acme.example"); err != nil {
					t.Error(err)
				}
				if again {
					w.add(t, "acme.example")
				}
			}
			if worker {
				w.clock.Advance(10 * time.Minute)
				w.work(t, w.a.Org)
			} else {
				_, err := w.CheckDomain(t.Context(), w.admin, "acme.example")
				wantCode(t, err, resources.CodeNotFound)
			}
			list, err := w.Domains(t.Context(), w.admin)
			if err != nil || len(list) > 0 != again || again && list[0].State != resources.DomainPending {
				t.Errorf("again %v, worker %v: %+v, %v", again, worker, list, err)
			}
			w.zone.looks()
			w.clock.Advance(11 * time.Minute)
			if w.work(t, w.a.Org); w.zone.looks() > 0 != again {
				t.Errorf("again %v, worker %v: the next look is wrong", again, worker)
			}
		}
	}
}
