package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// spreadPlan is what a commit does about claims in slots of their own.
type spreadPlan struct {
	takes    []claiming  // as unit.claims
	frees    []claimTake // those of unit.frees that the commit does not take again
	deadline int64       // milliseconds of the server's clock; 0 when nothing is reserved
}

// spreadOf begins an attempt.
func spreadOf(u *unit, stamp string) *spreadPlan {
	sp := &spreadPlan{takes: make([]claiming, len(u.claims))}
	for i, c := range u.claims {
		t := &sp.takes[i]
		t.org, t.holder, t.attempt = u.keys.org, c.holder, stamp
		for _, f := range u.frees {
			if f.claim == c.claim {
				t.freed += f.holder + "|"
			}
		}
	}
	for _, f := range u.frees {
		if !slices.Contains(u.claims, f) {
			sp.frees = append(sp.frees, f)
		}
	}
	return sp
}

// reserve takes the claims of a plan for its attempt, as far as that goes without
// the commit. A claim that somebody else holds is left to the commit to refuse:
// only there it is known whether what the closure read still is so.
func (s *Store) reserve(ctx context.Context, p *plan) error {
	u := p.u
	if !s.spread || len(u.claims)+len(u.frees) == 0 {
		return nil
	}
	sp := spreadOf(u, p.stamp)
	p.spread = sp
	order := make([]int, len(u.claims))
	for i := range order {
		order[i] = i
	}
	// In one order over all commits, or two of them could keep each other waiting.
	slices.SortFunc(order, func(a, b int) int {
		return strings.Compare(claimField(u.claims[a].claim), claimField(u.claims[b].claim))
	})
	deadline := started().UnixMilli() + s.skew.Load() + claimDeadline.Milliseconds()
	for _, i := range order {
		t := &sp.takes[i]
		if err := s.takeClaim(ctx, u.claims[i].claim, t); err != nil {
			// This reservation may have been made, too: its answer was not heard.
			s.resolveLater(u.claims[i].claim, t.own())
			s.leaveOpen(p)
			if errors.Is(err, resources.ErrOutcomeUnknown) { // of the reservation; nothing is committed without it
				err = fmt.Errorf("backend: reserve a claim: %w: %s", resources.ErrUnavailable, err.Error())
			}
			return err
		}
		if t.outcome == claimReserved {
			sp.deadline = deadline
		}
		if t.outcome == claimHeld {
			break
		}
	}
	return nil
}

func (s *Store) takeClaim(ctx context.Context, c resources.Claim, t *claiming) error {
	for {
		step, more := t.next()
		if !more {
			return nil
		}
		answer, err := s.ask(ctx, c, step)
		if err == nil {
			err = t.got(answer)
		}
		if err != nil {
			return err
		}
	}
}

// own is what a reservation of the attempt says.
func (t *claiming) own() claimValue {
	return claimValue{org: t.org, holder: t.holder, attempt: t.attempt}
}

// spreadSection writes section 2d'.
func (p *plan) spreadSection(w *wire) {
	sp := p.spread
	if sp == nil {
		w.count(0)
		return
	}
	k := p.u.keys
	w.key(k.claims(), k.notes(), k.tombstones())
	w.add("1", strconv.FormatInt(sp.deadline, 10))
	w.count(len(sp.takes))
	for i, t := range sp.takes {
		what, holder := "skip", ""
		switch t.outcome {
		case claimReserved, claimMoved:
			what, holder = "take", t.holder
		case claimKept:
			what = "keep"
		case claimHeld:
			what = "held"
		}
		w.add(what, claimField(p.u.claims[i].claim), t.seen, holder)
	}
	w.count(len(sp.frees))
	for _, f := range sp.frees {
		w.add(claimField(f.claim), f.holder+"|")
	}
}

// noted hands over what a commit noted about claims.
func (s *Store) noted(p *plan, reply any) {
	if p.spread == nil {
		return
	}
	notes, _ := reply.([]any)
	if len(notes) < 4 {
		s.relayAll(p.u.keys.org) // the answer to a repeated sending does not have them
		return
	}
	for i := 2; i+1 < len(notes); i += 2 {
		name, _ := notes[i].(string)
		text, _ := notes[i+1].(string)
		s.relayNote(p.u.keys.org, name, text)
	}
}

