package resources

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// eraseTime is how long an organization's record outlives the beginning of its
// deletion at least. Other nodes may remember its tokens for tokenFresh, and
// requests that came in before may still be written: what they leave behind
// must be erased too, before nobody looks there any more.
const eraseTime = 15 * time.Second

// Clean does a bounded piece of the cleaning of every organization: expired
// records, what deleted groups left, organizations being deleted. It returns
// how many things it cleaned; a fault in one organization does not keep it from
// the others. Any number of nodes may run it at once.
func (d *Directory) Clean(ctx context.Context) (int, error) {
	const piece, page = 500, 100
	var faults []error
	done, err := d.store.Sweep(ctx, PlatformOrg, d.now(), piece, Placement)
	if err != nil {
		return done, fmt.Errorf("sweep platform: %w", err)
	}
	for offset := 0; ; offset += page {
		orgs, total, err := d.orgs(ctx, offset, page)
		if err != nil {
			return done, err
		}
		for _, o := range orgs {
			n, err := d.cleanOrg(ctx, o, piece)
			done += n
			if err != nil {
				faults = append(faults, fmt.Errorf("clean organization %s: %w", o.Slug, err))
			}
			if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
				return done, errors.Join(faults...)
			}
		}
		if len(orgs) == 0 || offset+len(orgs) >= total {
			return done, errors.Join(faults...)
		}
	}
}

func (d *Directory) cleanOrg(ctx context.Context, o *Organization, piece int) (int, error) {
	if o.State != OrgDeleting {
		if o.First != nil && d.now().Sub(o.Created) > appointAfter {
			if err := d.appointLate(ctx, o); err != nil {
				return 0, err
			}
		}
		return d.store.Sweep(ctx, o.ID, d.now(), piece, Placement)
	}
	n, err := d.store.Erase(ctx, o.ID, piece)
	if err != nil || n > 0 {
		return n, err
	}
	commit, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindOrg, string(o.ID))
		if err != nil || rec == nil || d.now().Sub(rec.LastModified()) < eraseTime {
			return err
		}
		if err := dropDeclared(tx, o.ID); err != nil {
			return err
		}
		tx.Delete(rec, o.entries())
		tx.Event(Event{Type: "organization.deleted", Kind: KindOrg, ID: rec.ID, Actor: "system", Names: []string{o.Slug}})
		return nil
	})
	if !commit.Changed {
		return 0, err
	}
	return 1, nil
}
