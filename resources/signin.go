package resources

import "context"

// SignIn lets the person of an assertion in (BR-112, BR-113, BR-118): finds the
// user, links and activates it the first time, and starts a session. What is
// refused creates nothing but a note for administrators (see Refusals). Codes:
// sso_no_user, sso_email_unverified, sso_conflict, sso_required, sso_failed,
// user_inactive.
func (d *Directory) SignIn(ctx context.Context, org OrgID, a Assertion, v Visitor) (cookie string, p *Person, err error) {
	return "", nil, errUnbuilt
}

// TrySignIn tells what SignIn would do with an assertion, in one sentence, for a
// test of a connection; the error is what it would refuse with.
func (d *Directory) TrySignIn(ctx context.Context, org OrgID, a Assertion) (string, error) {
	return "", errUnbuilt
}
