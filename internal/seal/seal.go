package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// KeySize is the least length of a key in bytes.
const KeySize = 32

// nameSize is how much of a key's name stands before what it sealed, in bytes.
const nameSize = 4

// ErrSealed says that something does not open: another key sealed it, or for
// another context, or it was changed.
var ErrSealed = errors.New("seal: it was not sealed here, or for something else")

// Keys seals and opens. It is safe for concurrent use and never changes.
type Keys struct {
	list []key // the first seals
}

type key struct {
	name   [nameSize]byte
	secret []byte
	aead   cipher.AEAD
}

// New makes Keys of the key that seals and those that only open, each of at
// least KeySize random bytes.
func New(current []byte, older ...[]byte) (*Keys, error) {
	k := &Keys{}
	for _, secret := range append([][]byte{current}, older...) {
		if len(secret) < KeySize {
			return nil, fmt.Errorf("seal: a key has %d bytes, it needs %d", len(secret), KeySize)
		}
		derived, err := hkdf.Key(sha256.New, secret, nil, "usher seal", KeySize)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		sum := sha256.Sum256(derived)
		k.list = append(k.list, key{name: [nameSize]byte(sum[:nameSize]), secret: secret, aead: aead})
	}
	return k, nil
}

// Opening gives Keys that open what these do, and what another key sealed.
func (k *Keys) Opening(older []byte) (*Keys, error) {
	more, err := New(older)
	if err != nil {
		return nil, err
	}
	return &Keys{list: append(slices.Clone(k.list), more.list...)}, nil
}

// Seal hides a text for a context.
func (k *Keys) Seal(context string, plain []byte) []byte {
	first := &k.list[0]
	return first.aead.Seal(append([]byte(nil), first.name[:]...), nil, plain, []byte(context))
}

// Open gives what was sealed for the context, or ErrSealed.
func (k *Keys) Open(context string, sealed []byte) ([]byte, error) {
	if len(sealed) < nameSize {
		return nil, ErrSealed
	}
	for i := range k.list {
		if [nameSize]byte(sealed[:nameSize]) != k.list[i].name {
			continue
		}
		plain, err := k.list[i].aead.Open(nil, nil, sealed[nameSize:], []byte(context))
		if err != nil {
			return nil, ErrSealed
		}
		return plain, nil
	}
	return nil, ErrSealed
}

// Derive makes 32 bytes that follow from the context and the key that seals:
// the same each time, and nothing to who has not the key.
func (k *Keys) Derive(context string) []byte { return k.list[0].derive(context) }

// DeriveAll is Derive by each key, the one that seals first, for what may have
// been derived before keys were exchanged.
func (k *Keys) DeriveAll(context string) [][]byte {
	out := make([][]byte, len(k.list))
	for i := range k.list {
		out[i] = k.list[i].derive(context)
	}
	return out
}

func (k *key) derive(context string) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte("usher derive\x00" + context))
	return h.Sum(nil)
}
