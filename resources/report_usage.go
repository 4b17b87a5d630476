package resources

import (
	"context"
	"fmt"
)

// UsageNow counts who holds which package at this moment, by location (BR-178).
// The counts are read from the indexes, whatever the number of users.
func (d *Directory) UsageNow(ctx context.Context, c Caller) ([]ReportRow, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	p, cat, err := d.rulesOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	var out []ReportRow
	for i := range cat.Products {
		rows, err := d.usageOf(ctx, c, p, cat.Products[i].SKU)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// usageOf counts the holders of one package, at each location and without one.
func (d *Directory) usageOf(ctx context.Context, c Caller, p *Plan, sku string) ([]ReportRow, error) {
	count := func(op CondOp, location string) (int, error) {
		q := Query{Kind: KindUser, Where: &Cond{Op: op, Index: UserAttr, Value: packageKey(sku, location)}, Sort: UserAttr, NoGroups: true}
		page, err := d.store.Find(ctx, c.Org, q)
		if err != nil {
			return 0, fmt.Errorf("count holders of %s: %w", sku, err)
		}
		return page.Total, nil
	}
	left, err := count(CondPrefix, "")
	if err != nil || left == 0 {
		return nil, err
	}
	var out []ReportRow
	for i := range p.Locations {
		if left == 0 {
			break
		}
		n, err := count(CondIs, p.Locations[i].ID)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, ReportRow{Org: c.Slug, Location: p.Locations[i].Name, Package: sku, Users: n})
		}
		left -= n
	}
	if left > 0 {
		out = append([]ReportRow{{Org: c.Slug, Package: sku, Users: left}}, out...)
	}
	return out, nil
}
