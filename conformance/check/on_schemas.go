package check

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

func schemaChecks() []Check {
	return []Check{
		c("schema/list", "GET /Schemas is a ListResponse", "R-41", func(s *session) { s.entries("/Schemas") }),
		c("schema/single", "GET /Schemas/{urn} gives the same as the list", "R-42 CYB-13", schemaSingle),
		c("schema/unknown", "GET of an unknown schema is 404 with a SCIM error", "R-42 R-118", unknownAt("/Schemas/urn:example:nonsense")),
		c("schema/fields", "every schema has a URN as id and a list of attributes", "R-48", schemaFields),
		c("schema/attributes", "every attribute has type, multiValued, required, mutability, returned, uniqueness in their types", "R-48", schemaAttributes),
		c("schema/keywords", "types, mutability, returned and uniqueness use the keywords of RFC 7643", "R-48", schemaKeywords),
		c("schema/descriptions", "every attribute is described", "R-48", schemaDescriptions),
		c("schema/names", "attribute names are those the grammar allows", "R-4", schemaNames),
		c("schema/complex", "complex attributes list sub-attributes, and no complex one among them", "R-12 R-48", schemaComplex),
		c("schema/references", "reference attributes say what they refer to", "R-48 R-11", schemaReferences),
		c("schema/no-messages", "schemas of protocol messages are not listed", "R-19", schemaNoMessages),
		c("schema/no-nulls", "schemas hold no null, and keys are in camel case", "ENT-33", schemaNoNulls),
		c("schema/user-name", "userName is required, unique on the server and compared without case", "R-31 R-48", schemaUserName),
		c("schema/password", "password, if there is one, is never returned and cannot be read", "R-32 R-48", schemaPassword),
		c("schema/groups", "groups of a user cannot be written", "R-35", schemaGroups, userHas("groups")),
		c("schema/display-name", "displayName of groups is there", "R-37", schemaDisplayName, noGroups),
		c("schema/members", "members is multi-valued with value, and its value cannot be changed in place", "R-36 R-38", schemaMembers, noGroups),
		c("schema/manager", "manager is complex with value, and its displayName cannot be written", "R-39", schemaManager, noEnterprise),
	}
}

// eachAttribute visits the attributes of all schemas, sub-attributes too.
func (s *session) eachAttribute(visit func(path string, a *jsontree.Value)) {
	for _, schema := range s.entries("/Schemas") {
		for _, a := range find(&schema, "attributes").Items {
			visit(schema.GetString("id")+":"+a.GetString("name"), &a)
			for _, sub := range find(&a, "subAttributes").Items {
				visit(schema.GetString("id")+":"+a.GetString("name")+"."+sub.GetString("name"), &sub)
			}
		}
	}
}

func schemaSingle(s *session) {
	for _, schema := range s.entries("/Schemas") {
		a := s.get("/Schemas/" + schema.GetString("id"))
		s.wantStatus(a, http.StatusOK)
		s.wantSame("the list and the single schema differ", &schema, &a.value)
	}
}

func schemaFields(s *session) {
	for _, schema := range s.entries("/Schemas") {
		id := schema.GetString("id")
		s.wantThat(strings.HasPrefix(id, "urn:"), "the id of a schema is %q, it should be a URN", id)
		s.wantThat(len(find(&schema, "attributes").Items) > 0, "the schema %s lists no attributes", id)
	}
}

func schemaAttributes(s *session) {
	s.eachAttribute(func(path string, a *jsontree.Value) {
		for _, name := range [...]string{"name", "type", "mutability", "returned"} {
			s.wantThat(a.GetString(name) != "", "%s has no %s", path, name)
		}
		for _, name := range [...]string{"multiValued", "required"} {
			s.wantThat(find(a, name).IsBool(), "%s: %s is %s, it should be a boolean", path, name, text(find(a, name)))
		}
		if v := find(a, "caseExact"); v.Kind != jsontree.Absent {
			s.wantThat(v.IsBool(), "%s: caseExact is %s, it should be a boolean", path, text(v))
		}
	})
}

