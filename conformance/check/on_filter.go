package check

import (
	"net/http"
	"strings"
)

// crowd is who the filter checks look for: Anna, Bela and Carla, under a prefix
// that no other user has.
type crowd struct {
	prefix string
	all    map[byte]*resource
	fill   *strings.Replacer // {a.id}, {a.name}, {a.mail}, {a.created}, {p}
}

func (s *session) crowd() *crowd {
	k := &crowd{prefix: s.name(), all: map[byte]*resource{}}
	people := map[byte]obj{
		'a': {
			"displayName": "Anna Berg", "title": "Engineer", "userType": "Employee", "active": true, "name": obj{"familyName": "Berg", "givenName": "Anna"},
			"emails":       list{obj{"value": k.prefix + "-a@example.com", "type": "work", "primary": true}, obj{"value": k.prefix + "-a@home.example.org", "type": "home"}},
			"phoneNumbers": list{obj{"value": "+33100000001", "type": "work"}},
		},
		'b': {
			"displayName": "Bela Novák", "title": "Senior Engineer", "userType": "Contractor", "active": false, "name": obj{"familyName": "Novák", "givenName": "Béla"},
			"emails": list{obj{"value": k.prefix + "-b@example.com", "type": "work", "primary": true}},
		},
		'c': {
			"displayName": "Carla Zuse", "active": true, "name": obj{"familyName": "zuse", "givenName": "Carla"},
			"emails":       list{obj{"value": k.prefix + "-c@home.example.org", "type": "home", "primary": true}},
			"phoneNumbers": list{obj{"value": "+33100000003", "type": "mobile"}},
		},
	}
	pairs := []string{"{p}", k.prefix}
	for _, letter := range "abc" {
		body := people[byte(letter)]
		for name := range body {
			if !s.known.has(userURN, name) {
				delete(body, name)
			}
		}
		who := string(letter)
		body["userName"], body["externalId"] = k.prefix+"-"+who+"@example.com", k.prefix+"-Ext-"+who
		if noEnterprise(s.known) == "" {
			body[enterpriseURN] = obj{"department": "Department " + strings.ToUpper(who), "employeeNumber": who + "100"}
		}
		r := s.user(body)
		k.all[byte(letter)] = r
		pairs = append(pairs, "{"+who+".id}", r.id, "{"+who+".created}", find(&r.value, "meta.created").Text)
	}
	k.fill = strings.NewReplacer(pairs...)
	return k
}

// who gives those of the letters.
func (k *crowd) who(letters string) []*resource {
	var out []*resource
	for i := range len(letters) {
		out = append(out, k.all[letters[i]])
	}
	return out
}

// filterRow is a filter and who of the crowd it finds.
type filterRow struct {
	id, title, sources string
	filter             string
	want               string
	attributes         string // that must be announced
}

func filterChecks() []Check {
	var out []Check
	for _, row := range append(append(filterOperators(), filterLogic()...), filterPaths()...) {
		needs := []need{noFilter, userHas(strings.Fields(row.attributes)...)}
		if strings.Contains(row.filter, enterpriseURN) {
			needs = append(needs, noEnterprise)
		}
		out = append(out, c("filter/"+row.id, row.title, row.sources, row.run, needs...))
	}
	for _, row := range filterTolerance() {
		out = append(out, c("filter/"+row.id, row.title, row.sources, row.run, noFilter, only("entra", "generic", "ping", "onelogin"), noEnterprise))
	}
	for _, row := range filterFaults() {
		out = append(out, c("filter/"+row.id, row.title, row.sources, row.refused, noFilter))
	}
	return append(out, filterGroups()...)
}

// run looks within the crowd, so that who else is on the server says nothing.
func (row filterRow) run(s *session) {
	k := s.crowd()
	filter := k.fill.Replace(`userName sw "{p}" and (` + row.filter + `)`)
	s.wantFound("/Users", filter, k.who(row.want)...)
}

// refused states that a filter is an error and finds nobody.
func (row filterRow) refused(s *session) {
	a := s.find("/Users", row.filter)
	s.wantError(a, http.StatusBadRequest, "invalidFilter")
}

