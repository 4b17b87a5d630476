package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/usher-scim/usher/scim"
)

// front stands before every door of the main listener. It refuses plain HTTP
// from where tokens must not come in the clear (security T5), gives each
// request an id and the log the client's address, and sets the headers that
// all answers have.
type front struct {
	next     http.Handler
	tls      bool           // the listener speaks TLS
	open     bool           // the listener can be reached from other machines
	proxies  []netip.Prefix // that end TLS in front
	draining *atomic.Bool

	ids     string // begins every request id of this process
	count   atomic.Uint64
	headers []header // of every answer; the values are shared and never changed
	strict  []string // Strict-Transport-Security, of answers over TLS (security T5)
}

type header struct {
	name  string
	value []string
}

// newFront completes a front.
func newFront(f *front) http.Handler {
	f.ids = strings.ToLower(rand.Text()[:10]) + "-"
	f.headers = []header{
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	}
	f.strict = []string{"max-age=31536000; includeSubDomains"}
	return f
}

// tlsInFront reports whether a trusted proxy says that it got the request over
// TLS.
func (f *front) tlsInFront(peer netip.Addr, r *http.Request) bool {
	return len(f.proxies) > 0 && f.trusted(peer) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// ServeHTTP passes a request on.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	peer := peerOf(r)
	for i := range f.headers {
		h[f.headers[i].name] = f.headers[i].value
	}
	if f.draining.Load() {
		h.Set("Connection", "close")
	}
	if r.TLS == nil && !f.safe(peer, r) {
		refusePlain(w, r)
		return
	}
	if f.tls || f.tlsInFront(peer, r) {
		h["Strict-Transport-Security"] = f.strict
	}
	id := r.Header.Get("X-Request-Id")
	if !safeID(id) {
		id = f.ids + strconv.FormatUint(f.count.Add(1), 36)
		r.Header.Set("X-Request-Id", id)
	}
	ctx := context.WithValue(r.Context(), visitKey{}, visit{request: id, client: f.client(peer, r)})
	f.next.ServeHTTP(w, r.WithContext(ctx))
}

// asTyped gives addresses under /orgs/ that a ServeMux would redirect, those with
// doubled slashes first of all, to the SCIM door as they were typed: no client
// sends its token and its body a second time (L-27).
func asTyped(idp, mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; strings.HasPrefix(strings.TrimLeft(p, "/"), "orgs/") && !clean(p) {
			idp.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// clean reports whether a ServeMux takes a path as it is.
func clean(p string) bool {
	return !strings.Contains(p, "//") && !strings.Contains(p, "/./") && !strings.Contains(p, "/../") &&
		!strings.HasSuffix(p, "/.") && !strings.HasSuffix(p, "/..")
}

func peerOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // belongs to no network, hence is not trusted
	}
	return ap.Addr().Unmap().WithZone("")
}

func (f *front) trusted(addr netip.Addr) bool {
	for _, p := range f.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// safe reports whether a request without TLS may be served: it comes from this
// machine or from a proxy that did not get it in the clear itself. Probes carry
// no secret.
func (f *front) safe(peer netip.Addr, r *http.Request) bool {
	if !f.open && len(f.proxies) == 0 || isProbe(r.URL.Path) {
		return true
	}
	if f.trusted(peer) {
		return !strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "http")
	}
	return peer.IsLoopback()
}

func refusePlain(w http.ResponseWriter, r *http.Request) {
	const code, detail = "tls_required", "Tokens must not travel in the clear: use https."
	w.Header().Set("Cache-Control", "no-store")
	if strings.HasPrefix(r.URL.Path, "/orgs/") {
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(scim.ErrorBody(http.StatusForbidden, "", code, detail)) // an error means that the client has gone
		return
	}
	problem(w, http.StatusForbidden, code, detail)
}

// client is the address that a request came from in the first place: the last
// of X-Forwarded-For that no trusted proxy has, if the peer is trusted itself.
func (f *front) client(peer netip.Addr, r *http.Request) netip.Addr {
	if !f.trusted(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // from here on nobody vouches for anything
		}
		if peer = addr.Unmap().WithZone(""); !f.trusted(peer) {
			break
		}
	}
	return peer
}

// safeID reports whether an id from outside can be logged and echoed.
func safeID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
