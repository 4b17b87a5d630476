package resources_test

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// A mail server that is away for hours loses nothing: when it is back every mail
// goes out once, without anybody acting, and meanwhile nothing is parked and few
// attempts are made (BR-262).
func TestMailServerAway(t *testing.T) {
	onMails(t, func(m *mails) {
		m.post.answers(&resources.SendFault{Answer: "the mail server cannot be reached", Err: errors.New("dial tcp: connection refused")})
		const users = 30
		var want []string
		for i := range users {
			name := fmt.Sprintf("away-%02d", i)
			m.licensed(m.T, m.idp, name, "host")
			want = append(want, "activate "+name+"@acme.example")
		}
		for range 8 * 12 { // eight hours
			m.got("while it is away", m.run())
			m.clock.Advance(5 * time.Minute)
		}
		if n := m.post.tried(); n < 50 || n > 400 {
			m.Errorf("%d attempts in eight hours", n)
		}
		if list, err := m.store.Parked(m.Context(), m.a.Org, 10); err != nil || len(list) != 0 {
			m.Errorf("parked: %+v, %v", list, err)
		}
		m.post.answers(nil)
		var came []resources.Letter
		for range 15 {
			m.clock.Advance(time.Minute)
			came = append(came, m.run()...)
		}
		m.got("within a quarter of an hour", came, want...)
		audit(m.T, m.bundle)
	})
}

// What the server refuses for good is not tried again; the user has an issue until
// a mail is sent or the address changes (BR-262).
func TestMailRefused(t *testing.T) {
	m := newMails(t, "")
	m.post.answers(&resources.SendFault{Permanent: true, Answer: "550 5.1.1 no such mailbox " + strings.Repeat("é", 400), Err: errors.New("550")})
	a, b := m.licensed(t, m.idp, "a", "host"), m.licensed(t, m.idp, "b", "host")
	m.got("refused", m.run())
	m.clock.Advance(48 * time.Hour)
	m.got("later", m.run())
	if n := m.post.tried(); n != 2 {
		t.Errorf("%d attempts, want one each", n)
	}
	for _, id := range []string{a, b} {
		m.logged(id, "activate auto failed")
		m.issues(id, "mail_bounced")
	}
	list, _, err := m.Mails(t.Context(), m.admin, a, resources.MailFailed, "", 10)
	if err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Answer, "550 5.1.1") || len(list[0].Answer) > 300 {
		t.Errorf("the log has %+v, %v", list, err)
	}
	m.post.answers(nil)
	m.asksFor(a)
	m.got("by hand", m.run(), "activate a@acme.example")
	m.issues(a)
	m.edit(b, func(doc *jsontree.Value) { doc.Set("title", jsontree.Str("x")) })
	m.issues(b, "mail_bounced")
	m.edit(b, func(doc *jsontree.Value) { doc.Set("emails", parse(t, `[{"value":"c@acme.example"}]`)) })
	m.issues(b)
	audit(t, m.bundle)
}

// What the server does not take now is tried again after growing pauses, for five
// days; other mails do not wait for it.
func TestMailDelayed(t *testing.T) {
	m := newMails(t, "")
	grey := &resources.SendFault{Answer: "451 4.7.1 greylisted", Err: errors.New("451")}
	m.post.fault = func(l resources.Letter) error {
		if strings.HasPrefix(l.To, "grey") {
			return grey
		}
		return nil
	}
	id := m.licensed(t, m.idp, "grey", "host")
	m.got("delayed", m.run())
	m.licensed(t, m.idp, "other", "host")
	m.got("another", m.run(), "activate other@acme.example")
	list, _, err := m.Mails(t.Context(), m.admin, id, "", "", 10)
	if err != nil || len(list) != 1 || list[0].State != resources.MailQueued || list[0].Tries != 1 || list[0].Answer != grey.Answer {
		t.Errorf("the log has %+v, %v", list, err)
	}
	before := m.post.tried()
	for range 60 {
		m.clock.Advance(time.Minute)
		m.run()
	}
	if n := m.post.tried() - before; n < 5 || n > 10 {
		t.Errorf("%d attempts in an hour", n)
	}
	for range 6 * 24 * 4 {
		m.clock.Advance(15 * time.Minute)
		m.run()
	}
	m.logged(id, "activate auto failed")
}

// An error that is no answer of a server, from rendering for example, is told to
// the operator, kept, and mended without losing the mail.
func TestMailThatCannotBeMade(t *testing.T) {
	m := newMails(t, "")
	m.post.fault = func(resources.Letter) error { return errors.New("the template is broken") }
	id := m.licensed(t, m.idp, "u", "host")
	m.got("broken", m.run())
	m.post.answers(nil)
	m.clock.Advance(5 * time.Minute)
	m.got("mended", m.run(), "activate u@acme.example")
	m.logged(id, "activate auto sent")
}

