package resources

import (
	"context"
	"time"
)

// Session is one browser in which somebody is signed in. Sessions are settings,
// found by their user. Whether one works is decided at each look: the user must be
// there, active, and of the same epoch (Standing.Epoch), so that what ends
// somebody's access ends all sessions in the same commit (security O10).
type Session struct {
	ID         string       `json:"-"`
	User       string       `json:"user"`
	Secret     []byte       `json:"secret"` // SHA-256 of the secret in the cookie
	Epoch      int          `json:"epoch"`
	Method     SignInMethod `json:"method"`
	Connection string       `json:"connection,omitempty"` // id, of method sso
	Issuer     string       `json:"issuer,omitempty"`
	Subject    string       `json:"subject,omitempty"`
	SID        string       `json:"sid,omitempty"`     // the provider's name of its session
	IDToken    []byte       `json:"idToken,omitempty"` // sealed, as a hint when signing out at the provider
	Began      time.Time    `json:"began"`
	Seen       time.Time    `json:"seen"` // last use, exact to five minutes
	Ends       time.Time    `json:"ends"` // at the latest
	Agent      string       `json:"agent,omitempty"`
	From       string       `json:"from,omitempty"` // address
}

// Visitor is who asks at the people's door, for limits and for lists of sessions.
type Visitor struct {
	Address string // of the network
	Agent   string // User-Agent
}

// Person is what pages show of who is signed in or being activated.
type Person struct {
	ID          string
	Org         OrgID
	Slug        string
	OrgName     string
	UserName    string
	DisplayName string
	GivenName   string
	FamilyName  string
	Email       string // identity e-mail as sent, or ""
	Language    string // en or fr: the user's, else the organization's (BR-093)
	State       string
	Licences    []string // names of the products that are assigned
	Roles       []Role
	NameManaged bool // displayName is the identity provider's to change (BR-106)
	Groups      []string

	Settings Settings // of the organization
}

// SignedIn is a session and whose it is.
type SignedIn struct {
	Session Session
	Person  Person
	Caller  Caller // who acts: the user on itself
}

// Session looks at the secret of a cookie. Codes: unauthenticated, whatever is
// wrong with it.
func (d *Directory) Session(ctx context.Context, cookie string) (*SignedIn, error) {
	return nil, errUnbuilt
}

// EndSession ends the session of a cookie; one that is none is no error.
func (d *Directory) EndSession(ctx context.Context, cookie string) error { return errUnbuilt }

// EndProviderSessions ends the sessions that a provider names: those with the
// sid, or, when it is empty, all of the subject. It returns how many there were
// (OpenID Connect Back-Channel Logout 1.0).
func (d *Directory) EndProviderSessions(ctx context.Context, org OrgID, issuer, subject, sid string) (int, error) {
	return 0, errUnbuilt
}

// Sessions lists the sessions of a user that work, newest first. Who is an
// administrator of users may ask of anybody, others of themselves.
func (d *Directory) Sessions(ctx context.Context, c Caller, user string) ([]*Session, error) {
	return nil, errUnbuilt
}

// RevokeSessions ends one session of a user, or all with id "" (then also links
// and codes). Codes: not_found.
func (d *Directory) RevokeSessions(ctx context.Context, c Caller, user, id string) error {
	return errUnbuilt
}

// startSession asks for a session in the commit that signs a user in, and gives
// the text of its cookie. rec is the user as it will be.
func (d *Directory) startSession(tx Tx, user string, s *Standing, p *Plan, begin Session, v Visitor) (cookie string, err error) {
	return "", errUnbuilt
}
