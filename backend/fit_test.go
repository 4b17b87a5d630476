package backend

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// TestChecks: each setting that matters, by what a server says of itself.
func TestChecks(t *testing.T) {
	fsync := &Store{cfg: Config{Durability: DurabilityFsync}.withDefaults()}
	two := &Store{cfg: Config{Durability: DurabilityReplicated, Replicas: 2}.withDefaults()}
	lax := &Store{cfg: Config{Durability: DurabilityReplicated, AllowMissing: true, AllowEviction: true}.withDefaults()}
	local := &Store{cfg: Config{}.withDefaults()}
	info := func(pairs ...string) primary {
		sv := primary{info: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			sv.info[pairs[i]] = pairs[i+1]
		}
		sv.readReplicas()
		return sv
	}
	with := func(sv primary, change func(*primary)) primary { change(&sv); return sv }
	conf := func(pairs ...string) func(*primary) {
		return func(sv *primary) {
			sv.conf, sv.failover = map[string]string{}, true
			for i := 0; i < len(pairs); i += 2 {
				sv.conf[pairs[i]] = pairs[i+1]
			}
		}
	}
	replica := info("slave0", "ip=10.0.0.6,port=6379,state=online,offset=90,lag=1", "master_repl_offset", "100")
	for what, x := range map[string]struct {
		check func(*primary) Check
		sv    primary
		state CheckState
		says  string
	}{
		"replica":        {checkRole, info("role", "slave"), CheckFail, "redis+sentinel"},
		"sentinel":       {checkRole, info("redis_mode", "sentinel"), CheckFail, "redis+sentinel"},
		"denied":         {checkRights, primary{denied: []string{"SET"}}, CheckFail, "NOPERM"},
		"old":            {checkVersion, info("redis_version", "6.2.20"), CheckFail, "Redis 7 or Valkey 8"},
		"no version":     {checkVersion, info("redis_version", "unstable"), CheckFail, `"unstable"`},
		"early 7.0":      {checkVersion, info("redis_version", "7.0.4"), CheckWarn, "half done"},
		"7.0.15":         {checkVersion, info("redis_version", "7.0.15"), CheckOK, "7.0.15"},
		"early 7.2":      {checkVersion, info("redis_version", "7.2.4"), CheckWarn, "numbers"},
		"valkey":         {checkVersion, info("redis_version", "7.2.4", "valkey_version", "8.0.1"), CheckOK, "Valkey 8.0.1"},
		"evicts":         {local.checkEviction, info("maxmemory_policy", "allkeys-lru"), CheckFail, "allkeys-lru"},
		"may evict":      {lax.checkEviction, info("maxmemory_policy", "allkeys-lru"), CheckWarn, "allkeys-lru"},
		"no AOF":         {local.checkAOF, info("aof_enabled", "0"), CheckWarn, "appendonly"},
		"no AOF, fsync":  {fsync.checkAOF, info("aof_enabled", "0"), CheckFail, "appendonly"},
		"never synced":   {local.checkSync, with(info("aof_enabled", "1"), conf("appendfsync", "no")), CheckWarn, "appendfsync no"},
		"secret":         {local.checkSync, info("aof_enabled", "1"), CheckOK, "barred"},
		"secret, fsync":  {fsync.checkSync, info("aof_enabled", "1"), CheckFail, "+config|get"},
		"WAITAOF":        {fsync.checkSync, with(info("aof_enabled", "1"), func(sv *primary) { sv.waitAOF = true }), CheckOK, ""},
		"one of two":     {two.checkReplicas, replica, CheckFail, "durability_replicas 2"},
		"none, allowed":  {lax.checkReplicas, info(), CheckWarn, "0 follow"},
		"keeps up":       {checkLag, replica, CheckOK, ""},
		"silent":         {checkLag, info("slave0", "state=online,offset=1,lag=60"), CheckWarn, "60 s"},
		"behind":         {checkLag, info("slave0", "state=online,offset=0,lag=0", "master_repl_offset", "99999999"), CheckWarn, "99999999 bytes"},
		"not there yet":  {checkLag, info("slave0", "state=wait_bgsave,offset=0,lag=0"), CheckWarn, "0 of 1 replicas follow; the others are being copied"},
		"splits":         {checkSplit, with(replica, conf("min-replicas-to-write", "0")), CheckWarn, "min-replicas-to-write 0"},
		"does not split": {checkSplit, with(replica, conf("min-replicas-to-write", "1")), CheckOK, ""},
		"by INFO":        {checkSplit, with(replica, func(sv *primary) { sv.failover, sv.info = true, map[string]string{"min_slaves_good_slaves": "1"} }), CheckOK, ""},
		"disk":           {checkDisk, info("aof_last_write_status", "err"), CheckWarn, "MISCONF"},
		"full":           {checkMemory, info("maxmemory", "1000", "used_memory", "851"), CheckWarn, "maxmemory"},
	} {
		c := x.check(&x.sv)
		if c.State != x.state || !strings.Contains(c.Detail+" "+c.Remedy, x.says) {
			t.Errorf("%s: %+v, want %s and %q", what, c, x.state, x.says)
		}
		if c.State != CheckOK && (c.Remedy == "" || c.Name == "") {
			t.Errorf("%s: %+v has no remedy", what, c)
		}
	}
}

// TestWaitAOF: what WAITAOF answers, of a server that stands in for Redis 7.2.
func TestWaitAOF(t *testing.T) {
	for _, x := range []struct {
		name            string
		disks, replicas int
		want            error
	}{
		{"all", 1, 1, nil}, {"more", 1, 2, nil}, {"not the server's own disk", 0, 1, errShort}, {"not the replica's", 1, 0, errShort},
	} {
		m := miniredis.NewMiniRedis()
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
		var asked []string
		if err := m.Server().Register("WAITAOF", func(c *server.Peer, _ string, args []string) {
			asked = args
			c.WriteLen(2)
			c.WriteInt(x.disks)
			c.WriteInt(x.replicas)
		}); err != nil {
			t.Fatal(err)
		}
		client := redis.NewClient(&redis.Options{Addr: m.Addr(), Protocol: 2, MaxRetries: -1, DisableIdentity: true})
		a := newAssurance(1, true, 1500*time.Millisecond, touchLua)
		c := newCall(script{body: "return redis.call('INCR', KEYS[1])", sha: "unknown"}, 1)
		c.key("n:{o}")
		c.sent = 2
		reply, err := a.confirmed(context.Background(), client, c, false)
		if !errors.Is(err, x.want) || x.want == nil && (err != nil || reply != int64(1)) {
			t.Errorf("%s: %v, %v; want %v", x.name, reply, err, x.want)
		}
		if x.want != nil && !errors.Is(err, resources.ErrOutcomeUnknown) {
			t.Errorf("%s: %v is no unknown outcome", x.name, err)
		}
		if strings.Join(asked, " ") != "1 1 1500" {
			t.Errorf("%s: WAITAOF %v", x.name, asked)
		}
		if m.Exists("wt:{o}") {
			t.Errorf("%s: the small write left something", x.name)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		m.Close()
	}
}
