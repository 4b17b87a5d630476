package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

const (
	dueAtMost     = 1000 // items or parked items of one answer
	causeSize     = 500  // bytes of a cause that are kept
	believedLease = 4    // times the asked length: an end further away is not believed
)

// Due implements resources.Queue.
func (s *Store) Due(ctx context.Context, org resources.OrgID, now time.Time, limit int) (items []resources.DueItem, next time.Time, err error) {
	defer s.observe("due", started(), &err)
	k, err := keysOf(org)
	if err != nil || limit <= 0 {
		return nil, next, err
	}
	c := newCall(s.scripts.queue.due, 5)
	c.key(k.due(), k.tries(), k.parked())
	c.arg(micros(now), strconv.Itoa(min(limit, dueAtMost)))
	reply, err := s.run(ctx, s.reads, c)
	if err != nil {
		return nil, next, explain(ctx, "read what is due", err)
	}
	words, ok := wordsOf(reply)
	if !ok || len(words) == 0 || len(words)%4 != 1 {
		return nil, next, fmt.Errorf("backend: due: the script gave an answer that is not understood: %v", reply)
	}
	if words[0] != "" {
		at, err := score(words[0])
		if err != nil {
			return nil, next, err
		}
		next = time.UnixMicro(at)
	}
	items = make([]resources.DueItem, 0, len(words)/4)
	for w := words[1:]; len(w) > 0; w = w[4:] {
		at, err := score(w[1])
		if err != nil {
			return nil, next, err
		}
		tries, err := strconv.Atoi(w[2])
		if err != nil {
			return nil, next, fmt.Errorf("backend: tries of %s: %w", w[0], errDamaged)
		}
		items = append(items, resources.DueItem{Item: w[0], At: at, Tries: tries, Parked: w[3] == "1"})
	}
	return items, next, nil
}

// Next implements resources.Queue.
func (s *Store) Next(ctx context.Context, orgs []resources.OrgID) (next []time.Time, err error) {
	defer s.observe("next", started(), &err)
	next = make([]time.Time, 0, len(orgs))
	for chunk := range slices.Chunk(orgs, chunkSize) {
		pipe := s.reads.Pipeline()
		firsts := make([]*redis.ZSliceCmd, 0, len(chunk))
		for _, org := range chunk {
			k, err := keysOf(org)
			if err != nil {
				return nil, err
			}
			firsts = append(firsts, pipe.ZRangeWithScores(ctx, k.due(), 0, 0))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, explain(ctx, "read what is due next", err)
		}
		for _, first := range firsts {
			var at time.Time
			if list := first.Val(); len(list) > 0 {
				at = time.UnixMicro(int64(list[0].Score))
			}
			next = append(next, at)
		}
	}
	return next, nil
}

// Postpone implements resources.Queue.
func (s *Store) Postpone(ctx context.Context, l resources.Lease, item resources.DueItem, at time.Time) (done bool, err error) {
	defer s.observe("postpone", started(), &err)
	k, err := keysOf(l.Org)
	if err != nil {
		return false, err
	}
	c := newCall(s.scripts.queue.postpone, 8)
	c.key(k.lease(), k.due(), k.tries(), k.backup())
	// The time tells whether the item was asked for anew: it must be another one.
	later := max(at.UnixMicro(), item.At+1)
	c.arg(l.Token, item.Item, strconv.FormatInt(item.At, 10), strconv.FormatInt(later, 10), strconv.Itoa(item.Tries+1))
	return s.moved(ctx, "postpone", c)
}

// Park implements resources.Queue.
func (s *Store) Park(ctx context.Context, l resources.Lease, item resources.DueItem, cause string, now time.Time) (done bool, err error) {
	defer s.observe("park", started(), &err)
	k, err := keysOf(l.Org)
	if err != nil {
		return false, err
	}
	c := newCall(s.scripts.queue.park, 10)
	c.key(k.lease(), k.due(), k.tries(), k.parked(), k.causes(), k.backup())
	cause = strings.ToValidUTF8(cause[:min(len(cause), causeSize)], "")
	c.arg(l.Token, item.Item, strconv.FormatInt(item.At, 10), strconv.FormatInt(now.UnixMilli(), 10), strconv.Itoa(item.Tries+1)+" "+cause)
	return s.moved(ctx, "park", c)
}

