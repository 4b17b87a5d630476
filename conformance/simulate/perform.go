package simulate

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
)

// perform does one act and enters into the model what came of it. An act on
// something that was never created, because that act failed, is left out.
func (s *Simulator) perform(ctx context.Context, a *act) {
	if a.user != nil && a.verb != createUser && !a.user.alive || a.group != nil && a.verb != createGroup && !a.group.alive {
		return
	}
	switch a.verb {
	case createUser:
		s.createUser(ctx, a)
	case createGroup:
		s.createGroup(ctx, a)
	case updateUser:
		s.updateUser(ctx, a)
	case switchActive:
		if r, ok := s.d.activate(ctx, s, a.user, a.active, a.form); ok && s.sendAs(ctx, a, r) {
			a.user.active, a.user.touched = a.active, true
		}
	case deleteUser:
		s.deleteUser(ctx, a.user)
	case setManager:
		s.setManager(ctx, a)
	case renameGroup:
		s.renameGroup(ctx, a)
	case deleteGroup:
		s.deleteGroup(ctx, a.group)
	case pushMembers:
		s.pushMembers(ctx, a)
	case pushUnknown:
		s.pushUnknown(ctx, a)
	case setPassword:
		s.send(ctx, setsPassword(a.user))
	}
}

// sendAs sends a request, twice if the act says so: what changes nothing must
// succeed as well.
func (s *Simulator) sendAs(ctx context.Context, a *act, r request) bool {
	return s.send(ctx, r) && (!a.again || s.send(ctx, r))
}

// matchValue is what a look-up of the dialect compares with.
func (s *Simulator) matchValue(f *fields) string {
	switch s.match {
	case "userName":
		return f[userName]
	case "externalId":
		return f[externalID]
	}
	return f[mail]
}

func (s *Simulator) createUser(ctx context.Context, a *act) {
	u, value := a.user, s.matchValue(&a.fields)
	if s.d.asksFirst && !s.mustNotFind(ctx, kindLookUp, "/Users", s.match, value) {
		return
	}
	id, adopted, ok := s.create(ctx, birth{
		kind: kindCreate, resource: "/Users", body: s.newUserBody(&a.fields), act: a,
		find: func() (string, bool) { return s.mustFind(ctx, "/Users", s.match, value, "") },
	})
	if !ok {
		return
	}
	if id == u.id {
		s.differ(Difference{Resource: "/Users", ID: id, Attribute: "id", Expected: "another one than that of the deleted user", Found: id})
	}
	u.id, u.fields, u.active, u.alive, u.touched = id, a.fields, true, true, true
	if !adopted {
		return
	}
	// What was found is brought to the state that was meant to be created.
	bare := &user{n: u.n, id: id, active: true}
	if r, ok := s.d.update(ctx, s, bare, &a.fields, a.form|1); ok {
		s.send(ctx, r)
	}
}

