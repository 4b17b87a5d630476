package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/notify/inbox"
	"github.com/usher-scim/usher/resources"
)

// TestServeInbox: without a mail server there is an inbox, and the banner and the
// ready file say where.
func TestServeInbox(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	if !strings.HasPrefix(n.InboxURL, "http://127.0.0.1:") || !strings.Contains(n.stdout.String(), n.InboxURL) || !strings.Contains(n.stdout.String(), "NOBODY") {
		t.Errorf("inbox %q, banner:\n%s", n.InboxURL, n.stdout)
	}
	if resp, body := get(t, n.InboxURL+"/", ""); resp.StatusCode != 200 || !strings.Contains(body, "No mail yet") {
		t.Errorf("the inbox answers %d:\n%s", resp.StatusCode, body)
	}
	if resp, body := get(t, n.InboxURL+"/messages", ""); resp.StatusCode != 200 || !strings.Contains(body, `"messages": []`) {
		t.Errorf("the inbox answers %d: %s", resp.StatusCode, body)
	}
	n.stop(t)
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(n.InboxURL, "http://"), time.Second); err == nil {
		t.Error("the inbox is still there")
	}
}

// TestActivationMailArrives: who gets a paid licence finds one mail in the inbox,
// over real SMTP, with a link to this server; who has a free one finds none
// (BR-080 … BR-082).
func TestActivationMailArrives(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	wantCode(t, 0, nil, with("subscription", "create", "demo", "host", "--units", "5")...)
	wantCode(t, 0, nil, with("user", "create", "demo", "free@acme.example", "--licences", "basic")...)
	wantCode(t, 0, nil, with("user", "create", "demo", "zoe@acme.example", "--display-name", "Zoé", "--licences", "host")...)
	var list struct{ Messages []struct{ To []string } }
	for deadline := time.Now().Add(20 * time.Second); len(list.Messages) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, body := get(t, n.InboxURL+"/messages", "")
		decode(t, body, &list)
	}
	if len(list.Messages) != 1 || list.Messages[0].To[0] != "zoe@acme.example" {
		t.Fatalf("the inbox has %+v\n%s", list, n.stderr)
	}
	_, body := get(t, n.InboxURL+"/messages/1", "")
	if !strings.Contains(body, n.root()+"/activate?t=") || !strings.Contains(body, "Hello Zoé") {
		t.Errorf("the mail says:\n%s", body)
	}
	if _, numbers := get(t, n.MetricsURL, ""); !strings.Contains(numbers, `usher_mail_sent_total{outcome="sent",template="activate"} 1`) {
		t.Error("the mail was not counted once")
	}
	n.stop(t)
	if log := n.stderr.String(); strings.Contains(log, "zoe@acme.example") {
		t.Errorf("the log holds an address (security X8):\n%s", log)
	}
}

// TestServeWithoutInbox: with a mail server, or with the inbox off, there is none;
// with Redis and no mail server the log warns.
func TestServeWithoutInbox(t *testing.T) {
	t.Parallel()
	off := start(t, map[string]string{"USHER_INBOX_LISTEN": "off"})
	if off.InboxURL != "" || !strings.Contains(off.stdout.String(), "wait") || !strings.Contains(off.stderr.String(), "mails wait and reach nobody") {
		t.Errorf("inbox %q:\n%s%s", off.InboxURL, off.stdout, off.stderr)
	}
	server := start(t, map[string]string{"USHER_SMTP_URL": "smtp+plain://u:hunter2@127.0.0.1:1025"})
	if server.InboxURL != "" || strings.Contains(server.stdout.String(), "Mails") || strings.Contains(server.stderr.String(), "reach nobody") {
		t.Errorf("inbox %q:\n%s%s", server.InboxURL, server.stdout, server.stderr)
	}
	lasting := start(t, map[string]string{"USHER_REDIS_URL": redistest.Start(t)})
	if lasting.InboxURL == "" || !strings.Contains(lasting.stderr.String(), "mails stay on this machine") {
		t.Errorf("inbox %q:\n%s", lasting.InboxURL, lasting.stderr)
	}
}