func filterOperators() []filterRow {
	return []filterRow{
		{"eq-text", "eq on a text", "R-63", `displayName eq "Anna Berg"`, "a", ""},
		{"eq-text-case", "eq without regard to case where caseExact is false", "R-20 R-67", `displayName eq "anna BERG"`, "a", ""},
		{"eq-case-exact", "eq with regard to case where caseExact is true", "R-20 R-25", `externalId eq "{p}-ext-A"`, "", ""},
		{"eq-true", "eq on a boolean, true", "R-63 R-71", `active eq true`, "ac", ""},
		{"eq-false", "eq on a boolean, false", "R-63 R-71", `active eq false`, "b", ""},
		{"eq-id", "eq on id", "R-63", `id eq "{b.id}"`, "b", ""},
		{"eq-non-ascii", "eq on a text that is not ASCII", "R-16 R-63", `displayName eq "Bela Novák"`, "b", ""},
		{"eq-date", "eq on a date compares instants", "R-67", `meta.created eq "{a.created}" and displayName sw "Anna"`, "a", "meta"},
		{"ne-text", "ne on a text", "R-63", `displayName ne "Anna Berg"`, "bc", ""},
		{"ne-boolean", "ne on a boolean", "R-63", `active ne true`, "b", ""},
		{"co", "co finds what lies in the middle", "R-63", `displayName co "a B"`, "a", ""},
		{"co-case", "co without regard to case", "R-63 R-20", `displayName co "NOV"`, "b", ""},
		{"co-none", "co finds nothing that is not there", "R-63", `displayName co "xyz"`, "", ""},
		{"sw", "sw finds the beginning only", "R-63", `displayName sw "Carla"`, "c", ""},
		{"sw-not-middle", "sw does not find the middle", "R-63", `displayName sw "Zuse"`, "", ""},
		{"ew", "ew finds the end only", "R-63", `displayName ew "Zuse"`, "c", ""},
		{"ew-not-middle", "ew does not find the beginning", "R-63", `displayName ew "Carla"`, "", ""},
		{"sw-user-name", "sw on userName", "R-63", `userName sw "{p}-b"`, "b", ""},
		{"co-user-name", "co on userName", "R-63", `userName co "-c@exam"`, "c", ""},
		{"ew-user-name", "ew on userName", "R-63", `userName ew "-a@example.com"`, "a", ""},
		{"pr", "pr finds who has a value", "R-70", `title pr`, "ab", "title"},
		{"not-pr", "not pr finds who has none", "R-70 R-64", `not (title pr)`, "c", "title"},
		{"pr-complex", "pr on a complex attribute", "R-70", `name pr`, "abc", ""},
		{"pr-multi", "pr on a multi-valued attribute", "R-70", `phoneNumbers pr`, "ac", "phoneNumbers"},
		{"pr-boolean-false", "pr is true for false", "R-70", `active pr`, "abc", ""},
		{"gt-text", "gt on a text is by the alphabet", "R-67", `displayName gt "Bela Novák"`, "c", ""},
		{"ge-text", "ge on a text", "R-67", `displayName ge "Bela Novák"`, "bc", ""},
		{"lt-text", "lt on a text", "R-67", `displayName lt "Bela Novák"`, "a", ""},
		{"le-text", "le on a text", "R-67", `displayName le "Bela Novák"`, "ab", ""},
		{"lt-text-case", "lt without regard to case", "R-67 R-20", `name.familyName lt "a"`, "", ""},
		{"gt-date", "gt on a date", "R-67", `meta.created gt "2001-01-01T00:00:00Z"`, "abc", "meta"},
		{"ge-date", "ge on a date, the instant itself", "R-67", `meta.created ge "{a.created}"`, "abc", "meta"},
		{"lt-date", "lt on a date", "R-67", `meta.created lt "2001-01-01T00:00:00Z"`, "", "meta"},
		{"date-offset", "a date with another offset is the same instant", "R-67", `meta.lastModified gt "2001-01-01T02:00:00+02:00"`, "abc", "meta"},
		{"eq-null", "eq null finds who has no value", "R-71", `title eq null`, "c", "title"},
		{"ne-null", "ne null finds who has one", "R-71", `title ne null`, "ab", "title"},
		{"eq-empty-text", "eq \"\" finds nobody who has a value", "R-71", `displayName eq ""`, "", ""},
		{"eq-escape", "an escaped letter in a literal means the letter", "R-71 L-28", `displayName eq "\u0041nna Berg"`, "a", ""},
	}
}

