package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// Durability says what an acknowledged write survives.
type Durability string

// The durabilities. What each can lose stands in docs/operations.md.
const (
	// DurabilityLocal acknowledges what the server has executed.
	DurabilityLocal Durability = "local"
	// DurabilityReplicated acknowledges what a replica has received (WAIT).
	DurabilityReplicated Durability = "replicated"
	// DurabilityFsync acknowledges what the server and a replica, if it has one,
	// have on disk (WAITAOF, or an append-only file that is synced always).
	DurabilityFsync Durability = "fsync"
)

const (
	// confirmWaits is for how many times Config.Wait one write is sent again and
	// again while replicas or disks do not confirm it. Others need its connection.
	confirmWaits = 5
	redirects    = 5 // how often a write of a cluster follows a slot that moves
)

// errShort says that a write was executed and too few replicas or disks have
// confirmed it in time.
var errShort = fmt.Errorf("too few replicas, or a disk that is too slow: %w", resources.ErrOutcomeUnknown)

// errStillShort refuses a write before it is sent.
var errStillShort = fmt.Errorf("writes wait for replicas that do not confirm: %w", resources.ErrUnavailable)

// assurance is what a write waits for after the server has executed it. WAIT
// and WAITAOF answer for what their own connection has written, so they go into
// the pipeline of the write.
type assurance struct {
	replicas int           // that must have received it
	aof      bool          // ask for disks (WAITAOF), the server's own and those of the replicas
	wait     time.Duration // for one answer
	touch    string        // script that writes something small

	mu    sync.Mutex
	short map[string]*atomic.Int32        // address of a server: writes that are short there now
	slow  map[*redis.Client]*redis.Client // the same servers with a timeout that allows for wait
}

func newAssurance(replicas int, aof bool, wait time.Duration, touch string) *assurance {
	return &assurance{
		replicas: replicas, aof: aof, wait: wait, touch: touch,
		short: map[string]*atomic.Int32{}, slow: map[*redis.Client]*redis.Client{},
	}
}

// send executes a call that changes something, once, and returns when what it
// wrote is as durable as Config.Durability asks, or in the journal of the
// embedded store. Calls that are lax do not wait: leases (a lost one is granted
// anew under another token, and commits compare tokens) and bells (workers find
// the work without them, later).
func (s *Store) send(ctx context.Context, c *call) (reply any, err error) {
	c.sent++
	switch {
	case s.kept != nil:
		return s.kept.send(ctx, func() (any, error) { return s.run(ctx, s.writes, c) })
	case s.sure == nil || c.lax:
		reply, err = s.run(ctx, s.writes, c)
	default:
		reply, err = s.sendSurely(ctx, c)
	}
	if err != nil {
		s.worry(err)
	}
	return reply, err
}

// sendSurely repeats a call until it is confirmed. While one call is short,
// those that come after it are refused unsent: they would be short too, and
// would keep the connections from everybody.
func (s *Store) sendSurely(ctx context.Context, c *call) (any, error) {
	began, pause := started(), sendPause
	var short *atomic.Int32
	var said error // where the slot has gone
	for hops := 0; ; {
		node, asked, err := s.home(ctx, c, said)
		if err != nil {
			return nil, err
		}
		here := s.sure.shortAt(node.Options().Addr)
		if c.sent == 1 && short == nil && here.Load() > 0 {
			return nil, errStillShort
		}
		reply, err := s.sure.confirmed(ctx, node, c, asked)
		if redirection(err) && hops < redirects {
			hops, said = hops+1, err
			continue
		}
		said = nil
		if !errors.Is(err, errShort) {
			return reply, err
		}
		if short == nil {
			short, c.short = here, true
			short.Add(1)
			defer short.Add(-1)
		}
		if started().Sub(began) >= s.sure.time() {
			return nil, err
		}
		if err := s.sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, s.sure.wait)
		c.sent++
	}
}

// time is how long a write may take because of it.
func (a *assurance) time() time.Duration {
	if a == nil {
		return 0
	}
	return confirmWaits * a.wait
}

func (a *assurance) shortAt(address string) *atomic.Int32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.short[address]
	if n == nil {
		n = &atomic.Int32{}
		a.short[address] = n
	}
	return n
}

// patient is a server whose answers may take as long as they are waited for.
func (a *assurance) patient(node *redis.Client) *redis.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	slow := a.slow[node]
	if slow == nil {
		slow = node.WithTimeout(readTimeout + a.wait)
		a.slow[node] = slow
	}
	return slow
}

// confirmed sends a call and what waits for it in one pipeline, which is one
// connection. It returns errShort when the call was executed and not confirmed.
func (a *assurance) confirmed(ctx context.Context, node *redis.Client, c *call, asked bool) (any, error) {
	cmd, held := a.pair(ctx, node, c, false, asked)
	if err := cmd.Err(); err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd, held = a.pair(ctx, node, c, true, asked)
	}
	err := cmd.Err()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return nil, err
	case held != nil:
		return nil, held
	}
	return cmd.Val(), nil // nil when the script answered with nothing
}

