package chaos_test

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// starved: the primary reaches Sentinels and usher, and no replica reaches it. It
// stays the primary and has to stop taking writes.
func starved() *scenario {
	return &scenario{
		name: "F4b", title: "the replicas are cut off from the primary",
		site: func(t testing.TB) *site {
			return withNodes(t, group(t, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"), usher(t), 2, replicated, byBoth)
		},
		strike: func(ctx context.Context, r *run, l *load) error {
			g := r.site.store.group
			primary := g.Primary(r.t)
			for _, s := range g.Nodes {
				if s == primary {
					continue
				}
				if _, err := s.Do(ctx, "CONFIG", "SET", "masterauth", "wrong"); err != nil {
					return err
				}
			}
			if _, err := primary.Do(ctx, "CLIENT", "KILL", "TYPE", "replica"); err != nil {
				return err
			}
			time.Sleep(2500 * time.Millisecond)
			l.refusesWrites(ctx)
			l.servesReads(ctx)
			if g.Primary(r.t) != primary {
				r.violation("F4: the Sentinels have made another server the primary although they reach this one")
			}
			for _, s := range g.Nodes {
				if _, err := s.Do(ctx, "CONFIG", "SET", "masterauth", g.Password); err != nil {
					return err
				}
			}
			return r.regrouped(ctx, g)
		},
		limits: confirming,
	}
}

// refusesWrites demands that nothing is acknowledged.
func (l *load) refusesWrites(ctx context.Context) {
	t := l.tenants[0]
	a := l.send(ctx, 1, http.MethodPatch, t.path("/Users/"+t.joiners[2]), t.token, patch(map[string]any{"op": "replace", "path": "nickName", "value": "alone"}))
	if a.status != http.StatusServiceUnavailable {
		l.violation("F4: a primary without replicas takes a write: answer %d %s", a.status, trim(a.body))
	}
}
