package check

import (
	"strings"
)

// patchRow is a user, what is done to it and what it holds afterwards.
type patchRow struct {
	id, title, sources string
	before             obj
	ops                []obj
	want               obj
}

func (row patchRow) check(extra ...need) Check {
	needs := append(extra, noPatch)
	for path := range row.want {
		if strings.HasPrefix(path, enterpriseURN) {
			needs = append(needs, noEnterprise)
		} else if first, _, _ := strings.Cut(path, "["); !strings.Contains(path, ":") {
			needs = append(needs, userHas(first))
		}
	}
	return c(row.id, row.title, row.sources, func(s *session) {
		s.wantAll(s.modify(s.user(row.before), row.ops...), row.want)
	}, needs...)
}

// Values the tables use again and again.
func workHome() list {
	return list{obj{"type": "work", "value": "+33100000001"}, obj{"type": "home", "value": "+33200000002"}}
}

func patchUserChecks() []Check {
	var out []Check
	for _, rows := range [][]patchRow{patchSingle(), patchComplex(), patchMulti(), patchFiltered(), patchPathless(), patchExtension()} {
		for _, row := range rows {
			out = append(out, row.check())
		}
	}
	return out
}

func patchSingle() []patchRow {
	return []patchRow{
		{"patch/add-single", "add gives a single value", "R-93", nil, []obj{add("title", "Engineer")}, obj{"title": "Engineer"}},
		{"patch/add-single-over", "add to a single value replaces it", "R-93", obj{"title": "Old"}, []obj{add("title", "Engineer")}, obj{"title": "Engineer"}},
		{"patch/replace-single", "replace changes a single value", "R-99", obj{"title": "Old"}, []obj{replace("title", "New")}, obj{"title": "New"}},
		{"patch/replace-absent", "replace without a value before acts as add", "R-100", nil, []obj{replace("title", "New")}, obj{"title": "New"}},
		{"patch/remove-single", "remove takes a single value away", "R-96", obj{"title": "Old", "nickName": "Mel"}, []obj{remove("title")}, obj{"title": nil, "nickName": "Mel"}},
		{"patch/remove-absent", "remove of what is not there succeeds", "R-96 R-98", nil, []obj{remove("title")}, obj{"title": nil}},
		{"patch/replace-null", "replace with null takes the value away", "R-6 L-9 ENT-15", obj{"title": "Old"}, []obj{replace("title", nil)}, obj{"title": nil}},
		{"patch/replace-boolean", "replace of a boolean", "R-99 ENT-32 R-144", nil, []obj{replace("active", false)}, obj{"active": false}},
		{"patch/add-boolean", "add of a boolean", "R-93", obj{"active": false}, []obj{add("active", true)}, obj{"active": true}},
		{"patch/path-case", "paths are read in any case", "R-3 L-3", nil, []obj{replace("DISPLAYname", "New")}, obj{"displayName": "New"}},
		{"patch/path-urn", "a path with the URN of the core schema", "R-89 L-5", nil, []obj{replace(userURN+":title", "New")}, obj{"title": "New"}},
		{"patch/path-urn-sub", "a path with the URN and a sub-attribute", "R-89 L-5", nil, []obj{replace(userURN+":name.familyName", "Martin")}, obj{"name": obj{"familyName": "Martin", "givenName": "Amélie"}}},
		{"patch/utf8", "a value that is not ASCII", "R-16", nil, []obj{replace("displayName", "Čeněk 🦊")}, obj{"displayName": "Čeněk 🦊"}},
		{"patch/external-id", "externalId is replaced", "R-25 ENT-23", obj{"externalId": "old"}, []obj{replace("externalId", "new")}, obj{"externalId": "new"}},
		{"patch/others-stay", "what is not named stays", "R-99", obj{"title": "T", "nickName": "N", "displayName": "D"}, []obj{replace("title", "New")}, obj{"title": "New", "nickName": "N", "displayName": "D", "name.familyName": "Roux", "active": true}},
	}
}

