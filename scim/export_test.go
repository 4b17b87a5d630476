package scim

// RouteInfo is one address as tests see it.
type RouteInfo struct {
	Path     []string // behind /orgs/{org}/scim/v2; "{id}" stands for any segment
	Resource string
	Methods  []string
	Allow    string
	Typed    bool // a collection or a resource of a resource type
}

// Routes lists the route table, so that tests cover every address there is.
func (s *Server) Routes() []RouteInfo {
	var out []RouteInfo
	for _, rt := range s.common.routes {
		info := RouteInfo{Path: rt.path, Resource: rt.resource, Allow: rt.allow, Typed: rt.typ != nil}
		for _, a := range rt.acts {
			info.Methods = append(info.Methods, a.method)
		}
		out = append(out, info)
	}
	return out
}
