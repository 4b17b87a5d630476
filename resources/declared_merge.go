package resources

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Merge joins what the operator declared for all organizations with what one
// declared for itself. Either may be nil or empty; nothing at all is nil. Both
// stay as they are. A schema, a type or an endpoint that both declare is
// invalid_value.
func (d *Declared) Merge(own *Declared) (*Declared, error) {
	switch {
	case own.empty() && d.empty():
		return nil, nil
	case own.empty():
		return d, nil
	case d.empty():
		return own, nil
	}
	out := &Declared{Version: own.Version, Schemas: slices.Concat(d.Schemas, own.Schemas), Types: slices.Clone(d.Types)}
	for i := range own.Schemas {
		s := &own.Schemas[i]
		if d.Schema(s.ID) != nil {
			return nil, declaredFault("schemas", fmt.Sprintf("The operator declared the schema %s for all organizations; choose another id.", quoted(s.ID)))
		}
		for j := range d.Schemas {
			if o := &d.Schemas[j]; hides(s, o) || hides(o, s) {
				return nil, declaredFault("schemas", fmt.Sprintf("One of the schemas %s and %s, which the operator declared, has the id of an attribute of the other; rename it.", quoted(s.ID), quoted(o.ID)))
			}
		}
	}
	for _, t := range own.Types {
		at := slices.IndexFunc(out.Types, func(x TypeDef) bool { return jsontree.EqualName(x.Name, t.Name) })
		switch {
		case at < 0:
			if slices.ContainsFunc(d.Types, func(x TypeDef) bool { return x.Endpoint != "" && jsontree.EqualName(x.Endpoint, t.Endpoint) }) {
				return nil, declaredFault("resourceTypes", fmt.Sprintf("The operator declared a resource type with the endpoint %s for all organizations; choose another one.", quoted(t.Endpoint)))
			}
			out.Types = append(out.Types, t)
		case builtinType(t.Name):
			both := &out.Types[at]
			both.SchemaExtensions = slices.Concat(both.SchemaExtensions, t.SchemaExtensions)
		default:
			return nil, declaredFault("resourceTypes", fmt.Sprintf("The operator declared the resource type %s for all organizations; choose another name.", quoted(t.Name)))
		}
	}
	return out, nil
}

func (d *Declared) empty() bool { return d == nil || len(d.Schemas)+len(d.Types) == 0 }

// Document writes the declaration as ParseDeclared reads it, with every
// characteristic spelled out.
func (d *Declared) Document() ([]byte, error) {
	type document struct {
		Schemas []SchemaDef    `json:"schemas"`
		Types   []declaredType `json:"resourceTypes"`
	}
	out := document{Schemas: []SchemaDef{}, Types: []declaredType{}}
	if d != nil {
		out.Schemas = append(out.Schemas, d.Schemas...)
		for _, t := range d.Types {
			out.Types = append(out.Types, declaredType(t))
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode declaration: %w", err)
	}
	return raw, nil
}

// declaredType is a TypeDef without the members that User and Group do not
// have.
type declaredType struct {
	Name             string         `json:"name"`
	Endpoint         string         `json:"endpoint,omitempty"`
	Description      string         `json:"description,omitempty"`
	Schema           string         `json:"schema,omitempty"`
	SchemaExtensions []ExtensionDef `json:"schemaExtensions,omitempty"`
}
