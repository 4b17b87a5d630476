package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/notify"
	"github.com/usher-scim/usher/notify/inbox"
	"github.com/usher-scim/usher/resources"
)

// mailing is how a server sends mails: to the mail server of the settings, or to
// an inbox of its own. The zero value sends none, they wait.
type mailing struct {
	mailer *notify.Mailer
	send   func(context.Context, resources.Letter) error

	inbox      *inbox.Inbox
	page, sink net.Listener // of the inbox
}

// mailConfig makes the configuration of mails. What is missing in it is whom to
// count and, without smtp.url, the server.
func mailConfig(l *config.Loaded, publicURL string) (notify.Config, error) {
	c := notify.Config{Product: l.Mail.Name, PublicURL: publicURL, Now: time.Now}
	var faults []error
	fault := func(key string, err error) {
		if err != nil {
			faults = append(faults, &config.Fault{Key: key, Origin: l.Origin[key], Reason: err.Error()})
		}
	}
	var err error
	if l.SMTP.URL != "" {
		c.Server, err = notify.ParseServer(string(l.SMTP.URL))
		fault("smtp.url", err)
	}
	if l.SMTP.CA != "" {
		c.CA, err = authorities(l.SMTP.CA)
		fault("smtp.ca", err)
	}
	fault("mail.name", notify.CheckProduct(l.Mail.Name))
	if c.From = l.Mail.From; c.From != "" {
		_, err = notify.ParseSender(c.From)
	} else {
		c.From, err = usualSender(l, publicURL, c.Server.Host)
	}
	fault("mail.from", err)
	return c, errors.Join(faults...)
}

// usualSender is the sender when nobody has set one. A public URL without a name
// gives none that other servers would take mails from.
func usualSender(l *config.Loaded, publicURL, server string) (string, error) {
	host := "localhost"
	if u, err := url.Parse(publicURL); err == nil {
		host = u.Hostname()
	}
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || host == "" {
		if server != "" && !config.IsLoopback(server) {
			return "", errors.New("it is needed because public_url names no domain; write for example no-reply@example.com")
		}
		host = "localhost"
	}
	host, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("no sender can be made of public_url: %w; write for example no-reply@example.com", err)
	}
	return (&mail.Address{Name: l.Mail.Name, Address: "no-reply@" + host}).String(), nil
}

func authorities(path string) (*x509.CertPool, error) {
	data, err := config.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("the file holds no PEM certificate")
	}
	return pool, nil
}

// mailFaults is what is wrong with the settings of mails.
func mailFaults(l *config.Loaded) []error {
	if l == nil {
		return nil
	}
	_, err := mailConfig(l, l.PublicURL)
	return each(err)
}

// openMail makes ready who sends mails. It comes before the Directory, which is
// given what sends.
func (s *service) openMail(ctx context.Context) error {
	c, err := mailConfig(s.cfg, s.publicURL)
	if err != nil {
		return &failure{exit: exitConfig, what: "the settings of mails have faults", why: indented{err}}
	}
	c.Log, c.Observe = s.log, func(template, outcome string) { s.numbers.mail(template, outcome) }
	if s.cfg.SMTP.URL == "" {
		if s.cfg.Inbox.Listen == "off" {
			s.log.WarnContext(ctx, "mails wait and reach nobody: smtp.url is not set and inbox.listen is off")
			return nil
		}
		if s.cfg.Redis.URL != "" {
			s.log.WarnContext(ctx, "mails stay on this machine, in memory, and reach nobody: smtp.url is not set")
		}
		if c.Server, err = s.openInbox(ctx); err != nil {
			return err
		}
	}
	if s.mails.mailer, err = notify.New(c); err == nil {
		s.mails.send = s.mails.mailer.Send
	}
	return err
}

// openInbox binds the listeners of the inbox and gives its mail server.
func (s *service) openInbox(ctx context.Context) (server notify.Server, err error) {
	var lc net.ListenConfig
	if s.mails.page, err = lc.Listen(ctx, "tcp", s.cfg.Inbox.Listen); err != nil {
		return server, &failure{exit: exitConfig, what: "cannot listen for the inbox", why: err, todo: "choose another address with inbox.listen, or off"}
	}
	if s.mails.sink, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return server, &failure{exit: exitFailure, what: "cannot listen for the inbox's mails", why: err}
	}
	if s.mails.inbox, err = inbox.New(inbox.Config{Now: time.Now, Log: s.log}); err != nil {
		return server, err
	}
	return notify.ParseServer(string(notify.Plain) + "://" + s.mails.sink.Addr().String())
}

// tryMail sends a message with the settings of mails and says what came of it.
func (p *program) tryMail(ctx context.Context, l *config.Loaded, address string) error {
	if l.SMTP.URL == "" {
		return &failure{exit: exitConfig, what: "no mail was sent", why: errors.New("smtp.url is not set"), todo: "set it to your mail server, for example smtp://user:password@mail.example.com:587"}
	}
	public := l.PublicURL
	if public == "" {
		public = "http://" + l.Listen
	}
	c, err := mailConfig(l, public)
	if err != nil {
		return err
	}
	outcome := ""
	c.Log, c.Observe = slog.New(slog.DiscardHandler), func(_, o string) { outcome = o }
	mailer, err := notify.New(c)
	if err != nil {
		return err
	}
	err = mailer.Try(ctx, strings.ToLower(rand.Text()), address, "en")
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%s took a message for %s\n", c.Server.Host, address)
		return err
	}
	what := "no mail was sent to " + address + " through " + c.Server.Host
	switch outcome {
	case notify.OutcomeRefused:
		return &failure{exit: exitFailure, what: what, why: err, todo: "try another address"}
	case notify.OutcomeSettings:
		return &failure{exit: exitConfig, what: what, why: err, todo: "correct smtp.url, smtp.ca or mail.from"}
	}
	return &failure{exit: exitUnavailable, what: what, why: err, todo: "see that the mail server runs there and try again"}
}
