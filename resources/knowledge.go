package resources

import (
	"errors"
	"strings"
	"sync"
)

// knowledge is what refused commits have taught one act about the world: an act
// that is refused for such a reason runs again and decides by it. What it knows
// may be out of date; every commit that relies on it says so (Tx.Wait), so that
// it is only ever a reason to try something else first.
type knowledge struct {
	full    map[string]bool   // pools in which a newcomer finds no place
	lost    map[string]bool   // pools that the user has lost its place in
	taken   map[string]string // values of UserKey that others have, with their holders
	lessons int

	drawn *drawn // numbers and extensions given away by the unit of work that runs
	units int    // units of work that have run
}

// maxLessons bounds how often one act runs again. Afterwards who finds no seat
// waits, and a worker looks again.
const maxLessons = 12

// tired reports whether the act has been refused so often that it must end.
func (k *knowledge) tired() bool { return k.lessons >= maxLessons }

// learn notes why a commit was refused and reports whether the act may run
// again with it.
func (k *knowledge) learn(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	if !ok || k.lessons > maxLessons {
		return false
	}
	switch {
	case r.Reason == RefusedFull && strings.HasPrefix(r.Pool, seatPrefix):
		if k.full == nil {
			k.full = make(map[string]bool)
		}
		k.full[r.Pool] = true
	case r.Reason == RefusedNotFull:
		delete(k.full, r.Pool)
		delete(k.lost, r.Pool)
	case r.Reason == RefusedName && r.Index == UserKey && strings.HasPrefix(r.Value, extensionKeys):
		if k.taken == nil {
			k.taken = make(map[string]string)
		}
		k.taken[r.Value] = r.Holder
	default:
		return false
	}
	k.lessons++
	return true
}

// seatPrefix is how names of pools of seats begin.
const seatPrefix = "seat/"

// seatPool is the name of the pool of a subscription's seats.
func seatPool(subscription string) string { return seatPrefix + subscription }

// extensionKeys is how values of UserKey begin that stand for a telephone
// extension at a location (BR-195).
var extensionKeys = AttrKey("User", factPlaceXT, "")

// fullPools remembers which pools were full when this node looked last, so that
// not every creation of a full organization is refused once first. The zero
// value is ready for use.
type fullPools struct {
	mu  sync.RWMutex
	all map[OrgID]map[string]bool
}

const fullPoolsKept = 5000

// seed gives what is known about an organization.
func (f *fullPools) seed(org OrgID) map[string]bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	known := f.all[org]
	if len(known) == 0 {
		return nil
	}
	out := make(map[string]bool, len(known))
	for p := range known {
		out[p] = true
	}
	return out
}

// note keeps what an act has learned.
func (f *fullPools) note(org OrgID, k *knowledge) {
	if k.lessons == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil || len(f.all) >= fullPoolsKept {
		f.all = make(map[OrgID]map[string]bool)
	}
	known := make(map[string]bool, len(k.full))
	for p := range k.full {
		known[p] = true
	}
	f.all[org] = known
}
