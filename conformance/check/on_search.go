package check

import (
	"net/http"
	"strconv"
)

// search posts a SearchRequest, or skips the check where that is not offered.
func (s *session) search(at string, body obj) *answer {
	a := s.post(at+"/.search", with(obj{"schemas": list{messageURN + "SearchRequest"}}, body))
	if a.status == http.StatusNotImplemented {
		s.wantError(a, http.StatusNotImplemented)
		s.skip(NoSearch)
	}
	return a
}

// rootQuery asks at the root, or skips the check where that is not offered.
func (s *session) rootQuery(params ...string) *answer {
	a := s.get("/", params...)
	if a.status == http.StatusNotImplemented || a.status == http.StatusNotFound || a.status == http.StatusForbidden {
		s.skip(NoRootQuery)
	}
	return a
}

func searchChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("search/"+id, title, sources, run, append(needs, noFilter)...)
	}
	return []Check{
		row("users", "POST /Users/.search finds what GET /Users finds", "R-80", searchUsers),
		row("groups", "POST /Groups/.search finds what GET /Groups finds", "R-80", searchGroups, noGroups),
		row("root", "POST /.search finds users and groups", "R-80 R-61", searchRoot, noGroups),
		row("root-by-attribute", "an attribute one type does not have is no value of it", "R-61", searchRootAttribute, noGroups),
		row("root-by-type", "meta.resourceType narrows a search at the root", "R-61", searchRootType, noGroups),
		row("paging", "startIndex and count hold for a search", "R-80 R-75", searchPaging),
		row("sort", "sortBy holds for a search", "R-80 R-74", searchSorted, noSort),
		row("attributes", "attributes holds for a search", "R-80 R-77", searchAttributes),
		row("excluded", "excludedAttributes holds for a search", "R-80 R-77", searchExcluded),
		row("everything", "a search without filter is the whole list", "R-80", searchEverything),
		row("bad-filter", "a broken filter in a search is 400 invalidFilter", "R-80 R-65", searchBadFilter),
		row("bad-body", "a body that is no SearchRequest is 400", "R-80 R-53", searchBadBody),
		row("empty", "a search that finds nobody is 200 with totalResults 0", "R-80 R-58", searchEmpty),
		row("other-methods", "GET of .search is refused with a SCIM error", "R-55", searchOtherMethods),
		row("root-get", "GET /?filter= finds users and groups", "R-61", rootFinds, noGroups),
		row("root-get-paging", "GET / pages over both types", "R-61 R-75", rootPages, noGroups),
		row("root-get-attributes", "attributes holds at the root", "R-61 R-77", rootAttributes),
	}
}

func searchUsers(s *session) {
	u := s.user()
	filter := eq("userName", u.value.GetString("userName"))
	a := s.search("/Users", obj{"filter": filter})
	s.wantList(a, u)
	s.wantSame("the search and the list differ", &a.value, &s.find("/Users", filter).value)
}

func searchGroups(s *session) {
	g := s.group(s.user())
	s.group()
	s.wantList(s.search("/Groups", obj{"filter": eq("displayName", g.value.GetString("displayName"))}), g)
}

// pair is a user and a group of the same displayName and externalId.
func (s *session) pair() (filter string, u, g *resource) {
	same := obj{"displayName": s.name(), "externalId": s.name()}
	return eq("externalId", same["externalId"].(string)), s.user(same), s.create("/Groups", s.crew(same))
}

func searchRoot(s *session) {
	filter, u, g := s.pair()
	s.wantList(s.search("", obj{"filter": filter}), u, g)
}

func searchRootAttribute(s *session) {
	filter, u, g := s.pair()
	s.wantList(s.search("", obj{"filter": filter + " and userName pr"}), u)
	s.wantList(s.search("", obj{"filter": filter + " and not (userName pr)"}), g)
}

func searchRootType(s *session) {
	filter, u, g := s.pair()
	s.wantList(s.search("", obj{"filter": filter + ` and meta.resourceType eq "User"`}), u)
	s.wantList(s.search("", obj{"filter": filter + ` and meta.resourceType eq "Group"`}), g)
}

func searchPaging(s *session) {
	filter, all := s.team(3)
	var seen []string
	for i := range all {
		a := s.search("/Users", obj{"filter": filter, "startIndex": i + 1, "count": 1})
		s.wantStatus(a, http.StatusOK)
		s.wantAll(&a.value, obj{"totalResults": 3, "startIndex": i + 1, "itemsPerPage": 1})
		seen = append(seen, ids(a)...)
	}
	s.wantEach(seen, all...)
}

