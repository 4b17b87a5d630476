package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// stage is how far a transaction came. What a refusal means depends on it.
type stage string

// The stages.
const (
	stageConnect stage = "connect" // up to the end of authentication
	stageSender  stage = "sender"  // MAIL FROM
	stageAddress stage = "address" // RCPT TO
	stageContent stage = "content" // DATA, up to the answer to its end
)

// deliver gives a message to the mail server. Every call has a connection of its
// own, which ends with it. The error tells the stage.
func (m *Mailer) deliver(ctx context.Context, msg *mail.Msg, e envelope) (stage, error) {
	ctx, cancel := context.WithTimeout(ctx, m.patience.total)
	defer cancel()
	conn, client, err := m.connect(ctx)
	if conn != nil {
		defer func() { _ = conn.Close() }() // what counts has been answered before
	}
	if err != nil {
		return stageConnect, inTime(ctx, err)
	}
	at, err := transact(client, msg, e)
	if err != nil {
		return at, inTime(ctx, err)
	}
	_ = client.Quit() // the message has been taken; whatever comes now changes nothing
	return at, nil
}

// errLate says that the server took too long.
var errLate = errors.New("the mail server did not answer in time")

// inTime tells errors apart that the end of our patience caused.
func inTime(ctx context.Context, err error) error {
	var late net.Error
	if ctx.Err() != nil || errors.As(err, &late) && late.Timeout() {
		return errors.Join(errLate, err)
	}
	return err
}

// connect opens a connection, protects it and authenticates. The connection is
// the caller's to close even when there is an error.
func (m *Mailer) connect(ctx context.Context) (conn net.Conn, client *smtp.Client, err error) {
	server, whole := m.cfg.Server, ctx
	security := &tls.Config{ServerName: server.Host, RootCAs: m.cfg.CA, MinVersion: tls.VersionTLS12}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		plain, err := (&net.Dialer{Timeout: m.patience.connect}).DialContext(ctx, network, server.address())
		if err != nil {
			return nil, err
		}
		conn = plain
		context.AfterFunc(whole, func() { _ = plain.Close() }) // wakes who waits for an answer
		if server.Security != Implicit {
			return plain, nil
		}
		sealed := tls.Client(plain, security)
		return sealed, sealed.HandshakeContext(ctx)
	}
	options := []mail.Option{
		mail.WithPort(server.Port), mail.WithTimeout(m.patience.total), mail.WithHELO(m.helo),
		mail.WithTLSConfig(security), mail.WithTLSPolicy(mail.NoTLS), mail.WithDialContextFunc(dial),
	}
	if server.Security == StartTLS {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if server.User != "" {
		options = append(options, mail.WithUsername(server.User), mail.WithPassword(server.Password))
		kinds := []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin}
		if server.Security == Plain {
			kinds = []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc}
		}
		options = append(options, mail.WithOpportunisticSMTPAuth(kinds...))
	}
	dialer, err := mail.NewClient(server.Host, options...)
	if err != nil {
		return nil, nil, err
	}
	client, err = dialer.DialToSMTPClientWithContext(ctx)
	return conn, client, err
}

// errNoUTF8 says that the recipient's address is more than the server can write.
var errNoUTF8 = errors.New("the address has letters beyond ASCII before the @, and the mail server does not take such addresses (no SMTPUTF8)")

// transact is one mail transaction (RFC 5321 §3.3).
func transact(c *smtp.Client, msg *mail.Msg, e envelope) (stage, error) {
	if can, _ := c.Extension("SMTPUTF8"); !ascii(e.to) && !can {
		return stageAddress, errNoUTF8
	}
	// A message that needs no SMTPUTF8 must not ask for it: a server further on
	// would have to send it back.
	c.SkipSMTPUTF8(ascii(e.to))
	if err := c.Mail(e.from); err != nil {
		return stageSender, err
	}
	if err := c.Rcpt(e.to); err != nil {
		return stageAddress, err
	}
	w, err := c.Data()
	if err != nil {
		return stageContent, err
	}
	if _, err := msg.WriteTo(w); err != nil {
		return stageContent, err // without the end mark the server throws it away
	}
	return stageContent, w.Close()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
