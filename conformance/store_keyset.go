package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-scim/usher/resources"
)

func keysetChecks() []StoreCheck {
	return []StoreCheck{
		{"keyset-conditions", "Query.Keyset, CondOp", inWorld(keysetConditions)},
		{"keyset-orders-and-matches", "Query.Keyset, Query.Sort, Query.Match, R-132", inWorld(keysetOrders)},
		{"keyset-one-moment", "Query.Keyset over a Time index", inWorld(keysetOneMoment)},
		{"keyset-survives-changes", "Query.Keyset, R-132", inWorld(keysetSurvives)},
		{"keyset-empty-pages", "Page.Next, Page.Prev", inWorld(keysetEmptyPages)},
		{"keyset-budget", "Query.Keyset, Query.Budget, security S15", inWorld(keysetBudget)},
		{"keyset-nonsense", "Query.Keyset, CodeInvalidCursor", inWorld(keysetNonsense)},
		{"find-plans", "Page.Plan", inWorld(findPlans)},
	}
}

// leafOf asks for one page and checks what must hold of every page.
func (w *world) leafOf(q resources.Query, want []string, total int, before, behind bool) (resources.Page, error) {
	page, err := w.Store.Find(w.ctx, w.org, q)
	if err != nil {
		return page, err
	}
	var got []string
	for _, r := range page.Records {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) || (page.Prev != "") != before || (page.Next != "") != behind || (page.Total != total && page.Total != -1) {
		return page, fmt.Errorf("%w: behind %q backward %v descending %v: %s, want %s; before %v %v, behind %v %v, total %d of %d",
			errPage, q.After, q.Backward, q.Descending, firstIDs(got), firstIDs(want), page.Prev != "", before, page.Next != "", behind, page.Total, total)
	}
	if page.Total == -1 && q.Match == nil {
		return page, fmt.Errorf("%w: no total although nothing is looked at", errPage)
	}
	return page, nil
}

// throughout walks over all pages to the end, from each page back to the one
// before, and backwards from the end.
func (w *world) throughout(o ordering, q resources.Query, found []person, limit int) error {
	q.Kind, q.Sort, q.SortKey, q.Keyset, q.Limit = resources.KindUser, o.index, o.key, true, limit
	for _, q.Descending = range []bool{false, true} {
		total, all := o.expected(found, resources.Query{Limit: len(found), Descending: q.Descending})
		pages := slices.Collect(slices.Chunk(all, limit))
		if len(pages) == 0 {
			pages = [][]string{nil}
		}
		q.After, q.Backward = "", false
		for i, want := range pages {
			page, err := w.leafOf(q, want, total, i > 0, i < len(pages)-1)
			if err != nil {
				return fmt.Errorf("by %s, page %d: %w", o.name, i, err)
			}
			if i > 0 {
				back := q
				back.After, back.Backward = page.Prev, true
				if _, err := w.leafOf(back, pages[i-1], total, i > 1, true); err != nil {
					return fmt.Errorf("by %s, back from page %d: %w", o.name, i, err)
				}
			}
			q.After = page.Next
		}
		q.After, q.Backward = "", true
		for end := len(all); end > 0; end = max(end-limit, 0) {
			page, err := w.leafOf(q, all[max(end-limit, 0):end], total, end > limit, end < len(all))
			if err != nil {
				return fmt.Errorf("by %s, backwards from %d: %w", o.name, end, err)
			}
			q.After = page.Prev
		}
	}
	return nil
}

func keysetConditions(w *world) error {
	town, err := w.town(30)
	if err != nil {
		return err
	}
	for name, c := range conditions(town) {
		var found []person
		for _, p := range town {
			if p.holds(c) {
				found = append(found, p)
			}
		}
		for _, o := range orderings() {
			if err := w.throughout(o, resources.Query{Where: &c}, found, 4); err != nil {
				return fmt.Errorf("condition %q: %w", name, err)
			}
		}
	}
	return nil
}

