package resources_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// post is a mail server of the tests: it keeps letters, or answers with a fault.
type post struct {
	mu      sync.Mutex
	letters []resources.Letter
	fault   func(resources.Letter) error // nil: it takes everything
	tries   int
}

func (p *post) send(_ context.Context, l resources.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries++
	if p.fault != nil {
		if err := p.fault(l); err != nil {
			return err
		}
	}
	p.letters = append(p.letters, l)
	return nil
}

// answers makes the server answer every letter with a fault; nil ends that.
func (p *post) answers(fault *resources.SendFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = nil
	if fault != nil {
		p.fault = func(resources.Letter) error { return fault }
	}
}

// take gives the letters that came since the last time, by id of the mail.
func (p *post) take() []resources.Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.letters
	p.letters = nil
	return out
}

func (p *post) tried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries
}

// mails is an organization with seats and a mail server, as its administrator and
// its identity provider see it.
type mails struct {
	*bundle
	*testing.T
	post       *post
	admin, idp resources.Caller
	seats      resources.Subscription
}

// onMails runs a test on the embedded store and on a real Redis.
func onMails(t *testing.T, test func(m *mails)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(newMails(t, "")) })
	t.Run("redis", func(t *testing.T) { test(newMails(t, redistest.Start(t))) })
}

func newMails(t *testing.T, url string) *mails {
	t.Helper()
	p := &post{}
	b := newBundleWith(t, url, p.send)
	m := &mails{bundle: b, T: t, post: p, idp: b.a}
	m.admin = b.operated(t, "acme")
	m.seats = b.subscribe(t, m.admin, resources.Subscription{SKU: "host", Units: 1000})
	b.work(t, b.a.Org)
	return m
}

// newBundleWith is newBundle with a mail server.
func newBundleWith(t *testing.T, url string, send func(context.Context, resources.Letter) error) *bundle {
	t.Helper()
	clk := &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	store, err := backend.Open(t.Context(), backend.Config{URL: url, SpreadClaims: url != "", Now: clk.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Queue: store, Now: clk.Now, Rand: rand.Reader, Log: log, Send: send})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{Directory: dir, store: store, clock: clk}
	b.operator = resources.Caller{Org: resources.PlatformOrg, Token: "test", Scopes: []resources.Scope{resources.ScopePlatform}}
	b.a, b.b = b.org(t, "acme"), b.org(t, "beta")
	return b
}

// settings changes settings.
func (m *mails) settings(fn func(*resources.Settings)) {
	m.Helper()
	admin := m.admin
	admin.Confirmed = true
	if _, _, err := m.ChangeSettings(m.Context(), admin, func(s *resources.Settings, _ uint64) error {
		fn(s)
		return nil
	}); err != nil {
		m.Fatal(err)
	}
}

// run does all that is due by now and gives the letters that went out.
func (m *mails) run() []resources.Letter {
	m.Helper()
	m.work(m.T, m.a.Org)
	return m.post.take()
}

// got checks who was sent what: "activate u-1@acme.example".
func (m *mails) got(what string, letters []resources.Letter, want ...string) {
	m.Helper()
	var have []string
	for _, l := range letters {
		have = append(have, string(l.Template)+" "+l.To)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		m.Errorf("%s: sent %q, want %q", what, have, want)
	}
}

// log lists the mail log of a user, newest first, in words: "activate auto sent".
func (m *mails) log(user string) []string {
	m.Helper()
	list, _, err := m.Mails(m.Context(), m.admin, user, "", "", 100)
	if err != nil {
		m.Fatal(err)
	}
	var out []string
	for _, l := range list {
		out = append(out, string(l.Template)+" "+string(l.Trigger)+" "+string(l.State))
	}
	return out
}

// logged checks the mail log of a user.
func (m *mails) logged(user string, want ...string) {
	m.Helper()
	if got := m.log(user); !slices.Equal(got, want) {
		m.Errorf("the log says %q, want %q", got, want)
	}
}

