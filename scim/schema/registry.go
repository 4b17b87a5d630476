package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elimity-com/scim"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// Schema is one compiled schema: the core schema of a resource type or an
// extension.
type Schema struct {
	URN, Name, Description string
	Attrs                  []*Attr

	names     names   // Attrs by name
	required  []*Attr // those a client must send
	immutable []*Attr // those CheckImmutable looks at
	veiled    []*Attr // those that an answer does not show whole unless asked to
}

// Attr returns the attribute of that name, compared without ASCII case, or
// nil.
func (s *Schema) Attr(name string) *Attr {
	if s == nil {
		return nil
	}
	return s.names.get(name)
}

// Extension is a schema extension of a resource type.
type Extension struct {
	*Schema
	Required bool // a write without it is an error
}

// Type is one compiled resource type.
type Type struct {
	Name, Endpoint, Description string // "User", "/Users", a sentence
	Kind                        resources.Kind
	Core                        *Schema
	Extensions                  []*Extension
	Resource                    scim.ResourceType // the registry entry it was compiled from
	Common                      []*Attr           // schemas, id, externalId, meta

	// Made tells that usher makes the resources itself, of no stored record:
	// they can be read and not written.
	Made bool

	// Hides tells that a stored document may hold what an answer does not show
	// unless asked to (returned never or request, writeOnly; R-21), so that it
	// must not be sent as it is.
	Hides bool

	top     names // core and common attributes
	short   names // extension attributes by their name alone (L-15)
	schemas *Attr // the common attribute "schemas"
}

// Schema returns the core schema or extension of that URN, compared without
// ASCII case, or nil.
func (t *Type) Schema(urn string) *Schema {
	if sameURN(t.Core.URN, urn) {
		return t.Core
	}
	if x := t.Extension(urn); x != nil {
		return x.Schema
	}
	return nil
}

// Extension returns the extension of that URN, compared without ASCII case,
// or nil.
func (t *Type) Extension(urn string) *Extension {
	for _, x := range t.Extensions {
		if sameURN(x.URN, urn) {
			return x
		}
	}
	return nil
}

// Attr resolves a top-level attribute, or gives nil. With urn "" it is a core
// or common attribute, or else the first extension attribute of that name
// (L-15). With the core URN it is a core or common attribute; with the URN of
// an extension one of its attributes. Dotted names are not split here.
func (t *Type) Attr(urn, name string) *Attr {
	switch {
	case urn == "":
		if a := t.top.get(name); a != nil {
			return a
		}
		return t.short.get(name)
	case sameURN(t.Core.URN, urn):
		return t.top.get(name)
	}
	if x := t.Extension(urn); x != nil {
		return x.Attr(name)
	}
	return nil
}

// Registry holds every resource type of an organization.
type Registry struct {
	Types []*Type

	discovery []*Schema // ServiceProviderConfig, ResourceType, Schema (RFC 7643 §8.7.2)
}

// NewRegistry compiles the resource types. kinds tells, by type name, what
// kind of record holds each. It refuses two types, schemas or attributes of
// one name, and types without a kind.
func NewRegistry(types []scim.ResourceType, kinds map[string]resources.Kind) (*Registry, error) {
	r := &Registry{}
	for _, rt := range types {
		kind, ok := kinds[rt.Name]
		if !ok {
			return nil, fmt.Errorf("resource type %q: no record kind is given for it", rt.Name)
		}
		if r.taken(rt.Name, rt.Endpoint) {
			return nil, fmt.Errorf("resource type %q: its name or endpoint %q is already taken", rt.Name, rt.Endpoint)
		}
		t, err := compileType(rt, kind)
		if err != nil {
			return nil, fmt.Errorf("resource type %q: %w", rt.Name, err)
		}
		r.Types = append(r.Types, t)
	}
	var err error
	r.discovery, err = discoverySchemas()
	return r, err
}

// Type returns the resource type of that name ("User") or, when none has it, of
// that endpoint ("Users", "/Users"), compared without ASCII case (L-27), or nil.
func (r *Registry) Type(endpointOrName string) *Type {
	for _, t := range r.Types {
		if jsontree.EqualName(t.Name, endpointOrName) {
			return t
		}
	}
	path := strings.TrimPrefix(endpointOrName, "/")
	for _, t := range r.Types {
		if jsontree.EqualName(t.Endpoint[1:], path) {
			return t
		}
	}
	return nil
}

