package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	t.Parallel() // a deletion takes its time
	n := start(t, nil)
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	made := wantCode(t, 0, nil, with("org", "create", "acme", "--name", "Acme SA")...)
	if !strings.Contains(made.stdout, "acme") || !strings.Contains(made.stdout, "Acme SA") {
		t.Errorf("created:\n%s", made.stdout)
	}
	again := wantCode(t, exitConflict, nil, with("org", "create", "acme")...)
	if !strings.Contains(again.stderr, "cannot create organization acme") || !strings.Contains(again.stderr, "choose another") || !strings.Contains(again.stderr, "(req ") {
		t.Errorf("what, why, what to do and request id are not all in:\n%s", again.stderr)
	}
	wantCode(t, exitUsage, nil, with("org", "create", "Not A Slug")...)
	wantCode(t, exitNotFound, nil, with("org", "show", "nobody")...)
	wantCode(t, 0, nil, with("org", "rename", "acme", "--slug", "acme-fr", "--name", "Acme France")...)
	wantCode(t, exitUsage, nil, with("org", "rename", "acme-fr")...)

	var orgs orgPage
	decode(t, wantCode(t, 0, nil, with("org", "list", "--output", "json")...).stdout, &orgs)
	if orgs.Total != 2 || len(orgs.Items) != 2 {
		t.Errorf("list %+v, want demo and acme-fr", orgs)
	}
	checkTokens(t, n)

	wantCode(t, exitUsage, nil, with("org", "delete", "acme-fr")...) // nobody can confirm
	gone := wantCode(t, 0, nil, with("org", "delete", "acme-fr", "--yes")...)
	if !strings.Contains(gone.stdout, "deleted") {
		t.Errorf("deleted:\n%s", gone.stdout)
	}
	wantCode(t, exitNotFound, nil, with("org", "show", "acme-fr")...)
}

// checkTokens takes tokens of acme-fr through their lives.
func checkTokens(t *testing.T, n *node) {
	t.Helper()
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	text := strings.TrimSpace(wantCode(t, 0, nil, with("token", "create", "acme-fr", "--name", "okta", "--profile", "okta", "--lifetime", "30d")...).stdout)
	users := n.root() + "/orgs/acme-fr/scim/v2/Users"
	if resp, body := get(t, users, text); resp.StatusCode != 200 {
		t.Fatalf("the token, which is all of stdout, does not work: %d %s", resp.StatusCode, body)
	}
	wantCode(t, 0, nil, with("org", "suspend", "acme-fr")...)
	if resp, _ := get(t, users, text); resp.StatusCode != 403 {
		t.Errorf("suspended: %d, want 403", resp.StatusCode)
	}
	wantCode(t, 0, nil, with("org", "resume", "acme-fr")...)
	if resp, _ := get(t, users, text); resp.StatusCode != 200 {
		t.Errorf("resumed: %d, want 200", resp.StatusCode)
	}
	var issued token
	id := strings.Split(text, "_")[2]
	decode(t, wantCode(t, 0, nil, with("token", "rotate", "acme-fr", id, "--output", "json")...).stdout, &issued)
	if issued.Text == "" || issued.ID == id {
		t.Errorf("rotated %+v", issued)
	}
	wantCode(t, exitConflict, nil, with("token", "rotate", "acme-fr", id)...)
	wantCode(t, 0, nil, with("token", "revoke", "acme-fr", id)...)
	wantCode(t, exitNotFound, nil, with("token", "revoke", "acme-fr", id)...)
	if list := wantCode(t, 0, nil, with("token", "list", "acme-fr")...).stdout; strings.Contains(list, id) || !strings.Contains(list, issued.ID) {
		t.Errorf("tokens after rotation and revocation:\n%s", list)
	}
	wantCode(t, exitUsage, nil, with("token", "create", "acme-fr", "--lifetime", "0d")...)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("stdout is not JSON: %v:\n%s", err, text)
	}
}

func TestConfirmation(t *testing.T) {
	n := start(t, nil)
	wantCode(t, 0, nil, "org", "create", "acme", "--ready-file", n.file)
	for _, step := range []struct {
		typed string
		code  int
	}{{"", exitFailure}, {"demo\n", exitFailure}, {"acme\n", exitOK}} {
		var stdout, stderr output
		p := &program{stdin: strings.NewReader(step.typed), stdout: &stdout, stderr: &stderr, interactive: true, progress: true}
		if code := p.run(t.Context(), []string{"org", "delete", "acme", "--wait=false", "--ready-file", n.file}); code != step.code {
			t.Errorf("typed %q: exit %d, want %d\n%s", step.typed, code, step.code, stderr.String())
		}
		if !strings.Contains(stderr.String(), "Type its slug") {
			t.Errorf("no question was asked:\n%s", stderr.String())
		}
	}
}

