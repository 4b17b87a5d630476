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
//	h<alert id>  an alert that was closed is removed when its time has passed
//	w<line>      who waits for a number or an extension may have it, or is told why not (calling_wake.go)
//	l<location>  a location is new or has another name: settle whom it concerns
//	a<user id>   the activation mail of a user was decided on (BR-080)
//	m<mail id>   a mail is to be sent
//	r<user id>   a reminder may be due (BR-090)
//	c<change id> a change of a membership was begun and not ended (longchange.go)
//	d<domain>    look at DNS again (security E6)
//	e<user id>   an address that was not confirmed goes back (BR-005)
//	g            the digest for administrators (E-16)
//	g?           something new for the digest: see that it is made

// ItemOfUser is the item that settles a user again.
func ItemOfUser(id string) string { return "u" + id }

// DueItem is an item as it was read from the list.
type DueItem struct {
	Item  string
	At    int64 // microseconds since 1970; tells whether it was asked for anew since
	Tries int   // how often it was postponed after a failure since it was asked for

	Parked bool // it is a parked one too, and was asked for anew since
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
	// Bells takes up to limit messages, those first that somebody took and did
	// not give back within idle. The store rings by itself when a commit made
	// something due at once. A message may be lost, so workers look through all
	// organizations from time to time as well.
	Bells(ctx context.Context, idle time.Duration, limit int) ([]Bell, error)
	// Heard gives messages back as done.
	Heard(ctx context.Context, bells ...Bell) error
	// Ring makes workers look at organizations. Who has rung and was not heard
	// yet does not ring twice.
	Ring(ctx context.Context, orgs ...OrgID) error

	// Lease takes the organization for a worker until d from now, or makes the
	// lease that the worker has end then; false when another worker has it. A
	// lease that is taken, not prolonged, gets a greater token. The end is by the
	// clock of whoever took it; one further away than 4 d is not believed.
	Lease(ctx context.Context, org OrgID, worker string, d time.Duration) (Lease, bool, error)
	// Unlease gives a lease back; its token is good for nothing after that. A
	// lease that was lost is left alone.
	Unlease(ctx context.Context, l Lease) error

	// Due reads up to limit items that are due by now, the earliest first, and
	// when the next one after these is (zero: there is none).
	Due(ctx context.Context, org OrgID, now time.Time, limit int) ([]DueItem, time.Time, error)
	// Next tells of each organization when its first item is due; zero: it has
	// none.
	Next(ctx context.Context, orgs []OrgID) ([]time.Time, error)
	// Postpone moves an item to a later time after a failure and counts the try;
	// Park takes it off the list into the parked ones. Both report whether they
	// did: not when the item was asked for anew or taken off meanwhile. ErrFenced
	// when the lease is lost.
	Postpone(ctx context.Context, l Lease, item DueItem, at time.Time) (bool, error)
	Park(ctx context.Context, l Lease, item DueItem, cause string, now time.Time) (bool, error)
	// Parked lists parked items, oldest first, up to 1000; Unpark makes one due
	// again and reports whether it was there.
	Parked(ctx context.Context, org OrgID, limit int) ([]ParkedItem, error)
	Unpark(ctx context.Context, org OrgID, item string, now time.Time) (bool, error)
}
