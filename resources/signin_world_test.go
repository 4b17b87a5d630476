package resources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// sso is an organization with a connection and a verified domain, and another one
// with a connection of its own.
type sso struct {
	*bundle
	t            *testing.T
	acme, beta   resources.Caller // administrators
	conn, theirs *resources.Connection
}

const acmeIssuer = "https://idp.acme.example"

func newSSO(t *testing.T, b *bundle, change ...func(*resources.ConnectionSpec)) *sso {
	t.Helper()
	s := &sso{bundle: b, t: t, acme: b.operated(t, "acme"), beta: b.operated(t, "beta")}
	s.verify(s.acme, "acme.example")
	mine, theirs := spec("idp"), spec("idp")
	mine.Issuer, theirs.Issuer = acmeIssuer, "https://idp.beta.example"
	mine.Claims.ExternalID = "employee"
	for _, fn := range change {
		fn(&mine)
	}
	s.conn, s.theirs = b.connect(t, s.acme, mine), b.connect(t, s.beta, theirs)
	return s
}

// verify makes a domain one of an organization.
func (s *sso) verify(c resources.Caller, names ...string) {
	s.t.Helper()
	err := s.Replan(s.t.Context(), c, func(p *resources.Plan) {
		p.Domains = nil
		for _, name := range names {
			p.Domains = append(p.Domains, resources.Domain{Name: name, State: resources.DomainVerified})
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// says is what the provider of acme says of a person, verified.
func (s *sso) says(subject, email string) resources.Assertion {
	yes := true
	return resources.Assertion{Connection: s.conn, Issuer: s.conn.Issuer, Subject: subject, Email: email, Verified: &yes}
}

// enter signs in and must succeed.
func (s *sso) enter(a resources.Assertion) (cookie string, p *resources.Person) {
	s.t.Helper()
	cookie, p, err := s.SignIn(s.t.Context(), s.acme.Org, a, resources.Visitor{Address: "192.0.2.7", Agent: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie, p
}

// refused signs in and must be refused with a code and a note of it.
func (s *sso) refused(a resources.Assertion, code resources.Code) *resources.Refused {
	s.t.Helper()
	ctx := s.t.Context()
	s.clock.Advance(time.Millisecond) // refusals are listed by time
	cookie, p, err := s.SignIn(ctx, s.acme.Org, a, resources.Visitor{Address: "192.0.2.7"})
	if !resources.HasCode(err, code) || cookie != "" || p != nil {
		s.t.Fatalf("%q %+v %v, want %s", cookie, p, err, code)
	}
	list, _, err := s.Refusals(ctx, s.acme, "", "", "", 10)
	if err != nil || len(list) == 0 {
		s.t.Fatalf("no note of it: %v", err)
	}
	last := list[0]
	if last.Code != code || last.Reason == "" || last.Connection != a.Connection.ID || last.From != "192.0.2.7" {
		s.t.Fatalf("noted %+v, want %s", last, code)
	}
	return last
}

// person creates a user as an identity provider does.
func (s *sso) person(name string) string {
	s.t.Helper()
	rec, err := s.CreateUser(s.t.Context(), s.a, parse(s.t, fmt.Sprintf(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":"ext-%s","displayName":%q,"emails":[{"value":"%s@acme.example"}]}`, name, name, name, name)))
	if err != nil {
		s.t.Fatal(err)
	}
	return rec.ID
}

// standing is what was decided about a user of acme.
func (s *sso) standing(id string) resources.Standing {
	s.t.Helper()
	rec, err := s.store.Get(s.t.Context(), s.acme.Org, resources.KindUser, id)
	if err != nil || rec == nil {
		s.t.Fatalf("no user %s: %v", id, err)
	}
	return resources.StandingOf(rec)
}

// links are the subjects of a user of acme.
func (s *sso) links(id string) (out []string) {
	s.t.Helper()
	list, err := s.Links(s.t.Context(), s.acme, id)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range list {
		out = append(out, l.Subject+" by "+l.By)
	}
	return out
}

// eventTypes lists what happened to a resource of acme, in order.
func (s *sso) eventTypes(id string) (out []string) {
	s.t.Helper()
	events, err := s.store.Events(s.t.Context(), s.acme.Org, "", 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.ID == id {
			out = append(out, e.Type)
		}
	}
	return out
}
