package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	gojose "github.com/go-jose/go-jose/v4"
)

// weakBits is the size of the key of Lie.Weak.
const weakBits = 1024

// key signs.
type key struct {
	id, alg string
	signer  crypto.Signer
}

// Rotate makes a new key that signs from now on; the others stay published.
func (p *Provider) Rotate() error {
	k, err := p.make(p.cfg.Alg, 2048)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, k)
	return nil
}

// Keys lists the names of the keys, the last one signs.
func (p *Provider) Keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, k := range p.keys {
		out = append(out, k.id)
	}
	return out
}

// Withdraw publishes a key no longer. Should it be the last it signs on, like one
// that was stolen.
func (p *Provider) Withdraw(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hidden[id] = true
}

// make makes a key pair; bits is for RSA.
func (p *Provider) make(alg string, bits int) (*key, error) {
	id, err := p.name()
	if err != nil {
		return nil, err
	}
	k := &key{id: id[:8], alg: alg}
	switch alg {
	case "RS256", "PS256":
		k.signer, err = rsa.GenerateKey(p.cfg.Rand, bits)
	case "ES256":
		k.signer, err = ecdsa.GenerateKey(elliptic.P256(), p.cfg.Rand)
	case "EdDSA":
		_, k.signer, err = ed25519.GenerateKey(p.cfg.Rand)
	default:
		err = fmt.Errorf("issuer: there are no keys for %q", alg)
	}
	return k, err
}

// signing gives the key that a token is signed with.
func (p *Provider) signing(l Lie) (*key, error) {
	p.mu.Lock()
	last, weak := p.keys[len(p.keys)-1], p.weak
	p.mu.Unlock()
	switch {
	case l.Weak && weak == nil:
		k, err := p.make("RS256", weakBits)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.weak = k
		return k, nil
	case l.Weak:
		return weak, nil
	case l.Forged:
		k, err := p.make(last.alg, 2048)
		if err != nil {
			return nil, err
		}
		k.id = last.id
		return k, nil
	}
	return last, nil
}

// published is the key set.
func (p *Provider) published() gojose.JSONWebKeySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{}}
	all := p.keys
	if p.weak != nil {
		all = append(slices.Clip(all), p.weak)
	}
	for _, k := range all {
		if !p.hidden[k.id] {
			set.Keys = append(set.Keys, gojose.JSONWebKey{Key: k.signer.Public(), KeyID: k.id, Algorithm: k.alg, Use: "sig"})
		}
	}
	return set
}

// sign makes a token in compact form, with what is wrong with it. secret is the
// client's, for HS256.
func (p *Provider) sign(typ, secret string, claims map[string]any, l Lie) (string, error) {
	k, err := p.signing(l)
	if err != nil {
		return "", err
	}
	alg := k.alg
	if l.Alg != "" {
		alg = l.Alg
	}
	header, err := json.Marshal(over(map[string]any{"alg": alg, "kid": k.id, "typ": typ}, l.Header))
	if err != nil {
		return "", fmt.Errorf("issuer: header: %w", err)
	}
	payload, err := json.Marshal(over(claims, l.Claims))
	if err != nil {
		return "", fmt.Errorf("issuer: claims: %w", err)
	}
	if l.Twice != "" {
		payload = []byte(fmt.Sprintf(`{%q:"the other one",%s`, l.Twice, strings.TrimPrefix(string(payload), "{")))
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum, err := k.signature(p.cfg.Rand, alg, secret, input)
	if err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sum), nil
}

func (k *key) signature(random io.Reader, alg, secret, input string) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	var out []byte
	var err error
	switch alg {
	case "none":
	case "HS256":
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		out = mac.Sum(nil)
	case "RS256":
		out, err = k.signer.Sign(random, digest[:], crypto.SHA256)
	case "PS256":
		out, err = k.signer.Sign(random, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "EdDSA":
		out, err = k.signer.Sign(random, []byte(input), crypto.Hash(0))
	case "ES256":
		private, ok := k.signer.(*ecdsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("issuer: the key is not one for %s", alg)
		}
		r, s, err := ecdsa.Sign(random, private, digest[:])
		if err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
		out = make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
	default:
		err = fmt.Errorf("issuer: nothing is signed with %q", alg)
	}
	return out, err
}
