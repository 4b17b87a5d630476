package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// numberIDHead begins the ids of numbers. The rest is the number itself, so that
// a number's record is found without a look-up, ids are in the order of numbers,
// and a commit can depend on a number's not being there.
const numberIDHead = "0number00"

// numberID is the id of the record of a number in E.164.
func numberID(e164 string) string {
	var out [idLength]byte
	copy(out[:], numberIDHead)
	v := uint64(0)
	for _, c := range strings.TrimPrefix(e164, "+") {
		v = v*10 + uint64(c-'0')
	}
	for i := idLength - 2; i >= len(numberIDHead); i-- {
		out[i] = idAlphabet[v&31]
		v >>= 5
	}
	out[idLength-1] = idAlphabet[KindSetting]
	return string(out[:])
}

// numberHold is how long a number is held for somebody (BR-196).
const numberHold = 15 * time.Minute

// at gives the number as it is at a time: a reservation or a rest that is over
// leaves it available, whatever is stored.
func (n Number) at(now time.Time) Number {
	if n.State == NumberReserved && !now.Before(n.Until) {
		n.State, n.Holder, n.Until = NumberAvailable, "", time.Time{}
	}
	return n
}

// The attributes that numbers are found by.
func atPlace(location string) string { return attrOf("place", location) }

func atPlaceIn(location string, s NumberState) string {
	return attrOf("place", location, string(s))
}

func inState(s NumberState) string { return attrOf("state", string(s)) }

// stateAt is the attribute of numbers in a state at a location, "" for all.
func stateAt(location string, s NumberState) string {
	if location == "" {
		return inState(s)
	}
	return atPlaceIn(location, s)
}

// place is where the number stands in the indexes.
func (n *Number) place() place {
	return place{Noun: nounNumber, Key: n.E164, Attrs: []string{atPlace(n.Location), atPlaceIn(n.Location, n.State), inState(n.State)}}
}

// claim is what makes the number unique across organizations. Its holder is the
// number's record.
func (n *Number) claim() Claim { return Claim{ClaimNumber, n.E164} }

// numberOf reads a number from its record; nil when it is another setting.
func numberOf(rec *Record) (*Number, error) {
	if rec == nil || nounOf(rec) != nounNumber {
		return nil, nil
	}
	var n Number
	if err := json.Unmarshal(rec.Profile, &n); err != nil {
		return nil, fmt.Errorf("decode number %s: %w", rec.ID, err)
	}
	n.ID = rec.ID
	return &n, nil
}

// putNumber asks for a number to be stored; before is its record, or nil for a
// new one. It stands in the pool of its location, and a new one is claimed.
func (d *Directory) putNumber(tx Tx, before *Record, n *Number) error {
	if before == nil {
		tx.Claim(n.claim(), n.ID)
		tx.Take(placePool(n.Location), n.ID)
	} else {
		was, err := numberOf(before)
		if err != nil {
			return err
		}
		if was == nil {
			return fmt.Errorf("the record %s is not a number", before.ID)
		}
		if was.Location != n.Location {
			tx.Give(placePool(was.Location).Name, n.ID)
			tx.Take(placePool(n.Location), n.ID)
		}
	}
	_, err := n.place().put(tx, before, n.ID, n.E164, n, d.now())
	return err
}

// dropNumber asks for a number to be removed. Who waits for it is told.
func (d *Directory) dropNumber(tx Tx, rec *Record, n *Number) {
	d.tellWaiting(tx, n)
	tx.Delete(rec, placeOf(rec).entries(n.ID))
	tx.Release(n.claim(), n.ID)
	tx.Give(placePool(n.Location).Name, n.ID)
}

// readNumberRecord reads a number for change; nil when it is not in the inventory,
// and the commit then depends on that too.
func readNumberRecord(tx Tx, id string) (*Record, *Number, error) {
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return nil, nil, err
	}
	n, err := numberOf(rec)
	return rec, n, err
}

// freeNumbers counts the numbers of a location ("" is all) that can be assigned
// now.
func (d *Directory) freeNumbers(ctx context.Context, org OrgID, location string) (int, error) {
	attr := func(s NumberState) *Cond { return nounNumber.with(stateAt(location, s)) }
	count := func(q Query) (int, error) {
		q.Kind, q.NoGroups, q.Budget = KindSetting, true, d.budget
		page, err := d.store.Find(ctx, org, q)
		return page.Total, err
	}
	free, err := count(Query{Where: attr(NumberAvailable)})
	if err != nil {
		return 0, fmt.Errorf("count numbers: %w", err)
	}
	held, err := count(Query{Where: attr(NumberReserved)})
	if err != nil || held == 0 {
		return free, err
	}
	over, err := count(Query{Where: attr(NumberReserved), Match: matchNumber(d.now(), func(n *Number) bool { return n.State == NumberAvailable })})
	if err != nil {
		return 0, fmt.Errorf("count reserved numbers: %w", err)
	}
	return free + over, nil
}

// matchNumber makes a test of records out of one of numbers as they are at a
// time. What cannot be read does not match.
func matchNumber(now time.Time, ok func(*Number) bool) func(*Record) bool {
	return func(rec *Record) bool {
		n, err := numberOf(rec)
		if err != nil || n == nil {
			return false
		}
		at := n.at(now)
		return ok(&at)
	}
}
