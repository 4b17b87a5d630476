package inbox

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
)

// newSink makes the mail server. It takes everything that is not too large.
func (b *Inbox) newSink() *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{inbox: b}, nil }))
	s.Domain = "localhost"
	s.EnableSMTPUTF8 = true
	s.MaxMessageBytes, s.MaxRecipients = maxMessage, 100
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	s.ErrorLog = slog.NewLogLogger(b.cfg.Log.Handler(), slog.LevelWarn)
	return s
}

// ServeMail takes mails from a listener until Close, which may come first.
func (b *Inbox) ServeMail(l net.Listener) error {
	b.mu.Lock()
	if b.listener = l; b.closed {
		b.mu.Unlock()
		return l.Close()
	}
	b.mu.Unlock()
	if err := b.sink.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("inbox: %w", err)
	}
	return nil
}

// Close ends ServeMail and its connections.
func (b *Inbox) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	err := b.sink.Close()
	if b.listener != nil { // the server may not know it yet
		err = errors.Join(err, b.listener.Close())
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("inbox: %w", err)
	}
	return nil
}

// session is one connection to the mail server.
type session struct {
	inbox *Inbox
	from  string
	to    []string
}

// Reset forgets the message that was begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Mail begins a message.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	source, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := read(source)
	m.Time, m.From, m.To, m.Size = s.inbox.cfg.Now().UTC(), s.from, s.to, len(source)
	s.inbox.keep(m)
	return nil
}
