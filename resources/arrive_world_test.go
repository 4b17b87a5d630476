package resources_test

import (
	"crypto/rand"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/password"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// onArrivals runs a test on the embedded store and on a real Redis, with a mail
// server and passwords that are cheap to hash.
func onArrivals(t *testing.T, test func(m *mails)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(newArrivals(t, "", cheapest)) })
	t.Run("redis", func(t *testing.T) { test(newArrivals(t, redistest.Start(t), cheapest)) })
}

var cheapest = password.Cost{Memory: 8, Time: 1, Threads: 1}

func newArrivals(t *testing.T, url string, cost password.Cost) *mails {
	t.Helper()
	m := newMails(t, url)
	m.Directory = m.costing(cost)
	m.idp.Origin = resources.OriginConsole // whose names are their own
	return m
}

// costing is a node whose passwords cost that much.
func (m *mails) costing(cost password.Cost) *resources.Directory {
	m.Helper()
	dir, err := resources.New(resources.Config{
		Store: m.store, Vault: m.store, Queue: m.store, Now: m.clock.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(m.Output(), nil)),
		Send: m.post.send, Passwords: cost,
	})
	if err != nil {
		m.Fatal(err)
	}
	return dir
}

// fine is a password that every test may have.
const fine = "Kx9!mQ2#vB"

// person creates a user.
func (m *mails) person(name string) (id, address string) {
	m.Helper()
	rec, err := m.CreateUser(m.Context(), m.idp, userDoc(m.T, name, name+"@acme.example"))
	if err != nil {
		m.Fatal(err)
	}
	m.clock.Advance(time.Millisecond)
	return rec.ID, name + "@acme.example"
}

// invited creates a user and gives what the activation mail carries.
func (m *mails) invited(name string) (id, address, token, code string) {
	m.Helper()
	id, address = m.person(name)
	letter := m.invite(id)
	return id, address, tokenIn(m.T, letter), letter.Code
}

// invite sends the activation mail.
func (m *mails) invite(id string) resources.Letter {
	m.Helper()
	if _, err := m.SendActivation(m.Context(), m.admin, id); err != nil {
		m.Fatal(err)
	}
	return m.only("the activation mail")
}

// only is the one letter that goes out now.
func (m *mails) only(what string) resources.Letter {
	m.Helper()
	letters := m.run()
	if len(letters) != 1 {
		m.Fatalf("%s: %d letters went out", what, len(letters))
	}
	return letters[0]
}

func tokenIn(t *testing.T, l resources.Letter) string {
	t.Helper()
	u, err := url.Parse(l.Path)
	if err != nil || u.Query().Get("t") == "" {
		t.Fatalf("the letter %s has the path %q: %v", l.Template, l.Path, err)
	}
	return u.Query().Get("t")
}

// arrived creates a user who has come in by password.
func (m *mails) arrived(name string) (id, address, cookie string) {
	m.Helper()
	id, address, token, _ := m.invited(name)
	if _, err := m.SetPassword(m.Context(), token, fine); err != nil {
		m.Fatal(err)
	}
	cookie, _, err := m.Arrive(m.Context(), token, "Person "+strings.ToUpper(name), browser)
	if err != nil {
		m.Fatal(err)
	}
	return id, address, cookie
}

// enters signs in from where others do not.
func (m *mails) enters(address, text string) (string, error) {
	cookie, _, err := m.PasswordSignIn(m.Context(), address, text, browser)
	return cookie, err
}

func (m *mails) update(id, name string, v jsontree.Value) {
	m.Helper()
	if _, _, err := m.UpdateUser(m.Context(), m.idp, id, set(name, v)); err != nil {
		m.Fatal(err)
	}
	m.clock.Advance(time.Millisecond)
}

func (m *mails) moved(id, address string) {
	m.Helper()
	m.update(id, "emails", parse(m.T, `[{"value":"`+address+`"}]`))
}

// refused checks that acts are refused with one code and in the same words.
func (m *mails) refused(code resources.Code, acts map[string]error) {
	m.Helper()
	text := ""
	for name, err := range acts {
		switch {
		case !resources.HasCode(err, code):
			m.Errorf("%s: %v, want %s", name, err, code)
		case text == "":
			text = err.Error()
		case text != err.Error():
			m.Errorf("%s: %q, others say %q", name, err, text)
		}
	}
}
