package backend

import (
	"fmt"
	"slices"
	"strings"
)

// proc is one process of the explorer: somebody who commits, a relay, or somebody
// who resolves what it meets.
type proc struct {
	kind  procKind
	org   int
	takes string // holder, of one who commits
	frees string
	loses bool   // copies of its commit
	start string // begins only when the organization's list says this holder

	pc    procStep
	run   int
	take  claiming
	undo  resolving
	lost  bool   // a copy of the commit is on its way
	late  bool   // the deadline has passed
	note  string // of a relay
	turns int    // how often it may still begin
}

type procKind uint8

const (
	nobody procKind = iota
	commits
	relays
	resolves
	echoes // a late copy of a reservation
)

type procStep uint8

const (
	stBegin procStep = iota
	stTake
	stCommit
	stUndo
	stAct
	stOff
	stDone
)

// attempt is the name of its commit; each run has another one.
func (p *proc) attempt() string {
	return (p.takes + "." + p.frees + "." + string(rune('0'+p.run)) + "............")[:stampSize]
}

const explored = 7 // processes at most

// state is everything: the numbers of the contents and of the processes.
type state struct {
	contents int32
	procs    [explored]int32
	aged     bool
}

// move is what one step makes of the contents and of the process that takes it.
type move struct{ contents, proc int32 }

// numbers gives equal things equal numbers.
type numbers[T comparable] struct {
	of   map[T]int32
	list []T
}

func (n *numbers[T]) number(x T) int32 {
	if i, ok := n.of[x]; ok {
		return i
	}
	if n.of == nil {
		n.of = map[T]int32{}
	}
	i := int32(len(n.list))
	n.of[x], n.list = i, append(n.list, x)
	return i
}

// explorer visits every state that can be reached.
type explorer struct {
	*bench
	canAge   bool
	doubles  bool // only two holders are bad
	echoed   bool // a late copy of a reservation may leave a claim to scrubbing
	contents numbers[contents]
	procs    numbers[proc]
	moves    map[move][]move // from contents and process to what a step makes of them
	checked  map[int32]bool
	from     map[state]state
	bad      []string
}

func (e *explorer) explore(procs ...proc) int {
	e.moves, e.checked, e.from = map[move][]move{}, map[int32]bool{}, map[state]state{}
	first := state{contents: e.contents.number(contents{})}
	for i := range first.procs {
		first.procs[i] = e.procs.number(proc{})
		if i < len(procs) {
			first.procs[i] = e.procs.number(procs[i])
		}
	}
	queue := []state{first}
	e.from[first] = first
	visit := func(from, to state) {
		if _, ok := e.from[to]; !ok {
			e.from[to] = from
			queue = append(queue, to)
		}
	}
	for ; len(queue) > 0 && len(e.bad) == 0; queue = queue[1:] {
		s := queue[0]
		e.check(s)
		for i, p := range s.procs {
			for _, m := range e.movesOf(move{s.contents, p}) {
				next := s
				next.contents, next.procs[i] = m.contents, m.proc
				visit(s, next)
			}
		}
		if e.canAge && !s.aged {
			visit(s, e.age(s))
		}
	}
	return len(e.from)
}

// movesOf are all steps of one process.
func (e *explorer) movesOf(at move) []move {
	if got, ok := e.moves[at]; ok {
		return got
	}
	c, p := e.contents.list[at.contents], e.procs.list[at.proc]
	var out []move
	for _, n := range e.nexts(c, p) {
		out = append(out, move{e.contents.number(n.contents), e.procs.number(n.proc)})
	}
	e.moves[at] = out
	return out
}

// story tells how a state came about.
func (e *explorer) story(s state) string {
	var out []string
	for {
		from := e.from[s]
		who := "a long time passes"
		for i, n := range s.procs {
			if p := e.procs.list[n]; n != from.procs[i] {
				who = fmt.Sprintf("process %d of kind %d (%s/%s) comes to %d", i, p.kind, p.takes, p.frees, p.pc)
			}
		}
		if from == s {
			slices.Reverse(out)
			return strings.Join(out, "")
		}
		out = append(out, fmt.Sprintf("\n%s: %+v", who, e.contents.list[s.contents]))
		s = from
	}
}

// next is the state after a step, as far as it concerns one process.
type next struct {
	contents contents
	proc     proc
}

// after is the state after a step. What does not matter any more is forgotten, so
// that ways that come to the same are one.
func (p proc) after(c contents, change func(p *proc)) next {
	change(&p)
	for p.pc == stTake && p.take.step == takePause { // nobody's time passes here
		_ = p.take.got("") // it cannot fail
	}
	if p.pc == stTake && p.take.outcome != claimOpen {
		p.pc = stCommit
		p.take = claiming{org: p.take.org, holder: p.take.holder, attempt: p.take.attempt, outcome: p.take.outcome, seen: p.take.seen}
	}
	if p.pc == stDone && !p.lost {
		p.take, p.undo, p.run, p.turns, p.late = claiming{}, resolving{}, 0, 0, false
	}
	return next{c, p}
}

// check looks at a state as it is, and at what becomes of it when all processes
// crash there.
func (e *explorer) check(s state) {
	if e.checked[s.contents] {
		return
	}
	e.checked[s.contents] = true
	c := e.contents.list[s.contents]
	if c.org[0].held != "" && c.org[1].held != "" {
		e.bad = append(e.bad, "two organizations hold the claim:"+e.story(s))
		return
	}
	if e.doubles {
		return
	}
	after := e.replayed(c)
	if wrong := leaked(after); wrong != "" && !strings.HasPrefix(after.claim, "P|") && !e.echoed {
		e.bad = append(e.bad, wrong+" after the relay:"+e.story(s))
	}
	if wrong := leaked(e.scrubbed(after)); wrong != "" {
		e.bad = append(e.bad, wrong+" after scrubbing:"+e.story(s))
	}
}