func filterLogic() []filterRow {
	return []filterRow{
		{"and", "and", "R-63", `active eq true and displayName sw "Anna"`, "a", ""},
		{"or", "or", "R-63", `displayName eq "Anna Berg" or displayName eq "Carla Zuse"`, "ac", ""},
		{"not", "not", "R-63", `not (displayName eq "Anna Berg")`, "bc", ""},
		{"not-and", "not over and", "R-64", `not (active eq true and displayName sw "Anna")`, "bc", ""},
		{"not-or", "not over or", "R-64", `not (displayName sw "Anna" or displayName sw "Bela")`, "c", ""},
		{"double-not", "not over not", "R-64", `not (not (displayName sw "Anna"))`, "a", ""},
		{"and-before-or", "and binds tighter than or", "R-64", `displayName sw "Bela" or displayName sw "Anna" and active eq false`, "b", ""},
		{"or-then-and", "and binds tighter than or, the other way round", "R-64", `active eq false and displayName sw "Anna" or displayName sw "Carla"`, "c", ""},
		{"grouping", "parentheses come first", "R-64", `(displayName sw "Bela" or displayName sw "Anna") and active eq true`, "a", ""},
		{"nested-grouping", "parentheses in parentheses", "R-64", `((displayName sw "Bela") or ((displayName sw "Anna" or displayName sw "Carla") and active eq true))`, "abc", ""},
		{"not-before-and", "not binds tighter than and", "R-64", `not (active eq false) and displayName sw "Carla"`, "c", ""},
		{"three-and", "three terms of and", "R-63", `active eq true and displayName co "a" and userName ew "-c@example.com"`, "c", ""},
		{"operators-case", "operators in any case", "R-63 R-3", `displayName EQ "Anna Berg" OR displayName Sw "Bela"`, "ab", ""},
		{"not-case", "NOT and AND in capitals", "R-63", `NOT (displayName eq "Anna Berg") AND active EQ true`, "c", ""},
		{"names-case", "attribute names in any case", "R-3 R-63 L-3", `DISPLAYNAME eq "Anna Berg" and NAME.FamilyName eq "Berg"`, "a", ""},
		{"words-in-literal", "words and parentheses inside a literal are text", "R-71", `displayName eq "x) or (active eq true"`, "", ""},
		{"absent-attribute", "an attribute nobody has finds nobody", "R-61", `nickName eq "nobody"`, "", "nickName"},
	}
}

func filterPaths() []filterRow {
	return []filterRow{
		{"sub-attribute", "a sub-attribute by a dot", "R-69", `name.familyName eq "Berg"`, "a", ""},
		{"multi-sub-attribute", "a sub-attribute of a multi-valued attribute", "R-68 R-69", `emails.value eq "{p}-b@example.com"`, "b", ""},
		{"multi-second-value", "any value may match", "R-68", `emails.value eq "{p}-a@home.example.org"`, "a", ""},
		{"multi-type", "the type of any value may match", "R-68", `emails.type eq "home"`, "ac", ""},
		{"multi-co", "co on values", "R-68 R-63", `emails.value co "@home.example"`, "ac", ""},
		{"multi-across", "dotted terms may be met by different values", "R-68", `emails.type eq "work" and emails.value co "@home.example"`, "a", ""},
		{"value-path", "a value path needs one value that meets all", "R-68", `emails[type eq "work" and value co "@home.example"]`, "", ""},
		{"value-path-hit", "a value path finds the value that meets all", "R-68", `emails[type eq "home" and value co "@home.example"]`, "ac", ""},
		{"value-path-or", "or inside a value path", "R-68", `emails[type eq "home" or value ew "-b@example.com"]`, "abc", ""},
		{"value-path-not", "not inside a value path", "R-68 R-64", `emails[not (type eq "work")]`, "ac", ""},
		{"value-path-and", "a value path and another term", "R-68 R-63", `emails[type eq "work"] and active eq false`, "b", ""},
		{"value-path-primary", "a boolean inside a value path", "R-68 R-71", `emails[primary eq true and type eq "home"]`, "c", ""},
		{"value-path-case", "names inside a value path in any case", "R-3 R-68", `Emails[Type eq "home" AND Primary eq true]`, "c", ""},
		{"value-path-single", "a value path on a complex attribute", "R-68", `name[familyName eq "Berg"]`, "a", ""},
		{"value-path-pr", "pr inside a value path", "R-70 R-68", `phoneNumbers[value pr and type eq "mobile"]`, "c", "phoneNumbers"},
		{"complex-alone", "a multi-valued attribute alone means its value", "R-72 PNG-01", `emails eq "{p}-b@example.com"`, "b", ""},
		{"complex-alone-co", "co on a multi-valued attribute alone", "R-72", `emails co "home.example"`, "ac", ""},
		{"urn", "an attribute with the URN of its schema", "R-69", userURN + `:displayName eq "Anna Berg"`, "a", ""},
		{"urn-sub", "a sub-attribute with the URN of its schema", "R-69", userURN + `:name.familyName eq "Berg"`, "a", ""},
		{"urn-case", "a URN in another case", "R-69 R-3", strings.ToUpper(userURN) + `:userName eq "{p}-a@example.com"`, "a", ""},
		{"extension", "an attribute of an extension", "R-69", enterpriseURN + `:department eq "Department B"`, "b", ""},
		{"extension-pr", "pr on an attribute of an extension", "R-69 R-70", enterpriseURN + `:employeeNumber pr`, "abc", ""},
		{"extension-sw", "sw on an attribute of an extension", "R-69", enterpriseURN + `:employeeNumber sw "c1"`, "c", ""},
		{"meta-type", "meta.resourceType", "R-69", `meta.resourceType eq "User"`, "abc", "meta"},
		{"external-id", "externalId", "R-25 ENT-02 R-143", `externalId eq "{p}-Ext-c"`, "c", ""},
	}
}

