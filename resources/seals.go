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
	made  *seal.Keys // of a secret in the store
}

// keys gives the keys that seal: the operator's, else one that is kept in the
// store, the same on every node.
func (d *Directory) keys(ctx context.Context) (*seal.Keys, error) {
	if d.seals.given != nil {
		return d.seals.given, nil
	}
	secret, err := d.Secret(ctx, "seal")
	if err != nil {
		return nil, err
	}
	d.seals.mu.Lock()
	defer d.seals.mu.Unlock()
	if d.seals.made == nil {
		if d.seals.made, err = seal.New(secret); err != nil {
			return nil, fmt.Errorf("keys in the store: %w", err)
		}
	}
	return d.seals.made, nil
}
