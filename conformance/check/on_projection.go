package check

import (
	"net/http"

	"github.com/usher-scim/usher/internal/jsontree"
)

func projectionChecks() []Check {
	rich := userHas("title")
	return []Check{
		c("projection/attributes", "attributes leaves only those asked for, and id", "R-77 R-78 R-21", projected("attributes", "title,displayName", obj{"id": anything{}, "title": "Engineer", "displayName": "Amélie", "userName": nil, "name": nil, "emails": nil, "active": nil}), rich),
		c("projection/attributes-id", "attributes=id leaves id and schemas", "R-77 ENT-07", projected("attributes", "id", obj{"id": anything{}, "userName": nil, "name": nil, "emails": nil, "title": nil}), rich),
		c("projection/attributes-sub", "attributes takes a dotted name", "R-79 R-77", projected("attributes", "name.familyName", obj{"name.familyName": "Roux", "name.givenName": nil, "title": nil}), rich),
		c("projection/attributes-multi-sub", "attributes takes a sub-attribute of a multi-valued attribute", "R-79", projected("attributes", "emails.type", obj{"emails[0].type": "work", "emails[0].value": nil, "title": nil}), rich),
		c("projection/attributes-complex", "attributes takes a complex attribute whole", "R-77", projected("attributes", "name", obj{"name": obj{"familyName": "Roux", "givenName": "Amélie"}, "title": nil}), rich),
		c("projection/attributes-urn", "attributes takes a name with the URN of its schema", "R-79", projected("attributes", userURN+":title", obj{"title": "Engineer", "displayName": nil}), rich),
		c("projection/attributes-case", "attributes takes names in any case", "R-79 R-3", projected("attributes", "TITLE,Name.FAMILYname", obj{"title": "Engineer", "name": obj{"familyName": "Roux", "givenName": nil}, "displayName": nil}), rich),
		c("projection/attributes-unknown", "an unknown name in attributes is no error", "R-78", projected("attributes", "title,nonsense", obj{"title": "Engineer", "displayName": nil}), rich),
		c("projection/attributes-blanks", "blanks behind the commas are no part of the names", "R-77", projected("attributes", "title, displayName", obj{"title": "Engineer", "displayName": "Amélie", "userName": nil}), rich),
		c("projection/attributes-meta", "attributes=meta gives meta", "R-77", projected("attributes", "meta", obj{"meta.created": anything{}, "meta.location": anything{}, "title": nil}), rich),
		c("projection/attributes-extension", "attributes takes an attribute of an extension", "R-79 R-5", projected("attributes", enterpriseURN+":department", obj{enterpriseURN: obj{"department": "Support", "costCenter": nil}, "title": nil}), rich, noEnterprise),
		c("projection/attributes-extension-whole", "attributes takes the URN of an extension", "R-79 R-5", projected("attributes", enterpriseURN, obj{enterpriseURN: obj{"department": "Support", "costCenter": "CC-1"}, "title": nil}), rich, noEnterprise),
		c("projection/excluded", "excludedAttributes leaves those out", "R-77", projected("excludedAttributes", "title,name", obj{"title": nil, "name": nil, "displayName": "Amélie", "userName": anything{}}), rich),
		c("projection/excluded-sub", "excludedAttributes takes a dotted name", "R-79", projected("excludedAttributes", "name.familyName", obj{"name": obj{"givenName": "Amélie", "familyName": nil}, "title": "Engineer"}), rich),
		c("projection/excluded-id", "id cannot be left out", "R-78 R-21", projected("excludedAttributes", "id,title", obj{"id": anything{}, "title": nil}), rich),
		c("projection/excluded-extension", "excludedAttributes takes an attribute of an extension", "R-79", projected("excludedAttributes", enterpriseURN+":department", obj{enterpriseURN: obj{"department": nil, "costCenter": "CC-1"}, "title": "Engineer"}), rich, noEnterprise),
		c("projection/excluded-unknown", "an unknown name in excludedAttributes is no error", "R-78", projected("excludedAttributes", "nonsense", obj{"title": "Engineer"}), rich),
		c("projection/both", "attributes and excludedAttributes together are 400", "R-78", projectionBoth),
		c("projection/list", "attributes and excludedAttributes hold for lists", "R-77", projectionList, noFilter),
		c("projection/put", "attributes holds for the answer to a PUT", "R-77", projectionPut),
		c("projection/patch", "attributes makes the answer to a PATCH a 200 with just those", "R-77 R-91", projectionPatch, noPatch),
		c("projection/group-members", "excludedAttributes=members leaves the members of a group out", "R-77 ENT-06 R-144", projectionMembers, noGroups),
		c("projection/group-attributes", "attributes=displayName leaves the members of a group out", "R-77", projectionGroup, noGroups),
		c("projection/stored-whole", "what a projection leaves out is not lost", "R-77", projectionKeeps, rich),
	}
}

