package resources

import "context"

// PasswordSignIn lets somebody in by password. Codes: sign_in_failed, the same
// for unknown addresses and wrong passwords and in the same time (security P3);
// sso_required, which follows from the domain of the address or is told to who has
// the password (BR-115); user_inactive, organization_suspended, told to who has the
// password (BR-114); rate_limited (security P4).
func (d *Directory) PasswordSignIn(ctx context.Context, address, text string, v Visitor) (cookie string, p *Person, err error) {
	g, err := d.mayGuess(ctx, accountOf(address), v.Address)
	if err != nil {
		return "", nil, err
	}
	forced, err := d.WayOf(ctx, address)
	if err != nil {
		return "", nil, err
	}
	w, err := d.knock(ctx, address)
	if err != nil {
		return "", nil, err
	}
	right, hash, err := d.passwordIs(ctx, w.id, w.access, text)
	if err != nil {
		return "", nil, err
	}
	if err := d.guessed(ctx, g, right); err != nil {
		return "", nil, err
	}
	switch {
	case !right && forced.Forced:
		return "", nil, ssoRequired()
	case !right:
		return "", nil, signInFailed()
	}
	if err := d.mayEnter(ctx, w); err != nil {
		return "", nil, err
	}
	return d.enter(ctx, w, d.renewed(ctx, w, hash, text), v)
}

// mayEnter decides whether who has the password may come in by it.
func (d *Directory) mayEnter(ctx context.Context, w *somebody) error {
	if w.org == nil || w.org.State == OrgDeleting || !w.user.standing.activated() {
		return signInFailed()
	}
	if err := w.org.serves(); err != nil {
		return err
	}
	if w.user.Inactive {
		return userInactive()
	}
	way, err := d.wayInto(ctx, w.org, w.user.IdentityKey, &w.user.standing)
	if err != nil {
		return err
	}
	if way.Forced {
		return ssoRequired()
	}
	return nil
}

// userInactive refuses who has been deactivated (BR-114).
func userInactive() *Error {
	return &Error{Code: CodeUserInactive, Detail: "Your account is not active any more; ask your administrator."}
}

// renewed is the password hashed at today's cost, sealed; nil when it is so
// already, or when there is no time for it now (security P2).
func (d *Directory) renewed(ctx context.Context, w *somebody, hash, text string) []byte {
	if !d.hasher.Stale(hash) {
		return nil
	}
	next, err := d.hasher.Hash(ctx, text)
	if err != nil {
		d.log.WarnContext(ctx, "password not hashed anew", "user", w.rec.ID, "err", err)
		return nil
	}
	keys, err := d.keys(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "password not sealed anew", "user", w.rec.ID, "err", err)
		return nil
	}
	return keys.Seal(passwordContext(w.id, w.rec.ID), []byte(next))
}

// enter begins a session of who had the password. The password and what else lets
// the user in are looked at again in the commit.
func (d *Directory) enter(ctx context.Context, w *somebody, renewed []byte, v Visitor) (cookie string, p *Person, err error) {
	was := w.access.Password
	now := d.now()
	r := revision{
		quiet: true,
		check: func(cur *Record) error {
			u, err := storedUser(cur)
			switch {
			case err != nil:
				return err
			case u.Inactive:
				return userInactive()
			case u.IdentityKey != w.user.IdentityKey:
				return signInFailed()
			}
			return nil
		},
		change: func(_ *Plan, s *Standing) error {
			s.signIn(MethodPassword, now)
			return nil
		},
		beside: func(tx Tx, p *Plan, user string, _, after *Standing) error {
			a, err := accessIn(tx, user)
			if err != nil {
				return err
			}
			if string(a.Password) != string(was) {
				return signInFailed() // it has been changed just now
			}
			if renewed != nil {
				a.Password = renewed
				if err := a.put(tx, now); err != nil {
					return err
				}
			}
			cookie, err = d.startSession(ctx, tx, w.id, user, after, p, Session{Method: MethodPassword}, v)
			return err
		},
	}
	c, err := d.self(ctx, w.org, w.rec.ID)
	if err != nil {
		return "", nil, err
	}
	rec, _, err := d.revise(ctx, c, w.rec.ID, r)
	if HasCode(err, CodeNotFound) {
		return "", nil, signInFailed() // deleted just now
	}
	if err != nil {
		return "", nil, err
	}
	p, err = d.personOf(ctx, w.org, rec)
	return cookie, p, err
}
