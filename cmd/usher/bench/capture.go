package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// capture forwards connections to a Redis and remembers the last EVALSHA that
// went through. The references R3 and R6 repeat such a command with other ids:
// that is the least anybody can do to have the same written.
type capture struct {
	addr string
	mu   sync.Mutex
	last []string
	stop func()
}

func newCapture(ctx context.Context, target string) (*capture, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &capture{addr: l.Addr().String()}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	c.stop = func() {
		cancel()
		_ = l.Close() // ends accepting
		wg.Wait()
	}
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed by stop
			}
			wg.Go(func() { c.forward(ctx, conn, target) })
		}
	})
	return c, nil
}

func (c *capture) forward(ctx context.Context, conn net.Conn, target string) {
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
	if err != nil {
		_ = conn.Close() // the client sees the connection end
		return
	}
	end := func() {
		_ = conn.Close()   // both sides end together
		_ = server.Close() // likewise
	}
	defer context.AfterFunc(ctx, end)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, server) // ends with either side
		end()
	}()
	r := bufio.NewReader(conn)
	for {
		words, err := readCommand(r)
		if err != nil {
			break
		}
		// Remembered before it is sent on: whoever sees the answer finds it.
		if strings.EqualFold(words[0], "EVALSHA") || strings.EqualFold(words[0], "EVAL") {
			c.mu.Lock()
			c.last = words
			c.mu.Unlock()
		}
		if _, err := server.Write(appendCommand(nil, words)); err != nil {
			break
		}
	}
	end()
	<-done
}

// readCommand reads one command in the protocol of Redis: an array of strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	n, err := readLength(r, '*')
	if err != nil {
		return nil, err
	}
	words := make([]string, 0, n)
	for range n {
		size, err := readLength(r, '$')
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words = append(words, string(word[:size]))
	}
	if len(words) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return words, nil
}

func appendCommand(out []byte, words []string) []byte {
	out = fmt.Appendf(out, "*%d\r\n", len(words))
	for _, w := range words {
		out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(w), w)
	}
	return out
}

func readLength(r *bufio.Reader, mark byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != mark {
		return 0, fmt.Errorf("bench: %q where a %q was expected", line, mark)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// taken is the last EVALSHA seen.
func (c *capture) taken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}
