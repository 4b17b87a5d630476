package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-scim/usher/internal/config"
)

func newTestFront(t *testing.T, open bool, proxies ...string) (http.Handler, *visit) {
	t.Helper()
	list, err := config.ParseProxies(proxies)
	if err != nil {
		t.Fatal(err)
	}
	seen := &visit{}
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		*seen, _ = r.Context().Value(visitKey{}).(visit)
		if seen.request != r.Header.Get("X-Request-Id") {
			t.Errorf("the log's id %q is not the doors' %q", seen.request, r.Header.Get("X-Request-Id"))
		}
	})
	return newFront(&front{next: next, open: open, proxies: list, draining: &atomic.Bool{}}), seen
}

func visitFrom(peer, path string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = peer
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestClientAddress(t *testing.T) {
	door, seen := newTestFront(t, true, "10.0.0.0/8", "fd00::/8")
	tests := []struct{ name, peer, forwarded, want string }{
		{"proxy without the header", "10.1.1.1:5", "", "10.1.1.1"},
		{"one hop", "10.1.1.1:5", "203.0.113.9", "203.0.113.9"},
		{"what the client claims is left of it", "10.1.1.1:5", "1.2.3.4, 203.0.113.9", "203.0.113.9"},
		{"two proxies", "10.1.1.1:5", "203.0.113.9, 10.2.2.2", "203.0.113.9"},
		{"all trusted", "10.1.1.1:5", "10.3.3.3, 10.2.2.2", "10.3.3.3"},
		{"nonsense ends it", "10.1.1.1:5", "203.0.113.9, what, 10.2.2.2", "10.2.2.2"},
		{"mapped", "[::ffff:10.1.1.1]:5", "203.0.113.9", "203.0.113.9"},
		{"six", "[fd00::1]:5", "2001:db8::9", "2001:db8::9"},
		{"not a proxy", "127.0.0.1:5", "203.0.113.9", "127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := visitFrom(tt.peer, "/orgs/x")
			if tt.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tt.forwarded)
			}
			door.ServeHTTP(httptest.NewRecorder(), r)
			if seen.client.String() != tt.want {
				t.Errorf("client %q, want %q", seen.client, tt.want)
			}
		})
	}
}

// TestPlainHttpApi is security T5: no token in the clear, and no redirect.
func TestPlainHttpApi(t *testing.T) {
	tests := []struct {
		name   string
		open   bool
		proxy  string
		r      *http.Request
		status int
	}{
		{"loopback listener", false, "", visitFrom("127.0.0.1:5", "/api/v1/orgs"), 200},
		{"trusted proxy", true, "10.0.0.0/8", visitFrom("10.0.0.1:5", "/api/v1/orgs"), 200},
		{"trusted proxy with TLS", true, "10.0.0.0/8", visitFrom("10.0.0.1:5", "/api/v1/orgs", "X-Forwarded-Proto: https"), 200},
		{"trusted proxy without TLS", true, "10.0.0.0/8", visitFrom("10.0.0.1:5", "/api/v1/orgs", "X-Forwarded-Proto: http"), 403},
		{"past the proxy", true, "10.0.0.0/8", visitFrom("192.0.2.1:5", "/api/v1/orgs"), 403},
		{"past the proxy to SCIM", true, "10.0.0.0/8", visitFrom("192.0.2.1:5", "/orgs/demo/scim/v2/Users"), 403},
		{"past the proxy with a claim", true, "10.0.0.0/8", visitFrom("192.0.2.1:5", "/api/v1/orgs", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https"), 403},
		{"probe", true, "10.0.0.0/8", visitFrom("192.0.2.1:5", "/healthz"), 200},
		{"this machine", true, "10.0.0.0/8", visitFrom("127.0.0.1:5", "/api/v1/orgs"), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var proxies []string
			if tt.proxy != "" {
				proxies = append(proxies, tt.proxy)
			}
			door, _ := newTestFront(t, tt.open, proxies...)
			w := httptest.NewRecorder()
			door.ServeHTTP(w, tt.r)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			want := "application/problem+json"
			if strings.HasPrefix(tt.r.URL.Path, "/orgs/") {
				want = "application/scim+json"
			}
			if w.Code == 403 && (w.Header().Get("Content-Type") != want || !strings.Contains(w.Body.String(), "tls_required")) {
				t.Errorf("refusal %s %s", w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

// TestStrictTransport is security T5: answers over TLS, ours or that of a
// trusted proxy, tell browsers to stay there; no other answer does.
func TestStrictTransport(t *testing.T) {
	tests := []struct {
		name string
		tls  bool
		r    *http.Request
		want string
	}{
		{"TLS", true, visitFrom("192.0.2.1:5", "/"), "max-age=31536000; includeSubDomains"},
		{"TLS at a trusted proxy", false, visitFrom("10.0.0.1:5", "/", "X-Forwarded-Proto: https"), "max-age=31536000; includeSubDomains"},
		{"trusted proxy that does not say", false, visitFrom("10.0.0.1:5", "/"), ""},
		{"refused at the proxy", false, visitFrom("10.0.0.1:5", "/", "X-Forwarded-Proto: http"), ""},
		{"not a proxy", false, visitFrom("127.0.0.1:5", "/", "X-Forwarded-Proto: https"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := config.ParseProxies([]string{"10.0.0.0/8"})
			if err != nil {
				t.Fatal(err)
			}
			door := newFront(&front{next: http.NotFoundHandler(), tls: tt.tls, open: true, proxies: list, draining: &atomic.Bool{}})
			if tt.tls {
				tt.r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			door.ServeHTTP(w, tt.r)
			if got := w.Header().Get("Strict-Transport-Security"); got != tt.want {
				t.Errorf("Strict-Transport-Security %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRequestIDs(t *testing.T) {
	door, seen := newTestFront(t, false)
	ids := map[string]bool{}
	for range 100 {
		door.ServeHTTP(httptest.NewRecorder(), visitFrom("127.0.0.1:5", "/"))
		ids[seen.request] = true
	}
	if len(ids) != 100 {
		t.Errorf("100 requests have %d ids", len(ids))
	}
	for given, kept := range map[string]bool{"abc-1.2_X": true, "a b": false, "": false, `a"b`: false, strings.Repeat("x", 65): false} {
		door.ServeHTTP(httptest.NewRecorder(), visitFrom("127.0.0.1:5", "/", "X-Request-Id: "+given))
		if (seen.request == given) != kept {
			t.Errorf("id %q became %q, kept should be %v", given, seen.request, kept)
		}
	}
}

func BenchmarkFront(b *testing.B) {
	door := newFront(&front{next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), draining: &atomic.Bool{}})
	r, w := visitFrom("127.0.0.1:5", "/orgs/x"), httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r.Header.Del("X-Request-Id")
		door.ServeHTTP(w, r)
	}
}
