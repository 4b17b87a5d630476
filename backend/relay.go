package backend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	relayKept   = 4096                 // tasks that wait at most; more are found in their organizations' notes
	relayAtOnce = 8                    // steps at the same time
	relayRest   = time.Second          // after a failure
	relayEnd    = time.Second          // for what is left when the store is closed
	relayPause  = 2 * time.Millisecond // between two rounds, so that many commits share the taking off of notes
)

// note is what a commit noted about a claim: that it is to be confirmed, "c", or
// given back, "r".
type note struct {
	org        resources.OrgID
	name, text string
}

// unresolved is a reservation whose commit has no known outcome.
type unresolved struct {
	claim resources.Claim
	v     claimValue
}

// relay does what commits noted about claims, in the background, so that no commit
// waits for it. What it has not done when the process ends stands in the notes,
// and Sweep does it.
type relay struct {
	mu    sync.Mutex
	notes []note
	open  []unresolved
	orgs  map[resources.OrgID]bool // whose notes are to be looked through
	wake  chan struct{}            // holds one when there is something to do
	end   chan struct{}
	done  chan struct{}
}

// startRelaying starts the goroutine that stopRelaying ends.
func (s *Store) startRelaying(ctx context.Context) {
	s.relay = &relay{orgs: map[resources.OrgID]bool{}, wake: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{})}
	go s.relaying(ctx)
}

func (s *Store) stopRelaying() {
	if s.relay != nil {
		close(s.relay.end)
		<-s.relay.done
	}
}

func (s *Store) relayNote(org resources.OrgID, name, text string) {
	s.relay.add(func(r *relay) {
		if len(r.notes) < relayKept {
			r.notes = append(r.notes, note{org, name, text})
		} else {
			r.orgs[org] = true
		}
	})
}

// relayAll has all notes of an organization looked through.
func (s *Store) relayAll(org resources.OrgID) {
	s.relay.add(func(r *relay) { r.orgs[org] = true })
}

// resolveLater leaves a reservation to the relay. When there is too much of it,
// whoever meets the claim resolves it.
func (s *Store) resolveLater(c resources.Claim, v claimValue) {
	s.relay.add(func(r *relay) {
		if len(r.open) < relayKept {
			r.open = append(r.open, unresolved{c, v})
		}
	})
}

func (r *relay) add(fn func(*relay)) {
	r.mu.Lock()
	fn(r)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take empties the lists.
func (r *relay) take() (notes []note, open []unresolved, orgs []resources.OrgID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	notes, open = r.notes, r.open
	for org := range r.orgs {
		orgs = append(orgs, org)
	}
	r.notes, r.open = nil, nil
	clear(r.orgs)
	return notes, open, orgs
}

func (s *Store) relaying(ctx context.Context) {
	r := s.relay
	defer close(r.done)
	failing := false
	for {
		select {
		case <-r.end:
			ctx, cancel := context.WithTimeout(ctx, relayEnd)
			defer cancel()
			if err := s.relayOnce(ctx); err != nil {
				s.cfg.Log.WarnContext(ctx, "what is left to do about claims is done by sweeping", "err", err)
			}
			return
		case <-r.wake:
		}
		pause := relayPause
		err := s.relayUntil(ctx, r.end)
		if err != nil {
			pause = relayRest
			if !failing {
				s.cfg.Log.WarnContext(ctx, "claims are not confirmed or given back yet, this is tried on", "err", err)
			}
		}
		failing = err != nil
		rest := time.NewTimer(pause)
		select {
		case <-r.end:
		case <-rest.C:
		}
		rest.Stop()
	}
}

// relayUntil is one round that does not keep a store from being closed for long.
func (s *Store) relayUntil(ctx context.Context, end <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ended:
			return
		case <-end:
		}
		t := time.NewTimer(relayEnd)
		defer t.Stop()
		select {
		case <-ended:
		case <-t.C:
			cancel()
		}
	})
	err := s.relayOnce(ctx)
	close(ended)
	wg.Wait()
	return err
}

// relayOnce does all that is to be done now.
func (s *Store) relayOnce(ctx context.Context) error {
	notes, open, orgs := s.relay.take()
	err := s.relayNotes(ctx, notes)
	for _, org := range orgs {
		k, e := keysOf(org)
		for n := 1; n > 0 && e == nil; {
			n, e = s.replay(ctx, k, chunkSize)
		}
		if e != nil {
			s.relayAll(org)
			err = errors.Join(err, e)
		}
	}
	for _, o := range open {
		if _, e := s.resolve(ctx, o.claim, o.v); e != nil {
			s.resolveLater(o.claim, o.v)
			err = errors.Join(err, e)
		}
	}
	return err
}

