package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// ErrFull is what a full disk answers.
var ErrFull = errors.New("no space left on device")

// Disk is a directory in memory. It implements journal.Disk, is safe for
// concurrent use, and can be opened again after it was closed.
type Disk struct {
	mu      sync.Mutex
	files   map[string]*file
	kept    map[string]*file         // the names that are on disk
	changes []func(map[string]*file) // of names, since they were
	calls   int
	failAt  int // the call that fails; 0: none
	failErr error
	lasting bool // and so do all after it
	limit   int  // bytes in all files; 0: none
}

// file is what has names.
type file struct {
	data   []byte
	synced int    // how much of data is on disk
	before []byte // what is on disk instead, after data was cut off below that

	// What a failed sync has left: systems forget that it is not on disk, and say
	// that all is when they are asked again.
	lostFrom, lostTo int
}

// New makes an empty disk.
func New() *Disk { return &Disk{files: map[string]*file{}, kept: map[string]*file{}} }

// Fail makes the n-th call from now that changes or syncs something fail, once or
// for good; 0 makes nothing fail any more. A call to Append that fails has written
// half; what a Sync that fails once was to sync is lost in a power cut, whatever
// a later Sync says.
func (d *Disk) Fail(n int, err error, lasting bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls, d.failAt, d.failErr, d.lasting = 0, n, err, lasting
}

// Limit bounds the bytes of all files; 0: no bound.
func (d *Disk) Limit(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = n
}

// Calls counts the calls that changed or synced something since the last Fail.
func (d *Disk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// Used is how many bytes all files have.
func (d *Disk) Used() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() int {
	n := 0
	for _, f := range d.files {
		n += len(f.data)
	}
	return n
}

// PowerCut drops what is not synced, all of it or a part: choose picks a number
// from 0 to n, how much of it has reached the disk by chance. Bytes that come last
// may be there as zeros. Nothing fails any more afterwards.
func (d *Disk) PowerCut(choose func(n int) int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.kept)
	for _, change := range d.changes {
		if choose(1) == 1 {
			change(names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := names[name]
		if f.before != nil && choose(1) == 0 {
			f.data = f.before
		} else if f.before == nil {
			size := f.synced + choose(len(f.data)-f.synced)
			f.data = f.data[:size:size]
			clear(f.data[f.synced+choose(size-f.synced):])
		}
		if f.lostFrom < len(f.data) {
			clear(f.data[f.lostFrom:min(f.lostTo, len(f.data))])
		}
		f.synced, f.before = len(f.data), nil
	}
	d.files, d.kept, d.changes = names, maps.Clone(names), nil
	d.failAt, d.limit = 0, 0
}

// Data gives what a file holds, to be changed in place; nil: there is none.
func (d *Disk) Data(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		return f.data
	}
	return nil
}

// Set makes a file that is on disk.
func (d *Disk) Set(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &file{data: data, synced: len(data)}
	d.files[name], d.kept[name] = f, f
}

// Copy makes another disk that holds the same, all of it synced.
func (d *Disk) Copy() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := New()
	for name, f := range d.files {
		n := &file{data: slices.Clone(f.data), synced: len(f.data)}
		c.files[name], c.kept[name] = n, n
	}
	return c
}

// call counts a call and tells whether it is to fail.
func (d *Disk) call() error {
	d.calls++
	if d.failAt > 0 && (d.calls == d.failAt || (d.lasting && d.calls > d.failAt)) {
		return d.failErr
	}
	return nil
}

func missing(name string) error { return fmt.Errorf("%s: %w", name, fs.ErrNotExist) }

// Names implements journal.Disk.
func (d *Disk) Names() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.files)), nil
}

// Open implements journal.Disk.
func (d *Disk) Open(name string) (io.ReadCloser, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, 0, missing(name)
	}
	return io.NopCloser(bytes.NewReader(f.data)), int64(len(f.data)), nil
}

// Create implements journal.Disk.
func (d *Disk) Create(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(); err != nil {
		return err
	}
	f := &file{}
	d.change(func(names map[string]*file) { names[name] = f })
	return nil
}

// change changes names, until they are synced by chance only.
func (d *Disk) change(fn func(map[string]*file)) {
	fn(d.files)
	d.changes = append(d.changes, fn)
}

// Append implements journal.Disk.
func (d *Disk) Append(name string, p []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.call()
	f := d.files[name]
	if f == nil {
		return missing(name)
	}
	if err != nil {
		p = p[:len(p)/2]
	} else if room := d.limit - d.used(); d.limit > 0 && len(p) > room {
		p, err = p[:max(room, 0)], ErrFull
	}
	f.data = append(f.data, p...)
	return err
}

// Truncate implements journal.Disk.
func (d *Disk) Truncate(name string, size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(); err != nil {
		return err
	}
	f := d.files[name]
	if f == nil || size > int64(len(f.data)) {
		return missing(name)
	}
	if int(size) < f.synced && f.before == nil {
		f.before = f.data[:f.synced:f.synced]
	}
	f.data = slices.Clone(f.data[:size])
	f.synced = min(f.synced, int(size))
	f.lostTo = min(f.lostTo, int(size))
	return nil
}

// Sync implements journal.Disk.
func (d *Disk) Sync(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.call()
	f := d.files[name]
	if f == nil {
		return missing(name)
	}
	if err != nil {
		if !d.lasting {
			f.lostFrom, f.lostTo = f.synced, len(f.data)
		}
		return err
	}
	f.synced, f.before = len(f.data), nil
	return nil
}

// Rename implements journal.Disk.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(); err != nil {
		return err
	}
	if d.files[from] == nil {
		return missing(from)
	}
	d.change(func(names map[string]*file) {
		if f := names[from]; f != nil {
			names[to] = f
			delete(names, from)
		}
	})
	return nil
}

// Remove implements journal.Disk.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(); err != nil {
		return err
	}
	if d.files[name] == nil {
		return missing(name)
	}
	d.change(func(names map[string]*file) { delete(names, name) })
	return nil
}

// SyncNames implements journal.Disk.
func (d *Disk) SyncNames() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(); err != nil {
		return err
	}
	d.kept, d.changes = maps.Clone(d.files), nil
	return nil
}

// Close implements journal.Disk.
func (d *Disk) Close() error { return nil }
