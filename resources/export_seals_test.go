package resources

import (
	"context"

	"github.com/usher-scim/usher/internal/seal"
)

// Keys gives the keys that seal.
func (d *Directory) Keys(ctx context.Context) (*seal.Keys, error) { return d.keys(ctx) }
