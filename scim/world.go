package scim

import (
	"fmt"
	"sync"

	"github.com/elimity-com/scim"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// world is what the schemas of an organization make of the server: its resource
// types, their addresses and their discovery documents. It never changes.
// Organizations that declare nothing share one.
type world struct {
	types     []scim.ResourceType
	registry  *schema.Registry
	routes    []route
	documents documentCache
}

// newWorld compiles resource types and ties them to their handlers.
func (s *Server) newWorld(types []scim.ResourceType, kinds map[string]resources.Kind) (*world, error) {
	w := &world{types: types}
	handlers := make([]*handler, len(types))
	for i := range types {
		handlers[i] = &handler{server: s}
		types[i].Handler = handlers[i]
	}
	registry, err := schema.NewRegistry(types, kinds)
	if err != nil {
		return nil, fmt.Errorf("scim: %w", err)
	}
	for i, t := range registry.Types {
		handlers[i].typ = t
	}
	if err := registry.AddLicences(); err != nil {
		return nil, fmt.Errorf("scim: %w", err)
	}
	w.registry = registry
	w.routes = w.routeTable()
	return w, nil
}

// label names a resource in metrics and logs. Declared types are all the same
// there: their names come from customers, and labels are a closed set.
func (w *world) label(resource string) string {
	for _, t := range w.registry.Types {
		if t.Kind == resources.KindCustom && t.Name == resource {
			return "Custom"
		}
	}
	return resource
}

// worldCache keeps the worlds of organizations that declare schemas, by the
// declaration, which never changes. Past its size any one of them goes: making
// it again takes a few milliseconds.
type worldCache struct {
	mu  sync.RWMutex
	all map[*resources.Declared]*world
}

const cachedWorlds = 500 // of some 200 KB each

// worldOf gives the world of a caller's organization.
func (s *Server) worldOf(c resources.Caller) (*world, error) {
	if c.Declared == nil {
		return s.common, nil
	}
	s.worlds.mu.RLock()
	w := s.worlds.all[c.Declared]
	s.worlds.mu.RUnlock()
	if w != nil {
		return w, nil
	}
	types, kinds, err := schema.Declared(c.Declared)
	if err != nil {
		return nil, fmt.Errorf("scim: %w", err)
	}
	if w, err = s.newWorld(types, kinds); err != nil {
		return nil, err
	}
	w.registry.Complete(c.Declared)
	s.worlds.mu.Lock()
	if s.worlds.all == nil {
		s.worlds.all = make(map[*resources.Declared]*world)
	}
	for old := range s.worlds.all {
		if len(s.worlds.all) < cachedWorlds {
			break
		}
		delete(s.worlds.all, old)
	}
	s.worlds.all[c.Declared] = w
	s.worlds.mu.Unlock()
	return w, nil
}

func builtinKinds() map[string]resources.Kind {
	return map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup}
}
