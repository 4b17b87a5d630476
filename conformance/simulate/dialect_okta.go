package simulate

import (
	"context"

	"github.com/usher-scim/usher/internal/jsontree"
)

// testOkta reads a first page (OKT-01).
func testOkta(ctx context.Context, s *Simulator) bool {
	return s.read(ctx, kindTest, "/Users?startIndex=1&count=2")
}

// oktaUser is OKT-03, with a password nobody uses.
func oktaUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := plainUser(s, f, active)
	v.Items = append(v.Items, member("groups", jsontree.Arr()))
	if s.d.passwords {
		v.Items = append(v.Items, text("password", "Kx7-"+f[externalID]))
	}
	return v
}

// updateOkta sends the server's own answer back, changed (OKT-05).
func updateOkta(ctx context.Context, s *Simulator, u *user, to *fields, _ int) (request, bool) {
	doc, ok := s.ask(ctx, kindRead, u.path())
	if !ok {
		return request{}, false
	}
	fresh := plainUser(s, to, u.active)
	for _, name := range []string{"userName", "externalId", "displayName", "name", "title", "locale", "emails", "phoneNumbers", enterpriseURN} {
		if m := fresh.Get(name); m != nil {
			doc.Set(name, *m)
		} else {
			doc.Delete(name)
		}
	}
	return put(kindUpdate, u.path(), doc), true
}

// activateOkta is OKT-06.
func activateOkta(_ context.Context, _ *Simulator, u *user, active bool, _ int) (request, bool) {
	return patch(kindActive, u.path(), op("replace", "", new(jsontree.Obj(yes("active", active))))), true
}

// activateByEcho is OKT-07.
func activateByEcho(ctx context.Context, s *Simulator, u *user, active bool, _ int) (request, bool) {
	doc, ok := s.ask(ctx, kindRead, u.path())
	if !ok {
		return request{}, false
	}
	doc.Set("active", jsontree.Bool(active))
	return put(kindActive, u.path(), doc), true
}

// pushOkta is OKT-12, or the full push OKT-13 and OKT-14.
func pushOkta(_ context.Context, _ *Simulator, a *act, next []*user) (request, bool) {
	if a.full {
		return patch(kindMembers, a.group.path(), op("replace", "members", new(shown(next)))), true
	}
	var ops []jsontree.Value
	for _, u := range a.remove {
		ops = append(ops, op("remove", `members[value eq "`+u.id+`"]`, nil))
	}
	if len(a.add) > 0 {
		ops = append(ops, op("add", "members", new(shown(a.add))))
	}
	return patch(kindMembers, a.group.path(), ops...), true
}

// renameOkta is OKT-11, with the id inside the value.
func renameOkta(_ *Simulator, g *group, name string) request {
	return patch(kindRename, g.path(), op("replace", "", new(jsontree.Obj(text("id", g.id), text("displayName", name)))))
}

// wizardGroup is the body of OKT-15.
func wizardGroup(g *group, name string, members []*user) jsontree.Value {
	return jsontree.Obj(schemas(groupURN), text("id", g.id), text("displayName", name), member("members", shown(members)))
}

func putWizardGroup(_ context.Context, _ *Simulator, a *act, next []*user) (request, bool) {
	return put(kindMembers, a.group.path(), wizardGroup(a.group, a.group.name, next)), true
}

// setsPassword is OKT-08. Nothing may come of it.
func setsPassword(u *user) request {
	return patch(kindPassword, u.path(), op("replace", "", new(jsontree.Obj(text("password", "Zt9-"+u.fields[externalID])))))
}
