package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// LicenceChange is a change of a user's direct licences by an administrator.
type LicenceChange struct {
	Add          []string          // SKUs to grant with source direct
	Remove       []string          // SKUs to take the source direct from
	Subscription map[string]string // by SKU: the subscription to take the seat of (BR-152)
	Package      *string           // the package, "" for none; last writer wins (domain.md §5.8)
}

// ChangeLicences grants and takes direct licences. What cannot be granted
// refuses the whole change (BR-150 … BR-154, BR-176): no_seats_available,
// sku_unknown, package_not_subscribed, licence_conflict, licence_prerequisite,
// location_required, number_or_extension_required, invalid_value, not_found.
// check is as in [Directory.DeleteUser].
func (d *Directory) ChangeLicences(ctx context.Context, c Caller, id string, change LicenceChange, check func(*Record) error) (*Record, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	err := d.byWhatIs(ctx, c.Org, func() error {
		cat, err := d.catalogue(ctx)
		if err != nil {
			return err
		}
		return change.check(cat)
	})
	if err != nil {
		return nil, err
	}
	r := revision{check: check, admin: true, direct: change.Add, dropped: change.Remove}
	if len(change.Subscription) > 0 {
		r.picks = make(map[string]string, len(change.Subscription))
		for sku, sub := range change.Subscription {
			r.picks[FoldSKU(sku)] = sub
		}
		r.change = func(p *Plan, s *Standing) error { return change.checkPicks(p, s, d.now()) }
	}
	if change.Package != nil {
		r.edit = func(_ *Record, doc jsontree.Value) (jsontree.Value, error) {
			writePackage(&doc, *change.Package)
			return doc, nil
		}
	}
	rec, _, err := d.revise(ctx, c, id, r)
	if err != nil {
		return nil, fmt.Errorf("change licences: %w", err)
	}
	return rec, nil
}

// check refuses what no user could be given.
func (ch *LicenceChange) check(cat *Catalogue) error {
	if err := checkSKUs(cat, ch.Add); err != nil {
		return fieldOf(err, "add")
	}
	for _, sku := range ch.Remove {
		if containsSKU(ch.Add, sku) {
			return &Error{Code: CodeInvalidValue, Field: "remove", Detail: "The licence " + quoted(sku) + " is to be granted and taken at once; decide for one."}
		}
	}
	if ch.Package == nil || *ch.Package == "" {
		return nil
	}
	w := wishes{pack: *ch.Package}
	return fieldOf(w.check(cat, &wishes{}), "package")
}

// fieldOf names the parameter at fault in an error of this package.
func fieldOf(err error, field string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		out := *e
		out.Field = field
		return &out
	}
	return err
}

// checkPicks refuses subscriptions that have no seats of the product.
func (ch *LicenceChange) checkPicks(p *Plan, s *Standing, now time.Time) error {
	for sku, id := range ch.Subscription {
		sub := p.subscription(id)
		switch {
		case sub == nil || !sameSKU(sub.SKU, sku) || !sub.ActiveAt(now):
			return &Error{Code: CodeInvalidValue, Field: "subscription", Detail: "There is no running subscription " + quoted(id) + " to " + quoted(sku) + "; choose one of those to this product."}
		case !containsSKU(ch.Add, sku) && s.Licence(sku) == nil && (ch.Package == nil || !sameSKU(*ch.Package, sku)):
			return &Error{Code: CodeInvalidValue, Field: "subscription", Detail: "A subscription is chosen for " + quoted(sku) + ", which the user neither has nor is given; add the licence."}
		}
	}
	return nil
}

// writePackage puts the package into a user's document; "" takes it out.
func writePackage(doc *jsontree.Value, sku string) {
	block := doc.Get(LicenceUserURN)
	if block == nil || block.Kind != jsontree.Object {
		if sku == "" {
			return
		}
		block = doc.Set(LicenceUserURN, jsontree.Obj())
	}
	if sku == "" {
		block.Delete("package")
	} else {
		block.Set("package", jsontree.Str(sku))
	}
	isBlock := func(v jsontree.Value) bool { return jsontree.EqualName(v.Text, LicenceUserURN) }
	schemas := doc.Get("schemas")
	switch {
	case len(block.Items) == 0:
		dropLicenceBlock(doc)
	case schemas != nil && !slices.ContainsFunc(schemas.Items, isBlock):
		schemas.Items = append(schemas.Items, jsontree.Str(LicenceUserURN))
	}
}

// dropLicenceBlock takes an empty block and its URN out of a document.
func dropLicenceBlock(doc *jsontree.Value) {
	doc.Delete(LicenceUserURN)
	if s := doc.Get("schemas"); s != nil {
		s.Items = slices.DeleteFunc(s.Items, func(v jsontree.Value) bool { return jsontree.EqualName(v.Text, LicenceUserURN) })
	}
}

// ReturnToAutomatic makes a user with licences named get the organization's
// template as if created without (BR-163). What is named stays (BR-162).
func (d *Directory) ReturnToAutomatic(ctx context.Context, c Caller, id string) (*Record, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	rec, _, err := d.revise(ctx, c, id, revision{change: func(p *Plan, s *Standing) error {
		s.Origin = ""
		s.template(p, false)
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("return to automatic licensing: %w", err)
	}
	return rec, nil
}
