package resources_test

import (
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// Full administrators are told in the morning, once a day, what needs somebody to
// look at, as long as there is something (E-16).
func TestDigest(t *testing.T) {
	onMails(t, func(m *mails) {
		boss, clerk := m.licensed(m.T, m.idp, "boss"), m.licensed(m.T, m.idp, "clerk")
		m.role(boss, resources.RoleFullAdmin)
		m.role(clerk, resources.RoleReadOnly)
		m.settings(func(s *resources.Settings) { s.TimeZone = "Europe/Paris" })
		m.clock.Advance(24 * time.Hour)
		m.got("nothing is wrong", m.run())
		m.units(1)
		m.licensed(m.T, m.idp, "seated", "host")
		m.licensed(m.T, m.idp, "waiting", "host")
		lost := m.user(m.T, m.idp, "lost")
		m.run()
		m.clock.set(time.Date(2026, 3, 4, 5, 59, 0, 0, time.UTC))
		m.got("before seven in Paris", m.run())
		m.clock.set(time.Date(2026, 3, 4, 6, 1, 0, 0, time.UTC))
		letters := m.run()
		m.got("at seven", letters, "digest boss@acme.example")
		if d := letters[0].Data; d.Issues["no_seats_available"] != 1 || d.Issues["missing_email"] != 1 || len(d.Issues) != 2 || d.Alerts != 1 {
			m.Errorf("it tells %+v", d)
		}
		m.clock.Advance(10 * time.Hour)
		m.got("once a day", m.run())
		if err := m.DeleteUser(m.Context(), m.idp, lost, nil); err != nil {
			m.Fatal(err)
		}
		m.clock.set(time.Date(2026, 3, 5, 6, 1, 0, 0, time.UTC))
		letters = m.run()
		m.got("the next day", letters, "digest boss@acme.example")
		if d := letters[0].Data; len(d.Issues) != 1 {
			m.Errorf("it tells %+v", d)
		}
		m.units(2)
		m.run()
		m.clock.set(time.Date(2026, 3, 6, 6, 1, 0, 0, time.UTC))
		m.got("when all is well", digests(m.run()))
		m.settings(func(s *resources.Settings) { s.NoDigest = true })
		m.user(m.T, m.idp, "lost")
		m.clock.Advance(48 * time.Hour)
		m.got("not wanted", digests(m.run()))
		audit(m.T, m.bundle)
	})
}

func digests(letters []resources.Letter) (out []resources.Letter) {
	for _, l := range letters {
		if l.Template == resources.MailDigest {
			out = append(out, l)
		}
	}
	return out
}

// Who asked for a job is told of its end, when the token stands for a user (E-18).
func TestJobMail(t *testing.T) {
	m := newMails(t, "")
	boss := m.licensed(t, m.idp, "boss")
	m.role(boss, resources.RoleFullAdmin)
	m.run()
	admin := m.admin
	if _, err := m.RetryLicences(t.Context(), admin, "host"); err != nil {
		t.Fatal(err)
	}
	m.got("by nobody", m.run())
	admin.User = boss
	job, err := m.RetryLicences(t.Context(), admin, "host")
	if err != nil {
		t.Fatal(err)
	}
	letters := m.run()
	m.got("by the boss", letters, "job-done boss@acme.example")
	if j := letters[0].Data.Job; j == nil || j.ID != job.ID || j.State != "done" || j.Type != "licence-retry" {
		t.Errorf("it tells %+v", j)
	}
	if job, err = m.RetryLicences(t.Context(), admin, "host"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.CancelJob(t.Context(), admin, job.ID); err != nil {
		t.Fatal(err)
	}
	m.got("cancelled", m.run())
}
