package backend

import (
	"slices"
	"strings"
	"testing"
)

// scenario is a set of processes that meet.
type scenario struct {
	name  string
	ages  bool
	procs []proc
}

func (sc scenario) explorer(b *bench) *explorer {
	echoed := slices.ContainsFunc(sc.procs, func(p proc) bool { return p.kind == echoes })
	return &explorer{bench: b, canAge: sc.ages, echoed: echoed}
}

func scenarios() []scenario {
	a := proc{kind: commits, org: 0, takes: "ann", turns: 1}
	b := proc{kind: commits, org: 1, takes: "bob", turns: 1}
	with := func(p proc, turns int) proc { p.turns, p.loses = turns, true; return p }
	relay := func(org int) proc { return proc{kind: relays, org: org} }
	eager := func(n int) proc { return proc{kind: resolves, turns: n} }
	leaves := func(holder string) proc { return proc{kind: commits, org: 0, frees: holder, start: holder, turns: 1} }
	other := proc{kind: commits, org: 0, takes: "cleo", turns: 1}
	moves := proc{kind: commits, org: 0, takes: "cleo", frees: "ann", start: "ann", turns: 1}
	return []scenario{
		{"the holder gives it back", false, []proc{a, leaves("ann"), b, relay(0), relay(0), relay(1)}},
		{"it moves while it is given back", false, []proc{a, moves, leaves("ann"), b, relay(0), relay(1)}},
		{"a late copy of a reservation", false, []proc{a, {kind: echoes, org: 0, takes: "ann"}, leaves("ann"), b, eager(1), relay(0), relay(1)}},
		{"it moves to another holder", false, []proc{a, moves, b, eager(1), relay(0), relay(0)}},
		{"it moves and is given back", false, []proc{a, moves, leaves("cleo"), b, relay(0), relay(0)}},
		{"two organizations want it", true, []proc{with(a, 2), with(b, 1), eager(1), relay(0), relay(1)}},
		{"two of one organization want it", true, []proc{with(a, 1), with(other, 1), eager(1), relay(0)}},
		{"late copies after it was given back", true, []proc{with(a, 1), leaves("ann"), b, eager(1), relay(0)}},
	}
}

// TestClaimProtocol takes every step in every order: never do two organizations
// hold a claim, and wherever everybody crashes, the relay leaves nothing behind but
// reservations, and scrubbing not even these (redis.md §6.2, BR-001).
func TestClaimProtocol(t *testing.T) {
	b := newBench(t)
	for _, sc := range scenarios() {
		e := sc.explorer(b)
		n := e.explore(sc.procs...)
		for _, bad := range e.bad {
			t.Errorf("%s: %s", sc.name, bad)
		}
		t.Logf("%s: %d states, %d different contents", sc.name, n, len(e.checked))
	}
}

// TestClaimProtocolSeesFaults: each part of the protocol that is left out leads to
// a state that must not be.
func TestClaimProtocolSeesFaults(t *testing.T) {
	for name, harm := range map[string]func(b *bench){
		"two holders: no fence":                 func(b *bench) { b.noFence = true },
		"two holders: tombstones not looked at": func(b *bench) { b.mutateCommit("call('HEXISTS', K[k + 3], A[1]) == 1", "false") },
		"two holders: no deadline":              func(b *bench) { b.mutateCommit("ms > deadline", "false") },
		"the list not as it was seen":           func(b *bench) { b.mutateCommit("(call('HGET', list, entry) or '') ~= seen", "false") },
		"a confirmation makes a claim": func(b *bench) {
			b.mutate("if attempt == ARGV[i] then", "if not v or attempt == ARGV[i] then", &b.s.scripts.claim.confirm)
		},
		"released by anybody":   func(b *bench) { b.mutate("if attempt == ARGV[i] then", "if v then", &b.s.scripts.claim.release) },
		"reserved over another": func(b *bench) { b.mutate("v and v ~= ARGV[1]", "false", &b.s.scripts.claim.reserve) },
		"moves not remembered":  func(b *bench) { b.mutateCommit("row = before .. earlier(entry, before)", "row = ''") },
		"notes share a name": func(b *bench) {
			b.shared = true
			b.mutateCommit("note('r|' .. f[1] .. '|' .. attempt, earlier(f[1], attempt))",
				"note('c|' .. f[1] .. '|' .. attempt, 'r' .. earlier(f[1], attempt))")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			harm(b)
			for _, sc := range scenarios() {
				e := sc.explorer(b)
				e.doubles = strings.HasPrefix(name, "two holders")
				n := e.explore(sc.procs...)
				if len(e.bad) > 0 {
					what, story, _ := strings.Cut(e.bad[0], ":\n")
					t.Logf("%s: after %d states %s, in %d steps", sc.name, n, what, 1+strings.Count(story, "\n"))
					return
				}
			}
			t.Error("nothing bad was found")
		})
	}
}