// moved sends what moves an item under a lease.
func (s *Store) moved(ctx context.Context, what string, c *call) (bool, error) {
	reply, err := s.write(ctx, c)
	if err != nil {
		return false, explain(ctx, what, err)
	}
	switch reply {
	case "ok":
		return true, nil
	case "anew":
		return false, nil
	case "fenced":
		return false, fmt.Errorf("backend: %s: %w", what, resources.ErrFenced)
	}
	return false, fmt.Errorf("backend: %s: the script gave an answer that is not understood: %v", what, reply)
}

// Parked implements resources.Queue.
func (s *Store) Parked(ctx context.Context, org resources.OrgID, limit int) (items []resources.ParkedItem, err error) {
	defer s.observe("parked", started(), &err)
	k, err := keysOf(org)
	if err != nil || limit <= 0 {
		return nil, err
	}
	c := newCall(s.scripts.queue.parked, 3)
	c.key(k.parked(), k.causes())
	c.arg(strconv.Itoa(min(limit, dueAtMost) - 1))
	reply, err := s.run(ctx, s.reads, c)
	if err != nil {
		return nil, explain(ctx, "read parked items", err)
	}
	words, ok := wordsOf(reply)
	if !ok || len(words)%3 != 0 {
		return nil, fmt.Errorf("backend: parked: the script gave an answer that is not understood: %v", reply)
	}
	for w := words; len(w) > 0; w = w[3:] {
		since, err := score(w[1])
		if err != nil {
			return nil, err
		}
		tries, cause, _ := strings.Cut(w[2], " ")
		n, err := strconv.Atoi(tries)
		if err != nil {
			return nil, fmt.Errorf("backend: cause of %s: %w", w[0], errDamaged)
		}
		items = append(items, resources.ParkedItem{Item: w[0], Since: time.UnixMilli(since).UTC(), Cause: cause, Tries: n})
	}
	return items, nil
}

// Unpark implements resources.Queue.
func (s *Store) Unpark(ctx context.Context, org resources.OrgID, item string, now time.Time) (there bool, err error) {
	defer s.observe("unpark", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return false, err
	}
	attempt, err := s.stamp()
	if err != nil {
		return false, err
	}
	c := newCall(s.scripts.queue.unparked, 8)
	c.key(k.attempts('0'), k.attempts('1'), k.due(), k.parked(), k.causes(), k.backup())
	c.arg(attempt, item, micros(now))
	reply, err := s.write(ctx, c)
	if err != nil {
		return false, explain(ctx, "unpark", err)
	}
	if reply != int64(1) {
		return false, nil
	}
	s.rang(org)
	return true, nil
}

// Lease implements resources.Queue.
func (s *Store) Lease(ctx context.Context, org resources.OrgID, worker string, d time.Duration) (l resources.Lease, ok bool, err error) {
	defer s.observe("lease", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return l, false, err
	}
	if worker == "" || d <= 0 {
		return l, false, errors.New("backend: lease: the name of a worker and a time are needed")
	}
	stamp, err := s.stamp()
	if err != nil {
		return l, false, err
	}
	now := s.cfg.Now()
	end := now.Add(d).UnixMilli()
	if end <= 0 || end > maxNumber {
		return l, false, fmt.Errorf("backend: lease: the end %s cannot be stored", now.Add(d))
	}
	c := newCall(s.scripts.queue.lease, 6)
	c.lax = true
	c.key(k.lease())
	c.arg(worker, stamp, strconv.FormatInt(now.UnixMilli(), 10), appendPadded(nil, uint64(end), expirySize),
		strconv.FormatInt(now.Add(believedLease*d).UnixMilli(), 10))
	reply, err := s.write(ctx, c)
	if err != nil {
		return l, false, explain(ctx, "lease", err)
	}
	token, _ := reply.(string)
	return resources.Lease{Org: org, Worker: worker, Token: token}, token != "", nil
}

// Unlease implements resources.Queue.
func (s *Store) Unlease(ctx context.Context, l resources.Lease) (err error) {
	defer s.observe("unlease", started(), &err)
	k, err := keysOf(l.Org)
	if err != nil {
		return err
	}
	c := newCall(s.scripts.queue.unlease, 2)
	c.lax = true
	c.key(k.lease())
	c.arg(l.Token)
	_, err = s.write(ctx, c)
	return explain(ctx, "unlease", err)
}

func micros(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

// score reads a score as a whole number.
func score(text string) (int64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("backend: score %q: %w", text, errDamaged)
	}
	return int64(f), nil
}

// wordsOf reads an answer that is a list of texts.
func wordsOf(reply any) ([]string, bool) {
	list, ok := reply.([]any)
	words := make([]string, len(list))
	for i, w := range list {
		text, is := w.(string)
		words[i], ok = text, ok && is
	}
	return words, ok
}
