package schema

import (
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// listURN is the message of every discovery list.
const listURN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// ProviderConfig is what ServiceProviderConfig tells beside what usher always
// does: PATCH, filters, sorting and ETags are supported, lists are paged by
// index and by cursor (RFC 9865), changing passwords is not supported (S10). A zero number means the default.
type ProviderConfig struct {
	DocumentationURI   string // left out when empty
	OAuthMetadata      string // URL of the OAuth metadata, when the connection gets its tokens that way
	Bulk               bool
	BulkMaxOperations  int // default 1000
	BulkMaxPayloadSize int // bytes, default 1 MiB
	FilterMaxResults   int // default 200
	PageSize           int // without count, default 100
	CursorTimeout      int // seconds, default 3600
}

// AppendServiceProviderConfig writes the answer to GET
// /ServiceProviderConfig. base is the absolute URL of the service
// without a slash at the end, here and below.
func AppendServiceProviderConfig(dst []byte, base string, cfg ProviderConfig) []byte {
	dst = append(dst, `{"schemas":["`+ProviderConfigURN+`"]`...)
	if cfg.DocumentationURI != "" {
		dst = appendMember(dst, "documentationUri", cfg.DocumentationURI)
	}
	dst = append(dst, `,"patch":{"supported":true},"bulk":{"supported":`...)
	dst = strconv.AppendBool(dst, cfg.Bulk)
	dst = append(dst, `,"maxOperations":`...)
	dst = appendOr(dst, cfg.BulkMaxOperations, 1000)
	dst = append(dst, `,"maxPayloadSize":`...)
	dst = appendOr(dst, cfg.BulkMaxPayloadSize, 1<<20)
	dst = append(dst, `},"filter":{"supported":true,"maxResults":`...)
	dst = appendOr(dst, cfg.FilterMaxResults, 200)
	dst = append(dst, `},"changePassword":{"supported":false},"sort":{"supported":true},"etag":{"supported":true}`+
		`,"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index","defaultPageSize":`...)
	dst = appendOr(dst, cfg.PageSize, 100)
	dst = append(dst, `,"maxPageSize":`...)
	dst = appendOr(dst, cfg.FilterMaxResults, 200)
	dst = append(dst, `,"cursorTimeout":`...)
	dst = appendOr(dst, cfg.CursorTimeout, 3600)
	dst = append(dst, `},"authenticationSchemes":[{"type":"oauthbearertoken","name":"OAuth Bearer Token"`+
		`,"description":"Authentication with a bearer token in the Authorization header"`+
		`,"specUri":"https://www.rfc-editor.org/info/rfc6750","primary":true}`...)
	if cfg.OAuthMetadata != "" {
		dst = append(dst, `,{"type":"oauth2","name":"OAuth 2.0 Client Credentials"`+
			`,"description":"Access tokens from the token endpoint that the authorization server metadata names"`+
			`,"specUri":"https://www.rfc-editor.org/info/rfc6749"`...)
		dst = append(appendMember(dst, "documentationUri", cfg.OAuthMetadata), `,"primary":false}`...)
	}
	dst = append(dst, ']')
	return appendMeta(dst, "ServiceProviderConfig", base+"/ServiceProviderConfig")
}

func appendOr(dst []byte, n, otherwise int) []byte {
	if n <= 0 {
		n = otherwise
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// AppendResourceTypes writes the ListResponse of all resource types (R-41,
//
func (r *Registry) AppendResourceTypes(dst []byte, base string) []byte {
	dst = appendList(dst, len(r.Types))
	for i, t := range r.Types {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = t.appendJSON(dst, base)
	}
	return append(dst, ']', '}')
}

// AppendResourceType writes one resource type by its name; ok is false when
// there is none of that name.
func (r *Registry) AppendResourceType(dst []byte, base, name string) (out []byte, ok bool) {
	for _, t := range r.Types {
		if jsontree.EqualName(t.Name, name) {
			return t.appendJSON(dst, base), true
		}
	}
	return dst, false
}

func (t *Type) appendJSON(dst []byte, base string) []byte {
	dst = append(dst, `{"schemas":["`+ResourceTypeURN+`"]`...)
	dst = appendMember(dst, "id", t.Name)
	dst = appendMember(dst, "name", t.Name)
	if t.Description != "" {
		dst = appendMember(dst, "description", t.Description)
	}
	dst = appendMember(dst, "endpoint", t.Endpoint)
	dst = appendMember(dst, "schema", t.Core.URN)
	if len(t.Extensions) > 0 {
		dst = append(dst, `,"schemaExtensions":[`...)
		for i, x := range t.Extensions {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"schema":`...)
			dst = jsontree.AppendString(dst, x.URN)
			dst = append(dst, `,"required":`...)
			dst = append(strconv.AppendBool(dst, x.Required), '}')
		}
		dst = append(dst, ']')
	}
	return appendMeta(dst, "ResourceType", base+"/ResourceTypes/"+t.Name)
}

// Schemas lists every schema once: those of the resource types in order, then
// the three of discovery itself.
func (r *Registry) Schemas() []*Schema {
	var out []*Schema
	add := func(s *Schema) {
		for _, known := range out {
			if sameURN(known.URN, s.URN) {
				return
			}
		}
		out = append(out, s)
	}
	for _, t := range r.Types {
		add(t.Core)
		for _, x := range t.Extensions {
			add(x.Schema)
		}
	}
	for _, s := range r.discovery {
		add(s)
	}
	return out
}

// AppendSchemas writes the ListResponse of all schemas. o is what
// the organization can have, here and below; nil: not known.
func (r *Registry) AppendSchemas(dst []byte, base string, o *resources.Offer) []byte {
	all := r.Schemas()
	dst = appendList(dst, len(all))
	for i, s := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.appendJSON(dst, base, o)
	}
	return append(dst, ']', '}')
}

// AppendSchema writes one schema by its URN, compared without ASCII case; ok
// is false when there is none.
func (r *Registry) AppendSchema(dst []byte, base, urn string, o *resources.Offer) (out []byte, ok bool) {
	for _, s := range r.Schemas() {
		if sameURN(s.URN, urn) {
			return s.appendJSON(dst, base, o), true
		}
	}
	return dst, false
}

func (s *Schema) appendJSON(dst []byte, base string, o *resources.Offer) []byte {
	dst = append(dst, `{"schemas":["`+SchemaURN+`"]`...)
	dst = appendMember(dst, "id", s.URN)
	if s.Name != "" {
		dst = appendMember(dst, "name", s.Name)
	}
	if s.Description != "" {
		dst = appendMember(dst, "description", s.Description)
	}
	dst = appendAttrs(append(dst, `,"attributes":`...), s.Attrs, o)
	return appendMeta(dst, "Schema", base+"/Schemas/"+s.URN)
}

func appendAttrs(dst []byte, attrs []*Attr, o *resources.Offer) []byte {
	dst = append(dst, '[')
	for i, a := range attrs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = a.appendJSON(dst, o)
	}
	return append(dst, ']')
}

// appendJSON writes an attribute definition. caseExact is told where
// text is compared; canonicalValues and referenceTypes where there are any.
func (a *Attr) appendJSON(dst []byte, o *resources.Offer) []byte {
	dst = append(dst, `{"name":`...)
	dst = jsontree.AppendString(dst, a.Name)
	dst = appendMember(dst, "type", a.Type.String())
	dst = appendFlag(dst, "multiValued", a.Multi)
	dst = appendMember(dst, "description", a.Description)
	dst = appendFlag(dst, "required", a.Required)
	switch a.Type {
	case TypeString, TypeReference, TypeBinary:
		dst = appendFlag(dst, "caseExact", a.CaseExact)
	}
	dst = appendWords(dst, "canonicalValues", a.suggested(o))
	dst = appendWords(dst, "referenceTypes", a.RefTypes)
	dst = appendMember(dst, "mutability", a.Mutability.String())
	dst = appendMember(dst, "returned", a.Returned.String())
	dst = appendMember(dst, "uniqueness", a.Uniqueness.String())
	if len(a.Subs) > 0 {
		dst = appendAttrs(append(dst, `,"subAttributes":`...), a.Subs, o)
	}
	return append(dst, '}')
}

func appendWords(dst []byte, name string, words []string) []byte {
	if len(words) == 0 {
		return dst
	}
	dst = append(dst, `,"`+name+`":[`...)
	for i, w := range words {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontree.AppendString(dst, w)
	}
	return append(dst, ']')
}

func appendFlag(dst []byte, name string, on bool) []byte {
	return strconv.AppendBool(append(dst, `,"`+name+`":`...), on)
}

func appendMember(dst []byte, name, text string) []byte {
	return jsontree.AppendString(append(dst, `,"`+name+`":`...), text)
}

// appendMeta writes meta and closes the resource.
func appendMeta(dst []byte, kind, location string) []byte {
	dst = append(dst, `,"meta":{"resourceType":"`+kind+`"`...)
	return append(appendMember(dst, "location", location), '}', '}')
}

// appendList opens a ListResponse that holds everything there is (R-43:
// paging parameters are ignored).
func appendList(dst []byte, n int) []byte {
	dst = append(dst, `{"schemas":["`+listURN+`"],"totalResults":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"startIndex":1,"itemsPerPage":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, `,"Resources":[`...)
}
