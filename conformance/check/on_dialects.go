package check

import (
	"net/http"
	"strconv"
	"strings"
)

func oktaChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("okta/"+id, title, sources, run, append(needs, only("okta", "generic"))...)
	}
	return []Check{
		row("connect", "the credential test is a list of two", "OKT-01", readList("/Users")),
		row("spec-first", "the first user of the list has id, userName, active, names and an address", "OKT-17", oktaSpecFirst),
		row("spec-create", "POST as application/json is 201, and the same again 409", "OKT-17 OKT-04", oktaSpecCreate),
		row("spec-lookup", "an unknown userName is an empty list, a known one in capitals is found", "OKT-17 OKT-02", oktaSpecLookup),
		row("spec-unknown", "an unknown id is 404 with detail, schema and status as text", "OKT-17", readUnknown("/Users")),
		row("spec-groups", "GET /Groups has a Resources array", "OKT-17", readList("/Groups"), noGroups),
		row("spec-token", "a wrong token is 401 with a SCIM error", "OKT-17", authWrong),
		row("create", "the body of a push makes a user; password and groups leave nothing", "OKT-03", oktaCreate),
		row("profile-push", "GET, change, PUT keeps everything else", "OKT-05 L-21", oktaProfilePush),
		row("deactivate", "a pathless replace of active, and back", "OKT-06", oktaDeactivate),
		row("deactivate-put", "the same by PUT", "OKT-07 L-22", putDeactivate),
		row("password", "a new password is accepted and not shown, or refused with a SCIM error", "OKT-08", oktaPassword),
		row("import", "pages from 1 on until totalResults, no gap, none twice", "OKT-09", pageWalk),
		row("group-create", "a group with an empty list of members", "OKT-10", oktaGroup, noGroups),
		row("group-rename", "a pathless replace with the id inside", "OKT-11", oktaGroupRename, noGroups),
		row("group-members", "remove by filter and add with display in one request", "OKT-12", groupSwap, noGroups),
		row("group-push", "a full push replaces the members", "OKT-13", oktaPushNow, noGroups),
		row("group-push-empty", "a full push of nobody empties the group", "OKT-14", groupReplaceEmpty, noGroups),
		row("group-put", "PUT of a group with members", "OKT-15", putMembers, noGroups),
		row("group-delete", "a group is deleted and its members stay", "OKT-16", deleteGroup, noGroups),
		row("entitlements", "every announced end point and schema can be read", "OKT-18", typesEndpoints),
		row("charset", "Accept and Content-Type with a charset", "OKT-03 L-26", oktaCharset),
	}
}

func oktaSpecFirst(s *session) {
	s.user()
	a := some(func() *answer { return s.get("/Users", "count", "1", "startIndex", "1") })
	s.wantStatus(a, http.StatusOK)
	s.wantAll(a.at("Resources[0]"), obj{"id": anything{}, "userName": anything{}})
	u := s.user()
	s.wantAll(s.find("/Users", eq("id", u.id)).at("Resources[0]"), obj{"id": u.id, "active": true, "name.givenName": "Amélie", "name.familyName": "Roux", "emails[0].value": anything{}})
}

func oktaSpecCreate(s *session) {
	body := s.person()
	as := map[string]string{"Content-Type": "application/json"}
	a := s.send(request{method: http.MethodPost, path: "/Users", body: body, header: as})
	s.wantStatus(a, http.StatusCreated)
	s.wantAll(&a.value, obj{"active": true, "userName": body["userName"]})
	s.wantError(s.send(request{method: http.MethodPost, path: "/Users", body: body, header: as}), http.StatusConflict)
}

func oktaSpecLookup(s *session) {
	u := s.user()
	params := []string{"startIndex", "1", "count", "100"}
	s.wantList(s.find("/Users", eq("userName", s.email()), params...))
	s.wantList(s.find("/Users", eq("userName", strings.ToUpper(u.value.GetString("userName"))), params...), u)
}

