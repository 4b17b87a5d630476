package resources

import (
	"context"
	"errors"
	"time"
)

// What is due: every organization has a list of short items, each with a time.
// Acts add to it in their own commit, workers (room jobs) do what is due under
// a lease and take items off in the commit of the work. Doing an item twice, or
// when nothing is left to do, is harmless.
//
// The items, a letter and an id:
//
//	u<user id>   settle a user again: its groups, the plan, seats or numbers changed
//	s<sku>       hand free seats of a product to who waits longest (BR-164)
//	j<job id>    one step of a job (BR-264)
//	p            the plan has something for this time: a subscription begins or ends
//	h<alert id>  a held revocation was decided (BR-165)

// ItemOfUser is the item that settles a user again.
func ItemOfUser(id string) string { return "u" + id }

// DueItem is an item as it was read from the list.
type DueItem struct {
	Item  string
	At    int64 // microseconds since 1970; tells whether it was asked for anew since
	Tries int   // how often it was postponed after a failure
}

// ParkedItem is an item that failed too often and waits for somebody to look.
type ParkedItem struct {
	Item  string    `json:"item"`
	Since time.Time `json:"since"`
	Cause string    `json:"cause"` // the last error, for the operator
	Tries int       `json:"tries"`
}

// Lease is the right of one worker to do what is due in an organization.
type Lease struct {
	Org    OrgID
	Worker string
	Token  string // 25 characters, greater with every lease that is granted (fencing)
}

// ErrFenced says that a lease was taken over by another worker: whoever gets it
// must stop, and nothing of the act was written.
var ErrFenced = errors.New("the lease was taken over")

// Bell says that an organization has, or had, something due.
type Bell struct {
	Org OrgID
	ID  string // of the message; given back with Queue.Heard
}

// Queue is how workers find and share what is due. All nodes see one queue.
// Errors are as those of Store.
type Queue interface {
	// Bells takes up to limit messages for this worker, those first that another
	// worker took and did not give back within idle. The store rings by itself
	// when a commit made something due at once. A message may be lost, so
	// workers look through all organizations from time to time as well.
	Bells(ctx context.Context, worker string, idle time.Duration, limit int) ([]Bell, error)
	// Heard gives messages back as done.
	Heard(ctx context.Context, bells ...Bell) error
	// Ring makes workers look at an organization.
	Ring(ctx context.Context, org OrgID) error

	// Lease takes the organization for a worker until d from now, or longer when
	// the worker has it; false when another worker has it. A lease that is taken,
	// not prolonged, gets a greater token.
	Lease(ctx context.Context, org OrgID, worker string, d time.Duration) (Lease, bool, error)
	// Unlease gives a lease back.
	Unlease(ctx context.Context, l Lease) error

	// Due reads up to limit items that are due by now, the earliest first, and
	// when the next one after these is (zero: there is none).
	Due(ctx context.Context, org OrgID, now time.Time, limit int) ([]DueItem, time.Time, error)
	// Postpone moves an item to a later time after a failure, unless it was asked
	// for anew; Park takes it off the list into the parked ones. ErrFenced when
	// the lease is lost.
	Postpone(ctx context.Context, l Lease, item DueItem, at time.Time) error
	Park(ctx context.Context, l Lease, item DueItem, cause string, now time.Time) error
	// Parked lists parked items, oldest first; Unpark makes one due again and
	// reports whether it was there.
	Parked(ctx context.Context, org OrgID, limit int) ([]ParkedItem, error)
	Unpark(ctx context.Context, org OrgID, item string, now time.Time) (bool, error)
}
