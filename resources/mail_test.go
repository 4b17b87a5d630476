package resources_test

import (
	"testing"

	"github.com/usher-scim/usher/resources"
)

// The activation mail is sent once to who has a paid licence, and to nobody else
// (BR-080 … BR-082).
func TestActivationMail(t *testing.T) {
	onMails(t, func(m *mails) {
		paid := m.licensed(m.T, m.idp, "paid", "host")
		free := m.licensed(m.T, m.idp, "free", "basic")
		none := m.licensed(m.T, m.idp, "none")
		m.got("three users", m.run(), "activate paid@acme.example")
		m.got("nothing new", m.run())
		wantList(m.T, m.log(paid), "activate auto sent")
		wantList(m.T, m.log(free))
		wantList(m.T, m.log(none))
		s := m.standing(m.T, m.idp, paid)
		if s.Mails == nil || s.Mails.Count != 1 || s.Mails.Last == 0 || s.Mails.Decided == 0 {
			t.Errorf("the standing says %+v", s.Mails)
		}
		m.deactivate(m.T, m.idp, paid)
		m.got("deactivated", m.run())
		_ = resources.MailSent
	})
}

func wantList(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %q, want %q", got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
			return
		}
	}
}
