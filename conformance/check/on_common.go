package check

import (
	"net/http"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

func commonChecks() []Check {
	return []Check{
		c("common/id", "id is a text without bulkId in it, and stays the same", "R-23", commonID),
		c("common/id-unique", "users and groups never share an id", "R-23", commonUnique, noGroups),
		c("common/id-not-reused", "the id of a deleted user is not given again", "R-23 R-110", commonNotReused),
		c("common/id-wrong-type", "the id of a user is not found among groups", "R-23 R-121", commonWrongType, noGroups),
		c("common/external-id", "externalId comes back as sent, with its case", "R-25 ENT-02", commonExternalID),
		c("common/external-id-group", "externalId of a group comes back as sent", "R-25 ENT-22", commonExternalIDGroup, noGroups),
		c("common/external-id-absent", "externalId is not made up", "R-25", commonNoExternalID),
		c("common/external-id-not-unique", "the same externalId twice is permitted or 409", "R-25", commonExternalIDTwice),
		c("common/meta", "meta has resourceType, created, lastModified and location", "R-26 OKT-05", commonMeta("/Users")),
		c("common/meta-group", "meta of a group has resourceType, created, lastModified and location", "R-26", commonMeta("/Groups"), noGroups),
		c("common/created-equals-modified", "right after creation lastModified equals created to the character", "R-27", commonCreated),
		c("common/modified-moves", "a change moves lastModified, and created stays", "R-26 R-94", commonMoves),
		c("common/meta-in-put", "meta and id in a PUT are ignored", "R-24 OKT-05", commonMetaInPut),
		c("common/external-id-changed", "externalId is replaced and found by its new value only", "R-25 ENT-02", commonNewExternalID),
	}
}

func commonID(s *session) {
	u := s.user()
	s.wantThat(!strings.Contains(strings.ToLower(u.id), "bulkid"), "the id %q contains bulkId", u.id)
	s.wantAt(&u.value, "id", u.id)
	s.wantAt(s.modify(u, replace("displayName", "Another")), "id", u.id)
}

func commonUnique(s *session) {
	s.wantThat(s.user().id != s.group().id, "a user and a group have the same id")
}

func commonNotReused(s *session) {
	body := s.person()
	first := s.create("/Users", body)
	s.wantStatus(s.delete(first.path()), http.StatusNoContent)
	second := s.create("/Users", body)
	s.wantThat(first.id != second.id || !s.ok(), "the id %q was given again", first.id)
}

func commonWrongType(s *session) {
	s.wantError(s.get((&resource{endpoint: "/Groups", id: s.user().id}).path()), http.StatusNotFound)
}

func commonExternalID(s *session) {
	id := "Ext-" + s.name() + "-É"
	u := s.user(obj{"externalId": id})
	s.wantStored(u, obj{"externalId": id})
	s.wantFound("/Users", eq("externalId", id), u)
}

func commonExternalIDGroup(s *session) {
	id := "Ext-" + s.name()
	g := s.create("/Groups", s.crew(obj{"externalId": id}))
	s.wantStored(g, obj{"externalId": id})
	s.wantFound("/Groups", eq("externalId", id), g)
}

func commonNoExternalID(s *session) { s.wantStored(s.user(), obj{"externalId": nil}) }

func commonExternalIDTwice(s *session) {
	id := s.name()
	s.user(obj{"externalId": id})
	a := s.post("/Users", s.person(obj{"externalId": id}))
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusConflict, "uniqueness")
	}
	s.note("answered with %d", a.status)
}

func commonMeta(endpoint string) func(*session) {
	return func(s *session) {
		body, kind := s.person(), "User"
		if endpoint == "/Groups" {
			body, kind = s.crew(), "Group"
		}
		r := s.create(endpoint, body)
		v := s.wantStored(r, obj{"meta.resourceType": kind, "meta.location": anything{}})
		s.wantTime(v, "meta.created")
		s.wantTime(v, "meta.lastModified")
		path, ok := s.local(find(v, "meta.location").Text)
		s.wantThat(ok && path == r.path(), "meta.location is %s, it should lead to %s", text(find(v, "meta.location")), r.path())
	}
}

func commonCreated(s *session) {
	u := s.user()
	for _, v := range []*jsontree.Value{&u.value, s.read(u)} {
		s.wantAt(v, "meta.lastModified", find(v, "meta.created").Text)
	}
}

func commonMoves(s *session) {
	u := s.user()
	before := s.read(u)
	after := s.modify(u, replace("displayName", "Another"))
	s.wantAt(after, "meta.created", find(before, "meta.created").Text)
	s.wantThat(!s.wantTime(after, "meta.lastModified").Before(s.wantTime(before, "meta.lastModified")), "lastModified went back")
}

func commonMetaInPut(s *session) {
	u := s.user()
	body := s.person(obj{"userName": u.value.GetString("userName"), "id": "other", "meta": obj{"resourceType": "Group", "created": "2001-01-01T00:00:00Z"}})
	now := s.replace(u, body)
	s.wantAll(now, obj{"id": u.id, "meta.resourceType": "User", "meta.created": find(&u.value, "meta.created").Text})
}

func commonNewExternalID(s *session) {
	first, second := s.name(), s.name()
	u := s.user(obj{"externalId": first})
	s.modify(u, replace("externalId", second))
	s.wantFound("/Users", eq("externalId", second), u)
	s.wantFound("/Users", eq("externalId", first))
}
