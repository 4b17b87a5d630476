package backend

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"time"

	"github.com/usher-scim/usher/resources"
)

// BackupWriter writes a backup file: a header, organizations, a last line.
// Not safe for concurrent use.
type BackupWriter struct {
	Header BackupHeader

	out   *bufio.Writer
	whole hash.Hash // of the header and the end lines, each of which covers its organization
	orgs  int
	lines int // written so far

	// of the organization that is being written
	sum    hash.Hash
	counts map[string]int
	room   bytes.Buffer
	enc    *json.Encoder
}

// NewBackup begins a file on w. by is the version of this usher.
func (s *Store) NewBackup(w io.Writer, by string) (*BackupWriter, error) {
	id, err := s.stamp()
	if err != nil {
		return nil, err
	}
	b := newBackupWriter(w)
	b.Header = BackupHeader{Format: backupFormat, Version: backupVersion, ID: id, Time: s.cfg.Now().UTC().Truncate(time.Millisecond), By: by}
	text, err := b.encode(b.Header)
	if err != nil {
		return nil, err
	}
	b.whole.Write(text)
	return b, b.write(text)
}

// ContinueBackup goes on with a file that was interrupted, behind its last
// complete organization: done is what ReadBackup found up to there.
func ContinueBackup(w io.Writer, done *BackupContents) *BackupWriter {
	b := newBackupWriter(w)
	b.Header, b.whole, b.orgs, b.lines = done.Header, done.whole, len(done.Orgs), done.wholeLines
	return b
}

func newBackupWriter(w io.Writer) *BackupWriter {
	b := &BackupWriter{out: bufio.NewWriterSize(w, 256<<10), whole: sha256.New()}
	b.enc = json.NewEncoder(&b.room)
	b.enc.SetEscapeHTML(false)
	return b
}

func (b *BackupWriter) encode(v any) ([]byte, error) {
	b.room.Reset()
	if err := b.enc.Encode(v); err != nil {
		return nil, fmt.Errorf("backend: backup: encode a line: %w", err)
	}
	return b.room.Bytes(), nil
}

func (b *BackupWriter) write(text []byte) error {
	b.lines++
	if _, err := b.out.Write(text); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// line writes one line of an organization.
func (b *BackupWriter) line(l *line) error {
	text, err := b.encode(l)
	if err != nil {
		return err
	}
	if l.T != lineBegin {
		b.counts[l.T]++
	}
	b.sum.Write(text)
	return b.write(text)
}

func (b *BackupWriter) begin(org resources.OrgID, slug, lsn string, now time.Time) error {
	b.sum, b.counts = sha256.New(), map[string]int{}
	return b.line(&line{T: lineBegin, Org: string(org), Slug: slug, LSN: lsn, Time: &now})
}

// end closes an organization and gives what it has to w.
func (b *BackupWriter) end(org resources.OrgID, slug, lsn string, now time.Time) (map[string]int, error) {
	text, err := b.encode(&line{T: lineEnd, Org: string(org), Slug: slug, LSN: lsn, Time: &now, Counts: b.counts, Digest: hex.EncodeToString(b.sum.Sum(nil))})
	if err != nil {
		return nil, err
	}
	b.whole.Write(text)
	b.orgs++
	return maps.Clone(b.counts), firstError(b.write(text), b.out.Flush())
}

// Complete writes the last line.
func (b *BackupWriter) Complete() error {
	text, err := b.encode(&line{T: lineComplete, Counts: map[string]int{"organizations": b.orgs}, Digest: hex.EncodeToString(b.whole.Sum(nil))})
	if err != nil {
		return err
	}
	return firstError(b.write(text), b.out.Flush())
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
