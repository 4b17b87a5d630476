package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/usher-scim/usher/internal/config"
)

// server is an http.Server with the limits of both listeners.
//
// There is no WriteTimeout: it would cut the stream of a very large group, and
// what it is for is bounded elsewhere. Each door gives its work a deadline, the
// request has to arrive within ReadTimeout, and an answer that nobody takes
// ends with the connection (TCP keep-alive) or with the drain.
func (s *service) server(requests context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
}

// start serves the main listener, with TLS if configured.
func (s *service) start(srv *http.Server) error {
	if s.pair == nil {
		return srv.Serve(s.main)
	}
	srv.TLSConfig = s.pair.config()
	return srv.ServeTLS(s.main, "", "")
}

// serving turns the result of a server into nil when it ended as asked.
func serving(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// recheck is how often the files of a certificate are looked at, at most.
const recheck = time.Second

// certificate is the server's certificate, read again when its files change.
// Handshakes look for changes themselves, so nothing runs in the background.
type certificate struct {
	files config.TLS
	log   *slog.Logger
	roots *x509.CertPool // of client certificates; nil: none are asked for

	mu      sync.Mutex
	current *tls.Certificate
	seen    [2]stamp
	looked  time.Time
}

// stamp tells versions of a file apart.
type stamp struct {
	modified time.Time
	size     int64
}

func newCertificate(files config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log}
	var err error
	if c.seen, err = c.stamps(); err != nil {
		return nil, err
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	if files.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(files.ClientCA)
	if err != nil {
		return nil, err
	}
	c.roots = x509.NewCertPool()
	if !c.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", files.ClientCA)
	}
	return c, nil
}

func (c *certificate) config() *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
	asks := c.files.ClientCerts == config.CertsRequest
	switch {
	case c.roots != nil && asks:
		t.ClientCAs, t.ClientAuth = c.roots, tls.VerifyClientCertIfGiven
	case c.roots != nil:
		t.ClientCAs, t.ClientAuth = c.roots, tls.RequireAndVerifyClientCert
	case asks:
		t.ClientAuth = tls.RequestClientCert // whose it is, its name in the client's record says
	}
	return t
}

func (c *certificate) stamps() (out [2]stamp, err error) {
	for i, path := range []string{c.files.Cert, c.files.Key} {
		info, err := os.Stat(path)
		if err != nil {
			return out, err
		}
		out[i] = stamp{info.ModTime(), info.Size()}
	}
	return out, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return err
	}
	c.current = &pair
	return nil
}

// get gives the certificate for a handshake. New files that do not fit
// together, as in the middle of a replacement, leave the old one in use and are
// tried again.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.looked) < recheck {
		return c.current, nil
	}
	c.looked = now
	seen, err := c.stamps()
	if err == nil && seen != c.seen {
		if err = c.load(); err == nil {
			c.seen = seen
			c.log.Info("certificate read again", "file", c.files.Cert)
		}
	}
	if err != nil {
		c.log.Error("certificate not read again, the old one stays in use", "err", err)
	}
	return c.current, nil
}
