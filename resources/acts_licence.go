package resources

import (
	"context"
	"errors"
)

var errUnbuilt = errors.New("not built")

// LicenceChange is a change of a user's direct licences by an administrator.
type LicenceChange struct {
	Add          []string          // SKUs to grant with source direct
	Remove       []string          // SKUs to take the source direct from
	Subscription map[string]string // by SKU: the subscription to take the seat of (BR-152)
	Package      *string           // the package, "" for none; last writer wins (domain.md §5.8)
}

// Why explains one product of one user.
type Why struct {
	Assignment
	Name     string   // of the product
	Seat     string   // a sentence: of which subscription, or why none
	Reasons  []string // a sentence for each source: rule, source, since when
	Position int      // in the line, from 1; 0 when the user does not wait
	Ahead    int      // seats that must free before it is this user's turn
}

// Licensing is everything about one user's licences.
type Licensing struct {
	User     string
	Version  uint64
	Origin   Origin
	Tier     string
	Desired  []string // SKUs that the identity provider or the document asks for
	Package  string   // desired
	Licences []Why
	Refused  []Why // products that a source could give and that precedence keeps away (BR-162, BR-163), with the reason
	Issues   []Issue
}

// ChangeLicences grants and takes direct licences. What cannot be granted
// refuses the whole change (BR-150 … BR-154, BR-176): no_seats_available,
// sku_unknown, package_not_subscribed, licence_conflict, licence_prerequisite,
// location_required, number_or_extension_required, not_found. check is as in
// [Directory.DeleteUser].
func (d *Directory) ChangeLicences(ctx context.Context, c Caller, id string, change LicenceChange, check func(*Record) error) (*Record, error) {
	return nil, errUnbuilt
}

// ReturnToAutomatic makes a user with licences named get the organization's
// template as if created without (BR-163).
func (d *Directory) ReturnToAutomatic(ctx context.Context, c Caller, id string) (*Record, error) {
	return nil, errUnbuilt
}

// Licensing explains a user's licences: which source, rule and seat, since when,
// and why not.
func (d *Directory) Licensing(ctx context.Context, c Caller, id string) (*Licensing, error) {
	return nil, errUnbuilt
}

// Usage is how much of one product an organization uses; reading it is O(1).
type Usage struct {
	Product
	Total    int // -1: without a bound
	Used     int
	Reserved int
	Free     int // -1: without a bound
	Waiting  int
	Pools    []SubscriptionUsage
}

// SubscriptionUsage is the share of one subscription.
type SubscriptionUsage struct {
	Subscription
	Active bool
	Used   int
}

// Usage tells what an organization uses of every product that it subscribes to,
// uses or can have for nothing, in the order of SKUs.
func (d *Directory) Usage(ctx context.Context, c Caller) ([]Usage, error) { return nil, errUnbuilt }

// Users answers an administrator's list of users.
func (d *Directory) Users(ctx context.Context, c Caller, q UserQuery) (Page, error) {
	return Page{}, errUnbuilt
}

// UserQuery is what an administrator looks for; empty fields do not narrow
// (BR-070).
type UserQuery struct {
	Search   string // beginning or part of a name, userName or e-mail address, without case and accents
	State    string
	Licence  string // SKU, held or asked for
	Status   string // of that licence: assigned, error
	Package  string
	Location string // id or name
	Source   string // provisionSource
	Grant    string // type of a licence's source
	Issue    string // code
	Role     string
	Numbers  bool // "numbers to complete": calling with a temporary extension (BR-193)
	After    string
	Limit    int
}
