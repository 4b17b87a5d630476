package resources

import (
	"context"
	"fmt"
)

// itemOfLocation is the item by which users are settled again whom a location
// concerns that is new or has another name.
func itemOfLocation(id string) string { return "l" + id }

// workLocation makes users due who asked for a location that was not known, or
// who are at the one that has another name now.
func (d *Directory) workLocation(ctx context.Context, l Lease, item DueItem, id string) error {
	const piece = 500
	where := &Cond{Op: CondOr, Subs: []Cond{
		{Op: CondIs, Index: UserAttr, Value: factKey(facts[LifecycleURN+":issues.code"], string(CodeLocationUnknown))},
		{Op: CondIs, Index: UserAttr, Value: factKey(factPlace, id)},
	}}
	for after := ""; ; {
		page, err := d.store.Find(ctx, l.Org, Query{Kind: KindUser, Where: where, Keyset: true, After: after, Limit: piece, NoGroups: true, Budget: d.budget})
		if err != nil {
			return fmt.Errorf("find users of a location: %w", err)
		}
		after = page.Next
		_, err = d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
			tx.Fence(l)
			for _, rec := range page.Records {
				tx.Due(ItemOfUser(rec.ID), d.now())
			}
			if after == "" {
				tx.Undue(item)
			}
			return nil
		})
		if err != nil || after == "" {
			return err
		}
	}
}
