package resources

import (
	"context"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Arrival is what the pages of an activation show: who arrives, and what is left
// to do (BR-103).
type Arrival struct {
	Person   Person
	Purpose  Purpose
	Proven   bool // the address is verified: the button was pressed
	Way      Way  // by password, or by which connection
	Password bool // one is set already
	Done     bool // the user is active: the link has nothing to do any more (BR-110)
}

// arriving is somebody who follows a link, and what is stored of it.
type arriving struct {
	link   linkToken
	org    *Organization
	rec    *Record
	user   User
	access *access
	live   *credential // nil when the link does not work, or not any more
	done   bool        // it did, and the user is active (BR-110)
}

// linkExpired is the one answer to links that do not work, whatever the reason
// (security I4).
func linkExpired() *Error {
	return &Error{Code: CodeActivationExpired, Detail: "The link or code does not work any more; ask for a new message."}
}

// arrivedAlready is the answer to an act with a link that has done its work.
func arrivedAlready() *Error {
	return &Error{Code: CodeRequestClosed, Detail: "The account is active already; sign in."}
}

// follow reads what a link leads to. The error says that it leads nowhere.
func (d *Directory) follow(ctx context.Context, token string) (*arriving, error) {
	link, ok := parseLink(token)
	if !ok {
		return nil, linkExpired()
	}
	o, err := d.orgByID(ctx, link.org)
	if err != nil {
		return nil, err
	}
	if o.serves() != nil {
		return nil, linkExpired()
	}
	recs, err := d.store.Many(ctx, link.org, []string{link.user, accessID(link.user)})
	if err != nil {
		return nil, fmt.Errorf("follow a link: %w", err)
	}
	v := &arriving{link: link, org: o}
	if err := v.look(d, recs[0], recs[1]); err != nil {
		return nil, err
	}
	return v, nil
}

// look decides what the link is good for. It is asked again inside the commit of
// what is done with it.
func (v *arriving) look(d *Directory, user, lets *Record) (err error) {
	v.live, v.done = nil, false
	if user == nil {
		return linkExpired()
	}
	v.rec = user
	if v.user, err = storedUser(user); err != nil {
		return err
	}
	if v.access, err = accessOf(lets, user.ID); err != nil {
		return err
	}
	c, spent := v.access.found(v.link)
	activates := spent || c != nil && c.Purpose == PurposeActivate
	switch {
	case activates && v.user.standing.activated() && !v.user.Inactive:
		v.done = true
	case c.works(&v.user, d.now()):
		v.live = c
	default:
		return linkExpired()
	}
	return nil
}

// storedUser reads a stored user's document and standing.
func storedUser(rec *Record) (User, error) {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return User{}, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	return userIn(rec, &doc), nil
}

// shown is what pages are told.
func (v *arriving) shown(ctx context.Context, d *Directory) (*Arrival, error) {
	person, err := d.personOf(ctx, v.org, v.rec)
	if err != nil {
		return nil, err
	}
	way, err := d.wayInto(ctx, v.org, v.user.IdentityKey, &v.user.standing)
	if err != nil {
		return nil, err
	}
	out := &Arrival{Person: *person, Purpose: PurposeActivate, Way: way, Done: v.done, Proven: v.user.standing.proves(v.user.IdentityKey)}
	if v.live != nil {
		out.Purpose, out.Password = v.live.Purpose, len(v.live.Pending) > 0
	}
	return out, nil
}

// after is what pages are told when an act is done that made the user's record.
func (v *arriving) after(ctx context.Context, d *Directory, rec *Record) (_ *Arrival, err error) {
	v.rec = rec
	if v.user, err = storedUser(rec); err != nil {
		return nil, err
	}
	return v.shown(ctx, d)
}

// OpenLink looks at the link of a mail without any effect (BR-109). Codes:
// activation_expired, whatever is wrong with it (security I4). An activation link
// of a user who is active by now is Done (BR-110).
func (d *Directory) OpenLink(ctx context.Context, token string) (*Arrival, error) {
	v, err := d.follow(ctx, token)
	if err != nil {
		return nil, err
	}
	return v.shown(ctx, d)
}

// ConfirmLink notes that who has the link pressed the button: the address is
// verified (domain.md §3.2). A link that verifies is used up by it. Codes:
// activation_expired, request_closed when the user is active already.
func (d *Directory) ConfirmLink(ctx context.Context, token string) (*Arrival, error) {
	v, err := d.follow(ctx, token)
	if err != nil {
		return nil, err
	}
	rec, err := d.withLink(ctx, v, revision{}, func(Tx, *Plan, *Standing) (bool, error) {
		if v.live.Purpose == PurposeVerify {
			v.live.Used = d.now().UnixMilli()
			return true, nil
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return v.after(ctx, d, rec)
}

// withLink does an act by right of a link: the address that it was sent to is the
// user's from then on. What is stored is looked at again inside the commit, of
// which act is a part; act tells whether it has changed v.access.
func (d *Directory) withLink(ctx context.Context, v *arriving, r revision, act func(tx Tx, p *Plan, after *Standing) (bool, error)) (*Record, error) {
	if v.done {
		return nil, arrivedAlready()
	}
	change, sentTo := r.change, v.live.SentTo
	r.check = func(cur *Record) (err error) {
		v.rec = cur
		v.user, err = storedUser(cur)
		return err
	}
	r.change = func(p *Plan, s *Standing) error {
		if sentTo == v.user.IdentityKey {
			s.prove(sentTo)
		}
		if change == nil {
			return nil
		}
		return change(p, s)
	}
	r.beside = func(tx Tx, p *Plan, user string, _, after *Standing) error {
		lets, err := tx.Read(KindSetting, accessID(user))
		if err != nil {
			return err
		}
		if err := v.look(d, v.rec, lets); err != nil {
			return err
		}
		if v.done {
			return arrivedAlready()
		}
		changed, err := act(tx, p, after)
		if err != nil || !changed {
			return err
		}
		return v.access.put(tx, d.now())
	}
	c, err := d.self(ctx, v.org, v.link.user)
	if err != nil {
		return nil, err
	}
	rec, _, err := d.revise(ctx, c, v.link.user, r)
	switch {
	case HasCode(err, CodeNotFound): // deleted meanwhile
		return nil, linkExpired()
	case HasCode(err, CodeActivationExpired): // perhaps by the same act, done twice at once
		if now, err := d.follow(ctx, v.link.String()); err == nil && now.done {
			return nil, arrivedAlready()
		}
	}
	return rec, err
}

// self is a user who acts on itself.
func (d *Directory) self(ctx context.Context, o *Organization, user string) (Caller, error) {
	c := Caller{Org: o.ID, Token: user, User: user}
	return c, d.atHome(ctx, &c, o)
}
