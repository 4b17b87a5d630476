package config

import (
	"strings"
	"testing"
	"time"
)

func TestDurability(t *testing.T) {
	for _, x := range []struct {
		name string
		env  map[string]string
		want string // of the fault; "" for none
	}{
		{"local", map[string]string{"USHER_DURABILITY": "local"}, ""},
		{"replicated", map[string]string{"USHER_DURABILITY": "replicated", "USHER_REDIS_URL": "redis://h:1/0"}, ""},
		{"fsync", map[string]string{"USHER_DURABILITY": "fsync", "USHER_REDIS_URL": "redis://h:1/0", "USHER_DURABILITY_WAIT": "250ms"}, ""},
		{"fsync of the usual data directory", map[string]string{"USHER_DURABILITY": "fsync"}, ""},
		{"fsync of the data directory", map[string]string{"USHER_DURABILITY": "fsync", "USHER_DATA_DIR": "/var/lib/usher"}, ""},
		{"unknown", map[string]string{"USHER_DURABILITY": "eventual"}, `durability (variable USHER_DURABILITY): "eventual" is not local, replicated or fsync`},
		{"no server", map[string]string{"USHER_DURABILITY": "replicated"}, "there is no redis.url"},
		{"no disk", map[string]string{"USHER_DURABILITY": "fsync", "USHER_DATA_DIR": "off"}, "set data_dir or redis.url"},
		{"no replicas", map[string]string{"USHER_DURABILITY_REPLICAS": "0"}, "0 is not between 1 and 5"},
		{"too patient", map[string]string{"USHER_DURABILITY_WAIT": "1m"}, "1m0s is not between 10ms and 2s"},
		{"no time", map[string]string{"USHER_DURABILITY_WAIT": "soon"}, `"soon" does not fit`},
	} {
		l, err := Load(Input{File: write(t, "usher.yaml", "listen: 127.0.0.1:0\n"), Env: x.env})
		if x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
		if x.name == "fsync" && l.DurabilityWait != 250*time.Millisecond {
			t.Errorf("the wait is %s", l.DurabilityWait)
		}
	}
	l, err := Load(Input{File: write(t, "usher.yaml", "durability: replicated\ndurability_wait: 2s\ndurability_replicas: 2\nredis:\n  url: redis://h:1/0\n")})
	if err != nil || l.Durability != DurabilityReplicated || l.DurabilityWait != 2*time.Second || l.DurabilityReplicas != 2 {
		t.Errorf("a file: %+v, %v", l.Config, err)
	}
}
