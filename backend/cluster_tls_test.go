package backend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/internal/redistest"
)

// selfSigned writes a certificate and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // its port is all that was wanted
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestClusterByOneURLWithTLS: the name in the URL of one node is not demanded of the
// certificates of the others.
func TestClusterByOneURLWithTLS(t *testing.T) {
	cert, key := selfSigned(t)
	port, bus := freePort(t), freePort(t)
	server := redistest.Run(t, redistest.Config{Args: []string{
		"--cluster-enabled", "yes", "--cluster-port", bus, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no", "--tls-cluster", "yes",
	}})
	if _, err := server.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", "0", "16383"); err != nil {
		t.Fatal(err)
	}
	url := "rediss://:" + server.Password + "@localhost:" + port + "?skip_verify=true"
	var s *Store
	var err error
	for range 50 { // the cluster's state is well only after a moment
		if s, err = Open(context.Background(), Config{URL: url}); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, ok := s.writes.(*redis.ClusterClient)
	if !ok {
		t.Fatalf("the store writes through a %T", s.writes)
	}
	secure := c.Options().TLSConfig
	if secure == nil || secure.ServerName != "" || !secure.InsecureSkipVerify {
		t.Errorf("nodes are dialled with %+v, want their own names demanded, and what the URL says", secure)
	}
	if err := c.Set(t.Context(), strings.Repeat("k", 3), "v", 0).Err(); err != nil {
		t.Error(err)
	}
}
