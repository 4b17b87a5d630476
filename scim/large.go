package scim

import (
	"sync"
	"time"
)

// largeGroups remembers which groups have been seen with more members than an
// answer to PATCH shows, so that a change of such a group reads nothing at
// all. What it says may be a minute old; then a group that has shrunk is
// answered 204 instead of 200, which means the same.
type largeGroups struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const (
	largeFresh  = time.Minute
	largeCached = 10_000 // groups; past it the memory starts anew
)

func (l *largeGroups) note(group string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil || len(l.seen) >= largeCached {
		l.seen = make(map[string]time.Time)
	}
	l.seen[group] = now
}

func (l *largeGroups) has(group string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.seen[group]
	return ok && now.Sub(at) < largeFresh
}

// forget is for changes that may have made a group small.
func (l *largeGroups) forget(group string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, group)
}
