package resources

import "context"

// UseCode gives the token of the link to who has the address and the code of the
// same mail (BR-102). Codes: activation_code_invalid, activation_code_locked,
// activation_expired, rate_limited; the same for addresses that are nobody's.
func (d *Directory) UseCode(ctx context.Context, address, code string, v Visitor) (token string, err error) {
	return "", errUnbuilt
}

// SetPassword sets the password of who arrives or resets it. Codes:
// password_policy (see PasswordFaults), sso_required, activation_expired.
func (d *Directory) SetPassword(ctx context.Context, token, password string) (*Arrival, error) {
	return nil, errUnbuilt
}

// Arrive ends an activation by password: displayName is taken (BR-106; ignored
// when the identity provider manages it), the user is active, the link used up, a
// session begins. Codes: name_invalid, password_required as invalid_value,
// activation_expired.
func (d *Directory) Arrive(ctx context.Context, token, displayName string, v Visitor) (cookie string, p *Person, err error) {
	return "", nil, errUnbuilt
}

// PasswordSignIn lets somebody in by password. Codes: sign_in_failed, the same
// for unknown addresses and wrong passwords and in the same time (security P3);
// sso_required; rate_limited (security P4).
func (d *Directory) PasswordSignIn(ctx context.Context, address, password string, v Visitor) (cookie string, p *Person, err error) {
	return "", nil, errUnbuilt
}

// ForgotPassword sends a link to set a new password, when there is somebody to
// send it to; the answer does not tell. Codes: rate_limited.
func (d *Directory) ForgotPassword(ctx context.Context, address string, v Visitor) error {
	return errUnbuilt
}

// SendAgain sends a new link to who follows an expired one: token is that of the
// old link, or address what was typed (BR-111). The answer does not tell whether
// there is anybody. Codes: rate_limited.
func (d *Directory) SendAgain(ctx context.Context, token, address string, v Visitor) error {
	return errUnbuilt
}

// ChangePassword exchanges the password of who is signed in; other sessions end.
// Codes: sign_in_failed, password_policy, sso_required.
func (d *Directory) ChangePassword(ctx context.Context, s *SignedIn, old, password string) (cookie string, err error) {
	return "", errUnbuilt
}

// Rename sets the displayName of who is signed in. Codes: name_invalid,
// managed_by_idp.
func (d *Directory) Rename(ctx context.Context, s *SignedIn, displayName string) error {
	return errUnbuilt
}

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

// Error names the criteria.
func (r *PasswordRefusal) Error() string { return joined(r.Failed) }

// PasswordFaults gives the criteria that an error of code password_policy tells
// of.
func PasswordFaults(err error) []Criterion { return nil }
