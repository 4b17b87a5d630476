package outbound_test

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, server *httptest.Server, allow ...string) *outbound.Client {
	t.Helper()
	c := outbound.Config{Allow: allow, Agent: "usher/test"}
	if server != nil && server.TLS != nil {
		c.Roots = x509.NewCertPool()
		c.Roots.AddCert(server.Certificate())
	}
	out, err := outbound.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func refused(err error) bool {
	_, ok := errors.AsType[*outbound.Refusal](err)
	return ok
}

// TestGuard: security O7, W2. What is not https or does not lead to a public
// address is refused, whatever it calls itself.
func TestGuard(t *testing.T) {
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	free := client(t, server)
	for _, url := range []string{
		server.URL, "https://localhost" + port, "https://localhost", "http://localhost" + port, "http://example.com/",
		"https://169.254.169.254/latest", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://10.0.0.1/", "https://100.64.0.1/",
		"https://user@example.com/", "https://example.com:8443/", "ftp://example.com/", "file:///etc/passwd", "example.com", "", "https://", "https:example.com",
	} {
		if _, err := free.Get(t.Context(), url); !refused(err) {
			t.Errorf("%s: %v, want a refusal", url, err)
		}
	}
	if asked {
		t.Error("the server on this machine was asked")
	}
}

func TestAllow(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.UserAgent())
	}))
	defer server.Close()
	plain := httptest.NewServer(server.Config.Handler)
	defer plain.Close()
	for name, c := range map[string]struct {
		url   string
		allow []string
		ok    bool
	}{
		"network":          {server.URL, []string{"127.0.0.0/8"}, true},
		"address":          {server.URL, []string{"127.0.0.1"}, true},
		"other network":    {server.URL, []string{"10.0.0.0/8"}, false},
		"host":             {server.URL, []string{"127.0.0.1:1", strings.TrimPrefix(server.URL, "https://")}, true},
		"plain":            {plain.URL, []string{plain.URL}, true},
		"plain by network": {plain.URL, []string{"127.0.0.0/8"}, false},
	} {
		body, err := client(t, server, c.allow...).Get(t.Context(), c.url)
		if c.ok != (err == nil && string(body) == "usher/test") {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
	for _, bad := range []string{"", "http://", "a b", "*.example.com", "https://x/", "10.0.0.0/99", "x/y"} {
		if _, err := outbound.ParseAllow([]string{bad}); err == nil {
			t.Errorf("%q is taken for an exemption", bad)
		}
	}
}

// TestHostile: what a hostile server can answer costs little.
func TestHostile(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/redirect", http.RedirectHandler("https://169.254.169.254/", http.StatusFound))
	mux.Handle("/around", http.RedirectHandler("/fine", http.StatusFound))
	mux.HandleFunc("/fine", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		for range 10 << 4 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return // cut off, as it should be
			}
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		<-release
	})
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	defer close(release)
	c := client(t, server, "127.0.0.1")
	for _, path := range []string{"/redirect", "/around", "/large"} {
		if _, err := c.Get(t.Context(), server.URL+path); !refused(err) {
			t.Errorf("%s: %v, want a refusal", path, err)
		}
	}
	if _, err := c.Get(t.Context(), server.URL+"/missing"); err == nil || refused(err) {
		t.Errorf("404: %v, want an error that may pass", err)
	}
	began := time.Now()
	if _, err := c.Get(t.Context(), server.URL+"/slow"); err == nil || refused(err) || time.Since(began) > 8*time.Second {
		t.Errorf("a slow body: %v after %s", err, time.Since(began))
	}
}
