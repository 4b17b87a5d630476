package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/config"
)

// TestMain runs the tests, or is usher itself for tests that need a process
// to send signals to.
func TestMain(m *testing.M) {
	if os.Getenv("USHER_TEST_MAIN") != "" {
		main()
		return
	}
	logging.Disable() // as main does
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if _, err := os.Stat(config.Default().DataDir); err == nil {
			fmt.Fprintln(os.Stderr, "a test has kept its data here: give its server a directory, see withDataDir")
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// output is a buffer that a server writes to while the test reads.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds to the buffer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String gives all that was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// result is what a command left behind.
type result struct {
	code           int
	stdout, stderr string
}

// usher runs one command to its end.
func usher(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr output
	p := &program{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	code := p.run(t.Context(), args)
	return result{code, stdout.String(), stderr.String()}
}

// wantCode runs a command and checks its exit code.
func wantCode(t *testing.T, code int, env map[string]string, args ...string) result {
	t.Helper()
	got := usher(t, env, args...)
	if got.code != code {
		t.Fatalf("usher %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
	}
	return got
}

// node is a server that runs inside the test.
type node struct {
	ready
	file           string // the ready file
	stdout, stderr *output
	signal         context.CancelFunc // what SIGTERM does
	exit           chan int
	pause          time.Duration
}

// start runs "usher serve" on free ports until it is ready and stops it when
// the test ends.
func start(t *testing.T, env map[string]string, args ...string) *node {
	t.Helper()
	return startPausing(t, 10*time.Millisecond, env, args...)
}

func startPausing(t *testing.T, pause time.Duration, env map[string]string, args ...string) *node {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	n := &node{
		file: filepath.Join(t.TempDir(), "ready.json"), stdout: &output{}, stderr: &output{},
		signal: cancel, exit: make(chan int, 1), pause: pause,
	}
	p := &program{env: withDataDir(t, env), stdin: strings.NewReader(""), stdout: n.stdout, stderr: n.stderr, drainPause: pause}
	all := append([]string{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--ready-file", n.file}, args...)
	go func() { n.exit <- p.run(ctx, all) }()
	t.Cleanup(func() { n.stop(t) })
	deadline := time.Now().Add(30 * time.Second)
	for {
		text, err := os.ReadFile(n.file)
		if err == nil {
			if err := json.Unmarshal(text, &n.ready); err != nil {
				t.Fatalf("ready file: %v: %s", err, text)
			}
			return n
		}
		select {
		case code := <-n.exit:
			n.exit <- code
			t.Fatalf("serve ended with %d\n%s", code, n.stderr)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("serve is not ready\n%s", n.stderr)
		}
	}
}

// withDataDir gives a server without Redis a directory of its own, so that it keeps
// what it would keep for people, and leaves nothing in this one.
func withDataDir(t *testing.T, env map[string]string) map[string]string {
	t.Helper()
	if _, told := env["USHER_DATA_DIR"]; told || env["USHER_REDIS_URL"] != "" || env["USHER_REDIS_URL_FILE"] != "" {
		return env
	}
	env = maps.Clone(env)
	if env == nil {
		env = map[string]string{}
	}
	env["USHER_DATA_DIR"] = t.TempDir()
	return env
}

// stop ends the server as SIGTERM would; its exit code must be 0.
func (n *node) stop(t *testing.T) {
	t.Helper()
	n.signal()
	select {
	case code := <-n.exit:
		if code != 0 {
			t.Errorf("serve ended with %d, want 0\n%s", code, n.stderr)
		}
		n.exit <- 0 // for the next one who asks
	case <-time.After(30 * time.Second):
		t.Fatalf("serve does not end\n%s", n.stderr)
	}
}

// browser is a client that leaves no connection behind.
func browser() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

// reply is an answer without its body, which has been read and closed.
type reply struct {
	StatusCode int
	Header     http.Header
}

// get asks with a token, if there is one.
func get(t *testing.T, url, token string) (reply, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header}, string(body)
}

// root is the address of the main listener.
func (n *node) root() string { return strings.TrimSuffix(n.APIURL, "/api/v1") }

// side is the address of the metrics listener.
func (n *node) side() string { return strings.TrimSuffix(n.MetricsURL, "/metrics") }
