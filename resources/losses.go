package resources

import (
	"context"
	"fmt"
	"slices"
)

const (
	lostPerEvent = 250
	lostEvents   = 40 // of one loss; what is beyond them is counted
)

// NoteLost writes down that the store has lost acknowledged commits of an
// organization, each by its place in the stream: events store.writes_lost, of 250
// places each and 10 000 at most, that also tell how many were lost at once. What
// an organization lost that is gone itself is noted for the platform.
func (d *Directory) NoteLost(ctx context.Context, org OrgID, lsns []string) error {
	if len(lsns) == 0 {
		return nil
	}
	at := org
	if org != PlatformOrg {
		o, err := d.orgByID(ctx, org)
		if err != nil {
			return err
		}
		if o == nil {
			at = PlatformOrg
		}
	}
	named := lsns[:min(len(lsns), lostPerEvent*lostEvents)]
	_, err := d.store.Update(ctx, at, func(_ context.Context, tx Tx) error {
		for piece := range slices.Chunk(named, lostPerEvent) {
			tx.Event(Event{Type: "store.writes_lost", Kind: KindOrg, ID: string(org), Actor: actorSystem, Lost: piece, Count: len(lsns)})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note lost writes: %w", err)
	}
	return nil
}