// document is a user with an address who asks for products.
func (m *mails) document(name string, skus ...string) jsontree.Value {
	return parse(m.T, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"emails":[{"value":"%s@acme.example"}],%q:{"licenses":["%s"]}}`,
		name, name, resources.LicenceUserURN, strings.Join(skus, `","`)))
}

// edit changes the document of a user.
func (m *mails) edit(id string, fn func(doc *jsontree.Value)) {
	m.Helper()
	if _, _, err := m.UpdateUser(m.Context(), m.idp, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		fn(&doc)
		return doc, nil
	}); err != nil {
		m.Fatal(err)
	}
	m.clock.Advance(time.Millisecond)
}

func (m *mails) active(id string, on bool) {
	m.Helper()
	m.edit(id, func(doc *jsontree.Value) { doc.Set("active", jsontree.Bool(on)) })
}

func (m *mails) on(id string)  { m.active(id, true) }
func (m *mails) off(id string) { m.active(id, false) }

func (m *mails) came(id string) {
	m.comeIn(m.T, id, resources.Session{Method: resources.MethodPassword})
}

func (m *mails) manual(string) { m.settings(func(s *resources.Settings) { s.ManualMails = true }) }

func (m *mails) automatic(string) { m.settings(func(s *resources.Settings) { s.ManualMails = false }) }

func (m *mails) asksFor(id string) {
	m.Helper()
	if _, err := m.SendActivation(m.Context(), m.admin, id); err != nil {
		m.Error(err)
	}
}

// wishes changes which products a user asks for.
func (m *mails) wishes(id string, skus ...string) {
	m.Helper()
	m.edit(id, func(doc *jsontree.Value) {
		doc.Delete(resources.LicenceUserURN)
		if len(skus) > 0 {
			doc.Set(resources.LicenceUserURN, parse(m.T, `{"licenses":["`+strings.Join(skus, `","`)+`"]}`))
		}
	})
}

// bulk sends the activation mail to everybody who has not come yet.
func (m *mails) bulk() *resources.Job {
	m.Helper()
	_, j, err := m.SendBulk(m.Context(), m.admin, false, true)
	if err != nil {
		m.Fatal(err)
	}
	return j
}

// units changes how many host licences there are.
func (m *mails) units(n int) {
	m.Helper()
	if _, err := m.UpdateSubscription(m.Context(), m.admin, m.seats.ID, resources.SubscriptionChange{Units: &n}); err != nil {
		m.Fatal(err)
	}
}

// issues checks the codes of a user's issues.
func (m *mails) issues(id string, want ...string) {
	m.Helper()
	var got []string
	for _, i := range m.standing(m.T, m.idp, id).Issues {
		got = append(got, string(i.Code))
	}
	if !slices.Equal(got, want) {
		m.Errorf("issues %q, want %q", got, want)
	}
}

// state suspends or resumes the organization.
func (m *mails) orgIs(s resources.OrgState) {
	m.Helper()
	if _, err := m.UpdateOrg(m.Context(), m.operator, "acme", resources.OrgChange{State: &s}); err != nil {
		m.Fatal(err)
	}
}

// role makes a user an administrator.
func (m *mails) role(id string, r resources.Role) {
	m.Helper()
	if _, err := m.GrantRole(m.Context(), m.admin, id, r); err != nil {
		m.Fatal(err)
	}
	m.clock.Advance(time.Millisecond)
}

// newSetting is an id for something that is to be made.
func (m *mails) newSetting() string {
	m.Helper()
	id, err := resources.NewID(resources.KindSetting, m.clock.Now(), rand.Reader)
	if err != nil {
		m.Fatal(err)
	}
	return id
}

// asks has the activation mail sent to a user, later.
func (m *mails) asks(id string) {
	m.Helper()
	if _, err := m.SendActivation(m.Context(), m.admin, id); err != nil {
		m.Error(err)
	}
}
