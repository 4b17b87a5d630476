package resources_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// own is an organization without SCIM: its people come by sign-in alone.
func (s *sso) own() {
	s.t.Helper()
	tokens, err := s.ListTokens(s.t.Context(), s.operator, "acme")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, token := range tokens {
		if err := s.RevokeToken(s.t.Context(), s.operator, "acme", token.ID); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestJIT: somebody whom nobody knows gets a user at the first sign-in, by the
// ordinary rules: active, linked, with what the organization's template gives, and
// without an activation mail (BR-118).
func TestJIT(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		s.own()
		ctx := t.Context()
		s.subscribe(t, s.acme, resources.Subscription{SKU: "host", Model: resources.ModelSeats, Units: 5})
		if _, _, err := s.PutTemplate(ctx, s.acme, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}}); err != nil {
			t.Fatal(err)
		}
		a := s.says("sub-1", "Ida@acme.example")
		a.DisplayName, a.GivenName, a.FamilyName, a.Language, a.ExternalID = "Ida Blum", "Ida", "Blum\x00", "fr", "E-7"
		cookie, p := s.enter(a)
		if p.State != resources.StateActive || p.DisplayName != "Ida Blum" || p.FamilyName != "" || p.Language != "fr" || !slices.Equal(p.Licences, []string{"Host"}) && len(p.Licences) != 1 {
			t.Errorf("created %+v", p)
		}
		st := s.standing(p.ID)
		if st.Source != resources.OriginJIT || st.Mails != nil && st.Mails.Count > 0 {
			t.Errorf("standing %+v", st)
		}
		if got := s.eventTypes(p.ID); !slices.Contains(got, "user.created") || !slices.Contains(got, "user.activated") || !slices.Contains(got, "user.linked") {
			t.Errorf("events %v", got)
		}
		if _, err := s.Session(ctx, cookie); err != nil {
			t.Error(err)
		}
		if _, again := s.enter(a); again.ID != p.ID {
			t.Errorf("the second time as %+v", again)
		}
		s.work(t, s.acme.Org)
		if mails, _, err := s.Mails(ctx, s.acme, p.ID, "", "", 10); err != nil || len(mails) != 0 {
			t.Errorf("mails %+v, %v", mails, err)
		}
	})
}

// TestJITRefused: nobody is created without a verified domain, with the switch off,
// or while SCIM keeps the users; nor when the userName is somebody else's.
func TestJITRefused(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	a := s.says("sub-1", "ida@acme.example")
	s.refused(a, resources.CodeSSONoUser) // there is a SCIM token
	other, err := s.CreateUser(t.Context(), s.a, userDoc(t, "bob@acme.example", "robert@acme.example"))
	if err != nil {
		t.Fatal(err)
	}
	s.own()
	s.refused(s.says("sub-2", "ida@other.example"), resources.CodeSSONoUser)
	s.jit("off")
	s.refused(a, resources.CodeSSONoUser)
	s.jit("")
	s.refused(s.says("sub-3", "bob@acme.example"), resources.CodeSSOConflict)
	if links := s.links(other.ID); len(links) > 0 {
		t.Errorf("linked %v", links)
	}
	s.enter(a)
}

