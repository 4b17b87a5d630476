package backend

import (
	"strings"

	"github.com/usher-scim/usher/resources"
)

// The decisions of the protocol stand here apart from the calls, so that a test
// can take every step in every order. next says what to do, got hears the answer.

// resolving ends what an attempt has begun: v is what the claim said.
type resolving struct {
	v    claimValue
	step int
	held string // what the organization's list says; "" when the attempt is fenced off
}

// next returns the next step; false when nothing is left to do.
func (r *resolving) next() (claimStep, bool) {
	switch {
	case r.step == 0:
		return claimStep{op: opFence, org: r.v.org, value: r.v.entry()}, true
	case r.step == 1 && r.held == "":
		return claimStep{op: opRelease, org: r.v.org, attempts: r.v.attempt}, true
	case r.step == 1:
		// Another attempt of the organization than the one that was met: a holder
		// there gave the claim to another one, which was not confirmed yet.
		_, attempt := parseHeld(r.held)
		return claimStep{op: opConfirm, org: r.v.org, value: r.held, attempts: attempt + r.v.attempt}, true
	}
	return claimStep{}, false
}

func (r *resolving) got(answer string) {
	if r.step == 0 {
		r.held = answer
	}
	r.step++
}

// outcome is what taking a claim came to.
type outcome uint8

const (
	claimOpen     outcome = iota
	claimReserved         // for this attempt
	claimKept             // the holder has it already
	claimMoved            // a holder of the organization that gives it back in this commit has it
	claimHeld             // somebody else has it
)

// claiming is how an attempt gets at a claim before its commit.
type claiming struct {
	org             resources.OrgID
	holder, attempt string
	freed           string // holders that give the claim back in the same commit, each with | behind

	outcome outcome
	seen    string // what the organization's list says, as the commit must find it; for claimHeld the claim

	step  takeStep
	looks int
	met   claimValue
	other resolving
}

type takeStep uint8

const (
	takeReserve takeStep = iota
	takeLook             // is what was met on its organization's list?
	takePause
	takeResolve
)

func (t *claiming) next() (claimStep, bool) {
	switch {
	case t.outcome != claimOpen:
		return claimStep{}, false
	case t.step == takeReserve:
		return claimStep{op: opReserve, org: t.org, value: t.own().entry()}, true
	case t.step == takeLook:
		return claimStep{op: opLook, org: t.met.org}, true
	case t.step == takePause:
		return claimStep{op: opPause, pause: claimPause << t.looks}, true
	}
	return t.other.next()
}

// got hears an answer; it fails when the claim says what nobody writes.
func (t *claiming) got(answer string) error {
	switch t.step {
	case takeReserve:
		if answer == "" {
			t.outcome = claimReserved
			return nil
		}
		met, ok := parseClaim(answer)
		if !ok {
			return errDamaged
		}
		t.met, t.step = met, takeLook
	case takeLook:
		switch {
		case answer != "":
			t.decide(answer)
		case !t.met.confirmed && t.looks < claimLooks:
			t.step = takePause // it is probably being committed
		default:
			t.other, t.step = resolving{v: t.met}, takeResolve
		}
	case takePause:
		t.looks++
		t.step = takeReserve
	case takeResolve:
		t.other.got(answer)
		if _, more := t.other.next(); !more {
			t.step = takeReserve
		}
	}
	return nil
}

// decide knows who has the claim: held is on the list of the organization met.
func (t *claiming) decide(held string) {
	holder, _ := parseHeld(held)
	switch {
	case t.met.org != t.org:
		t.outcome, t.seen = claimHeld, confirmation(t.met.org, held)
	case holder == t.holder:
		t.outcome, t.seen = claimKept, held
	case strings.Contains("|"+t.freed, "|"+holder+"|"):
		t.outcome, t.seen = claimMoved, held
	default:
		t.outcome, t.seen = claimHeld, confirmation(t.org, held)
	}
}
