package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
)

// What usher waits for before it acknowledges. Of two replicas both: Sentinels
// may make either of them the primary.
const (
	replicated = "USHER_DURABILITY=replicated"
	byBoth     = "USHER_DURABILITY_REPLICAS=2"
)

// confirming is what answers may take while writes wait for replicas that are not
// there: five times durability_wait, and 2.5 seconds as whatever is asked of Redis.
var confirming = limits{p99: 8 * time.Second}

// group is a primary with two replicas under Sentinels. usher has a user of its
// own there, so that everybody else can be locked out: see isolate.
func group(t testing.TB, args ...string) *store {
	t.Helper()
	g := redistest.Sentinels(t, redistest.SentinelConfig{Args: append(args, durable...)})
	for _, s := range append(append([]*redistest.Server{}, g.Nodes...), g.Sentinels...) {
		if err := welcome(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return &store{url: strings.Replace(g.URL, "://:", "://usher:", 1), group: g, servers: g.Nodes}
}

// welcome makes usher's user on a server, which forgets it when it is started
// again.
func welcome(ctx context.Context, s *redistest.Server) error {
	_, err := s.Do(ctx, "ACL", "SETUSER", "usher", "on", ">"+s.Password, "~*", "&*", "+@all")
	return err
}

// failedOver: the primary is killed, or told to hand over, and comes back as a
// replica.
func failedOver(name, title string, l limits, env ...string) *scenario {
	return &scenario{
		name: name, title: title,
		site: func(t testing.TB) *site { return withNodes(t, group(t), usher(t), 2, env...) },
		strike: func(ctx context.Context, r *run, _ *load) error {
			g := r.site.store.group
			was := g.Primary(r.t)
			planned := r.seed%2 == 0
			if planned {
				if _, err := g.Sentinels[0].Do(ctx, "SENTINEL", "FAILOVER", g.Name); err != nil {
					return err
				}
			} else {
				was.Kill()
			}
			began := time.Now()
			if err := newPrimary(r.t, g, was); err != nil {
				return err
			}
			r.told("%s %s", map[bool]string{true: "planned", false: "killed"}[planned], time.Since(began).Round(100*time.Millisecond))
			if !planned {
				if err := was.Restart(); err != nil {
					return err
				}
				if err := welcome(ctx, was); err != nil {
					return err
				}
			}
			return r.regrouped(ctx, g)
		},
		limits: l,
	}
}

// regrouped waits until all servers follow the primary again, so that writes that
// wait for replicas can be done and the next run finds the group as it was.
func (r *run) regrouped(ctx context.Context, g *redistest.SentinelServers) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if len(g.ReplicasOf(g.Primary(r.t))) == len(g.Nodes)-1 {
			n, err := info(ctx, g.Primary(r.t), "replication", "connected_slaves")
			if err == nil && n == fmt.Sprint(len(g.Nodes)-1) {
				return nil
			}
		}
	}
	return errors.New("the replicas do not follow again")
}

// newPrimary waits until another server is the primary.
func newPrimary(t testing.TB, g *redistest.SentinelServers, was *redistest.Server) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if g.Primary(t) != was {
			return nil
		}
	}
	return errors.New("the Sentinels make nobody else the primary")
}

// partitioned: the primary and usher can talk, and neither replicas nor Sentinels
// reach that primary; the others make a new one.
func partitioned() *scenario {
	return &scenario{
		name: "F4", title: "the primary is cut off, with usher on its side",
		site: func(t testing.TB) *site {
			return withNodes(t, group(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"), usher(t), 2, replicated, byBoth)
		},
		strike: func(ctx context.Context, r *run, _ *load) error {
			g := r.site.store.group
			was := g.Primary(r.t)
			if err := isolate(ctx, was); err != nil {
				return err
			}
			began := time.Now()
			if err := r.promoted(ctx, g, was); err != nil {
				return err
			}
			r.told("another primary after %s", time.Since(began).Round(100*time.Millisecond))
			time.Sleep(500 * time.Millisecond) // both believe to be the primary
			if err := rejoin(ctx, was); err != nil {
				return err
			}
			return r.regrouped(ctx, g)
		},
		limits: confirming,
	}
}

// isolate locks everybody but usher out of a server: as if the network between
// them were gone, while usher's connections stay. Whoever is connected is cut.
func isolate(ctx context.Context, s *redistest.Server) error {
	const own = "harness"
	if _, err := s.Do(ctx, "ACL", "SETUSER", "default", "resetpass", ">"+own); err != nil {
		return err
	}
	guest := *redisHandle(s, own)
	for _, kind := range []string{"replica", "pubsub"} {
		if _, err := guest.Do(ctx, "CLIENT", "KILL", "TYPE", kind); err != nil {
			return err
		}
	}
	_, err := guest.Do(ctx, "CLIENT", "KILL", "USER", "default")
	return err
}

// rejoin lets everybody in again.
func rejoin(ctx context.Context, s *redistest.Server) error {
	_, err := redisHandle(s, "harness").Do(ctx, "ACL", "SETUSER", "default", "resetpass", ">"+s.Password)
	return err
}

// redisHandle is the same server with another password.
func redisHandle(s *redistest.Server, password string) *redistest.Server {
	return &redistest.Server{Addr: s.Addr, Password: password}
}

// promoted waits until one of the others says that it is the primary.
func (r *run) promoted(ctx context.Context, g *redistest.SentinelServers, was *redistest.Server) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, s := range g.Nodes {
			if s == was {
				continue
			}
			if role, err := info(ctx, s, "replication", "role"); err == nil && role == "master" {
				return nil
			}
		}
	}
	return errors.New("nobody else becomes the primary")
}

// clustered: on a cluster, a primary is killed and its replica takes over.
func clustered(name, title string, l limits, env ...string) *scenario {
	return &scenario{
		name: name, title: title,
		site: func(t testing.TB) *site {
			c := redistest.Cluster(t, redistest.ClusterConfig{NodeTimeout: time.Second, Args: durable})
			return withNodes(t, &store{url: c.URL, cluster: c, servers: c.Nodes}, usher(t), 2, env...)
		},
		strike: func(ctx context.Context, r *run, l *load) error {
			c := r.site.store.cluster
			id, err := orgOf(ctx, c.PrimaryOf(r.t, platformTag), l.tenants[int(r.seed)%tenants].slug) //nolint:gosec // a small number
			if err != nil {
				return err
			}
			was := c.PrimaryOf(r.t, "{"+id+"}")
			was.Kill()
			began := time.Now()
			for end := began.Add(20 * time.Second); c.PrimaryOf(r.t, "{"+id+"}") == was; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					return errors.New("no replica takes over")
				}
			}
			r.told("a replica took over after %s", time.Since(began).Round(100*time.Millisecond))
			if err := was.Restart(); err != nil {
				return err
			}
			for end := time.Now().Add(20 * time.Second); len(c.ReplicasOf(c.PrimaryOf(r.t, "{"+id+"}"))) == 0; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					return errors.New("the killed server does not follow")
				}
			}
			return nil
		},
		limits: l, lazy: true,
	}
}
