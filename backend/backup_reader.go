package backend

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/usher-scim/usher/resources"
)

// BackupContents is what a backup file has.
type BackupContents struct {
	Header   BackupHeader
	Orgs     []BackupOrg
	Complete bool // its last line is there
	Lines    int
	Size     int64 // bytes up to the end of the last organization that is complete

	whole      hash.Hash
	wholeLines int // lines up to there
}

// BackupOrg is an organization in a file.
type BackupOrg struct {
	Org         resources.OrgID
	Slug        string
	LSN         string // of its last event, "" when it has none
	Time        time.Time
	Counts      map[string]int // lines by type
	First, Last int            // numbers of its lines, from 1
}

// errTruncated is wrapped when a file ends before it should.
var errTruncated = errors.New("the file ends here; it was cut off, or the backup was interrupted")

// ReadBackup reads a whole file and checks it: format, every line, order,
// counts and digests. An error names the number of the line. A file that was
// interrupted gives an error as well as what is complete in it.
func ReadBackup(r io.Reader) (*BackupContents, error) {
	return readBackup(r, func(*BackupOrg, *line) error { return nil })
}

// backupReader reads a file line by line.
type backupReader struct {
	in   *bufio.Reader
	text []byte
	n    int // number of the line
	size int64
	out  BackupContents

	org   *BackupOrg // that is being read, or nil
	sum   hash.Hash
	count map[string]int
}

// readBackup gives fn every line of every organization, the first and the last
// one included, once it is checked by itself.
func readBackup(r io.Reader, fn func(*BackupOrg, *line) error) (*BackupContents, error) {
	b := &backupReader{in: bufio.NewReaderSize(r, 256<<10)}
	b.out.whole = sha256.New()
	err := b.header()
	for err == nil && !b.out.Complete {
		err = b.step(fn)
	}
	if err == nil {
		if _, more := b.in.ReadByte(); !errors.Is(more, io.EOF) {
			b.n++
			err = errors.New("something stands behind the last line")
		}
	}
	b.out.Lines = b.n
	if err != nil {
		return &b.out, fmt.Errorf("line %d: %w", b.n, err)
	}
	return &b.out, nil
}

// next reads a line, which ends with a newline.
func (b *backupReader) next() error {
	b.text = b.text[:0]
	b.n++
	for {
		part, err := b.in.ReadSlice('\n')
		b.text = append(b.text, part...)
		switch {
		case err == nil:
			b.size += int64(len(b.text))
			return nil
		case errors.Is(err, io.EOF):
			return errTruncated
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read the backup: %w", err)
		case len(b.text) > longestLine:
			return fmt.Errorf("it has more than %d bytes", longestLine)
		}
	}
}

func (b *backupReader) header() error {
	if err := b.next(); err != nil {
		return err
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(b.text, &head); err != nil || head.Format != backupFormat {
		return errors.New("this is not a backup of usher (an encrypted one needs --identity-file)")
	}
	if head.Version != backupVersion {
		return fmt.Errorf("the backup has format version %d, this usher reads version %d; use the usher that wrote it or a newer one", head.Version, backupVersion)
	}
	if err := strictly(b.text, &b.out.Header); err != nil {
		return err
	}
	if len(b.out.Header.ID) != stampSize {
		return fmt.Errorf("the backup's id %q does not have %d characters", b.out.Header.ID, stampSize)
	}
	b.out.whole.Write(b.text)
	b.completed()
	return nil
}

// completed notes that all up to here can be kept.
func (b *backupReader) completed() { b.out.Size, b.out.wholeLines = b.size, b.n }

func (b *backupReader) step(fn func(*BackupOrg, *line) error) error {
	if err := b.next(); err != nil {
		return err
	}
	l, err := parseLine(b.text)
	if err != nil {
		return err
	}
	switch l.T {
	case lineBegin:
		if b.org != nil {
			return fmt.Errorf("an organization begins within another one, which began at line %d", b.org.First)
		}
		if slices.ContainsFunc(b.out.Orgs, func(o BackupOrg) bool { return o.Org == resources.OrgID(l.Org) }) {
			return fmt.Errorf("the organization %s stands in the file a second time", l.Org)
		}
		b.org = &BackupOrg{Org: resources.OrgID(l.Org), Slug: l.Slug, First: b.n}
		b.sum, b.count = sha256.New(), map[string]int{}
		b.sum.Write(b.text)
		return fn(b.org, l)
	case lineComplete:
		return b.complete(l)
	}
	if b.org == nil {
		return fmt.Errorf("a line of the type %s stands outside of an organization", l.T)
	}
	if l.T == lineEnd {
		return b.end(l, fn)
	}
	b.count[l.T]++
	b.sum.Write(b.text)
	return fn(b.org, l)
}

func (b *backupReader) end(l *line, fn func(*BackupOrg, *line) error) error {
	if l.Org != string(b.org.Org) {
		return fmt.Errorf("the organization %s ends, but %s began at line %d", l.Org, b.org.Org, b.org.First)
	}
	if !maps.Equal(l.Counts, b.count) && len(l.Counts)+len(b.count) > 0 {
		return fmt.Errorf("lines are missing or too many between line %d and here: the end says %v, there are %v", b.org.First, l.Counts, b.count)
	}
	if l.Digest != hex.EncodeToString(b.sum.Sum(nil)) {
		return fmt.Errorf("the lines from %d to here are not as they were written: their digest is another one", b.org.First)
	}
	if l.Time == nil {
		return errors.New("the end of an organization says no time")
	}
	b.org.LSN, b.org.Time, b.org.Counts, b.org.Last = l.LSN, *l.Time, b.count, b.n
	if err := fn(b.org, l); err != nil {
		return err
	}
	b.out.whole.Write(b.text)
	b.out.Orgs, b.org = append(b.out.Orgs, *b.org), nil
	b.completed()
	return nil
}

func (b *backupReader) complete(l *line) error {
	if b.org != nil {
		return fmt.Errorf("the file ends within an organization, which began at line %d", b.org.First)
	}
	if l.Counts["organizations"] != len(b.out.Orgs) {
		return fmt.Errorf("the end says %d organizations, there are %d", l.Counts["organizations"], len(b.out.Orgs))
	}
	if l.Digest != hex.EncodeToString(b.out.whole.Sum(nil)) {
		return errors.New("the file is not as it was written: its digest is another one")
	}
	b.out.Complete = true
	return nil
}

// Truncated reports whether an error of ReadBackup says that the file ends early.
func Truncated(err error) bool { return errors.Is(err, errTruncated) }

// parseLSN splits the id of an event.
func parseLSN(text string) (ms, seq uint64, ok bool) {
	front, back, cut := bytes.Cut([]byte(text), []byte{'-'})
	if !cut || len(front) == 0 || len(back) == 0 || len(front) > 15 || len(back) > 15 {
		return 0, 0, false
	}
	ms, ok1 := digits(string(front))
	seq, ok2 := digits(string(back))
	return ms, seq, ok1 && ok2
}
