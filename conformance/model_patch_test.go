package conformance_test

import (
	"maps"
	"slices"
	"strings"
)

// patchOp is one operation of a PATCH, in terms of the model: what is sent and
// what it means.
type patchOp struct {
	sent  object
	parse []fault // refused whatever the resource looks like
	late  []fault // refused when all else has succeeded
	// apply changes a user's or group's document, and a group's members.
	apply func(doc object, members map[string]bool) []fault
}

func op(kind, path string, value any) object {
	o := object{"op": kind}
	if path != "" {
		o["path"] = path
	}
	if value != nil {
		o["value"] = value
	}
	return o
}

// patched runs the operations on copies. On a fault nothing is changed.
func patched(r *resource, ops []patchOp) (object, map[string]bool, []fault) {
	doc := clone(r.doc).(object)
	members := map[string]bool{}
	for id := range r.members {
		members[id] = true
	}
	var faults, late []fault
	for _, o := range ops {
		faults, late = append(faults, o.parse...), append(late, o.late...)
	}
	for _, o := range ops {
		if o.apply == nil {
			continue
		}
		if f := o.apply(doc, members); f != nil {
			return nil, nil, append(faults, f...)
		}
	}
	if len(faults) > 0 {
		return nil, nil, faults
	}
	next, f := settled(doc, r.group)
	return next, members, append(f, late...)
}

// setSingle is add or replace of a single-valued attribute; "" clears (L-9).
func setSingle(kind, name string, value any) patchOp {
	o := patchOp{sent: op(kind, name, value)}
	if value == "" && name == "userName" {
		o.parse = []fault{{400, "invalidValue"}, {400, "mutability"}}
		return o
	}
	o.apply = func(doc object, _ map[string]bool) []fault {
		if value == "" {
			delete(doc, name)
		} else {
			doc[name] = value
		}
		return nil
	}
	return o
}

// removeSingle is.
func removeSingle(name, required string) patchOp {
	o := patchOp{sent: op("remove", name, nil)}
	if name == required {
		o.parse = []fault{{400, "mutability"}}
		return o
	}
	o.apply = func(doc object, _ map[string]bool) []fault {
		delete(doc, name)
		return nil
	}
	return o
}

// inside makes the object under name if need be and changes it.
func inside(doc object, name string, change func(object)) {
	in, ok := doc[name].(object)
	if !ok {
		in = object{}
		doc[name] = in
	}
	change(in)
	if len(in) == 0 {
		delete(doc, name)
	}
}

// subAttribute adds, replaces or removes one member of a complex value, or of
// an extension; path is how it is written.
func subAttribute(kind, path, name, sub, value string) patchOp {
	var v any
	if kind != "remove" {
		v = value
	}
	return patchOp{sent: op(kind, path, v), apply: func(doc object, _ map[string]bool) []fault {
		inside(doc, name, func(in object) {
			if kind == "remove" || value == "" {
				delete(in, sub)
			} else {
				in[sub] = value
			}
		})
		return nil
	}}
}

// mergeComplex is add or replace of a part of a complex value.
func mergeComplex(kind, name string, value object) patchOp {
	return patchOp{sent: op(kind, name, value), apply: func(doc object, _ map[string]bool) []fault {
		inside(doc, name, func(in object) {
			maps.Copy(in, value)
		})
		return nil
	}}
}

// pathless adds or replaces several attributes at once, keys being paths (L-4).
func pathless(kind string, parts map[string]patchOp) patchOp {
	value := object{}
	for key, p := range parts {
		value[key] = p.sent["value"]
	}
	return patchOp{sent: op(kind, "", value), apply: func(doc object, m map[string]bool) []fault {
		for _, p := range parts { // they touch different attributes: any order
			if f := p.apply(doc, m); f != nil {
				return f
			}
		}
		return nil
	}}
}

// onePrimary clears primary on all values but the one at keep.
func onePrimary(values []any, keep int) {
	for i, e := range values {
		if v := e.(object); i != keep && v["primary"] == true {
			v["primary"] = false
		}
	}
}

