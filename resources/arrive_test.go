package resources_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// The whole way in by link and password (W-01, BR-103, BR-107): each step may be
// done again, and nothing but the last one lets anybody in.
func TestArriveByPassword(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, token, _ := m.invited("zoe")
		if a, err := m.ConfirmLink(ctx, token); err != nil || !a.Proven || a.Purpose != resources.PurposeActivate || a.Person.State != resources.StateVerified {
			m.Fatalf("confirmed: %+v, %v", a, err)
		}
		if _, _, err := m.Arrive(ctx, token, "Zoé", browser); !resources.HasCode(err, resources.CodeInvalidValue) {
			m.Errorf("arrived without a password: %v", err)
		}
		_, err := m.SetPassword(ctx, token, "zoe")
		wantCode(m.T, err, resources.CodePasswordPolicy)
		for _, c := range []resources.Criterion{resources.CriterionDigit, resources.CriterionUpper, resources.CriterionSpecial, resources.CriterionLength, resources.CriterionAddress} {
			if !slices.Contains(resources.PasswordFaults(err), c) {
				m.Errorf("%s is not among %v", c, resources.PasswordFaults(err))
			}
		}
		for range 2 {
			if a, err := m.SetPassword(ctx, token, fine); err != nil || !a.Password {
				m.Fatalf("set: %+v, %v", a, err)
			}
		}
		if s := m.state(m.T, m.a, id); s.State != resources.StateVerified {
			m.Errorf("a password alone makes %s", s.State)
		}
		if _, err := m.enters(address, fine); !resources.HasCode(err, resources.CodeSignInFailed) {
			m.Errorf("the password works before the user has arrived: %v", err)
		}
		_, _, err = m.Arrive(ctx, token, "Zo\u202eé", browser)
		wantCode(m.T, err, resources.CodeNameInvalid)
		cookie, p, err := m.Arrive(ctx, token, " Zoé ", browser)
		if err != nil || p.DisplayName != "Zoé" || p.State != resources.StateActive {
			m.Fatalf("arrived: %+v, %v", p, err)
		}
		m.wantIn(m.T, cookie, true)
		if s := m.state(m.T, m.a, id); s.Login.Method != resources.MethodPassword || s.Proven != address {
			m.Errorf("the standing is %+v", s)
		}
		m.clock.Advance(time.Minute)
		if _, err := m.enters(address, fine); err != nil {
			m.Errorf("sign-in: %v", err)
		}
		m.recount(m.T, m.a.Org)
	})
}

// A link that has done its work leads to sign-in, also one that another mail
// replaced (BR-110); acts with it are refused.
func TestLinkDone(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, _, first, _ := m.invited("zoe")
		m.clock.Advance(11 * time.Minute)
		token := tokenIn(m.T, m.invite(id))
		m.refused(resources.CodeActivationExpired, map[string]error{"replaced": errOf(m.OpenLink(ctx, first)), "unknown": errOf(m.OpenLink(ctx, token[:70]+"00"))})
		if _, err := m.SetPassword(ctx, token, fine); err != nil {
			m.Fatal(err)
		}
		if _, _, err := m.Arrive(ctx, token, "Zoé", browser); err != nil {
			m.Fatal(err)
		}
		for _, link := range []string{first, token} {
			if a, err := m.OpenLink(ctx, link); err != nil || !a.Done || a.Password {
				m.Errorf("an old link of who is active: %+v, %v", a, err)
			}
			_, _, err := m.Arrive(ctx, link, "Zoé", browser)
			m.refused(resources.CodeRequestClosed, map[string]error{"arrive": err, "confirm": errOf(m.ConfirmLink(ctx, link)), "set": errOf(m.SetPassword(ctx, link, fine))})
		}
		m.deactivate(m.T, m.a, id)
		m.refused(resources.CodeActivationExpired, map[string]error{"inactive": errOf(m.OpenLink(ctx, first)), "used": errOf(m.OpenLink(ctx, token))})
	})
}

// Two who arrive at once with one link begin one session (V12).
func TestArriveOnce(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, _, token, _ := m.invited("zoe")
		if _, err := m.SetPassword(ctx, token, fine); err != nil {
			m.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for range 8 {
			wg.Go(func() {
				_, _, err := m.Arrive(ctx, token, "Zoé", browser)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in++
				} else if !resources.HasCode(err, resources.CodeRequestClosed) {
					m.Error(err)
				}
			})
		}
		wg.Wait()
		sessions, err := m.Sessions(ctx, m.admin, id)
		if err != nil || in != 1 || len(sessions) != 1 {
			m.Errorf("%d arrived, %d sessions, %v", in, len(sessions), err)
		}
	})
}

