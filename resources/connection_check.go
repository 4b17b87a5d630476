package resources

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// What the texts of a connection may have, in bytes, and its lists in entries.
const (
	connectionName  = 40
	connectionLabel = 100
	connectionText  = 500
	connectionList  = 20
	claimName       = 100
	maxAgeMost      = 30 * 24 * 3600 // seconds
)

// reservedConnections are names that mean something else in the addresses of the
// people's door.
var reservedConnections = []string{"verify", "login", "logout", "start", "test", "callback", "session", "sign-in", "sign-out"}

// ConnectionAlgs lists the signatures that an ID token can have. None and those by
// a shared secret are not among them (security O5).
func ConnectionAlgs() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// DefaultAlgs are the signatures of a connection that names none.
func DefaultAlgs() []string { return []string{"RS256", "PS256", "ES256", "EdDSA"} }

// Check refuses what cannot be, as far as it follows from the connection alone: for
// doors that want to know before they ask the provider. Codes: invalid_value.
func (s ConnectionSpec) Check() error { return s.normalise() }

// normalise brings a connection into the form it is kept in and refuses what
// cannot be. Which domains are verified is for the commit to check.
func (s *ConnectionSpec) normalise() error {
	s.Label, s.Issuer, s.ClientID = strings.TrimSpace(s.Label), strings.TrimSpace(s.Issuer), strings.TrimSpace(s.ClientID)
	for _, check := range []func(*ConnectionSpec) error{
		(*ConnectionSpec).checkName, (*ConnectionSpec).checkIssuer, (*ConnectionSpec).checkClient,
		(*ConnectionSpec).checkTokens, (*ConnectionSpec).checkClaims, (*ConnectionSpec).checkPeople,
	} {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func (s *ConnectionSpec) checkName() error {
	switch {
	case len(s.Name) == 0 || len(s.Name) > connectionName || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || s.Name[0] == '-' || s.Name[len(s.Name)-1] == '-':
		return invalidField("name", "The name stands in addresses: 1 to %d lower-case letters, digits and inner dashes, for example entra.", connectionName)
	case slices.Contains(reservedConnections, s.Name):
		return invalidField("name", "The name %s means something else in addresses; choose another.", quoted(s.Name))
	}
	return textFits("label", s.Label, connectionLabel)
}

// textFits refuses a text that is too long or cannot be shown in one line.
func textFits(field, text string, most int) error {
	switch {
	case len(text) > most:
		return invalidField(field, "The value of %s is longer than %d bytes; shorten it.", field, most)
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return invalidField(field, "The value of %s has characters that cannot be shown; use printable ones.", field)
	}
	return nil
}

// checkIssuer refuses an issuer that cannot be told from others, and those that
// speak for the people of many companies at once (security O1).
func (s *ConnectionSpec) checkIssuer() error {
	if err := textFits("issuer", s.Issuer, connectionText); err != nil {
		return err
	}
	u, err := url.Parse(s.Issuer)
	switch {
	case err != nil, s.Issuer == "", u.Hostname() == "", u.User != nil, u.Opaque != "", u.RawQuery != "", u.ForceQuery, strings.Contains(s.Issuer, "#"):
		return invalidField("issuer", "The issuer is the https address that the provider calls itself by, without query and fragment, for example https://login.example.com/tenant.")
	case u.Scheme == "http" && !loopback(u.Hostname()), u.Scheme != "http" && u.Scheme != "https":
		return invalidField("issuer", "The issuer must be an https address; only one on this machine may be http.")
	case !entraTenant(u):
		return invalidField("issuer", "This issuer of Microsoft lets in people of every company. Use the one of your tenant: https://login.microsoftonline.com/TENANT-ID/v2.0.")
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// microsoft are the hosts of Entra ID, in its clouds.
var microsoft = []string{
	"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
	"login.microsoft.com", "login.windows.net", "sts.windows.net",
}

// entraTenant reports whether an issuer, if it is of Entra ID, is of one tenant:
// neither of all companies nor of private accounts (by name or by the id of their
// tenant), nor the pattern that the documentation shows.
func entraTenant(u *url.URL) bool {
	if !slices.Contains(microsoft, strings.ToLower(u.Hostname())) {
		return true
	}
	tenant, _, _ := strings.Cut(strings.Trim(strings.ToLower(u.Path), "/"), "/")
	return tenant != "" && !strings.Contains(tenant, "{") &&
		!slices.Contains([]string{"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"}, tenant)
}

// sharedIssuer reports whether an issuer speaks for people of many companies and
// for private ones: what it calls verified was true once, of a mailbox that the
// company may have given to somebody else since. Its word about an address counts
// only for domains that the organization has verified.
func sharedIssuer(issuer string) bool {
	return issuer == "https://accounts.google.com" || issuer == "https://appleid.apple.com"
}

func (s *ConnectionSpec) checkClient() error {
	if s.ClientID == "" {
		return invalidField("clientId", "The client id is missing; the provider shows it where usher is registered as an application.")
	}
	if err := textFits("clientId", s.ClientID, connectionText); err != nil {
		return err
	}
	if s.Method == "" {
		s.Method = ProofBasic
	}
	if !slices.Contains(ConnectionMethods(), s.Method) {
		return invalidField("method", "The method %s is not known; use %s.", quoted(s.Method), joined(ConnectionMethods()))
	}
	if len(s.ClientSecret) > connectionText || strings.ContainsFunc(s.ClientSecret, unicode.IsControl) {
		return invalidField("clientSecret", "The client secret is longer than %d bytes or has control characters; copy it again.", connectionText)
	}
	if s.ClientSecret != "" && !s.hasSecret() {
		return invalidField("clientSecret", "With the method %s there is no client secret; leave it out, or choose another method.", s.Method)
	}
	if s.NewKey && s.Method != ProofKey {
		return invalidField("newKey", "Only connections of the method %s have a key.", ProofKey)
	}
	return nil
}

// hasSecret reports whether the method is by a shared secret.
func (cn *Connection) hasSecret() bool { return cn.Method == ProofBasic || cn.Method == ProofPost }

func (s *ConnectionSpec) checkTokens() error {
	if len(s.Scopes) > connectionList || len(s.ACR) > connectionList {
		return invalidField("scopes", "A connection has at most %d scopes and %d values of acr.", connectionList, connectionList)
	}
	s.Scopes = slices.DeleteFunc(slices.Clone(s.Scopes), func(x string) bool { return x == "openid" })
	for field, list := range map[string][]string{"scopes": s.Scopes, "acr": s.ACR} {
		for _, x := range list {
			if x == "" || len(x) > connectionLabel || strings.ContainsFunc(x, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
				return invalidField(field, "A value of %s is one word of printable ASCII of at most %d bytes; %s is not.", field, connectionLabel, quoted(x))
			}
		}
	}
	for _, alg := range s.Algs {
		if !slices.Contains(ConnectionAlgs(), alg) {
			return invalidField("algs", "ID tokens signed with %s are not accepted; use some of %s.", quoted(alg), joined(ConnectionAlgs()))
		}
	}
	s.Algs = slices.Clone(s.Algs)
	slices.Sort(s.Algs)
	s.Algs = slices.Compact(s.Algs)
	if s.MaxAge < 0 || s.MaxAge > maxAgeMost {
		return invalidField("maxAge", "The age of a sign-in at the provider is 0 (any) to %d seconds.", maxAgeMost)
	}
	return nil
}

func (s *ConnectionSpec) checkClaims() error {
	m := &s.Claims
	for field, name := range map[string]string{
		"claims.externalId": m.ExternalID, "claims.email": m.Email, "claims.emailVerified": m.Verified, "claims.displayName": m.DisplayName,
		"claims.givenName": m.GivenName, "claims.familyName": m.FamilyName, "claims.language": m.Language,
	} {
		if err := textFits(field, name, claimName); err != nil {
			return err
		}
	}
	return nil
}

// checkPeople checks who the connection is for.
func (s *ConnectionSpec) checkPeople() error {
	if !slices.Contains([]string{"", "on", "off"}, s.JIT) {
		return invalidField("jit", "Creating users at their first sign-in is on or off; left out it is on unless the organization is provisioned by SCIM.")
	}
	if len(s.Enforced) > maxEnforced {
		return invalidField("enforced", "A connection is enforced for at most %d domains.", maxEnforced)
	}
	enforced := make([]string, 0, len(s.Enforced))
	for _, name := range s.Enforced {
		ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimSpace(name), "."))
		if err != nil || !strings.Contains(ascii, ".") {
			return invalidField("enforced", "%s is not a domain; write one such as example.com.", quoted(name))
		}
		enforced = append(enforced, strings.ToLower(ascii))
	}
	slices.Sort(enforced)
	s.Enforced = slices.Compact(enforced)
	return nil
}

// maxEnforced is how many domains a connection is enforced for at most.
const maxEnforced = 200

// enforceable refuses to enforce a connection for domains that are not the
// organization's. One that it was enforced for before may stay.
func (p *Plan) enforceable(had, has []string) error {
	for _, name := range has {
		if !slices.Contains(had, name) && !p.verifies("x@"+name) {
			return &Error{Code: CodeDomainNotVerified, Field: "enforced", Detail: "The domain " + quoted(name) + " is not verified in your organization; verify it first."}
		}
	}
	return nil
}
