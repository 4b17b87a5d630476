package resources

import (
	"context"
	"fmt"
)

// Usage is how much of one product an organization uses; reading it is O(1).
type Usage struct {
	Product
	Total    int // seats of running subscriptions; -1: without a bound
	Used     int // users who have it
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
func (d *Directory) Usage(ctx context.Context, c Caller) ([]Usage, error) {
	if c.mayAdmin(AreaLicences, false) != nil {
		if err := c.may(KindUser, false); err != nil {
			return nil, err
		}
	}
	p, cat, err := d.rulesOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	subs, err := d.subscriptionUsage(ctx, c.Org, p.Subscriptions)
	if err != nil {
		return nil, err
	}
	pools, lines := make([]string, len(cat.Products)), make([]string, len(cat.Products))
	for i := range cat.Products {
		pools[i], lines[i] = freePool(cat.Products[i].SKU).Name, lineOf(cat.Products[i].SKU)
	}
	free, waiting, err := d.store.Counts(ctx, c.Org, pools, lines)
	if err != nil {
		return nil, fmt.Errorf("count licences: %w", err)
	}
	var out []Usage
	for i := range cat.Products {
		u := Usage{Product: cat.Products[i], Used: free[i], Waiting: waiting[i]}
		for _, s := range subs {
			if sameSKU(s.SKU, u.SKU) {
				u.Pools = append(u.Pools, s)
			}
		}
		if u.sum(); len(u.Pools) > 0 || u.Used > 0 || u.Waiting > 0 || !u.Paid {
			out = append(out, u)
		}
	}
	return out, nil
}

// sum adds the shares of subscriptions up.
func (u *Usage) sum() {
	bounded := u.Paid
	for i := range u.Pools {
		s := &u.Pools[i]
		u.Used += s.Used
		if !s.Active {
			continue
		}
		if s.Model == ModelUsage {
			bounded = false
			continue
		}
		u.Total += s.Units
		u.Free += max(0, s.Units-s.Used)
	}
	if !bounded {
		u.Total, u.Free = -1, -1
	}
}
