package backend_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// BenchmarkKept measures the embedded store over a real directory (redis.md T16): a
// create that is on disk, a page of 100, and at the end of each size what a snapshot
// and a start take.
func BenchmarkKept(b *testing.B) {
	for _, users := range []int{1000, 20_000} {
		b.Run(fmt.Sprint("users=", users), func(b *testing.B) {
			dir := b.TempDir()
			s, err := backend.Open(b.Context(), backend.Config{DataDir: dir})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			create := func() time.Duration {
				u, entries := enterprise(b, n)
				n++
				begun := time.Now()
				hire(b, s, u, entries)
				return time.Since(begun)
			}
			for n < users {
				create()
			}
			b.Run("create", func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					took = append(took, create())
				}
				percentiles(b, took)
			})
			b.Run("page", func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					begun := time.Now()
					page, err := s.Find(context.Background(), benchOrg, resources.Query{Kind: resources.KindUser, Limit: 100, Offset: users / 2})
					if err != nil || len(page.Records) != 100 {
						b.Fatal(len(page.Records), err)
					}
					took = append(took, time.Since(begun))
				}
				percentiles(b, took)
			})
			start(b, s, dir, n)
		})
	}
}

func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// start closes the store, and opens it from the journal and from a snapshot.
func start(b *testing.B, s *backend.Store, dir string, users int) {
	b.Helper()
	for _, from := range []string{"journal", "snapshot"} {
		if from == "snapshot" {
			begun := time.Now()
			pause, err := s.SnapshotPause(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("%d users: a snapshot takes %v, writes wait %v", users, time.Since(begun), pause)
		}
		snapshot, journals := s.Sizes()
		copied := filepath.Join(b.TempDir(), from)
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		again, err := backend.Open(b.Context(), backend.Config{DataDir: copied})
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%d users: a start from the %s takes %v; snapshot %d bytes, journals %d", users, from, time.Since(begun), snapshot, journals)
		if err := again.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
