package backend

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// kindLetters start the keys of records.
const kindLetters = "ugtors" // by resources.Kind

// keys builds the keys of one organization. The hash tag keeps all of them in
// one slot.
type keys struct {
	org resources.OrgID
	tag string // ":{org}"
}

// keysOf refuses anything but an organization's internal id: whatever stands
// inside the braces of a key chooses its slot.
func keysOf(org resources.OrgID) (keys, error) {
	ok := len(org) >= 1 && len(org) <= 20
	for i := 0; ok && i < len(org); i++ {
		c := org[i]
		ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
	}
	if !ok {
		return keys{}, fmt.Errorf("backend: organization id %q: 1 to 20 characters of a-z and 0-9 are needed", string(org))
	}
	return keys{org: org, tag: ":{" + string(org) + "}"}, nil
}

// record is the key of a record; the kind must be a known one.
func (k keys) record(kind resources.Kind, id string) string {
	return kindLetters[kind:kind+1] + k.tag + ":" + id
}

func (k keys) index(i resources.Index) string  { return i.Code() + k.tag }
func (k keys) members(group string) string     { return "gm" + k.tag + ":" + group }
func (k keys) groupsOf(id string) string       { return "ug" + k.tag + ":" + id }
func (k keys) links() string                   { return "gv" + k.tag }
func (k keys) changing() string                { return "mk" + k.tag }
func (k keys) groupNames() string              { return "gd" + k.tag }
func (k keys) events() string                  { return "ev" + k.tag }
func (k keys) pool(name string) string         { return "sp" + k.tag + ":" + name }
func (k keys) line(name string) string         { return "ln" + k.tag + ":" + name }
func (k keys) places() string                  { return "pl" + k.tag }
func (k keys) claims() string                  { return "cl" + k.tag }
func (k keys) notes() string                   { return "in" + k.tag }
func (k keys) tombstones() string              { return "ab" + k.tag }
func (k keys) expiry() string                  { return "xp" + k.tag }
func (k keys) trash(group string) string       { return "tr" + k.tag + ":" + group }
func (k keys) trashList() string               { return "tl" + k.tag }
func (k keys) attempts(generation byte) string { return "at" + k.tag + ":" + string(generation) }
func (k keys) due() string                     { return "du" + k.tag }
func (k keys) tries() string                   { return "dt" + k.tag }
func (k keys) parked() string                  { return "dp" + k.tag }
func (k keys) causes() string                  { return "dc" + k.tag }
func (k keys) lease() string                   { return "lz" + k.tag }
func (k keys) bells() string                   { return "bl" + k.tag }
func (k keys) rung() string                    { return "br" + k.tag }
func (k keys) backup() string                  { return "bk" + k.tag }
func (k keys) restoring() string               { return "rs" + k.tag }
func (k keys) erased() string                  { return "er" + k.tag }
func (k keys) secret(purpose, key string) string {
	return "vt" + k.tag + ":" + purpose + ":" + hash32(key)
}
func claimKey(c resources.Claim) string   { return string(c.Kind) + ":{" + hash32(c.Key) + "}" }
func claimField(c resources.Claim) string { return string(c.Kind) + "|" + c.Key }
func claimPrefix(org resources.OrgID, holder string) string {
	return "C|" + string(org) + "|" + holder + "|"
}

// parsePlace splits the key of a pool or a line of this organization.
func (k keys) parsePlace(key string) (letters, name string, ok bool) {
	if len(key) < 2 {
		return "", "", false
	}
	letters = key[:2]
	name, ok = strings.CutPrefix(key[2:], k.tag+":")
	return letters, name, ok && !badName(name) && (letters == "sp" || letters == "ln")
}

// hash32 keeps user text out of key names.
func hash32(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// parseRecord splits the key of a record of this organization.
func (k keys) parseRecord(key string) (kind resources.Kind, id string, ok bool) {
	if len(key) == 0 {
		return 0, "", false
	}
	n := strings.IndexByte(kindLetters, key[0])
	id, ok = strings.CutPrefix(key[1:], k.tag+":")
	got, good := resources.KindOf(id)
	return resources.Kind(n), id, ok && n >= 0 && good && got == resources.Kind(n)
}

// known reports whether id is well formed and of a kind this package stores.
func known(id string) (resources.Kind, bool) {
	kind, ok := resources.KindOf(id)
	return kind, ok && int(kind) < len(kindLetters)
}
