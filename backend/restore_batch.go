package backend

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/usher-scim/usher/resources"
)

// A batch is bounded so that its script runs for a few milliseconds at most.
const (
	batchLines = 100
	batchWork  = 1200    // keys and entries that are written
	batchBytes = 1 << 20 // of records and secrets
)

var (
	errNameTaken   = errors.New("a name is taken")
	errRestoreLost = errors.New("backend: restore: the mark of the restoration is gone: somebody erased the organization meanwhile, or goes on with it")
	errSealed      = errors.New("the restoration is sealed")
)

// batch collects lines and writes them, with what follows from them, by one
// script. No two lines of a batch are about one thing, so that their order does
// not matter.
type batch struct {
	r      *restoration
	keys   keys
	mark   string // what restore.lua checks
	strict bool   // names that others have are left to them

	about   map[string]bool // what the lines are about
	lines   []*line
	records []*line
	work    int
	bytes   int
}

func newBatch(r *restoration, k keys) *batch {
	return &batch{r: r, keys: k, mark: r.id + writtenMark + r.run, about: map[string]bool{}}
}

// subject is what a line is about; lines of one subject stand in different
// batches. alike may be in the same one nevertheless.
func (l *line) subject() (subject string, alike bool) {
	switch l.T {
	case lineMembers:
		if len(l.Out) > 0 {
			return "members " + l.Group, false
		}
		return "members " + l.Group, true
	case lineTrash:
		return "trash " + l.Group, false
	case linePool:
		return "pool " + l.Name, l.More
	case lineDue:
		return "due " + l.Item, false
	case lineSecret:
		return "secret " + l.Purpose + " " + l.Hash, false
	case lineEvent:
		return "event", true
	}
	return l.ID, false
}

