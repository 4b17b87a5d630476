package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// declarationLimit is how many bytes the body of a declaration may have; the
// domain's own limit is a little lower and says more.
const declarationLimit = 300 << 10

// Declaration is everything an organization declares for itself.
type Declaration struct {
	Version uint64                `json:"version" doc:"Grows with every change; 0 before the first."`
	Schemas []resources.SchemaDef `json:"schemas" doc:"As RFC 7643 §7 writes them."`
	Types   []ResourceType        `json:"resourceTypes" doc:"As RFC 7643 §6 writes them; User and Group with their further extensions only."`
}

// ResourceType is a declared resource type on the wire.
type ResourceType struct {
	Name             string                   `json:"name"`
	Endpoint         string                   `json:"endpoint,omitempty" doc:"Below the base URL; left out for User and Group."`
	Description      string                   `json:"description,omitempty"`
	Schema           string                   `json:"schema,omitempty" doc:"The core schema; left out for User and Group."`
	SchemaExtensions []resources.ExtensionDef `json:"schemaExtensions,omitempty"`
}

// Extension says how a schema extends a resource type.
type Extension struct {
	Required bool `json:"required,omitempty" doc:"Whether every resource of the type must have it."`
}

// Document is a body that is handed on as it was sent: the domain reads it and
// knows the place of every fault.
type Document []byte

// UnmarshalJSON keeps the text.
func (d *Document) UnmarshalJSON(text []byte) error {
	*d = bytes.Clone(text)
	return nil
}

// Schema tells huma that any object will do.
func (Document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

type (
	putDeclaration struct {
		OrgPath
		Body Document
	}
	// SchemaPath names a schema. It and the like are exported because huma fills
	// parameters of exported types only.
	SchemaPath struct {
		OrgPath
		Schema string `path:"schema" maxLength:"200" doc:"The schema's id, a URN."`
	}
	// TypePath names a resource type.
	TypePath struct {
		OrgPath
		Name string `path:"type" maxLength:"60" doc:"The resource type's name."`
	}
	// ExtensionPath names a schema that extends a type.
	ExtensionPath struct {
		TypePath
		Schema string `path:"schema" maxLength:"200" doc:"The schema's id, a URN."`
	}
	putSchema struct {
		SchemaPath
		Body Document
	}
	putType struct {
		TypePath
		Body Document
	}
	putExtension struct {
		ExtensionPath
		Body *Extension
	}
	declarationOut struct{ Body Declaration }
)

func wireDeclaration(d *resources.Declared) *declarationOut {
	out := Declaration{Version: d.Version, Schemas: append([]resources.SchemaDef{}, d.Schemas...), Types: []ResourceType{}}
	for _, t := range d.Types {
		out.Types = append(out.Types, ResourceType(t))
	}
	return &declarationOut{Body: out}
}

func (d *door) registerSchemas(api huma.API) {
	const (
		all       = "/api/v1/orgs/{org}/schemas"
		schema    = all + "/{schema}"
		typ       = "/api/v1/orgs/{org}/resource-types/{type}"
		extension = typ + "/extensions/{schema}"
	)
	large := func(o huma.Operation) huma.Operation {
		o.MaxBodyBytes = declarationLimit
		return o
	}
	huma.Register(api, d.needs(resources.AreaPlatform, operation("get-declaration", http.MethodGet, all, "Read what an organization declares: schemas and resource types", 200, 404)), d.getDeclaration)
	huma.Register(api, large(d.needs(resources.AreaPlatform, operation("put-declaration", http.MethodPut, all, "Replace everything an organization declares; a version in the body must be the stored one", 200, 404, 409, 412))), d.putDeclaration)
	huma.Register(api, large(d.needs(resources.AreaPlatform, operation("put-schema", http.MethodPut, schema, "Declare or replace a schema (RFC 7643 §7)", 200, 404, 409))), d.putSchema)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("delete-schema", http.MethodDelete, schema, "Remove a schema, also from the types it extends", 204, 404, 409)), d.deleteSchema)
	huma.Register(api, large(d.needs(resources.AreaPlatform, operation("put-resource-type", http.MethodPut, typ, "Declare or replace a resource type (RFC 7643 §6)", 200, 404, 409))), d.putType)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("delete-resource-type", http.MethodDelete, typ, "Remove a resource type; its schemas stay", 204, 404, 409)), d.deleteType)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("put-extension", http.MethodPut, extension, "Extend User, Group or a declared type by a declared schema", 200, 404, 409)), d.putExtension)
	huma.Register(api, d.needs(resources.AreaPlatform, operation("delete-extension", http.MethodDelete, extension, "Take an extension from a type; the schema stays", 204, 404, 409)), d.deleteExtension)
}

// declaration answers with what is declared after an act.
func declaration(all *resources.Declared, err error) (*declarationOut, error) {
	if err != nil {
		return nil, problem(err)
	}
	return wireDeclaration(all), nil
}

// done answers without a body.
func done(err error) (*struct{}, error) {
	if err != nil {
		return nil, problem(err)
	}
	return nil, nil
}

func (d *door) getDeclaration(ctx context.Context, in *OrgPath) (*declarationOut, error) {
	all, err := d.directory.Declarations(ctx, in.caller, in.Slug)
	return declaration(all, err)
}

func (d *door) putDeclaration(ctx context.Context, in *putDeclaration) (*declarationOut, error) {
	var seen struct {
		Version *uint64 `json:"version"`
	}
	if err := json.Unmarshal(in.Body, &seen); err != nil {
		return nil, problem(&resources.Error{
			Code: resources.CodeInvalidValue, Field: "version", Detail: "The version is a whole number: the one that was read, or leave it out.",
		})
	}
	all, err := d.directory.SetDeclared(ctx, in.caller, in.Slug, in.Body, seen.Version)
	return declaration(all, err)
}

func (d *door) putSchema(ctx context.Context, in *putSchema) (*declarationOut, error) {
	all, err := d.directory.PutSchema(ctx, in.caller, in.Slug, in.Schema, in.Body)
	return declaration(all, err)
}

func (d *door) deleteSchema(ctx context.Context, in *SchemaPath) (*struct{}, error) {
	_, err := d.directory.DeleteSchema(ctx, in.caller, in.Slug, in.Schema)
	return done(err)
}

func (d *door) putType(ctx context.Context, in *putType) (*declarationOut, error) {
	all, err := d.directory.PutType(ctx, in.caller, in.Slug, in.Name, in.Body)
	return declaration(all, err)
}

func (d *door) deleteType(ctx context.Context, in *TypePath) (*struct{}, error) {
	_, err := d.directory.DeleteType(ctx, in.caller, in.Slug, in.Name)
	return done(err)
}

func (d *door) putExtension(ctx context.Context, in *putExtension) (*declarationOut, error) {
	all, err := d.directory.Extend(ctx, in.caller, in.Slug, in.Name, in.Schema, in.Body != nil && in.Body.Required)
	return declaration(all, err)
}

func (d *door) deleteExtension(ctx context.Context, in *ExtensionPath) (*struct{}, error) {
	_, err := d.directory.Retract(ctx, in.caller, in.Slug, in.Name, in.Schema)
	return done(err)
}
