package notify

import (
	"fmt"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/usher-scim/usher/resources"
)

// envelope is who a message is from and for, as SMTP writes it: <a@example.com>.
type envelope struct{ from, to string }

// message makes the message of a page: text and HTML, and the headers of mail that
// nobody answers (RFC 3834, security X5).
func (m *Mailer) message(l resources.Letter, p *page) (*mail.Msg, envelope, error) {
	to, err := recipient(l.To)
	if err != nil {
		return nil, envelope{}, err
	}
	if l.ID == "" || strings.ContainsFunc(l.ID, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
		return nil, envelope{}, fmt.Errorf("%q is no id of a mail", l.ID)
	}
	html, text, err := m.layout.render(p)
	if err != nil {
		return nil, envelope{}, err
	}
	// The boundary follows from the id, so that the same mail is the same bytes.
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP), mail.WithBoundary("usher-"+l.ID))
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(to)
	msg.Subject(p.Subject)
	msg.SetMessageIDWithValue(l.ID + "@" + m.domain)
	msg.SetDateWithValue(m.cfg.Now())
	msg.SetGenHeader(mail.HeaderContentLang, p.Lang)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(mail.HeaderXAutoResponseSuppress, "All")
	msg.SetBodyString(mail.TypeTextPlain, text)
	msg.AddAlternativeString(mail.TypeTextHTML, html)
	sender := netmail.Address{Address: m.from.Address}
	return msg, envelope{from: sender.String(), to: to.String()}, nil
}

// recipient reads one address. Its domain goes on the wire in ASCII.
func recipient(addr string) (*netmail.Address, error) {
	bad := refusal{"the user's address cannot be written to; correct it"}
	if holdsControl(addr) || len(addr) > 320 {
		return nil, bad
	}
	a, err := netmail.ParseAddress(addr)
	if err != nil || a.Name != "" || strings.HasPrefix(strings.TrimSpace(addr), "<") {
		return nil, bad
	}
	at := strings.LastIndexByte(a.Address, '@')
	domain, err := idna.Lookup.ToASCII(a.Address[at+1:])
	if err != nil || domain == "" {
		return nil, bad
	}
	a.Address = a.Address[:at+1] + domain
	return a, nil
}
