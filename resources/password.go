package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-scim/usher/internal/password"
)

// PasswordRefusal lists the criteria that a password does not meet, all of them
// (BR-104, BR-105). It is the cause of an Error with code password_policy.
type PasswordRefusal struct{ Failed []Criterion }

// Criterion is one thing that a password must be.
type Criterion string

// The criteria: the four classes, the length, no name, no address (W-02), and
// where the organization wants it no common word.
const (
	CriterionDigit   Criterion = "digit"
	CriterionUpper   Criterion = "upper"
	CriterionLower   Criterion = "lower"
	CriterionSpecial Criterion = "special"
	CriterionLength  Criterion = "length"
	CriterionName    Criterion = "name"
	CriterionAddress Criterion = "address"
	CriterionCommon  Criterion = "common"
)

// criteria are the criteria behind the faults that a check finds.
var criteria = map[password.Fault]Criterion{
	password.NoDigit:   CriterionDigit,
	password.NoUpper:   CriterionUpper,
	password.NoLower:   CriterionLower,
	password.NoSpecial: CriterionSpecial,
	password.BadLength: CriterionLength,
	password.HasName:   CriterionName,
	password.HasMail:   CriterionAddress,
	password.IsCommon:  CriterionCommon,
}

// Error names the criteria.
func (r *PasswordRefusal) Error() string { return joined(r.Failed) }

// PasswordFaults gives the criteria that an error of code password_policy tells
// of; nil for other errors.
func PasswordFaults(err error) []Criterion {
	r, ok := errors.AsType[*PasswordRefusal](err)
	if !ok {
		return nil
	}
	return r.Failed
}

// passwordLeast is how long passwords are in an organization, in code points.
func (s *Settings) passwordLeast() int { return max(s.PasswordLength, password.Least) }

// PasswordLeast is how many characters a password of the organization has at
// least, for pages that check while somebody types (BR-104).
func (p *Person) PasswordLeast() int { return p.Settings.passwordLeast() }

// checkPassword judges a new password of a person.
func (p *Person) checkPassword(text string) error {
	rules := password.Rules{
		Least: p.PasswordLeast(), Names: []string{p.GivenName, p.FamilyName, p.DisplayName}, Address: p.Email,
		Common: p.Settings.PasswordBlocklist, Words: []string{p.OrgName, p.Slug, "usher"},
	}
	faults := rules.Check(text)
	if len(faults) == 0 {
		return nil
	}
	refusal := &PasswordRefusal{}
	for _, f := range faults {
		refusal.Failed = append(refusal.Failed, criteria[f])
	}
	return &Error{
		Code: CodePasswordPolicy, Field: "password", Err: refusal,
		Detail: fmt.Sprintf("The password does not meet: %s. It needs %d to %d characters with a digit, an upper-case and a lower-case letter and a special character, must not contain the person's name or address, and must not be one that many people use where the organization says so.", refusal, p.PasswordLeast(), password.Most),
	}
}

// ssoRequired refuses what only passwords need (BR-115).
func ssoRequired() *Error {
	return &Error{Code: CodeSSORequired, Detail: "Your organization wants you to sign in at its identity provider."}
}

// signInFailed is the one answer to wrong passwords and unknown addresses
// (security P3).
func signInFailed() *Error {
	return &Error{Code: CodeSignInFailed, Detail: "The address or the password is not right."}
}

// passwordContext is what a stored password is bound to.
func passwordContext(org OrgID, user string) string { return "password|" + string(org) + "|" + user }

// newPassword checks and hashes a new password of a person, and seals the hash.
func (d *Directory) newPassword(ctx context.Context, p *Person, text string) ([]byte, error) {
	if err := p.checkPassword(text); err != nil {
		return nil, err
	}
	hash, err := d.hasher.Hash(ctx, text)
	if err != nil {
		return nil, busy(err)
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, err
	}
	return keys.Seal(passwordContext(p.Org, p.ID), []byte(hash)), nil
}

// passwordIs compares a password with the stored one of somebody. hash is what
// stands in the store, opened; "" when there is none. It takes as long for nobody.
func (d *Directory) passwordIs(ctx context.Context, org OrgID, a *access, text string) (right bool, hash string, err error) {
	keys, err := d.keys(ctx)
	if err != nil {
		return false, "", err
	}
	if len(a.Password) > 0 {
		plain, err := keys.Open(passwordContext(org, a.User), a.Password)
		if err != nil { // nobody signs in by it until the key is back
			d.log.ErrorContext(ctx, "stored password does not open", "user", a.User, "err", err)
		}
		hash = string(plain)
	}
	right, err = d.hasher.Verify(ctx, hash, text)
	return right, hash, busy(err)
}

