package backend

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// renewFile has a primary that was started anew write its append-only file anew.
//
// A crash may leave a script's commands in the file in part. Redis up to 7, and
// Valkey before August 2026, then cut off the last of them only (aof-load-truncated):
// what is left is not executed at that start, but it is at the next one, as a part
// of whatever was appended first. A file that is written anew has none of it.
//
// It is asked for once in the life of a server, whoever of several nodes comes
// first; a server that has written its file anew since it was started needs no more.
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
		s.cfg.Log.InfoContext(ctx, "the server writes its append-only file anew, as it was started anew", "server", e.address)
	case redis.HasErrorPrefix(err, "ERR Background"): // another node has asked
	default:
		s.cfg.Log.WarnContext(ctx, "the append-only file of a server that was started anew may end in a part of a write, which its next start would execute",
			"server", e.address, "err", err, "remedy", "run BGREWRITEAOF there now; give usher's user +bgrewriteaof")
	}
}
