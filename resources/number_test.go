package resources_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// TestInventory: the life of a number without a user (domain.md §3.8, BR-191,
// BR-192, BR-201).
func TestInventory(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		rows, err := p.AddNumbers(ctx, p.admin, "P1", []string{"01 42 68 53 01", "+33142685302", "+33142685301", "x", "+442071838750"}, false)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprint(r.Line, " ", r.E164, " ", r.Type, " ", r.Region, " ", r.Code))
		}
		want := []string{"1 +33142685301 fixed FR ", "2 +33142685302 fixed FR ", "3 +33142685301 fixed FR number_in_use", "4    invalid_value", "5 +442071838750 fixed GB "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if rows, err := p.AddNumbers(ctx, p.admin, "Lyon", []string{"+33142685303", "+33142685301"}, true); err != nil || rows[0].Code != "" || rows[1].Code != resources.CodeNumberInUse {
			t.Errorf("%+v, %v", rows, err)
		}
		list := func(q resources.NumberQuery) string {
			t.Helper()
			var out []string
			for {
				page, next, available, err := p.Numbers(ctx, p.admin, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range page {
					out = append(out, strings.TrimPrefix(n.E164, "+"))
				}
				if q.After = next; next == "" {
					return fmt.Sprint(strings.Join(out, " "), " of ", available)
				}
			}
		}
		for _, tt := range []struct {
			q    resources.NumberQuery
			want string
		}{
			{resources.NumberQuery{Limit: 1}, "33142685301 33142685302 33142685303 442071838750 of 3"},
			{resources.NumberQuery{Location: p.paris.ID}, "33142685301 33142685302 442071838750 of 3"},
			{resources.NumberQuery{Location: "Lyon"}, "33142685303 of 0"},
			{resources.NumberQuery{State: resources.NumberInactive}, "33142685303 of 3"},
			{resources.NumberQuery{State: resources.NumberAvailable, Location: "paris", Limit: 2}, "33142685301 33142685302 442071838750 of 3"},
			{resources.NumberQuery{Search: "01 42 68 53"}, "33142685301 33142685302 33142685303 of 3"},
			{resources.NumberQuery{Search: "8750", Location: "Paris"}, "442071838750 of 3"},
			{resources.NumberQuery{State: resources.NumberAssigned}, " of 3"},
		} {
			if got := list(tt.q); got != tt.want {
				t.Errorf("%+v: %q, want %q", tt.q, got, tt.want)
			}
		}
		_, _, _, err = p.Numbers(ctx, p.admin, resources.NumberQuery{State: "lost"})
		wantCode(t, err, resources.CodeInvalidValue)
		_, _, _, err = p.Numbers(ctx, p.admin, resources.NumberQuery{Location: "Nice"})
		wantCode(t, err, resources.CodeLocationUnknown)

		n, err := p.ActivateNumber(ctx, p.admin, paris3)
		if err != nil || n.State != resources.NumberAvailable {
			t.Errorf("activated: %+v, %v", n, err)
		}
		if n, err = p.MoveNumber(ctx, p.admin, n.ID, "Paris"); err != nil || n.Location != p.paris.ID {
			t.Errorf("moved: %+v, %v", n, err)
		}
		wantCode(t, p.DeleteLocation(ctx, p.admin, p.paris.ID), resources.CodeLocationNotEmpty)
		if err := p.DeleteLocation(ctx, p.admin, p.lyon.ID); err != nil {
			t.Errorf("delete an empty location: %v", err)
		}
		for _, e := range []string{paris1, paris2, paris3, "+442071838750"} {
			if err := p.DeleteNumber(ctx, p.admin, e); err != nil {
				t.Error(err)
			}
		}
		wantCode(t, p.DeleteNumber(ctx, p.admin, paris1), resources.CodeNotFound)
		if err := p.DeleteLocation(ctx, p.admin, p.paris.ID); err != nil {
			t.Errorf("delete a location that was emptied: %v", err)
		}
		audit(t, b)
	})
}

// TestHold: a held number is for its holder until a quarter of an hour has passed
// (BR-196).
func TestHold(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1, paris2)
	hold := func(e164, holder string) error {
		_, err := p.HoldNumber(ctx, p.admin, e164, holder)
		return err
	}
	if err := hold(paris1, "Anna@acme.test"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, hold(paris1, "bert@acme.test"), resources.CodeNumberInUse)
	if err := hold(paris1, "anna@acme.test"); err != nil {
		t.Errorf("held again by the same: %v", err)
	}
	bert := p.user("bert@acme.test", `"phoneNumber":"+33142685301"`).ID
	p.want(bert, "error number_in_use(phoneNumber)")
	_, err := p.MoveNumber(ctx, p.admin, paris1, "Lyon")
	wantCode(t, err, resources.CodeNumberInUse)
	if _, _, available, err := p.Numbers(ctx, p.admin, resources.NumberQuery{}); err != nil || available != 1 {
		t.Errorf("%d available, %v", available, err)
	}
	anna := p.user("anna@acme.test", `"phoneNumber":"+33142685301"`).ID
	p.want(anna, "assigned Paris "+paris1)
	wantCode(t, hold(paris1, ""), resources.CodeNumberInUse)
	_, err = p.ReleaseNumber(ctx, p.admin, paris1)
	wantCode(t, err, resources.CodeNumberInUse)

	// A hold that is over.
	if err := hold(paris2, "nobody"); err != nil {
		t.Fatal(err)
	}
	carl := p.user("carl", `"phoneNumber":"+33142685302"`).ID
	p.want(carl, "error number_in_use(phoneNumber)")
	b.clock.Advance(14 * time.Minute)
	p.work()
	p.want(carl, "error number_in_use(phoneNumber)")
	b.clock.Advance(2 * time.Minute)
	if n := p.number(paris2); n.State != resources.NumberAvailable || n.Holder != "" {
		t.Errorf("after the hold: %+v", n)
	}
	list, _, available, err := p.Numbers(ctx, p.admin, resources.NumberQuery{State: resources.NumberAvailable})
	if err != nil || available != 1 || len(list) != 1 {
		t.Errorf("%d listed, %d available, %v", len(list), available, err)
	}
	p.work()
	p.want(carl, "assigned Paris "+paris2)
	audit(t, b)
}