func (s *Simulator) updateUser(ctx context.Context, a *act) {
	u := a.user
	r, ok := s.d.update(ctx, s, u, &a.fields, a.form)
	if !ok || !s.sendAs(ctx, a, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := u.fields[userName]; was != a.fields[userName] {
		s.gone = append(s.gone, gone{true, "userName", was})
	}
	u.fields, u.touched = a.fields, true
}

func (s *Simulator) deleteUser(ctx context.Context, u *user) {
	if !s.send(ctx, request{kind: kindDelete, method: http.MethodDelete, path: u.path()}, http.StatusNoContent) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u.alive, u.active, u.manager = false, false, ""
	s.gone = append(s.gone, gone{true, "userName", u.fields[userName]})
	s.dead = append(s.dead, u.path())
	for _, g := range s.groups {
		if _, was := g.members[u]; was {
			delete(g.members, u)
			g.touched = true
		}
	}
}

func (s *Simulator) setManager(ctx context.Context, a *act) {
	u := a.user
	if a.manager != nil && !a.manager.alive || !s.sendAs(ctx, a, s.manages(u, a.manager, a.form)) {
		return
	}
	u.manager, u.touched = "", true
	if a.manager == nil {
		return
	}
	u.manager = a.manager.id
	if s.d.relations && a.form%3 == 0 {
		s.relation(ctx, "/Users", `id eq "`+u.id+`" and manager eq "`+u.manager+`"`, u.id, true)
	}
}

// relation asks whether a reference is there (ENT-07).
func (s *Simulator) relation(ctx context.Context, resource, filter, id string, want bool) {
	doc, ok := s.ask(ctx, kindRelation, resource+"?filter="+s.encoded(filter)+"&attributes=id")
	if !ok {
		return
	}
	if total := number(doc.Get("totalResults")); (total == 1) != want || total > 1 {
		expected := "0"
		if want {
			expected = "1"
		}
		s.differ(Difference{
			Resource: resource, ID: id, Attribute: "totalResults of " + filter, Expected: expected, Found: strconv.Itoa(total),
		})
	}
}

func (s *Simulator) createGroup(ctx context.Context, a *act) {
	g := a.group
	find := func() (string, bool) { return s.mustFind(ctx, "/Groups", "displayName", g.name, "") }
	switch s.d.groups {
	case byName:
		if !s.mustNotFind(ctx, kindLookUp, "/Groups", "displayName", g.name) {
			return
		}
	case byList:
		find = func() (string, bool) { return s.findInList(ctx, g.name, true) }
		if _, ok := s.findInList(ctx, g.name, false); !ok {
			return
		}
	}
	in := living(a.add)
	id, adopted, ok := s.create(ctx, birth{
		kind: kindNewGroup, resource: "/Groups", body: s.newGroupBody(g, in), act: a, find: find,
	})
	if !ok {
		return
	}
	s.mu.Lock()
	g.id, g.alive, g.touched = id, true, true
	if s.d.createsWithMembers {
		g.change(in, nil)
	}
	s.mu.Unlock()
	if adopted {
		s.send(ctx, s.d.rename(s, g, g.name))
	}
}

// findInList reads all groups to find one by its name; wanted tells whether
// there is one.
func (s *Simulator) findInList(ctx context.Context, name string, wanted bool) (id string, ok bool) {
	var ids []string
	_, _, ok = s.walk(ctx, kindList, "/Groups", "", func(v *jsontree.Value) {
		if v.GetString("displayName") == name {
			ids = append(ids, v.GetString("id"))
		}
	})
	switch {
	case !ok:
		return "", false
	case wanted && len(ids) == 1:
		return ids[0], true
	case !wanted && len(ids) == 0:
		return "", true
	}
	s.differ(Difference{
		Resource: "/Groups", Attribute: "groups named " + strconv.Quote(name), Expected: strconv.FormatBool(wanted), Found: strconv.Itoa(len(ids)),
	})
	return "", false
}

// living leaves out those who were never created.
func living(users []*user) []*user {
	return slices.DeleteFunc(slices.Clone(users), func(u *user) bool { return !u.alive })
}

func (s *Simulator) renameGroup(ctx context.Context, a *act) {
	g := a.group
	if !s.sendAs(ctx, a, s.d.rename(s, g, a.name)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(s.gone, gone{false, "displayName", g.name})
	g.name, g.touched = a.name, true
}

func (s *Simulator) deleteGroup(ctx context.Context, g *group) {
	if !s.send(ctx, request{kind: kindDropGroup, method: http.MethodDelete, path: g.path()}, http.StatusNoContent) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.alive = false
	clear(g.members)
	s.gone = append(s.gone, gone{false, "displayName", g.name})
	s.dead = append(s.dead, g.path())
}

func (s *Simulator) pushMembers(ctx context.Context, a *act) {
	g := a.group
	a.add, a.remove = living(a.add), living(a.remove)
	if len(a.add)+len(a.remove) == 0 {
		return
	}
	s.mu.Lock()
	next := g.after(a.add, a.remove)
	s.mu.Unlock()
	r, ok := s.d.push(ctx, s, a, next)
	if !ok || !s.sendAs(ctx, a, r) {
		return
	}
	s.mu.Lock()
	g.change(a.add, a.remove)
	g.touched = true
	s.mu.Unlock()
	if s.d.touches {
		s.send(ctx, s.d.rename(s, g, g.name))
	}
	if !s.d.relations || a.form%3 != 0 {
		return
	}
	for _, u := range slices.Concat(a.add, a.remove) {
		filter := `id eq "` + g.id + `" and members eq "` + u.id + `"`
		s.relation(ctx, "/Groups", filter, g.id, slices.Contains(a.add, u))
	}
}

// pushUnknown pushes somebody the server does not know yet. It must refuse,
// and nothing may come of it (L-25); the push of the real member follows.
func (s *Simulator) pushUnknown(ctx context.Context, a *act) {
	g, stranger := a.group, &user{id: a.unknown}
	s.mu.Lock()
	next := append(g.after(nil, nil), stranger)
	s.mu.Unlock()
	r, ok := s.d.push(ctx, s, &act{group: g, add: []*user{stranger}}, next)
	if !ok {
		return
	}
	got, err := s.c.do(ctx, r.kind, r.method, s.c.target(r.path, ""), s.d.contentType, r.body, true)
	switch {
	case err != nil || got.status >= http.StatusInternalServerError:
		s.fault(ctx, r.kind, r.method, r.path, got, err)
	case got.status < http.StatusBadRequest:
		s.differ(Difference{
			Resource: "/Groups", ID: g.id, Attribute: "status of a push of an unknown member", Expected: "400", Found: strconv.Itoa(got.status),
		})
	}
}
