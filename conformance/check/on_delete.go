package check

import "net/http"

func deleteChecks() []Check {
	return []Check{
		c("delete/user", "DELETE is 204 without a body, and the user is gone", "R-109 ENT-30", deleteUser("/Users")),
		c("delete/group", "DELETE of a group is 204, and its members stay", "R-109 ENT-29 OKT-16", deleteGroup, noGroups),
		c("delete/every-method", "after DELETE every method on the id is 404", "R-109 R-108 R-83", deleteThenAll),
		c("delete/twice", "a second DELETE is 404", "R-111 ENT-33", deleteTwice),
		c("delete/unknown", "DELETE of an unknown id is 404 with a SCIM error", "R-111 R-118 ENT-33", deleteUnknown("/Users")),
		c("delete/unknown-group", "DELETE of an unknown group is 404 with a SCIM error", "R-111 R-118", deleteUnknown("/Groups"), noGroups),
		c("delete/name-free", "a deleted userName is free again, for a new user with a new id", "R-110 ENT-30 R-144", deleteThenAgain),
		c("delete/group-name-free", "a deleted displayName is free again", "R-110", deleteGroupAgain, noGroups),
		c("delete/memberships", "a deleted user is in no group any more", "R-112", deleteMember, noGroups),
		c("delete/groups-of-user", "a deleted group is in no user's groups any more", "R-112 R-35", deleteGroupOfUser, noGroups, userHas("groups")),
		c("delete/not-listed", "a deleted user is in no list and no search", "R-109", filterAfterDelete),
	}
}

func deleteUser(endpoint string) func(*session) {
	return func(s *session) {
		u := s.user()
		a := s.delete(endpoint + "/" + u.id)
		s.wantStatus(a, http.StatusNoContent)
		s.wantThat(len(a.raw) == 0, "204 has a body")
		s.wantGone(u)
	}
}

func deleteGroup(s *session) {
	u := s.user()
	g := s.group(u)
	s.wantStatus(s.delete(g.path()), http.StatusNoContent)
	s.wantGone(g)
	s.read(u)
}

func deleteThenAll(s *session) {
	u := s.user()
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	s.wantGone(u)
	s.wantError(s.put(u.path(), s.again(u)), http.StatusNotFound)
	s.wantError(s.patch(u.path(), replace("displayName", "x")), http.StatusNotFound)
	s.wantError(s.delete(u.path()), http.StatusNotFound)
}

func deleteTwice(s *session) {
	u := s.user()
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	s.wantError(s.delete(u.path()), http.StatusNotFound)
}

func deleteUnknown(endpoint string) func(*session) {
	return func(s *session) {
		s.wantError(s.delete(endpoint+"/9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff"), http.StatusNotFound)
	}
}

func deleteThenAgain(s *session) {
	body := s.person()
	first := s.create("/Users", body)
	s.wantStatus(s.delete(first.path()), http.StatusNoContent)
	second := s.create("/Users", body)
	s.wantFound("/Users", eq("userName", body["userName"].(string)), second)
	s.wantGone(first)
}

func deleteGroupAgain(s *session) {
	u := s.user()
	body := s.crew(obj{"members": refs(u)})
	first := s.create("/Groups", body)
	s.wantStatus(s.delete(first.path()), http.StatusNoContent)
	delete(body, "members")
	s.wantMembers(s.create("/Groups", body))
}

func deleteMember(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a, b)
	s.wantStatus(s.delete(a.path()), http.StatusNoContent)
	s.wantMembers(g, b)
	s.wantFound("/Groups", eq("members.value", a.id))
}

func deleteGroupOfUser(s *session) {
	u := s.user()
	g, h := s.group(u), s.group(u)
	s.wantStatus(s.delete(g.path()), http.StatusNoContent)
	s.wantInGroups(u, h)
}
