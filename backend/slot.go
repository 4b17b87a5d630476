package backend

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// While a slot moves from one node of a cluster to another, older servers move
// it key by key, and a script may run where all keys that it names still are. A
// script that deletes a key and comes back to it would then be stopped half
// way, because the key counts as moved, and Redis does not roll back. So every
// writing script with several keys names one more that never exists: a node
// whose slot is moving then refuses the script before it begins (TRYAGAIN, or
// ASK and then TRYAGAIN), and the answer is 503 until the slot has moved.

// guard adds the key that never exists, behind the others, of which scripts
// know how many they read.
func (c *call) guard() {
	if c.guarded || c.keys < 2 {
		return
	}
	first, _ := c.args[callHead].(string)
	open, end := strings.IndexByte(first, '{'), strings.IndexByte(first, '}')
	if open < 0 || end < open {
		return
	}
	at := callHead + c.keys
	c.args = append(c.args, nil)
	copy(c.args[at+1:], c.args[at:])
	c.args[at] = "nx:" + first[open:end+1]
	c.keys++
	c.guarded = true
}

// mget reads values. The raw reply, which is read without copies, hides a
// cluster's word that the keys are elsewhere; then the command is sent again in
// a form in which the client heeds it.
func (s *Store) mget(ctx context.Context, client redis.UniversalClient, args []any, reply []byte) ([]string, error) {
	n := len(args) - 1
	values, err := rawValues(reply, n)
	if err == nil || !s.sharded || !refused(err) {
		return values, err
	}
	cmd := redis.NewSliceCmd(ctx, args...)
	if err := client.Process(ctx, cmd); err != nil {
		return nil, err
	}
	values = make([]string, n)
	for i := range values {
		values[i], _ = cmd.Val()[i].(string)
	}
	return values, nil
}

// answer is an error that a server has sent.
type answer string

// Error implements error.
func (a answer) Error() string { return string(a) }

// RedisError marks it for the client and for explain.
func (answer) RedisError() {}
