package backend

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// LostWrite is an acknowledged commit that is not in the store any more.
type LostWrite struct {
	Org resources.OrgID
	LSN string // see resources.Commit
}

const (
	watchPause = 2 * time.Second        // between two looks at the primaries
	watchRest  = 100 * time.Millisecond // at least, after an error that calls for a look
	watchTime  = 10 * time.Second       // for one look
	watchBack  = time.Minute            // before the last good look: what may be lost
	watchPiece = 500                    // commits looked for at a time
	lostShown  = 20                     // places named in one line of the log
)

// watcher finds acknowledged writes that a failover or a restart has lost. It
// asks every primary who it is; when one is another than before, it looks for
// each remembered commit there. Several usher nodes each look for their own.
type watcher struct {
	ring   ring
	epochs map[string]string // address of a primary to its run and replication ids
	again  map[string]bool   // addresses to look at once more, see look
	scrub  []resources.OrgID // whose claims to look at, after a look
	gone   []ackedCommit     // to be told of, after a look
	wake   chan struct{}     // holds one when a look is called for
	end    context.CancelFunc
	done   chan struct{}
}

// startWatching notes who the primaries are, before anything is acknowledged,
// and starts the goroutine that stopWatching ends.
func (s *Store) startWatching(ctx context.Context) error {
	if s.embedded != nil || s.cfg.examined != nil {
		return nil
	}
	w := &watcher{wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.ring.seed = maphash.MakeSeed()
	nodes, err := s.epochs(ctx)
	if err != nil {
		return explain(ctx, "ask the servers who they are", err)
	}
	w.epochs = nodes.ids()
	ctx, w.end = context.WithCancel(ctx)
	s.watch = w
	go s.watching(ctx)
	return nil
}

func (s *Store) stopWatching() {
	if s.watch != nil {
		s.watch.end()
		<-s.watch.done
	}
}

// worry calls for a look when an error says that a primary may have gone.
func (s *Store) worry(err error) {
	if s.watch == nil {
		return
	}
	moved := redirection(err) || lost(err)
	for _, prefix := range [...]string{"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "UNBLOCKED"} {
		moved = moved || redis.HasErrorPrefix(err, prefix)
	}
	if !moved {
		return
	}
	select {
	case s.watch.wake <- struct{}{}:
	default:
	}
}

func (s *Store) watching(ctx context.Context) {
	w := s.watch
	defer close(w.done)
	rest := time.NewTimer(watchPause)
	defer rest.Stop()
	for {
		woken := false
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			woken = true
		case <-rest.C:
		}
		pause := watchPause
		if err := s.lookOnce(ctx); err != nil || len(w.again) > 0 {
			pause = watchPause / 4 // a failover is under way
		}
		s.report(ctx)
		s.scrubbing(ctx)
		if woken {
			if err := s.sleep(ctx, watchRest); err != nil {
				return
			}
		}
		rest.Reset(pause)
	}
}

func (s *Store) lookOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTime)
	defer cancel()
	return s.look(ctx)
}

// epochs are the primaries as they answered.
type epochs []epoch

type epoch struct {
	node        *redis.Client
	address, id string
}

func (e epochs) ids() map[string]string {
	out := make(map[string]string, len(e))
	for _, x := range e {
		out[x.address] = x.id
	}
	return out
}

// epochs asks every primary who it is. A server that is none is an error: the
// one that is will show itself.
func (s *Store) epochs(ctx context.Context) (epochs, error) {
	nodes, err := primaries(ctx, s.reads)
	if err != nil {
		return nil, err
	}
	var out epochs
	for _, node := range nodes {
		text, err := node.Info(ctx, "server", "replication").Result()
		if err != nil {
			return nil, err
		}
		id, err := epochID(text)
		if err != nil {
			return nil, err
		}
		out = append(out, epoch{node, shownAddress(node, parseInfo(text)), id})
	}
	return out, nil
}

// epochID tells one life of one primary from all others.
func epochID(text string) (string, error) {
	info := parseInfo(text)
	if info["role"] != "master" {
		return "", fmt.Errorf("backend: the server is no primary: %w", resources.ErrUnavailable)
	}
	return info["run_id"] + " " + info["master_replid"], nil
}

// look compares the primaries with those of the last look, and looks for what is
// remembered on those that are new. What is not done for want of an answer is
// done by the next look.
func (s *Store) look(ctx context.Context) error {
	w, now := s.watch, started()
	nodes, err := s.epochs(ctx)
	if err != nil {
		return err
	}
	var fresh, check epochs
	for _, e := range nodes {
		if !w.knows(e.id) {
			fresh = append(fresh, e)
		}
		if !w.knows(e.id) || w.again[e.address] {
			check = append(check, e)
		}
	}
	gone, err := s.missing(ctx, nodes, check)
	if err != nil {
		return err
	}
	w.epochs, w.again = nodes.ids(), map[string]bool{}
	if len(fresh) > 0 && s.spread {
		w.scrub = w.ring.orgs()
	}
	for _, e := range fresh {
		// A commit may have been answered by the old primary and not be
		// remembered yet: the next look sees to it.
		w.again[e.address] = true
		s.renewFile(ctx, e)
		s.cfg.Log.WarnContext(ctx, "a primary is another one than before, or was started anew", "server", e.address,
			"not_remembered", w.ring.missed())
		if s.cfg.Failover != nil {
			s.cfg.Failover(e.address)
		}
	}
	s.found(gone)
	if len(check) == 0 {
		// Counted back from a look that found the primaries as they were: however
		// long a failover takes, what was written shortly before is remembered.
		w.ring.forget(now.Add(-watchBack).UnixMilli())
	}
	return nil
}

