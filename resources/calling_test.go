package resources_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	paris1 = "+33142685301"
	paris2 = "+33142685302"
	paris3 = "+33142685303"
	lyon1  = "+33472000001"
)

// TestCallingWishes: what an identity provider asks for, and what comes of it
// (BR-190, BR-195, BR-198, BR-199, BR-065).
func TestCallingWishes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		p := newPhones(t, b, b.a)
		p.stock(p.paris, paris1, paris2, paris3)
		p.stock(p.lyon, lyon1)
		if _, err := p.AddNumbers(t.Context(), p.admin, "lyon", []string{"04 72 00 00 02"}, true); err != nil {
			t.Fatal(err)
		}
		p.user("first", `"location":"Paris","phoneNumber":"+33142685301","extension":"5301"`)
		tests := map[string]struct{ wishes, more, want string }{
			"number, location by name":   {`"location":"PARIS","phoneNumber":"+33142685302"`, ``, "assigned Paris " + paris2},
			"location by externalId":     {`"location":"P1","extension":"1234"`, ``, "assigned Paris 1234"},
			"location by id":             {`"location":"` + p.lyon.ID + `","extension":"1234"`, ``, "assigned Lyon 1234"},
			"location of the number":     {`"phoneNumber":"+33 4 72 00 00 01"`, ``, "assigned Lyon " + lyon1},
			"national form":              {`"location":"Paris","phoneNumber":"01 42 68 53 02"`, ``, "assigned Paris " + paris2},
			"nothing":                    {``, ``, "error location_required(location)"},
			"no location":                {`"extension":"1234"`, ``, "error location_required(location)"},
			"unknown location":           {`"location":"Nice","extension":"1234"`, ``, "error location_unknown(location)"},
			"neither":                    {`"location":"Paris"`, ``, "error number_or_extension_required(phoneNumber)"},
			"unknown number":             {`"location":"Paris","phoneNumber":"+33142680000"`, ``, "error number_unknown(phoneNumber)"},
			"unknown number, no place":   {`"phoneNumber":"+33142680000"`, ``, "error number_unknown(phoneNumber)"},
			"inactive number":            {`"location":"Lyon","phoneNumber":"+33472000002"`, ``, "error number_unknown(phoneNumber)"},
			"no number":                  {`"location":"Paris","phoneNumber":"reception"`, ``, "error number_unknown(phoneNumber)"},
			"number of another place":    {`"location":"Paris","phoneNumber":"+33472000001"`, ``, "error number_wrong_location(phoneNumber)"},
			"number of somebody":         {`"location":"Paris","phoneNumber":"+33142685301"`, ``, "error number_in_use(phoneNumber)"},
			"extension of somebody":      {`"location":"Paris","extension":"5301"`, ``, "error extension_in_use(extension)"},
			"the same elsewhere":         {`"location":"Lyon","extension":"5301"`, ``, "assigned Lyon 5301"},
			"emergency code":             {`"location":"Paris","extension":"112"`, ``, "error extension_invalid(extension)"},
			"no extension":               {`"location":"Paris","extension":"12a"`, ``, "error extension_invalid(extension)"},
			"one of two":                 {`"location":"Paris","phoneNumber":"+33142685301","extension":"77"`, ``, "error Paris 77 number_in_use(phoneNumber)"},
			"a long name":                {`"location":"Paris","extension":"78"`, `,"name":{"givenName":"Maximiliana-Charlotte-Augustine"}`, "assigned Paris 78 calling_name_invalid(name.givenName)"},
			"a name with a sign":         {`"location":"Paris","extension":"79"`, `,"displayName":"50 % off"`, "assigned Paris 79 calling_name_invalid(displayName)"},
			"work phone, not the custom": {``, `,"phoneNumbers":[{"value":"+33142685302","type":"work"}]`, "error location_required(location)"},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				p := *p
				p.t = t
				rec := p.user("u", tt.wishes, `"active":true`+tt.more)
				p.want(rec.ID, tt.want)
				if err := p.DeleteUser(t.Context(), p.idp, rec.ID, nil); err != nil {
					t.Fatal(err)
				}
			})
		}
		p.settings(func(s *resources.Settings) { s.PhoneNumbersAsWish = true })
		work := `"phoneNumbers":[{"value":"+33142685399","type":"home"},{"value":"+33142685302","type":"work"}]`
		p.want(p.user("w", "", work).ID, "assigned Paris "+paris2)
		p.want(p.user("v", "", work).ID, "error number_in_use(phoneNumber)")
		p.want(p.user("x", `"location":"Lyon","extension":"42"`, work).ID, "assigned Lyon 42")
		p.work()
		audit(t, b)
	})
}

