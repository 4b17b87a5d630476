package resources

import (
	"context"
	"fmt"
)

// mayNameOrg refuses callers that may not read, or rename, the organization with
// the slug. For who is not of it there is none.
func (c Caller) mayNameOrg(slug string, change bool) error {
	if c.mayPlatform() == nil {
		return nil
	}
	if err := c.mayAdmin(AreaOrg, change); err != nil {
		return err
	}
	if c.Slug != slug {
		return notFound(KindOrg)
	}
	return nil
}

// manages finds the organization whose tokens the caller may list, or change:
// platform operators any, administrators their own only.
func (d *Directory) manages(ctx context.Context, c Caller, slug string, change bool) (OrgID, error) {
	if err := c.mayNameOrg(slug, change); err != nil || c.mayPlatform() != nil {
		return c.Org, err
	}
	return d.owner(ctx, slug)
}

// again gives a token a new secret that was issued by an earlier run of the same
// request (Caller.NewID), whose answer nobody has got.
func (t *Token) again(tx Tx, c Caller, rec *Record) (bool, error) {
	if c.NewID == "" {
		return false, nil
	}
	before, err := tx.Read(KindToken, t.ID)
	if err != nil || before == nil {
		return false, err
	}
	rec.Version, rec.Created = before.Version+1, before.Created
	tx.Put(before, rec, t.entries(), t.entries())
	return true, nil
}

// RevokeToken ends a token. It stops working at once on this node and within
// five seconds on every other.
func (d *Directory) RevokeToken(ctx context.Context, c Caller, slug, id string) error {
	org, err := d.manages(ctx, c, slug, true)
	if err != nil {
		return err
	}
	if k, ok := KindOf(id); !ok || k != KindToken {
		return notFound(KindToken)
	}
	_, err = d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindToken, id)
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound(KindToken)
		}
		t, err := tokenOf(rec)
		if err != nil {
			return err
		}
		tx.Delete(rec, t.entries())
		tx.Event(Event{Type: "token.revoked", Kind: KindToken, ID: id, Actor: c.Token, Request: c.Request})
		return nil
	})
	d.forgetCallers()
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}
