package backend

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialEmbedded connects to the embedded server without a network.
func (s *Store) dialEmbedded(context.Context, string, string) (net.Conn, error) {
	conn, err := s.embedded.Dial()
	if err != nil {
		return nil, err
	}
	q := &queueConn{Conn: conn}
	q.more.L = &q.mu
	go q.pump() // ends with Close
	return q, nil
}

// queueConn lets writes return at once. The pipe underneath has no buffer: a
// client that writes a long pipeline before it reads, and a server that
// answers before it has read all of it, would wait for each other forever.
type queueConn struct {
	net.Conn
	mu     sync.Mutex
	more   sync.Cond
	queue  []byte
	err    error
	closed bool
}

// Write queues p; an error is that of an earlier write.
func (q *queueConn) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, net.ErrClosed
	}
	if q.err != nil {
		return 0, q.err
	}
	q.queue = append(q.queue, p...)
	q.more.Signal()
	return len(p), nil
}

// SetWriteDeadline does nothing: no write waits.
func (q *queueConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is that of reads.
func (q *queueConn) SetDeadline(t time.Time) error { return q.SetReadDeadline(t) }

// Close ends the pump too.
func (q *queueConn) Close() error {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	return q.Conn.Close()
}

func (q *queueConn) pump() {
	var batch []byte
	for {
		q.mu.Lock()
		for len(q.queue) == 0 && !q.closed {
			q.more.Wait()
		}
		if q.closed {
			q.mu.Unlock()
			return
		}
		batch, q.queue = q.queue, batch[:0]
		q.mu.Unlock()
		if _, err := q.Conn.Write(batch); err != nil {
			q.mu.Lock()
			q.err = err
			q.mu.Unlock()
			return
		}
	}
}
