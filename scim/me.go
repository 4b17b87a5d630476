package scim

import (
	"context"
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// me answers /Me as the address of the user that the credential stands
// for, and tells that address. Most tokens stand for a connection: then, as for
// POST, there is nothing here.
func (c *call) me(ctx context.Context) error {
	if c.caller.User == "" || c.r.Method == http.MethodPost {
		if err := c.drain(); err != nil {
			return err
		}
		if c.caller.User == "" {
			return notImplemented("This token stands for a connection and not for a user; ask for users at /Users.")
		}
		return notImplemented("/Me creates nobody; create users with POST to /Users.")
	}
	for i := range c.world.routes {
		rt := &c.world.routes[i]
		if rt.typ != nil && rt.typ.Kind == resources.KindUser && len(rt.path) == 2 && rt.path[1] == anySegment {
			c.route, c.act, c.id = rt, rt.act(c.r.Method), c.caller.User
			break
		}
	}
	where := c.base() + c.typ().Endpoint + "/" + c.id
	c.w.Header()["Location"], c.w.Header()["Content-Location"] = []string{where}, []string{where}
	return c.act.serve(c, ctx)
}