// TestHeldByAdministrator: what an administrator holds without a name is for
// whom that administrator gives it to.
func TestHeldByAdministrator(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	if _, err := p.HoldNumber(ctx, p.admin, paris1, ""); err != nil {
		t.Fatal(err)
	}
	other := p.user("other", `"location":"Paris","phoneNumber":"+33142685301"`).ID
	p.want(other, "error number_in_use(phoneNumber)")
	id := p.user("mine", `"location":"Paris","extension":"10"`).ID
	number := paris1
	if _, err := p.ChangeCalling(ctx, p.admin, id, resources.CallingChange{Number: &number}, nil); err != nil {
		t.Fatal(err)
	}
	p.want(id, "assigned Paris "+paris1+" 10")
	audit(t, b)
}

// TestOtherOrganization: a number is in one inventory only, and nobody is told in
// whose; given up it can be had (BR-198, domain.md §2).
func TestOtherOrganization(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p, q := newPhones(t, b, b.a), newPhones(t, b, b.b)
		p.stock(p.paris, paris1)
		rows, err := q.AddNumbers(ctx, q.admin, "Paris", []string{paris1, paris2}, false)
		if err != nil || rows[0].Code != resources.CodeNumberInUse || rows[1].Code != "" || strings.Contains(rows[0].Detail, "acme") {
			t.Errorf("%+v, %v", rows, err)
		}
		q.want(q.user("u", `"location":"Paris","phoneNumber":"+33142685301"`).ID, "error number_unknown(phoneNumber)")
		if err := p.DeleteNumber(ctx, p.admin, paris1); err != nil {
			t.Fatal(err)
		}
		q.stock(q.paris, paris1)
		rows, err = p.AddNumbers(ctx, p.admin, "Paris", []string{paris1}, false)
		if err != nil || rows[0].Code != resources.CodeNumberInUse {
			t.Errorf("%+v, %v", rows, err)
		}
		p.work()
		audit(t, b)
	})
}

// TestImport: a list of numbers becomes an inventory by a job; what is wrong
// stands in its errors, and a dry run stores nothing (BR-264).
func TestImport(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		p.stock(p.paris, paris1)
		p.stock(p.lyon, lyon1)
		var list strings.Builder
		list.WriteString("location;number;state\nParis;01 42 68 53 01;\nParis;+33472000001;\nNice;+33142685309;\n;+33142685309;\nParis;12;\nLyon;+33472000002;off\nLyon;+33472000003;Inactive\n")
		const more = 1200
		for i := range more {
			fmt.Fprintf(&list, "Lyon;+334720%05d;\n", 10000+i)
		}
		run := func(dry bool) (*resources.Job, resources.Imported) {
			t.Helper()
			j, err := p.ImportNumbers(ctx, p.admin, strings.NewReader(list.String()), dry)
			if err != nil {
				t.Fatal(err)
			}
			p.work()
			if j, err = p.Job(ctx, p.admin, j.ID); err != nil {
				t.Fatal(err)
			}
			var res resources.Imported
			if err := json.Unmarshal(j.Result, &res); err != nil {
				t.Fatal(err)
			}
			return j, res
		}
		want := resources.Imported{Dry: true, Added: more + 1, There: 1, Refused: 5}
		j, res := run(true)
		if diff := cmp.Diff(want, res); diff != "" || j.State != resources.JobDone || j.Done != more+7 || j.Total != more+7 || j.Failed != 5 {
			t.Errorf("dry run: %+v: %s", j, diff)
		}
		if _, _, available, _ := p.Numbers(ctx, p.admin, resources.NumberQuery{}); available != 2 {
			t.Errorf("after the dry run %d numbers are available", available)
		}
		want.Dry = false
		if _, res = run(false); res != want {
			t.Errorf("imported %+v, want %+v", res, want)
		}
		if _, _, available, _ := p.Numbers(ctx, p.admin, resources.NumberQuery{}); available != 2+more {
			t.Errorf("after the import %d numbers are available", available)
		}
		if n := p.number("+33472000003"); n.State != resources.NumberInactive {
			t.Errorf("%+v", n)
		}
		want.Added, want.There = 0, more+2
		if j, res = run(false); res != want {
			t.Errorf("imported again: %+v, want %+v", res, want)
		}
		var codes []string
		err := p.JobErrors(ctx, p.admin, j.ID, func(e resources.JobError) error {
			codes = append(codes, e.Item+" "+string(e.Code))
			return nil
		})
		if diff := cmp.Diff([]string{"line 3 number_in_use", "line 4 location_unknown", "line 5 location_required", "line 6 invalid_value", "line 7 invalid_value"}, codes); diff != "" || err != nil {
			t.Errorf("errors: %s, %v", diff, err)
		}
		audit(t, b)
	})
}
