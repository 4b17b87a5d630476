package check

import (
	"net/http"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

func createChecks() []Check {
	return []Check{
		c("create/user", "POST /Users is 201 with the resource, which can be read back", "R-50 R-56 OKT-17 OKT-03", createUser),
		c("create/group", "POST /Groups is 201 with the resource, which can be read back", "R-50 R-56 OKT-10 ENT-22", createGroup, noGroups),
		c("create/group-with-members", "a group is created with its members", "R-50 R-36", createWithMembers, noGroups),
		c("create/location", "201 carries Location, equal to meta.location, which leads to the resource", "R-50 R-28 R-11", createLocation),
		c("create/minimal", "userName alone makes a user", "R-50 R-31", createMinimal),
		c("create/enterprise", "a user is created with the enterprise extension", "R-50 R-5", createEnterprise, noEnterprise),
		c("create/plain-json", "a body sent as application/json is accepted", "R-18 OKT-17 L-26", createAs("application/json")),
		c("create/charset", "a body sent with a charset parameter is accepted", "R-18 OKT-03 L-26", createAs("application/scim+json; charset=utf-8")),
		c("create/wrong-media-type", "a body that is not JSON by its own account is refused", "R-18 R-118", createWrongMediaType),
		c("create/conflict", "the same userName again is 409 uniqueness", "R-52 R-31 OKT-04 ENT-10 RIP-03", createConflict(strings.Clone)),
		c("create/conflict-case", "the same userName in capitals is 409 uniqueness", "R-52 R-31", createConflict(strings.ToUpper)),
		c("create/conflict-leaves-one", "a refused duplicate leaves the first one as it was, and alone", "R-52 R-90", createConflictKeeps),
		c("create/repeated-after-timeout", "a POST repeated after a lost answer meets 409 and is found by its userName", "RIP-03 ENT-10", createRepeated),
		c("create/group-conflict", "the same displayName of a group again is 409 (or permitted by RFC 7643)", "ENT-22 R-52", createGroupConflict, noGroups),
		c("create/without-user-name", "a user without userName is 400 invalidValue", "R-53 R-31", refusedUser(obj{"userName": nil}, "invalidValue", "invalidSyntax")),
		c("create/empty-user-name", "a user with an empty userName is 400 invalidValue", "R-53 R-31", refusedUser(obj{"userName": ""}, "invalidValue", "invalidSyntax")),
		c("create/without-display-name", "a group without displayName is 400 invalidValue", "R-53 R-37", createNameless, noGroups),
		c("create/wrong-type", "an object for a text is 400", "R-53", refusedUser(obj{"userName": obj{"a": 1}}, "invalidValue", "invalidSyntax")),
		c("create/wrong-type-number", "a number for a text is 400", "R-53", refusedUser(obj{"displayName": 7}, "invalidValue", "invalidSyntax")),
		c("create/wrong-type-boolean", "a word for a boolean is 400", "R-53 R-7", refusedUser(obj{"active": "perhaps"}, "invalidValue", "invalidSyntax")),
		c("create/wrong-type-list", "a list for a single value is 400", "R-53", refusedUser(obj{"displayName": list{"a", "b"}}, "invalidValue", "invalidSyntax")),
		c("create/wrong-type-complex", "a text for a complex value is 400", "R-53 R-12", refusedUser(obj{"name": "Amélie"}, "invalidValue", "invalidSyntax")),
		c("create/no-json", "a body that is no JSON is 400 invalidSyntax", "R-53", createBroken(`{"userName":`)),
		c("create/empty-body", "an empty body is 400 invalidSyntax", "R-53", createBroken("")),
		c("create/array", "an array as body is 400 invalidSyntax", "R-53", createBroken("[]")),
		c("create/no-schemas", "a body without schemas is 400, or read as what the end point holds", "R-1 R-53", createWithoutSchemas),
		c("create/read-only-ignored", "id, meta and groups in the body are ignored", "R-24 R-51 L-23 KCK-01", createReadOnly),
		c("create/null-id", "id: null is ignored", "R-24 L-23 OLG-02", createNullID),
		c("create/null-attributes", "null and [] mean no value", "R-6 R-54 L-10 ENT-09", createNulls),
		c("create/active-default", "active as sent is active as read", "R-40 OKT-17", createActive),
		c("create/on-resource", "POST to the address of a resource is 405", "R-55", createOnResource),
		c("create/collection-methods", "PUT and PATCH of a collection are 405", "R-55", collectionMethods),
		c("create/attributes", "attributes narrows the answer to a creation", "R-77", createProjected),
	}
}

func createUser(s *session) {
	body := s.person()
	u := s.create("/Users", body)
	v := s.wantStored(u, obj{"schemas": contains{userURN}, "userName": body["userName"], "active": true, "name.givenName": "Amélie", "name.familyName": "Roux", "emails": body["emails"], "meta.resourceType": "User"})
	s.wantSame("the answer to the POST and what is read afterwards differ", &u.value, v)
}

func createGroup(s *session) {
	body := s.crew()
	g := s.create("/Groups", body)
	s.wantStored(g, obj{"schemas": contains{groupURN}, "displayName": body["displayName"], "members": nil, "meta.resourceType": "Group"})
}

func createWithMembers(s *session) {
	a, b := s.user(), s.user()
	s.wantMembers(s.group(a, b), a, b)
}

func createLocation(s *session) {
	a := s.post("/Users", s.person())
	s.wantStatus(a, http.StatusCreated)
	location := a.header.Get("Location")
	s.wantAll(&a.value, obj{"id": anything{}, "meta.location": location})
	path, ok := s.local(location)
	s.wantThat(ok, "Location is %q, it should be an address of this server", location)
	if s.ok() {
		s.wantAt(&s.get(path).value, "id", a.value.GetString("id"))
	}
	if also := a.header.Get("Content-Location"); also != "" {
		s.wantThat(also == location, "Content-Location is %q, Location %q", also, location)
	}
}

func createMinimal(s *session) {
	name := s.email()
	u := s.create("/Users", obj{"schemas": list{userURN}, "userName": name})
	s.wantStored(u, obj{"userName": name})
	s.wantFound("/Users", eq("userName", name), u)
}

func createEnterprise(s *session) {
	u := s.user(obj{enterpriseURN: obj{"employeeNumber": "00417", "department": "Support", "costCenter": "CC-1"}})
	s.wantStored(u, obj{"schemas": contains{enterpriseURN}, enterpriseURN: obj{"employeeNumber": "00417", "department": "Support", "costCenter": "CC-1"}})
}

func createAs(mediaType string) func(*session) {
	return func(s *session) {
		body := s.person()
		a := s.send(request{method: http.MethodPost, path: "/Users", body: body, header: map[string]string{"Content-Type": mediaType}})
		s.wantStatus(a, http.StatusCreated)
		s.wantAll(&s.get("/Users/"+a.value.GetString("id")).value, obj{"userName": body["userName"], "active": true})
	}
}

func createWrongMediaType(s *session) {
	a := s.send(request{method: http.MethodPost, path: "/Users", body: "<user/>", header: map[string]string{"Content-Type": "application/xml"}})
	s.wantErrors(a, []int{http.StatusUnsupportedMediaType, http.StatusBadRequest})
}

// createConflict makes a second user whose name is the first one's, changed.
func createConflict(change func(string) string) func(*session) {
	return func(s *session) {
		u := s.user()
		again := s.post("/Users", s.person(obj{"userName": change(u.value.GetString("userName"))}))
		s.wantError(again, http.StatusConflict, "uniqueness")
	}
}

func createConflictKeeps(s *session) {
	u := s.user(obj{"displayName": "The first"})
	name := u.value.GetString("userName")
	s.wantUntouched(u, func() {
		s.wantError(s.post("/Users", s.person(obj{"userName": name, "displayName": "The second"})), http.StatusConflict, "uniqueness")
	})
	s.wantFound("/Users", eq("userName", name), u)
}

func createRepeated(s *session) {
	body := s.person()
	u := s.create("/Users", body)
	s.wantError(s.post("/Users", body), http.StatusConflict, "uniqueness")
	s.wantFound("/Users", eq("userName", u.value.GetString("userName")), u)
}

func createGroupConflict(s *session) {
	g := s.group()
	a := s.post("/Groups", s.crew(obj{"displayName": g.value.GetString("displayName")}))
	if s.is("entra") {
		s.wantError(a, http.StatusConflict, "uniqueness")
		return
	}
	s.wantStatus(a, http.StatusConflict, http.StatusCreated)
	s.note("answered with %d", a.status)
}

// refusedUser posts a user with a fault; nil takes the attribute away.
func refusedUser(fault obj, scimTypes ...string) func(*session) {
	return func(s *session) {
		body := s.person(fault)
		for name, v := range fault {
			if v == nil {
				delete(body, name)
			}
		}
		s.wantError(s.post("/Users", body), http.StatusBadRequest, scimTypes...)
		email := body["emails"].(list)[0].(obj)["value"].(string)
		s.wantFound("/Users", eq("userName", email))
	}
}

func createNameless(s *session) {
	a := s.post("/Groups", obj{"schemas": list{groupURN}, "externalId": s.name()})
	s.wantError(a, http.StatusBadRequest, "invalidValue", "invalidSyntax")
}

func createBroken(body string) func(*session) {
	return func(s *session) {
		a := s.send(request{method: http.MethodPost, path: "/Users", body: body, header: map[string]string{"Content-Type": mediaType}})
		s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
	}
}

func createWithoutSchemas(s *session) {
	body := s.person()
	delete(body, "schemas")
	a := s.post("/Users", body)
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
	}
	s.note("answered with %d", a.status)
}

