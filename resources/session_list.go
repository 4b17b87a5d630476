package resources

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// sessionPiece is how many sessions are looked at, or ended, at once.
const sessionPiece = 200

// EndSession ends the session of a cookie; one that is none is no error.
func (d *Directory) EndSession(ctx context.Context, cookie string) error {
	org, s, err := d.sessionFor(ctx, cookie)
	if err != nil || s == nil {
		return err
	}
	return d.dropSession(ctx, Caller{Org: org, Token: s.User}, s)
}

// EndProviderSessions ends the sessions that a provider names: those with the
// sid, or, when it is empty, all of the subject. It returns how many there were
// (OpenID Connect Back-Channel Logout 1.0).
func (d *Directory) EndProviderSessions(ctx context.Context, org OrgID, issuer, subject, sid string) (int, error) {
	var where Cond
	switch {
	case sid != "" && subject != "":
		where = Cond{Op: CondAnd, Subs: []Cond{*nounSession.with(atSID(issuer, sid)), *nounSession.with(atSubject(issuer, subject))}}
	case sid != "":
		where = *nounSession.with(atSID(issuer, sid))
	case subject != "":
		where = *nounSession.with(atSubject(issuer, subject))
	default:
		return 0, nil
	}
	return d.endSessions(ctx, org, &where)
}

// endSessions ends all sessions of a condition and returns how many there were.
func (d *Directory) endSessions(ctx context.Context, org OrgID, where *Cond) (int, error) {
	ended := 0
	for {
		list, err := d.sessionsWhere(ctx, org, where)
		if err != nil || len(list) == 0 {
			return ended, err
		}
		for _, s := range list {
			if err := d.dropSession(ctx, Caller{Org: org, Token: actorSystem}, s); err != nil {
				return ended, err
			}
			ended++
		}
	}
}

// dropSession removes a session and tells of it; one that is gone is no error.
func (d *Directory) dropSession(ctx context.Context, c Caller, s *Session) error {
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, s.ID)
		if err != nil || rec == nil {
			return err
		}
		tx.Delete(rec, placeOf(rec).entries(rec.ID))
		tx.Event(Event{Type: "user.signed_out", Kind: KindUser, ID: s.User, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// sessionsWhere reads sessions, a piece of them when there are many, oldest first.
func (d *Directory) sessionsWhere(ctx context.Context, org OrgID, where *Cond) ([]*Session, error) {
	page, err := d.store.Find(ctx, org, Query{Kind: KindSetting, Where: where, Limit: sessionPiece, NoGroups: true, Budget: d.budget})
	if err != nil {
		return nil, fmt.Errorf("find sessions: %w", err)
	}
	out := make([]*Session, 0, len(page.Records))
	for _, rec := range page.Records {
		s, err := sessionIn(rec)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, s)
		}
	}
	return out, nil
}

// dropOldest makes room for one more session of a user.
func (d *Directory) dropOldest(ctx context.Context, tx Tx, org OrgID, user string) error {
	list, err := d.sessionsWhere(ctx, org, nounSession.with(attrOf("user", user)))
	if err != nil {
		return err
	}
	for i := 0; i <= len(list)-sessionsKept; i++ {
		rec, err := tx.Read(KindSetting, list[i].ID)
		if err != nil {
			return err
		}
		if rec != nil {
			tx.Delete(rec, placeOf(rec).entries(rec.ID))
		}
	}
	return nil
}

// maySessions refuses who may not see, or end, the sessions of a user.
func (c Caller) maySessions(user string, write bool) error {
	if c.User != "" && c.User == user && c.has(ScopeMe) {
		return nil
	}
	return c.mayAdmin(AreaUsers, write)
}

// Sessions lists the sessions of a user that work, newest first. Who is an
// administrator of users may ask of anybody, others of themselves. Codes:
// not_found, forbidden.
func (d *Directory) Sessions(ctx context.Context, c Caller, user string) ([]*Session, error) {
	if err := c.maySessions(user, false); err != nil {
		return nil, err
	}
	if k, ok := KindOf(user); !ok || k != KindUser {
		return nil, notFound(KindUser)
	}
	rec, err := d.store.Get(ctx, c.Org, KindUser, user)
	if err != nil {
		return nil, fmt.Errorf("read the user of sessions: %w", err)
	}
	if rec == nil {
		return nil, notFound(KindUser)
	}
	plan, err := d.planFor(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	list, err := d.sessionsWhere(ctx, c.Org, nounSession.with(attrOf("user", user)))
	if err != nil {
		return nil, err
	}
	now := d.now()
	list = slices.DeleteFunc(list, func(s *Session) bool { return !s.lives(now, &plan.Settings) || !s.letsIn(rec) })
	slices.SortStableFunc(list, func(a, b *Session) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	return list, nil
}

// RevokeSessions ends one session of a user, or all with id "" (then also links
// and codes). Codes: not_found, forbidden.
func (d *Directory) RevokeSessions(ctx context.Context, c Caller, user, id string) error {
	if err := c.maySessions(user, true); err != nil {
		return err
	}
	if id == "" {
		_, _, err := d.revise(ctx, c, user, revision{change: func(_ *Plan, s *Standing) error {
			s.endAccess()
			return nil
		}})
		if err != nil {
			return fmt.Errorf("end all sessions: %w", err)
		}
		return nil
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return err
	}
	s, err := sessionIn(rec)
	if err != nil {
		return err
	}
	if s == nil || s.User != user {
		return &Error{Code: CodeNotFound, Detail: "There is no such session; it may have ended already."}
	}
	return d.dropSession(ctx, c, s)
}
