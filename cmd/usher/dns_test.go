package main

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameServer is a real DNS server on loopback, over UDP and TCP.
type nameServer struct {
	address string

	mu     sync.Mutex
	texts  map[string][][]string // name to records, each of strings
	rcodes map[string]int
	silent bool
	asked  []string
}

func startNameServer(t *testing.T) *nameServer {
	t.Helper()
	s := &nameServer{texts: map[string][][]string{}, rcodes: map[string]int{}}
	var lc net.ListenConfig
	stream, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = stream.Addr().String()
	packets, err := lc.ListenPacket(t.Context(), "udp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait) // after the servers were told to end
	for _, server := range []*dns.Server{{Listener: stream, Handler: s}, {PacketConn: packets, Handler: s}} {
		up := make(chan struct{})
		server.NotifyStartedFunc = func() { close(up) }
		running.Go(func() {
			if err := server.ActivateAndServe(); err != nil {
				t.Error(err)
			}
		})
		<-up
		t.Cleanup(func() {
			if err := server.ShutdownContext(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return s
}

// ServeDNS answers what the test has set; names that are not there do not exist.
func (s *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(q.Question[0].Name)
	s.asked = append(s.asked, name)
	if s.silent {
		return
	}
	m := new(dns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true
	records, known := s.texts[name]
	switch rcode := s.rcodes[name]; {
	case rcode != 0:
		m.Rcode = rcode
	case !known:
		m.Rcode = dns.RcodeNameError
	}
	for _, strs := range records {
		m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}, Txt: strs})
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); !tcp && m.Len() > 1232 {
		m.Answer, m.Truncated = nil, true
	}
	_ = w.WriteMsg(m) // who asked may have gone
}

func (s *nameServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// looks tells how often the server was asked since the last time.
func (s *nameServer) looks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asked)
	s.asked = nil
	return n
}

// TestLookUpTXT: what a real server answers, and what is made of it: split strings
// are one text, that there is nothing is an answer, and a failure is none
// (security E3, F18).
func TestLookUpTXT(t *testing.T) {
	server := startNameServer(t)
	long := strings.Repeat("x", 250)
	server.set(func() {
		server.texts = map[string][][]string{
			"split.example.":                  {{"usher-domain-", "verification=", "abc"}, {"v=spf1 -all"}},
			"_usher-challenge.split.example.": {{"one"}},
			"empty.example.":                  nil,
			"long.example.":                   {{long, long, long}, {long, long, long}, {long, long, long}},
		}
		server.rcodes = map[string]int{"broken.example.": dns.RcodeServerFailure, "refused.example.": dns.RcodeRefused}
	})
	l := newDNSLookup([]string{server.address}, 2*time.Second)
	for name, want := range map[string][]string{
		"split.example":                  {"usher-domain-verification=abc", "v=spf1 -all"},
		"SPLIT.example.":                 {"usher-domain-verification=abc", "v=spf1 -all"},
		"_usher-challenge.split.example": {"one"},
		"empty.example":                  nil,
		"none.example":                   nil,
		"long.example":                   {strings.Repeat(long, 3), strings.Repeat(long, 3), strings.Repeat(long, 3)},
	} {
		got, err := l.txt(t.Context(), name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %.80q, %v; want %.80q", name, got, err, want)
		}
	}
	for _, name := range []string{"broken.example", "refused.example"} {
		if got, err := l.txt(t.Context(), name); err == nil {
			t.Errorf("%s: %q, and no error", name, got)
		}
	}
}

// TestLookUpInTurn: a server that fails, is silent or not there is followed by the
// next, one that says there is nothing is not; all together have a bound.
func TestLookUpInTurn(t *testing.T) {
	first, second := startNameServer(t), startNameServer(t)
	second.set(func() { second.texts["a.example."] = [][]string{{"here"}} })
	nobody, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := nobody.LocalAddr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	const limit = 2 * time.Second
	for what, set := range map[string]func(){
		"fails":  func() { first.rcodes["a.example."] = dns.RcodeServerFailure },
		"silent": func() { first.silent = true },
	} {
		first.set(set)
		begin := time.Now()
		got, err := newDNSLookup([]string{first.address, second.address}, limit).txt(t.Context(), "a.example")
		if err != nil || !slices.Equal(got, []string{"here"}) || time.Since(begin) > limit {
			t.Errorf("the first %s: %q, %v after %s", what, got, err, time.Since(begin))
		}
	}
	if got, err := newDNSLookup([]string{gone, second.address}, limit).txt(t.Context(), "a.example"); err != nil || len(got) != 1 {
		t.Errorf("the first is not there: %q, %v", got, err)
	}
	begin := time.Now()
	if got, err := newDNSLookup([]string{first.address}, 300*time.Millisecond).txt(t.Context(), "a.example"); err == nil || time.Since(begin) > limit {
		t.Errorf("of a silent server: %q, %v after %s", got, err, time.Since(begin))
	}
	first.set(func() { first.silent, first.rcodes = false, map[string]int{} })
	second.looks()
	if got, err := newDNSLookup([]string{first.address, second.address}, limit).txt(t.Context(), "a.example"); err != nil || got != nil || second.looks() > 0 {
		t.Errorf("the first says there is nothing: %q, %v", got, err)
	}
}
