package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/usher-scim/usher/internal/journal"
	"github.com/usher-scim/usher/resources"
)

// keptFormat is what the records of the embedded store's journal mean: see
// effects.go. It changes when a program could not read what an older one wrote.
const keptFormat = "usher-store/1"

const (
	compactLeast  = 32 << 20 // bytes of journal below which it is left alone
	compactTimes  = 2        // how many times the snapshot's size the journal may have
	compactAtEnd  = 1 << 20  // bytes of journal that are worth a snapshot when the store is closed
	tendEvery     = time.Second
	healFirst     = time.Second // before the second try to write again, then twice as long each
	healMost      = 30 * time.Second
	snapshotStale = time.Minute // before a snapshot that failed is tried again
)

// keeper makes the embedded store durable: what scripts write goes into a journal,
// and no write is acknowledged before it is on disk.
type keeper struct {
	embedded *miniredis.Miniredis
	journal  *journal.Journal
	log      *slog.Logger
	dir      string
	effects  effects
	gate     sync.RWMutex // held for reading while a writing script runs, for writing by a snapshot
	compact  sync.Mutex   // one snapshot at a time
	end      context.CancelFunc
	ended    chan struct{}
}

// keep opens the data directory, fills the embedded server from it and journals
// from then on.
func (s *Store) keep(ctx context.Context) error {
	disk := s.cfg.disk
	if disk == nil {
		dir, err := filepath.Abs(s.cfg.DataDir)
		if err != nil {
			return fmt.Errorf("backend: the data directory: %w", err)
		}
		if disk, err = journal.Lock(dir); err != nil {
			return fmt.Errorf("backend: the data directory: %w", err)
		}
	}
	k := &keeper{embedded: s.embedded, log: s.cfg.Log, dir: s.cfg.DataDir, ended: make(chan struct{})}
	k.effects.now = s.cfg.serverClock
	begun := started()
	load, err := newLoader(s.embedded, &k.effects)
	if err != nil {
		return errors.Join(err, disk.Close())
	}
	j, report, err := journal.Open(journal.Config{Disk: disk, Format: keptFormat, Rand: s.cfg.Rand}, load.record)
	if err != nil {
		return fmt.Errorf("backend: the data directory %s: %w", s.cfg.DataDir, err)
	}
	if t := report.Torn; t != nil {
		k.log.WarnContext(ctx, "the end of the journal was in pieces, as a crash leaves it, and was cut off; no acknowledged write was in it",
			"file", filepath.Join(s.cfg.DataDir, t.File), "offset", t.Offset, "bytes", t.Bytes, "reason", t.Reason)
	}
	k.journal, k.effects.journal = j, j
	s.embedded.Server().SetPreHook(k.effects.hook)
	users := k.users()
	s.grew(users)
	k.log.InfoContext(ctx, "data loaded", "directory", s.cfg.DataDir, "records", report.Records, "users", users, "took", started().Sub(begun).String())
	ctx, k.end = context.WithCancel(ctx)
	go k.tend(ctx)
	s.kept = k
	return nil
}

// users counts the users there are.
func (k *keeper) users() int {
	n := 0
	for _, key := range k.embedded.Keys() {
		if strings.HasPrefix(key, "u:{") {
			n++
		}
	}
	return n
}

// send runs a writing script and returns when what it wrote, and all that was
// written before, is on disk.
func (k *keeper) send(ctx context.Context, run func() (any, error)) (any, error) {
	k.gate.RLock()
	if err := k.journal.Failed(); err != nil {
		k.gate.RUnlock()
		return nil, k.unwritable(err)
	}
	reply, failed := run()
	// A call that failed may have written, and one that found its attempt known
	// rests on what was written then.
	last := k.journal.Last()
	k.gate.RUnlock()
	if err := k.journal.Wait(ctx, last); err != nil {
		return nil, fmt.Errorf("backend: the write is not on disk: %w: %w", resources.ErrOutcomeUnknown, err)
	}
	if failed != nil && strings.Contains(failed.Error(), noWrites) {
		return nil, fmt.Errorf("backend: the write was not done: %w: %w", resources.ErrUnavailable, failed)
	}
	return reply, failed
}

