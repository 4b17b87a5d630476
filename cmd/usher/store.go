package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/internal/journal"
)

// storeConfig says where the configured store is, for the server and for the
// commands that work on the store itself (fsck, backup, restore).
func storeConfig(cfg *config.Loaded, log *slog.Logger) backend.Config {
	return backend.Config{
		URL: string(cfg.Redis.URL), DataDir: cfg.DataDir, Now: time.Now, Rand: rand.Reader, Log: log, AllowEviction: cfg.Redis.AllowEviction,
		Durability: backend.Durability(cfg.Durability), Replicas: cfg.DurabilityReplicas, Wait: cfg.DurabilityWait, AllowMissing: cfg.DurabilityAllowMissing,
	}
}

// openStore opens it; an error tells what to do.
func openStore(ctx context.Context, cfg backend.Config) (*backend.Store, error) {
	store, err := backend.Open(ctx, cfg)
	if err == nil {
		return store, nil
	}
	return nil, &failure{exit: exitUnavailable, what: "cannot open the store", why: err, todo: storeRemedy(cfg, err)}
}

// storeRemedy tells what to do about a store that does not open; "" when the error
// says it already.
func storeRemedy(cfg backend.Config, err error) string {
	if _, unfit := errors.AsType[*backend.Unfit](err); unfit {
		return ""
	}
	if _, damaged := errors.AsType[*journal.DamageError](err); damaged {
		return ""
	}
	switch text := err.Error(); {
	case cfg.URL == "":
		return "see that usher may write to the data directory and that no other usher uses it, or choose another one with --data-dir"
	case strings.Contains(text, "NOPERM"):
		return "give usher's user in Redis the commands and keys that it needs: " + backend.NeededRights
	case strings.Contains(text, "all sentinels"):
		return "see that the Sentinels of redis.url run, and that they know a primary by the name behind the slash"
	}
	return "see that Redis runs and that redis.url and redis.password are right"
}

// scrub walks all claims once and tells of those that were left behind. It always
// says that nothing is left to do: the next walk comes after a while.
func (s *service) scrub(ctx context.Context) (int, error) {
	faults, watched, err := s.store.ScrubReserved(ctx)
	if len(faults) > 0 || watched > 0 {
		s.log.InfoContext(ctx, "claims left behind", "ended", len(faults), "watched", watched)
	}
	return 0, err
}
