package chaos_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk mounts a file system in memory. That needs root: without it the test
// fails and says so, because a full disk that was not tried is no result.
func smallDisk(t testing.TB, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("a small file system cannot be mounted: %v; run this fault as root, or leave it out with FAULTS", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill takes all room that is left on the disk of a store; what it returns gives
// the room back.
func fill(ctx context.Context, s *store) (room func() error, err error) {
	reply, err := s.redis().Do(ctx, "CONFIG", "GET", "dir")
	if err != nil {
		return nil, err
	}
	pair, _ := reply.([]any)
	if len(pair) != 2 {
		return nil, errors.New("CONFIG GET dir: no answer")
	}
	dir, _ := pair[1].(string)
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	chunk := make([]byte, 4<<10)
	for {
		if _, err = f.Write(chunk); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { return os.Remove(name) }, f.Close()
}
