package backend

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	lagTime   = 5        // seconds without a word from a replica that are too many
	lagBytes  = 16 << 20 // that a replica may be behind
	fullShare = 85       // per cent of maxmemory from which on room is short
)

func good(name, detail string, args ...any) Check {
	return Check{Name: name, State: CheckOK, Detail: fmt.Sprintf(detail, args...)}
}

func checkRole(sv *primary) Check {
	const name = "role"
	if sv.info["redis_mode"] == "sentinel" {
		return Check{
			Name: name, State: CheckFail,
			Detail: "the server is a Sentinel: it keeps nothing",
			Remedy: "write redis.url as redis+sentinel://host:port/name, with the name that it has for the primary",
		}
	}
	if role := sv.info["role"]; role != "" && role != "master" {
		return Check{
			Name: name, State: CheckFail,
			Detail: "the server is a replica (role " + role + "): it refuses every write",
			Remedy: "give usher the address of the primary, or those of the Sentinels (redis+sentinel://host:port/name), which know it",
		}
	}
	return good(name, "the server takes writes")
}

// NeededRights is what usher's user in Redis needs, as ACL SETUSER takes it.
const NeededRights = "~* +@all -@dangerous +info +bgrewriteaof +cluster|slots"

// checkRights sees whether usher's user may do what usher does.
func checkRights(sv *primary) Check {
	const name = "permissions"
	if len(sv.denied) == 0 {
		return good(name, "usher's user may read and write usher's keys")
	}
	return Check{
		Name: name, State: CheckFail,
		Detail: "the server does not let usher's user do " + strings.Join(sv.denied, ", ") + " on usher's keys (NOPERM)",
		Remedy: "give it " + NeededRights + " (ACL SETUSER)",
	}
}

// checkVersion knows the faults of servers that concern usher, from their release
// notes.
func checkVersion(sv *primary) Check {
	const name = "version"
	version, what := sv.info["redis_version"], "Redis"
	if v := sv.info["valkey_version"]; v != "" {
		version, what = v, "Valkey"
	}
	n := versionOf(version)
	c := Check{Name: name, State: CheckWarn, Remedy: "upgrade the server"}
	switch {
	case n < versionOf("7.0.0"):
		c.State, c.Detail = CheckFail, fmt.Sprintf("the server is version %q; Redis 7 or Valkey 8 or newer is needed", version)
		c.Remedy = "upgrade the server"
	case what == "Valkey":
		return good(name, "Valkey %s", version)
	case n < versionOf("7.0.5"):
		c.Detail = "Redis " + version + " can leave a write half done when replicas are missing (before 7.0.3), and has faults in XAUTOCLAIM and in the rewriting of the append-only file (before 7.0.5)"
	case n >= versionOf("7.2.0") && n < versionOf("7.2.5"):
		c.Detail = "Redis " + version + " can mistake numbers that scripts write (7.2.0 to 7.2.4)"
	default:
		return good(name, "Redis %s", version)
	}
	return c
}

// versionOf makes versions comparable; what is no version comes before all.
func versionOf(text string) int {
	n := 0
	parts := strings.SplitN(text, ".", 3)
	for i := range 3 {
		n *= 1000
		if i < len(parts) {
			v, err := strconv.Atoi(parts[i])
			if err != nil {
				return 0
			}
			n += min(v, 999)
		}
	}
	return n
}

func (s *Store) checkEviction(sv *primary) Check {
	const name = "eviction"
	p := sv.info["maxmemory_policy"]
	if p == "noeviction" || p == "" {
		return good(name, "the server never throws keys away (maxmemory-policy noeviction)")
	}
	c := Check{
		Name: name, State: CheckFail,
		Detail: "the server throws keys away when memory is short (maxmemory-policy " + p + ")",
		Remedy: "set it to noeviction, or allow eviction in the configuration (redis.allow_eviction) and accept losing data",
	}
	if s.cfg.AllowEviction {
		c.State = CheckWarn
	}
	return c
}

func (s *Store) checkAOF(sv *primary) Check {
	const name = "append-only file"
	if sv.info["aof_enabled"] == "1" {
		return good(name, "the server keeps an append-only file")
	}
	c := Check{
		Name: name, State: CheckWarn,
		Detail: "the server keeps no append-only file (appendonly no): a crash of it loses what was written since its last snapshot",
		Remedy: "set appendonly yes",
	}
	if s.cfg.Durability == DurabilityFsync {
		c.State = CheckFail
		c.Remedy += ", which durability fsync needs, or choose another durability"
	}
	return c
}

