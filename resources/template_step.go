package resources

import (
	"context"
	"encoding/json"
	"fmt"
)

// groupParams say whose members a job of the type group-settle settles.
type groupParams struct {
	Groups []string `json:"groups"`
}

// groupCursor is where such a job is: the group, and the member it did last.
type groupCursor struct {
	Group int    `json:"group"`
	After string `json:"after,omitempty"`
}

// groupStep settles the next members of the groups of a job (BR-161): its cost is
// that of the members, whatever else there is.
func (d *Directory) groupStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p groupParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	var at groupCursor
	if j.Cursor == "" {
		j.Total = 0
		for _, g := range p.Groups {
			n, err := d.groupSize(ctx, l.Org, g)
			if err != nil {
				return false, err
			}
			j.Total += n
		}
	} else if err := json.Unmarshal([]byte(j.Cursor), &at); err != nil {
		return false, fmt.Errorf("decode the cursor of job %s: %w", j.ID, err)
	}
	if at.Group >= len(p.Groups) {
		return true, nil
	}
	ids, err := d.store.MemberIDs(ctx, l.Org, p.Groups[at.Group], at.After, settlePiece)
	if err != nil {
		return false, fmt.Errorf("read members: %w", err)
	}
	users := make([]string, 0, len(ids))
	for _, id := range ids {
		if k, ok := KindOf(id); ok && k == KindUser { // nested groups do not count
			users = append(users, id)
		} else {
			j.Done++
		}
	}
	if err := d.settleMany(ctx, l, j, users, settleOptions{}); err != nil {
		return false, err
	}
	if len(ids) < settlePiece {
		at = groupCursor{Group: at.Group + 1}
	} else {
		at.After = ids[len(ids)-1]
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return false, fmt.Errorf("encode the cursor of job %s: %w", j.ID, err)
	}
	j.Cursor = string(raw)
	return at.Group >= len(p.Groups), nil
}

// templateStep gives the organization's template to the next users, or with a
// preview only counts what would become of them (BR-160).
func (d *Directory) templateStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p templateParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return false, err
	}
	if plan.org == nil || plan.org.ID != p.Template {
		return false, &Error{Code: CodeNotFound, Detail: "The template was deleted while it was applied; users who had not had their turn are as they were."}
	}
	var res Applied
	if len(j.Result) > 0 {
		if err := json.Unmarshal(j.Result, &res); err != nil {
			return false, fmt.Errorf("decode the result of job %s: %w", j.ID, err)
		}
	}
	opt, count := settleOptions{Template: true, Preserve: p.Preserve}, res.add
	if j.Type == JobPreviewTemplate {
		opt.Dry, count = true, res.preview
		if j.Cursor == "" {
			if res.Seats, err = d.freeSeats(ctx, l.Org); err != nil {
				return false, err
			}
		}
	}
	if done, err = d.settlePage(ctx, l, j, nil, opt, func(_ string, o outcome) { count(o) }); err != nil {
		return false, err
	}
	if _, err := j.finish(res); err != nil {
		return false, err
	}
	return done, nil
}

// retryParams say whose failed assignments a job tries again; no SKU is any.
type retryParams struct {
	SKU string `json:"sku,omitempty"`
}

// RetryLicences makes everybody whose assignment of a SKU failed ("" is any) be
// settled again, as a job. Codes: sku_unknown, job_running.
func (d *Directory) RetryLicences(ctx context.Context, c Caller, sku string) (*Job, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	if sku != "" {
		cat, err := d.catalogue(ctx)
		if err != nil {
			return nil, err
		}
		p := cat.Product(sku)
		if p == nil {
			return nil, cat.unknown("sku", sku)
		}
		sku = p.SKU
	}
	j := &Job{Type: JobRetry, Sole: "retry " + sku}
	if sku != "" {
		j.Subjects = []string{sku}
	}
	return d.runJob(ctx, c, j, retryParams{SKU: sku})
}

// retryStep settles the next users of whom an assignment failed (BR-164).
func (d *Directory) retryStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p retryParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	where := heldBy(p.SKU, Failed)
	if p.SKU == "" {
		where = &Cond{Op: CondIs, Index: UserAttr, Value: AttrKey("User", FactPath(LicenceUserURN+":effective.status"), Folded(Failed))}
	}
	var res Applied
	if len(j.Result) > 0 {
		if err := json.Unmarshal(j.Result, &res); err != nil {
			return false, fmt.Errorf("decode the result of job %s: %w", j.ID, err)
		}
	}
	if done, err = d.settlePage(ctx, l, j, where, settleOptions{}, func(_ string, o outcome) { res.add(o) }); err != nil {
		return false, err
	}
	if _, err := j.finish(res); err != nil {
		return false, err
	}
	return done, nil
}
