package redistest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// SentinelConfig says how a group of servers under Sentinels differs from the
// default: a primary with two replicas and three Sentinels of which two decide.
type SentinelConfig struct {
	Replicas  int           // zero: 2
	DownAfter time.Duration // silence after which a server counts as failed. Zero: 1 second
	Args      []string      // further settings of every server, as in Config
}

// SentinelServers are running servers and their Sentinels, all with the same
// password.
type SentinelServers struct {
	URL       string    // redis+sentinel://:password@host:port,…/name with every Sentinel
	Name      string    // of the primary, as the Sentinels know it
	Password  string    // of every server and Sentinel
	Nodes     []*Server // the first of them began as the primary
	Sentinels []*Server
}

const sentinels = 3

// Sentinels runs a primary, its replicas and three Sentinels, and returns when
// all know each other. Without redis-server the test is skipped or fails as
// with [Start].
func Sentinels(tb testing.TB, cfg SentinelConfig) *SentinelServers {
	tb.Helper()
	if cfg.Replicas == 0 {
		cfg.Replicas = 2
	}
	if cfg.DownAfter == 0 {
		cfg.DownAfter = time.Second
	}
	bin := binary(tb)
	g := &SentinelServers{Name: "directory", Password: password(tb)}
	auth := "masterauth " + g.Password + "\n"
	args := append([]string{"--repl-diskless-sync-delay", "0"}, cfg.Args...)
	plain := func(s *Server) error { return s.start(bin, auth, args) }
	g.Nodes = together(tb, 1, g.Password, plain)
	follow := "replicaof " + strings.Replace(g.Nodes[0].Addr, ":", " ", 1) + "\n"
	g.Nodes = append(g.Nodes, together(tb, cfg.Replicas, g.Password, func(s *Server) error {
		return s.start(bin, auth+follow, args)
	})...)
	g.Sentinels = together(tb, sentinels, g.Password, func(s *Server) error {
		return s.watch(bin, g, cfg.DownAfter)
	})
	g.URL = urlOf("redis+sentinel", g.Password, "/"+g.Name, g.Sentinels)
	ctx, cancel := context.WithTimeout(context.Background(), formTime)
	defer cancel()
	if err := g.form(ctx); err != nil {
		tb.Fatalf("the Sentinels do not come together: %v", err)
	}
	return g
}

// watch starts a Sentinel. It writes its file of settings anew by itself, so it
// needs the directory.
func (s *Server) watch(bin string, g *SentinelServers, downAfter time.Duration) error {
	host, port, err := net.SplitHostPort(g.Nodes[0].Addr)
	if err != nil {
		return err
	}
	id := make([]byte, 20)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "requirepass %s\nsentinel myid %s\n", s.Password, hex.EncodeToString(id))
	fmt.Fprintf(&conf, "sentinel monitor %s %s %s 2\nsentinel auth-pass %s %s\n", g.Name, host, port, g.Name, s.Password)
	fmt.Fprintf(&conf, "sentinel down-after-milliseconds %s %d\nsentinel failover-timeout %s 5000\n", g.Name, downAfter.Milliseconds(), g.Name)
	for _, r := range g.Nodes[1:] {
		fmt.Fprintf(&conf, "sentinel known-replica %s %s\n", g.Name, strings.Replace(r.Addr, ":", " ", 1))
	}
	file, own, err := s.place(conf.String())
	if err != nil {
		return err
	}
	s.args = []string{bin, file, "--sentinel", "--port", own, "--bind", "127.0.0.1", "--dir", s.Dir, "--daemonize", "no"}
	return s.Restart()
}

// form waits until every replica follows and a failover could be decided.
func (g *SentinelServers) form(ctx context.Context) error {
	for _, s := range g.Nodes {
		if err := eventually(ctx, func() error { return s.follows(ctx) }); err != nil {
			return err
		}
	}
	for _, s := range g.Sentinels {
		if err := eventually(ctx, func() error { return s.sees(ctx, g.Name, len(g.Nodes)-1) }); err != nil {
			return err
		}
	}
	return nil
}

// sees reports what a Sentinel does not know yet: the other two, or a replica.
func (s *Server) sees(ctx context.Context, name string, replicas int) error {
	reply, err := s.Do(ctx, "SENTINEL", "MASTER", name)
	if err != nil {
		return err
	}
	list, _ := reply.([]any)
	said := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		k, _ := list[i].(string)
		said[k], _ = list[i+1].(string)
	}
	if said["flags"] != "master" || said["num-slaves"] != fmt.Sprint(replicas) || said["num-other-sentinels"] != fmt.Sprint(sentinels-1) {
		return fmt.Errorf("%s: flags %q, %s replicas, %s other Sentinels", s.Addr, said["flags"], said["num-slaves"], said["num-other-sentinels"])
	}
	return nil
}

// Primary returns the server that the Sentinels name as the primary now and
// that says the same of itself. The test fails when there is none for a minute:
// a failover that did not succeed is tried again.
func (g *SentinelServers) Primary(tb testing.TB) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var found *Server
	if err := eventually(ctx, func() (err error) {
		found, err = g.primary(ctx)
		return err
	}); err != nil {
		tb.Fatalf("the primary: %v", err)
	}
	return found
}

func (g *SentinelServers) primary(ctx context.Context) (*Server, error) {
	for _, watcher := range g.Sentinels {
		reply, err := watcher.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", g.Name)
		pair, _ := reply.([]any)
		if err != nil || len(pair) != 2 {
			continue // killed or frozen
		}
		for _, s := range g.Nodes {
			if s.Addr != fmt.Sprintf("%v:%v", pair[0], pair[1]) {
				continue
			}
			info, err := s.text(ctx, "INFO", "replication")
			if err == nil && strings.Contains(info, "role:master") {
				return s, nil
			}
		}
	}
	return nil, errors.New("no server that the Sentinels name is one")
}

// ReplicasOf returns the running servers that follow the server now.
func (g *SentinelServers) ReplicasOf(s *Server) []*Server { return followers(g.Nodes, s) }
