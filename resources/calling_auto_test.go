package resources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestCallingAuto: who asks for nothing gets the next free number of the default
// location and the extension that goes with it; when none is left a temporary
// extension, and later the number that comes free (BR-190, BR-193, BR-194).
func TestCallingAuto(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		p.stock(p.paris, paris1, paris2)
		p.settings(func(s *resources.Settings) {
			s.AutoNumber, s.AutoExtension, s.DefaultLocation, s.ExtensionLength = true, true, p.paris.ID, 3
		})
		one := p.user("one", "").ID
		p.want(one, "assigned Paris "+paris1+" 301")
		two := p.user("two", "").ID
		p.want(two, "assigned Paris "+paris2+" 302")
		b.clock.Advance(time.Second)
		three := p.user("three", "").ID
		p.want(three, "assigned Paris 001 temporary")
		b.clock.Advance(time.Second)
		four := p.user("four", `"extension":"303"`).ID
		p.want(four, "assigned Paris 303")
		if _, _, available, err := p.Numbers(ctx, p.admin, resources.NumberQuery{Location: "Paris"}); err != nil || available != 0 {
			t.Errorf("%d available, %v", available, err)
		}
		p.work()
		if err := p.DeleteUser(ctx, p.idp, one, nil); err != nil {
			t.Fatal(err)
		}
		p.work()
		p.want(three, "assigned Paris "+paris1+" 001") // the extension stays, it is not temporary any more
		p.stock(p.paris, paris3)
		p.work()
		p.want(four, "assigned Paris "+paris3+" 303")
		five := p.user("five", `"location":"Lyon"`).ID
		p.want(five, "assigned Lyon 001 temporary")
		p.wish(three, `"location":"Lyon"`)
		p.want(three, "assigned Lyon 002 temporary")
		if n := p.number(paris1); n.State != resources.NumberAvailable {
			t.Errorf("after moving away: %+v", n)
		}
		p.work()
		audit(t, b)
	})
}

// TestExtensionConflict: when the recommended extension is taken the next free one
// is given; service codes are left out (BR-194, BR-195).
func TestExtensionConflict(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	p.stock(p.paris, "+33142683211", "+33142690911", "+33142690910")
	p.user("one", `"location":"Paris","extension":"3211"`)
	p.user("two", `"location":"Paris","extension":"3212"`)
	for _, tt := range []struct {
		location, number string
		want             resources.Suggestion
		code             resources.Code
	}{
		{"Paris", "+33 1 42 68 32 11", resources.Suggestion{Extension: "3213", Taken: "3211"}, ""},
		{"", "+33142683211", resources.Suggestion{Extension: "3213", Taken: "3211"}, ""},
		{"Lyon", "+33634333211", resources.Suggestion{Extension: "3211"}, ""},
		{"Lyon", "", resources.Suggestion{Extension: "0000"}, ""},
		{"", "", resources.Suggestion{}, resources.CodeLocationRequired},
		{"Nice", "", resources.Suggestion{}, resources.CodeLocationUnknown},
		{"Lyon", "nobody", resources.Suggestion{}, resources.CodeNumberUnknown},
	} {
		got, err := p.SuggestExtension(ctx, p.admin, tt.location, tt.number)
		if got.Holder = ""; got != tt.want || (err != nil) != (tt.code != "") || err != nil && !resources.HasCode(err, tt.code) {
			t.Errorf("%+v: %+v, %v", tt, got, err)
		}
	}
	three := p.location(resources.Location{Name: "Three", ExtensionLength: 3, Country: "FR"})
	p.settings(func(s *resources.Settings) { s.AutoExtension = true })
	p.want(p.user("three", `"location":"Paris","phoneNumber":"+33142683211"`).ID, "assigned Paris +33142683211 3213")
	for _, move := range []string{"+33142690911", "+33142690910"} {
		if _, err := p.MoveNumber(ctx, p.admin, move, three.ID); err != nil {
			t.Fatal(err)
		}
	}
	p.want(p.user("four", `"phoneNumber":"+33142690910"`).ID, "assigned Three +33142690910 910")
	p.want(p.user("five", `"phoneNumber":"+33142690911"`).ID, "assigned Three +33142690911 912")
	audit(t, b)
}

// TestExtensionsRunOut: when every extension is taken the user is told, and gets
// the first that comes free.
func TestExtensionsRunOut(t *testing.T) {
	b := newBundle(t, "")
	p := newPhones(t, b, b.a)
	two := p.location(resources.Location{Name: "Two", ExtensionLength: 2})
	p.settings(func(s *resources.Settings) { s.AutoExtension, s.DefaultLocation = true, two.ID })
	seen := make(map[string]bool)
	first := ""
	for i := range 97 { // a hundred without 15, 17 and 18
		b.clock.Advance(time.Second)
		id := p.user(fmt.Sprint("u", i), "").ID
		if i == 0 {
			first = id
		}
		words := p.says(id)
		if seen[words] {
			t.Fatalf("%q twice", words)
		}
		seen[words] = true
	}
	if !seen["assigned Two 00 temporary"] || !seen["assigned Two 99 temporary"] || seen["assigned Two 17 temporary"] {
		t.Errorf("given: %v", seen)
	}
	last := p.user("last", "").ID
	p.want(last, "error extension_in_use(extension)")
	p.work()
	p.want(last, "error extension_in_use(extension)")
	if err := p.DeleteUser(t.Context(), p.idp, first, nil); err != nil {
		t.Fatal(err)
	}
	p.work()
	p.want(last, "assigned Two 00 temporary")
	audit(t, b)
}
