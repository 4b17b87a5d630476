package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/password"
	"github.com/usher-scim/usher/resources"
)

// The criteria are those of the person and the organization, and all of them are
// told (BR-104, BR-105, security P1).
func TestPasswordRules(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		doc := parse(m.T, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"zm","displayName":"Zizou","name":{"givenName":"Zoé","familyName":"Martin-Dupont"},"emails":[{"value":"zo.mart@acme.example"}]}`)
		rec, err := m.CreateUser(ctx, m.idp, doc)
		if err != nil {
			m.Fatal(err)
		}
		token := tokenIn(m.T, m.invite(rec.ID))
		for text, want := range map[string]resources.Criterion{
			"Kx9!ZOE-mQ":                        resources.CriterionName,
			"Kx9!dupont":                        resources.CriterionName,
			"Kx9!zizou!":                        resources.CriterionName,
			"Kx9!Zo.Mart":                       resources.CriterionAddress,
			"Kx9!mQ2":                           resources.CriterionLength,
			"Kx9!" + strings.Repeat("m", 253):   resources.CriterionLength,
			"kx9!mq2#vb":                        resources.CriterionUpper,
			"KX9!MQ2#VB":                        resources.CriterionLower,
			"Kxx!mQx#vB":                        resources.CriterionDigit,
			"Kx91mQ21vB":                        resources.CriterionSpecial,
			"zoé":                               resources.CriterionName,
			"Kx9!zo.mart@acme.example plus mor": resources.CriterionAddress,
		} {
			_, err := m.SetPassword(ctx, token, text)
			fails(m.T, err, resources.CodePasswordPolicy, "password")
			if got := resources.PasswordFaults(err); !slices.Contains(got, want) {
				m.Errorf("%q: %v, want %s", text, got, want)
			}
			if strings.Contains(err.Error(), text) {
				m.Errorf("the error repeats the password: %v", err)
			}
		}
		m.settings(func(s *resources.Settings) { s.PasswordLength, s.PasswordBlocklist = 15, true })
		m.clock.Advance(time.Minute)
		for text, want := range map[string][]resources.Criterion{
			"Kx9!mQ2#vBzzzz":   {resources.CriterionLength},
			"Kx9!mQ2#vBzzzzz":  nil,
			"Sunshine!!123456": {resources.CriterionCommon},
			"Acme!!!!!!!20261": {resources.CriterionCommon},
		} {
			_, err := m.SetPassword(ctx, token, text)
			if got := resources.PasswordFaults(err); !slices.Equal(got, want) || (err == nil) != (want == nil) {
				m.Errorf("strict, %q: %v (%v), want %v", text, got, err, want)
			}
		}
		if resources.PasswordFaults(nil) != nil || resources.PasswordFaults(resources.ErrUnavailable) != nil {
			m.Error("other errors have criteria")
		}
	})
}

// Unknown addresses, wrong passwords and users without one get the same answer for
// the same work (security P3).
func TestLoginOracle(t *testing.T) {
	onArrivals(t, func(m *mails) {
		m.arrived("zoe")
		m.person("eva")
		off, _, _ := m.arrived("off")
		m.deactivate(m.T, m.a, off)
		errs := make(map[string]error)
		for n, address := range []string{"zoe@acme.example", "nobody@acme.example", "eva@acme.example", "off@acme.example", "rubbish", ""} {
			before := m.HashRuns()
			_, _, errs[address] = m.PasswordSignIn(m.Context(), address, "Kx9!wrong#vB", from(n))
			if runs := m.HashRuns() - before; runs != 1 {
				m.Errorf("%q costs %d hashes", address, runs)
			}
		}
		m.refused(resources.CodeSignInFailed, errs)
		if _, err := m.enters("off@acme.example", fine); !resources.HasCode(err, resources.CodeUserInactive) {
			m.Errorf("who has the password of an inactive user is told %v (BR-114)", err)
		}
	})
}

// A hash of lower cost is made again when its user signs in (security P2).
func TestRehash(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address, _ := m.arrived("zoe")
		m.Directory = m.costing(password.Cost{Memory: 16, Time: 1, Threads: 1})
		for _, want := range []int64{2, 1} {
			before := m.HashRuns()
			m.clock.Advance(time.Minute)
			if _, err := m.enters(address, fine); err != nil {
				m.Fatal(err)
			}
			if runs := m.HashRuns() - before; runs != want {
				m.Errorf("%d hashes, want %d", runs, want)
			}
		}
	})
}

// Wrong passwords make the next try wait, longer each time, and a right one makes
// that forgotten (security P4).
func TestSlowerGuesses(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address, _ := m.arrived("zoe")
		try := func(text string) bool { // reports whether it was looked at
			before := m.HashRuns()
			_, _, err := m.PasswordSignIn(m.Context(), address, text, from(1))
			looked := m.HashRuns() > before
			if looked == resources.HasCode(err, resources.CodeRateLimited) {
				m.Errorf("looked at: %v, %v", looked, err)
			}
			return looked
		}
		for range 4 {
			if !try("wrong") {
				m.Fatal("one of the first tries was refused")
			}
		}
		waited := time.Duration(0)
		for pause := time.Second; pause <= time.Hour; pause *= 2 {
			m.clock.Advance(pause - time.Millisecond)
			if try(fine) {
				m.Fatalf("after %s the pause is shorter than %s", waited, pause)
			}
			m.clock.Advance(time.Millisecond)
			if waited += pause; !try("wrong") {
				m.Fatalf("after %s, a pause of %s, there is no try", waited, pause)
			}
		}
		m.clock.Advance(time.Hour)
		if !try(fine) {
			m.Fatal("the pause is longer than an hour")
		}
		for range 3 {
			if !try("wrong") {
				m.Error("the wrong ones before the right one still count")
			}
		}
	})
}

// Tries at the same moment are looked at a few at most.
func TestGuessFlood(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address, _ := m.arrived("zoe")
		before := m.HashRuns()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				_, _, err := m.PasswordSignIn(m.Context(), address, "wrong", from(1))
				if !resources.HasCode(err, resources.CodeRateLimited) && !resources.HasCode(err, resources.CodeSignInFailed) {
					m.Error(err)
				}
			})
		}
		wg.Wait()
		if runs := m.HashRuns() - before; runs > 6 {
			m.Errorf("%d of 200 tries at once were looked at", runs)
		}
	})
}

// A stranger who fails a thousand times, from anywhere, keeps nobody out who signs
// in where they have before (security P4, TestLockoutDoS).
func TestLockoutDoS(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address, _ := m.arrived("zoe")
		if _, err := m.enters(address, fine); err != nil {
			m.Fatal(err)
		}
		before := m.HashRuns()
		for n := range 1000 {
			if _, _, err := m.PasswordSignIn(m.Context(), address, "wrong", from(n)); err == nil {
				m.Fatal("a wrong password lets in")
			}
		}
		if runs := m.HashRuns() - before; runs > 100 {
			m.Errorf("strangers tried %d passwords within an hour", runs)
		}
		if _, err := m.enters(address, fine); err != nil {
			m.Errorf("the victim, from its own network: %v", err)
		}
		near := resources.Visitor{Address: "192.0.2.200"} // of the same block
		if _, _, err := m.PasswordSignIn(m.Context(), address, fine, near); err != nil {
			m.Errorf("the victim, from another address there: %v", err)
		}
	})
}

// Where passwords are off they are refused, to who has one; full administrators can
// still come in (BR-115).
func TestPasswordsOff(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, address, cookie := m.arrived("zoe")
		boss, bossAddress, _ := m.arrived("boss")
		if _, err := m.GrantRole(ctx, m.admin, boss, resources.RoleFullAdmin); err != nil {
			m.Fatal(err)
		}
		_, _, token, _ := m.invited("eva")
		s := m.wantIn(m.T, cookie, true)
		m.settings(func(s *resources.Settings) { s.PasswordsOff = true })
		m.clock.Advance(time.Minute)
		_, err := m.enters(address, fine)
		_, change := m.ChangePassword(ctx, s, fine, "An0ther!One")
		_, _, arrive := m.Arrive(ctx, token, "Eva", browser)
		m.refused(resources.CodeSSORequired, map[string]error{"sign in": err, "change": change, "set": errOf(m.SetPassword(ctx, token, fine)), "arrive": arrive})
		if _, _, err := m.PasswordSignIn(ctx, address, "wrong", from(1)); !resources.HasCode(err, resources.CodeSignInFailed) {
			m.Errorf("a wrong password tells %v", err)
		}
		if err := m.ForgotPassword(ctx, address, from(1)); err != nil {
			m.Error(err)
		}
		if letters := m.run(); len(letters) != 0 {
			m.Errorf("letters went out: %+v", letters)
		}
		if _, err := m.enters(bossAddress, fine); err != nil {
			m.Errorf("a full administrator: %v", err)
		}
	})
}

// Who forgot the password sets another one by mail, once: sessions end, the person
// is told, and other links are worthless (security H3, domain.md §3.2).
func TestReset(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, address, cookie := m.arrived("zoe")
		if err := m.ForgotPassword(ctx, address, from(1)); err != nil {
			m.Fatal(err)
		}
		letter := m.only("reset")
		token := tokenIn(m.T, letter)
		if letter.Template != resources.MailReset || letter.Code != "" || letter.Expires.Sub(m.clock.Now()) > 24*time.Hour {
			m.Errorf("the letter is %+v", letter.Mail)
		}
		if a, err := m.OpenLink(ctx, token); err != nil || a.Purpose != resources.PurposeReset || a.Done {
			m.Fatalf("open: %+v, %v", a, err)
		}
		if _, _, err := m.Arrive(ctx, token, "Zoé", browser); !resources.HasCode(err, resources.CodeActivationExpired) {
			m.Errorf("arrived by a reset: %v", err)
		}
		m.wantIn(m.T, cookie, true)
		if _, err := m.SetPassword(ctx, token, "An0ther!One"); err != nil {
			m.Fatal(err)
		}
		m.wantIn(m.T, cookie, false)
		if told := m.only("the notice"); told.Template != resources.MailAccessChange || told.To != address || told.Path != "" {
			m.Errorf("the notice is %+v", told.Mail)
		}
		_, err := m.SetPassword(ctx, token, fine)
		m.refused(resources.CodeActivationExpired, map[string]error{"used": err, "open": errOf(m.OpenLink(ctx, token)), "confirm": errOf(m.ConfirmLink(ctx, token))})
		if _, err := m.enters(address, fine); !resources.HasCode(err, resources.CodeSignInFailed) {
			m.Errorf("the old password: %v", err)
		}
		if _, err := m.enters(address, "An0ther!One"); err != nil {
			m.Errorf("the new password: %v", err)
		}
	})
}

// A reset link ends after a day, and when the password is changed otherwise; who
// has not arrived yet is sent the way in instead.
func TestResetEnds(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, _ := m.arrived("zoe")
		late := m.carry(m.T, m.a, id, address, resources.PurposeReset)
		m.clock.Advance(24 * time.Hour)
		m.refused(resources.CodeActivationExpired, map[string]error{"a day old": errOf(m.SetPassword(ctx, late.token, fine))})
		cookie, err := m.enters(address, fine)
		if err != nil {
			m.Fatal(err)
		}
		soon := m.carry(m.T, m.a, id, address, resources.PurposeReset)
		next, err := m.ChangePassword(ctx, m.wantIn(m.T, cookie, true), fine, "An0ther!One")
		if err != nil {
			m.Fatal(err)
		}
		m.wantIn(m.T, cookie, false)
		m.wantIn(m.T, next, true)
		m.refused(resources.CodeActivationExpired, map[string]error{"changed": errOf(m.SetPassword(ctx, soon.token, fine))})
		if told := m.only("the notice"); told.Template != resources.MailAccessChange {
			m.Errorf("the notice is %+v", told.Mail)
		}
		_, eva := m.person("eva")
		if err := m.ForgotPassword(ctx, eva, from(3)); err != nil {
			m.Fatal(err)
		}
		if letter := m.only("who has not arrived"); letter.Template != resources.MailAgain || letter.Purpose != resources.PurposeActivate {
			m.Errorf("the letter is %+v", letter.Mail)
		}
	})
}

// Changing a password asks for the old one, slowly, and is done once (security P4).
func TestChangePassword(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, _, cookie := m.arrived("zoe")
		s := m.wantIn(m.T, cookie, true)
		_, err := m.ChangePassword(ctx, s, "wrong", "An0ther!One")
		wantCode(m.T, err, resources.CodeSignInFailed)
		_, err = m.ChangePassword(ctx, s, fine, "zoe")
		wantCode(m.T, err, resources.CodePasswordPolicy)
		m.clock.Advance(2 * time.Second)
		var wg sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for n := range 3 {
			wg.Go(func() {
				_, err := m.ChangePassword(ctx, s, fine, fmt.Sprintf("An0ther!One%d", n))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				}
			})
		}
		wg.Wait()
		if done != 1 {
			m.Errorf("%d of three changes at once were done", done)
		}
		_, err = m.ChangePassword(ctx, s, fine, "An0ther!One")
		if err == nil {
			m.Error("a session that has ended changed the password")
		}
	})
}
