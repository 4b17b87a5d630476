package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/usher-scim/usher/resources"
)

// switched is an organization that decides by itself who is written to: nobody who
// has free licences or is suppressed, nobody while the switch is off, the missing
// ones in bulk, and nothing afterwards for what was not sent (BR-080 to BR-094).
func (w *town) switched() {
	const slug = "initech"
	w.found(slug, "Initech")
	who := func(name string, skus ...string) newcomer {
		return newcomer{address: name + "@initech.example", given: name, family: "Roe", skus: skus}
	}
	suppressed := who("sam", "gold")
	suppressed.suppressed = true
	ids := map[string]string{}
	push := func(n newcomer) { ids[n.given] = w.push(slug, n) }
	push(who("free", "basic"))
	push(who("none"))
	push(suppressed)
	push(who("early", "gold"))
	w.letter("early@initech.example", 1)
	w.settled(slug)

	off := []string{"settings", "set", slug, "--automatic-activation-emails=false"}
	env := map[string]string{"USHER_API_URL": w.APIURL, "USHER_API_TOKEN": w.APIToken}
	if got := wantCode(w.T, exitUsage, env, off...); !strings.Contains(got.stderr, "well-thought-out") {
		w.Errorf("there is no warning: %s", got.stderr)
	}
	w.usher(append(off, "--yes")...)
	push(who("late", "gold"))
	push(who("later"))
	w.patch(slug, ids["later"], resources.LicenceUserURN+":licenses", `["gold"]`)
	w.settled("acme")
	for name, id := range ids {
		if log := w.mails(slug, id); (name == "early") != (len(log) > 0) {
			w.Errorf("%s was written to: %+v", name, log)
		}
	}

	// The administrator counts, confirms, and everybody who waits is written to once.
	var count struct{ Users int }
	if w.shown(&count, "invite", "count", slug); count.Users != len(ids) {
		w.Errorf("%d would be written to, want %d", count.Users, len(ids))
	}
	wantCode(w.T, exitUsage, env, "invite", "bulk", slug)
	bulk := wantCode(w.T, exitOK, env, "invite", "bulk", slug, "--yes")
	if said := bulk.stdout + bulk.stderr; !strings.Contains(said, "done") || !strings.Contains(said, fmt.Sprint(len(ids))) {
		w.Errorf("the job is shown as\n%s", said)
	}
	for name := range ids {
		w.letter(name+"@initech.example", 1)
	}

	// On again, nothing is made up for; who comes from now on is written to.
	push(who("missed", "gold"))
	w.usher("settings", "set", slug, "--automatic-activation-emails")
	w.patch(slug, ids["missed"], "title", `"Clerk"`)
	w.settled(slug)
	for name, id := range ids {
		if log := w.mails(slug, id); (name != "missed") != (len(log) == 1) {
			w.Errorf("%s was written to %d times: %+v", name, len(log), log)
		}
	}
}

var codes = regexp.MustCompile(`\b\d{6}\b|\b\d{3} \d{3}\b`)

// code is the code of the letter.
func (l letter) code(w *town) string {
	w.Helper()
	found := strings.ReplaceAll(codes.FindString(l.Text), " ", "")
	if len(found) != 6 {
		w.Fatalf("no code in\n%s", l.Text)
	}
	return found
}

// postOffice is a mail server that wants TLS and a password, and has no mailbox for
// some.
type postOffice struct {
	mu    sync.Mutex
	taken map[string][]string // by address
}

// session is one connection to it.
type postSession struct {
	*postOffice
	secure, known bool
	to            string
}

// NewSession begins a connection.
func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, secure := c.TLSConnectionState()
	return &postSession{postOffice: o, secure: secure}, nil
}

// AuthMechanisms names how to prove who one is.
func (s *postSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth takes the password.
func (s *postSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.known = user == "usher" && password == "p@ss"; !s.known {
			return errors.New("wrong")
		}
		return nil
	}), nil
}

// Mail begins a message.
func (s *postSession) Mail(string, *smtp.MailOptions) error {
	if !s.secure || !s.known {
		return &smtp.SMTPError{Code: 530, Message: "who are you"}
	}
	return nil
}

// Rcpt looks for the mailbox.
func (s *postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.to = to; strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	return nil
}

// Data takes the message.
func (s *postSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[s.to] = append(s.taken[s.to], string(text))
	return err
}

// Reset forgets the message that was begun.
func (s *postSession) Reset() {}

// Logout ends the connection.
func (s *postSession) Logout() error { return nil }

func (o *postOffice) mails(to string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken[to]
}

// startPostOffice starts the server and gives usher's settings for it.
func startPostOffice(t *testing.T) (*postOffice, map[string]string) {
	t.Helper()
	files := newPair(t, 7)
	pair, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{taken: map[string][]string{}}
	server := smtp.NewServer(o)
	server.Domain, server.TLSConfig = "mail.example.com", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	at := url.URL{Scheme: "smtp", User: url.UserPassword("usher", "p@ss"), Host: l.Addr().String()}
	return o, map[string]string{"USHER_SMTP_URL": at.String(), "USHER_SMTP_CA": files.cert, "USHER_MAIL_FROM": "Acme <no-reply@acme.example>"}
}

// TestPeopleByMailServer sends the activation mail through a mail server that wants
// STARTTLS and a password; what it refuses for good is the user's issue, with its
// answer in the mail log (BR-262).
func TestPeopleByMailServer(t *testing.T) {
	t.Parallel()
	office, env := startPostOffice(t)
	w := &town{T: t, node: start(t, env), tokens: map[string]string{}}
	w.usher("product", "put", "gold", "--name", "Gold", "--paid", "--capabilities", "meetings")
	w.found("acme", "Acme")
	zoe := w.push("acme", newcomer{address: "zoe@acme.example", given: "Zoé", family: "Martin", language: "fr", skus: []string{"gold"}})
	nobody := w.push("acme", newcomer{address: "nobody@acme.example", given: "No", family: "Body", skus: []string{"gold"}})
	over := func(id string, want resources.MailState) []resources.Mail {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			log := w.mails("acme", id)
			if len(log) == 1 && log[0].State == want {
				return log
			}
			if time.Now().After(end) {
				t.Fatalf("the mail log has %+v\n%s", log, w.stderr)
			}
		}
	}
	over(zoe, resources.MailSent)
	if got := office.mails("zoe@acme.example"); len(got) != 1 || !strings.Contains(got[0], "no-reply@acme.example") || !strings.Contains(got[0], "Message-ID: <") && !strings.Contains(got[0], "Message-Id: <") {
		t.Errorf("%d mails: %q", len(got), got)
	}
	if log := over(nobody, resources.MailFailed); !strings.Contains(log[0].Answer, "no such mailbox") {
		t.Errorf("the mail log has %+v", log)
	}
	if text := w.usher("user", "show", "acme", nobody); !strings.Contains(text, string(resources.CodeMailBounced)) {
		t.Errorf("the user is shown as\n%s", text)
	}
	if text := w.stderr.String(); strings.Contains(text, "p@ss") || strings.Contains(text, "zoe@acme.example") {
		t.Errorf("the log tells too much:\n%s", text)
	}
}
