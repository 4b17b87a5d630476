package resources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// What the texts of a location may have, in bytes.
const (
	locationName    = 100
	locationAddress = 500
)

// Locations lists locations by name.
func (d *Directory) Locations(ctx context.Context, c Caller) ([]Location, error) {
	if err := c.mayAdmin(AreaPlaces, false); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org) // who has just written one wants to see it
	if err != nil {
		return nil, err
	}
	out := slices.Clone(p.Locations)
	slices.SortFunc(out, func(a, b Location) int {
		return cmp.Or(cmp.Compare(FoldText(a.Name), FoldText(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// PutLocation writes a location in place of the one with its id; id "" makes a
// new one. Users whose location was not known are settled again. Codes:
// location_in_use, not_found, invalid_value, too_many.
func (d *Directory) PutLocation(ctx context.Context, c Caller, l Location) (Location, error) {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return l, err
	}
	l, err := l.normalised()
	if err != nil {
		return l, err
	}
	event, now := "location.updated", d.now().UTC().Truncate(time.Millisecond)
	fresh := l.ID == ""
	if fresh {
		event, l.Created = "location.created", now
		if l.ID, _, err = d.idFor(c, KindSetting); err != nil {
			return l, err
		}
	}
	err = d.changePlan(ctx, c, event, func(tx Tx, p *Plan) error {
		at := slices.IndexFunc(p.Locations, func(x Location) bool { return x.ID == l.ID })
		if !fresh && at < 0 {
			return noLocation()
		}
		switch {
		case at >= 0 && fresh: // an earlier run of the same request has made it
			l = p.Locations[at]
			return errSame
		case at >= 0:
			if err := c.seen(p.Locations[at]); err != nil {
				return err
			}
		}
		if err := p.roomFor(&l); err != nil {
			return err
		}
		if fresh {
			p.Locations = append(p.Locations, l)
			tx.Due(itemOfLocation(l.ID), now)
			return nil
		}
		was := p.Locations[at]
		l.Created = was.Created
		if p.Locations[at] = l; was.Name != l.Name || was.ExternalID != l.ExternalID || was.Country != l.Country {
			tx.Due(itemOfLocation(l.ID), now)
		}
		return nil
	})
	if err != nil {
		return l, fmt.Errorf("put location: %w", err)
	}
	return l, nil
}

func noLocation() error { return &Error{Code: CodeNotFound, Detail: "There is no such location."} }

// roomFor refuses a location that people could take for another one, and one
// too many.
func (p *Plan) roomFor(l *Location) error {
	others := 0
	for i := range p.Locations {
		o := &p.Locations[i]
		if o.ID == l.ID {
			continue
		}
		others++
		for field, text := range map[string]string{"name": l.Name, "externalId": l.ExternalID} {
			if text != "" && (text == o.ID || text == o.ExternalID || FoldText(text) == FoldText(o.Name)) {
				return &Error{Code: CodeLocationInUse, Field: field, Detail: "Another location, " + quoted(o.Name) + " with id " + o.ID + ", is called " + quoted(text) + " too; names and external ids tell locations apart."}
			}
		}
	}
	if others >= maxLocations {
		return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d locations; delete one that is not used.", maxLocations)}
	}
	return nil
}

// normalised brings a location into the form it is kept in and refuses what
// cannot be.
func (l Location) normalised() (Location, error) {
	l.Name, l.ExternalID = strings.TrimSpace(l.Name), strings.TrimSpace(l.ExternalID)
	l.Country = strings.ToUpper(l.Country)
	return l, errors.Join(l.checkTexts(), l.checkPlace(), l.checkDialling(&l))
}

func (l *Location) checkTexts() error {
	for _, f := range []struct {
		name, text string
		most       int
	}{{"name", l.Name, locationName}, {"externalId", l.ExternalID, locationName}, {"address", l.Address, locationAddress}} {
		switch {
		case f.name == "name" && f.text == "":
			return invalidField("name", "A location has a name; give one.")
		case len(f.text) > f.most:
			return invalidField(f.name, "The %s is longer than %d bytes; shorten it.", f.name, f.most)
		case !utf8.ValidString(f.text), f.name != "address" && strings.ContainsFunc(f.text, unicode.IsControl):
			return invalidField(f.name, "The %s has characters that cannot be shown; use printable ones.", f.name)
		}
	}
	return nil
}

func (l *Location) checkPlace() error {
	if l.Country != "" {
		r, err := language.ParseRegion(l.Country)
		if err != nil || !r.IsCountry() || r.String() != l.Country || len(l.Country) != 2 {
			return invalidField("country", "The country %s does not exist; give the two letters of ISO 3166, for example FR.", quoted(l.Country))
		}
	}
	if l.TimeZone != "" {
		if _, err := time.LoadLocation(l.TimeZone); err != nil || l.TimeZone == "Local" {
			return invalidField("timeZone", "The time zone %s does not exist; give one of the IANA database, for example Europe/Paris.", quoted(l.TimeZone))
		}
	}
	if l.Language != "" {
		if _, err := language.Parse(l.Language); err != nil || len(l.Language) > 35 {
			return invalidField("language", "The language %s does not exist; give a tag such as fr or en-GB.", quoted(l.Language))
		}
	}
	return nil
}

// checkDialling checks what has to do with numbers; the main number is brought
// into E.164.
func (l *Location) checkDialling(out *Location) error {
	if l.ExtensionLength != 0 && (l.ExtensionLength < extensionLeast || l.ExtensionLength > extensionMost) {
		return invalidField("extensionLength", "Extensions have %d to %d digits; 0 takes the length of the settings.", extensionLeast, extensionMost)
	}
	if len(l.RoutingPrefix) > extensionMost || strings.Trim(l.RoutingPrefix, "0123456789") != "" {
		return invalidField("routingPrefix", "A routing prefix has up to %d digits and nothing else.", extensionMost)
	}
	if l.MainNumber == "" {
		return nil
	}
	r, err := readNumber(l.MainNumber, l.Country)
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return err
		}
		return &Error{Code: e.Code, Field: "mainNumber", Detail: e.Detail}
	}
	out.MainNumber = r.E164
	return nil
}

// DeleteLocation removes an empty location. Codes: location_not_empty (BR-201),
// not_found.
func (d *Directory) DeleteLocation(ctx context.Context, c Caller, id string) error {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return err
	}
	err := d.changePlan(ctx, c, "location.deleted", func(tx Tx, p *Plan) error {
		at := slices.IndexFunc(p.Locations, func(x Location) bool { return x.ID == id })
		if at < 0 {
			return noLocation()
		}
		if err := c.seen(p.Locations[at]); err != nil {
			return err
		}
		if p.Settings.DefaultLocation == id {
			return &Error{Code: CodeLocationNotEmpty, Detail: "The location is the one that users get who name none; choose another default location in the settings first."}
		}
		p.Locations = slices.Delete(p.Locations, at, at+1)
		tx.Most(placePool(id).Name, 0)
		return nil
	})
	if r, ok := errors.AsType[*Refusal](err); ok && r.Reason == RefusedMany {
		return &Error{Code: CodeLocationNotEmpty, Detail: "The location still has users or numbers; move or delete them first."}
	}
	if err != nil {
		return fmt.Errorf("delete location: %w", err)
	}
	return nil
}
