package resources

import (
	"context"
	"time"
)

// Store keeps all state. Every method works inside one organization, which the
// caller took from a credential, never from a request.
//
// Errors: a *Error of this package where said so; otherwise an error wrapping
// ErrUnavailable when the store cannot be reached or cannot answer now
// (callers answer 503 and the client may repeat), or ctx's error.
//
// Reads see every commit acknowledged before they began.
type Store interface {
	// Update runs fn over a consistent unit of work and commits what it asked
	// for, all or nothing, exactly once even when replies are lost. fn may run
	// several times: when something it read has changed by the time of the
	// commit it is run again, with pauses, a bounded number of times, after
	// which ErrUnavailable is returned. An error from fn ends Update with that
	// error and nothing is written. When the commit itself finds a reason
	// to refuse (a name taken, a claim held, a pool full, a member gone) it
	// writes nothing and Update returns the *Refusal.
	Update(ctx context.Context, org OrgID, fn func(ctx context.Context, tx Tx) error) (Commit, error)

	// Get reads one record, with Groups for users and groups, as a rule in one
	// round trip. It returns nil, nil when there is none.
	Get(ctx context.Context, org OrgID, kind Kind, id string) (*Record, error)

	// Many reads records by id, without Groups. The result has the length of
	// ids; records that do not exist are nil.
	Many(ctx context.Context, org OrgID, ids []string) ([]*Record, error)

	// Named returns the id that a Unique index has for a value (in the form
	// Index.Key gives), or "".
	Named(ctx context.Context, org OrgID, index Index, value string) (string, error)

	// Find answers a query.
	Find(ctx context.Context, org OrgID, q Query) (Page, error)

	// Members reads up to limit members of a group whose ids are greater than
	// after, in id order. Deleted members are never returned.
	Members(ctx context.Context, org OrgID, group, after string, limit int) ([]MemberRef, error)

	// MemberIDs is Members without displays, for code that compares or walks
	// whole memberships; limit may be up to 10 000.
	MemberIDs(ctx context.Context, org OrgID, group, after string, limit int) ([]string, error)

	// Exist tells for each user or group id whether there is such a record.
	Exist(ctx context.Context, org OrgID, ids []string) ([]bool, error)

	// IsMember tells for each id whether it is a direct member of the group.
	IsMember(ctx context.Context, org OrgID, group string, ids []string) ([]bool, error)

	// Holder tells who has a claim, in which organization; "" when nobody has.
	Holder(ctx context.Context, c Claim) (holder string, org OrgID, err error)

	// Events reads up to limit events of the organization's stream after the
	// given commit ("" is the beginning), in commit order.
	Events(ctx context.Context, org OrgID, after string, limit int) ([]StoredEvent, error)

	// Counts tells how many holders pools have and how many wait in lines.
	Counts(ctx context.Context, org OrgID, pools, lines []string) (held, waiting []int, err error)

	// Waiting reads the first of a line, in order.
	Waiting(ctx context.Context, org OrgID, line string, limit int) ([]Waiter, error)

	// EventsBack reads events from the newest to the oldest: up to limit of them
	// that stand before the given commit ("" is the end of the stream).
	EventsBack(ctx context.Context, org OrgID, before string, limit int) ([]StoredEvent, error)

	// Sweep does a bounded piece of the organization's pending cleaning: what
	// expired before now, what deleted groups left behind. placed tells where a
	// record that expired stands and what it claims, so that this goes with it. It
	// returns how many things it cleaned; 0 means nothing is left to do.
	Sweep(ctx context.Context, org OrgID, now time.Time, limit int, placed Placed) (int, error)

	// Erase deletes a bounded piece of everything the organization has, claims
	// included. It returns how many records it erased; 0 means all is gone.
	Erase(ctx context.Context, org OrgID, limit int) (int, error)

	// Ping tells whether the store answers.
	Ping(ctx context.Context) error
}

