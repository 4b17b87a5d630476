package simulate

import (
	"context"

	"github.com/usher-scim/usher/internal/jsontree"
)

// entraPaths are the targets of Entra's attribute mappings.
var entraPaths = [fieldCount]string{
	userName: "userName", externalID: "externalId", displayName: "displayName", givenName: "name.givenName",
	familyName: "name.familyName", formatted: "name.formatted", title: "title",
	mail: `emails[type eq "work"].value`, mobile: `phoneNumbers[type eq "mobile"].value`,
	department: enterpriseURN + ":department", employeeNumber: enterpriseURN + ":employeeNumber",
	otherMail: `emails[type eq "other"].Value`, address: `addresses[type eq "work"].formatted`, role: `roles[primary eq "True"].value`, // ENT-16, ENT-19
}

const managerPath = enterpriseURN + ":manager"

// testEntra looks for names that cannot exist (ENT-01).
func testEntra(ctx context.Context, s *Simulator) bool {
	return s.mustNotFind(ctx, kindTest, "/Users", s.match, s.guid()) && s.mustNotFind(ctx, kindTest, "/Groups", "displayName", s.guid())
}

// entraUser is ENT-08 with the variants of ENT-09: quoted booleans and nulls.
func entraUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := entraBody(s, f)
	v.Items = append(v.Items, text("active", capital(active)))
	if f[title] == "" {
		v.Set("title", jsontree.Value{Kind: jsontree.Null})
	}
	if f[address] == "" {
		v.Set("addresses", jsontree.Value{Kind: jsontree.Null})
	}
	return v
}

func entraFlagUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := entraBody(s, f)
	v.Items = append(v.Items, yes("active", active))
	return v
}

func entraBody(s *Simulator, f *fields) jsontree.Value {
	v := s.d.body(f, userURN, enterpriseURN)
	if f[otherMail] != "" {
		mails := v.Get("emails")
		mails.Items = append(mails.Items, jsontree.Obj(text("type", "other"), text("value", f[otherMail])))
	}
	if f[address] != "" {
		v.Set("addresses", jsontree.Arr(jsontree.Obj(text("type", "work"), text("formatted", f[address]))))
	}
	v.Set("roles", jsontree.Arr())
	if f[role] != "" {
		v.Set("roles", jsontree.Arr(jsontree.Obj(yes("primary", true), text("type", "WindowsAzureActiveDirectoryRole"), text("value", f[role]))))
	}
	v.Set("meta", jsontree.Obj(text("resourceType", "User")))
	return v
}

