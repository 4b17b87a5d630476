package backend_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
)

// BenchmarkCreateWithClaim measures both ways of taking a claim: in the commit, and
// by the protocol of clusters, here on one server.
func BenchmarkCreateWithClaim(b *testing.B) {
	for _, spread := range []bool{false, true} {
		for _, callers := range []int{1, 16} {
			b.Run(fmt.Sprintf("spread=%t/callers=%d", spread, callers), func(b *testing.B) {
				s := open(b, backend.Config{URL: redistest.Start(b), SpreadClaims: spread, Log: slog.New(slog.DiscardHandler)})
				var n atomic.Int64
				one := func() {
					u, entries := enterprise(b, int(n.Add(1)))
					hire(b, s, u, entries)
				}
				b.ResetTimer()
				if callers == 1 {
					for range b.N {
						one()
					}
					return
				}
				b.SetParallelism(callers / 2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						one()
					}
				})
			})
		}
	}
}
