package backend_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
)

// aboutPlaces are the checks of pools, lines and what is due. They do not count
// the runs of their closures.
func aboutPlaces() []conformance.StoreCheck {
	var out []conformance.StoreCheck
	for _, check := range conformance.StoreChecks() {
		for _, prefix := range []string{"pool-", "line-", "due-", "disband-"} {
			if strings.HasPrefix(check.Name, prefix) && !strings.HasSuffix(check.Name, "-nonsense") {
				out = append(out, check)
			}
		}
	}
	return out
}

// TestPlacesWithLostReplies runs the checks through a network that loses
// requests and answers: every commit counts once, whatever happens to it.
func TestPlacesWithLostReplies(t *testing.T) {
	for i, check := range aboutPlaces() {
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s, proxy, _ := behindWith(t, backend.Config{Now: c.now})
			env := envOf(s, c, fmt.Sprintf("harm%do", i))
			// A commit names two of these at most: it is sent four times at most.
			for n := range 30 {
				proxy.SwallowReplies(fmt.Sprintf("\r\nw%02d\r\n", n), 2)
				proxy.SwallowReplies(fmt.Sprintf("\r\nh%02d\r\n", n), 1)
				proxy.CutRequests(fmt.Sprintf("\r\nh%d\r\n", n), 1)
				proxy.CutRequests(fmt.Sprintf("\r\nn%d\r\n", n), 1)
			}
			proxy.SwallowReplies(fmt.Sprintf("at:{harm%do", i), 1)
			proxy.SwallowReplies(fmt.Sprintf("tr:{harm%do", i), 2)
			if err := check.Run(context.Background(), env); err != nil {
				t.Fatalf("%s: %v", check.Source, err)
			}
			if proxy.Harmed() == 0 {
				t.Error("nothing was harmed")
			}
			audit(t, s, env.Org())
		})
	}
}

// TestPlacesTwice runs the checks with every closure run in vain first.
func TestPlacesTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		for i, check := range aboutPlaces() {
			t.Run(check.Name, func(t *testing.T) {
				c := newClock()
				s := open(t, backend.Config{URL: url, Now: c.now})
				env := envOf(s, c, fmt.Sprintf("twice%do", i))
				env.Store = conformance.Twice(s)
				if err := check.Run(context.Background(), env); err != nil {
					t.Fatalf("%s: %v", check.Source, err)
				}
			})
		}
	})
}
