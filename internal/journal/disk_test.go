package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/journal"
)

func openDir(t *testing.T, path string) (*journal.Journal, []string) {
	t.Helper()
	dir, err := journal.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	var state []string
	j, _, err := journal.Open(config(dir), func(r []byte) error {
		state = append(state, string(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, state
}

// A real directory: records, snapshots, rights, the lock.
func TestDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	j, _ := openDir(t, path)
	for i, r := range []string{"a", "b"} {
		if err := j.Wait(t.Context(), j.Append([]byte(r))); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			s, err := j.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Add([]byte("a"))
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := journal.Lock(path); err == nil || !strings.Contains(err.Error(), "another process") ||
		!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "choose another directory") {
		t.Errorf("the directory is taken twice: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, state := openDir(t, path)
	if d := cmp.Diff([]string{"a", "b"}, state); d != "" {
		t.Error(d)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", e.Name(), info.Mode(), err)
		}
		names = append(names, e.Name())
	}
	if d := cmp.Diff([]string{"journal-0000000002", "lock", "snapshot-0000000002"}, names); d != "" {
		t.Error(d)
	}
}

func TestDirectoryThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Lock(file); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("a file is taken for a directory: %v", err)
	}
	dir, err := journal.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Append("nothing", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
}