// taken reports whether a type has the name or the endpoint already. One's name
// may be the other's endpoint.
func (r *Registry) taken(name, endpoint string) bool {
	return slices.ContainsFunc(r.Types, func(t *Type) bool {
		return jsontree.EqualName(t.Name, name) || jsontree.EqualName(t.Endpoint, endpoint)
	})
}

func compileType(rt scim.ResourceType, kind resources.Kind) (*Type, error) {
	if rt.Name == "" || len(rt.Endpoint) < 2 || rt.Endpoint[0] != '/' {
		return nil, fmt.Errorf("it needs a name and an endpoint like \"/Users\", not %q", rt.Endpoint)
	}
	t := &Type{
		Name: rt.Name, Endpoint: rt.Endpoint, Description: rt.Description.Value(),
		Kind: kind, Resource: rt,
	}
	var err error
	if t.Common, err = compileAll(commonAttributes(), "", ""); err != nil {
		return nil, err
	}
	if t.Core, err = compileSchema(rt.Schema, ""); err != nil {
		return nil, err
	}
	for _, a := range append(append([]*Attr{}, t.Common...), t.Core.Attrs...) {
		if t.top.get(a.Name) != nil {
			return nil, fmt.Errorf("the attribute %q is a common attribute, choose another name", a.Name)
		}
		if err := flatSubs(a); err != nil {
			return nil, err
		}
		t.top.add(a)
	}
	t.schemas = t.top.get("schemas")
	t.Hides = len(t.Core.veiled) > 0
	for _, e := range rt.SchemaExtensions {
		if t.Schema(e.Schema.ID) != nil {
			return nil, fmt.Errorf("the schema %q appears twice", e.Schema.ID)
		}
		s, err := compileSchema(e.Schema, e.Schema.ID+":")
		if err != nil {
			return nil, err
		}
		t.Extensions = append(t.Extensions, &Extension{Schema: s, Required: e.Required})
		t.Hides = t.Hides || len(s.veiled) > 0
		for _, a := range s.Attrs {
			if err := flatSubs(a); err != nil {
				return nil, err
			}
		}
	}
	t.shorten()
	return t, nil
}

// shorten finds extension attributes by their name alone: what an organization
// declared keeps its name when usher's own extensions have it too.
func (t *Type) shorten() {
	for _, own := range [...]bool{false, true} {
		for _, x := range t.Extensions {
			if resources.OwnURN(x.URN) != own {
				continue
			}
			for _, a := range x.Attrs {
				if t.short.get(a.Name) == nil {
					t.short.add(a)
				}
			}
		}
	}
}

// flatSubs refuses complex sub-attributes, which only the schemas of
// discovery have.
func flatSubs(a *Attr) error {
	for _, sub := range a.Subs {
		if sub.Type == TypeComplex {
			return fmt.Errorf("attribute %q: a sub-attribute may not be complex (R-12)", sub.path)
		}
	}
	return nil
}

func compileSchema(s elimity.Schema, prefix string) (*Schema, error) {
	if len(s.ID) < 5 || !sameURN(s.ID[:4], "urn:") {
		return nil, fmt.Errorf("the schema id %q is not a URN", s.ID)
	}
	attrs, err := compileAll(s.Attributes, s.ID, prefix)
	if err != nil {
		return nil, fmt.Errorf("schema %q: %w", s.ID, err)
	}
	out := &Schema{
		URN: s.ID, Name: s.Name.Value(), Description: s.Description.Value(),
		Attrs: attrs,
	}
	own := resources.OwnURN(s.ID)
	for _, a := range attrs {
		if out.names.get(a.Name) != nil {
			return nil, fmt.Errorf("schema %q: two attributes are called %q", s.ID, a.Name)
		}
		out.names.add(a)
		if own {
			a.ownKeys()
		}
	}
	out.required, out.immutable = writableRequired(attrs), immutables(attrs)
	for _, a := range attrs {
		if a.veiled() && a.Mutability != ReadOnly {
			out.veiled = append(out.veiled, a)
		}
	}
	return out, nil
}

func compileAll(core []elimity.CoreAttribute, urn, prefix string) ([]*Attr, error) {
	out := make([]*Attr, 0, len(core))
	for _, c := range core {
		a, err := compile(c, urn, prefix, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// sameURN compares schema URNs without ASCII case.
func sameURN(a, b string) bool { return a == b || jsontree.EqualName(a, b) }
