package conformance_test

import (
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// condition is a filter of the model: how it is written and whether a shown
// resource matches it.
type condition struct {
	text  string
	match func(body object) bool
}

// column is an attribute that filters and sorts by: its path and how its text compares.
type column struct {
	path     string
	exact    bool // compares with case
	literals []string
	values   func(body object) []string
}

// has is pr: for emails as a whole any e-mail will do, be it only a mark (L-7).
func (c *column) has(b object) bool {
	if c.path == "emails" {
		return len(list(b["emails"])) > 0
	}
	return len(c.values(b)) > 0
}

// lacking tells whether the attribute, or one of several e-mails, has no value;
// that differs from any.
func (c *column) lacking(b object) bool {
	sub, ok := map[string]string{"emails": "value", "emails.value": "value", "emails.type": "type"}[c.path]
	if !ok {
		return len(c.values(b)) == 0
	}
	return len(list(b["emails"])) == 0 ||
		slices.ContainsFunc(list(b["emails"]), func(e any) bool { return text(e.(object), sub) == "" })
}

// at reads a path of members; arrays on the way give every value.
func at(names ...string) func(object) []string {
	return func(body object) []string { return collect(body, names) }
}

func collect(v any, names []string) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, collect(e, names)...)
		}
		return out
	case object:
		if len(names) > 0 {
			return collect(v[names[0]], names[1:])
		}
	case string:
		if len(names) == 0 && v != "" {
			return []string{v}
		}
	}
	return nil
}

// userColumns are what the generators filter users by.
func userColumns(p *pools) []column {
	return []column{
		{"userName", false, p.userNames, at("userName")},
		{"displayName", false, p.displayNames, at("displayName")},
		{userURN + ":displayName", false, p.displayNames, at("displayName")},
		{"externalId", true, p.externalIDs, at("externalId")},
		{"title", false, p.titles, at("title")},
		{"nickName", false, p.titles, at("nickName")},
		{"name.familyName", false, p.families, at("name", "familyName")},
		{"emails.value", false, p.addresses, at("emails", "value")},
		{"emails", false, p.addresses, at("emails", "value")},
		{"emails.type", false, p.types, at("emails", "type")},
		{"phoneNumbers.value", false, p.phones, at("phoneNumbers", "value")},
		{enterpriseURN + ":department", false, p.titles, at(enterpriseURN, "department")},
		{"department", false, p.titles, at(enterpriseURN, "department")},
		{"id", true, p.ids, at("id")},
		{"groups.value", true, p.ids, at("groups", "value")},
		{"meta.resourceType", true, []string{"User", "Group"}, at("meta", "resourceType")},
	}
}

func groupColumns(p *pools) []column {
	return []column{
		{"displayName", false, p.displayNames, at("displayName")},
		{"externalId", true, p.externalIDs, at("externalId")},
		{"id", true, p.ids, at("id")},
		{"members.value", true, p.ids, at("members", "value")},
		{"members", true, p.ids, at("members", "value")},
		{"members.type", false, []string{"User", "Group"}, at("members", "type")},
	}
}

// compare decides one operator for one value.
func compare(operator, value, literal string, exact bool) bool {
	if !exact {
		value, literal = fold(value), fold(literal)
	}
	switch operator {
	case "eq":
		return value == literal
	case "ne":
		return value != literal
	case "co":
		return strings.Contains(value, literal)
	case "sw":
		return strings.HasPrefix(value, literal)
	case "ew":
		return strings.HasSuffix(value, literal)
	case "gt":
		return value > literal
	case "ge":
		return value >= literal
	case "lt":
		return value < literal
	}
	return value <= literal
}

// leaf draws one comparison.
func leaf(rt *rapid.T, p *pools, columns []column, times []string) condition {
	switch rapid.IntRange(0, 13).Draw(rt, "leaf") {
	case 0:
		c := rapid.SampledFrom(columns).Draw(rt, "column")
		return condition{c.path + " pr", c.has}
	case 1:
		v := rapid.Bool().Draw(rt, "boolean")
		word := map[bool]string{true: "true", false: "False"}[v]
		if v {
			return condition{"active eq " + word, func(b object) bool { return b["active"] == true }}
		}
		return condition{`active eq "` + word + `"`, func(b object) bool { return b["active"] == false }}
	case 2:
		return byTime(rt, times)
	case 3:
		c := rapid.SampledFrom(columns).Draw(rt, "column")
		return condition{c.path + " eq null", func(b object) bool { return !c.has(b) }}
	case 4:
		return valuePath(rt, p)
	}
	c := rapid.SampledFrom(columns).Draw(rt, "column")
	operator := rapid.SampledFrom([]string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}).Draw(rt, "operator")
	literal := rapid.SampledFrom(c.literals).Draw(rt, "literal")
	if part := rapid.IntRange(0, 3).Draw(rt, "part"); part > 0 && operator != "eq" && len(literal) > part {
		literal = strings.ToValidUTF8(literal[:part], "")
	}
	path := c.path
	if rapid.IntRange(0, 5).Draw(rt, "spelling") == 0 {
		path, operator = strings.ToUpper(path), strings.ToUpper(operator)
	}
	lower := strings.ToLower(operator)
	return condition{path + " " + operator + " " + render(literal), func(b object) bool {
		values := c.values(b)
		if lower == "ne" && c.lacking(b) {
			return true
		}
		return slices.ContainsFunc(values, func(v string) bool { return compare(lower, v, literal, c.exact) })
	}}
}

