package resources_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/usher-scim/usher/resources"
)

// enforce makes a connection of an organization the only way in for domains.
func (s *sso) enforce(c resources.Caller, id string, domains ...string) error {
	_, err := s.ChangeConnection(s.t.Context(), c, id, func(cn *resources.ConnectionSpec) error {
		cn.Enforced = domains
		return nil
	})
	return err
}

// TestWayOf: how an address signs in follows from its domain, whether there is such
// a user or not, and only as long as the domain is the organization's (BR-115).
func TestWayOf(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		s.person("zoe")
		is := func(address string, want resources.Way) {
			t.Helper()
			got, err := s.WayOf(t.Context(), address)
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", address, got, err, want)
			}
		}
		is("zoe@acme.example", resources.Way{})
		fails(t, s.enforce(s.acme, "idp", "acme.example", "other.example"), resources.CodeDomainNotVerified, "enforced")
		if err := s.enforce(s.acme, "idp", "ACME.example."); err != nil {
			t.Fatal(err)
		}
		way := resources.Way{Slug: "acme", Connection: "idp", Forced: true}
		for _, address := range []string{"zoe@acme.example", "nobody@Acme.Example", "\"odd one\"@acme.example"} {
			want := way
			if _, ok := resources.EmailKey(address); !ok {
				want = resources.Way{}
			}
			is(address, want)
		}
		for _, address := range []string{"zoe@sub.acme.example", "zoe@beta.example", "zoe", "", "@acme.example"} {
			is(address, resources.Way{})
		}
		second := b.connect(t, s.acme, spec("second"))
		fails(t, s.enforce(s.acme, second.ID, "acme.example"), resources.CodeDomainEnforced, "enforced")
		s.verify(s.beta, "acme.example")
		fails(t, s.enforce(s.beta, "idp", "acme.example"), resources.CodeDomainEnforced, "enforced")
		is("zoe@acme.example", way)
		s.verify(s.acme) // the domain is not acme's any more
		b.clock.Advance(5 * time.Second)
		is("zoe@acme.example", resources.Way{})
		if err := s.enforce(s.beta, "idp", "acme.example"); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(5 * time.Second)
		is("zoe@acme.example", resources.Way{Slug: "beta", Connection: "idp", Forced: true})
		if cn, err := s.Connection(t.Context(), s.acme, "idp"); err != nil || len(cn.Enforced) != 0 {
			t.Errorf("it is still enforced by who has it not: %+v, %v", cn, err)
		}
		if err := s.DeleteConnection(t.Context(), s.beta, "idp"); err != nil {
			t.Fatal(err)
		}
		is("zoe@acme.example", resources.Way{})
		s.recount(t, s.acme.Org)
		s.recount(t, s.beta.Org)
	})
}

// TestEnforcedConnection: people of an enforced domain come in by its connection
// alone, whatever another one says of them; full administrators may repair it
// (BR-115).
func TestEnforcedConnection(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	zoe, boss := s.person("zoe"), s.person("boss")
	second := b.connect(t, s.acme, spec("second"))
	if err := s.enforce(s.acme, second.ID, "acme.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GrantRole(t.Context(), s.acme, boss, resources.RoleFullAdmin); err != nil {
		t.Fatal(err)
	}
	if last := s.refused(s.says("sub-1", "zoe@acme.example"), resources.CodeSSORequired); last.User != zoe {
		t.Errorf("noted %+v", last)
	}
	s.enter(s.says("sub-2", "boss@acme.example"))
	a := s.says("sub-1", "zoe@acme.example")
	a.Connection, a.Issuer = second, second.Issuer
	if _, p := s.enter(a); p.ID != zoe {
		t.Errorf("came in as %+v", p)
	}
}

// TestSignOutHint: the ID token is kept for signing out, sealed, and only where the
// connection wants that.
func TestSignOutHint(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	ctx := t.Context()
	s.person("zoe")
	const secret = "eyJhbGciOiJSUzI1NiJ9.body.signature"
	a := s.says("sub-1", "zoe@acme.example")
	a.IDToken = secret
	hint := func() string {
		t.Helper()
		cookie, _ := s.enter(a)
		in, err := s.Session(ctx, cookie)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(in.Session.IDToken, []byte("body")) {
			t.Error("it is not sealed")
		}
		text, err := s.SignOutHint(ctx, s.acme.Org, &in.Session)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := hint(); got != "" {
		t.Errorf("kept without need: %q", got)
	}
	if _, err := s.ChangeConnection(ctx, s.acme, "idp", func(c *resources.ConnectionSpec) error { c.Logout = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := hint(); got != secret {
		t.Errorf("the hint is %q", got)
	}
}

// TestRefusals: what strangers send is cut and cleaned, a flood leaves five hundred
// notes an hour, and all go after thirty days.
func TestRefusals(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	ctx := t.Context()
	err := s.NoteRefused(ctx, s.acme.Org, resources.Refused{
		Code: resources.CodeSSOFailed, Reason: "x", Email: "a\r\nb\x1b[31m\xff" + strings.Repeat("é", 400), Subject: strings.Repeat("s", 1000), From: "192.0.2.1",
	})
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Refusals(ctx, s.acme, "", "", "", 10)
	if err != nil || len(list) != 1 || len(list[0].Email) > 320 || len(list[0].Subject) != 320 || !utf8.ValidString(list[0].Email) || strings.ContainsAny(list[0].Email, "\r\n\x1b") {
		t.Fatalf("%+v, %v", list, err)
	}
	for range 505 {
		if err := s.NoteRefused(ctx, s.acme.Org, resources.Refused{Code: resources.CodeSSOFailed, Reason: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n int) {
		t.Helper()
		for after := ""; ; {
			list, next, err := s.Refusals(ctx, s.acme, "", "", after, 200)
			if err != nil {
				t.Fatal(err)
			}
			if n, after = n+len(list), next; next == "" {
				return n
			}
		}
	}
	if got := count(); got != 500 {
		t.Errorf("%d notes", got)
	}
	b.clock.Advance(time.Hour)
	if err := s.NoteRefused(ctx, s.acme.Org, resources.Refused{Code: resources.CodeSSOFailed, Reason: "x"}); err != nil || count() != 501 {
		t.Errorf("the next hour: %d, %v", count(), err)
	}
	_, _, err = s.Refusals(ctx, s.a, "", "", "", 10)
	wantCode(t, err, resources.CodeForbidden)
	b.clock.Advance(31 * 24 * time.Hour)
	if got := count(); got != 0 {
		t.Errorf("%d notes after a month", got)
	}
	s.clean(t)
	s.recount(t, s.acme.Org)
}

// TestNoteMoved: a provider that has moved raises one alert, which ends when the new
// endpoints are saved (security O7).
func TestNoteMoved(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	ctx := t.Context()
	for range 2 {
		if err := s.NoteMoved(ctx, s.acme.Org, s.conn, "token is at b.example instead of a.example."); err != nil {
			t.Fatal(err)
		}
	}
	open := s.alerts(t, s.acme, resources.AlertEndpoints)
	if len(open) != 1 || open[0].Subject != s.conn.ID || !strings.Contains(open[0].Detail, "b.example") {
		t.Errorf("alerts %+v", open)
	}
	_, err := s.ChangeConnection(ctx, s.acme, "idp", func(c *resources.ConnectionSpec) error {
		c.Endpoints.Token = "https://b.example/token"
		return nil
	})
	if err != nil || len(s.alerts(t, s.acme, resources.AlertEndpoints)) != 0 {
		t.Errorf("still open: %v", err)
	}
}
