package check

import "net/http"

func patchOrderChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c(id, title, sources, run, append(needs, noPatch)...)
	}
	return []Check{
		row("patch/order", "operations run in order, each on the result of the one before", "R-90 ENT-33", patchInOrder, userHas("title")),
		row("patch/add-then-remove", "a value added and removed in one request is not there", "R-90", patchAddRemove, userHas("phoneNumbers")),
		row("patch/add-then-filter", "an operation finds what the one before has added", "R-90", patchAddFilter, userHas("phoneNumbers")),
		row("patch/atomic", "one wrong operation undoes all", "R-90", patchAtomic, userHas("title")),
		row("patch/atomic-unknown-path", "an unknown path behind a good operation undoes it", "R-90 R-89", patchAtomicPath, userHas("title")),
		row("patch/atomic-members", "a wrong operation undoes a change of members before it", "R-90", patchAtomicMembers, noGroups),
		row("patch/answer", "success is 200 with the resource or 204 without a body", "R-91", patchAnswer),
		row("patch/unchanged-keeps-time", "a PATCH that changes nothing leaves lastModified alone", "R-94 ENT-14 L-24", patchUnchanged),
		row("patch/repeated", "the same PATCH twice ends in the same state", "R-94 ENT-11", patchRepeated, userHas("phoneNumbers")),
		row("patch/rename", "a new userName is found, the old one is not", "R-99 ENT-13 OKT-17", patchRename),
		row("patch/own-name", "setting a userName to what it is succeeds", "R-94 R-107", patchOwnName),
		row("patch/plain-json", "a PATCH sent as application/json is accepted", "R-18 L-26", patchPlainJSON),
		row("patch/primary-one", "at most one value is primary after a PATCH", "R-104 R-13", patchPrimary),
		row("patch/unknown-attribute", "an unknown attribute as path is 400 invalidPath, or ignored and not stored", "R-89 L-14", patchUnknownAttribute),
		row("patch/read-only-groups", "replace of groups is 400 mutability, or ignored", "R-105 R-35", patchGroupsOfUser, noGroups),
		row("patch/location", "id and meta.location stay through a PATCH", "R-23 R-26", patchLocation),
		row("patch/many-operations", "fifty operations in one request", "R-90 L-32", patchMany),
	}
}

func patchInOrder(s *session) {
	u := s.user()
	s.wantAt(s.modify(u, replace("title", "one"), replace("title", "two"), replace("title", "three")), "title", "three")
}

func patchAddRemove(s *session) {
	phone := list{obj{"type": "mobile", "value": "+336"}}
	s.wantAt(s.modify(s.user(), add("phoneNumbers", phone), remove(`phoneNumbers[type eq "mobile"]`)), "phoneNumbers", nil)
}

func patchAddFilter(s *session) {
	phone := list{obj{"type": "mobile", "value": "+336"}}
	s.wantAt(s.modify(s.user(), add("phoneNumbers", phone), replace(`phoneNumbers[type eq "mobile"].value`, "+337")), "phoneNumbers", list{obj{"type": "mobile", "value": "+337"}})
}

func patchAtomic(s *session) {
	u := s.user(obj{"title": "Old"})
	s.wantUntouched(u, func() {
		s.wantError(s.patch(u.path(), replace("title", "New"), replace("active", "perhaps")), http.StatusBadRequest)
	})
}

func patchAtomicPath(s *session) {
	u := s.user(obj{"title": "Old"})
	s.wantUntouched(u, func() {
		s.wantError(s.patch(u.path(), replace("title", "New"), replace("name..x", "y")), http.StatusBadRequest, "invalidPath")
	})
}

func patchAtomicMembers(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.wantUntouched(g, func() {
		s.wantError(s.patch(g.path(), add("members", refs(b)), replace("members[", "x")), http.StatusBadRequest, "invalidPath", "invalidFilter")
	})
	s.wantInGroups(b)
}

func patchAnswer(s *session) {
	u := s.user()
	a := s.patch(u.path(), replace("displayName", "New"))
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	if a.status == http.StatusOK {
		s.wantJSON(a)
		s.wantAll(&a.value, obj{"id": u.id, "displayName": "New", "schemas": contains{userURN}})
	} else {
		s.wantThat(len(a.raw) == 0, "204 has a body")
	}
	s.note("answered with %d", a.status)
}

func patchUnchanged(s *session) {
	u := s.user(obj{"displayName": "Amélie"})
	before := s.read(u)
	after := s.modify(u, replace("active", true), replace("displayName", "Amélie"))
	s.wantAt(after, "meta.lastModified", find(before, "meta.lastModified").Text)
}

func patchRepeated(s *session) {
	u := s.user(obj{"phoneNumbers": workHome()})
	change := []obj{replace(`phoneNumbers[type eq "work"].value`, "+339"), add("phoneNumbers", list{obj{"type": "mobile", "value": "+336"}}), replace("displayName", "New")}
	first := s.modify(u, change...)
	s.wantAll(first, obj{"displayName": "New", "phoneNumbers[work].value": "+339", "phoneNumbers[mobile].value": "+336"})
	s.wantSame("the same PATCH twice ends in different states", first, s.modify(u, change...))
}

func patchRename(s *session) {
	u := s.user()
	old, name := u.value.GetString("userName"), s.email()
	s.wantAt(s.modify(u, replace("userName", name)), "userName", name)
	s.wantFound("/Users", eq("userName", name), u)
	s.wantFound("/Users", eq("userName", old))
}

func patchOwnName(s *session) {
	u := s.user()
	s.wantAt(s.modify(u, replace("userName", u.value.GetString("userName"))), "userName", u.value.GetString("userName"))
}

func patchPlainJSON(s *session) {
	u := s.user()
	a := s.send(request{method: http.MethodPatch, path: u.path(), body: patchOp(replace("displayName", "New")), header: map[string]string{"Content-Type": "application/json"}})
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.wantStored(u, obj{"displayName": "New"})
}

func patchPrimary(s *session) {
	u := s.user()
	now := s.modify(u, add("emails", list{obj{"value": s.email(), "type": "home", "primary": true}}))
	s.wantOnePrimary(now)
	s.wantAt(now, "emails[home].primary", true)
	now = s.modify(u, replace(`emails[type eq "work"].primary`, true))
	s.wantOnePrimary(now)
	s.wantAt(now, "emails[work].primary", true)
}

func patchUnknownAttribute(s *session) {
	u := s.user()
	a := s.patch(u.path(), replace("nonsense", "x"))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusBadRequest, "invalidPath", "noTarget")
	}
	s.note("answered with %d", a.status)
	s.wantStored(u, obj{"nonsense": nil})
}

func patchGroupsOfUser(s *session) {
	u := s.user()
	g := s.group(u)
	a := s.patch(u.path(), replace("groups", list{}))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusBadRequest, "mutability")
	}
	s.note("answered with %d", a.status)
	s.wantMembers(g, u)
}

func patchLocation(s *session) {
	u := s.user()
	s.wantAll(s.modify(u, replace("displayName", "New")), obj{"id": u.id, "displayName": "New", "meta.location": find(&u.value, "meta.location").Text})
}

func patchMany(s *session) {
	var all []obj
	for i := range 49 {
		all = append(all, replace("displayName", string(rune('a'+i%26))))
	}
	s.wantAt(s.modify(s.user(), append(all, replace("displayName", "the last"))...), "displayName", "the last")
}
