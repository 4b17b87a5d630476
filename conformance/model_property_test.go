package conformance_test

import (
	"flag"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
)

// How much of the property test runs: a taste by default, all of it in CI.
const (
	stepsShort = 1_500   // operations per store; each makes one to four requests
	stepsCI    = 100_000 // operations on the real store
	longShort  = 15      // operations of one history, on average
	longCI     = 100
	shards     = 4 // histories at a time
)

// tick is a clock that moves a millisecond each time it is read, so that times
// order what happened.
func tick() func() time.Time {
	start := time.Now().UTC().Truncate(time.Millisecond)
	var n atomic.Int64
	return func() time.Time { return start.Add(time.Duration(n.Add(1)) * time.Millisecond) }
}

// TestModel plays random histories over HTTP against the server and the model
// and compares every answer.
func TestModel(t *testing.T) {
	for store, url := range stores(t) {
		t.Run(store, func(t *testing.T) {
			playHistories(t, store, url)
		})
	}
}

func playHistories(t *testing.T, store, url string) {
	steps, long := stepsShort, longShort
	if store == "redis" && os.Getenv("CI") != "" {
		steps, long = stepsCI, longCI
	}
	setFlag(t, "rapid.steps", long)
	setFlag(t, "rapid.checks", 10) // histories between two looks at the count
	setFlag(t, "rapid.nofailfile", 1)
	began, done, requests := time.Now(), &atomic.Int64{}, &atomic.Int64{}
	w := newWorld(t, url, tick())
	domains := &atomic.Int64{}
	t.Run("histories", func(t *testing.T) {
		for shard := range shards {
			t.Run(strconv.Itoa(shard), func(t *testing.T) {
				t.Parallel()
				for done.Load() < int64(steps) && !t.Failed() {
					rapid.Check(t, func(rt *rapid.T) { history(t, rt, w, domains, done, requests) })
				}
			})
		}
	})
	t.Logf("%d operations, %d requests, compared with the model in %v", done.Load(), requests.Load(), time.Since(began).Round(time.Millisecond))
	if done.Load() < int64(steps) && !t.Failed() {
		t.Errorf("only %d of %d operations ran", done.Load(), steps)
	}
}

func setFlag(t *testing.T, name string, value int) {
	t.Helper()
	if err := flag.Set(name, strconv.Itoa(value)); err != nil {
		t.Fatal(err)
	}
}

// history is one random sequence of acts on two fresh organizations.
func history(t *testing.T, rt *rapid.T, w *world, domains, done, requests *atomic.Int64) {
	r := &run{rt: rt, ctx: t.Context(), world: w, pools: newPools("m" + strconv.FormatInt(domains.Add(1), 10) + ".example")}
	profile := pick(rt, "profile", []resources.Profile{resources.ProfileRFC, resources.ProfileRFC, resources.ProfileEntra})
	for range 2 {
		o, err := w.newOrg(t.Context(), profile)
		if err != nil {
			rt.Fatal(err)
		}
		r.tenants = append(r.tenants, &tenant{org: o, entra: profile == resources.ProfileEntra})
	}
	defer func() { requests.Add(int64(r.requests)) }()
	act := func(f func(bool), group bool) func(*rapid.T) {
		return func(rt *rapid.T) {
			r.rt = rt
			f(group) // it skips when there is nothing to do it to
			done.Add(1)
		}
	}
	rt.Repeat(map[string]func(*rapid.T){
		"create user": act(r.create, false), "create user again": act(r.create, false), "create group": act(r.create, true),
		"put user": act(r.put, false), "put group": act(r.put, true),
		"patch user": act(r.patch, false), "patch user again": act(r.patch, false),
		"patch group": act(r.patch, true), "patch group again": act(r.patch, true),
		"delete user": act(r.remove, false), "delete group": act(r.remove, true),
		"read user": act(r.read, false), "read group": act(r.read, true),
		"list users": act(r.list, false), "list users again": act(r.list, false), "list groups": act(r.list, true),
	})
	r.rt = rt
	r.finish()
}
