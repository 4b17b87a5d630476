package resources_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

const fortnight = 15 * 24 * time.Hour

// comes creates a user with an address, as who asks, and signs it in.
func (m *mails) comes(c resources.Caller, userName, address string) string {
	m.Helper()
	id := m.stranger(c, userName, address)
	key, _ := resources.EmailKey(address)
	if err := m.Prove(m.Context(), m.a.Org, id, key); err != nil {
		m.Fatal(err)
	}
	m.comeIn(m.T, id, byPassword)
	return id
}

// stranger is a user who never came in.
func (m *mails) stranger(c resources.Caller, userName, address string) string {
	m.Helper()
	rec, err := m.CreateUser(m.Context(), c, userDoc(m.T, userName, address))
	if err != nil {
		m.Fatal(err)
	}
	return rec.ID
}

// moves gives a user another address.
func (m *mails) moves(c resources.Caller, id, address string) {
	m.Helper()
	if _, _, err := m.UpdateUser(m.Context(), c, id, set("emails", jsontree.Arr(jsontree.Obj(jsontree.Str(address).As("value"))))); err != nil {
		m.Fatal(err)
	}
	m.clock.Advance(time.Millisecond)
}

// wantAddress checks the address of a user, whether it is proven, and whose
// another one is.
func (m *mails) wantAddress(id, address string, proven bool) {
	m.Helper()
	rec, err := m.store.Get(m.Context(), m.a.Org, resources.KindUser, id)
	if err != nil || rec == nil {
		m.Fatalf("user %s: %v", id, err)
	}
	doc := parse(m.T, string(rec.Profile))
	u := resources.UserOf(&doc)
	if u.Identity != address {
		m.Errorf("the address is %s, want %s", u.Identity, address)
	}
	if got := doc.Get(resources.LifecycleURN).Get("emailVerified").Kind == jsontree.True; got != proven {
		m.Errorf("%s is proven: %v, want %v", address, got, proven)
	}
}

// wantFree checks whether an address can be somebody else's.
func (m *mails) wantFree(address string, free bool) {
	m.Helper()
	key, _ := resources.EmailKey(address)
	holder, _, err := m.store.Holder(m.Context(), resources.Claim{Kind: resources.ClaimEmail, Key: key})
	if err != nil || (holder == "") != free {
		m.Errorf("%s is held by %q, want it free: %v; %v", address, holder, free, err)
	}
}

// TestAddressConfirmed: an administrator gives somebody another address; both are
// told, and who has the new one confirms it (BR-005, E-17).
func TestAddressConfirmed(t *testing.T) {
	onMails(t, func(m *mails) {
		id := m.comes(m.admin, "zoe", "Zoe@acme.example")
		m.moves(m.admin, id, "zoe@new.example")
		m.wantAddress(id, "zoe@new.example", false)
		m.wantFree("zoe@acme.example", false)
		letters := m.run()
		m.got("both", letters, "new-address zoe@new.example", "old-address Zoe@acme.example")
		token := ""
		for _, l := range letters {
			if l.Data.Old != "Zoe@acme.example" || l.Data.New != "zoe@new.example" || l.Data.Until.Sub(m.clock.Now()).Round(time.Hour) != fortnight {
				m.Errorf("%s tells %+v", l.Template, l.Data)
			}
			if l.Template == resources.MailNewAddress {
				_, token, _ = strings.Cut(l.Path, "?t=")
			} else if l.Path != "" {
				m.Errorf("the old address gets the link %s", l.Path)
			}
		}
		m.clock.Advance(14 * 24 * time.Hour) // nearly too late
		if _, err := m.ConfirmLink(m.Context(), token); err != nil {
			m.Fatal(err)
		}
		m.wantAddress(id, "zoe@new.example", true)
		m.wantFree("zoe@acme.example", true)
		m.clock.Advance(fortnight)
		m.got("later", m.run())
		m.wantAddress(id, "zoe@new.example", true)
	})
}

// TestAddressReverts: an address that nobody confirms goes back after fifteen days,
// the userName with it; the old one is the user's all the while (BR-005).
func TestAddressReverts(t *testing.T) {
	onMails(t, func(m *mails) {
		id := m.comes(m.admin, "Zoe@acme.example", "zoe@acme.example")
		eva := m.comes(m.admin, "eva", "eva@acme.example")
		if _, _, err := m.UpdateUser(m.Context(), m.admin, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Set("userName", jsontree.Str("zoe@new.example"))
			doc.Set("emails", parse(m.T, `[{"value":"zoe@home.example","type":"home"},{"value":"zoe@new.example","primary":true}]`))
			return doc, nil
		}); err != nil {
			m.Fatal(err)
		}
		_, err := m.CreateUser(m.Context(), m.admin, userDoc(m.T, "other", "zoe@acme.example"))
		wantCode(m.T, err, resources.CodeEmailInUse)
		m.moves(m.admin, eva, "eva@one.example")
		m.clock.Advance(24 * time.Hour)
		m.moves(m.admin, eva, "eva@two.example")
		m.wantFree("eva@one.example", true)
		m.got("told", m.run(), "new-address zoe@new.example", "old-address zoe@acme.example", "old-address eva@acme.example",
			"old-address eva@acme.example", "new-address eva@two.example")

		m.clock.Advance(fortnight - 24*time.Hour)
		m.got("reverts", m.run())
		m.wantAddress(id, "zoe@acme.example", true)
		m.wantFree("zoe@new.example", true)
		rec, err := m.Get(m.Context(), m.admin, resources.KindUser, id)
		if err != nil {
			m.Fatal(err)
		}
		doc := parse(m.T, string(rec.Profile))
		if name := doc.GetString("userName"); name != "Zoe@acme.example" {
			m.Errorf("the userName is %s", name)
		}
		if told := m.told(m.T, id); told[len(told)-1] != "user.address_back BR-005" {
			m.Errorf("told %q", told)
		}
		m.wantAddress(eva, "eva@two.example", false)
		m.clock.Advance(24 * time.Hour)
		m.run()
		m.wantAddress(eva, "eva@acme.example", true)
		m.wantFree("eva@two.example", true)
	})
}

