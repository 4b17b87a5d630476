package resources_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestBackupFigures measures backup and restoration of so many users as
// USHER_BACKUP_USERS says, on real servers, and what the backup does to writes
// meanwhile.
func TestBackupFigures(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("USHER_BACKUP_USERS"))
	if n == 0 {
		n = 300
	}
	ctx := t.Context()
	from, to := redistest.Start(t), redistest.Start(t)
	b := newBundle(t, from)
	var done atomic.Int64
	began := time.Now()
	work := make(chan int)
	ended := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { ended <- struct{}{} }()
			for i := range work {
				name := fmt.Sprintf("user-%07d", i)
				if _, err := b.CreateUser(ctx, b.a, userDoc(t, name, name+"@acme.example")); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	for range 8 {
		<-ended
	}
	t.Logf("%d users created in %s", done.Load(), time.Since(began))

	t.Logf("a script takes %s", scriptTime(t, from))
	quiet := b.writesFor(t, time.Second, nil)
	var file bytes.Buffer
	w, err := b.store.NewBackup(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	var out backend.BackupDone
	over := make(chan struct{})
	began = time.Now()
	go func() {
		defer close(over)
		out, err = b.store.Backup(ctx, w, backend.BackupConfig{Org: b.a.Org, Slug: "acme", Placed: resources.Placement})
	}()
	busy := b.writesFor(t, time.Hour, over)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Complete(); err != nil {
		t.Fatal(err)
	}
	t.Logf("backup: %s, %.0f users/s, %d bytes, %d passes, frozen for %s", took, float64(n)/took.Seconds(), file.Len(), out.Passes, out.Frozen)
	t.Logf("writes one after the other: p50 %s p99 %s max %s (%d) without a backup, p50 %s p99 %s max %s (%d) during it",
		quiet[len(quiet)/2], quiet[len(quiet)*99/100], quiet[len(quiet)-1], len(quiet), busy[len(busy)/2], busy[len(busy)*99/100], busy[len(busy)-1], len(busy))
	contents, err := backend.ReadBackup(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	target, err := backend.Open(ctx, backend.Config{URL: to})
	if err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if _, err := target.Restore(ctx, bytes.NewReader(file.Bytes()), contents, backend.RestoreConfig{Placed: resources.Placement}); err != nil {
		t.Fatal(err)
	}
	took = time.Since(began)
	t.Logf("restoration: %s, %.0f users/s; a script takes %s", took, float64(n)/took.Seconds(), scriptTime(t, to))
	if err := target.Close(); err != nil {
		t.Error(err)
	}
}

// writesFor creates users one after the other for a time, or until over, and
// gives how long each took, sorted.
func (b *bundle) writesFor(t *testing.T, d time.Duration, over chan struct{}) []time.Duration {
	t.Helper()
	var out []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); {
		select {
		case <-over:
			end = time.Time{}
		default:
		}
		name := fmt.Sprintf("late-%d", time.Now().UnixNano())
		began := time.Now()
		if _, err := b.CreateUser(t.Context(), b.a, userDoc(t, name, name+"@acme.example")); err != nil {
			t.Fatal(err)
		}
		out = append(out, time.Since(began))
	}
	slices.Sort(out)
	return out
}

// scriptTime is what a server says of its scripts: how often they ran, and how
// long in it on average.
func scriptTime(t *testing.T, url string) string {
	t.Helper()
	client := redistest.Client(t, url)
	text, err := client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, stat, _ := strings.Cut(text, "cmdstat_evalsha:")
	stat, _, _ = strings.Cut(stat, ",rejected")
	return stat
}