// lastPrimary leaves the last of several marks (L-31).
func lastPrimary(values []any) {
	for i, e := range slices.Backward(values) {
		if e.(object)["primary"] == true {
			onePrimary(values, i)
			return
		}
	}
}

// addValues appends to a multi-valued attribute; a value whose type and
// value are there already is merged into that one.
func addValues(attr string, sent []any) patchOp {
	return patchOp{sent: op("add", attr, sent), apply: func(doc object, _ map[string]bool) []fault {
		values, given := list(doc[attr]), list(clone(sent))
		lastPrimary(given)
		in, _ := settleValues(given)
		for _, e := range in {
			v := e.(object)
			at := slices.IndexFunc(values, func(x any) bool { return twins(x.(object), v) })
			if at < 0 {
				at = len(values)
				values = append(values, v)
			} else {
				maps.Copy(values[at].(object), v)
			}
			if v["primary"] == true {
				onePrimary(values, at)
			}
		}
		doc[attr] = values
		return nil
	}}
}

// replaceValues replaces the whole list; of several primaries the last
// one set stays (L-31).
func replaceValues(attr string, sent []any) patchOp {
	return patchOp{sent: op("replace", attr, sent), apply: func(doc object, _ map[string]bool) []fault {
		given := list(clone(sent))
		lastPrimary(given)
		doc[attr], _ = settleValues(given)
		return nil
	}}
}

// matcher is a value filter: the values of attr whose sub equals literal.
type matcher struct{ attr, sub, literal string }

func (m matcher) path() string { return m.attr + "[" + m.sub + ` eq "` + m.literal + `"]` }

func (m matcher) matches(e any) bool {
	s, ok := e.(object)[m.sub].(string)
	return ok && strings.EqualFold(s, m.literal)
}

// replaceMatching sets a sub-attribute of every matching value. None:
// it is refused, or the value is made (L-7).
func replaceMatching(kind string, m matcher, target string, value any, creates bool) patchOp {
	return patchOp{sent: op(kind, m.path()+"."+target, value), apply: func(doc object, _ map[string]bool) []fault {
		values := list(doc[m.attr])
		if !slices.ContainsFunc(values, m.matches) {
			if !creates {
				return []fault{{400, "noTarget"}}
			}
			values = append(values, object{m.sub: m.literal})
		}
		for i, e := range values {
			if !m.matches(e) {
				continue
			}
			e.(object)[target] = value
			if target == "primary" && value == true {
				onePrimary(values, i)
			}
		}
		doc[m.attr], _ = settleValues(values)
		return nil
	}}
}

// removeMatching removes every matching value.
func removeMatching(m matcher) patchOp {
	return patchOp{sent: op("remove", m.path(), nil), apply: func(doc object, _ map[string]bool) []fault {
		doc[m.attr] = slices.DeleteFunc(list(doc[m.attr]), m.matches)
		return nil
	}}
}

// refusedOp is an operation that is refused whatever it is applied to.
func refusedOp(sent object, f ...fault) patchOp { return patchOp{sent: sent, parse: f} }

// memberOp adds, removes or replaces members. known tells who exists: removing
// who does not is success (L-24).
func memberOp(kind string, ids []string, filtered bool, known func(string) bool) patchOp {
	refs := make([]any, len(ids))
	for i, id := range ids {
		refs[i] = object{"value": id}
	}
	o := patchOp{sent: op(kind, "members", refs)}
	if filtered {
		o.sent = op(kind, `members[value eq "`+ids[0]+`"]`, nil)
	}
	for _, id := range ids {
		switch unknown := []fault{{400, "invalidValue"}}; { // L-25
		case kind == "remove" || known(id):
		case id == malformed:
			o.parse = unknown
		default:
			o.late = unknown
		}
	}
	o.apply = func(_ object, members map[string]bool) []fault {
		if kind == "replace" {
			clear(members)
		}
		for _, id := range ids {
			if kind == "remove" {
				delete(members, id)
			} else {
				members[id] = true
			}
		}
		return nil
	}
	return o
}

// removeAll empties the membership (L-6).
func removeAll() patchOp {
	return patchOp{sent: op("remove", "members", nil), apply: func(_ object, members map[string]bool) []fault {
		clear(members)
		return nil
	}}
}