// knows reports whether a primary was there at the last look.
func (w *watcher) knows(id string) bool {
	for _, v := range w.epochs {
		if v == id {
			return true
		}
	}
	return false
}

// missing gives the remembered commits that should be on the primaries to check
// and are not.
func (s *Store) missing(ctx context.Context, nodes, check epochs) ([]ackedCommit, error) {
	if len(check) == 0 {
		return nil, nil
	}
	homes := map[resources.OrgID]*redis.Client{}
	by := map[*redis.Client][]ackedCommit{}
	for _, a := range s.watch.ring.all() {
		node := homes[a.org]
		if node == nil {
			var err error
			if node, err = s.homeOf(ctx, a.org); err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(nodes, func(e epoch) bool { return e.node == node }) {
				return nil, fmt.Errorf("backend: slots have moved meanwhile: %w", resources.ErrUnavailable)
			}
			homes[a.org] = node
		}
		by[node] = append(by[node], a)
	}
	var out []ackedCommit
	for _, e := range check {
		for piece := range slices.Chunk(by[e.node], watchPiece) {
			gone, err := s.missingHere(ctx, e, piece)
			if err != nil {
				return nil, err
			}
			out = append(out, gone...)
		}
	}
	return out, nil
}

// homeOf is the primary of an organization.
func (s *Store) homeOf(ctx context.Context, org resources.OrgID) (*redis.Client, error) {
	switch client := s.reads.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, keys{org, ":{" + string(org) + "}"}.events())
	}
	return nil, errors.New("backend: unknown client")
}

// missingHere looks for commits on one primary, over one connection that says
// who answers: another connection might still lead to the old primary.
func (s *Store) missingHere(ctx context.Context, e epoch, list []ackedCommit) ([]ackedCommit, error) {
	pipe := e.node.Pipeline()
	who := pipe.Info(ctx, "server", "replication")
	found := make([]*redis.XMessageSliceCmd, len(list))
	erased := map[resources.OrgID]*redis.StringCmd{}
	for i := range list {
		lsn, org := list[i].lsn(), list[i].org
		if erased[org] == nil { // maybe by another node
			erased[org] = pipe.GetRange(ctx, keys{org, ":{" + string(org) + "}"}.erased(), 0, -1)
		}
		found[i] = pipe.XRange(ctx, keys{list[i].org, ":{" + string(list[i].org) + "}"}.events(), lsn, lsn)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	if id, err := epochID(who.Val()); err != nil || id != e.id {
		return nil, errors.Join(fmt.Errorf("backend: another server answers: %w", resources.ErrUnavailable), err)
	}
	var out []ackedCommit
	for i, cmd := range found {
		there := false
		for _, m := range cmd.Val() {
			text, _ := m.Values["e"].(string)
			there = maphash.String(s.watch.ring.seed, text) == list[i].hash
		}
		till, err := strconv.ParseUint(erased[list[i].org].Val(), 10, 64)
		if !there && (err != nil || list[i].ms > till) {
			out = append(out, list[i])
		}
	}
	return out, nil
}

// scrubbing compares the claims of organizations that have written in the last
// minute with what a failover has left of them: a claim stands in another slot
// than its organization, so that either side may be lost without the other.
func (s *Store) scrubbing(ctx context.Context) {
	orgs := s.watch.scrub
	s.watch.scrub = nil
	ctx, cancel := context.WithTimeout(ctx, watchBack)
	defer cancel()
	for _, org := range orgs {
		faults, err := s.ScrubClaims(ctx, org)
		if err != nil {
			s.cfg.Log.WarnContext(ctx, "claims not compared after a failover", "organization", string(org), "err", err)
		}
		if len(faults) > 0 {
			s.cfg.Log.ErrorContext(ctx, "claims differ after a failover", "organization", string(org), "count", len(faults))
		}
	}
}

// found takes lost writes off the ring, so that they are told of once.
func (s *Store) found(list []ackedCommit) {
	if len(list) == 0 {
		return
	}
	gone := make(map[ackedCommit]bool, len(list))
	for _, a := range list {
		gone[a] = true
	}
	s.watch.ring.drop(func(a *ackedCommit) bool { return gone[*a] })
	s.watch.gone = append(s.watch.gone, list...)
}

// report tells of lost writes: one line for each organization, and whoever the
// configuration names.
func (s *Store) report(ctx context.Context) {
	list := s.watch.gone
	if len(list) == 0 {
		return
	}
	s.watch.gone = nil
	by := map[resources.OrgID][]string{}
	all := make([]LostWrite, 0, len(list))
	for _, a := range list {
		by[a.org] = append(by[a.org], a.lsn())
		all = append(all, LostWrite{Org: a.org, LSN: a.lsn()})
	}
	for org, lsns := range by {
		shown := lsns[:min(len(lsns), lostShown)]
		s.cfg.Log.ErrorContext(ctx, "acknowledged writes are lost", "organization", string(org), "count", len(lsns),
			"writes", strings.Join(shown, " "), "first", lsns[0], "last", lsns[len(lsns)-1])
	}
	if s.cfg.Lost != nil {
		s.cfg.Lost(ctx, all)
	}
}
