package backend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/usher-scim/usher/internal/journal"
)

// What a script does to the embedded store is one record of the journal: a byte,
// 1 when the script's last command failed, and the commands, each as a number of
// words and the words, each behind its length.
//
// Scripts that write stand between two marks for that, calls of ECHO that the hook
// answers. Between them it sees every command under the server's lock, before it
// is executed.
const (
	markBegin = "usher:begin"
	markEnd   = "usher:end"
	markFail  = "usher:fail"
	noWrites  = "the data directory takes no writes now" // the answer to a beginning
)

// marked puts a script between marks. Calls and protected calls come from two
// contexts, so both are told of the beginning.
func marked(body string) string {
	return "redis.call('ECHO', '" + markBegin + "') redis.pcall('ECHO', '" + markBegin + "')\n" +
		"local done, reply = pcall(function()\n" + body + "\nend)\n" +
		"redis.call('ECHO', done and '" + markEnd + "' or '" + markFail + "')\n" +
		"if not done then error(reply, 0) end\nreturn reply\n"
}

// effects collects what scripts do.
type effects struct {
	journal *journal.Journal
	now     func() time.Time // stamps events

	mu      sync.Mutex
	inside  [2]any // the contexts of the script that runs; nil: none does
	record  []byte // its commands
	refused bool   // no script may begin
	newest  streamID
}

// streamID is the id of an event.
type streamID struct{ ms, seq uint64 }

func (id streamID) String() string {
	return strconv.FormatUint(id.ms, 10) + "-" + strconv.FormatUint(id.seq, 10)
}

func (id streamID) less(other streamID) bool {
	return id.ms < other.ms || (id.ms == other.ms && id.seq < other.seq)
}

// parseStreamID reads an id; a missing second part is 0.
func parseStreamID(text string) (id streamID, err error) {
	ms, seq, two := strings.Cut(text, "-")
	if id.ms, err = strconv.ParseUint(ms, 10, 64); err == nil && two {
		id.seq, err = strconv.ParseUint(seq, 10, 64)
	}
	return id, err
}

// refuse lets no script begin, or all again.
func (e *effects) refuse(yes bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = yes
}

// last is the newest id given to an event.
func (e *effects) last() streamID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.newest
}

// use is what the journal has to do with a command.
type use int

const (
	useUnknown use = iota
	useRead        // changes nothing that is kept
	useMark
	useAdd   // XADD: its id is made here
	useWrite // the key is the first argument
)

// useOf tells commands apart. Whoever needs another one adds it here: a command
// whose effect depends on chance or the clock must be spelt out like XADD. Streams'
// groups of readers are not kept, nor times to expire: nothing expires in the
// embedded server by itself.
func useOf(cmd string) use {
	switch cmd {
	case "ECHO":
		return useMark
	case "XADD":
		return useAdd
	case "SET", "APPEND", "SETRANGE", "SETNX", "DEL", "UNLINK", "RENAME", "INCR", "INCRBY",
		"HSET", "HSETNX", "HDEL", "HINCRBY", "SADD", "SREM", "ZADD", "ZREM", "ZINCRBY",
		"ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREMRANGEBYLEX", "XDEL", "XTRIM":
		return useWrite
	case "EVAL", "EVALSHA", "SCRIPT", "PING", "HELLO", "AUTH", "SELECT", "CLIENT", "COMMAND", "INFO", "TIME", "DBSIZE", "MULTI", "EXEC", "DISCARD",
		"GET", "GETRANGE", "MGET", "STRLEN", "EXISTS", "TYPE", "KEYS", "SCAN",
		"HGET", "HMGET", "HGETALL", "HKEYS", "HVALS", "HLEN", "HEXISTS", "HSCAN", "HSTRLEN",
		"SCARD", "SISMEMBER", "SMISMEMBER", "SMEMBERS", "SSCAN", "SRANDMEMBER",
		"ZCARD", "ZCOUNT", "ZLEXCOUNT", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZREVRANGE", "ZREVRANGEBYLEX",
		"ZREVRANGEBYSCORE", "ZRANK", "ZREVRANK", "ZSCORE", "ZMSCORE", "ZSCAN",
		"XLEN", "XRANGE", "XREVRANGE", "XREAD", "XINFO", "XPENDING",
		"PEXPIRE", "XGROUP", "XREADGROUP", "XACK", "XCLAIM", "XAUTOCLAIM":
		return useRead
	}
	return useUnknown
}

