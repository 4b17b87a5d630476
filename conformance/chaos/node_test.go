package chaos_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// node is a process of usher that is started, stopped and killed. It keeps its
// address, so that clients find it again.
type node struct {
	bin  string
	env  []string
	dir  string // its ready file, log and clock are here
	addr string // host:port, from the first start on

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	exit int
	said atomic.Pointer[ready]
}

// ready is what a node tells when it is.
type ready struct {
	Listen     string `json:"listen"`
	APIToken   string `json:"api_token"`
	MetricsURL string `json:"metrics_url"`
}

const startTime = 20 * time.Second

func newNode(t testing.TB, bin string, env ...string) *node {
	t.Helper()
	n := &node{bin: bin, env: env, dir: t.TempDir(), addr: "127.0.0.1:0"}
	t.Cleanup(n.kill)
	return n
}

// start runs the process and waits until it is ready.
func (n *node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	file := filepath.Join(n.dir, "ready.json")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	log, err := os.OpenFile(filepath.Join(n.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	n.cmd = exec.Command(n.bin, "serve", "--listen", n.addr, "--metrics-listen", "127.0.0.1:0", "--ready-file", file, "--log-level", "warn")
	n.cmd.Env = append(os.Environ(), append([]string{
		"USHER_LIMITS_RATE=100000", "USHER_LIMITS_BURST=100000", "USHER_INBOX_LISTEN=off", "USHER_TEST_CLOCK=" + n.clockFile(),
	}, n.env...)...)
	n.cmd.Stderr = log
	if err := n.cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	n.done = done
	go func(cmd *exec.Cmd) {
		defer close(done)
		err := cmd.Wait()
		n.exit = 0
		if code, ok := errors.AsType[*exec.ExitError](err); ok {
			n.exit = code.ExitCode()
		}
	}(n.cmd)
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil {
			said := &ready{}
			if err := json.Unmarshal(text, said); err != nil {
				return err
			}
			n.said.Store(said)
			n.addr = said.Listen
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("usher ended before it was ready:\n%s", n.log())
		default:
		}
	}
	return fmt.Errorf("usher is not ready after %s:\n%s", startTime, n.log())
}

func (n *node) log() string {
	text, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// panics finds what the race detector or a panic wrote.
func (n *node) panics() string {
	text, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if err != nil {
		return ""
	}
	for _, sign := range []string{"DATA RACE", "panic: ", "goroutine 1 ["} {
		if at := bytes.Index(text, []byte(sign)); at >= 0 {
			return string(text[at:min(len(text), at+3000)])
		}
	}
	return ""
}

// lost counts the lost writes that the log tells of.
func (n *node) lost() int {
	text, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if err != nil {
		return 0
	}
	total := 0
	for line := range bytes.Lines(text) {
		var entry struct {
			Msg   string
			Count int
		}
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "acknowledged writes are lost" {
			total += entry.Count
		}
	}
	return total
}

func (n *node) signal(s os.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(s) // it fails only when the process is gone
	}
}

func (n *node) await(d time.Duration) error {
	n.mu.Lock()
	done := n.done
	n.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-time.After(d):
		return fmt.Errorf("the process does not end within %s", d)
	}
}

// kill ends the process as the kernel would when memory is short.
func (n *node) kill() {
	n.signal(syscall.SIGKILL)
	_ = n.await(startTime) // nothing outlives SIGKILL
}

func (n *node) freeze() { n.signal(syscall.SIGSTOP) }

func (n *node) thaw() { n.signal(syscall.SIGCONT) }

// leave asks the process to end and says with what code it did.
func (n *node) leave() (int, error) {
	n.signal(syscall.SIGTERM)
	err := n.await(30 * time.Second)
	return n.exit, err
}

func (n *node) clockFile() string { return filepath.Join(n.dir, "clock") }

// setClock puts the clock of a node built by clockUsher off by d.
func (n *node) setClock(d time.Duration) error {
	temp := n.clockFile() + ".new"
	if err := os.WriteFile(temp, []byte(strconv.Itoa(int(d/time.Second))), 0o600); err != nil {
		return err
	}
	if err := os.Rename(temp, n.clockFile()); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // it is looked at every 20 ms
	return nil
}

// isReady asks the readiness probe.
func (n *node) isReady(ctx context.Context, c *http.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := c.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// gauges reads numbers from the metrics: goroutines and open files.
func (n *node) gauges(ctx context.Context, c *http.Client) (goroutines, files int) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	said := n.said.Load()
	if said == nil {
		return 0, 0
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, said.MetricsURL, nil)
	if err != nil {
		return 0, 0
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, 0 // it may be frozen or dead; then there is nothing to count
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		f, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "go_goroutines":
			goroutines = int(f)
		case name == "process_open_fds":
			files = int(f)
		}
	}
	return goroutines, files
}
