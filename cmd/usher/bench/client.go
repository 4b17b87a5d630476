package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// request makes the bytes of the n-th request of a worker. It may reuse buf.
type request func(buf []byte, worker, n int) []byte

// load is one thing to drive: an address and the requests for it.
type load struct {
	name    string
	addr    string
	want    int // the status that counts as done
	request request
	each    int // pieces of work in a request, which are what is counted; 0: one
	conns   int // connections it may have at most; 0: all
}

// drive sends requests over the given number of connections for the given
// time and returns how many a second were answered. The client is made to cost
// little: requests are prepared bytes, of an answer only status and length are
// read.
func drive(ctx context.Context, l load, conns int, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if l.conns > 0 {
		conns = min(conns, l.conns)
	}
	counts := make([]int, conns)
	faults := make([]error, conns)
	var wg sync.WaitGroup
	start := time.Now()
	for w := range conns {
		wg.Go(func() { counts[w], faults[w] = work(ctx, l, w) })
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	total := 0
	for _, n := range counts {
		total += n
	}
	if err := errors.Join(faults...); err != nil {
		return 0, fmt.Errorf("%s: %w", l.name, err)
	}
	return float64(total*max(l.each, 1)) / took, nil
}

func work(ctx context.Context, l load, worker int) (int, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }() // nothing is buffered on our side
	c := client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	var buf []byte
	n := 0
	for ctx.Err() == nil {
		buf = l.request(buf[:0], worker, n)
		status, err := c.do(buf)
		if err != nil {
			return n, err
		}
		if status != l.want {
			return n, fmt.Errorf("request %d was answered with %d instead of %d: %s", n, status, l.want, c.body.Bytes())
		}
		n++
	}
	return n, nil
}

type client struct {
	conn net.Conn
	r    *bufio.Reader
	body bytes.Buffer // of answers that are not a success
}

// do sends one prepared request and reads its answer; of a success it throws
// the body away.
func (c *client) do(req []byte) (status int, err error) {
	if _, err := c.conn.Write(req); err != nil {
		return 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("odd status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, chunked := 0, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		switch {
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[16:]))); err != nil {
				return 0, err
			}
		case bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked")):
			chunked = true
		}
	}
	if chunked {
		return status, c.chunks()
	}
	if status >= 300 {
		c.body.Reset()
		_, err = io.CopyN(&c.body, c.r, int64(length))
		return status, err
	}
	_, err = c.r.Discard(length)
	return status, err
}

func (c *client) chunks() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := c.r.Discard(int(size) + 2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}