// add takes a line, and writes what was taken before when there is enough of it.
func (b *batch) add(ctx context.Context, l *line) error {
	subject, alike := l.subject()
	_, record := known(l.ID)
	if b.about[subject] && !alike || len(b.lines)+len(b.records) >= batchLines || b.work > batchWork || b.bytes > batchBytes {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if record && l.Gone && l.T == kindWords[resources.KindGroup] {
		if err := b.flush(ctx); err != nil {
			return err
		}
		if err := b.disband(ctx, l.ID); err != nil {
			return err
		}
	}
	b.about[subject] = b.about[subject] || !alike || l.T == lineMembers
	b.work += 1 + len(l.In) + len(l.Out) + len(l.Holders)
	b.bytes += len(l.Profile) + len(l.Standing) + len(l.Value) + len(l.Event)
	if record {
		b.work += 12
		b.records = append(b.records, l)
	} else {
		b.lines = append(b.lines, l)
	}
	return nil
}

// disband takes everybody out of a group that is gone, as the lines before said
// who is in.
func (b *batch) disband(ctx context.Context, group string) error {
	for {
		ids, err := b.r.s.reads.ZRange(ctx, b.keys.members(group), 0, linkChunk-1).Result()
		if err != nil || len(ids) == 0 {
			return explain(ctx, "restore", err)
		}
		b.lines = append(b.lines, &line{T: lineMembers, Group: group, Out: ids})
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
}

// flush writes the batch.
func (b *batch) flush(ctx context.Context) error {
	if len(b.lines)+len(b.records) == 0 {
		return nil
	}
	p := &piece{b: b, k: b.keys, at: map[string]int{}, changed: map[string]bool{}}
	if err := p.allRecords(ctx, b.records); err != nil {
		return err
	}
	for _, l := range b.lines {
		p.other(l)
	}
	reply, err := b.r.s.write(ctx, p.call())
	if err != nil {
		return explain(ctx, "restore", err)
	}
	switch reply {
	case "ok":
	case "name":
		return errNameTaken
	case "lost":
		return errRestoreLost
	default:
		return fmt.Errorf("backend: restore: the script gave an answer that is not understood: %v", reply)
	}
	if err := b.claim(ctx, p.claims); err != nil {
		return err
	}
	clear(b.about)
	b.lines, b.records, b.work, b.bytes = nil, nil, 0, 0
	b.r.cfg.Told(b.r.step)
	return nil
}

// claimers share the claims of a batch on a cluster, where each stands in a slot
// of its own.
const claimers = 16

// claim takes claims and gives others back. Nobody can see the organization yet,
// so that nothing has to be reserved first: what a claim says and what the
// organization's list says of it is what the protocol leaves behind.
func (b *batch) claim(ctx context.Context, list []claimWork) error {
	size := chunkSize
	if b.r.s.spread {
		size = 1
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(claimers)
	for chunk := range slices.Chunk(list, size) {
		group.Go(func() error { return b.someClaims(inner, chunk, claimLooks) })
	}
	return group.Wait()
}

// attemptOf is the attempt that an organization's claims get: always the same one
// for a backup, so that a restoration can be gone on with, and another one for
// each organization, because by its attempt a claim is given back.
func attemptOf(backup string, org resources.OrgID) string {
	sum := sha256.Sum256([]byte(backup + "|" + string(org)))
	name := make([]byte, stampSize)
	for i := range name {
		name[i] = stampAlphabet[sum[i]&31]
	}
	return string(name)
}

// claimWork is a claim to take or to give back.
type claimWork struct {
	resources.HeldClaim
	free bool
}

func (b *batch) someClaims(ctx context.Context, list []claimWork, looks int) error {
	c := newCall(b.r.s.scripts.backup.restoreClaim, 4*len(list))
	for _, w := range list {
		c.key(claimKey(w.Claim))
	}
	for _, w := range list {
		word, own := "take", "C|"+string(b.keys.org)+"|"
		if w.free {
			word, own = "free", claimPrefix(b.keys.org, w.Holder)
		}
		c.arg(word, own, claimPrefix(b.keys.org, w.Holder)+attemptOf(b.r.id, b.keys.org))
	}
	reply, err := b.r.s.write(ctx, c)
	if err != nil {
		return explain(ctx, "restore claims", err)
	}
	others, ok := wordsOf(reply)
	if !ok || len(others) != len(list) {
		return fmt.Errorf("backend: restore: the script gave an answer that is not understood: %v", reply)
	}
	var again []claimWork
	for i, w := range list {
		free := false
		if others[i] != "" && looks > 0 {
			if free, err = b.r.s.endBroken(ctx, w.Claim, others[i]); err != nil {
				return explain(ctx, "restore claims", err)
			}
		}
		if free {
			again = append(again, w)
		} else {
			b.heard(w.HeldClaim, others[i])
		}
	}
	if len(again) > 0 {
		return b.someClaims(ctx, again, looks-1)
	}
	return nil
}

// heard notes who has a claim; "" when the organization has it now.
func (b *batch) heard(c resources.HeldClaim, says string) {
	b.r.claiming.Lock()
	defer b.r.claiming.Unlock()
	delete(b.r.refused, c)
	if says != "" {
		held, _ := parseClaim(says)
		b.r.refused[c] = fmt.Sprintf("%s of the organization %s", held.holder, held.org)
	}
}

// call spells a piece out in the order restore.lua reads it.
func (p *piece) call() *call {
	w := &wire{call: newCall(p.b.r.s.scripts.backup.restore, 64)}
	w.key(p.k.restoring())
	w.add(p.b.mark)
	w.count(len(p.names))
	for _, n := range p.names {
		w.key(n.key)
		w.add(n.value, n.id)
	}
	w.count(len(p.gone))
	for _, n := range p.gone {
		w.key(n.key)
		w.add(n.value, n.id)
	}
	w.add("take")
	w.packed(p.unpack)
	w.add("put")
	w.packed(p.pack)
	w.count(len(p.ops))
	for _, o := range p.ops {
		w.key(o.key)
		w.add(o.cmd, strconv.Itoa(len(o.args)))
		w.add(o.args...)
	}
	w.key(p.k.places())
	w.count(len(p.changed))
	for key := range p.changed {
		w.key(key)
	}
	w.key(p.k.events())
	w.count(len(p.events))
	for _, e := range p.events {
		w.add(e.LSN, e.event())
	}
	w.call.arg(w.args...)
	return w.call
}
