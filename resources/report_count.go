package resources

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// dayCount counts users and their days.
type dayCount struct {
	Users int `json:"u"`
	Days  int `json:"d"`

	last string // the user counted last
}

func (t *dayCount) add(user string, days int) {
	if t.last != user {
		t.Users++
	}
	t.last = user
	t.Days += days
}

// count adds what a user held during the period. Either of the two may be nil.
func (w *reporting) count(rec *Record, h *history) {
	user, email, held := "", "", []Interval(nil)
	if h != nil {
		user, email, held = h.User, h.Email, slices.Clone(h.Past)
	}
	if rec != nil {
		user = rec.ID
		if now := StandingOf(rec).Package; now != nil && now.SKU != "" && !slices.ContainsFunc(held, func(iv Interval) bool { return iv.To > now.From }) {
			held = append(held, Interval{Package: now.SKU, Location: now.Location, From: now.From, To: w.end})
		}
	}
	held = within(held, w.report.From, w.end)
	if len(held) == 0 {
		return
	}
	if rec != nil && w.report.Level == LevelUser {
		email = identityOf(rec)
	}
	for _, iv := range held {
		days := daysBetween(iv.From, iv.To)
		dayCountOf(&w.cur.Packs, iv.Package).add(user, days)
		if w.report.Level != LevelUser {
			dayCountOf(&w.cur.Tally, attrOf(iv.Package, iv.Location)).add(user, days)
			continue
		}
		w.rows = append(w.rows, ReportRow{
			Org: w.org.Slug, Location: w.plan.locationName(iv.Location), User: user, Email: email, Package: iv.Package,
			From: iv.From, To: dayBefore(iv.To), Days: days, Users: 1, Share: share(days, w.report.Days),
		})
	}
}

// within cuts intervals to [from, to) and joins those that go on as they were.
func within(held []Interval, from, to string) []Interval {
	var out []Interval
	for _, iv := range held {
		iv.From, iv.To = max(iv.From, from), min(iv.To, to)
		if iv.From >= iv.To {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == iv.From && FoldSKU(out[n-1].Package) == FoldSKU(iv.Package) && out[n-1].Location == iv.Location {
			out[n-1].To = iv.To
			continue
		}
		out = append(out, iv)
	}
	return out
}

func dayCountOf(m *map[string]*dayCount, key string) *dayCount {
	if *m == nil {
		*m = make(map[string]*dayCount)
	}
	t := (*m)[key]
	if t == nil {
		t = &dayCount{}
		(*m)[key] = t
	}
	return t
}

// sum makes the rows of an organization out of what was counted.
func (w *reporting) sum() {
	from := len(w.rows)
	for key, t := range w.cur.Tally {
		sku, location, _ := strings.Cut(key, keySeparator)
		w.rows = append(w.rows, ReportRow{
			Org: w.org.Slug, Location: w.plan.locationName(location), Package: sku,
			Days: t.Days, Users: t.Users, Share: share(t.Days, w.report.Days),
		})
	}
	slices.SortFunc(w.rows[from:], func(a, b ReportRow) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Days, b.Days))
	})
}

// totals fills in the sums of a report.
func (r *Report) totals(packs map[string]*dayCount) {
	r.UserDays, r.ByPack = 0, nil
	for _, sku := range slices.Sorted(maps.Keys(packs)) {
		t := packs[sku]
		r.UserDays += t.Days
		r.ByPack = append(r.ByPack, PackTotal{Package: sku, Users: t.Users, UserDays: t.Days, Share: share(t.Days, r.Days)})
	}
}

// identityOf is the identity e-mail of a stored user as it was sent, or "".
func identityOf(rec *Record) string {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return "" // the row is still about the user with this id
	}
	u := UserOf(&doc)
	return u.Identity
}

// locationName names a location for people; one that is gone by its id.
func (p *Plan) locationName(id string) string {
	if l := p.location(id); l != nil {
		return l.Name
	}
	return id
}
