package scim

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// route is one address and what can be done there.
type route struct {
	path     []string     // segments behind /orgs/{org}/scim/v2; anySegment stands for any
	typ      *schema.Type // resource type, or nil
	resource string       // for metrics and logs
	allow    string       // header Allow
	acts     []act
}

// act is one operation.
type act struct {
	method string
	op     string // for metrics and logs
	serve  func(*call, context.Context) error
}

const anySegment = "{id}"

// act finds the operation for a method; HEAD is GET without body.
func (rt *route) act(method string) *act {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range rt.acts {
		if rt.acts[i].method == method {
			return &rt.acts[i]
		}
	}
	return nil
}

// routeTable lists every address. Literal segments stand before anySegment.
func (w *world) routeTable() []route {
	var out []route
	for _, t := range w.registry.Types {
		endpoint := strings.TrimPrefix(t.Endpoint, "/")
		if t.Made {
			out = append(out, licenceRoutes(t, endpoint)...)
			continue
		}
		out = append(out,
			route{path: []string{endpoint}, typ: t, resource: t.Name, acts: []act{
				{http.MethodGet, "list", (*call).list},
				{http.MethodPost, "create", (*call).post},
			}},
			route{path: []string{endpoint, ".search"}, typ: t, resource: t.Name, acts: []act{{http.MethodPost, "search", (*call).list}}},
			route{path: []string{endpoint, anySegment}, typ: t, resource: t.Name, acts: []act{
				{http.MethodGet, "get", (*call).get},
				{http.MethodPut, "replace", (*call).put},
				{http.MethodPatch, "modify", (*call).patch},
				{http.MethodDelete, "delete", (*call).delete},
			}})
	}
	read := func(serve func(*call, context.Context) error) []act {
		return []act{{http.MethodGet, "discover", serve}}
	}
	out = append(out,
		route{path: []string{"ServiceProviderConfig"}, resource: "ServiceProviderConfig", acts: read((*call).providerConfig)},
		route{path: []string{"ResourceTypes"}, resource: "ResourceType", acts: read((*call).resourceTypes)},
		route{path: []string{"ResourceTypes", anySegment}, resource: "ResourceType", acts: read((*call).resourceType)},
		route{path: []string{"Schemas"}, resource: "Schema", acts: read((*call).schemas)},
		route{path: []string{"Schemas", anySegment}, resource: "Schema", acts: read((*call).schema)},
		route{path: []string{".search"}, resource: "", acts: []act{{http.MethodPost, "search", (*call).listAll}}},
		route{path: []string{}, resource: "", acts: []act{{http.MethodGet, "search", (*call).listAll}}},
		route{path: []string{"Bulk"}, resource: "Bulk", acts: []act{{http.MethodPost, "bulk", (*call).bulk}}},
		route{path: []string{"Me"}, resource: "Me", acts: []act{
			{http.MethodGet, "me", (*call).me},
			{http.MethodPost, "me", (*call).me},
			{http.MethodPut, "me", (*call).me},
			{http.MethodPatch, "me", (*call).me},
			{http.MethodDelete, "me", (*call).me},
		}})
	for i := range out {
		out[i].allow = allowOf(out[i].acts)
		out[i].resource = w.label(out[i].resource)
	}
	return out
}

func allowOf(acts []act) string {
	var methods []string
	for _, a := range acts {
		methods = append(methods, a.method)
		if a.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

// maxSegments is one more than any route has, so that longer paths match none.
const maxSegments = 7

// segments takes a path apart: split first, then each part unescaped once, so
// that an escaped slash never makes a segment. Empty segments are left out
// (L-27).
func segments(buf []string, u *url.URL) (segs []string, ok bool) {
	segs = buf[:0]
	for part := range strings.SplitSeq(u.EscapedPath(), "/") {
		if part == "" {
			continue
		}
		if len(segs) == maxSegments {
			return segs, true
		}
		if strings.IndexByte(part, '%') >= 0 {
			var err error
			if part, err = url.PathUnescape(part); err != nil {
				return segs, false
			}
		}
		segs = append(segs, part)
	}
	return segs, true
}

// locate finds the route. Whatever is wrong with an address, and an
// organization that is not the caller's, is the same 404 (security S1, S2).
func (c *call) locate() error {
	var buf [maxSegments]string
	segs, ok := segments(buf[:], c.r.URL)
	if !ok || len(segs) < 4 || segs[0] != "orgs" || segs[2] != "scim" {
		return notHere("")
	}
	if v := segs[3]; !strings.EqualFold(v, "v2") {
		if len(v) > 1 && (v[0] == 'v' || v[0] == 'V') && strings.Trim(v[1:], "0123456789.") == "" {
			return invalid(scimerrors.ScimTypeInvalidVersion, "This server speaks SCIM 2.0 only; use an address with /scim/v2/.")
		}
		return notHere("")
	}
	c.route, c.id = c.world.match(segs[4:])
	switch {
	case c.route == nil:
		return notHere("")
	case c.caller.Slug == "" || segs[1] != c.caller.Slug:
		if c.route.typ != nil {
			return notHere(c.route.typ.Name)
		}
		return notHere("")
	case c.route.foreign(c.id):
		return notHere(c.route.typ.Name)
	}
	return nil
}

// foreign reports whether an id cannot be one of the route's type.
func (rt *route) foreign(id string) bool {
	if rt.typ == nil || id == "" || rt.typ.Made {
		return false
	}
	k, ok := resources.KindOf(id)
	return !ok || k != rt.typ.Kind
}

// match compares names without case (L-27); id is what stands for anySegment.
func (w *world) match(segs []string) (found *route, id string) {
next:
	for i := range w.routes {
		rt := &w.routes[i]
		if len(rt.path) != len(segs) {
			continue
		}
		id = ""
		for j, want := range rt.path {
			switch {
			case want == anySegment:
				id = segs[j]
			case !jsontree.EqualName(want, segs[j]):
				continue next
			}
		}
		return rt, id
	}
	return nil, ""
}

// notImplemented is the answer to what SCIM has and is not offered.
func notImplemented(detail string) error {
	return problem{status: http.StatusNotImplemented, code: "not_implemented", detail: detail}
}
