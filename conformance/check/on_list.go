package check

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

func sortChecks() []Check {
	return []Check{
		c("sort/ascending", "sortBy sorts ascending unless told otherwise", "R-74", sorted("displayName", "", "abc"), noSort, noFilter),
		c("sort/descending", "sortOrder=descending turns it round", "R-74", sorted("displayName", "descending", "cba"), noSort, noFilter),
		c("sort/explicit-ascending", "sortOrder=ascending is the default", "R-74", sorted("userName", "ascending", "abc"), noSort, noFilter),
		c("sort/sub-attribute", "sorting by a sub-attribute, without regard to case", "R-74 R-20", sorted("name.familyName", "", "abc"), noSort, noFilter),
		c("sort/missing-last", "who has no value comes last ascending", "R-74", sorted("title", "", "abc"), noSort, noFilter, userHas("title")),
		c("sort/missing-first", "who has no value comes first descending", "R-74", sorted("title", "descending", "cba"), noSort, noFilter, userHas("title")),
		c("sort/multi-valued", "a multi-valued attribute sorts by its primary value", "R-74", sorted("emails.value", "", "abc"), noSort, noFilter),
		c("sort/multi-valued-alone", "a multi-valued attribute alone means its value", "R-74 R-72", sorted("emails", "descending", "cba"), noSort, noFilter),
		c("sort/urn", "sortBy with the URN of the schema", "R-79 R-74", sorted(userURN+":userName", "", "abc"), noSort, noFilter),
		c("sort/extension", "sorting by an attribute of an extension", "R-74 R-69", sorted(enterpriseURN+":employeeNumber", "descending", "cba"), noSort, noFilter, noEnterprise),
		c("sort/names-case", "sortBy and sortOrder in any case", "R-3 R-74", sorted("DISPLAYNAME", "Descending", "cba"), noSort, noFilter),
		c("sort/created", "sorting by date", "R-74 R-67", sortedByDate, noSort, noFilter),
		c("sort/pages", "pages of a sorted list follow one another", "R-74 R-81", sortedPages, noSort, noFilter),
	}
}

func sorted(by, order, want string) func(*session) {
	return func(s *session) {
		k := s.crowd()
		params := []string{"sortBy", by}
		if order != "" {
			params = append(params, "sortOrder", order)
		}
		s.wantOrder(s.find("/Users", `userName sw `+quote(k.prefix), params...), k.who(want)...)
	}
}

func sortedByDate(s *session) {
	k := s.crowd()
	a := s.find("/Users", `userName sw `+quote(k.prefix), "sortBy", "meta.created")
	s.wantList(a, k.who("abc")...)
	last := ""
	for _, r := range a.at("Resources").Items {
		created := find(&r, "meta.created").Text
		s.wantThat(created >= last, "%s comes after %s", created, last)
		last = created
	}
}

func sortedPages(s *session) {
	k := s.crowd()
	for i, who := range [...]string{"a", "b", "c"} {
		a := s.find("/Users", `userName sw `+quote(k.prefix), "sortBy", "userName", "count", "1", "startIndex", strconv.Itoa(i+1))
		s.wantOrder(a, k.who(who)...)
	}
}

func pageChecks() []Check {
	return []Check{
		c("page/count", "count bounds the page, totalResults counts all", "R-76 R-57", pageCount, noFilter),
		c("page/count-zero", "count=0 gives totalResults and no resources", "R-76 OKT-17", pageZero("0"), noFilter),
		c("page/count-negative", "a negative count is taken for 0", "R-76", pageZero("-3"), noFilter),
		c("page/count-word", "a count that is no number is 400, or ignored", "R-76 R-119", pageWord("count")),
		c("page/start-index", "startIndex begins there and is answered", "R-75 R-59", pageStart, noFilter),
		c("page/start-index-zero", "startIndex=0 is taken for 1", "R-75", pageFromOne("0"), noFilter),
		c("page/start-index-negative", "a negative startIndex is taken for 1", "R-75", pageFromOne("-5"), noFilter),
		c("page/start-index-word", "a startIndex that is no number is 400, or ignored", "R-75 R-119", pageWord("startIndex")),
		c("page/beyond", "a page beyond the end is empty, with the right total", "R-75 R-58", pageBeyond, noFilter),
		c("page/items-per-page", "itemsPerPage is the number of resources in the page", "R-59", pageItems, noFilter),
		c("page/walk", "pages hold everybody once", "R-81 OKT-09 SPT-03", pageWalk, noFilter),
		c("page/walk-with-newcomers", "users added during a walk push nobody out of it", "R-81 OKT-09", pageNewcomers, noFilter),
		c("page/stable", "the same page twice is the same", "R-81", pageStable, noFilter),
		c("page/huge-count", "a count beyond the server's limit is bounded, not refused", "R-76 R-62", pageHuge),
		c("page/groups", "groups are paged as users are", "R-75 R-76 OKT-10", pageGroups, noFilter, noGroups),
	}
}

// team makes n users under a prefix and gives the filter that finds them.
func (s *session) team(n int) (filter string, all []*resource) {
	prefix := s.name()
	for i := range n {
		email := prefix + "-" + strconv.Itoa(i) + "@example.com"
		all = append(all, s.user(obj{"userName": email, "emails": list{obj{"value": email, "type": "work"}}}))
	}
	return `userName sw ` + quote(prefix), all
}

