package backend

import (
	"github.com/usher-scim/usher/resources"
)

// FindingCode names a kind of difference. Codes are stable: scripts rely on them.
type FindingCode string

// The codes. Those under "derived" are repaired by FsckConfig.Repair.
const (
	// Derived.
	FindingIndexMissing  FindingCode = "index_missing"  // an index lacks what a record says
	FindingIndexExtra    FindingCode = "index_extra"    // an index has what no record says
	FindingIndexScore    FindingCode = "index_score"    // an index has a record at another time or place
	FindingNameStale     FindingCode = "name_stale"     // a name leads to a record that does not have it
	FindingRowDamaged    FindingCode = "row_damaged"    // ids in a row that are none, or twice
	FindingLinkMissing   FindingCode = "link_missing"   // a member does not know its group
	FindingLinkExtra     FindingCode = "link_extra"     // a member names a group that does not have it
	FindingGroupName     FindingCode = "group_name"     // members see another name of a group, or none
	FindingGroupCount    FindingCode = "group_count"    // the count of a group's changes is missing, or of no group
	FindingTrash         FindingCode = "trash"          // a deleted group's remains and their list disagree
	FindingClaimMissing  FindingCode = "claim_missing"  // a claim, or its place in the organization's list, is missing
	FindingClaimExtra    FindingCode = "claim_extra"    // a claim that no record says
	FindingClaimDiffers  FindingCode = "claim_differs"  // a claim and the organization's list disagree
	FindingPoolMissing   FindingCode = "pool_missing"   // a record says that it holds a place, the pool does not
	FindingPoolExtra     FindingCode = "pool_extra"     // a pool has a holder that does not say so
	FindingLineMissing   FindingCode = "line_missing"   // a record says that it waits, the line does not
	FindingLineExtra     FindingCode = "line_extra"     // somebody stands in a line and does not say so
	FindingLineScore     FindingCode = "line_score"     // somebody stands in a line since another time
	FindingPlaceList     FindingCode = "place_list"     // the list of pools and lines disagrees with them
	FindingExpiryExtra   FindingCode = "expiry_extra"   // something is to expire that does not exist
	FindingExpiryMissing FindingCode = "expiry_missing" // something that expires stands in no list
	FindingExpiryTime    FindingCode = "expiry_time"    // something is to expire at another time than it says
	FindingTriesExtra    FindingCode = "tries_extra"    // failures of an item that is not due
	FindingCauseExtra    FindingCode = "cause_extra"    // a cause of an item that is not parked
	FindingCauseMissing  FindingCode = "cause_missing"  // a parked item without its cause
	FindingWrongType     FindingCode = "wrong_type"     // another type of value under a key; derived ones are built anew
	FindingOrphan        FindingCode = "orphan"         // a key of something that is not there any more

	// Truth, or a matter of judgement.
	FindingRecordDamaged  FindingCode = "record_damaged"  // stored bytes that make no sense
	FindingRecordLost     FindingCode = "record_lost"     // created by the stream, not deleted, and not there
	FindingRecordOld      FindingCode = "record_old"      // the stream knows a newer version than the record
	FindingNameTwice      FindingCode = "name_twice"      // two records with one name (V6)
	FindingClaimConflict  FindingCode = "claim_conflict"  // a claim that somebody else holds (V4)
	FindingMemberMissing  FindingCode = "member_missing"  // a group has a member that does not exist (V7)
	FindingMembersOrphan  FindingCode = "members_orphan"  // a membership of a group that does not exist
	FindingPoolOver       FindingCode = "pool_over"       // more holders than places (V3)
	FindingPoolIdle       FindingCode = "pool_idle"       // free places, somebody waits, and nothing is due
	FindingEventDamaged   FindingCode = "event_damaged"   // an event that cannot be read
	FindingEventGap       FindingCode = "event_gap"       // versions of a resource that no event tells (V8)
	FindingEventOrder     FindingCode = "event_order"     // versions of a resource that run back (V8)
	FindingSecretDamaged  FindingCode = "secret_damaged"  // a stored secret that cannot be read
	FindingDueDamaged     FindingCode = "due_damaged"     // something due that is no item
	FindingUnknownKey     FindingCode = "unknown_key"     // a key that no usher writes
	FindingClaimForeigner FindingCode = "claim_foreigner" // a claim of an organization that does not exist
)

// Finding is one difference.
type Finding struct {
	Org        resources.OrgID `json:"org"`
	Code       FindingCode     `json:"code"`
	Key        string          `json:"key"`              // of the store
	Entry      string          `json:"entry,omitempty"`  // what in it: a member or field; it may hold a value of a customer
	Record     string          `json:"record,omitempty"` // the record it is about, if one is
	Reason     string          `json:"reason"`           // a sentence
	Remedy     string          `json:"remedy,omitempty"` // what an administrator does about what is not repaired
	Repairable bool            `json:"repairable"`
	Repaired   bool            `json:"repaired"`
}

// guard is something that was seen, in the words of scripts/repair.lua.
type guard struct{ kind, key, field, want string }

// fix is a write that makes a difference go away.
type fix struct {
	cmd, key string
	args     []string
}

// difference is a finding that is not sure yet: what was seen, all of which must
// be so at one moment, and what repairs it.
type difference struct {
	Finding
	item   string // what to look at again when it is not so any more
	guards []guard
	fixes  []fix
	apart  []guard // in slots of their own; compared just before the others
	mend   *mend   // a claim in a slot of its own that is to say something else
	claim  resources.Claim
}

// seenHead is the guard that a record is as it was read; "" stands for none.
func (k keys) seenHead(kind resources.Kind, id, raw string) guard {
	return guard{"head", k.record(kind, id), "", headOf(raw)}
}

// headOf is what GETRANGE shows of a stored record.
func headOf(raw string) string {
	if len(raw) < 2 {
		return ""
	}
	return raw[2:min(27, len(raw))]
}
