package backend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/usher-scim/usher/internal/journal"
)

// Config says where the state is and what the store uses of its surroundings.
// The zero value is an embedded store in memory.
type Config struct {
	// URL is redis://[user:password@]host:port[/db] or rediss:// for TLS.
	// Empty: an embedded server in this process, in memory.
	URL string
	// Now is the clock. Nil: the system's.
	Now func() time.Time
	// Rand makes the stamps of commits and the pauses between repeats. Nil:
	// the system's.
	Rand io.Reader
	// Log gets warnings. Nil: none are written.
	Log *slog.Logger
	// Observe is told of every call of the port: its name, how long it took
	// and its error. Nil: nobody is told.
	Observe func(op string, d time.Duration, err error)
	// Reran is told each time a closure is run again because something it
	// had read changed. Nil: nobody is told.
	Reran func()
	// ScanTime bounds the walks of one Find. Zero: 2 seconds.
	ScanTime time.Duration
	// DataDir is where the embedded store keeps its snapshot and journal. Empty:
	// it forgets everything when it is closed.
	DataDir string
	// Durability is what a write survives once it is acknowledged. Empty:
	// DurabilityLocal.
	Durability Durability
	// SpreadClaims makes claims by the protocol of clusters on a single server,
	// too. On a cluster they always are.
	SpreadClaims bool
	// Lost is told of acknowledged writes that a failover has lost. Nil: nobody
	// is told but the log.
	Lost func(ctx context.Context, lost []LostWrite)
	// AllowEviction accepts a server that may throw keys away when memory is
	// short (maxmemory-policy other than noeviction).
	AllowEviction bool

	disk        journal.Disk     // under DataDir; nil: the directory
	serverClock func() time.Time // of the embedded server; nil: the system's
}

// Store keeps all state in Redis. It implements resources.Store and
// resources.Vault and resources.Queue, and is safe for concurrent use.
type Store struct {
	cfg      Config
	scripts  scripts
	codec    codec
	embedded *miniredis.Miniredis // nil with a real server
	kept     *keeper              // nil unless the embedded store has a data directory
	spread   bool                 // claims stand in slots of their own: the protocol makes them

	writes redis.UniversalClient // never repeats by itself (redis.md §3.3)
	reads  redis.UniversalClient
	scans  redis.UniversalClient // walks, apart so that they do not hold up reads

	randMu sync.Mutex   // Config.Rand need not be safe for concurrent use
	usual  atomic.Int32 // how usual it is that a user has groups, see fetch
	users  atomic.Int64 // users created in this process, embedded only
	warned sync.Once    // about too many of them
	ringer *ringer      // calls workers
}

const (
	readTimeout   = 2 * time.Second
	scanPool      = 4
	embeddedUsers = 20_000 // up to here the embedded store is fast (redis.md §1)
)

// Open connects to the store and checks that it is fit. An error names what
// is wrong with the server and what to do; it never holds the password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, codec: newCodec()}
	opt := &redis.Options{Addr: "embedded"}
	if cfg.URL == "" {
		s.embedded = miniredis.NewMiniRedis()
		opt.Dialer = s.dialEmbedded
	} else {
		var err error
		if opt, err = parseURL(cfg.URL); err != nil {
			return nil, err
		}
	}
	s.scripts = newScripts(cfg.URL == "", cfg.keeps())
	s.writes, s.reads, s.scans = clients(opt)
	if cfg.keeps() {
		if err := s.keep(context.WithoutCancel(ctx)); err != nil {
			s.embedded.Close()
			return nil, errors.Join(err, s.writes.Close(), s.reads.Close(), s.scans.Close())
		}
	}
	s.startRinging(context.WithoutCancel(ctx))
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = started
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(string, time.Duration, error) {}
	}
	if c.Reran == nil {
		c.Reran = func() {}
	}
	if c.serverClock == nil {
		c.serverClock = started
	}
	if c.ScanTime == 0 {
		c.ScanTime = 2 * time.Second
	}
	return c
}

// keeps tells whether the store is an embedded one with a data directory.
func (c Config) keeps() bool { return c.URL == "" && (c.DataDir != "" || c.disk != nil) }

