package check

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func cursorChecks() []Check {
	row := func(id, title, sources string, run func(*session)) Check {
		return c("cursor/"+id, title, sources, run, noCursor, noFilter)
	}
	return []Check{
		row("walk", "following nextCursor from an empty cursor gives everybody once", "R-131 R-132", cursorWalkAll),
		row("last-page", "the last page has no nextCursor", "R-132", cursorLastPage),
		row("one-page", "a list of one page has no nextCursor", "R-132", cursorOnePage),
		row("previous", "previousCursor, where there is one, leads back, and is not on the first page", "R-132", cursorPrevious),
		row("letters", "cursors are made of URL-unreserved characters", "R-131", cursorLetters),
		row("default-method", "without a cursor parameter the default method answers", "R-135", cursorDefault),
		row("count", "count bounds the page", "R-133", cursorCount),
		row("count-zero", "count=0 gives no resources", "R-133", cursorCountZero),
		row("count-changed", "another count on a later page is honoured or 400 invalidCount", "R-134", cursorCountChanged),
		row("count-word", "a count that is no number is 400", "R-134", cursorCountWord),
		row("forged", "a made-up cursor is 400 invalidCursor", "R-134 R-137", cursorForged),
		row("altered", "an altered cursor is 400 invalidCursor", "R-134 R-137", cursorAltered),
		row("other-query", "a cursor does not serve another filter", "R-134 R-137", cursorOtherQuery),
		row("other-endpoint", "a cursor does not serve another end point", "R-134 R-137", cursorOtherEndpoint),
		row("filter", "a filter holds on every page", "R-134", cursorFilter),
		row("sorted", "a sorted walk keeps the order", "R-134 R-74", cursorSorted),
		row("search", "a search pages by cursor too", "R-137 R-80", cursorSearch),
		row("deleted-behind", "users deleted from pages already read cost nobody", "R-132 R-81", cursorDeletes),
		row("deleted-at-cursor", "a cursor survives that the last user of its page is deleted", "R-132", cursorDeleteLast),
		row("inserted", "users added during a walk push nobody out", "R-132 R-81", cursorInserts),
		row("reused", "the same cursor twice gives the same page", "R-131", cursorReused),
		row("groups", "groups page by cursor too", "R-132", cursorGroups),
	}
}

// cursorWalk follows nextCursor to the end.
func (s *session) cursorWalk(endpoint, filter string, size int, between func(page *answer), params ...string) []string {
	var seen []string
	next := ""
	for page := 0; s.ok() && page < 100; page++ {
		a := s.find(endpoint, filter, append([]string{"cursor", next, "count", strconv.Itoa(size)}, params...)...)
		s.wantStatus(a, http.StatusOK)
		seen = append(seen, ids(a)...)
		if next = a.value.GetString("nextCursor"); next == "" {
			break
		}
		between(a)
	}
	return seen
}

func quiet(*answer) {}

// firstPage is a page of two out of five, with what follows.
func (s *session) firstPage() (filter string, all []*resource, first *answer, next string) {
	filter, all = s.team(5)
	first = s.find("/Users", filter, "cursor", "", "count", "2")
	s.wantStatus(first, http.StatusOK)
	next = first.value.GetString("nextCursor")
	s.wantThat(next != "", "the first page of three has no nextCursor")
	return filter, all, first, next
}

func cursorWalkAll(s *session) {
	filter, all := s.team(5)
	seen := s.cursorWalk("/Users", filter, 2, quiet)
	s.wantEach(seen, all...)
	s.wantThat(len(seen) == len(all), "the walk gave %v", seen)
}

func cursorLastPage(s *session) {
	filter, all := s.team(4)
	first := s.find("/Users", filter, "cursor", "", "count", "2")
	last := s.find("/Users", filter, "cursor", first.value.GetString("nextCursor"), "count", "2")
	s.wantStatus(last, http.StatusOK)
	s.wantEach(append(ids(first), ids(last)...), all...)
	if next := last.value.GetString("nextCursor"); next != "" { // permitted when the server did not look ahead: then what follows is empty
		end := s.find("/Users", filter, "cursor", next, "count", "2")
		s.wantAll(&end.value, obj{"Resources": list{}, "nextCursor": nil})
		s.note("an empty page ends the list")
	}
}

