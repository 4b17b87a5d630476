package resources

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What may come at once and be there at all.
const (
	numbersAtOnce = 1000
	numbersMost   = 500_000
	numbersBatch  = 100 // stored in one commit
)

// NumberRow is one line of a list of numbers and what is, or would be, made of
// it.
type NumberRow struct {
	Line     int
	Text     string // as it was given
	Location string // as it was given
	E164     string // "" when it cannot be read
	Type     string
	Region   string
	Code     Code   // "" when all is well
	Detail   string // with code "" what is worth knowing, or ""
}

// newNumber is a row that is to be stored.
type newNumber struct {
	row      *NumberRow
	place    string // id of the location
	inactive bool
	stored   bool // by the last commit: it was not there before
}

func (r *NumberRow) fail(code Code, format string, args ...any) {
	r.Code, r.Detail = code, fmt.Sprintf(format, args...)
}

// rowError notes an error of a row.
func (r *NumberRow) rowError(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	r.Code, r.Detail = e.Code, e.Detail
	return nil
}

// readRow reads a row with the country of its location. The location must be
// there, and the same number must not stand in the list before.
func readRow(p *Plan, row *NumberRow, before map[string]int) (*newNumber, error) {
	l := p.locate(row.Location)
	if l == nil {
		if row.Location == "" {
			row.fail(CodeLocationRequired, "The location is missing; a number is always at one.")
			return nil, nil
		}
		return nil, row.rowError(unknownLocation(p, row.Location))
	}
	r, err := readNumber(row.Text, l.Country)
	if err != nil {
		return nil, row.rowError(err)
	}
	row.E164, row.Type, row.Region, row.Detail = r.E164, r.Type, r.Region, r.Note
	if line, ok := before[r.E164]; ok {
		row.fail(CodeNumberInUse, "The same number stands on line %d already.", line)
		return nil, nil
	}
	before[r.E164] = row.Line
	return &newNumber{row: row, place: l.ID}, nil
}

// rowsOf reads a list of numbers for one location.
func rowsOf(p *Plan, location string, texts []string) ([]NumberRow, []*newNumber, error) {
	if len(texts) > numbersAtOnce {
		return nil, nil, &Error{Code: CodeTooManyRows, Field: "numbers", Detail: fmt.Sprintf("At most %d numbers are possible at once; send fewer, or import a file.", numbersAtOnce)}
	}
	if p.locate(location) == nil {
		return nil, nil, unknownLocation(p, location)
	}
	rows := make([]NumberRow, len(texts))
	before := make(map[string]int, len(texts))
	var good []*newNumber
	for i, text := range texts {
		rows[i] = NumberRow{Line: i + 1, Text: text, Location: location}
		a, err := readRow(p, &rows[i], before)
		if err != nil {
			return nil, nil, err
		}
		if a != nil {
			good = append(good, a)
		}
	}
	return rows, good, nil
}