func schemaKeywords(s *session) {
	words := map[string][]string{
		"type":       {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"},
		"mutability": {"readOnly", "readWrite", "immutable", "writeOnly"},
		"returned":   {"always", "never", "default", "request"},
		"uniqueness": {"none", "server", "global"},
	}
	s.eachAttribute(func(path string, a *jsontree.Value) {
		for name, permitted := range words {
			if v := find(a, name); v.Kind != jsontree.Absent {
				s.wantThat(slices.Contains(permitted, v.Text), "%s: %s is %s, it should be one of %v", path, name, text(v), permitted)
			}
		}
	})
}

func schemaDescriptions(s *session) {
	s.eachAttribute(func(path string, a *jsontree.Value) {
		s.wantThat(a.GetString("description") != "", "%s has no description", path)
	})
}

func schemaNames(s *session) {
	grammar := regexp.MustCompile(`^(\$ref|[A-Za-z][A-Za-z0-9$_-]*)$`)
	s.eachAttribute(func(path string, a *jsontree.Value) {
		s.wantThat(grammar.MatchString(a.GetString("name")), "%q is no attribute name", path)
	})
}

func schemaComplex(s *session) {
	for _, schema := range s.entries("/Schemas") {
		for _, a := range find(&schema, "attributes").Items {
			subs := find(&a, "subAttributes").Items
			isComplex := a.GetString("type") == "complex"
			s.wantThat(isComplex == (len(subs) > 0), "%s is of type %s and has %d sub-attributes", a.GetString("name"), a.GetString("type"), len(subs))
			for _, sub := range subs {
				// The schema of schemas itself is the one exception of RFC 7643.
				s.wantThat(sub.GetString("type") != "complex" || strings.HasSuffix(schema.GetString("id"), ":Schema"),
					"%s.%s is complex inside a complex attribute", a.GetString("name"), sub.GetString("name"))
			}
		}
	}
}

func schemaReferences(s *session) {
	s.eachAttribute(func(path string, a *jsontree.Value) {
		if a.GetString("type") == "reference" {
			s.wantThat(len(find(a, "referenceTypes").Items) > 0, "%s is a reference without referenceTypes", path)
		}
	})
}

func schemaNoMessages(s *session) {
	for _, schema := range s.entries("/Schemas") {
		s.wantThat(!strings.HasPrefix(schema.GetString("id"), "urn:ietf:params:scim:api:"), "%s is listed", schema.GetString("id"))
	}
}

func schemaNoNulls(s *session) {
	s.eachAttribute(func(path string, a *jsontree.Value) {
		for i := range a.Items {
			m := &a.Items[i]
			s.wantThat(m.Kind != jsontree.Null, "%s: %s is null", path, m.Name)
			s.wantThat(m.Name != "" && m.Name[0] >= 'a' && m.Name[0] <= 'z', "%s: the key %q is not in camel case", path, m.Name)
		}
	})
}

// attribute gives the definition of an attribute, or skips the check.
func (s *session) attribute(urn, path string) *jsontree.Value {
	a := s.get("/Schemas/" + urn)
	s.wantStatus(a, http.StatusOK)
	found, at := &jsontree.Value{}, a.at("attributes")
	for step := range strings.SplitSeq(path, ".") {
		if found = attributeNamed(at, step); found == nil {
			return &jsontree.Value{}
		}
		at = find(found, "subAttributes")
	}
	return found
}

func schemaUserName(s *session) {
	a := s.attribute(userURN, "userName")
	s.wantAll(a, obj{"type": "string", "multiValued": false, "required": true, "mutability": "readWrite"})
	s.wantThat(a.GetString("uniqueness") == "server" || a.GetString("uniqueness") == "global", "uniqueness of userName is %q", a.GetString("uniqueness"))
	s.wantThat(find(a, "caseExact").Kind != jsontree.True, "userName is said to be compared with case")
}

func schemaPassword(s *session) {
	a := s.attribute(userURN, "password")
	if a.Kind == jsontree.Absent {
		s.note("password is not announced")
		return
	}
	s.wantAll(a, obj{"mutability": "writeOnly", "returned": "never"})
}

func schemaGroups(s *session) {
	s.wantAll(s.attribute(userURN, "groups"), obj{"type": "complex", "multiValued": true, "mutability": "readOnly"})
}

func schemaDisplayName(s *session) {
	a := s.attribute(groupURN, "displayName")
	s.wantAll(a, obj{"type": "string", "multiValued": false})
	s.note("required: %s", text(find(a, "required"))) // the text says required, the schema of RFC 7643 §8.7.1 false
}

func schemaMembers(s *session) {
	s.wantAll(s.attribute(groupURN, "members"), obj{"type": "complex", "multiValued": true})
	s.wantAll(s.attribute(groupURN, "members.value"), obj{"type": "string", "mutability": "immutable"})
}

func schemaManager(s *session) {
	s.wantAll(s.attribute(enterpriseURN, "manager"), obj{"type": "complex", "multiValued": false})
	s.wantAll(s.attribute(enterpriseURN, "manager.displayName"), obj{"mutability": "readOnly"})
}
