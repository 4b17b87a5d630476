package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NumberQuery is what an administrator looks for; empty fields do not narrow.
type NumberQuery struct {
	Location string // id, externalId or name
	State    NumberState
	Search   string // digits that the number contains
	After    string
	Limit    int // 0 means 50; at most 200
}

// Numbers lists numbers in their order (BR-191). available counts those of the
// location, or of all, that can be assigned: 0 means that all are taken
// (BR-192). Codes: location_unknown, invalid_value, invalid_cursor.
func (d *Directory) Numbers(ctx context.Context, c Caller, q NumberQuery) (list []*Number, next string, available int, err error) {
	if err := c.mayAdmin(AreaPlaces, false); err != nil {
		return nil, "", 0, err
	}
	place := ""
	if q.Location != "" {
		p, err := d.planFor(ctx, c.Org)
		if err != nil {
			return nil, "", 0, err
		}
		l := p.locate(q.Location)
		if l == nil {
			return nil, "", 0, unknownLocation(p, q.Location)
		}
		place = l.ID
	}
	query, err := d.numberQuery(q, place)
	if err != nil {
		return nil, "", 0, err
	}
	page, err := d.store.Find(ctx, c.Org, query)
	if err != nil {
		return nil, "", 0, fmt.Errorf("list numbers: %w", err)
	}
	now := d.now()
	for _, rec := range page.Records {
		n, err := numberOf(rec)
		if err != nil {
			return nil, "", 0, err
		}
		if n != nil {
			at := n.at(now)
			list = append(list, &at)
		}
	}
	available, err = d.freeNumbers(ctx, c.Org, place)
	return list, page.Next, available, err
}

// numberQuery turns what an administrator looks for at a location (an id, or "")
// into a query. What expired counts as available, whatever is stored.
func (d *Directory) numberQuery(q NumberQuery, place string) (Query, error) {
	attr := func(s NumberState) Cond { return *nounNumber.with(stateAt(place, s)) }
	out := Query{Kind: KindSetting, Keyset: true, After: q.After, Limit: q.Limit, NoGroups: true, Budget: d.budget}
	if out.Limit <= 0 {
		out.Limit = 50
	}
	out.Limit = min(out.Limit, 200)
	now := d.now()
	switch {
	case q.State == NumberAvailable:
		out.Where = &Cond{Op: CondOr, Subs: []Cond{attr(NumberAvailable), attr(NumberReserved)}}
	case slices.Contains([]NumberState{NumberInactive, NumberReserved, NumberAssigned}, q.State):
		where := attr(q.State)
		out.Where = &where
	case q.State != "":
		return out, invalidField("state", "The state %s does not exist; numbers are inactive, available, reserved or assigned.", quoted(string(q.State)))
	case place != "":
		out.Where = nounNumber.with(atPlace(place))
	default:
		out.Where = nounNumber.all()
	}
	digits := ""
	if q.Search != "" {
		var err error
		if digits, err = numberDigits(q.Search); err != nil {
			return out, invalidField("search", "Numbers are searched by digits; give some of the number.")
		}
		digits = strings.TrimLeft(digits, "+0") // of a national form nothing else stands in E.164
	}
	if q.State == NumberAvailable || q.State == NumberReserved || digits != "" {
		out.Needle = digits
		out.Match = matchNumber(now, func(n *Number) bool {
			return (q.State == "" || n.State == q.State) && strings.Contains(n.E164, digits)
		})
	}
	return out, nil
}

func unknownLocation(p *Plan, text string) error {
	detail := "There is no location " + quoted(text) + "; the organization has none yet."
	if names := p.locationNames(); names != "" {
		detail = "There is no location " + quoted(text) + "; use the id, externalId or name of one of: " + names + "."
	}
	return &Error{Code: CodeLocationUnknown, Field: "location", Detail: detail}
}

// Number reads a number by id or E.164.
func (d *Directory) Number(ctx context.Context, c Caller, idOrE164 string) (*Number, error) {
	if err := c.mayAdmin(AreaPlaces, false); err != nil {
		return nil, err
	}
	n, err := d.number(ctx, c.Org, idOrE164)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, noNumber()
	}
	at := n.at(d.now())
	return &at, nil
}

// number reads a number by id or in international form; nil when there is none.
func (d *Directory) number(ctx context.Context, org OrgID, idOrE164 string) (*Number, error) {
	id, ok := numberNamed(idOrE164)
	if !ok {
		return nil, nil
	}
	rec, err := d.store.Get(ctx, org, KindSetting, id)
	if err != nil {
		return nil, fmt.Errorf("read number: %w", err)
	}
	return numberOf(rec)
}

func noNumber() error { return &Error{Code: CodeNotFound, Detail: "There is no such number."} }

// numberNamed gives the id of the number that a text names by id or in
// international form.
func numberNamed(text string) (string, bool) {
	if k, ok := KindOf(text); ok {
		return text, k == KindSetting
	}
	r, err := readNumber(text, "")
	if err != nil {
		return "", false
	}
	return numberID(r.E164), true
}

