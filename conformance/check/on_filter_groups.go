package check

import (
	"net/http"
	"strings"
)

func filterGroups() []Check {
	return []Check{
		c("filter/group-name", "displayName eq finds the group", "R-63 ENT-05", ruleGroupName, noFilter, noGroups),
		c("filter/group-name-sw", "displayName sw finds the group", "R-63", filterGroupPrefix, noFilter, noGroups),
		c("filter/group-members-value", "members.value eq finds the groups of a user", "R-68 R-69", filterMembers(`members.value eq "%"`), noFilter, noGroups),
		c("filter/group-members-alone", "members eq finds the groups of a user", "R-72 L-15", filterMembers(`members eq "%"`), noFilter, noGroups),
		c("filter/group-members-path", "members[value eq] finds the groups of a user", "R-68", filterMembers(`members[value eq "%"]`), noFilter, noGroups),
		c("filter/group-relation", "id eq and members eq tells whether the relation exists", "ENT-07 L-16", filterRelation, noFilter, noGroups),
		c("filter/group-without-members", "excludedAttributes=members goes with a filter", "ENT-05 R-77", filterWithoutMembers, noFilter, noGroups),
		c("filter/group-members-pr", "members pr tells full groups from empty ones", "R-70", filterMembersPresent, noFilter, noGroups),
		c("filter/manager-relation", "id eq and manager eq tells whether the relation exists", "ENT-07 L-15", filterManager, noFilter, noEnterprise, only("entra", "generic", "ping")),
		c("filter/manager-urn", "the manager is found with the URN", "R-69 R-39", filterManagerURN, noFilter, noEnterprise),
		c("filter/unknown-attribute", "an unknown attribute finds nobody or is 400", "R-61 R-65", filterUnknown, noFilter),
		c("filter/unquoted", "a literal without quotes is 400, or read as text by tolerant servers", "L-17 R-71", filterUnquoted, noFilter),
		c("filter/single-quotes", "single quotes are 400, or part of the text for tolerant servers", "L-17 R-71", filterSingleQuotes, noFilter),
		c("filter/old-value-not-found", "a changed value is found, the old one no more", "R-57 R-99", filterAfterChange, noFilter),
		c("filter/removed-value-not-found", "a removed value is found no more", "R-57 R-96", filterAfterRemove, noFilter, userHas("title")),
		c("filter/deleted-not-found", "a deleted user is found by no filter", "R-109", filterAfterDelete, noFilter),
		c("filter/password", "a filter on password tells nothing: it is refused, or finds nobody", "R-73 R-32", filterPassword, noFilter),
		c("filter/quote-in-literal", "a quote and a backslash in a literal are escaped", "L-28 R-71", filterQuotes, noFilter),
		c("filter/twenty-terms", "twenty terms of or", "R-63 S-13", filterTwenty, noFilter),
	}
}

func filterGroupPrefix(s *session) {
	prefix := s.name()
	a, b := s.create("/Groups", s.crew(obj{"displayName": prefix + " one"})), s.create("/Groups", s.crew(obj{"displayName": prefix + " two"}))
	s.wantFound("/Groups", `displayName sw `+quote(prefix), a, b)
	s.wantFound("/Groups", `displayName sw `+quote(prefix)+` and displayName ew "two"`, b)
}

// filterMembers asks for the groups of a user; % stands for its id.
func filterMembers(filter string) func(*session) {
	return func(s *session) {
		u, v := s.user(), s.user()
		g, h := s.group(u, v), s.group(u)
		s.wantFound("/Groups", strings.ReplaceAll(filter, "%", u.id), g, h)
		s.wantFound("/Groups", strings.ReplaceAll(filter, "%", v.id), g)
	}
}

func filterRelation(s *session) {
	u, v := s.user(), s.user()
	g := s.group(u)
	a := s.find("/Groups", eq("id", g.id)+" and "+eq("members", u.id), "attributes", "id")
	s.wantList(a, g)
	s.wantAll(a.at("Resources[0]"), obj{"displayName": nil, "members": nil})
	s.wantList(s.find("/Groups", eq("members", v.id)+" and "+eq("id", g.id), "attributes", "id"))
}

