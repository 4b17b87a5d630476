package backend

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// renewFile has a primary that is another one than before, or was started anew,
// write its append-only file anew, unless it has done so since it was started.
//
// A crash may leave a script's commands in the file in part. Redis up to 7, and
// Valkey before August 2026, then cut off the last of them only (aof-load-truncated):
// what is left is not executed at that start, but it is at the next one, as a part
// of whatever was appended first. A file that is written anew has none of it.
//
// Whoever of several nodes comes first asks for it.
func (s *Store) renewFile(ctx context.Context, e epoch) {
	text, err := e.node.Info(ctx, "persistence", "server").Result()
	info := parseInfo(text)
	if err == nil && !strings.HasPrefix(e.id, info["run_id"]+" ") {
		return // another one by now, which the next look sees
	}
	if err == nil {
		if info["aof_enabled"] != "1" || info["aof_last_rewrite_time_sec"] != "-1" || info["aof_rewrite_in_progress"] == "1" || info["aof_rewrite_scheduled"] == "1" {
			return
		}
		err = e.node.Do(ctx, "BGREWRITEAOF").Err()
	}
	switch {
	case err == nil:
		s.cfg.Log.InfoContext(ctx, "a primary writes its append-only file anew: a crash before its start may have left a part of a write there", "server", e.address)
	case redis.HasErrorPrefix(err, "ERR Background"): // another node has asked
	default:
		s.cfg.Log.WarnContext(ctx, "the append-only file of a primary may hold a part of a write that a crash has left, which its next start would execute",
			"server", e.address, "err", err, "remedy", "run BGREWRITEAOF there now; give usher's user +bgrewriteaof")
	}
}
