package resources

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jwk"
)

// Method is how a client proves who it is.
type Method string

// The methods. The first two ask usher's token endpoint for access tokens; the
// third sends tokens that its own issuer signed.
const (
	MethodSecret   Method = "client_secret"
	MethodKey      Method = "private_key_jwt" // RFC 7523
	MethodExternal Method = "external_jwt"
)

// Methods lists every method.
func Methods() []Method { return []Method{MethodSecret, MethodKey, MethodExternal} }

// Client is a provisioning connection that gets its tokens by OAuth 2.0
// a client of usher's token endpoint, or an issuer whose tokens are
// accepted.
type Client struct {
	ID         string         `json:"-"` // the client_id
	Connection string         `json:"connection"`
	Name       string         `json:"name"`
	Method     Method         `json:"method"`
	Scopes     []Scope        `json:"scopes"`
	Profile    Profile        `json:"profile"`
	Policy     NamePolicy     `json:"policy"`
	Strict     bool           `json:"strict,omitempty"`   // see Caller.Strict
	Asks       bool           `json:"asks,omitempty"`     // see Caller.Asks
	Lifetime   time.Duration  `json:"lifetime,omitempty"` // of access tokens
	Secrets    []ClientSecret `json:"secrets,omitempty"`  // MethodSecret
	Keys       string         `json:"keys,omitempty"`     // MethodKey: a key set (RFC 7517) of public keys
	Trust      Trust          `json:"trust,omitzero"`     // MethodExternal
	Cert       string         `json:"cert,omitempty"`     // CertHash of the certificate its requests must come with
	Created    time.Time      `json:"created"`
	LastUsed   time.Time      `json:"lastUsed,omitzero"` // to the hour
	Live       []liveToken    `json:"live,omitempty"`
}