func cursorOnePage(s *session) {
	filter, all := s.team(2)
	a := s.find("/Users", filter, "cursor", "", "count", "10")
	s.wantStatus(a, http.StatusOK)
	s.wantIDs(a, all...)
	s.wantAll(&a.value, obj{"nextCursor": nil, "previousCursor": nil})
}

func cursorPrevious(s *session) {
	filter, _, first, next := s.firstPage()
	s.wantAt(&first.value, "previousCursor", nil)
	second := s.find("/Users", filter, "cursor", next, "count", "2")
	s.wantStatus(second, http.StatusOK)
	back := second.value.GetString("previousCursor")
	if back == "" {
		s.note("previousCursor is not offered")
		return
	}
	s.wantThat(slices.Equal(ids(s.find("/Users", filter, "cursor", back, "count", "2")), ids(first)), "previousCursor does not lead back")
}

func cursorLetters(s *session) {
	_, _, _, next := s.firstPage()
	s.wantThat(!s.ok() || regexp.MustCompile(`^[A-Za-z0-9._~-]+$`).MatchString(next), "the cursor is %q", next)
}

func cursorDefault(s *session) {
	filter, _ := s.team(3)
	a := s.find("/Users", filter, "count", "2")
	s.wantStatus(a, http.StatusOK)
	if s.known.config.Get("pagination").GetString("defaultPaginationMethod") == "cursor" {
		s.wantAt(&a.value, "nextCursor", anything{})
		return
	}
	s.wantAll(&a.value, obj{"startIndex": 1, "nextCursor": nil, "totalResults": 3})
}

func cursorCount(s *session) {
	_, _, first, _ := s.firstPage()
	s.wantThat(len(ids(first)) == 2, "the page holds %d resources", len(ids(first)))
}

func cursorCountZero(s *session) {
	filter, _ := s.team(2)
	a := s.find("/Users", filter, "cursor", "", "count", "0")
	s.wantStatus(a, http.StatusOK)
	s.wantAt(&a.value, "Resources", list{})
	if total := a.at("totalResults"); text(total) != "nothing" {
		s.wantAt(&a.value, "totalResults", 2)
	}
}

func cursorCountChanged(s *session) {
	filter, all, first, next := s.firstPage()
	a := s.find("/Users", filter, "cursor", next, "count", "3")
	if a.status == http.StatusBadRequest {
		s.wantError(a, http.StatusBadRequest, "invalidCount")
		return
	}
	s.wantStatus(a, http.StatusOK)
	s.wantThat(len(ids(first))+len(ids(a)) <= len(all), "the two pages hold %v and %v", ids(first), ids(a))
	s.note("another count is honoured")
}

func cursorCountWord(s *session) {
	s.wantError(s.get("/Users", "cursor", "", "count", "many"), http.StatusBadRequest, "invalidCount", "invalidValue")
}

func cursorForged(s *session) {
	for _, cursor := range [...]string{"made-up", "AAAA", "1", strings.Repeat("x", 500)} {
		s.wantError(s.get("/Users", "cursor", cursor), http.StatusBadRequest, "invalidCursor")
	}
}

func cursorAltered(s *session) {
	filter, _, _, next := s.firstPage()
	if !s.ok() {
		return
	}
	for _, at := range []int{0, len(next) / 2} {
		altered := []byte(next)
		if altered[at]++; altered[at] > 'z' || altered[at] == '[' {
			altered[at] = 'b'
		}
		s.wantError(s.find("/Users", filter, "cursor", string(altered), "count", "2"), http.StatusBadRequest, "invalidCursor")
	}
}

func cursorOtherQuery(s *session) {
	_, _, _, next := s.firstPage()
	other, _ := s.team(1)
	s.wantError(s.find("/Users", other, "cursor", next, "count", "2"), http.StatusBadRequest, "invalidCursor", "invalidValue")
}