// Without anything to send with mails stay queued, those of a suspended
// organization, too.
func TestMailsWait(t *testing.T) {
	m := newMails(t, "")
	other, err := resources.New(resources.Config{Store: m.store, Vault: m.store, Now: m.clock.Now, Rand: crand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	id := m.licensed(t, m.idp, "u", "host")
	sending := m.Directory
	m.Directory = other
	m.got("without a server", m.run())
	m.Directory = sending
	m.logged(id, "activate auto queued")
	m.orgIs(resources.OrgSuspended)
	m.clock.Advance(time.Hour)
	m.got("suspended", m.run())
	m.orgIs(resources.OrgActive)
	m.clock.Advance(2 * time.Hour)
	m.got("resumed", m.run(), "activate u@acme.example")
}

// A worker that dies between sending and noting it sends the same message again:
// the same id, the same link, the same code.
func TestMailSentTwice(t *testing.T) {
	onMails(t, func(m *mails) {
		died := false
		m.post.fault = func(l resources.Letter) error {
			if !died {
				died = true
				m.post.letters = append(m.post.letters, l)
				panic("the machine stops")
			}
			return nil
		}
		m.licensed(m.T, m.idp, "u", "host")
		m.workUpTo(m.T, m.a.Org, 1)
		func() {
			defer func() {
				if recover() == nil {
					m.Error("the worker did not die")
				}
			}()
			m.workUpTo(m.T, m.a.Org, 1)
		}()
		m.clock.Advance(2 * time.Minute)
		letters := m.run()
		if len(letters) != 2 || letters[0].ID != letters[1].ID || letters[0].Path != letters[1].Path || letters[0].Code != letters[1].Code || letters[0].Path == "" {
			m.Errorf("sent %+v", letters)
		}
		m.clock.Advance(24 * time.Hour)
		m.got("after that", m.run())
	})
}

// A worker that is stopped while it sends notes what became of it.
func TestMailAndStop(t *testing.T) {
	m := newMails(t, "")
	id := m.licensed(t, m.idp, "u", "host")
	m.workUpTo(t, m.a.Org, 1)
	ctx, stop := context.WithCancel(t.Context())
	m.post.fault = func(resources.Letter) error {
		stop()
		return nil
	}
	l := m.lease(t, m.a.Org)
	items, _, err := m.store.Due(t.Context(), m.a.Org, m.clock.Now(), 10)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	if err := m.WorkOn(ctx, l, items[0]); err != nil {
		t.Error(err)
	}
	m.post.answers(nil)
	m.post.take()
	m.clock.Advance(time.Hour)
	m.got("once", m.run())
	m.logged(id, "activate auto sent")
}

// Every user gets one mail, while providers push at once on two nodes, several
// workers do every piece of work side by side and again, and replies of the store
// are lost (BR-080).
func TestMailsOnce(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { mailsOnce(newMails(t, ""), func() {}) })
	t.Run("lost replies", func(t *testing.T) {
		server := redistest.Run(t, redistest.Config{})
		proxy, err := conformance.NewProxy(server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := proxy.Close(); err != nil {
				t.Error(err)
			}
		})
		mailsOnce(newMails(t, strings.Replace(server.URL, server.Addr, proxy.Addr(), 1)), func() {
			if rand.IntN(20) == 0 {
				proxy.SwallowReplies("mail.", 1)
			}
		})
		if proxy.Harmed() == 0 {
			t.Error("no reply was lost")
		}
	})
}

func mailsOnce(m *mails, harm func()) {
	const users = 60
	ids := make([]string, users)
	var want []string
	var wg sync.WaitGroup
	for i := range users {
		want = append(want, fmt.Sprintf("activate o-%02d@acme.example", i))
	}
	for worker := range 10 {
		wg.Go(func() {
			for i := worker; i < users; i += 10 {
				harm()
				rec, err := m.CreateUser(m.Context(), m.idp, m.document(fmt.Sprintf("o-%02d", i), "host"))
				if err != nil {
					m.Error(err)
					return
				}
				ids[i] = rec.ID
				for n := range 3 { // pushed again and again
					if _, _, err := m.UpdateUser(m.Context(), m.idp, rec.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
						doc.Set("title", jsontree.Str(fmt.Sprint(n)))
						return doc, nil
					}); err != nil {
						m.Error(err)
					}
				}
			}
		})
	}
	wg.Go(func() {
		for range 40 {
			m.crowdedWork(harm)
		}
	})
	wg.Wait()
	for range 3 {
		m.clock.Advance(2 * time.Minute)
		m.crowdedWork(harm)
	}
	m.got("all", m.run(), want...)
	for _, id := range ids {
		m.logged(id, "activate auto sent")
		if s := m.standing(m.T, m.idp, id); s.Mails == nil || s.Mails.Count != 1 {
			m.Errorf("the standing says %+v", s.Mails)
		}
	}
	audit(m.T, m.bundle)
}

// crowdedWork does what is due, every item three times at once.
func (m *mails) crowdedWork(harm func()) {
	l, ok, err := m.store.Lease(m.Context(), m.a.Org, "tester", time.Hour)
	if err != nil || !ok {
		m.Errorf("lease: %v, %v", ok, err)
		return
	}
	items, _, err := m.store.Due(m.Context(), m.a.Org, m.clock.Now(), 100)
	if err != nil {
		m.Error(err)
	}
	var wg sync.WaitGroup
	for _, item := range items {
		for range 3 {
			wg.Go(func() {
				harm()
				if err := m.WorkOn(m.Context(), l, item); err != nil && !errors.Is(err, resources.ErrUnavailable) {
					m.Errorf("%s: %v", item.Item, err)
				}
			})
		}
	}
	wg.Wait()
	m.clock.Advance(time.Millisecond)
}
