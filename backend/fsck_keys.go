package backend

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// typeOf is the type of value that a key of ours has, by the letters before its
// tag; "" for keys that no usher writes.
func typeOf(key string) string {
	letters, _, ok := strings.Cut(key, ":{")
	if !ok {
		return ""
	}
	if len(letters) == 1 && strings.Contains(kindLetters, letters) {
		return "string"
	}
	if t := otherTypes[letters]; t != "" {
		return t
	}
	if i, ok := indexOf(letters); ok {
		return indexType(i)
	}
	return ""
}

// otherTypes are the types of keys that are neither records nor indexes, see
// the keys in doc.go.
var otherTypes = map[string]string{
	"gm": "zset", "ug": "string", "gv": "hash", "mk": "hash", "gd": "hash", "ev": "stream", "sp": "set", "ln": "zset", "pl": "set",
	"cl": "hash", "xp": "zset", "tl": "zset", "tr": "zset", "du": "zset", "dt": "hash", "dp": "zset", "dc": "hash",
	"lz": "string", "bl": "stream", "br": "hash", "at": "hash", "vt": "string",
	"in": "hash", "ab": "hash", "bk": "hash", "rs": "string", "er": "string", "nx": "none", "em": "string", "nu": "string", "su": "string", "sd": "string",
}

// claimLetters begin claims, by resources.ClaimKind.
var claimLetters = []string{"em", "nu", "su", "sd"}

// derivedLetters begin keys that hold nothing but what records say.
var derivedLetters = []string{"ug", "gd", "pl", "xp", "tl", "dt", "dc"}

// derived tells whether a key of a wrong type may be removed. The pools that no
// record vouches for are kept by their callers.
func derived(key string) bool {
	letters, _, ok := strings.Cut(key, ":{")
	_, index := indexOf(letters)
	return ok && (index || slices.Contains(derivedLetters, letters))
}

func indexOf(letters string) (resources.Index, bool) {
	for _, i := range resources.Indexes() {
		if i.Code() == letters {
			return i, true
		}
	}
	return resources.NoIndex, false
}

func indexType(i resources.Index) string {
	switch i.Shape() {
	case resources.Unique, resources.Equal:
		return "hash"
	}
	return "zset"
}

// single are the keys that an organization has once.
func (c *check) single() []string {
	k := c.k
	list := []string{
		k.links(), k.changing(), k.groupNames(), k.events(), k.places(), k.claims(), k.expiry(), k.trashList(),
		k.due(), k.tries(), k.parked(), k.causes(), k.lease(), k.attempts('0'), k.attempts('1'),
	}
	for _, i := range resources.Indexes() {
		list = append(list, k.index(i))
	}
	return list
}

// types looks for keys that something else has written, so that the commands
// that follow find what they expect.
func (c *check) types(ctx context.Context) error {
	list := c.single()
	cmds := make([]*redis.StatusCmd, len(list))
	pipe := c.client.Pipeline()
	for i, key := range list {
		cmds[i] = pipe.Type(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return explain(ctx, "look at keys", err)
	}
	for i, key := range list {
		is, want := cmds[i].Val(), typeOf(key)
		if is == "none" || is == want {
			continue
		}
		if err := c.wrong(ctx, key, is, want); err != nil {
			return err
		}
		if c.cfg.Repair && derived(key) {
			delete(c.broken, key) // gone: it is built anew at once
		}
	}
	return nil
}

// whole tells whether a key can be read as what it is.
func (c *check) whole(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broken[key]
}

// scan walks all of a hash, a set or a sorted set: fn gets field and value,
// member and "", or member and score. What is there all the time is met at least
// once.
func (c *check) scan(ctx context.Context, cmd, key string, fn func(field, value string) error) error {
	if !c.whole(key) {
		return nil
	}
	step := 2
	if cmd == "SSCAN" {
		step = 1
	}
	for cursor := "0"; ; {
		since := started()
		reply, err := c.client.Do(ctx, cmd, key, cursor, "COUNT", chunkSize).Slice()
		if wrongType(err) {
			return c.anotherType(ctx, key)
		}
		if err != nil {
			return explain(ctx, "walk", err)
		}
		if len(reply) != 2 {
			return explain(ctx, "walk", errDamaged)
		}
		cursor, _ = reply[0].(string)
		words, ok := wordsOf(reply[1])
		if !ok || len(words)%step != 0 {
			return explain(ctx, "walk", errDamaged)
		}
		for w := words; len(w) > 0; w = w[step:] {
			value := ""
			if step == 2 {
				value = w[1]
			}
			if err := fn(w[0], value); err != nil {
				return err
			}
		}
		if cursor == "0" {
			return nil
		}
		if err := c.breathe(ctx, since); err != nil {
			return err
		}
	}
}

// scanIndex walks all entries of an index.
func (c *check) scanIndex(ctx context.Context, i resources.Index, fn func(field, value string) error) error {
	cmd := "ZSCAN"
	if indexType(i) == "hash" {
		cmd = "HSCAN"
	}
	return c.scan(ctx, cmd, c.k.index(i), fn)
}

// pieces cuts a walk into chunks.
func pieces[T any](size int, do func([]T) error) (add func(T) error, end func() error) {
	list := make([]T, 0, size)
	end = func() error {
		if len(list) == 0 {
			return nil
		}
		part := list
		list = make([]T, 0, size)
		return do(part)
	}
	add = func(x T) error {
		if list = append(list, x); len(list) < size {
			return nil
		}
		return end()
	}
	return add, end
}
