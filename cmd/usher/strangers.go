package main

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// How many requests without a valid credential one address may send, per
// second and at once (security T3).
const (
	strangerRate  = 10
	strangerBurst = 20
)

// strangersKept is how many addresses one generation of strangers holds.
const strangersKept = 20_000

// strangers bounds what addresses may ask without a valid credential. Only
// failures are counted, after they happened: who shares an address with
// somebody who guesses tokens is served as before.
//
// It remembers for each address when its failures so far will be forgiven. When
// a generation is full it becomes the old one and a new one begins; who keeps
// failing moves on, so memory is bounded and a flood of addresses cannot wash
// out the one that is failing now.
type strangers struct {
	now func() time.Time

	mu       sync.Mutex
	young    map[netip.Prefix]int64 // nanoseconds of the Unix clock
	old      map[netip.Prefix]int64
	capacity int // of a generation; 0 means strangersKept
}

// failed counts a request without a valid credential. More than 0 is how long
// its address has to wait before it learns anything more.
func (s *strangers) failed(r *http.Request) time.Duration {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return s.take(networkOf(v.client))
}

// senderOf names who sent a request, as strangers count.
func senderOf(r *http.Request) string {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return networkOf(v.client).String()
}

// networkOf is what is counted as one sender: an address, of IPv6 a /64, which
// is what one subscriber has at least.
func networkOf(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all of these are one
	}
	return p
}

func (s *strangers) take(from netip.Prefix) time.Duration {
	const interval = int64(time.Second / strangerRate)
	now := s.now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	forgiven, ok := s.young[from]
	if !ok {
		forgiven = s.old[from]
		s.makeRoom()
	}
	forgiven = max(forgiven, now)
	wait := max(0, forgiven+interval-now-strangerBurst*interval)
	if wait == 0 {
		forgiven += interval
	}
	s.young[from] = forgiven
	return time.Duration(wait)
}

// makeRoom lets one more address in.
func (s *strangers) makeRoom() {
	most := s.capacity
	if most == 0 {
		most = strangersKept
	}
	if s.young == nil || len(s.young) >= most {
		s.old, s.young = s.young, make(map[netip.Prefix]int64)
	}
}
