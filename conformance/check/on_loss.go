package check

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
)

func ipsieChecks() []Check {
	return []Check{
		c("ipsie/filters", "userName, externalId and emails[value eq] find a user", "R-143", ipsieFilters, noFilter),
		c("ipsie/paged", "users and groups are paged", "R-143", ipsiePaged, noGroups),
		c("ipsie/user-life", "create, change, deactivate, reactivate, delete, create again", "R-144", ipsieUser, noPatch),
		c("ipsie/group-life", "create, read without members, add, remove one, remove all, delete", "R-144", ipsieGroup, noPatch, noGroups),
		c("ipsie/discovery", "ServiceProviderConfig, ResourceTypes and Schemas hold users and groups", "R-147", ipsieDiscovery),
	}
}

func ipsieFilters(s *session) {
	u := s.user(obj{"externalId": s.name()})
	s.wantFound("/Users", eq("userName", u.value.GetString("userName")), u)
	s.wantFound("/Users", eq("externalId", u.value.GetString("externalId")), u)
	s.wantFound("/Users", "emails["+eq("value", find(&u.value, "emails[0].value").Text)+"]", u)
}

func ipsiePaged(s *session) {
	s.group(s.user(), s.user())
	s.group()
	for _, endpoint := range [...]string{"/Users", "/Groups"} {
		a := some(func() *answer { return s.get(endpoint, "startIndex", "1", "count", "1") })
		s.wantStatus(a, http.StatusOK)
		s.wantThat(len(ids(a)) == 1, "a page of %s holds %d resources, it should hold 1", endpoint, len(ids(a)))
	}
}

func ipsieUser(s *session) {
	body := s.person()
	u := s.create("/Users", body)
	s.wantAt(s.modify(u, replace("name.familyName", "Martin")), "name.familyName", "Martin")
	s.wantAt(s.modify(u, replace("active", false)), "active", false)
	s.wantAt(s.modify(u, replace("active", true)), "active", true)
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	s.wantGone(u)
	s.create("/Users", body)
}

func ipsieGroup(s *session) {
	a, b := s.user(), s.user()
	g := s.group()
	s.modify(g, add("members", refs(a, b)))
	s.wantAt(&s.get(g.path(), "excludedAttributes", "members").value, "members", nil)
	s.modify(g, remove("members[value eq "+quote(a.id)+"]"))
	s.wantMembers(g, b)
	s.modify(g, remove("members"))
	s.wantMembers(g)
	s.wantStatus(s.delete(g.path()), http.StatusNoContent)
	s.wantGone(g)
}

func ipsieDiscovery(s *session) {
	configItself(s)
	for _, urn := range [...]string{userURN, groupURN} {
		s.wantAt(&s.get("/Schemas/"+urn).value, "id", urn)
	}
}

// lossChecks are answers of success behind which something was lost, as other
// servers are known to give them.
func lossChecks() []Check {
	return []Check{
		c("loss/capital-add-ignored", "an operation Add is done or refused, never passed over", "L-1 ENT-24 R-88", lossCapitalAdd, noPatch, noGroups),
		c("loss/replace-members-ignored", "replace of members replaces them", "R-102 OKT-13", lossReplaceMembers, noPatch, noGroups),
		c("loss/one-removal-empties-group", "the removal of one member takes that member only", "R-96 L-6 ENT-25 OKT-12", lossOneRemoval, noPatch, noGroups),
		c("loss/old-name-still-found", "after a rename the old name finds nobody and is free", "R-57 ENT-13 R-31", lossOldName, noPatch, noFilter),
		c("loss/totals-capped-at-page", "totalResults counts all that match, not those of the page", "R-57 OKT-09", lossTotals, noFilter),
		c("loss/false-stored-as-text", "\"False\" is false or refused, never a text", "L-2 ENT-14 R-7", lossTextFalse, noPatch),
		c("loss/mutual-bulkid-refused", "two groups that name each other in a bulk are made and linked", "R-116", bulkCircular, noBulk, noGroups),
		c("loss/users-lost-in-paged-walk", "a walk while users are deleted loses nobody who stays", "R-81 R-132 OKT-09", lossWalk, noFilter),
	}
}

