package resources

import (
	"context"
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
	return d.runJob(ctx, c, j, templateParams{Preserve: preserve})
}

// templateParams are what a job was asked to do that gives a template.
type templateParams struct {
	Preserve bool `json:"preserve"`
}

// Applied is the result of a job that gives the organization's template: what
// became, or would become, of how many users.
type Applied struct {
	Gained    int            `json:"gained"`    // users who got something
	Lost      int            `json:"lost"`      // users who lost something
	NoSeat    int            `json:"noSeat"`    // users who wait for something
	Unchanged int            `json:"unchanged"` // users for whom nothing changes
	ByProduct map[string]int `json:"byProduct"` // users who got a product, by SKU
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
