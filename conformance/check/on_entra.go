package check

import (
	"net/http"
	"strings"
)

const adURN = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"

// op spells an operation as a provider does, with capitals.
func op(kind, path string, value ...any) obj { return operation(kind, path, value...) }

func entraChecks() []Check {
	entra := only("entra", "generic")
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("entra/"+id, title, sources, run, append(needs, entra)...)
	}
	out := []Check{
		row("probe", "the connection test is an empty list with 200", "ENT-01", readNobody),
		row("probe-email", "the connection test by work address is an empty list", "ENT-01 ENT-04", entraProbeEmail),
		row("create", "the body of a first cycle makes a user", "ENT-08", entraCreate),
		row("create-text-booleans", "\"True\" in a POST is true", "ENT-09 L-2", entraTextBoolean),
		row("create-nulls", "nulls for attributes of extensions at the top level are ignored", "ENT-09 L-10", entraNulls),
		row("create-odd-urns", "malformed and unknown URNs in schemas are ignored", "ENT-09 L-13", entraOddURNs),
		row("group-create", "a group with the AD schema URN is created, and the same again is 409", "ENT-22 L-13", entraGroup, noGroups),
		row("group-lookup", "a group is found by name without its members", "ENT-05 ENT-06", filterWithoutMembers, noGroups),
		row("group-add", "Add of a member with $ref null", "ENT-24 L-1 L-11 L-20", entraAddMember, noGroups),
		row("group-remove-value", "Remove with a value array takes just that member", "ENT-25 L-6 JCL-02", entraRemoveMember("Remove"), noGroups),
		row("group-add-text", "a member as a plain text", "ENT-28 L-8", entraMemberText, noGroups),
		row("group-mixed", "Add, Remove and Replace in one request", "ENT-27", entraMixed, noGroups),
		row("group-patch-answer", "PATCH of a group answers 204, or 200 without harm", "L-20 ENT-23", entraGroupAnswer, noGroups),
		row("references", "the two questions for references", "ENT-07 L-16", filterRelation, noGroups),
		row("disable-forms", "every form of disabling disables", "ENT-14 L-2 ENT-32", entraDisable),
		row("disabled-found", "a disabled user is found, and enabled again", "ENT-14", ruleDeactivated),
		row("manager-forms", "every form of setting a manager sets it", "ENT-17 L-8 L-4", entraManager, noEnterprise),
		row("manager-remove", "a manager is removed by Remove and by an empty text", "ENT-18 L-9", entraNoManager, noEnterprise),
		row("email-build-up", "an address built up in three steps is one address", "ENT-12", entraBuildUp),
		row("leaver", "delete, gone everywhere, and the same person comes back", "ENT-30 R-110", deleteThenAgain),
		row("validator-types", "types of its own invention end in no 500", "ENT-33", entraOwnTypes),
		row("validator-booleans", "no answer holds a boolean as text", "ENT-33 R-7", entraNoTextBooleans),
		row("same-attribute", "several operations on the same attribute", "ENT-33 R-90", patchInOrder, userHas("title")),
	}
	for _, r := range entraRows() {
		r.id = "entra/" + r.id
		out = append(out, r.check(entra))
	}
	return out
}

