package check

import (
	"net/http"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

func discoveryChecks() []Check {
	out := []Check{
		c("discovery/config", "GET /ServiceProviderConfig answers with SCIM JSON and its own schema", "R-41 R-44 RIP-01", configItself),
		c("discovery/config-patch", "patch.supported is a boolean", "R-44 AUT-04", configFlags("patch")),
		c("discovery/config-change-password", "changePassword.supported is a boolean", "R-44", configFlags("changePassword")),
		c("discovery/config-sort", "sort.supported is a boolean", "R-44", configFlags("sort")),
		c("discovery/config-etag", "etag.supported is a boolean", "R-44", configFlags("etag")),
		c("discovery/config-bulk", "bulk has supported, maxOperations and maxPayloadSize in their types, also when unsupported", "R-44 R-113", configFlags("bulk", "maxOperations", "maxPayloadSize")),
		c("discovery/config-filter", "filter has supported and maxResults in their types", "R-44", configFlags("filter", "maxResults")),
		c("discovery/config-authentication", "authenticationSchemes is a list whose entries have type, name and description", "R-44", configSchemes),
		c("discovery/config-authentication-types", "types of authenticationSchemes are those of RFC 7643", "R-44", configSchemeTypes),
		c("discovery/config-pagination", "pagination names methods, a default and sizes", "R-136 R-135", configPagination, noCursor),
		c("discovery/config-parameters", "query parameters on /ServiceProviderConfig are ignored", "R-43", configParameters),
		c("discovery/config-json", "discovery can be read with Accept: application/json", "R-17", configAsJSON),
		c("discovery/types", "GET /ResourceTypes is a ListResponse of all types", "R-41 CYB-09 R-57", typesList),
		c("discovery/types-fields", "every resource type has name, endpoint and a schema", "R-46", typesFields),
		c("discovery/types-extensions", "every schema extension names a schema and whether it is required", "R-46 R-47", typesExtensions),
		c("discovery/types-schemas", "schemas and extensions of resource types are at /Schemas", "R-46 R-42", typesSchemas),
		c("discovery/types-single", "GET /ResourceTypes/{name} gives the same as the list", "R-42 CYB-09", typesSingle),
		c("discovery/types-unknown", "GET of an unknown resource type is 404 with a SCIM error", "R-42 R-118", unknownAt("/ResourceTypes/Nonsense")),
		c("discovery/types-endpoints", "every announced endpoint answers with a list", "R-46 R-57 OKT-18", typesEndpoints),
		c("discovery/types-user-group", "User and Group are announced with their endpoints", "R-147 R-46", typesUserGroup),
		c("discovery/types-location", "meta.location of a resource type leads to it", "R-30 R-26", locationsOf("/ResourceTypes")),
		c("discovery/schemas-location", "meta.location of a schema leads to it", "R-30 R-26", locationsOf("/Schemas")),
		c("discovery/paging-ignored", "startIndex, count, sortBy and attributes on discovery do not make it fail", "R-43", discoveryParameters),
		c("discovery/spelling", "end points are found in lower case and behind doubled slashes", "L-27", discoverySpelling, only("entra", "generic")),
	}
	for _, at := range [...]string{"ServiceProviderConfig", "ResourceTypes", "Schemas"} {
		out = append(out, c("discovery/read-only-"+strings.ToLower(at), "writes to /"+at+" are refused with a SCIM error", "R-49 R-55 OKT-17", readOnlyAt("/"+at)))
	}
	for _, at := range [...]string{"ResourceTypes", "Schemas"} {
		out = append(out, c("discovery/filter-"+strings.ToLower(at), "a filter on /"+at+" is refused with 403 or ignored", "R-43", filterAt("/"+at)))
	}
	return out
}

func configItself(s *session) {
	a := s.get("/ServiceProviderConfig")
	s.wantStatus(a, http.StatusOK)
	s.wantJSON(a)
	s.wantAll(&a.value, obj{"schemas": contains{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}})
}

// configFlags states supported and further numbers of one block.
func configFlags(block string, numbers ...string) func(*session) {
	return func(s *session) {
		a := s.get("/ServiceProviderConfig")
		s.wantStatus(a, http.StatusOK)
		s.wantThat(a.at(block+".supported").IsBool(), "%s.supported is %s, it should be a boolean", block, text(a.at(block+".supported")))
		for _, n := range numbers {
			s.wantInteger(a.at(block+"."+n), block+"."+n)
		}
	}
}

func (s *session) wantInteger(v *jsontree.Value, name string) {
	s.wantThat(v.Kind == jsontree.Number && !strings.ContainsAny(v.Text, ".eE"), "%s is %s, it should be an integer", name, text(v))
}

func configSchemes(s *session) {
	a := s.get("/ServiceProviderConfig")
	schemes := a.at("authenticationSchemes")
	s.wantThat(schemes.Kind == jsontree.Array, "authenticationSchemes is %s, it should be a list", text(schemes))
	for i := range schemes.Items {
		for _, name := range [...]string{"type", "name", "description"} {
			s.wantThat(schemes.Items[i].GetString(name) != "", "an authentication scheme has no %s: %s", name, text(&schemes.Items[i]))
		}
	}
}

func configSchemeTypes(s *session) {
	a := s.get("/ServiceProviderConfig")
	for _, scheme := range a.at("authenticationSchemes").Items {
		switch t := scheme.GetString("type"); t {
		case "oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest":
		case "":
			s.fail("an authentication scheme has no type")
		default:
			s.note("a type of its own: %s", t)
		}
	}
}

func configPagination(s *session) {
	p := s.get("/ServiceProviderConfig").at("pagination")
	s.wantThat(find(p, "cursor").IsBool() && find(p, "index").IsBool(), "pagination.cursor and pagination.index should be booleans: %s", text(p))
	for _, n := range [...]string{"defaultPageSize", "maxPageSize", "cursorTimeout"} {
		if v := find(p, n); v.Kind != jsontree.Absent {
			s.wantInteger(v, "pagination."+n)
		}
	}
	if m := p.GetString("defaultPaginationMethod"); find(p, "index").Kind == jsontree.True {
		s.wantThat(m == "index" || m == "cursor", "both methods are offered, defaultPaginationMethod is %q; it should name one of them", m)
	}
}

func configParameters(s *session) {
	plain, asked := s.get("/ServiceProviderConfig"), s.get("/ServiceProviderConfig", "startIndex", "5", "sortBy", "nothing", "unknown", "x")
	s.wantStatus(asked, http.StatusOK)
	s.wantSame("with and without parameters", &plain.value, &asked.value)
}

func configAsJSON(s *session) {
	a := s.send(request{method: http.MethodGet, path: "/ServiceProviderConfig", header: map[string]string{"Accept": "application/json"}})
	s.wantStatus(a, http.StatusOK)
	s.wantThat(strings.Contains(a.header.Get("Content-Type"), "json"), "Content-Type is %q", a.header.Get("Content-Type"))
}

// entries reads a discovery list.
func (s *session) entries(path string) []jsontree.Value {
	a := s.get(path)
	s.wantStatus(a, http.StatusOK)
	s.wantJSON(a)
	items := a.at("Resources").Items
	s.wantAll(&a.value, obj{"schemas": contains{messageURN + "ListResponse"}, "totalResults": len(items)})
	s.wantThat(len(items) > 0, "%s lists nothing", path)
	return items
}

func typesList(s *session) { s.entries("/ResourceTypes") }

func typesFields(s *session) {
	for _, t := range s.entries("/ResourceTypes") {
		s.wantAll(&t, obj{"name": anything{}, "endpoint": anything{}, "schema": anything{}, "schemas": contains{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}})
		s.wantThat(strings.HasPrefix(t.GetString("schema"), "urn:"), "the schema of %s is %q, it should be a URN", t.GetString("name"), t.GetString("schema"))
	}
}

func typesExtensions(s *session) {
	for _, t := range s.entries("/ResourceTypes") {
		for _, e := range find(&t, "schemaExtensions").Items {
			s.wantAt(&e, "schema", anything{})
			s.wantThat(find(&e, "required").IsBool(), "required of the extension %s is %s, it should be a boolean", e.GetString("schema"), text(find(&e, "required")))
		}
	}
}

func typesSchemas(s *session) {
	for _, t := range s.entries("/ResourceTypes") {
		urns := []string{t.GetString("schema")}
		for _, e := range find(&t, "schemaExtensions").Items {
			urns = append(urns, e.GetString("schema"))
		}
		for _, urn := range urns {
			a := s.get("/Schemas/" + urn)
			s.wantStatus(a, http.StatusOK)
			s.wantAt(&a.value, "id", urn)
		}
	}
}

func typesSingle(s *session) {
	for _, t := range s.entries("/ResourceTypes") {
		a := s.get("/ResourceTypes/" + t.GetString("name"))
		s.wantStatus(a, http.StatusOK)
		s.wantSame("the list and the single resource type differ", &t, &a.value)
	}
}

func unknownAt(path string) func(*session) {
	return func(s *session) { s.wantError(s.get(path), http.StatusNotFound) }
}

func typesEndpoints(s *session) {
	for _, t := range s.entries("/ResourceTypes") {
		a := s.get("/"+strings.Trim(t.GetString("endpoint"), "/"), "count", "1")
		s.wantStatus(a, http.StatusOK)
		s.wantAt(&a.value, "schemas", contains{messageURN + "ListResponse"})
	}
}

func typesUserGroup(s *session) {
	want := map[string]string{"User": userURN, "Group": groupURN}
	for _, t := range s.entries("/ResourceTypes") {
		if urn := want[t.GetString("name")]; urn != "" {
			s.wantAt(&t, "schema", urn)
			delete(want, t.GetString("name"))
		}
	}
	s.wantThat(len(want) == 0, "these resource types are missing: %v", want)
}

func locationsOf(path string) func(*session) {
	return func(s *session) {
		for _, e := range s.entries(path) {
			location := find(&e, "meta.location").Text
			if location == "" {
				s.note("without meta.location, which is permitted")
				return
			}
			s.wantThat(strings.Contains(location, path+"/"), "meta.location is %q", location)
		}
	}
}

func discoveryParameters(s *session) {
	for _, path := range [...]string{"/ResourceTypes", "/Schemas"} {
		a := s.get(path, "startIndex", "1", "count", "100", "sortBy", "name", "unknown", "x")
		s.wantStatus(a, http.StatusOK)
		s.wantAt(&a.value, "totalResults", len(s.entries(path)))
	}
}

func discoverySpelling(s *session) {
	for _, path := range [...]string{"/users?count=1", "/Users/?count=1", "//Users?count=1"} {
		s.wantStatus(s.get(path), http.StatusOK)
	}
}

func readOnlyAt(path string) func(*session) {
	return func(s *session) {
		for _, method := range [...]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			a := s.send(request{method: method, path: path, body: obj{"schemas": list{}}})
			s.wantErrors(a, []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusForbidden, http.StatusNotImplemented})
			s.note("%s %d", method, a.status)
		}
	}
}

func filterAt(path string) func(*session) {
	return func(s *session) {
		a := s.get(path, "filter", `name eq "nothing"`)
		s.wantStatus(a, http.StatusOK, http.StatusForbidden)
		if a.status == http.StatusForbidden {
			s.wantError(a, http.StatusForbidden)
		}
		s.note("answered with %d", a.status)
	}
}
