package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pairFiles are a certificate and its key on disk.
type pairFiles struct{ cert, key string }

// write replaces both with a new self-signed certificate of the serial.
func (f pairFiles) write(t *testing.T, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "usher test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{f.cert: {Type: "CERTIFICATE", Bytes: der}, f.key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func newPair(t *testing.T, serial int64) pairFiles {
	t.Helper()
	dir := t.TempDir()
	f := pairFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	f.write(t, serial)
	return f
}

// serial is that of the certificate a server shows.
func serial(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestCertificateReload(t *testing.T) {
	files := newPair(t, 1)
	n := start(t, nil, "--tls-cert", files.cert, "--tls-key", files.key)
	if !strings.HasPrefix(n.SCIMURL, "https://127.0.0.1:") {
		t.Errorf("SCIM URL %s, want https", n.SCIMURL)
	}
	if got := serial(t, n.Listen); got != 1 {
		t.Fatalf("serial %d, want 1", got)
	}
	if err := os.WriteFile(files.key, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(recheck + 50*time.Millisecond)
	if got := serial(t, n.Listen); got != 1 || !strings.Contains(n.stderr.String(), "the old one stays in use") {
		t.Errorf("with broken files: serial %d, want 1 and a word in the log:\n%s", got, n.stderr)
	}
	files.write(t, 2)
	time.Sleep(recheck + 50*time.Millisecond)
	if got := serial(t, n.Listen); got != 2 {
		t.Errorf("with new files: serial %d, want 2", got)
	}
}

func TestTLS(t *testing.T) {
	files := newPair(t, 1)
	n := start(t, nil, "--tls-cert", files.cert, "--tls-key", files.key, "--listen", "0.0.0.0:0", "--public-url", "https://id.example.com")
	_, port, err := net.SplitHostPort(n.Listen)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", port)
	if _, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	client := trusting(t, files, nil)
	resp, err := client.Get("https://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || !strings.Contains(resp.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Errorf("HTTP/%d with headers %v, want 2 with HSTS", resp.ProtoMajor, resp.Header)
	}
	for _, path := range []string{"/healthz", "/orgs/demo/scim/v2/Users", "/api/v1/orgs"} { // security T5: no redirect
		if resp, err := browser().Get("http://" + address + path); err == nil {
			resp.Body.Close()
			if resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
				t.Errorf("plain HTTP on a TLS port: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
			}
		}
	}
	if n.PublicURL != "https://id.example.com" {
		t.Errorf("public URL %s", n.PublicURL)
	}
}

// trusting is a client that knows the certificate and may have one itself.
func trusting(t *testing.T, server pairFiles, own *tls.Certificate) *http.Client {
	t.Helper()
	text, err := os.ReadFile(server.cert)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(text)
	if own != nil {
		c.Certificates = []tls.Certificate{*own}
	}
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestClientCertificates(t *testing.T) {
	server, client := newPair(t, 1), newPair(t, 2)
	n := start(t, nil, "--tls-cert", server.cert, "--tls-key", server.key, "--client-ca", client.cert)
	if resp, err := trusting(t, server, nil).Get("https://" + n.Listen + "/healthz"); err == nil {
		resp.Body.Close()
		t.Error("a client without a certificate is served")
	}
	own, err := tls.LoadX509KeyPair(client.cert, client.key)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := trusting(t, server, &own).Get("https://" + n.Listen + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	// The probes of the other listener need none.
	if resp, _ := get(t, n.side()+"/readyz", ""); resp.StatusCode != 200 {
		t.Errorf("readyz on the metrics listener: %d", resp.StatusCode)
	}
}

func TestBadCertificates(t *testing.T) {
	good, other := newPair(t, 1), newPair(t, 2)
	for _, args := range [][]string{
		{"--tls-cert", good.cert, "--tls-key", other.key},
		{"--tls-cert", good.key, "--tls-key", good.key},
		{"--tls-cert", good.cert, "--tls-key", good.key, "--client-ca", good.key},
	} {
		wantCode(t, exitConfig, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"}, args...)...)
	}
}
