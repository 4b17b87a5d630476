package scim

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/usher-scim/usher/resources"
)

// limiter bounds the rate of each organization (security T3). It counts in the
// process: no request waits for the store because of it.
type limiter struct {
	rate  float64
	burst int

	mu      sync.Mutex
	buckets map[resources.OrgID]*rate.Limiter
}

// limitedOrgs is how many organizations are remembered; past it all start with
// full buckets again.
const limitedOrgs = 10_000

// take asks for one request. 0 means go ahead, more is how long to wait.
func (l *limiter) take(org resources.OrgID, now time.Time) time.Duration {
	l.mu.Lock()
	b := l.buckets[org]
	if b == nil {
		if l.buckets == nil || len(l.buckets) >= limitedOrgs {
			l.buckets = make(map[resources.OrgID]*rate.Limiter)
		}
		b = rate.NewLimiter(rate.Limit(l.rate), l.burst)
		l.buckets[org] = b
	}
	l.mu.Unlock()
	if b.AllowN(now, 1) {
		return 0
	}
	missing := 1 - b.TokensAt(now)
	return max(time.Duration(missing/l.rate*float64(time.Second)), time.Nanosecond)
}

// owe counts n requests that are let through whatever has been asked before: the
// organization goes into debt, and its next requests wait until it is paid.
func (l *limiter) owe(org resources.OrgID, now time.Time, n int) {
	l.mu.Lock()
	b := l.buckets[org] // there is one since take
	l.mu.Unlock()
	for n > 0 && b != nil {
		piece := min(n, l.burst)
		b.ReserveN(now, piece)
		n -= piece
	}
}