// entraGroup is ENT-22; members always follow later.
func entraGroup(g *group, _ []*user) jsontree.Value {
	return jsontree.Obj(
		schemas(groupURN, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"),
		text("externalId", g.ext), text("displayName", g.name), member("meta", jsontree.Obj(text("resourceType", "Group"))),
	)
}

func capital(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// updateEntra is ENT-11, ENT-13 and ENT-15: one operation for each attribute
// that differs from what the server shows.
func updateEntra(ctx context.Context, s *Simulator, u *user, to *fields, form int) (request, bool) {
	ok := s.read(ctx, kindRead, u.path())
	var ops []jsontree.Value
	for k, path := range entraPaths {
		was, is := u.fields[k], to[k]
		switch {
		case path == "" || was == is:
		case was == "":
			ops = append(ops, op("Add", path, new(jsontree.Str(is))))
		case is == "" && form%2 == 0:
			ops = append(ops, op("Remove", path, nil))
		default: // "" clears too
			ops = append(ops, op("Replace", path, new(jsontree.Str(is))))
		}
	}
	if len(ops) == 0 { // the periodic "still active" (ENT-14)
		ops = append(ops, op("Replace", "active", new(jsontree.Str(capital(u.active)))))
	}
	return patch(kindUpdate, u.path(), ops...), ok
}

// updateEntraFlag is ENT-31: value paths as paths, the rest as keys of one
// value.
func updateEntraFlag(ctx context.Context, s *Simulator, u *user, to *fields, form int) (request, bool) {
	ok := s.read(ctx, kindRead, u.path())
	var ops []jsontree.Value
	keys := jsontree.Obj()
	for k, path := range entraPaths {
		switch {
		case path == "" || u.fields[k] == to[k]:
		case to[k] == "" && form%2 == 0:
			ops = append(ops, op("remove", path, nil))
		case field(k) == mail || field(k) == mobile:
			ops = append(ops, op("replace", path, new(jsontree.Str(to[k]))))
		default:
			keys.Items = append(keys.Items, text(path, to[k]))
		}
	}
	if len(keys.Items) > 0 {
		ops = append(ops, op("replace", "", &keys))
	}
	if len(ops) == 0 {
		ops = append(ops, op("replace", "active", new(jsontree.Bool(u.active))))
	}
	return patch(kindUpdate, u.path(), ops...), ok
}

// activateEntra is ENT-14 in the forms that were seen.
func activateEntra(_ context.Context, _ *Simulator, u *user, active bool, form int) (request, bool) {
	v := jsontree.Str(capital(active))
	switch form % 4 {
	case 1:
		v = jsontree.Bool(active)
	case 2:
		return patch(kindActive, u.path(), op("replace", "", new(jsontree.Obj(yes("active", active))))), true
	}
	return patch(kindActive, u.path(), op("Replace", "active", &v)), true
}

// activateEntraFlag is ENT-32.
func activateEntraFlag(_ context.Context, _ *Simulator, u *user, active bool, _ int) (request, bool) {
	return patch(kindActive, u.path(), op("replace", "active", new(jsontree.Bool(active)))), true
}

// manages sets or clears the manager in one of the forms of ENT-17 and ENT-18.
func (s *Simulator) manages(u, boss *user, form int) request {
	if boss == nil {
		if form%2 == 0 {
			return patch(kindManager, u.path(), op("Remove", managerPath, nil))
		}
		return patch(kindManager, u.path(), op("Replace", managerPath, new(jsontree.Str(""))))
	}
	id := jsontree.Str(boss.id)
	if s.d.query != "" {
		form += 3
	}
	switch form % 6 {
	case 1:
		return patch(kindManager, u.path(), op("Replace", managerPath, new(jsontree.Obj(id.As("value")))))
	case 2:
		ref := jsontree.Obj(text("$ref", s.c.base+boss.path()), id.As("value"))
		return patch(kindManager, u.path(), op("Add", "manager", new(jsontree.Arr(ref))))
	case 3:
		return patch(kindManager, u.path(), op("replace", "", new(jsontree.Obj(id.As(managerPath)))))
	case 4:
		return patch(kindManager, u.path(), op("replace", "", new(jsontree.Obj(id.As(managerPath+".value")))))
	}
	return patch(kindManager, u.path(), op("Add", managerPath, &id))
}

// pushEntra is ENT-24 and ENT-25: one member in a request.
func pushEntra(_ context.Context, _ *Simulator, a *act, _ []*user) (request, bool) {
	entry := func(u *user) *jsontree.Value {
		return new(jsontree.Arr(jsontree.Obj(member("$ref", jsontree.Value{Kind: jsontree.Null}), text("value", u.id))))
	}
	var ops []jsontree.Value
	for _, u := range a.add {
		ops = append(ops, op("Add", "members", entry(u)))
	}
	for _, u := range a.remove {
		ops = append(ops, op("Remove", "members", entry(u)))
	}
	return patch(kindMembers, a.group.path(), ops...), true
}

// pushEntraFlag is ENT-24 with several members and ENT-26.
func pushEntraFlag(_ context.Context, _ *Simulator, a *act, _ []*user) (request, bool) {
	var ops []jsontree.Value
	for _, u := range a.remove {
		ops = append(ops, op("remove", `members[value eq "`+u.id+`"]`, nil))
	}
	if len(a.add) > 0 {
		ops = append(ops, op("add", "members", new(references(a.add))))
	}
	return patch(kindMembers, a.group.path(), ops...), true
}

// renameEntra is ENT-23.
func renameEntra(_ *Simulator, g *group, name string) request {
	return patch(kindRename, g.path(), op("Replace", "displayName", new(jsontree.Str(name))))
}

func renameEntraFlag(_ *Simulator, g *group, name string) request {
	return patch(kindRename, g.path(), op("replace", "", new(jsontree.Obj(text("displayName", name)))))
}