// changeNumber changes a number in one commit and notes the event. fn gets it as
// it is now. Whoever waits for the number is told.
func (d *Directory) changeNumber(ctx context.Context, c Caller, name, event string, fn func(tx Tx, p *Plan, n *Number) error) (*Number, error) {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return nil, err
	}
	id, ok := numberNamed(name)
	if !ok {
		return nil, noNumber()
	}
	var out *Number
	run := 0
	change := func(ctx context.Context, tx Tx) error {
		run++
		p, err := d.planIn(ctx, tx, c.Org, run)
		if err != nil {
			return err
		}
		rec, n, err := readNumberRecord(tx, id)
		if err != nil {
			return err
		}
		if n == nil {
			return noNumber()
		}
		now := n.at(d.now())
		if err := c.seen(now); err != nil {
			return err
		}
		if err := fn(tx, p, &now); err != nil {
			return err
		}
		out = &now
		if err := d.putNumber(tx, rec, &now); err != nil {
			return err
		}
		d.tellWaiting(tx, &now)
		tx.Event(Event{Type: event, Kind: KindSetting, ID: id, At: now.Location, Version: rec.Version + 1, Actor: c.Token, Request: c.Request})
		return nil
	}
	err := d.byWhatIs(ctx, c.Org, func() error {
		_, err := d.store.Update(ctx, c.Org, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("change number: %w", err)
	}
	return out, nil
}

// tellWaiting makes due that who waits for a number gets it, or is told why not. The
// end of a reservation or a rest becomes due by that, see linePlace.
func (d *Directory) tellWaiting(tx Tx, n *Number) {
	tx.Due(itemOfLine(numberLine(n.E164)), d.now())
}

// ActivateNumber makes an inactive number available; one that is active already
// stays what it is. Codes: not_found.
func (d *Directory) ActivateNumber(ctx context.Context, c Caller, id string) (*Number, error) {
	return d.changeNumber(ctx, c, id, "number.activated", func(_ Tx, _ *Plan, n *Number) error {
		if n.State == NumberInactive {
			n.State = NumberAvailable
		}
		return nil
	})
}

// MoveNumber moves a number that nobody has to another location, by id,
// externalId or name (BR-201). Codes: number_in_use, location_unknown,
// not_found.
func (d *Directory) MoveNumber(ctx context.Context, c Caller, id, location string) (*Number, error) {
	return d.changeNumber(ctx, c, id, "number.moved", func(_ Tx, p *Plan, n *Number) error {
		l := p.locate(location)
		if l == nil {
			return unknownLocation(p, location)
		}
		if err := n.unused("moved"); err != nil {
			return err
		}
		n.Location = l.ID
		return nil
	})
}

// unused refuses to do something to a number that somebody has or that is held
// for somebody. One that rests is used by nobody.
func (n *Number) unused(done string) error {
	switch {
	case n.State == NumberAssigned:
		return &Error{Code: CodeNumberInUse, Detail: "The number is assigned to the user with id " + n.Assignee + " and cannot be " + done + "; give the user another one first."}
	case n.State == NumberReserved && n.Holder != "":
		return &Error{Code: CodeNumberInUse, Detail: "The number is held until " + n.Until.UTC().Format(time.RFC3339) + " and cannot be " + done + "; release it first."}
	}
	return nil
}

// tokenHolder begins the holder of what is held for who comes with a token.
const tokenHolder = "token:"

// HoldNumber reserves an available number for 15 minutes: for the user whose id
// or userName the holder is (at most 64 bytes), or with "" for whoever comes with
// the caller's token. Holding it again prolongs. Codes: number_in_use,
// not_found, invalid_value.
func (d *Directory) HoldNumber(ctx context.Context, c Caller, id, holder string) (*Number, error) {
	if holder = strings.TrimSpace(holder); holder == "" {
		holder = tokenHolder + c.Token
	} else if len(holder) > numberText || strings.HasPrefix(holder, tokenHolder) {
		return nil, invalidField("holder", "The holder is the id or the userName of a user, at most %d bytes, or nothing.", numberText)
	}
	return d.changeNumber(ctx, c, id, "number.held", func(_ Tx, _ *Plan, n *Number) error {
		again := n.State == NumberReserved && FoldText(n.Holder) == FoldText(holder)
		if n.State != NumberAvailable && !again {
			return &Error{Code: CodeNumberInUse, Detail: "The number is " + string(n.State) + " and cannot be held; choose another one."}
		}
		n.State, n.Holder, n.Until = NumberReserved, holder, d.now().UTC().Add(numberHold).Truncate(time.Millisecond)
		return nil
	})
}

// ReleaseNumber ends a reservation, or the rest of a number after its release;
// one that is available already stays so. Codes: number_in_use when it is
// assigned, not_found.
func (d *Directory) ReleaseNumber(ctx context.Context, c Caller, id string) (*Number, error) {
	return d.changeNumber(ctx, c, id, "number.unheld", func(_ Tx, _ *Plan, n *Number) error {
		if n.State == NumberAssigned {
			return n.unused("released here")
		}
		if n.State == NumberReserved {
			n.State, n.Holder, n.Until = NumberAvailable, "", time.Time{}
		}
		return nil
	})
}

// DeleteNumber removes a number that nobody has from the inventory; another
// organization can have it then. Codes: number_in_use, not_found.
func (d *Directory) DeleteNumber(ctx context.Context, c Caller, name string) error {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return err
	}
	id, ok := numberNamed(name)
	if !ok {
		return noNumber()
	}
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, n, err := readNumberRecord(tx, id)
		if err != nil {
			return err
		}
		if n == nil {
			return noNumber()
		}
		now := n.at(d.now())
		if err := errors.Join(c.seen(now), now.unused("deleted")); err != nil {
			return err
		}
		d.dropNumber(tx, rec, n)
		tx.Event(Event{Type: "number.deleted", Kind: KindSetting, ID: id, At: n.Location, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete number: %w", err)
	}
	return nil
}
