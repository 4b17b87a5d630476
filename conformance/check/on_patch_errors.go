package check

import (
	"net/http"

	"github.com/usher-scim/usher/internal/jsontree"
)

// faultRow is a PATCH that must be refused and leave no trace.
type faultRow struct {
	id, title, sources string
	body               any
	scimTypes          []string
}

func (row faultRow) check() Check {
	return c(row.id, row.title, row.sources, func(s *session) {
		u := s.user(obj{"displayName": "Amélie"})
		s.wantUntouched(u, func() {
			a := s.send(request{method: http.MethodPatch, path: u.path(), body: row.body})
			s.wantError(a, http.StatusBadRequest, row.scimTypes...)
		})
	}, noPatch)
}

func patchErrorChecks() []Check {
	var out []Check
	for _, row := range append(patchBodyFaults(), patchFaults()...) {
		out = append(out, row.check())
	}
	return append(out,
		c("patch/unknown-id", "PATCH of an unknown user is 404", "R-108", patchUnknown("/Users"), noPatch),
		c("patch/unknown-group", "PATCH of an unknown group is 404", "R-108", patchUnknown("/Groups"), noPatch, noGroups),
		c("patch/conflict", "a userName somebody else has is 409 uniqueness and changes nothing", "R-107 ENT-13", patchConflict, noPatch),
		c("patch/replace-filtered-unmatched", "replace by a value filter that finds nothing is noTarget, or under entra creates the value", "R-103 L-7 ENT-11", patchUnmatched, noPatch, userHas("phoneNumbers")),
		c("patch/add-filtered-unmatched", "add by a value filter that finds nothing creates the value or is noTarget", "R-93 L-7 ENT-11", patchAddUnmatched, noPatch, userHas("phoneNumbers")),
		c("patch/remove-filtered-unmatched", "remove by a value filter that finds nothing succeeds or is noTarget, and takes nothing", "R-96 R-98", patchRemoveUnmatched, noPatch, userHas("phoneNumbers")),
		c("patch/remove-required", "remove of userName is refused", "R-97", patchRemoveRequired, noPatch),
		c("patch/remove-required-group", "remove of the displayName of a group is refused", "R-97 R-37", patchRemoveDisplayName, noPatch, noGroups),
	)
}

func ops(all ...any) obj {
	return obj{"schemas": list{messageURN + "PatchOp"}, "Operations": all}
}

// patchBodyFaults are bodies that are no PatchOp.
func patchBodyFaults() []faultRow {
	syntax := []string{"invalidSyntax", "invalidValue"}
	return []faultRow{
		{"patch/no-schemas", "a PATCH without schemas is 400 invalidSyntax", "R-88", obj{"Operations": list{replace("title", "x")}}, syntax},
		{"patch/wrong-schemas", "a PATCH with another schema is 400 invalidSyntax", "R-88", obj{"schemas": list{userURN}, "Operations": list{replace("title", "x")}}, syntax},
		{"patch/no-operations", "a PATCH without Operations is 400 invalidSyntax", "R-88", obj{"schemas": list{messageURN + "PatchOp"}}, syntax},
		{"patch/empty-operations", "a PATCH with empty Operations is 400 invalidSyntax", "R-88", ops(), syntax},
		{"patch/operations-object", "Operations that is no list is 400", "R-88", obj{"schemas": list{messageURN + "PatchOp"}, "Operations": "replace"}, syntax},
		{"patch/unknown-op", "an unknown op is 400 invalidSyntax", "R-88", ops(obj{"op": "move", "path": "title", "value": "x"}), syntax},
		{"patch/no-op", "an operation without op is 400 invalidSyntax", "R-88", ops(obj{"path": "title", "value": "x"}), syntax},
		{"patch/operation-no-object", "an operation that is no object is 400", "R-88", ops("replace"), syntax},
		{"patch/plain-resource", "a resource as body of a PATCH is 400", "R-88", obj{"schemas": list{userURN}, "displayName": "x"}, syntax},
	}
}