// reserved looks at a commit that was refused for what has to do with how claims
// are taken, and returns the error that remains.
func (s *Store) reserved(ctx context.Context, p *plan, reply any, err error) error {
	list, _ := reply.([]any)
	word := func(i int) string {
		if i >= len(list) {
			return ""
		}
		text, _ := list[i].(string)
		return text
	}
	if word(0) == "late" {
		if ms, err := strconv.ParseInt(word(1), 10, 64); err == nil {
			s.skew.Store(ms - started().UnixMilli())
		}
	}
	var refusal *resources.Refusal
	if p.spread != nil || !errors.As(err, &refusal) || refusal.Reason != resources.RefusedClaim {
		return err
	}
	// A single server meets what the protocol has begun, here or on a cluster.
	met, ok := parseClaim(word(2))
	if !ok {
		return err
	}
	if !met.confirmed {
		if err := s.sleep(ctx, claimPause<<claimLooks); err != nil {
			return explain(ctx, "commit", err)
		}
		if _, err := s.resolve(ctx, refusal.Claim, met); err != nil {
			return explain(ctx, "commit", err)
		}
		return errChanged
	}
	return err
}

// resolve ends what an attempt has begun and returns what its organization's list
// says then.
func (s *Store) resolve(ctx context.Context, c resources.Claim, v claimValue) (held string, err error) {
	r := resolving{v: v}
	for {
		step, more := r.next()
		if !more {
			return r.held, nil
		}
		answer, err := s.ask(ctx, c, step)
		if err != nil {
			return "", err
		}
		r.got(answer)
	}
}

// endBroken ends what a crash has left of a claim that says v, and tells whether
// it may be free now: it was only reserved, or with claims in slots of their own
// no list speaks of it. Who has reserved it a moment ago gets the time to commit.
func (s *Store) endBroken(ctx context.Context, c resources.Claim, v string) (bool, error) {
	met, ok := parseClaim(v)
	if !ok || met.confirmed && !s.spread {
		return false, nil
	}
	held, err := s.ask(ctx, c, claimStep{op: opLook, org: met.org})
	if err != nil || held != "" {
		return false, err
	}
	if err := s.sleep(ctx, claimPause<<claimLooks); err != nil {
		return false, err
	}
	held, err = s.resolve(ctx, c, met)
	return held == "", err
}

// takeBack gives up what a commit that failed has reserved. A copy of the commit
// may still be on its way, so that it is fenced off first; if that finds that it
// has been executed meanwhile, the commit has not failed.
func (s *Store) takeBack(ctx context.Context, p *plan, known bool, failed error) (resources.Commit, error) {
	if !known {
		s.leaveOpen(p)
		return resources.Commit{}, failed
	}
	refuses := slices.ContainsFunc(p.spread.takes, func(t claiming) bool { return t.outcome == claimHeld })
	for i := range p.spread.takes {
		t := &p.spread.takes[i]
		if t.outcome != claimReserved {
			continue
		}
		c := p.u.claims[i].claim
		if refuses { // no copy of it can be executed
			if _, err := s.ask(ctx, c, claimStep{op: opRelease, org: t.org, attempts: t.attempt}); err != nil {
				s.resolveLater(c, t.own())
			}
			continue
		}
		held, err := s.resolve(ctx, c, t.own())
		if err != nil {
			s.leaveOpen(p)
			return resources.Commit{}, failed
		}
		if held == t.own().entry() {
			c, _, err := s.apply(ctx, p) // its answer is remembered
			return c, err
		}
	}
	return resources.Commit{}, failed
}

// leaveOpen leaves reservations to the relay.
func (s *Store) leaveOpen(p *plan) {
	for i, t := range p.spread.takes {
		if t.outcome == claimReserved {
			s.resolveLater(p.u.claims[i].claim, t.own())
		}
	}
}