func keysetOrders(w *world) error {
	town, err := w.town(30)
	if err != nil {
		return err
	}
	match := func(r *resources.Record) bool { return strings.Contains(string(r.Profile), `"anna`) }
	broad := resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}
	some := or(broad, prefix(resources.UserNameOrder, "a"))
	anna := is(resources.UserDisplayOrder, "anna")
	for name, q := range map[string]resources.Query{
		"everybody":         {},
		"a match":           {Match: match},
		"a needle":          {Match: match, Needle: `"anna`},
		"an index":          {Match: match, Where: &broad},
		"a prefix":          {Match: match, Where: new(prefix(resources.UserNameOrder, "a"))},
		"one value":         {Match: match, Where: &anna},
		"or of indexes":     {Match: match, Where: &some},
		"nobody":            {Match: func(*resources.Record) bool { return false }},
		"nobody of a value": {Match: func(*resources.Record) bool { return false }, Where: &anna},
	} {
		var found []person
		for _, p := range town {
			if (q.Where == nil || p.holds(*q.Where)) && (q.Match == nil || q.Match(p.rec)) {
				found = append(found, p)
			}
		}
		for _, o := range append(orderings(), longKeys) {
			for _, limit := range []int{1, 3, 200} {
				if err := w.throughout(o, q, found, limit); err != nil {
					return fmt.Errorf("%s, pages of %d: %w", name, limit, err)
				}
			}
		}
	}
	return nil
}

// longKeys orders by values that are alike in all that counts of them.
var longKeys = ordering{
	name:  "long keys",
	key:   func(r *resources.Record) (string, bool) { return strings.Repeat("x", 512) + r.Display, true },
	value: func(*person) (string, bool) { return "", true },
}

