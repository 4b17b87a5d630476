package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

func findChecks() []StoreCheck {
	return []StoreCheck{
		{"find-conditions", "Store.Find, CondOp", inWorld(findConditions)},
		{"find-orders-and-pages", "Query.Sort, Query.Offset, R-74", inWorld(findOrders)},
		{"find-while-written", "Store.Find, R-74", inWorld(findWhileWritten)},
		{"find-matches", "Query.Match, Query.Needle", inWorld(findMatches)},
		{"find-groups", "CondGroupsOf, CondMembersOf", inWorld(findGroups)},
		{"find-budget", "Query.Budget, security S15", inWorld(findBudget)},
		{"find-nonsense", "Query", inWorld(findNonsense)},
	}
}

// person is one user of the town that finds are checked on.
type person struct {
	thing
	name, display, external, mail string
	inactive                      bool
	modified                      int64
}

// town is users with values that repeat, prefix each other and are missing.
func (w *world) town(n int) ([]person, error) {
	stems := []string{"ann", "anna", "Bob", "bo", "čedo", "zed", "a-n", "émile"}
	out := make([]person, n)
	for i := range out {
		p := &out[i]
		p.name = fmt.Sprintf("%s%02d", stems[i%len(stems)], i)
		if i%3 != 0 {
			p.display = strings.ToUpper(stems[(i*5)%len(stems)])
		}
		if i%4 != 0 {
			p.external = fmt.Sprintf("x%d", i%6)
		}
		p.mail = fmt.Sprintf("%s@example.com", stems[(i*3)%len(stems)])
		p.inactive = i%5 == 0
		w.Advance(time.Duration(i%3) * time.Millisecond) // some share their time
		var err error
		if p.thing, err = w.user(p.name); err != nil {
			return nil, err
		}
		p.modified = p.rec.Modified
		p.add(resources.UserEmail, p.mail)
		if p.display != "" {
			p.add(resources.UserDisplayOrder, p.display)
		}
		if p.external != "" {
			p.add(resources.UserExternalID, p.external)
		}
		if p.inactive {
			p.add(resources.UserInactive, p.rec.ID)
		}
		if err := w.create(p.thing); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b person) int { return cmp.Compare(a.rec.ID, b.rec.ID) })
	return out, nil
}

func (p *person) add(i resources.Index, v string) {
	p.entries = append(p.entries, resources.Entry{Index: i, Value: i.Key(v)})
}

// holds evaluates a condition without any index.
func (p *person) holds(c resources.Cond) bool {
	switch c.Op {
	case resources.CondAnd:
		return !slices.ContainsFunc(c.Subs, func(s resources.Cond) bool { return !p.holds(s) })
	case resources.CondOr:
		return slices.ContainsFunc(c.Subs, p.holds)
	case resources.CondIDs:
		return slices.Contains(c.IDs, p.rec.ID)
	case resources.CondRange:
		if c.Index == resources.UserModified {
			return c.From <= p.modified && p.modified <= c.To
		}
	}
	return slices.ContainsFunc(p.entries, func(e resources.Entry) bool {
		if e.Index != c.Index {
			return false
		}
		switch c.Op {
		case resources.CondIs:
			return e.Value == c.Value
		case resources.CondPrefix:
			return strings.HasPrefix(e.Value, c.Value)
		case resources.CondContains:
			return strings.Contains(e.Value, c.Value)
		case resources.CondRange:
			return c.FromID <= p.rec.ID && (c.ToID == "" || p.rec.ID < c.ToID)
		}
		return c.Op == resources.CondIn
	})
}

func is(i resources.Index, v string) resources.Cond {
	return resources.Cond{Op: resources.CondIs, Index: i, Value: i.Key(v)}
}

func prefix(i resources.Index, v string) resources.Cond {
	return resources.Cond{Op: resources.CondPrefix, Index: i, Value: i.Key(v)}
}

func and(subs ...resources.Cond) resources.Cond {
	return resources.Cond{Op: resources.CondAnd, Subs: subs}
}

func or(subs ...resources.Cond) resources.Cond {
	return resources.Cond{Op: resources.CondOr, Subs: subs}
}

