package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/usher-scim/usher/resources"
)

func findConditions(w *world) error {
	town, err := w.town(48)
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
			for _, q := range []resources.Query{
				{Where: &c, Limit: 5}, {Where: &c, Limit: 5, Offset: 3, Descending: true}, {Where: &c, Limit: 100}, {Where: &c},
			} {
				if err := w.ask(o, q, found); err != nil {
					return fmt.Errorf("condition %q: %w", name, err)
				}
			}
		}
	}
	return nil
}

func findOrders(w *world) error {
	town, err := w.town(40)
	if err != nil {
		return err
	}
	c := prefix(resources.UserNameOrder, "a")
	var some []person
	for _, p := range town {
		if p.holds(c) {
			some = append(some, p)
		}
	}
	for _, o := range orderings() {
		if err := w.everyPage(o, resources.Query{}, town); err != nil {
			return fmt.Errorf("everybody: %w", err)
		}
		if err := w.everyPage(o, resources.Query{Where: &c}, some); err != nil {
			return fmt.Errorf("names with a prefix: %w", err)
		}
	}
	return nil
}

func findMatches(w *world) error {
	town, err := w.town(40)
	if err != nil {
		return err
	}
	match := func(r *resources.Record) bool { return strings.Contains(string(r.Profile), `"anna`) }
	broad := resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}
	for name, q := range map[string]resources.Query{
		"no index":        {Match: match},
		"a needle":        {Match: match, Needle: `"anna`},
		"a wrong needle":  {Match: match, Needle: "no such text"},
		"an index":        {Match: match, Where: &broad},
		"and of indexes":  {Match: match, Where: new(and(broad, prefix(resources.UserNameOrder, "a")))},
		"or of indexes":   {Match: match, Where: new(or(broad, prefix(resources.UserNameOrder, "a")))},
		"groups too":      {Match: match, WithGroups: true},
		"without groups":  {Match: match, NoGroups: true},
		"all of a prefix": {Match: func(*resources.Record) bool { return true }, Where: new(prefix(resources.UserNameOrder, "b"))},
	} {
		var found []person
		for _, p := range town {
			// An AND may be narrowed by one of its terms only.
			if (q.Where == nil || p.holds(*q.Where)) && q.Match(p.rec) && q.Needle != "no such text" {
				found = append(found, p)
			}
		}
		if q.Where != nil && q.Where.Op == resources.CondAnd {
			where := *q.Where
			exact := q.Match
			q.Match = func(r *resources.Record) bool {
				at := slices.IndexFunc(town, func(p person) bool { return p.rec.ID == r.ID })
				return exact(r) && town[at].holds(where)
			}
		}
		for _, o := range orderings() {
			if err := w.everyPage(o, q, found); err != nil {
				return fmt.Errorf("with %s: %w", name, err)
			}
		}
	}
	return nil
}

// twoGroups makes group a of six users, group b of the first user and of a,
// and a group of the first user that is deleted again.
func (w *world) twoGroups() (a, b, gone thing, users []thing, err error) {
	if a, users, err = w.withMembers(6); err != nil {
		return a, b, gone, users, err
	}
	if b, err = w.group("b"); err != nil {
		return a, b, gone, users, err
	}
	if gone, err = w.group("gone"); err != nil {
		return a, b, gone, users, err
	}
	if err = w.create(b, gone); err != nil {
		return a, b, gone, users, err
	}
	err = w.do(func(tx resources.Tx) {
		tx.Link(b.rec.ID, users[0].rec.ID, a.rec.ID)
		tx.Link(gone.rec.ID, users[0].rec.ID)
	})
	if err == nil {
		err = w.deleteGroup(gone)
	}
	return a, b, gone, users, err
}

func findGroups(w *world) error {
	a, b, gone, users, err := w.twoGroups()
	if err != nil {
		return err
	}
	one := func(op resources.CondOp, id string) resources.Cond { return resources.Cond{Op: op, Value: id} }
	for name, x := range map[string]struct {
		kind resources.Kind
		c    resources.Cond
		want []string
	}{
		"groups of a user":     {resources.KindGroup, one(resources.CondGroupsOf, users[0].rec.ID), idsOf([]thing{a, b})},
		"groups of a group":    {resources.KindGroup, one(resources.CondGroupsOf, a.rec.ID), idsOf([]thing{b})},
		"groups of nobody":     {resources.KindGroup, one(resources.CondGroupsOf, "nonsense"), nil},
		"users of a group":     {resources.KindUser, one(resources.CondMembersOf, b.rec.ID), idsOf(users[:1])},
		"groups of the group":  {resources.KindGroup, one(resources.CondMembersOf, b.rec.ID), idsOf([]thing{a})},
		"users of a gone one":  {resources.KindUser, one(resources.CondMembersOf, gone.rec.ID), nil},
		"users in both groups": {resources.KindUser, and(one(resources.CondMembersOf, a.rec.ID), one(resources.CondMembersOf, b.rec.ID)), idsOf(users[:1])},
		"users in either":      {resources.KindUser, or(one(resources.CondMembersOf, a.rec.ID), one(resources.CondMembersOf, b.rec.ID)), idsOf(users)},
	} {
		page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: x.kind, Where: &x.c, Limit: 100})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var got []string
		for _, r := range page.Records {
			got = append(got, r.ID)
		}
		if err := sameIDs(got, sorted(x.want)); err != nil || page.Total != len(x.want) {
			return fmt.Errorf("%s: total %d, %w", name, page.Total, errors.Join(err, errPage))
		}
	}
	return w.findShows(a, b, users)
}

