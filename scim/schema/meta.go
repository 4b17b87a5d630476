package schema

import (
	"fmt"

	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"
)

// URNs of the schemas that discovery itself speaks in (RFC 7643 §8.7.2).
const (
	ProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeURN   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaURN         = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// discoverySchemas compiles the three schemas of RFC 7643 §8.7.2. The library
// has two of them.
func discoverySchemas() ([]*Schema, error) {
	var out []*Schema
	for _, s := range []elimity.Schema{providerConfigSchema(), elimity.ResourceTypeSchema(), elimity.Definition()} {
		c, err := compileSchema(s, "")
		if err != nil {
			return nil, fmt.Errorf("discovery: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// field describes one attribute that usher makes, readOnly unless clients write
// it.
type field struct {
	kind           DataType
	name, about    string
	required, many bool
	canonical      []string
	written        bool // readWrite
	asked          bool // returned on request only
	exact          bool // text that compares with case
}

func (f field) params() elimity.SimpleParams {
	about := optional.NewString(f.about)
	var mutability elimity.AttributeMutability
	if !f.written {
		mutability = elimity.AttributeMutabilityReadOnly()
	}
	var returned elimity.AttributeReturned
	if f.asked {
		returned = elimity.AttributeReturnedRequest()
	}
	switch f.kind {
	case TypeBoolean:
		return elimity.SimpleBooleanParams(elimity.BooleanParams{
			Name: f.name, Description: about, Required: f.required, Mutability: mutability, Returned: returned,
		})
	case TypeInteger:
		return elimity.SimpleNumberParams(elimity.NumberParams{
			Name: f.name, Description: about, Required: f.required, Mutability: mutability, Returned: returned,
			Type: elimity.AttributeTypeInteger(),
		})
	case TypeDateTime:
		return elimity.SimpleDateTimeParams(elimity.DateTimeParams{
			Name: f.name, Description: about, Required: f.required, Mutability: mutability, Returned: returned,
		})
	case TypeReference:
		return elimity.SimpleReferenceParams(elimity.ReferenceParams{
			Name: f.name, Description: about, Required: f.required, Mutability: mutability, Returned: returned,
			ReferenceTypes: []elimity.AttributeReferenceType{elimity.AttributeReferenceTypeExternal},
		})
	}
	return elimity.SimpleStringParams(elimity.StringParams{
		Name: f.name, Description: about, Required: f.required, MultiValued: f.many, Mutability: mutability, Returned: returned,
		CanonicalValues: f.canonical, CaseExact: f.exact,
	})
}

func (f field) with(subs ...field) elimity.CoreAttribute {
	params := make([]elimity.SimpleParams, 0, len(subs))
	for _, s := range subs {
		params = append(params, s.params())
	}
	return elimity.ComplexCoreAttribute(elimity.ComplexParams{
		Name: f.name, Description: optional.NewString(f.about), Required: f.required,
		MultiValued: f.many, Mutability: elimity.AttributeMutabilityReadOnly(), SubAttributes: params,
	})
}

func providerConfigSchema() elimity.Schema {
	supported := field{
		kind: TypeBoolean, name: "supported", required: true,
		about: "A Boolean value specifying whether or not the operation is supported.",
	}
	option := func(name, about string, more ...field) elimity.CoreAttribute {
		return field{name: name, about: about, required: true}.with(append([]field{supported}, more...)...)
	}
	return elimity.Schema{
		ID:          ProviderConfigURN,
		Name:        optional.NewString("Service Provider Configuration"),
		Description: optional.NewString("What the service provider supports of SCIM."),
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(field{
				kind: TypeReference, name: "documentationUri",
				about: "An HTTP-addressable URL pointing to the service provider's human-consumable help documentation.",
			}.params()),
			option("patch", "Whether PATCH is supported."),
			option("bulk", "Whether bulk requests are supported, and their limits.",
				field{kind: TypeInteger, name: "maxOperations", required: true, about: "The maximum number of operations in a bulk request."},
				field{kind: TypeInteger, name: "maxPayloadSize", required: true, about: "The maximum size of a bulk request in bytes."}),
			option("filter", "Whether filters are supported, and their limit.",
				field{kind: TypeInteger, name: "maxResults", required: true, about: "The maximum number of resources in one answer."}),
			option("changePassword", "Whether changing a password is supported."),
			option("sort", "Whether sorting is supported."),
			option("etag", "Whether entity tags are supported."),
			field{name: "pagination", about: "How lists are paged."}.with(paginationFields()...),
			field{name: "authenticationSchemes", required: true, many: true, about: "The authentication schemes the service provider accepts."}.with(
				field{
					name: "type", required: true, about: "The kind of authentication scheme.",
					canonical: []string{"oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"},
				},
				field{name: "name", required: true, about: "The common name of the authentication scheme, e.g., HTTP Basic."},
				field{name: "description", required: true, about: "A description of the authentication scheme."},
				field{kind: TypeReference, name: "specUri", about: "An HTTP-addressable URL pointing to the scheme's specification."},
				field{kind: TypeReference, name: "documentationUri", about: "An HTTP-addressable URL pointing to the scheme's usage documentation."},
				field{kind: TypeBoolean, name: "primary", about: "Whether this is the preferred authentication scheme."}),
		},
	}
}

// paginationFields are the sub-attributes of RFC 9865 §4.
func paginationFields() []field {
	return []field{
		{kind: TypeBoolean, name: "cursor", required: true, about: "Whether cursor-based pagination is supported."},
		{kind: TypeBoolean, name: "index", required: true, about: "Whether index-based pagination is supported."},
		{name: "defaultPaginationMethod", about: "The pagination of a query that names none.", canonical: []string{"cursor", "index"}},
		{kind: TypeInteger, name: "defaultPageSize", about: "The number of resources in a page when the query does not tell a count."},
		{kind: TypeInteger, name: "maxPageSize", about: "The maximum number of resources in a page."},
		{kind: TypeInteger, name: "cursorTimeout", about: "For how many seconds a cursor is good."},
	}
}
