package resources

import "strings"

// SourceType is a way in which a user came to a licence (domain.md §2).
type SourceType string

// The sources, those that decide first first (BR-162).
const (
	SourceDirect       SourceType = "direct"       // an administrator
	SourceRegistration SourceType = "registration" // an approved registration
	SourceInvitation   SourceType = "invitation"
	SourceSCIM         SourceType = "scim"         // the identity provider named it for the user
	SourceGroup        SourceType = "group"        // a group template; Ref is the group
	SourceOrgTemplate  SourceType = "org_template" // the organization's template; Ref is the template
)

// Source is one reason why a user shall have a licence.
type Source struct {
	Type  SourceType `json:"t"`
	Ref   string     `json:"r,omitempty"` // see the types; "package" when it was asked for as the package
	Since int64      `json:"s,omitempty"` // milliseconds since 1970
}

// String gives the source in one word, for events: "group:<id>".
func (s Source) String() string {
	return strings.TrimSuffix(string(s.Type)+":"+s.Ref, ":")
}

// AssignmentStatus is where a licence of a user is in its life (domain.md §3.7).
type AssignmentStatus string

// The states of an assignment. One that is removed is not kept.
const (
	Assigned AssignmentStatus = "assigned"
	Reserved AssignmentStatus = "reserved"
	Failed   AssignmentStatus = "error" // asked for and not given: Issue says why; it is tried again
)

// Assignment is one product of one user: one seat, however many sources.
type Assignment struct {
	SKU          string           `json:"k"` // as the catalogue spells it
	Status       AssignmentStatus `json:"a"`
	Subscription string           `json:"b,omitempty"` // id of the one the seat is of; "" for free products
	Asked        int64            `json:"q"`           // since when it is asked for: the order of the line; milliseconds
	Since        int64            `json:"s"`           // since when the status is what it is; milliseconds
	Sources      []Source         `json:"f"`           // at least one, in the order of their types
	Issue        Code             `json:"i,omitempty"` // of status error
}

// waits reports whether the assignment stands in the line of its product: it
// gets a seat as soon as there is one, in the order of Asked (BR-164).
func (a *Assignment) waits() bool {
	return a.Status == Failed && (a.Issue == CodeNoSeats || a.Issue == CodeNotSubscribed)
}

// pool is the pool in which the assignment has its place, "" for none.
func (a *Assignment) pool() string {
	switch {
	case a.Status == Failed:
		return ""
	case a.Subscription != "":
		return seatPool(a.Subscription)
	}
	return freePool(a.SKU).Name
}

// Issue says why what was asked for is not what is (domain.md §1).
type Issue struct {
	Code      Code   `json:"c"`
	Attribute string `json:"a,omitempty"` // path of the attribute it is about, for example "licenses" or "phoneNumber"
	Detail    string `json:"d,omitempty"` // a sentence with the remedy
	Since     int64  `json:"s"`           // milliseconds since 1970
}

// Origin says whether a user came with licences named (BR-163).
type Origin string

// The licensing origins.
const (
	OriginAutomatic Origin = "automatic"
	OriginExplicit  Origin = "explicit" // never gets the organization's template
)

// Standing is what usher decided about a user. Only settle writes it; it is
// kept in the record's standing and shown in the extension blocks of the
// document (domain.md §5.2 … §5.5).
type Standing struct {
	State    string       `json:"state"`            // domain.md §3.1
	Source   string       `json:"source,omitempty"` // provisionSource: SCIM, API, CSV, CONSOLE …; "" is SCIM
	Origin   Origin       `json:"origin,omitempty"` // "" is automatic
	Licences []Assignment `json:"licences,omitempty"`
	Kept     []Assignment `json:"kept,omitempty"`    // of an inactive user: what is asked for again once active; none has a seat
	Tier     string       `json:"tier,omitempty"`    // licensed or basic (domain.md §5.2); "" is unlicensed
	OrgSKUs  []string     `json:"orgSkus,omitempty"` // given by the organization's template, also while group templates decide instead (BR-162)
	Asks     bool         `json:"asks,omitempty"`    // entitlements of the document ask for licences too
	Package  *Holding     `json:"package,omitempty"`
	Calling  *Calling     `json:"calling,omitempty"`
	Roles    []Role       `json:"roles,omitempty"`
	Issues   []Issue      `json:"issues,omitempty"`

	Covered bool   `json:"covered,omitempty"` // a verified domain of the organization covers the identity address
	Moved   *Moved `json:"moved,omitempty"`
	Proven  string `json:"proven,omitempty"` // the EmailKey that was proven to be the user's: by link, code or provider
	Login   *Login `json:"login,omitempty"`
	Mails   *Mails `json:"mails,omitempty"`
	Epoch   int    `json:"epoch,omitempty"` // sessions, links and codes of another epoch are worthless; grows when access ends (security O10, H1)
}

// Holding is the package that a user holds, for billing (BR-175), or that none is
// held any more.
type Holding struct {
	SKU      string `json:"k,omitempty"`
	From     string `json:"f,omitempty"` // first day, in the organization's time zone
	Location string `json:"l,omitempty"` // id
	Until    string `json:"u,omitempty"` // without SKU: the day after the last one that any was held
}

// Calling is what a user has been given to call with (domain.md §5.5).
type Calling struct {
	Location  string `json:"l,omitempty"` // id
	Place     string `json:"p,omitempty"` // name of the location, as it is shown and found by
	Number    string `json:"n,omitempty"` // E.164
	NumberID  string `json:"i,omitempty"` // id of the number's record
	Extension string `json:"e,omitempty"` // digits
	Temporary bool   `json:"t,omitempty"` // BR-193
	Status    string `json:"s,omitempty"` // pending, assigned, error; "" is none

	Chosen  bool   `json:"c,omitempty"` // usher chose the number, nobody asked for it
	ChosenX bool   `json:"x,omitempty"` // the same of the extension
	Waits   []Wait `json:"w,omitempty"` // for numbers and extensions
}

// Wait is a place in a line.
type Wait struct {
	Line  string `json:"l"`
	Since int64  `json:"s"` // milliseconds since 1970
}
