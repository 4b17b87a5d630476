package resources

import (
	"context"
	"fmt"
)

// NoteMoved raises an alert that a provider names other endpoints than an
// administrator confirmed when the connection was saved; reason is a sentence with
// both. It ends when the connection is saved with other endpoints, or deleted
// (security O7).
func (d *Directory) NoteMoved(ctx context.Context, org OrgID, cn *Connection, reason string) error {
	detail := harmless("The provider of the connection "+quoted(cn.Name)+" has moved: "+reason, refusedReason) +
		" Ask the provider whether that is meant; to confirm it, test the connection and save it again."
	err := d.alertOn(ctx, nil, org, AlertEndpoints, cn.ID, func(a *Alert) bool {
		if a.Detail == detail {
			return false
		}
		a.Count, a.Detail = 1, detail
		return true
	})
	if err != nil {
		return fmt.Errorf("note the endpoints of connection %s: %w", cn.ID, err)
	}
	return nil
}

// confirmed closes the alert about the endpoints of a connection, if one is open.
func (d *Directory) confirmed(ctx context.Context, org OrgID, id string) error {
	return d.alertOn(ctx, nil, org, AlertEndpoints, id, func(a *Alert) bool {
		open := a.Count > 0
		a.Count = 0
		return open
	})
}
