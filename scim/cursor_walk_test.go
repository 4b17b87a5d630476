package scim_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// walker goes through the users of an organization of its own while they come,
// go and change.
type walker struct {
	*house
	rt    *rapid.T
	base  string
	token string
	made  int
	alive map[string]bool // id to whether the filter finds it
	query string
	match func(n int) bool // whether the n-th user matches
}

func (x *walker) ask(method, path, body string) reply {
	return x.askAs(x.token, method, x.base+path, body)
}

// insert creates a user; its sort values and what filters look at come from a
// small set, so that many are equal.
func (x *walker) insert() {
	n := x.made
	x.made++
	letter := rapid.SampledFrom([]string{"a", "b", "č", "z"}).Draw(x.rt, "letter")
	body := userBody(letter+itoa(n), `,"title":"`+itoa(n%3)+`"`)
	if n%2 == 0 {
		body = userBody(letter+itoa(n), `,"active":false,"displayName":"D`+itoa(n%5)+`"`)
	}
	id := x.ask("POST", "/Users", body).want(201).str("id")
	x.alive[id] = x.match(n)
}

func (x *walker) someone() string {
	if len(x.alive) == 0 {
		return ""
	}
	ids := make([]string, 0, len(x.alive))
	for id := range x.alive {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return rapid.SampledFrom(ids).Draw(x.rt, "id")
}

// disturb makes a few changes; shown are the ids of the page before, which are
// deleted more often than others.
func (x *walker) disturb(shown []string) {
	for range rapid.IntRange(0, 4).Draw(x.rt, "changes") {
		switch rapid.IntRange(0, 4).Draw(x.rt, "change") {
		case 0, 1:
			x.insert()
		case 2:
			if id := x.someone(); id != "" && !strings.Contains(x.query, "lastModified") {
				x.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"nickName","value":"n`+itoa(x.made)+`"}`)).want(200)
			}
		default:
			id := x.someone()
			if len(shown) > 0 && rapid.Bool().Draw(x.rt, "of the page") {
				id = shown[rapid.SampledFrom([]int{0, len(shown) - 1}).Draw(x.rt, "edge")]
			}
			if _, there := x.alive[id]; there {
				x.ask("DELETE", "/Users/"+id, "").want(204)
				delete(x.alive, id)
			}
		}
	}
}

// pagesOf walks to the end and calls between for each page.
func (x *walker) pagesOf(between func(r reply)) (pages [][]string, last reply) {
	cursor := ""
	for {
		last = x.ask("GET", "/Users?"+x.query+"&cursor="+cursor, "").want(200)
		pages = append(pages, last.names("id"))
		if cursor = last.str("nextCursor"); cursor == "" {
			return pages, last
		}
		if len(pages) > 500 {
			x.rt.Fatalf("%s: the walk does not end", x.query)
		}
		between(last)
	}
}

// The sorts and filters of the property; a filter tells the n-th user too.
var (
	walkSorts   = []string{"", "userName", "displayName", "title", "meta.lastModified", "meta.created", "active"}
	walkFilters = []struct {
		text  string
		match func(n int) bool
	}{
		{"", func(int) bool { return true }},
		{`active eq false`, func(n int) bool { return n%2 == 0 }},
		{`title pr`, func(n int) bool { return n%2 == 1 }},
		{`displayName eq "d0"`, func(n int) bool { return n%10 == 0 }},
		{`displayName sw "d" and active eq false`, func(n int) bool { return n%2 == 0 }},
		{`active eq false or title eq "1"`, func(n int) bool { return n%2 == 0 || n%3 == 1 }},
		{`active eq false and not (displayName eq "d2")`, func(n int) bool { return n%2 == 0 && n%5 != 2 }},
		{`meta.created gt "2020-01-01T00:00:00Z"`, func(int) bool { return true }},
	}
)

// TestCursorProperty: whoever is there from before the first page until the
// last is shown exactly once, whatever else happens, and nobody twice; when
// nothing happens, the walk backwards shows the same pages (R-132, issue 3 §1).
func TestCursorProperty(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		orgs := 0
		rapid.Check(t, func(rt *rapid.T) {
			orgs++
			slug := "walk" + itoa(orgs)
			h.addOrg(slug, resources.TokenSpec{})
			filter := rapid.SampledFrom(walkFilters).Draw(rt, "filter")
			x := &walker{house: h, rt: rt, base: "/orgs/" + slug + "/scim/v2", token: h.token[slug], alive: map[string]bool{}, match: filter.match}
			x.query = "count=" + itoa(rapid.IntRange(1, 7).Draw(rt, "count"))
			if filter.text != "" {
				x.query += "&" + filterOf(filter.text)
			}
			if sort := rapid.SampledFrom(walkSorts).Draw(rt, "sort"); sort != "" {
				x.query += "&sortBy=" + sort + "&sortOrder=" + rapid.SampledFrom([]string{"ascending", "descending"}).Draw(rt, "order")
			}
			for range rapid.IntRange(0, 20).Draw(rt, "users") {
				x.insert()
			}
			before := make([]string, 0, len(x.alive))
			for id := range x.alive {
				before = append(before, id)
			}
			seen := map[string]int{}
			pages, _ := x.pagesOf(func(r reply) { x.disturb(r.names("id")) })
			for _, id := range slices.Concat(pages...) {
				seen[id]++
			}
			for id, n := range seen {
				if n > 1 {
					rt.Fatalf("%s: %s was shown %d times", x.query, id, n)
				}
			}
			for _, id := range before {
				if matches, there := x.alive[id]; there && matches != (seen[id] == 1) {
					rt.Fatalf("%s: %s was there all the time and is shown %d times, matches: %v", x.query, id, seen[id], matches)
				}
			}
			x.backwards()
		})
	})
}

// backwards compares a walk with the way back.
func (x *walker) backwards() {
	forth, r := x.pagesOf(func(reply) {})
	back := [][]string{r.names("id")}
	for c := r.str("previousCursor"); c != ""; c = r.str("previousCursor") {
		r = x.ask("GET", "/Users?"+x.query+"&cursor="+c, "").want(200)
		back = append(back, r.names("id"))
	}
	slices.Reverse(back)
	if !slices.EqualFunc(forth, back, slices.Equal) {
		x.rt.Fatalf("%s: forwards %v, backwards %v", x.query, forth, back)
	}
}

// FuzzCursor: whatever stands in the parameter, the answer is a page or the
// error invalidCursor, and only what was made for the query is opened.
func FuzzCursor(f *testing.F) {
	h := newHouse(f, "", scim.Config{})
	for i := range 5 {
		h.user("u" + itoa(i))
	}
	made := map[string]bool{"": true}
	for c := ""; ; {
		c = h.page("count=2", c).str("nextCursor")
		if c == "" {
			break
		}
		made[c] = true
		f.Add(c)
		f.Add(c[:len(c)-1] + "_")
	}
	f.Add("AQ")
	f.Add("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		h := *h
		h.t = t
		r := h.ask("GET", "/Users?count=2&cursor="+url.QueryEscape(cursor), "")
		if made[cursor] {
			r.want(200)
			return
		}
		if r.Code != 400 || r.str("scimType") != "invalidCursor" {
			t.Errorf("%q: %d %s", cursor, r.Code, r.Body)
		}
	})
}
