package resources

import (
	"context"
	"time"
)

// ComeIn signs a user in as the doors do: in one commit with the session.
func (d *Directory) ComeIn(ctx context.Context, org OrgID, id string, begin Session, v Visitor) (cookie string, err error) {
	_, _, err = d.revise(ctx, Caller{Org: org, Token: id, User: id}, id, revision{
		change: func(_ *Plan, s *Standing) error {
			s.signIn(begin.Method, d.now())
			return nil
		},
		beside: func(tx Tx, p *Plan, id string, before, after *Standing) error {
			if !before.activated() {
				a, err := accessIn(tx, id)
				if err != nil {
					return err
				}
				a.clearPrepared(tx, begin.Method, begin.Issuer, begin.Subject)
				if err := a.put(tx, d.now()); err != nil {
					return err
				}
			}
			cookie, err = d.startSession(ctx, tx, org, id, after, p, begin, v)
			return err
		},
	})
	return cookie, err
}

// Prepared are things that let a user in, made before it ever came.
type Prepared struct {
	Password bool
	Links    []Link
	Purposes []Purpose
}

// Prepare makes a user's access record say so.
func (d *Directory) Prepare(ctx context.Context, org OrgID, id string, has Prepared) error {
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		a, err := accessIn(tx, id)
		if err != nil {
			return err
		}
		if has.Password {
			a.Password, a.PasswordSet = []byte("sealed"), d.now().UnixMilli()
		}
		for _, l := range has.Links {
			a.Links = append(a.Links, l)
			tx.Claim(subjectClaim(l.Issuer, l.Subject), id)
		}
		for _, p := range has.Purposes {
			a.Credentials = append(a.Credentials, credential{Purpose: p, Expires: d.now().Add(time.Hour).UnixMilli()})
		}
		return a.put(tx, d.now())
	})
	return err
}

// AccessOf tells what lets a user in; nil when there is no record of it.
func (d *Directory) AccessOf(ctx context.Context, org OrgID, id string) (*Prepared, error) {
	rec, err := d.store.Get(ctx, org, KindSetting, accessID(id))
	if err != nil || rec == nil {
		return nil, err
	}
	a, err := accessOf(rec, id)
	if err != nil {
		return nil, err
	}
	out := &Prepared{Password: len(a.Password) > 0, Links: a.Links}
	for _, c := range a.Credentials {
		out.Purposes = append(out.Purposes, c.Purpose)
	}
	return out, nil
}

// Prove notes that an address was proven to be a user's.
func (d *Directory) Prove(ctx context.Context, org OrgID, id, key string) error {
	_, _, err := d.revise(ctx, Caller{Org: org, Token: id}, id, revision{change: func(_ *Plan, s *Standing) error {
		s.prove(key)
		return nil
	}})
	return err
}

// SubjectHolder tells whose a provider's subject is.
func (d *Directory) SubjectHolder(ctx context.Context, issuer, subject string) (string, OrgID, error) {
	return d.store.Holder(ctx, subjectClaim(issuer, subject))
}
