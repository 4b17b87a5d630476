package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/usher-scim/usher/resources"
)

// What a backup file says of itself.
const (
	backupFormat  = "usher-backup"
	backupVersion = 1
	longestLine   = 2 * maxBody // bytes; no record comes near
)

// BackupHeader is the first line of a backup.
type BackupHeader struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	ID      string    `json:"id"`   // 12 characters that name this backup
	Time    time.Time `json:"time"` // when it was begun
	By      string    `json:"by"`   // version of the usher that wrote it
}

// The types of lines beside those of records, which are in kindWords.
const (
	lineBegin    = "begin"    // an organization begins
	lineEnd      = "end"      // it ends
	lineComplete = "complete" // the file ends
	lineMembers  = "members"  // who is in a group, or is not any more
	lineTrash    = "trash"    // who was in a deleted group and is still to become due
	linePool     = "pool"     // who is in a pool that no record tells of
	lineDue      = "due"      // an item of work
	lineSecret   = "secret"   // a secret of the vault
	lineEvent    = "event"
)

// kindWords are the types of the lines of records, by resources.Kind.
var kindWords = [...]string{"user", "group", "token", "organization", "resource", "setting"}

// line is one line of a backup but the first. A line about something that an
// earlier one of its organization was about counts in its place.
type line struct {
	T    string `json:"t"`
	Gone bool   `json:"gone,omitempty"` // it was deleted since an earlier line

	// begin, end, complete; events have an LSN too
	Org    string         `json:"org,omitempty"`
	Slug   string         `json:"slug,omitempty"`
	LSN    string         `json:"lsn,omitempty"`
	Time   *time.Time     `json:"time,omitempty"`
	Counts map[string]int `json:"counts,omitempty"` // lines by type
	Digest string         `json:"digest,omitempty"` // SHA-256, hexadecimal

	// records; times in milliseconds since 1970
	Home     bool            `json:"home,omitempty"` // it stands in the platform
	ID       string          `json:"id,omitempty"`
	Version  uint64          `json:"version,omitempty"`
	Stamp    string          `json:"stamp,omitempty"`
	Created  int64           `json:"created,omitempty"`
	Modified int64           `json:"modified,omitempty"`
	Expires  int64           `json:"expires,omitempty"` // secrets too
	Display  string          `json:"display,omitempty"`
	Links    uint64          `json:"links,omitempty"`    // groups: changes of the membership
	Linked   int64           `json:"linked,omitempty"`   // groups: the last one
	Changing string          `json:"changing,omitempty"` // groups: the setting of a change of the membership that is under way
	Profile  json.RawMessage `json:"profile,omitempty"`
	Standing json.RawMessage `json:"standing,omitempty"`
	Raw      *rawRecord      `json:"raw,omitempty"` // what JSON cannot say byte by byte

	// members, trash, pools; More: in addition to the line before
	Group   string   `json:"group,omitempty"`
	In      []string `json:"in,omitempty"`
	Out     []string `json:"out,omitempty"`
	Name    string   `json:"name,omitempty"`
	Holders []string `json:"holders,omitempty"`
	More    bool     `json:"more,omitempty"`

	// due items, as they stand in the hashes
	Item   string `json:"item,omitempty"`
	At     *int64 `json:"at,omitempty"`     // microseconds
	Tried  string `json:"tried,omitempty"`  // "<at> <tries>"
	Parked *int64 `json:"parked,omitempty"` // milliseconds, since when
	Cause  string `json:"cause,omitempty"`  // "<tries> <cause>"

	// secrets
	Purpose string `json:"purpose,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Value   []byte `json:"value,omitempty"` // base64

	Event json.RawMessage `json:"event,omitempty"`
}

// rawRecord holds texts of a record that JSON would change.
type rawRecord struct {
	Display  []byte `json:"display,omitempty"`
	Profile  []byte `json:"profile,omitempty"`
	Standing []byte `json:"standing,omitempty"`
	Event    []byte `json:"event,omitempty"`
}

// exact reports whether text comes out of a file as it went in.
func exact(text []byte, room *bytes.Buffer) bool {
	room.Reset()
	return len(text) > 0 && utf8.Valid(text) && json.Compact(room, text) == nil && bytes.Equal(room.Bytes(), text)
}

// recordLine spells a record out.
func recordLine(r *resources.Record, expires int64, room *bytes.Buffer) *line {
	l := &line{
		T: kindWords[r.Kind], ID: r.ID, Version: r.Version, Stamp: r.Stamp, Created: r.Created, Modified: r.Modified,
		Expires: expires, Display: r.Display, Links: r.Links, Linked: r.LinksModified, Profile: r.Profile, Standing: r.Standing,
	}
	var raw rawRecord
	if !utf8.ValidString(r.Display) {
		l.Display, raw.Display = "", []byte(r.Display)
	}
	if !exact(r.Profile, room) {
		l.Profile, raw.Profile = nil, r.Profile
	}
	if len(r.Standing) > 0 && !exact(r.Standing, room) {
		l.Standing, raw.Standing = nil, r.Standing
	}
	if len(raw.Display)+len(raw.Profile)+len(raw.Standing) > 0 {
		l.Raw = &raw
	}
	return l
}

// record reads a record back.
func (l *line) record() *resources.Record {
	r := &resources.Record{
		ID: l.ID, Version: l.Version, Stamp: l.Stamp, Created: l.Created, Modified: l.Modified,
		Display: l.Display, Links: l.Links, LinksModified: l.Linked, Profile: l.Profile, Standing: l.Standing,
	}
	r.Kind, _ = known(l.ID)
	if raw := l.Raw; raw != nil {
		if len(raw.Display) > 0 {
			r.Display = string(raw.Display)
		}
		if len(raw.Profile) > 0 {
			r.Profile = raw.Profile
		}
		if len(raw.Standing) > 0 {
			r.Standing = raw.Standing
		}
	}
	return r
}

// event is the text of an event.
func (l *line) event() []byte {
	if l.Raw != nil {
		return l.Raw.Event
	}
	return l.Event
}

// parseLine reads one line, strictly: what is not understood would be lost.
func parseLine(text []byte) (*line, error) {
	l := new(line)
	if err := strictly(text, l); err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l, nil
}

func strictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("it is not a line of a backup: %w", err)
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return errors.New("something stands behind the end of the JSON")
	}
	return nil
}

// check refuses what Restore could not write.
func (l *line) check() error {
	if slices.Contains(kindWords[:], l.T) {
		return l.checkRecord()
	}
	ids := func(list ...string) error {
		for _, id := range list {
			if _, ok := known(id); !ok {
				return fmt.Errorf("%q is not an id", id)
			}
		}
		return nil
	}
	switch l.T {
	case lineBegin, lineEnd:
		_, err := keysOf(resources.OrgID(l.Org))
		return err
	case lineComplete:
		return nil
	case lineMembers, lineTrash:
		return errors.Join(ids(l.Group), ids(l.In...), ids(l.Out...))
	case linePool:
		if badName(l.Name) {
			return fmt.Errorf("%q does not name a pool", l.Name)
		}
		return nil
	case lineDue:
		if l.Item == "" || len(l.Item) > longestItem {
			return fmt.Errorf("%q is not an item of work", l.Item)
		}
		return nil
	case lineSecret:
		if _, err := secretKeys(resources.PlatformOrg, l.Purpose); err != nil {
			return err
		}
		if !isHash(l.Hash) || l.Expires < 0 || l.Expires > maxNumber {
			return errors.New("a secret has a hash of 32 hexadecimal digits and the time when it expires")
		}
		return nil
	case lineEvent:
		if _, _, ok := parseLSN(l.LSN); !ok || len(l.event()) == 0 {
			return errors.New("an event has an lsn of two numbers with a hyphen between them, and a text")
		}
		return nil
	}
	return fmt.Errorf("lines of the type %q are not known; was it written by a newer usher?", l.T)
}

func (l *line) checkRecord() error {
	kind, ok := known(l.ID)
	switch {
	case !ok || kindWords[kind] != l.T:
		return fmt.Errorf("%q is not the id of a record of the type %s", l.ID, l.T)
	case l.Gone:
		return nil
	case len(l.Stamp) != stampSize:
		return fmt.Errorf("the stamp %q does not have %d characters", l.Stamp, stampSize)
	case l.Expires < 0 || l.Linked < 0:
		return errors.New("a time is negative")
	}
	return nil
}

func isHash(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == 32
}
