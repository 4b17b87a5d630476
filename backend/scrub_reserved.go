package backend

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

const (
	claimPattern = "*:{????????????????????????????????}" // 32 characters; organizations have 20 at most
	straysKept   = 100_000                                // claims that are watched at most; others are found by a later walk
	strayPause   = 2 * time.Millisecond                   // between two pieces of the walk
	// strayTime is how long a claim is watched before it counts as left behind:
	// as long as a commit may come.
	strayTime = claimDeadline
)

// SpreadsClaims tells whether claims are taken in steps, so that crashes can leave
// some behind for ScrubReserved.
func (s *Store) SpreadsClaims() bool { return s.spread }

// strays are claims that looked left behind, and since when.
type strays struct {
	mu    sync.Mutex
	first map[string]time.Time // by what the claim says, which is different each time it is taken
}

// ScrubReserved walks all claims there are, of all organizations, and ends those
// that a crash or a failover has left behind: reserved with nobody about to commit,
// or confirmed for a record that is gone. What looks so is only watched at first;
// a walk at least 30 seconds later ends it. watched is how many claims wait for
// that. Claims left behind hold up nobody, who meets one ends it: this is about
// the room they take.
func (s *Store) ScrubReserved(ctx context.Context) (faults []ClaimFault, watched int, err error) {
	defer s.observe("scrub", started(), &err)
	w := &strayWalk{s: s, now: started(), next: map[string]time.Time{}}
	s.strays.mu.Lock() // one walk at a time
	defer s.strays.mu.Unlock()
	switch c := s.scans.(type) {
	case *redis.ClusterClient:
		var mu sync.Mutex // the primaries are walked at once
		err = c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return w.walk(ctx, func(cursor uint64) ([]string, uint64, error) {
				return node.Scan(ctx, cursor, claimPattern, walkSize).Result()
			}, &mu)
		})
	default:
		if s.embedded != nil {
			err = w.look(ctx, s.embeddedClaims())
			break
		}
		err = w.walk(ctx, func(cursor uint64) ([]string, uint64, error) {
			return s.scans.Scan(ctx, cursor, claimPattern, walkSize).Result()
		}, &sync.Mutex{})
	}
	if err == nil {
		s.strays.first = w.next
	}
	return w.faults, len(w.next), explain(ctx, "scrub", err)
}

// embeddedClaims lists the claims of the embedded store, which has no SCAN worth
// its name.
func (s *Store) embeddedClaims() (keys []string) {
	for _, key := range s.embedded.Keys() {
		if _, tag, ok := strings.Cut(key, ":{"); ok && len(tag) == 33 && strings.HasSuffix(tag, "}") {
			keys = append(keys, key)
		}
	}
	return keys
}

// strayWalk is one walk.
type strayWalk struct {
	s      *Store
	now    time.Time
	next   map[string]time.Time
	faults []ClaimFault
}

func (w *strayWalk) walk(ctx context.Context, scan func(cursor uint64) ([]string, uint64, error), mu *sync.Mutex) error {
	for cursor := uint64(0); ; {
		keys, next, err := scan(cursor)
		if err != nil {
			return err
		}
		mu.Lock()
		err = w.look(ctx, keys)
		mu.Unlock()
		if err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if err := w.s.sleep(ctx, strayPause); err != nil {
			return err
		}
	}
}

// look reads some claims and goes after those that have no owner.
func (w *strayWalk) look(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	pipe := w.s.scans.Pipeline()
	for _, key := range keys {
		pipe.Get(ctx, key)
	}
	cmds, err := pipe.Exec(ctx)
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	for i, cmd := range cmds {
		get, ok := cmd.(*redis.StringCmd)
		if !ok || errors.Is(get.Err(), redis.Nil) {
			continue
		}
		v, err := get.Result()
		if err != nil {
			return err
		}
		if err := w.claim(ctx, keys[i], v); err != nil {
			return err
		}
	}
	return nil
}

func (w *strayWalk) claim(ctx context.Context, key, v string) error {
	met, ok := parseClaim(v)
	kind, _, _ := strings.Cut(key, ":")
	if !ok || !met.confirmed && claimKey(met.claim) != key {
		w.faults = append(w.faults, ClaimFault{Claim: resources.Claim{Kind: resources.ClaimKind(kind)}, Key: key, State: ClaimDamaged})
		return nil
	}
	if met.confirmed {
		owned, err := w.recorded(ctx, met)
		if err != nil || owned {
			return err
		}
	}
	since, known := w.s.strays.first[v]
	if !known {
		since = w.now
	}
	if w.now.Sub(since) < strayTime {
		if len(w.next) < straysKept {
			w.next[v] = since
		}
		return nil
	}
	if met.confirmed {
		return w.release(ctx, key, kind, met)
	}
	held, err := w.s.resolve(ctx, met.claim, met)
	if err == nil && held == "" {
		w.faults = append(w.faults, ownerless(key, met.claim, met))
	}
	return err
}

func ownerless(key string, c resources.Claim, v claimValue) ClaimFault {
	return ClaimFault{Claim: c, Key: key, State: ClaimOwnerless, Repaired: true, Side: ClaimSide{v.org, v.holder, v.attempt}}
}

// recorded tells whether the record that holds a claim exists.
func (w *strayWalk) recorded(ctx context.Context, v claimValue) (bool, error) {
	kind, ok := known(v.holder)
	if !ok {
		return false, nil
	}
	k, err := keysOf(v.org)
	if err != nil {
		return false, err
	}
	n, err := w.s.scans.Exists(ctx, k.record(kind, v.holder)).Result()
	return n > 0, err
}

// release gives back a claim that no entry of its organization's list speaks of.
// Its key cannot be read back, so that the list is walked; its attempt has been
// committed once and will not be again.
func (w *strayWalk) release(ctx context.Context, key, kind string, v claimValue) error {
	k, err := keysOf(v.org)
	if err != nil {
		return err
	}
	for cursor := uint64(0); ; {
		pairs, next, err := w.s.scans.HScan(ctx, k.claims(), cursor, "", walkSize).Result()
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			of, text, _ := strings.Cut(pairs[i], "|")
			if claimKey(resources.Claim{Kind: resources.ClaimKind(of), Key: text}) == key {
				return nil // whatever its list says, it has an owner
			}
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	c := newCall(w.s.scripts.claim.release, 2)
	c.key(key)
	c.arg(string(v.org), v.attempt)
	if _, err := w.s.write(ctx, c); err != nil {
		return err
	}
	w.faults = append(w.faults, ownerless(key, resources.Claim{Kind: resources.ClaimKind(kind)}, v))
	return nil
}