func lossCapitalAdd(s *session) {
	u, g := s.user(), s.group()
	a := s.patch(g.path(), op("Add", "members", entraRef(u)))
	if a.status == http.StatusBadRequest && !s.is("entra", "generic") {
		s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
		s.note("refused")
		s.wantMembers(g)
		return
	}
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.wantMembers(g, u)
	s.wantAt(s.modify(u, op("Add", "displayName", "Amélie")), "displayName", "Amélie")
}

func lossReplaceMembers(s *session) {
	a, b, d := s.user(), s.user(), s.user()
	g := s.group(a, b)
	s.modify(g, replace("members", refs(d)))
	s.wantMembers(g, d)
	s.wantInGroups(a)
	s.wantInGroups(d, g)
}

func lossOneRemoval(s *session) {
	a, b, d := s.user(), s.user(), s.user()
	g := s.group(a, b, d)
	s.modify(g, remove("members[value eq "+quote(a.id)+"]"))
	s.wantMembers(g, b, d)
	if s.is("entra", "jumpcloud", "authentik", "generic") { // to RFC 7644 a value here means nothing
		s.modify(g, op("Remove", "members", entraRef(b)))
		s.wantMembers(g, d)
	}
}

func lossOldName(s *session) {
	u := s.user()
	old, now := u.value.GetString("userName"), s.email()
	s.modify(u, replace("userName", now))
	s.wantFound("/Users", eq("userName", old))
	s.wantFound("/Users", eq("userName", now), u)
	last := s.email()
	s.wantAt(s.replace(u, s.again(u, obj{"userName": last})), "userName", last)
	s.wantFound("/Users", eq("userName", now))
	again := s.user(obj{"userName": old, "emails": list{obj{"value": s.email(), "type": "work"}}})
	s.wantFound("/Users", eq("userName", old), again)
}

func lossTotals(s *session) {
	filter, all := s.team(5)
	for _, count := range [...]string{"1", "3"} {
		a := s.find("/Users", filter, "count", count)
		s.wantStatus(a, http.StatusOK)
		s.wantAt(&a.value, "totalResults", len(all))
	}
	total, err := strconv.Atoi(s.get("/Users", "count", "1").at("totalResults").Text)
	s.wantThat(err == nil && total >= len(all), "totalResults of the whole list is %d, there are at least %d users", total, len(all))
}

func lossTextFalse(s *session) {
	u := s.user()
	a := s.patch(u.path(), op("Replace", "active", "False"))
	active := find(s.read(u), "active")
	if a.status == http.StatusBadRequest && !s.is("entra", "generic") {
		s.note("refused")
		s.wantThat(active.Kind == jsontree.True, "active is %s after a refusal", text(active))
		return
	}
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.wantThat(active.Kind == jsontree.False, "active is %s, it should be false", text(active))
	s.wantFound("/Users", eq("id", u.id)+" and active eq false", u)
	s.wantFound("/Users", eq("id", u.id)+" and active eq true")
}

// lossWalk deletes somebody already seen between the pages of a walk by cursor.
// Without cursors, where the RFC promises nothing for that, it deletes somebody
// not seen yet.
func lossWalk(s *session) {
	filter, all := s.team(8)
	deleted := map[string]bool{}
	drop := func(id string) {
		deleted[id] = true
		s.wantStatus(s.delete("/Users/"+id), http.StatusNoContent)
	}
	var seen []string
	if noCursor(s.known) == "" {
		seen = s.cursorWalk("/Users", filter, 2, func(page *answer) { drop(ids(page)[0]) })
	} else {
		order := s.walk("/Users", filter, 100, nothing)
		seen = s.walk("/Users", filter, 2, func(page int) {
			if page == 0 && len(order) == len(all) {
				drop(order[len(order)-1])
			}
		})
	}
	for _, r := range all {
		s.wantThat(deleted[r.id] || slices.Contains(seen, r.id), "%s is still there and was never seen: %v", r.id, seen)
	}
	stay := []*resource{}
	for _, r := range all {
		if !deleted[r.id] {
			stay = append(stay, r)
		}
	}
	s.wantFound("/Users", filter, stay...)
}
