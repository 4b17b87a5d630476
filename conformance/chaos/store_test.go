package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/internal/tcpproxy"
	"github.com/usher-scim/usher/resources"
)

// store is Redis as nodes see it: servers, and the network in front of them.
type store struct {
	url     string // for usher, through the proxies
	servers []*redistest.Server
	proxies []*tcpproxy.Proxy // of each server, in the same order
	group   *redistest.SentinelServers
	cluster *redistest.ClusterServers
}

// durable are the settings of most servers. While a disk is slow such a server
// holds back for up to two seconds what it appends, and loses it when it is killed.
var durable = []string{"--appendonly", "yes", "--appendfsync", "everysec"}

// single is one server behind a proxy.
func single(t testing.TB, args ...string) *store {
	t.Helper()
	s := redistest.Run(t, redistest.Config{Args: args})
	p := proxied(t, s.Addr)
	return &store{url: strings.Replace(s.URL, s.Addr, p.Addr(), 1), servers: []*redistest.Server{s}, proxies: []*tcpproxy.Proxy{p}}
}

func proxied(t testing.TB, target string) *tcpproxy.Proxy {
	t.Helper()
	p, err := tcpproxy.New(tcpproxy.Config{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("proxy: %v", err)
		}
	})
	return p
}

func (s *store) redis() *redistest.Server { return s.servers[0] }

func (s *store) net() *tcpproxy.Proxy { return s.proxies[0] }

// set changes settings of a running server.
func (s *store) set(ctx context.Context, words ...string) error {
	_, err := s.redis().Do(ctx, append([]string{"CONFIG", "SET"}, words...)...)
	return err
}

// info reads a number of INFO.
func info(ctx context.Context, s *redistest.Server, section, name string) (string, error) {
	reply, err := s.Do(ctx, "INFO", section)
	if err != nil {
		return "", err
	}
	text, _ := reply.(string)
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && k == name {
			return v, nil
		}
	}
	return "", fmt.Errorf("INFO %s has no %s", section, name)
}

// orgOf is the id under which an organization stands in the store.
func orgOf(ctx context.Context, s *redistest.Server, slug string) (string, error) {
	id, err := s.Do(ctx, "HGET", resources.OrgSlug.Code()+":"+platformTag, slug)
	if err != nil {
		return "", err
	}
	text, _ := id.(string)
	return text, nil
}

// chance makes the dice of a run.
type chance struct{ seed uint64 }

func newChance(seed uint64) chance { return chance{seed} }

// rand gives dice that fall the same for the same seed.
func (c chance) rand() *rand.Rand { return rand.New(rand.NewPCG(c.seed, 0x5eed)) }

// withNodes starts nodes over a store. The first one fills it.
func withNodes(t testing.TB, s *store, bin string, count int, env ...string) *site {
	t.Helper()
	at := &site{store: s}
	for range count {
		n := newNode(t, bin, append([]string{"USHER_REDIS_URL=" + s.url}, env...)...)
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
		if at.apiToken == "" {
			at.apiToken = n.said.Load().APIToken
		}
		at.nodes = append(at.nodes, n)
	}
	r := newRun(t, &scenario{limits: limits{cuts: true}}, at, 0)
	defer r.http.CloseIdleConnections()
	if err := r.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return at
}
