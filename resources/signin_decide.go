package resources

// holder is who has something: nobody, one user of the organization, several of
// them, or somebody outside it.
type holder byte

const (
	heldByNobody holder = iota
	heldHere
	heldByMany
	heldElsewhere
)

// candidate is what matters of a user whom an assertion may mean.
type candidate struct {
	id       string
	inactive bool
	linked   bool // to another subject of the same issuer
	exempt   bool // an active full administrator: may come in any way (BR-115)
	enforced bool // the domain of its address is enforced at another connection
}

// signInFacts are all that decides about an assertion (BR-112, BR-118, security
// O2, O12). Each way in which a user may be meant has a candidate when it is held
// by one here.
type signInFacts struct {
	off     bool // the connection is off, gone, or speaks for another issuer by now
	stale   bool // the sign-in at the provider was too long ago
	weak    bool // the way of authentication that is demanded was not used
	subject holder
	bySub   candidate

	external holder // who has the externalId of the claim; nobody when there is no claim
	byExt    candidate

	address  addressKind
	byMail   candidate // when the address is held here
	flag     *bool     // what the token says of the address
	covered  bool      // a verified domain of the organization covers the address
	shared   bool      // the issuer speaks for people of many companies
	enforced bool      // the domain of the address is enforced at another connection
	jit      jitState
	named    bool // somebody else has the address for a userName
}

// addressKind is what is known of the address of an assertion.
type addressKind byte

const (
	addressNone addressKind = iota // there is none, or it cannot be keyed
	addressFree
	addressHere
	addressElsewhere
)

// jitState is whether users are created at their first sign-in.
type jitState byte

const (
	jitOn jitState = iota
	jitOff
	jitDeparted // on, but the identity provider has removed this one (security I5)
)

// signInAct is what to do about an assertion.
type signInAct byte

const (
	actRefuse signInAct = iota
	actSignIn
	actLink
	actCreate
)

// The ways in which a user was found, see Link.By.
const (
	byExternalID = "external_id"
	byEmail      = "email"
	byJIT        = "jit"
)

// signInVerdict is what is decided about an assertion.
type signInVerdict struct {
	act    signInAct
	user   string // id of the user; "" of actCreate, and when nobody was found
	by     string // of actLink
	code   Code   // of actRefuse
	reason string // for administrators: what was wrong, and the remedy
}

func refusal(code Code, user, reason string) signInVerdict {
	return signInVerdict{code: code, user: user, reason: reason}
}

// decideSignIn decides about an assertion, first match wins: who has the subject,
// who has the externalId, who has the address.
func decideSignIn(f *signInFacts) signInVerdict {
	switch {
	case f.off:
		return refusal(CodeSSOFailed, "", "The connection was switched off, deleted or changed while the person signed in; check it, and let the person try again.")
	case f.stale:
		return refusal(CodeSSOFailed, "", "The provider did not say that the person signed in there within the time that the connection demands (maxAge); let the person sign in at the provider again, or demand less.")
	case f.weak:
		return refusal(CodeSSOFailed, "", "The provider did not confirm the way of authentication that the connection demands (acr); set the provider up for it, or demand less.")
	}
	switch f.subject {
	case heldElsewhere, heldByMany:
		return refusal(CodeSSOConflict, "", "The account at the provider belongs to a person outside your organization already; use another account, or ask the operator of usher.")
	case heldHere:
		return f.bySub.enter(actSignIn, "")
	}
	switch f.external {
	case heldByMany, heldElsewhere:
		return refusal(CodeSSOConflict, "", "Several users have the externalId that the token names; make it unique, or clear the externalId claim of the connection.")
	case heldHere:
		return f.byExt.enter(actLink, byExternalID)
	}
	return f.decideByAddress()
}

// enter lets a user in, or refuses.
func (c *candidate) enter(act signInAct, by string) signInVerdict {
	switch {
	case c.inactive:
		return refusal(CodeUserInactive, c.id, "The user is inactive; reactivate it, at the identity provider if it is managed there.")
	case act == actLink && c.linked:
		return refusal(CodeSSOConflict, c.id, "The user is linked to another account of the same provider; if the person has a new account there, remove the old link of the user first.")
	case c.enforced && !c.exempt:
		return refusal(CodeSSORequired, c.id, "Another connection is enforced for the domain of the user's address; the person must sign in there.")
	}
	return signInVerdict{act: act, user: c.id, by: by}
}

// decideByAddress is the last way, once for each user: by an address that is known
// to be the person's.
func (f *signInFacts) decideByAddress() signInVerdict {
	switch {
	case f.address == addressNone:
		return refusal(CodeSSONoUser, "", "No user has this account, and the token has no usable e-mail address by which to find one; let the provider send the claim, or map the claim of another name.")
	case f.flag != nil && !*f.flag:
		return refusal(CodeSSOUnverified, "", "The provider says that the e-mail address is not verified; verify it there.")
	case f.flag == nil && !f.covered:
		return refusal(CodeSSOUnverified, "", "The provider does not say that the e-mail address is verified, and its domain is not verified in your organization; let the provider send the claim, or verify the domain.")
	case f.shared && !f.covered:
		return refusal(CodeSSOUnverified, "", "The provider serves people of many companies, so that its word about an address counts only for domains that your organization has verified; verify the domain.")
	}
	switch f.address {
	case addressElsewhere:
		return refusal(CodeSSOConflict, "", "The e-mail address is managed by another organization; use another address.")
	case addressHere:
		return f.byMail.enter(actLink, byEmail)
	}
	switch {
	case f.enforced:
		return refusal(CodeSSORequired, "", "Nobody has the e-mail address, and another connection is enforced for its domain; the person must sign in there.")
	case !f.covered:
		return refusal(CodeSSONoUser, "", "Nobody has this account or e-mail address, and users are created only for verified domains; add the user, or verify the domain.")
	case f.jit == jitOff:
		return refusal(CodeSSONoUser, "", "Nobody has this account or e-mail address, and users are not created when they sign in; add the user, or assign it to usher at the identity provider.")
	case f.jit == jitDeparted:
		return refusal(CodeSSONoUser, "", "The identity provider has removed the user; only the identity provider or an administrator can add it again.")
	}
	if f.named {
		return refusal(CodeSSOConflict, "", "Nobody has this account or e-mail address, but a user with another address has it for a userName; correct that user, or give it the address.")
	}
	return signInVerdict{act: actCreate, by: byJIT}
}
