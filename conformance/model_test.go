package conformance_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// The model is a plain picture of what organizations hold: JSON objects in
// maps, rules written down a second time from the references, nothing of the
// server's code.

type object = map[string]any

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// fault is a refusal that may be expected.
type fault struct {
	Status int
	Type   string
}

// resource is one user or group as it should be.
type resource struct {
	group             bool
	id                string
	doc               object          // without id, meta, groups and members
	members           map[string]bool // of a group
	created, modified string
	etag              string
	touched           bool              // a member was deleted since it was read last
	known             int               // the moves of the tenant when it was read last
	seen              map[string]string // version to what was shown under it
}

func (r *resource) path() string {
	if r.group {
		return "/Groups/" + r.id
	}
	return "/Users/" + r.id
}

// tenant is one organization of the model.
type tenant struct {
	*org
	entra  bool        // its connection has the profile entra
	moves  int         // how often versions of other resources may have moved
	living []*resource // in order of creation
	dead   []string    // ids
}

func (tn *tenant) of(group bool) []*resource {
	var out []*resource
	for _, r := range tn.living {
		if r.group == group {
			out = append(out, r)
		}
	}
	return out
}

func (tn *tenant) byID(id string) *resource {
	for _, r := range tn.living {
		if r.id == id {
			return r
		}
	}
	return nil
}

// remove takes a resource out, and out of every group.
func (tn *tenant) remove(r *resource) {
	tn.living = slices.DeleteFunc(tn.living, func(x *resource) bool { return x == r })
	tn.dead = append(tn.dead, r.id)
	tn.moves++
	for _, g := range tn.living {
		g.touched = g.touched || g.members[r.id]
		delete(g.members, r.id)
	}
}

// moved notes that a resource was written. What a group is called and whom it
// has is part of its members' versions; what a user is, of nobody else's.
func (tn *tenant) moved(group bool) {
	if group {
		tn.moves++
	}
}

func text(doc object, name string) string {
	s, _ := doc[name].(string)
	return s
}

// display is what other resources show of r.
func (r *resource) display() string {
	if d := text(r.doc, "displayName"); d != "" {
		return d
	}
	return text(r.doc, "userName")
}

// whole is the resource as it is shown, but for meta.
func (tn *tenant) whole(r *resource) object {
	body := clone(r.doc).(object)
	body["id"] = r.id
	var refs []any
	if r.group {
		for id := range r.members {
			m := tn.byID(id)
			kind := "User"
			if m.group {
				kind = "Group"
			}
			refs = append(refs, object{"value": id, "$ref": tn.Client.BaseURL + m.path(), "type": kind})
		}
		body["members"] = refs
		return body
	}
	for _, g := range tn.of(true) {
		if g.members[r.id] {
			refs = append(refs, object{"value": g.id, "$ref": tn.Client.BaseURL + g.path(), "type": "direct", "display": g.display()})
		}
	}
	body["groups"] = refs
	tn.decided(body)
	return body
}

// withMeta adds what is known of meta.
func (tn *tenant) withMeta(r *resource) object {
	body := tn.whole(r)
	kind := "User"
	if r.group {
		kind = "Group"
	}
	body["meta"] = object{
		"resourceType": kind, "created": r.created, "lastModified": r.modified,
		"location": tn.Client.BaseURL + r.path(), "version": r.etag,
	}
	return body
}

// conflicts tells whether a user's or group's new document collides (BR-001,
// BR-004, displayName of groups).
func conflicts(all []*tenant, tn *tenant, self *resource, group bool, doc object) []fault {
	taken := fault{409, "uniqueness"}
	for _, other := range tn.of(group) {
		name := "userName"
		if group {
			name = "displayName"
		}
		if other != self && fold(text(other.doc, name)) == fold(text(doc, name)) {
			return []fault{taken}
		}
	}
	key := identity(doc)
	if group || key == "" {
		return nil
	}
	for _, t := range all {
		for _, other := range t.of(false) {
			if other != self && identity(other.doc) == key {
				return []fault{taken}
			}
		}
	}
	return nil
}

// identity is the address that is unique over all organizations (BR-002), in
// the form it is compared in; "" when there is none.
func identity(doc object) string {
	best, rank := "", 0
	for _, e := range list(doc["emails"]) {
		m := e.(object)
		if text(m, "value") == "" {
			continue // a primary mark made before its address (L-7, ENT-12)
		}
		r := 1
		if strings.EqualFold(text(m, "type"), "work") {
			r = 2
		}
		if m["primary"] == true {
			r = 3
		}
		if r > rank {
			best, rank = text(m, "value"), r
		}
	}
	if best == "" {
		best = text(doc, "userName")
	}
	local, domain, ok := strings.Cut(best, "@")
	if !ok || local == "" || strings.ContainsAny(best, " ") || !strings.Contains(domain, ".") {
		return ""
	}
	return strings.ToLower(best)
}

// fold is the form in which text compares that ignores case. The pools of the
// generators hold nothing for which more is needed.
func fold(s string) string { return strings.ToLower(s) }

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		out := make(object, len(v))
		for k, x := range v {
			out[k] = clone(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clone(x)
		}
		return out
	}
	return v
}

// plain brings a body into the form in which bodies are compared: without what
// means unassigned, sets in order.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		undated(v)
		for k, x := range v {
			if x = plain(x); x == nil {
				delete(v, k)
			} else {
				v[k] = x
			}
		}
		for _, set := range []string{"schemas", "groups", "members"} {
			if l, ok := v[set].([]any); ok {
				slices.SortFunc(l, func(a, b any) int { return strings.Compare(render(a), render(b)) })
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		var out []any
		for _, x := range v {
			if x = plain(x); x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return v
}

// render writes a value with its members in order of name.
func render(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func same(a, b any) bool { return reflect.DeepEqual(plain(clone(a)), plain(clone(b))) }
