package backend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/internal/journal"
)

// Config says where the state is and what the store uses of its surroundings.
// The zero value is an embedded store in memory.
type Config struct {
	// URL is redis://[user:password@]host:port[/db], which may be a node of a
	// cluster, redis+cluster://… with several nodes or redis+sentinel://… with
	// Sentinels (see internal/redisurl); rediss for TLS. Empty: an embedded
	// server in this process, in memory.
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
	// Lost is told of acknowledged writes that a failover has lost; ctx ends with
	// the store. Nil: nobody is told but the log.
	Lost func(ctx context.Context, lost []LostWrite)
	// Failover is told when a primary is another one than before, or was started
	// anew, with its address. Nil: nobody is told but the log.
	Failover func(address string)
	// Replicas is how many replicas DurabilityReplicated waits for, and
	// DurabilityFsync at most. Zero: 1.
	Replicas int
	// Wait is how long a write waits for replicas or disks before it is sent
	// again. Zero: 1 second.
	Wait time.Duration
	// AllowMissing opens a store with DurabilityReplicated though too few replicas
	// follow; writes are refused until they do.
	AllowMissing bool
	// AllowEviction accepts a server that may throw keys away when memory is
	// short (maxmemory-policy other than noeviction).
	AllowEviction bool

	examined    *[]Check         // set by Examine: where to put what was found, fit or not
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
	sharded  bool                 // the server is a cluster

	writes redis.UniversalClient // never repeats by itself (redis.md §3.3)
	reads  redis.UniversalClient
	scans  redis.UniversalClient // walks, apart so that they do not hold up reads

	randMu sync.Mutex   // Config.Rand need not be safe for concurrent use
	usual  atomic.Int32 // how usual it is that a user has groups, see fetch
	perKey atomic.Int64 // bytes of a value in the last reply with many, see raw
	users  atomic.Int64 // users created in this process, embedded only
	warned sync.Once    // about too many of them
	ringer *ringer      // calls workers
	relay  *relay       // ends what commits noted about claims; nil unless spread
	seeker *seeker      // nil but on a cluster
	skew   atomic.Int64 // how far the server's clock is ahead of ours, milliseconds, as claims saw it
	strays strays       // what ScrubReserved watches
	sure   *assurance   // nil when writes wait for nothing
	watch  *watcher     // nil with the embedded server
}

const embeddedUsers = 20_000 // up to here the embedded store is fast (redis.md §1)

// Open connects to the store and checks that it is fit. An error names what
// is wrong with the server and what to do; it never holds the password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, codec: newCodec(), spread: cfg.SpreadClaims}
	s.scripts = newScripts(cfg.URL == "", cfg.keeps())
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.closeClients())
	}
	if cfg.keeps() {
		if err := s.keep(context.WithoutCancel(ctx)); err != nil {
			s.embedded.Close()
			return nil, errors.Join(err, s.closeClients())
		}
	}
	s.startRinging(context.WithoutCancel(ctx))
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.spread && cfg.examined == nil {
		s.startRelaying(context.WithoutCancel(ctx))
	}
	if err := s.startWatching(context.WithoutCancel(ctx)); err != nil {
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
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Wait == 0 {
		c.Wait = time.Second
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

// Close ends all connections, and the embedded server with all it holds.
func (s *Store) Close() error {
	s.stopRelaying()
	s.stopWatching()
	s.stopRinging()
	err := s.closeClients()
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
	if err := s.ping(ctx); err != nil {
		return explain(ctx, "connect", err)
	}
	return s.fitness(ctx)
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
