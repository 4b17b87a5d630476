package backend

import "context"

// keysLeft looks through all keys for what nothing names.
func (c *check) keysLeft(ctx context.Context) error { return ctx.Err() }
