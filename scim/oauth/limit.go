package oauth

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often a client may ask for tokens from one address, per second and at
// once. Nobody needs more: a token lives for an hour at least.
const (
	perSecond = 10
	atOnce    = 20
	limited   = 10_000 // how many are remembered; past it all start anew
)

// limiter bounds the rate of each client, in the process. The address is part
// of the name so that a stranger who knows a client's id cannot use up its
// share. The zero value is ready for use.
type limiter struct {
	mu      sync.Mutex
	buckets map[[3]string]*rate.Limiter
}

// take asks for one request: 0 means go ahead, more is how long to wait.
func (l *limiter) take(org, client, sender string, now time.Time) time.Duration {
	key := [3]string{org, client[:min(len(client), 64)], sender}
	l.mu.Lock()
	b := l.buckets[key]
	if b == nil {
		if l.buckets == nil || len(l.buckets) >= limited {
			l.buckets = make(map[[3]string]*rate.Limiter)
		}
		b = rate.NewLimiter(perSecond, atOnce)
		l.buckets[key] = b
	}
	l.mu.Unlock()
	if b.AllowN(now, 1) {
		return 0
	}
	return max(time.Duration((1-b.TokensAt(now))/perSecond*float64(time.Second)), time.Nanosecond)
}
