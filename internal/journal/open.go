package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Config says where the files are and what they hold.
type Config struct {
	// Disk is the directory. Close closes it.
	Disk Disk
	// Format names what the records mean, with its version: store/1. No spaces.
	// Files that say something else are refused.
	Format string
	// Rand salts the files.
	Rand io.Reader
}

// Report tells what Open found.
type Report struct {
	// Records are how many were handed out, those of the snapshot included.
	Records int
	// Torn is what was cut off the end of the last journal; nil: nothing.
	Torn *Torn
}

// Torn is the end of a journal that a crash has left in pieces.
type Torn struct {
	File   string
	Offset int64 // where it began, in bytes
	Bytes  int64 // how long it was
	Reason string
}

// DamageError says that what is on disk cannot be believed.
type DamageError struct {
	File   string
	Offset int64 // bytes
	Reason string
}

// Error names file, byte and reason, and what to do.
func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: the file %s is damaged at byte %d: %s. Nothing was changed. "+
		"See that the disk is sound and restore the directory from a backup", e.File, e.Offset, e.Reason)
}

// generations are the files by their generation.
type generations struct {
	snapshot uint64   // the newest; 0: none
	journals []uint64 // from that generation on, ascending
	old      []string // what a crash has kept from being removed
}

// Open reads everything, hands each record to load, and gets ready for more. A
// record is only good until load returns.
func Open(cfg Config, load func(record []byte) error) (*Journal, Report, error) {
	o := &opening{cfg: cfg, load: load}
	j, err := o.open()
	if err != nil {
		return nil, o.report, errors.Join(err, cfg.Disk.Close())
	}
	return j, o.report, nil
}

// opening is one Open.
type opening struct {
	cfg          Config
	load         func([]byte) error
	report       Report
	next         uint64 // number of the next record
	snapshotSize int64
	olderSize    int64 // of all journals but the last
	size         int64 // of the last
}

func (o *opening) open() (*Journal, error) {
	files, err := o.list()
	if err != nil {
		return nil, err
	}
	if err := o.dropEmpty(&files); err != nil {
		return nil, err
	}
	if err := files.whole(); err != nil {
		return nil, err
	}
	j := &Journal{cfg: o.cfg, wake: make(chan struct{}, 1), trouble: make(chan struct{}, 1), ended: make(chan struct{})}
	if len(files.journals) == 0 {
		o.next = 1
		if err := j.begin(1, o.next); err != nil {
			return nil, fmt.Errorf("journal: the first file cannot be made: %w", err)
		}
	} else {
		if err := o.settle(files); err != nil {
			return nil, err
		}
		if files.snapshot > 0 {
			if err := o.readSnapshot(files.snapshot); err != nil {
				return nil, err
			}
		}
		for i, g := range files.journals {
			if j.head, err = o.readJournal(g, i == len(files.journals)-1); err != nil {
				return nil, err
			}
		}
		j.olderSize, j.size = o.olderSize, o.size
	}
	for _, name := range files.old {
		if err := o.cfg.Disk.Remove(name); err != nil {
			return nil, fmt.Errorf("journal: a file that is not needed any more cannot be removed: %w", err)
		}
	}
	j.next, j.synced, j.snapshotSize = o.next, o.next-1, o.snapshotSize
	go j.write()
	return j, nil
}

// Has tells whether the directory at path holds files of a journal. Nothing is
// changed, and nothing locked.
func Has(path string) (bool, error) {
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("journal: the directory cannot be read: %w", err)
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		_, _, ok := parseName(e.Name())
		return ok
	}), nil
}

// list finds the files.
func (o *opening) list() (files generations, err error) {
	names, err := o.cfg.Disk.Names()
	if err != nil {
		return files, fmt.Errorf("journal: the directory cannot be read: %w", err)
	}
	var snapshots, journals []uint64
	for _, name := range names {
		h, finished, ok := parseName(name)
		switch {
		case !ok:
		case !finished:
			files.old = append(files.old, name)
		case h.kind == kindSnapshot:
			snapshots = append(snapshots, h.generation)
		default:
			journals = append(journals, h.generation)
		}
	}
	slices.Sort(journals)
	if len(snapshots) > 0 {
		files.snapshot = slices.Max(snapshots)
	}
	for _, g := range snapshots {
		if g < files.snapshot {
			files.old = append(files.old, head{kind: kindSnapshot, generation: g}.name())
		}
	}
	for _, g := range journals {
		if g < files.snapshot {
			files.old = append(files.old, head{kind: kindJournal, generation: g}.name())
			continue
		}
		files.journals = append(files.journals, g)
	}
	return files, nil
}

// whole checks that no journal is missing.
func (g *generations) whole() error {
	want := max(g.snapshot, 1)
	for _, have := range g.journals {
		if have != want {
			break
		}
		want++
	}
	if n := len(g.journals); (n > 0 && g.journals[n-1] >= want) || (n == 0 && g.snapshot > 0) {
		return &DamageError{File: head{kind: kindJournal, generation: want}.name(), Reason: "it is missing, and so are its records"}
	}
	return nil
}

// dropEmpty forgets journals at the end that no record was written to: a crash has
// come between their making and their first use, and what is before them may end
// in pieces. Some of them may have been removed before.
func (o *opening) dropEmpty(files *generations) error {
	for len(files.journals) > 0 {
		only := len(files.journals) == 1
		g := files.journals[len(files.journals)-1]
		if only && (files.snapshot > 0 || g > 1) {
			return nil // it was made and synced before the snapshot
		}
		name := head{kind: kindJournal, generation: g}.name()
		f, err := o.read(name, kindJournal, g)
		if err == nil {
			err = f.close()
		}
		empty := err == nil && f.at == f.size
		var damage *DamageError
		if errors.As(err, &damage) && f.size <= lineMost && damage.Reason == errNoHead.Error() {
			begun, failed := o.begun(name, head{kind: kindJournal, generation: g})
			if failed != nil {
				return failed
			}
			if begun {
				err, empty = nil, true
			}
		}
		if err != nil {
			return err
		}
		if !empty || (only && damage == nil) {
			return nil
		}
		if !only { // else it is made anew
			files.old = append(files.old, name)
		}
		files.journals = files.journals[:len(files.journals)-1]
	}
	return nil
}

