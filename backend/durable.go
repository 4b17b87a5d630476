package backend

import (
	"context"

	"github.com/usher-scim/usher/resources"
)

// Durability says what an acknowledged write survives.
type Durability string

// The durabilities. What each can lose stands in docs/operations.md.
const (
	// DurabilityLocal acknowledges what the server has executed.
	DurabilityLocal Durability = "local"
	// DurabilityReplicated acknowledges what a replica has received (WAIT).
	DurabilityReplicated Durability = "replicated"
	// DurabilityFsync acknowledges what the server and a replica, if it has one,
	// have on disk (WAITAOF, or an append-only file that is synced always).
	DurabilityFsync Durability = "fsync"
)

// LostWrite is an acknowledged commit that is not in the store any more.
type LostWrite struct {
	Org resources.OrgID
	LSN string // see resources.Commit
}

// send executes a call that changes something, once, and returns when what it
// wrote is as durable as Config.Durability asks.
func (s *Store) send(ctx context.Context, c *call) (any, error) {
	if s.kept != nil {
		return s.kept.send(ctx, func() (any, error) { return s.run(ctx, s.writes, c) })
	}
	return s.run(ctx, s.writes, c)
}

// acked is told of every commit before it is acknowledged.
func (s *Store) acked(resources.OrgID, string) {}
