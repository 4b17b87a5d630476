package resources_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// mailed is a mail to a user as a worker finds it, with the link that it carries.
type mailed struct {
	*resources.Mail
	token, code string
	expires     time.Time
}

// carry makes a mail for a user and mints what it carries.
func (b *bundle) carry(t *testing.T, c resources.Caller, user, to string, purpose resources.Purpose) mailed {
	t.Helper()
	b.clock.Advance(time.Millisecond)
	id, err := resources.NewID(resources.KindSetting, b.clock.Now(), zeroes{})
	if err != nil {
		t.Fatal(err)
	}
	m := mailed{Mail: &resources.Mail{ID: id, User: user, To: to, Purpose: purpose}}
	b.mintAgain(t, c, &m)
	return m
}

// zeroes is no randomness: mails of a test differ by their time.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (b *bundle) mintAgain(t *testing.T, c resources.Caller, m *mailed) {
	t.Helper()
	var err error
	if m.token, m.code, m.expires, err = b.mint(t.Context(), c, m.Mail); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) mint(ctx context.Context, c resources.Caller, m *resources.Mail) (token, code string, expires time.Time, err error) {
	token, code, ms, err := b.Mint(ctx, resources.Lease{Org: c.Org}, m)
	return token, code, time.UnixMilli(ms), err
}

// newcomer is a user with an address, and the mail that invites it.
func (b *bundle) newcomer(t *testing.T, c resources.Caller, name string) mailed {
	t.Helper()
	id := b.licensed(t, c, name)
	return b.carry(t, c, id, name+"@acme.example", resources.PurposeActivate)
}

func (b *bundle) state(t *testing.T, c resources.Caller, user string) resources.Standing {
	t.Helper()
	rec, err := b.store.Get(t.Context(), c.Org, resources.KindUser, user)
	if err != nil || rec == nil {
		t.Fatalf("get %s: %v, %v", user, rec, err)
	}
	return resources.StandingOf(rec)
}

// The same mail carries the same link and code however often it is rendered, and
// another mail another; the store has neither (BR-101).
func TestMint(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		first := b.newcomer(t, b.a, "zoe")
		again := first
		b.clock.Advance(time.Hour)
		b.mintAgain(t, b.a, &again)
		if again != first {
			t.Errorf("rendered again %+v, want %+v", again, first)
		}
		if len(first.code) != 6 || strings.Trim(first.code, "0123456789") != "" {
			t.Errorf("code %q", first.code)
		}
		if life := first.expires.Sub(b.clock.Now().Add(-time.Hour)); life > 10*24*time.Hour || life < 10*24*time.Hour-time.Second {
			t.Errorf("the link lives %s", life)
		}
		second := b.carry(t, b.a, first.User, first.To, resources.PurposeActivate)
		if second.token == first.token {
			t.Error("two mails carry the same link")
		}
		if _, err := b.OpenLink(t.Context(), first.token); !resources.HasCode(err, resources.CodeActivationExpired) {
			t.Errorf("the link that another replaced: %v", err)
		}
		if a, err := b.OpenLink(t.Context(), second.token); err != nil || a.Proven || a.Done || a.Person.ID != second.User {
			t.Errorf("open: %+v, %v", a, err)
		}
		if _, _, _, err := b.mint(t.Context(), b.a, first.Mail); !resources.HasCode(err, resources.CodeRequestClosed) {
			t.Errorf("an older mail took the link back: %v", err)
		}
	})
}

// What ends a link ends it at once (domain.md §3.2, security I5, V11), and the
// answer is the same for all (security I4).
func TestLinkEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		for name, end := range map[string]func(m mailed){
			"expired":     func(mailed) { b.clock.Advance(10 * 24 * time.Hour) },
			"deactivated": func(m mailed) { b.deactivate(t, b.a, m.User) },
			"deleted": func(m mailed) {
				if err := b.DeleteUser(t.Context(), b.a, m.User, nil); err != nil {
					t.Fatal(err)
				}
			},
			"another address": func(m mailed) {
				emails := parse(t, `[{"value":"other@acme.example"}]`)
				if _, _, err := b.UpdateUser(t.Context(), b.a, m.User, set("emails", emails)); err != nil {
					t.Fatal(err)
				}
			},
			"deactivated for a while": func(m mailed) {
				b.deactivate(t, b.a, m.User)
				if _, _, err := b.UpdateUser(t.Context(), b.a, m.User, set("active", jsontree.Bool(true))); err != nil {
					t.Fatal(err)
				}
			},
		} {
			m := b.newcomer(t, b.a, strings.ReplaceAll(name, " ", "-"))
			if _, err := b.OpenLink(t.Context(), m.token); err != nil {
				t.Fatalf("%s: before: %v", name, err)
			}
			end(m)
			for act, err := range map[string]error{"open": errOf(b.OpenLink(t.Context(), m.token)), "confirm": errOf(b.ConfirmLink(t.Context(), m.token))} {
				if !resources.HasCode(err, resources.CodeActivationExpired) {
					t.Errorf("%s: %s: %v", name, act, err)
				}
			}
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// GET on a link changes nothing, POST proves the address (BR-109, security I2).
func TestScannerPrefetch(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		m := b.newcomer(t, b.a, "zoe")
		before := b.events(t, b.a)
		for range 20 {
			if _, err := b.OpenLink(t.Context(), m.token); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.events(t, b.a); n != before || b.state(t, b.a, m.User).State != resources.StateNotVerified {
			t.Errorf("opening a link changed something: %d events, before %d", n, before)
		}
		for range 2 {
			a, err := b.ConfirmLink(t.Context(), m.token)
			if err != nil || !a.Proven {
				t.Fatalf("confirm: %+v, %v", a, err)
			}
		}
		if s := b.state(t, b.a, m.User); s.Proven != "zoe@acme.example" {
			t.Errorf("after confirming: %+v", s)
		}
	})
}

func (b *bundle) events(t *testing.T, c resources.Caller) int {
	t.Helper()
	list, err := b.store.Events(t.Context(), c.Org, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
