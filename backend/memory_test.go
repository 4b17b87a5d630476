package backend_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestMemory holds the memory target (redis T9): what a user takes in Redis
// with all indexes, claim, event and attempt, over its JSON.
func TestMemory(t *testing.T) {
	const n, most = 20_000, 2.1
	if testing.Short() {
		t.Log("this measures 20 000 users; -short measures none")
		return
	}
	f := staffed(t, 0)
	c := redistest.Client(t, f.url)
	used := func() int {
		text, err := c.Info(context.Background(), "memory").Result()
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(text, "used_memory_dataset:")
		line, _, _ := strings.Cut(rest, "\r\n")
		v, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before, json, record := used(), 0, 0
	for i := range n {
		u, entries := enterprise(t, i)
		json += len(u.Profile)
		hire(t, f.s, u, entries)
		if i%1000 == 0 {
			size, err := c.MemoryUsage(context.Background(), "u:{bench}:"+u.ID).Result()
			if err != nil {
				t.Fatal(err)
			}
			record += int(size)
		}
	}
	per := (used() - before) / n
	ratio := float64(per) / float64(json/n)
	t.Logf("%d bytes of JSON take %d bytes in Redis, ratio %.2f; the record alone %d", json/n, per, ratio, record/(n/1000))
	if ratio > most {
		t.Errorf("a user takes %.2f times its JSON, at most %.1f is allowed", ratio, most)
	}
}
