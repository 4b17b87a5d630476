package outbound_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/outbound"
)

// TestHTTP: security O7, W2. What libraries ask by themselves is under the guard of
// Get: addresses, redirects, size, time.
func TestHTTP(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.UserAgent()+" "+string(body))
	})
	mux.Handle("/redirect", http.RedirectHandler("/echo", http.StatusTemporaryRedirect))
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		for range 160 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return // cut off, as it should be
			}
		}
	})
	mux.HandleFunc("/fits", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 512<<10)) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-release
	})
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	defer close(release)
	c := client(t, server, "127.0.0.1").HTTP()
	post := func(c *http.Client, address string) (string, error) {
		resp, err := c.Post(address, "text/plain", strings.NewReader("hello"))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	if got, err := post(c, server.URL+"/echo"); err != nil || got != "usher/test hello" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := post(c, server.URL+"/fits"); err != nil || len(got) != 512<<10 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for _, path := range []string{"/redirect", "/large"} {
		if _, err := post(c, server.URL+path); !refused(err) {
			t.Errorf("%s: %v, want a refusal", path, err)
		}
	}
	began := time.Now()
	if _, err := post(c, server.URL+"/slow"); err == nil || time.Since(began) > 8*time.Second {
		t.Errorf("a slow body: %v after %s", err, time.Since(began))
	}
	strict := client(t, server).HTTP()
	for _, address := range []string{server.URL, "https://localhost", "http://example.com", "https://169.254.169.254/latest"} {
		_, err := post(strict, address)
		if r, ok := errors.AsType[*outbound.Refusal](err); !ok || r.Reason == "" {
			t.Errorf("%s: %v, want a refusal", address, err)
		}
	}
}
