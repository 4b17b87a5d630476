package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// startRedis starts a redis-server of our own on loopback, with an append-only
// file synced every second, a random port and a password. stop ends it and
// removes its files.
func startRedis(ctx context.Context) (url string, stop func(), err error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, errors.New("bench: redis-server is not installed; install it (Debian: apt-get install redis-server) or name a server with --redis")
	}
	dir, err := os.MkdirTemp("", "usher-bench-")
	if err != nil {
		return "", nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	password := rand.Text()
	out, stop, err := launch(binary, dir, fmt.Sprintf("port %d\nrequirepass %s\nauto-aof-rewrite-percentage 0\n", port, password))
	if err != nil {
		return "", nil, err
	}
	url = fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)
	if err := awaitRedis(ctx, url); err != nil {
		stop()
		return "", nil, fmt.Errorf("bench: redis-server did not start: %w: %s", err, out.Bytes())
	}
	return url, stop, nil
}

// launch starts a server on loopback with the settings that all have here and some
// of its own, given on its standard input: the command line is readable by all.
// stop ends it and removes dir.
func launch(binary, dir, settings string) (out *bytes.Buffer, stop func(), err error) {
	out = &bytes.Buffer{}
	cmd := exec.Command(binary, "-") //nolint:noctx // it outlives cancelling: stop ends it after the last request
	cmd.Stdin = strings.NewReader(fmt.Sprintf("bind 127.0.0.1\ndir %s\nappendonly yes\nappendfsync everysec\nsave \"\"\nmaxmemory-policy noeviction\nlazyfree-lazy-user-del yes\n", dir) + settings)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return out, func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // killed: the error says just that
		_ = os.RemoveAll(dir)  // temporary files
	}, nil
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	if err := l.Close(); err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

func awaitRedis(ctx context.Context, url string) error {
	opts, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }() // nothing to lose
	for range 100 {
		if err = client.Ping(ctx).Err(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
