package backend

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

const (
	chaosWorkers = 12
	chaosOrgs    = 5
	chaosClaims  = 8
)

// crash ends a store's dealings with the servers after some commands, as the
// death of its process would: before or after the last of them is executed.
type crash struct {
	left  atomic.Int64
	after bool
}

func (c *crash) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *crash) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch left := c.left.Add(-1); {
		case left > 0:
			return next(ctx, cmd)
		case left == 0 && c.after:
			_ = next(ctx, cmd) // its answer is not heard
		}
		cmd.SetErr(redis.ErrClosed)
		return redis.ErrClosed
	}
}

func (c *crash) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// chaos is many processes that take, move and give back few claims.
type chaos struct {
	url     string
	mu      sync.Mutex
	holders map[int]string // claim to "<organization>|<holder>" as somebody heard last

	taken, refused, crashes atomic.Int64
}

func chaosClaim(i int) resources.Claim {
	return resources.Claim{Kind: resources.ClaimEmail, Key: fmt.Sprintf("chaos%d@example.com", i)}
}

func chaosOrg(i int) resources.OrgID { return resources.OrgID(fmt.Sprintf("chaos%d", i)) }

func (c *chaos) open(t *testing.T) *Store {
	s, err := Open(context.Background(), Config{URL: c.url})
	if err != nil {
		t.Errorf("open: %v", err)
		return nil
	}
	return s
}

// worker lives and dies again and again.
func (c *chaos) worker(t *testing.T, dice *rand.Rand, until time.Time) {
	for life := 0; time.Now().Before(until); life++ {
		s := c.open(t)
		if s == nil {
			return
		}
		end := &crash{after: dice.IntN(2) == 0}
		end.left.Store(int64(1 + dice.IntN(60)))
		s.writes.AddHook(end)
		s.reads.AddHook(end)
		for end.left.Load() > 0 && time.Now().Before(until) {
			c.act(t, s, dice)
		}
		c.crashes.Add(1)
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// act does one thing.
func (c *chaos) act(t *testing.T, s *Store, dice *rand.Rand) {
	ctx := context.Background()
	n := dice.IntN(chaosClaims)
	claim := chaosClaim(n)
	org, fresh := chaosOrg(dice.IntN(chaosOrgs)), fmt.Sprintf("h%08x", dice.Uint32())
	c.mu.Lock()
	was := c.holders[n]
	c.mu.Unlock()
	holder := ""
	if was != "" && dice.IntN(4) > 0 {
		org, holder = resources.OrgID(was[:6]), was[7:]
	}
	what := dice.IntN(8)
	switch what {
	case 0: // somebody who does not wait
		if v, err := s.ask(ctx, claim, claimStep{op: opRead}); err == nil && v != "" {
			if met, ok := parseClaim(v); ok {
				_, _ = s.resolve(ctx, claim, met) // it may have crashed
			}
		}
		return
	case 1:
		_, _ = s.Sweep(ctx, org, time.Now(), 10, nil) // it may have crashed
		return
	}
	_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
		if holder != "" {
			tx.Release(claim, holder)
		}
		if holder == "" || what%2 == 0 {
			tx.Claim(claim, fresh)
		}
		return nil
	})
	var refusal *resources.Refusal
	switch {
	case errors.As(err, &refusal):
		c.refused.Add(1)
	case err != nil && !errors.Is(err, resources.ErrUnavailable):
		t.Errorf("update: %v", err)
	case err == nil:
		now := ""
		if holder == "" || what%2 == 0 {
			now = string(org) + "|" + fresh
			c.taken.Add(1)
		}
		c.mu.Lock()
		c.holders[n] = now
		c.mu.Unlock()
	}
	if refusal != nil { // who has it was not heard
		c.mu.Lock()
		c.holders[n] = string(refusal.HolderOrg) + "|" + refusal.Holder
		c.mu.Unlock()
	}
}

// TestClaimsSurviveCrashes has processes die between any two steps on a cluster:
// no claim has two holders, and none is left behind (redis.md §6.2, security V4).
// USHER_CHAOS_CLAIMS is how long it goes on, 3s when it is not set.
func TestClaimsSurviveCrashes(t *testing.T) {
	long := 3 * time.Second
	if text := os.Getenv("USHER_CHAOS_CLAIMS"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatalf("USHER_CHAOS_CLAIMS: %v", err)
		}
	}
	c := &chaos{url: redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1}).URL, holders: map[int]string{}}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	until := time.Now().Add(long)
	var wg sync.WaitGroup
	for i := range chaosWorkers {
		wg.Go(func() { c.worker(t, rand.New(rand.NewPCG(seed, uint64(i))), until) })
	}
	wg.Wait()
	t.Logf("%d claims taken, %d refused, %d crashes", c.taken.Load(), c.refused.Load(), c.crashes.Load())
	if c.taken.Load() == 0 || c.crashes.Load() == 0 {
		t.Error("nothing happened")
	}
	s := c.open(t)
	if s == nil {
		return
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	settled(t, s)
}

// settled does what sweeping and scrubbing do and looks whether claims and lists
// agree then.
func settled(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	lists := map[string]string{} // key of the claim to what it must say
	for i := range chaosOrgs {
		k, err := keysOf(chaosOrg(i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(ctx, k.org, time.Now(), 10_000, nil); err != nil {
			t.Fatal(err)
		}
		faults, err := s.ScrubClaims(ctx, k.org)
		if err != nil || len(faults) > 0 {
			t.Errorf("scrubbing found %+v (%v)", faults, err)
		}
		for n := range chaosClaims {
			held, err := s.ask(ctx, chaosClaim(n), claimStep{op: opLook, org: k.org})
			if err != nil {
				t.Fatal(err)
			}
			key := claimKey(chaosClaim(n))
			if held != "" && lists[key] != "" {
				t.Errorf("two holders: %s and %s of %s", lists[key], held, k.org)
			}
			if held != "" {
				lists[key] = confirmation(k.org, held)
			}
		}
		if n := s.reads.HLen(ctx, k.notes()).Val(); n != 0 {
			t.Errorf("%d notes are left", n)
		}
	}
	reserved, said := 0, make([]string, chaosClaims)
	for walk := range 2 {
		for n := range said {
			v, err := s.ask(ctx, chaosClaim(n), claimStep{op: opRead})
			if err != nil {
				t.Fatal(err)
			}
			if met, ok := parseClaim(v); walk == 0 && ok && !met.confirmed {
				reserved++
			} else if want := lists[claimKey(chaosClaim(n))]; v != want {
				t.Errorf("claim %d says %q, want %q", n, v, want)
			}
			said[n] = v
		}
		s.strays.first = map[string]time.Time{}
		for _, v := range said {
			s.strays.first[v] = time.Time{} // watched for long
		}
		if faults, _, err := s.ScrubReserved(ctx); err != nil || len(faults) > reserved {
			t.Errorf("the walk found %+v (%v)", faults, err)
		}
	}
	t.Logf("%d claims are held, %d were left reserved", len(lists), reserved)
}
