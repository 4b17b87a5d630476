package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// knocks counts how many of n requests from an address get through to a
// refusal.
func (s *strangers) knocks(addr string, n int) (through int) {
	for range n {
		if s.take(networkOf(netip.MustParseAddr(addr))) == 0 {
			through++
		}
	}
	return through
}

// TestStrangers is security T3: ten per second and address, twenty at once.
func TestStrangers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := &strangers{now: func() time.Time { return now }}
	if got := s.knocks("203.0.113.9", 100); got != 20 {
		t.Errorf("%d of 100 got through, want 20", got)
	}
	if got := s.knocks("203.0.113.10", 1); got != 1 {
		t.Error("another address pays too")
	}
	if wait := s.take(networkOf(netip.MustParseAddr("203.0.113.9"))); wait <= 0 || wait > 100*time.Millisecond {
		t.Errorf("wait %v, want up to a tenth of a second", wait)
	}
	now = now.Add(time.Second)
	if got := s.knocks("203.0.113.9", 100); got != 10 {
		t.Errorf("%d of 100 got through after a second, want 10", got)
	}
	now = now.Add(time.Hour)
	if got := s.knocks("203.0.113.9", 100); got != 20 {
		t.Errorf("%d of 100 got through after an hour, want 20", got)
	}
	// Of IPv6 a network of 64 bits is one sender.
	through := 0
	for i := range 100 {
		through += s.knocks(fmt.Sprintf("2001:db8::%x:%x", i, i), 1)
	}
	if through != 20 {
		t.Errorf("%d of 100 from one /64 got through, want 20", through)
	}
	if got := s.knocks("2001:db8:0:1::1", 1); got != 1 {
		t.Error("another /64 pays too")
	}
	through = 0
	for range 100 {
		if s.take(networkOf(netip.Addr{})) == 0 {
			through++
		}
	}
	if through != 20 {
		t.Errorf("%d of 100 without an address got through, want 20", through)
	}
}

// A flood of addresses costs bounded memory, and does not forgive the one that
// keeps failing.
func TestStrangersAreBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := &strangers{now: func() time.Time { return now }, capacity: 100}
	s.knocks("203.0.113.9", 20)
	through := 0
	for i := range 5000 {
		s.take(networkOf(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})))
		if i%50 == 0 {
			through += s.knocks("203.0.113.9", 1)
		}
		if n := len(s.young) + len(s.old); n > 200 {
			t.Fatalf("%d addresses are remembered", n)
		}
	}
	if through != 0 {
		t.Errorf("the flood let %d requests through", through)
	}
}

// TestSpoofedXFF is security T4: who is no trusted proxy is one sender,
// whatever X-Forwarded-For says; behind a trusted one the right-most address
// that it does not vouch for is the sender. It is a table and its play, long by
// nature.
func TestSpoofedXFF(t *testing.T) {
	tests := []struct {
		name      string
		proxies   string
		forwarded string // %d is the number of the request
		one       bool   // limited as one sender
	}{
		{"no proxy", "", "198.51.%d.%d", true},
		{"another proxy", "192.0.2.1", "198.51.%d.%d", true},
		{"trusted proxy", "127.0.0.1", "198.51.%d.%d", false},
		{"what the client wrote itself", "127.0.0.1", "198.51.%d.%d, 203.0.113.9", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var args []string
			if tt.proxies != "" {
				args = append(args, "--trusted-proxies", tt.proxies)
			}
			n := start(t, nil, args...)
			client := &http.Client{Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			ask := func(url, token, forwarded string) reply {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("X-Forwarded-For", forwarded)
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				return reply{resp.StatusCode, resp.Header}
			}
			const requests = 1000
			refused, began := 0, time.Now()
			for i := range requests {
				url := n.SCIMURL + "/Users"
				if i%2 == 1 {
					url = n.APIURL + "/orgs" // both doors count together
				}
				resp := ask(url, "guess"+strconv.Itoa(i), fmt.Sprintf(tt.forwarded, i/250, i%250+1))
				switch resp.StatusCode {
				case 401:
					refused++
				case 429:
					if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || s < 1 {
						t.Fatalf("Retry-After %q", resp.Header.Get("Retry-After"))
					}
				default:
					t.Fatalf("GET %s: %d", url, resp.StatusCode)
				}
			}
			most := strangerBurst + int(time.Since(began).Seconds()*strangerRate) + 1
			if !tt.one {
				most = requests
			}
			if refused > most || (!tt.one && refused != requests) {
				t.Errorf("%d of %d were answered 401, want at most %d", refused, requests, most)
			}
			// A token that works does so from the same address, seen before or not.
			same := strings.ReplaceAll(tt.forwarded, "%d", "1")
			if a, b := ask(n.SCIMURL+"/Users", n.SCIMToken, same), ask(n.APIURL+"/orgs", n.APIToken, same); a.StatusCode != 200 || b.StatusCode != 200 {
				t.Errorf("valid tokens are answered %d and %d", a.StatusCode, b.StatusCode)
			}
		})
	}
}
