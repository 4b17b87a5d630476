package resources

import (
	"context"
	"errors"
	"fmt"
)

// signInTries is how often an assertion is decided anew when what decided it has
// changed by the time of the commit.
const signInTries = 8

// errDecideAnew ends a commit whose decision was by what is not so any more.
var errDecideAnew = errors.New("decided by what has changed")

// SignIn lets the person of an assertion in (BR-112, BR-113, BR-118): finds the
// user, links and activates it the first time, and starts a session. What is
// refused creates nothing but a note for administrators (see Refusals); the error
// says no more than a stranger may know. Codes: sso_no_user, sso_email_unverified,
// sso_conflict, sso_required, sso_failed, user_inactive, organization_suspended.
func (d *Directory) SignIn(ctx context.Context, org OrgID, a Assertion, visitor Visitor) (cookie string, p *Person, err error) {
	v, err := d.signingIn(ctx, org, &a)
	if err != nil {
		return "", nil, err
	}
	v.visitor = visitor
	for range signInTries {
		verdict, err := v.decide(ctx)
		if err != nil {
			return "", nil, fmt.Errorf("sign in: %w", err)
		}
		var rec *Record
		switch verdict.act {
		case actRefuse:
			return "", nil, v.refuse(ctx, &verdict)
		case actCreate:
			rec, err = v.create(ctx)
		default:
			rec, err = v.enter(ctx, &verdict)
		}
		if err == nil {
			p, err := d.personOf(ctx, v.org, rec)
			return v.cookie, p, err
		}
		if !decideAnew(err) {
			return "", nil, fmt.Errorf("sign in: %w", err)
		}
	}
	return "", nil, fmt.Errorf("sign in: too much changes at once: %w", ErrUnavailable)
}

// signingIn begins with an assertion.
func (d *Directory) signingIn(ctx context.Context, org OrgID, a *Assertion) (*signingIn, error) {
	if a.Connection == nil {
		return nil, errors.New("resources: an assertion without a connection")
	}
	o, err := d.orgByID(ctx, org)
	if err != nil {
		return nil, err
	}
	if err := o.serves(); err != nil {
		return nil, err
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, err
	}
	return &signingIn{d: d, org: o, a: a, keys: keys}, nil
}

// decideAnew reports whether a commit was refused by what came in between: the user
// went, somebody else took the subject or the address.
func decideAnew(err error) bool {
	for _, code := range []Code{CodeNotFound, CodeEmailInUse, CodeEmailInOtherOrg, CodeUserNameInUse} {
		if HasCode(err, code) {
			return true
		}
	}
	if errors.Is(err, errDecideAnew) {
		return true
	}
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Reason == RefusedClaim && r.Claim.Kind == ClaimSubject
}

// refuse notes a refusal and tells the person what it may know.
func (v *signingIn) refuse(ctx context.Context, verdict *signInVerdict) error {
	err := v.d.NoteRefused(ctx, v.org.ID, Refused{
		Connection: v.a.Connection.ID, User: verdict.user, Subject: v.a.Subject, Email: v.a.Email,
		Code: verdict.code, Reason: verdict.reason, From: v.visitor.Address,
	})
	if err != nil {
		v.d.log.ErrorContext(ctx, "refused sign-in not noted", "org", v.org.ID, "code", verdict.code, "err", err)
	}
	return &Error{Code: verdict.code, Detail: strangersWords[verdict.code], Err: errors.New(verdict.reason)}
}

// strangersWords are what a person is told whose sign-in is refused. Nothing of it
// depends on anything but the code.
var strangersWords = map[Code]string{
	CodeSSONoUser:     "Nobody in this organization is linked to your account; ask your administrator for access.",
	CodeSSOUnverified: "Your e-mail address is not verified; ask your administrator.",
	CodeSSOConflict:   "Your account cannot be linked; ask your administrator, whose list of refused sign-ins has the reason.",
	CodeSSORequired:   "You have to sign in in another way; begin again with your e-mail address.",
	CodeSSOFailed:     "The sign-in did not work; try again, and if it fails again ask your administrator.",
	CodeUserInactive:  "Your account is not active; ask your administrator.",
}

// enter signs a user in, and links it when it was found in another way than by its
// link.
func (v *signingIn) enter(ctx context.Context, verdict *signInVerdict) (*Record, error) {
	var u User
	rec, _, err := v.d.revise(ctx, v.caller(verdict.user), verdict.user, revision{
		quiet: true,
		check: func(cur *Record) (err error) {
			if u, err = storedUser(cur); err != nil {
				return err
			}
			if !v.still(verdict, &u) {
				return errDecideAnew
			}
			return nil
		},
		change: func(_ *Plan, s *Standing) error {
			v.arrive(s, u.IdentityKey)
			return nil
		},
		beside: func(tx Tx, p *Plan, id string, before, after *Standing) error {
			return v.beside(ctx, tx, p, id, before, after, verdict.by, &u)
		},
	})
	return rec, err
}

// still reports whether a user is, inside the commit, what it was when it was
// decided on.
func (v *signingIn) still(verdict *signInVerdict, u *User) bool {
	switch {
	case u.Inactive:
		return false
	case verdict.by == byExternalID:
		return u.ExternalID == v.a.ExternalID
	case verdict.by == byEmail:
		return u.IdentityKey == v.key
	}
	return true
}

