package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Check is one thing that was looked at before the store is trusted.
type Check struct {
	Name   string     `json:"check"`            // eviction, version, append-only file …
	Server string     `json:"server,omitempty"` // host:port; "" for the embedded store
	State  CheckState `json:"state"`
	Detail string     `json:"detail"`           // what is so, by the name of its setting, and what it means
	Remedy string     `json:"remedy,omitempty"` // what to do; "" when nothing is
}

// CheckState says what a [Check] came to.
type CheckState string

// The states of a check. A store with a failed one is not opened.
const (
	CheckOK   CheckState = "ok"
	CheckWarn CheckState = "warn"
	CheckFail CheckState = "fail"
)

// Examine opens the store as [Open] does and tells everything that it looks at,
// also when the store is not fit. The error says that it could not look.
func Examine(ctx context.Context, cfg Config) ([]Check, error) {
	var list []Check
	dir := cfg.DataDir
	cfg.examined, cfg.DataDir = &list, "" // a data directory may be in use
	s, err := Open(ctx, cfg)
	if err != nil {
		return list, err
	}
	if cfg.URL == "" && dir != "" {
		list = append(list, checkDirectory(dir))
	}
	return list, s.Close()
}

// primary is one primary as it tells of itself.
type primary struct {
	address  string
	info     map[string]string
	conf     map[string]string // CONFIG GET; nil where CONFIG is barred
	waitAOF  bool
	denied   []string // what usher's user may not do there
	replicas []replica
	failover bool // somebody promotes a replica when this server is gone
}

// replica is one line about a replica in INFO.
type replica struct {
	online bool
	lag    int64 // seconds since it has last confirmed anything
	behind int64 // bytes
}

// fitness looks at every primary, and makes sure of writes as Config.Durability
// asks if all of them are fit for it.
func (s *Store) fitness(ctx context.Context) error {
	servers, checks, err := s.examine(ctx)
	if s.cfg.examined != nil {
		*s.cfg.examined = checks
	}
	if err != nil || s.cfg.examined != nil {
		return err
	}
	var faults []error
	for _, c := range checks {
		switch c.State {
		case CheckFail:
			faults = append(faults, fmt.Errorf("backend: %s: %s; %s", c.Server, c.Detail, c.Remedy))
		case CheckWarn:
			s.cfg.Log.WarnContext(ctx, "the server could be better prepared", "check", c.Name, "server", c.Server, "finding", c.Detail, "remedy", c.Remedy)
		}
	}
	if len(faults) == 0 {
		s.assure(servers)
	}
	if len(faults) > 0 {
		return &Unfit{errors.Join(faults...)}
	}
	return nil
}

// Unfit says why a store that answers is not opened, and what to do: a line for
// each failed [Check].
type Unfit struct{ faults error }

// Error gives the lines.
func (u *Unfit) Error() string { return u.faults.Error() }

// assure makes writes wait as long as the configuration asks.
func (s *Store) assure(servers []primary) {
	replicas, aof := 0, true
	for i, sv := range servers {
		if n := sv.online(); i == 0 || n < replicas {
			replicas = n
		}
		aof = aof && sv.waitAOF
	}
	switch s.cfg.Durability {
	case DurabilityReplicated:
		s.sure = newAssurance(s.cfg.Replicas, false, s.cfg.Wait, s.scripts.touch.body)
	case DurabilityFsync:
		// An append-only file that is synced always is so before the answer, so
		// that without replicas nothing is left to wait for.
		if replicas = min(replicas, s.cfg.Replicas); aof || replicas > 0 {
			s.sure = newAssurance(replicas, aof, s.cfg.Wait, s.scripts.touch.body)
		}
	}
}