// leaked compares the claim with the lists.
func leaked(c contents) string {
	want := ""
	for i, o := range c.org {
		if o.held != "" {
			want = confirmation(exploredOrgs[i], o.held)
		}
	}
	if c.claim != want {
		return fmt.Sprintf("the claim says %q, want %q", c.claim, want)
	}
	return ""
}

// nexts are all steps that a process can take.
func (e *explorer) nexts(c contents, p proc) (out []next) {
	if p.lost { // the copy arrives
		after, _ := e.commit(c, &p, p.late)
		out = append(out, p.after(after, func(p *proc) { p.lost = false }))
	}
	switch p.kind {
	case nobody:
	case commits:
		out = append(out, e.committing(c, p)...)
	case relays:
		out = append(out, e.relaying(c, p)...)
	case resolves:
		out = append(out, e.resolving(c, p)...)
	case echoes:
		if p.pc == stBegin {
			after, _ := e.ask(c, claimStep{op: opReserve, org: exploredOrgs[p.org], value: p.takes + "|" + p.attempt()})
			out = append(out, p.after(after, func(p *proc) { p.pc = stDone }))
		}
	}
	return out
}

// age lets a long time pass: whoever is about to commit is too late, attempts and
// tombstones are forgotten.
func (e *explorer) age(s state) state {
	s.aged = true
	for i, n := range s.procs {
		p := e.procs.list[n]
		p.late = p.lost || p.pc == stTake || p.pc == stCommit || p.pc == stUndo
		s.procs[i] = e.procs.number(p)
	}
	c := e.contents.list[s.contents]
	for i := range c.org {
		c.org[i].tombstones, c.org[i].known = "", ""
	}
	s.contents = e.contents.number(c)
	return s
}

func (e *explorer) committing(c contents, p proc) (out []next) {
	switch p.pc {
	case stBegin:
		if holder, _ := parseHeld(c.org[p.org].held); p.start != "" && holder != p.start || p.turns == 0 {
			return nil
		}
		return []next{p.after(c, func(p *proc) {
			p.turns--
			p.begin()
		})}
	case stTake:
		step, _ := p.take.next()
		after, answer := e.ask(c, step)
		return []next{p.after(after, func(p *proc) {
			if err := p.take.got(answer); err != nil {
				e.t.Fatal(err)
			}
		})}
	case stCommit:
		after, answer := e.commit(c, &p, p.late)
		out = append(out, p.after(after, func(p *proc) { p.answered(answer) }))
		if !p.lost && p.loses {
			out = append(out, p.after(c, func(p *proc) { p.lost = true }))
		}
	case stUndo:
		step, _ := p.undo.next()
		after, answer := e.ask(c, step)
		out = append(out, p.after(after, func(p *proc) {
			p.undo.got(answer)
			if _, more := p.undo.next(); !more {
				p.undone()
			}
		}))
	}
	return out
}

func (p *proc) begin() {
	freed := ""
	if p.frees != "" {
		freed = p.frees + "|"
	}
	p.pc, p.late = stTake, false
	p.take = claiming{org: exploredOrgs[p.org], holder: p.takes, attempt: p.attempt(), freed: freed, looks: claimLooks}
	if p.takes == "" {
		p.pc = stCommit
	}
}

func (p *proc) answered(answer string) {
	switch {
	case answer == "changed" && p.take.outcome == claimReserved:
		p.pc, p.undo = stUndo, resolving{v: p.take.own()}
	case answer == "changed":
		p.again()
	default:
		p.pc = stDone
	}
}

// undone goes on when what was reserved has been given up.
func (p *proc) undone() {
	if p.undo.held == p.take.own().entry() {
		p.pc = stDone // the copy was executed
		return
	}
	p.again()
}

// again runs the closure again with a new attempt. A copy of the old one that is
// still on its way is left to the other scenarios.
func (p *proc) again() {
	p.run++
	if p.pc = stDone; p.turns > 0 && !p.lost {
		p.turns--
		p.begin()
	}
}

func (e *explorer) relaying(c contents, p proc) (out []next) {
	switch p.pc {
	case stBegin:
		for _, line := range lines(c.org[p.org].notes) {
			out = append(out, p.after(c, func(p *proc) { p.pc, p.note = stAct, line }))
		}
	case stAct:
		out = append(out, p.after(e.act(c, p.org, p.note), func(p *proc) { p.pc = stOff }))
	case stOff:
		out = append(out, p.after(e.takeOff(c, p.org, p.note), func(p *proc) { p.pc, p.note = stBegin, "" }))
	}
	return out
}

// resolving is somebody who never waits.
func (e *explorer) resolving(c contents, p proc) []next {
	if p.pc == stBegin {
		met, ok := parseClaim(c.claim)
		if !ok || p.turns == 0 {
			return nil
		}
		return []next{p.after(c, func(p *proc) {
			p.turns--
			p.pc, p.undo = stUndo, resolving{v: met}
		})}
	}
	step, _ := p.undo.next()
	after, answer := e.ask(c, step)
	return []next{p.after(after, func(p *proc) {
		p.undo.got(answer)
		if _, more := p.undo.next(); !more {
			p.pc, p.undo = stBegin, resolving{}
		}
	})}
}
