package resources

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// catalogueID is the id of the one record of the platform's products.
const catalogueID = "0000000000000000000d"

// The bounds of the catalogue (security S11).
const (
	maxProducts    = 200
	catalogueFresh = 3 * time.Second
)

// catalogueCache remembers the catalogue. The zero value is ready for use.
type catalogueCache struct {
	mu    sync.RWMutex
	cat   *Catalogue
	until time.Time
}

func (cc *catalogueCache) get(now time.Time) *Catalogue {
	cc.mu.RLock()
	defer cc.mu.RUnlock()
	if cc.cat == nil || !now.Before(cc.until) {
		return nil
	}
	return cc.cat
}

func (cc *catalogueCache) put(cat *Catalogue, until time.Time) {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	cc.cat, cc.until = cat, until
}

// catalogue gives the platform's products, at most three seconds old.
func (d *Directory) catalogue(ctx context.Context) (*Catalogue, error) {
	if cat := d.products.get(d.now()); cat != nil {
		return cat, nil
	}
	return d.loadCatalogue(ctx)
}

func (d *Directory) loadCatalogue(ctx context.Context) (*Catalogue, error) {
	until := d.now().Add(catalogueFresh)
	rec, err := d.store.Get(ctx, PlatformOrg, KindSetting, catalogueID)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	cat, err := catalogueIn(rec)
	if err != nil {
		return nil, err
	}
	d.products.put(cat, until)
	return cat, nil
}

// catalogueIn reads the catalogue; until the operator writes one it is the
// builtin one.
func catalogueIn(rec *Record) (*Catalogue, error) {
	if rec == nil {
		return newCatalogue(builtinProducts()), nil
	}
	var body struct{ Products []Product }
	if err := json.Unmarshal(rec.Profile, &body); err != nil {
		return nil, fmt.Errorf("decode the catalogue: %w", err)
	}
	cat := newCatalogue(body.Products)
	cat.stamp = rec.Stamp
	return cat, nil
}

// SKUs lists every SKU of the catalogue, for messages.
func (c *Catalogue) SKUs() string {
	out := make([]string, len(c.Products))
	for i := range c.Products {
		out[i] = c.Products[i].SKU
	}
	return strings.Join(out, ", ")
}

// unknown is the refusal of a SKU that the catalogue does not have (BR-154).
func (c *Catalogue) unknown(field, sku string) error {
	return &Error{Code: CodeSKUUnknown, Field: field, Detail: "There is no licence " + quoted(sku) + "; valid: " + c.SKUs() + "."}
}

var skuForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// checked brings a product into the form it is stored in and refuses what cannot
// be; others are the products beside it.
func (p Product) checked(others *Catalogue) (Product, error) {
	p.SKU = FoldSKU(p.SKU)
	if !skuForm.MatchString(p.SKU) {
		return p, invalidField("sku", "A SKU is 1 to 63 characters of a-z, 0-9 and inner . _ -, for example calling.")
	}
	if p.Name = strings.TrimSpace(p.Name); p.Name == "" {
		p.Name = p.SKU
	}
	if len(p.Name) > 100 || hasControl(p.Name) {
		return p, invalidField("name", "The name of a product is at most 100 bytes long, without control characters.")
	}
	if len(p.Tier) > 40 || hasControl(p.Tier) {
		return p, invalidField("tier", "The tier of a product is at most 40 bytes long, without control characters.")
	}
	for _, c := range p.Capabilities {
		if c != CapabilityCalling && c != CapabilityMeetings && c != CapabilityMessaging {
			return p, invalidField("capabilities", "The capability %s is not known; use calling, meetings or messaging.", quoted(string(c)))
		}
	}
	p.Capabilities = sortedSet(p.Capabilities)
	var err1, err2 error
	p.Exclusive, err1 = p.references("exclusiveWith", p.Exclusive, others)
	p.Requires, err2 = p.references("requires", p.Requires, others)
	if err := errors.Join(err1, err2); err != nil {
		return p, err
	}
	return p, p.possible()
}

