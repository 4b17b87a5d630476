package tcpproxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/tcpproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that answers every line with itself and counts them.
func echo(t *testing.T) (addr string, lines *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lines = &atomic.Int64{}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				in := bufio.NewScanner(c)
				for in.Scan() {
					lines.Add(1)
					if _, err := fmt.Fprintln(c, in.Text()); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	return l.Addr().String(), lines
}

// network is a proxy in front of an echo.
func network(t *testing.T) (*tcpproxy.Proxy, *atomic.Int64) {
	t.Helper()
	addr, lines := echo(t)
	p, err := tcpproxy.New(tcpproxy.Config{Target: addr, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, lines
}

// caller is a client with one connection.
type caller struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, p *tcpproxy.Proxy) *caller {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &caller{c, bufio.NewReader(c)}
}

// ask sends a line and reads one, for at most d.
func (c *caller) ask(line string, d time.Duration) (string, error) {
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	return c.read(d)
}

func (c *caller) read(d time.Duration) (string, error) {
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		return "", err
	}
	got, err := c.in.ReadString('\n')
	return strings.TrimSuffix(got, "\n"), err
}

const long = 10 * time.Second // that nothing here takes

func (c *caller) must(t *testing.T, line string) time.Duration {
	t.Helper()
	began := time.Now()
	if got, err := c.ask(line, long); err != nil || got != line {
		t.Fatalf("%q is answered %q, %v", line, got, err)
	}
	return time.Since(began)
}

func silent(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestSilence: a silent direction holds back, and when the network is well again
// everything arrives, in order and once.
func TestSilence(t *testing.T) {
	for name, f := range map[string]tcpproxy.Fault{"up": {SilentUp: true}, "down": {SilentDown: true}} {
		t.Run(name, func(t *testing.T) {
			p, lines := network(t)
			c := dial(t, p)
			c.must(t, "before")
			p.Set(f)
			if got, err := c.ask("during", 100*time.Millisecond); !silent(err) {
				t.Fatalf("answer %q, %v; want silence", got, err)
			}
			if n := lines.Load(); (n == 2) != (name == "down") {
				t.Errorf("the server has heard %d lines", n)
			}
			p.Heal()
			if got, err := c.read(long); got != "during" || err != nil {
				t.Errorf("afterwards %q, %v", got, err)
			}
			c.must(t, "after")
		})
	}
}

// TestSlow: latency and a low rate delay what arrives, until the network is well.
func TestSlow(t *testing.T) {
	p, _ := network(t)
	c := dial(t, p)
	p.Set(tcpproxy.Fault{Latency: 60 * time.Millisecond, Jitter: 20 * time.Millisecond})
	if d := c.must(t, "late"); d < 120*time.Millisecond {
		t.Errorf("both ways took %s, want 120 ms or more", d)
	}
	p.Set(tcpproxy.Fault{Rate: 100})
	if d := c.must(t, "slow"); d < 80*time.Millisecond {
		t.Errorf("two times five bytes took %s at 100 bytes a second", d)
	}
	p.Set(tcpproxy.Fault{Rate: 1})
	time.AfterFunc(50*time.Millisecond, p.Heal)
	c.must(t, "this would take forty seconds at one byte in each")
}

// TestLostAnswers: a swallowed answer was given, and the connection is cut; half of
// a reset one arrives.
func TestLostAnswers(t *testing.T) {
	p, lines := network(t)
	p.Set(tcpproxy.Fault{Swallow: 1})
	if got, err := dial(t, p).ask("lost", long); err == nil || silent(err) {
		t.Errorf("answer %q, %v; want a cut connection", got, err)
	}
	p.Set(tcpproxy.Fault{Reset: 1})
	got, err := dial(t, p).ask("half of it", long)
	if !strings.HasPrefix("half of it", got) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("answer %q, %v; want the beginning and a reset", got, err)
	}
	if n := lines.Load(); n != 2 {
		t.Errorf("the server has heard %d lines, want 2", n)
	}
}

// TestMarks: single requests meet their fate, also when their text comes in two
// pieces, and others do not.
func TestMarks(t *testing.T) {
	p, lines := network(t)
	p.SwallowReplies("swallow", 1)
	if got, err := dial(t, p).ask("please swallow", long); err == nil || silent(err) {
		t.Errorf("answer %q, %v; want a cut connection", got, err)
	}
	p.CutRequests("never", 1)
	c := dial(t, p)
	c.must(t, "ne")
	if _, err := fmt.Fprint(c, "ne"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // so that it travels alone
	if got, err := c.ask("ver", long); err == nil || silent(err) {
		t.Errorf("answer %q, %v; want a cut connection", got, err)
	}
	told := 0
	p.Trap("trap", 2, true, func() { told++ })
	c = dial(t, p)
	c.must(t, "trap 1")
	c.must(t, "trap 2")
	if got, err := c.ask("trap 3", long); err == nil || told != 1 {
		t.Errorf("answer %q, %v; told %d times", got, err, told)
	}
	// Of "never" the beginning arrived, which the server may count as a line.
	if n := lines.Load(); n < 5 || n > 6 || p.Harmed() != 3 {
		t.Errorf("the server has heard %d lines, %d were harmed", n, p.Harmed())
	}
	var heard atomic.Int64
	p.Tell("x", func() { heard.Add(1) })
	c = dial(t, p)
	c.must(t, "x")
	c.must(t, "x")
	p.Unmark()
	c.must(t, "x")
	if heard.Load() != 2 {
		t.Errorf("told of %d requests, want 2", heard.Load())
	}
}

// TestWhom: a fault can be for some clients only, by what they said first.
func TestWhom(t *testing.T) {
	p, _ := network(t)
	a, b := dial(t, p), dial(t, p)
	a.must(t, "I am a replica")
	b.must(t, "I am a client")
	for _, f := range []tcpproxy.Fault{{SilentDown: true, Only: "replica"}, {SilentDown: true, Except: "client"}} {
		p.Set(f)
		b.must(t, "still here")
		if got, err := a.ask("and I", 50*time.Millisecond); !silent(err) {
			t.Errorf("answer %q, %v; want silence", got, err)
		}
		p.Heal()
		if got, err := a.read(long); got != "and I" || err != nil {
			t.Errorf("afterwards %q, %v", got, err)
		}
	}
	p.Set(tcpproxy.Fault{Refuse: true, Only: "replica"})
	b.must(t, "still here")
	if got, err := a.ask("and I", long); err == nil || silent(err) {
		t.Errorf("answer %q, %v; want a cut connection", got, err)
	}
	p.Set(tcpproxy.Fault{Refuse: true})
	if got, err := dial(t, p).ask("anybody", long); err == nil || silent(err) {
		t.Errorf("answer %q, %v; want a cut connection", got, err)
	}
}

// TestRedirect: the way can lead elsewhere.
func TestRedirect(t *testing.T) {
	p, one := network(t)
	addr, two := echo(t)
	c := dial(t, p)
	c.must(t, "to the first")
	p.Redirect(addr)
	if got, err := c.ask("on the old connection", long); err == nil {
		t.Errorf("answer %q; want a cut connection", got)
	}
	dial(t, p).must(t, "to the second")
	if one.Load() != 1 || two.Load() != 1 {
		t.Errorf("the servers have heard %d and %d lines", one.Load(), two.Load())
	}
	for end := time.Now().Add(long); p.Open() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are open", p.Open())
		}
	}
}
