package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestSimulate: one dialect against a server, found by its ready file.
func TestSimulate(t *testing.T) {
	n := start(t, map[string]string{"USHER_REDIS_URL": redistest.Start(t)})
	got := wantCode(t, 0, nil, "simulate", "okta", "--ready-file", n.file, "--users", "12", "--groups", "2", "--rate", "0", "--trouble", "0.3", "--seed", "5")
	for _, part := range []string{"dialect     okta, seed 5\n", "create user", "0 errors, 0 differences\n"} {
		if !strings.Contains(got.stdout, part) {
			t.Errorf("the report lacks %q\n%s", part, got.stdout)
		}
	}
	if _, list := get(t, n.SCIMURL+"/Users?count=0", n.SCIMToken); !strings.Contains(list, `"totalResults":0`) {
		t.Errorf("something is left: %s", list)
	}
	wantCode(t, 0, nil, "simulate", "authentik", "--url", n.SCIMURL, "--token-file", file(t, n.SCIMToken),
		"--users", "5", "--groups", "1", "--rate", "0", "--cycles", "0", "--workers", "1", "--keep", "--output", "json")
	if _, list := get(t, n.SCIMURL+"/Users?count=0", n.SCIMToken); !strings.Contains(list, `"totalResults":5`) {
		t.Errorf("not everything was kept: %s", list)
	}
}

// TestSimulateMix: two organizations at once, each with the next dialect, one
// of them chosen; the token of the second does not have its profile, and the
// report tells what came of that.
func TestSimulateMix(t *testing.T) {
	n := start(t, nil)
	lines := ""
	for i, profile := range []string{"entra", "ping"} {
		slug := fmt.Sprintf("org-%d", i)
		wantCode(t, 0, nil, "org", "create", slug, "--ready-file", n.file)
		made := wantCode(t, 0, nil, "token", "create", slug, "--profile", profile, "--ready-file", n.file)
		lines += fmt.Sprintf("{\"url\":%q,\"token\":%q}\n", n.root()+"/orgs/"+slug+"/scim/v2", strings.TrimSpace(made.stdout))
	}
	targets := filepath.Join(t.TempDir(), "targets.jsonl")
	if err := os.WriteFile(targets, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"simulate", "mix", "--targets", targets, "--users", "8", "--groups", "1", "--rate", "0", "--output", "json"}
	got := wantCode(t, 0, nil, append(args, "--duration", "300ms")...)
	var report struct {
		Good    bool
		Overall struct{ Count int }
		Total   struct{ Requests int }
		Targets []struct{ Dialect string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	if !report.Good || report.Overall.Count == 0 || len(report.Targets) != 2 || report.Targets[0].Dialect != "entra" || report.Targets[1].Dialect != "okta" {
		t.Errorf("report %+v", report)
	}

	wrong := strings.ReplaceAll(lines, "}\n", `,"dialect":"ping"}`+"\n")
	if err := os.WriteFile(targets, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	got = wantCode(t, 1, nil, "simulate", "mix", "--targets", targets, "--users", "3", "--groups", "1", "--rate", "0", "--cycles", "0")
	if !strings.Contains(got.stdout, "error       target 1 (ping): create user: POST /Users: 400: ") || strings.Contains(got.stdout, "target 2 (ping)") {
		t.Errorf("the report is\n%s", got.stdout)
	}
}

// TestSimulateCommandLine: wrong command lines are refused before anything is
// sent.
func TestSimulateCommandLine(t *testing.T) {
	token := file(t, "ush_x")
	bad := file(t, "{\"url\":\"http://127.0.0.1:1\"}\n")
	odd := file(t, "{\"uri\":\"http://127.0.0.1:1\"}\n")
	for _, c := range []struct {
		code int
		part string
		args []string
	}{
		{2, "DIALECT is missing", nil},
		{2, "not known", []string{"keycloak", "--url", "http://127.0.0.1:1", "--token-file", token}},
		{2, "no SCIM root", []string{"okta", "--token-file", token}},
		{6, "no SCIM token", []string{"okta", "--url", "http://127.0.0.1:1"}},
		{3, "cannot read the SCIM token", []string{"okta", "--url", "http://127.0.0.1:1", "--token-file", token + "-not-there"}},
		{3, "cannot read the ready file", []string{"okta", "--ready-file", token}},
		{2, "in the clear", []string{"okta", "--url", "http://scim.example.com/v2", "--token-file", token}},
		{2, "not the address", []string{"okta", "--url", "scim.example.com", "--token-file", token}},
		{2, "names servers", []string{"okta", "--url", "http://127.0.0.1:1", "--targets", bad}},
		{2, "--targets", []string{"mix", "--url", "http://127.0.0.1:1", "--token-file", token}},
		{3, "line 1 has no url or no token", []string{"mix", "--targets", bad}},
		{3, "unknown field", []string{"mix", "--targets", odd}},
		{3, "names no server", []string{"mix", "--targets", file(t, "\n")}},
		{2, "at least one user", []string{"okta", "--users", "0", "--url", "http://127.0.0.1:1", "--token-file", token}},
		{2, "--output", []string{"okta", "--output", "table", "--url", "http://127.0.0.1:1", "--token-file", token}},
	} {
		got := wantCode(t, c.code, nil, append([]string{"simulate"}, c.args...)...)
		if !strings.Contains(got.stderr, c.part) {
			t.Errorf("%v: %s lacks %q", c.args, got.stderr, c.part)
		}
	}
}
