package resources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

var (
	bySSO      = resources.Session{Method: resources.MethodSSO, Issuer: "https://idp.example", Subject: "s1", SID: "sid1"}
	byPassword = resources.Session{Method: resources.MethodPassword}
	browser    = resources.Visitor{Address: "192.0.2.1", Agent: "Firefox"}
)

// comeIn signs a user of acme in.
func (b *bundle) comeIn(t *testing.T, id string, begin resources.Session) string {
	t.Helper()
	cookie, err := b.ComeIn(t.Context(), b.a.Org, id, begin, browser)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Millisecond)
	return cookie
}

// wantIn checks whether a cookie lets its person in.
func (b *bundle) wantIn(t *testing.T, cookie string, want bool) *resources.SignedIn {
	t.Helper()
	s, err := b.Session(t.Context(), cookie)
	if want && err != nil {
		t.Fatalf("the session does not work: %v", err)
	}
	if !want && !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("the session works: %v", err)
	}
	return s
}

// TestSession: who signs in has a session that says who it is; a wrong cookie has
// none (security O10).
func TestSession(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		id := b.user(t, b.a, "zoe")
		cookie := b.comeIn(t, id, bySSO)
		s := b.wantIn(t, cookie, true)
		if s.Person.ID != id || s.Person.UserName != "zoe" || s.Person.Slug != "acme" || s.Person.State != resources.StateActive || s.Person.Language != "en" {
			t.Errorf("the person is %+v", s.Person)
		}
		if s.Caller.User != id || s.Caller.Org != b.a.Org || s.Session.From != "192.0.2.1" || s.Session.Agent != "Firefox" {
			t.Errorf("the session is %+v of %+v", s.Session, s.Caller)
		}
		if _, err := b.Get(t.Context(), s.Caller, resources.KindUser, id); err != nil {
			t.Errorf("who is signed in cannot read itself: %v", err)
		}
		other := b.user(t, b.a, "eva")
		if _, err := b.Get(t.Context(), s.Caller, resources.KindUser, other); !resources.HasCode(err, resources.CodeForbidden) {
			t.Errorf("who is signed in reads another: %v", err)
		}
		flipped := []byte(cookie)
		flipped[len(flipped)-5] ^= 1
		for _, wrong := range []string{"", "x", cookie[:40], cookie + "0", string(flipped), string(b.b.Org) + cookie[20:], string(resources.PlatformOrg) + cookie[20:]} {
			b.wantIn(t, wrong, false)
		}
		if again := b.comeIn(t, id, bySSO); again == cookie || again[20:40] == cookie[20:40] {
			t.Error("another sign-in has the same session")
		}
		if err := b.EndSession(t.Context(), cookie); err != nil {
			t.Fatal(err)
		}
		b.wantIn(t, cookie, false)
		if err := b.EndSession(t.Context(), "nothing"); err != nil {
			t.Error(err)
		}
		b.recount(t, b.a.Org)
	})
}

// TestSessionRoles: who is signed in goes as far as the roles, as they are now.
func TestSessionRoles(t *testing.T) {
	b := newBundle(t, "")
	ctx, admin := t.Context(), withAdmin(b.a)
	id := b.user(t, b.a, "zoe")
	cookie := b.comeIn(t, id, byPassword)
	if s := b.wantIn(t, cookie, true); s.Caller.May(resources.AreaUsers, false) == nil {
		t.Error("who has no role reads the organization")
	}
	if _, err := b.GrantRole(ctx, admin, id, resources.RoleUserAdmin); err != nil {
		t.Fatal(err)
	}
	s := b.wantIn(t, cookie, true)
	if s.Caller.May(resources.AreaUsers, true) != nil || s.Caller.May(resources.AreaOrg, true) == nil {
		t.Errorf("a user administrator has the scopes %v", s.Caller.Scopes)
	}
	if _, err := b.RevokeRole(ctx, admin, id, resources.RoleUserAdmin); err != nil {
		t.Fatal(err)
	}
	if s := b.wantIn(t, cookie, true); s.Caller.May(resources.AreaUsers, false) == nil {
		t.Error("a role that was taken back still counts")
	}
}

