package resources_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// from is a visitor at one of many addresses, each in a network of its own.
func from(n int) resources.Visitor {
	return resources.Visitor{Address: fmt.Sprintf("10.%d.%d.1", n/250, n%250), Agent: "Firefox"}
}

// wrongOf is a code that is not this one.
func wrongOf(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// The code with the address is as good as the link, on any device (BR-102), with
// leading zeros and with the spaces that people copy.
func TestCode(t *testing.T) {
	onArrivals(t, func(m *mails) {
		for n := 0; ; n++ { // until there is a code that begins with a zero
			_, address, token, code := m.invited(fmt.Sprintf("u%d", n))
			for i, text := range []string{code, code[:3] + " " + code[3:], " " + code + "\n"} {
				got, err := m.UseCode(m.Context(), strings.ToUpper(address), text, from(10*n+i))
				if err != nil || got != token {
					m.Fatalf("%q: %v, the link of the same mail: %v", text, err, got == token)
				}
			}
			if strings.TrimLeft(code, "0") == code {
				if n < 200 {
					continue
				}
				m.Fatal("no code begins with a zero")
			}
			short := strings.TrimLeft(code, "0")
			if _, err := m.UseCode(m.Context(), address, short, from(10*n+5)); !resources.HasCode(err, resources.CodeWrongCode) {
				m.Errorf("without its zeros %q: %v", code, err)
			}
			return
		}
	})
}

// Of five hundred tries at once at most five are looked at, whoever makes them
// (BR-101, security C1).
func TestCodeBruteForce(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address, token, code := m.invited("zoe")
		var looked, refused atomic.Int64
		var wg sync.WaitGroup
		for n := range 500 {
			wg.Go(func() {
				switch got, err := m.UseCode(m.Context(), address, code, from(n)); {
				case err == nil && got == token:
					looked.Add(1) // a right code that was not refused was looked at
				case resources.HasCode(err, resources.CodeWrongCode), resources.HasCode(err, resources.CodeCodeLocked), resources.HasCode(err, resources.CodeRateLimited):
					refused.Add(1)
				default:
					m.Error(err)
				}
			})
		}
		wg.Wait()
		if looked.Load() != 5 || refused.Load() != 495 {
			m.Errorf("%d tries were looked at, %d refused", looked.Load(), refused.Load())
		}
	})
}

// Five wrong codes lock the code and not the link; another mail has another code.
// For an address that is nobody's everything looks the same.
func TestCodeLocks(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, token, code := m.invited("zoe")
		for n := range 10 {
			want := resources.CodeWrongCode
			if n >= 5 {
				want = resources.CodeCodeLocked
			}
			_, known := m.UseCode(ctx, address, wrongOf(code), from(2*n))
			_, nobody := m.UseCode(ctx, "nobody@acme.example", "123456", from(2*n+1))
			m.refused(want, map[string]error{"somebody": known, "nobody": nobody})
		}
		_, known := m.UseCode(ctx, address, code, from(50))
		_, nobody := m.UseCode(ctx, "nobody@acme.example", "123456", from(51))
		m.refused(resources.CodeRateLimited, map[string]error{"somebody": known, "nobody": nobody})
		m.clock.Advance(time.Hour + time.Second)
		if _, err := m.UseCode(ctx, address, code, from(52)); !resources.HasCode(err, resources.CodeCodeLocked) {
			m.Errorf("the right code of a locked one: %v", err)
		}
		if _, err := m.OpenLink(ctx, token); err != nil {
			m.Errorf("the link is locked too: %v", err)
		}
		letter := m.invite(id)
		if got, err := m.UseCode(ctx, address, letter.Code, from(53)); err != nil || got != tokenIn(m.T, letter) {
			m.Errorf("the code of the next mail: %v", err)
		}
	})
}

// Codes that do not work any more are expired to who has them, and wrong to
// everybody else; tries are bounded by network too.
func TestCodeEnds(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, address, _, code := m.invited("zoe")
		m.deactivate(m.T, m.a, id)
		if _, err := m.UseCode(ctx, address, code, from(1)); !resources.HasCode(err, resources.CodeActivationExpired) {
			m.Errorf("of who was deactivated: %v", err)
		}
		if _, err := m.UseCode(ctx, address, wrongOf(code), from(1)); !resources.HasCode(err, resources.CodeWrongCode) {
			m.Errorf("a wrong one: %v", err)
		}
		_, address, _, code = m.invited("eva")
		m.clock.Advance(10*24*time.Hour + time.Second)
		if _, err := m.UseCode(ctx, address, code, from(1)); !resources.HasCode(err, resources.CodeActivationExpired) {
			m.Errorf("after ten days: %v", err)
		}
		for n := range 31 {
			_, err := m.UseCode(ctx, fmt.Sprintf("u%d@acme.example", n), "123456", from(7))
			if resources.HasCode(err, resources.CodeRateLimited) != (n == 30) {
				m.Errorf("try %d from one network: %v", n+1, err)
			}
		}
		m.settings(func(s *resources.Settings) { s.HideCode = true })
		_, address, _, code = m.invited("mia")
		if code != "" {
			m.Errorf("a hidden code is %q", code)
		}
		if _, err := m.UseCode(ctx, address, "", from(9)); !resources.HasCode(err, resources.CodeWrongCode) {
			m.Errorf("no code where codes are hidden: %v", err)
		}
	})
}