// Tx is one run of an Update closure. Reads note what they saw and go to the
// store at once; writes wait for the commit. Not safe for concurrent use.
type Tx interface {
	// Read reads a record for change; nil when there is none. The commit is
	// run again when the record has changed since. Groups, Links and
	// LinksModified come with it, for information: they may have moved by the
	// time of the commit (see Unmoved).
	Read(kind Kind, id string) (*Record, error)
	// GroupsOf lists the ids of the living groups that have this member. The
	// commit is run again when the stored list has changed since.
	GroupsOf(id string) ([]string, error)

	// Put writes a record. before is what Read gave, or nil to create: then
	// the commit is run again with a fresh id should the id exist. had and has
	// are all index entries of the record before and after; a Unique entry that
	// somebody else holds refuses the commit. The store sets Stamp.
	Put(before, after *Record, had, has []Entry)
	// Delete removes a record and its index entries; of a group also the
	// membership (the members' side is cleaned later, readers do not see it).
	Delete(before *Record, had []Entry)

	// Link and Unlink add and remove a direct member; what is already so is
	// left alone. A group, or a member to link, that does not exist refuses the
	// commit (RefusedMissing with its id as Value). The group's Links grows by
	// one when anything changed. Neither reads the membership nor the group.
	Link(group string, members ...string)
	Unlink(group string, members ...string)

	// Mark says that from this commit on the group's membership is changed in
	// many commits, which are one change: until Unmark, commits of others that
	// link or unlink there wait for its end, and after a bounded time end with
	// ErrUnavailable. The mark of a group goes with the group.
	Mark(group, change string)
	Unmark(group, change string)
	// Within says that what this commit links and unlinks in the group is part of
	// a change: the commit ends with ErrFenced when the group does not have its
	// mark any more. AnyChange does not mind any mark; "" waits until there is
	// none, with or without links.
	Within(group, change string)

	// Unmoved makes the commit run again when the group's Links is not what
	// Read gave any more. Without it a change does not depend on the membership
	// it saw.
	Unmoved(group string, links uint64)

	// Claim takes a key that is unique across organizations for holder; held
	// by somebody else it refuses the commit. Release gives it back, if
	// holder has it.
	Claim(c Claim, holder string)
	Release(c Claim, holder string)

	// Seen is Read of something remembered: the commit is run again unless the
	// record is still rec; nil says that there is none.
	Seen(kind Kind, id string, rec *Record)

	// Take adds holder to a pool. It refuses the commit (RefusedFull) unless
	// more places are free than others wait in the pool's line before the
	// holder; who does not wait there comes after all who do. A holder that is
	// in stays in. Who takes a place leaves the line.
	Take(pool Pool, holder string)
	// Give removes holder from a pool.
	Give(pool, holder string)
	// Wait puts holder into a line, in the order of at (milliseconds), then of
	// holders; who stands in it keeps the place. It refuses the commit
	// (RefusedNotFull, with the pool) when a Take of one of the pools, all with
	// this line, would succeed.
	Wait(line, holder string, at int64, pools ...Pool)
	// Quit takes holder out of a line.
	Quit(line, holder string)
	// Holds tells for each holder whether it is in a pool now. The commit does
	// not depend on it.
	Holds(pool string, holders ...string) ([]bool, error)
	// Least refuses the commit (RefusedFew) when holders that it removes leave
	// the pool with fewer than n.
	Least(pool string, n int)
	// Most refuses the commit (RefusedMany) when the pool has more than n
	// holders before it.
	Most(pool string, n int)

	// Pressing lets the commit run although the store is short of memory, as
	// commits do that only free some: for what cannot wait, such as the end of
	// somebody's access.
	Pressing()

	// Due asks for work: item stands in the organization's list of what is due
	// from t on. An item that stands there already is due at the earlier of the
	// two times and counts as asked for anew, see Undue. Items are short: a
	// letter and an id, see work items in due.go. With a commit that else only
	// links and unlinks, and changes nothing, nothing becomes due either.
	Due(item string, t time.Time)
	// Undue takes an item off the list, unless it was asked for anew since it
	// was read; tries and a parked one of the same name are forgotten. The same
	// commit may ask for it again (Due), for another time.
	Undue(item DueItem)
	// Fence makes the commit fail with ErrFenced when the lease is not the
	// newest one of its organization any more.
	Fence(l Lease)
	// Disband makes the users in a group that this commit deletes due (item
	// u<id>), one by one, as Sweep clears what the group left with them.
	Disband(group string)

	// Expire asks for the record to be removed by Sweep once t has passed.
	// Readers must still compare the time themselves. Tokens and settings can
	// expire; a setting only in a commit that puts it, and it has no place in a
	// pool or line.
	Expire(kind Kind, id string, t time.Time)

	// Event appends to the organization's stream, in the commit. A commit that
	// only links and unlinks and changes nothing appends nothing.
	Event(e Event)
}

// AnyChange stands for every change of a membership, see Tx.Within.
const AnyChange = "*"

// Pool is a bounded set of holders.
type Pool struct {
	Name  string // letters, digits and ./_-, at most 80 bytes; so for lines
	Limit int    // holders at most; below 0 there is no bound
	Line  string // name of the line in front of it, or ""
}

// Waiter is one place in a line.
type Waiter struct {
	Holder string
	At     int64 // milliseconds since 1970: since when it waits
}

// Commit tells what became of an Update.
type Commit struct {
	LSN     string // id of the commit's last event in the organization's stream; "" when nothing was written
	Changed bool   // whether anything was written
}

// ClaimKind says what is unique across organizations.
type ClaimKind string