// TestSessionLimits: idle and absolute limits, the provider's own, and settings
// that become shorter (security O10).
func TestSessionLimits(t *testing.T) {
	const minute = time.Minute
	onBoth(t, func(t *testing.T, b *bundle) {
		id := b.user(t, b.a, "zoe")
		idle := b.comeIn(t, id, bySSO)
		b.clock.Advance(30*minute - 2*time.Millisecond)
		b.wantIn(t, idle, true) // and it is seen
		b.clock.Advance(30 * minute)
		b.wantIn(t, idle, false)

		used := b.comeIn(t, id, bySSO)
		for range 12*60/20 - 1 {
			b.clock.Advance(20 * minute)
			b.wantIn(t, used, true)
		}
		b.clock.Advance(20 * minute)
		b.wantIn(t, used, false)

		capped := bySSO
		capped.Ends = b.clock.Now().Add(10 * minute)
		short := b.comeIn(t, id, capped)
		long := b.comeIn(t, id, byPassword)
		b.clock.Advance(10 * minute)
		b.wantIn(t, short, false)
		b.wantIn(t, long, true)
		if err := b.Replan(t.Context(), b.a, func(p *resources.Plan) { p.Settings.SessionIdle = 5 }); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(4 * minute)
		b.wantIn(t, long, true)
		b.clock.Advance(5 * minute)
		b.wantIn(t, long, false)

		b.clock.Advance(48 * time.Hour)
		b.clean(t)
		b.recount(t, b.a.Org)
		if list, err := b.store.Find(t.Context(), b.a.Org, resources.Query{Kind: resources.KindSetting, Limit: 10}); err != nil || list.Total > 2 { // access and plan
			t.Errorf("%d settings are left: %v", list.Total, err)
		}
	})
}

// TestSessionList: sessions are listed and ended by their user and by
// administrators of users, and nobody else; at most 50 live.
func TestSessionList(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		id := b.user(t, b.a, "zoe")
		var cookies []string
		for i := range 53 {
			begin := byPassword
			if i%2 == 0 {
				begin = bySSO
			}
			cookies = append(cookies, b.comeIn(t, id, begin))
		}
		b.wantIn(t, cookies[2], false)
		b.wantIn(t, cookies[3], true)
		s := b.wantIn(t, cookies[52], true)
		list, err := b.Sessions(ctx, s.Caller, id)
		if err != nil || len(list) != 50 || list[0].ID != s.Session.ID {
			t.Fatalf("%d sessions: %v", len(list), err)
		}
		if err := b.RevokeSessions(ctx, s.Caller, id, list[1].ID); err != nil {
			t.Fatal(err)
		}
		b.wantIn(t, cookies[51], false)

		eva := b.user(t, b.a, "eva")
		other := b.wantIn(t, b.comeIn(t, eva, byPassword), true)
		_, err = b.Sessions(ctx, other.Caller, id)
		wantCode(t, err, resources.CodeForbidden)
		wantCode(t, b.RevokeSessions(ctx, other.Caller, id, ""), resources.CodeForbidden)
		wantCode(t, b.RevokeSessions(ctx, other.Caller, eva, s.Session.ID), resources.CodeNotFound)
		_, err = b.Sessions(ctx, withAdmin(b.b), id)
		wantCode(t, err, resources.CodeNotFound)
		wantCode(t, b.RevokeSessions(ctx, withAdmin(b.b), id, s.Session.ID), resources.CodeNotFound)

		if err := b.RevokeSessions(ctx, withAdmin(b.a), id, ""); err != nil {
			t.Fatal(err)
		}
		b.wantIn(t, cookies[52], false)
		if list, err := b.Sessions(ctx, withAdmin(b.a), id); err != nil || len(list) != 0 {
			t.Errorf("%d sessions are left: %v", len(list), err)
		}
		b.wantIn(t, b.comeIn(t, id, byPassword), true)
		b.recount(t, b.a.Org)
	})
}

// TestProviderSessions: a provider ends what it names, and nothing of another
// issuer or organization (OpenID Connect Back-Channel Logout 1.0).
func TestProviderSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		id := b.user(t, b.a, "zoe")
		var cookies []string
		for i := range 3 {
			begin := bySSO
			begin.SID = fmt.Sprintf("sid%d", i)
			cookies = append(cookies, b.comeIn(t, id, begin))
		}
		end := func(org resources.OrgID, issuer, subject, sid string, want int) {
			t.Helper()
			if n, err := b.EndProviderSessions(t.Context(), org, issuer, subject, sid); n != want || err != nil {
				t.Errorf("ends %d sessions, want %d: %v", n, want, err)
			}
		}
		end(b.a.Org, "https://other.example", "s1", "", 0)
		end(b.b.Org, bySSO.Issuer, "s1", "", 0)
		end(b.a.Org, bySSO.Issuer, "s2", "sid0", 0)
		end(b.a.Org, bySSO.Issuer, "", "", 0)
		end(b.a.Org, bySSO.Issuer, "s1", "sid0", 1)
		b.wantIn(t, cookies[0], false)
		b.wantIn(t, cookies[1], true)
		end(b.a.Org, bySSO.Issuer, "", "sid1", 1)
		end(b.a.Org, bySSO.Issuer, "s1", "", 1)
		b.wantIn(t, cookies[2], false)
	})
}
