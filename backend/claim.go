package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// Claims stand in slots of their own, so that on a cluster no script sees a claim
// and the organization that takes it at once. There a claim is taken in steps,
// each a script on one slot, each safe to repeat; all compare attempts, the names
// of commits:
//
//	RESERVE  the claim says P, the organization, holder and attempt
//	COMMIT   the organization's list says holder and attempt: this decides
//	CONFIRM  the claim says C
//
// Who meets a P and does not want to wait FENCES it in its organization: either
// the list has the attempt, then it is confirmed, or a tombstone stops the commit
// for ever, then the claim is released. Nobody has to guess from the time whether
// the other still lives. Giving back is the same the other way round: the commit
// takes the claim off the list, then it is released.
//
// What follows a commit is noted in it, so that a crash forgets nothing; see
// relay.go. A single server does all of it in the commit, see plan.go: keys and
// values are the same, so that a directory can be served either way.

const (
	// claimDeadline is how long after the first reservation a commit is accepted.
	claimDeadline = 30 * time.Second
	// tombstoneTime is how long a tombstone is kept at least: longer than any
	// commit is accepted, by the clock of the same server.
	tombstoneTime = 10 * time.Minute
	// claimPause is before a claim that another attempt has reserved is looked at
	// again; each time twice as long.
	claimPause = 2 * time.Millisecond
	// claimLooks is how often that is done before the other attempt is fenced off.
	claimLooks = 4
)

// claimValue is what a claim says.
type claimValue struct {
	confirmed       bool
	org             resources.OrgID
	holder, attempt string
	claim           resources.Claim // of a reservation: the key of a claim cannot be read back
}

// parseClaim splits the value of a claim: "C|<org>|<holder>|<attempt>", or
// "P|<org>|<holder>|<attempt>|<kind>|<key>" while it is reserved.
func parseClaim(v string) (c claimValue, ok bool) {
	parts := strings.SplitN(v, "|", 6)
	switch {
	case len(parts) == 4 && parts[0] == "C":
		c.confirmed = true
	case len(parts) == 6 && parts[0] == "P":
		c.claim = resources.Claim{Kind: resources.ClaimKind(parts[4]), Key: parts[5]}
	default:
		return claimValue{}, false
	}
	c.org, c.holder, c.attempt = resources.OrgID(parts[1]), parts[2], parts[3]
	_, err := keysOf(c.org)
	return c, err == nil && c.holder != "" && len(c.attempt) == stampSize
}

// entry is what the organization's list says of the claim.
func (c claimValue) entry() string { return c.holder + "|" + c.attempt }

// parseHeld splits what an organization's list says of a claim.
func parseHeld(held string) (holder, attempt string) {
	holder, attempt, _ = strings.Cut(held, "|")
	return holder, attempt
}

func reservation(c resources.Claim, org resources.OrgID, entry string) string {
	return "P|" + string(org) + "|" + entry + "|" + claimField(c)
}

func confirmation(org resources.OrgID, entry string) string {
	return "C|" + string(org) + "|" + entry
}

// claimOp is one step of the protocol.
type claimOp uint8

const (
	opReserve claimOp = iota + 1 // org, value (holder and attempt); answers "" or what the claim says
	opRead                       // answers what the claim says, "" for nothing
	opLook                       // org; answers what its list says, "" for nothing
	opFence                      // org, value (holder and attempt); answers the same
	opConfirm                    // org, value, and the attempts that may stand there
	opRelease                    // org, and its attempts
	opPause                      // not a script: a moment to wait
)

// claimStep says which step, and with what.
type claimStep struct {
	op       claimOp
	org      resources.OrgID
	value    string
	attempts string // 12 bytes each, in a row
	pause    time.Duration
}

// ask does one step for a claim and returns its answer.
func (s *Store) ask(ctx context.Context, c resources.Claim, step claimStep) (string, error) {
	switch step.op {
	case opPause:
		return "", s.sleep(ctx, step.pause)
	case opRead:
		return answered(s.reads.Get(ctx, claimKey(c)).Result())
	}
	var w *call
	switch step.op {
	case opReserve:
		w = newCall(s.scripts.claim.reserve, 2)
		w.key(claimKey(c))
		w.arg(reservation(c, step.org, step.value))
	case opConfirm:
		w = newCall(s.scripts.claim.confirm, 4)
		w.key(claimKey(c))
		w.arg(confirmation(step.org, step.value))
		w.attempts(step.attempts)
	case opRelease:
		w = newCall(s.scripts.claim.release, 4)
		w.key(claimKey(c))
		w.arg(string(step.org))
		w.attempts(step.attempts)
	default:
		k, err := keysOf(step.org)
		if err != nil {
			return "", err
		}
		if step.op == opLook {
			return answered(s.reads.HGet(ctx, k.claims(), claimField(c)).Result())
		}
		w = newCall(s.scripts.claim.fence, 6)
		w.key(k.claims(), k.tombstones())
		_, attempt := parseHeld(step.value)
		w.arg(claimField(c), step.value, attempt, strconv.FormatInt(tombstoneTime.Milliseconds(), 10))
	}
	reply, err := s.write(ctx, w)
	text, _ := reply.(string)
	return text, err
}

// answered makes nothing of what is not there.
func answered(v string, err error) (string, error) {
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return v, err
}

// attempts adds attempts that stand in a row.
func (c *call) attempts(row string) {
	for ; len(row) >= stampSize; row = row[stampSize:] {
		c.arg(row[:stampSize])
	}
}

// Holder implements resources.Store. The organizations' lists are the truth; a
// claim tells in which of them to look.
func (s *Store) Holder(ctx context.Context, c resources.Claim) (holder string, org resources.OrgID, err error) {
	defer s.observe("holder", started(), &err)
	before := ""
	for range maxRuns {
		v, err := s.ask(ctx, c, claimStep{op: opRead})
		if err != nil {
			return "", "", explain(ctx, "holder", err)
		}
		if v == "" || v == before {
			return "", "", nil // as before, and not on the list between
		}
		claim, ok := parseClaim(v)
		if !ok {
			return "", "", fmt.Errorf("backend: holder: %w", errDamaged)
		}
		if claim.confirmed && !s.spread {
			return claim.holder, claim.org, nil
		}
		held, err := s.ask(ctx, c, claimStep{op: opLook, org: claim.org})
		if err != nil {
			return "", "", explain(ctx, "holder", err)
		}
		if held != "" {
			holder, _ = parseHeld(held)
			return holder, claim.org, nil
		}
		before = v
	}
	return "", "", fmt.Errorf("backend: holder: %w: %w", resources.ErrUnavailable, errChanged)
}