// caller is who signs in, for events.
func (v *signingIn) caller(user string) Caller {
	return Caller{Org: v.org.ID, Slug: v.org.Slug, OrgName: v.org.Name, Token: user, User: user}
}

// arrive notes the sign-in of a user whose identity address has the key. What the
// provider says of an address proves that one alone; a verified domain proves it
// without.
func (v *signingIn) arrive(s *Standing, key string) {
	if key != "" && key == v.key && v.a.Verified != nil && *v.a.Verified && !sharedIssuer(v.a.Issuer) {
		s.prove(key)
	}
	s.signIn(MethodSSO, v.d.now())
}

// beside asks for what belongs to a sign-in: the link, the session, and word of the
// link to who had come in before by another way (security H3). by is how the user
// was found, "" by its link.
func (v *signingIn) beside(ctx context.Context, tx Tx, p *Plan, id string, before, after *Standing, by string, u *User) error {
	_, cn, err := readConnection(tx, v.a.Connection.ID)
	if HasCode(err, CodeNotFound) || err == nil && !cn.admits(v.a, false) {
		return errDecideAnew
	}
	if err != nil {
		return err
	}
	a, err := accessIn(tx, id)
	if err != nil {
		return err
	}
	link, now := a.linkTo(v.a.Issuer), v.d.now()
	switch {
	case link != nil && link.Subject != v.a.Subject, link == nil && by == "":
		return errDecideAnew
	case link == nil:
		a.Links = append(a.Links, Link{Connection: cn.ID, Issuer: v.a.Issuer, Subject: v.a.Subject, Linked: instant(now), By: by})
		tx.Claim(subjectClaim(v.a.Issuer, v.a.Subject), id)
		tx.Event(Event{Type: "user.linked", Kind: KindUser, ID: id, Actor: id, Rule: "BR-112", From: Source{Type: SourceType(by), Ref: cn.ID}.String()})
	}
	first := !before.activated()
	if first {
		a.clearPrepared(tx, MethodSSO, v.a.Issuer, v.a.Subject)
	}
	if link == nil || first {
		if err := a.put(tx, now); err != nil {
			return err
		}
	}
	if link == nil && !first && u.Identity != "" {
		err := v.d.queueMail(tx, &Mail{Template: MailAccessChange, User: id, To: u.Identity, Trigger: TriggerSystem, Data: MailData{Changed: "link"}})
		if err != nil {
			return err
		}
	}
	begin := Session{Method: MethodSSO, Connection: cn.ID, Issuer: v.a.Issuer, Subject: v.a.Subject, SID: v.a.SID, Ends: v.a.Ends}
	if cn.Logout && len(v.a.IDToken) <= hintMost {
		begin.IDToken = v.keys.Seal(hintContext(v.org.ID, id), []byte(v.a.IDToken))
	}
	v.cookie, err = v.d.startSession(ctx, tx, v.org.ID, id, after, p, begin, v.visitor)
	return err
}

// hintMost is how long an ID token may be that is kept with a session, in bytes.
const hintMost = 8 << 10

func hintContext(org OrgID, user string) string { return string(org) + "|id token|" + user }

// SignOutHint opens the ID token that a session began with, as a hint for signing
// out at the provider; "" when none is kept.
func (d *Directory) SignOutHint(ctx context.Context, org OrgID, s *Session) (string, error) {
	if len(s.IDToken) == 0 {
		return "", nil
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return "", fmt.Errorf("open an ID token: %w", err)
	}
	token, err := keys.Open(hintContext(org, s.User), s.IDToken)
	if err != nil {
		return "", fmt.Errorf("open an ID token: %w", err)
	}
	return string(token), nil
}

// TrySignIn tells what SignIn would do with an assertion, in one sentence, for a
// test of a connection; the error is what it would refuse with, and its detail is
// for administrators.
func (d *Directory) TrySignIn(ctx context.Context, org OrgID, a Assertion) (string, error) {
	v, err := d.signingIn(ctx, org, &a)
	if err != nil {
		return "", err
	}
	v.trial = true
	verdict, err := v.decide(ctx)
	if err != nil {
		return "", fmt.Errorf("try to sign in: %w", err)
	}
	switch verdict.act {
	case actRefuse:
		return "", &Error{Code: verdict.code, Detail: verdict.reason}
	case actCreate:
		return "A user with the address " + quoted(a.Email) + " would be created, active, with what the organization's template gives.", nil
	}
	rec, err := d.store.Get(ctx, org, KindUser, verdict.user)
	if err != nil || rec == nil {
		return "", errors.Join(err, errDecideAnew)
	}
	who := quoted(rec.Display) + " with id " + rec.ID
	switch verdict.by {
	case byExternalID:
		return "The person would be linked to the user " + who + ", which has the externalId of the token, and signed in.", nil
	case byEmail:
		return "The person would be linked to the user " + who + ", which has the address of the token, and signed in.", nil
	}
	return "The person is linked to the user " + who + ", and would be signed in.", nil
}
