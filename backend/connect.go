package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/usher-scim/usher/internal/redisurl"
)

const (
	readTimeout  = 2 * time.Second
	dialTimeout  = time.Second
	poolTimeout  = 500 * time.Millisecond // for a connection of a pool that is all in use
	callTime     = 2500 * time.Millisecond
	topologyTime = 10 * time.Second // after which the slots of a cluster are asked for anew, if nothing says so earlier
	scanPool     = 4
)

// connect makes the clients for the topology that the URL names. A single
// server that says it is a cluster's node is used as the cluster.
func (s *Store) connect(ctx context.Context) error {
	if s.cfg.URL == "" {
		s.embedded = miniredis.NewMiniRedis()
		s.single(&redis.Options{Addr: "embedded", Dialer: s.dialEmbedded})
		return nil
	}
	u, err := redisurl.Parse(s.cfg.URL)
	if err != nil {
		return fmt.Errorf("backend: the Redis URL %w", err)
	}
	switch u.Kind {
	case redisurl.Cluster:
		s.cluster(ctx, u, tlsOf(u))
	case redisurl.Sentinel:
		if err := s.sentinels(ctx, u); err != nil {
			return err
		}
	default:
		return s.server(ctx, u)
	}
	return nil
}

// server connects to one server, or to the cluster that it is part of.
func (s *Store) server(ctx context.Context, u redisurl.URL) error {
	// It does not wrap the cause: it may quote the URL, password included.
	opt, err := redis.ParseURL(s.cfg.URL)
	if err != nil {
		return fmt.Errorf("backend: the Redis URL cannot be read; its form is %s, special characters in the password percent-encoded", redisurl.SingleForm)
	}
	s.single(opt)
	text, err := s.reads.Info(ctx, "cluster").Result()
	if err != nil || parseInfo(text)["cluster_enabled"] != "1" {
		return nil //nolint:nilerr // a server that cannot be asked is told of by check
	}
	if u.DB != 0 {
		return errors.New("backend: the Redis URL chooses a database, and the server is part of a cluster, which has only number 0; leave the path out")
	}
	if err := s.closeClients(); err != nil {
		return err
	}
	u.User, u.Password = opt.Username, opt.Password
	secure := opt.TLSConfig
	if secure != nil {
		secure = secure.Clone()
		secure.ServerName = "" // that of the URL's host: the other nodes have their own
	}
	s.cluster(ctx, u, secure)
	return nil
}

// base are the settings of every connection (redis.md §3.3).
func base(opt *redis.Options) {
	opt.ContextTimeoutEnabled = true
	opt.DisableIdentity = true
	opt.Protocol = 2 // nothing of the newer one is used, and it looks for push messages before every reply
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opt.DialTimeout, opt.DialerRetries = dialTimeout, 1
	opt.ReadTimeout, opt.WriteTimeout = readTimeout, readTimeout
	opt.PoolSize, opt.PoolTimeout = poolSize(), 2*poolTimeout
}

func poolSize() int { return max(16, 8*runtime.NumCPU()) }

// single makes the three pools for one server.
func (s *Store) single(opt *redis.Options) {
	base(opt)
	write, read := *opt, *opt
	write.MaxRetries = -1
	read.MaxRetries = 1
	scan := read
	scan.PoolSize = scanPool
	s.adopt(redis.NewClient(&write), redis.NewClient(&read), redis.NewClient(&scan))
}

// sentinels makes the three pools for the primary that Sentinels name.
func (s *Store) sentinels(ctx context.Context, u redisurl.URL) error {
	opt := redis.FailoverOptions{
		MasterName: u.Name, SentinelAddrs: u.Addrs, DB: u.DB, Username: u.User, Password: u.Password,
		SentinelUsername: u.SentinelUser, SentinelPassword: u.SentinelPassword, TLSConfig: tlsOf(u),
		ContextTimeoutEnabled: true, DisableIdentity: true, Protocol: 2,
		DialTimeout: dialTimeout, DialerRetries: 1, ReadTimeout: readTimeout, WriteTimeout: readTimeout,
		PoolSize: poolSize(), PoolTimeout: 2 * poolTimeout,
	}
	if opt.SentinelPassword == "" && u.Password != "" && sentinelsLocked(ctx, &opt) {
		opt.SentinelUsername, opt.SentinelPassword = u.User, u.Password
	}
	write, read := opt, opt
	write.MaxRetries = -1
	read.MaxRetries = 1
	scan := read
	scan.PoolSize = scanPool
	s.adopt(redis.NewFailoverClient(&write), redis.NewFailoverClient(&read), redis.NewFailoverClient(&scan))
	return ctx.Err()
}

