package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// standing reads what was decided about a user.
func (b *bundle) standing(t *testing.T, c resources.Caller, id string) resources.Standing {
	t.Helper()
	rec, err := b.store.Get(t.Context(), c.Org, resources.KindUser, id)
	if err != nil || rec == nil {
		t.Fatalf("get %s: %v, %v", id, rec, err)
	}
	return resources.StandingOf(rec)
}

// shows gives a user's licences in words: "host=assigned, suite=no_seats_available".
func (b *bundle) shows(t *testing.T, c resources.Caller, id string) string {
	t.Helper()
	s := b.standing(t, c, id)
	var out []string
	for _, a := range s.Licences {
		state := string(a.Status)
		if a.Status == resources.Failed {
			state = string(a.Issue)
		}
		out = append(out, a.SKU+"="+state)
	}
	return strings.Join(out, ", ")
}

func (b *bundle) wantShows(t *testing.T, c resources.Caller, id, want string) {
	t.Helper()
	if got := b.shows(t, c, id); got != want {
		t.Errorf("licences %q, want %q", got, want)
	}
}

// asking is a user's document that asks for licences.
func asking(t *testing.T, name, block string) jsontree.Value {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"emails":[{"value":"%s@acme.example"}],%q:%s}`, name, name, resources.LicenceUserURN, block))
}

// TestNobodyOvertakes: a seat that frees goes to who waits, not to who comes just
// then (BR-164).
func TestNobodyOvertakes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		b.subscribe(t, b.operated(t, "acme"), resources.Subscription{SKU: "host", Units: 1})
		first, second := b.licensed(t, b.a, "first", "host"), b.licensed(t, b.a, "second", "host")
		if err := b.DeleteUser(t.Context(), b.a, first, nil); err != nil {
			t.Fatal(err)
		}
		third := b.licensed(t, b.a, "third", "host")
		b.wantShows(t, b.a, third, "host=no_seats_available")
		b.work(t, b.a.Org)
		b.wantShows(t, b.a, second, "host=assigned")
		b.wantShows(t, b.a, third, "host=no_seats_available")
		audit(t, b)
	})
}

// TestStrictSeats: strict connections and administrators are refused what others
// get as an issue, and nothing is stored (domain.md §4.13).
func TestStrictSeats(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 1})
		if _, err := b.PutProduct(ctx, b.operator, resources.Product{SKU: "desk", Paid: true, Package: true}); err != nil {
			t.Fatal(err)
		}
		for _, sku := range []string{"suite", "meetings", "desk", "webinars"} {
			b.subscribe(t, op, resources.Subscription{SKU: sku, Units: 1})
		}
		holder := b.licensed(t, b.a, "holder", "host")
		strict := b.a
		strict.Strict = true
		for name, tt := range map[string]struct {
			c     resources.Caller
			block string
			code  resources.Code // "": an issue
			field string
		}{
			"no seat":                    {strict, `{"licenses":["host"]}`, resources.CodeNoSeats, "licenses"},
			"no conflict":                {strict, `{"licenses":["meetings"],"package":"meetings"}`, "", ""},
			"conflict":                   {strict, `{"licenses":["meetings","desk"]}`, resources.CodeLicenceConflict, "licenses"},
			"prerequisite":               {strict, `{"licenses":["webinars"]}`, resources.CodePrerequisite, "licenses"},
			"not subscribed":             {strict, `{"licenses":["voice"]}`, "", ""},
			"unknown":                    {b.a, `{"licenses":["nothing"]}`, resources.CodeSKUUnknown, "licenses"},
			"unknown package":            {b.a, `{"package":"host"}`, resources.CodeSKUUnknown, "package"},
			"administrator, no seat":     {op, `{"licenses":["host"]}`, resources.CodeNoSeats, "licenses"},
			"administrator, no contract": {op, `{"licenses":["voice"]}`, resources.CodeNotSubscribed, "licenses"},
			"administrator, package":     {op, `{"package":"calling"}`, resources.CodeNotSubscribed, "package"},
		} {
			t.Run(name, func(t *testing.T) {
				c := tt.c
				if c.Origin != "" { // the operator writes users as an administrator does
					c.Scopes = []resources.Scope{resources.ScopeAdmin}
				}
				user := strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", "")
				rec, err := b.CreateUser(ctx, c, asking(t, user, tt.block))
				if tt.code == "" {
					if err != nil {
						t.Fatalf("refused: %v", err)
					}
					if err := b.DeleteUser(ctx, b.a, rec.ID, nil); err != nil {
						t.Fatal(err)
					}
					return
				}
				fails(t, err, tt.code, resources.LicenceUserURN+":"+tt.field)
				if rec != nil {
					t.Error("something was stored")
				}
			})
		}
		_, _, err := b.UpdateUser(ctx, strict, b.licensed(t, b.a, "late"), set(resources.LicenceUserURN, parse(t, `{"licenses":["host"]}`)))
		fails(t, err, resources.CodeNoSeats, "")
		waits := b.licensed(t, b.a, "waits", "host")
		if _, _, err := b.UpdateUser(ctx, strict, waits, set("title", jsontree.Str("t"))); err != nil {
			t.Errorf("refused for what was asked for before: %v", err)
		}
		b.wantShows(t, b.a, holder, "host=assigned")
		audit(t, b)
	})
}

// TestInactiveSeats: who is created inactive has no seat until active; who is
// deactivated keeps it, or gives it back if the organization says so (BR-150,
// BR-242, domain.md §3.1).
func TestInactiveSeats(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 5})
		admin := op
		admin.Scopes = []resources.Scope{resources.ScopeAdmin}
		active := func(id string, on bool) {
			t.Helper()
			if _, _, err := b.UpdateUser(ctx, b.a, id, set("active", jsontree.Bool(on))); err != nil {
				t.Fatal(err)
			}
		}
		doc := asking(t, "born", `{"licenses":["host"]}`)
		doc.Set("active", jsontree.Bool(false))
		rec, err := b.CreateUser(ctx, admin, doc)
		if err != nil {
			t.Fatal(err)
		}
		b.wantShows(t, b.a, rec.ID, "")
		active(rec.ID, true)
		b.wantShows(t, b.a, rec.ID, "host=assigned")
		if got := b.sources(t, b.a, rec.ID, "host"); !slices.Equal(got, []string{"direct"}) {
			t.Errorf("sources %v: what an administrator gave is direct", got)
		}
		active(rec.ID, false)
		b.wantShows(t, b.a, rec.ID, "host=assigned")
		if _, _, err := b.ChangeSettings(ctx, op, func(s *resources.Settings, _ uint64) error {
			s.ReleaseSeatsOnInactive = true
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		b.wantShows(t, b.a, rec.ID, "")
		active(rec.ID, true)
		b.wantShows(t, b.a, rec.ID, "host=assigned")
		audit(t, b)
	})
}

// TestGroupSeats: group templates give, union and take; the organization's
// template stands back meanwhile; who is deleted with the group is forgotten
// (BR-160 … BR-163).
func TestGroupSeats(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		for _, sku := range []string{"host", "meetings", "webinars"} {
			b.subscribe(t, op, resources.Subscription{SKU: sku, Units: 5})
		}
		one, two := b.group(t, b.a, "one"), b.group(t, b.a, "two")
		for _, tpl := range []resources.Template{
			{Type: resources.TemplateOrg, SKUs: []string{"meetings"}},
			{Type: resources.TemplateGroup, SKUs: []string{"host"}, Groups: []string{one}},
			{Type: resources.TemplateGroup, SKUs: []string{"host", "webinars"}, Groups: []string{two}},
		} {
			if _, _, err := b.PutTemplate(ctx, op, tpl); err != nil {
				t.Fatal(err)
			}
		}
		automatic, named := b.licensed(t, b.a, "automatic"), b.licensed(t, b.a, "named", "basic")
		b.wantShows(t, b.a, automatic, "meetings=assigned")
		b.wantShows(t, b.a, named, "basic=assigned")
		edit := func(group string, e resources.MemberEdit) {
			t.Helper()
			if _, err := b.EditMembers(ctx, b.a, group, e); err != nil {
				t.Fatal(err)
			}
			b.work(t, b.a.Org)
		}
		edit(one, resources.MemberEdit{Add: []string{automatic, named}})
		b.wantShows(t, b.a, automatic, "host=assigned")
		b.wantShows(t, b.a, named, "basic=assigned, host=assigned")
		edit(two, resources.MemberEdit{Add: []string{automatic}})
		b.wantShows(t, b.a, automatic, "host=assigned, webinars=assigned")
		if s := b.standing(t, b.a, automatic); len(s.Licences[0].Sources) != 2 {
			t.Errorf("sources %+v, want two groups and one seat", s.Licences[0].Sources)
		}
		if err := b.DeleteGroup(ctx, b.a, one, nil); err != nil {
			t.Fatal(err)
		}
		b.clean(t)
		b.work(t, b.a.Org)
		b.wantShows(t, b.a, automatic, "host=assigned, webinars=assigned")
		b.wantShows(t, b.a, named, "basic=assigned")
		edit(two, resources.MemberEdit{Replace: true})
		b.wantShows(t, b.a, automatic, "meetings=assigned")
		why, err := b.Licensing(ctx, op, named)
		if err != nil || len(why.Refused) != 1 || why.Refused[0].SKU != "meetings" || why.Origin != resources.OriginExplicit {
			t.Errorf("licensing %+v, %v", why, err)
		}
		if _, err := b.ReturnToAutomatic(ctx, op, named); err != nil {
			t.Fatal(err)
		}
		b.wantShows(t, b.a, named, "basic=assigned, meetings=assigned")
		audit(t, b)
	})
}

// TestChangeLicences: an administrator grants and takes directly; what cannot be
// granted refuses the whole change; who came without gets licences later (BR-151 …
// BR-154, BR-166, BR-176, domain.md §5.8).
func TestChangeLicences(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		if _, err := b.PutProduct(ctx, b.operator, resources.Product{SKU: "desk", Paid: true, Package: true}); err != nil {
			t.Fatal(err)
		}
		subs := map[string]string{}
		for _, sku := range []string{"host", "desk", "webinars", "meetings"} {
			subs[sku] = b.subscribe(t, op, resources.Subscription{SKU: sku, Units: 1}).ID
		}
		other := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 1, Ends: b.clock.Now().Add(time.Hour)}).ID
		id := b.licensed(t, b.a, "u", "host")
		change := func(ch resources.LicenceChange) error {
			_, err := b.ChangeLicences(ctx, op, id, ch, nil)
			return err
		}
		desk, none, meetings := "DESK", "", "meetings"
		steps := []struct {
			name   string
			change resources.LicenceChange
			code   resources.Code
			field  string
			shows  string
		}{
			{"grant beside the provider's", resources.LicenceChange{Add: []string{"HOST", "webinars"}}, "", "", "host=assigned, webinars=assigned"},
			{"package", resources.LicenceChange{Package: &desk}, "", "", "desk=assigned, host=assigned, webinars=assigned"},
			{"two packages", resources.LicenceChange{Add: []string{"meetings"}}, resources.CodeLicenceConflict, resources.LicenceUserURN + ":licenses", "desk=assigned, host=assigned, webinars=assigned"},
			{"another package", resources.LicenceChange{Package: &meetings}, "", "", "host=assigned, meetings=assigned, webinars=assigned"},
			{"no package", resources.LicenceChange{Package: &none}, "", "", "host=assigned, webinars=assigned"},
			{"take the direct source", resources.LicenceChange{Remove: []string{"host"}}, "", "", "host=assigned, webinars=assigned"},
			{"another seat", resources.LicenceChange{Subscription: map[string]string{"host": other}}, "", "", "host=assigned, webinars=assigned"},
			{"a seat of nothing", resources.LicenceChange{Subscription: map[string]string{"host": subs["desk"]}}, resources.CodeInvalidValue, "subscription", "host=assigned, webinars=assigned"},
			{"unknown", resources.LicenceChange{Add: []string{"nothing"}}, resources.CodeSKUUnknown, "add", "host=assigned, webinars=assigned"},
			{"both", resources.LicenceChange{Add: []string{"basic"}, Remove: []string{"BASIC"}}, resources.CodeInvalidValue, "remove", "host=assigned, webinars=assigned"},
			{"not subscribed", resources.LicenceChange{Add: []string{"basic", "voice"}}, resources.CodeNotSubscribed, "", "host=assigned, webinars=assigned"},
			{"take", resources.LicenceChange{Remove: []string{"webinars"}}, "", "", "host=assigned"},
		}
		for _, s := range steps {
			b.clock.Advance(time.Millisecond)
			if err := change(s.change); s.code != "" {
				fails(t, err, s.code, s.field)
			} else if err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
			if got := b.shows(t, b.a, id); got != s.shows {
				t.Errorf("%s: licences %q, want %q", s.name, got, s.shows)
			}
		}
		if s := b.standing(t, b.a, id); s.Licences[0].Subscription != other {
			t.Errorf("the seat is of %s, %s was picked", s.Licences[0].Subscription, other)
		}
		fails(t, func() error {
			_, err := b.ChangeLicences(ctx, b.a, id, resources.LicenceChange{}, nil)
			return err
		}(), resources.CodeForbidden, "")
		audit(t, b)
	})
}

// TestFindUsers: an administrator finds users by what they have (BR-070).
func TestFindUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 1})
		b.licensed(t, b.a, "seated", "host")
		b.licensed(t, b.a, "waits", "host")
		doc := asking(t, "élodie", `{"package":"suite"}`)
		doc.Set("displayName", jsontree.Str("Élodie Ünal"))
		if _, err := b.CreateUser(t.Context(), b.a, doc); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(time.Millisecond)
		admin := op
		admin.Scopes = []resources.Scope{resources.ScopeAdmin}
		if _, err := b.CreateUser(t.Context(), admin, userDoc(t, "wizard", "w@acme.example")); err != nil {
			t.Fatal(err)
		}
		for want, q := range map[string]resources.UserQuery{
			"seated waits":               {Licence: "HOST"},
			"seated":                     {Licence: "host", Status: "assigned"},
			"waits":                      {Issue: "no_seats_available"},
			"waits élodie":               {Status: "error"},
			" seated":                    {Status: "Assigned"},
			"élodie":                     {Search: "elodie unal"},
			"wizard":                     {Source: "api"},
			"seated waits élodie":        {Source: "scim"},
			"":                           {State: "inactive"},
			"seated waits élodie wizard": {Search: "ACME.exam"},
		} {
			page, err := b.Users(t.Context(), op, q)
			if err != nil {
				t.Errorf("%+v: %v", q, err)
				continue
			}
			var got []string
			for _, rec := range page.Records {
				doc := parse(t, string(rec.Profile))
				got = append(got, doc.GetString("userName"))
			}
			if strings.Join(got, " ") != strings.TrimSpace(want) {
				t.Errorf("%+v finds %v, want %s", q, got, want)
			}
		}
	})
}