// ClaimEmail is the kind of claims on identity e-mails; the key is what
// EmailKey gives (BR-001). Kinds are stored: never change one.
const ClaimEmail ClaimKind = "em"

// ClaimNumber is the kind of claims on telephone numbers; the key is the number
// in E.164, the holder the number's record.
const ClaimNumber ClaimKind = "nu"

// ClaimSubject is the kind of claims on subjects of issuers (BR-112), see
// subjectClaim; the holder is the user's record.
const ClaimSubject ClaimKind = "su"

// Claim is a key that only one holder over all organizations may have.
type Claim struct {
	Kind ClaimKind
	Key  string
}

// Reason says why a commit was refused.
type Reason uint8

// The reasons.
const (
	RefusedName    Reason = iota + 1 // Index and Value: held by Holder
	RefusedClaim                     // Claim: held by Holder in HolderOrg
	RefusedFull                      // Pool is full
	RefusedNotFull                   // Pool is not full any more
	RefusedMissing                   // the group or member Value does not exist
	RefusedFew                       // Pool would be left with too few holders
	RefusedMany                      // Pool has too many holders
)

// Refusal is a commit's answer that what was asked cannot be. Nothing was
// written.
type Refusal struct {
	Reason    Reason
	Index     Index
	Value     string
	Claim     Claim
	Pool      string
	Holder    string
	HolderOrg OrgID
}

// Error names the reason for logs; doors never show it.
func (r *Refusal) Error() string {
	switch r.Reason {
	case RefusedName:
		return "name taken: " + r.Index.Code()
	case RefusedClaim:
		return "claim held: " + string(r.Claim.Kind)
	case RefusedFull:
		return "pool full: " + r.Pool
	case RefusedNotFull:
		return "pool not full: " + r.Pool
	case RefusedMissing:
		return "no such member: " + r.Value
	case RefusedFew:
		return "pool would be left with too few: " + r.Pool
	case RefusedMany:
		return "pool has too many: " + r.Pool
	}
	return "refused"
}

// Event is one line of the organization's stream: what happened to which
// resource, by whom. It never carries values of attributes.
type Event struct {
	Type    string   `json:"t"`           // user.created, group.updated …
	Kind    Kind     `json:"k"`           // of the resource
	ID      string   `json:"i"`           // of the resource
	Of      string   `json:"o,omitempty"` // of resources of a declared type: its name
	Version uint64   `json:"v,omitempty"` // of the document after the change
	Actor   string   `json:"a,omitempty"` // token id or "system"
	Request string   `json:"r,omitempty"` // request id
	Changed []string `json:"c,omitempty"` // attribute names
	Names   []string `json:"n,omitempty"` // for deletes: userName and externalId
	Added   []string `json:"p,omitempty"` // members asked to be added to a group, at most 250
	Removed []string `json:"m,omitempty"` // members asked to be removed from a group, at most 250

	SKU  string `json:"s,omitempty"` // licence and package events: of which product
	Rule string `json:"u,omitempty"` // the rule that decided, for example "BR-162", or the code of an issue
	From string `json:"f,omitempty"` // the source of a licence ("group:<id>", see Source.String)
	Day  string `json:"d,omitempty"` // package events: the day in the organization's time zone, 2006-01-02
	At   string `json:"l,omitempty"` // package and number events: id of the location

	Lost  []string `json:"w,omitempty"` // store.writes_lost: LSNs of commits that are gone, at most 250
	Count int      `json:"q,omitempty"` // store.writes_lost: how many were lost at once
}

// StoredEvent is an event with its place in the stream.
type StoredEvent struct {
	LSN  string
	When time.Time // of the commit, by the store's clock, UTC
	Event

	Who string // name of the actor, where [Directory.Timeline] could find one
}

// Vault keeps short-lived secrets: what is put there can be taken out once,
// until it expires. Values are hashes or sealed bytes, never clear secrets.
type Vault interface {
	// Put stores value under a purpose and key until exp, replacing what was
	// there.
	Put(ctx context.Context, org OrgID, purpose, key string, value []byte, exp time.Time) error
	// Take removes and returns the value; nil when there is none or it expired.
	// Of many concurrent takers exactly one gets it.
	Take(ctx context.Context, org OrgID, purpose, key string) ([]byte, error)
	// Peek returns the value without removing it; nil when there is none or
	// it expired.
	Peek(ctx context.Context, org OrgID, purpose, key string) ([]byte, error)
	// Add notes a key until exp and reports whether it was not noted yet: of
	// many concurrent callers exactly one gets true until exp has passed.
	Add(ctx context.Context, org OrgID, purpose, key string, exp time.Time) (bool, error)
	// Count counts up and returns the count: of everybody who counted with this
	// key before until had passed. until is that of who was the first.
	Count(ctx context.Context, org OrgID, purpose, key string, until time.Time) (int, error)
}
