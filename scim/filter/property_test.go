package filter

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// term is a filter together with what it should say, worked out the slow way
// on plain Go values.
type term struct {
	text string
	want bool
}

type person struct {
	userName, title, ticket string
	level                   int
	vip                     *bool
	emails                  [][2]string // type, value
}

func (p person) record() *resources.Record {
	doc := jsontree.Obj()
	if p.userName != "" {
		doc.Set("userName", jsontree.Str(p.userName))
	}
	if p.title != "" {
		doc.Set("title", jsontree.Str(p.title))
	}
	var emails []jsontree.Value
	for _, e := range p.emails {
		emails = append(emails, jsontree.Obj(jsontree.Str(e[0]).As("type"), jsontree.Str(e[1]).As("value")))
	}
	if emails != nil {
		doc.Set("emails", jsontree.Arr(emails...))
	}
	ext := jsontree.Obj(jsontree.Num(fmt.Sprint(p.level)).As("level"))
	if p.ticket != "" {
		ext.Set("ticket", jsontree.Str(p.ticket))
	}
	if p.vip != nil {
		ext.Set("vip", jsontree.Bool(*p.vip))
	}
	doc.Set(oddURN, ext)
	return &resources.Record{Kind: resources.KindUser, ID: aliceID, Profile: doc.Append(nil)}
}

// text compares the slow way; s is "" when there is no value.
func text(op, s, lit string) bool {
	switch op {
	case "eq":
		return s != "" && s == lit
	case "ne":
		return s == "" || s != lit
	case "co":
		return s != "" && strings.Contains(s, lit)
	case "sw":
		return s != "" && strings.HasPrefix(s, lit)
	case "ew":
		return s != "" && strings.HasSuffix(s, lit)
	case "gt":
		return s != "" && s > lit
	case "ge":
		return s != "" && s >= lit
	case "lt":
		return s != "" && s < lit
	case "le":
		return s != "" && s <= lit
	}
	return s != ""
}

func genPerson(t *rapid.T) person {
	word := rapid.StringMatching(`[abAB]{1,3}`)
	p := person{userName: word.Draw(t, "userName"), level: rapid.IntRange(-2, 2).Draw(t, "level")}
	if rapid.Bool().Draw(t, "has title") {
		p.title = word.Draw(t, "title")
	}
	if rapid.Bool().Draw(t, "has ticket") {
		p.ticket = word.Draw(t, "ticket")
	}
	if rapid.Bool().Draw(t, "has vip") {
		v := rapid.Bool().Draw(t, "vip")
		p.vip = &v
	}
	for range rapid.IntRange(0, 2).Draw(t, "emails") {
		p.emails = append(p.emails, [2]string{rapid.SampledFrom([]string{"work", "home"}).Draw(t, "type"), word.Draw(t, "email")})
	}
	return p
}

func genLeaf(t *rapid.T, p person) term {
	op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}).Draw(t, "op")
	indexed := rapid.IntRange(0, 2).Draw(t, "indexed") == 0 // often, so that filters hold several of them
	if indexed {
		op = rapid.SampledFrom([]string{"eq", "co", "sw"}).Draw(t, "indexed op")
	}
	lit := rapid.StringMatching(`[abAB]{1,2}`).Draw(t, "lit")
	value := fmt.Sprintf(" %s %q", op, lit)
	if op == "pr" {
		value = " pr"
	}
	low := strings.ToLower
	if indexed {
		return term{"userName" + value, text(op, low(p.userName), low(lit))}
	}
	switch rapid.IntRange(0, 6).Draw(t, "attribute") {
	case 0:
		return term{"userName" + value, text(op, low(p.userName), low(lit))}
	case 1:
		return term{"title" + value, text(op, low(p.title), low(lit))}
	case 2:
		return term{"ticket" + value, text(op, p.ticket, lit)}
	case 3:
		n := rapid.IntRange(-2, 2).Draw(t, "n")
		ok := map[string]bool{"eq": p.level == n, "ne": p.level != n, "gt": p.level > n, "ge": p.level >= n, "lt": p.level < n, "le": p.level <= n}
		if _, has := ok[op]; !has {
			return term{"level pr", true}
		}
		return term{fmt.Sprintf("level %s %d", op, n), ok[op]}
	case 4:
		want := rapid.Bool().Draw(t, "bool")
		return term{fmt.Sprintf("vip eq %v", want), p.vip != nil && *p.vip == want}
	case 5:
		got := op == "ne" && len(p.emails) == 0
		for _, e := range p.emails {
			got = got || text(op, low(e[1]), low(lit))
		}
		return term{"emails.value" + value, got}
	}
	got := false
	for _, e := range p.emails {
		got = got || (e[0] == "work" && text(op, low(e[1]), low(lit)))
	}
	return term{`emails[type eq "work" and value` + value + `]`, got}
}

