package backend

import (
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// trace notes how a query is answered, when it asks for that, in words that
// say nothing of what is looked for (resources.Page.Plan):
//
//	rank uc              a page of an index by rank
//	key uz               a page of an index by position
//	scan uc needle       every record; with a cheap test of its text before Match
//	uc=12                12 ids of an index, read where they stand together
//	walk uz=3            3 ids, for which the whole index was walked
//	in ui=2              2 of the ids so far are in that index too
//	ids=1 ug=3 gm=9      ids that were named, groups of a member, members of a group
//	and(a, b) -> 2       what the terms have in common; terms may be left to Match
//	or(a, b) -> 4        what any of the terms has
//	… match 2 of 12      Match looked at 12 records and took 2
//	… by ud, by value    put in order by an index or by SortKey
type trace struct {
	way   string   // instead of terms
	terms []string // that ids has evaluated
	order string
	hits  int // records that Match took
}

// way notes that an index answers the query.
func (f *finder) way(word string, i resources.Index) {
	if f.q.Explain {
		f.trace.way = word + i.Code()
	}
}

// term notes what a condition gave; from is how many terms there were before
// it, those behind are its parts.
func (f *finder) term(c *resources.Cond, from, n int) {
	if !f.q.Explain {
		return
	}
	count := strconv.Itoa(n)
	switch c.Op {
	case resources.CondAnd, resources.CondOr:
		word := "and("
		if c.Op == resources.CondOr {
			word = "or("
		}
		if parts := f.trace.terms[from:]; len(parts) != 1 {
			all := word + strings.Join(parts, ", ") + ") -> " + count
			f.trace.terms = append(f.trace.terms[:from], all)
		}
	case resources.CondContains:
		f.trace.terms = append(f.trace.terms, "walk "+c.Index.Code()+"="+count)
	case resources.CondIDs:
		f.trace.terms = append(f.trace.terms, "ids="+count)
	case resources.CondGroupsOf:
		f.trace.terms = append(f.trace.terms, "ug="+count)
	case resources.CondMembersOf:
		f.trace.terms = append(f.trace.terms, "gm="+count)
	default:
		f.trace.terms = append(f.trace.terms, c.Index.Code()+"="+count)
	}
}

// tested notes how many ids an index knows of those so far.
func (f *finder) tested(c *resources.Cond, n int) {
	if f.q.Explain {
		f.trace.terms = append(f.trace.terms, "in "+c.Index.Code()+"="+strconv.Itoa(n))
	}
}

// plan tells how the query was answered.
func (f *finder) plan() string {
	s := f.trace.way
	if s == "" {
		s = strings.Join(f.trace.terms, ", ")
	}
	if f.q.Match != nil {
		s += " match " + strconv.Itoa(f.trace.hits) + " of " + strconv.Itoa(f.looked)
	}
	return s + f.trace.order
}
