package resources_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// pair is two organizations whose connections lead to one provider, and what a
// model knows of them.
type pair struct {
	*sso
	rt    *rapid.T
	sides [2]side
	owner map[string]string // who came in with a subject last, by subject
}

// side is one of the organizations.
type side struct {
	admin resources.Caller
	conn  *resources.Connection
	users []string
}

func newPair(s *sso, rt *rapid.T, slug string) *pair {
	p := &pair{sso: s, rt: rt, owner: map[string]string{}}
	for i, name := range []string{slug + "a", slug + "b"} {
		if _, err := s.CreateOrg(s.t.Context(), s.operator, name, ""); err != nil {
			rt.Fatal(err)
		}
		x := &p.sides[i]
		x.admin = s.operated(s.t, name)
		s.verify(x.admin, "one.example", name+".example")
		cn := spec("idp")
		cn.Issuer = "https://" + slug + ".example"
		cn.Claims.ExternalID = "employee"
		x.conn = s.connect(s.t, x.admin, cn)
	}
	return p
}

// signIn lets one of a few persons in somewhere, or not.
func (p *pair) signIn() {
	x := &p.sides[rapid.IntRange(0, 1).Draw(p.rt, "org")]
	yes := rapid.Bool().Draw(p.rt, "verified")
	a := resources.Assertion{
		Connection: x.conn, Issuer: x.conn.Issuer, Subject: rapid.SampledFrom([]string{"s1", "s2", "s3"}).Draw(p.rt, "subject"),
		Email: rapid.SampledFrom([]string{"", "u1@one.example", "u2@one.example", "u3@else.example"}).Draw(p.rt, "email"), Verified: &yes,
		ExternalID: rapid.SampledFrom([]string{"", "e1", "e2"}).Draw(p.rt, "externalId"),
	}
	_, person, err := p.SignIn(p.t.Context(), x.admin.Org, a, resources.Visitor{})
	if err != nil {
		for _, code := range []resources.Code{resources.CodeSSOConflict, resources.CodeSSONoUser, resources.CodeSSOUnverified, resources.CodeUserInactive} {
			if resources.HasCode(err, code) {
				return
			}
		}
		p.rt.Fatal(err)
	}
	if was := p.owner[a.Subject]; was != "" && was != person.ID && p.hasLink(was, a.Subject) {
		p.rt.Fatalf("subject %s came in as %s and, with that link still there, as %s", a.Subject, was, person.ID)
	}
	p.owner[a.Subject] = person.ID
	x.know(person.ID)
}

func (x *side) know(id string) {
	if !slices.Contains(x.users, id) {
		x.users = append(x.users, id)
	}
}

// hasLink reports whether a user of either side has a link to a subject.
func (p *pair) hasLink(user, subject string) bool {
	for i := range p.sides {
		list, err := p.Links(p.t.Context(), p.sides[i].admin, user)
		if err != nil {
			continue
		}
		for _, l := range list {
			if l.Subject == subject {
				return true
			}
		}
	}
	return false
}

// provision creates a user with one of a few addresses and externalIds.
func (p *pair) provision() {
	x := &p.sides[rapid.IntRange(0, 1).Draw(p.rt, "org")]
	n := rapid.IntRange(1, 2).Draw(p.rt, "user")
	rec, err := p.CreateUser(p.t.Context(), x.admin, parse(p.t, fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","externalId":"e%d","emails":[{"value":"u%d@one.example"}]}`, n, n, n)))
	if err == nil {
		x.know(rec.ID)
	}
}

// change unlinks, deactivates or deletes somebody.
func (p *pair) change() {
	x := &p.sides[rapid.IntRange(0, 1).Draw(p.rt, "org")]
	if len(x.users) == 0 {
		return
	}
	ctx, id := p.t.Context(), rapid.SampledFrom(x.users).Draw(p.rt, "user")
	var err error
	switch rapid.IntRange(0, 2).Draw(p.rt, "change") {
	case 0:
		err = p.Unlink(ctx, x.admin, id, "")
	case 1:
		err = p.DeleteUser(ctx, x.admin, id, nil)
	default:
		_, _, err = p.UpdateUser(ctx, x.admin, id, set("active", jsontree.Bool(rapid.Bool().Draw(p.rt, "active"))))
	}
	if err != nil && !resources.HasCode(err, resources.CodeNotFound) {
		p.rt.Fatal(err)
	}
}

// sound checks that no subject has two users, and the claims.
func (p *pair) sound() {
	seen := map[string]string{}
	for i := range p.sides {
		x := &p.sides[i]
		for _, id := range x.users {
			list, err := p.Links(p.t.Context(), x.admin, id)
			if resources.HasCode(err, resources.CodeNotFound) {
				continue
			}
			if err != nil {
				p.rt.Fatal(err)
			}
			if len(list) > 1 {
				p.rt.Fatalf("user %s has two subjects of one issuer: %+v", id, list)
			}
			for _, l := range list {
				if other := seen[l.Subject]; other != "" {
					p.rt.Fatalf("subject %s is that of %s and of %s", l.Subject, other, id)
				}
				seen[l.Subject] = id
			}
		}
		p.recount(p.t, x.admin.Org)
	}
}

// TestOneSubjectOneUser: whatever signs in, is provisioned, unlinked, deactivated and
// deleted, in two organizations with one provider: no subject ever has two users, and
// no user two subjects of one issuer (BR-112, security O1, O2).
func TestOneSubjectOneUser(t *testing.T) {
	b := newBundle(t, "")
	s := &sso{bundle: b, t: t}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		p := newPair(s, rt, fmt.Sprintf("o%d", n))
		rt.Repeat(map[string]func(*rapid.T){
			"sign in":   func(*rapid.T) { p.signIn() },
			"provision": func(*rapid.T) { p.provision() },
			"change":    func(*rapid.T) { p.change() },
		})
		p.sound()
		if t.Failed() {
			rt.Fatal("the records do not agree")
		}
	})
}
