package resources

import (
	"context"
	"time"
)

// Connection is an OpenID provider of an organization, by which its people sign
// in. Connections are settings, found by name.
type Connection struct {
	ID       string    `json:"-"`
	Version  uint64    `json:"-"`
	Name     string    `json:"name"`            // in URLs: /sso/{org}/{name}/…; lower-case letters, digits, dashes
	Label    string    `json:"label,omitempty"` // on the button people see
	Issuer   string    `json:"issuer"`
	ClientID string    `json:"clientId"`
	Method   string    `json:"method"`           // how usher proves itself: client_secret_basic, client_secret_post, private_key_jwt, none
	Secret   []byte    `json:"secret,omitempty"` // sealed: client secret, or private key as PKCS #8
	Public   []byte    `json:"public,omitempty"` // of private_key_jwt: the public key as JWK
	Scopes   []string  `json:"scopes,omitempty"` // beside openid; none: email profile
	Algs     []string  `json:"algs,omitempty"`   // of ID tokens; none: RS256 PS256 ES256 EdDSA
	Claims   ClaimMap  `json:"claims"`
	Enforced []string  `json:"enforced,omitempty"` // verified domains whose users must sign in here (BR-115)
	JIT      string    `json:"jit,omitempty"`      // on, off; "" is on unless the organization has a SCIM connection (BR-118)
	Off      bool      `json:"off,omitempty"`      // nobody can sign in by it
	MaxAge   int       `json:"maxAge,omitempty"`   // seconds since the sign-in at the provider at most; 0: any
	ACR      []string  `json:"acr,omitempty"`      // acr_values to ask for and to demand
	Logout   bool      `json:"logout,omitempty"`   // sign out at the provider too (RP-initiated)
	Created  time.Time `json:"created"`

	// The endpoints as they were confirmed when the connection was saved; when
	// discovery names other hosts an alert is raised (security O7).
	Endpoints Endpoints `json:"endpoints"`
}

// ClaimMap says which claims have what; "" is the usual one.
type ClaimMap struct {
	ExternalID  string `json:"externalId,omitempty"` // "": externalId is not matched
	Email       string `json:"email,omitempty"`
	Verified    string `json:"emailVerified,omitempty"` // Entra ID: xms_edov
	DisplayName string `json:"displayName,omitempty"`
	GivenName   string `json:"givenName,omitempty"`
	FamilyName  string `json:"familyName,omitempty"`
	Language    string `json:"language,omitempty"`
}

// Endpoints are what a provider's discovery document names.
type Endpoints struct {
	Authorization string `json:"authorization"`
	Token         string `json:"token"`
	JWKS          string `json:"jwks"`
	UserInfo      string `json:"userInfo,omitempty"`
	EndSession    string `json:"endSession,omitempty"`
	IssParameter  bool   `json:"issParameter,omitempty"` // authorization_response_iss_parameter_supported (RFC 9207)
}

// Assertion is what a provider's ID token says of a person, after every check of
// the token itself.
type Assertion struct {
	Connection  *Connection
	Issuer      string
	Subject     string
	Email       string
	Verified    *bool // nil: the token says nothing of it
	ExternalID  string
	DisplayName string
	GivenName   string
	FamilyName  string
	Language    string
	SID         string
	IDToken     string    // the token itself, as a hint for signing out
	AuthTime    time.Time // zero: the token says nothing of it
	Ends        time.Time // session_expiry of the provider; zero: none
}

// ConnectionSpec is what an administrator says of a connection.
type ConnectionSpec struct {
	Connection
	ClientSecret string // clear; "" leaves what there is
}

// CreateConnection stores a connection; of method private_key_jwt a key is made.
// Codes: invalid_value, domain_not_verified.
func (d *Directory) CreateConnection(ctx context.Context, c Caller, spec ConnectionSpec) (*Connection, error) {
	return nil, errUnbuilt
}

// ChangeConnection changes one; fn sees it with its version and changes it.
func (d *Directory) ChangeConnection(ctx context.Context, c Caller, id string, fn func(*ConnectionSpec) error) (*Connection, error) {
	return nil, errUnbuilt
}

// Connections lists the connections of the organization by name.
func (d *Directory) Connections(ctx context.Context, c Caller) ([]*Connection, error) {
	return nil, errUnbuilt
}

// Connection reads one by id or name.
func (d *Directory) Connection(ctx context.Context, c Caller, id string) (*Connection, error) {
	return nil, errUnbuilt
}

// DeleteConnection removes one; sessions by it end.
func (d *Directory) DeleteConnection(ctx context.Context, c Caller, id string) error {
	return errUnbuilt
}

// DoorConnection is Connection for the people's door, which has no caller: the
// organization by its slug. What is off or unknown is not_found.
func (d *Directory) DoorConnection(ctx context.Context, slug, name string) (OrgID, *Connection, error) {
	return "", nil, errUnbuilt
}

// ConnectionSecret opens the client secret or private key of a connection.
func (d *Directory) ConnectionSecret(ctx context.Context, org OrgID, c *Connection) ([]byte, error) {
	return nil, errUnbuilt
}

// SignIn lets the person of an assertion in (BR-112, BR-113, BR-118): finds the
// user, links and activates it the first time, and starts a session. What is
// refused creates nothing but a note for administrators (see Refusals). Codes:
// sso_no_user, sso_email_unverified, sso_conflict, user_inactive.
func (d *Directory) SignIn(ctx context.Context, org OrgID, a Assertion, v Visitor) (cookie string, p *Person, err error) {
	return "", nil, errUnbuilt
}

// TrySignIn tells what SignIn would do with an assertion, in one sentence, for a
// test of a connection; the error is what it would refuse with.
func (d *Directory) TrySignIn(ctx context.Context, org OrgID, a Assertion) (string, error) {
	return "", errUnbuilt
}

// Refused is a sign-in that was refused, for administrators (BR-112).
type Refused struct {
	ID         string    `json:"-"`
	At         time.Time `json:"at"`
	Connection string    `json:"connection,omitempty"` // id
	User       string    `json:"user,omitempty"`       // id, when one was found
	Subject    string    `json:"subject,omitempty"`
	Email      string    `json:"email,omitempty"`
	Code       Code      `json:"code"`
	Reason     string    `json:"reason"` // a sentence: what was wrong, and the remedy
	From       string    `json:"from,omitempty"`
}

// NoteRefused keeps a refusal for the organization's administrators, thirty days
// and at most 500 an hour.
func (d *Directory) NoteRefused(ctx context.Context, org OrgID, r Refused) error { return errUnbuilt }

// Refusals lists refused sign-ins, newest first.
func (d *Directory) Refusals(ctx context.Context, c Caller, after string, limit int) ([]*Refused, string, error) {
	return nil, "", errUnbuilt
}

// Way is how somebody with an address signs in.
type Way struct {
	Slug       string
	Connection string // name of the connection; "" is by password
	Forced     bool   // the password is refused (BR-115)
}

// WayOf says how somebody with the address signs in. It tells nothing about
// whether there is such a user: what it says follows from the domain alone.
func (d *Directory) WayOf(ctx context.Context, address string) (Way, error) {
	return Way{}, errUnbuilt
}
