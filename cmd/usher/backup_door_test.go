package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestBackupOfNothing: who names the wrong directory or the wrong database must not
// believe that there is a backup, or that all is well.
func TestBackupOfNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"backup", "--data-dir", "elsewhere", "--out", "all.jsonl"},
		{"backup", "--out", "all.jsonl"}, // the usual directory
		{"fsck", "--data-dir", "elsewhere"},
	} {
		got := wantCode(t, exitNotFound, nil, args...)
		if !strings.Contains(got.stderr, "no data of usher") || !strings.Contains(got.stderr, "--data-dir") {
			t.Errorf("%v: %s", args, got.stderr)
		}
	}
	got := wantCode(t, exitNotFound, map[string]string{"USHER_REDIS_URL": redistest.Start(t)}, "backup", "--out", "all.jsonl")
	if !strings.Contains(got.stderr, "nothing in the store") {
		t.Error(got.stderr)
	}
	if list, err := os.ReadDir("."); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// TestEncryptedBackupThatFailed: nobody can go on with it, so nothing of it stays,
// and nobody is told to.
func TestEncryptedBackupThatFailed(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "all.jsonl.age")
	start(t, nil, "--data-dir", data).stop(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"backup", "--data-dir", data, "--out", file, "--encrypt-to", key.Recipient().String()}
	if err := os.WriteFile(file+partialSuffix, nil, 0o600); err != nil { // of one that was killed
		t.Fatal(err)
	}
	if got := wantCode(t, exitConflict, nil, args...); strings.Contains(got.stderr, "--resume") || !strings.Contains(got.stderr, "remove it") {
		t.Error(got.stderr)
	}
}

// TestRestoreOfWhatIsNotThere: an organization that the file has not does not exist.
func TestRestoreOfWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "all.jsonl")
	start(t, nil, "--data-dir", data).stop(t)
	wantCode(t, exitOK, nil, "backup", "--data-dir", data, "--out", file)
	got := wantCode(t, exitNotFound, nil, "restore", file, "--org", "nosuch", "--data-dir", filepath.Join(dir, "new"))
	if !strings.Contains(got.stderr, "nosuch is not in the file") || strings.Contains(got.stderr, "--resume") {
		t.Error(got.stderr)
	}
}

// TestBackupOfAnUnfitStore: a server that has lost its replicas, or may throw keys
// away, is not fit to serve from, and is looked at and copied all the same.
func TestBackupOfAnUnfitStore(t *testing.T) {
	url := redistest.Start(t)
	start(t, map[string]string{"USHER_REDIS_URL": url}).stop(t)
	env := map[string]string{"USHER_REDIS_URL": url, "USHER_DURABILITY": "replicated"}
	wantCode(t, exitUnavailable, env, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off")
	wantCode(t, exitOK, env, "fsck")
	wantCode(t, exitOK, env, "backup", "--out", filepath.Join(t.TempDir(), "all.jsonl"))
	wantCode(t, exitUnavailable, env, "fsck", "--repair") // writes as serve does
}

// TestServeOfHalfAPlatform: nobody serves, or adds to, what a restoration has not
// ended; once the platform is whole, other organizations may still come.
func TestServeOfHalfAPlatform(t *testing.T) {
	url := redistest.Start(t)
	c := redistest.Client(t, url)
	env, mark := map[string]string{"USHER_REDIS_URL": url}, "rs:{"+string(resources.PlatformOrg)+"}"
	for _, word := range []string{"a-backup.a-run", "a-backup!"} {
		if err := c.Set(t.Context(), mark, word, 0).Err(); err != nil {
			t.Fatal(err)
		}
		got := wantCode(t, exitConflict, env, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off")
		if !strings.Contains(got.stderr, "--resume") {
			t.Error(got.stderr)
		}
	}
	if err := c.Set(t.Context(), mark, "a-backup+", 0).Err(); err != nil {
		t.Fatal(err)
	}
	start(t, env).stop(t)
}
