package simulate_test

import (
	"testing"

	"github.com/usher-scim/usher/conformance/simulate"
	"github.com/usher-scim/usher/internal/redistest"
)

// TestDialects plays every dialect with much trouble against a real server:
// nothing may be lost, doubled or left (idp-wire.md §17).
func TestDialects(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, url, unlimited())
			for _, dialect := range simulate.Names() {
				if dialect == simulate.Mix {
					continue
				}
				t.Run(dialect, func(t *testing.T) {
					s := run(t, w.config(t, dialect))
					good(t, s)
					r := s.Targets[0]
					if r.Cycles != 3 || r.Users < 25 || r.Groups < 1 || r.Aborted+r.Statuses["409"] == 0 {
						t.Errorf("%d cycles, %d users, %d groups, %d aborted, statuses %v", r.Cycles, r.Users, r.Groups, r.Aborted, r.Statuses)
					}
				})
			}
		})
	}
}
