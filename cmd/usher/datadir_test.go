package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A server without Redis keeps its data: the second start has everything, shows no
// token, and tells how to get one.
func TestDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"USHER_DATA_DIR": dir}
	first := start(t, env)
	if banner := first.stdout.String(); !strings.Contains(banner, dir) || !strings.Contains(banner, "20 000 users") || !strings.Contains(banner, "lives for an hour") {
		t.Errorf("the banner does not say where the data is, for how many, and how long the token lives:\n%s", banner)
	}
	k := &killing{t: t, url: first.SCIMURL, token: first.SCIMToken}
	status, body := k.call(t.Context(), browser(), "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"kept"}`)
	var user struct{ ID string }
	if err := json.Unmarshal(body, &user); err != nil || status != 201 {
		t.Fatalf("create: %d %s", status, body)
	}
	again := wantCode(t, exitUnavailable, nil, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--data-dir", dir)
	if !strings.Contains(again.stderr, dir) || !strings.Contains(again.stderr, "another process") || !strings.Contains(again.stderr, "--data-dir") {
		t.Errorf("two servers over one directory:\n%s", again.stderr)
	}
	first.stop(t)
	second := start(t, env)
	if resp, body := get(t, second.SCIMURL+"/Users/"+user.ID, first.SCIMToken); resp.StatusCode != 200 || !strings.Contains(body, "kept") {
		t.Errorf("the user after the second start: %d %s", resp.StatusCode, body)
	}
	if banner := second.stdout.String(); strings.Contains(banner, "ush_") || !strings.Contains(banner, "usher serve --issue-api-token") {
		t.Errorf("the second banner shows tokens, or not how to get one:\n%s", banner)
	}
	second.stop(t)
	third := start(t, env, "--issue-api-token")
	if resp, body := get(t, third.APIURL+"/orgs", third.APIToken); resp.StatusCode != 200 || !strings.Contains(body, "demo") {
		t.Errorf("the token of the third start: %d %s", resp.StatusCode, body)
	}
}

// Memory only: nothing is written, the banner says it.
func TestNoDataDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"--data-dir", ""}, {"--data-dir", "off"}} {
		n := start(t, nil, args...)
		if !strings.Contains(n.stdout.String(), "NOTHING is durable") || strings.Contains(n.stdout.String(), "lives for an hour") {
			t.Errorf("%v: the banner:\n%s", args, n.stdout)
		}
		n.stop(t)
	}
	if list, err := os.ReadDir("."); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// The directory is there when nobody names one, where people see it.
func TestUsualDataDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	n := start(t, map[string]string{"USHER_DATA_DIR": ""}) // an empty variable says nothing
	if !strings.Contains(n.stdout.String(), filepath.Join(mustDir(t), "usher-data")) {
		t.Errorf("the banner:\n%s", n.stdout)
	}
	shown := wantCode(t, 0, nil, "config", "show")
	if !strings.Contains(shown.stdout, "usher-data") {
		t.Errorf("the default is not shown:\n%s", shown.stdout)
	}
	n.stop(t)
	if _, err := os.Stat("usher-data"); err != nil {
		t.Error(err)
	}
}

func mustDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A directory that cannot be read is no reason to begin with an empty one.
func TestDamagedDataDirectory(t *testing.T) {
	dir := t.TempDir()
	start(t, map[string]string{"USHER_DATA_DIR": dir}).stop(t)
	file := filepath.Join(dir, "journal-0000000001")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	got := wantCode(t, exitUnavailable, nil, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--data-dir", dir)
	for _, word := range []string{"journal-0000000001", "damaged at byte", "restore"} {
		if !strings.Contains(got.stderr, word) {
			t.Errorf("the error does not say %q:\n%s", word, got.stderr)
		}
	}
}