// TestAddressNameTaken: a userName that somebody else has taken by then does not
// keep the address from going back.
func TestAddressNameTaken(t *testing.T) {
	onMails(t, func(m *mails) {
		id := m.comes(m.admin, "zoe@acme.example", "zoe@acme.example")
		both := func(address string) resources.Edit {
			return func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
				doc.Set("userName", jsontree.Str(address))
				doc.Set("emails", parse(m.T, fmt.Sprintf(`[{"value":%q}]`, address)))
				return doc, nil
			}
		}
		if _, _, err := m.UpdateUser(m.Context(), m.admin, id, both("zoe@new.example")); err != nil {
			m.Fatal(err)
		}
		m.stranger(m.admin, "zoe@acme.example", "someone@acme.example")
		bare, err := m.CreateUser(m.Context(), m.admin, parse(m.T, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob@acme.example"}`))
		if err != nil {
			m.Fatal(err)
		}
		m.comeIn(m.T, bare.ID, byPassword)
		if _, _, err := m.UpdateUser(m.Context(), m.admin, bare.ID, set("userName", jsontree.Str("bob@new.example"))); err != nil {
			m.Fatal(err)
		}
		m.stranger(m.admin, "bob@acme.example", "somebody@acme.example")
		m.clock.Advance(fortnight)
		m.run()
		m.wantAddress(id, "zoe@acme.example", true)
		m.wantAddress(bare.ID, "bob@new.example", false) // there is no other place for an address
		m.wantFree("bob@acme.example", true)
	})
}

// TestAddressOtherwise: changes that nobody confirms: back to the old one, by who
// never came in, within and into verified domains, by the identity provider (BR-005,
// security H3, S6).
func TestAddressOtherwise(t *testing.T) {
	onMails(t, func(m *mails) {
		err := m.Replan(m.Context(), m.a, func(p *resources.Plan) {
			now := m.clock.Now()
			p.Domains = append(p.Domains, resources.Domain{Name: "home.example", State: resources.DomainVerified, Added: now, Verified: now, Checked: now})
		})
		if err != nil {
			m.Fatal(err)
		}
		back := m.comes(m.admin, "back", "back@acme.example")
		m.moves(m.admin, back, "back@new.example")
		m.moves(m.admin, back, "back@acme.example")
		m.wantAddress(back, "back@acme.example", true)
		m.wantFree("back@new.example", true)
		m.got("back", m.run(), "old-address back@acme.example")

		never := m.stranger(m.admin, "never", "never@acme.example")
		m.moves(m.admin, never, "never@new.example")
		m.wantFree("never@acme.example", true)

		inside := m.comes(m.admin, "inside", "one@home.example")
		m.moves(m.admin, inside, "two@home.example")
		m.wantAddress(inside, "two@home.example", true)
		m.wantFree("one@home.example", true)
		m.got("nobody", m.run())

		into := m.comes(m.admin, "into", "into@acme.example")
		m.moves(m.admin, into, "into@home.example")
		m.wantAddress(into, "into@home.example", true)
		m.wantFree("into@acme.example", true)
		m.got("into", m.run(), "old-address into@acme.example")

		synced := m.comes(m.idp, "synced", "synced@acme.example")
		m.moves(m.idp, synced, "synced@new.example")
		m.wantAddress(synced, "synced@new.example", false)
		m.wantFree("synced@acme.example", true)
		letters := m.run()
		m.got("synced", letters, "old-address synced@acme.example", "new-address synced@new.example")
		for _, l := range letters {
			if !l.Data.Until.IsZero() {
				m.Errorf("%s promises to go back at %s", l.Template, l.Data.Until)
			}
		}
		m.clock.Advance(fortnight)
		m.got("later", m.run())
		m.wantAddress(synced, "synced@new.example", false)
	})
}

// TestAddressDeleted: who is deleted gives both addresses back.
func TestAddressDeleted(t *testing.T) {
	onMails(t, func(m *mails) {
		id := m.comes(m.admin, "zoe", "zoe@acme.example")
		m.moves(m.admin, id, "zoe@new.example")
		if err := m.DeleteUser(m.Context(), m.admin, id, nil); err != nil {
			m.Fatal(err)
		}
		m.wantFree("zoe@acme.example", true)
		m.wantFree("zoe@new.example", true)
		m.clock.Advance(fortnight)
		m.got("nobody is told", m.run())
	})
}
