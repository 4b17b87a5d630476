package main

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/conformance/check"
	"github.com/usher-scim/usher/internal/redistest"
)

// fast lets a check run at the speed of the server.
func fast(env map[string]string) map[string]string {
	out := map[string]string{"USHER_LIMITS_RATE": "100000", "USHER_LIMITS_BURST": "100000"}
	maps.Copy(out, env)
	return out
}

// TestCheck: usher passes its own checks on all stores, and nothing is skipped
// but for a reason that is known here.
func TestCheck(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { checkItself(t, fast(nil), "rfc") })
	t.Run("redis", func(t *testing.T) {
		checkItself(t, fast(map[string]string{"USHER_REDIS_URL": redistest.Start(t)}), check.Profiles()...)
	})
	t.Run("cluster", func(t *testing.T) {
		checkItself(t, fast(map[string]string{"USHER_REDIS_URL": redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1}).URL}), "entra")
	})
}

// whole are the profiles that every check is run under; for the others those
// that differ are enough.
var whole = [...]string{"rfc", "entra", "okta", "generic"}

func checkItself(t *testing.T, env map[string]string, profiles ...string) {
	n := start(t, env)
	declare(t, n)
	for _, profile := range profiles {
		token := filepath.Join(t.TempDir(), "token")
		made := wantCode(t, 0, nil, "token", "create", n.Org, "--profile", profile, "--name", "check", "--ready-file", n.file)
		if err := os.WriteFile(token, []byte(made.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		only, least := "", 250
		if !slices.Contains(whole[:], profile) {
			only, least = "^("+profile+"|loss|create|represent|etag)/", 50
		}
		got := usher(t, nil, "check", "--url", n.SCIMURL, "--token-file", token, "--profile", profile, "--only", only, "--output", "json")
		var report check.Report
		if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
			t.Fatalf("%s: %v\n%s%s", profile, err, got.stdout, got.stderr)
		}
		for _, r := range report.Results {
			if r.Status == check.Failed {
				t.Errorf("%s: %s (%v): %s\n%+v", profile, r.ID, r.Sources, r.Reason, r.Exchanges[max(0, len(r.Exchanges)-2):])
			}
			if r.Status == check.Skipped && !explained(check.Reason(r.Reason)) {
				t.Errorf("%s: %s is skipped without a known reason: %s", profile, r.ID, r.Reason)
			}
		}
		if got.code != 0 || report.Failed != 0 || report.Passed < least || len(report.Leftovers) > 0 {
			t.Errorf("%s: exit %d, %d passed, %d failed, leftovers %v", profile, got.code, report.Passed, report.Failed, report.Leftovers)
		}
	}
	if resp, body := get(t, n.SCIMURL+"/Users?count=0", n.SCIMToken); resp.StatusCode != 200 || !strings.Contains(body, `"totalResults":0`) {
		t.Errorf("something is left behind: %d %s", resp.StatusCode, body)
	}
}

// declare gives the organization the schemas of docs/examples, so that the
// checks of what is declared have something to look at.
func declare(t *testing.T, n *node) {
	t.Helper()
	for _, args := range [][]string{
		{"schema", "put", n.Org, "../../docs/examples/badge-extension.json", "--extends", "User"},
		{"schema", "put", n.Org, "../../docs/examples/device-type.json"},
		{"resource-type", "put", n.Org, "../../docs/examples/device-type.json"},
	} {
		wantCode(t, 0, nil, append(args, "--ready-file", n.file)...)
	}
}

// explained knows the reasons for which usher may skip a check.
func explained(why check.Reason) bool {
	known := []check.Reason{check.NoMe, check.NoCustom, check.NoSuchKind, check.HasBulk}
	return slices.Contains(known, why) || strings.HasPrefix(string(why), string(check.OtherProfile))
}

// TestCheckSeesIdleness: a server that answers PATCH with success and does
// nothing passes hardly any check of PATCH.
func TestCheckSeesIdleness(t *testing.T) {
	n := start(t, fast(nil))
	target, err := url.Parse(n.root())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	idle := httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if r.Out.Method == http.MethodPatch {
			r.Out.Method, r.Out.Body, r.Out.ContentLength = http.MethodGet, http.NoBody, 0
		}
	}})
	t.Cleanup(idle.Close)
	got := usher(t, nil, "check", "--ready-file", n.file, "--url", idle.URL+strings.TrimPrefix(n.SCIMURL, n.root()), "--token-file", tokenOf(t, n), "--only", "^patch/", "--output", "json")
	var report check.Report
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || got.code != 1 {
		t.Fatalf("exit %d, %v\n%s", got.code, err, got.stderr)
	}
	if report.Failed < 100 || report.Passed > 30 {
		t.Errorf("%d failed and %d passed of a server that does nothing", report.Failed, report.Passed)
	}
	for _, r := range report.Results {
		if r.Status == check.Passed {
			t.Log("passed all the same: ", r.ID)
		}
	}
}

// tokenOf is a file with the token of a server.
func tokenOf(t *testing.T, n *node) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(n.SCIMToken), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCheckOutput: the three forms, the list, and the exit codes.
func TestCheckOutput(t *testing.T) {
	n := start(t, nil)
	some := []string{"check", "--ready-file", n.file, "--only", "create/user,create/location,me/location,entra/several"}
	text := wantCode(t, 0, nil, some...)
	if lines := strings.Split(strings.TrimSpace(text.stdout), "\n"); lines[len(lines)-1] != "2 passed, 0 failed" {
		t.Errorf("the last line is %q", lines[len(lines)-1])
	}
	var suite struct {
		Tests, Skipped int
		Cases          []struct{} `xml:"testcase"`
	}
	junit := wantCode(t, 0, nil, append(some, "--output", "junit")...)
	if err := xml.Unmarshal([]byte(junit.stdout), &suite); err != nil || len(suite.Cases) != 4 {
		t.Errorf("junit: %v, %+v\n%s", err, suite, junit.stdout)
	}
	if list := wantCode(t, 0, nil, "check", "--list").stdout; strings.Count(list, "\n") < 250 || !strings.Contains(list, "R-103") {
		t.Errorf("the list has %d lines", strings.Count(list, "\n"))
	}
	for _, row := range []struct {
		code int
		args []string
	}{
		{exitUsage, []string{"--output", "yaml"}},
		{exitUsage, []string{"--profile", "nobody"}},
		{exitUsage, []string{"--only", "no/such/check"}},
		{exitUsage, []string{"--parallel", "0"}},
		{exitUsage, nil},
		{exitUsage, []string{"--url", "ftp://x/scim", "--token-file", tokenOf(t, n)}},
		{exitUsage, []string{"--url", "http://id.example.com/scim", "--token-file", tokenOf(t, n)}},
		{exitForbidden, []string{"--url", n.SCIMURL}},
		{exitConfig, []string{"--url", n.SCIMURL, "--token-file", n.file}},
		{exitConfig, []string{"--url", n.SCIMURL, "--token-file", "/does/not/exist"}},
		{exitConfig, []string{"--ready-file", n.file, "--ca-file", n.file}},
		{exitUnavailable, []string{"--url", "http://127.0.0.1:1/scim/v2", "--token-file", tokenOf(t, n)}},
	} {
		got := wantCode(t, row.code, nil, append([]string{"check"}, row.args...)...)
		if strings.Contains(got.stdout+got.stderr, n.SCIMToken) {
			t.Errorf("%v shows the token", row.args)
		}
	}
}
