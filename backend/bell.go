package backend

import (
	"sync"

	"github.com/usher-scim/usher/resources"
)

// mostRung bounds how many organizations are noted at once. Bells may be lost:
// workers look through all organizations from time to time.
const mostRung = 10_000

// bells notes the organizations in which a commit of this process made
// something due at once, each once, until somebody takes them. Noting never
// waits.
type bells struct {
	mu   sync.Mutex
	orgs map[resources.OrgID]struct{}
	wake chan struct{} // has one element when there may be something to take
}

func newBells() *bells {
	return &bells{orgs: map[resources.OrgID]struct{}{}, wake: make(chan struct{}, 1)}
}

// rang notes an organization. It never waits.
func (s *Store) rang(org resources.OrgID) {
	b := s.bells
	b.mu.Lock()
	if len(b.orgs) < mostRung {
		b.orgs[org] = struct{}{}
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default: // somebody was woken already and has not looked yet
	}
}

// take gives the noted organizations and forgets them.
func (b *bells) take() []resources.OrgID {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]resources.OrgID, 0, len(b.orgs))
	for org := range b.orgs {
		out = append(out, org)
	}
	clear(b.orgs)
	return out
}
