package check

import (
	"net/http"
	"strings"
)

func ruleChecks() []Check {
	return []Check{
		c("rule/user-name-found-any-case", "userName is found in any case", "R-31 OKT-17 ENT-33", ruleUserNameCase),
		c("rule/user-name-case-kept", "userName comes back with the case it was sent in", "R-20 R-31", ruleUserNameKept),
		c("rule/user-name-precis", "the NFC and NFD spellings of one userName are one name", "R-22", ruleTwins),
		c("rule/user-name-own-case", "a user may change the case of its own userName", "R-31 R-87", ruleOwnCase),
		c("rule/user-name-free-after-rename", "the old userName is free after a rename", "R-31 ENT-13", ruleFreeAfterRename),
		c("rule/groups-read-only-post", "groups in a POST of a user makes no membership", "R-35 OKT-03", ruleGroupsInPost, noGroups),
		c("rule/groups-read-only-put", "groups in a PUT of a user changes no membership", "R-35 OKT-05 L-21", ruleGroupsInPut, noGroups),
		c("rule/groups-read-only-patch", "groups in a PATCH of a user is refused or ignored", "R-35 R-105", ruleGroupsInPatch, noGroups),
		c("rule/groups-shown", "a user shows the groups it is in, with value", "R-36 R-35", ruleGroupsShown, noGroups, userHas("groups")),
		c("rule/groups-follow-rename", "the display of a user's group follows the group's name", "R-36", ruleGroupsRenamed, noGroups, userHas("groups")),
		c("rule/nested-group", "a group in a group is shown as member, or refused", "R-36", ruleNested, noGroups),
		c("rule/member-unknown", "a member that does not exist is refused or not kept", "L-25 R-36", ruleUnknownMember, noGroups),
		c("rule/member-once", "the same member twice in one list is one member", "R-14 L-25", ruleMemberOnce, noGroups),
		c("rule/member-type", "members carry their type or $ref", "R-36 R-38", ruleMemberType, noGroups),
		c("rule/manager", "manager.value comes back as sent", "R-39 ENT-17", ruleManager, noEnterprise),
		c("rule/manager-display-name", "manager.displayName of the client is ignored", "R-39 R-51", ruleManagerName, noEnterprise),
		c("rule/deactivated-readable", "a deactivated user is read and found as before", "R-40 ENT-14", ruleDeactivated),
		c("rule/display-name-find", "a group is found by its displayName in any case", "R-37 ENT-05 ENT-33 AUT-03", ruleGroupName, noGroups),
		c("rule/email-odd", "an address with an apostrophe and a plus comes back as sent", "R-33", ruleOddAddress),
	}
}

func ruleUserNameCase(s *session) {
	u := s.user()
	name := u.value.GetString("userName")
	s.wantFound("/Users", eq("userName", strings.ToUpper(name)), u)
	s.wantFound("/Users", eq("userName", strings.ToUpper(name[:8])+name[8:]), u)
}

func ruleUserNameKept(s *session) {
	name := "Amelie.ROUX-" + s.email()
	s.wantStored(s.user(obj{"userName": name}), obj{"userName": name})
}

func ruleTwins(s *session) {
	name := s.email()
	s.user(obj{"userName": "am\u00e9lie-" + name})
	s.wantError(s.post("/Users", s.person(obj{"userName": "ame\u0301lie-" + name})), http.StatusConflict, "uniqueness")
}

func ruleOwnCase(s *session) {
	u := s.user()
	name := strings.ToUpper(u.value.GetString("userName"))
	s.wantAt(s.modify(u, replace("userName", name)), "userName", name)
}

func ruleFreeAfterRename(s *session) {
	u := s.user()
	old := u.value.GetString("userName")
	s.modify(u, replace("userName", s.email()))
	again := s.user(obj{"userName": old, "emails": list{obj{"value": s.email(), "type": "work"}}})
	s.wantFound("/Users", eq("userName", old), again)
}

func ruleGroupsInPost(s *session) {
	g := s.group()
	a := s.post("/Users", s.person(obj{"groups": list{obj{"value": g.id}}}))
	s.wantStatus(a, http.StatusCreated)
	s.wantMembers(g)
}

