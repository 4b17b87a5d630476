package tcpproxy

import (
	"bytes"
	"slices"
)

// tailSize is how much of what came before is looked at again, so that a text
// may be split over two pieces.
const tailSize = 256

// mark is one harm that is still to be done.
type mark struct {
	text []byte
	skip int // so many requests pass first
	left int // so many meet their fate; negative: no end
	fate fate
	tell func() // called before the request goes on; may be nil
}

// fate is what becomes of a connection whose request was marked.
type fate uint8

const (
	spared  fate = iota // told of only
	swallow             // the request arrives, its answer does not
	refuse              // the request does not arrive either
)

// SwallowReplies makes the next n requests that contain text arrive, but
// loses their answers: the connection is cut instead.
func (p *Proxy) SwallowReplies(text string, n int) {
	p.mark(&mark{text: []byte(text), left: n, fate: swallow})
}

// CutRequests makes the next n requests that contain text not arrive: the
// connection is cut before them.
func (p *Proxy) CutRequests(text string, n int) {
	p.mark(&mark{text: []byte(text), left: n, fate: refuse})
}

// Trap lets skip requests that contain text pass and calls tell when the next
// one comes. The request waits for tell and then goes on; with swallowed it goes
// on and its answer is lost, without it does not arrive.
func (p *Proxy) Trap(text string, skip int, swallowed bool, tell func()) {
	m := &mark{text: []byte(text), skip: skip, left: 1, fate: refuse, tell: tell}
	if swallowed {
		m.fate = swallow
	}
	p.mark(m)
}

// Unmark forgets all marks.
func (p *Proxy) Unmark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = nil
}

func (p *Proxy) mark(m *mark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = append(p.marks, m)
}

// Harmed tells how many requests met their fate so far.
func (p *Proxy) Harmed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.harmed
}

// judge finds the fate of what just came, after tail, and counts it. A text
// must end in what came: what lies before was judged already.
func (p *Proxy) judge(tail, came []byte) (fate, func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.marks {
		if m.left == 0 {
			continue
		}
		before := tail[max(0, len(tail)-len(m.text)+1):]
		if !bytes.Contains(slices.Concat(before, came), m.text) {
			continue
		}
		if m.skip > 0 {
			m.skip--
			continue
		}
		if m.left > 0 {
			m.left--
			p.harmed++
		}
		return m.fate, m.tell
	}
	return spared, nil
}

// Tell calls tell for every request that contains text, and harms none.
func (p *Proxy) Tell(text string, tell func()) {
	p.mark(&mark{text: []byte(text), left: -1, tell: tell})
}
