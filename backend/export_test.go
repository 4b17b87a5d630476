package backend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/journal"
)

// OnDisk makes an embedded store keep its data on a disk of the test.
func (c Config) OnDisk(d journal.Disk) Config {
	c.disk = d
	return c
}

// ServerClock gives the embedded server's events another clock.
func (c Config) ServerClock(now func() time.Time) Config {
	c.serverClock = now
	return c
}

// Snapshot writes a snapshot of a store with a data directory.
func (s *Store) Snapshot(ctx context.Context) error { return s.kept.snapshot(ctx) }

// SnapshotPause writes a snapshot and tells how long writes wait for it.
func (s *Store) SnapshotPause(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	out, image, err := s.kept.copied(ctx)
	pause := time.Since(begun)
	if err != nil {
		return 0, err
	}
	for _, r := range image {
		out.Add(r)
	}
	return pause, out.Commit()
}

// WriteFailed tells why the data directory cannot be written.
func (s *Store) WriteFailed() error { return s.kept.journal.Failed() }

// Sizes are those of snapshot and journals.
func (s *Store) Sizes() (snapshot, journals int64) { return s.kept.journal.Sizes() }

// Eval runs a script as a writing one of the store, and tells its error.
func (s *Store) Eval(ctx context.Context, body string, keys []string, args ...any) (any, error) {
	sc := script{body: body, sha: "none"}
	if s.kept != nil {
		sc.body = marked(body)
	}
	c := newCall(sc, 8)
	c.key(keys...)
	c.arg(args...)
	return s.send(ctx, c)
}

// Naked sends a command outside of any script.
func (s *Store) Naked(ctx context.Context, words ...any) error {
	return s.writes.Do(ctx, words...).Err()
}

// Content is everything an embedded store holds but its bells, in words.
func (s *Store) Content() map[string]string {
	m := s.embedded
	out := map[string]string{}
	for _, key := range m.Keys() {
		if unkept(key) {
			continue
		}
		var words []string
		kind := m.Type(key)
		switch kind {
		case "string":
			v, _ := m.Get(key)
			words = []string{v}
		case "hash":
			fields, _ := m.HKeys(key)
			for _, f := range fields {
				words = append(words, f+"="+m.HGet(key, f))
			}
		case "set":
			words, _ = m.SMembers(key)
		case "zset":
			set, _ := m.SortedSet(key)
			for member, score := range set {
				words = append(words, fmt.Sprintf("%.0f=%s", score, member))
			}
		case "stream":
			entries, _ := m.Stream(key)
			for _, e := range entries {
				words = append(words, e.ID+"="+strings.Join(e.Values, ","))
			}
		}
		if kind != "stream" {
			slices.Sort(words)
		}
		out[key] = fmt.Sprintf("%s %q", kind, words)
	}
	return out
}
