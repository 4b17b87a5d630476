package tcpproxy

import (
	"bytes"
	"math/rand/v2"
	"net"
	"time"
)

// Fault is what is wrong with the network. The zero value is a network that is
// well.
type Fault struct {
	// Latency delays every piece in each direction, by up to Jitter more.
	Latency, Jitter time.Duration
	// Rate is how many bytes pass in a second in each direction. Zero: all.
	Rate int
	// SilentUp holds back what clients send, SilentDown what the server sends.
	// New connections are accepted, and silent too.
	SilentUp, SilentDown bool
	// Refuse cuts what is open and whatever is opened.
	Refuse bool
	// Swallow is the share of answers that are lost, and their connections with
	// them. An answer is a piece that the server sends.
	Swallow float64
	// Reset is the share of answers of which half arrives before the connection
	// is reset.
	Reset float64
	// Only limits the fault to connections on which the client has said this
	// within the first few hundred bytes. Empty: all connections.
	Only string
	// Except spares such connections.
	Except string
}

// headSize is how much of what a client says first is remembered.
const headSize = 1 << 10

// meant reports whether a fault is for a connection that began so.
func (f *Fault) meant(head []byte) bool {
	if f.Only != "" && !bytes.Contains(head, []byte(f.Only)) {
		return false
	}
	return f.Except == "" || !bytes.Contains(head, []byte(f.Except))
}

// Set makes a fault begin, in place of the one before, for open connections too.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if f.Refuse {
		p.CutAll()
	}
}

// Heal ends the fault.
func (p *Proxy) Heal() { p.Set(Fault{}) }

// weather gives the fault that a link is under, and what tells of the next.
func (p *Proxy) weather(l *link) (Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fault.meant(l.head) {
		return Fault{}, p.changed
	}
	return p.fault, p.changed
}

// chance reports whether something with this share happens now.
func (p *Proxy) chance(share float64) bool {
	if share <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dice().Float64() < share
}

func (p *Proxy) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.dice().Int64N(int64(d)))
}

// dice is Config.Rand, or the system's.
func (p *Proxy) dice() *rand.Rand {
	if p.cfg.Rand == nil {
		p.cfg.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return p.cfg.Rand
}

// pass sends a piece on through the weather. It reports whether the link lives.
func (p *Proxy) pass(l *link, down bool, piece []byte, to net.Conn) bool {
	f, ok := p.hold(l, down)
	if !ok {
		return false
	}
	if f.Latency+f.Jitter > 0 && !l.pause(f.Latency+p.jitter(f.Jitter), nil) {
		return false
	}
	if down && p.chance(f.Swallow) {
		return false
	}
	if down && p.chance(f.Reset) {
		_, err := to.Write(piece[:len(piece)/2])
		if c, ok := to.(*net.TCPConn); ok && err == nil {
			_ = c.SetLinger(0) // should it fail, the connection is closed in the ordinary way
		}
		return false
	}
	if f.Rate > 0 {
		return p.trickle(l, down, piece, to)
	}
	_, err := to.Write(piece)
	return err == nil
}

// hold waits while the direction is silent.
func (p *Proxy) hold(l *link, down bool) (Fault, bool) {
	for {
		f, changed := p.weather(l)
		if f.Refuse {
			return f, false
		}
		if down && !f.SilentDown || !down && !f.SilentUp {
			return f, true
		}
		select {
		case <-changed:
		case <-l.ended:
			return f, false
		}
	}
}

// trickle sends a piece a byte at a time, until the network is faster.
func (p *Proxy) trickle(l *link, down bool, piece []byte, to net.Conn) bool {
	for len(piece) > 0 {
		f, ok := p.hold(l, down)
		if !ok {
			return false
		}
		_, changed := p.weather(l)
		n := 1
		if f.Rate == 0 {
			n = len(piece)
		} else if !l.pause(time.Second/time.Duration(f.Rate), changed) {
			return false
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// pause waits for d, or for less when the weather changes. It reports whether
// the link lives.
func (l *link) pause(d time.Duration, changed <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	case <-l.ended:
		return false
	}
	return true
}