func patchComplex() []patchRow {
	name := obj{"name": obj{"familyName": "Roux", "givenName": "Amélie", "middleName": "J."}}
	return []patchRow{
		{"patch/add-complex", "add to a complex value merges the sub-attributes given", "R-93", name, []obj{add("name", obj{"familyName": "Martin"})}, obj{"name": obj{"familyName": "Martin", "givenName": "Amélie", "middleName": "J."}}},
		{"patch/replace-complex", "replace of a complex value keeps the sub-attributes not given", "R-101 SPT-02", name, []obj{replace("name", obj{"familyName": "Martin"})}, obj{"name": obj{"familyName": "Martin", "givenName": "Amélie", "middleName": "J."}}},
		{"patch/replace-sub", "replace of one sub-attribute", "R-101 ENT-11", name, []obj{replace("name.familyName", "Martin")}, obj{"name": obj{"familyName": "Martin", "givenName": "Amélie"}}},
		{"patch/add-sub", "add of one sub-attribute", "R-93", name, []obj{add("name.honorificPrefix", "Dr")}, obj{"name": obj{"honorificPrefix": "Dr", "familyName": "Roux"}}},
		{"patch/remove-sub", "remove of one sub-attribute", "R-96", name, []obj{remove("name.middleName")}, obj{"name": obj{"middleName": nil, "familyName": "Roux"}}},
		{"patch/remove-complex", "remove of a complex value", "R-96", name, []obj{remove("name")}, obj{"name": nil}},
		{"patch/replace-complex-null-sub", "null for a sub-attribute clears it alone", "R-6 R-101", name, []obj{replace("name", obj{"middleName": nil})}, obj{"name": obj{"middleName": nil, "familyName": "Roux"}}},
	}
}

func patchMulti() []patchRow {
	two := obj{"phoneNumbers": workHome()}
	mobile := obj{"type": "mobile", "value": "+33600000003"}
	return []patchRow{
		{"patch/add-multi", "add to a multi-valued attribute appends", "R-93", two, []obj{add("phoneNumbers", list{mobile})}, obj{"phoneNumbers": append(workHome(), mobile)}},
		{"patch/add-multi-object", "add of one object instead of a list appends it", "R-93", two, []obj{add("phoneNumbers", mobile)}, obj{"phoneNumbers": append(workHome(), mobile)}},
		{"patch/add-multi-first", "add to an empty multi-valued attribute", "R-93", nil, []obj{add("phoneNumbers", list{mobile})}, obj{"phoneNumbers": list{mobile}}},
		{"patch/add-multi-several", "add of several values appends all", "R-93", nil, []obj{add("phoneNumbers", workHome())}, obj{"phoneNumbers": workHome()}},
		{"patch/add-multi-known", "add of a value that is there changes nothing", "R-94 R-14", two, []obj{add("phoneNumbers", workHome()[:1])}, obj{"phoneNumbers": workHome()}},
		{"patch/replace-multi", "replace without filter replaces the whole list", "R-102", two, []obj{replace("phoneNumbers", list{mobile})}, obj{"phoneNumbers": list{mobile}}},
		{"patch/replace-multi-empty", "replace with [] empties the list", "R-102", two, []obj{replace("phoneNumbers", list{})}, obj{"phoneNumbers": nil}},
		{"patch/remove-multi", "remove without filter empties the list", "R-96", two, []obj{remove("phoneNumbers")}, obj{"phoneNumbers": nil}},
		{"patch/replace-multi-absent", "replace of a list nobody gave acts as add", "R-100", nil, []obj{replace("phoneNumbers", list{mobile})}, obj{"phoneNumbers": list{mobile}}},
		{"patch/primary-moves", "a new primary value takes primary from the old one", "R-104 R-13", obj{"phoneNumbers": list{obj{"type": "work", "value": "1", "primary": true}}}, []obj{add("phoneNumbers", list{obj{"type": "home", "value": "2", "primary": true}})}, obj{"phoneNumbers[home].primary": true, "phoneNumbers[work].value": "1"}},
	}
}

