package backend

import (
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/usher-scim/usher/resources"
)

// ringMost is how many acknowledged commits are remembered; of more within a
// minute the oldest are not looked for after a failover.
const ringMost = 200_000

// ackedCommit is a commit that somebody was told is done. Its place in the
// stream alone does not tell it: after a loss the stream may give the same place
// to another commit, when the clock of the new primary is behind. hash, of the
// event there, does; two commits with the same event at the same place have done
// the same. (Attempts would tell as well, but only for one to two minutes by the
// server's clock, and a failover may take longer.)
type ackedCommit struct {
	org     resources.OrgID
	ms, seq uint64 // the LSN
	hash    uint64
	at      int64 // when, in milliseconds
}

// lsn is the place in the stream.
func (a *ackedCommit) lsn() string {
	return strconv.FormatUint(a.ms, 10) + "-" + strconv.FormatUint(a.seq, 10)
}

// ring remembers the commits of the last minute.
type ring struct {
	seed maphash.Seed

	mu    sync.Mutex
	list  []ackedCommit
	from  int   // list[:from] is forgotten
	fell  int64 // commits that fell out before their time
	freed int64 // milliseconds: when the last of them was acknowledged
}

// acked is told of every commit before it is acknowledged. Commits without
// events leave no trace by which they could be looked for.
func (s *Store) acked(org resources.OrgID, lsn string, events []string) {
	if s.watch == nil || lsn == "" || len(events) == 0 {
		return
	}
	ms, seq, ok := strings.Cut(lsn, "-")
	a := ackedCommit{org: org, at: started().UnixMilli()}
	var err error
	if a.ms, err = strconv.ParseUint(ms, 10, 64); err != nil || !ok {
		return
	}
	if a.seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return
	}
	r := &s.watch.ring
	a.hash = maphash.String(r.seed, events[len(events)-1])
	r.add(a)
}

func (r *ring) add(a ackedCommit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list)-r.from >= ringMost {
		r.freed = r.list[r.from].at
		r.from++
		r.fell++
	}
	r.tidy()
	r.list = append(r.list, a)
}

// tidy gives room back that is forgotten, now and then.
func (r *ring) tidy() {
	if r.from > 1024 && r.from > len(r.list)/2 {
		n := copy(r.list, r.list[r.from:])
		clear(r.list[n:])
		r.list, r.from = r.list[:n], 0
	}
}

// all copies what is remembered.
func (r *ring) all() []ackedCommit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]ackedCommit(nil), r.list[r.from:]...)
}

// forget drops what is older than a time in milliseconds, and tells how many
// younger ones had fallen out already.
func (r *ring) forget(before int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.from < len(r.list) && r.list[r.from].at < before {
		r.from++
	}
	if r.freed < before {
		r.fell = 0
	}
	r.tidy()
}

// drop removes commits: they are lost, or their organization is erased.
func (r *ring) drop(gone func(*ackedCommit) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.list[:0]
	for i := r.from; i < len(r.list); i++ {
		if !gone(&r.list[i]) {
			kept = append(kept, r.list[i])
		}
	}
	clear(r.list[len(kept):])
	r.list, r.from = kept, 0
}

// missed tells how many commits of the last minute were too many to remember.
func (r *ring) missed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fell
}

// orgs lists whose commits are remembered.
func (r *ring) orgs() []resources.OrgID {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[resources.OrgID]bool{}
	for _, a := range r.list[r.from:] {
		seen[a.org] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
