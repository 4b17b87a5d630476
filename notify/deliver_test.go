package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/usher-scim/usher/resources"
)

// counted is a mailer to a server, and what it counted.
func counted(t *testing.T, p *post, server Server) (*Mailer, func() string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	m := newMailer(t, func(c *Config) {
		c.Server, c.CA = server, p.pool
		c.Observe = func(template, outcome string) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, template+" "+outcome)
		}
	})
	return m, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(all, ", ")
	}
}

// TestDelivery sends over every kind of connection, with and without a user.
func TestDelivery(t *testing.T) {
	users := func(p *post, _ *smtp.Server) { p.users = map[string]string{"usher": "s3cret&word"} }
	tests := map[string]struct {
		security Security
		user     string
		change   func(*post, *smtp.Server)
	}{
		"STARTTLS":              {StartTLS, "", nil},
		"STARTTLS and a user":   {StartTLS, "usher:s3cret%26word@", users},
		"implicit TLS":          {Implicit, "", nil},
		"implicit TLS and user": {Implicit, "usher:s3cret%26word@", users},
		"loopback":              {Plain, "", nil},
		"loopback and a user":   {Plain, "usher:s3cret%26word@", users},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, tt.security, tt.change)
			m, count := counted(t, p, p.server(t, tt.security, tt.user))
			if err := m.Send(t.Context(), letter(nil)); err != nil {
				t.Fatal(err)
			}
			got := p.messages()
			if len(got) != 1 || len(got[0].to) != 1 || got[0].to[0] != "zoe.martin@acme.example" || got[0].from != "no-reply@mail.example.com" {
				t.Fatalf("the server has %+v", got)
			}
			if got[0].sealed != (tt.security != Plain) || (got[0].user == "usher") != (tt.user != "") {
				t.Errorf("TLS %v, user %q", got[0].sealed, got[0].user)
			}
			if _, err := mail.ReadMessage(strings.NewReader(got[0].data)); err != nil {
				t.Error(err)
			}
			if count() != "activate sent" {
				t.Errorf("counted: %s", count())
			}
			if tt.security == Plain && !strings.Contains(p.said(), "EHLO id.example.com") {
				t.Errorf("usher calls itself otherwise:\n%s", p.said())
			}
		})
	}
}

func reply(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// TestAnswers gives an answer at each verb (BR-262): final is only what lies in
// the message or its recipient.
func TestAnswers(t *testing.T) {
	tests := []struct {
		verb      string
		answer    *smtp.SMTPError
		outcome   string
		permanent bool
	}{
		{"connect", reply(421, smtp.EnhancedCode{4, 3, 2}, "busy"), OutcomeDelayed, false},
		{"connect", reply(554, smtp.EnhancedCode{5, 7, 1}, "no access from there"), OutcomeSettings, false},
		{"auth", reply(454, smtp.EnhancedCode{4, 7, 0}, "temporary authentication failure"), OutcomeDelayed, false},
		{"auth", reply(535, smtp.EnhancedCode{5, 7, 8}, "bad credentials"), OutcomeSettings, false},
		{"mail", reply(451, smtp.EnhancedCode{4, 3, 0}, "later"), OutcomeDelayed, false},
		{"mail", reply(550, smtp.EnhancedCode{5, 7, 1}, "sender rejected"), OutcomeSettings, false},
		{"mail", reply(553, smtp.EnhancedCode{5, 1, 8}, "no such domain"), OutcomeSettings, false},
		{"rcpt", reply(450, smtp.EnhancedCode{4, 2, 0}, "greylisted"), OutcomeDelayed, false},
		{"rcpt", reply(452, smtp.EnhancedCode{4, 2, 2}, "mailbox full"), OutcomeDelayed, false},
		{"rcpt", reply(550, smtp.EnhancedCode{5, 1, 1}, "no such user"), OutcomeRefused, true},
		{"rcpt", reply(501, smtp.EnhancedCode{5, 1, 3}, "bad address"), OutcomeRefused, true},
		{"rcpt", reply(554, smtp.EnhancedCode{5, 7, 1}, "Relay access denied"), OutcomeSettings, false},
		{"rcpt", reply(530, smtp.EnhancedCode{5, 7, 0}, "must sign in"), OutcomeSettings, false},
		{"data", reply(451, smtp.EnhancedCode{4, 3, 1}, "disk full"), OutcomeDelayed, false},
		{"data", reply(554, smtp.EnhancedCode{5, 6, 0}, "content refused"), OutcomeRefused, true},
		{"data", reply(550, smtp.EnhancedCode{5, 7, 26}, "unauthenticated mail from example.com"), OutcomeSettings, false},
		{"data", reply(552, smtp.EnhancedCode{5, 3, 4}, "too large"), OutcomeRefused, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d %s", tt.verb, tt.answer.Code, tt.answer.Message), func(t *testing.T) {
			p := newPost(t, StartTLS, func(p *post, _ *smtp.Server) {
				p.users = map[string]string{"usher": "word"}
				p.refuse[tt.verb] = tt.answer
			})
			m, count := counted(t, p, p.server(t, StartTLS, "usher:word@"))
			fault := sendFault(t, m.Send(t.Context(), letter(nil)))
			ours := tt.verb == "rcpt" || tt.verb == "data"
			if fault.Permanent != tt.permanent || !strings.Contains(fault.Answer, tt.answer.Message) || strings.HasPrefix(fault.Answer, fmt.Sprint(tt.answer.Code)) != ours {
				t.Errorf("permanent %v, answer %q", fault.Permanent, fault.Answer)
			}
			if got := count(); got != "activate "+tt.outcome {
				t.Errorf("counted: %s, want %s", got, tt.outcome)
			}
			if len(p.messages()) != 0 {
				t.Error("the server took the message")
			}
		})
	}
}

