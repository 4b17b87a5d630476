package resources

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// What packages a user has held is kept by the day, in the organization's time
// zone of billing (BR-175): the one that is held now in the user's standing, as
// a Holding, those of before as intervals. Days are texts like 2006-01-02 and
// compare as such; stretches of days are half-open.
//
// An interval never changes, but for one thing: the day of removal counts, unless
// another package takes it (BR-176, BR-177). So what is said of the days before
// today only ever moves from a holding into an interval, and reports rely on it.

// dayLayout is how days are written.
const dayLayout = "2006-01-02"

// Interval is a stretch of days during which a user held a package at one
// location, and which is over.
type Interval struct {
	Package  string `json:"p"`           // SKU
	Location string `json:"l,omitempty"` // id
	From     string `json:"f"`           // first day
	To       string `json:"t"`           // the day after the last
}

// history is every interval of a user, the oldest first. It is a setting, by the
// user's id, and outlives the user.
type history struct {
	User  string     `json:"user"`
	Email string     `json:"email,omitempty"` // when the last interval ended
	Past  []Interval `json:"past"`
}

// historyYears is how long intervals are kept after their end: as long as reports
// go back, and some.
const historyYears = reportYears + 1

// billed is what a user holds after an act, for billing.
type billed struct {
	User, Email string
	Before      *Holding // of the standing until now
	Package     string   // SKU; "" when none is held, or the user is deleted
	Location    string   // id, or ""
	Now         time.Time

	Actor, Request string // of the events
}

// bill compares the package a user holds with the one before and keeps the days
// (BR-175, BR-176): it returns what the standing says from now on, nil for
// nothing, and asks for the interval that ends and for the events.
//
// Events have a day: from that day on what they say is so, whatever events before
// them said of it. A recount that takes them in order comes to the same days.
func (d *Directory) bill(tx Tx, p *Plan, b billed) (*Holding, error) {
	was := Holding{}
	if b.Before != nil {
		was = *b.Before
	}
	if FoldSKU(was.SKU) == FoldSKU(b.Package) && (was.SKU == "" || was.Location == b.Location) {
		return b.Before, nil
	}
	today := was.today(b.Now.In(p.zone()))
	out := Holding{SKU: b.Package, From: today, Location: b.Location}
	end := today // of what was held until now
	if b.Package == "" {
		end = dayAfter(today)
		out = Holding{Until: end}
	}
	if was.SKU != "" || was.Until > today { // else nothing was held today
		if err := b.keep(tx, was, end); err != nil {
			return nil, err
		}
	}
	if was.SKU != "" {
		b.event(tx, "package.closed", was.SKU, end, was.Location)
	}
	if b.Package != "" {
		b.event(tx, "package.opened", b.Package, today, b.Location)
	}
	return &out, nil
}

// today is the day of billing, never before what is known already: clocks may
// run backwards and time zones may change, intervals do not overlap for that.
func (h *Holding) today(now time.Time) string {
	today := now.Format(dayLayout)
	switch {
	case h.SKU != "":
		return max(today, h.From)
	case h.Until != "":
		return max(today, dayBefore(h.Until))
	}
	return today
}

// keep writes into the user's history that what was held ended on a day, or, when
// it had ended before, that it did so earlier.
func (b *billed) keep(tx Tx, was Holding, end string) error {
	id := settingID(b.User)
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return err
	}
	h := history{}
	if rec != nil {
		if h, err = historyOf(rec); err != nil {
			return err
		}
	}
	h.User, h.Email = b.User, b.Email
	for i := range h.Past {
		h.Past[i].To = min(h.Past[i].To, max(end, h.Past[i].From))
	}
	if was.SKU != "" {
		h.Past = append(h.Past, Interval{Package: was.SKU, Location: was.Location, From: was.From, To: end})
	}
	old := b.Now.AddDate(-historyYears, 0, 0).Format(dayLayout)
	h.Past = slices.DeleteFunc(h.Past, func(iv Interval) bool { return iv.From >= iv.To || iv.To < old })
	return h.put(tx, rec, b.Now.UnixMilli())
}

// put asks for a history to be stored in place of before, or to go when nothing
// is in it.
func (h *history) put(tx Tx, before *Record, now int64) error {
	id := settingID(h.User)
	var had []Entry
	if before != nil {
		had = nounInterval.entries(id)
	}
	if len(h.Past) == 0 {
		if before != nil {
			tx.Delete(before, had)
		}
		return nil
	}
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the packages of a user: %w", err)
	}
	rec := &Record{Kind: KindSetting, ID: id, Version: 1, Created: now, Modified: now, Profile: body, Standing: nounInterval.standing()}
	if before != nil {
		rec.Version, rec.Created = before.Version+1, before.Created
	}
	tx.Put(before, rec, had, nounInterval.entries(id))
	return nil
}

func historyOf(rec *Record) (h history, err error) {
	if err := json.Unmarshal(rec.Profile, &h); err != nil {
		return h, fmt.Errorf("decode the packages of a user, setting %s: %w", rec.ID, err)
	}
	return h, nil
}

// factPackage is the short name under which UserAttr has users by the package
// they hold and the location it counts for.
const factPackage = "~b"

// packageKey is that entry; with "" for the location, and a prefix of it for any.
func packageKey(sku, location string) string {
	return AttrKey("User", factPackage, Folded(FoldSKU(sku)+keySeparator+location))
}

// entries appends where who holds a package is found; h may be nil.
func (h *Holding) entries(out []Entry) []Entry {
	if h == nil || h.SKU == "" {
		return out
	}
	return append(out, Entry{Index: UserAttr, Value: packageKey(h.SKU, h.Location)})
}

func (b *billed) event(tx Tx, typ, sku, day, location string) {
	tx.Event(Event{Type: typ, Kind: KindUser, ID: b.User, Actor: b.Actor, Request: b.Request, SKU: sku, Rule: "BR-176", Day: day, At: location})
}

// dayAfter and dayBefore are the days beside one; a text that is no day stays.
func dayAfter(day string) string { return dayPlus(day, 1) }

func dayBefore(day string) string { return dayPlus(day, -1) }

func dayPlus(day string, n int) string {
	t, err := time.Parse(dayLayout, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, n).Format(dayLayout)
}

// daysBetween counts the days of [from, to); 0 when there are none.
func daysBetween(from, to string) int {
	a, errA := time.Parse(dayLayout, from)
	b, errB := time.Parse(dayLayout, to)
	if errA != nil || errB != nil || !a.Before(b) {
		return 0
	}
	return int(b.Sub(a) / (24 * time.Hour))
}
