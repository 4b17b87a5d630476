package conformance_test

import (
	"maps"
	"strings"

	"pgregory.net/rapid"
)

// pools are the few values that documents and filters are made of, few so that
// names collide and filters match.
type pools struct {
	userNames, displayNames, externalIDs, titles, families, addresses, types, phones []string

	ids []string // of what lives and lived, filled by the run
}

// newPools makes the pools of one run. Addresses are unique over all
// organizations of a server, so each run has a domain of its own.
func newPools(domain string) *pools {
	return &pools{
		userNames:    []string{"ann", "Ann", "ANN", "bob", "Bob", "zoé", "ZOÉ", "o'neill", `back\slash`, "carl@" + domain, "Carl@" + domain, "dora@" + domain, "eve jones"},
		displayNames: []string{"Ann", "ann", "Anna B", "bob", "Élan", "élan", "Zoé 🦊", "a b", "support", "Support FR"},
		externalIDs:  []string{"x1", "X1", "x2", "y:z*?", "0"},
		titles:       []string{"Agent", "agent", "Chef", "chef de rang", "Élève"},
		families:     []string{"Roux", "roux", "Roux-Martin", "Diallo", "Østby"},
		addresses:    []string{"carl@" + domain, "CARL@" + domain, "dora@" + domain, "c+tag@" + domain, "ann@" + domain, "bob@" + domain, "eve@" + domain, "not an address"},
		types:        []string{"work", "home", "Work", "other"},
		phones:       []string{"+33600000001", "+33600000002"},
		ids:          []string{"00000000000000000000"},
	}
}

func pick[T any](rt *rapid.T, label string, from []T) T {
	return rapid.SampledFrom(from).Draw(rt, label)
}

// chance is true once in n.
func chance(rt *rapid.T, label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(rt, label) == n-1
}

// values draws e-mails or phone numbers.
func values(rt *rapid.T, pool, types []string, most int) []any {
	out := []any{}
	for range rapid.IntRange(0, most).Draw(rt, "values") {
		e := object{"value": pick(rt, "value", pool)}
		if rapid.Bool().Draw(rt, "typed") {
			e["type"] = pick(rt, "type", types)
		}
		switch rapid.IntRange(0, 5).Draw(rt, "primary") {
		case 0:
			e["primary"] = true
		case 1:
			e["primary"] = false
		}
		out = append(out, e)
	}
	return out
}

// userBody draws the body of a POST or PUT, now and then with what a server
// has to ignore, refuse or bring into shape.
func userBody(rt *rapid.T, p *pools) object {
	b := object{"schemas": []any{userURN, "urn:example:unknown:1.0"}, "userName": pick(rt, "userName", p.userNames)}
	for _, a := range []struct {
		name string
		pool []string
	}{{"displayName", p.displayNames}, {"externalId", p.externalIDs}, {"title", p.titles}, {"nickName", p.titles}} {
		if rapid.Bool().Draw(rt, a.name) {
			b[a.name] = pick(rt, a.name, a.pool)
		}
	}
	switch rapid.IntRange(0, 5).Draw(rt, "active") {
	case 0, 1:
		b["active"] = true
	case 2:
		b["active"] = false
	case 3:
		b["active"] = "False"
	}
	if rapid.Bool().Draw(rt, "named") {
		b["name"] = object{"familyName": pick(rt, "family", p.families), "givenName": pick(rt, "given", []string{"", "Ann", "Zoé"})}
	}
	if e := values(rt, p.addresses, p.types, 3); len(e) > 0 {
		b["emails"] = e
	}
	if chance(rt, "phones", 3) {
		b["phoneNumbers"] = values(rt, p.phones, p.types, 2)
	}
	if chance(rt, "enterprise", 3) {
		b[enterpriseURN] = object{"department": pick(rt, "department", p.titles), "shoeSize": 42}
	}
	if chance(rt, "noise", 4) {
		noise := object{"id": "mine", "meta": object{"version": "1"}, "groups": []any{object{"value": "x"}}, "password": "Kx7", "shoeSize": 42, "title": nil}
		maps.Copy(b, noise)
	}
	if chance(rt, "spelling", 6) {
		return respelled(b)
	}
	if chance(rt, "nameless", 15) {
		delete(b, "userName")
	}
	return b
}

