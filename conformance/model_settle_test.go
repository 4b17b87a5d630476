package conformance_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// The attributes the model knows.
var (
	single   = []string{"userName", "displayName", "externalId", "title", "nickName"}
	nameSubs = []string{"familyName", "givenName"}
	valueSub = []string{"value", "type", "primary"}
)

// settled brings a document as sent into the form that is stored, or says what
// is wrong with it (R-51, R-53, R-13, L-2, L-3, L-9, L-12, R-14).
func settled(sent object, group bool) (object, []fault) {
	in := object{}
	for k, v := range sent {
		in[canonical(k)] = v
	}
	doc := object{}
	known := single
	if group {
		known = []string{"displayName", "externalId"}
	}
	for _, name := range known {
		if s := text(in, name); s != "" {
			doc[name] = s
		}
	}
	schemas := []any{userURN}
	required := "userName"
	if group {
		schemas, required = []any{groupURN}, "displayName"
	} else {
		if err := settleUser(in, doc); err != nil {
			return nil, err
		}
	}
	if doc[enterpriseURN] != nil {
		schemas = append(schemas, enterpriseURN)
	}
	doc["schemas"] = schemas
	if doc[required] == nil {
		return nil, []fault{{400, "invalidValue"}}
	}
	return doc, nil
}

func settleUser(in, doc object) []fault {
	switch a := in["active"].(type) {
	case bool:
		doc["active"] = a
	case string:
		doc["active"] = strings.EqualFold(a, "true")
	}
	if n := only(in["name"], nameSubs); n != nil {
		doc["name"] = n
	}
	for _, attr := range []string{"emails", "phoneNumbers"} {
		values, ok := settleValues(list(in[attr]))
		if !ok {
			return []fault{{400, "invalidValue"}}
		}
		if len(values) > 0 {
			doc[attr] = values
		}
	}
	if x := only(in[enterpriseURN], []string{"department", "employeeNumber"}); x != nil {
		doc[enterpriseURN] = x
	}
	return nil
}

// only keeps the named non-empty members of an object; nil when none is left.
func only(v any, names []string) object {
	in, _ := v.(object)
	out := object{}
	for _, n := range names {
		if x := in[n]; x != nil && x != "" {
			out[n] = x
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// settleValues merges repeated values and refuses two primaries. Of what
// twins say the later counts, but a mark stays.
func settleValues(in []any) (out []any, ok bool) {
	for _, e := range in {
		v := only(e, valueSub)
		if v == nil {
			continue
		}
		at := slices.IndexFunc(out, func(x any) bool { return twins(x.(object), v) })
		if at < 0 {
			out = append(out, v)
			continue
		}
		marked := out[at].(object)["primary"] == true || v["primary"] == true
		maps.Copy(out[at].(object), v)
		if marked {
			out[at].(object)["primary"] = true
		}
	}
	primaries := 0
	for _, e := range out {
		if e.(object)["primary"] == true {
			primaries++
		}
	}
	return out, primaries < 2
}

// twins tells whether two values are the same pair of type and value.
func twins(a, b object) bool {
	if text(a, "value") == "" || text(b, "value") == "" {
		return reflect.DeepEqual(a, b)
	}
	return fold(text(a, "type")) == fold(text(b, "type")) && fold(text(a, "value")) == fold(text(b, "value"))
}

// canonical gives a name the spelling of the schema.
func canonical(name string) string {
	for _, n := range slices.Concat(single, []string{"active", "name", "emails", "phoneNumbers", "schemas", "members", enterpriseURN}) {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	return name
}

// replaced is what a PUT makes of a document: extensions and active that are
// left out stay (domain.md §5.7.3, L-22).
func replaced(old, doc object) object {
	next := maps.Clone(doc)
	for _, keep := range []string{"active", enterpriseURN} {
		if v := old[keep]; v != nil && next[keep] == nil {
			next[keep] = v
		}
	}
	if next[enterpriseURN] != nil && len(list(next["schemas"])) == 1 {
		next["schemas"] = []any{userURN, enterpriseURN}
	}
	return next
}
