package resources

import (
	"context"
	"fmt"
	"sync"

	"github.com/usher-scim/usher/internal/seal"
)

// seals is the key that seals, found when it is needed first.
type seals struct {
	given *seal.Keys // of the configuration, or nil
	mu    sync.Mutex
	found *seal.Keys // given, with a secret in the store
}

// keys gives the keys that seal: the operator's, else one that is kept in the
// store, the same on every node. What was sealed before the operator gave one can
// still be read.
func (d *Directory) keys(ctx context.Context) (*seal.Keys, error) {
	d.seals.mu.Lock()
	defer d.seals.mu.Unlock()
	if d.seals.found == nil {
		found, err := d.findKeys(ctx)
		if err != nil {
			return nil, fmt.Errorf("keys that seal: %w", err)
		}
		d.seals.found = found
	}
	return d.seals.found, nil
}

func (d *Directory) findKeys(ctx context.Context) (*seal.Keys, error) {
	const purpose = "seal"
	if d.seals.given == nil {
		secret, err := d.Secret(ctx, purpose)
		if err != nil {
			return nil, err
		}
		return seal.New(secret)
	}
	id, err := secretID(purpose)
	if err != nil {
		return nil, err
	}
	rec, err := d.store.Get(ctx, PlatformOrg, KindSetting, id)
	if err != nil || rec == nil {
		return d.seals.given, err
	}
	secret, err := storedSecret(rec, purpose)
	if err != nil {
		return nil, err
	}
	return d.seals.given.Opening(secret)
}