// pair is one pipeline. A call that is sent again may find its work done and
// write nothing, and WAIT promises something of what was written only: so a small
// write goes with it.
func (a *assurance) pair(ctx context.Context, node *redis.Client, c *call, whole, asked bool) (cmd *redis.Cmd, held error) {
	pipe := a.patient(node).Pipeline()
	if asked {
		pipe.Do(ctx, "ASKING")
	}
	cmd = c.command(ctx, whole)
	_ = pipe.Process(ctx, cmd) // it is only noted
	var touched redis.Cmder = cmd
	if c.sent > 1 {
		if asked {
			pipe.Do(ctx, "ASKING")
		}
		touched = pipe.Eval(ctx, a.touch, []string{besides(c.firstKey())})
	}
	confirms := a.await(ctx, pipe)
	_, _ = pipe.Exec(ctx) // each command has its error
	if err := touched.Err(); touched != redis.Cmder(cmd) && err != nil {
		return cmd, err
	}
	return cmd, confirms()
}

// await adds the command that waits, and gives what reads its answer.
func (a *assurance) await(ctx context.Context, pipe redis.Pipeliner) func() error {
	judge := func(err error, enough bool) error {
		switch {
		case err != nil && redis.HasErrorPrefix(err, "UNBLOCKED"): // the primary has become a replica
			return fmt.Errorf("%w: %w", errShort, err)
		case err != nil:
			return err
		case !enough:
			return errShort
		}
		return nil
	}
	if a.aof {
		cmd := redis.NewIntSliceCmd(ctx, "WAITAOF", 1, a.replicas, a.wait.Milliseconds())
		_ = pipe.Process(ctx, cmd) // it is only noted
		return func() error {
			n := cmd.Val()
			return judge(cmd.Err(), len(n) == 2 && n[0] >= 1 && n[1] >= int64(a.replicas))
		}
	}
	cmd := redis.NewIntCmd(ctx, "WAIT", a.replicas, a.wait.Milliseconds())
	_ = pipe.Process(ctx, cmd)
	return func() error { return judge(cmd.Err(), cmd.Val() >= int64(a.replicas)) }
}

// settle returns when what is in the organization's slot now is durable. Who
// answers that nothing has to be changed relies on what others have written.
func (s *Store) settle(ctx context.Context, k keys) error {
	if s.sure == nil {
		return nil
	}
	c := newCall(s.scripts.touch, 1)
	c.key(besides(k.events()))
	_, err := s.write(ctx, c)
	return explain(ctx, "make sure of what is there", err)
}

// firstKey tells the slot of a call.
func (c *call) firstKey() string {
	if c.keys == 0 {
		return ""
	}
	key, _ := c.args[callHead].(string)
	return key
}

// besides is a key that nothing else uses in the slot of another.
func besides(key string) string {
	if from := strings.IndexByte(key, '{'); from >= 0 {
		if to := strings.IndexByte(key[from:], '}'); to > 1 {
			return "wt:" + key[from:from+to+1]
		}
	}
	return "wt:{" + key + "}"
}

// home finds the server that has the call's slot now; said is the redirection
// that the last one answered with, or nil.
func (s *Store) home(ctx context.Context, c *call, said error) (node *redis.Client, asked bool, err error) {
	switch client := s.writes.(type) {
	case *redis.Client:
		return client, false, nil
	case *redis.ClusterClient:
		if said != nil {
			words := strings.Fields(said.Error())
			list, err := primaries(ctx, client)
			for _, node := range list {
				if node.Options().Addr == words[len(words)-1] {
					return node, words[0] == "ASK", nil
				}
			}
			if err == nil {
				err = s.sleep(ctx, sendPause) // the rest of the cluster will hear of it
			}
			if err != nil {
				return nil, false, err
			}
		}
		node, err := client.MasterForKey(ctx, c.firstKey())
		return node, false, err
	}
	return nil, false, fmt.Errorf("durability: writes through a %T cannot be confirmed", s.writes)
}

// redirection reports whether a server of a cluster has sent us to another.
func redirection(err error) bool {
	return redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK ")
}

// primaries lists the servers that take writes, in the order of their
// addresses; a cluster is asked anew who they are.
func primaries(ctx context.Context, client redis.UniversalClient) ([]*redis.Client, error) {
	switch client := client.(type) {
	case *redis.Client:
		return []*redis.Client{client}, nil
	case *redis.ClusterClient:
		var mu sync.Mutex
		var list []*redis.Client
		err := client.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, node)
			return nil
		})
		slices.SortFunc(list, func(a, b *redis.Client) int { return strings.Compare(a.Options().Addr, b.Options().Addr) })
		return list, err
	}
	return nil, fmt.Errorf("the servers behind a %T cannot be listed", client)
}
