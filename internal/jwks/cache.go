package jwks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwk"
)

// The times of a key set (security O6).
const (
	fresh   = time.Hour        // then it is fetched anew
	pause   = time.Minute      // between two fetches of one set, good or bad
	stale   = 24 * time.Hour   // how long it serves when the issuer does not answer
	patient = 10 * time.Second // for discovery and keys together
)

// issuers is how many key sets are kept; past it the one asked for longest ago
// goes.
const issuers = 1000

// Source says whose keys are meant.
type Source struct {
	Issuer string // as it stands in tokens
	URI    string // where its keys lie; "" is found by discovery
}

// Config is what a Cache needs. All fields are required.
type Config struct {
	Get func(ctx context.Context, url string) ([]byte, error) // fetches a document, guarded and bounded
	Now func() time.Time
	Log *slog.Logger
}

// Cache keeps key sets. It is safe for concurrent use.
type Cache struct {
	cfg  Config
	mu   sync.Mutex
	sets map[Source]*set
}

// set is what is known of one source. Its fields are guarded by Cache.mu.
type set struct {
	keySet
	fetched time.Time     // when keys came; zero: never
	tried   time.Time     // when the last fetch began
	asked   time.Time     // when somebody wanted keys
	busy    chan struct{} // closed when the fetch that is going on ends; nil: none is
}

// keySet is what an issuer publishes.
type keySet struct {
	keys   []jwk.Key
	unused []*jwk.Fault // what cannot be used, and why
}

// ErrNoKeys is wrapped when there are no keys to check a signature with: the
// issuer cannot be reached, or what it answers is no key set.
var ErrNoKeys = errors.New("the issuer's keys are not at hand")

// New makes a Cache.
func New(c Config) (*Cache, error) {
	if c.Get == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("jwks: every field of Config is required")
	}
	return &Cache{cfg: c, sets: map[Source]*set{}}, nil
}

// Keys gives the keys of a source, fetching them when they are old or lack the
// one named kid ("" is any). It may give keys without that name: nothing fits
// then. The error wraps ErrNoKeys, or is that of ctx.
func (c *Cache) Keys(ctx context.Context, from Source, kid string) ([]jwk.Key, error) {
	return c.wait(ctx, from, func(keys []jwk.Key) bool { return has(keys, kid) })
}

// Renew is Keys for a signature that the keys at hand do not fit although the
// name does, or that names none: the set is fetched anew when the last fetch is
// a minute ago.
func (c *Cache) Renew(ctx context.Context, from Source) ([]jwk.Key, error) {
	return c.wait(ctx, from, func([]jwk.Key) bool { return false })
}

// Unused tells why a key that the issuer publishes under a name is not among
// those that Keys gives; "" when it publishes none.
func (c *Cache) Unused(from Source, kid string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sets[from]; s != nil {
		for _, f := range s.unused {
			if f.ID == kid {
				return f.Reason
			}
		}
	}
	return ""
}

// wait looks until there are keys to use or none to hope for.
func (c *Cache) wait(ctx context.Context, from Source, will func([]jwk.Key) bool) ([]jwk.Key, error) {
	for {
		keys, busy, mine := c.look(from, will)
		switch {
		case mine:
			c.fetch(ctx, from, busy)
		case busy != nil:
			select {
			case <-busy:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case keys == nil:
			return nil, ErrNoKeys
		default:
			return keys, nil
		}
	}
}

// look decides what to do: use the keys, wait for the fetch that is going on,
// or be the one who fetches and closes busy. will reports whether keys do.
func (c *Cache) look(from Source, will func([]jwk.Key) bool) (keys []jwk.Key, busy chan struct{}, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	s := c.sets[from]
	if s == nil {
		s = c.add(from)
	}
	s.asked = now
	age := now.Sub(s.fetched)
	if !s.fetched.IsZero() && age < stale {
		keys = s.keys
	}
	good := keys != nil && will(keys)
	if good && (age < fresh || s.busy != nil) {
		return keys, nil, false // while another request refreshes, the old keys serve
	}
	if s.busy != nil {
		return nil, s.busy, false
	}
	if s.tried.IsZero() || now.Sub(s.tried) >= pause {
		s.tried, s.busy = now, make(chan struct{})
		return nil, s.busy, true
	}
	return keys, nil, false
}

func has(keys []jwk.Key, kid string) bool {
	for i := range keys {
		if kid == "" || keys[i].ID == kid {
			return true
		}
	}
	return false
}

// add makes room for one more source. Cache.mu is held.
func (c *Cache) add(from Source) *set {
	for len(c.sets) >= issuers {
		var oldest Source
		first := true
		for name, s := range c.sets {
			if first || s.asked.Before(c.sets[oldest].asked) {
				oldest, first = name, false
			}
		}
		delete(c.sets, oldest)
	}
	s := &set{}
	c.sets[from] = s
	return s
}

// fetch gets the keys of a source; the caller of look with mine does it. The
// fetch is everybody's: the request that began it may end before it.
func (c *Cache) fetch(ctx context.Context, from Source, busy chan struct{}) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patient)
	defer cancel()
	got, err := c.read(ctx, from)
	if err != nil {
		c.cfg.Log.WarnContext(ctx, "keys of an issuer not fetched", "issuer", from.Issuer, "err", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(busy)
	s := c.sets[from]
	if s == nil || s.busy != busy {
		return // dropped meanwhile for want of room
	}
	s.busy = nil
	if err != nil {
		return
	}
	s.keySet, s.fetched = got, s.tried
}

// Fault says that what an issuer publishes cannot be used; asking again changes
// nothing.
type Fault struct{ Reason string }

// Error gives the reason.
func (f *Fault) Error() string { return f.Reason }

// Probe fetches the keys of a source once, past the cache, for whoever enters
// an issuer.
func (c *Cache) Probe(ctx context.Context, from Source) error {
	_, err := c.read(ctx, from)
	return err
}

func (c *Cache) read(ctx context.Context, from Source) (got keySet, err error) {
	uri := from.URI
	if uri == "" {
		if uri, err = c.discover(ctx, from.Issuer); err != nil {
			return got, err
		}
	}
	raw, err := c.cfg.Get(ctx, uri)
	if err != nil {
		return got, fmt.Errorf("key set: %w", err)
	}
	if got.keys, got.unused, err = jwk.Parse(raw); err != nil {
		return got, &Fault{err.Error()}
	}
	if got.keys == nil {
		got.keys = []jwk.Key{} // known to have none
	}
	return got, nil
}

// discover finds where the keys of an issuer lie.
func (c *Cache) discover(ctx context.Context, issuer string) (string, error) {
	raw, err := c.cfg.Get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	doc, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil {
		return "", &Fault{"the discovery document is not JSON"}
	}
	text := func(name string) string {
		for i := range doc.Items {
			if m := &doc.Items[i]; doc.Kind == jsontree.Object && m.Name == name && m.Kind == jsontree.String {
				return m.Text
			}
		}
		return ""
	}
	if text("issuer") != issuer {
		return "", &Fault{"the discovery document is of another issuer"}
	}
	if text("jwks_uri") == "" {
		return "", &Fault{"the discovery document has no jwks_uri"}
	}
	return text("jwks_uri"), nil
}