// TestCallingStrict: on strict connections what cannot be refuses, and nothing is
// left behind (BR-198, domain.md §4.13).
func TestCallingStrict(t *testing.T) {
	b := newBundle(t, "")
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	p.user("first", `"location":"Paris","phoneNumber":"+33142685301","extension":"5301"`)
	p.idp.Strict = true
	for wishes, code := range map[string]resources.Code{
		``:                                   resources.CodeLocationRequired,
		`"location":"Nice"`:                  resources.CodeLocationUnknown,
		`"location":"Paris"`:                 resources.CodeNumberOrExtension,
		`"phoneNumber":"+33142680000"`:       resources.CodeNumberUnknown,
		`"phoneNumber":"+33142685301"`:       resources.CodeNumberInUse,
		`"location":"P1","extension":"5301"`: resources.CodeExtensionInUse,
		`"location":"Paris","extension":"1"`: resources.CodeExtensionInvalid,
		`"location":"Lyon","phoneNumber":"` + paris1 + `"`: resources.CodeNumberPlace,
	} {
		_, err := p.CreateUser(t.Context(), p.idp, p.document("u", wishes))
		wantCode(t, err, code)
	}
	_, err := p.CreateUser(t.Context(), p.idp, p.document("u", `"location":"Paris","extension":"12"`, `"displayName":"a/b"`))
	wantCode(t, err, resources.CodeNameInvalid)
	audit(t, b)
}

// TestNumberFrees: deleting a user, changing away and losing calling free number,
// extension and place at once, and who waits gets them without anybody's doing
// (BR-200, domain.md §3.7).
func TestNumberFrees(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		p.stock(p.paris, paris1, paris2)
		one := p.user("one", `"location":"Paris","phoneNumber":"+33142685301","extension":"11"`).ID
		two := p.user("two", `"location":"Paris","phoneNumber":"+33142685301","extension":"11"`).ID
		b.clock.Advance(time.Second)
		three := p.user("three", `"location":"Paris","phoneNumber":"+33142685301","extension":"11"`).ID
		p.want(two, "error number_in_use(phoneNumber) extension_in_use(extension)")
		if n := p.number(paris1); n.State != resources.NumberAssigned || n.Assignee != one {
			t.Errorf("%+v", n)
		}
		if err := p.DeleteUser(ctx, p.idp, one, nil); err != nil {
			t.Fatal(err)
		}
		if n := p.number(paris1); n.State != resources.NumberAvailable || n.Assignee != "" {
			t.Errorf("freed: %+v", n)
		}
		p.work()
		p.want(two, "assigned Paris "+paris1+" 11")
		p.want(three, "error number_in_use(phoneNumber) extension_in_use(extension)")
		p.wish(two, `"location":"Paris","phoneNumber":"+33142685302","extension":"12"`)
		p.want(two, "assigned Paris "+paris2+" 12")
		p.work()
		p.want(three, "assigned Paris "+paris1+" 11")
		// They exchange numbers.
		p.wish(three, `"location":"Paris","phoneNumber":"+33142685302"`)
		p.want(three, "error number_in_use(phoneNumber)")
		p.wish(two, `"location":"Paris","phoneNumber":"+33142685301","extension":"12"`)
		p.work()
		p.want(two, "assigned Paris "+paris1+" 12")
		p.want(three, "assigned Paris "+paris2)
		// The product goes.
		_, _, err := p.UpdateUser(ctx, p.idp, two, set(resources.LicenceUserURN, parse(t, `{"licenses":[]}`)))
		if err != nil {
			t.Fatal(err)
		}
		p.want(two, "")
		if n := p.number(paris1); n.State != resources.NumberAvailable {
			t.Errorf("after the product: %+v", n)
		}
		p.work()
		audit(t, b)
	})
}

