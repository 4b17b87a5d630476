package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	maxRuns  = 16 // how often one closure is run at most
	minPause = time.Millisecond
	maxPause = 50 * time.Millisecond
)

// errChanged says that something the closure saw is not so any more.
var errChanged = errors.New("it kept changing")

// Update implements resources.Store.
func (s *Store) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (c resources.Commit, err error) {
	defer s.observe("update", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return resources.Commit{}, err
	}
	pause, busy := minPause, turn{until: started().Add(busyFor)}
	for run := 1; ; run++ {
		u := &unit{s: s, ctx: ctx, keys: k}
		if err := fn(ctx, u); err != nil {
			return resources.Commit{}, err
		}
		c, err := s.commit(ctx, u)
		if errors.Is(err, errBusy) {
			if err := s.await(ctx, &busy); err != nil {
				return resources.Commit{}, err
			}
			run--
			continue
		}
		if !errors.Is(err, errChanged) {
			return c, err
		}
		if run == maxRuns {
			return resources.Commit{}, fmt.Errorf("backend: update: %w: %w", resources.ErrUnavailable, err)
		}
		s.cfg.Reran()
		if err := s.sleep(ctx, pause); err != nil {
			return resources.Commit{}, explain(ctx, "update", err)
		}
		pause = min(2*pause, maxPause)
	}
}

// commit sends what the closure asked for, as one attempt.
func (s *Store) commit(ctx context.Context, u *unit) (resources.Commit, error) {
	stamp, err := s.stamp()
	if err != nil {
		return resources.Commit{}, err
	}
	p, err := planOf(u, stamp, s.cfg.Now().UnixMilli())
	if err != nil {
		return resources.Commit{}, err
	}
	if p.empty() {
		return resources.Commit{}, s.settle(ctx, u.keys)
	}
	if err := s.reserve(ctx, p); err != nil {
		return resources.Commit{}, explain(ctx, "commit", err)
	}
	c, known, err := s.apply(ctx, p)
	if err != nil && p.spread != nil {
		return s.takeBack(ctx, p, known, err)
	}
	return c, err
}

// apply sends a plan. known is false when the outcome is not.
func (s *Store) apply(ctx context.Context, p *plan) (c resources.Commit, known bool, err error) {
	reply, err := s.write(ctx, p.call())
	if err != nil {
		return resources.Commit{}, false, explain(ctx, "commit", err)
	}
	c, err = p.answer(reply)
	if err == nil && !c.Changed {
		err = s.settle(ctx, p.u.keys)
	}
	if err == nil && c.Changed {
		s.acked(p.u.keys.org, c.LSN, p.u.events)
		s.grew(p.created)
		s.noted(p, reply)
		if p.dueNow() {
			s.rang(p.u.keys.org)
		}
	}
	if err != nil {
		err = s.reserved(ctx, p, reply, err)
	}
	return c, true, err
}

// answer reads what commit.lua returned.
func (p *plan) answer(reply any) (resources.Commit, error) {
	list, _ := reply.([]any)
	word := func(i int) string {
		if i >= len(list) {
			return ""
		}
		w, _ := list[i].(string)
		return w
	}
	switch word(0) {
	case "ok":
		return resources.Commit{LSN: word(1), Changed: true}, nil
	case "same":
		return resources.Commit{}, nil
	case "changed", "aborted", "late":
		return resources.Commit{}, errChanged
	case "busy":
		return resources.Commit{}, errBusy
	case "fenced":
		return resources.Commit{}, fmt.Errorf("backend: commit: %w", resources.ErrFenced)
	}
	n, err := strconv.Atoi(word(1))
	if err == nil {
		if r := p.refusal(word(0), n-1, word(2)); r != nil {
			return resources.Commit{}, r
		}
	}
	return resources.Commit{}, fmt.Errorf("backend: commit: the script gave an answer that is not understood: %v", reply)
}

// refusal turns the script's answer about item n of a section into the port's.
func (p *plan) refusal(what string, n int, holder string) *resources.Refusal {
	u := p.u
	switch {
	case n < 0:
	case what == "name" && n < len(p.names):
		return &resources.Refusal{Reason: resources.RefusedName, Index: p.names[n].index, Value: p.names[n].value, Holder: holder}
	case what == "claim" && n < len(u.claims):
		r := &resources.Refusal{Reason: resources.RefusedClaim, Claim: u.claims[n].claim}
		held, _ := parseClaim(holder)
		r.HolderOrg, r.Holder = held.org, held.holder
		return r
	case n < len(u.pools) && poolReason(what) != 0:
		return &resources.Refusal{Reason: poolReason(what), Pool: u.pools[n].name}
	case what == "missing" && n < len(p.missing):
		return &resources.Refusal{Reason: resources.RefusedMissing, Value: p.missing[n].want}
	}
	return nil
}

// poolReason turns the script's word for what a pool refuses into the port's; 0
// for other words.
func poolReason(what string) resources.Reason {
	switch what {
	case "full":
		return resources.RefusedFull
	case "open":
		return resources.RefusedNotFull
	case "few":
		return resources.RefusedFew
	case "many":
		return resources.RefusedMany
	}
	return 0
}
