package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// poolWork is what is asked of one pool, but for who takes a place.
type poolWork struct {
	name  string
	most  int // at most so many holders before the commit; -1: any number
	least int // at least so many after it, if it removes one
	gives []string
}

// lineWork is who leaves one line.
type lineWork struct {
	name  string
	quits []string
}

// taking is one Take, waiting one Wait. Pools and lines are places in the
// unit's lists of them, counted from 1; line 0 is none.
type taking struct {
	pool, line int
	holder     string
	limit      int
}

type waiting struct {
	line   int
	holder string
	at     int64
	pools  []bounded
}

type bounded struct{ pool, limit int }

// maxPlaces bounds takes, gives, waits and quits of one commit together, as
// maxLinks does links: about 2 ms of script.
const maxPlaces = 500

// longestName and longestHolder bound names of pools and lines, and holders, in
// bytes.
const (
	longestName   = 80
	longestHolder = 64
)

// badName tells whether text cannot name a pool or a line.
func badName(text string) bool {
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '/', c == '.', c == '_', c == '-':
		default:
			return true
		}
	}
	return text == "" || len(text) > longestName
}

// pool finds or adds a pool and gives its place. Holder is who it is about.
func (u *unit) pool(name, holder string) int {
	if holder == "" || len(holder) > longestHolder {
		u.fail("pool %q: the holder %q must have 1 to %d bytes", name, holder, longestHolder)
	}
	return u.poolNamed(name)
}

func (u *unit) poolNamed(name string) int {
	for i, p := range u.pools {
		if p.name == name {
			return i + 1
		}
	}
	if badName(name) {
		u.fail("pool %q: a name of 1 to %d letters, digits and . _ - / is needed", name, longestName)
	}
	u.pools = append(u.pools, &poolWork{name: name, most: -1})
	return len(u.pools)
}

// line finds or adds a line and gives its place.
func (u *unit) line(name, holder string) int {
	if holder == "" || len(holder) > longestHolder {
		u.fail("line %q: the holder %q must have 1 to %d bytes", name, holder, longestHolder)
	}
	for i, l := range u.lines {
		if l.name == name {
			return i + 1
		}
	}
	if badName(name) {
		u.fail("line %q: a name of 1 to %d letters, digits and . _ - / is needed", name, longestName)
	}
	u.lines = append(u.lines, &lineWork{name: name})
	return len(u.lines)
}

// forget drops earlier words about a holder and a pool: the last one counts.
func (u *unit) forget(pool int, holder string) {
	p := u.pools[pool-1]
	p.gives = slices.DeleteFunc(p.gives, func(h string) bool { return h == holder })
	u.takes = slices.DeleteFunc(u.takes, func(t taking) bool { return t.pool == pool && t.holder == holder })
}

// forgetPlace does so for a holder and a line.
func (u *unit) forgetPlace(line int, holder string) {
	l := u.lines[line-1]
	l.quits = slices.DeleteFunc(l.quits, func(h string) bool { return h == holder })
	u.waits = slices.DeleteFunc(u.waits, func(w waiting) bool { return w.line == line && w.holder == holder })
}

// Take notes a holder to add to a pool.
func (u *unit) Take(pool resources.Pool, holder string) {
	t := taking{pool: u.pool(pool.Name, holder), holder: holder, limit: pool.Limit}
	if pool.Line != "" {
		t.line = u.line(pool.Line, holder)
		u.forgetPlace(t.line, holder)
	}
	u.forget(t.pool, holder)
	u.takes = append(u.takes, t)
}

// Give notes a holder to remove from a pool.
func (u *unit) Give(pool, holder string) {
	i := u.pool(pool, holder)
	u.forget(i, holder)
	u.pools[i-1].gives = append(u.pools[i-1].gives, holder)
}

// Wait notes a holder to put into a line.
func (u *unit) Wait(line, holder string, at int64, pools ...resources.Pool) {
	w := waiting{line: u.line(line, holder), holder: holder, at: at}
	if at < 0 || at >= 1<<53 {
		u.fail("Wait in the line %q since %d: milliseconds since 1970 are needed", line, at)
	}
	for _, p := range pools {
		if p.Line != line {
			u.fail("Wait in the line %q for the pool %q, which has the line %q", line, p.Name, p.Line)
		}
		w.pools = append(w.pools, bounded{u.pool(p.Name, holder), p.Limit})
	}
	u.forgetPlace(w.line, holder)
	u.waits = append(u.waits, w)
}

// Quit notes a holder to take out of a line.
func (u *unit) Quit(line, holder string) {
	i := u.line(line, holder)
	u.forgetPlace(i, holder)
	u.lines[i-1].quits = append(u.lines[i-1].quits, holder)
}

// Least notes how many holders the commit must leave.
func (u *unit) Least(pool string, n int) {
	p := u.pools[u.poolNamed(pool)-1]
	p.least = max(p.least, n)
}

// Most notes how many holders the commit may find.
func (u *unit) Most(pool string, n int) {
	if n < 0 {
		u.fail("Most of the pool %q: %d holders cannot be", pool, n)
	}
	if p := u.pools[u.poolNamed(pool)-1]; p.most < 0 || n < p.most {
		p.most = n
	}
}