func searchSorted(s *session) {
	k := s.crowd()
	a := s.search("/Users", obj{"filter": `userName sw ` + quote(k.prefix), "sortBy": "displayName", "sortOrder": "descending"})
	s.wantOrder(a, k.who("cba")...)
}

func searchAttributes(s *session) {
	u := s.user()
	a := s.search("/Users", obj{"filter": eq("id", u.id), "attributes": list{"userName", "name.familyName"}})
	s.wantList(a, u)
	s.wantAll(a.at("Resources[0]"), obj{"userName": anything{}, "name": obj{"familyName": "Roux", "givenName": nil}, "emails": nil})
}

func searchExcluded(s *session) {
	u := s.user()
	a := s.search("/Users", obj{"filter": eq("id", u.id), "excludedAttributes": list{"emails"}})
	s.wantList(a, u)
	s.wantAll(a.at("Resources[0]"), obj{"userName": anything{}, "emails": nil})
}

func searchEverything(s *session) {
	s.user()
	a := some(func() *answer { return s.search("/Users", obj{"count": 1}) })
	s.wantStatus(a, http.StatusOK)
	s.wantThat(len(a.at("Resources").Items) == 1, "the page holds %d resources, it should hold 1", len(a.at("Resources").Items))
}

func searchBadFilter(s *session) {
	s.wantError(s.search("/Users", obj{"filter": "userName like"}), http.StatusBadRequest, "invalidFilter")
}

func searchBadBody(s *session) {
	s.wantError(s.search("/Users", obj{"schemas": list{userURN}, "filter": `userName eq "x"`}), http.StatusBadRequest, "invalidSyntax", "invalidValue")
	s.wantError(s.search("/Users", obj{"filter": 7}), http.StatusBadRequest, "invalidSyntax", "invalidValue", "invalidFilter")
}

func searchEmpty(s *session) {
	s.wantList(s.search("/Users", obj{"filter": eq("userName", s.email())}))
}

func searchOtherMethods(s *session) {
	s.search("/Users", obj{"count": 0})
	s.wantErrors(s.get("/Users/.search"), []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented})
}

func rootFinds(s *session) {
	filter, u, g := s.pair()
	s.wantList(s.rootQuery("filter", filter), u, g)
}

func rootPages(s *session) {
	filter, u, g := s.pair()
	var seen []string
	for i := range 2 {
		a := s.rootQuery("filter", filter, "startIndex", strconv.Itoa(i+1), "count", "1")
		s.wantAt(&a.value, "totalResults", 2)
		seen = append(seen, ids(a)...)
	}
	s.wantEach(seen, u, g)
}

func rootAttributes(s *session) {
	u := s.user()
	a := s.rootQuery("filter", eq("id", u.id), "attributes", "userName")
	s.wantList(a, u)
	s.wantAll(a.at("Resources[0]"), obj{"userName": anything{}, "name": nil})
}

func meChecks() []Check {
	return []Check{
		c("me/get", "GET /Me is 501 with a SCIM error, a redirect, or the user of the credential", "R-128", meGet),
		c("me/location", "the Location of /Me is the permanent address", "R-128", meLocation),
		c("me/writes", "writes to /Me are 501 with a SCIM error where it is not offered", "R-128", meWrites),
	}
}

func meGet(s *session) {
	a := s.get("/Me")
	switch a.status {
	case http.StatusOK:
		s.wantAll(&a.value, obj{"id": anything{}, "meta.resourceType": "User"})
	case http.StatusPermanentRedirect, http.StatusTemporaryRedirect:
		s.wantThat(a.header.Get("Location") != "", "a redirect without Location")
	default:
		s.wantErrors(a, []int{http.StatusNotImplemented, http.StatusNotFound, http.StatusForbidden})
	}
	s.note("answered with %d", a.status)
}

func meLocation(s *session) {
	a := s.get("/Me")
	if a.status != http.StatusOK {
		s.skip(NoMe)
	}
	path, ok := s.local(find(&a.value, "meta.location").Text)
	s.wantThat(ok, "meta.location of /Me is %s", text(a.at("meta.location")))
	if s.ok() {
		s.wantAt(&s.get(path).value, "id", a.value.GetString("id"))
	}
}

// meWrites is for servers without /Me only: where it stands for a user, that
// user is nobody to try things on.
func meWrites(s *session) {
	if got := s.get("/Me").status; got < 400 {
		s.note("/Me is offered")
		return
	}
	for _, method := range [...]string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		s.wantErrors(s.send(request{method: method, path: "/Me", body: s.person()}), []int{http.StatusNotImplemented, http.StatusNotFound, http.StatusForbidden, http.StatusMethodNotAllowed})
	}
}
