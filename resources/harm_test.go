package resources_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
)

// underHarm runs a test on a real Redis behind a proxy that swallows the reply to
// one in odds of the commits that carry an event whose name begins so, each time
// the test calls harm. Losing none fails.
func underHarm(t *testing.T, event string, odds int, run func(t *testing.T, b *bundle, harm func())) {
	server := redistest.Run(t, redistest.Config{})
	proxy, err := conformance.NewProxy(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, newBundle(t, strings.Replace(server.URL, server.Addr, proxy.Addr(), 1)), func() {
		if rand.IntN(odds) == 0 {
			proxy.SwallowReplies(event, 1)
		}
	})
	if proxy.Harmed() == 0 {
		t.Error("no reply was lost")
	}
}
