package resources_test

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestChangeCalling: an administrator changes what a user calls with, strictly;
// it becomes the wishes that identity providers read, and they may write others
// (BR-190 … BR-197, domain.md §5.8).
func TestChangeCalling(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		p.stock(p.paris, paris1, paris2)
		p.stock(p.lyon, lyon1)
		id := p.user("u", `"location":"Paris","extension":"10"`).ID
		p.user("v", `"location":"Paris","phoneNumber":"+33142685302","extension":"20"`)
		text := func(s string) *string { return &s }
		yes, no := true, false
		for _, tt := range []struct {
			change resources.CallingChange
			code   resources.Code
			want   string
		}{
			{resources.CallingChange{Temporary: &yes}, "", "assigned Paris 10 temporary"},
			{resources.CallingChange{Extension: text("11")}, "", "assigned Paris 11"},
			{resources.CallingChange{Extension: text("12"), Temporary: &yes}, "", "assigned Paris 12 temporary"},
			{resources.CallingChange{Number: text(paris1)}, "", "assigned Paris " + paris1 + " 12"},
			{resources.CallingChange{Number: text(paris2)}, resources.CodeNumberInUse, "assigned Paris " + paris1 + " 12"},
			{resources.CallingChange{Number: text(lyon1)}, resources.CodeNumberPlace, "assigned Paris " + paris1 + " 12"},
			{resources.CallingChange{Location: text("Lyon")}, resources.CodeNumberPlace, "assigned Paris " + paris1 + " 12"},
			{resources.CallingChange{Location: text("Lyon"), Number: text("04 72 00 00 01")}, "", "assigned Lyon " + lyon1 + " 12"},
			{resources.CallingChange{Number: text("nobody")}, resources.CodeNumberUnknown, "assigned Lyon " + lyon1 + " 12"},
			{resources.CallingChange{Location: text("Nice")}, resources.CodeLocationUnknown, "assigned Lyon " + lyon1 + " 12"},
			{resources.CallingChange{Extension: text("911")}, resources.CodeExtensionInvalid, "assigned Lyon " + lyon1 + " 12"},
			{resources.CallingChange{Extension: text("")}, "", "assigned Lyon " + lyon1},
			{resources.CallingChange{Number: text("")}, resources.CodeNumberOrExtension, "assigned Lyon " + lyon1},
			{resources.CallingChange{Location: text("Paris"), Number: text(""), Extension: text("20")}, resources.CodeExtensionInUse, "assigned Lyon " + lyon1},
			{resources.CallingChange{Location: text("Paris"), Number: text(""), Extension: text("21"), Temporary: &no}, "", "assigned Paris 21"},
		} {
			_, err := p.ChangeCalling(ctx, p.admin, id, tt.change, nil)
			if (err != nil) != (tt.code != "") || err != nil && !resources.HasCode(err, tt.code) {
				t.Errorf("%+v: %v, want %q", tt.change, err, tt.code)
			}
			p.want(id, tt.want)
		}
		rec, err := p.Get(ctx, p.idp, resources.KindUser, id)
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, string(rec.Profile))
		if block := doc.Get(resources.CallingURN); block.GetString("location") != "Paris" || block.GetString("extension") != "21" || block.Get("phoneNumber") != nil {
			t.Errorf("the wishes are %s", rec.Profile)
		}
		p.wish(id, `"location":"Paris","phoneNumber":"+33142685301"`)
		p.want(id, "assigned Paris "+paris1)
		audit(t, b)
	})
}

// TestChangeCallingFirst: what an administrator gives to who has no product for
// calling is kept for the first one; taken back nothing is left of the block.
func TestChangeCallingFirst(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	id := b.user(t, b.a, "u")
	paris, number, none := "Paris", paris1, ""
	if _, err := p.ChangeCalling(ctx, p.admin, id, resources.CallingChange{Location: &paris, Number: &number}, nil); err != nil {
		t.Fatal(err)
	}
	p.want(id, "")
	if n := p.number(paris1); n.State != resources.NumberAvailable {
		t.Errorf("%+v", n)
	}
	_, _, err := p.UpdateUser(ctx, p.idp, id, set(resources.LicenceUserURN, parse(t, `{"licenses":["calling"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	p.want(id, "assigned Paris "+paris1)
	_, _, err = p.UpdateUser(ctx, p.idp, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Delete(resources.LicenceUserURN)
		return doc, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := p.ChangeCalling(ctx, p.admin, id, resources.CallingChange{Location: &none, Number: &none}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if doc := parse(t, string(rec.Profile)); doc.Get(resources.CallingURN) != nil {
		t.Errorf("left over: %s", rec.Profile)
	}
	audit(t, b)
}

// TestPlacesRights: who may not change locations, numbers and calling does not;
// everybody with a role may read them (BR-060).
func TestPlacesRights(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	id := b.user(t, b.a, "u")
	reader := p.admin
	reader.Scopes = []resources.Scope{resources.ScopeAdminRead}
	one := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"put a location":    one(p.PutLocation(ctx, reader, resources.Location{Name: "x"})),
		"delete a location": p.DeleteLocation(ctx, reader, p.paris.ID),
		"add numbers":       one(p.AddNumbers(ctx, reader, "Paris", nil, false)),
		"import":            one(p.ImportNumbers(ctx, reader, nil, true)),
		"activate":          one(p.ActivateNumber(ctx, reader, paris1)),
		"move":              one(p.MoveNumber(ctx, reader, paris1, "Lyon")),
		"hold":              one(p.HoldNumber(ctx, reader, paris1, "")),
		"release":           one(p.ReleaseNumber(ctx, reader, paris1)),
		"delete a number":   p.DeleteNumber(ctx, reader, paris1),
		"change calling":    one(p.ChangeCalling(ctx, reader, id, resources.CallingChange{}, nil)),
	} {
		if !resources.HasCode(err, resources.CodeForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Number(ctx, reader, paris1); err != nil {
		t.Error(err)
	}
	if list, err := p.Locations(ctx, reader); err != nil || len(list) != 2 || list[0].Name != "Lyon" {
		t.Errorf("%+v, %v", list, err)
	}
	if rows, err := p.ValidateNumbers(ctx, reader, "Paris", []string{paris1, "x"}); err != nil || rows[0].Code != "" || rows[1].Code != resources.CodeInvalidValue {
		t.Errorf("%+v, %v", rows, err)
	}
	stranger := p.idp // of an identity provider
	_, err := p.Number(ctx, stranger, paris1)
	wantCode(t, err, resources.CodeForbidden)
	_, err = p.Number(ctx, p.admin, p.paris.ID)
	wantCode(t, err, resources.CodeNotFound)
	_, err = p.MoveNumber(ctx, p.admin, "+33142685399", "Lyon")
	wantCode(t, err, resources.CodeNotFound)
}
