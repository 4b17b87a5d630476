package notify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"github.com/usher-scim/usher/resources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testLog writes to the test's log.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func letters() iter.Seq[resources.Letter] { return maps.Values(all()) }

// written is the message of a letter, and its page.
func written(t *testing.T, m *Mailer, l resources.Letter) (string, *page) {
	t.Helper()
	p, err := m.compose(l)
	if err != nil {
		t.Fatal(err)
	}
	msg, _, err := m.message(l, p)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), p
}

func decoded(t *testing.T, header string) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parts reads the text and the HTML of a message; there must be nothing else.
func parts(t *testing.T, m *mail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the message is %q, %v", kind, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var got []string
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		p, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Type") != want || p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Errorf("a part has the headers %v", p.Header)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
	return got[0], got[1]
}

// post is a mail server in the test. Its answers are set per verb.
type post struct {
	addr    string
	pool    *x509.CertPool // believes its certificate
	refuse  map[string]*smtp.SMTPError
	users   map[string]string // who may send; nil: everybody
	stall   map[string]chan struct{}
	observe func(c *smtp.Conn)

	mu         sync.Mutex
	got        []delivered
	transcript bytes.Buffer
}

// delivered is one message that the server took.
type delivered struct {
	from   string
	to     []string
	data   string
	sealed bool // came over TLS
	user   string
}

// Write keeps what was said.
func (p *post) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.transcript.Write(b)
}

func (p *post) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.transcript.String()
}

func (p *post) messages() []delivered {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivered(nil), p.got...)
}

// newPost starts a mail server on loopback; change sets it up before.
func newPost(t *testing.T, security Security, change func(*post, *smtp.Server)) *post {
	t.Helper()
	p := &post{refuse: map[string]*smtp.SMTPError{}, stall: map[string]chan struct{}{}}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if p.observe != nil {
			p.observe(c)
		}
		if err := p.answer("connect"); err != nil {
			return nil, err
		}
		return &visit{post: p, conn: c}, nil
	}))
	s.Domain, s.Debug, s.ErrorLog = "mail.test", p, slog.NewLogLogger(testLog(t).Handler(), slog.LevelDebug)
	s.AllowInsecureAuth = security == Plain
	certificate, pool := authority(t)
	p.pool = pool
	if security != Plain {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	if change != nil {
		change(p, s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	if security == Implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		for _, c := range p.stall {
			close(c)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// server is how a mailer reaches it.
func (p *post) server(t *testing.T, security Security, userinfo string) Server {
	t.Helper()
	s, err := ParseServer(string(security) + "://" + userinfo + p.addr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *post) answer(verb string) error {
	if c := p.stall[verb]; c != nil {
		<-c
	}
	if err := p.refuse[verb]; err != nil {
		return err
	}
	return nil
}

// visit is one connection.
type visit struct {
	*post
	conn *smtp.Conn
	now  delivered
	user string
}

func (v *visit) Reset()        { v.now = delivered{} }
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if v.users != nil && v.user == "" {
		return smtp.ErrAuthRequired
	}
	_, v.now.sealed = v.conn.TLSConnectionState()
	v.now.from, v.now.user = from, v.user
	return v.answer("mail")
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.now.to = append(v.now.to, to)
	return v.answer("rcpt")
}

func (v *visit) Data(r io.Reader) error {
	if c := v.stall["drop"]; c != nil {
		return v.conn.Conn().Close() // in the middle of it
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := v.answer("data"); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now.data = string(data)
	v.got = append(v.got, v.now)
	return nil
}

func (v *visit) AuthMechanisms() []string {
	if v.users == nil {
		return nil
	}
	return []string{sasl.Plain}
}

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := v.answer("auth"); err != nil {
			return err
		}
		if want, ok := v.users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		v.user = user
		return nil
	}), nil
}

// authority makes a certificate for this machine, and who believes it.
func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
