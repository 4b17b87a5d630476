package resources

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"github.com/usher-scim/usher/internal/seal"
)

// secretContext is what the secret of a connection is sealed for: it opens in its
// own record and nowhere else.
func secretContext(org OrgID, id string) string {
	return string(org) + "|connection|" + id
}

// prove decides what usher proves itself with: it seals a new client secret, makes
// a key, or keeps what was there; was is nil for a new connection.
func (s *ConnectionSpec) prove(keys *seal.Keys, org OrgID, was *Connection, random io.Reader) error {
	stays := was != nil && len(was.Secret) > 0 && (was.Method == s.Method || was.hasSecret() && s.hasSecret())
	if stays && s.hasSecret() && was.Issuer != s.Issuer {
		stays = false // whoever changes the issuer would be sent a secret that nobody can read
	}
	switch {
	case s.Method == ProofNone:
		s.Secret, s.Public = nil, nil
	case s.Method == ProofKey:
		if stays && !s.NewKey {
			return nil
		}
		return s.makeKey(keys, org, random)
	case s.ClientSecret != "":
		s.Secret, s.Public = keys.Seal(secretContext(org, s.ID), []byte(s.ClientSecret)), nil
	case !stays:
		return invalidField("clientSecret", "The method %s needs a client secret; the provider shows it once, where usher is registered as an application.", s.Method)
	}
	return nil
}

// publicKey is the public half of a key as a JSON Web Key (RFC 7517).
type publicKey struct {
	Type  string `json:"kty"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
	ID    string `json:"kid"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// makeKey makes the key pair of method private_key_jwt: P-256, for ES256. Its name
// is the thumbprint (RFC 7638).
func (s *ConnectionSpec) makeKey(keys *seal.Keys, org OrgID, random io.Reader) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	half := len(point) / 2
	pub := publicKey{
		Type: "EC", Use: "sig", Alg: "ES256", Curve: "P-256",
		X: base64.RawURLEncoding.EncodeToString(point[1 : half+1]), Y: base64.RawURLEncoding.EncodeToString(point[half+1:]),
	}
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":%q,"x":%q,"y":%q}`, pub.Curve, pub.Type, pub.X, pub.Y))
	pub.ID = base64.RawURLEncoding.EncodeToString(sum[:])
	if s.Public, err = json.Marshal(pub); err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	s.Secret = keys.Seal(secretContext(org, s.ID), der)
	return nil
}

// ConnectionSecret opens the client secret of a connection, or of method
// private_key_jwt its private key as PKCS #8; nil for method none.
func (d *Directory) ConnectionSecret(ctx context.Context, org OrgID, cn *Connection) ([]byte, error) {
	if len(cn.Secret) == 0 {
		return nil, nil
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the secret of a connection: %w", err)
	}
	secret, err := keys.Open(secretContext(org, cn.ID), cn.Secret)
	if err != nil {
		return nil, fmt.Errorf("open the secret of connection %s: %w", cn.ID, err)
	}
	return secret, nil
}

// DoorConnection is Connection for the people's door, which has no caller: the
// organization by its slug. What is off, of a suspended organization, or unknown is
// not_found.
func (d *Directory) DoorConnection(ctx context.Context, slug, name string) (OrgID, *Connection, error) {
	o, err := d.doorOrg(ctx, slug)
	if err != nil {
		return "", nil, err
	}
	cn, err := d.connection(ctx, o.ID, name)
	if err != nil {
		return "", nil, err
	}
	if cn.Off {
		return "", nil, noConnection()
	}
	return o.ID, cn, nil
}

// doorOrg finds an organization for the people's door. One that does not serve is
// as good as none.
func (d *Directory) doorOrg(ctx context.Context, slug string) (*Organization, error) {
	if checkSlug(slug) != nil {
		return nil, noConnection()
	}
	o, err := d.orgBySlug(ctx, slug)
	if HasCode(err, CodeNotFound) || err == nil && o.serves() != nil {
		return nil, noConnection()
	}
	return o, err
}
