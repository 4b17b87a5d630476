package backend_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// liar stands between a store and a real server and gives answers of its own to
// what reads and writes data. Asked for slots it says that it has all of them,
// so that it can be taken for a cluster.
type liar struct {
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	answer string // see says
	times  int    // how often; negative: always
	open   map[net.Conn]bool
	ended  bool
}

// What a liar does instead of answering.
const (
	liesCut      = "cut"      // the request is lost with its connection
	liesSwallow  = "swallow"  // the server executes it and the answer is lost
	liesSilently = "silently" // the connection stays
)

func newLiar(t *testing.T, target string) *liar {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &liar{target: target, listener: l, open: map[net.Conn]bool{}}
	x.wg.Go(x.accept)
	t.Cleanup(func() {
		_ = l.Close()
		x.mu.Lock()
		x.ended = true
		for c := range x.open {
			_ = c.Close()
		}
		x.mu.Unlock()
		x.wg.Wait()
	})
	return x
}

// says makes the next answers an error of the server, without "-", or what the
// constants say.
func (x *liar) says(answer string, times int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer, x.times = strings.ReplaceAll(answer, "SELF", x.listener.Addr().String()), times
}

func (x *liar) accept() {
	for {
		c, err := x.listener.Accept()
		if err != nil {
			return
		}
		x.mu.Lock()
		x.open[c] = true
		if x.ended {
			_ = c.Close()
		}
		x.mu.Unlock()
		x.wg.Go(func() {
			defer func() {
				_ = c.Close()
				x.mu.Lock()
				delete(x.open, c)
				x.mu.Unlock()
			}()
			server, err := net.Dial("tcp", x.target)
			if err != nil {
				return
			}
			defer func() { _ = server.Close() }()
			x.serve(c, server)
		})
	}
}

func (x *liar) serve(client, server net.Conn) {
	in, out := bufio.NewReader(client), bufio.NewReader(server)
	for {
		raw, err := readReply(in) // a request has the form of an array
		if err != nil {
			return
		}
		name := strings.ToUpper(word(raw, 0))
		lie := ""
		switch name {
		case "HELLO", "AUTH", "SELECT", "CLIENT", "INFO", "PING", "CONFIG", "WAITAOF":
		case "ASKING":
			lie = "+OK"
		case "CLUSTER":
			host, port, _ := net.SplitHostPort(x.listener.Addr().String())
			lie = fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$%d\r\n%s\r\n:%s\r\n$1\r\nx", len(host), host, port)
		default:
			lie = x.lie()
		}
		switch lie {
		case liesCut:
			return
		case liesSilently:
			continue
		case "", liesSwallow:
			if _, err := server.Write(raw); err != nil {
				return
			}
			reply, err := readReply(out)
			if err != nil || lie == liesSwallow {
				return
			}
			if _, err := client.Write(reply); err != nil {
				return
			}
		default:
			if _, err := io.WriteString(client, lie+"\r\n"); err != nil {
				return
			}
		}
	}
}

func (x *liar) lie() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.times == 0 {
		return ""
	}
	x.times--
	switch x.answer {
	case liesCut, liesSwallow, liesSilently:
		return x.answer
	}
	return "-" + x.answer
}

// word is the n-th word of a request.
func word(raw []byte, n int) string {
	parts := bytes.Split(raw, []byte("\r\n"))
	if at := 2 + 2*n; at < len(parts) {
		return string(parts[at])
	}
	return ""
}

// readReply reads one value of the protocol, version 2.
func readReply(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil || len(line) < 3 {
		return nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:]))) // no number in other lines
	switch line[0] {
	case '$':
		if n < 0 {
			return line, nil
		}
		body := make([]byte, n+2)
		_, err := io.ReadFull(r, body)
		return append(line, body...), err
	case '*':
		for range n {
			part, err := readReply(r)
			if err != nil {
				return nil, err
			}
			line = append(line, part...)
		}
	}
	return line, nil
}