func cursorOtherEndpoint(s *session) {
	_, _, _, next := s.firstPage()
	s.wantError(s.get("/Groups", "cursor", next, "count", "2"), http.StatusBadRequest, "invalidCursor", "invalidValue")
}

func cursorFilter(s *session) {
	filter, all := s.team(4)
	s.modify(all[1], replace("active", false))
	seen := s.cursorWalk("/Users", filter+" and active eq true", 1, quiet)
	s.wantEach(seen, all[0], all[2], all[3])
	s.wantThat(!slices.Contains(seen, all[1].id), "the walk gave somebody the filter excludes")
}

func cursorSorted(s *session) {
	k := s.crowd()
	seen := s.cursorWalk("/Users", `userName sw `+quote(k.prefix), 1, quiet, "sortBy", "displayName", "sortOrder", "descending")
	s.wantThat(!s.ok() || slices.Equal(seen, idsOf(k.who("cba"))), "the walk gave %v", seen)
}

func cursorSearch(s *session) {
	filter, all := s.team(3)
	first := s.search("/Users", obj{"filter": filter, "cursor": "", "count": 2})
	s.wantStatus(first, http.StatusOK)
	second := s.search("/Users", obj{"filter": filter, "cursor": first.value.GetString("nextCursor"), "count": 2})
	s.wantStatus(second, http.StatusOK)
	s.wantEach(append(ids(first), ids(second)...), all...)
}

func cursorDeletes(s *session) {
	filter, all := s.team(8)
	deleted := map[string]bool{}
	seen := s.cursorWalk("/Users", filter, 2, func(page *answer) {
		id := ids(page)[0]
		deleted[id] = true
		s.wantStatus(s.delete("/Users/"+id), http.StatusNoContent)
	})
	for _, r := range all {
		s.wantThat(slices.Contains(seen, r.id), "%s was never seen: %v (deleted on the way: %d)", r.id, seen, len(deleted))
	}
}

func cursorDeleteLast(s *session) {
	filter, all, first, next := s.firstPage()
	last := ids(first)
	if len(last) == 2 {
		s.wantStatus(s.delete("/Users/"+last[1]), http.StatusNoContent)
	}
	seen := append(ids(first), s.cursorWalkFrom(filter, next)...)
	s.wantEach(seen, all...)
}

// cursorWalkFrom follows a cursor to the end.
func (s *session) cursorWalkFrom(filter, next string) []string {
	var seen []string
	for s.ok() && next != "" {
		a := s.find("/Users", filter, "cursor", next, "count", "2")
		s.wantStatus(a, http.StatusOK)
		seen, next = append(seen, ids(a)...), a.value.GetString("nextCursor")
	}
	return seen
}

func cursorInserts(s *session) {
	filter, all := s.team(5)
	prefix := strings.TrimSuffix(strings.TrimPrefix(filter, `userName sw "`), `"`)
	late := 0
	seen := s.cursorWalk("/Users", filter, 2, func(*answer) {
		if late++; late <= 2 {
			s.user(obj{"userName": prefix + "-" + strconv.Itoa(late) + "-late@example.com"})
		}
	})
	s.wantEach(seen, all...)
}

func cursorReused(s *session) {
	filter, _, _, next := s.firstPage()
	a, b := s.find("/Users", filter, "cursor", next, "count", "2"), s.find("/Users", filter, "cursor", next, "count", "2")
	s.wantThat(slices.Equal(ids(a), ids(b)), "the page was %v and then %v", ids(a), ids(b))
}

func cursorGroups(s *session) {
	prefix := s.name()
	var all []*resource
	for i := range 3 {
		all = append(all, s.create("/Groups", s.crew(obj{"displayName": prefix + " " + strconv.Itoa(i)})))
	}
	s.wantEach(s.cursorWalk("/Groups", `displayName sw `+quote(prefix), 2, quiet), all...)
}