// keysetOneMoment: many records of one time, which a position by time alone
// could not tell apart.
func keysetOneMoment(w *world) error {
	users, err := w.users("m", 40)
	if err != nil {
		return err
	}
	moment := users[0].rec.Modified
	found := make([]person, 0, len(users))
	for _, u := range users {
		if u.rec.Modified != moment {
			return errors.New("the clock of the checks moves by itself")
		}
		found = append(found, person{thing: u, name: u.rec.Display, modified: moment})
	}
	slices.SortFunc(found, func(a, b person) int { return strings.Compare(a.rec.ID, b.rec.ID) })
	c := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: moment, To: moment}
	for _, o := range orderings() {
		if o.index != resources.UserModified {
			continue
		}
		for _, limit := range []int{1, 7, 40} {
			err := errors.Join(w.throughout(o, resources.Query{}, found, limit), w.throughout(o, resources.Query{Where: &c}, found, limit))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// keysetSurvives: between the pages the record of the position goes, others go
// and come on both sides; who stays is shown once.
func keysetSurvives(w *world) error {
	for _, o := range orderings() {
		for _, descending := range []bool{false, true} {
			for _, c := range []*resources.Cond{nil, new(or(prefix(resources.UserNameOrder, "k"), is(resources.UserName, "none")))} {
				for _, match := range []func(*resources.Record) bool{nil, func(*resources.Record) bool { return true }} {
					q := resources.Query{Kind: resources.KindUser, Where: c, Match: match, Sort: o.index, SortKey: o.key, Descending: descending, Keyset: true}
					for _, q.Limit = range []int{1, 5, 13} { // 12 of 24 have no displayName
						if err := newWorld(w.ctx, w.StoreEnv).disturbed(q); err != nil {
							return fmt.Errorf("by %s, descending %v, condition %v, match %v, limit %d: %w", o.name, descending, c != nil, match != nil, q.Limit, err)
						}
					}
				}
			}
		}
	}
	return nil
}

// crowd is users of which every other one has a displayName.
func (w *world) crowd(n int) (map[string]thing, error) {
	all := make(map[string]thing, n)
	list := make([]thing, n)
	for i := range n {
		u, err := w.user(fmt.Sprintf("k%d", i))
		if err != nil {
			return nil, err
		}
		if i%2 == 0 {
			u.entries = append(u.entries, resources.Entry{Index: resources.UserDisplayOrder, Value: fmt.Sprintf("d%d", i%6)})
		}
		list[i], all[u.rec.ID] = u, u
	}
	return all, w.create(list...)
}

// disturbed walks while the ends of each page go, and with pages of more than
// one others come.
func (w *world) disturbed(q resources.Query) error {
	crowd, err := w.crowd(24)
	if err != nil {
		return err
	}
	gone, seen, left := map[string]bool{}, map[string]int{}, 0
	for pages := 0; ; pages++ {
		page, err := w.Store.Find(w.ctx, w.org, q)
		if err != nil {
			return err
		}
		if (left > 0 && page.Prev == "") || (q.Limit == 1 && page.Prev != "") {
			return fmt.Errorf("page %d says %q of what is before it, and %d that were shown are left", pages, page.Prev, left)
		}
		for _, r := range page.Records {
			seen[r.ID]++
		}
		if q.After = page.Next; q.After == "" {
			break
		}
		if pages > 60 {
			return errors.New("the walk does not end")
		}
		left += len(page.Records)
		for _, r := range []*resources.Record{page.Records[0], page.Records[len(page.Records)-1]} {
			if u, ok := crowd[r.ID]; ok && !gone[r.ID] {
				gone[r.ID] = true
				left--
				if err := w.remove(u); err != nil {
					return err
				}
			}
		}
		if q.Limit == 1 { // so that at last only one is left
			continue
		}
		if _, err := w.users(fmt.Sprintf("k%d-", pages), 1); err != nil {
			return err
		}
	}
	for id, u := range crowd {
		if n := seen[id]; n > 1 || (n == 0 && !gone[id]) {
			return fmt.Errorf("%s was shown %d times, deleted: %v", u.rec.Display, n, gone[id])
		}
	}
	return nil
}

// keysetEmptyPages: a page that has nothing any more still leads back.
func keysetEmptyPages(w *world) error {
	for _, o := range orderings() {
		x := newWorld(w.ctx, w.StoreEnv)
		crowd, err := x.crowd(9)
		if err != nil {
			return err
		}
		q := resources.Query{Kind: resources.KindUser, Sort: o.index, SortKey: o.key, Keyset: true, Limit: 3}
		var pages []resources.Page
		for range 3 {
			page, err := x.Store.Find(x.ctx, x.org, q)
			if err != nil {
				return err
			}
			pages, q.After = append(pages, page), page.Next
		}
		for _, r := range append(pages[0].Records, pages[2].Records...) {
			if err := x.remove(crowd[r.ID]); err != nil {
				return err
			}
		}
		for _, from := range []struct {
			after    string
			backward bool
		}{{pages[1].Next, false}, {pages[1].Prev, true}} {
			q.After, q.Backward = from.after, from.backward
			page, err := x.Store.Find(x.ctx, x.org, q)
			way, dead := page.Prev, page.Next
			if from.backward {
				way, dead = dead, way
			}
			if err != nil || len(page.Records) > 0 || way == "" || dead != "" {
				return saw(err, "by %s: an empty page (%d records) leads %q and %q", o.name, len(page.Records), page.Prev, page.Next)
			}
			q.After, q.Backward = way, !from.backward
			if page, err = x.Store.Find(x.ctx, x.org, q); err != nil || len(page.Records) != 3 || page.Prev != "" || page.Next != "" {
				return saw(err, "by %s: behind an empty page are %d records, want 3, and %q, %q", o.name, len(page.Records), page.Prev, page.Next)
			}
		}
	}
	return nil
}

// remove deletes a record that nothing refers to.
func (w *world) remove(x thing) error {
	_, err := w.update(func(tx resources.Tx) error {
		before, err := tx.Read(x.rec.Kind, x.rec.ID)
		if err == nil {
			tx.Delete(before, x.entries)
		}
		return err
	})
	return err
}
