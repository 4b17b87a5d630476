package resources

import "time"

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
	ACR         string    // how the person was authenticated, or ""
	Ends        time.Time // session_expiry of the provider; zero: none
}

// ConnectionSpec is what an administrator says of a connection.
type ConnectionSpec struct {
	Connection
	ClientSecret string // clear; "" leaves what there is
	NewKey       bool   // of method private_key_jwt: make another key pair; the old one ends at once
}

// The ways in which usher proves itself at a provider's token endpoint.
const (
	ProofBasic = "client_secret_basic"
	ProofPost  = "client_secret_post"
	ProofKey   = "private_key_jwt"
	ProofNone  = "none" // PKCE alone
)

// ConnectionMethods lists the values of Connection.Method.
func ConnectionMethods() []string { return []string{ProofBasic, ProofPost, ProofKey, ProofNone} }

// connectionPool bounds how many connections an organization has.
var connectionPool = Pool{Name: "connections", Limit: maxConnections}

// maxConnections is how many connections an organization has at most.
const maxConnections = 20
