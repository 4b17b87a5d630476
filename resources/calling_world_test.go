package resources_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// phones is an organization with seats for calling and two locations, as its
// administrator and its identity provider see it.
type phones struct {
	*bundle
	t           *testing.T
	admin, idp  resources.Caller
	paris, lyon resources.Location
}

func newPhones(t *testing.T, b *bundle, idp resources.Caller) *phones {
	t.Helper()
	ctx := t.Context()
	admin, err := b.Operate(ctx, b.operator, idp.Slug)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreateSubscription(ctx, admin, resources.Subscription{SKU: "calling", Model: resources.ModelSeats, Units: 500}); err != nil {
		t.Fatal(err)
	}
	p := &phones{bundle: b, t: t, admin: admin, idp: idp}
	p.paris = p.location(resources.Location{Name: "Paris", ExternalID: "P1", Country: "FR", TimeZone: "Europe/Paris"})
	p.lyon = p.location(resources.Location{Name: "Lyon", Country: "FR"})
	return p
}

func (p *phones) location(l resources.Location) resources.Location {
	p.t.Helper()
	out, err := p.PutLocation(p.t.Context(), p.admin, l)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// stock puts numbers into the inventory of a location.
func (p *phones) stock(l resources.Location, numbers ...string) {
	p.t.Helper()
	rows, err := p.AddNumbers(p.t.Context(), p.admin, l.ID, numbers, false)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Code != "" {
			p.t.Fatalf("%+v", r)
		}
	}
}

// settings changes settings.
func (p *phones) settings(fn func(*resources.Settings)) {
	p.t.Helper()
	_, _, err := p.ChangeSettings(p.t.Context(), p.admin, func(s *resources.Settings, _ uint64) error {
		fn(s)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// document is a user with the product calling and these wishes, JSON members
// without braces.
func (p *phones) document(name, wishes string, more ...string) jsontree.Value {
	block := ""
	if wishes != "" {
		block = fmt.Sprintf(`,%q:{%s}`, resources.CallingURN, wishes)
	}
	return parse(p.t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",%q,%q],"userName":%q%s,%q:{"licenses":["calling"]}%s}`,
		resources.LicenceUserURN, resources.CallingURN, name, strings.Join(append([]string{""}, more...), ","), resources.LicenceUserURN, block))
}

// user creates a user who calls.
func (p *phones) user(name, wishes string, more ...string) *resources.Record {
	p.t.Helper()
	rec, err := p.CreateUser(p.t.Context(), p.idp, p.document(name, wishes, more...))
	if err != nil {
		p.t.Fatal(err)
	}
	return rec
}

// wish changes what a user asks for to call with.
func (p *phones) wish(id, wishes string) {
	p.t.Helper()
	_, _, err := p.UpdateUser(p.t.Context(), p.idp, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Set(resources.CallingURN, parse(p.t, "{"+wishes+"}"))
		return doc, nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// says tells what readers see of a user's calling, in words.
func (p *phones) says(id string) string {
	p.t.Helper()
	rec, err := p.Get(p.t.Context(), p.idp, resources.KindUser, id)
	if err != nil {
		p.t.Fatal(err)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(rec.Profile, &doc); err != nil {
		p.t.Fatal(err)
	}
	var calling struct {
		EffectiveLocation, EffectivePhoneNumber, EffectiveExtension, CallingStatus string
		TemporaryExtension                                                         bool
	}
	var life struct {
		Issues []struct{ Code, Attribute string }
	}
	if raw := doc[resources.CallingURN]; raw != nil {
		if err := json.Unmarshal(raw, &calling); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := json.Unmarshal(doc[resources.LifecycleURN], &life); err != nil {
		p.t.Fatal(err)
	}
	words := []string{calling.CallingStatus, calling.EffectiveLocation, calling.EffectivePhoneNumber, calling.EffectiveExtension}
	if calling.TemporaryExtension {
		words = append(words, "temporary")
	}
	for _, i := range life.Issues {
		if i.Code != string(resources.CodeMissingEmail) {
			words = append(words, i.Code+"("+i.Attribute+")")
		}
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// want checks what readers see of a user's calling.
func (p *phones) want(id, words string) {
	p.t.Helper()
	if got := p.says(id); got != words {
		p.t.Errorf("the user has %q, want %q", got, words)
	}
}

// number reads a number.
func (p *phones) number(e164 string) *resources.Number {
	p.t.Helper()
	n, err := p.Number(p.t.Context(), p.admin, e164)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// work does everything that is due in the organizations, and what that makes
// due.
func (p *phones) work() {
	p.t.Helper()
	for _, org := range []resources.OrgID{p.a.Org, p.b.Org} {
		p.workOn(org)
	}
}

func (p *phones) workOn(org resources.OrgID) {
	p.t.Helper()
	ctx := p.t.Context()
	l, ok, err := p.store.Lease(ctx, org, "w", time.Minute)
	if err != nil || !ok {
		p.t.Fatalf("lease: %v, %v", ok, err)
	}
	for rounds := 0; ; rounds++ {
		p.clock.Advance(3 * time.Second)
		items, _, err := p.store.Due(ctx, org, p.clock.Now(), 100)
		if err != nil {
			p.t.Fatal(err)
		}
		if len(items) == 0 {
			break
		}
		if rounds > 300 {
			p.t.Fatalf("the work does not end: %+v", items)
		}
		for _, i := range items {
			if err := p.WorkOn(ctx, l, i); err != nil {
				p.t.Fatalf("%s: %v", i.Item, err)
			}
		}
	}
	if err := p.store.Unlease(ctx, l); err != nil {
		p.t.Fatal(err)
	}
}
