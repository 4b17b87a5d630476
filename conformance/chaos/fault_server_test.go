package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"
)

// none is no fault at all: what the other rows are compared with.
func none() *scenario {
	return &scenario{
		name: "F0", title: "nothing breaks",
		site:   func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(context.Context, *run, *load) error { time.Sleep(2 * time.Second); return nil },
		after: func(_ context.Context, r *run, l *load) error {
			if !slices.ContainsFunc(l.guests, func(g *guest) bool { return g.let > 0 }) {
				r.violation("nobody came in by a link, so that nothing is known of links and sessions")
			}
			return nil
		},
		limits: limits{none: true, p99: time.Second},
	}
}

// killed: Redis is killed and started again. Only with fsync always nothing may be
// lost: with everysec Redis holds back what it writes while the disk is slow.
func killed(name, fsync string, l limits) *scenario {
	return &scenario{
		name: name, title: "Redis is killed and comes back, fsync " + fsync, limits: l,
		site: func(t testing.TB) *site {
			return withNodes(t, single(t, "--appendonly", "yes", "--appendfsync", fsync), usher(t), 2)
		},
		strike: func(_ context.Context, r *run, _ *load) error {
			for range 2 {
				r.site.store.redis().Kill()
				time.Sleep(800 * time.Millisecond)
				if err := r.site.store.redis().Restart(); err != nil {
					return err
				}
				time.Sleep(500 * time.Millisecond)
				if err := renewed(r, r.site.store.redis()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// memory: Redis has no memory left. Reading goes on, and so does what frees:
// deactivating and deleting people (security F6).
func memory() *scenario {
	return &scenario{
		name: "F6", title: "Redis has no memory left",
		site: func(t testing.TB) *site { return withNodes(t, single(t, durable...), usher(t), 1) },
		strike: func(ctx context.Context, r *run, l *load) error {
			if err := r.site.store.set(ctx, "maxmemory", "1mb"); err != nil {
				return err
			}
			began := time.Now()
			for i := 0; time.Since(began) < 2*time.Second; i++ {
				l.servesReads(ctx)
				time.Sleep(100 * time.Millisecond)
			}
			l.servesLeavers(ctx)
			if r.count(http.StatusServiceUnavailable) == 0 {
				r.violation("no write was refused: the fault did not happen")
			}
			if err := r.site.store.set(ctx, "maxmemory", "0"); err != nil {
				return err
			}
			t := l.tenants[0] // who is not active has no seat and waits for none
			_, err := r.must(ctx, http.MethodPatch, t.path("/Users/"+t.joiners[1]), t.token, patch(map[string]any{"op": "replace", "path": "active", "value": true}))
			return err
		},
	}
}

// readonly: what usher takes for the primary follows somebody else and refuses
// writes (security F7).
func readonly() *scenario {
	return &scenario{
		name: "F7", title: "the primary became a read-only replica",
		site: func(t testing.TB) *site { return withNodes(t, single(t, durable...), usher(t), 1) },
		strike: func(ctx context.Context, r *run, l *load) error {
			redis := r.site.store.redis()
			if _, err := redis.Do(ctx, "REPLICAOF", "127.0.0.1", "1"); err != nil {
				return err
			}
			for range 10 {
				l.servesReads(ctx)
				time.Sleep(100 * time.Millisecond)
			}
			_, err := redis.Do(ctx, "REPLICAOF", "NO", "ONE")
			return err
		},
	}
}

// flushed: the cache of scripts is emptied all the time.
func flushed() *scenario {
	return &scenario{
		name: "F10", title: "Redis forgets its scripts, again and again",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(ctx context.Context, r *run, _ *load) error {
			for began := time.Now(); time.Since(began) < 1500*time.Millisecond; time.Sleep(3 * time.Millisecond) {
				if _, err := r.site.store.redis().Do(ctx, "SCRIPT", "FLUSH"); err != nil {
					return err
				}
			}
			return nil
		},
		limits: limits{none: true},
	}
}

// slowScript keeps Redis busy for a while, reading only, so that it can be ended.
const slowScript = `#!lua flags=no-writes
local t = redis.call('TIME')
local till = t[1] * 1000000 + t[2] + tonumber(ARGV[1])
repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > till
return 1`

const longScript = 50 * time.Millisecond

// busy: a script of somebody else holds Redis up, and Redis says so soon. usher's
// own scripts must be far from that.
func busy() *scenario {
	return &scenario{
		name: "F9", title: "Redis is busy with a long script",
		site: func(t testing.TB) *site {
			slow := strconv.FormatInt(longScript.Microseconds(), 10)
			return withNodes(t, single(t, "--busy-reply-threshold", "40", "--slowlog-log-slower-than", slow, "--slowlog-max-len", "1000"), usher(t), 1)
		},
		strike: func(ctx context.Context, r *run, _ *load) error {
			for range 4 {
				if _, err := r.site.store.redis().Do(ctx, "EVAL", slowScript, "0", "300000"); err != nil {
					return err
				}
				time.Sleep(200 * time.Millisecond)
			}
			return nil
		},
		after: func(ctx context.Context, r *run, _ *load) error { return r.slowScripts(ctx) },
	}
}

// slowScripts holds usher's scripts against the bound. On a machine with other
// work one may be held up, but not many.
func (r *run) slowScripts(ctx context.Context) error {
	reply, err := r.site.store.redis().Do(ctx, "SLOWLOG", "GET", "1000")
	if err != nil {
		return err
	}
	list, _ := reply.([]any)
	ours := 0
	for _, entry := range list {
		e, _ := entry.([]any)
		if len(e) < 4 {
			return errors.New("the slow log cannot be read")
		}
		words, _ := e[3].([]any)
		if len(words) > 0 && words[0] == "EVALSHA" {
			ours++
			if micros, _ := e[2].(int64); time.Duration(micros)*time.Microsecond > 4*longScript {
				r.violation("a script of usher took %d µs", micros)
			}
		}
	}
	if ours > 3 {
		r.violation("%d scripts of usher took more than %s", ours, longScript)
	}
	_, err = r.site.store.redis().Do(ctx, "SLOWLOG", "RESET")
	return err
}

func (w *witness) count(status int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[status]
}

// servesReads demands that reading works.
func (l *load) servesReads(ctx context.Context) {
	t := l.tenants[0]
	for _, p := range []string{"/Users/" + t.registers[0], "/Users?count=5", "/Groups/" + t.groups[0], "/Users?filter=userName+eq+%22register-1%22"} {
		if a := l.send(ctx, 1, http.MethodGet, t.path(p), t.token, ""); a.status != http.StatusOK {
			l.violation("reading fails while the fault lasts: answer %d %s", a.status, trim(a.body))
		}
	}
}

// servesLeavers demands that people can be deactivated and deleted.
func (l *load) servesLeavers(ctx context.Context) {
	t := l.tenants[0]
	off := l.send(ctx, 1, http.MethodPatch, t.path("/Users/"+t.joiners[1]), t.token, patch(map[string]any{"op": "replace", "path": "active", "value": false}))
	if off.status != http.StatusOK {
		l.violation("nobody can be deactivated while memory is short: answer %d %s", off.status, trim(off.body))
	}
	key := "name:" + t.slug + ":0.0"
	c := &client{load: l, n: 98, dice: l.dice.rand()}
	if id := c.holder(key); id != "" {
		e := event{client: c.n, key: key, what: "free", value: id, call: l.h.now()}
		a := l.send(ctx, 1, http.MethodDelete, t.path("/Users/"+id), t.token, "")
		if e.result = a.outcome(http.StatusNotFound); e.result == unknown {
			l.violation("nobody can be deleted while memory is short: answer %d %s", a.status, trim(a.body))
		}
		l.h.note(e)
	}
}

// full: the file system under the append-only file has no room left.
func full() *scenario {
	return &scenario{
		name: "F8", title: "the disk of Redis is full",
		site: func(t testing.TB) *site {
			dir := smallDisk(t, "64m")
			return withNodes(t, single(t, append([]string{"--dir", dir, "--auto-aof-rewrite-percentage", "0"}, durable...)...), usher(t), 1)
		},
		strike: func(ctx context.Context, r *run, l *load) error {
			room, err := fill(ctx, r.site.store)
			if err != nil {
				return err
			}
			for end := time.Now().Add(5 * time.Second); r.count(http.StatusServiceUnavailable) == 0 && time.Now().Before(end); {
				time.Sleep(20 * time.Millisecond)
			}
			if r.count(http.StatusServiceUnavailable) == 0 {
				r.violation("no write was refused: the fault did not happen")
			}
			for range 5 {
				l.servesReads(ctx)
				time.Sleep(100 * time.Millisecond)
			}
			if err := room(); err != nil {
				return fmt.Errorf("make room: %w", err)
			}
			return nil
		},
	}
}