// references brings SKUs that a product names into their form.
func (p *Product) references(field string, skus []string, others *Catalogue) ([]string, error) {
	var out []string
	for _, s := range skus {
		q := others.Product(s)
		switch {
		case FoldSKU(s) == p.SKU:
			return nil, invalidField(field, "The product %s names itself; name others only.", p.SKU)
		case q == nil:
			return nil, others.unknown(field, s)
		}
		out = append(out, q.SKU)
	}
	return sortedSet(out), nil
}

// possible refuses a product that nobody could ever have: all that it needs are
// products that it excludes.
func (p *Product) possible() error {
	if len(p.Requires) == 0 {
		return nil
	}
	for _, r := range p.Requires {
		if !slices.Contains(p.Exclusive, r) {
			return nil
		}
	}
	return invalidField("requires", "The product %s excludes everything that it requires; nobody could have it.", p.SKU)
}

func sortedSet[T cmp.Ordered](list []T) []T {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// Products lists the catalogue.
func (d *Directory) Products(ctx context.Context, c Caller) ([]Product, error) {
	if err := c.mayAdmin(AreaPlatform, false); err != nil {
		return nil, err
	}
	cat, err := d.loadCatalogue(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(cat.Products), nil
}

// changeCatalogue makes one change of the platform's products.
func (d *Directory) changeCatalogue(ctx context.Context, c Caller, event, sku string, fn func(*Catalogue) ([]Product, error)) error {
	_, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, catalogueID)
		if err != nil {
			return err
		}
		cat, err := catalogueIn(rec)
		if err != nil {
			return err
		}
		products, err := fn(cat)
		if err != nil {
			return err
		}
		if len(products) > maxProducts {
			return &Error{Code: CodeTooMany, Field: "sku", Detail: fmt.Sprintf("The catalogue has at most %d products; delete one that is not used.", maxProducts)}
		}
		for i := range products {
			if err := products[i].possible(); err != nil {
				return err
			}
		}
		slices.SortFunc(products, func(a, b Product) int { return cmp.Compare(a.SKU, b.SKU) })
		stored, err := place{Noun: nounCatalogue}.put(tx, rec, catalogueID, "catalogue", struct{ Products []Product }{products}, d.now())
		if err != nil {
			return err
		}
		tx.Event(Event{Type: event, Kind: KindSetting, ID: catalogueID, Version: stored.Version, Actor: c.Token, Request: c.Request, SKU: sku})
		return nil
	})
	d.products.put(nil, time.Time{})
	if err != nil {
		return fmt.Errorf("change the catalogue: %w", err)
	}
	return nil
}

// PutProduct writes a product of the catalogue, new or in place of the one with
// its SKU; created tells which. Products that it excludes exclude it too. While
// somebody has it, whether it is paid and whether it is a package stay
// (product_in_use). Other codes: invalid_value, sku_unknown, too_many.
func (d *Directory) PutProduct(ctx context.Context, c Caller, p Product) (created bool, err error) {
	if err := c.mayAdmin(AreaPlatform, true); err != nil {
		return false, err
	}
	used, asked := "", false
	err = d.changeCatalogue(ctx, c, "product.updated", FoldSKU(p.SKU), func(cat *Catalogue) ([]Product, error) {
		next, err := p.checked(cat)
		if err != nil {
			return nil, err
		}
		old := cat.Product(next.SKU)
		if err := c.seenProduct(old); err != nil {
			return nil, err
		}
		if created = old == nil; !created && (old.Paid != next.Paid || old.Package != next.Package) {
			if !asked {
				if used, err = d.subscriberOf(ctx, next.SKU); err != nil {
					return nil, err
				}
				asked = true
			}
			if used != "" {
				return nil, &Error{Code: CodeProductInUse, Field: "sku", Detail: "The organization " + used + " uses the product; whether it is paid and whether it is a package cannot change any more. Make another product."}
			}
		}
		return cat.with(next), nil
	})
	return created, err
}