// byTime compares meta.created or meta.lastModified by instant.
func byTime(rt *rapid.T, times []string) condition {
	name := rapid.SampledFrom([]string{"created", "lastModified"}).Draw(rt, "time")
	operator := rapid.SampledFrom([]string{"gt", "ge", "lt", "le", "eq", "ne"}).Draw(rt, "operator")
	when := rapid.SampledFrom(times).Draw(rt, "when")
	return condition{"meta." + name + " " + operator + ` "` + when + `"`, func(b object) bool {
		return compare(operator, text(b["meta"].(object), name), when, true) // of one form and zone: order of text is order of time
	}}
}

// valuePath is a filter on one value of e-mails: both terms must hold for the same.
func valuePath(rt *rapid.T, p *pools) condition {
	kind := rapid.SampledFrom(p.types).Draw(rt, "type")
	part := rapid.SampledFrom(p.addresses).Draw(rt, "address")
	primary := rapid.Bool().Draw(rt, "primary")
	if primary {
		return condition{`emails[type eq "` + kind + `" and primary eq true]`, func(b object) bool {
			return slices.ContainsFunc(list(b["emails"]), func(e any) bool {
				return fold(text(e.(object), "type")) == fold(kind) && e.(object)["primary"] == true
			})
		}}
	}
	return condition{`emails[type eq "` + kind + `" and value sw ` + render(part[:3]) + `]`, func(b object) bool {
		return slices.ContainsFunc(list(b["emails"]), func(e any) bool {
			return fold(text(e.(object), "type")) == fold(kind) && strings.HasPrefix(fold(text(e.(object), "value")), fold(part[:3]))
		})
	}}
}

// drawFilter draws a filter with up to depth levels of logic.
func drawFilter(rt *rapid.T, p *pools, group bool, times []string, depth int) condition {
	columns := userColumns(p)
	if group {
		columns = groupColumns(p)
	}
	shape := rapid.IntRange(0, 5).Draw(rt, "shape")
	if depth == 0 || shape < 3 {
		for {
			c := leaf(rt, p, columns, times)
			if group && (strings.HasPrefix(c.text, "active") || strings.HasPrefix(c.text, "emails[")) {
				continue // groups have no such attributes
			}
			return c
		}
	}
	a := drawFilter(rt, p, group, times, depth-1)
	if shape == 3 {
		return condition{"not (" + a.text + ")", func(o object) bool { return !a.match(o) }}
	}
	b := drawFilter(rt, p, group, times, depth-1)
	if shape == 4 {
		return condition{"(" + a.text + ") and (" + b.text + ")", func(o object) bool { return a.match(o) && b.match(o) }}
	}
	return condition{"(" + a.text + " or " + b.text + ")", func(o object) bool { return a.match(o) || b.match(o) }}
}

// sorting is a way to order: its path and the key of a body, "" with ok false
// when there is none.
type sorting struct {
	path string
	key  func(body object) (string, bool)
}

// firstOf gives the key of a single value.
func firstOf(exact bool, names ...string) func(object) (string, bool) {
	return func(b object) (string, bool) {
		v := collect(b, names)
		if len(v) == 0 {
			return "", false
		}
		if exact {
			return v[0], true
		}
		return fold(v[0]), true
	}
}

// primaryOf gives the value of the primary e-mail, or of the first.
func primaryOf(b object) (string, bool) {
	chosen := ""
	for i, e := range list(b["emails"]) {
		if primary := e.(object)["primary"] == true; i == 0 || primary {
			chosen = fold(text(e.(object), "value"))
			if primary {
				break
			}
		}
	}
	return chosen, chosen != ""
}

func sortings(group bool) []sorting {
	out := []sorting{
		{"displayName", firstOf(false, "displayName")},
		{"externalId", firstOf(true, "externalId")},
		{"id", firstOf(true, "id")},
		{"meta.created", firstOf(true, "meta", "created")},
		{"meta.lastModified", firstOf(true, "meta", "lastModified")},
	}
	if group {
		return out
	}
	return append(out,
		sorting{"userName", firstOf(false, "userName")},
		sorting{"title", firstOf(false, "title")},
		sorting{"name.familyName", firstOf(false, "name", "familyName")},
		sorting{"emails", primaryOf},
		sorting{enterpriseURN + ":department", firstOf(false, enterpriseURN, "department")})
}

// ordered sorts bodies: those without a key last ascending, first descending.
func (s *sorting) ordered(bodies []object, descending bool) {
	slices.SortStableFunc(bodies, func(a, b object) int {
		x, okX := s.key(a)
		y, okY := s.key(b)
		order := 0
		switch {
		case okX && okY:
			order = strings.Compare(x, y)
		case okX:
			order = -1
		case okY:
			order = 1
		}
		if descending {
			return -order
		}
		return order
	})
}