// findShows checks what the records of a page carry beside themselves.
func (w *world) findShows(a, b thing, users []thing) error {
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Limit: 100})
	if err != nil {
		return err
	}
	for _, r := range page.Records {
		want := []resources.GroupRef{{ID: a.rec.ID, Display: "team"}}
		if r.ID == users[0].rec.ID {
			want = append(want, resources.GroupRef{ID: b.rec.ID, Display: "b"})
			slices.SortFunc(want, func(x, y resources.GroupRef) int { return strings.Compare(x.ID, y.ID) })
		}
		if !slices.Equal(r.Groups, want) {
			return fmt.Errorf("a page shows the groups %v, want %v", r.Groups, want)
		}
	}
	seen := 0
	page, err = w.Store.Find(w.ctx, w.org, resources.Query{
		Kind: resources.KindGroup, Limit: 10, WithMembers: true,
		Match: func(r *resources.Record) bool {
			seen += len(r.Members)
			return slices.Contains(r.Members, users[0].rec.ID)
		},
	})
	if err != nil {
		return err
	}
	if page.Total != 2 || seen != 8 {
		return fmt.Errorf("by Match %d groups are found by %d members, want 2 by 8", page.Total, seen)
	}
	for _, r := range page.Records {
		if r.Links == 0 || r.LinksModified == 0 {
			return fmt.Errorf("a page does not show the links of %s", r.Display)
		}
	}
	return nil
}

func findBudget(w *world) error {
	if _, err := w.users("b", 30); err != nil {
		return err
	}
	all := func(*resources.Record) bool { return true }
	for budget, ok := range map[int]bool{29: false, 30: true} {
		page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Match: all, Limit: 1, Budget: budget})
		if ok && (err != nil || page.Total != 30) {
			return fmt.Errorf("a budget of %d for 30 records: %d, %w", budget, page.Total, errors.Join(err, errPage))
		}
		if !ok && !resources.HasCode(err, resources.CodeTooMany) {
			return saw(err, "a budget of %d for 30 records: want the error too_many", budget)
		}
	}
	c := prefix(resources.UserNameOrder, "b1")
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Where: &c, Limit: 100, Budget: 1})
	if err != nil || page.Total != 11 {
		return fmt.Errorf("what indexes decide costs budget: %d, %w", page.Total, errors.Join(err, errPage))
	}
	return nil
}

func findNonsense(w *world) error {
	for name, q := range map[string]resources.Query{
		"unknown kind":            {Kind: 9},
		"negative offset":         {Offset: -1},
		"sort by another kind":    {Sort: resources.GroupNameOrder},
		"sort without order":      {Sort: resources.UserEmail},
		"no operator":             {Where: &resources.Cond{}},
		"prefix of a hash":        {Where: &resources.Cond{Op: resources.CondPrefix, Index: resources.UserEmail}},
		"condition of a group":    {Where: &resources.Cond{Op: resources.CondIn, Index: resources.GroupAll}},
		"no index":                {Where: &resources.Cond{Op: resources.CondIs}},
		"bad one inside of an or": {Where: new(or(resources.Cond{Op: resources.CondIn, Index: resources.UserName}))},
	} {
		if _, err := w.Store.Find(w.ctx, w.org, q); err == nil || errors.Is(err, resources.ErrUnavailable) {
			return saw(err, "%s: want an error that nobody repeats", name)
		}
	}
	return nil
}

// findWhileWritten asks for pages of a span while records are made that stand
// before it in the index: no page holds a stranger or lacks one of the span.
func findWhileWritten(w *world) error {
	town, err := w.users("mid", 10)
	if err != nil {
		return err
	}
	all := idsOf(town) // in the order of their names
	where := prefix(resources.UserNameOrder, "mid")
	var done atomic.Bool
	errs := together(2, func(i int) error {
		if i == 1 {
			defer done.Store(true)
			for n := range 200 {
				if _, err := w.users(fmt.Sprintf("before%d-", n), 1); err != nil {
					return err
				}
			}
			return nil
		}
		for !done.Load() {
			for _, from := range []int{0, 4, 8} {
				q := resources.Query{Kind: resources.KindUser, Where: &where, Sort: resources.UserNameOrder, Offset: from, Limit: 4}
				page, err := w.Store.Find(w.ctx, w.org, q)
				if err != nil {
					return err
				}
				got := make([]string, len(page.Records))
				for i, r := range page.Records {
					got[i] = r.ID
				}
				if err := sameIDs(got, all[from:min(from+4, len(all))]); err != nil || page.Total != len(all) {
					return fmt.Errorf("from %d, total %d: %w", from, page.Total, err)
				}
			}
		}
		return nil
	})
	return errors.Join(errs...)
}
