package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// calling is one decision about what a user calls with: what was read for it,
// what comes of it.
type calling struct {
	d   *Directory
	ctx context.Context
	tx  Tx
	p   *Plan
	k   *knowledge
	in  callingCase

	before Calling
	after  Calling
	place  *Location
	given  *Number // the number that the user gets, when it did not have it
	taken  *Record // its record
	issues []Issue

	recheck bool // what is waited for may be there already
}

// settleCalling decides what a user gets to call with (BR-190 … BR-200), from
// what is asked for, the plan, and the numbers and extensions as the unit of work
// sees them. What the user had and is not asked for any more is freed at once,
// also while the new is not to be had, so that two users can exchange numbers
// (BR-200). Nothing is asked of the commit before Apply is called. Without Wants
// everything is freed; p may be nil then.
//
// With Strict the first issue is the error: location_required, location_unknown,
// number_unknown, number_wrong_location, number_in_use, extension_in_use,
// extension_invalid, number_or_extension_required, name_invalid.
func (d *Directory) settleCalling(ctx context.Context, tx Tx, p *Plan, k *knowledge, in callingCase) (callingResult, error) {
	s := &calling{d: d, ctx: ctx, tx: tx, p: p, k: k, in: in}
	if in.Before != nil {
		s.before = *in.Before
	}
	if p == nil {
		var err error
		if s.p, err = d.planFor(ctx, in.Caller.Org); err != nil {
			return callingResult{}, err
		}
	}
	if in.Wants {
		if err := s.decide(); err != nil {
			return callingResult{}, err
		}
		if in.Strict && len(s.issues) > 0 {
			return callingResult{}, s.issues[0].asError()
		}
	}
	return s.result(), nil
}

// asError is the error that a strict caller gets for an issue.
func (i Issue) asError() error {
	code := i.Code
	if code == CodeCallingName {
		code = CodeNameInvalid
	}
	return &Error{Code: code, Field: i.Attribute, Detail: i.Detail}
}

func (s *calling) issue(code Code, attribute, format string, args ...any) {
	s.issues = append(s.issues, Issue{Code: code, Attribute: attribute, Detail: fmt.Sprintf(format, args...), Since: s.in.Now})
}

// issueOf makes an issue of the reason why a text cannot be used.
func (s *calling) issueOf(code Code, attribute string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	s.issue(code, attribute, "%s", e.Detail)
	return nil
}

// decide fills in after, given and issues.
func (s *calling) decide() error {
	s.wish()
	if err := s.findPlace(); err != nil {
		return err
	}
	if s.place == nil {
		return nil
	}
	s.after.Location, s.after.Place = s.place.ID, s.place.Name
	if err := s.number(); err != nil {
		return err
	}
	if err := s.extension(); err != nil {
		return err
	}
	asked := len(s.issues) > 0
	s.names()
	switch {
	case s.after.Number == "" && s.after.Extension == "":
		if !asked {
			s.issue(CodeNumberOrExtension, "phoneNumber", "%s", s.nothing())
		}
		s.after.Location, s.after.Place = "", "" // who cannot call is at no place
	case len(s.issues) == 0:
		s.after.Status = CallingAssigned
	}
	return nil
}

// The states of calling (domain.md §5.5).
const (
	CallingPending  = "pending" // a licence for calling is asked for and not there yet
	CallingAssigned = "assigned"
	CallingError    = "error"
)

// nothing tells why there is neither number nor extension.
func (s *calling) nothing() string {
	if s.p.Settings.AutoNumber {
		return "No number of the location " + quoted(s.place.Name) + " is free, and no extension is asked for; add numbers to the location, or give the user an extension."
	}
	return "Who calls has a number or an extension; give the user at least one of them."
}

// wish takes a work phone as the wish for a number when nothing else is asked
// for and the organization says so (BR-199).
func (s *calling) wish() {
	w := &s.in.Wish
	if s.p.Settings.PhoneNumbersAsWish && w.Number == "" && w.Location == "" && w.Extension == "" {
		w.Number = w.WorkPhone
	}
}

// The bounds of names of users who call (BR-065).
const (
	callingNameMost  = 30 // characters
	callingNameNever = `%#<>\/"`
)

// names notes names that telephones cannot show (BR-065).
func (s *calling) names() {
	for _, n := range []struct{ attribute, text string }{
		{"name.givenName", s.in.Given}, {"name.familyName", s.in.Family}, {"displayName", s.in.Shown},
	} {
		switch {
		case strings.ContainsAny(n.text, callingNameNever):
			s.issue(CodeCallingName, n.attribute, "The names of users who call have none of %s; change %s.", `% # < > \ / "`, n.attribute)
		case n.attribute != "displayName" && utf8.RuneCountInString(n.text) > callingNameMost:
			s.issue(CodeCallingName, n.attribute, "The first and last names of users who call have at most %d characters; shorten %s.", callingNameMost, n.attribute)
		}
	}
}

// findPlace finds the location: the one that is asked for, else that of the
// number, else the one the user is at, else the default (BR-190).
func (s *calling) findPlace() error {
	if text := s.in.Wish.Location; text != "" {
		if s.place = s.p.locate(text); s.place == nil {
			return s.issueOf(CodeLocationUnknown, "location", unknownLocation(s.p, text))
		}
		return nil
	}
	missing := "" // the number that is asked for, when it is not in the inventory
	if s.in.Wish.Number != "" {
		r, err := readNumber(s.in.Wish.Number, s.country())
		if err == nil {
			missing = r.E164
			_, n, err := readNumberRecord(s.tx, numberID(r.E164))
			if err != nil {
				return err
			}
			if n != nil {
				s.place = s.p.location(n.Location)
			}
		}
	}
	for _, id := range []string{s.before.Location, s.p.Settings.DefaultLocation} {
		if s.place == nil && id != "" {
			s.place = s.p.location(id)
		}
	}
	if s.place == nil && missing != "" {
		s.issue(CodeNumberUnknown, "phoneNumber", "The number %s is not in the inventory, and no location is known; add it to a location.", missing)
		s.waitIn(numberLine(missing))
		return nil
	}
	if s.place == nil {
		detail := "Who calls is at a location, and neither the user nor the settings name one; the organization has none yet, add one."
		if names := s.p.locationNames(); names != "" {
			detail = "Who calls is at a location; give the user one of: " + names + "."
		}
		s.issue(CodeLocationRequired, "location", "%s", detail)
	}
	return nil
}

// country is where national forms of numbers are read.
func (s *calling) country() string {
	for _, l := range []*Location{s.place, s.p.location(s.before.Location), s.p.location(s.p.Settings.DefaultLocation)} {
		if l != nil {
			return l.Country
		}
	}
	return ""
}

// result compares what the user has with what it gets.
func (s *calling) result() callingResult {
	out := callingResult{Ready: s.after.Location != "", Issues: s.issues}
	if s.in.Wants {
		if len(s.issues) > 0 {
			s.after.Status = CallingError
			if out.Ready && !slices.ContainsFunc(s.issues, func(i Issue) bool { return i.Code != CodeCallingName }) {
				s.after.Status = CallingAssigned // who has everything and a name that some telephones cannot show
			}
		}
		after := s.after
		out.After = &after
	}
	if !s.after.same(&s.before) {
		out.Apply = s.apply
	}
	return out
}

// same reports whether two people with these would call and wait alike.
func (c *Calling) same(o *Calling) bool {
	return c.Location == o.Location && c.Number == o.Number && c.Extension == o.Extension && slices.Equal(c.Waits, o.Waits)
}
