package simulate

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// verify reads the server and compares it with the model. It reads the lists
// whole; look-ups and groups only of what changed since the last verification,
// or of everything.
func (s *Simulator) verify(ctx context.Context, everything bool) {
	if ctx.Err() != nil {
		return
	}
	s.verifyUsers(ctx)
	s.verifyGroups(ctx)
	for _, u := range s.users {
		if u.alive && (everything || u.touched) {
			s.mustFind(ctx, "/Users", "userName", u.fields[userName], u.id)
			if s.d.sending(externalID) {
				s.mustFind(ctx, "/Users", "externalId", u.fields[externalID], u.id)
			}
		}
		u.touched = false
	}
	for _, g := range s.groups {
		if g.alive && (everything || g.touched) {
			s.verifyGroup(ctx, g)
			s.mustFind(ctx, "/Groups", "displayName", g.name, g.id)
		}
		g.touched = false
	}
	s.verifyGone(ctx, everything)
	s.verifyLicences(ctx)
}

// pass is one reading of a list: what was seen, and what is wrong with it.
type pass struct {
	seen  map[string]bool
	diffs []Difference
}

func (p *pass) differ(d Difference) { p.diffs = append(p.diffs, d) }

// readList reads a list until it is complete. Others may create and delete on
// the same server while the pages are read, which moves what follows: a
// list that does not add up is read again before it is a difference.
func (s *Simulator) readList(ctx context.Context, resource, params string, each func(*pass, *jsontree.Value), missing func(*pass)) {
	const tries = 3
	for try := 1; ; try++ {
		p := &pass{seen: map[string]bool{}}
		twice := 0
		read, steady, ok := s.walk(ctx, kindList, resource, params, func(v *jsontree.Value) {
			id := v.GetString("id")
			if p.seen[id] {
				twice++
				p.differ(Difference{Resource: resource, ID: id, Attribute: "list", Expected: "listed once", Found: "listed again"})
			}
			p.seen[id] = true
			each(p, v)
		})
		if !ok {
			return
		}
		before := len(p.diffs)
		missing(p)
		if (!steady || twice > 0 || len(p.diffs) > before) && try < tries {
			continue
		}
		if !steady {
			p.differ(Difference{Resource: resource, Attribute: "totalResults", Expected: "the same on all pages, and " + strconv.Itoa(read) + " resources on them", Found: "another number"})
		}
		for _, d := range p.diffs {
			s.differ(d)
		}
		return
	}
}

// verifyUsers compares all users of the simulator, their groups included.
func (s *Simulator) verifyUsers(ctx context.Context) {
	known := map[string]*user{}
	for _, u := range s.users {
		if u.alive {
			known[u.id] = u
		}
	}
	groups := map[*user][]string{}
	for _, g := range s.groups {
		for u := range g.members {
			groups[u] = append(groups[u], g.id)
		}
	}
	compared := aspects()
	s.readList(ctx, "/Users", "", func(p *pass, doc *jsontree.Value) {
		u := known[doc.GetString("id")]
		if u == nil {
			if s.owns(doc) {
				p.differ(Difference{Resource: "/Users", ID: doc.GetString("id"), Name: doc.GetString("userName"), Attribute: "list", Expected: "no such user", Found: "listed"})
			}
			return
		}
		for i := range compared {
			want, found := compared[i].want(s, u), compared[i].found(doc)
			if want != found {
				p.differ(Difference{Resource: "/Users", ID: u.id, Name: u.fields[userName], Attribute: compared[i].name, Expected: want, Found: found})
			}
		}
		compareSets(p, Difference{Resource: "/Users", ID: u.id, Name: u.fields[userName], Attribute: "groups"}, groups[u], identifiers(doc.Get("groups")))
	}, func(p *pass) {
		for _, u := range s.users {
			if u.alive && !p.seen[u.id] {
				p.differ(Difference{Resource: "/Users", ID: u.id, Name: u.fields[userName], Attribute: "list", Expected: "listed", Found: "not listed"})
			}
		}
	})
}