// checkSync looks at how often the append-only file is synced.
func (s *Store) checkSync(sv *primary) Check {
	const name = "appendfsync"
	policy, known := sv.conf["appendfsync"]
	if sv.info["aof_enabled"] != "1" {
		return Check{}
	}
	if s.cfg.Durability == DurabilityFsync && !sv.waitAOF && policy != "always" {
		c := Check{
			Name: name, State: CheckFail,
			Detail: "durability fsync cannot be kept: the server has no WAITAOF (it came with Redis 7.2) and appendfsync is " + policy,
			Remedy: "set appendfsync always, or upgrade the server, or choose another durability",
		}
		if !known {
			c.Detail = "durability fsync cannot be kept: the server has no WAITAOF (it came with Redis 7.2), and does not tell its appendfsync"
			c.Remedy = "let usher's user read it (+config|get), with appendfsync always, or upgrade the server, or choose another durability"
		}
		return c
	}
	switch policy {
	case "no":
		return Check{
			Name: name, State: CheckWarn,
			Detail: "the append-only file is synced whenever the system likes (appendfsync no): a power cut loses what was written in the last half minute or so",
			Remedy: "set appendfsync everysec, or always",
		}
	case "always":
		return good(name, "the append-only file is synced before every answer (appendfsync always)")
	case "everysec":
		return good(name, "the append-only file is synced every second (appendfsync everysec): a power cut loses up to two")
	}
	return good(name, "the server does not tell its appendfsync; CONFIG is barred")
}

// checkReplicas sees whether there are as many as writes are to wait for.
func (s *Store) checkReplicas(sv *primary) Check {
	const name = "replicas"
	n := sv.online()
	if s.cfg.Durability == DurabilityReplicated && n > s.cfg.Replicas && sv.failover {
		return Check{
			Name: name, State: CheckWarn,
			Detail: fmt.Sprintf("%d replicas follow and writes wait for %d (durability_replicas): one that has not received a write may be promoted, and in a planned failover the others go on confirming to the old primary", n, s.cfg.Replicas),
			Remedy: fmt.Sprintf("set durability_replicas %d", n),
		}
	}
	if s.cfg.Durability != DurabilityReplicated || n >= s.cfg.Replicas {
		return good(name, "replicas that follow: %d", n)
	}
	c := Check{
		Name: name, State: CheckFail,
		Detail: fmt.Sprintf("durability replicated waits for replicas (durability_replicas %d), and %d follow this server: every write would be answered 503", s.cfg.Replicas, n),
		Remedy: "attach replicas, or choose durability local or fsync, or set durability_allow_missing to start all the same",
	}
	if s.cfg.AllowMissing {
		c.State, c.Remedy = CheckWarn, "attach replicas"
	}
	return c
}

func checkLag(sv *primary) Check {
	const name = "replica lag"
	if len(sv.replicas) == 0 {
		return Check{}
	}
	var worst replica
	for _, r := range sv.replicas {
		worst.lag, worst.behind = max(worst.lag, r.lag), max(worst.behind, r.behind)
	}
	if worst.lag <= lagTime && worst.behind <= lagBytes && sv.online() == len(sv.replicas) {
		return good(name, "the replicas keep up")
	}
	if n := sv.online(); n < len(sv.replicas) {
		return Check{
			Name: name, State: CheckWarn,
			Detail: fmt.Sprintf("%d of %d replicas follow; the others are being copied to, and a failover to one of those loses what it has not", n, len(sv.replicas)),
			Remedy: "wait a moment and look again; if it stays so, see to the replica's log and its network",
		}
	}
	return Check{
		Name: name, State: CheckWarn,
		Detail: fmt.Sprintf("%d of %d replicas follow; the slowest is %d s and %d bytes behind: a failover to it loses that much", sv.online(), len(sv.replicas), worst.lag, worst.behind),
		Remedy: "see to the replica and its network; durability replicated keeps acknowledged writes from being lost",
	}
}

// checkSplit warns of a primary that goes on taking writes when it is cut off
// from those that promote another.
func checkSplit(sv *primary) Check {
	const name = "min-replicas-to-write"
	if !sv.failover || len(sv.replicas) == 0 {
		return Check{}
	}
	n, known := sv.conf["min-replicas-to-write"]
	if !known { // INFO has this line only when the setting is not 0
		n = "0"
		if _, set := sv.info["min_slaves_good_slaves"]; set {
			n = "more than 0"
		}
	}
	if n != "0" {
		return good(name, "a primary without replicas stops taking writes (min-replicas-to-write %s)", n)
	}
	return Check{
		Name: name, State: CheckWarn,
		Detail: "a primary that is cut off goes on taking writes until its replica's promotion reaches it (min-replicas-to-write 0), and loses them",
		Remedy: "set min-replicas-to-write 1 and min-replicas-max-lag 5 on all servers",
	}
}

// checkDisk looks at what the server last said about its files.
func checkDisk(sv *primary) Check {
	const name = "disk"
	for _, field := range []string{"aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"} {
		if v := sv.info[field]; v != "" && v != "ok" {
			return Check{
				Name: name, State: CheckWarn,
				Detail: "the server could not write its files (" + field + " " + v + "): it may refuse writes (MISCONF), and what it holds may not survive it",
				Remedy: "see to the server's disk and log",
			}
		}
	}
	return good(name, "the server writes its files")
}

func checkMemory(sv *primary) Check {
	const name = "memory"
	most, used := figure(sv.info["maxmemory"]), figure(sv.info["used_memory"])
	if most <= 0 || used*100 < most*fullShare {
		return good(name, "the server uses %d MiB", used>>20)
	}
	return Check{
		Name: name, State: CheckWarn,
		Detail: fmt.Sprintf("the server uses %d of %d MiB (maxmemory): when it is full, only what frees room is done, everything else is answered 503", used>>20, most>>20),
		Remedy: "raise maxmemory, or give the server more room",
	}
}