// with gives the products with one more, or another in place of the one with its
// SKU. Exclusion goes both ways.
func (c *Catalogue) with(p Product) []Product {
	out := []Product{p}
	for _, q := range c.Products {
		if q.SKU == p.SKU {
			continue
		}
		q.Exclusive = slices.DeleteFunc(slices.Clone(q.Exclusive), func(s string) bool { return s == p.SKU })
		if slices.Contains(p.Exclusive, q.SKU) {
			q.Exclusive = sortedSet(append(q.Exclusive, p.SKU))
		}
		out = append(out, q)
	}
	return out
}

// DeleteProduct takes a product out of the catalogue; product_in_use while an
// organization subscribes to it, gives it or has users with it, or a product
// refers to it. The last one stays: the catalogue is never empty.
func (d *Directory) DeleteProduct(ctx context.Context, c Caller, sku string) error {
	if err := c.mayAdmin(AreaPlatform, true); err != nil {
		return err
	}
	if !skuForm.MatchString(FoldSKU(sku)) { // no product can have it, and no pool
		return &Error{Code: CodeNotFound, Field: "sku", Detail: "There is no such product."}
	}
	used, err := d.subscriberOf(ctx, sku)
	if err != nil {
		return err
	}
	return d.changeCatalogue(ctx, c, "product.deleted", FoldSKU(sku), func(cat *Catalogue) ([]Product, error) {
		p := cat.Product(sku)
		switch {
		case p == nil:
			return nil, &Error{Code: CodeNotFound, Field: "sku", Detail: "There is no such product."}
		case used != "":
			return nil, &Error{Code: CodeProductInUse, Field: "sku", Detail: "The organization " + used + " uses the product: it subscribes to it, a template gives it or users have it. End that first."}
		case len(cat.Products) == 1:
			return nil, &Error{Code: CodeProductInUse, Field: "sku", Detail: "The catalogue is never empty; write another product before deleting the last one."}
		}
		if err := c.seenProduct(p); err != nil {
			return nil, err
		}
		for _, q := range cat.Products {
			if slices.Contains(q.Exclusive, p.SKU) || slices.Contains(q.Requires, p.SKU) {
				return nil, &Error{Code: CodeProductInUse, Field: "sku", Detail: "The product " + q.SKU + " refers to this one; change it first."}
			}
		}
		return slices.DeleteFunc(slices.Clone(cat.Products), func(q Product) bool { return q.SKU == p.SKU }), nil
	})
}

// subscriberOf finds an organization that uses a product, by slug; "" when none does.
// It asks all of them: operators change the catalogue seldom.
func (d *Directory) subscriberOf(ctx context.Context, sku string) (string, error) {
	const page = 200
	for offset := 0; ; offset += page {
		orgs, total, err := d.orgs(ctx, offset, page)
		if err != nil {
			return "", err
		}
		for _, o := range orgs {
			if o.State == OrgDeleting {
				continue
			}
			if uses, err := d.uses(ctx, o.ID, FoldSKU(sku)); err != nil || uses {
				return o.Slug, err
			}
		}
		if len(orgs) == 0 || offset+len(orgs) >= total {
			return "", nil
		}
	}
}

// uses reports whether an organization subscribes to a product, gives it, or has
// users with it.
func (d *Directory) uses(ctx context.Context, org OrgID, sku string) (bool, error) {
	p, err := d.loadPlan(ctx, org)
	if err != nil {
		return false, err
	}
	named := func(s string) bool { return FoldSKU(s) == sku }
	for i := range p.Subscriptions {
		if named(p.Subscriptions[i].SKU) {
			return true, nil
		}
	}
	for i := range p.Templates {
		if slices.ContainsFunc(p.Templates[i].SKUs, named) {
			return true, nil
		}
	}
	held, waiting, err := d.store.Counts(ctx, org, []string{freePool(sku).Name}, []string{lineOf(sku)})
	if err != nil {
		return false, fmt.Errorf("count holders: %w", err)
	}
	return held[0] > 0 || waiting[0] > 0, nil
}
