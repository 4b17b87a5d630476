package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Disk is one directory of files. [Directory] is the real one; tests have others,
// which lose power and run full. Nothing is on disk before it is synced: neither
// what a file holds nor that it is there.
type Disk interface {
	// Names lists the files.
	Names() ([]string, error)
	// Open reads a file from its beginning and tells its size in bytes.
	Open(name string) (r io.ReadCloser, size int64, err error)
	// Create makes an empty file, in place of one that has the name.
	Create(name string) error
	// Append writes at the end of a file. When it fails, any part may be written.
	Append(name string, p []byte) error
	// Truncate cuts a file off.
	Truncate(name string, size int64) error
	// Sync returns when all that the file holds is on disk.
	Sync(name string) error
	// Rename gives a file another name, in one step.
	Rename(from, to string) error
	// Remove deletes a file.
	Remove(name string) error
	// SyncNames returns when it is on disk which files there are.
	SyncNames() error
	// Close ends the use of the directory.
	Close() error
}

const lockName = "lock"

// Directory is a directory of the operating system that this process alone uses.
type Directory struct {
	path string
	lock *os.File
	mu   sync.Mutex
	open map[string]*os.File // what is being written
}

// Lock makes the directory at path if it is not there, and takes it for this
// process until Close. An error tells what to do, also when another process has it.
func Lock(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("journal: the directory cannot be made: %w", err)
	}
	file := filepath.Join(path, lockName)
	lock, err := takeLock(file)
	if errors.Is(err, errLocked) {
		holder := ""
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 && len(text) < 20 {
			holder = ", number " + string(text)
		}
		return nil, fmt.Errorf("journal: another process%s uses the directory %s: stop it, or choose another directory", holder, path)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: the directory cannot be locked: %w", err)
	}
	d := &Directory{path: path, lock: lock, open: map[string]*os.File{}}
	// The number is for people only: where it cannot be written, nothing is lost.
	if lock.Truncate(0) == nil {
		_, _ = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	return d, nil
}

// Names implements Disk.
func (d *Directory) Names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Open implements Disk.
func (d *Directory) Open(name string) (io.ReadCloser, int64, error) {
	f, err := os.Open(filepath.Join(d.path, name))
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Create implements Disk.
func (d *Directory) Create(name string) error {
	_, err := d.file(name, os.O_CREATE|os.O_TRUNC)
	return err
}

// Append implements Disk.
func (d *Directory) Append(name string, p []byte) error {
	f, err := d.file(name, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	return err
}

// Truncate implements Disk.
func (d *Directory) Truncate(name string, size int64) error {
	f, err := d.file(name, 0)
	if err != nil {
		return err
	}
	return f.Truncate(size)
}

// Sync implements Disk.
func (d *Directory) Sync(name string) error {
	f, err := d.file(name, 0)
	if err != nil {
		return err
	}
	return f.Sync()
}

// Rename implements Disk.
func (d *Directory) Rename(from, to string) error {
	if err := errors.Join(d.done(from), d.done(to)); err != nil {
		return err
	}
	return os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
}

// Remove implements Disk.
func (d *Directory) Remove(name string) error {
	return errors.Join(d.done(name), os.Remove(filepath.Join(d.path, name)))
}

// SyncNames implements Disk.
func (d *Directory) SyncNames() error { return syncDirectory(d.path) }

// Close implements Disk. It gives the lock up last.
func (d *Directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, f := range d.open {
		errs = append(errs, f.Close())
	}
	clear(d.open)
	return errors.Join(append(errs, d.lock.Close())...)
}

// file gives the open file of a name. Files hold secrets of people and their
// hashes: they are for the owner only.
func (d *Directory) file(name string, flags int) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.open[name]; f != nil && flags == 0 {
		return f, nil
	} else if f != nil {
		delete(d.open, name)
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_WRONLY|os.O_APPEND|flags, 0o600)
	if err == nil {
		d.open[name] = f
	}
	return f, err
}

// done closes the file of a name, if it is open.
func (d *Directory) done(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.open[name]
	delete(d.open, name)
	if f == nil {
		return nil
	}
	return f.Close()
}
