package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ClusterConfig says how a cluster differs from the default: three primaries
// with one replica each.
type ClusterConfig struct {
	Primaries   int           // zero: 3
	Replicas    int           // of each primary. Zero: 1. Negative: none
	NodeTimeout time.Duration // silence after which a node counts as failed. Zero: 2 seconds
	Args        []string      // further settings of every node, as in Config
}

// ClusterServers is a running Redis Cluster. Every node has the same password,
// for clients and for the other nodes.
type ClusterServers struct {
	URL      string    // redis+cluster://:password@host:port,host:port,… with every node
	Password string    // of every node
	Nodes    []*Server // the first Primaries of them began as primaries
}

const (
	slots    = 16384
	formTime = 20 * time.Second
)

// Cluster runs a Redis Cluster and returns when every node says that it is
// well and every replica follows its primary. Without redis-server the test is
// skipped or fails as with [Start].
func Cluster(tb testing.TB, cfg ClusterConfig) *ClusterServers {
	tb.Helper()
	if cfg.Primaries == 0 {
		cfg.Primaries = 3
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 1
	}
	if cfg.NodeTimeout == 0 {
		cfg.NodeTimeout = 2 * time.Second
	}
	bin := binary(tb)
	c := &ClusterServers{Password: password(tb)}
	n := cfg.Primaries * (1 + max(0, cfg.Replicas))
	c.Nodes = together(tb, n, c.Password, func(s *Server) error {
		bus, err := freePort() // by itself the bus takes port + 10000, which may be no port
		if err != nil {
			return err
		}
		return s.start(bin, "masterauth "+s.Password+"\n", append([]string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus),
			"--cluster-node-timeout", strconv.FormatInt(cfg.NodeTimeout.Milliseconds(), 10),
			"--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0",
		}, cfg.Args...))
	})
	c.URL = urlOf("redis+cluster", c.Password, "", c.Nodes)
	ctx, cancel := context.WithTimeout(context.Background(), formTime)
	defer cancel()
	if err := c.form(ctx, cfg.Primaries); err != nil {
		tb.Fatalf("the cluster does not form: %v", err)
	}
	return c
}