// unkept reports whether a key is not journaled: bells are rung again.
func unkept(key string) bool { return strings.HasPrefix(key, "bl:") || strings.HasPrefix(key, "br:") }

// hook sees every command before it is executed, and returns true when it has
// answered the command itself.
func (e *effects) hook(peer *server.Peer, cmd string, args ...string) bool {
	switch u := useOf(cmd); {
	case u == useRead:
		return false
	case u == useUnknown || len(args) == 0:
		peer.WriteError("ERR the journal does not know the command " + cmd + ": add it to backend/effects.go")
		return true
	case u == useMark:
		return e.mark(peer, args[0])
	default:
		return e.write(peer, u == useAdd, cmd, args)
	}
}

// mark begins and ends a record.
func (e *effects) mark(peer *server.Peer, word string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	running := e.inside[0] != nil
	switch {
	case word == markBegin && running && e.inside[1] == nil:
		e.inside[1] = peer.Ctx
	case word == markBegin && (e.refused || e.journal.Failed() != nil):
		peer.WriteError("ERR " + noWrites)
		return true
	case word == markBegin:
		if running { // the one before has come to no end
			e.finish(true)
		}
		e.inside = [2]any{peer.Ctx, nil}
		e.record = append(e.record[:0], 0)
	case running && (word == markEnd || word == markFail):
		e.finish(word == markFail)
	}
	return false
}

// finish puts the record into the journal, if the script has written.
func (e *effects) finish(failed bool) {
	if failed {
		e.record[0] = 1
	}
	if len(e.record) > 1 {
		e.journal.Append(e.record)
	}
	e.inside = [2]any{}
}

// write notes a command of the script that runs. Any other write would be lost.
func (e *effects) write(peer *server.Peer, add bool, cmd string, args []string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if peer.Ctx == nil || (peer.Ctx != e.inside[0] && peer.Ctx != e.inside[1]) {
		peer.WriteError("ERR the command " + cmd + " stands in no script that writes; only those are kept")
		return true
	}
	if add {
		if err := e.nameEvent(args); err != nil {
			peer.WriteError("ERR " + err.Error())
			return true
		}
	}
	if !unkept(args[0]) {
		e.record = binary.AppendUvarint(e.record, uint64(len(args)+1))
		e.record = appendWord(e.record, cmd)
		for _, a := range args {
			e.record = appendWord(e.record, a)
		}
	}
	return false
}

func appendWord(p []byte, word string) []byte {
	p = binary.AppendUvarint(p, uint64(len(word)))
	return append(p, word...)
}

// nameEvent puts the id that an event gets in the place of the asterisk. Ids grow
// over all streams, whatever the clock does.
func (e *effects) nameEvent(args []string) error {
	at := 1
	for at < len(args) {
		switch strings.ToUpper(args[at]) {
		case "NOMKSTREAM":
			at++
		case "MAXLEN", "MINID":
			at += 2
			if at < len(args) && slices.Contains([]string{"~", "="}, args[at-1]) {
				at++
			}
		default:
			id, err := e.nextID(args[at])
			if err != nil {
				return err
			}
			args[at] = id.String()
			return nil
		}
	}
	return errors.New("XADD names no id")
}

// nextID makes an id of "*" or "<ms>-*", or takes the one that is given.
func (e *effects) nextID(asked string) (id streamID, err error) {
	ms, any := strings.CutSuffix(asked, "-*")
	switch {
	case asked == "*":
		id.ms = uint64(max(e.now().UnixMilli(), 1))
	case any:
		id, err = parseStreamID(ms)
	default:
		if id, err = parseStreamID(asked); err == nil && e.newest.less(id) {
			e.newest = id
		}
		return id, err
	}
	if err != nil {
		return id, fmt.Errorf("the id %q: %w", asked, err)
	}
	if !e.newest.less(id) {
		id = streamID{e.newest.ms, e.newest.seq + 1}
	}
	e.newest = id
	return id, nil
}
