package resources

import (
	"encoding/binary"
	"io"
	"strings"
	"time"
)

// OrgID is the internal name of an organization, the id of its record: at most
// 20 characters of [a-z0-9], never typed by a user, so that it may stand inside
// the hash tag of a key. What people type is the organization's slug.
type OrgID string

// PlatformOrg is the organization that holds usher's own records: the
// organizations themselves and the operators' API tokens.
const PlatformOrg OrgID = "platform"

// Kind says what a record is. It is part of the record's id.
type Kind uint8

// The kinds of records. Values are stored inside ids: never renumber.
const (
	KindUser  Kind = 0
	KindGroup Kind = 1
	KindToken Kind = 2
	KindOrg   Kind = 3

	// KindCustom is every resource of a declared type; which one stands in the
	// record (see CustomType).
	KindCustom Kind = 4
	// KindSetting is what administrators keep beside resources: declared
	// schemas, OAuth clients, secrets of the server (see setting.go).
	KindSetting Kind = 5
)

// Kinds lists every kind, for code that walks all records.
func Kinds() []Kind {
	return []Kind{KindUser, KindGroup, KindToken, KindOrg, KindCustom, KindSetting}
}

// String gives the SCIM resource type name, or the noun of the domain.
func (k Kind) String() string {
	switch k {
	case KindUser:
		return "User"
	case KindGroup:
		return "Group"
	case KindToken:
		return "Token"
	case KindOrg:
		return "Organization"
	case KindCustom:
		return "Resource"
	case KindSetting:
		return "Setting"
	}
	return "Unknown"
}

const (
	idAlphabet = "0123456789abcdefghijklmnopqrstuv" // base32hex: ids sort by time
	idLength   = 20
	idTime     = 10 // characters of it that hold the time
)

// NewID makes a resource id: 20 lowercase base32 characters holding 48 bits of
// milliseconds, 47 random bits and the kind. Ids are opaque to clients; usher
// itself reads the kind back with [KindOf] and relies on ids sorting by
// creation time.
func NewID(kind Kind, now time.Time, random io.Reader) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	bits := binary.BigEndian.Uint64(b[:])
	var out [idLength]byte
	putTime(&out, now)
	for i := idTime; i < idLength-1; i++ {
		out[i] = idAlphabet[bits&31]
		bits >>= 5
	}
	out[idLength-1] = idAlphabet[bits&^7&31|uint64(kind)]
	return string(out[:]), nil
}

// putTime writes the milliseconds of a time into the beginning of an id.
func putTime(out *[idLength]byte, t time.Time) {
	ms := uint64(max(t.UnixMilli(), 0))
	for i := idTime - 1; i >= 0; i-- {
		out[i] = idAlphabet[ms&31]
		ms >>= 5
	}
}

// timeOf reads the time out of an id, to the millisecond.
func timeOf(id string) (time.Time, bool) {
	if _, ok := KindOf(id); !ok {
		return time.Time{}, false
	}
	ms := int64(0)
	for i := range idTime {
		ms = ms<<5 | int64(strings.IndexByte(idAlphabet, id[i]))
	}
	return time.UnixMilli(ms), true
}

// KindOf reads the kind out of an id and reports whether the id is well
// formed at all. It says nothing of whether such a record exists.
func KindOf(id string) (Kind, bool) {
	if len(id) != idLength {
		return 0, false
	}
	var value byte
	for i := range len(id) {
		// Arithmetic instead of a search: lists ask this of every id they show.
		// What is below the first letter of a range wraps around and is large.
		if value = id[i] - '0'; value <= 9 {
			continue
		}
		if value = id[i] - 'a'; value > 'v'-'a' {
			return 0, false
		}
		value += 10
	}
	return Kind(value & 7), true
}

// FirstIDAt returns the smallest id that a record created at t could have, so
// that a range of creation times is a range of ids.
func FirstIDAt(t time.Time) string {
	out := [idLength]byte([]byte(strings.Repeat("0", idLength)))
	putTime(&out, t)
	return string(out[:])
}
