package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
)

// Config is what a Mailer needs. Every field but CA and Observe is required.
type Config struct {
	Server    Server         // who delivers, see ParseServer
	CA        *x509.CertPool // whom to believe about the server; nil: whom the machine believes
	From      string         // sender: no-reply@example.com or usher <no-reply@example.com>
	Product   string         // what people know this service as
	PublicURL string         // scheme, host and perhaps a path; every link goes there
	Log       *slog.Logger
	Now       func() time.Time

	// Observe is told of every try: the template and sent, refused, delayed or
	// settings. nil: nobody counts.
	Observe func(template, outcome string)
}

// Mailer sends letters. It is safe for concurrent use.
type Mailer struct {
	cfg      Config
	from     *mail.Address
	domain   string // of the sender, for message ids
	helo     string
	root     *url.URL // the public URL
	texts    *i18n.Catalog
	layout   *layout
	patience patience
}

// patience is how long one try may take.
type patience struct{ connect, total time.Duration }

// New checks the configuration and makes a Mailer. It does not connect.
func New(c Config) (*Mailer, error) {
	m := &Mailer{cfg: c, patience: patience{connect: 10 * time.Second, total: 30 * time.Second}}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	if c.Server.Host == "" || c.Log == nil || c.Now == nil {
		fault(errors.New("notify: Config.Server, Log and Now are required"))
	}
	if fault(CheckProduct(c.Product)); c.Observe == nil {
		m.cfg.Observe = func(string, string) {}
	}
	var err error
	if m.from, err = ParseSender(c.From); err != nil {
		fault(fmt.Errorf("notify: the sender: %w", err))
	} else {
		m.domain = m.from.Address[strings.LastIndexByte(m.from.Address, '@')+1:]
	}
	if m.root, err = ownRoot(c.PublicURL); err == nil {
		m.helo = heloName(m.root.Hostname())
	}
	fault(err)
	if m.texts, err = i18n.Load(texts()); err == nil {
		m.layout, err = parseLayout()
	}
	fault(err)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return m, nil
}

// CheckProduct says what is wrong with a product name for mails.
func CheckProduct(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxName || holdsControl(name) {
		return fmt.Errorf("the product's name is 1 to %d bytes of plain text", maxName)
	}
	return nil
}

// ParseSender reads the sender of all mails: an address, with or without a name.
func ParseSender(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || !ascii(a.Address) || holdsControl(a.Name) {
		return nil, errors.New("it is not an address; write for example no-reply@example.com or usher <no-reply@example.com>")
	}
	return a, nil
}

// ownRoot reads the public URL; a host of other than ASCII letters becomes the
// form that is asked for in DNS.
func ownRoot(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("notify: Config.PublicURL is not an absolute http or https URL without user, query and fragment")
	}
	if !ascii(u.Host) {
		host, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil {
			return nil, fmt.Errorf("notify: Config.PublicURL: %w", err)
		}
		u.Host = strings.Replace(u.Host, u.Hostname(), host, 1)
	}
	return u, nil
}

// heloName is what usher calls itself (RFC 5321 §4.1.3): its public name, or the
// address as a literal.
func heloName(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case addr.Is6():
		return "[IPv6:" + addr.WithZone("").String() + "]"
	}
	return "[" + addr.String() + "]"
}

// Send gives a letter to the mail server. A *resources.SendFault says what the
// server, or the letter itself, is against; its answer begins with the server's
// code where it is about this mail. Any other error is usher's own: the letter
// could not be written.
func (m *Mailer) Send(ctx context.Context, l resources.Letter) error {
	msg, env, err := m.write(l)
	if err != nil {
		if reason, ok := errors.AsType[refusal](err); ok {
			return m.failed(ctx, l, OutcomeRefused, &resources.SendFault{Permanent: true, Answer: reason.reason, Err: err})
		}
		m.cfg.Observe(string(l.Template), OutcomeDelayed)
		return fmt.Errorf("write a mail: %w", err)
	}
	at, err := m.deliver(ctx, msg, env)
	if err == nil {
		m.cfg.Observe(string(l.Template), OutcomeSent)
		return nil
	}
	outcome, permanent := judge(at, err)
	_, token, _ := strings.Cut(l.Path, "=")
	return m.failed(ctx, l, outcome, faultOf(at, permanent, err, l.To, strings.Trim(env.to, "<>"), m.cfg.Server.Password, token, l.Code))
}

// Try sends a message that says that mails of these settings arrive. It has no
// organization.
func (m *Mailer) Try(ctx context.Context, id, to, language string) error {
	l := resources.Letter{Mail: resources.Mail{ID: id, Template: templateTry, To: to, Language: language, Created: m.cfg.Now()}, Org: m.cfg.Product}
	return m.Send(ctx, l)
}

// write makes the message of a letter.
func (m *Mailer) write(l resources.Letter) (*gomail.Msg, envelope, error) {
	p, err := m.compose(l)
	if err != nil {
		return nil, envelope{}, err
	}
	return m.message(l, p)
}

// failed counts and logs a try that was in vain. What the operator must mend is
// an error; addresses never stand in the log (security X8).
func (m *Mailer) failed(ctx context.Context, l resources.Letter, outcome string, fault *resources.SendFault) error {
	m.cfg.Observe(string(l.Template), outcome)
	args := []any{slog.String("mail", l.ID), slog.String("template", string(l.Template)), slog.String("outcome", outcome), slog.String("answer", fault.Answer)}
	switch {
	case outcome == OutcomeSettings:
		m.cfg.Log.ErrorContext(ctx, "mails cannot be sent: see smtp.url, smtp.ca and mail.from; they wait and are tried again", args...)
	case fault.Permanent:
		m.cfg.Log.InfoContext(ctx, "a mail was refused for good", args...)
	default:
		m.cfg.Log.WarnContext(ctx, "a mail was not sent yet and is tried again", args...)
	}
	return fault
}