// together starts n servers at once, each again elsewhere when its port is
// taken, and has the end of the test kill them.
func together(tb testing.TB, n int, pass string, start func(*Server) error) []*Server {
	tb.Helper()
	servers, failed := make([]*Server, n), make([]error, n)
	dirs := make([][tries]string, n)
	for i := range dirs {
		for j := range tries {
			dirs[i][j] = tb.TempDir()
		}
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for j := range tries {
				s := &Server{Password: pass, Dir: dirs[i][j]}
				if failed[i] = start(s); failed[i] == nil {
					servers[i] = s
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range servers {
		if s != nil {
			tb.Cleanup(s.Kill)
		}
	}
	if err := errors.Join(failed...); err != nil {
		tb.Fatalf("redis-server does not start: %v", err)
	}
	return servers
}

// form makes the nodes know each other, gives the first of them the slots in
// equal shares and the others their primaries.
func (c *ClusterServers) form(ctx context.Context, primaries int) error {
	ids := make([]string, primaries)
	for i, s := range c.Nodes {
		if i < primaries {
			from, to := slots*i/primaries, slots*(i+1)/primaries-1
			if _, err := s.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(from), strconv.Itoa(to)); err != nil {
				return err
			}
			id, err := s.Do(ctx, "CLUSTER", "MYID")
			if err != nil {
				return err
			}
			ids[i], _ = id.(string)
		}
		if _, err := s.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	for i, s := range c.Nodes {
		for _, other := range c.Nodes[:i] { // all pairs: gossip alone takes seconds
			if err := s.meet(ctx, other); err != nil {
				return err
			}
		}
	}
	for i, s := range c.Nodes[primaries:] {
		if err := eventually(ctx, func() error { // refused until the handshake is done
			_, err := s.Do(ctx, "CLUSTER", "REPLICATE", ids[i%primaries])
			return err
		}); err != nil {
			return err
		}
	}
	for _, s := range c.Nodes {
		if err := eventually(ctx, func() error { return s.settled(ctx, len(c.Nodes)) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) meet(ctx context.Context, other *Server) error {
	bus, err := other.Do(ctx, "CONFIG", "GET", "cluster-port")
	if err != nil {
		return err
	}
	pair, _ := bus.([]any)
	if len(pair) != 2 {
		return fmt.Errorf("CONFIG GET cluster-port: %v", bus)
	}
	port, _ := pair[1].(string)
	host, base, err := net.SplitHostPort(other.Addr)
	if err != nil {
		return err
	}
	_, err = s.Do(ctx, "CLUSTER", "MEET", host, base, port)
	return err
}

// settled reports why a node is not yet ready: it does not know all nodes, has
// not seen every slot served, or as a replica does not follow.
func (s *Server) settled(ctx context.Context, nodes int) error {
	info, err := s.text(ctx, "CLUSTER", "INFO")
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_slots_ok:"+strconv.Itoa(slots)) {
		return fmt.Errorf("%s: the cluster's state is not ok", s.Addr)
	}
	known, err := s.text(ctx, "CLUSTER", "NODES")
	if err != nil {
		return err
	}
	if strings.Count(known, " connected") != nodes || strings.Contains(known, "handshake") || strings.Contains(known, "fail") {
		return fmt.Errorf("%s: not every node is connected", s.Addr)
	}
	return s.follows(ctx)
}

// follows reports whether a replica is in sync; a primary always is.
func (s *Server) follows(ctx context.Context) error {
	info, err := s.text(ctx, "INFO", "replication")
	if err != nil {
		return err
	}
	if strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
		return fmt.Errorf("%s: the replica does not follow yet", s.Addr)
	}
	return nil
}

// PrimaryOf returns the server that serves the key's slot now, by the word of
// the running nodes. After a failover has begun it may be a moment before
// there is one again: then the test fails after ten seconds.
func (c *ClusterServers) PrimaryOf(tb testing.TB, key string) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	var found *Server
	if err := eventually(ctx, func() (err error) {
		found, err = c.primary(ctx, key)
		return err
	}); err != nil {
		tb.Fatalf("the primary of %s: %v", key, err)
	}
	return found
}

func (c *ClusterServers) primary(ctx context.Context, key string) (*Server, error) {
	var best *Server
	var newest uint64
	for _, s := range c.Nodes {
		slot, err := s.Do(ctx, "CLUSTER", "KEYSLOT", key)
		if err != nil {
			continue // killed or frozen
		}
		n, _ := slot.(int64)
		view, err := s.text(ctx, "CLUSTER", "NODES")
		if err != nil {
			continue
		}
		if epoch, owns := ownSlot(view, int(n)); owns && epoch >= newest {
			best, newest = s, epoch
		}
	}
	if best == nil {
		return nil, errors.New("no running node serves its slot")
	}
	return best, nil
}

// ownSlot reads a node's line about itself in CLUSTER NODES: its epoch, and
// whether it serves the slot as a primary.
func ownSlot(view string, slot int) (epoch uint64, owns bool) {
	for line := range strings.Lines(view) {
		f := strings.Fields(line)
		if len(f) < 8 || !strings.Contains(f[2], "myself,master") {
			continue
		}
		epoch, _ = strconv.ParseUint(f[6], 10, 64) // zero when it is no number
		for _, r := range f[8:] {
			from, to, many := strings.Cut(r, "-")
			a, err := strconv.Atoi(from)
			if err != nil {
				continue // a slot on its way: "[5461->-node]"
			}
			b := a
			if many {
				if b, err = strconv.Atoi(to); err != nil {
					continue
				}
			}
			if a <= slot && slot <= b {
				return epoch, true
			}
		}
	}
	return epoch, false
}

// ReplicasOf returns the running servers that follow the server now.
func (c *ClusterServers) ReplicasOf(s *Server) []*Server { return followers(c.Nodes, s) }

func followers(all []*Server, of *Server) []*Server {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	_, port, _ := net.SplitHostPort(of.Addr) // an address we made
	var list []*Server
	for _, s := range all {
		info, err := s.text(ctx, "INFO", "replication")
		if err == nil && strings.Contains(info, "role:slave") && strings.Contains(info, "master_port:"+port+"\r\n") {
			list = append(list, s)
		}
	}
	return list
}

// urlOf names every server and a path in a URL with the scheme.
func urlOf(scheme, pass, path string, servers []*Server) string {
	hosts := make([]string, len(servers))
	for i, s := range servers {
		hosts[i] = s.Addr
	}
	u := url.URL{Scheme: scheme, User: url.UserPassword("", pass), Host: strings.Join(hosts, ","), Path: path}
	return u.String()
}