func oktaCreate(s *session) {
	u := s.user(obj{"displayName": "Amélie Roux", "locale": "fr-FR", "externalId": "00u" + s.name(), "groups": list{}, "password": "Kx7-throwaway"})
	s.wantStored(u, obj{"displayName": "Amélie Roux", "locale": "fr-FR", "groups": nil, "password": nil, "active": true})
}

func oktaProfilePush(s *session) {
	u := s.user(obj{"displayName": "Amélie", "title": "Engineer"})
	body := s.read(u).Clone()
	body.Get("name").Get("familyName").Text = "Roux-Martin"
	a := s.put(u.path(), string(body.Append(nil)))
	s.wantStatus(a, http.StatusOK)
	s.wantStored(u, obj{"name": obj{"familyName": "Roux-Martin", "givenName": "Amélie"}, "displayName": "Amélie", "title": "Engineer", "active": true})
}

func oktaDeactivate(s *session) {
	u := s.user(obj{"displayName": "Amélie"})
	s.wantAll(s.modify(u, replace("", obj{"active": false})), obj{"active": false, "displayName": "Amélie"})
	s.wantAt(s.modify(u, replace("", obj{"active": true})), "active", true)
}

func oktaPassword(s *session) {
	u := s.user()
	secret := "Kx7-" + s.name()
	a := s.patch(u.path(), replace("", obj{"password": secret}))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusBadRequest)
	}
	s.note("answered with %d", a.status)
	s.wantThat(!strings.Contains(string(a.raw), secret), "the password is in the answer")
	s.wantStored(u, obj{"password": nil})
}

func oktaGroup(s *session) {
	s.wantMembers(s.create("/Groups", s.crew(obj{"members": list{}})))
}

func oktaGroupRename(s *session) {
	u := s.user()
	g := s.group(u)
	name := s.name()
	s.wantAll(s.modify(g, replace("", obj{"id": g.id, "displayName": name})), obj{"id": g.id, "displayName": name})
	s.wantMembers(g, u)
}

func oktaPushNow(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.modify(g, replace("members", list{obj{"value": b.id, "display": "b"}}))
	s.wantMembers(g, b)
	s.wantInGroups(a)
}

func oktaCharset(s *session) {
	both := map[string]string{"Content-Type": mediaType + "; charset=utf-8", "Accept": mediaType + "; charset=utf-8"}
	a := s.send(request{method: http.MethodPost, path: "/Users", body: s.person(), header: both})
	s.wantStatus(a, http.StatusCreated)
	s.wantJSON(a)
}

// dialectChecks are those of the other providers.
func dialectChecks() []Check {
	return []Check{
		c("onelogin/template", "a template with quoted boolean, null id and blank manager makes a user", "OLG-02 L-2 L-12 L-23", oneloginTemplate, only("onelogin", "generic")),
		c("onelogin/probe", "a look-up that cannot succeed is an empty list", "OLG-01", readNobody, only("onelogin", "generic")),
		c("onelogin/put", "PUT of the whole user, and suspension by PUT", "OLG-04", putDeactivate, only("onelogin", "generic")),
		c("jumpcloud/activation", "a test user and a test group are made, joined and deleted at once", "JCL-01", jumpcloudActivation, only("jumpcloud", "generic"), noGroups),
		c("jumpcloud/remove-member", "remove with a value array takes just that member", "JCL-02 L-6", entraRemoveMember("remove"), only("jumpcloud", "generic", "authentik"), noGroups),
		c("ping/lookup", "emails eq finds by any address", "PNG-01 L-15", pingLookup, only("ping", "generic")),
		c("ping/two-primaries", "two primary addresses: the first stays primary", "PNG-03 L-31", pingPrimaries, only("ping")),
		c("ping/put", "PUT without password and groups keeps memberships", "PNG-02", ruleGroupsInPut, only("ping", "generic"), noGroups),
		c("authentik/members", "one operation per member, removal by value array", "AUT-01 L-6", authentikMembers, only("authentik", "generic"), noGroups),
		c("authentik/group", "a pathless replace with the whole group, path null", "AUT-02", authentikGroup, only("authentik", "generic"), noGroups),
		c("authentik/gone", "PUT to a deleted user is 404 with a SCIM error", "AUT-04 R-83", authentikGone, only("authentik", "generic")),
		c("cyberark/calls", "the calls of CyberArk one after the other", "CYB-01 CYB-05 CYB-09 CYB-13", cyberark, noGroups),
		c("rippling/probe", "ServiceProviderConfig with the token is 200", "RIP-01", configItself),
		c("sailpoint/add-active", "add without path sets active", "SPT-01", sailpointActive),
		c("google/probe", "a list of one user", "GWS-01", func(s *session) { s.wantStatus(s.get("/Users", "count", "1"), http.StatusOK) }),
		c("google/put-is-scim", "PUT to an unknown id is a SCIM error, not a page", "GCI-01", putUnknown("/Users")),
	}
}