// Holds asks the store at once.
func (u *unit) Holds(pool string, holders ...string) ([]bool, error) {
	if badName(pool) {
		return nil, fmt.Errorf("backend: Holds: %q does not name a pool", pool)
	}
	if len(holders) == 0 {
		return nil, nil
	}
	args := make([]any, len(holders))
	for i, h := range holders {
		args[i] = h
	}
	in, err := u.s.reads.SMIsMember(u.ctx, u.keys.pool(pool), args...).Result()
	return in, explain(u.ctx, "read pool", err)
}

// moves reports whether anybody enters or leaves a pool or a line.
func (u *unit) moves() bool {
	return len(u.takes)+len(u.waits) > 0 ||
		slices.ContainsFunc(u.pools, func(p *poolWork) bool { return len(p.gives) > 0 }) ||
		slices.ContainsFunc(u.lines, func(l *lineWork) bool { return len(l.quits) > 0 })
}

// places checks what only the whole unit shows: nobody waits in the line of a
// place that the commit takes, and the commit is not too long.
func (p *plan) places() error {
	u := p.u
	total := len(u.takes) + len(u.waits)
	for _, x := range u.pools {
		total += len(x.gives)
	}
	for _, l := range u.lines {
		total += len(l.quits)
	}
	if total > maxPlaces {
		return fmt.Errorf("backend: one unit of work changes %d places in pools and lines; at most %d are possible, do it in several", total, maxPlaces)
	}
	for _, w := range u.waits {
		for _, t := range u.takes {
			if t.line == w.line && t.holder == w.holder {
				return fmt.Errorf("backend: one unit of work makes %q wait in the line %q and take a place from it", w.holder, u.lines[w.line-1].name)
			}
		}
	}
	return nil
}

// placeChecks writes sections 2e to 2h.
func (p *plan) placeChecks(w *wire) {
	u := p.u
	if len(u.pools)+len(u.lines) == 0 {
		w.count(0)
		return
	}
	w.count(1)
	w.count(len(u.pools))
	for _, x := range u.pools {
		w.key(u.keys.pool(x.name))
		w.count(x.most)
		w.count(x.least)
		w.count(len(x.gives))
		for _, h := range x.gives {
			w.add(h)
		}
	}
	w.count(len(u.lines))
	for _, l := range u.lines {
		w.key(u.keys.line(l.name))
		w.count(len(l.quits))
		for _, h := range l.quits {
			w.add(h)
		}
	}
	w.count(len(u.takes))
	for _, t := range u.takes {
		w.count(t.pool)
		w.count(t.line)
		w.add(t.holder)
		w.count(t.limit)
	}
	w.count(len(u.waits))
	for _, x := range u.waits {
		w.count(x.line)
		w.add(x.holder, strconv.FormatInt(x.at, 10))
		w.count(len(x.pools))
		for _, b := range x.pools {
			w.count(b.pool)
			w.count(b.limit)
		}
	}
}

// Counts implements resources.Store.
func (s *Store) Counts(ctx context.Context, org resources.OrgID, pools, lines []string) (held, waiting []int, err error) {
	defer s.observe("counts", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, nil, err
	}
	if bad := slices.IndexFunc(pools, badName); bad >= 0 {
		return nil, nil, fmt.Errorf("backend: Counts: %q does not name a pool", pools[bad])
	}
	if bad := slices.IndexFunc(lines, badName); bad >= 0 {
		return nil, nil, fmt.Errorf("backend: Counts: %q does not name a line", lines[bad])
	}
	held, err = s.counts(ctx, pools, func(pipe redis.Pipeliner, name string) *redis.IntCmd { return pipe.SCard(ctx, k.pool(name)) })
	if err != nil {
		return nil, nil, err
	}
	waiting, err = s.counts(ctx, lines, func(pipe redis.Pipeliner, name string) *redis.IntCmd { return pipe.ZCard(ctx, k.line(name)) })
	if err != nil {
		return nil, nil, err
	}
	return held, waiting, nil
}

func (s *Store) counts(ctx context.Context, names []string, ask func(redis.Pipeliner, string) *redis.IntCmd) ([]int, error) {
	out := make([]int, 0, len(names))
	for chunk := range slices.Chunk(names, chunkSize) {
		pipe := s.reads.Pipeline()
		answers := make([]*redis.IntCmd, len(chunk))
		for i, name := range chunk {
			answers[i] = ask(pipe, name)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, explain(ctx, "count", err)
		}
		for _, a := range answers {
			out = append(out, int(a.Val()))
		}
	}
	return out, nil
}

// Waiting implements resources.Store.
func (s *Store) Waiting(ctx context.Context, org resources.OrgID, line string, limit int) (list []resources.Waiter, err error) {
	defer s.observe("waiting", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	if badName(line) {
		return nil, fmt.Errorf("backend: Waiting: %q does not name a line", line)
	}
	if limit <= 0 {
		return nil, nil
	}
	found, err := s.reads.ZRangeWithScores(ctx, k.line(line), 0, int64(limit-1)).Result()
	if err != nil {
		return nil, explain(ctx, "read line", err)
	}
	list = make([]resources.Waiter, len(found))
	for i, z := range found {
		list[i].Holder, _ = z.Member.(string)
		list[i].At = int64(z.Score)
	}
	return list, nil
}
