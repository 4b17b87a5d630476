package check

import (
	"net/http"
	"strings"
)

func bulkErrorChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("bulk/"+id, title, sources, run, append(needs, noBulk)...)
	}
	return []Check{
		c("bulk/not-offered", "without Bulk, POST /Bulk is 501 or 404 with a SCIM error", "R-113 R-118", bulkMissing, hasBulk),
		row("errors-same-body", "the error of an operation is the error of the single request", "R-114 R-118", bulkSameError),
		row("conflict", "a duplicate in a bulk is 409 with a body, and has no location", "R-114 R-52", bulkConflict),
		row("conflict-inside", "a userName twice in one bulk: the second is 409", "R-114 R-52", bulkConflictInside),
		row("not-found", "an unknown id in a bulk is 404 with a body", "R-114 R-108", bulkNotFound),
		row("continues", "an error does not stop the operations behind it", "R-115", bulkContinues),
		row("fail-on-errors", "failOnErrors 1 stops at the first error", "R-115", bulkStops),
		row("fail-on-errors-two", "failOnErrors 2 stops at the second error", "R-115", bulkStopsLater),
		row("unknown-bulk-id", "a bulkId nobody has is an error of that operation", "R-116", bulkUnknownID, noGroups),
		row("failed-reference", "a reference to an operation that failed is an error", "R-116", bulkFailedReference, noGroups),
		row("post-without-bulk-id", "POST without bulkId is an error", "R-114 R-116", bulkWithoutID),
		row("bad-method", "an unknown method is an error of that operation or of the bulk", "R-114", bulkBad(obj{"method": "GET", "path": "/Users"})),
		row("bad-path", "a path outside the resource types is an error", "R-114", bulkBad(obj{"method": "POST", "path": "/Nonsense", "bulkId": "x", "data": obj{}})),
		row("bad-no-method", "an operation without method is an error", "R-114", bulkBad(obj{"path": "/Users", "bulkId": "x", "data": obj{}})),
		row("bad-body", "a body that is no BulkRequest is 400", "R-114 R-53", bulkBadBody),
		row("too-many", "one operation more than announced is 413", "R-117", bulkTooMany),
		row("too-large", "a body larger than announced is 413", "R-117", bulkTooLarge),
		row("other-methods", "GET, PUT, PATCH and DELETE of /Bulk are refused", "R-55", bulkOtherMethods),
	}
}

func bulkMissing(s *session) {
	s.wantErrors(s.bulk(bulkPost("/Users", "a", s.person())), []int{http.StatusNotImplemented, http.StatusNotFound})
}

func nameless() obj { return obj{"schemas": list{userURN}, "displayName": "x"} }

func bulkSameError(s *session) {
	single := s.post("/Users", nameless())
	s.wantError(single, http.StatusBadRequest)
	done := s.wantBulk(s.bulk(bulkPost("/Users", "a", nameless())), 400)
	if s.ok() {
		s.wantSame("the error in a bulk and alone differ", find(&done[0], "response"), &single.value)
	}
}

func bulkConflict(s *session) {
	u := s.user()
	done := s.wantBulk(s.bulk(bulkPost("/Users", "a", s.person(obj{"userName": u.value.GetString("userName")}))), 409)
	if s.ok() {
		s.wantErrorBody(find(&done[0], "response"), http.StatusConflict, "uniqueness")
		s.wantAt(&done[0], "location", nil)
	}
}

func bulkConflictInside(s *session) {
	name := s.email()
	s.wantBulk(s.bulk(bulkPost("/Users", "a", s.person(obj{"userName": name})), bulkPost("/Users", "b", s.person(obj{"userName": name}))), 201, 409)
}

func bulkNotFound(s *session) {
	ghost := &resource{endpoint: "/Users", id: "9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff"}
	done := s.wantBulk(s.bulk(bulkDelete(ghost), bulkPatch(ghost, replace("displayName", "x")), bulkPut(ghost, s.person())), 404, 404, 404)
	for i := 0; s.ok() && i < len(done); i++ {
		s.wantErrorBody(find(&done[i], "response"), http.StatusNotFound)
	}
}