func oneloginTemplate(s *session) {
	body := s.person(obj{"id": nil, "active": "true", "meta": obj{"resourceType": "User"}})
	body[enterpriseURN] = obj{"department": "Support", "manager": obj{"managerId": "", "displayName": " "}}
	s.wantStored(s.create("/Users", body), obj{"active": true, enterpriseURN + ":department": "Support"})
}

func jumpcloudActivation(s *session) {
	u, g := s.user(), s.group()
	s.modify(g, add("members", refs(u)))
	s.wantMembers(g, u)
	s.modify(g, op("remove", "members", refs(u)))
	s.wantMembers(g)
	for _, r := range []*resource{u, g} {
		s.wantStatus(s.delete(r.path()), http.StatusNoContent)
		s.wantGone(r)
	}
}

func pingLookup(s *session) {
	u := s.user()
	s.wantFound("/Users", eq("emails", find(&u.value, "emails[0].value").Text), u)
	s.wantFound("/Users", eq("emails", s.email()))
}

func pingPrimaries(s *session) {
	a := s.post("/Users", twoPrimaries(s))
	s.wantStatus(a, http.StatusCreated)
	v := &s.get("/Users/" + a.value.GetString("id")).value
	s.wantOnePrimary(v)
	s.wantAt(v, "emails[work].primary", true)
}

func authentikMembers(s *session) {
	a, b := s.user(), s.user()
	g := s.group(b)
	s.modify(g, add("members", refs(a)), op("remove", "members", refs(b)))
	s.wantMembers(g, a)
}

func authentikGroup(s *session) {
	u := s.user()
	g := s.group(u)
	name, ext := s.name(), s.name()
	s.modify(g, obj{"op": "replace", "path": nil, "value": obj{"schemas": list{groupURN}, "externalId": ext, "displayName": name, "id": g.id}})
	s.wantStored(g, obj{"displayName": name, "externalId": ext})
	s.wantMembers(g, u)
}

func authentikGone(s *session) {
	u := s.user()
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	s.wantError(s.put(u.path(), s.again(u)), http.StatusNotFound)
}

func cyberark(s *session) {
	u := s.user()
	g := s.group(u)
	for _, path := range []string{"/Users?count=1", u.path(), "/Groups?count=1", g.path(), "/ServiceProviderConfig", "/ResourceTypes/User", "/ResourceTypes/Group", "/Schemas/" + userURN} {
		s.wantStatus(s.get(path), http.StatusOK)
	}
	s.wantFound("/Users", eq("userName", u.value.GetString("userName")), u)
	s.wantAt(s.replace(u, s.again(u, obj{"displayName": "New"})), "displayName", "New")
	s.wantAt(s.modify(g, replace("externalId", strconv.Itoa(7))), "externalId", "7")
}

func sailpointActive(s *session) {
	u := s.user()
	s.wantAt(s.modify(u, add("", obj{"active": false})), "active", false)
	s.wantAt(s.modify(u, add("", obj{"active": true})), "active", true)
}