func sendFault(t *testing.T, err error) *resources.SendFault {
	t.Helper()
	fault, ok := errors.AsType[*resources.SendFault](err)
	if !ok || fault.Answer == "" || len(fault.Answer) > maxAnswer {
		t.Fatalf("%#v is not what the caller can use", err)
	}
	return fault
}

// TestNetworkFaults: what the network, the clock or a wrong setting ends is tried
// again.
func TestNetworkFaults(t *testing.T) {
	t.Run("nobody there", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p := &post{addr: l.Addr().String()}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		m, count := counted(t, p, p.server(t, StartTLS, ""))
		if fault := sendFault(t, m.Send(t.Context(), letter(nil))); fault.Permanent || count() != "activate delayed" {
			t.Errorf("%+v, %s", fault, count())
		}
	})
	for _, verb := range []string{"connect", "mail", "rcpt", "data"} {
		t.Run("silent at "+verb, func(t *testing.T) {
			p := newPost(t, StartTLS, func(p *post, _ *smtp.Server) { p.stall[verb] = make(chan struct{}) })
			m, count := counted(t, p, p.server(t, StartTLS, ""))
			m.patience.total = 150 * time.Millisecond
			fault := sendFault(t, m.Send(t.Context(), letter(nil)))
			if fault.Permanent || fault.Answer != errLate.Error() || count() != "activate delayed" {
				t.Errorf("%+v, %s", fault, count())
			}
		})
	}
	t.Run("asked to stop", func(t *testing.T) {
		p := newPost(t, StartTLS, func(p *post, _ *smtp.Server) { p.stall["rcpt"] = make(chan struct{}) })
		m, count := counted(t, p, p.server(t, StartTLS, ""))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if fault := sendFault(t, m.Send(ctx, letter(nil))); fault.Permanent || count() != "activate delayed" {
			t.Errorf("%+v, %s", fault, count())
		}
	})
	t.Run("disconnects within DATA", func(t *testing.T) {
		p := newPost(t, StartTLS, func(p *post, _ *smtp.Server) { p.stall["drop"] = make(chan struct{}) })
		m, count := counted(t, p, p.server(t, StartTLS, ""))
		if fault := sendFault(t, m.Send(t.Context(), letter(nil))); fault.Permanent || count() != "activate delayed" {
			t.Errorf("%+v, %s", fault, count())
		}
	})
}

