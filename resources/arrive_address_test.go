package resources_test

import (
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// letters are those that go out now, by template.
func (m *mails) letters() map[resources.MailTemplate]resources.Letter {
	m.Helper()
	out := make(map[resources.MailTemplate]resources.Letter)
	for _, l := range m.run() {
		out[l.Template] = l
	}
	return out
}

// The link to a new address proves it, once and for nothing else (BR-005).
func TestConfirmAddress(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, _, cookie := m.arrived("zoe")
		m.moved(id, "new@acme.example")
		letter := m.letters()[resources.MailNewAddress]
		token := tokenIn(m.T, letter)
		if letter.To != "new@acme.example" || letter.Code != "" {
			m.Errorf("the letter is %+v", letter.Mail)
		}
		if a, err := m.OpenLink(ctx, token); err != nil || a.Purpose != resources.PurposeVerify || a.Proven || a.Done {
			m.Fatalf("open: %+v, %v", a, err)
		}
		_, _, err := m.Arrive(ctx, token, "Zoé", browser)
		m.refused(resources.CodeActivationExpired, map[string]error{"set": errOf(m.SetPassword(ctx, token, fine)), "arrive": err})
		if a, err := m.ConfirmLink(ctx, token); err != nil || !a.Proven || a.Purpose != resources.PurposeVerify {
			m.Fatalf("confirm: %+v, %v", a, err)
		}
		m.refused(resources.CodeActivationExpired, map[string]error{"used": errOf(m.ConfirmLink(ctx, token)), "opened": errOf(m.OpenLink(ctx, token))})
		if s := m.state(m.T, m.a, id); s.Proven != "new@acme.example" || s.Moved != nil {
			m.Errorf("the standing is %+v", s)
		}
		m.wantIn(m.T, cookie, true)
		m.recount(m.T, m.a.Org)
	})
}

// While nobody has confirmed a new address, the way to another password is by the
// old one: who is given somebody's account by mistake does not get in.
func TestResetUnconfirmed(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, _ := m.arrived("zoe")
		m.moved(id, "typo@acme.example")
		m.run()
		if err := m.ForgotPassword(ctx, "typo@acme.example", from(1)); err != nil {
			m.Fatal(err)
		}
		letter := m.only("reset")
		if letter.To != address {
			m.Fatalf("the reset goes to %s", letter.To)
		}
		if _, err := m.SetPassword(ctx, tokenIn(m.T, letter), "An0ther!One"); err != nil {
			m.Fatal(err)
		}
		if s := m.state(m.T, m.a, id); s.Proven == "typo@acme.example" {
			m.Error("the reset proved an address that it was not sent to")
		}
		if told := m.only("the notice"); told.Template != resources.MailAccessChange || told.To != address {
			m.Errorf("the notice goes to %s", told.To)
		}
		m.clock.Advance(11 * time.Minute)
		if err := m.ForgotPassword(ctx, address, from(2)); err != nil {
			m.Fatal(err)
		}
		token := tokenIn(m.T, m.only("another reset"))
		m.moved(id, address) // back
		if _, err := m.OpenLink(ctx, token); err != nil {
			m.Errorf("to the address that came back: %v", err)
		}
	})
}

// Somebody who comes in by the provider is left nothing that was prepared: neither
// a chosen password nor a link (security H1).
func TestPreHijackSSO(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, token, code := m.invited("zoe")
		if _, err := m.SetPassword(ctx, token, fine); err != nil {
			m.Fatal(err)
		}
		m.comeIn(m.T, id, bySSO)
		_, _, arrive := m.Arrive(ctx, token, "Mallory", browser)
		m.refused(resources.CodeRequestClosed, map[string]error{"arrive": arrive, "set": errOf(m.SetPassword(ctx, token, fine))})
		if _, err := m.enters(address, fine); !resources.HasCode(err, resources.CodeSignInFailed) {
			m.Errorf("the prepared password: %v", err)
		}
		if _, err := m.UseCode(ctx, address, code, from(1)); err == nil {
			m.Error("the prepared code works")
		}
		if a, err := m.OpenLink(ctx, token); err != nil || !a.Done {
			m.Errorf("the link of who is in: %+v, %v", a, err)
		}
	})
}

// In a domain that has to sign in at its provider nobody chooses a password or
// comes in by one, and the answer follows from the domain; administrators who have
// to repair the connection can (BR-115).
func TestForcedDomain(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, address, cookie := m.arrived("zoe")
		boss, bossAddress, _ := m.arrived("boss")
		if _, err := m.GrantRole(ctx, m.admin, boss, resources.RoleFullAdmin); err != nil {
			m.Fatal(err)
		}
		s := m.wantIn(m.T, cookie, true)
		_, _, token, _ := m.invited("eva")
		newSSO(m.T, m.bundle, func(c *resources.ConnectionSpec) { c.Enforced = []string{"acme.example"} })
		m.clock.Advance(time.Minute)
		if a, err := m.OpenLink(ctx, token); err != nil || !a.Way.Forced || a.Way.Connection != "idp" {
			m.Errorf("the way is %+v, %v", a, err)
		}
		_, right := m.enters(address, fine)
		_, _, wrong := m.PasswordSignIn(ctx, address, "wrong", from(1))
		_, _, nobody := m.PasswordSignIn(ctx, "nobody@acme.example", "wrong", from(2))
		_, change := m.ChangePassword(ctx, s, fine, "An0ther!One")
		m.refused(resources.CodeSSORequired, map[string]error{"right": right, "wrong": wrong, "nobody": nobody, "change": change, "set": errOf(m.SetPassword(ctx, token, fine))})
		if err := m.ForgotPassword(ctx, address, from(3)); err != nil {
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
