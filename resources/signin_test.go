package resources_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestFirstSignIn: somebody whom the identity provider has provisioned comes in for
// the first time: linked by the verified address, active, with a session; from then
// on the subject alone decides (BR-112, BR-113).
func TestFirstSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		id := s.person("zoe")
		cookie, p := s.enter(s.says("sub-1", "Zoe@ACME.example"))
		if p.ID != id || p.State != resources.StateActive || p.Slug != "acme" {
			t.Errorf("came in as %+v", p)
		}
		in, err := s.Session(t.Context(), cookie)
		if err != nil || in.Person.ID != id || in.Session.Connection != s.conn.ID || in.Session.Subject != "sub-1" {
			t.Errorf("session %+v, %v", in, err)
		}
		st := s.standing(id)
		if st.Login == nil || st.Login.Method != resources.MethodSSO || st.Proven != "zoe@acme.example" {
			t.Errorf("standing %+v", st)
		}
		if diff := cmp.Diff([]string{"sub-1 by email"}, s.links(id)); diff != "" {
			t.Error(diff)
		}
		if _, p := s.enter(s.says("sub-1", "somebody@else.example")); p.ID != id {
			t.Errorf("the second time as %+v", p)
		}
		if got := s.eventTypes(id); !slices.Contains(got, "user.linked") || !slices.Contains(got, "user.activated") {
			t.Errorf("events %v", got)
		}
		last := s.refused(s.says("sub-2", "zoe@acme.example"), resources.CodeSSOConflict)
		if last.User != id || last.Subject != "sub-2" || last.Email != "zoe@acme.example" {
			t.Errorf("noted %+v", last)
		}
		if diff := cmp.Diff([]string{"sub-1 by email"}, s.links(id)); diff != "" {
			t.Errorf("a refusal created something: %s", diff)
		}
		s.recount(t, s.acme.Org)
	})
}

// TestNOAuth: the provider of another organization says the address of a user, as
// verified as it likes: nothing is linked, and nothing is learned (security O1).
func TestNOAuth(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		id := s.person("zoe")
		before, err := s.store.Get(t.Context(), s.acme.Org, resources.KindUser, id)
		if err != nil {
			t.Fatal(err)
		}
		yes := true
		for _, verified := range []bool{false, true} {
			if verified { // the attacker's organization has even verified the domain
				s.verify(s.beta, "acme.example")
			}
			a := resources.Assertion{Connection: s.theirs, Issuer: s.theirs.Issuer, Subject: "evil", Email: "zoe@acme.example", Verified: &yes, ExternalID: "ext-zoe"}
			cookie, p, err := s.SignIn(t.Context(), s.beta.Org, a, resources.Visitor{})
			if !resources.HasCode(err, resources.CodeSSOConflict) || cookie != "" || p != nil {
				t.Fatalf("%q, %+v, %v", cookie, p, err)
			}
			for _, secret := range []string{"acme", id, "zoe"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the refusal names %q: %v", secret, err)
				}
			}
		}
		after, err := s.store.Get(t.Context(), s.acme.Org, resources.KindUser, id)
		if err != nil || after.Version != before.Version || len(s.links(id)) > 0 {
			t.Errorf("the user has changed: %+v, %v", after, err)
		}
		list, _, err := s.Refusals(t.Context(), s.beta, "", "", "", 10)
		if err != nil || len(list) != 2 || list[0].User != "" {
			t.Errorf("the other organization's administrators read %+v, %v", list, err)
		}
		if mine, _, err := s.Refusals(t.Context(), s.acme, "", "", "", 10); err != nil || len(mine) > 0 {
			t.Errorf("refusals of others: %+v, %v", mine, err)
		}
		a := resources.Assertion{Connection: s.theirs, Issuer: s.theirs.Issuer, Subject: "evil", Email: "zoe@acme.example", Verified: &yes}
		if _, _, err := s.SignIn(t.Context(), s.acme.Org, a, resources.Visitor{}); !resources.HasCode(err, resources.CodeSSOFailed) {
			t.Errorf("a connection of another organization lets in: %v", err)
		}
	})
}

// TestSubjectElsewhere: a subject that a user of another organization has is not
// linked again.
func TestSubjectElsewhere(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	s.person("zoe")
	s.enter(s.says("sub-1", "zoe@acme.example"))
	shared := spec("shared")
	shared.Issuer = acmeIssuer // of a provider that serves both
	cn := s.connect(t, s.beta, shared)
	yes := true
	a := resources.Assertion{Connection: cn, Issuer: cn.Issuer, Subject: "sub-1", Email: "new@beta.example", Verified: &yes}
	_, _, err := s.SignIn(t.Context(), s.beta.Org, a, resources.Visitor{})
	wantCode(t, err, resources.CodeSSOConflict)
}