func filterWithoutMembers(s *session) {
	g := s.group(s.user())
	a := s.find("/Groups", eq("displayName", g.value.GetString("displayName")), "excludedAttributes", "members")
	s.wantList(a, g)
	s.wantAll(a.at("Resources[0]"), obj{"members": nil, "displayName": anything{}})
}

func filterMembersPresent(s *session) {
	full, empty := s.group(s.user()), s.group()
	either := "(" + eq("id", full.id) + " or " + eq("id", empty.id) + ")"
	s.wantFound("/Groups", either+" and members pr", full)
	s.wantFound("/Groups", either+" and not (members pr)", empty)
}

func filterManager(s *session) {
	boss := s.user()
	u := s.user(obj{enterpriseURN: obj{"manager": obj{"value": boss.id}}})
	s.wantFound("/Users", eq("id", u.id)+" and "+eq("manager", boss.id), u)
	s.wantFound("/Users", eq("id", boss.id)+" and "+eq("manager", u.id))
}

func filterManagerURN(s *session) {
	boss := s.user()
	u := s.user(obj{enterpriseURN: obj{"manager": obj{"value": boss.id}}})
	s.wantFound("/Users", eq(enterpriseURN+":manager.value", boss.id), u)
}

func filterUnknown(s *session) {
	u := s.user()
	a := s.find("/Users", eq("id", u.id)+` and nonsense eq "x"`)
	if a.status != http.StatusOK {
		s.wantError(a, http.StatusBadRequest, "invalidFilter", "invalidPath")
	} else {
		s.wantList(a)
	}
	s.note("answered with %d", a.status)
}

func filterUnquoted(s *session) {
	u := s.user(obj{"externalId": s.name()})
	a := s.find("/Users", "externalId eq "+u.value.GetString("externalId"))
	switch {
	case s.is("entra", "generic") || a.status == http.StatusOK:
		s.wantList(a, u)
		s.note("read as text")
	default:
		s.wantError(a, http.StatusBadRequest, "invalidFilter")
		s.note("refused")
	}
}

func filterSingleQuotes(s *session) {
	u := s.user(obj{"externalId": s.name()})
	a := s.find("/Users", "externalId eq '"+u.value.GetString("externalId")+"'")
	if s.is("entra", "generic") && a.status == http.StatusOK {
		s.wantList(a)
		s.note("part of the text")
		return
	}
	s.wantError(a, http.StatusBadRequest, "invalidFilter")
}

func filterAfterChange(s *session) {
	u := s.user(obj{"externalId": s.name()})
	for _, name := range [...]string{"userName", "externalId"} {
		old, now := u.value.GetString(name), s.email()
		s.modify(u, replace(name, now))
		s.wantFound("/Users", eq(name, now), u)
		s.wantFound("/Users", eq(name, old))
	}
}

func filterAfterRemove(s *session) {
	title := s.name()
	u := s.user(obj{"title": title})
	s.wantFound("/Users", eq("title", title), u)
	s.modify(u, remove("title"))
	s.wantFound("/Users", eq("title", title))
	s.wantFound("/Users", eq("id", u.id)+" and not (title pr)", u)
}

func filterAfterDelete(s *session) {
	u := s.user(obj{"externalId": s.name()})
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	for _, filter := range [...]string{eq("id", u.id), eq("userName", u.value.GetString("userName")), eq("externalId", u.value.GetString("externalId"))} {
		s.wantFound("/Users", filter)
	}
}

func filterPassword(s *session) {
	secret := "Kx7-" + s.name()
	u := s.user(obj{"password": secret})
	a := s.find("/Users", eq("id", u.id)+" and "+eq("password", secret))
	if a.status != http.StatusOK {
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusForbidden})
		s.note("refused")
		return
	}
	s.wantList(a)
}

func filterQuotes(s *session) {
	name := `say "hi" \ ` + s.name()
	u := s.user(obj{"displayName": name})
	s.wantFound("/Users", eq("displayName", name), u)
}

func filterTwenty(s *session) {
	u := s.user()
	terms := []string{eq("userName", u.value.GetString("userName"))}
	for range 19 {
		terms = append(terms, eq("userName", s.email()))
	}
	s.wantFound("/Users", strings.Join(terms, " or "), u)
}
