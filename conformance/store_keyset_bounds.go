package conformance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

// keysetBudget: what a page may look at is bounded; it ends early when it has
// something to show, and is refused when it has not.
func keysetBudget(w *world) error {
	for i := range 40 {
		w.Advance(time.Millisecond) // so that ids come in this order
		if _, err := w.users(fmt.Sprintf("b%d-", i), 1); err != nil {
			return err
		}
	}
	q := resources.Query{Kind: resources.KindUser, Keyset: true, Limit: 10, Budget: 12, Match: func(r *resources.Record) bool {
		return strings.HasSuffix(r.Display, "5-0")
	}}
	shown := 0
	for pages := 1; ; pages++ {
		page, err := w.Store.Find(w.ctx, w.org, q)
		if err != nil {
			return fmt.Errorf("page %d: %w", pages, err)
		}
		if (len(page.Records) == 0) != (page.Next == "") || page.Total != -1 || pages > 20 {
			return fmt.Errorf("%w: page %d has %d records, total %d", errPage, pages, len(page.Records), page.Total)
		}
		shown += len(page.Records)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if shown != 4 {
		return fmt.Errorf("%w: %d users were shown, want 4", errPage, shown)
	}
	q.After, q.Budget, q.Match = "", 39, func(r *resources.Record) bool { return r.Display == "nobody" }
	if _, err := w.Store.Find(w.ctx, w.org, q); !resources.HasCode(err, resources.CodeTooMany) {
		return saw(err, "a budget of 39 for 40 records and no match: want the error too_many")
	}
	return nil
}

func keysetNonsense(w *world) error {
	users, err := w.users("n", 10)
	if err != nil {
		return err
	}
	id := users[0].rec.ID
	base := resources.Query{Kind: resources.KindUser, Keyset: true, Limit: 3}
	for name, change := range map[string]func(q *resources.Query){
		"an offset":                  func(q *resources.Query) { q.Offset = 1 },
		"no limit":                   func(q *resources.Query) { q.Limit = 0 },
		"a position with an offset":  func(q *resources.Query) { q.Keyset, q.After = false, "i"+id },
		"a direction with an offset": func(q *resources.Query) { q.Keyset, q.Backward = false, true },
	} {
		q := base
		change(&q)
		if _, err := w.Store.Find(w.ctx, w.org, q); err == nil || errors.Is(err, resources.ErrUnavailable) {
			return saw(err, "%s: want an error that nobody repeats", name)
		}
	}
	first, err := w.Store.Find(w.ctx, w.org, base)
	if err != nil {
		return err
	}
	byName := base
	byName.Sort, byName.Where = resources.UserNameOrder, new(prefix(resources.UserNameOrder, "n2"))
	byTime := base
	byTime.Sort = resources.UserModified
	for name, x := range map[string]struct {
		q     resources.Query
		after string
	}{
		"another order":     {byName, first.Next},
		"another order too": {byTime, first.Next},
		"a cut one":         {base, first.Next[:len(first.Next)-1]},
		"a longer one":      {base, first.Next + "0"},
		"nonsense":          {base, "nonsense"},
		"one letter":        {base, "i"},
		"the wrong end":     {base, ">"},
		"outside of a span": {byName, "k" + id + "n1"},
		"behind of a span":  {byName, "k" + id + "n3"},
	} {
		x.q.After = x.after
		if _, err := w.Store.Find(w.ctx, w.org, x.q); !resources.HasCode(err, resources.CodeInvalidCursor) {
			return saw(err, "%s: want the error invalid_cursor", name)
		}
	}
	return nil
}

// findPlans: which indexes answer which question, for offsets and positions.
func findPlans(w *world) error {
	town, err := w.town(48)
	if err != nil {
		return err
	}
	match := func(r *resources.Record) bool { return strings.Contains(string(r.Profile), `"anna`) }
	inactive := resources.Cond{Op: resources.CondIn, Index: resources.UserInactive}
	contains := resources.Cond{Op: resources.CondContains, Index: resources.UserNameOrder, Value: "nn"}
	times := resources.Cond{Op: resources.CondRange, Index: resources.UserModified, From: town[5].modified, To: town[20].modified}
	ids := resources.Cond{Op: resources.CondIDs, IDs: []string{town[0].rec.ID, "nonsense"}}
	key := func(r *resources.Record) (string, bool) { return r.Display, true }
	for _, x := range []struct {
		q      resources.Query
		offset string
		keyset string // "": the same
	}{
		{resources.Query{}, "rank uc", "key uc"},
		{resources.Query{Sort: resources.UserNameOrder, Descending: true}, "rank uz", "key uz"},
		{resources.Query{Sort: resources.UserModified}, "rank ul", "key ul"},
		{resources.Query{Sort: resources.UserDisplayOrder}, "uc=48 by ud", ""},
		{resources.Query{Sort: resources.UserDisplayOrder, Where: new(prefix(resources.UserDisplayOrder, "b"))}, "rank ud", "key ud"},
		{resources.Query{SortKey: key}, "scan uc by value", ""},
		{resources.Query{Match: match}, "scan uc match 6 of 48", "key uc match 6 of 48"},
		{resources.Query{Match: match, Needle: `"anna`}, "scan uc needle match 6 of 48", "key uc match 6 of 48"},
		{resources.Query{Where: new(is(resources.UserName, "anna01"))}, "un=1", ""},
		{resources.Query{Where: new(is(resources.UserName, "nobody"))}, "un=0", ""},
		{resources.Query{Where: new(is(resources.UserExternalID, "x1")), Match: match}, "ux=8 match 2 of 8", ""},
		{resources.Query{Where: new(is(resources.UserDisplayOrder, "anna"))}, "rank ud", "key ud"},
		{resources.Query{Where: &inactive}, "rank ui", "key ui"},
		{resources.Query{Where: &inactive, Sort: resources.UserNameOrder}, "ui=10 by uz", ""},
		{resources.Query{Where: &contains}, "walk uz=12", ""},
		{resources.Query{Where: &ids}, "ids=1", ""},
		{resources.Query{Where: new(and(is(resources.UserExternalID, "x1"), inactive))}, "and(ux=8, in ui=1) -> 1", ""},
		{resources.Query{Where: new(and(contains, times, prefix(resources.UserDisplayOrder, "b")))}, "and(ud=8, in ul=2, walk uz=12) -> 0", ""},
		{resources.Query{Where: new(and(is(resources.UserExternalID, "x1"), inactive)), Match: match}, "ux=8 match 2 of 8", ""},
		{resources.Query{Where: new(or(ids, is(resources.UserExternalID, "x1"), times))}, "or(ids=1, ux=8, ul=17) -> 23", ""},
		{resources.Query{Where: new(or(and(inactive, times), ids)), Match: match}, "or(ui=10, ids=1) -> 10 match 1 of 10", ""},
		{resources.Query{Where: new(is(resources.UserName, "anna01")), SortKey: key}, "un=1", "un=1 by value"},
	} {
		x.q.Kind, x.q.Limit, x.q.Explain = resources.KindUser, 100, true
		if x.keyset == "" {
			x.keyset = x.offset
		}
		page, err := w.Store.Find(w.ctx, w.org, x.q)
		if err != nil || page.Plan != x.offset {
			return saw(err, "the plan is %q, want %q", page.Plan, x.offset)
		}
		x.q.Keyset = true
		if page, err = w.Store.Find(w.ctx, w.org, x.q); err != nil || page.Plan != x.keyset {
			return saw(err, "the plan of a page by position is %q, want %q", page.Plan, x.keyset)
		}
	}
	return nil
}