// TestSignInByExternalID: the externalId decides before the address, which need not
// be verified then, and does not become proven (BR-112).
func TestSignInByExternalID(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	s.verify(s.acme)
	zoe, bob := s.person("zoe"), s.person("bob")
	no := false
	a := s.says("sub-1", "bob@acme.example")
	a.ExternalID, a.Verified = "ext-zoe", &no
	if _, p := s.enter(a); p.ID != zoe {
		t.Errorf("came in as %+v", p)
	}
	if st := s.standing(zoe); st.Proven != "" {
		t.Errorf("an address of somebody else is proven: %q", st.Proven)
	}
	if len(s.links(bob)) > 0 {
		t.Error("the address was linked too")
	}
	a.Subject, a.ExternalID = "sub-2", "EXT-ZOE" // externalId tells cases apart
	s.refused(a, resources.CodeSSOUnverified)
}

// TestSignInUnverified: an address that nobody vouches for finds nobody.
func TestSignInUnverified(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	id := s.person("zoe")
	a, no := s.says("sub-1", "zoe@acme.example"), false
	a.Verified = &no
	s.refused(a, resources.CodeSSOUnverified)
	a.Verified = nil
	s.verify(s.acme)
	s.refused(a, resources.CodeSSOUnverified)
	s.verify(s.acme, "acme.example")
	if _, p := s.enter(a); p.ID != id {
		t.Errorf("a verified domain proves the address: %+v", p)
	}
}

// TestSharedIssuer: the word of a provider that serves everybody counts for verified
// domains only.
func TestSharedIssuer(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b, func(c *resources.ConnectionSpec) { c.Issuer = "https://accounts.google.com" })
	id := s.person("zoe")
	s.verify(s.acme)
	s.refused(s.says("sub-1", "zoe@acme.example"), resources.CodeSSOUnverified)
	s.verify(s.acme, "acme.example")
	if _, p := s.enter(s.says("sub-1", "zoe@acme.example")); p.ID != id {
		t.Errorf("came in as %+v", p)
	}
}

// TestNoResurrection: who the identity provider has deactivated or removed does not
// come back by a sign-in (security I5, BR-114).
func TestNoResurrection(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		id := s.person("zoe")
		cookie, _ := s.enter(s.says("sub-1", "zoe@acme.example"))
		s.deactivate(t, s.a, id)
		if _, err := s.Session(t.Context(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
			t.Errorf("the session of an inactive user: %v", err)
		}
		if last := s.refused(s.says("sub-1", "zoe@acme.example"), resources.CodeUserInactive); last.User != id {
			t.Errorf("noted %+v", last)
		}
		if err := s.DeleteUser(t.Context(), s.a, id, nil); err != nil {
			t.Fatal(err)
		}
		s.refused(s.says("sub-1", "zoe@acme.example"), resources.CodeSSONoUser) // SCIM is active: no creation
		s.jit("on")
		s.refused(s.says("sub-1", "zoe@acme.example"), resources.CodeSSONoUser) // on, but removed
		if _, p := s.enter(s.says("sub-9", "new@acme.example")); p.UserName != "new@acme.example" {
			t.Errorf("who was never there: %+v", p)
		}
		id = s.person("zoe") // hired again
		if _, p := s.enter(s.says("sub-1", "zoe@acme.example")); p.ID != id {
			t.Errorf("came in as %+v", p)
		}
		s.recount(t, s.acme.Org)
	})
}

func (s *sso) jit(how string) {
	s.t.Helper()
	cn, err := s.ChangeConnection(s.t.Context(), s.acme, s.conn.ID, func(c *resources.ConnectionSpec) error { c.JIT = how; return nil })
	if err != nil {
		s.t.Fatal(err)
	}
	s.conn = cn
}

// TestSignInDemands: how and when the person signed in at the provider is checked
// by what the token says (security O12).
func TestSignInDemands(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b, func(c *resources.ConnectionSpec) { c.MaxAge, c.ACR = 600, []string{"mfa", "phr"} })
	s.person("zoe")
	a := s.says("sub-1", "zoe@acme.example")
	s.refused(a, resources.CodeSSOFailed)
	a.AuthTime = b.clock.Now().Add(-5 * time.Minute)
	s.refused(a, resources.CodeSSOFailed)
	a.ACR = "pwd"
	s.refused(a, resources.CodeSSOFailed)
	a.ACR = "mfa"
	s.enter(a)
	b.clock.Advance(7*time.Minute + time.Second)
	s.refused(a, resources.CodeSSOFailed)
}

