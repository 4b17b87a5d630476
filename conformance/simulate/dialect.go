package simulate

import (
	"context"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// request is one prepared request.
type request struct {
	kind   kind
	method string
	path   string
	body   []byte
}

// matching is how a dialect finds out whether a group is there already.
type matching int

const (
	byName  matching = iota // filter on displayName
	byList                  // all groups are read, page by page
	byFault                 // not at all: only after 409
)

// dialect is what distinguishes one identity provider from another: data, and
// a function where a verb is played in its own way. Ids of the wire catalogue
// stand in dialects.go.
type dialect struct {
	name        string
	profile     string // the connection profile of usher it is meant for
	agent       string
	accept      string
	contentType string
	query       string // behind every target

	sends     []field
	mailTypes []string // of the addresses; the first is primary
	bothFirst bool     // every address says it is primary (L-31)
	matches   []string // user attributes, one of which an administrator chose
	params    string   // behind the filter of a look-up
	plus      bool     // blanks in filters are written as +

	plainNames         bool // userName is no address
	asksFirst          bool // looks a user up before creating it
	neverClears        bool // an attribute once set stays set
	managers           bool
	passwords          bool
	deletes            bool // some time after they were deactivated
	deletesAtOnce      bool // instead of deactivating
	repeatsPosts       bool // after a lost answer; others look up
	groups             matching
	createsWithMembers bool
	membersPerPush     int  // 0: all of a group's changes in one request
	pushesAll          bool // sometimes sends the whole list as a replace
	touches            bool // sends the name after every membership change (OKT-11)
	relations          bool // asks whether the reference is there (ENT-07)

	test     func(ctx context.Context, s *Simulator) bool
	user     func(s *Simulator, f *fields, active bool) jsontree.Value
	group    func(g *group, members []*user) jsontree.Value
	update   func(ctx context.Context, s *Simulator, u *user, to *fields, form int) (request, bool)
	activate func(ctx context.Context, s *Simulator, u *user, active bool, form int) (request, bool)
	push     func(ctx context.Context, s *Simulator, a *act, next []*user) (request, bool)
	rename   func(s *Simulator, g *group, name string) request
}

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	scimJSON      = "application/scim+json"
	plainJSON     = "application/json"
)

func (d *dialect) sending(f field) bool { return slices.Contains(d.sends, f) }

// member, text and yes make members of an object: any, a text, a boolean.
func member(name string, v jsontree.Value) jsontree.Value { return v.As(name) }

func text(name, value string) jsontree.Value { return jsontree.Str(value).As(name) }

func yes(name string, value bool) jsontree.Value { return jsontree.Bool(value).As(name) }

func schemas(urns ...string) jsontree.Value {
	list := jsontree.Arr()
	for _, u := range urns {
		list.Items = append(list.Items, jsontree.Str(u))
	}
	return list.As("schemas")
}

func encode(v jsontree.Value) []byte { return v.Append(make([]byte, 0, 1024)) }

// texts adds the members of the fields that the dialect sends and that are
// set.
func (d *dialect) texts(v *jsontree.Value, f *fields, names map[field]string, order ...field) {
	for _, k := range order {
		if d.sending(k) && f[k] != "" {
			v.Items = append(v.Items, text(names[k], f[k]))
		}
	}
}

// fieldNames are the attributes of the fields that are plain texts.
var fieldNames = map[field]string{
	userName: "userName", externalID: "externalId", displayName: "displayName", title: "title", locale: "locale",
	givenName: "givenName", familyName: "familyName", formatted: "formatted", department: "department", employeeNumber: "employeeNumber",
}

// body is a user as most dialects write one: what is unassigned is left out.
func (d *dialect) body(f *fields, urns ...string) jsontree.Value {
	v := jsontree.Obj(schemas(urns...))
	d.texts(&v, f, fieldNames, userName, externalID, displayName, title, locale)
	name := jsontree.Obj()
	d.texts(&name, f, fieldNames, formatted, familyName, givenName)
	if len(name.Items) > 0 {
		v.Items = append(v.Items, member("name", name))
	}
	if d.sending(mail) {
		list := jsontree.Arr()
		for i, t := range d.mailTypes {
			m := jsontree.Obj()
			if i == 0 || d.bothFirst {
				m.Items = append(m.Items, yes("primary", true))
			}
			m.Items = append(m.Items, text("type", t), text("value", f[mail]))
			list.Items = append(list.Items, m)
		}
		v.Items = append(v.Items, member("emails", list))
	}
	if d.sending(mobile) && f[mobile] != "" {
		phone := jsontree.Obj(text("type", "mobile"), text("value", f[mobile]))
		v.Items = append(v.Items, member("phoneNumbers", jsontree.Arr(phone)))
	}
	ext := jsontree.Obj()
	d.texts(&ext, f, fieldNames, department, employeeNumber)
	if len(ext.Items) > 0 {
		v.Items = append(v.Items, member(enterpriseURN, ext))
	}
	return v
}

// plainUser is the body without anything peculiar.
func plainUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := s.d.body(f, userURN)
	v.Items = append(v.Items, yes("active", active))
	return v
}

// plainGroup is a group with its members.
func plainGroup(g *group, members []*user) jsontree.Value {
	return jsontree.Obj(schemas(groupURN), text("displayName", g.name), member("members", references(members)))
}

// references are members as most dialects write them.
func references(users []*user) jsontree.Value {
	list := jsontree.Arr()
	for _, u := range users {
		list.Items = append(list.Items, jsontree.Obj(text("value", u.id)))
	}
	return list
}

// shown are members as Okta writes them, with a name.
func shown(users []*user) jsontree.Value {
	list := jsontree.Arr()
	for _, u := range users {
		list.Items = append(list.Items, jsontree.Obj(text("value", u.id), text("display", u.fields[mail])))
	}
	return list
}

// op is one operation of a PATCH; without a path when path is "", without a
// value when value is nil.
func op(verb, path string, value *jsontree.Value) jsontree.Value {
	v := jsontree.Obj(text("op", verb))
	if path != "" {
		v.Items = append(v.Items, text("path", path))
	}
	if value != nil {
		v.Items = append(v.Items, value.As("value"))
	}
	return v
}

func patch(k kind, path string, ops ...jsontree.Value) request {
	body := jsontree.Obj(schemas(patchURN), jsontree.Arr(ops...).As("Operations"))
	return request{kind: k, method: "PATCH", path: path, body: encode(body)}
}

func put(k kind, path string, body jsontree.Value) request {
	return request{kind: k, method: "PUT", path: path, body: encode(body)}
}

func (u *user) path() string { return "/Users/" + u.id }

func (g *group) path() string { return "/Groups/" + g.id }
