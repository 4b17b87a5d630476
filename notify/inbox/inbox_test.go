package inbox

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts an inbox and gives a way to send to it and its handler.
func open(t *testing.T) (b *Inbox, send func(to, source string) error) {
	t.Helper()
	b, err := New(Config{Now: func() time.Time { return time.Date(2026, 11, 20, 9, 32, 0, 0, time.UTC) }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.ServeMail(l) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
	return b, func(to, source string) error {
		return smtp.SendMail(l.Addr().String(), nil, "usher@example.com", []string{to}, []byte(strings.ReplaceAll(source, "\n", "\r\n")))
	}
}

func ask(b *Inbox, method, target string, header ...string) (*httptest.ResponseRecorder, string) {
	r := httptest.NewRequest(method, "http://127.0.0.1:8025"+target, nil)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w, w.Body.String()
}

const letter = `From: usher <usher@example.com>
To: <zoe@acme.example>
Subject: =?UTF-8?q?Activez_votre_compte_Acm=C3=A9?=
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary=b1

--b1
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

Bonjour Zo=C3=A9 <b>:
https://id.example.com/activate?t=3Dabc.
--b1
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: base64

PHA+WjxzY3JpcHQ+YWxlcnQoMSk8L3NjcmlwdD48L3A+
--b1--
`

// TestInbox sends a mail and reads it in every form.
func TestInbox(t *testing.T) {
	b, send := open(t)
	if _, body := ask(b, "GET", "/"); !strings.Contains(body, "No mail yet") {
		t.Errorf("an empty inbox shows:\n%s", body)
	}
	if err := send("zoe@acme.example", letter); err != nil {
		t.Fatal(err)
	}
	if err := send("max@acme.example", "Subject: <i>two</i>\n\nplain\n"); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Messages []struct {
			ID      int
			To      []string
			Subject string
		}
	}
	_, body := ask(b, "GET", "/messages?to=ZOE@acme.example")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Messages) != 1 || list.Messages[0].Subject != "Activez votre compte Acmé" || list.Messages[0].ID != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	var one struct {
		Text, HTML, Fault string
		Links             []string
		Headers           []header
	}
	_, body = ask(b, "GET", "/messages/1")
	if err := json.Unmarshal([]byte(body), &one); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if one.Text != "Bonjour Zoé <b>:\nhttps://id.example.com/activate?t=abc." || one.HTML != "<p>Z<script>alert(1)</script></p>" || one.Fault != "" {
		t.Errorf("%+v", one)
	}
	if len(one.Links) != 1 || one.Links[0] != "https://id.example.com/activate?t=abc" {
		t.Errorf("links %q", one.Links)
	}
	if len(one.Headers) < 5 || !strings.HasSuffix(one.Headers[len(one.Headers)-1].Value, "boundary=b1") {
		t.Errorf("headers %+v", one.Headers)
	}
	for target, want := range map[string]string{
		"/":                   `<a href="/mail/2">&lt;i&gt;two&lt;/i&gt;</a>`,
		"/mail/1":             `<iframe src="/messages/1/html" sandbox="allow-popups allow-popups-to-escape-sandbox"`,
		"/mail/1?view=text":   "Bonjour Zoé &lt;b&gt;",
		"/mail/1?view=source": "Subject: =?UTF-8?q?Activez",
		"/mail/2":             "<pre tabindex=\"0\">plain",
		"/messages/1/source":  "Zo=C3=A9",
		"/messages/1/html":    "<script>",
		"/style.css":          "color-scheme",
	} {
		resp, body := ask(b, "GET", target)
		if resp.Code != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, without %q:\n%s", target, resp.Code, want, body)
		}
		policy := resp.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || resp.Header().Get("X-Content-Type-Options") != "nosniff" || resp.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: headers %v", target, resp.Header())
		}
		if sandboxed := strings.HasPrefix(policy, "sandbox "); sandboxed != (target == "/messages/1/html") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
			t.Errorf("GET %s: policy %s", target, policy)
		}
	}
	for _, target := range []string{"/messages/3", "/messages/x", "/mail/0", "/messages/-1/source", "/nothing"} {
		if resp, _ := ask(b, "GET", target); resp.Code != 404 {
			t.Errorf("GET %s: %d", target, resp.Code)
		}
	}
	if resp, _ := ask(b, "DELETE", "/messages"); resp.Code != 204 {
		t.Errorf("DELETE: %d", resp.Code)
	}
	if _, body := ask(b, "GET", "/messages"); body != "{\n  \"messages\": []\n}\n" {
		t.Errorf("cleared, but %s", body)
	}
}

// TestStrangers: a page elsewhere cannot read mails, whatever name it has here,
// nor throw them away.
func TestStrangers(t *testing.T) {
	b, _ := open(t)
	for host, want := range map[string]int{
		"127.0.0.1:1": 200, "localhost": 200, "LOCALHOST:80": 200, "[::1]:80": 200, "127.1.2.3": 200,
		"evil.example": 421, "evil.example:8025": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "": 421, "127.0.0.1.evil.example": 421,
	} {
		if resp, _ := ask(b, "GET", "/messages", "Host", host); resp.Code != want {
			t.Errorf("host %q: %d, want %d", host, resp.Code, want)
		}
	}
	if resp, _ := ask(b, "DELETE", "/messages", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); resp.Code != 403 {
		t.Errorf("another origin deletes: %d", resp.Code)
	}
}

// TestBounds: what is older than the last 500 mails, or too much, goes.
func TestBounds(t *testing.T) {
	b, send := open(t)
	for i := range maxKept + 20 {
		b.keep(&message{Subject: fmt.Sprint(i), Size: 1})
	}
	if l := b.list(); len(l) != maxKept || l[0].ID != maxKept+20 || b.find(20) != nil || b.find(21).Subject != "20" || b.find(maxKept+21) != nil {
		t.Errorf("%d are kept, the newest is %d", len(l), l[0].ID)
	}
	for range 3 {
		b.keep(&message{Size: maxBytes / 2})
	}
	if l := b.list(); len(l) != 2 || b.bytes > maxBytes {
		t.Errorf("%d large ones are kept, %d bytes", len(l), b.bytes)
	}
	if err := send("zoe@acme.example", "Subject: x\n\n"+strings.Repeat("x\n", maxMessage/2)); err == nil {
		t.Error("a mail that is too large was taken")
	}
}

// TestUnreadable: what is no message is kept with the reason.
func TestUnreadable(t *testing.T) {
	nested := "Content-Type: multipart/mixed; boundary=a\n\n"
	for range 10 {
		nested += "--a\nContent-Type: multipart/mixed; boundary=a\n\n"
	}
	for _, source := range []string{
		"no header at all", "Content-Transfer-Encoding: rot13\n\nx",
		"Content-Transfer-Encoding: base64\n\n!!!", "Content-Type: multipart/mixed\n\n--\n",
	} {
		if m := read([]byte(source)); m.fault == "" || m.source != source {
			t.Errorf("%q is read: %+v", source, m)
		}
	}
	read([]byte(nested))
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{letter, "", "Subject: x\n\n", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--a--", "Subject: =?x?q?=FF?=\n y\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		m := read(source)
		if _, err := json.Marshal(full{m, m.headers, m.text, m.html, m.links, m.fault}); err != nil {
			t.Error(err)
		}
		if len(m.text)+len(m.html) > 4*len(source)+16 {
			t.Errorf("%d bytes become %d", len(source), len(m.text)+len(m.html))
		}
	})
}
