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
	"path/filepath"
	"strconv"
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
	conf := fmt.Sprintf("bind 127.0.0.1\nport %d\nrequirepass %s\ndir %s\nappendonly yes\nappendfsync everysec\nsave \"\"\nmaxmemory-policy noeviction\nlazyfree-lazy-user-del yes\nauto-aof-rewrite-percentage 0\n", port, password, dir)
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	var out bytes.Buffer
	cmd := exec.Command(binary, file) //nolint:noctx // it outlives cancelling: stop ends it after the last request
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // killed: the error says just that
		_ = os.RemoveAll(dir)  // temporary files
	}
	url = fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)
	if err := awaitRedis(ctx, url); err != nil {
		stop()
		return "", nil, fmt.Errorf("bench: redis-server did not start: %w: %s", err, out.Bytes())
	}
	return url, stop, nil
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