// respelled writes the attribute names in another letter case.
func respelled(b object) object {
	out := object{}
	for k, v := range b {
		if !strings.HasPrefix(k, "urn:") {
			k = strings.ToUpper(k)
		}
		out[k] = v
	}
	return out
}

func groupBody(rt *rapid.T, p *pools) object {
	b := object{"schemas": []any{groupURN}, "displayName": pick(rt, "displayName", p.displayNames)}
	if rapid.Bool().Draw(rt, "externalId") {
		b["externalId"] = pick(rt, "externalId", p.externalIDs)
	}
	if chance(rt, "nameless", 15) {
		delete(b, "displayName")
	}
	return b
}

// userOps draws the operations of a PATCH on a user. creates is for a
// connection on which an unmatched value filter makes the value (L-7).
func userOps(rt *rapid.T, p *pools, creates bool) []patchOp {
	var out []patchOp
	for range rapid.IntRange(1, 3).Draw(rt, "operations") {
		out = append(out, userOp(rt, p, creates))
	}
	return out
}

// userOp draws one operation. It is long because it is a table of the forms.
func userOp(rt *rapid.T, p *pools, creates bool) patchOp {
	kind := pick(rt, "op", []string{"add", "replace", "Replace"})
	lower := strings.ToLower(kind)
	switch rapid.IntRange(0, 15).Draw(rt, "form") {
	case 0:
		return setSingle(kind, "userName", pick(rt, "userName", append(p.userNames, "")))
	case 1, 2:
		return setSingle(kind, "displayName", pick(rt, "displayName", append(p.displayNames, "")))
	case 3:
		return setSingle(kind, "externalId", pick(rt, "externalId", p.externalIDs))
	case 4:
		return setSingle(kind, "active", rapid.Bool().Draw(rt, "active"))
	case 5:
		return removeSingle(pick(rt, "attribute", []string{"title", "displayName", "active", "userName", "externalId", "name"}), "userName")
	case 6:
		k := pick(rt, "op", []string{"add", "replace", "remove"})
		return subAttribute(k, "name.familyName", "name", "familyName", pick(rt, "family", p.families))
	case 7:
		k := pick(rt, "op", []string{"add", "replace", "remove"})
		return subAttribute(k, enterpriseURN+":department", enterpriseURN, "department", pick(rt, "department", p.titles))
	case 8:
		return mergeComplex(lower, "name", object{"givenName": pick(rt, "given", p.families)})
	case 9:
		e := values(rt, p.addresses, p.types, 2)
		if len(e) == 0 {
			e = []any{object{"value": pick(rt, "value", p.addresses), "type": "work"}}
		}
		return addValues("emails", e)
	case 10:
		return replaceValues("emails", values(rt, p.addresses, p.types, 3))
	case 11:
		m := matcher{"emails", "type", pick(rt, "type", p.types)}
		return replaceMatching(lower, m, "value", pick(rt, "value", p.addresses), creates)
	case 12:
		m := matcher{"emails", "type", pick(rt, "type", p.types)}
		if rapid.Bool().Draw(rt, "mark") {
			return replaceMatching(lower, m, "primary", true, creates)
		}
		return removeMatching(m)
	case 13:
		return pathless(lower, map[string]patchOp{
			"title":                           setSingle(kind, "title", pick(rt, "title", p.titles)),
			"name.familyName":                 subAttribute(kind, "name.familyName", "name", "familyName", pick(rt, "family", p.families)),
			enterpriseURN + ":employeeNumber": subAttribute(kind, enterpriseURN+":employeeNumber", enterpriseURN, "employeeNumber", "00417"),
		})
	case 14:
		return removeSingle(pick(rt, "attribute", []string{"emails", "phoneNumbers"}), "userName")
	}
	return pick(rt, "refused", []patchOp{
		refusedOp(op("replace", "shoeSize", "42"), fault{400, "invalidPath"}),
		refusedOp(op("move", "title", "x"), fault{400, "invalidSyntax"}),
		refusedOp(op("remove", "", nil), fault{400, "noTarget"}),
		refusedOp(op("replace", "id", "x"), fault{400, "mutability"}),
		refusedOp(op("replace", "active", "perhaps"), fault{400, "invalidValue"}),
		refusedOp(op("add", "emails[type eq", "x"), fault{400, "invalidPath"}),
	})
}