// TestSignInOff: a connection that was switched off, deleted or given another issuer
// while somebody was at the provider lets nobody in; sessions of a deleted one end.
func TestSignInOff(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	s.person("zoe")
	a := s.says("sub-1", "zoe@acme.example")
	change := func(fn func(*resources.ConnectionSpec)) {
		t.Helper()
		if _, err := s.ChangeConnection(t.Context(), s.acme, s.conn.ID, func(c *resources.ConnectionSpec) error { fn(c); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(c *resources.ConnectionSpec) { c.Off = true })
	s.refused(a, resources.CodeSSOFailed)
	change(func(c *resources.ConnectionSpec) {
		c.Off, c.Issuer, c.ClientSecret = false, "https://other.example", "another"
	})
	s.refused(a, resources.CodeSSOFailed)
	change(func(c *resources.ConnectionSpec) { c.Issuer, c.ClientSecret = acmeIssuer, "the first" })
	cookie, _ := s.enter(a)
	change(func(c *resources.ConnectionSpec) { c.Off = true })
	if _, err := s.Session(t.Context(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("a session by a connection that is off: %v", err)
	}
	change(func(c *resources.ConnectionSpec) { c.Off = false })
	if _, err := s.Session(t.Context(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("a session from before the connection was off: %v", err)
	}
	cookie, _ = s.enter(a)
	if err := s.DeleteConnection(t.Context(), s.acme, s.conn.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(t.Context(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("the session of a deleted connection: %v", err)
	}
	s.refused(a, resources.CodeSSOFailed)
}

// TestUnlink: an administrator removes a link; the sessions end, and the person may
// be linked anew.
func TestUnlink(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	ctx, id := t.Context(), s.person("zoe")
	cookie, _ := s.enter(s.says("sub-1", "zoe@acme.example"))
	wantCode(t, s.Unlink(ctx, s.admin(t, "acme", resources.ScopeAdminRead), id, ""), resources.CodeForbidden)
	wantCode(t, s.Unlink(ctx, s.beta, id, ""), resources.CodeNotFound)
	wantCode(t, s.Unlink(ctx, s.acme, id, s.theirs.ID), resources.CodeNotFound)
	if err := s.Unlink(ctx, s.acme, id, s.conn.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Unlink(ctx, s.acme, id, ""); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
	if _, err := s.Session(ctx, cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("the session of a removed link: %v", err)
	}
	s.refused(s.says("sub-1", "nobody@acme.example"), resources.CodeSSONoUser)
	s.enter(s.says("sub-2", "zoe@acme.example"))
	mails, _, err := s.Mails(ctx, s.acme, id, "", "", 10)
	if err != nil || len(mails) != 1 || mails[0].Template != resources.MailAccessChange || mails[0].Data.Changed != "link" {
		t.Errorf("an active user is told of a link: %+v, %v", mails, err)
	}
	if got := s.eventTypes(id); !slices.Contains(got, "user.unlinked") {
		t.Errorf("events %v", got)
	}
	s.recount(t, s.acme.Org)
	_, _, err = s.UpdateUser(ctx, s.a, id, set("active", jsontree.Bool(false)))
	if err != nil {
		t.Fatal(err)
	}
}

// TestSignInLeavesTheVersion: who comes in again changes nothing of what is shown,
// so that who has read the user may still change it with If-Match.
func TestSignInLeavesTheVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		id := s.person("zoe")
		read := func() *resources.Record {
			t.Helper()
			rec, err := b.store.Get(t.Context(), s.acme.Org, resources.KindUser, id)
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
		created := read()
		s.enter(s.says("sub-1", "zoe@acme.example"))
		first := read()
		if first.Version == created.Version {
			t.Error("the first sign-in, which activates, moved no version")
		}
		b.clock.Advance(2 * time.Hour)
		s.enter(s.says("sub-1", "zoe@acme.example"))
		again := read()
		if again.Version != first.Version || again.Modified != first.Modified {
			t.Errorf("version %d of %d became %d of %d", first.Version, first.Modified, again.Version, again.Modified)
		}
		if was, is := resources.StandingOf(first), resources.StandingOf(again); is.Login.Last <= was.Login.Last {
			t.Errorf("the last sign-in stayed %d", is.Login.Last)
		}
	})
}