// ValidateNumbers reads numbers for a location (by id, externalId or name)
// without storing anything; at most 1000. Numbers of other organizations cannot
// be told. Codes: too_many_rows, location_unknown; of rows also invalid_value,
// number_in_use.
func (d *Directory) ValidateNumbers(ctx context.Context, c Caller, location string, texts []string) ([]NumberRow, error) {
	if err := c.mayAdmin(AreaPlaces, false); err != nil {
		return nil, err
	}
	p, err := d.planFor(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	rows, good, err := rowsOf(p, location, texts)
	if err == nil {
		err = d.compareNumbers(ctx, c.Org, p, good)
	}
	return rows, err
}

// AddNumbers stores up to 1000 numbers at a location (by id, externalId or name)
// and tells what became of each row; those that are good stay when others are
// not. Inactive numbers must be activated before anybody gets them. Codes as of
// [Directory.ValidateNumbers]; too_many.
func (d *Directory) AddNumbers(ctx context.Context, c Caller, location string, texts []string, inactive bool) ([]NumberRow, error) {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	rows, good, err := rowsOf(p, location, texts)
	if err != nil {
		return nil, err
	}
	if err := d.roomForNumbers(ctx, c.Org, len(good)); err != nil {
		return nil, err
	}
	for len(good) > 0 {
		n := min(numbersBatch, len(good))
		for _, a := range good[:n] {
			a.inactive = inactive
		}
		if err := d.storeNumbers(ctx, c, good[:n], nil); err != nil {
			return nil, fmt.Errorf("add numbers: %w", err)
		}
		good = good[n:]
	}
	return rows, nil
}

// roomForNumbers refuses more numbers than an organization can have.
func (d *Directory) roomForNumbers(ctx context.Context, org OrgID, more int) error {
	page, err := d.store.Find(ctx, org, Query{Kind: KindSetting, Where: nounNumber.all(), NoGroups: true, Budget: d.budget})
	if err != nil {
		return fmt.Errorf("count numbers: %w", err)
	}
	if page.Total+more > numbersMost {
		return &Error{Code: CodeTooMany, Field: "numbers", Detail: fmt.Sprintf("An organization has at most %d numbers; delete some that are not used.", numbersMost)}
	}
	return nil
}

// compareNumbers holds rows against the inventory. Afterwards stored is true for
// those that are not there, and a number that is elsewhere has its code.
func (d *Directory) compareNumbers(ctx context.Context, org OrgID, p *Plan, list []*newNumber) error {
	ids := make([]string, len(list))
	for i, a := range list {
		ids[i] = numberID(a.row.E164)
	}
	recs, err := d.store.Many(ctx, org, ids)
	if err != nil {
		return fmt.Errorf("look numbers up: %w", err)
	}
	for i, a := range list {
		n, err := numberOf(recs[i])
		if err != nil {
			return err
		}
		switch a.stored = n == nil; {
		case n == nil:
		case n.Location == a.place:
			a.row.Detail = "The number is at this location already; nothing changes."
		default:
			name := n.Location
			if l := p.location(n.Location); l != nil {
				name = l.Name
			}
			a.row.fail(CodeNumberInUse, "The number is in the inventory already, at %s; move it from there.", quoted(name))
		}
	}
	return nil
}

// storeNumbers stores rows in one commit, up to numbersBatch of them. A row whose
// number another organization has is refused by itself. also, when not nil, may
// ask for more in the same commit.
func (d *Directory) storeNumbers(ctx context.Context, c Caller, list []*newNumber, also func(tx Tx)) error {
	notes := make([]string, len(list))
	for i, a := range list {
		notes[i] = a.row.Detail
	}
	elsewhere := make(map[string]bool) // numbers that other organizations have
	waited := false                    // somebody waits for numbers
	for range len(list) + 2 {
		run := 0
		_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
			run++
			p, err := d.planIn(ctx, tx, c.Org, run)
			if err != nil {
				return err
			}
			for i, a := range list {
				a.row.Code, a.row.Detail = "", notes[i]
			}
			if err := d.compareNumbers(ctx, c.Org, p, list); err != nil {
				return err
			}
			if err := d.stockNumbers(tx, c, p, list, elsewhere, waited); err != nil {
				return err
			}
			if also != nil {
				also(tx)
			}
			return nil
		})
		r, ok := errors.AsType[*Refusal](err)
		switch {
		case !ok:
			return err
		case r.Reason == RefusedClaim && r.Claim.Kind == ClaimNumber && !elsewhere[r.Claim.Key]:
			elsewhere[r.Claim.Key] = true
		case r.Reason == RefusedMany && r.Pool == waitersPool.Name && !waited:
			waited = true
		default:
			return err
		}
	}
	return fmt.Errorf("store %d numbers: %w", len(list), ErrUnavailable)
}

// stockNumbers asks for the new ones of a list to be stored. Unless somebody is
// known to wait, the commit depends on nobody's waiting: then nobody need be
// told.
func (d *Directory) stockNumbers(tx Tx, c Caller, p *Plan, list []*newNumber, elsewhere map[string]bool, waited bool) error {
	now, some := d.now().UTC().Truncate(time.Millisecond), false
	for _, a := range list {
		switch {
		case !a.stored:
			continue
		case p.location(a.place) == nil:
			a.stored = false
			a.row.fail(CodeLocationUnknown, "The location was deleted meanwhile.")
			continue
		case elsewhere[a.row.E164]:
			a.stored = false
			a.row.fail(CodeNumberInUse, "The number is in the inventory of another organization; ask the operator of the platform.")
			continue
		}
		n := Number{ID: numberID(a.row.E164), E164: a.row.E164, Location: a.place, State: NumberAvailable, Created: now, Type: a.row.Type, Region: a.row.Region}
		if a.inactive {
			n.State = NumberInactive
		}
		if err := d.putNumber(tx, nil, &n); err != nil {
			return err
		}
		if some = true; waited {
			d.tellWaiting(tx, &n)
		}
		tx.Event(Event{Type: "number.added", Kind: KindSetting, ID: n.ID, At: n.Location, Version: 1, Actor: c.Token, Request: c.Request})
	}
	if some && !waited {
		tx.Most(waitersPool.Name, 0)
	}
	return nil
}