func pageCount(s *session) {
	filter, _ := s.team(4)
	a := s.find("/Users", filter, "count", "3")
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"totalResults": 4, "itemsPerPage": 3, "startIndex": 1})
	s.wantThat(len(a.at("Resources").Items) == 3, "the page holds %d resources", len(a.at("Resources").Items))
}

func pageZero(count string) func(*session) {
	return func(s *session) {
		filter, _ := s.team(2)
		a := s.find("/Users", filter, "count", count)
		s.wantStatus(a, http.StatusOK)
		s.wantAll(&a.value, obj{"totalResults": 2, "Resources": list{}})
	}
}

func pageWord(name string) func(*session) {
	return func(s *session) {
		a := s.get("/Users", name, "many")
		if a.status != http.StatusOK {
			s.wantError(a, http.StatusBadRequest, "invalidValue", "invalidSyntax", "invalidCount", "")
		}
		s.note("answered with %d", a.status)
	}
}

func pageStart(s *session) {
	filter, _ := s.team(3)
	whole := s.find("/Users", filter)
	a := s.find("/Users", filter, "startIndex", "2", "count", "2")
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"startIndex": 2, "totalResults": 3, "itemsPerPage": 2})
	s.wantThat(!s.ok() || strings.Join(ids(a), " ") == strings.Join(ids(whole)[1:], " "), "the page is %v of %v", ids(a), ids(whole))
}

func pageFromOne(start string) func(*session) {
	return func(s *session) {
		filter, all := s.team(2)
		a := s.find("/Users", filter, "startIndex", start)
		s.wantList(a, all...)
		s.wantAt(&a.value, "startIndex", 1)
	}
}

func pageBeyond(s *session) {
	filter, _ := s.team(2)
	a := s.find("/Users", filter, "startIndex", "10")
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"totalResults": 2, "Resources": list{}})
}

func pageItems(s *session) {
	filter, _ := s.team(3)
	for count, want := range map[string]int{"2": 2, "50": 3} {
		s.wantAt(&s.find("/Users", filter, "count", count).value, "itemsPerPage", want)
	}
}

// walk reads all pages by index; between is called after each page.
func (s *session) walk(endpoint, filter string, size int, between func(page int)) []string {
	var seen []string
	for page := 0; s.ok() && page < 100; page++ {
		a := s.find(endpoint, filter, "startIndex", strconv.Itoa(len(seen)+1), "count", strconv.Itoa(size))
		s.wantStatus(a, http.StatusOK)
		if len(a.at("Resources").Items) == 0 {
			break
		}
		seen = append(seen, ids(a)...)
		between(page)
	}
	return seen
}

func nothing(int) {}

// wantEach states that each resource was seen once and nobody else's.
func (s *session) wantEach(seen []string, all ...*resource) {
	times := map[string]int{}
	for _, id := range seen {
		times[id]++
	}
	for _, r := range all {
		s.wantThat(times[r.id] == 1, "%s was seen %d times in %v", r.id, times[r.id], seen)
	}
}

func pageWalk(s *session) {
	filter, all := s.team(5)
	seen := s.walk("/Users", filter, 2, nothing)
	s.wantEach(seen, all...)
	s.wantThat(len(seen) == len(all), "the pages hold %d users, there are %d", len(seen), len(all))
}

func pageNewcomers(s *session) {
	filter, all := s.team(5)
	prefix := strings.TrimSuffix(strings.TrimPrefix(filter, `userName sw "`), `"`)
	seen := s.walk("/Users", filter, 2, func(page int) {
		if page < 3 {
			s.user(obj{"userName": prefix + "-late" + strconv.Itoa(page) + "@example.com"})
		}
	})
	for _, r := range all { // twice is permitted: where the order is not that of creation, newcomers push others back
		s.wantThat(slices.Contains(seen, r.id), "%s was not seen: %v", r.id, seen)
	}
}

func pageStable(s *session) {
	filter, _ := s.team(4)
	first, second := s.find("/Users", filter, "count", "3"), s.find("/Users", filter, "count", "3")
	s.wantThat(strings.Join(ids(first), " ") == strings.Join(ids(second), " "), "the page was %v and then %v", ids(first), ids(second))
}

func pageHuge(s *session) {
	s.user()
	a := s.get("/Users", "count", "1000000", "attributes", "userName")
	if a.status == http.StatusBadRequest {
		s.wantError(a, http.StatusBadRequest, "tooMany", "invalidValue")
		s.note("refused")
		return
	}
	s.wantStatus(a, http.StatusOK)
	s.wantThat(find(&a.value, "Resources").Kind == jsontree.Array, "there are no Resources")
}

func pageGroups(s *session) {
	prefix := s.name()
	var all []*resource
	for i := range 3 {
		all = append(all, s.create("/Groups", s.crew(obj{"displayName": prefix + " " + strconv.Itoa(i)})))
	}
	s.wantEach(s.walk("/Groups", `displayName sw `+quote(prefix), 2, nothing), all...)
}
