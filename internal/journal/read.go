package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// reading is a file that is being read.
type reading struct {
	head
	name     string
	r        *bufio.Reader
	at, size int64
	buf      []byte
	close    func() error
}

// read opens a file and reads its first line. With a DamageError about the line it
// gives the file as well, closed.
func (o *opening) read(name, kind string, generation uint64) (*reading, error) {
	file, size, err := o.cfg.Disk.Open(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f := &reading{name: name, size: size, r: bufio.NewReaderSize(file, 1<<20), close: file.Close}
	line, err := f.r.Peek(int(min(size, lineMost)))
	if err == nil {
		before, _, ended := bytes.Cut(line, []byte("\n"))
		if err = errNoHead; ended {
			f.head, err = parseHead(before, o.cfg.Format)
			f.at = int64(len(before) + 1)
		}
		if err == nil && (f.kind != kind || f.generation != generation) {
			err = fmt.Errorf("it is %s by what it says", f.head.name())
		}
		if err == nil {
			_, err = f.r.Discard(int(f.at))
			if err == nil {
				return f, nil
			}
		}
		err = &DamageError{File: name, Reason: err.Error()}
	}
	return f, errors.Join(err, f.close())
}

// next gives the next frame.
func (f *reading) next() (payload []byte, number uint64, err error) {
	payload, number, err = readFrame(f.r, f.size-f.at, f.salt, &f.buf)
	if err == nil {
		f.at += frameHead + int64(len(payload))
	}
	return payload, number, err
}

func (f *reading) damage(reason string) error {
	return &DamageError{File: f.name, Offset: f.at, Reason: reason}
}

// fault tells damage from a disk that cannot be read.
func (f *reading) fault(err error) error {
	if reason := bad(""); errors.As(err, &reason) {
		return f.damage(reason.Error())
	}
	return fmt.Errorf("journal: the file %s cannot be read: %w", f.name, err)
}

// from reads a file from a byte on.
func (o *opening) from(name string, at int64) (rest []byte, err error) {
	r, _, err := o.cfg.Disk.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := io.CopyN(io.Discard, r, at); err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
