package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	bellsKept   = 100_000              // messages at most; the oldest are lost, and found without them
	ringPause   = 5 * time.Millisecond // between two rounds of ringing, so that many commits ring once
	ringRest    = time.Second          // after a failure
	ringTime    = 2 * time.Second      // for one round
	ringsAtOnce = 100
)

// Bells implements resources.Queue.
func (s *Store) Bells(ctx context.Context, idle time.Duration, limit int) (bells []resources.Bell, err error) {
	defer s.observe("bells", started(), &err)
	k, err := keysOf(resources.PlatformOrg)
	if err != nil || limit <= 0 {
		return nil, err
	}
	c := newCall(s.scripts.queue.bells, 4)
	c.key(k.bells(), k.rung())
	c.arg(strconv.FormatInt(max(idle.Milliseconds(), 0), 10), strconv.Itoa(min(limit, ringsAtOnce)))
	if s.sharded {
		c.guard()
	}
	// Sent once: what a lost reply has taken comes back after idle.
	reply, err := s.send(ctx, c)
	if err != nil {
		return nil, explain(ctx, "take bells", err)
	}
	words, ok := wordsOf(reply)
	if !ok || len(words)%2 != 0 {
		return nil, fmt.Errorf("backend: bells: the script gave an answer that is not understood: %v", reply)
	}
	for w := words; len(w) > 0; w = w[2:] {
		bells = append(bells, resources.Bell{ID: w[0], Org: resources.OrgID(w[1])})
	}
	return bells, nil
}

// Heard implements resources.Queue.
func (s *Store) Heard(ctx context.Context, bells ...resources.Bell) (err error) {
	defer s.observe("heard", started(), &err)
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(bells, ringsAtOnce) {
		c := newCall(s.scripts.queue.heard, 1+len(chunk))
		c.lax = true
		c.key(k.bells())
		for _, b := range chunk {
			c.arg(b.ID)
		}
		if _, err := s.write(ctx, c); err != nil {
			return explain(ctx, "give bells back", err)
		}
	}
	return nil
}

// Ring implements resources.Queue.
func (s *Store) Ring(ctx context.Context, orgs ...resources.OrgID) (err error) {
	defer s.observe("ring", started(), &err)
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(orgs, ringsAtOnce) {
		c := newCall(s.scripts.queue.ring, 3+len(chunk))
		c.lax = true
		c.key(k.bells(), k.rung())
		c.arg(strconv.Itoa(bellsKept))
		for _, org := range chunk {
			if _, err := keysOf(org); err != nil {
				return err
			}
			c.arg(string(org))
		}
		if _, err := s.write(ctx, c); err != nil {
			return explain(ctx, "ring", err)
		}
	}
	return nil
}

// ringer rings for organizations in the background, so that no commit waits for
// it. What it has not rung for when the process ends is found without a bell.
type ringer struct {
	mu   sync.Mutex
	orgs map[resources.OrgID]bool
	wake chan struct{} // holds one when orgs is not empty
	end  context.CancelFunc
	done chan struct{}
}

// startRinging starts the goroutine that stopRinging ends.
func (s *Store) startRinging(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	s.ringer = &ringer{orgs: map[resources.OrgID]bool{}, wake: make(chan struct{}, 1), end: end, done: make(chan struct{})}
	go s.ringing(ctx)
}

func (s *Store) stopRinging() {
	s.ringer.end()
	<-s.ringer.done
}

// rang notes that an organization has something due now.
func (s *Store) rang(org resources.OrgID) {
	r := s.ringer
	r.mu.Lock()
	r.orgs[org] = true
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (s *Store) ringing(ctx context.Context) {
	r := s.ringer
	defer close(r.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.mu.Lock()
		orgs := make([]resources.OrgID, 0, len(r.orgs))
		for org := range r.orgs {
			orgs = append(orgs, org)
		}
		clear(r.orgs)
		r.mu.Unlock()
		pause := ringPause
		if err := s.ringOnce(ctx, orgs); err != nil && ctx.Err() == nil {
			// Workers look through all organizations as well, so nothing is lost.
			s.cfg.Log.WarnContext(ctx, "workers not called, they will find the work later", "err", err, "organizations", len(orgs))
			pause = ringRest
		}
		rest := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			rest.Stop()
			return
		case <-rest.C:
		}
	}
}

func (s *Store) ringOnce(ctx context.Context, orgs []resources.OrgID) error {
	ctx, cancel := context.WithTimeout(ctx, ringTime)
	defer cancel()
	return s.Ring(ctx, orgs...)
}
