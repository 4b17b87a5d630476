package resources

import (
	"context"
	"errors"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Hold makes a user hold a package, as settling does when it decides so.
func (d *Directory) Hold(ctx context.Context, c Caller, id, sku, location string) error {
	_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		rec, err := tx.Read(KindUser, id)
		if err != nil {
			return err
		}
		doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
		if err != nil {
			return err
		}
		p, err := d.planIn(ctx, tx, c.Org, 2)
		if err != nil {
			return err
		}
		before := userIn(rec, &doc)
		after := before
		after.standing.Package, err = d.bill(tx, p, billed{
			User: id, Email: before.Identity, Before: before.standing.Package, Package: sku, Location: location, Now: d.now(), Actor: c.Token,
		})
		if err != nil {
			return err
		}
		next := *rec
		next.Version++
		next.Standing = after.standing.append(nil, after.keys)
		tx.Put(rec, &next, before.entries(id, rec.Modified), after.entries(id, rec.Modified))
		return nil
	})
	return err
}

// Drop deletes a user with what it holds.
func (d *Directory) Drop(ctx context.Context, c Caller, id string) error {
	if err := d.Hold(ctx, c, id, "", ""); err != nil {
		return err
	}
	return d.DeleteUser(ctx, c, id, nil)
}

// WorkJob does the steps of a job, under leases, until it has ended.
func (d *Directory) WorkJob(ctx context.Context, q Queue, c Caller, id string) (*Job, error) {
	for {
		done, err := d.StepJob(ctx, q, c, id)
		if err != nil {
			return nil, err
		}
		if done {
			rec, err := d.settingByID(ctx, c.Org, id)
			if err != nil {
				return nil, err
			}
			return jobIn(rec)
		}
	}
}

// StepJob does one step of a job and tells whether it has ended.
func (d *Directory) StepJob(ctx context.Context, q Queue, c Caller, id string) (done bool, err error) {
	l, ok, err := q.Lease(ctx, c.Org, "test", time.Hour)
	if err != nil || !ok {
		return false, errors.Join(err, errors.New("another worker has the lease"))
	}
	if err := d.workJob(ctx, l, DueItem{Item: "j" + id}); err != nil {
		return false, err
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return false, err
	}
	j, err := jobIn(rec)
	return err == nil && j.ended(), err
}

// Replan changes the plan of an organization.
func (d *Directory) Replan(ctx context.Context, c Caller, fn func(*Plan)) error {
	return d.changePlan(ctx, c, "settings.updated", func(_ Tx, p *Plan) error {
		fn(p)
		return nil
	})
}

// HalfOrg begins to make an organization with a first administrator and ends
// after some of the steps behind the first.
func (d *Directory) HalfOrg(ctx context.Context, c Caller, slug string, first FirstAdministrator, steps int) (*Organization, error) {
	var err error
	if first.User, err = d.newID(KindUser, d.now()); err != nil {
		return nil, err
	}
	o, err := d.createOrg(ctx, c, slug, "", &first)
	if err != nil || steps == 0 {
		return o, err
	}
	admin := Caller{Org: o.ID, Scopes: []Scope{ScopeAdmin}, NewID: first.User}
	if _, err = d.CreateUser(ctx, admin, first.document()); err == nil && steps > 1 {
		_, err = d.changeRole(ctx, admin, first.User, RoleFullAdmin, true)
	}
	return o, err
}

// Mint makes what a mail carries, as the work on it does.
func (d *Directory) Mint(ctx context.Context, l Lease, m *Mail) (token, code string, expires int64, err error) {
	return d.mint(ctx, l, m)
}

// HashRuns counts how many passwords were hashed.
func (d *Directory) HashRuns() int64 { return d.hasher.Runs() }

// ParseLink takes the text of a link apart and puts it together again.
func ParseLink(text string) (again string, ok bool) {
	t, ok := parseLink(text)
	return t.String(), ok
}
