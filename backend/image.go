package backend

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// imagePart is about how many bytes of a key stand in one command of a snapshot.
const imagePart = 64 << 10

// noteNewest is a word that is no command: the newest id given to an event follows.
const noteNewest = ""

// imageOf spells out everything the embedded server holds as records of a journal.
// Nothing may write meanwhile.
func imageOf(m *miniredis.Miniredis, newest streamID) (records [][]byte, err error) {
	i := &image{m: m}
	i.begin(noteNewest)
	i.word(newest.String())
	i.end()
	for _, key := range m.Keys() {
		if unkept(key) {
			continue
		}
		if err := i.key(key); err != nil {
			return nil, fmt.Errorf("backend: copy of %q: %w", key, err)
		}
	}
	return i.records, nil
}

// image is a copy that is being made.
type image struct {
	m       *miniredis.Miniredis
	records [][]byte
	words   int
	body    []byte
}

func (i *image) begin(words ...string) {
	i.words, i.body = 0, make([]byte, 0, 64)
	for _, w := range words {
		i.word(w)
	}
}

func (i *image) word(w string) {
	i.words++
	i.body = appendWord(i.body, w)
}

func (i *image) end() {
	record := make([]byte, 1, 4+len(i.body))
	record = binary.AppendUvarint(record, uint64(i.words))
	i.records = append(i.records, append(record, i.body...))
}

// list writes what a key holds in commands of a bounded size.
func (i *image) list(cmd, key string, n int, put func(at int)) {
	i.begin(cmd, key)
	for at := range n {
		put(at)
		if len(i.body) >= imagePart && at < n-1 {
			i.end()
			i.begin(cmd, key)
		}
	}
	i.end()
}

func (i *image) key(key string) error {
	switch kind := i.m.Type(key); kind {
	case "string":
		v, err := i.m.Get(key)
		i.begin("SET", key, v)
		i.end()
		return err
	case "hash":
		fields, err := i.m.HKeys(key)
		i.list("HSET", key, len(fields), func(at int) {
			i.word(fields[at])
			i.word(i.m.HGet(key, fields[at]))
		})
		return err
	case "set":
		list, err := i.m.SMembers(key)
		i.list("SADD", key, len(list), func(at int) { i.word(list[at]) })
		return err
	case "zset":
		set, err := i.m.SortedSet(key)
		list := make([]string, 0, len(set))
		for member := range set {
			list = append(list, member)
		}
		i.list("ZADD", key, len(list), func(at int) {
			i.word(strconv.FormatFloat(set[list[at]], 'f', -1, 64))
			i.word(list[at])
		})
		return err
	case "stream":
		entries, err := i.m.Stream(key)
		for _, e := range entries {
			i.begin("XADD", key, e.ID)
			for _, v := range e.Values {
				i.word(v)
			}
			i.end()
		}
		return err
	default:
		return fmt.Errorf("the journal does not keep the type %q", kind)
	}
}

// loader executes records on an embedded server.
type loader struct {
	m       *miniredis.Miniredis
	effects *effects
	peer    *server.Peer
	answer  verdict
	words   []string
}

// verdict looks at the first byte of each answer: a minus means an error.
type verdict struct{ text []byte }

// Write keeps the beginning of an answer.
func (a *verdict) Write(p []byte) (int, error) {
	a.text = append(a.text, p[:min(len(p), 200-min(len(a.text), 200))]...)
	return len(p), nil
}

func newLoader(m *miniredis.Miniredis, e *effects) (*loader, error) {
	conn, err := m.Dial() // starts the server
	if err != nil {
		return nil, err
	}
	l := &loader{m: m, effects: e}
	l.peer = server.NewPeer(bufio.NewWriter(&l.answer))
	return l, conn.Close()
}

var errNoRecord = errors.New("it is no list of commands")

// record executes what a script did, or a part of a snapshot.
func (l *loader) record(record []byte) error {
	if len(record) == 0 {
		return errNoRecord
	}
	failed, rest := record[0] == 1, record[1:]
	for len(rest) > 0 {
		var err error
		if rest, err = l.next(rest); err != nil {
			return err
		}
		l.answer.text = l.answer.text[:0]
		if err := l.execute(); err != nil {
			return err
		}
		if a := l.answer.text; len(a) > 0 && a[0] == '-' && (!failed || len(rest) > 0) {
			return fmt.Errorf("the command %s on %q: %s", l.words[0], l.words[1], a[1:])
		}
	}
	return nil
}

// next takes a command off a record.
func (l *loader) next(rest []byte) ([]byte, error) {
	count, w := binary.Uvarint(rest)
	if w <= 0 || count < 2 || count > uint64(len(rest)) {
		return nil, errNoRecord
	}
	rest = rest[w:]
	// The server keeps words, so each record's are its own.
	l.words = make([]string, 0, count)
	for range count {
		size, w := binary.Uvarint(rest)
		if w <= 0 || size > uint64(len(rest)-w) {
			return nil, errNoRecord
		}
		l.words = append(l.words, string(rest[w:w+int(size)]))
		rest = rest[w+int(size):]
	}
	return rest, nil
}

func (l *loader) execute() error {
	switch cmd := l.words[0]; {
	case cmd == noteNewest:
		id, err := parseStreamID(l.words[1])
		l.effects.newest = id
		return err
	case useOf(cmd) == useAdd:
		if err := l.effects.nameEvent(l.words[1:]); err != nil {
			return err
		}
	case useOf(cmd) != useWrite:
		return fmt.Errorf("the command %q is not one of the journal's", cmd)
	}
	l.m.Server().Dispatch(l.peer, l.words)
	l.peer.Flush()
	return nil
}