func (s *session) employee() *resource {
	body := obj{"title": "Engineer", "displayName": "Amélie"}
	if noEnterprise(s.known) == "" {
		body[enterpriseURN] = obj{"department": "Support", "costCenter": "CC-1"}
	}
	return s.user(body)
}

func projected(param, value string, want obj) func(*session) {
	return func(s *session) {
		a := s.get(s.employee().path(), param, value)
		s.wantStatus(a, http.StatusOK)
		s.wantAll(&a.value, want)
	}
}

func projectionBoth(s *session) {
	a := s.get(s.user().path(), "attributes", "userName", "excludedAttributes", "name")
	if a.status == http.StatusOK {
		s.note("answered with 200; the RFC says that the two exclude each other, not with which error")
		return
	}
	s.wantError(a, http.StatusBadRequest)
}

func projectionList(s *session) {
	u := s.user()
	by := eq("userName", u.value.GetString("userName"))
	narrow, without := s.find("/Users", by, "attributes", "userName"), s.find("/Users", by, "excludedAttributes", "emails")
	s.wantList(narrow, u)
	s.wantAll(narrow.at("Resources[0]"), obj{"id": u.id, "userName": anything{}, "emails": nil, "name": nil})
	s.wantList(without, u)
	s.wantAll(without.at("Resources[0]"), obj{"id": u.id, "emails": nil, "name": anything{}})
}

func projectionPut(s *session) {
	u := s.user()
	body := s.person(obj{"userName": u.value.GetString("userName"), "displayName": "New"})
	a := s.send(request{method: http.MethodPut, path: u.path(), params: []string{"attributes", "displayName"}, body: body})
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"id": u.id, "displayName": "New", "userName": nil, "emails": nil})
}

func projectionPatch(s *session) {
	u := s.user()
	a := s.send(request{method: http.MethodPatch, path: u.path(), params: []string{"attributes", "displayName"}, body: patchOp(replace("displayName", "New"))})
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"id": u.id, "displayName": "New", "userName": nil, "emails": nil})
}

func projectionMembers(s *session) {
	g := s.group(s.user())
	a := s.get(g.path(), "excludedAttributes", "members")
	s.wantStatus(a, http.StatusOK)
	s.wantThat(a.value.Get("members") == nil || a.value.Get("members").Kind == jsontree.Null, "members is there: %s", text(a.at("members")))
	s.wantAt(&a.value, "displayName", anything{})
}

func projectionGroup(s *session) {
	g := s.group(s.user())
	a := s.get(g.path(), "attributes", "displayName")
	s.wantAll(&a.value, obj{"id": g.id, "displayName": anything{}, "members": nil})
}

func projectionKeeps(s *session) {
	u := s.employee()
	s.wantStatus(s.send(request{method: http.MethodPatch, path: u.path(), params: []string{"excludedAttributes", "title"}, body: patchOp(replace("displayName", "New"))}), http.StatusOK)
	s.wantStored(u, obj{"title": "Engineer", "displayName": "New"})
}
