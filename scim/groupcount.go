package scim

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// withCounts gives a group with the progress of its licensing in the document,
// when members get licences by it. It costs a walk over the members.
func (c *call) withCounts(ctx context.Context, rec *resources.Record) (*resources.Record, error) {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	block := doc.Get(resources.LicenceGroupURN)
	if block == nil {
		return rec, nil
	}
	g, err := c.dir.GroupLicensing(ctx, c.caller, rec.ID)
	if err != nil {
		return nil, err
	}
	for _, n := range [...]struct {
		name  string
		count int
	}{{"memberCount", g.Members}, {"assignedCount", g.Assigned}, {"errorCount", g.Failed}} {
		block.Set(n.name, jsontree.Value{Kind: jsontree.Number, Text: itoa(n.count)})
	}
	out := *rec
	out.Profile = doc.Append(nil)
	return &out, nil
}