// TestMailReachesInbox sends a letter the way the Directory does.
func TestMailReachesInbox(t *testing.T) {
	t.Parallel()
	loaded, err := config.Load(config.Input{Flags: map[string]string{"public_url": "https://id.example.com", "mail.name": "Acme Talk"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{cfg: loaded, log: slog.New(slog.NewTextHandler(t.Output(), nil)), publicURL: loaded.PublicURL, numbers: newMetrics()}
	if err := s.openMail(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.mails.page.Close()
	done := make(chan error, 1)
	go func() { done <- s.mails.inbox.ServeMail(s.mails.sink) }()
	letter := resources.Letter{Mail: resources.Mail{ID: "01jd3m0a1b2c3d4e5f6m", Template: resources.MailActivate, To: "zoe@acme.example", Language: "fr"}, Org: "Acme", Path: "/activate?t=x"}
	if err := s.mails.send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	if err := s.mails.inbox.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if body := shown(s.mails.inbox, "/messages/1"); !strings.Contains(body, "Activez votre compte Acme") || !strings.Contains(body, `\"Acme Talk\" <no-reply@id.example.com>`) || !strings.Contains(body, "https://id.example.com/activate?t=x") {
		t.Errorf("the inbox shows:\n%s", body)
	}
	side := httptest.NewRecorder()
	s.numbers.handler(s.log).ServeHTTP(side, httptest.NewRequest("GET", "/metrics", nil))
	if want := `usher_mail_sent_total{outcome="sent",template="activate"} 1`; !strings.Contains(side.Body.String(), want) {
		t.Errorf("the metrics lack %s", want)
	}
}

func shown(b *inbox.Inbox, path string) string {
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil))
	return w.Body.String()
}

// TestMailSettings: faults of the settings of mails are told by name, without the
// secret.
func TestMailSettings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"no scheme":     {map[string]string{"USHER_SMTP_URL": "hunter2@mail.example.com"}, "smtp.url (variable USHER_SMTP_URL): it must begin with"},
		"in the clear":  {map[string]string{"USHER_SMTP_URL": "smtp+plain://u:hunter2@mail.example.com"}, "smtp.url (variable USHER_SMTP_URL): smtp+plain://"},
		"no sender":     {map[string]string{"USHER_SMTP_URL": "smtps://u:hunter2@mail.example.com"}, "mail.from: it is needed"},
		"bad sender":    {map[string]string{"USHER_MAIL_FROM": "nobody"}, "mail.from (variable USHER_MAIL_FROM): it is not an address"},
		"bad name":      {map[string]string{"USHER_MAIL_NAME": "a\nb"}, "mail.name (variable USHER_MAIL_NAME): the product"},
		"no authority":  {map[string]string{"USHER_SMTP_CA": filepath.Join(t.TempDir(), "none.pem")}, "smtp.ca (variable USHER_SMTP_CA): the file cannot be read"},
		"no PEM":        {map[string]string{"USHER_SMTP_CA": file(t, "x")}, "no PEM certificate"},
		"open inbox":    {map[string]string{"USHER_INBOX_LISTEN": "0.0.0.0:8025"}, "inbox.listen (variable USHER_INBOX_LISTEN): 0.0.0.0:8025 can be reached"},
		"inbox nowhere": {map[string]string{"USHER_INBOX_LISTEN": "8025"}, "inbox.listen (variable USHER_INBOX_LISTEN)"},
	}
	for name, tt := range tests {
		got := wantCode(t, exitConfig, tt.env, "config", "check")
		if !strings.Contains(got.stderr, tt.want) || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("%s: %s", name, got.stderr)
		}
	}
	good := map[string]string{"USHER_SMTP_URL": "smtps://u:hunter2@mail.example.com", "USHER_PUBLIC_URL": "https://idé.example"}
	wantCode(t, 0, good, "config", "check")
	if got := wantCode(t, 0, good, "config", "show"); strings.Contains(got.stdout, "hunter2") {
		t.Errorf("the secret is shown:\n%s", got.stdout)
	}
}

// TestTryMail sends a message with the settings alone.
func TestTryMail(t *testing.T) {
	t.Parallel()
	b, err := inbox.New(inbox.Config{Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.ServeMail(l) }()
	env := map[string]string{"USHER_SMTP_URL": "smtp+plain://" + l.Addr().String()}
	if got := wantCode(t, 0, env, "config", "check", "--mail", "me@example.com"); !strings.Contains(got.stdout, "took a message for me@example.com") {
		t.Errorf("%s", got.stdout)
	}
	if body := shown(b, "/messages/1"); !strings.Contains(body, "usher can send mail") {
		t.Errorf("the message is\n%s", body)
	}
	wantCode(t, exitFailure, env, "config", "check", "--mail", "me")
	wantCode(t, exitConfig, nil, "config", "check", "--mail", "me@example.com")
	wantCode(t, exitConfig, map[string]string{"USHER_SMTP_URL": "smtp+plain://u:hunter2@" + l.Addr().String()}, "config", "check", "--mail", "me@example.com")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantCode(t, exitUnavailable, env, "config", "check", "--mail", "me@example.com")
}