// patchFaults are operations that cannot be done.
func patchFaults() []faultRow {
	path, value := []string{"invalidPath"}, []string{"invalidValue", "invalidSyntax"}
	return []faultRow{
		{"patch/bad-path", "a path outside the grammar is 400 invalidPath", "R-89", ops(replace("name..familyName", "x")), path},
		{"patch/bad-path-brackets", "a path with an open bracket is 400 invalidPath", "R-89", ops(replace(`emails[type eq "work"`, "x")), []string{"invalidPath", "invalidFilter"}},
		{"patch/bad-path-pointer", "a JSON Pointer is 400 invalidPath", "R-89", ops(replace("/name/familyName", "x")), path},
		{"patch/bad-path-index", "an array index is 400 invalidPath", "R-89", ops(replace("emails[0].value", "x")), []string{"invalidPath", "invalidFilter"}},
		{"patch/bad-path-trailing-dot", "a path that ends in a dot is 400 invalidPath", "R-89", ops(replace("name.", "x")), path},
		{"patch/bad-path-too-deep", "a path into a sub-attribute's sub-attribute is 400 invalidPath", "R-89 R-12", ops(replace("name.familyName.x", "y")), path},
		{"patch/bad-value-filter", "a value filter with an unknown operator is 400", "R-89 R-65", ops(replace(`emails[type like "work"].value`, "x")), []string{"invalidPath", "invalidFilter"}},
		{"patch/remove-without-path", "remove without path is 400 noTarget", "R-95", ops(obj{"op": "remove"}), []string{"noTarget"}},
		{"patch/add-without-value", "add without value is 400", "R-92", ops(obj{"op": "add", "path": "title"}), value},
		{"patch/pathless-without-value", "add without path and value is 400", "R-92", ops(obj{"op": "add"}), value},
		{"patch/pathless-text", "add of a text without path is 400", "R-92", ops(add("", "text")), value},
		{"patch/pathless-list", "add of a list without path is 400", "R-92", ops(add("", list{"a"})), value},
		{"patch/wrong-type", "a text for a complex value is 400", "R-53", ops(replace("name", 7)), value},
		{"patch/wrong-type-boolean", "a word for a boolean is 400", "R-53 R-7", ops(replace("active", "perhaps")), value},
		{"patch/wrong-type-list", "a list for a single text is 400", "R-53", ops(replace("displayName", list{"a", "b"})), value},
		{"patch/empty-user-name", "an empty userName is 400", "R-31 R-97", ops(replace("userName", "")), []string{"invalidValue", "mutability"}},
		{"patch/null-user-name", "null for userName is 400", "R-31 R-97", ops(replace("userName", nil)), []string{"invalidValue", "mutability"}},
		{"patch/read-only-id", "another id is 400 mutability", "R-105", ops(replace("id", "other")), []string{"mutability"}},
		{"patch/read-only-meta", "meta.created is 400 mutability", "R-105", ops(replace("meta.created", "2001-01-01T00:00:00Z")), []string{"mutability"}},
		{"patch/remove-id", "remove of id is 400 mutability", "R-97 R-105", ops(remove("id")), []string{"mutability"}},
		{"patch/remove-meta", "remove of meta is 400 mutability", "R-97 R-105", ops(remove("meta")), []string{"mutability"}},
	}
}

func patchUnknown(endpoint string) func(*session) {
	return func(s *session) {
		s.wantError(s.patch(endpoint+"/9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff", replace("displayName", "x")), http.StatusNotFound)
	}
}

func patchConflict(s *session) {
	u, other := s.user(), s.user()
	s.wantUntouched(u, func() {
		a := s.patch(u.path(), replace("displayName", "New"), replace("userName", other.value.GetString("userName")))
		s.wantError(a, http.StatusConflict, "uniqueness")
	})
}

func patchUnmatched(s *session) {
	u := s.user(obj{"phoneNumbers": workHome()[:1]})
	a := s.patch(u.path(), replace(`phoneNumbers[type eq "mobile"].value`, "+336"))
	if s.is("entra", "generic") {
		s.wantStatus(a, http.StatusOK, http.StatusNoContent)
		s.wantStored(u, obj{"phoneNumbers": append(workHome()[:1], obj{"type": "mobile", "value": "+336"})})
		return
	}
	s.wantError(a, http.StatusBadRequest, "noTarget")
	s.wantStored(u, obj{"phoneNumbers": workHome()[:1]})
}

func patchAddUnmatched(s *session) {
	u := s.user(obj{"phoneNumbers": workHome()[:1]})
	a := s.patch(u.path(), add(`phoneNumbers[type eq "mobile"].value`, "+336"))
	if a.status == http.StatusBadRequest && !s.is("entra", "generic") {
		s.wantError(a, http.StatusBadRequest, "noTarget", "invalidPath")
		s.note("noTarget")
		s.wantStored(u, obj{"phoneNumbers": workHome()[:1]})
		return
	}
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.note("the value is created")
	s.wantStored(u, obj{"phoneNumbers": append(workHome()[:1], obj{"type": "mobile", "value": "+336"})})
}

func patchRemoveUnmatched(s *session) {
	u := s.user(obj{"phoneNumbers": workHome()})
	a := s.patch(u.path(), remove(`phoneNumbers[type eq "mobile"]`))
	if a.status >= http.StatusMultipleChoices {
		s.wantError(a, http.StatusBadRequest, "noTarget")
	}
	s.note("answered with %d", a.status)
	s.wantStored(u, obj{"phoneNumbers": workHome()})
}

func patchRemoveRequired(s *session) {
	u := s.user()
	s.wantUntouched(u, func() {
		s.wantError(s.patch(u.path(), remove("userName")), http.StatusBadRequest, "mutability", "invalidValue")
	})
}

func patchRemoveDisplayName(s *session) {
	g := s.group()
	a := s.patch(g.path(), remove("displayName"))
	if a.status < http.StatusMultipleChoices && !s.displayNameRequired() {
		s.note("displayName is not required by the announced schema")
		return
	}
	s.wantError(a, http.StatusBadRequest, "mutability", "invalidValue")
	s.wantStored(g, obj{"displayName": g.value.GetString("displayName")})
}

func (s *session) displayNameRequired() bool {
	return find(s.attribute(groupURN, "displayName"), "required").Kind == jsontree.True
}
