package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/internal/seal"
)

// SecretKeys gives secret_key and those of secret_key_old; nothing when there is
// no secret_key. The configuration must have been loaded without faults.
func (c *Config) SecretKeys() (current []byte, older [][]byte, err error) {
	if c.SecretKey == "" {
		return nil, nil, nil
	}
	if current, err = readKey(string(c.SecretKey)); err != nil {
		return nil, nil, fmt.Errorf("secret_key: %w", err)
	}
	older, err = readKeys(c.SecretKeyOld)
	return current, older, err
}

// checkKeys looks at the keys. Its messages never hold one.
func (l *loading) checkKeys(bad func(key, reason string, args ...any)) {
	const remedy = "%v; make one with: openssl rand -base64 32"
	if l.SecretKey != "" {
		if _, err := readKey(string(l.SecretKey)); err != nil {
			bad("secret_key", remedy, err)
		}
	}
	if l.SecretKeyOld == "" {
		return
	}
	if l.SecretKey == "" {
		bad("secret_key_old", "it only opens what was sealed before; set secret_key too, with which to seal")
	}
	if _, err := readKeys(l.SecretKeyOld); err != nil {
		bad("secret_key_old", "%v; keep the keys as they were, with commas between them", err)
	}
}

// readKeys reads keys with commas between them; none of "".
func readKeys(list Secret) ([][]byte, error) {
	if list == "" {
		return nil, nil
	}
	var out [][]byte
	for text := range strings.SplitSeq(string(list), ",") {
		key, err := readKey(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(out)+1, err)
		}
		out = append(out, key)
	}
	return out, nil
}

// readKey reads a key in base64, with or without padding, of either alphabet. What
// is wrong with it is said without showing it.
func readKey(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return nil, errors.New("it is not base64")
	case len(key) < seal.KeySize:
		return nil, fmt.Errorf("it has %d bytes and needs %d", len(key), seal.KeySize)
	}
	return key, nil
}
