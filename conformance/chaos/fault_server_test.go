package chaos_test

import (
	"context"
	"testing"
	"time"
)

// none is no fault at all: what the other rows are compared with.
func none() *scenario {
	return &scenario{
		name: "F0", title: "nothing breaks",
		site:   func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(context.Context, *run) error { time.Sleep(2 * time.Second); return nil },
		limits: limits{none: true, p99: time.Second},
	}
}

// killed: Redis is killed and started again.
func killed() *scenario {
	return &scenario{
		name: "F1", title: "Redis is killed and comes back",
		site: func(t testing.TB) *site { return withNodes(t, single(t, durable...), usher(t), 2) },
		strike: func(_ context.Context, r *run) error {
			for range 2 {
				r.site.store.redis().Kill()
				time.Sleep(800 * time.Millisecond)
				if err := r.site.store.redis().Restart(); err != nil {
					return err
				}
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		},
	}
}