func ruleGroupsInPut(s *session) {
	u := s.user()
	g := s.group(u)
	s.replace(u, s.person(obj{"userName": u.value.GetString("userName"), "groups": list{}}))
	s.wantMembers(g, u)
}

func ruleGroupsInPatch(s *session) {
	u, g := s.user(), s.group()
	a := s.patch(u.path(), add("groups", list{obj{"value": g.id}}))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusBadRequest, "mutability")
	}
	s.note("answered with %d", a.status)
	s.wantMembers(g)
}

func ruleGroupsShown(s *session) {
	u := s.user()
	g, h := s.group(u), s.group(u)
	s.wantStored(u, obj{"groups": list{
		obj{"value": g.id, "display": g.value.GetString("displayName")},
		obj{"value": h.id, "display": h.value.GetString("displayName")},
	}})
}

func ruleGroupsRenamed(s *session) {
	u := s.user()
	g := s.group(u)
	name := s.name()
	s.modify(g, replace("displayName", name))
	s.wantStored(u, obj{"groups": list{obj{"value": g.id, "display": name}}})
}

func ruleNested(s *session) {
	inner := s.group()
	a := s.post("/Groups", s.crew(obj{"members": refs(inner)}))
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusBadRequest, "invalidValue")
		s.note("groups in groups are refused")
		return
	}
	s.wantAt(&s.get("/Groups/"+a.value.GetString("id")).value, "members", list{obj{"value": inner.id}})
}

func ruleUnknownMember(s *session) {
	g := s.group()
	a := s.patch(g.path(), add("members", list{obj{"value": "9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff"}}))
	switch {
	case a.status >= http.StatusMultipleChoices:
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusNotFound})
		s.wantMembers(g)
	default:
		s.fail("a member nobody knows is accepted with %d", a.status)
	}
}

func ruleMemberOnce(s *session) {
	u := s.user()
	g := s.group(u, u)
	s.wantMembers(g, u)
	s.modify(g, add("members", list{obj{"value": u.id}, obj{"value": u.id}}))
	s.wantMembers(g, u)
}

func ruleMemberType(s *session) {
	u := s.user()
	m := find(s.read(s.group(u)), "members[0]")
	kind, ref := m.GetString("type"), m.GetString("$ref")
	s.wantThat(kind == "User" || strings.HasSuffix(ref, u.path()), "the member %s tells neither type nor $ref", text(m))
}

func ruleManager(s *session) {
	boss := s.user()
	u := s.user(obj{enterpriseURN: obj{"manager": obj{"value": boss.id}}})
	s.wantStored(u, obj{enterpriseURN + ":manager.value": boss.id})
}

func ruleManagerName(s *session) {
	boss := s.user()
	u := s.user(obj{enterpriseURN: obj{"manager": obj{"value": boss.id, "displayName": "Chosen by the client"}}})
	got := find(s.read(u), enterpriseURN+":manager.displayName").Text
	s.wantThat(got != "Chosen by the client", "the readOnly displayName of the manager was taken from the client")
}

func ruleDeactivated(s *session) {
	u := s.user(obj{"displayName": "Amélie"})
	s.wantAll(s.modify(u, replace("active", false)), obj{"active": false, "displayName": "Amélie"})
	s.wantFound("/Users", eq("userName", u.value.GetString("userName")), u)
	s.wantAt(s.modify(u, replace("active", true)), "active", true)
}

func ruleGroupName(s *session) {
	g := s.group()
	name := g.value.GetString("displayName")
	s.wantFound("/Groups", eq("displayName", name), g)
	s.wantFound("/Groups", eq("displayName", strings.ToUpper(name)), g)
}

func ruleOddAddress(s *session) {
	value := "o'neill+" + s.email()
	u := s.user(obj{"userName": value, "emails": list{obj{"value": value, "type": "work"}}})
	s.wantStored(u, obj{"userName": value, "emails": list{obj{"value": value}}})
	s.wantFound("/Users", eq("userName", value), u)
}
