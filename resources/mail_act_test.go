package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// One user is sent the activation mail by hand, once in ten minutes (BR-084,
// BR-092), free licences or not (BR-082).
func TestSendActivation(t *testing.T) {
	onMails(t, func(m *mails) {
		free := m.licensed(m.T, m.idp, "free", "basic")
		first, err := m.SendActivation(m.Context(), m.admin, free)
		if err != nil || first.State != resources.MailQueued || first.By != "test" || first.Trigger != resources.TriggerManual {
			m.Fatalf("%+v, %v", first, err)
		}
		_, err = m.SendActivation(m.Context(), m.admin, free)
		fails(m.T, err, resources.CodeRateLimited, "") // one is queued
		letters := m.run()
		m.got("by hand", letters, "activate free@acme.example")
		m.clock.Advance(9 * time.Minute)
		_, err = m.SendActivation(m.Context(), m.admin, free)
		fails(m.T, err, resources.CodeRateLimited, "")
		m.clock.Advance(2 * time.Minute)
		m.asks(free)
		again := m.run()
		m.got("again", again, "activate free@acme.example")
		if again[0].Path == letters[0].Path || !again[0].Expires.After(letters[0].Expires) {
			m.Errorf("the second link is %s until %s, the first was %s until %s", again[0].Path, again[0].Expires, letters[0].Path, letters[0].Expires)
		}
		_, err = m.OpenLink(m.Context(), strings.TrimPrefix(letters[0].Path, "/activate?t="))
		fails(m.T, err, resources.CodeActivationExpired, "")

		off := m.licensed(m.T, m.idp, "off")
		m.active(off, false)
		_, err = m.SendActivation(m.Context(), m.admin, off)
		fails(m.T, err, resources.CodeUserInactive, "")
		in := m.licensed(m.T, m.idp, "in")
		m.came(in)
		_, err = m.SendActivation(m.Context(), m.admin, in)
		fails(m.T, err, resources.CodeRequestClosed, "")
		_, err = m.SendActivation(m.Context(), m.admin, m.user(m.T, m.idp, "nowhere"))
		fails(m.T, err, resources.CodeMissingEmail, "emails")
		for _, id := range []string{"", "x", free[:19] + "1"} {
			_, err = m.SendActivation(m.Context(), m.admin, id)
			fails(m.T, err, resources.CodeNotFound, "")
		}
		_, err = m.SendActivation(m.Context(), m.idp, free)
		fails(m.T, err, resources.CodeForbidden, "")
		audit(m.T, m.bundle)
	})
}

// The same request sent twice is one mail; many requests at once, too.
func TestSendActivationOnce(t *testing.T) {
	m := newMails(t, "")
	u := m.licensed(t, m.idp, "u")
	again := m.admin
	again.NewID = m.newSetting()
	for range 2 {
		sent, err := m.SendActivation(t.Context(), again, u)
		if err != nil || sent.ID != again.NewID {
			t.Errorf("%+v, %v", sent, err)
		}
	}
	m.got("once", m.run(), "activate u@acme.example")
	v := m.licensed(t, m.idp, "v")
	var wg sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for range 20 {
		wg.Go(func() {
			_, err := m.SendActivation(t.Context(), m.admin, v)
			if err == nil {
				mu.Lock()
				sent++
				mu.Unlock()
			} else {
				fails(t, err, resources.CodeRateLimited, "")
			}
		})
	}
	wg.Wait()
	if m.got("at once", m.run(), "activate v@acme.example"); sent != 1 {
		t.Errorf("%d were told that it is sent", sent)
	}
}