// parseURL does not wrap the cause: it may quote the URL, password included.
func parseURL(url string) (*redis.Options, error) {
	if !strings.HasPrefix(url, "redis://") && !strings.HasPrefix(url, "rediss://") {
		return nil, errors.New("backend: the Redis URL must begin with redis:// or rediss://")
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("backend: the Redis URL cannot be read; its form is redis://user:password@host:port/db, special characters in the password percent-encoded")
	}
	return opt, nil
}

// clients makes the three pools with the settings of redis.md §3.3.
func clients(opt *redis.Options) (writes, reads, scans redis.UniversalClient) {
	base := *opt
	base.MaxRetries = -1
	base.ContextTimeoutEnabled = true
	base.DisableIdentity = true
	base.Protocol = 2 // nothing of the newer one is used, and it looks for push messages before every reply
	base.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	base.DialTimeout = readTimeout
	base.DialerRetries = 1
	base.ReadTimeout, base.WriteTimeout = readTimeout, readTimeout
	base.PoolSize = max(16, 8*runtime.NumCPU())
	write := base
	read := base
	read.MaxRetries = 0 // the client's default
	scan := read
	scan.PoolSize = scanPool
	return redis.NewClient(&write), redis.NewClient(&read), redis.NewClient(&scan)
}

// Close ends all connections, and the embedded server with all it holds.
func (s *Store) Close() error {
	s.stopRinging()
	err := errors.Join(s.writes.Close(), s.reads.Close(), s.scans.Close())
	if s.kept != nil {
		err = errors.Join(err, s.kept.close())
	}
	if s.embedded != nil {
		s.embedded.Close()
	}
	return err
}

// Embedded tells whether the state is in this process only.
func (s *Store) Embedded() bool { return s.embedded != nil }

// check looks at the server before it is trusted with anything.
func (s *Store) check(ctx context.Context) error {
	if err := s.reads.Ping(ctx).Err(); err != nil {
		return explain(ctx, "connect", err)
	}
	if s.embedded != nil {
		return nil
	}
	text, err := s.reads.Info(ctx).Result()
	if err != nil {
		return explain(ctx, "read INFO", err)
	}
	info := parseInfo(text)
	version := info["redis_version"]
	if v := info["valkey_version"]; v != "" {
		version = v
	}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		return fmt.Errorf("backend: the server is version %q; Redis 7 or Valkey 8 or newer is needed", version)
	}
	if p := info["maxmemory_policy"]; p != "noeviction" && p != "" {
		if !s.cfg.AllowEviction {
			return fmt.Errorf("backend: the server throws keys away when memory is short (maxmemory-policy %s); set it to noeviction, or allow eviction in the configuration and accept losing data", p)
		}
		s.cfg.Log.WarnContext(ctx, "the server throws keys away when memory is short", "policy", p)
	}
	if info["aof_enabled"] != "1" {
		s.cfg.Log.WarnContext(ctx, "the server keeps no append-only file: a crash of it loses what was written since its last snapshot", "setting", "appendonly")
	}
	return nil
}

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// random gives n ≤ 16 random bytes.
func (s *Store) random(n int) (b [16]byte, err error) {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if _, err = io.ReadFull(s.cfg.Rand, b[:n]); err != nil {
		return b, fmt.Errorf("backend: no randomness: %w", err)
	}
	return b, nil
}

const (
	stampSize     = 12
	stampAlphabet = "0123456789abcdefghijklmnopqrstuv"
)

// stamp makes the name of a commit's attempt: 60 random bits.
func (s *Store) stamp() (string, error) {
	b, err := s.random(stampSize)
	if err != nil {
		return "", err
	}
	for i := range stampSize {
		b[i] = stampAlphabet[b[i]&31]
	}
	return string(b[:stampSize]), nil
}

// started begins a measurement. Durations and bounds of work go by the system's
// clock, whatever Config.Now says the time is.
func started() time.Time {
	return time.Now() //nolint:forbidigo // explained above
}

// observe reports one call of the port.
func (s *Store) observe(op string, start time.Time, err *error) {
	s.cfg.Observe(op, started().Sub(start), *err)
}

// grew counts created users of an embedded store and warns once.
func (s *Store) grew(n int) {
	if s.embedded == nil || n == 0 {
		return
	}
	if total := s.users.Add(int64(n)); total > embeddedUsers {
		s.warned.Do(func() {
			s.cfg.Log.Warn("the embedded store holds more users than it serves well; use a Redis server", "users", total)
		})
	}
}
