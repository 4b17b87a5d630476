package tcpproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Config says where a proxy leads.
type Config struct {
	// Target is the server, host:port. Required.
	Target string
	// Rand decides which answers are lost. Nil: the system's randomness.
	Rand *rand.Rand
}

// Proxy is a network between clients and one server.
type Proxy struct {
	cfg      Config
	listener net.Listener
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	fault   Fault
	changed chan struct{} // closed when fault changes
	marks   []*mark
	harmed  int
	links   map[*link]bool
	stopped bool
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	ended          chan struct{} // closed when the link is over
	once           sync.Once
	deaf           bool   // answers are lost from now on; under the proxy's mutex
	head           []byte // what the client said first; likewise
}

// New listens on a free port of 127.0.0.1 and forwards to the target. Close it
// when done.
func New(cfg Config) (*Proxy, error) {
	ctx, stop := context.WithCancel(context.Background()) // until Close
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &Proxy{cfg: cfg, listener: l, stop: stop, changed: make(chan struct{}), links: map[*link]bool{}}
	p.done.Go(func() { p.accept(ctx) })
	return p, nil
}

// Addr is where the proxy listens, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Redirect sends what connects from now on to another target, host:port, and
// cuts what is connected.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	p.cfg.Target = target
	p.mu.Unlock()
	p.CutAll()
}

// CutAll cuts every open connection that the fault is meant for; new ones are
// accepted.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if p.fault.meant(l.head) || p.stopped {
			l.cut()
		}
	}
}

// Open tells how many connections are open.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
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

// cut ends a link. Should closing a connection fail, it is cut all the same.
func (l *link) cut() {
	l.once.Do(func() { close(l.ended) })
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}

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
	l := &link{client: client, ended: make(chan struct{})}
	defer l.cut()
	p.mu.Lock()
	target, refused := p.cfg.Target, p.fault.Refuse && p.fault.Only == "" && p.fault.Except == ""
	p.mu.Unlock()
	if refused {
		return
	}
	dialer := net.Dialer{Timeout: time.Second}
	server, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return // the client sees a cut connection, as it should
	}
	l.server = server
	if !p.enter(l) {
		return
	}
	defer p.leave(l)
	var both sync.WaitGroup
	both.Go(func() { p.replies(l) })
	p.requests(l)
	l.cut() // lets the other direction end
	both.Wait()
}

// enter notes an open link, unless the proxy is closed.
func (p *Proxy) enter(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = true
	return !p.stopped
}

func (p *Proxy) leave(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// replies forwards answers until the link is deaf or over.
func (p *Proxy) replies(l *link) {
	defer l.cut()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if n > 0 && (p.isDeaf(l) || !p.pass(l, true, buf[:n], l.client)) {
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) isDeaf(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.deaf
}

// requests forwards requests and looks for marks in them.
func (p *Proxy) requests(l *link) {
	buf := make([]byte, 64<<10)
	var tail []byte
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			p.hear(l, buf[:n])
			f, tell := p.judge(tail, buf[:n])
			if tell != nil {
				tell()
			}
			if f == refuse {
				return
			}
			if f == swallow {
				p.deafen(l)
			}
			tail = append(tail, buf[:n]...)
			tail = bytes.Clone(tail[max(0, len(tail)-tailSize):])
			if !p.pass(l, false, buf[:n], l.server) {
				return
			}
		}
		if err != nil {
			// The client has gone. What it asked for was sent on, and the
			// server's end is closed behind it.
			return
		}
	}
}

// hear remembers what a client said first.
func (p *Proxy) hear(l *link, said []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if room := headSize - len(l.head); room > 0 {
		l.head = append(l.head, said[:min(room, len(said))]...)
	}
}

func (p *Proxy) deafen(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.deaf = true
}
