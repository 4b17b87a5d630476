package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fillDisk makes the journal's next write fail, and every try to begin a new
// journal, until the function that it returns is called.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, entry := range fds {
		at, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil || at != filepath.Join(dir, "journal-0000000001") {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		if err == nil {
			err = syscall.Dup3(int(full.Fd()), fd, syscall.O_CLOEXEC)
		}
		if err != nil {
			t.Fatal(err)
		}
		found = true
	}
	next := filepath.Join(dir, "journal-0000000002")
	if err := os.Mkdir(next, 0o700); err != nil || !found {
		t.Fatalf("the journal is open: %v; %v", found, err)
	}
	return func() {
		if err := os.Remove(next); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnwritableDataDirectory: while the data directory takes no writes, the probe
// and the numbers say so, and say the contrary once it does again.
func TestUnwritableDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	n := start(t, nil, "--data-dir", dir)
	says := func(status int, body, number string) bool {
		resp, text := get(t, n.root()+"/readyz", "")
		_, numbers := get(t, n.MetricsURL, "")
		return resp.StatusCode == status && strings.Contains(text, body) && strings.Contains(numbers, "usher_data_dir_writable "+number)
	}
	if !says(http.StatusOK, `"ready"`, "1") {
		t.Fatal("a sound directory: the probe or the numbers do not say so")
	}
	free := fillDisk(t, dir)
	k := &killing{t: t, url: n.SCIMURL, token: n.SCIMToken}
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"late"}`
	if status, body := k.call(t.Context(), browser(), "POST", "/Users", user); status != http.StatusServiceUnavailable {
		t.Fatalf("a write to a full disk: %d %s", status, body)
	}
	if !says(http.StatusServiceUnavailable, "the data directory cannot be written", "0") {
		t.Error("a full disk: the probe or the numbers do not say so")
	}
	if resp, body := get(t, n.SCIMURL+"/Users", n.SCIMToken); resp.StatusCode != http.StatusOK || !json.Valid([]byte(body)) {
		t.Errorf("a read meanwhile: %d %s", resp.StatusCode, body)
	}
	free()
	for end := time.Now().Add(20 * time.Second); !says(http.StatusOK, `"ready"`, "1"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the directory can be written again, and nobody says so\n%s", n.stderr)
		}
	}
}
