package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/usher-scim/usher/internal/jsontree"
)

// UserQuery is what an administrator looks for; empty fields do not narrow
// (BR-070).
type UserQuery struct {
	Search   string // part of a name, userName or e-mail address, without case and accents
	State    string // one of domain.md §3.1, or NeverActivated
	Licence  string // SKU, held or asked for
	Status   string // of that licence, or of any: assigned, error
	Package  string // SKU asked for as the package
	Location string // id or name of the location that the user is at
	Source   string // provisionSource
	Grant    string // type of a licence's source
	Issue    string // code
	Role     string
	Numbers  bool // "numbers to complete": calling with a temporary extension (BR-193)
	After    string
	Limit    int
}

// NeverActivated stands for the states of users who have yet to sign in for the
// first time and may (BR-090).
const NeverActivated = "never_activated"

// Users answers an administrator's list of users, in order of creation, page by
// page (Page.Next). Codes: too_many, invalid_cursor.
func (d *Directory) Users(ctx context.Context, c Caller, q UserQuery) (Page, error) {
	if c.mayAdmin(AreaUsers, false) != nil {
		if err := c.may(KindUser, false); err != nil {
			return Page{}, err
		}
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	query := Query{Kind: KindUser, Where: q.where(), Keyset: true, After: q.After, Limit: q.Limit, NoGroups: true, Budget: d.budget}
	query.Match = q.match()
	page, err := d.store.Find(ctx, c.Org, query)
	if err != nil {
		return Page{}, fmt.Errorf("list users: %w", err)
	}
	return page, nil
}

// where is the condition that indexes answer; nil for everybody.
func (q *UserQuery) where() *Cond {
	all := Cond{Op: CondAnd}
	is := func(fact, value string) Cond {
		return Cond{Op: CondIs, Index: UserAttr, Value: factKey(fact, value)}
	}
	path := func(p, value string) {
		if value != "" {
			all.Subs = append(all.Subs, is(facts[p], value))
		}
	}
	if q.State == NeverActivated {
		all.Subs = append(all.Subs, *neverActivated())
	} else {
		path(LifecycleURN+":state", q.State)
	}
	path(LifecycleURN+":issues.code", q.Issue)
	path(LicenceUserURN+":package", q.Package)
	path(LicenceUserURN+":effective.source", q.Grant)
	switch {
	case q.Licence != "" && q.Status != "":
		all.Subs = append(all.Subs, *heldBy(q.Licence, AssignmentStatus(strings.ToLower(q.Status))))
	case q.Licence != "":
		all.Subs = append(all.Subs, Cond{Op: CondOr, Subs: []Cond{
			is(facts[LicenceUserURN+":effective.value"], q.Licence), is(facts[LicenceUserURN+":licenses"], q.Licence),
		}})
	case !q.assigned():
		path(LicenceUserURN+":effective.status", q.Status)
	}
	if q.Location != "" {
		all.Subs = append(all.Subs, Cond{Op: CondOr, Subs: []Cond{
			is(factPlace, q.Location), is(facts[CallingURN+":effectiveLocation"], q.Location),
		}})
	}
	if q.Role != "" {
		all.Subs = append(all.Subs, is(factRole, q.Role))
	}
	if q.Numbers {
		path(CallingURN+":temporaryExtension", "true")
	}
	if !q.scimOnly() {
		path(OrganizationURN+":provisionSource", q.Source)
	}
	if len(all.Subs) == 0 {
		return nil
	}
	return &all
}

// scimOnly asks for who came by SCIM, which is nearly everybody and stands in no
// index.
func (q *UserQuery) scimOnly() bool { return strings.EqualFold(q.Source, "SCIM") }

// assigned asks for a status that nearly every assignment has and that stands in
// no index.
func (q *UserQuery) assigned() bool { return strings.EqualFold(q.Status, string(Assigned)) }

// match decides what indexes cannot; nil when they decide all.
func (q *UserQuery) match() func(*Record) bool {
	var tests []func(*Record) bool
	if q.scimOnly() {
		tests = append(tests, cameBySCIM)
	}
	if q.assigned() {
		tests = append(tests, func(rec *Record) bool { return holdsSome(rec, q.Licence) })
	}
	if q.Search != "" {
		tests = append(tests, matching(q.Search))
	}
	if len(tests) == 0 {
		return nil
	}
	return func(rec *Record) bool {
		return !slices.ContainsFunc(tests, func(test func(*Record) bool) bool { return !test(rec) })
	}
}

// holdsSome reports whether a user has a product assigned; "" is any.
func holdsSome(rec *Record, sku string) bool {
	s := StandingOf(rec)
	return slices.ContainsFunc(s.Licences, func(a Assignment) bool {
		return a.Status == Assigned && (sku == "" || sameSKU(a.SKU, sku))
	})
}

func cameBySCIM(rec *Record) bool { return StandingOf(rec).Source == "" }

// matching looks for a text in what people know a user by.
func matching(search string) func(*Record) bool {
	needle := bare(search)
	return func(rec *Record) bool {
		doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
		if err != nil {
			return false
		}
		texts := []string{doc.GetString("userName"), doc.GetString("displayName"), doc.GetString("nickName")}
		if n := doc.Get("name"); n != nil && n.Kind == jsontree.Object {
			given, family := n.GetString("givenName"), n.GetString("familyName")
			texts = append(texts, n.GetString("formatted"), given+" "+family, family+" "+given)
		}
		all, _ := emailsOf(doc.Get("emails"))
		for _, text := range append(texts, all...) {
			if strings.Contains(bare(text), needle) {
				return true
			}
		}
		return false
	}
}

// bare is text without case and accents.
func bare(text string) string {
	ascii := true
	for i := range len(text) {
		ascii = ascii && text[i] < 0x80
	}
	if ascii {
		return strings.ToLower(text)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(string(FoldText(text))))
}
