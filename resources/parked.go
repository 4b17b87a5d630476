package resources

import (
	"context"
	"errors"
	"fmt"
)

// parkedAtMost is how many parked items one list has.
const parkedAtMost = 1000

// errNoQueue says that a Directory was made without Config.Queue.
var errNoQueue = errors.New("resources: this directory has no queue")

// Parked lists the items of work that failed too often and wait for somebody to
// look, oldest first: at most limit, and 1000. The causes are errors as they
// were, for the operator; only a platform operator is shown them.
func (d *Directory) Parked(ctx context.Context, c Caller, limit int) ([]ParkedItem, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	if d.queue == nil {
		return nil, errNoQueue
	}
	items, err := d.queue.Parked(ctx, c.Org, min(limit, parkedAtMost))
	if err != nil {
		return nil, fmt.Errorf("list parked work: %w", err)
	}
	if !c.has(ScopePlatform) {
		for i := range items {
			items[i].Cause = ""
		}
	}
	return items, nil
}

// Unpark makes a parked item due again, with all its tries before it, and closes
// the alert about it; not_found when it is not parked.
func (d *Directory) Unpark(ctx context.Context, c Caller, item string) error {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return err
	}
	if d.queue == nil {
		return errNoQueue
	}
	there, err := d.queue.Unpark(ctx, c.Org, item, d.now())
	if err != nil {
		return fmt.Errorf("unpark: %w", err)
	}
	if !there {
		return &Error{Code: CodeNotFound, Field: "item", Detail: "No such work is parked; it may have been done or taken up meanwhile. List what is parked to see."}
	}
	return d.closeParked(ctx, c.Org, item)
}

// closeParked closes the alert about an item that was parked.
func (d *Directory) closeParked(ctx context.Context, org OrgID, item string) error {
	return d.alertOn(ctx, nil, org, AlertParked, item, func(a *Alert) bool {
		a.Count = 0
		return true
	})
}

// WorkOrgs lists the organizations that may have something due: usher's own and
// all but those that are being deleted.
func (d *Directory) WorkOrgs(ctx context.Context) ([]OrgID, error) {
	const page = 500
	ids := []OrgID{PlatformOrg}
	for offset := 0; ; offset += page {
		orgs, total, err := d.orgs(ctx, offset, page)
		if err != nil {
			return nil, err
		}
		for _, o := range orgs {
			if o.State != OrgDeleting {
				ids = append(ids, o.ID)
			}
		}
		if len(orgs) == 0 || offset+len(orgs) >= total {
			return ids, nil
		}
	}
}