func genFilter(t *rapid.T, p person, depth int) term {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "shape") == 0 {
		return genLeaf(t, p)
	}
	a := genFilter(t, p, depth-1)
	switch rapid.IntRange(0, 2).Draw(t, "logic") {
	case 0:
		return term{"not (" + a.text + ")", !a.want}
	case 1:
		b := genFilter(t, p, depth-1)
		return term{"(" + a.text + ") and (" + b.text + ")", a.want && b.want}
	}
	b := genFilter(t, p, depth-1)
	return term{"(" + a.text + ") or (" + b.text + ")", a.want || b.want}
}

// holds decides a condition on the record's own index entries. Unless all must
// hold, one term of an AND is enough, as for a store that asks only the
// cheapest.
func holds(c *resources.Cond, entries []resources.Entry, all bool) bool {
	if c == nil {
		return true
	}
	if c.Op == resources.CondAnd || c.Op == resources.CondOr {
		every, some := true, false
		for i := range c.Subs {
			h := holds(&c.Subs[i], entries, all)
			every, some = every && h, some || h
		}
		return every || some && (c.Op == resources.CondOr || !all)
	}
	for _, e := range entries {
		if e.Index != c.Index {
			continue
		}
		switch {
		case c.Op == resources.CondIs && e.Value == c.Value,
			c.Op == resources.CondPrefix && strings.HasPrefix(e.Value, c.Value),
			c.Op == resources.CondContains && strings.Contains(e.Value, c.Value):
			return true
		}
	}
	return false
}

// TestFilterProperty compares Match with the slow evaluator, and Plan's parts
// with Match: what the indexes and the needle let through is a superset, and
// with the residual Match exactly the same.
func TestFilterProperty(t *testing.T) {
	user, _ := types(t)
	p := New()
	rapid.Check(t, func(t *rapid.T) {
		someone := genPerson(t)
		want := genFilter(t, someone, 3)
		f, err := p.Parse(user, want.text, Options{})
		if err != nil {
			t.Fatalf("%s: %v", want.text, err)
		}
		r := someone.record()
		if got := f.Match(r); got != want.want {
			t.Fatalf("%s on %s: got %v, want %v", want.text, r.Profile, got, want.want)
		}
		again, err := p.Parse(user, f.String(), Options{})
		if err != nil || again.Match(r) != want.want || again.String() != f.String() {
			t.Fatalf("%s written as %s means something else: %v", want.text, f, err)
		}
		entries := []resources.Entry{
			{Index: resources.UserName, Value: resources.UserName.Key(someone.userName)},
			{Index: resources.UserNameOrder, Value: resources.UserNameOrder.Key(someone.userName)},
		}
		for _, e := range someone.emails {
			entries = append(entries, resources.Entry{Index: resources.UserEmail, Value: resources.UserEmail.Key(e[1])})
		}
		q := f.Plan()
		got := holds(q.Where, entries, q.Match == nil) && (q.Match == nil || q.Match(r))
		if got != want.want || want.want && !holds(q.Where, entries, true) {
			t.Fatalf("%s on %s: planned as %s: got %v, want %v", want.text, r.Profile, f.Explain(), got, want.want)
		}
		if want.want && !strings.Contains(strings.ToLower(string(r.Profile)), q.Needle) {
			t.Fatalf("%s on %s: the needle %s is not there", want.text, r.Profile, q.Needle)
		}
	})
}