// relayNotes acts on notes and takes off those that are done with.
func (s *Store) relayNotes(ctx context.Context, notes []note) error {
	errs := make([]error, len(notes))
	places := make(chan struct{}, relayAtOnce)
	var wg sync.WaitGroup
	for i, n := range notes {
		places <- struct{}{}
		wg.Go(func() {
			errs[i] = s.actOn(ctx, n)
			<-places
		})
	}
	wg.Wait()
	done := map[resources.OrgID][]string{}
	for i, n := range notes {
		if errs[i] == nil {
			done[n.org] = append(done[n.org], n.name)
		} else if s.relay != nil {
			s.relayAll(n.org)
		}
	}
	for org, names := range done {
		err := s.takeOff(ctx, org, names)
		if err != nil && s.relay != nil {
			s.relayAll(org)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// actOn confirms or gives back one claim.
func (s *Store) actOn(ctx context.Context, n note) error {
	c, attempt, ok := parseNote(n.name)
	if !ok {
		return errDamaged
	}
	step := claimStep{op: opRelease, org: n.org, attempts: attempt + n.text}
	if n.name[0] == 'c' {
		holder, earlier, _ := strings.Cut(n.text, "|")
		step = claimStep{op: opConfirm, org: n.org, value: holder + "|" + attempt, attempts: attempt + earlier}
	}
	_, err := s.ask(ctx, c, step)
	return err
}

// parseNote splits the name of a note: "c|<kind>|<key>|<attempt>".
func parseNote(name string) (c resources.Claim, attempt string, ok bool) {
	at := len(name) - stampSize
	if at < 3 || name[at-1] != '|' || (name[:2] != "c|" && name[:2] != "r|") {
		return resources.Claim{}, "", false
	}
	kind, key, ok := strings.Cut(name[2:at-1], "|")
	return resources.Claim{Kind: resources.ClaimKind(kind), Key: key}, name[at:], ok
}

func (s *Store) takeOff(ctx context.Context, org resources.OrgID, names []string) error {
	k, err := keysOf(org)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(names, chunkSize) {
		c := newCall(s.scripts.claim.done, 1+len(chunk))
		c.key(k.notes())
		for _, name := range chunk {
			c.arg(name)
		}
		if _, err := s.write(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// replay acts on up to about limit notes of an organization and returns on how
// many.
func (s *Store) replay(ctx context.Context, k keys, limit int) (int, error) {
	pairs, err := s.somePairs(ctx, k.notes(), limit)
	if err != nil {
		return 0, err
	}
	notes := make([]note, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		notes = append(notes, note{k.org, pairs[i], pairs[i+1]})
	}
	return len(notes), s.relayNotes(ctx, notes)
}

// somePairs returns some fields of a hash with their values, nothing only when it
// has none.
func (s *Store) somePairs(ctx context.Context, key string, limit int) (pairs []string, err error) {
	for cursor := uint64(0); ; {
		pairs, cursor, err = s.reads.HScan(ctx, key, cursor, "", int64(limit)).Result()
		if err != nil || len(pairs) > 0 || cursor == 0 {
			return pairs, err
		}
	}
}

// sweepClaims acts on notes that nobody has acted on, and forgets tombstones. Only
// full pieces count: there may be more then.
func (s *Store) sweepClaims(ctx context.Context, k keys, limit int) (int, error) {
	n, err := s.replay(ctx, k, limit)
	if err == nil && n == 0 {
		n, err = s.sweepTombstones(ctx, k, limit)
	}
	if n < limit {
		n = 0
	}
	return n, explain(ctx, "sweep", err)
}

func (s *Store) sweepTombstones(ctx context.Context, k keys, limit int) (int, error) {
	pairs, err := s.somePairs(ctx, k.tombstones(), limit)
	if err != nil || len(pairs) == 0 {
		return 0, err
	}
	c := newCall(s.scripts.claim.swept, 1+len(pairs)/2)
	c.key(k.tombstones())
	for i := 0; i < len(pairs); i += 2 {
		c.arg(pairs[i])
	}
	reply, err := s.write(ctx, c)
	n, _ := reply.(int64)
	return int(n), err
}
