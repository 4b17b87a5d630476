package resources

import (
	"context"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// PutType declares a resource type (RFC 7643 §6) or replaces the one of this
// name; its schemas must be declared already. Codes as for
// [Directory.SetDeclared].
func (d *Directory) PutType(ctx context.Context, c Caller, slug, name string, raw []byte) (*Declared, error) {
	var t TypeDef
	if err := parsePart("resourceType", raw, func(p *declaredParser, v *jsontree.Value) {
		if t = p.typ("resourceType", v); t.Name == "" {
			t.Name = name
		}
		if !jsontree.EqualName(t.Name, name) {
			p.fault("resourceType.name", "The resource type says it is %s, the address %s; send it to its own address.", quoted(t.Name), quoted(name))
		}
	}); err != nil {
		return nil, err
	}
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		if at := own.typeAt(name); at >= 0 {
			own.Types[at] = t
		} else {
			own.Types = append(own.Types, t)
		}
		_, err := sound(own)
		return own.withoutBare(), err
	})
}

func (d *Declared) typeAt(name string) int {
	return slices.IndexFunc(d.Types, func(t TypeDef) bool { return jsontree.EqualName(t.Name, name) })
}

func noType(name string) *Error {
	return &Error{Code: CodeNotFound, Detail: "The organization declares no resource type " + quoted(name) + "."}
}

// DeleteType removes a declared resource type, or all further extensions of
// User or Group. Its schemas stay. Codes: not_found, schema_in_use.
func (d *Directory) DeleteType(ctx context.Context, c Caller, slug, name string) (*Declared, error) {
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		at := own.typeAt(name)
		if at < 0 {
			return nil, noType(name)
		}
		own.Types = slices.Delete(own.Types, at, at+1)
		return sound(own)
	})
}

// Extend makes a declared schema an extension of User, Group or a declared
// type, or changes whether it is required. Codes as for
// [Directory.SetDeclared].
func (d *Directory) Extend(ctx context.Context, c Caller, slug, typeName, schema string, required bool) (*Declared, error) {
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		if own.Schema(schema) == nil {
			return nil, &Error{Code: CodeNotFound, Detail: "The organization declares no schema " + quoted(schema) + "; put it first."}
		}
		at := own.typeAt(typeName)
		if at < 0 && !builtinType(typeName) {
			return nil, noType(typeName)
		}
		if at < 0 {
			own.Types, at = append(own.Types, TypeDef{Name: typeName}), len(own.Types)
		}
		t := &own.Types[at]
		t.SchemaExtensions = slices.Clone(t.SchemaExtensions)
		e := slices.IndexFunc(t.SchemaExtensions, func(e ExtensionDef) bool { return jsontree.EqualName(e.Schema, schema) })
		if e < 0 {
			t.SchemaExtensions, e = append(t.SchemaExtensions, ExtensionDef{Schema: schema}), len(t.SchemaExtensions)
		}
		t.SchemaExtensions[e].Required = required
		return sound(own)
	})
}

// Retract takes an extension from a type; the schema stays. Codes: not_found,
// schema_in_use.
func (d *Directory) Retract(ctx context.Context, c Caller, slug, typeName, schema string) (*Declared, error) {
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		at := own.typeAt(typeName)
		if at < 0 {
			return nil, noType(typeName)
		}
		if !own.Types[at].extendedBy(schema) {
			return nil, &Error{Code: CodeNotFound, Detail: "The schema " + quoted(schema) + " is no extension of " + own.Types[at].Name + "."}
		}
		own.detach(at, schema)
		return sound(own.withoutBare())
	})
}
