package check

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// resource is something a check has made, as its creation was answered.
type resource struct {
	endpoint, id string
	value        jsontree.Value
}

func (r *resource) path() string { return r.endpoint + "/" + url.PathEscape(r.id) }

// name makes a name nobody has.
func (s *session) name() string {
	s.serial++
	return fmt.Sprintf("%s-%02d", s.prefix, s.serial)
}

// email makes an address nobody has.
func (s *session) email() string { return s.name() + "@example.com" }

// person is the body of a new user. The identity address is its own, so that
// servers which keep addresses unique have nothing to object to.
func (s *session) person(more ...obj) obj {
	email := s.email()
	body := obj{
		"schemas": list{userURN}, "userName": email, "active": true,
		"name":   obj{"givenName": "Amélie", "familyName": "Roux"},
		"emails": list{obj{"value": email, "type": "work", "primary": true}},
	}
	for _, extra := range more {
		if _, ok := extra[enterpriseURN]; ok {
			body["schemas"] = list{userURN, enterpriseURN}
		}
	}
	return with(body, more...)
}

// crew is the body of a new group.
func (s *session) crew(more ...obj) obj {
	return with(obj{"schemas": list{groupURN}, "displayName": s.name()}, more...)
}

// create posts a body and demands a new resource with an address.
func (s *session) create(endpoint string, body any) *resource {
	s.needKnown(endpoint, body)
	a := s.post(endpoint, body)
	s.wantStatus(a, http.StatusCreated)
	s.wantThat(a.value.GetString("id") != "", "the answer to a creation has no id")
	return &resource{endpoint, a.value.GetString("id"), a.value}
}

// needKnown skips the check when a body uses attributes that the schema of the
// server does not have.
func (s *session) needKnown(endpoint string, body any) {
	fields, ok := body.(obj)
	if !ok {
		return
	}
	urn := map[string]string{"/Users": userURN, "/Groups": groupURN}[endpoint]
	if urn == "" {
		return // a type of the server's own: its body is made of what it announces
	}
	for name := range fields {
		// Clients send passwords whether a server wants them or not (OKT-03).
		if !strings.Contains(name, ":") && name != "password" && !s.known.has(urn, name) {
			s.skip(NoAttribute, name)
		}
	}
}

func (s *session) user(more ...obj) *resource { return s.create("/Users", s.person(more...)) }

func (s *session) group(members ...*resource) *resource {
	body := obj{}
	if len(members) > 0 {
		body["members"] = refs(members...)
	}
	return s.create("/Groups", s.crew(body))
}

// refs are values of members.
func refs(to ...*resource) list {
	out := list{}
	for _, r := range to {
		out = append(out, obj{"value": r.id})
	}
	return out
}

// read gets a resource as it is now.
func (s *session) read(r *resource) *jsontree.Value {
	a := s.get(r.path())
	s.wantStatus(a, http.StatusOK)
	s.wantAt(&a.value, "id", r.id)
	return &a.value
}

// wantStored reads a resource and states what it holds.
func (s *session) wantStored(r *resource, want obj) *jsontree.Value {
	v := s.read(r)
	s.wantAll(v, want)
	return v
}

// wantMembers states exactly who is in a group, read from the group and from
// the groups of each user.
func (s *session) wantMembers(g *resource, members ...*resource) {
	want := list{}
	for _, m := range members {
		want = append(want, obj{"value": m.id})
	}
	s.wantStored(g, obj{"members": want})
	for _, m := range members {
		if m.endpoint == "/Users" {
			s.wantInGroups(m, g)
		}
	}
}

// wantInGroups states the groups of a user, where the server shows them.
func (s *session) wantInGroups(u *resource, groups ...*resource) {
	if s.known.has(userURN, "groups") {
		want := list{}
		for _, g := range groups {
			want = append(want, obj{"value": g.id})
		}
		s.wantStored(u, obj{"groups": want})
	}
}

// modify patches a resource and gives it as it is read afterwards. A body in
// the answer must say the same.
func (s *session) modify(r *resource, ops ...obj) *jsontree.Value {
	a := s.patch(r.path(), ops...)
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	now := s.read(r)
	if a.status == http.StatusOK && r.endpoint == "/Users" {
		s.wantSame("the answer to the PATCH and what is read afterwards differ", &a.value, now)
	}
	if a.status == http.StatusNoContent {
		s.wantThat(len(a.raw) == 0, "204 has a body")
	}
	return now
}

// replace puts a body and gives the resource as it is read afterwards.
func (s *session) replace(r *resource, body any) *jsontree.Value {
	a := s.put(r.path(), body)
	s.wantStatus(a, http.StatusOK)
	now := s.read(r)
	s.wantSame("the answer to the PUT and what is read afterwards differ", &a.value, now)
	return now
}

// wantUntouched does something that must fail and states that it left no trace
// on a resource.
func (s *session) wantUntouched(r *resource, do func()) {
	before := s.read(r)
	do()
	s.wantSame("a refused request has changed something", before, s.read(r))
}

// find asks a filter about an endpoint.
func (s *session) find(endpoint, filter string, params ...string) *answer {
	return s.get(endpoint, append([]string{"filter", filter}, params...)...)
}

// wantFound states who a filter finds.
func (s *session) wantFound(endpoint, filter string, resources ...*resource) {
	s.wantList(s.find(endpoint, filter), resources...)
}

// some asks until a page holds something: of a list of everybody the first may
// be somebody that another check is deleting at this moment.
func some(ask func() *answer) *answer {
	a := ask()
	for try := 0; try < 5 && a.status == http.StatusOK && len(a.at("Resources").Items) == 0; try++ {
		a = ask()
	}
	return a
}

// eq is the comparison of an attribute with a text.
func eq(attribute, value string) string { return attribute + " eq " + quote(value) }

func quote(value string) string { return string(jsontree.AppendString(nil, value)) }

func patchOp(ops ...obj) obj {
	all := list{}
	for _, op := range ops {
		all = append(all, op)
	}
	return obj{"schemas": list{messageURN + "PatchOp"}, "Operations": all}
}

// add, replace and remove are operations of a PATCH; without a path "" and for
// remove without a value.
func add(path string, value any) obj { return operation("add", path, value) }

func replace(path string, value any) obj { return operation("replace", path, value) }

func remove(path string) obj { return operation("remove", path) }

func operation(kind, path string, value ...any) obj {
	out := obj{"op": kind}
	if path != "" {
		out["path"] = path
	}
	if len(value) > 0 {
		out["value"] = value[0]
	}
	return out
}
