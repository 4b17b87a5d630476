package config

import "time"

// Bounds of what writes may wait for.
const (
	mostReplicas = 5
	shortestWait = 10 * time.Millisecond
	longestWait  = 2 * time.Second
)

func (l *loading) checkDurability(bad func(key, reason string, args ...any)) {
	switch l.Durability {
	case DurabilityLocal, DurabilityReplicated, DurabilityFsync:
	default:
		bad("durability", "%q is not local, replicated or fsync", l.Durability)
	}
	if l.Durability == DurabilityReplicated && l.Redis.URL == "" {
		bad("durability", "replicated needs a Redis server with replicas, and there is no redis.url; set it, or choose local or fsync")
	}
	if l.Durability == DurabilityFsync && l.Redis.URL == "" && l.DataDir == "" {
		bad("durability", "fsync needs a disk: set data_dir or redis.url, or choose local")
	}
	if l.DurabilityReplicas < 1 || l.DurabilityReplicas > mostReplicas {
		bad("durability_replicas", "%d is not between 1 and %d", l.DurabilityReplicas, mostReplicas)
	}
	if l.DurabilityWait < shortestWait || l.DurabilityWait > longestWait {
		bad("durability_wait", "%s is not between %s and %s", l.DurabilityWait, shortestWait, longestWait)
	}
}
