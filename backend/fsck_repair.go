package backend

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/usher-scim/usher/resources"
)

// Of what was repaired the stream is told so much: an event for each code, and of
// the places of each so many.
const (
	toldKeys      = 25
	eventRepaired = "store.repaired"
)

// tell logs what was repaired and appends it to the organization's stream, so
// that it can be explained later. Neither has values of customers.
func (c *check) tell(ctx context.Context) error {
	if len(c.repair) == 0 {
		return nil
	}
	codes := slices.Sorted(maps.Keys(c.repair))
	for _, code := range codes {
		c.s.cfg.Log.WarnContext(ctx, "the store was repaired", "org", string(c.k.org), "code", string(code), "count", c.repair[code], "first", c.where[code])
	}
	_, err := c.s.Update(ctx, c.k.org, func(_ context.Context, tx resources.Tx) error {
		for _, code := range codes {
			names := append([]string{fmt.Sprint(c.repair[code])}, c.where[code]...)
			tx.Event(resources.Event{Type: eventRepaired, Kind: resources.KindOrg, ID: string(c.k.org), Actor: "fsck", Rule: string(code), Names: names})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note in the stream what was repaired: %w", err)
	}
	return nil
}