// sentinelsLocked reports whether the Sentinels want a password though the URL
// has none for them: then they are taken to share the servers'. The first that
// answers decides.
func sentinelsLocked(ctx context.Context, opt *redis.FailoverOptions) bool {
	for _, addr := range opt.SentinelAddrs {
		ask := redis.Options{Addr: addr, TLSConfig: opt.TLSConfig, MaxRetries: -1}
		base(&ask)
		client := redis.NewSentinelClient(&ask)
		err := client.Ping(ctx).Err()
		_ = client.Close() // it was for this question only
		if err == nil || !lost(err) {
			return redis.HasErrorPrefix(err, "NOAUTH")
		}
	}
	return false
}

// cluster makes the three clients of a cluster, which have a pool for each
// node. Reads go to primaries only, so that a write is seen by the next read.
// Routing policies would take an MGET apart key by key and ask the server about
// every command: all our commands have their keys in one slot.
func (s *Store) cluster(ctx context.Context, u redisurl.URL, secure *tls.Config) {
	opt := redis.ClusterOptions{
		Addrs: u.Addrs, Username: u.User, Password: u.Password, TLSConfig: secure,
		MaxRedirects: 3, DisableRoutingPolicies: true, ClusterStateReloadInterval: topologyTime,
		ContextTimeoutEnabled: true, DisableIdentity: true, Protocol: 2,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DialTimeout:              dialTimeout, DialerRetries: 1, ReadTimeout: readTimeout, WriteTimeout: readTimeout,
		PoolSize: poolSize(), PoolTimeout: poolTimeout,
	}
	write, read, scan := opt, opt, opt
	scan.PoolSize = scanPool
	s.spread, s.sharded = true, true
	s.adopt(redis.NewClusterClient(&write), redis.NewClusterClient(&read), redis.NewClusterClient(&scan))
	s.startSeeking(context.WithoutCancel(ctx))
}

func tlsOf(u redisurl.URL) *tls.Config {
	if !u.TLS {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12} // the name is that of each host
}

// adopt takes clients into use. What waits for a real server waits for callTime
// at most, however often the client tries.
func (s *Store) adopt(writes, reads, scans redis.UniversalClient) {
	s.writes, s.reads, s.scans = writes, reads, scans
	if s.embedded != nil {
		return
	}
	for _, c := range []redis.UniversalClient{writes, reads, scans} {
		bound := callTime
		if c == writes && s.cfg.Durability != "" && s.cfg.Durability != DurabilityLocal {
			bound += s.cfg.Wait
		}
		c.AddHook(timebox{time: bound, failed: s.seek})
		if c, ok := c.(*redis.ClusterClient); ok {
			c.OnNewNode(func(node *redis.Client) { node.AddHook(brief{}) })
		}
	}
}

func (s *Store) closeClients() error {
	if s.writes == nil {
		return nil
	}
	s.stopSeeking()
	return errors.Join(s.writes.Close(), s.reads.Close(), s.scans.Close())
}

// patience is how long a write may take: when it waits for replicas or disks,
// longer than anything else.
func (s *Store) patience() time.Duration {
	return callTime + s.sure.time()
}

// heed looks where the slots are when an error calls for it.
func (s *Store) heed(err error) {
	if lost(err) || elsewhere(err) {
		s.seek()
	}
}

// timebox is the hook that bounds every command and pipeline, and that tells
// when one has failed for want of the right node.
type timebox struct {
	time   time.Duration
	failed func()
}

// DialHook changes nothing.
func (timebox) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook bounds a command.
func (b timebox) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(within(ctx, b.time), cmd)
		b.look(err)
		return err
	}
}

// ProcessPipelineHook bounds a pipeline.
func (b timebox) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(within(ctx, b.time), cmds)
		b.look(err)
		return err
	}
}

func (b timebox) look(err error) {
	if err != nil && !errors.Is(err, redis.Nil) && (lost(err) || elsewhere(err)) {
		b.failed()
	}
}

// elsewhere are the answers by which a node says that the slots have moved.
func elsewhere(err error) bool {
	for _, prefix := range [...]string{"MOVED", "CLUSTERDOWN", "READONLY", "MASTERDOWN"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// deadline is a context with an end that costs no timer: the client reads the
// end for the connection's.
type deadline struct {
	context.Context
	end time.Time
}

// Deadline implements context.Context.
func (d deadline) Deadline() (time.Time, bool) { return d.end, true }

// within is ctx with an end no later than d from now.
func within(ctx context.Context, d time.Duration) context.Context {
	end := started().Add(d)
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(end) {
		return ctx
	}
	return deadline{ctx, end}
}

// once is a command that the client does not send again after an error, but
// still takes to where a cluster says the key is.
type once struct{ *redis.Cmd }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }
