package check

import "net/http"

func patchGroupChecks() []Check {
	row := func(id, title, sources string, run func(*session)) Check {
		return c(id, title, sources, run, noPatch, noGroups)
	}
	return []Check{
		row("patch/group-add-member", "add by path members", "R-93 R-144 ENT-24", groupAdd),
		row("patch/group-add-several", "add of several members at once", "R-93 ENT-24", groupAddSeveral),
		row("patch/group-add-known", "add of a member who is there changes nothing, lastModified neither", "R-94 L-24", groupAddKnown),
		row("patch/group-add-pathless", "add without path adds members", "R-92", groupAddPathless),
		row("patch/group-remove-filtered", "remove by members[value eq] without value", "R-96 R-144 ENT-26 OKT-12", groupRemove),
		row("patch/group-remove-all", "remove by path members empties the group", "R-96 R-144", groupRemoveAll),
		row("patch/group-remove-stranger", "remove of somebody who is no member succeeds", "R-98 L-24", groupRemoveStranger),
		row("patch/group-replace-members", "replace of members replaces the whole list", "R-102 OKT-13", groupReplace),
		row("patch/group-replace-empty", "replace of members with [] empties the group", "R-102 OKT-14", groupReplaceEmpty),
		row("patch/group-replace-pathless", "replace without path replaces members", "R-99 R-102", groupReplacePathless),
		row("patch/group-rename-keeps", "a rename leaves the members alone", "R-99 ENT-23", groupRename),
		row("patch/group-mixed", "add, remove and rename in one request", "R-90 ENT-27", groupMixed),
		row("patch/group-remove-add", "remove and add in one request, as Okta sends it", "R-90 OKT-12", groupSwap),
		row("patch/group-hundred", "a hundred members in one request", "L-32 R-93", groupHundred),
		row("patch/group-conflict", "the displayName of another group is 409 (or permitted)", "R-107", groupConflict),
		row("patch/group-other-side", "a removed member does not show the group any more", "R-36 R-96", groupOtherSide),
		row("patch/group-immutable", "the value of a member is not edited in place", "R-38 R-105", groupImmutable),
		row("patch/group-unknown-member", "one unknown member among known ones: nothing of the request stays", "L-25 R-90", groupUnknown),
	}
}

func groupAdd(s *session) {
	u, g := s.user(), s.group()
	s.modify(g, add("members", refs(u)))
	s.wantMembers(g, u)
}

func groupAddSeveral(s *session) {
	a, b, d := s.user(), s.user(), s.user()
	g := s.group(a)
	s.modify(g, add("members", refs(b, d)))
	s.wantMembers(g, a, b, d)
}

func groupAddKnown(s *session) {
	u := s.user()
	g := s.group(u)
	before := s.read(g)
	after := s.modify(g, add("members", refs(u)))
	s.wantAt(after, "meta.lastModified", find(before, "meta.lastModified").Text)
	s.wantMembers(g, u)
}

func groupAddPathless(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.modify(g, add("", obj{"members": refs(b)}))
	s.wantMembers(g, a, b)
}

func groupRemove(s *session) {
	a, b, d := s.user(), s.user(), s.user()
	g := s.group(a, b, d)
	s.modify(g, remove("members[value eq "+quote(b.id)+"]"))
	s.wantMembers(g, a, d)
	s.wantInGroups(b)
}

func groupRemoveAll(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a, b)
	s.modify(g, remove("members"))
	s.wantMembers(g)
	s.wantInGroups(a)
}

func groupRemoveStranger(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	answer := s.patch(g.path(), remove("members[value eq "+quote(b.id)+"]"))
	if answer.status == http.StatusBadRequest { // the sentence before the example of §3.5.2.2 against noTarget of §3.5.2
		s.wantError(answer, http.StatusBadRequest, "noTarget")
	} else {
		s.wantStatus(answer, http.StatusOK, http.StatusNoContent)
	}
	s.note("answered with %d", answer.status)
	s.wantMembers(g, a)
}

func groupReplace(s *session) {
	a, b, d := s.user(), s.user(), s.user()
	g := s.group(a, b)
	s.modify(g, replace("members", refs(b, d)))
	s.wantMembers(g, b, d)
	s.wantInGroups(a)
}

func groupReplaceEmpty(s *session) {
	a := s.user()
	g := s.group(a)
	s.modify(g, replace("members", list{}))
	s.wantMembers(g)
	s.wantInGroups(a)
}

func groupReplacePathless(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.modify(g, replace("", obj{"members": refs(b)}))
	s.wantMembers(g, b)
}

func groupRename(s *session) {
	a := s.user()
	g := s.group(a)
	old, name := g.value.GetString("displayName"), s.name()
	s.modify(g, replace("displayName", name))
	s.wantMembers(g, a)
	s.wantFound("/Groups", eq("displayName", name), g)
	s.wantFound("/Groups", eq("displayName", old))
}

func groupMixed(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	name := s.name()
	now := s.modify(g, add("members", refs(b)), remove("members[value eq "+quote(a.id)+"]"), replace("displayName", name))
	s.wantAt(now, "displayName", name)
	s.wantMembers(g, b)
}

func groupSwap(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.modify(g, remove("members[value eq "+quote(a.id)+"]"), add("members", list{obj{"value": b.id, "display": "somebody"}}))
	s.wantMembers(g, b)
	s.wantInGroups(a)
}

func groupHundred(s *session) {
	var all []*resource
	for range 25 {
		all = append(all, s.user())
	}
	values := list{}
	for range 4 { // each of them four times: a hundred values, twenty-five members
		values = append(values, refs(all...)...)
	}
	g := s.group()
	s.modify(g, add("members", values))
	s.wantStored(g, obj{"members": refs(all...)})
}

func groupConflict(s *session) {
	g, other := s.group(), s.group()
	a := s.patch(g.path(), replace("displayName", other.value.GetString("displayName")))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusConflict, "uniqueness")
		s.wantStored(g, obj{"displayName": g.value.GetString("displayName")})
	}
	s.note("answered with %d", a.status)
}

func groupOtherSide(s *session) {
	a := s.user()
	g, h := s.group(a), s.group(a)
	s.wantInGroups(a, g, h)
	s.modify(g, remove("members[value eq "+quote(a.id)+"]"))
	s.wantInGroups(a, h)
	s.wantFound("/Groups", eq("members.value", a.id), h)
}

func groupImmutable(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	answer := s.patch(g.path(), replace("members[value eq "+quote(a.id)+"].value", b.id))
	if answer.status < http.StatusMultipleChoices {
		s.note("accepted as a removal and an addition")
		s.wantMembers(g, b)
		return
	}
	s.wantError(answer, http.StatusBadRequest, "mutability")
	s.wantMembers(g, a)
}

func groupUnknown(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.wantUntouched(g, func() {
		values := append(refs(b), obj{"value": "9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff"})
		s.wantErrors(s.patch(g.path(), add("members", values)), []int{http.StatusBadRequest, http.StatusNotFound})
	})
	s.wantInGroups(b)
}
