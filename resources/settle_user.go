package resources

import (
	"context"
	"errors"
	"slices"
)

// settleOptions say what is special when a user is settled again.
type settleOptions struct {
	Leave    string   // id of a subscription: a seat of it is given back, for one of another or a place in the line
	Template bool     // the organization's template is given, unless the user named its licences (BR-160, BR-163)
	Preserve bool     // with Template: what the template gave before and does not any more stays
	Direct   []string // SKUs, those that something gives: they are direct from now on (BR-165, a rejected revocation)
	Read     *Record  // the user as it was read before, should it be so still; nil: it is read
	Dry      bool     // nothing is committed; what would be is the answer
}

// outcome is what settling a user again came to, or with Dry would come to.
type outcome struct {
	Changed bool     // the record was, or would be, written
	Gained  []string // SKUs that are assigned and were not
	Lost    []string // SKUs that were assigned and are not
	Waiting []string // SKUs asked for and not given
}

// errDry ends a unit of work of which nothing is to be committed.
var errDry = errors.New("nothing is committed")

// settleUser settles a user again, under a lease. undue is taken off the list in
// the same commit. A user that is gone is no error. With Dry full pools are not
// noticed: what would be asked for is told as gained.
func (d *Directory) settleUser(ctx context.Context, l Lease, id string, undue *DueItem, o settleOptions) (outcome, error) {
	r := revision{again: true, lease: &l, item: undue, unseat: o.Leave, keep: o.Direct, dry: o.Dry, read: o.Read}
	if o.Template {
		r.change = func(p *Plan, s *Standing) error {
			s.template(p, o.Preserve)
			return nil
		}
	}
	var out outcome
	r.saw = func(before, after *Standing, changed bool) { out = compareStandings(before, after, changed) }
	_, _, err := d.revise(ctx, l.worker(), id, r)
	if errors.Is(err, errDry) {
		err = nil
	}
	return out, err
}

// template gives what the organization's template gives now (BR-160).
func (s *Standing) template(p *Plan, preserve bool) {
	if s.Origin == OriginExplicit {
		return
	}
	var skus []string
	if p.org != nil {
		skus = slices.Clone(p.org.SKUs)
	}
	if preserve {
		for _, sku := range s.OrgSKUs {
			if !containsSKU(skus, sku) {
				skus = append(skus, sku)
			}
		}
	}
	s.OrgSKUs = skus
}

// compareStandings tells what has become of a user's licences.
func compareStandings(before, after *Standing, changed bool) outcome {
	out := outcome{Changed: changed}
	for i := range after.Licences {
		a := &after.Licences[i]
		was := find(before.Licences, a.SKU)
		switch {
		case a.Status == Failed:
			out.Waiting = append(out.Waiting, a.SKU)
		case was == nil || was.Status == Failed:
			out.Gained = append(out.Gained, a.SKU)
		}
	}
	for i := range before.Licences {
		b := &before.Licences[i]
		if is := find(after.Licences, b.SKU); b.Status != Failed && (is == nil || is.Status == Failed) {
			out.Lost = append(out.Lost, b.SKU)
		}
	}
	return out
}

// worker is the caller of what is done under a lease.
func (l Lease) worker() Caller {
	return Caller{Org: l.Org, Token: "system", Scopes: []Scope{ScopePlatform}}
}
