package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Journal takes records. It is safe for concurrent use.
type Journal struct {
	cfg     Config
	wake    chan struct{} // holds one when there is something to write or to end
	trouble chan struct{} // holds one when writing has failed
	ended   chan struct{} // closed when the writing goroutine has ended

	mu           sync.Mutex
	head         head   // of the journal that is written
	next         uint64 // number of the next record
	synced       uint64 // number of the last record that is on disk
	waiting      []*batch
	writing      *batch
	failed       error // since then nothing is written
	closed       bool
	snapshotSize int64
	olderSize    int64 // of the journals between the snapshot and the one that is written
	size         int64 // of what is synced of that one
}

// batch is what is written as one frame.
type batch struct {
	frame       []byte // room for the head, then the records
	first, last uint64
	done        chan struct{} // closed when it is on disk or err says why not
	err         error
}

// ErrClosed says that the journal was closed before.
var ErrClosed = errors.New("journal: closed")

// FailedError says that the journal cannot write.
type FailedError struct{ Cause error }

// Error gives the cause.
func (e *FailedError) Error() string { return "journal: writing has failed: " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *FailedError) Unwrap() error { return e.Cause }

// Append queues a record and returns its number, for Wait. It waits for nothing.
// While the journal has failed, the record is not kept and Wait fails; it must be
// in the snapshot that heals the journal.
func (j *Journal) Append(record []byte) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.next - 1 // it or one before it is not on disk
	}
	number := j.next
	j.next++
	if j.closed {
		return number // never on disk
	}
	n := len(j.waiting)
	if n == 0 || len(j.waiting[n-1].frame)+len(record) > batchLimit {
		j.waiting = append(j.waiting, &batch{frame: make([]byte, frameHead, frameHead+len(record)+16), first: number, done: make(chan struct{})})
		n = len(j.waiting)
	}
	b := j.waiting[n-1]
	b.frame, b.last = addRecord(b.frame, record), number
	signal(j.wake)
	return number
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Last is the number of the record that was appended last.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next - 1
}

// Wait returns when the record and all before it are on disk. An error says that
// it may not be: a FailedError, ErrClosed or that of ctx.
func (j *Journal) Wait(ctx context.Context, number uint64) error {
	j.mu.Lock()
	b, err := j.batchOf(number)
	j.mu.Unlock()
	if b == nil || err != nil {
		return err
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// batchOf finds the batch of a record; nil without an error: it is on disk.
func (j *Journal) batchOf(number uint64) (*batch, error) {
	switch {
	case number <= j.synced:
		return nil, nil
	case j.failed != nil:
		return nil, j.failed
	case j.writing != nil && number <= j.writing.last:
		return j.writing, nil
	}
	for _, b := range j.waiting {
		if number <= b.last {
			return b, nil
		}
	}
	return nil, ErrClosed
}

// Failed tells why nothing can be written; nil: it can.
func (j *Journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// Trouble gets a signal when writing has failed.
func (j *Journal) Trouble() <-chan struct{} { return j.trouble }

// Sizes tells how many bytes the snapshot and the journals after it have.
func (j *Journal) Sizes() (snapshot, journals int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.snapshotSize, j.olderSize + j.size
}

// write is the goroutine that writes batches, until Close.
func (j *Journal) write() {
	defer close(j.ended)
	for range j.wake {
		for j.writeOne() {
			continue
		}
		j.mu.Lock()
		end := j.closed
		j.mu.Unlock()
		if end {
			return
		}
	}
}

// writeOne writes the oldest batch and reports whether there was one.
func (j *Journal) writeOne() bool {
	j.mu.Lock()
	if len(j.waiting) == 0 || j.failed != nil {
		j.mu.Unlock()
		return false
	}
	b, h, size := j.waiting[0], j.head, j.size
	j.waiting, j.writing = j.waiting[1:], b
	j.mu.Unlock()

	seal(b.frame, h.salt, b.first)
	err := errors.New("what is to be kept at once is too large")
	if len(b.frame)-frameHead <= frameMost {
		err = j.cfg.Disk.Append(h.name(), b.frame)
	}
	if err == nil {
		err = j.cfg.Disk.Sync(h.name())
	}

	if err != nil {
		// What is doubtful must not be taken for good by the next Open. If it cannot
		// be cut off either, it is no worse than after a crash.
		_ = j.cfg.Disk.Truncate(h.name(), size)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writing = nil
	if err != nil {
		j.fail(b, err)
		return false
	}
	j.synced = b.last
	j.size += int64(len(b.frame))
	close(b.done)
	return true
}

// fail ends the writing of this generation: what is behind the last sync is
// unknown, and a record behind it could be lost with it.
func (j *Journal) fail(b *batch, err error) {
	j.failed = &FailedError{err}
	for _, b := range append([]*batch{b}, j.waiting...) {
		b.err = j.failed
		close(b.done)
	}
	j.waiting = nil
	signal(j.trouble)
}

// Close writes what is queued and gives the directory back. It returns a
// FailedError when the journal has failed.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return ErrClosed
	}
	j.closed = true
	j.mu.Unlock()
	signal(j.wake)
	<-j.ended
	return errors.Join(j.Failed(), j.cfg.Disk.Close())
}

// create makes and syncs a file with its first line.
func (j *Journal) create(h head, name string) error {
	if err := j.cfg.Disk.Create(name); err != nil {
		return err
	}
	if err := j.cfg.Disk.Append(name, h.line(j.cfg.Format)); err != nil {
		return err
	}
	return j.cfg.Disk.Sync(name)
}

// begin makes the journal of a generation and writes there from now on. Nothing
// may be queued. When it fails, all is as before.
func (j *Journal) begin(generation, first uint64) error {
	salt, err := j.salt()
	if err != nil {
		return err
	}
	h := head{kind: kindJournal, generation: generation, salt: salt, first: first}
	line := int64(len(h.line(j.cfg.Format)))
	if err := j.create(h, h.name()); err != nil {
		return err
	}
	if err := j.cfg.Disk.SyncNames(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.olderSize, j.size = j.olderSize+j.size, line
	j.head = h
	return nil
}

func (j *Journal) salt() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(j.cfg.Rand, b[:]); err != nil {
		return 0, fmt.Errorf("journal: no randomness: %w", err)
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}