// examine asks every primary about itself.
func (s *Store) examine(ctx context.Context) ([]primary, []Check, error) {
	if s.embedded != nil {
		return nil, []Check{{Name: "server", State: CheckOK, Detail: "the embedded store needs none"}}, nil
	}
	nodes, err := primaries(ctx, s.reads)
	if err != nil {
		return nil, nil, explain(ctx, "list the servers", err)
	}
	var servers []primary
	var checks []Check
	for _, node := range nodes {
		sv, err := s.interview(ctx, node)
		if err != nil {
			return nil, checks, explain(ctx, "read INFO", err)
		}
		servers = append(servers, sv)
		for _, check := range []func(*primary) Check{
			checkRole, checkRights, checkVersion, s.checkEviction, s.checkAOF, s.checkSync, s.checkReplicas, checkLag, checkSplit, checkDisk, checkMemory,
		} {
			if c := check(&sv); c.Name != "" {
				c.Server = sv.address
				checks = append(checks, c)
			}
		}
	}
	return servers, checks, nil
}

func (s *Store) interview(ctx context.Context, node *redis.Client) (primary, error) {
	text, err := node.Info(ctx).Result()
	if err != nil {
		return primary{}, err
	}
	_, cluster := s.reads.(*redis.ClusterClient)
	sv := primary{
		info:     parseInfo(text),
		failover: cluster || strings.Contains(s.cfg.URL, "+sentinel://"),
	}
	sv.address = shownAddress(node, sv.info)
	// Managed servers bar CONFIG, and say so in many ways: then INFO is all there is.
	conf, err := node.Do(ctx, "CONFIG", "GET", "appendfsync", "min-replicas-to-write", "min-replicas-max-lag").Slice()
	if err == nil {
		sv.conf = map[string]string{}
		for i := 0; i+1 < len(conf); i += 2 {
			sv.conf[fmt.Sprint(conf[i])] = fmt.Sprint(conf[i+1])
		}
	} else if lost(err) {
		return primary{}, err
	}
	err = node.Do(ctx, "WAITAOF", 0, 0, 1).Err()
	if err != nil && lost(err) {
		return primary{}, err
	}
	sv.waitAOF = err == nil
	if sv.denied, err = denied(ctx, node); err != nil {
		return primary{}, err
	}
	sv.readReplicas()
	return sv, nil
}

// shownAddress is where a server is, as people know it: behind Sentinels the client
// has no address of its own.
func shownAddress(node *redis.Client, info map[string]string) string {
	if port := info["tcp_port"]; node.Options().Addr == "FailoverClient" && port != "" {
		return "primary at port " + port
	}
	return node.Options().Addr
}

// denied finds out which commands the server does not let usher's user do on keys
// of usher's. The key is never there, and none of the commands makes it.
func denied(ctx context.Context, node *redis.Client) ([]string, error) {
	const key = "o:{platform}:doctor"
	pipe := node.Pipeline()
	for _, c := range [][]any{
		{"GET", key},
		{"HGETALL", key},
		{"ZRANGE", key, 0, 0},
		{"XLEN", key},
		{"EVAL", "return 0", 1, key},
		{"SET", key, "", "XX"},
		{"HDEL", key, "f"},
		{"ZADD", key, "XX", 0, "m"},
		{"SREM", key, "m"},
		{"XADD", key, "NOMKSTREAM", "*", "f", ""},
		{"PEXPIRE", key, 1},
		{"DEL", key},
	} {
		pipe.Do(ctx, c...)
	}
	cmds, err := pipe.Exec(ctx)
	if err != nil && lost(err) {
		return nil, err
	}
	var out []string
	for _, c := range cmds {
		if err := c.Err(); err != nil && strings.HasPrefix(err.Error(), "NOPERM") {
			out = append(out, strings.ToUpper(c.Name()))
		}
	}
	return out, nil
}

// readReplicas reads the lines of INFO about replicas.
func (sv *primary) readReplicas() {
	end := figure(sv.info["master_repl_offset"])
	for i := 0; ; i++ {
		line, ok := sv.info["slave"+strconv.Itoa(i)]
		if !ok {
			return
		}
		fields := map[string]string{}
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(part, "=")
			fields[name] = value
		}
		sv.replicas = append(sv.replicas, replica{
			online: fields["state"] == "online", lag: figure(fields["lag"]), behind: max(end-figure(fields["offset"]), 0),
		})
	}
}

// online counts the replicas that follow.
func (sv *primary) online() int {
	n := 0
	for _, r := range sv.replicas {
		if r.online {
			n++
		}
	}
	return n
}

func figure(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// parseInfo reads the lines of INFO.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}