// ClientSecret is one of a client's secrets. Only a hash of it is kept.
type ClientSecret struct {
	ID      string    `json:"id"`
	Hash    string    `json:"hash"` // hex SHA-256
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Trust says whose tokens a connection accepts; all that is not empty must be
// so in the token.
type Trust struct {
	Issuer   string `json:"issuer"`            // iss, to the letter
	Audience string `json:"audience"`          // among aud
	App      string `json:"app"`               // appid, or azp
	Tenant   string `json:"tenant,omitempty"`  // tid
	KeysURI  string `json:"keysUri,omitempty"` // where the issuer's keys lie; found by discovery when empty
}

// liveToken is an access token of a client that has not expired.
type liveToken struct {
	ID      string    `json:"i"`
	Expires time.Time `json:"e"`
}

// ClientSpec is what a new client shall be. Zero fields have the defaults of
// TokenSpec; access tokens live for an hour, secrets for a year.
type ClientSpec struct {
	Name           string
	Method         Method
	Scopes         []Scope
	Profile        Profile
	Policy         NamePolicy
	Strict         bool // as in TokenSpec
	Asks           bool // as in TokenSpec
	TokenLifetime  time.Duration
	SecretLifetime time.Duration
	Keys           string // MethodKey
	Trust          Trust  // MethodExternal
	Cert           string // SHA-256 of a certificate in hex or base64url, or ""
}

// The bounds of clients (security T2).
const (
	clientsMost = 100 // of an organization
	secretsMost = 2   // of a client at once, so that they can rotate
	liveMost    = 100 // access tokens of a client at once; one more ends the oldest
	keysMost    = 10
	keysSize    = 32 << 10

	accessLifetime    = time.Hour
	accessMaxLifetime = 6 * time.Hour
	secretLifetime    = 365 * 24 * time.Hour
	secretMaxLifetime = 3 * 366 * 24 * time.Hour

	secretPrefix = "ushs_"
)

func invalidField(field, format string, args ...any) error {
	return &Error{Code: CodeInvalidValue, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// normalised fills in the defaults and refuses what cannot be.
func (s ClientSpec) normalised(org OrgID) (ClientSpec, error) {
	t, err := TokenSpec{Name: s.Name, Scopes: s.Scopes, Profile: s.Profile, Policy: s.Policy}.normalised(org)
	if err != nil {
		return s, err
	}
	if err := checkScopes(t.Scopes, ConnectionScopes(), false); err != nil {
		return s, err // clients provision; what administrators do is bound to tokens
	}
	s.Name, s.Scopes, s.Profile, s.Policy = t.Name, t.Scopes, t.Profile, t.Policy
	if !slices.Contains(Methods(), s.Method) {
		return s, invalidField("method", "The method %q is not known; use %s.", clip(string(s.Method), 40), joined(Methods()))
	}
	if s.Cert != "" {
		if s.Cert, err = certHash(s.Cert); err != nil {
			return s, err
		}
	}
	for _, check := range []func(*ClientSpec) error{(*ClientSpec).checkTokens, (*ClientSpec).checkSecret, (*ClientSpec).checkKeys, (*ClientSpec).checkTrust} {
		if err := check(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *ClientSpec) checkTokens() error {
	if s.Method == MethodExternal {
		if s.TokenLifetime != 0 {
			return invalidField("token_lifetime", "Tokens of another issuer live as long as it says; leave the lifetime out.")
		}
		return nil
	}
	if s.TokenLifetime == 0 {
		s.TokenLifetime = accessLifetime
	}
	if s.TokenLifetime < accessLifetime || s.TokenLifetime > accessMaxLifetime {
		return invalidField("token_lifetime", "An access token lives between 60 minutes and 6 hours.")
	}
	return nil
}

func (s *ClientSpec) checkSecret() error {
	if s.Method != MethodSecret {
		if s.SecretLifetime != 0 {
			return invalidField("secret_lifetime", "Only clients of the method client_secret have secrets; leave the lifetime out.")
		}
		return nil
	}
	var err error
	s.SecretLifetime, err = lifeOfSecret(s.SecretLifetime)
	return err
}

func lifeOfSecret(d time.Duration) (time.Duration, error) {
	if d == 0 {
		return secretLifetime, nil
	}
	if d < secretLifetime || d > secretMaxLifetime {
		return 0, invalidField("secret_lifetime", "A secret lives between 1 year (365d) and 3 years (1098d).")
	}
	return d, nil
}

func (s *ClientSpec) checkKeys() error {
	if s.Method != MethodKey {
		if s.Keys != "" {
			return invalidField("jwks", "Only clients of the method private_key_jwt have keys of their own; leave the key set out.")
		}
		return nil
	}
	if s.Keys == "" || len(s.Keys) > keysSize {
		return invalidField("jwks", "The method private_key_jwt needs the client's public keys as a JSON Web Key Set of at most %d bytes.", keysSize)
	}
	keys, unused, err := jwk.Parse([]byte(s.Keys))
	switch {
	case err != nil:
		return invalidField("jwks", "The key set cannot be read: %v.", err)
	case len(unused) > 0:
		return invalidField("jwks", "A key cannot be used: %v. Send RSA keys of 2048 bits and more, P-256, P-384 or Ed25519, public parts only.", unused[0])
	case len(keys) == 0 || len(keys) > keysMost:
		return invalidField("jwks", "A client has 1 to %d keys.", keysMost)
	}
	return nil
}

func (s *ClientSpec) checkTrust() error {
	if s.Method != MethodExternal {
		if s.Trust != (Trust{}) {
			return invalidField("issuer", "Only the method external_jwt trusts another issuer; leave issuer, audience, appid, tenant and jwks_uri out.")
		}
		return nil
	}
	for _, f := range []struct{ name, value string }{{"issuer", s.Trust.Issuer}, {"audience", s.Trust.Audience}, {"appid", s.Trust.App}} {
		if f.value == "" {
			return invalidField(f.name, "The method external_jwt needs %s: all of issuer, audience and appid must be pinned.", f.name)
		}
	}
	for _, f := range []struct{ name, value string }{
		{"issuer", s.Trust.Issuer}, {"audience", s.Trust.Audience}, {"appid", s.Trust.App}, {"tenant", s.Trust.Tenant}, {"jwks_uri", s.Trust.KeysURI},
	} {
		if len(f.value) > 500 {
			return invalidField(f.name, "The member %s is at most 500 bytes long.", f.name)
		}
	}
	if !absolute(s.Trust.Issuer) {
		return invalidField("issuer", "An issuer is an absolute URL without query and fragment, for example https://sts.windows.net/TENANT/.")
	}
	if s.Trust.KeysURI != "" && !absolute(s.Trust.KeysURI) {
		return invalidField("jwks_uri", "The address of the keys is an absolute URL without query and fragment.")
	}
	return nil
}

// absolute reports whether a text is a URL that can be asked. Which addresses
// may be asked is for whoever asks them to decide.
func absolute(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// certHash reads the SHA-256 of a certificate in hex (with or without colons)
// or in base64url as x5t#S256 has it (RFC 8705 §3.1) and gives it in hex.
func certHash(text string) (string, error) {
	if raw, err := hex.DecodeString(strings.ReplaceAll(text, ":", "")); err == nil && len(raw) == 32 {
		return hex.EncodeToString(raw), nil
	}
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == 32 {
		return hex.EncodeToString(raw), nil
	}
	return "", invalidField("cert_sha256", "The certificate is named by the SHA-256 of its DER form, in hex or base64url.")
}

func (cl *Client) record(before *Record, now time.Time) (*Record, error) {
	body, err := json.Marshal(cl)
	if err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	ms := now.UnixMilli()
	rec := &Record{
		Kind: KindSetting, ID: cl.ID, Version: 1, Created: ms, Modified: ms,
		Display: clip(cl.Name, 100), Profile: body, Standing: nounClient.standing(),
	}
	if before != nil {
		rec.Version, rec.Created = before.Version+1, before.Created
	}
	return rec, nil
}

// clientOf reads a client from its record; nil when it is another setting.
func clientOf(rec *Record) (*Client, error) {
	if rec == nil || nounOf(rec) != nounClient {
		return nil, nil
	}
	var cl Client
	if err := json.Unmarshal(rec.Profile, &cl); err != nil {
		return nil, fmt.Errorf("decode client %s: %w", rec.ID, err)
	}
	cl.ID = rec.ID
	return &cl, nil
}

// clientByID reads a client; nil when there is none.
func (d *Directory) clientByID(ctx context.Context, org OrgID, id string) (*Client, error) {
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil, nil
	}
	rec, err := d.store.Get(ctx, org, KindSetting, id)
	if err != nil {
		return nil, fmt.Errorf("read client: %w", err)
	}
	return clientOf(rec)
}

// secret finds the secret that a text is, among those that have not expired.
// It looks at all of them, and at something even when there is none, so that
// the time tells nothing. cl may be nil.
func (cl *Client) secret(text string, now time.Time) (id string, ok bool) {
	hash := []byte(hashSecret(text))
	secrets := []ClientSecret{{}, {}}
	if cl != nil {
		secrets = append(cl.Secrets, secrets...)[:max(len(cl.Secrets), len(secrets))]
	}
	for _, s := range secrets {
		same := subtle.ConstantTimeCompare([]byte(fmt.Sprintf("%64s", s.Hash)), hash) == 1
		if same && now.Before(s.Expires) {
			id, ok = s.ID, true
		}
	}
	return id, ok
}

// vouches reports whether the client still stands behind an access token: the
// secret it was issued for has not been revoked.
func (cl *Client) vouches(t *Token) bool {
	return t.Proof == "" || slices.ContainsFunc(cl.Secrets, func(s ClientSecret) bool { return s.ID == t.Proof })
}

// allows reports whether a request may come with this certificate ("" is none).
func (cl *Client) allows(cert string) bool { return CertAllowed(cl.Cert, cert) }

// CertAllowed reports whether a request that came with the certificate have
// ("" is none) meets a binding to the certificate want ("" binds to none).
// Both are CertHash texts (RFC 8705 §3).
func CertAllowed(want, have string) bool {
	return want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(have)) == 1
}

// CertHash names a certificate: the SHA-256 of its DER form in hex.
func CertHash(der []byte) string { return hashSecret(string(der)) }
