package redistest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// doTime bounds one command: a frozen server does not answer.
const doTime = 500 * time.Millisecond

// Client talks to the server at a URL, until the test ends.
func Client(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatalf("the URL of a server: %v", err)
	}
	c := redis.NewClient(opt)
	tb.Cleanup(func() { _ = c.Close() }) // what it was for is over
	return c
}

// Do sends one command to this server, over a connection of its own, and
// returns the reply as go-redis gives it: string, int64, []any or nil.
func (s *Server) Do(ctx context.Context, words ...string) (any, error) {
	// Dialled here first: the client writes to standard error when it cannot.
	conn, err := (&net.Dialer{Timeout: doTime}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	client := redis.NewClient(&redis.Options{
		Addr: s.Addr, Password: s.Password, Protocol: 2, PoolSize: 1, MaxRetries: -1,
		DialerRetries: 1, DialTimeout: doTime, ReadTimeout: doTime, WriteTimeout: doTime,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = w
	}
	reply, err := client.Do(ctx, args...).Result()
	if closed := client.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", s.Addr, words[0], err)
	}
	return reply, nil
}

func (s *Server) text(ctx context.Context, words ...string) (string, error) {
	reply, err := s.Do(ctx, words...)
	text, _ := reply.(string)
	return text, err
}

// eventually asks until there is no error, or until ctx ends, and then returns
// the last error.
func eventually(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Clear deletes everything that the cluster holds.
func (c *ClusterServers) Clear(tb testing.TB) {
	tb.Helper()
	clearAll(tb, c.Nodes)
}

// Clear deletes everything that the servers hold.
func (g *SentinelServers) Clear(tb testing.TB) {
	tb.Helper()
	clearAll(tb, g.Nodes)
}

func clearAll(tb testing.TB, nodes []*Server) {
	tb.Helper()
	for _, s := range nodes {
		info, err := s.text(tb.Context(), "INFO", "replication")
		if err == nil && strings.Contains(info, "role:master") {
			_, err = s.Do(tb.Context(), "FLUSHALL")
		}
		if err != nil {
			tb.Fatalf("clear: %v", err)
		}
	}
}