// compareSets notes what is missing and what is too much.
func compareSets(p *pass, d Difference, want, found []string) {
	slices.Sort(want)
	if slices.Equal(want, found) {
		return
	}
	lacks := func(list []string) func(string) bool {
		return func(id string) bool { _, in := slices.BinarySearch(list, id); return in }
	}
	absent := slices.DeleteFunc(slices.Clone(want), lacks(found))
	extra := slices.DeleteFunc(slices.Clone(found), lacks(want))
	d.Expected = strconv.Itoa(len(want)) + " values"
	d.Found = strconv.Itoa(len(found)) + " values; missing [" + strings.Join(absent, " ") + "], too many [" + strings.Join(extra, " ") + "]"
	p.differ(d)
}

// owns tells whether a resource that the model does not know is ours all the
// same.
func (s *Simulator) owns(doc *jsontree.Value) bool {
	for _, name := range []string{"userName", "externalId", "displayName"} {
		if strings.Contains(strings.ToLower(doc.GetString(name)), s.tag) {
			return true
		}
	}
	return false
}

func (s *Simulator) verifyGroups(ctx context.Context) {
	known := map[string]*group{}
	for _, g := range s.groups {
		if g.alive {
			known[g.id] = g
		}
	}
	s.readList(ctx, "/Groups", "&excludedAttributes=members", func(p *pass, doc *jsontree.Value) {
		g := known[doc.GetString("id")]
		if g != nil {
			s.compareGroup(p, g, doc)
		} else if s.owns(doc) {
			p.differ(Difference{Resource: "/Groups", ID: doc.GetString("id"), Name: doc.GetString("displayName"), Attribute: "list", Expected: "no such group", Found: "listed"})
		}
	}, func(p *pass) {
		for _, g := range s.groups {
			if g.alive && !p.seen[g.id] {
				p.differ(Difference{Resource: "/Groups", ID: g.id, Name: g.name, Attribute: "list", Expected: "listed", Found: "not listed"})
			}
		}
	})
}

func (s *Simulator) compareGroup(p *pass, g *group, doc *jsontree.Value) {
	d := Difference{Resource: "/Groups", ID: g.id, Name: g.name}
	if found := doc.GetString("displayName"); found != g.name {
		d.Attribute, d.Expected, d.Found = "displayName", g.name, found
		p.differ(d)
	}
	sends := s.d.group(g, nil)
	if want, found := sends.GetString("externalId"), doc.GetString("externalId"); found != want {
		d.Attribute, d.Expected, d.Found = "externalId", want, found
		p.differ(d)
	}
}

// verifyGroup reads one group with its members.
func (s *Simulator) verifyGroup(ctx context.Context, g *group) {
	doc, ok := s.ask(ctx, kindRead, g.path())
	if !ok {
		return
	}
	p := &pass{}
	s.compareGroup(p, g, &doc)
	want := make([]string, 0, len(g.members))
	for u := range g.members {
		want = append(want, u.id)
	}
	compareSets(p, Difference{Resource: "/Groups", ID: g.id, Name: g.name, Attribute: "members"}, want, identifiers(doc.Get("members")))
	for _, d := range p.diffs {
		s.differ(d)
	}
}

// verifyGone looks for what must not be there any longer: old names, and ids
// of what was deleted.
func (s *Simulator) verifyGone(ctx context.Context, everything bool) {
	const most = 200 // old names, at the end of a long run
	from := s.checked
	if everything {
		from = max(0, len(s.gone)-most)
	}
	used := map[string]bool{}
	for _, u := range s.users {
		if u.alive {
			used[u.fields[userName]] = true
		}
	}
	for _, g := range s.gone[from:] {
		resource := "/Groups"
		if g.users {
			resource = "/Users"
		}
		if !used[g.value] {
			s.mustNotFind(ctx, kindLookUp, resource, g.attr, g.value)
		}
	}
	s.checked = len(s.gone)
	for _, path := range s.dead {
		s.send(ctx, request{kind: kindRead, method: http.MethodGet, path: path}, http.StatusNotFound)
	}
	s.dead = s.dead[:0]
}