// Who stops half way goes on with the same link later: what was chosen by it counts
// still (BR-103).
func TestResume(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, _, token, _ := m.invited("zoe")
		if _, err := m.SetPassword(ctx, token, fine); err != nil {
			m.Fatal(err)
		}
		m.clock.Advance(11 * time.Minute)
		if a, err := m.OpenLink(ctx, token); err != nil || !a.Password {
			m.Fatalf("the same link later: %+v, %v", a, err)
		}
		if _, _, err := m.Arrive(ctx, token, "Zoé", browser); err != nil {
			m.Error(err)
		}
	})
}

// Somebody prepares an account that is then given to another: nothing of what was
// prepared is left (security H1, TestPreHijack).
func TestPreHijackPassword(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, _, evil, _ := m.invited("mallory")
		if _, err := m.SetPassword(ctx, evil, fine); err != nil {
			m.Fatal(err)
		}
		m.moved(id, "victim@acme.example")
		m.clock.Advance(11 * time.Minute)
		token := tokenIn(m.T, m.invite(id))
		if a, err := m.OpenLink(ctx, token); err != nil || a.Password || a.Proven {
			m.Fatalf("what the victim finds: %+v, %v", a, err)
		}
		_, _, err := m.Arrive(ctx, evil, "Mallory", browser)
		m.refused(resources.CodeActivationExpired, map[string]error{"open": errOf(m.OpenLink(ctx, evil)), "set": errOf(m.SetPassword(ctx, evil, fine)), "arrive": err})
		if _, err := m.SetPassword(ctx, token, "Victim's 1st own"); err == nil {
			m.Error("the address was taken as a password")
		}
		if _, err := m.SetPassword(ctx, token, "An0ther!One"); err != nil {
			m.Fatal(err)
		}
		if _, _, err := m.Arrive(ctx, token, "Victim", browser); err != nil {
			m.Fatal(err)
		}
		if _, err := m.enters("victim@acme.example", fine); !resources.HasCode(err, resources.CodeSignInFailed) {
			m.Errorf("the prepared password works: %v", err)
		}
	})
}

// The name that a provider manages is not the person's to choose (BR-106).
func TestManagedName(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		m.idp.Origin = ""
		id, _, token, _ := m.invited("zoe")
		m.update(id, "displayName", jsontree.Str("Zoé Provider"))
		if _, err := m.SetPassword(ctx, token, fine); err != nil {
			m.Fatal(err)
		}
		cookie, p, err := m.Arrive(ctx, token, strings.Repeat("x", 500), browser)
		if err != nil || p.DisplayName != "Zoé Provider" || !p.NameManaged {
			m.Fatalf("arrived: %+v, %v", p, err)
		}
		wantCode(m.T, m.Rename(ctx, m.wantIn(m.T, cookie, true), "Zoé"), resources.CodeManagedByIDP)
	})
}

// The bounds of a name (BR-106).
func TestRename(t *testing.T) {
	m := newArrivals(t, "", cheapest)
	id, _, cookie := m.arrived("zoe")
	s := m.wantIn(t, cookie, true)
	for name, want := range map[string]string{
		"Zoé":                    "Zoé",
		"  Zoe\u0301  Martin ":   "Zoé  Martin",
		strings.Repeat("é", 128): strings.Repeat("é", 128),
		"می\u200cخواهم":          "می\u200cخواهم",
		"Zoé 👩\u200d💻":           "Zoé 👩\u200d💻",
		strings.Repeat("é", 129): "", "": "", " ": "", "a\nb": "", "a\x00": "", "a\u202eb": "", "a\xff": "", "a\u2028b": "",
	} {
		err := m.Rename(t.Context(), s, name)
		if want == "" {
			fails(t, err, resources.CodeNameInvalid, "displayName")
			continue
		}
		rec, readErr := m.store.Get(t.Context(), m.a.Org, resources.KindUser, id)
		if err != nil || readErr != nil || rec.Display != want && len(want) < 120 {
			t.Errorf("%q: %v, %v, shown as %q", name, err, readErr, rec.Display)
		}
	}
	m.deactivate(t, m.a, id)
	wantCode(t, m.Rename(t.Context(), s, "Zoé"), resources.CodeUnauthenticated)
}