// An organization asks for a thousand mails an hour one by one (security X6).
func TestMailFlood(t *testing.T) {
	m := newMails(t, "")
	for range 1000 {
		if _, err := m.store.Count(t.Context(), m.a.Org, "mails", "asked", m.clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	u := m.licensed(t, m.idp, "u")
	_, err := m.SendActivation(t.Context(), m.admin, u)
	fails(t, err, resources.CodeRateLimited, "")
	m.clock.Advance(time.Hour)
	m.asks(u)
}

// Everybody who has not come yet is written to by a job, after a look at how many
// they are and a confirmation; who was written to just now is left out (BR-091).
func TestSendBulk(t *testing.T) {
	onMails(t, func(m *mails) {
		var want []string
		for i := range 60 {
			name := fmt.Sprintf("b-%02d", i)
			m.licensed(m.T, m.idp, name)
			want = append(want, "activate "+name+"@acme.example")
		}
		m.licensed(m.T, m.idp, "just", "host")
		m.got("by itself", m.run(), "activate just@acme.example")
		off, in, lost := m.licensed(m.T, m.idp, "off"), m.licensed(m.T, m.idp, "in"), m.user(m.T, m.idp, "lost")
		m.active(off, false)
		m.came(in)

		n, j, err := m.SendBulk(m.Context(), m.admin, true, false)
		if err != nil || n != 62 || j != nil {
			m.Errorf("a look gives %d, %+v, %v", n, j, err)
		}
		_, _, err = m.SendBulk(m.Context(), m.admin, false, false)
		fails(m.T, err, resources.CodeConfirmation, "confirm")
		j = m.bulk()
		_, _, err = m.SendBulk(m.Context(), m.admin, false, true)
		fails(m.T, err, resources.CodeJobRunning, "")
		var came []resources.Letter
		for range 5 {
			came = append(came, m.run()...)
			m.clock.Advance(time.Second)
		}
		m.got("in bulk", came, want...)
		if j, err = m.Job(m.Context(), m.admin, j.ID); err != nil || j.State != resources.JobDone || j.Total != 62 || j.Done != 62 || j.Failed != 1 || string(j.Result) != `{"queued":60,"skipped":1}` {
			m.Errorf("the job %+v (%s), %v", j, j.Result, err)
		}
		if err := m.JobErrors(m.Context(), m.admin, j.ID, func(e resources.JobError) error {
			if e.Item != lost || e.Code != resources.CodeMissingEmail {
				m.Errorf("error %+v", e)
			}
			return nil
		}); err != nil {
			m.Error(err)
		}
		m.bulk()
		m.got("again at once", m.run())
		_, _, err = m.SendBulk(m.Context(), m.idp, true, false)
		fails(m.T, err, resources.CodeForbidden, "")
		audit(m.T, m.bundle)
	})
}

// A step of the job that runs again, because what it committed last was lost,
// writes to nobody twice (BR-264).
func TestSendBulkAgain(t *testing.T) {
	m := newMails(t, "")
	for i := range 5 {
		m.licensed(t, m.idp, fmt.Sprintf("b-%d", i))
	}
	j := m.bulk()
	l := m.lease(t, m.a.Org)
	job := m.dueItem(t, m.a.Org, "j"+j.ID)
	if err := m.BulkStep(t.Context(), l, j); err != nil {
		t.Fatal(err)
	}
	if err := m.WorkOn(t.Context(), l, job); err != nil {
		t.Fatal(err)
	}
	var came []resources.Letter
	for range 3 {
		came = append(came, m.run()...)
		m.clock.Advance(time.Minute)
	}
	if len(came) != 5 {
		t.Errorf("%d letters to five", len(came))
	}
}

// Who has never come in is found, with how often and when they were written to
// (BR-084, BR-090).
func TestNeverActivated(t *testing.T) {
	m := newMails(t, "")
	a, b, c := m.licensed(t, m.idp, "a", "host"), m.licensed(t, m.idp, "b"), m.licensed(t, m.idp, "c")
	m.active(c, false)
	m.came(m.licensed(t, m.idp, "d"))
	m.run()
	page, err := m.Users(t.Context(), m.admin, resources.UserQuery{State: resources.NeverActivated})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, rec := range page.Records {
		ids = append(ids, rec.ID)
	}
	sameIDs(t, "never activated", ids, []string{a, b})
}

// Links are exported when the organization wants that, which is audited; they work
// and replace those that were sent (BR-088).
func TestExportLinks(t *testing.T) {
	onMails(t, func(m *mails) {
		a, b := m.licensed(m.T, m.idp, "a", "host"), m.licensed(m.T, m.idp, "b")
		m.user(m.T, m.idp, "lost")
		sent := m.run()
		_, _, err := m.ExportLinks(m.Context(), m.admin, "", 10)
		fails(m.T, err, resources.CodeForbidden, "")
		m.settings(func(s *resources.Settings) { s.ExportLinks = true })
		m.clock.Advance(time.Second)
		var links []resources.ExportedLink
		after := ""
		for range 10 {
			list, next, err := m.ExportLinks(m.Context(), m.admin, after, 1)
			if err != nil {
				m.Fatal(err)
			}
			links = append(links, list...)
			if after = next; after == "" {
				break
			}
		}
		if len(links) != 2 || links[0].User != a || links[1].User != b || links[0].UserName != "a" || links[1].Email != "b@acme.example" {
			m.Fatalf("exported %+v", links)
		}
		for _, l := range links {
			if _, err := m.OpenLink(m.Context(), strings.TrimPrefix(l.Path, "/activate?t=")); err != nil || len(l.Code) != 6 || l.Expires.Before(m.clock.Now()) {
				m.Errorf("%+v: %v", l, err)
			}
		}
		_, err = m.OpenLink(m.Context(), strings.TrimPrefix(sent[0].Path, "/activate?t="))
		fails(m.T, err, resources.CodeActivationExpired, "")
		m.logged(b, "activate export exported")
		m.got("nothing", m.run())
		events, _, err := m.Timeline(m.Context(), m.admin, b, "", 10, 1000)
		if err != nil || !slices.ContainsFunc(events, func(e resources.StoredEvent) bool { return e.Type == "mail.exported" && e.Actor == "test" }) {
			m.Errorf("the timeline says %+v, %v", events, err)
		}
		_, _, err = m.ExportLinks(m.Context(), m.idp, "", 10)
		fails(m.T, err, resources.CodeForbidden, "")
		audit(m.T, m.bundle)
	})
}

// The log of mails is listed by user and state, newest first, kept for 400 days,
// and read by administrators only.
func TestMailLog(t *testing.T) {
	onMails(t, func(m *mails) {
		a, b := m.licensed(m.T, m.idp, "a", "host"), m.licensed(m.T, m.idp, "b", "host")
		m.run()
		m.clock.Advance(time.Hour)
		m.asks(a)
		m.logged(a, "activate manual queued", "activate auto sent")
		m.logged(b, "activate auto sent")
		all, next, err := m.Mails(m.Context(), m.admin, "", "", "", 2)
		if err != nil || len(all) != 2 || next == "" || all[0].Trigger != resources.TriggerManual {
			m.Fatalf("%+v %q, %v", all, next, err)
		}
		if rest, _, err := m.Mails(m.Context(), m.admin, "", "", next, 2); err != nil || len(rest) != 1 {
			m.Errorf("the rest is %+v, %v", rest, err)
		}
		if queued, _, err := m.Mails(m.Context(), m.admin, "", resources.MailQueued, "", 10); err != nil || len(queued) != 1 || queued[0].User != a {
			m.Errorf("queued are %+v, %v", queued, err)
		}
		_, _, err = m.Mails(m.Context(), m.idp, a, "", "", 10)
		fails(m.T, err, resources.CodeForbidden, "")
		_, err = m.Mail(m.Context(), m.idp, all[0].ID)
		fails(m.T, err, resources.CodeForbidden, "")
		_, err = m.Mail(m.Context(), m.admin, "nothing")
		fails(m.T, err, resources.CodeNotFound, "")
		m.settings(func(s *resources.Settings) { s.Reminders = "off" })
		m.run()
		m.clock.Advance(399 * 24 * time.Hour)
		m.clean(m.T)
		if list := m.log(b); len(list) != 1 {
			m.Errorf("after 399 days: %q", list)
		}
		m.clock.Advance(2 * 24 * time.Hour)
		m.clean(m.T)
		m.logged(a)
		m.logged(b)
		audit(m.T, m.bundle)
	})
}

// Who loses a paid licence is told, once for each change, unless the organization
// does not want that, nobody has written to them yet, or they are deactivated
// (E-15).
func TestLostLicences(t *testing.T) {
	m := newMails(t, "")
	m.subscribe(t, m.admin, resources.Subscription{SKU: "meetings", Units: 5})
	id := m.licensed(t, m.idp, "u", "host", "meetings")
	m.wishes(id, "host")
	m.got("before anybody wrote", m.run(), "activate u@acme.example")
	m.wishes(id, "host", "meetings")
	m.got("one more", m.run())
	m.wishes(id, "basic")
	letters := m.run()
	m.got("both lost", letters, "licences u@acme.example")
	if d := letters[0].Data; len(d.Lost) != 2 || len(d.Kept) != 1 {
		t.Errorf("it tells %+v", d)
	}
	m.wishes(id, "host")
	m.run()
	m.wishes(id)
	m.wishes(id, "host")
	m.got("lost and given back", m.run())
	m.active(id, false)
	m.active(id, true)
	m.got("deactivated and back", m.run())
	m.settings(func(s *resources.Settings) { s.NoLicenceMails = true })
	m.wishes(id)
	m.got("not wanted", m.run())
	m.edit(id, func(doc *jsontree.Value) { doc.Set("title", jsontree.Str("x")) })
	m.got("nothing", m.run())
}