// A code activates, and does nothing else (security C1, TestCodeOtherPurpose).
func TestCodeOtherPurpose(t *testing.T) {
	m := newArrivals(t, "", cheapest)
	id, address, _ := m.arrived("zoe")
	reset := m.carry(t, m.a, id, address, resources.PurposeReset)
	if reset.code != "" {
		t.Errorf("a reset has the code %q", reset.code)
	}
	if _, err := m.UseCode(t.Context(), address, "", from(1)); !resources.HasCode(err, resources.CodeWrongCode) {
		t.Errorf("no code: %v", err)
	}
}

// Who follows an expired link gets a new one, once in ten minutes; the answer is
// the same for everybody (BR-111, E-03).
func TestSendAgain(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		_, address, token, _ := m.invited("zoe")
		m.arrived("eva")
		off, offAddress := m.person("off")
		m.deactivate(m.T, m.a, off)
		m.clock.Advance(10*24*time.Hour + time.Second)
		m.run()
		for name, ask := range map[string][2]string{
			"unknown": {"", "nobody@acme.example"}, "active": {"", "eva@acme.example"}, "inactive": {"", offAddress}, "no address": {"", "rubbish"},
			"unknown link": {token[:70] + "00", ""}, "no link": {"rubbish", ""}, "link of nobody": {token[:20] + "00000000000000000008" + token[40:], ""},
		} {
			if err := m.SendAgain(ctx, ask[0], ask[1], from(1)); err != nil {
				m.Errorf("%s: %v", name, err)
			}
		}
		if letters := m.run(); len(letters) != 0 {
			m.Fatalf("letters went out: %+v", letters)
		}
		for range 2 {
			if err := m.SendAgain(ctx, token, "", from(2)); err != nil {
				m.Fatal(err)
			}
		}
		letter := m.only("by the old link")
		if letter.Template != resources.MailAgain || letter.To != address || letter.Code == "" {
			m.Errorf("the letter is %+v", letter.Mail)
		}
		m.refused(resources.CodeActivationExpired, map[string]error{"old": errOf(m.OpenLink(ctx, token))})
		if a, err := m.OpenLink(ctx, tokenIn(m.T, letter)); err != nil || a.Done {
			m.Errorf("the new link: %+v, %v", a, err)
		}
		m.clock.Advance(10*time.Minute + time.Second)
		if err := m.SendAgain(ctx, "", address, from(2)); err != nil {
			m.Fatal(err)
		}
		m.only("by address")
	})
}

// Who may ask how often does not depend on whether there is anybody (security C1).
func TestSendAgainLimits(t *testing.T) {
	onArrivals(t, func(m *mails) {
		_, address := m.person("zoe")
		for n := range 4 {
			for i, to := range []string{address, "nobody@acme.example"} {
				err := m.SendAgain(m.Context(), "", to, from(2*n+i))
				if resources.HasCode(err, resources.CodeRateLimited) != (n == 3) {
					m.Errorf("%s for the %d. time: %v", to, n+1, err)
				}
			}
		}
		for n := range 31 {
			err := m.ForgotPassword(m.Context(), fmt.Sprintf("u%d@acme.example", n), from(77))
			if resources.HasCode(err, resources.CodeRateLimited) != (n == 30) {
				m.Errorf("mail %d from one network: %v", n+1, err)
			}
		}
	})
}

// Where the organization does not want it nobody is sent another link (BR-111).
func TestNoSelfResend(t *testing.T) {
	m := newArrivals(t, "", cheapest)
	_, address := m.person("zoe")
	m.settings(func(s *resources.Settings) { s.NoSelfResend = true })
	if err := m.SendAgain(t.Context(), "", address, from(1)); err != nil {
		t.Fatal(err)
	}
	if err := m.ForgotPassword(t.Context(), address, from(2)); err != nil {
		t.Fatal(err)
	}
	if letters := m.run(); len(letters) != 0 {
		t.Errorf("letters went out: %+v", letters)
	}
}
