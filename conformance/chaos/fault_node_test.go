package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// drained: one of two nodes is asked to end, and started again, while clients go
// to whichever says that it is ready.
func drained() *scenario {
	return &scenario{
		name: "F12", title: "usher gets SIGTERM, two nodes",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(_ context.Context, r *run, _ *load) error {
			for _, n := range r.site.nodes {
				began := time.Now()
				code, err := n.leave()
				if err != nil {
					return err
				}
				if code != 0 {
					r.violation("usher ends with %d", code)
				}
				if d := time.Since(began); d > 15*time.Second {
					r.violation("usher took %s to end", d)
				}
				if err := errors.Join(n.start(), r.awaitReady(n)); err != nil {
					return err
				}
			}
			return nil
		},
		spread: true, limits: limits{none: true},
	}
}

// frozen: one of two nodes stands still and goes on later, with its leases and
// its half-done work.
func frozen() *scenario {
	return &scenario{
		name: "F13", title: "one of two nodes stands still for a while",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(_ context.Context, r *run, _ *load) error {
			for range 2 {
				r.site.nodes[0].freeze()
				time.Sleep(1200 * time.Millisecond)
				r.site.nodes[0].thaw()
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		},
		spread: true, limits: limits{p99: 5 * time.Second},
	}
}

// outrun: like frozen, but the other node's clock goes ahead meanwhile by more
// than a lease, so that it takes the leases over. What the first one still
// writes under them must be refused.
func outrun() *scenario {
	return &scenario{
		name: "F13b", title: "a node stands still until its leases are taken over",
		site: func(t testing.TB) *site { return withNodes(t, single(t), clockUsher(t), 2) },
		strike: func(_ context.Context, r *run, _ *load) error {
			for i := range 4 {
				still, other := r.site.nodes[i%2], r.site.nodes[1-i%2]
				still.freeze()
				if err := other.setClock(40 * time.Second); err != nil {
					return err
				}
				time.Sleep(700 * time.Millisecond)
				if err := other.setClock(0); err != nil {
					return err
				}
				still.thaw()
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		},
		spread: true, limits: limits{p99: 5 * time.Second},
	}
}

// clocks: the clock of one node is wrong, and steps.
func clocks() *scenario {
	return &scenario{
		name: "F17", title: "the clock of one node is wrong and steps", skewed: true,
		site: func(t testing.TB) *site { return withNodes(t, single(t), clockUsher(t), 2) },
		strike: func(_ context.Context, r *run, _ *load) error {
			for _, minutes := range []int{10, -10, -60, 20} {
				if err := r.site.nodes[0].setClock(time.Duration(minutes) * time.Minute); err != nil {
					return err
				}
				time.Sleep(600 * time.Millisecond)
			}
			return r.site.nodes[0].setClock(0)
		},
		limits: limits{none: true},
	}
}

// upgraded: nodes of this and of an earlier version work side by side and change
// places.
func upgraded() *scenario {
	return &scenario{
		name: "F21", title: "upgrade and downgrade under load",
		site: func(t testing.TB) *site {
			at := withNodes(t, single(t), earlierUsher(t), 2)
			if err := swapBinary(at.nodes[0], usher(t)); err != nil {
				t.Fatal(err)
			}
			return at
		},
		strike: func(_ context.Context, r *run, _ *load) error {
			// Node 0 is new and node 1 old: both become new, both old, and as before.
			now, then := usher(r.t), earlierUsher(r.t)
			for _, step := range []struct {
				node int
				bin  string
			}{{1, now}, {0, then}, {1, then}, {0, now}} {
				n := r.site.nodes[step.node]
				if err := errors.Join(swapBinary(n, step.bin), r.awaitReady(n)); err != nil {
					return err
				}
			}
			return nil
		},
		spread: true, limits: limits{none: true},
	}
}

// swapBinary ends a node and starts it as another version.
func swapBinary(n *node, bin string) error {
	code, err := n.leave()
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("usher ends with %d:\n%s", code, n.log())
	}
	n.bin = bin
	return n.start()
}
