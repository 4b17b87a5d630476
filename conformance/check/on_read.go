package check

import (
	"net/http"
	"strings"
)

func readChecks() []Check {
	return []Check{
		c("read/user", "GET of a known user is 200 with the resource", "R-56 OKT-17", func(s *session) { s.read(s.user()) }),
		c("read/group", "GET of a known group is 200 with the resource", "R-56", func(s *session) { s.read(s.group()) }, noGroups),
		c("read/unknown-user", "GET of an unknown user is 404 with a SCIM error and a detail", "R-56 R-118 OKT-17", readUnknown("/Users")),
		c("read/unknown-group", "GET of an unknown group is 404 with a SCIM error", "R-56 R-118", readUnknown("/Groups"), noGroups),
		c("read/unknown-endpoint", "GET of an end point that does not exist is 404 with a SCIM error", "R-56 R-118", unknownAt("/Nonsense")),
		c("read/head", "HEAD answers like GET without a body", "R-56", readHead),
		c("read/list", "GET /Users is a ListResponse with numbers", "R-57 R-59 R-8 OKT-01 GWS-01", readList("/Users")),
		c("read/list-groups", "GET /Groups is a ListResponse with numbers", "R-57 R-59 OKT-17", readList("/Groups"), noGroups),
		c("read/empty-list", "a filter that matches nobody is 200 with totalResults 0", "R-58 ENT-01 OKT-02 OLG-01", readNobody),
		c("read/empty-list-resources", "an empty list has no Resources or an empty array, never null", "R-57 ENT-01", readNobodyResources),
		c("read/unknown-parameters", "unknown query parameters are ignored", "R-60 L-29", readParameters),
		c("read/same-in-list", "a resource in a list is the same as alone", "R-57 R-26", readSameInList),
		c("read/plus-and-percent", "spaces in a query come as + or as %20", "L-28", readSpaces),
		c("read/id-escaped", "an id is found when its letters are percent-encoded", "L-28 R-56", readEscapedID),
		c("read/created-at-once", "a new user is found by filter at once", "R-57 RIP-03", readAtOnce),
		c("read/list-kinds", "lists of users hold users only, lists of groups groups", "R-57", readKinds, noGroups),
	}
}

func readUnknown(endpoint string) func(*session) {
	return func(s *session) {
		a := s.get(endpoint + "/010101001010101011001010101011")
		s.wantError(a, http.StatusNotFound)
		s.wantAt(&a.value, "detail", anything{})
	}
}

func readHead(s *session) {
	u := s.user()
	a := s.send(request{method: http.MethodHead, path: u.path()})
	if a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented {
		s.skip(NotCompatible, "HEAD")
	}
	s.wantStatus(a, http.StatusOK)
	s.wantThat(len(a.raw) == 0, "HEAD is answered with a body")
}

func readList(endpoint string) func(*session) {
	return func(s *session) {
		if endpoint == "/Users" {
			s.user()
		} else {
			s.group()
		}
		a := some(func() *answer { return s.get(endpoint, "startIndex", "1", "count", "2") })
		s.wantStatus(a, http.StatusOK)
		s.wantJSON(a)
		s.wantAll(&a.value, obj{"schemas": list{messageURN + "ListResponse"}, "startIndex": 1, "itemsPerPage": len(a.at("Resources").Items), "Resources[0].id": anything{}})
		s.wantInteger(a.at("totalResults"), "totalResults")
	}
}

func readNobody(s *session) {
	for _, filter := range [...]string{eq("userName", s.email()), eq("externalId", s.name())} {
		s.wantFound("/Users", filter)
	}
}

func readNobodyResources(s *session) {
	a := s.find("/Users", eq("userName", s.email()))
	s.wantStatus(a, http.StatusOK)
	s.wantThat(!strings.Contains(string(a.raw), `"Resources":null`), "Resources is null")
	s.wantAt(&a.value, "Resources", list{})
}

func readParameters(s *session) {
	u := s.user()
	s.wantList(s.find("/Users", eq("id", u.id), "aadOptscim062020", "", "unknown", "x"), u)
	s.wantStatus(s.get(u.path(), "unknown", "x"), http.StatusOK)
}

func readSameInList(s *session) {
	u := s.user(obj{"displayName": "Amélie", "externalId": s.name()})
	a := s.find("/Users", eq("userName", u.value.GetString("userName")))
	s.wantList(a, u)
	s.wantSame("a resource in a list and alone differ", a.at("Resources[0]"), s.read(u))
}

func readSpaces(s *session) {
	u := s.user()
	name := strings.ReplaceAll(u.value.GetString("userName"), "@", "%40")
	for _, space := range [...]string{"+", "%20"} {
		s.wantList(s.get("/Users?filter=userName"+space+"eq"+space+"%22"+name+"%22"), u)
	}
}

func readEscapedID(s *session) {
	u := s.user()
	if s.ok() {
		escaped := "%" + strings.ToUpper(hexByte(u.id[0])) + u.id[1:]
		s.wantAt(&s.get("/Users/"+escaped).value, "id", u.id)
	}
}

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

func readAtOnce(s *session) {
	for range 3 {
		u := s.user()
		s.wantFound("/Users", eq("userName", u.value.GetString("userName")), u)
	}
}

func readKinds(s *session) {
	s.user()
	s.group()
	for endpoint, kind := range map[string]string{"/Users": "User", "/Groups": "Group"} {
		for _, r := range s.get(endpoint, "count", "20").at("Resources").Items {
			s.wantAt(&r, "meta.resourceType", kind)
		}
	}
}
