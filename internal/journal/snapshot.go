package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// snapshotFrame is about how many bytes a frame of a snapshot has.
const snapshotFrame = 256 << 10

// Snapshot is one that is being written. One goroutine uses it.
type Snapshot struct {
	j      *Journal
	head   head
	name   string // while it is unfinished
	repair bool   // the journal has failed, and this is to heal it
	frame  []byte
	frames uint64
	size   int64
	err    error
}

// Snapshot begins a generation: what is appended from now on stands in a journal
// that follows this snapshot. The caller sees to it that nothing is appended
// between the moment that the snapshot will show and the return of Snapshot.
//
// When the journal has failed, Commit heals it: then nothing may be appended in
// between either, and what was appended and not kept must be in the snapshot.
func (j *Journal) Snapshot(ctx context.Context) (*Snapshot, error) {
	failed := j.Failed()
	if failed == nil {
		if err := j.Wait(ctx, j.Last()); err != nil {
			return nil, err
		}
	}
	j.mu.Lock()
	generation, first := j.head.generation+1, j.next
	j.mu.Unlock()
	if failed == nil {
		if err := j.begin(generation, first); err != nil {
			return nil, fmt.Errorf("journal: the next file cannot be made: %w", err)
		}
	}
	salt, err := j.salt()
	if err != nil {
		return nil, err
	}
	h := head{kind: kindSnapshot, generation: generation, salt: salt, first: first}
	s := &Snapshot{j: j, head: h, name: h.name() + unfinished, repair: failed != nil, frame: make([]byte, frameHead, snapshotFrame)}
	if err := j.create(h, s.name); err != nil {
		return nil, fmt.Errorf("journal: the snapshot cannot be made: %w", errors.Join(err, s.Abort()))
	}
	s.size = int64(len(h.line(j.cfg.Format)))
	return s, nil
}

// Add puts a record into the snapshot. Errors are told by Commit.
func (s *Snapshot) Add(record []byte) {
	s.frame = addRecord(s.frame, record)
	if len(s.frame) >= snapshotFrame {
		s.flush(s.frames)
		s.frames++
	}
}

func (s *Snapshot) flush(number uint64) {
	seal(s.frame, s.head.salt, number)
	if s.err == nil {
		s.err = s.j.cfg.Disk.Append(s.name, s.frame)
	}
	s.size += int64(len(s.frame))
	s.frame = s.frame[:frameHead]
}

// Commit finishes the snapshot and removes what it replaces. After an error
// everything is as it was before the snapshot, and another one may be tried.
func (s *Snapshot) Commit() error {
	if len(s.frame) > frameHead {
		s.flush(s.frames)
		s.frames++
	}
	s.frame = binary.LittleEndian.AppendUint64(s.frame, s.frames)
	s.flush(endNumber)
	disk := s.j.cfg.Disk
	if s.err == nil {
		s.err = disk.Sync(s.name)
	}
	if s.err != nil {
		return fmt.Errorf("journal: the snapshot cannot be written: %w", errors.Join(s.err, s.Abort()))
	}
	// The journal that follows must be there before the snapshot is: a snapshot
	// without its journal is taken for a loss.
	if s.repair {
		if err := s.j.begin(s.head.generation, s.head.first); err != nil {
			return fmt.Errorf("journal: the next file cannot be made: %w", errors.Join(err, s.Abort()))
		}
	}
	if err := errors.Join(disk.Rename(s.name, s.head.name()), disk.SyncNames()); err != nil {
		return fmt.Errorf("journal: the snapshot cannot be put in its place: %w", err)
	}
	return s.done()
}

// Abort gives the snapshot up.
func (s *Snapshot) Abort() error {
	if err := s.j.cfg.Disk.Remove(s.name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// done counts the snapshot as the newest and removes what it replaces. What cannot
// be removed is tried again with the next snapshot and when the directory is opened.
func (s *Snapshot) done() error {
	j := s.j
	j.mu.Lock()
	j.snapshotSize, j.olderSize = s.size, 0
	if s.repair {
		j.failed, j.synced = nil, s.head.first-1
	}
	j.mu.Unlock()
	names, err := j.cfg.Disk.Names()
	errs := []error{err}
	for _, name := range names {
		if h, finished, ok := parseName(name); ok && (h.generation < s.head.generation || !finished) {
			errs = append(errs, j.cfg.Disk.Remove(name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &LeftError{err}
	}
	return nil
}

// LeftError says that a snapshot is in its place, and what it replaces could not
// be removed. Nothing is lost but room.
type LeftError struct{ Cause error }

// Error gives the cause.
func (e *LeftError) Error() string {
	return "journal: what is not needed any more cannot be removed: " + e.Cause.Error()
}

// Unwrap gives the cause.
func (e *LeftError) Unwrap() error { return e.Cause }