// begun tells whether a file is no more than a first line that was not finished, or
// not brought to disk: bytes that a crash has left out are zero. Nothing was ever
// kept in such a file.
func (o *opening) begun(name string, h head) (bool, error) {
	text, err := o.from(name, 0)
	if err != nil {
		return false, fmt.Errorf("journal: the file %s cannot be read: %w", name, err)
	}
	text = bytes.TrimRight(text, "\x00")
	known := fmt.Appendf(nil, "%s %s %s %d ", version, o.cfg.Format, h.kind, h.generation)
	n := min(len(text), len(known))
	whole := len(known) + len("00000000 ") // salt; a number and the sum follow
	for whole < len(text) && text[whole] >= '0' && text[whole] <= '9' {
		whole++
	}
	whole += len(" 00000000\n")
	return bytes.Equal(text[:n], known[:n]) && !bytes.Contains(text, []byte("\n")) && len(text) < whole, nil
}

// settle brings to disk what a process that was killed has written and not synced:
// it is read, and so it counts.
func (o *opening) settle(files generations) error {
	last := head{kind: kindJournal, generation: files.journals[len(files.journals)-1]}
	if err := errors.Join(o.cfg.Disk.Sync(last.name()), o.cfg.Disk.SyncNames()); err != nil {
		return fmt.Errorf("journal: what was written before cannot be brought to disk: %w", err)
	}
	return nil
}

// readSnapshot hands out a snapshot, which must be whole.
func (o *opening) readSnapshot(g uint64) (err error) {
	f, err := o.read(head{kind: kindSnapshot, generation: g}.name(), kindSnapshot, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	for count := uint64(0); ; count++ {
		payload, number, err := f.next()
		switch {
		case err == io.EOF: //nolint:errorlint // readFrame makes it itself
			return f.damage("its end is missing")
		case err != nil:
			return f.fault(err)
		case number == endNumber:
			if len(payload) != 8 || binary.LittleEndian.Uint64(payload) != count || f.at != f.size {
				return f.damage("its end does not fit the rest")
			}
			o.next, o.snapshotSize = f.first, f.size
			return nil
		case number != count:
			return f.damage(fmt.Sprintf("the frame %d stands where %d is expected", number, count))
		}
		if err := o.hand(f, payload, nil); err != nil {
			return err
		}
	}
}

// hand gives the records of a frame to the caller of Open.
func (o *opening) hand(f *reading, payload []byte, count *uint64) error {
	var failed error
	n, err := eachRecord(payload, func(record []byte) error {
		o.report.Records++
		failed = o.load(record)
		return failed
	})
	if failed != nil {
		return fmt.Errorf("journal: a record before byte %d of the file %s is refused: %w", f.at, f.name, failed)
	}
	if count != nil {
		*count += n
	}
	if err != nil {
		return f.damage(err.Error())
	}
	return nil
}

// readJournal hands out a journal. The last one may end in pieces.
func (o *opening) readJournal(g uint64, last bool) (h head, err error) {
	f, err := o.read(head{kind: kindJournal, generation: g}.name(), kindJournal, g)
	if err != nil {
		return h, err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, f.close())
		}
	}()
	if o.next == 0 {
		o.next = 1
	}
	if f.first != o.next {
		return h, f.damage(fmt.Sprintf("it begins with record %d, and record %d is expected", f.first, o.next))
	}
	for {
		payload, number, err := f.next()
		if err == io.EOF { //nolint:errorlint // readFrame makes it itself
			o.olderSize, o.size = o.olderSize+o.size, f.size
			return f.head, nil
		}
		var reason bad
		if errors.As(err, &reason) && last {
			closed = true
			return f.head, o.tear(f, string(reason))
		}
		if err != nil {
			return h, f.fault(err)
		}
		if number != o.next {
			return h, f.damage(fmt.Sprintf("record %d stands before it where %d is expected", number, o.next))
		}
		if err := o.hand(f, payload, &o.next); err != nil {
			return h, err
		}
	}
}

// tear cuts off the end of the last journal, if nothing good stands behind it.
func (o *opening) tear(f *reading, reason string) error {
	if err := f.close(); err != nil {
		return err
	}
	rest, err := o.from(f.name, f.at)
	if err != nil {
		return fmt.Errorf("journal: the file %s cannot be read: %w", f.name, err)
	}
	if at := followed(rest, f.salt, o.next-1); at >= 0 {
		return f.damage(fmt.Sprintf("%s, and a good frame stands behind it at byte %d", reason, f.at+int64(at)))
	}
	if err := o.cfg.Disk.Truncate(f.name, f.at); err == nil {
		err = o.cfg.Disk.Sync(f.name)
		if err != nil {
			return fmt.Errorf("journal: the end of the file %s cannot be cut off: %w", f.name, err)
		}
	} else {
		return fmt.Errorf("journal: the end of the file %s cannot be cut off: %w", f.name, err)
	}
	o.report.Torn = &Torn{File: f.name, Offset: f.at, Bytes: f.size - f.at, Reason: reason}
	o.olderSize, o.size = o.olderSize+o.size, f.at
	return nil
}
