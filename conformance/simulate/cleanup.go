package simulate

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

const cleanUpTime = 30 * time.Second // after an interrupt

// cleanUp deletes everything that was created and sees that nothing of it is
// left. After an interrupt, when it is not known what the server did last, it
// deletes whatever carries the tag.
func (s *Simulator) cleanUp(ctx context.Context) {
	s.at("cleaning up")
	interrupted := ctx.Err() != nil
	gone := []int{http.StatusNoContent}
	if interrupted {
		gone = append(gone, http.StatusNotFound) // a deletion whose answer was cut off has done it
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
		defer cancel()
		s.c.pace.interval = 0
	}
	var paths []request
	for _, g := range s.groups {
		if g.alive {
			paths = append(paths, request{kind: kindDropGroup, method: http.MethodDelete, path: g.path()})
			g.alive = false
		}
	}
	groups := len(paths)
	for _, u := range s.users {
		if u.alive {
			paths = append(paths, request{kind: kindDelete, method: http.MethodDelete, path: u.path()})
			u.alive = false
		}
	}
	remove := func(list []request) {
		s.inParallel(len(list), func(i int) {
			s.send(ctx, list[i], gone...)
		})
	}
	remove(paths[:groups])
	remove(paths[groups:])
	if len(s.users) > 0 || interrupted {
		remove(s.leftovers(ctx, interrupted))
	}
}

// leftovers lists what carries the tag and was not deleted by its id. Unless
// the run was interrupted that is a difference.
func (s *Simulator) leftovers(ctx context.Context, interrupted bool) (out []request) {
	for _, k := range []kind{kindDropGroup, kindDelete} {
		resource := "/Groups"
		if k == kindDelete {
			resource = "/Users"
		}
		s.walk(ctx, kindList, resource, "&excludedAttributes=members", func(v *jsontree.Value) {
			if !s.owns(v) {
				return
			}
			id := v.GetString("id")
			out = append(out, request{kind: k, method: http.MethodDelete, path: resource + "/" + id})
			if !interrupted {
				s.differ(Difference{Resource: resource, ID: id, Attribute: "list", Expected: "deleted at the end", Found: "listed"})
			}
		})
	}
	return out
}
