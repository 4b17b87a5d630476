package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
)

// The ways in which usher proves itself at a token endpoint (OpenID Connect Core
// §9).
const (
	methodBasic   = "client_secret_basic"
	methodPost    = "client_secret_post"
	methodPrivate = "private_key_jwt"
	methodNone    = "none"
)

// assertionLife is how long usher's own proof is good.
const assertionLife = time.Minute

// exchange is what a code is exchanged with.
type exchange struct{ code, verifier, redirect string }

// exchanged is what there is for a code.
type exchanged struct{ id, access string }

// exchange asks the token endpoint, once.
func (p *Party) exchange(ctx context.Context, org resources.OrgID, c *resources.Connection, ends resources.Endpoints, e exchange) (exchanged, error) {
	cfg := oauth2.Config{ClientID: c.ClientID, RedirectURL: e.redirect, Endpoint: oauth2.Endpoint{TokenURL: ends.Token, AuthStyle: oauth2.AuthStyleInParams}}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(e.verifier)}
	var secret []byte
	var err error
	if c.Method != methodNone {
		if secret, err = p.cfg.Secret(ctx, org, c); err != nil {
			return exchanged{}, fmt.Errorf("secret of a connection: %w", err)
		}
	}
	switch c.Method {
	case "", methodBasic:
		cfg.ClientSecret, cfg.Endpoint.AuthStyle = string(secret), oauth2.AuthStyleInHeader
	case methodPost:
		cfg.ClientSecret = string(secret)
	case methodPrivate:
		proof, err := p.proof(c, ends.Token, secret)
		if err != nil {
			return exchanged{}, &Fault{Check: CheckParty, Reason: "The private key of the connection cannot be used. Have a new one made.", Err: err}
		}
		options = append(options, oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), oauth2.SetAuthURLParam("client_assertion", proof))
	case methodNone:
	default:
		return exchanged{}, fault(CheckParty, "The connection's method is none of client_secret_basic, client_secret_post, private_key_jwt and none.")
	}
	token, err := cfg.Exchange(context.WithValue(ctx, oauth2.HTTPClient, p.http), e.code, options...)
	if err != nil {
		return exchanged{}, refusedExchange(err)
	}
	id, _ := token.Extra("id_token").(string)
	if id == "" {
		return exchanged{}, fault(CheckExchange, "The provider gave no ID token for the code. Is the client registered for OpenID Connect, with the scope openid?")
	}
	return exchanged{id: id, access: token.AccessToken}, nil
}

// refusedExchange says why there is no token. The body of the answer may hold
// anything and is told to nobody.
func refusedExchange(err error) *Fault {
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		f := fault(CheckExchange, fmt.Sprintf("The token endpoint answers %d with the error %s.", r.Response.StatusCode, quoted(r.ErrorCode)))
		switch r.ErrorCode {
		case "invalid_client", "unauthorized_client":
			f.Reason += " Check client id, method and secret."
		case "invalid_grant":
			f.Reason += " Check that the redirect URI is registered to the letter, and begin again."
		}
		return f
	}
	if r, ok := errors.AsType[*outbound.Refusal](err); ok {
		return &Fault{Check: CheckExchange, Reason: "The token endpoint cannot be used: " + r.Reason + ".", Err: r}
	}
	return &Fault{Check: CheckExchange, Reason: "The token endpoint does not answer as it should.", Err: err}
}

// proof makes the token by which usher proves itself (RFC 7523 §3). Its audience
// is the token endpoint: that is what every provider accepts, and no other knows
// this connection's key.
func (p *Party) proof(c *resources.Connection, endpoint string, secret []byte) (string, error) {
	key, err := privateKey(secret)
	if err != nil {
		return "", err
	}
	public, err := publicKey(c)
	if err != nil {
		return "", err
	}
	if k, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(public.Public) {
		return "", errors.New("the private key is not that of the public one")
	}
	id, err := random(p.cfg.Rand)
	if err != nil {
		return "", err
	}
	now := p.cfg.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": c.ClientID, "sub": c.ClientID, "aud": endpoint, "jti": encode(id),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	return signed(key, public.ID, claims)
}

// signed makes a token in compact form.
func signed(key crypto.Signer, kid string, claims []byte) (string, error) {
	var alg gojose.SignatureAlgorithm
	switch key.(type) {
	case *rsa.PrivateKey:
		alg = gojose.RS256
	case *ecdsa.PrivateKey:
		alg = gojose.ES256
	case ed25519.PrivateKey:
		alg = gojose.EdDSA
	default:
		return "", errors.New("nothing is signed with such a key")
	}
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: alg, Key: gojose.JSONWebKey{Key: key, KeyID: kid}}, (&gojose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return jws.CompactSerialize()
}

// privateKey reads a key in PKCS #8, as DER or PEM.
func privateKey(secret []byte) (crypto.Signer, error) {
	if block, _ := pem.Decode(secret); block != nil {
		secret = block.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return nil, errors.New("the private key is not PKCS #8") // the error may quote it
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key does not sign")
	}
	return signer, nil
}

// publicKey reads the public key of a connection.
func publicKey(c *resources.Connection) (jwk.Key, error) {
	keys, _, err := jwk.Parse(keySet(c.Public))
	if err != nil || len(keys) != 1 {
		return jwk.Key{}, errors.New("the connection has no public key")
	}
	return keys[0], nil
}

func keySet(key []byte) []byte {
	return []byte(`{"keys":[` + strings.TrimSpace(string(key)) + `]}`)
}

// JWKS is the document with the public key of a connection of method
// private_key_jwt, for its provider; nil when it has none.
func (p *Party) JWKS(c *resources.Connection) []byte {
	if _, err := publicKey(c); err != nil || c.Method != methodPrivate {
		return nil
	}
	return keySet(c.Public)
}