// Writable tells why every write is refused now, whatever it is; nil: none is for
// that reason. It asks nobody: only the embedded store with a data directory knows,
// from the write that met the failure on.
func (s *Store) Writable() error {
	if s.kept == nil {
		return nil
	}
	if err := s.kept.journal.Failed(); err != nil {
		return s.kept.unwritable(err)
	}
	return nil
}

func (k *keeper) unwritable(err error) error {
	return fmt.Errorf("backend: the data directory %s cannot be written: %w: %w", k.dir, resources.ErrUnavailable, err)
}

// tend writes snapshots when the journal has grown and heals it when writing has
// failed.
func (k *keeper) tend(ctx context.Context) {
	defer close(k.ended)
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	var notBefore time.Time
	pause := healFirst
	for {
		select {
		case <-ctx.Done():
			k.leave(context.WithoutCancel(ctx))
			return
		case <-k.journal.Trouble():
			k.log.ErrorContext(ctx, "writes are refused until the data directory can be written; see that the disk has room and is sound", "directory", k.dir, "err", k.journal.Failed())
			notBefore, pause = started().Add(healFirst), healFirst
		case <-tick.C:
		}
		now := started()
		failed := k.journal.Failed()
		if now.Before(notBefore) || (failed == nil && !k.grown()) {
			continue
		}
		err := k.snapshot(ctx)
		switch {
		case err == nil && failed != nil:
			k.log.InfoContext(ctx, "the data directory can be written again; writes are taken", "directory", k.dir)
		case err != nil && failed != nil:
			pause = min(2*pause, healMost)
			notBefore = now.Add(pause)
			k.log.ErrorContext(ctx, "writes are still refused: the data directory cannot be written", "directory", k.dir, "err", err, "next_try_in", pause.String())
		case err != nil:
			notBefore = now.Add(snapshotStale)
			k.log.WarnContext(ctx, "no snapshot; the journal grows on", "directory", k.dir, "err", err)
		}
	}
}

// leave writes the last snapshot, if the next start would miss it.
func (k *keeper) leave(ctx context.Context) {
	snapshot, journals := k.journal.Sizes()
	if k.journal.Failed() == nil && journals <= max(compactAtEnd, snapshot/2) {
		return
	}
	if err := k.snapshot(ctx); err != nil {
		k.log.WarnContext(ctx, "no snapshot at the end", "directory", k.dir, "err", err)
	}
}

// grown reports whether a snapshot is worth its while.
func (k *keeper) grown() bool {
	snapshot, journals := k.journal.Sizes()
	return journals > max(compactLeast, compactTimes*snapshot)
}

// snapshot writes all there is beside the journal and begins a new one. Writes
// wait while memory is copied, not while the copy is written.
func (k *keeper) snapshot(ctx context.Context) error {
	k.compact.Lock()
	defer k.compact.Unlock()
	begun := started()
	s, image, err := k.copied(ctx)
	pause := started().Sub(begun)
	if err != nil {
		return err
	}
	for _, record := range image {
		s.Add(record)
	}
	err = s.Commit()
	if _, left := errors.AsType[*journal.LeftError](err); left {
		k.log.WarnContext(ctx, "files of the data directory that are not needed any more stay there for now", "directory", k.dir, "err", err)
		err = nil
	}
	if err == nil {
		size, _ := k.journal.Sizes()
		k.log.InfoContext(ctx, "snapshot written", "directory", k.dir, "bytes", size, "writes_waited", pause.String(), "took", started().Sub(begun).String())
	}
	return err
}

// copied copies memory while no script writes.
func (k *keeper) copied(ctx context.Context) (*journal.Snapshot, [][]byte, error) {
	k.gate.Lock()
	defer k.gate.Unlock()
	// A script whose caller has given up may still run: it is let finish, and
	// others are refused.
	k.effects.refuse(true)
	defer k.effects.refuse(false)
	k.embedded.Exists("")
	s, err := k.journal.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	image, err := imageOf(k.embedded, k.effects.last())
	if err != nil {
		return nil, nil, errors.Join(err, s.Abort())
	}
	return s, image, nil
}

// close brings everything to disk. The embedded server takes no more calls.
func (k *keeper) close() error {
	k.end()
	<-k.ended
	if err := k.journal.Close(); err != nil {
		return fmt.Errorf("backend: the data directory %s: %w", k.dir, err)
	}
	return nil
}
