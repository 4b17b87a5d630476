package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestFsckCommand: without a store, and with one that cannot be reached, the exit
// code and the line say what to do; what is printed as JSON can be read.
func TestFsckCommand(t *testing.T) {
	if r := wantCode(t, exitUnavailable, nil, "fsck", "--redis", "redis://127.0.0.1:1/0"); !strings.Contains(r.stderr, "cannot open the store") {
		t.Error(r.stderr)
	}
	for _, args := range [][]string{{"fsck", "--output", "yaml"}, {"fsck", "--pace", "hasty"}, {"fsck", "all"}} {
		wantCode(t, exitUsage, nil, args...)
	}
	for _, args := range [][]string{{"fsck"}, {"backup", "--out", t.TempDir() + "/x"}} {
		r := wantCode(t, exitUsage, map[string]string{"USHER_REDIS_URL": ""}, append(args, "--data-dir", "")...)
		if !strings.Contains(r.stderr, "no store is named") {
			t.Errorf("%s: %s", args[0], r.stderr)
		}
	}
	url := redistest.Start(t)
	r := wantCode(t, exitOK, map[string]string{"USHER_REDIS_URL": url}, "fsck", "--output", "json", "--deep", "--repair")
	var out struct {
		Findings []any
		Summary  map[string]int
	}
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || len(out.Findings) > 0 || out.Summary["organizations"] != 1 {
		t.Errorf("an empty store: %v: %s", err, r.stdout)
	}
	wantCode(t, exitOK, nil, "fsck", "--redis", url, "--org", "platform")
}
