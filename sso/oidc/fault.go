package oidc

import (
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// The names of checks. They are shown to administrators and stay the same.
const (
	CheckIssuer     = "issuer"         // is an address that may be asked, and the document is its
	CheckDiscovery  = "discovery"      // the document can be read
	CheckEndpoints  = "endpoints"      // are there and may be asked
	CheckKeys       = "keys"           // the provider's key set can be had
	CheckCallback   = "callback"       // what the browser brings is well formed
	CheckState      = "state"          // is one that was given, and not used before
	CheckBrowser    = "browser"        // it began in the same browser
	CheckConnection = "connection"     // it began at this connection, as it is now
	CheckIssParam   = "iss_parameter"  // the answer is this provider's (RFC 9207)
	CheckProvider   = "provider"       // the provider agrees
	CheckExchange   = "token_exchange" // it gives an ID token for the code
	CheckForm       = "id_token"       // is a signed token, nothing stands twice
	CheckAlg        = "alg"
	CheckType       = "typ"
	CheckSignature  = "signature"
	CheckKeySize    = "key"
	CheckIss        = "iss"
	CheckAudience   = "aud"
	CheckAzp        = "azp"
	CheckSubject    = "sub"
	CheckExpiry     = "exp"
	CheckIssuedAt   = "iat"
	CheckLifetime   = "lifetime" // exp less iat
	CheckNotBefore  = "nbf"
	CheckNonce      = "nonce"
	CheckEvents     = "events"
	CheckAtHash     = "at_hash"
	CheckAuthTime   = "auth_time"
	CheckACR        = "acr"
	CheckTenant     = "tid"
	CheckSession    = "session_expiry"
	CheckReplay     = "single_use"
	CheckUserInfo   = "userinfo"
	CheckEmail      = "email"
	CheckJTI        = "jti"
	CheckParty      = "client_authentication" // usher can prove itself
)

// Check is one thing that was looked at, for an administrator who tests a
// connection.
type Check struct {
	Name   string
	OK     bool
	Detail string // a sentence
}

// Fault says which check failed and why, for administrators: strangers are told
// that the sign-in failed, no more. It is a resources.Error of code sso_failed.
type Fault struct {
	Check    string
	Reason   string // a sentence with its remedy; no secret, and nothing of another's choosing but in quotes and cut
	Provider string // the error code of a provider that refused, such as access_denied
	Err      error  // for the log, or nil
}

// Error names check and reason.
func (f *Fault) Error() string {
	s := "oidc: " + f.Check + ": " + f.Reason
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap gives what others may be told.
func (f *Fault) Unwrap() error {
	return &resources.Error{Code: resources.CodeSSOFailed, Detail: "What the identity provider sent cannot be accepted. Try again; if it stays so, your administrator finds the reason among the refused sign-ins.", Err: f.Err}
}

func fault(check, reason string) *Fault { return &Fault{Check: check, Reason: reason} }

// protocol notes checks until one fails.
type protocol struct{ checks []Check }

func (p *protocol) good(name, detail string) {
	p.checks = append(p.checks, Check{Name: name, OK: true, Detail: detail})
}

func (p *protocol) bad(f *Fault) error {
	p.checks = append(p.checks, Check{Name: f.Check, Detail: f.Reason})
	return f
}

// quoted shows text of another's choosing: cut, without control characters.
func quoted(text string) string {
	const most = 120
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(text)
}
