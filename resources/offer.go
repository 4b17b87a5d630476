package resources

import (
	"context"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Offer is what discovery suggests to the identity providers of one
// organization (domain.md §5.2, §5.5). It never changes.
type Offer struct {
	SKUs      []string // for licenses: what the organization subscribes to and what is free; all products when it subscribes to nothing
	Packages  []string // for package: the packages among SKUs; all packages when there is none among them
	Locations []string // for location: names; none when there are more than 200
}

// mostLocations is how many names of locations are worth suggesting.
const mostLocations = 200

// Offer tells what the caller's organization can ask for. Whoever has a
// credential may know it: it is part of how the resources look.
func (d *Directory) Offer(ctx context.Context, c Caller) (*Offer, error) {
	p, cat, err := d.rulesOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	now := d.now()
	held := make(map[string]bool)
	for i := range p.Subscriptions {
		if s := &p.Subscriptions[i]; s.Ends.IsZero() || now.Before(s.Ends) {
			held[FoldSKU(s.SKU)] = true
		}
	}
	o := &Offer{}
	var packages []string
	for i := range cat.Products {
		product := &cat.Products[i]
		if product.Package {
			packages = append(packages, product.SKU)
		}
		if len(held) > 0 && product.Paid && !held[FoldSKU(product.SKU)] {
			continue
		}
		o.SKUs = append(o.SKUs, product.SKU)
		if product.Package {
			o.Packages = append(o.Packages, product.SKU)
		}
	}
	if len(o.Packages) == 0 { // without any it would read as if every text were one
		o.Packages = packages
	}
	if len(p.Locations) <= mostLocations {
		for i := range p.Locations {
			o.Locations = append(o.Locations, p.Locations[i].Name)
		}
		slices.Sort(o.Locations)
	}
	return o, nil
}

// Equal reports whether two offers suggest the same.
func (o *Offer) Equal(b *Offer) bool {
	if o == nil || b == nil {
		return o == b
	}
	return slices.Equal(o.SKUs, b.SKUs) && slices.Equal(o.Packages, b.Packages) && slices.Equal(o.Locations, b.Locations)
}

// takesLicences reports whether a declaration has a resource type with the name
// or the endpoint of the one that lists licences. One that is older than that
// keeps them.
func (d *Declared) takesLicences() bool {
	return d != nil && slices.ContainsFunc(d.Types, func(t TypeDef) bool {
		return jsontree.EqualName(t.Name, "License") || jsontree.EqualName(t.Endpoint, "/Licenses")
	})
}
