package resources

// Login is what is known of a user's sign-ins, part of the standing. Times are
// milliseconds since 1970.
type Login struct {
	First     int64        `json:"f,omitempty"` // first completed sign-in: the user is active from then on (domain.md §3.1)
	Last      int64        `json:"l,omitempty"` // last one; written again when it is more than an hour older, so that sign-ins do not move versions all the time
	Activated int64        `json:"a,omitempty"` // once (BR-107)
	Method    SignInMethod `json:"m,omitempty"` // of the activation, once
}

// Mails is what was decided and sent to activate a user, part of the standing.
// Times are milliseconds since 1970.
type Mails struct {
	Decided   int64  `json:"d,omitempty"` // when the automatic mail was decided on, sent or not: it is never decided on again (BR-080, BR-087); below 0 it was taken back before it was sent, and is decided on again when the user qualifies again
	First     int64  `json:"f,omitempty"` // when the first activation mail was sent
	Last      int64  `json:"l,omitempty"` // when the last activation mail or reminder was sent
	Count     int    `json:"n,omitempty"` // how many were
	Reminders int    `json:"r,omitempty"` // how many of them were reminders (BR-090)
	Bounced   string `json:"b,omitempty"` // the EmailKey that the mail server refused for good (BR-262)
}

// SignInMethod is how somebody signs in.
type SignInMethod string

// The methods.
const (
	MethodPassword SignInMethod = "password"
	MethodSSO      SignInMethod = "sso"
)

// states computes where a user is in its life, first match wins (domain.md §3.1).
// proven says whether the identity address is: by the user, by the provider, or by
// a verified domain of the organization.
func (s *Standing) stateOf(inactive, proven bool) string {
	switch {
	case inactive:
		return StateInactive
	case s.Login != nil && s.Login.First > 0:
		return StateActive
	case proven:
		return StateVerified
	}
	return StateNotVerified
}
