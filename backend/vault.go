package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// A secret is stored as 13 digits of expiry in milliseconds and the value.
const expirySize = 13

// Put implements resources.Vault.
func (s *Store) Put(ctx context.Context, org resources.OrgID, purpose, key string, value []byte, exp time.Time) (err error) {
	defer s.observe("vault_put", started(), &err)
	k, err := secretKeys(org, purpose)
	if err != nil {
		return err
	}
	ms := exp.UnixMilli()
	if ms < 0 || ms > maxNumber {
		return fmt.Errorf("backend: vault: the expiry %s cannot be stored", exp)
	}
	attempt, err := s.stamp()
	if err != nil {
		return err
	}
	c := newCall(s.scripts.vaultPut, 8)
	c.key(k.attempts('0'), k.attempts('1'), k.secret(purpose, key), k.expiry(), k.backup())
	c.arg(attempt, append(appendPadded(nil, uint64(ms), expirySize), value...), strconv.FormatInt(ms, 10))
	_, err = s.write(ctx, c)
	return explain(ctx, "vault put", err)
}

// Add implements resources.Vault.
func (s *Store) Add(ctx context.Context, org resources.OrgID, purpose, key string, exp time.Time) (added bool, err error) {
	defer s.observe("vault_add", started(), &err)
	k, err := secretKeys(org, purpose)
	if err != nil {
		return false, err
	}
	ms := exp.UnixMilli()
	if ms < 0 || ms > maxNumber {
		return false, fmt.Errorf("backend: vault: the expiry %s cannot be stored", exp)
	}
	attempt, err := s.stamp()
	if err != nil {
		return false, err
	}
	c := newCall(s.scripts.vaultAdd, 8)
	c.key(k.attempts('0'), k.attempts('1'), k.secret(purpose, key), k.expiry(), k.backup())
	c.arg(attempt, appendPadded(nil, uint64(ms), expirySize), strconv.FormatInt(ms, 10), strconv.FormatInt(s.cfg.Now().UnixMilli(), 10))
	reply, err := s.write(ctx, c)
	if err != nil {
		return false, explain(ctx, "vault add", err)
	}
	n, _ := reply.(int64)
	return n == 1, nil
}

// Count implements resources.Vault.
func (s *Store) Count(ctx context.Context, org resources.OrgID, purpose, key string, until time.Time) (count int, err error) {
	defer s.observe("vault_count", started(), &err)
	k, err := secretKeys(org, purpose)
	if err != nil {
		return 0, err
	}
	ms := until.UnixMilli()
	if ms < 0 || ms > maxNumber {
		return 0, fmt.Errorf("backend: vault: the expiry %s cannot be stored", until)
	}
	attempt, err := s.stamp()
	if err != nil {
		return 0, err
	}
	c := newCall(s.scripts.vaultCount, 7)
	c.key(k.attempts('0'), k.attempts('1'), k.secret(purpose, key), k.expiry(), k.backup())
	c.arg(attempt, appendPadded(nil, uint64(ms), expirySize), strconv.FormatInt(s.cfg.Now().UnixMilli(), 10))
	reply, err := s.write(ctx, c)
	if err != nil {
		return 0, explain(ctx, "vault count", err)
	}
	n, _ := reply.(int64)
	return int(n), nil
}

// Take implements resources.Vault.
func (s *Store) Take(ctx context.Context, org resources.OrgID, purpose, key string) (value []byte, err error) {
	defer s.observe("vault_take", started(), &err)
	k, err := secretKeys(org, purpose)
	if err != nil {
		return nil, err
	}
	attempt, err := s.stamp()
	if err != nil {
		return nil, err
	}
	c := newCall(s.scripts.vaultTake, 5)
	c.key(k.attempts('0'), k.attempts('1'), k.secret(purpose, key), k.expiry(), k.backup())
	c.arg(attempt)
	reply, err := s.write(ctx, c)
	if err != nil {
		return nil, explain(ctx, "vault take", err)
	}
	raw, _ := reply.(string)
	return s.unexpired(raw)
}

// Peek implements resources.Vault.
func (s *Store) Peek(ctx context.Context, org resources.OrgID, purpose, key string) (value []byte, err error) {
	defer s.observe("vault_peek", started(), &err)
	k, err := secretKeys(org, purpose)
	if err != nil {
		return nil, err
	}
	raw, err := s.reads.Get(ctx, k.secret(purpose, key)).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(ctx, "vault peek", err)
	}
	return s.unexpired(raw)
}

// unexpired cuts off the expiry; nothing is left of what has passed.
func (s *Store) unexpired(raw string) ([]byte, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) < expirySize {
		return nil, fmt.Errorf("backend: vault: %w", errDamaged)
	}
	ms, ok := digits(raw[:expirySize])
	if !ok {
		return nil, fmt.Errorf("backend: vault: %w", errDamaged)
	}
	if int64(ms) <= s.cfg.Now().UnixMilli() {
		return nil, nil
	}
	return []byte(raw[expirySize:]), nil
}

func secretKeys(org resources.OrgID, purpose string) (keys, error) {
	ok := len(purpose) > 0 && len(purpose) <= 32
	for _, c := range []byte(purpose) {
		ok = ok && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
	}
	if !ok {
		return keys{}, fmt.Errorf("backend: vault: purpose %q: 1 to 32 characters of a-z, 0-9, - and _ are needed", purpose)
	}
	return keysOf(org)
}
