package simulate

import (
	"context"

	"github.com/usher-scim/usher/internal/jsontree"
)

// updateByPut sends the whole user.
func updateByPut(_ context.Context, s *Simulator, u *user, to *fields, _ int) (request, bool) {
	return put(kindUpdate, u.path(), s.d.user(s, to, u.active)), true
}

// activateByPut sends the whole user too.
func activateByPut(_ context.Context, s *Simulator, u *user, active bool, _ int) (request, bool) {
	return put(kindActive, u.path(), s.d.user(s, &u.fields, active)), true
}

func activateByPatch(_ context.Context, _ *Simulator, u *user, active bool, _ int) (request, bool) {
	return patch(kindActive, u.path(), op("replace", "active", new(jsontree.Bool(active)))), true
}

func renameByPatch(_ *Simulator, g *group, name string) request {
	return patch(kindRename, g.path(), op("replace", "displayName", new(jsontree.Str(name))))
}

// renameByPut sends the whole group, as PUT replaces the members too.
func renameByPut(_ *Simulator, g *group, name string) request {
	return put(kindRename, g.path(), wizardGroup(g, name, g.list()))
}

func putGroup(_ context.Context, _ *Simulator, a *act, next []*user) (request, bool) {
	return put(kindMembers, a.group.path(), plainGroup(a.group, next)), true
}

// testOneLogin is OLG-01.
func testOneLogin(ctx context.Context, s *Simulator) bool {
	return s.mustNotFind(ctx, kindTest, "/Users", "userName", "does-not-exist@"+s.tag+".example")
}

// oneLoginUser is the template of OLG-02: an id that is null, a quoted
// boolean, the manager under its name of SCIM 1.1, an extension that schemas
// does not tell of.
func oneLoginUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := s.d.body(f, userURN)
	quoted := "false"
	if active {
		quoted = "true"
	}
	v.Items = append(v.Items, member("id", jsontree.Value{Kind: jsontree.Null}), text("active", quoted), member("meta", jsontree.Obj(text("resourceType", "User"))))
	if v.Get(enterpriseURN) == nil { // a template sends its empty fields as well
		v.Set(enterpriseURN, jsontree.Obj(text("department", "")))
	}
	v.Get(enterpriseURN).Set("manager", jsontree.Obj(text("managerId", ""), text("displayName", " ")))
	return v
}

// pushOneLogin sends one member, in the forms of ENT-24/25 or of OKT-12
// (OLG-05).
func pushOneLogin(ctx context.Context, s *Simulator, a *act, next []*user) (request, bool) {
	if a.form%2 == 0 {
		return pushJumpCloud(ctx, s, a, next)
	}
	return pushEntraFlag(ctx, s, a, next)
}

// pushJumpCloud is JCL-02: removal with a value array.
func pushJumpCloud(_ context.Context, _ *Simulator, a *act, _ []*user) (request, bool) {
	var ops []jsontree.Value
	if len(a.add) > 0 {
		ops = append(ops, op("add", "members", new(references(a.add))))
	}
	if len(a.remove) > 0 {
		ops = append(ops, op("remove", "members", new(references(a.remove))))
	}
	return patch(kindMembers, a.group.path(), ops...), true
}

// testJumpCloud is JCL-01: everything once, on a user and a group that are
// deleted again.
func testJumpCloud(ctx context.Context, s *Simulator) bool {
	f := fields{givenName: "Test", familyName: "User", displayName: "Test User", mail: "activation@" + s.tag + ".example"}
	f[userName], f[externalID] = f[mail], "activation-"+s.tag
	u := &user{fields: f, active: true}
	g := &group{name: "Activation " + s.tag}
	body := encode(s.d.user(s, &f, true))
	var ok bool
	if u.id, ok = s.post(ctx, kindTest, "/Users", body); !ok {
		return false
	}
	f[familyName] = "User 2"
	done := s.read(ctx, kindTest, u.path()) && s.send(ctx, put(kindTest, u.path(), s.d.user(s, &f, true)))
	if g.id, ok = s.post(ctx, kindTest, "/Groups", encode(s.d.group(g, nil))); ok {
		a := act{group: g, add: []*user{u}}
		in, _ := pushJumpCloud(ctx, s, &a, nil)
		a.add, a.remove = nil, a.add
		out, _ := pushJumpCloud(ctx, s, &a, nil)
		done = s.send(ctx, in) && s.send(ctx, out) && done
		done = s.send(ctx, request{kind: kindTest, method: "DELETE", path: g.path()}) && done
	}
	return s.send(ctx, request{kind: kindTest, method: "DELETE", path: u.path()}) && ok && done
}

// testPing reads all groups, as Ping does to find those that exist (PNG-02).
func testPing(ctx context.Context, s *Simulator) bool {
	_, _, ok := s.walk(ctx, kindTest, "/Groups", "", func(*jsontree.Value) {})
	return ok
}

// testAuthentik reads what the server can do; the types matter (AUT-04).
func testAuthentik(ctx context.Context, s *Simulator) bool {
	doc, ok := s.ask(ctx, kindTest, "/ServiceProviderConfig")
	if !ok {
		return false
	}
	can := doc.Get("patch").Get("supported").IsBool()
	number := func(v *jsontree.Value) bool { return v != nil && v.Kind == jsontree.Number }
	if !can || !number(doc.Get("bulk").Get("maxOperations")) || !number(doc.Get("filter").Get("maxResults")) {
		s.differ(Difference{
			Resource: "ServiceProviderConfig", Attribute: "patch.supported, bulk.maxOperations, filter.maxResults",
			Expected: "a boolean and two numbers", Found: string(encode(doc)),
		})
	}
	return s.read(ctx, kindTest, "/Users?startIndex=1&count=50")
}

func authentikUser(s *Simulator, f *fields, active bool) jsontree.Value {
	v := plainUser(s, f, active)
	v.Items = append(v.Items, member("groups", jsontree.Arr()))
	return v
}

func authentikGroup(g *group, _ []*user) jsontree.Value {
	return jsontree.Obj(schemas(groupURN), text("externalId", g.ext), text("displayName", g.name))
}

// renameAuthentik is AUT-02: the whole group as the value of a replace.
func renameAuthentik(_ *Simulator, g *group, name string) request {
	whole := jsontree.Obj(schemas(groupURN), text("externalId", g.ext), text("displayName", name), text("id", g.id))
	return patch(kindRename, g.path(), op("replace", "", &whole))
}

// pushAuthentik reads the group and then sends one operation for each member
// (AUT-01).
func pushAuthentik(ctx context.Context, s *Simulator, a *act, _ []*user) (request, bool) {
	ok := s.read(ctx, kindRead, a.group.path())
	var ops []jsontree.Value
	for _, u := range a.add {
		ops = append(ops, op("add", "members", new(references([]*user{u}))))
	}
	for _, u := range a.remove {
		ops = append(ops, op("remove", "members", new(references([]*user{u}))))
	}
	return patch(kindMembers, a.group.path(), ops...), ok
}
