package redistest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Dump reads every key of a server as text, one element a line; what has no order
// of its own comes sorted.
func Dump(tb testing.TB, client redis.UniversalClient) map[string]string {
	tb.Helper()
	ctx := context.Background()
	var names []string
	collect := func(ctx context.Context, c *redis.Client) {
		iter := c.Scan(ctx, 0, "*", 1000).Iterator()
		for iter.Next(ctx) {
			names = append(names, iter.Val())
		}
		if err := iter.Err(); err != nil {
			tb.Fatalf("dump: %v", err)
		}
	}
	switch c := client.(type) {
	case *redis.ClusterClient:
		for _, slot := range clusterMasters(ctx, tb, c) {
			collect(ctx, slot)
		}
	case *redis.Client:
		collect(ctx, c)
	default:
		tb.Fatalf("dump: a client of the type %T", client)
	}
	out := map[string]string{}
	for _, name := range names {
		out[name] = dumpKey(ctx, tb, client, name)
	}
	return out
}

func clusterMasters(ctx context.Context, tb testing.TB, c *redis.ClusterClient) []*redis.Client {
	tb.Helper()
	found := make(chan *redis.Client, 100)
	err := c.ForEachMaster(ctx, func(_ context.Context, one *redis.Client) error {
		found <- one
		return nil
	})
	if err != nil {
		tb.Fatalf("dump: %v", err)
	}
	close(found)
	var out []*redis.Client
	for one := range found {
		out = append(out, one)
	}
	return out
}

func dumpKey(ctx context.Context, tb testing.TB, client redis.UniversalClient, name string) string {
	tb.Helper()
	kind, err := client.Type(ctx, name).Result()
	if err != nil {
		tb.Fatalf("dump %s: %v", name, err)
	}
	var lines []string
	switch kind {
	case "string":
		text, e := client.Get(ctx, name).Result()
		lines, err = []string{text}, e
	case "hash":
		all, e := client.HGetAll(ctx, name).Result()
		for f, v := range all {
			lines = append(lines, f+"\x00"+v)
		}
		err = e
	case "set":
		lines, err = client.SMembers(ctx, name).Result()
	case "zset":
		all, e := client.ZRangeWithScores(ctx, name, 0, -1).Result()
		for _, z := range all {
			lines = append(lines, fmt.Sprint(z.Member)+"\x00"+strconv.FormatFloat(z.Score, 'f', -1, 64))
		}
		err = e
	case "stream":
		all, e := client.XRange(ctx, name, "-", "+").Result()
		for _, m := range all {
			lines = append(lines, m.ID+"\x00"+fmt.Sprint(m.Values))
		}
		err = e
	}
	if err != nil {
		tb.Fatalf("dump %s: %v", name, err)
	}
	slices.Sort(lines)
	return kind + "\n" + strings.Join(lines, "\n")
}
