package simulate

// everyField is all a dialect may send.
var everyField = []field{
	userName, externalID, displayName, givenName, familyName, formatted, title, mail, mobile, department, employeeNumber,
	otherMail, address, role,
}

// oktaFields are the profile attributes that Okta maps.
var oktaFields = []field{userName, externalID, displayName, givenName, familyName, title, locale, mail, mobile, department}

// dialects lists all, in the order in which "mix" gives them out.
func dialects() []*dialect {
	list := []*dialect{
		entra("entra", true), okta(), entra("entra-legacy", false), oktaWizard(), oneLogin(), jumpCloud(), ping(), authentik(),
	}
	for _, d := range list {
		if d.agent == "" {
			d.agent = "usher-simulate/" + d.name
		}
		if d.accept == "" {
			d.accept = scimJSON
		}
		if d.contentType == "" {
			d.contentType = scimJSON
		}
		if d.user == nil {
			d.user = plainUser
		}
		if d.group == nil {
			d.group = plainGroup
		}
	}
	return list
}

// entra is Microsoft Entra ID with the feature flag aadOptscim062020 (ENT-26,
// ENT-31, ENT-32), or as it sends without (ENT-11…25).
func entra(name string, flag bool) *dialect {
	d := &dialect{
		name: name, profile: "entra", plus: !flag,
		sends: everyField, mailTypes: []string{"work"},
		matches:   []string{"userName", "externalId", `emails[type eq "work"].value`}, // ENT-02…04
		asksFirst: true, managers: true, deletes: true, repeatsPosts: true, relations: true, membersPerPush: 1,
		test: testEntra, user: entraUser, group: entraGroup,
		update: updateEntra, activate: activateEntra, push: pushEntra, rename: renameEntra,
	}
	if flag {
		d.query, d.membersPerPush = "aadOptscim062020", 20
		d.user, d.update, d.activate, d.push, d.rename = entraFlagUser, updateEntraFlag, activateEntraFlag, pushEntraFlag, renameEntraFlag
	}
	return d
}

// okta is an integration of Okta's catalogue: PATCH for activation and groups,
// PUT for profiles (OKT-01…14, OKT-16).
func okta() *dialect {
	return &dialect{
		name: "okta", profile: "okta", agent: "Okta SCIM Client 1.0.0",
		accept: scimJSON + "; charset=utf-8", contentType: scimJSON + "; charset=utf-8",
		sends: oktaFields, mailTypes: []string{"work"}, matches: []string{"userName"}, params: "&startIndex=1&count=100",
		asksFirst: true, passwords: true, groups: byList, pushesAll: true, touches: true,
		test: testOkta, user: oktaUser, update: updateOkta, activate: activateOkta, push: pushOkta, rename: renameOkta,
	}
}

// oktaWizard is an application of Okta's wizard: PUT for everything (OKT-05,
// OKT-07, OKT-15).
func oktaWizard() *dialect {
	d := okta()
	d.name, d.contentType = "okta-aiw", plainJSON
	d.passwords, d.pushesAll, d.touches, d.createsWithMembers = false, false, false, true
	d.activate, d.push, d.rename = activateByEcho, putWizardGroup, renameByPut
	return d
}

// oneLogin sends what its administrator typed into a template (OLG-01…05).
func oneLogin() *dialect {
	return &dialect{
		name: "onelogin", profile: "onelogin", accept: plainJSON, contentType: plainJSON,
		sends:     []field{userName, givenName, familyName, formatted, mail, department},
		mailTypes: []string{"work"}, matches: []string{"userName"},
		asksFirst: true, deletes: true, groups: byList, membersPerPush: 1,
		test: testOneLogin, user: oneLoginUser, update: updateByPut, activate: activateByPut, push: pushOneLogin, rename: renameByPatch,
	}
}

// jumpCloud tests a connection by making and deleting a user and a group
// (JCL-01…03).
func jumpCloud() *dialect {
	return &dialect{
		name: "jumpcloud", profile: "jumpcloud",
		sends:     []field{userName, externalID, displayName, givenName, familyName, title, mail, mobile, department, employeeNumber},
		mailTypes: []string{"work"}, matches: []string{"userName"},
		asksFirst: true, deletes: true, membersPerPush: 1,
		test: testJumpCloud, update: updateByPut, activate: activateByPatch, push: pushJumpCloud, rename: renameByPatch,
	}
}

// ping is PingFederate without PATCH (PNG-01…03).
func ping() *dialect {
	return &dialect{
		name: "ping", profile: "ping",
		sends: []field{userName, givenName, familyName, mail}, mailTypes: []string{"work", "home"}, bothFirst: true,
		matches:    []string{"userName", "emails"},
		plainNames: true, asksFirst: true, neverClears: true, deletes: true, groups: byList, createsWithMembers: true,
		test: testPing, update: updateByPut, activate: activateByPut, push: putGroup, rename: renameByPut,
	}
}

// authentik is the outbound provider of authentik (AUT-01…04).
func authentik() *dialect {
	return &dialect{
		name: "authentik", profile: "authentik",
		sends:     []field{userName, externalID, displayName, givenName, familyName, formatted, mail},
		mailTypes: []string{"other"}, matches: []string{"userName"},
		plainNames: true, deletesAtOnce: true, repeatsPosts: true, groups: byFault,
		test: testAuthentik, user: authentikUser, group: authentikGroup,
		update: updateByPut, activate: activateByPut, push: pushAuthentik, rename: renameAuthentik,
	}
}

// Names lists the dialects that can be asked for, "mix" last.
func Names() []string {
	out := make([]string, 0, 9)
	for _, d := range dialects() {
		out = append(out, d.name)
	}
	return append(out, Mix)
}

// Mix gives every target the next dialect in turn.
const Mix = "mix"

// Profile names the connection profile of usher that a dialect is meant for,
// or "" when there is no such dialect.
func Profile(dialect string) string {
	if d := find(dialect); d != nil {
		return d.profile
	}
	return ""
}

func find(name string) *dialect {
	for _, d := range dialects() {
		if d.name == name {
			return d
		}
	}
	return nil
}