// TestSignInAtOnce: two first sign-ins of one person at once make one link and two
// sessions, and where users are created one user; of two persons with one address
// one comes in (security O2).
func TestSignInAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		s := newSSO(t, b)
		known := s.person("zoe")
		at := func(assertions ...resources.Assertion) (users map[string]int) {
			t.Helper()
			users = map[string]int{}
			var mu sync.Mutex
			var all sync.WaitGroup
			for _, a := range assertions {
				all.Go(func() {
					_, p, err := s.SignIn(t.Context(), s.acme.Org, a, resources.Visitor{})
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						users[p.ID]++
					case resources.HasCode(err, resources.CodeSSOConflict):
						users["conflict"]++
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			return users
		}
		if got := at(s.says("sub-1", "zoe@acme.example"), s.says("sub-1", "zoe@acme.example")); got[known] != 2 {
			t.Errorf("came in %v", got)
		}
		if sessions, err := s.Sessions(t.Context(), s.acme, known); err != nil || len(sessions) != 2 || len(s.links(known)) != 1 {
			t.Errorf("%d sessions, links %v, %v", len(sessions), s.links(known), err)
		}
		s.own()
		for round := range 5 {
			mail := fmt.Sprintf("new%d@acme.example", round)
			sub := fmt.Sprintf("new-%d", round)
			got := at(s.says(sub, mail), s.says(sub, mail), s.says(sub, mail))
			if len(got) != 1 || got["conflict"] > 0 {
				t.Errorf("one person came in as %v", got)
			}
			mail = "two" + mail
			if got := at(s.says(sub+"-a", mail), s.says(sub+"-b", mail)); len(got) != 2 || got["conflict"] != 1 {
				t.Errorf("two persons with one address: %v", got)
			}
		}
		s.recount(t, s.acme.Org)
	})
}

// TestTrySignIn: a test tells what a sign-in would do, and does nothing.
func TestTrySignIn(t *testing.T) {
	b := newBundle(t, "")
	s := newSSO(t, b)
	ctx, id := t.Context(), s.person("zoe")
	s.conn.Off = true
	if _, err := s.ChangeConnection(ctx, s.acme, s.conn.ID, func(c *resources.ConnectionSpec) error { c.Off = true; return nil }); err != nil {
		t.Fatal(err)
	}
	trial, err := s.StartTrial(ctx, s.acme, "idp")
	if err != nil {
		t.Fatal(err)
	}
	org, cn, err := s.DoorTrial(ctx, "acme", trial.ID)
	if err != nil || org != s.acme.Org || cn.ID != s.conn.ID {
		t.Fatalf("%v %+v %v", org, cn, err)
	}
	if _, _, err := s.DoorTrial(ctx, "beta", trial.ID); !resources.HasCode(err, resources.CodeNotFound) {
		t.Errorf("a test of another organization: %v", err)
	}
	a := s.says("sub-1", "zoe@acme.example")
	a.Connection = cn
	ended, err := s.KeepTrial(ctx, org, trial.ID, []resources.Check{{Name: "discovery", Passed: true}}, &a)
	if err != nil || !ended.Passed || ended.Outcome == "" || len(ended.Checks) != 2 {
		t.Errorf("ended %+v, %v", ended, err)
	}
	if _, err := s.KeepTrial(ctx, org, trial.ID, nil, &a); !resources.HasCode(err, resources.CodeNotFound) {
		t.Errorf("ended twice: %v", err)
	}
	got, err := s.Trial(ctx, s.acme, trial.ID)
	if err != nil || !got.Passed || got.Email != "zoe@acme.example" {
		t.Errorf("read %+v, %v", got, err)
	}
	if len(s.links(id)) > 0 || s.standing(id).Login != nil {
		t.Error("a test has linked or activated somebody")
	}
	second, err := s.StartTrial(ctx, s.acme, s.conn.ID)
	if err != nil {
		t.Fatal(err)
	}
	a.Email = "nobody@acme.example"
	ended, err = s.KeepTrial(ctx, org, second.ID, nil, &a)
	if err != nil || ended.Passed || len(ended.Checks) != 1 || ended.Checks[0].Detail == "" {
		t.Errorf("ended %+v, %v", ended, err)
	}
	b.clock.Advance(time.Hour + time.Second)
	if _, err := s.Trial(ctx, s.acme, trial.ID); !resources.HasCode(err, resources.CodeNotFound) {
		t.Errorf("a test of long ago: %v", err)
	}
	if _, _, err := s.SignIn(ctx, org, s.says("sub-1", "zoe@acme.example"), resources.Visitor{}); !resources.HasCode(err, resources.CodeSSOFailed) {
		t.Errorf("a connection that is off lets in: %v", err)
	}
}
