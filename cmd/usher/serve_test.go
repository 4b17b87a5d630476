package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
)

func TestServe(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { checkServe(t, nil) })
	t.Run("redis", func(t *testing.T) { checkServe(t, map[string]string{"USHER_REDIS_URL": redistest.Start(t)}) })
	t.Run("cluster", func(t *testing.T) {
		checkServe(t, map[string]string{"USHER_REDIS_URL": redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1}).URL})
	})
	t.Run("sentinel", func(t *testing.T) {
		checkServe(t, map[string]string{"USHER_REDIS_URL": redistest.Sentinels(t, redistest.SentinelConfig{Replicas: 1}).URL})
	})
}

func checkServe(t *testing.T, env map[string]string) {
	n := start(t, env, "--log-level", "debug")
	info, err := os.Stat(n.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("ready file: mode %v, err %v; want 0600", info.Mode(), err)
	}
	if n.Org != "demo" || n.SCIMURL != n.root()+"/orgs/demo/scim/v2" || n.PublicURL != "http://"+n.Listen || n.ConsoleURL != "" {
		t.Errorf("ready file %+v", n.ready)
	}
	for _, want := range []string{n.SCIMURL, n.SCIMToken, n.APIURL, n.APIToken, n.MetricsURL, "curl -H"} {
		if want == "" || !strings.Contains(n.stdout.String(), want) {
			t.Errorf("the banner lacks %q:\n%s", want, n.stdout)
		}
	}
	if embedded := env == nil; embedded != strings.Contains(n.stdout.String(), "every write on disk before it is answered") {
		t.Errorf("the banner says the wrong thing of durability:\n%s", n.stdout)
	}
	for url, token := range map[string]string{
		n.SCIMURL + "/Users": n.SCIMToken, n.SCIMURL + "/ServiceProviderConfig": n.SCIMToken, n.APIURL + "/orgs": n.APIToken,
		n.root() + "/api/openapi.json": "", n.root() + "/healthz": "", n.root() + "/readyz": "", n.root() + "/version": "", n.root() + "/": "",
		n.side() + "/healthz": "", n.side() + "/readyz": "", n.MetricsURL: "",
	} {
		resp, body := get(t, url, token)
		if resp.StatusCode != 200 {
			t.Errorf("GET %s: %d %s", url, resp.StatusCode, body)
		}
		if strings.HasPrefix(url, n.root()) && resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: headers %v lack nosniff", url, resp.Header)
		}
		if resp.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("GET %s: HSTS without TLS", url)
		}
	}
	for url, want := range map[string]int{n.root() + "/nothing": 404, n.root() + "/metrics": 404, n.SCIMURL + "/Users": 401, n.APIURL + "/orgs": 401} {
		if resp, _ := get(t, url, ""); resp.StatusCode != want || resp.Header.Get("Content-Type") == "text/plain; charset=utf-8" {
			t.Errorf("GET %s: %d %s, want %d", url, resp.StatusCode, resp.Header.Get("Content-Type"), want)
		}
	}
	_, numbers := get(t, n.MetricsURL, "")
	for _, want := range []string{
		`usher_scim_requests_total{op=`, `status="401"`, "usher_scim_request_seconds_bucket", `usher_redis_seconds_count{op=`,
		"usher_commit_reruns_total 0", "usher_stream_length 3", "usher_build_info", "go_goroutines", "process_",
	} {
		if !strings.Contains(numbers, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	n.stop(t)
	if log := n.stderr.String(); strings.Contains(log, n.SCIMToken) || strings.Contains(log, n.APIToken) || !strings.Contains(log, `"req":`) {
		t.Errorf("the log shows a token or lacks request ids:\n%s", log)
	}
}

func TestSecondStartDoesNotBootstrap(t *testing.T) {
	env := map[string]string{"USHER_REDIS_URL": redistest.Start(t)}
	first := start(t, env)
	first.stop(t)
	second := start(t, env)
	if second.SCIMToken != "" || second.APIToken != "" || second.Org != "demo" || second.SCIMURL == "" {
		t.Errorf("second ready file %+v, want org demo without tokens", second.ready)
	}
	if banner := second.stdout.String(); strings.Contains(banner, "ush_") || !strings.Contains(banner, "usher serve --issue-api-token") {
		t.Errorf("the second banner shows tokens, or not how to get one:\n%s", banner)
	}
	if resp, body := get(t, second.SCIMURL+"/Users", first.SCIMToken); resp.StatusCode != 200 {
		t.Errorf("the first token on the second server: %d %s", resp.StatusCode, body)
	}
}

// An operator who has lost every API token gets one from a start that was
// asked for it, and issues and revokes others with it.
func TestIssueAPIToken(t *testing.T) {
	env := map[string]string{"USHER_REDIS_URL": redistest.Start(t)}
	start(t, env).stop(t)
	n := start(t, env, "--issue-api-token", "--data-dir", t.TempDir())
	if n.APIToken == "" || n.SCIMToken != "" || !strings.Contains(n.stdout.String(), n.APIToken) {
		t.Fatalf("ready file %+v, want an API token and no other", n.ready)
	}
	if !strings.Contains(n.stderr.String(), "data_dir (flag) has no effect") {
		t.Errorf("a data directory is taken without a word:\n%s", n.stderr)
	}
	n.stop(t)
}

func TestNoBootstrap(t *testing.T) {
	n := start(t, nil, "--no-bootstrap")
	if n.Org != "" || n.SCIMURL != "" || n.APIToken != "" {
		t.Errorf("ready file %+v, want nothing made", n.ready)
	}
	if !strings.Contains(n.stdout.String(), "no organization yet") {
		t.Errorf("the banner does not say so:\n%s", n.stdout)
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 600 { // half a minute: machines may be slow
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}

// A request that has begun is answered, probes say "not ready" meanwhile.
func TestDrain(t *testing.T) {
	n := startPausing(t, 3*time.Second, nil)
	conn, err := net.Dial("tcp", n.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = `{"slug":"slow"}`
	fmt.Fprintf(conn, "POST /api/v1/orgs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		n.APIToken, len(body))
	answers := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue", ""} { // the operation reads the body: the request is in flight
		if line, err := answers.ReadString('\n'); err != nil || strings.TrimSpace(line) != want {
			t.Fatalf("the server says %q, %v; want %q", line, err, want)
		}
	}
	n.signal()
	eventually(t, "readyz says draining", func() bool {
		resp, text := get(t, n.root()+"/readyz", "")
		return resp.StatusCode == 503 && strings.Contains(text, "draining")
	})
	if resp, _ := get(t, n.root()+"/healthz", ""); resp.StatusCode != 200 {
		t.Errorf("healthz while draining: %d", resp.StatusCode)
	}
	eventually(t, "the listener is closed", func() bool {
		c, err := net.Dial("tcp", n.Listen)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	fmt.Fprint(conn, body)
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("the request in flight got no answer: %v", err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 201 {
		t.Errorf("the request in flight: %d %s %v", resp.StatusCode, text, err)
	}
	n.stop(t)
}

// A revoked token stops working within five seconds, also on a node that has
// just seen it work.
func TestRevokedTokenStops(t *testing.T) {
	t.Parallel()
	env := map[string]string{"USHER_REDIS_URL": redistest.Start(t)}
	one := start(t, env)
	two := start(t, env)
	text := strings.TrimSpace(wantCode(t, 0, nil, "token", "create", "demo", "--ready-file", one.file).stdout)
	id := strings.Split(text, "_")[2]
	for _, n := range []*node{one, two} {
		if resp, body := get(t, n.SCIMURL+"/Users", text); resp.StatusCode != 200 {
			t.Fatalf("the new token: %d %s", resp.StatusCode, body)
		}
	}
	wantCode(t, 0, nil, "token", "revoke", "demo", id, "--ready-file", one.file)
	if resp, _ := get(t, one.SCIMURL+"/Users", text); resp.StatusCode != 401 {
		t.Errorf("on the node that revoked it: %d, want 401 at once", resp.StatusCode)
	}
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		resp, _ := get(t, two.SCIMURL+"/Users", text)
		if resp.StatusCode == 401 {
			return
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("after 5 seconds the token still works on the other node: %d", resp.StatusCode)
		}
	}
}

func TestStoreGoesAway(t *testing.T) {
	server := redistest.Run(t, redistest.Config{})
	n := start(t, map[string]string{"USHER_REDIS_URL": server.URL})
	server.Kill()
	if resp, body := get(t, n.side()+"/readyz", ""); resp.StatusCode != 503 || !strings.Contains(body, "store") {
		t.Errorf("readyz: %d %s, want 503", resp.StatusCode, body)
	}
	if resp, _ := get(t, n.side()+"/healthz", ""); resp.StatusCode != 200 {
		t.Errorf("healthz: %d, want 200", resp.StatusCode)
	}
	if resp, numbers := get(t, n.MetricsURL, ""); resp.StatusCode != 200 || strings.Contains(numbers, "usher_stream_length") || !strings.Contains(numbers, "usher_build_info") {
		t.Errorf("the metrics without a store: %d %s, want all but the length of the streams", resp.StatusCode, numbers)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		resp, body := get(t, n.side()+"/readyz", "")
		if resp.StatusCode == 200 {
			return
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("not ready again: %d %s", resp.StatusCode, body)
		}
	}
}

func TestServeRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		env  map[string]string
		args []string
		code int
		says []string
	}{
		{"open listener", nil, []string{"--listen", "0.0.0.0:0"}, exitConfig, []string{"listen (flag)", "trusted_proxies", "tls.cert"}},
		{
			"many faults",
			map[string]string{"USHER_LOG_LEVEL": "loud"},
			[]string{"--listen", "x", "--tls-cert", "/does/not/exist"},
			exitConfig,
			[]string{"- log.level (variable USHER_LOG_LEVEL)", "- listen (flag)", "- tls.key"},
		},
		{"address taken", nil, []string{"--listen", taken.Addr().String()}, exitConfig, []string{"cannot listen", "--listen"}},
		{"metrics address taken", nil, []string{"--listen", "127.0.0.1:0", "--metrics-listen", taken.Addr().String()}, exitConfig, []string{"--metrics-listen"}},
		{"no Redis", nil, []string{"--listen", "127.0.0.1:0", "--metrics-listen", "off", "--redis", "redis://:hunter2@127.0.0.1:1"}, exitUnavailable, []string{"cannot open the store"}},
		{"no place for the ready file", nil, []string{"--listen", "127.0.0.1:0", "--metrics-listen", "off", "--ready-file", "/does/not/exist/x"}, exitConfig, []string{"ready file"}},
		{"unknown flag", nil, []string{"--lissten", "x"}, exitUsage, []string{"--lissten", "usher serve --help"}},
		{"an argument", nil, []string{"now"}, exitUsage, []string{`"now"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wantCode(t, tt.code, withDataDir(t, tt.env), append([]string{"serve"}, tt.args...)...)
			for _, want := range tt.says {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
			if strings.Contains(got.stdout+got.stderr, "hunter2") {
				t.Errorf("the password shows:\n%s", got.stderr)
			}
		})
	}
}

// The usual metrics port may be taken, for example by a Prometheus.
func TestUsualMetricsPortTaken(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.1:9090"); err == nil {
		defer l.Close()
	}
	file := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(t.Context())
	exit := make(chan int, 1)
	p := &program{env: withDataDir(t, nil), stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	go func() { exit <- p.run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--ready-file", file}) }()
	for {
		if _, err := os.Stat(file); err == nil {
			break
		}
		select {
		case code := <-exit:
			t.Fatalf("serve ended with %d", code)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if code := <-exit; code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

// The process itself: SIGTERM drains and exits 0, a second signal ends it.
func TestSignals(t *testing.T) {
	for _, second := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "ready.json")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--ready-file", file)
		cmd.Env = append(os.Environ(), "USHER_TEST_MAIN=1", "USHER_DATA_DIR="+t.TempDir())
		var log output
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var r ready
		eventually(t, "the ready file is there", func() bool {
			text, err := os.ReadFile(file)
			return err == nil && json.Unmarshal(text, &r) == nil
		})
		if second { // a connection that says nothing keeps the drain going
			conn, err := net.Dial("tcp", r.Listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		terminate := func() {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		}
		terminate()
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if second {
			eventually(t, "the server drains", func() bool { return strings.Contains(log.String(), "draining") })
			eventually(t, "another signal ends it", func() bool { terminate(); return len(ended) > 0 })
		}
		err := <-ended
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !second && err != nil || second && !status.Signaled() {
			t.Errorf("second signal %v: ended with %v", second, err)
		}
	}
}
