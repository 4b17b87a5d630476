package resources

import "github.com/usher-scim/usher/internal/jsontree"

// Declared is everything an organization's resources have beyond the built-in
// schemas: what the operator declared for all, and what was declared for this
// organization. It never changes; a new declaration is a new value.
type Declared struct {
	Version uint64      // of the organization's own declaration; 0 when it has none
	Schemas []SchemaDef // each once, by ID
	Types   []TypeDef   // declared resource types; User and Group with their further extensions only
}

// SchemaDef is a schema as RFC 7643 §7 writes it: an extension of a resource
// type, or the core schema of a declared one.
type SchemaDef struct {
	ID          string         `json:"id"` // a URN
	Name        string         `json:"name,omitempty"`
	Description string         `json:"description,omitempty"`
	Attributes  []AttributeDef `json:"attributes"`
}

// AttributeDef is an attribute of a schema (RFC 7643 §7). Characteristics that
// were left out have the defaults of RFC 7643 §2.2.
type AttributeDef struct {
	Name            string         `json:"name"`
	Type            string         `json:"type"` // string, boolean, decimal, integer, dateTime, binary, reference, complex
	MultiValued     bool           `json:"multiValued"`
	Description     string         `json:"description,omitempty"`
	Required        bool           `json:"required"`
	CaseExact       bool           `json:"caseExact"`
	CanonicalValues []string       `json:"canonicalValues,omitempty"` // suggestions, not enforced
	Mutability      string         `json:"mutability"`                // readWrite, readOnly, immutable, writeOnly
	Returned        string         `json:"returned"`                  // default, always, never, request
	Uniqueness      string         `json:"uniqueness"`                // none, server, global
	ReferenceTypes  []string       `json:"referenceTypes,omitempty"`
	SubAttributes   []AttributeDef `json:"subAttributes,omitempty"` // of complex ones; never complex themselves
}

// TypeDef is a resource type (RFC 7643 §6). Of User and Group it tells only
// SchemaExtensions, which are added to the built-in ones.
type TypeDef struct {
	Name             string         `json:"name"`
	Endpoint         string         `json:"endpoint"` // "/Devices"
	Description      string         `json:"description,omitempty"`
	Schema           string         `json:"schema"` // id of the core schema
	SchemaExtensions []ExtensionDef `json:"schemaExtensions,omitempty"`
}

// ExtensionDef ties a schema to a resource type.
type ExtensionDef struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// Schema finds a declared schema by its id, compared without ASCII case, or
// gives nil.
func (d *Declared) Schema(id string) *SchemaDef {
	if d == nil {
		return nil
	}
	for i := range d.Schemas {
		if jsontree.EqualName(d.Schemas[i].ID, id) {
			return &d.Schemas[i]
		}
	}
	return nil
}

// Type finds a declared type by its name, compared without ASCII case, or gives
// nil.
func (d *Declared) Type(name string) *TypeDef {
	if d == nil {
		return nil
	}
	for i := range d.Types {
		if jsontree.EqualName(d.Types[i].Name, name) {
			return &d.Types[i]
		}
	}
	return nil
}
