package resources

import "time"

// Record is one stored thing: a user, a group, a token, an organization.
//
// A record is a profile and a standing (design: Profile and Standing). The
// profile is what the identity provider or the administrator said: for users
// and groups the SCIM document as sent, with schemas and id, without meta, without
// groups and without members. The standing is what usher decided; only settle
// writes it.
type Record struct {
	Kind     Kind
	ID       string
	Version  uint64 // 1 when created, one more with every committed change of profile or standing
	Created  int64  // milliseconds since 1970, UTC
	Modified int64  // the same, of the last change of the document
	Display  string // what is shown where other resources refer to this one, ≤ 120 bytes
	Profile  []byte // a JSON object
	Standing []byte // a JSON object, or empty

	// Stamp names the commit that wrote this version, 12 characters. The
	// store sets it and compares it together with Version.
	Stamp string

	// What readers learn beside the record itself; never written with it.
	Links         uint64     // groups: how often the membership changed
	LinksModified int64      // groups: when it changed last, milliseconds; 0 if never
	Size          int        // groups: direct members
	Groups        []GroupRef // users and groups: the groups they are direct members of
	Members       []string   // groups, only when a Query asks for them
}

// GroupRef is one direct membership as seen from the member.
type GroupRef struct {
	ID      string
	Display string
}

// MemberRef is one direct membership as seen from the group. The kind is in
// the id.
type MemberRef struct {
	ID      string
	Display string
}

// LastModified is the time of the last change a reader of the resource can
// see: of the document, and for groups of the membership.
func (r *Record) LastModified() time.Time {
	return time.UnixMilli(max(r.Modified, r.LinksModified)).UTC()
}

// CreatedAt is the time of creation in UTC.
func (r *Record) CreatedAt() time.Time { return time.UnixMilli(r.Created).UTC() }
