package backend

import (
	"context"
	"crypto/sha1"
	_ "embed" // the scripts are files
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

//go:embed scripts/commit.lua
var commitLua string

//go:embed scripts/guard.lua
var guardLua string

//go:embed scripts/get.lua
var getLua string

//go:embed scripts/find.lua
var findLua string

//go:embed scripts/vault_put.lua
var vaultPutLua string

//go:embed scripts/vault_take.lua
var vaultTakeLua string

//go:embed scripts/vault_add.lua
var vaultAddLua string

//go:embed scripts/vault_count.lua
var vaultCountLua string

//go:embed scripts/expire.lua
var expireLua string

//go:embed scripts/trash.lua
var trashLua string

//go:embed scripts/attempts.lua
var attemptsLua string

//go:embed scripts/erase.lua
var eraseLua string

//go:embed scripts/erase_rest.lua
var eraseRestLua string

//go:embed scripts/touch.lua
var touchLua string

//go:embed scripts/unclaim.lua
var unclaimLua string

//go:embed scripts/repair.lua
var repairLua string

//go:embed scripts/mend_claim.lua
var mendClaimLua string

// script is a body with the first line its server wants, and its digest.
type script struct{ body, sha string }

// scripts are all scripts of the room.
type scripts struct {
	commit, release     script // the same text; release may run when memory is short
	get, find           script
	vaultPut, vaultTake script
	vaultAdd            script
	vaultCount          script
	expire, trash       script
	attempts            script
	erase, eraseRest    script
	unclaim             script
	touch               script
	look, repair        script // the same text; look changes nothing
	mendClaim           script
	queue               queueScripts
	claim               claimScripts
	backup              backupScripts
}

// readsOnly is the flag of scripts that do not write.
const readsOnly = " flags=no-writes"

// newScripts prepares the scripts. Real servers get a first line: with it a
// script that could fail half way for want of memory is refused up front
// (security §0.3). The embedded server does not know it. With kept, the embedded
// server's journal is told where scripts that write begin and end.
func newScripts(embedded, kept bool) scripts {
	make := func(body, flags string) script {
		switch {
		case !embedded:
			body = "#!lua" + flags + "\n" + body
		case kept && flags != readsOnly:
			body = marked(body)
		}
		sum := sha1.Sum([]byte(body))
		return script{body: body, sha: hex.EncodeToString(sum[:])}
	}
	const reads, frees = readsOnly, " flags=allow-oom"
	changes := func(body, flags string) script { return make(guardLua+body, flags) }
	return scripts{
		commit: changes(commitLua, ""), release: changes(commitLua, frees),
		get: make(getLua, reads), find: make(findLua, reads),
		vaultPut: changes(vaultPutLua, ""), vaultTake: changes(vaultTakeLua, frees),
		vaultAdd: changes(vaultAddLua, ""), vaultCount: changes(vaultCountLua, ""),
		look: make(repairLua, reads), repair: make(repairLua, ""), mendClaim: make(mendClaimLua, ""),
		expire: changes(expireLua, frees), trash: changes(trashLua, frees),
		attempts: make(attemptsLua, frees),
		erase:    make(eraseLua, frees), eraseRest: make(eraseRestLua, frees), unclaim: make(unclaimLua, frees),
		touch:  make(touchLua, frees),
		queue:  newQueueScripts(make, changes),
		claim:  newClaimScripts(make),
		backup: newBackupScripts(make),
	}
}

// call is one EVALSHA: the words of the command, filled front to back.
type call struct {
	sc      script
	args    []any
	keys    int
	sent    int  // how often; see Store.send
	lax     bool // what it writes may be lost: nothing waits for replicas or disks
	guarded bool // see guard
	short   bool // it was executed once and not confirmed, see Store.sendSurely
}

const callHead = 3 // EVALSHA, digest, number of keys

func newCall(sc script, room int) *call {
	c := &call{sc: sc, args: make([]any, callHead, callHead+room)}
	return c
}

// key appends a key; all keys come before the first arg.
func (c *call) key(keys ...string) {
	for _, k := range keys {
		c.args = append(c.args, k)
	}
	c.keys += len(keys)
}

// arg appends an argument, which may be a string, bytes or an integer.
func (c *call) arg(args ...any) { c.args = append(c.args, args...) }

// command makes the command for the digest, or for the whole text.
func (c *call) command(ctx context.Context, whole bool) *redis.Cmd {
	c.args[0], c.args[1] = "EVALSHA", c.sc.sha
	if whole {
		c.args[0], c.args[1] = "EVAL", c.sc.body
	}
	c.args[2] = c.keys
	cmd := redis.NewCmd(ctx, c.args...)
	cmd.SetFirstKeyPos(callHead)
	return cmd
}

// run sends a call once. A server that does not know the script, after a
// restart or a failover, gets the whole text.
func (s *Store) run(ctx context.Context, client redis.UniversalClient, c *call) (any, error) {
	cmd := c.command(ctx, false)
	err := s.process(ctx, client, cmd)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd = c.command(ctx, true)
		err = s.process(ctx, client, cmd)
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return cmd.Val(), nil
}

// process sends a command. A cluster's client would send it again after a lost
// reply; for writes only write does.
func (s *Store) process(ctx context.Context, client redis.UniversalClient, cmd *redis.Cmd) error {
	if s.sharded && client == s.writes {
		return client.Process(ctx, once{cmd})
	}
	return client.Process(ctx, cmd)
}

const (
	sendings  = 4                     // how often one attempt is sent at most
	sendPause = 20 * time.Millisecond // before the second sending, then four times as long each
)

// write sends a call that changes something and may be repeated, until it is
// answered: a reply lost on the wire says nothing about whether the call was
// executed (security §0.1).
func (s *Store) write(ctx context.Context, c *call) (any, error) {
	pause, unknown := sendPause, false
	if s.sharded {
		c.guard()
	}
	if s.embedded == nil {
		ctx = within(ctx, s.patience())
	}
	for i := 1; ; i++ {
		reply, err := s.thawed(ctx, c)
		if err == nil {
			return reply, nil
		}
		s.heed(err)
		// Also when a later sending is refused.
		unknown = unknown || lost(err) || c.short && !errors.Is(err, resources.ErrOutcomeUnknown)
		last := i == sendings || over(ctx, pause) || !lost(err) && !refused(err)
		switch {
		case ctx.Err() != nil || last && !unknown:
			return nil, err
		case last:
			return nil, fmt.Errorf("%w: %w", resources.ErrOutcomeUnknown, err)
		}
		if err := s.sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause *= 4
	}
}

// lost reports whether a call may or may not have been executed.
func lost(err error) bool {
	var answer redis.Error
	return !errors.As(err, &answer) && !errors.Is(err, redis.ErrClosed) && !errors.Is(err, resources.ErrUnavailable)
}

// sleep waits for d plus up to as much again.
func (s *Store) sleep(ctx context.Context, d time.Duration) error {
	b, err := s.random(2)
	if err != nil {
		return err
	}
	jitter := time.Duration(int(b[0])<<8|int(b[1])) * d >> 16
	t := time.NewTimer(d/2 + jitter)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// refusals are the answers by which a server says that it has executed nothing
// but that it, or the server it points to, may do so in a moment: after a
// failover, while a slot moves, while data is loaded. During a slot's move
// older servers also say it of a key that a reading script asks for.
var refusals = [...]string{
	"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "LOADING", "NOREPLICAS",
	"max number of clients reached", "Script attempted to access a non local key",
	"Script attempted to execute a command while the cluster is down",
	"Script attempted to execute a write command while the cluster is down",
}

// refused reports whether a call was certainly not executed and is worth
// sending again.
func refused(err error) bool { return hasPrefix(err, refusals[:]) }

// temporary are the answers by which a server says that it cannot serve now. That
// it does not let usher in is one of them: passwords are changed while usher runs,
// and a server that was started again may not have them yet.
func temporary(err error) bool {
	return refused(err) || hasPrefix(err, []string{frozen, "BUSY", "MISCONF", "UNBLOCKED", "OOM", "UNKILLABLE", "NOAUTH", "WRONGPASS", "NOPERM"})
}

// hasPrefix looks at the beginning of a server's answer, without "ERR ".
func hasPrefix(err error, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return redis.HasErrorPrefix(err, p) })
}

// over reports whether there is no time for a pause and another sending.
func over(ctx context.Context, pause time.Duration) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && started().Add(pause).After(end)
}

// explain turns an error of the client into one of the port: ctx's error,
// one that wraps ErrUnavailable, or, when the server refuses what we sent,
// an error that nobody is meant to repeat.
func explain(ctx context.Context, what string, err error) error {
	var answer redis.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("backend: %s: %w", what, ctx.Err())
	case errors.Is(err, resources.ErrUnavailable):
		return err
	case errors.As(err, &answer) && !temporary(err):
		return fmt.Errorf("backend: %s: %w", what, err)
	}
	return fmt.Errorf("backend: %s: %w: %w", what, resources.ErrUnavailable, err)
}