// TestProtection: usher says nothing of a letter, and no password, to a server
// that is not protected as the settings say.
func TestProtection(t *testing.T) {
	t.Run("a certificate nobody believes", func(t *testing.T) {
		for _, security := range []Security{StartTLS, Implicit} {
			p := newPost(t, security, nil)
			p.pool = nil
			m, count := counted(t, p, p.server(t, security, ""))
			if fault := sendFault(t, m.Send(t.Context(), letter(nil))); fault.Permanent || count() != "activate settings" || len(p.messages()) != 0 {
				t.Errorf("%s: %+v, %s", security, fault, count())
			}
		}
	})
	t.Run("no STARTTLS any more", func(t *testing.T) {
		p := newPost(t, Plain, func(p *post, _ *smtp.Server) { p.users = map[string]string{"usher": "word"} })
		m, count := counted(t, p, p.server(t, StartTLS, "usher:word@"))
		fault := sendFault(t, m.Send(t.Context(), letter(nil)))
		if fault.Permanent || count() != "activate settings" || strings.Contains(p.said(), "AUTH PLAIN ") || strings.Contains(p.said(), "MAIL FROM") {
			t.Errorf("%+v, %s:\n%s", fault, count(), p.said())
		}
	})
	t.Run("STARTTLS that is refused", func(t *testing.T) {
		address, heard := script(t, "220 mail.test\r\n", "250-mail.test\r\n250 STARTTLS\r\n", "454 not now\r\n")
		p := &post{addr: address}
		m, count := counted(t, p, p.server(t, StartTLS, "usher:word@"))
		fault := sendFault(t, m.Send(t.Context(), letter(nil)))
		if fault.Permanent || count() != "activate delayed" || !strings.HasPrefix(heard(), "EHLO id.example.com\r\nSTARTTLS\r\n") || strings.Contains(heard(), "AUTH") {
			t.Errorf("%+v, %s: %q", fault, count(), heard())
		}
	})
	t.Run("no AUTH", func(t *testing.T) {
		p := newPost(t, StartTLS, nil)
		m, count := counted(t, p, p.server(t, StartTLS, "usher:word@"))
		if fault := sendFault(t, m.Send(t.Context(), letter(nil))); fault.Permanent || count() != "activate settings" {
			t.Errorf("%+v, %s", fault, count())
		}
	})
	t.Run("a server that quotes", func(t *testing.T) {
		p := newPost(t, StartTLS, func(p *post, _ *smtp.Server) {
			p.refuse["data"] = reply(554, smtp.EnhancedCode{5, 7, 1}, "<zoe.martin@acme.example> wrote https://id.example.com/activate?t="+testToken+" and 022348"+strings.Repeat(" é", 200))
		})
		m, _ := counted(t, p, p.server(t, StartTLS, ""))
		fault := sendFault(t, m.Send(t.Context(), letter(nil)))
		for _, secret := range []string{testToken, "022348", "zoe.martin"} {
			if strings.Contains(fault.Answer, secret) {
				t.Errorf("the answer %q holds %s", fault.Answer, secret)
			}
		}
	})
}

// TestTakenIsTaken: once the server has taken a message, nothing makes usher send
// it again.
func TestTakenIsTaken(t *testing.T) {
	address, _ := script(t, "220 mail.test\r\n", "250 mail.test\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n", "DATA", "250 taken\r\n", "421 closing\r\n")
	p := &post{addr: address}
	m, count := counted(t, p, p.server(t, Plain, ""))
	if err := m.Send(t.Context(), letter(nil)); err != nil || count() != "activate sent" {
		t.Errorf("%v, %s", err, count())
	}
}

// TestUTF8Address: an address of other letters goes to servers that take it.
func TestUTF8Address(t *testing.T) {
	rich := newPost(t, Plain, func(_ *post, s *smtp.Server) { s.EnableSMTPUTF8 = true })
	poor := newPost(t, StartTLS, nil)
	l := letter(func(l *resources.Letter) { l.To = "zoé@exämple.example" })
	m, _ := counted(t, rich, rich.server(t, Plain, ""))
	if err := m.Send(t.Context(), l); err != nil || len(rich.messages()) != 1 || rich.messages()[0].to[0] != "zoé@xn--exmple-cua.example" {
		t.Errorf("%v, %+v", err, rich.messages())
	}
	if err := m.Send(t.Context(), letter(nil)); err != nil {
		t.Error(err)
	}
	var asked []bool
	for line := range strings.SplitSeq(rich.said(), "\n") {
		if strings.HasPrefix(line, "MAIL FROM") {
			asked = append(asked, strings.Contains(line, "SMTPUTF8"))
		}
	}
	if !slices.Equal(asked, []bool{true, false}) {
		t.Errorf("SMTPUTF8 was asked for %v:\n%s", asked, rich.said())
	}
	m, count := counted(t, poor, poor.server(t, StartTLS, ""))
	if fault := sendFault(t, m.Send(t.Context(), l)); !fault.Permanent || count() != "activate refused" {
		t.Errorf("%+v, %s", fault, count())
	}
}

// script is a server that says its lines one after the other, each after a line
// it heard; DATA hears up to the end mark instead.
func script(t *testing.T, lines ...string) (address string, heard func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		for i, line := range lines {
			if line == "DATA" {
				for s := ""; s != ".\r\n" && err == nil; {
					s, err = r.ReadString('\n')
				}
				continue
			}
			if i > 0 && lines[i-1] != "DATA" {
				s, err := r.ReadString('\n')
				if err != nil {
					return
				}
				mu.Lock()
				all.WriteString(s)
				mu.Unlock()
			}
			if _, err := io.WriteString(conn, line); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String(), func() string {
		mu.Lock()
		defer mu.Unlock()
		return all.String()
	}
}