func TestCredentials(t *testing.T) {
	n := start(t, nil)
	wrong := map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": n.SCIMToken}
	right := file(t, n.APIToken+"\n")
	wantCode(t, exitForbidden, map[string]string{"USHER_API_URL": n.root()}, "org", "list")
	wantCode(t, exitForbidden, wrong, "org", "list")
	wantCode(t, exitForbidden, map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": "nonsense"}, "org", "list")
	wantCode(t, exitOK, map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": n.APIToken}, "org", "list")
	wantCode(t, exitOK, map[string]string{"USHER_API_URL": n.APIURL, "USHER_API_TOKEN_FILE": right}, "org", "list")
	wantCode(t, exitOK, wrong, "org", "list", "--api-token-file", right)
	wantCode(t, exitOK, wrong, "org", "list", "--ready-file", n.file)
	wantCode(t, exitConfig, wrong, "org", "list", "--api-token-file", "/does/not/exist")
	wantCode(t, exitConfig, wrong, "org", "list", "--ready-file", right)
	wantCode(t, exitUnavailable, wrong, "org", "list", "--api-url", "http://127.0.0.1:1")
	wantCode(t, exitUsage, wrong, "org", "list", "--api-url", "http://192.0.2.1")
	wantCode(t, exitUsage, wrong, "org", "list", "--api-url", "nowhere")
	wantCode(t, exitUsage, wrong, "org", "list", "--output", "xml")
}

// A server that is something else must not confuse, nor get the token by a
// redirect.
func TestStrangeServers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	answers := map[string]struct {
		handler http.HandlerFunc
		code    int
	}{
		"no JSON":  {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, exitFailure},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, exitFailure},
		"error":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, exitUnavailable},
		"problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte(`{"code":"unavailable","detail":"later"}`))
		}, exitUnavailable},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(a.handler)
			defer srv.Close()
			wantCode(t, a.code, map[string]string{"USHER_API_URL": srv.URL, "USHER_API_TOKEN": "ush_x"}, "org", "list")
		})
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
	defer srv.Close()
	p := &program{env: map[string]string{"USHER_API_URL": srv.URL, "USHER_API_TOKEN": "ush_x"}, stdout: &output{}, stderr: &output{}}
	if code := p.run(ctx, []string{"org", "list"}); code != exitInterrupted {
		t.Errorf("exit %d, want %d", code, exitInterrupted)
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		args []string
		code int
		says string
	}{
		{nil, 0, "usher serve"},
		{[]string{"--help"}, 0, "Documentation:"},
		{[]string{"serv"}, exitUsage, "serve"},
		{[]string{"org"}, 0, "create"},
		{[]string{"org", "lst"}, exitUsage, "did you mean list"},
		{[]string{"org", "create"}, exitUsage, "SLUG is missing"},
		{[]string{"org", "create", "a", "b"}, exitUsage, "too many"},
		{[]string{"org", "create", ""}, exitUsage, "empty"},
		{[]string{"token", "revoke", "a"}, exitUsage, "ID is missing"},
		{[]string{"version"}, 0, "go1."},
		{[]string{"version", "--output", "json"}, 0, `"platform"`},
		{[]string{"completion", "bash"}, 0, "__start_usher"},
		{[]string{"config", "show"}, 0, "USHER_REDIS_URL"},
		{[]string{"config", "show", "--output", "json"}, 0, `"redis.url"`},
		{[]string{"config", "check"}, 0, "sound"},
		{[]string{"config", "check", "--listen", "x"}, exitConfig, "listen (flag)"},
		{[]string{"config", "show", "--listen", "x"}, exitConfig, "listen (flag)"},
		{[]string{"healthcheck", "--url", "http://127.0.0.1:1/"}, exitUnavailable, "does not answer"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			got := wantCode(t, tt.code, map[string]string{"XDG_CONFIG_HOME": "/does/not/exist"}, tt.args...)
			if !strings.Contains(got.stdout+got.stderr, tt.says) {
				t.Errorf("the output lacks %q:\n%s%s", tt.says, got.stdout, got.stderr)
			}
			if tt.code != 0 && !strings.HasPrefix(got.stderr, "error: ") {
				t.Errorf("stderr does not begin with error:\n%s", got.stderr)
			}
		})
	}
}

func TestConfigShowMasksSecrets(t *testing.T) {
	env := map[string]string{"USHER_REDIS_URL": "redis://h:1", "USHER_REDIS_PASSWORD_FILE": file(t, "hunter2\n"), "USHER_ODD": "x"}
	got := wantCode(t, 0, env, "config", "show")
	if strings.Contains(got.stdout+got.stderr, "hunter2") || !strings.Contains(got.stdout, "***") ||
		!strings.Contains(got.stdout, "variable USHER_REDIS_PASSWORD_FILE") || !strings.Contains(got.stderr, "USHER_ODD") {
		t.Errorf("config show:\n%s%s", got.stdout, got.stderr)
	}
}

func TestHealthcheck(t *testing.T) {
	n := start(t, nil)
	wantCode(t, 0, nil, "healthcheck", "--url", n.root()+"/healthz")
	wantCode(t, 0, nil, "healthcheck", "--url", n.root()+"/readyz")
	wantCode(t, exitUnavailable, nil, "healthcheck", "--url", n.root()+"/nothing")
	metrics := strings.TrimPrefix(n.side(), "http://")
	wantCode(t, 0, map[string]string{"USHER_METRICS_LISTEN": metrics}, "healthcheck")
	wantCode(t, 0, map[string]string{"USHER_METRICS_LISTEN": "off", "USHER_LISTEN": n.Listen}, "healthcheck")
	n.stop(t)
	wantCode(t, exitUnavailable, map[string]string{"USHER_METRICS_LISTEN": metrics}, "healthcheck")
}
