package jwk

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/usher-scim/usher/internal/jsontree"
)

// The bounds of what is read.
const (
	MaxKeys = 100 // of a set

	maxID      = 256 // bytes of a kid
	minModulus = 2048
	maxModulus = 8192
)

// Key is a public key of a set.
type Key struct {
	ID     string // kid, or ""
	Alg    string // the only algorithm it may be used with, or ""
	Public any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// Fault says what is wrong with the key at a place in the set.
type Fault struct {
	At     int    // from 0
	ID     string // its kid, or ""
	Reason string
}

// Error names the key and the reason.
func (f *Fault) Error() string { return fmt.Sprintf("keys[%d]: %s", f.At, f.Reason) }

// Parse reads a set. What is no set at all is an error; keys that cannot be
// used are told one by one and left out, so that strict callers can refuse what
// lenient ones pass over (RFC 7517 §5).
func Parse(raw []byte) (keys []Key, unused []*Fault, err error) {
	set, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil {
		return nil, nil, fmt.Errorf("the key set is not JSON: %w", err)
	}
	list := member(&set, "keys")
	if list == nil || list.Kind != jsontree.Array {
		return nil, nil, errors.New("the key set has no array named keys")
	}
	if len(list.Items) > MaxKeys {
		return nil, nil, fmt.Errorf("the key set has more than %d keys", MaxKeys)
	}
	for i := range list.Items {
		k, err := read(&list.Items[i])
		if err != nil {
			unused = append(unused, &Fault{At: i, ID: text(&list.Items[i], "kid"), Reason: err.Error()})
			continue
		}
		keys = append(keys, k)
	}
	return keys, unused, nil
}

// member finds a member by its exact name: unlike SCIM, JOSE knows no other
// case.
func member(v *jsontree.Value, name string) *jsontree.Value {
	if v.Kind != jsontree.Object {
		return nil
	}
	for i := range v.Items {
		if v.Items[i].Name == name {
			return &v.Items[i]
		}
	}
	return nil
}

// text gives a member that is a string, or "".
func text(v *jsontree.Value, name string) string {
	if m := member(v, name); m != nil && m.Kind == jsontree.String {
		return m.Text
	}
	return ""
}

// private are the members that a public key does not have (RFC 7518 §6.2.2,
// §6.3.2, §6.4).
func private() []string { return []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} }

func read(v *jsontree.Value) (Key, error) {
	if v.Kind != jsontree.Object {
		return Key{}, errors.New("it is not an object")
	}
	for _, name := range private() {
		if member(v, name) != nil {
			return Key{}, errors.New("it holds private key material; take the member " + name + " and its like out and replace the key pair")
		}
	}
	k := Key{ID: text(v, "kid"), Alg: text(v, "alg")}
	if len(k.ID) > maxID {
		return Key{}, fmt.Errorf("its kid is longer than %d bytes", maxID)
	}
	if use := text(v, "use"); use != "" && use != "sig" {
		return Key{}, errors.New("its use is not sig")
	}
	var err error
	switch text(v, "kty") {
	case "RSA":
		k.Public, err = readRSA(v)
	case "EC":
		k.Public, err = readEC(v)
	case "OKP":
		k.Public, err = readEd25519(v)
	default:
		err = errors.New("its kty is none of RSA, EC and OKP")
	}
	return k, err
}

// number reads a member in base64url.
func number(v *jsontree.Value, name string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text(v, name))
	if err != nil || len(b) == 0 {
		return nil, errors.New("its member " + name + " is not base64url without padding")
	}
	return b, nil
}

func readRSA(v *jsontree.Value) (*rsa.PublicKey, error) {
	n, err := number(v, "n")
	if err != nil {
		return nil, err
	}
	e, err := number(v, "e")
	if err != nil {
		return nil, err
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minModulus || bits > maxModulus {
		return nil, fmt.Errorf("an RSA key has %d to %d bits, this one %d", minModulus, maxModulus, bits)
	}
	if exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0 || modulus.Bit(0) == 0 {
		return nil, errors.New("its numbers are not those of an RSA key")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

func readEC(v *jsontree.Value) (*ecdsa.PublicKey, error) {
	var curve elliptic.Curve
	switch text(v, "crv") {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	default:
		return nil, errors.New("its crv is none of P-256 and P-384")
	}
	x, err := number(v, "x")
	if err != nil {
		return nil, err
	}
	y, err := number(v, "y")
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, fmt.Errorf("its members x and y must have %d bytes each", size)
	}
	point := append(append([]byte{4}, x...), y...) // uncompressed, SEC 1 §2.3.3
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, errors.New("its point is not on the curve")
	}
	return key, nil
}

func readEd25519(v *jsontree.Value) (ed25519.PublicKey, error) {
	if text(v, "crv") != "Ed25519" {
		return nil, errors.New("its crv is not Ed25519")
	}
	x, err := number(v, "x")
	if err != nil {
		return nil, err
	}
	if len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("its member x must have %d bytes", ed25519.PublicKeySize)
	}
	return x, nil
}
