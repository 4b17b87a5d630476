package redistest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Config says how the server differs from the default: no persistence, no
// eviction, one database on a random port of 127.0.0.1.
type Config struct {
	// Args are further settings, each name followed by its value, as on the
	// command line: {"--appendonly", "yes", "--appendfsync", "everysec"}.
	Args []string
}

// Server is one running redis-server.
type Server struct {
	URL      string // redis://:password@127.0.0.1:port/0
	Addr     string // host:port
	Password string
	Dir      string // the working directory, removed after the test

	args []string
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	log  *bytes.Buffer
}

const (
	startTime = 10 * time.Second
	tries     = 5 // starts on other ports
)

// Start runs a server with the default settings and returns its URL. Without
// redis-server on the machine the test is skipped, or fails when the
// environment variable CI is set.
func Start(tb testing.TB) string {
	tb.Helper()
	return Run(tb, Config{}).URL
}

// Run is [Start] with settings and a handle to the server.
func Run(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	bin := binary(tb)
	pass := password(tb)
	var failed error
	for range tries { // another process may take the free port before the server does
		s := &Server{Password: pass, Dir: tb.TempDir()}
		if failed = s.start(bin, "", cfg.Args); failed == nil {
			tb.Cleanup(s.Kill)
			return s
		}
	}
	tb.Fatalf("redis-server does not start: %v", failed)
	return nil
}

// binary finds redis-server, or skips or fails the test.
func binary(tb testing.TB) string {
	tb.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("redis-server is not installed, and CI is set: install it (Debian package redis-server)")
		}
		tb.Skip("redis-server is not installed: this test needs a real one (Debian package redis-server)")
	}
	return bin
}

func password(tb testing.TB) string {
	tb.Helper()
	pass := make([]byte, 16)
	if _, err := rand.Read(pass); err != nil {
		tb.Fatalf("random password: %v", err)
	}
	return hex.EncodeToString(pass)
}

// start runs the server on a free port; conf are further lines of its file of
// settings, for what must not be on the command line.
func (s *Server) start(bin, conf string, extra []string) error {
	file, port, err := s.place("requirepass " + s.Password + "\n" + conf)
	if err != nil {
		return err
	}
	s.args = append([]string{
		bin, file, "--port", port, "--bind", "127.0.0.1",
		"--dir", s.Dir, "--save", "", "--appendonly", "no", "--daemonize", "no", "--databases", "1",
	}, extra...)
	return s.Restart()
}

// place finds a port for the server and writes its file of settings: passwords
// go in by it, because the command line is readable by all.
func (s *Server) place(conf string) (file, port string, err error) {
	n, err := freePort()
	if err != nil {
		return "", "", err
	}
	port = strconv.Itoa(n)
	s.Addr = net.JoinHostPort("127.0.0.1", port)
	s.URL = (&url.URL{Scheme: "redis", User: url.UserPassword("", s.Password), Host: s.Addr, Path: "/0"}).String()
	file = filepath.Join(s.Dir, "redis.conf")
	return file, port, os.WriteFile(file, []byte(conf), 0o600)
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // its port is all that was wanted
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("the listener has no TCP address")
	}
	return addr.Port, nil
}

// Restart starts the server again, on the same port and directory, after
// [Server.Kill]; it returns when the server answers.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = &bytes.Buffer{}
	s.cmd = exec.CommandContext(context.Background(), s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // a killed server always ends with an error
		close(done)
	}(s.cmd, s.done)
	return s.await()
}

func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("redis-server ended: %s", strings.TrimSpace(s.log.String()))
		case <-ctx.Done():
			_ = s.cmd.Process.Kill()
			<-s.done
			return fmt.Errorf("redis-server does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ping authenticates too: only our own server knows the password.
func (s *Server) ping(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // what matters has been read by then
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", s.Password); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) != want {
			return fmt.Errorf("unexpected answer %q", line)
		}
	}
	return nil
}

// Kill ends the server as a power cut of the process would (SIGKILL) and
// waits until it is gone.
func (s *Server) Kill() { s.signal(syscall.SIGKILL, true) }

// Freeze stops the server without ending it (SIGSTOP); [Server.Thaw] lets it
// run on.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP, false) }

// Thaw lets a frozen server run on (SIGCONT).
func (s *Server) Thaw() { s.signal(syscall.SIGCONT, false) }

func (s *Server) signal(sig syscall.Signal, wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.cmd.Process.Signal(sig) // it fails only when the process is gone
	if wait {
		<-s.done
	}
}