func patchFiltered() []patchRow {
	two := obj{"phoneNumbers": workHome()}
	home := workHome()[1]
	return []patchRow{
		{"patch/replace-filtered", "replace of a sub-attribute by value filter", "R-103 ENT-11", two, []obj{replace(`phoneNumbers[type eq "work"].value`, "+339")}, obj{"phoneNumbers": list{obj{"type": "work", "value": "+339"}, home}}},
		{"patch/replace-filtered-object", "replace of the object a value filter finds", "R-103", two, []obj{replace(`phoneNumbers[type eq "work"]`, obj{"type": "work", "value": "+339"})}, obj{"phoneNumbers": list{obj{"type": "work", "value": "+339"}, home}}},
		{"patch/replace-filtered-by-value", "a value filter over value", "R-103", two, []obj{replace(`phoneNumbers[value eq "+33100000001"].type`, "mobile")}, obj{"phoneNumbers": list{obj{"type": "mobile", "value": "+33100000001"}, home}}},
		{"patch/replace-filtered-all", "replace changes every value the filter finds", "R-103", obj{"phoneNumbers": list{obj{"type": "work", "value": "1"}, obj{"type": "work", "value": "2"}, home}}, []obj{replace(`phoneNumbers[type eq "work"].display`, "Office")}, obj{"phoneNumbers": list{obj{"value": "1", "display": "Office"}, obj{"value": "2", "display": "Office"}, home}}},
		{"patch/add-filtered", "add of a sub-attribute by value filter", "R-93", two, []obj{add(`phoneNumbers[type eq "work"].display`, "Office")}, obj{"phoneNumbers": list{obj{"type": "work", "value": "+33100000001", "display": "Office"}, home}}},
		{"patch/remove-filtered", "remove takes just the values the filter finds", "R-96", two, []obj{remove(`phoneNumbers[type eq "work"]`)}, obj{"phoneNumbers": list{home}}},
		{"patch/remove-filtered-sub", "remove of a sub-attribute by value filter", "R-96", obj{"phoneNumbers": list{obj{"type": "work", "value": "1", "display": "Office"}}}, []obj{remove(`phoneNumbers[type eq "work"].display`)}, obj{"phoneNumbers": list{obj{"type": "work", "value": "1", "display": nil}}}},
		{"patch/remove-filtered-last", "remove of the last value leaves the attribute unassigned", "R-96", obj{"phoneNumbers": list{home}}, []obj{remove(`phoneNumbers[type eq "home"]`)}, obj{"phoneNumbers": nil}},
		{"patch/filtered-and", "a value filter with and", "R-103 R-68", two, []obj{replace(`phoneNumbers[type eq "home" and value sw "+332"].value`, "+338")}, obj{"phoneNumbers[home].value": "+338", "phoneNumbers[work].value": "+33100000001"}},
		{"patch/filtered-not", "a value filter with not", "R-103 R-64", two, []obj{remove(`phoneNumbers[not (type eq "work")]`)}, obj{"phoneNumbers": workHome()[:1]}},
		{"patch/filtered-case", "a value filter with names and operators in any case", "R-3 L-3 ENT-16", two, []obj{replace(`PhoneNumbers[Type EQ "work"].Value`, "+337")}, obj{"phoneNumbers[work].value": "+337"}},
		{"patch/filtered-urn", "a value filter behind the URN of the core schema", "R-89 L-5", two, []obj{replace(userURN+`:phoneNumbers[type eq "work"].value`, "+336")}, obj{"phoneNumbers[work].value": "+336"}},
		{"patch/filtered-primary", "primary is set through a value filter and taken from the other", "R-104", obj{"phoneNumbers": list{obj{"type": "work", "value": "1", "primary": true}, obj{"type": "home", "value": "2"}}}, []obj{replace(`phoneNumbers[type eq "home"].primary`, true)}, obj{"phoneNumbers[home].primary": true}},
	}
}

