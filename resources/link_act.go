package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Links lists the subjects of providers by which a user comes in, oldest first.
// Codes: not_found.
func (d *Directory) Links(ctx context.Context, c Caller, user string) ([]Link, error) {
	if err := c.mayAdmin(AreaUsers, false); err != nil {
		return nil, err
	}
	if k, ok := KindOf(user); !ok || k != KindUser {
		return nil, notFound(KindUser)
	}
	recs, err := d.store.Many(ctx, c.Org, []string{user, accessID(user)})
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	if recs[0] == nil {
		return nil, notFound(KindUser)
	}
	a, err := accessOf(recs[1], user)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(a.Links, func(x, y Link) int { return x.Linked.Compare(y.Linked) })
	return a.Links, nil
}

// Unlink removes the link that was made by a connection, by id, or with "" all
// links of a user, whose sessions, links in mails and codes end with it: the person
// must prove anew who it is, and may be linked again as for the first time. Codes:
// not_found.
func (d *Directory) Unlink(ctx context.Context, c Caller, user, connection string) error {
	if err := c.mayAdmin(AreaUsers, true); err != nil {
		return err
	}
	_, _, err := d.revise(ctx, c, user, revision{
		change: func(_ *Plan, s *Standing) error {
			s.endAccess()
			return nil
		},
		beside: func(tx Tx, _ *Plan, id string, _, _ *Standing) error {
			a, err := accessIn(tx, id)
			if err != nil {
				return err
			}
			kept := make([]Link, 0, len(a.Links))
			for _, l := range a.Links {
				if connection != "" && l.Connection != connection {
					kept = append(kept, l)
					continue
				}
				tx.Release(subjectClaim(l.Issuer, l.Subject), id)
				tx.Event(Event{Type: "user.unlinked", Kind: KindUser, ID: id, Actor: c.Token, Request: c.Request, From: "connection:" + l.Connection})
			}
			if len(kept) == len(a.Links) {
				return errNoLink
			}
			a.Links = kept
			return a.put(tx, d.now())
		},
	})
	switch {
	case errors.Is(err, errNoLink) && connection == "":
		return nil // there was none to remove, and nothing was written
	case errors.Is(err, errNoLink):
		return &Error{Code: CodeNotFound, Detail: "The user is not linked by this connection; list its links."}
	case err != nil:
		return fmt.Errorf("unlink: %w", err)
	}
	return nil
}

// errNoLink ends a commit that has no link to remove.
var errNoLink = errors.New("no such link")