// entraRows are PATCHes as Entra ID sends them, without and with its flag.
func entraRows() []patchRow {
	work := obj{"phoneNumbers": workHome()}
	flat := obj{"displayName": "Amélie Martin", "name.givenName": "Mel", "name.familyName": "Martin", enterpriseURN + ":employeeNumber": "00417"}
	return []patchRow{
		{"several", "several operations, values that are not there yet are created", "ENT-11 L-1 L-7", nil, []obj{
			op("Replace", "name.familyName", "Roux-Martin"), op("Add", `phoneNumbers[type eq "mobile"].value`, "+33600000001"), op("Add", `addresses[type eq "work"].formatted`, "Lyon 3"), op("Replace", enterpriseURN+":department", "Support"),
		}, obj{"name.familyName": "Roux-Martin", "phoneNumbers": list{obj{"type": "mobile", "value": "+33600000001"}}, "addresses": list{obj{"type": "work", "formatted": "Lyon 3"}}, enterpriseURN + ":department": "Support"}},
		{"capital-ops", "Add, Replace and Remove with capitals", "L-1", obj{"title": "T", "nickName": "N"}, []obj{op("Replace", "title", "New"), op("Remove", "nickName"), op("ADD", "displayName", "D")}, obj{"title": "New", "nickName": nil, "displayName": "D"}},
		{"replace-work", "Replace of the work value changes only that", "ENT-11", work, []obj{op("Replace", `phoneNumbers[type eq "work"].value`, "+339")}, obj{"phoneNumbers[work].value": "+339", "phoneNumbers[home].value": "+33200000002"}},
		{"replace-creates", "Replace of a value that is not there creates it", "L-7 ENT-11", work, []obj{op("Replace", `phoneNumbers[type eq "mobile"].value`, "+336")}, obj{"phoneNumbers": append(workHome(), obj{"type": "mobile", "value": "+336"})}},
		{"several-into-one", "several operations fill the same new value", "L-7 ENT-12", nil, []obj{op("Add", `addresses[type eq "work"].locality`, "Lyon"), op("Add", `addresses[type eq "work"].postalCode`, "69003")}, obj{"addresses": list{obj{"type": "work", "locality": "Lyon", "postalCode": "69003"}}}},
		{"clear-remove", "Remove clears a single value", "ENT-15", obj{"title": "T"}, []obj{op("Remove", "title")}, obj{"title": nil}},
		{"clear-empty", "Replace with an empty text clears", "ENT-15 L-9", obj{"title": "T"}, []obj{op("Replace", "title", "")}, obj{"title": nil}},
		{"clear-null", "Replace with null clears", "ENT-15 L-9", obj{"title": "T"}, []obj{op("Replace", "title", nil)}, obj{"title": nil}},
		{"clear-filtered", "Remove of a filtered value drops it", "ENT-15", obj{"phoneNumbers": list{obj{"type": "mobile", "value": "+336"}}}, []obj{op("Remove", `phoneNumbers[type eq "mobile"].value`)}, obj{"phoneNumbers[mobile].value": nil}},
		{"other-capitals", "sub-attributes with capitals", "ENT-16 L-3", nil, []obj{op("Add", `phoneNumbers[type eq "other"].Value`, "+331")}, obj{"phoneNumbers": list{obj{"type": "other", "value": "+331"}}}},
		{"flattened-keys", "a pathless replace with dotted and URN keys", "ENT-31 L-4", nil, []obj{replace("", flat)}, obj{"displayName": "Amélie Martin", "name": obj{"givenName": "Mel", "familyName": "Martin"}, enterpriseURN + ":employeeNumber": "00417"}},
		{"value-path-keys", "a pathless replace with a value path as key", "L-4 ENT-31", work, []obj{replace("", obj{`phoneNumbers[type eq "work"].value`: "+339"})}, obj{"phoneNumbers[work].value": "+339"}},
		{"role-single", "roles of a single assignment, with \"True\" in the filter", "ENT-19 L-19", nil, []obj{op("Add", `roles[primary eq "True"].value`, "Admin"), op("Add", `roles[primary eq "True"].display`, "Admin"), op("Add", `roles[primary eq "True"].type`, "WindowsAzureActiveDirectoryRole")}, obj{"roles": list{obj{"value": "Admin", "display": "Admin", "primary": true}}}},
		{"role-complex", "roles as JSON inside texts", "ENT-20 L-30", nil, []obj{op("Add", "roles", list{obj{"value": `{"id":"1","value":"Admin"}`}, obj{"value": `{"id":"2","value":"Agent"}`}})}, obj{"roles": list{obj{"value": `{"id":"1","value":"Admin"}`}, obj{"value": `{"id":"2","value":"Agent"}`}}}},
		{"role-assertive", "roles replaced as a whole", "ENT-21", obj{"roles": list{obj{"value": "Agent"}}}, []obj{replace("roles", list{obj{"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "Admin", "value": "Admin"}})}, obj{"roles": list{obj{"value": "Admin", "display": "Admin"}}}},
		{"active-text", "\"False\" as value is false", "ENT-14 L-2", nil, []obj{op("Replace", "active", "False")}, obj{"active": false}},
		{"primary-text", "\"true\" for primary is true", "L-2 ENT-12", work, []obj{op("Replace", `phoneNumbers[type eq "work"].primary`, "true")}, obj{"phoneNumbers[work].primary": true}},
	}
}

func entraProbeEmail(s *session) {
	s.wantFound("/Users", `emails[type eq "work"].value eq "`+s.email()+`"`)
}

func entraCreate(s *session) {
	u := s.user(obj{"externalId": s.name(), "meta": obj{"resourceType": "User"}, "roles": list{}, "schemas": list{userURN, enterpriseURN}})
	s.wantFound("/Users", eq("externalId", u.value.GetString("externalId")), u)
	s.wantStored(u, obj{"active": true, "roles": nil})
}

func entraTextBoolean(s *session) {
	email := s.email()
	u := s.user(obj{"active": "True", "emails": list{obj{"value": email, "type": "work", "primary": "true"}}})
	s.wantStored(u, obj{"active": true, "emails": list{obj{"value": email, "primary": true}}})
}

func entraNulls(s *session) {
	a := s.post("/Users", s.person(obj{"addresses": nil, "title": nil, "department": nil, "manager": nil}))
	s.wantStatus(a, http.StatusCreated)
}

func entraOddURNs(s *session) {
	u := s.user(obj{"schemas": list{userURN, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"}})
	s.wantStored(u, obj{"schemas": contains{userURN}})
}

func entraGroup(s *session) {
	body := s.crew(obj{"schemas": list{groupURN, adURN}, "externalId": s.name(), "meta": obj{"resourceType": "Group"}})
	g := s.create("/Groups", body)
	s.wantThat(!strings.Contains(string(g.value.Append(nil)), adURN), "the unknown URN is echoed")
	s.wantError(s.post("/Groups", body), http.StatusConflict, "uniqueness")
}

func entraRef(r *resource) list { return list{obj{"$ref": nil, "value": r.id}} }

func entraAddMember(s *session) {
	u, g := s.user(), s.group()
	s.wantStatus(s.patch(g.path(), op("Add", "members", entraRef(u))), http.StatusNoContent, http.StatusOK)
	s.wantMembers(g, u)
}

func entraRemoveMember(kind string) func(*session) {
	return func(s *session) {
		a, b := s.user(), s.user()
		g := s.group(a, b)
		s.modify(g, op(kind, "members", entraRef(a)))
		s.wantMembers(g, b)
		s.wantInGroups(a)
	}
}

func entraMemberText(s *session) {
	u, g := s.user(), s.group()
	s.modify(g, op("Add", "members", u.id))
	s.wantMembers(g, u)
}

func entraMixed(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	name := s.name()
	s.wantAt(s.modify(g, op("Add", "members", entraRef(b)), op("Remove", "members", entraRef(a)), op("Replace", "displayName", name)), "displayName", name)
	s.wantMembers(g, b)
}

func entraGroupAnswer(s *session) {
	g := s.group()
	name := s.name()
	a := s.patch(g.path(), op("Replace", "displayName", name))
	s.wantStatus(a, http.StatusNoContent, http.StatusOK)
	s.note("answered with %d", a.status)
	s.wantStored(g, obj{"displayName": name})
}

func entraDisable(s *session) {
	for _, form := range []obj{
		op("Replace", "active", "False"), op("Replace", "active", "false"), op("replace", "active", false), op("Add", "active", "False"),
		op("replace", "", obj{"active": false}), op("Replace", "", obj{"active": "False"}),
	} {
		u := s.user()
		s.wantAt(s.modify(u, form), "active", false)
		s.wantAt(s.modify(u, op("Replace", "active", "True")), "active", true)
	}
}

func entraManager(s *session) {
	boss := s.user()
	path := enterpriseURN + ":manager"
	for _, form := range []obj{
		op("Add", path, boss.id), op("Replace", path, obj{"value": boss.id}), op("Add", "manager", list{obj{"$ref": s.base + boss.path(), "value": boss.id}}),
		op("replace", "", obj{path: boss.id}), op("replace", "", obj{path + ".value": boss.id}), op("Replace", path+".value", boss.id),
	} {
		s.wantAt(s.modify(s.user(), form), path+".value", boss.id)
	}
}

func entraNoManager(s *session) {
	boss := s.user()
	path := enterpriseURN + ":manager"
	for _, form := range []obj{op("Remove", path), op("Replace", path, "")} {
		u := s.user(obj{enterpriseURN: obj{"manager": obj{"value": boss.id}}})
		s.wantAt(s.modify(u, form), path+".value", nil)
	}
}

func entraBuildUp(s *session) {
	u := s.user(obj{"emails": list{}})
	value := s.email()
	s.modify(u, op("Add", `emails[type eq "work"].primary`, "true"), op("Add", `emails[type eq "work"].type`, "work"))
	now := s.modify(u, op("Add", `emails[type eq "work"].value`, value))
	s.wantAt(now, "emails", list{obj{"type": "work", "value": value, "primary": true}})
	for _, name := range names(now) {
		s.wantThat(!strings.Contains(name, "["), "there is a top-level key %q", name)
	}
}

func entraOwnTypes(s *session) {
	a := s.patch(s.user().path(), op("Replace", `emails[type eq "untyped"].value`, s.email()), op("Replace", `phoneNumbers[type eq "work"].primary`, "+33600000001"))
	s.wantThat(a.status < http.StatusInternalServerError, "the answer is %d", a.status)
}

func entraNoTextBooleans(s *session) {
	u := s.user(obj{"active": "True"})
	for _, a := range []*answer{s.get(u.path()), s.find("/Users", eq("id", u.id)), s.patch(u.path(), op("Replace", "active", "False"))} {
		for _, bad := range [...]string{`"True"`, `"False"`, `"true"`, `"false"`} {
			s.wantThat(!strings.Contains(string(a.raw), ":"+bad), "the answer holds %s", bad)
		}
	}
}