// filterTolerance are filters outside the grammar that identity providers send.
func filterTolerance() []filterRow {
	return []filterRow{
		{"quoted-boolean", "a quoted boolean is compared as boolean", "L-2 L-19 ENT-19", `active eq "True"`, "ac", ""},
		{"value-path-then-sub", "a value path with a sub-attribute behind it, as Entra ID sends it", "L-18 ENT-04", `emails[type eq "work"].value eq "{p}-a@example.com"`, "a", ""},
		{"short-extension-name", "an attribute of an extension by its short name", "L-15", `department eq "Department B"`, "b", ""},
	}
}

// filterFaults are filters that must be refused; want is not used.
func filterFaults() []filterRow {
	return []filterRow{
		{"bad-operator", "an unknown operator is 400 invalidFilter", "R-65", `userName like "x"`, "", ""},
		{"bad-no-value", "a comparison without value is 400", "R-65", `userName eq`, "", ""},
		{"bad-no-operator", "an attribute alone is 400", "R-65", `userName`, "", ""},
		{"bad-open-quote", "a literal without end is 400", "R-65", `userName eq "x`, "", ""},
		{"bad-parenthesis", "an open parenthesis is 400", "R-65", `(userName eq "x"`, "", ""},
		{"bad-parenthesis-more", "a closing parenthesis too many is 400", "R-65", `userName eq "x")`, "", ""},
		{"bad-bracket", "an open bracket is 400", "R-65", `emails[type eq "work"`, "", ""},
		{"bad-empty-brackets", "empty brackets are 400", "R-65", `emails[]`, "", ""},
		{"bad-dangling-and", "and with one side is 400", "R-65", `userName eq "x" and`, "", ""},
		{"bad-leading-or", "or with one side is 400", "R-65", `or userName eq "x"`, "", ""},
		{"bad-two-terms", "two terms without a word between are 400", "R-65", `userName eq "x" active eq true`, "", ""},
		{"bad-literal", "a literal that is no JSON is 400", "R-71", `active eq tru`, "", ""},
		{"bad-gt-boolean", "gt on a boolean is 400 invalidFilter", "R-66", `active gt true`, "", ""},
		{"bad-le-boolean", "le on a boolean is 400 invalidFilter", "R-66", `active le false`, "", ""},
		{"bad-nested-brackets", "a value path in a value path is 400", "R-65", `emails[type[value eq "x"]]`, "", ""},
		{"bad-value-first", "the value before the attribute is 400", "R-65", `"x" eq userName`, "", ""},
	}
}
