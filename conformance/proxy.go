package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Proxy stands between a store and its server on the network and does what
// networks do: it loses answers and cuts connections. It knows nothing of the
// protocol; what to harm is chosen by a text inside the request.
type Proxy struct {
	listener net.Listener
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	target  string
	marks   []mark
	conns   map[net.Conn]bool
	harmed  int
	stopped bool
}

// mark is one harm that is still to be done.
type mark struct {
	text []byte
	left int
	fate fate
}

// fate is what becomes of a connection whose request was marked.
type fate uint8

const (
	swallow fate = iota + 1 // the request arrives, its answer does not
	refuse                  // the request does not arrive either
)

// NewProxy listens on a free port of 127.0.0.1 and forwards to target, which
// is host:port. Close it when done.
func NewProxy(target string) (*Proxy, error) {
	ctx, stop := context.WithCancel(context.Background()) // until Close
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &Proxy{listener: l, target: target, stop: stop, conns: map[net.Conn]bool{}}
	p.done.Go(func() { p.accept(ctx) })
	return p, nil
}

// Addr is where the proxy listens, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// SwallowReplies makes the next n requests that contain text arrive, but
// loses their answers: the connection is cut instead.
func (p *Proxy) SwallowReplies(text string, n int) { p.mark(text, n, swallow) }

// CutRequests makes the next n requests that contain text not arrive: the
// connection is cut before them.
func (p *Proxy) CutRequests(text string, n int) { p.mark(text, n, refuse) }

func (p *Proxy) mark(text string, n int, f fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks = append(p.marks, mark{[]byte(text), n, f})
}

// Harmed tells how many requests met their fate so far.
func (p *Proxy) Harmed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.harmed
}

// CutAll cuts every open connection; new ones are accepted.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		cut(c)
	}
}

// Redirect sends what connects from now on to another target, host:port, and
// cuts what is connected.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.CutAll()
}

// Close stops listening, cuts everything and waits until all is quiet.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.stop()
	err := p.listener.Close()
	p.CutAll()
	p.done.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// cut closes a connection. Should closing fail, it is cut all the same.
func cut(c net.Conn) { _ = c.Close() }

func (p *Proxy) accept(ctx context.Context) {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.done.Go(func() { p.serve(ctx, c) })
	}
}

func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	defer cut(client)
	dialer := net.Dialer{Timeout: time.Second}
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return // the client sees a cut connection, as it should
	}
	defer cut(server)
	if !p.hold(client, server) {
		return
	}
	defer p.drop(client, server)
	var deaf sync.Once
	quiet := make(chan struct{})
	back := make(chan struct{})
	go func() {
		defer close(back)
		p.replies(client, server, quiet)
	}()
	p.requests(client, server, func() { deaf.Do(func() { close(quiet) }) })
	cut(server) // lets the other direction end
	<-back
}

// hold notes open connections, unless the proxy is closed.
func (p *Proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.stopped
}

func (p *Proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// replies forwards answers until the connection is to go deaf.
func (p *Proxy) replies(client, server net.Conn, quiet <-chan struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		select {
		case <-quiet:
			cut(client) // an answer came and is lost
			return
		default:
		}
		if n > 0 {
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			cut(client)
			return
		}
	}
}

// requests forwards requests and looks for marks in them. A text is looked
// for across two reads, so that it may be split.
func (p *Proxy) requests(client, server net.Conn, deafen func()) {
	buf := make([]byte, 64<<10)
	var tail []byte
	for {
		n, err := client.Read(buf)
		if n > 0 {
			switch p.judge(tail, buf[:n]) {
			case swallow:
				deafen()
			case refuse:
				cut(client)
				return
			}
			tail = append(tail, buf[:n]...)
			tail = bytes.Clone(tail[max(0, len(tail)-256):])
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // the client went away
		}
	}
}

// judge finds the fate of what just came, after tail, and counts it. A text
// must end in what came: what lies before was judged already.
func (p *Proxy) judge(tail, came []byte) fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.marks {
		m := &p.marks[i]
		before := tail[max(0, len(tail)-len(m.text)+1):]
		if m.left > 0 && bytes.Contains(slices.Concat(before, came), m.text) {
			m.left--
			p.harmed++
			return m.fate
		}
	}
	return 0
}
