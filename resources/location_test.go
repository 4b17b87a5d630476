package resources_test

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestLocation: what a location may be, and that names tell them apart.
func TestLocation(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	p := newPhones(t, b, b.a)
	good := resources.Location{
		Name: " Köln ", ExternalID: "K", Address: "Domplatz 1\n50667 Köln", Country: "de", TimeZone: "Europe/Berlin", Language: "de-DE",
		ExtensionLength: 5, RoutingPrefix: "81", MainNumber: "0221 12345-0",
	}
	l, err := p.PutLocation(ctx, p.admin, good)
	if err != nil || l.ID == "" || l.Name != "Köln" || l.Country != "DE" || l.MainNumber != "+49221123450" || l.Created.IsZero() {
		t.Fatalf("%+v, %v", l, err)
	}
	again := l
	again.Address = "Domplatz 2"
	if again, err = p.PutLocation(ctx, p.admin, again); err != nil || again.ID != l.ID || again.Created != l.Created {
		t.Errorf("%+v, %v", again, err)
	}
	for field, change := range map[string]func(*resources.Location){
		"name":            func(l *resources.Location) { l.Name = "  " },
		"name ":           func(l *resources.Location) { l.Name = strings.Repeat("x", 101) },
		"name  ":          func(l *resources.Location) { l.Name = "a\x00" },
		"name   ":         func(l *resources.Location) { l.Name = "\xff" },
		"externalId":      func(l *resources.Location) { l.ExternalID = strings.Repeat("x", 101) },
		"address":         func(l *resources.Location) { l.Address = strings.Repeat("x", 501) },
		"country":         func(l *resources.Location) { l.Country = "XX" },
		"country ":        func(l *resources.Location) { l.Country = "FRA" },
		"country  ":       func(l *resources.Location) { l.Country = "150" },
		"timeZone":        func(l *resources.Location) { l.TimeZone = "Europe/Nowhere" },
		"timeZone ":       func(l *resources.Location) { l.TimeZone = "Local" },
		"language":        func(l *resources.Location) { l.Language = "klingonese-x" },
		"extensionLength": func(l *resources.Location) { l.ExtensionLength = 11 },
		"routingPrefix":   func(l *resources.Location) { l.RoutingPrefix = "8a" },
		"mainNumber":      func(l *resources.Location) { l.MainNumber = "12" },
	} {
		l := good
		l.Name, l.ExternalID = "Other", ""
		change(&l)
		_, err := p.PutLocation(ctx, p.admin, l)
		if !resources.HasCode(err, resources.CodeInvalidValue) || !strings.Contains(err.Error(), "("+strings.TrimSpace(field)+")") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, l := range []resources.Location{{Name: "KÖLN"}, {Name: "k\u006f\u0308ln"}, {Name: "x", ExternalID: "K"}, {Name: "K"}, {Name: "x", ExternalID: "köln"}, {Name: "x", ExternalID: l.ID}} {
		_, err := p.PutLocation(ctx, p.admin, l)
		wantCode(t, err, resources.CodeLocationInUse)
	}
	_, err = p.PutLocation(ctx, p.admin, resources.Location{ID: strings.Repeat("0", 20), Name: "y"})
	wantCode(t, err, resources.CodeNotFound)
	wantCode(t, p.DeleteLocation(ctx, p.admin, "nothing"), resources.CodeNotFound)
}

// TestLocationNotEmpty: a location with users stays, and so does the default one
// (BR-201).
func TestLocationNotEmpty(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		id := p.user("u", `"location":"Lyon","extension":"10"`).ID
		wantCode(t, p.DeleteLocation(ctx, p.admin, p.lyon.ID), resources.CodeLocationNotEmpty)
		p.wish(id, `"location":"Paris","extension":"10"`)
		if err := p.DeleteLocation(ctx, p.admin, p.lyon.ID); err != nil {
			t.Error(err)
		}
		p.settings(func(s *resources.Settings) { s.DefaultLocation = p.paris.ID })
		if err := p.DeleteUser(ctx, p.idp, id, nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, p.DeleteLocation(ctx, p.admin, p.paris.ID), resources.CodeLocationNotEmpty)
		p.settings(func(s *resources.Settings) { s.DefaultLocation = "" })
		if err := p.DeleteLocation(ctx, p.admin, p.paris.ID); err != nil {
			t.Error(err)
		}
		p.work()
		audit(t, b)
	})
}
