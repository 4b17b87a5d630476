package resources

import (
	"context"
	"fmt"
)

// ApplyTemplate starts a job that gives the organization's template to users
// there are, or with dry only counts what would change. preserve keeps what the
// template gave before and does not any more. Users whose licences were named get
// nothing (BR-163). Codes: not_found, invalid_value, job_running.
func (d *Directory) ApplyTemplate(ctx context.Context, c Caller, id string, dry, preserve bool) (*Job, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	t := p.template(id)
	if t == nil {
		return nil, noTemplate()
	}
	if t.Type != TemplateOrg {
		return nil, invalidField("id", "Group templates reach members by themselves; only the organization's template is applied to users there are.")
	}
	j := &Job{Type: JobApplyTemplate, Sole: id, Subjects: []string{id}}
	if dry {
		j.Type = JobPreviewTemplate
	}
	return d.runJob(ctx, c, j, templateParams{Template: id, Preserve: preserve})
}

// templateParams are what a job was asked to do that gives a template.
type templateParams struct {
	Template string `json:"template"`
	Preserve bool   `json:"preserve"`
}

// Applied is the result of a job that gives the organization's template: what
// became, or would become, of how many users.
type Applied struct {
	Gained    int            `json:"gained"`    // users who got something
	Lost      int            `json:"lost"`      // users who lost something
	NoSeat    int            `json:"noSeat"`    // users who wait for something
	Unchanged int            `json:"unchanged"` // users for whom nothing changes
	ByProduct map[string]int `json:"byProduct"` // users who got a product, by SKU

	// Seats has, in a preview, how many seats of a product were free at its
	// beginning, by SKU; a product without a bound is not in it.
	Seats map[string]int `json:"seats,omitempty"`
}

// preview counts what would become of a user: who finds all seats given away to
// those counted before waits.
func (a *Applied) preview(o outcome) {
	var gained []string
	for _, sku := range o.Gained {
		free, bounded := a.Seats[sku]
		if bounded && free <= a.ByProduct[sku] {
			o.Waiting = append(o.Waiting, sku)
		} else {
			gained = append(gained, sku)
		}
	}
	o.Gained = gained
	a.add(o)
}

// freeSeats counts the free seats of the products of a template, for a preview.
func (d *Directory) freeSeats(ctx context.Context, org OrgID) (map[string]int, error) {
	p, err := d.loadPlan(ctx, org)
	if err != nil || p.org == nil {
		return nil, err
	}
	cat, err := d.catalogue(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int)
	for _, sku := range p.org.SKUs {
		product := cat.Product(sku)
		if product == nil || !product.Paid {
			continue
		}
		free, err := d.freeOf(ctx, org, p, sku)
		if err != nil {
			return nil, err
		}
		if free >= 0 {
			out[product.SKU] = free
		}
	}
	return out, nil
}

// freeOf counts the seats of a product that nobody has and nobody waits for; -1:
// without a bound.
func (d *Directory) freeOf(ctx context.Context, org OrgID, p *Plan, sku string) (int, error) {
	var pools []string
	free, now := 0, d.now()
	for i := range p.Subscriptions {
		s := &p.Subscriptions[i]
		if FoldSKU(s.SKU) != FoldSKU(sku) || s.allowed(now) == 0 {
			continue
		}
		if s.allowed(now) < 0 {
			return -1, nil
		}
		pools, free = append(pools, s.pool().Name), free+s.allowed(now)
	}
	held, waiting, err := d.store.Counts(ctx, org, pools, []string{lineOf(sku)})
	if err != nil {
		return 0, fmt.Errorf("count free seats: %w", err)
	}
	for _, n := range held {
		free -= n
	}
	return max(0, free-waiting[0]), nil
}

func (a *Applied) add(o outcome) {
	if len(o.Gained) > 0 {
		a.Gained++
	}
	if len(o.Lost) > 0 {
		a.Lost++
	}
	if len(o.Waiting) > 0 {
		a.NoSeat++
	}
	if len(o.Gained)+len(o.Lost)+len(o.Waiting) == 0 {
		a.Unchanged++
	}
	for _, sku := range o.Gained {
		if a.ByProduct == nil {
			a.ByProduct = make(map[string]int)
		}
		a.ByProduct[sku]++
	}
}