func patchPathless() []patchRow {
	return []patchRow{
		{"patch/pathless-add", "add without path merges attributes", "R-92", obj{"title": "Old"}, []obj{add("", obj{"title": "New", "nickName": "Mel"})}, obj{"title": "New", "nickName": "Mel", "name.familyName": "Roux"}},
		{"patch/pathless-replace", "replace without path replaces the attributes given", "R-99 OKT-06", obj{"title": "Old", "nickName": "Mel"}, []obj{replace("", obj{"title": "New"})}, obj{"title": "New", "nickName": "Mel"}},
		{"patch/pathless-add-active", "add without path sets active", "SPT-01 R-92", nil, []obj{add("", obj{"active": false})}, obj{"active": false}},
		{"patch/pathless-replace-active", "replace without path sets active", "OKT-06 ENT-14 R-99", nil, []obj{replace("", obj{"active": false})}, obj{"active": false, "name.givenName": "Amélie"}},
		{"patch/pathless-add-multi", "add without path appends to lists", "R-92 R-93", obj{"phoneNumbers": workHome()[:1]}, []obj{add("", obj{"phoneNumbers": workHome()[1:]})}, obj{"phoneNumbers": workHome()}},
		{"patch/pathless-replace-multi", "replace without path replaces lists", "R-99 R-102", obj{"phoneNumbers": workHome()[:1]}, []obj{replace("", obj{"phoneNumbers": workHome()[1:]})}, obj{"phoneNumbers": workHome()[1:]}},
		{"patch/pathless-complex", "replace without path keeps sub-attributes not given", "R-99 R-101", nil, []obj{replace("", obj{"name": obj{"familyName": "Martin"}})}, obj{"name": obj{"familyName": "Martin", "givenName": "Amélie"}}},
		{"patch/pathless-null", "null without path clears", "R-6 R-99", obj{"title": "Old"}, []obj{replace("", obj{"title": nil})}, obj{"title": nil}},
		{"patch/pathless-case", "names without path are read in any case", "R-3 R-99", nil, []obj{replace("", obj{"TITLE": "New"})}, obj{"title": "New"}},
		{"patch/pathless-urn", "an extension object without path", "R-106 R-92", nil, []obj{add("", obj{enterpriseURN: obj{"department": "Sales"}})}, obj{enterpriseURN + ":department": "Sales", "schemas": contains{enterpriseURN}}},
		{"patch/pathless-read-only", "id, schemas and meta without path are ignored", "OKT-11 AUT-02 R-24", nil, []obj{replace("", obj{"id": "other", "schemas": list{userURN}, "meta": obj{"resourceType": "Group"}, "displayName": "New"})}, obj{"displayName": "New", "meta.resourceType": "User"}},
	}
}

func patchExtension() []patchRow {
	ext := obj{enterpriseURN: obj{"department": "Support", "costCenter": "CC-1"}}
	return []patchRow{
		{"patch/extension-add", "a path with a URN adds the extension and its URN", "R-106 R-5 ENT-11", nil, []obj{add(enterpriseURN+":department", "Sales")}, obj{enterpriseURN + ":department": "Sales", "schemas": contains{enterpriseURN}}},
		{"patch/extension-replace", "a path with a URN replaces", "R-106", ext, []obj{replace(enterpriseURN+":department", "Sales")}, obj{enterpriseURN: obj{"department": "Sales", "costCenter": "CC-1"}}},
		{"patch/extension-remove", "a path with a URN removes", "R-106 R-96", ext, []obj{remove(enterpriseURN + ":department")}, obj{enterpriseURN: obj{"department": nil, "costCenter": "CC-1"}}},
		{"patch/extension-remove-all", "the last attribute removed, nothing of the extension is left", "R-106 R-96", ext, []obj{remove(enterpriseURN + ":department"), remove(enterpriseURN + ":costCenter")}, obj{enterpriseURN: nil}},
		{"patch/extension-whole", "the URN alone is a path to the extension", "R-106", nil, []obj{add(enterpriseURN, obj{"department": "Sales"})}, obj{enterpriseURN: obj{"department": "Sales"}}},
		{"patch/extension-case", "an extension attribute in another case", "L-3 R-3", nil, []obj{replace(enterpriseURN+":Department", "Sales")}, obj{enterpriseURN + ":department": "Sales"}},
		{"patch/extension-sub", "a sub-attribute of an extension", "R-106 ENT-17", nil, []obj{replace(enterpriseURN+":manager.value", "boss-1")}, obj{enterpriseURN + ":manager.value": "boss-1"}},
	}
}