func createReadOnly(s *session) {
	u := s.user(obj{"id": "chosen-by-the-client", "meta": obj{"resourceType": "Group", "created": "2001-01-01T00:00:00Z"}})
	s.wantThat(u.id != "chosen-by-the-client", "the id of the client was taken")
	v := s.wantStored(u, obj{"meta.resourceType": "User"})
	s.wantThat(s.wantTime(v, "meta.created").After(time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)), "meta.created of the client was taken")
}

func createNullID(s *session) { s.wantStored(s.user(obj{"id": nil}), obj{"id": anything{}}) }

func createNulls(s *session) {
	u := s.user(obj{"title": nil, "nickName": nil, "addresses": nil, "phoneNumbers": list{}})
	s.wantStored(u, obj{"title": nil, "nickName": nil, "addresses": nil, "phoneNumbers": nil})
}

func createActive(s *session) {
	for _, active := range [...]bool{true, false} {
		u := s.user(obj{"active": active})
		s.wantStored(u, obj{"active": active})
		s.wantThat(u.value.Get("active") != nil && u.value.Get("active").Kind == jsontree.Bool(active).Kind, "the answer to the POST has another active")
	}
}

func createOnResource(s *session) {
	u := s.user()
	s.wantErrors(s.post(u.path(), s.person()), []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented})
}

// collectionMethods leaves DELETE out: a server that obeyed would lose everybody.
func collectionMethods(s *session) {
	for _, method := range [...]string{http.MethodPut, http.MethodPatch} {
		a := s.send(request{method: method, path: "/Users", body: s.person()})
		s.wantErrors(a, []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented})
		s.note("%s %d", method, a.status)
	}
}

func createProjected(s *session) {
	a := s.send(request{method: http.MethodPost, path: "/Users", params: []string{"attributes", "userName"}, body: s.person()})
	s.wantStatus(a, http.StatusCreated)
	s.wantAll(&a.value, obj{"id": anything{}, "userName": anything{}, "name": nil, "emails": nil})
}