// conditions are questions of every kind about a town.
func conditions(town []person) map[string]resources.Cond {
	mid, last := town[len(town)/2], town[len(town)-1]
	ids := resources.Cond{Op: resources.CondRange, Index: resources.UserAll, FromID: town[3].rec.ID, ToID: mid.rec.ID}
	times := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: town[5].modified, To: mid.modified}
	inactive := resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}
	contains := resources.Cond{Op: resources.CondContains, Index: resources.UserNameOrder, Value: "n"}
	few := resources.Cond{Op: resources.CondIDs, IDs: []string{last.rec.ID, "nonsense", town[0].rec.ID, last.rec.ID, strings.Repeat("0", 20)}}
	return map[string]resources.Cond{
		"unique":             is(resources.UserName, mid.name),
		"unique, none":       is(resources.UserName, "nobody"),
		"equal":              is(resources.UserExternalID, "x1"),
		"equal mail":         is(resources.UserEmail, "ANNA@example.com"),
		"equal, none":        is(resources.UserExternalID, "none"),
		"text":               is(resources.UserDisplayOrder, "anna"),
		"prefix":             prefix(resources.UserNameOrder, "AN"),
		"prefix, accents":    prefix(resources.UserNameOrder, "č"),
		"prefix, empty":      prefix(resources.UserNameOrder, ""),
		"prefix, none":       prefix(resources.UserNameOrder, "q"),
		"contains":           contains,
		"ids from to":        ids,
		"ids from":           {Op: resources.CondRange, Index: resources.UserAll, FromID: mid.rec.ID},
		"times":              times,
		"times, none":        {Op: resources.CondRange, Index: resources.UserModified, From: 1, To: 2},
		"one time":           {Op: resources.CondRange, Index: resources.UserModified, From: mid.modified, To: mid.modified},
		"in":                 inactive,
		"list":               few,
		"list, none":         {Op: resources.CondIDs},
		"and":                and(is(resources.UserExternalID, "x1"), times),
		"and of sets":        and(inactive, ids, times, prefix(resources.UserNameOrder, "a")),
		"and of text":        and(contains, prefix(resources.UserDisplayOrder, "b"), few),
		"and, one empty":     and(inactive, is(resources.UserName, "nobody")),
		"and of one":         and(prefix(resources.UserNameOrder, "bo")),
		"and of none":        and(),
		"or":                 or(is(resources.UserExternalID, "x1"), is(resources.UserExternalID, "x2"), is(resources.UserExternalID, "x1")),
		"or of sets":         or(inactive, ids, prefix(resources.UserNameOrder, "z")),
		"or of none":         or(),
		"or within and":      and(or(inactive, few), or(times, contains)),
		"and within or":      or(and(inactive, times), and(contains, ids)),
		"nested ands":        and(and(inactive, and(times)), or(contains)),
		"range with no ends": {Op: resources.CondRange, Index: resources.UserAll},
	}
}

var errPage = errors.New("the page is wrong")

// ordering is one way to sort, and the same way without the store.
type ordering struct {
	name  string
	index resources.Index
	key   func(*resources.Record) (string, bool)
	value func(*person) (string, bool)
}

func orderings() []ordering {
	profile := func(r *resources.Record) (string, bool) {
		// The profile of a town's user ends in a digit of its name or not.
		return r.Display[len(r.Display)-1:], r.Display[0] != 'z'
	}
	return []ordering{
		{name: "creation", value: func(*person) (string, bool) { return "", true }},
		{name: "by id index", index: resources.UserAll, value: func(*person) (string, bool) { return "", true }},
		{name: "name", index: resources.UserNameOrder, value: func(p *person) (string, bool) { return resources.UserNameOrder.Key(p.name), true }},
		{name: "display, some without", index: resources.UserDisplayOrder, value: func(p *person) (string, bool) {
			return resources.UserDisplayOrder.Key(p.display), p.display != ""
		}},
		{name: "modified", index: resources.UserModified, value: func(p *person) (string, bool) { return fmt.Sprintf("%015d", p.modified), true }},
		{name: "by key", key: profile, value: func(p *person) (string, bool) { return profile(p.rec) }},
	}
}

// expected orders and cuts the way the port promises.
func (o ordering) expected(found []person, q resources.Query) (total int, page []string) {
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b person) int {
		av, aok := o.value(&a)
		bv, bok := o.value(&b)
		if aok != bok {
			if aok {
				return -1
			}
			return 1
		}
		if !aok {
			av, bv = "", ""
		}
		return cmp.Or(cmp.Compare(av, bv), cmp.Compare(a.rec.ID, b.rec.ID))
	})
	if q.Descending {
		slices.Reverse(found)
	}
	from := min(q.Offset, len(found))
	to := min(from+q.Limit, len(found))
	page = []string{}
	for _, p := range found[from:to] {
		page = append(page, p.rec.ID)
	}
	return len(found), page
}

// ask compares the store's answer with the expected one.
func (w *world) ask(o ordering, q resources.Query, found []person) error {
	q.Kind, q.Sort, q.SortKey = resources.KindUser, o.index, o.key
	total, want := o.expected(found, q)
	page, err := w.Store.Find(w.ctx, w.org, q)
	if err != nil {
		return err
	}
	got := make([]string, len(page.Records))
	for i, r := range page.Records {
		got[i] = r.ID
	}
	if page.Total != total || !slices.Equal(got, want) {
		return fmt.Errorf("%w: sorted by %s, descending %v, from %d: total %d, want %d; %s, want %s",
			errPage, o.name, q.Descending, q.Offset, page.Total, total, firstIDs(got), firstIDs(want))
	}
	return nil
}

// everyPage asks for all pages in both directions.
func (w *world) everyPage(o ordering, q resources.Query, found []person) error {
	for _, descending := range []bool{false, true} {
		q.Descending = descending
		for offset := 0; offset <= len(found)+7; offset += 7 {
			q.Offset, q.Limit = offset, 7
			if err := w.ask(o, q, found); err != nil {
				return err
			}
		}
		for _, cut := range [][2]int{{0, 0}, {0, 1000}, {len(found) / 2, 1000}, {1000, 10}} {
			q.Offset, q.Limit = cut[0], cut[1]
			if err := w.ask(o, q, found); err != nil {
				return err
			}
		}
	}
	return nil
}