func bulkContinues(s *session) {
	body := s.person()
	a := s.bulk(bulkPost("/Users", "a", nameless()), bulkPost("/Users", "b", body))
	done := s.wantBulk(a, 400, 201)
	if s.ok() {
		s.wantStored(s.madeBy(&done[1]), obj{"userName": body["userName"]})
	}
}

func bulkStops(s *session) {
	body := s.person()
	a := s.bulkUntil(1, bulkPost("/Users", "a", nameless()), bulkPost("/Users", "b", body))
	s.wantBulk(a, 400)
	s.wantFound("/Users", eq("userName", body["userName"].(string)))
}

func bulkStopsLater(s *session) {
	first, last := s.person(), s.person()
	a := s.bulkUntil(2, bulkPost("/Users", "a", nameless()), bulkPost("/Users", "b", first), bulkPost("/Users", "c", nameless()), bulkPost("/Users", "d", last))
	s.wantBulk(a, 400, 201, 400)
	s.wantFound("/Users", eq("userName", last["userName"].(string)))
}

func bulkUnknownID(s *session) {
	body := s.crew(obj{"members": named("nobody")})
	a := s.bulk(bulkPost("/Groups", "g", body))
	if a.status == http.StatusOK {
		s.wantThat(bulkStatus(a.at("Operations[0]")) >= 400, "the operation is answered with %s", text(a.at("Operations[0].status")))
	} else {
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusConflict})
	}
	s.wantFound("/Groups", eq("displayName", body["displayName"].(string)))
}

func bulkFailedReference(s *session) {
	body := s.crew(obj{"members": named("u")})
	a := s.bulk(bulkPost("/Users", "u", nameless()), bulkPost("/Groups", "g", body))
	s.wantStatus(a, http.StatusOK)
	s.wantThat(bulkStatus(a.at("Operations[1]")) >= 400, "the group is answered with %s", text(a.at("Operations[1].status")))
	s.wantFound("/Groups", eq("displayName", body["displayName"].(string)))
}

func bulkWithoutID(s *session) {
	body := s.person()
	bulkBad(obj{"method": "POST", "path": "/Users", "data": body})(s)
	s.wantFound("/Users", eq("userName", body["userName"].(string)))
}

// bulkBad states that an operation is refused, by itself or with the whole.
func bulkBad(operation obj) func(*session) {
	return func(s *session) {
		a := s.bulk(operation)
		if a.status == http.StatusOK {
			got := bulkStatus(a.at("Operations[0]"))
			s.wantThat(got >= 400 && got < 500, "the operation is answered with %s", text(a.at("Operations[0].status")))
			s.note("the operation is refused")
			return
		}
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented})
		s.note("the bulk is refused")
	}
}

func bulkBadBody(s *session) {
	for _, body := range []any{obj{"schemas": list{messageURN + "BulkRequest"}}, obj{"schemas": list{messageURN + "BulkRequest"}, "Operations": "x"}, obj{"schemas": list{userURN}, "userName": "x"}, "[]"} {
		s.wantError(s.post("/Bulk", body), http.StatusBadRequest, "invalidSyntax", "invalidValue")
	}
}

func bulkTooMany(s *session) {
	most := s.known.number("bulk.maxOperations")
	if most <= 0 || most > 5000 {
		s.skip(NoBulkLimit)
	}
	ghost := bulkDelete(&resource{endpoint: "/Users", id: "x"})
	all := make([]obj, 0, most+1)
	for range most + 1 {
		all = append(all, ghost)
	}
	a := s.bulk(all...)
	s.wantError(a, http.StatusRequestEntityTooLarge)
}

func bulkTooLarge(s *session) {
	most := s.known.number("bulk.maxPayloadSize")
	if most <= 0 || most > 8<<20 {
		s.skip(NoBulkLimit)
	}
	a := s.bulk(bulkPost("/Users", "a", s.person(obj{"displayName": strings.Repeat("x", most)})))
	s.wantError(a, http.StatusRequestEntityTooLarge)
}

func bulkOtherMethods(s *session) {
	for _, method := range [...]string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		a := s.send(request{method: method, path: "/Bulk"})
		s.wantErrors(a, []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented})
	}
}