// TestWaitsForInventory: who asks for a number, or a location, that is not there
// gets it when it comes (BR-198).
func TestWaitsForInventory(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	number := p.user("number", `"phoneNumber":"+33142685301"`).ID
	wrong := p.user("wrong", `"location":"Lyon","phoneNumber":"+33142685302"`).ID
	nice := p.user("nice", `"location":"Nice","extension":"10"`).ID
	p.stock(p.paris, paris1, paris2)
	p.work()
	p.want(number, "assigned Paris "+paris1)
	p.want(wrong, "error number_wrong_location(phoneNumber)")
	n := p.number(paris2)
	if _, err := p.MoveNumber(ctx, p.admin, n.ID, "Lyon"); err != nil {
		t.Fatal(err)
	}
	l := p.location(resources.Location{Name: "Nice", Country: "FR"})
	p.work()
	p.want(wrong, "assigned Lyon "+paris2)
	p.want(nice, "assigned Nice 10")
	l.Name = "Nizza"
	p.location(l)
	p.work()
	p.want(nice, "error location_unknown(location)")
	audit(t, b)
}

// TestQuarantine: a number rests after its release as long as the organization
// says, and is given to who waits afterwards (BR-200).
func TestQuarantine(t *testing.T) {
	b := newBundle(t, "")
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	p.settings(func(s *resources.Settings) { s.QuarantineHours = 2 })
	one := p.user("one", `"location":"Paris","phoneNumber":"+33142685301"`).ID
	two := p.user("two", `"location":"Paris","phoneNumber":"+33142685301"`).ID
	if err := p.DeleteUser(t.Context(), p.idp, one, nil); err != nil {
		t.Fatal(err)
	}
	p.work()
	p.want(two, "error number_in_use(phoneNumber)")
	if n := p.number(paris1); n.State != resources.NumberReserved || n.Holder != "" {
		t.Errorf("resting: %+v", n)
	}
	p.clock.Advance(2 * time.Hour)
	if n := p.number(paris1); n.State != resources.NumberAvailable || !n.Until.IsZero() {
		t.Errorf("rested: %+v", n)
	}
	p.work()
	p.want(two, "assigned Paris "+paris1)
	audit(t, b)
}

// TestWhoWaitsKnowsWhy: whatever happens to a number before anybody looks who waits
// for it, the issue tells what keeps it from being had now (BR-196, BR-198).
func TestWhoWaitsKnowsWhy(t *testing.T) {
	for name, x := range map[string]struct {
		happens func(ctx context.Context, p *phones) error
		want    string
	}{
		"added and held": {func(ctx context.Context, p *phones) error {
			p.stock(p.paris, paris1)
			_, err := p.HoldNumber(ctx, p.admin, paris1, "somebody")
			return err
		}, "number_in_use is held for somebody else"},
		"added and assigned": {func(_ context.Context, p *phones) error {
			p.stock(p.paris, paris1)
			p.want(p.user("first", `"location":"Paris","phoneNumber":"+33142685301"`).ID, "assigned Paris "+paris1)
			return nil
		}, "number_in_use is assigned to somebody else"},
		"added and not active": {func(ctx context.Context, p *phones) error {
			_, err := p.AddNumbers(ctx, p.admin, "Paris", []string{paris1}, true)
			return err
		}, "number_unknown is not active yet"},
		"moved while it rests": {func(ctx context.Context, p *phones) error {
			p.settings(func(s *resources.Settings) { s.QuarantineHours = 1 })
			p.stock(p.lyon, paris1)
			id := p.user("last", `"location":"Lyon","phoneNumber":"+33142685301"`).ID
			p.workOn(p.idp.Org)
			if err := p.DeleteUser(ctx, p.idp, id, nil); err != nil {
				return err
			}
			p.workOn(p.idp.Org)
			_, err := p.MoveNumber(ctx, p.admin, paris1, "Paris")
			return err
		}, "number_in_use was given up lately"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, b *bundle) {
				p := newPhones(t, b, b.a)
				waiting := p.user("waiting", `"location":"Paris","phoneNumber":"+33142685301"`).ID
				p.workOn(p.idp.Org)
				p.want(waiting, "error number_unknown(phoneNumber)")
				if err := x.happens(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				p.workOn(p.idp.Org)
				code, detail, _ := strings.Cut(x.want, " ")
				if issues := b.standing(t, p.idp, waiting).Issues; !slices.ContainsFunc(issues, func(i resources.Issue) bool {
					return string(i.Code) == code && strings.Contains(i.Detail, detail)
				}) {
					t.Errorf("want %s, have %+v", x.want, issues)
				}
				audit(t, b)
			})
		})
	}
}