// busy says that passwords are hashed as fast as the server can.
func busy(err error) error {
	if errors.Is(err, password.ErrBusy) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// SetPassword sets the password of who arrives or resets it. While somebody
// arrives it is only kept: it counts from the moment on in which Arrive makes the
// user active. A reset ends all sessions and is told to the person (security H3).
// Codes: password_policy (see PasswordFaults), sso_required (BR-115),
// activation_expired, request_closed when the user is active already.
func (d *Directory) SetPassword(ctx context.Context, token, text string) (*Arrival, error) {
	v, person, err := d.choosing(ctx, token)
	if err != nil {
		return nil, err
	}
	sealed, err := d.newPassword(ctx, person, text)
	if err != nil {
		return nil, err
	}
	reset := v.live.Purpose == PurposeReset
	r := revision{}
	if reset {
		r.change = func(_ *Plan, s *Standing) error {
			s.endAccess()
			return nil
		}
	}
	rec, err := d.withLink(ctx, v, r, func(tx Tx, _ *Plan, _ *Standing) (bool, error) {
		if !reset {
			v.live.Pending = sealed
			return true, nil
		}
		v.live.Used = d.now().UnixMilli()
		v.access.Password, v.access.PasswordSet = sealed, v.live.Used
		return true, d.tellPassword(tx, &v.user, v.rec.ID)
	})
	if err != nil {
		return nil, err
	}
	return v.after(ctx, d, rec)
}

// choosing follows the link of who is about to choose a password.
func (d *Directory) choosing(ctx context.Context, token string) (*arriving, *Person, error) {
	v, err := d.follow(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	if v.done {
		return nil, nil, arrivedAlready()
	}
	if v.live.Purpose == PurposeVerify {
		return nil, nil, linkExpired()
	}
	way, err := d.wayInto(ctx, v.org, v.user.IdentityKey, &v.user.standing)
	if err != nil {
		return nil, nil, err
	}
	if way.Forced {
		return nil, nil, ssoRequired()
	}
	person, err := d.personOf(ctx, v.org, v.rec)
	return v, person, err
}

// tellPassword tells a user by mail that the password is another one (security
// H3).
func (d *Directory) tellPassword(tx Tx, u *User, id string) error {
	if u.IdentityKey == "" {
		return nil
	}
	return d.queueMail(tx, &Mail{Template: MailAccessChange, User: id, To: u.confirmed(), Trigger: TriggerSystem, By: id, Data: MailData{Changed: "password"}})
}

// ChangePassword exchanges the password of who is signed in; all other sessions,
// links and codes end, and the person is told (security H3). Codes:
// sign_in_failed for a wrong old one, password_policy, sso_required, rate_limited,
// unauthenticated when the session has ended meanwhile.
func (d *Directory) ChangePassword(ctx context.Context, s *SignedIn, old, text string) (cookie string, err error) {
	w, err := d.meet(ctx, s.Person.Org, s.Person.ID)
	if err != nil {
		return "", err
	}
	if !w.there() {
		return "", signedOut()
	}
	g, err := d.mayGuess(ctx, accountOf(w.user.Identity), s.Session.From)
	if err != nil {
		return "", err
	}
	way, err := d.wayInto(ctx, w.org, w.user.IdentityKey, &w.user.standing)
	if err != nil {
		return "", err
	}
	if way.Forced {
		return "", ssoRequired()
	}
	right, _, err := d.passwordIs(ctx, w.id, w.access, old)
	if err != nil {
		return "", err
	}
	if err := d.guessed(ctx, g, right); err != nil {
		return "", err
	}
	if !right {
		return "", &Error{Code: CodeSignInFailed, Field: "old", Detail: "The password that you have now is not right."}
	}
	sealed, err := d.newPassword(ctx, &s.Person, text)
	if err != nil {
		return "", err
	}
	return d.exchange(ctx, w, s, sealed)
}

// exchange stores another password of who is signed in and begins a new session.
func (d *Directory) exchange(ctx context.Context, w *somebody, s *SignedIn, sealed []byte) (cookie string, err error) {
	was := w.access.Password
	r := revision{
		check: func(cur *Record) error {
			if !s.Session.letsIn(cur) {
				return signedOut()
			}
			return nil
		},
		change: func(_ *Plan, st *Standing) error {
			st.endAccess()
			return nil
		},
		beside: func(tx Tx, p *Plan, user string, _, after *Standing) error {
			a, err := accessIn(tx, user)
			if err != nil {
				return err
			}
			if string(a.Password) != string(was) {
				return signInFailed() // somebody else was faster
			}
			now := d.now()
			a.Password, a.PasswordSet = sealed, now.UnixMilli()
			if err := a.put(tx, now); err != nil {
				return err
			}
			if err := d.tellPassword(tx, &w.user, user); err != nil {
				return err
			}
			v := Visitor{Address: s.Session.From, Agent: s.Session.Agent}
			cookie, err = d.startSession(ctx, tx, w.id, user, after, p, Session{Method: MethodPassword}, v)
			return err
		},
	}
	_, _, err = d.revise(ctx, s.Caller, w.rec.ID, r)
	return cookie, err
}
