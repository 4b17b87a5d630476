package resources

import "context"

// settleOptions say what is special when a user is settled again.
type settleOptions struct {
	Leave    string   // id of a subscription: a seat of it is given back, for one of another or a place in the line
	Template bool     // the organization's template is given, unless the user named its licences (BR-160, BR-163)
	Preserve bool     // with Template: what the template gave before and does not any more stays
	Direct   []string // SKUs, those that something gives: they are direct from now on (BR-165, a rejected revocation)
	Dry      bool     // nothing is committed; what would be is the answer
}

// outcome is what settling a user again came to, or with Dry would come to.
type outcome struct {
	Changed bool     // the record was, or would be, written
	Gained  []string // SKUs that are assigned and were not
	Lost    []string // SKUs that were assigned and are not
	Waiting []string // SKUs asked for and not given
}

// settleUser settles a user again, under a lease. undue is taken off the list in
// the same commit. A user that is gone is no error.
func (d *Directory) settleUser(context.Context, Lease, string, *DueItem, settleOptions) (outcome, error) {
	return outcome{}, errUnbuilt
}
