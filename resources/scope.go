package resources

import (
	"fmt"
	"slices"
	"strings"
)

// checkScopes refuses scopes that a credential cannot have: unknown ones, and
// those of administrators beside those of a connection, because one credential
// opens one door. admins says whether it can be an administrator's at all.
func checkScopes(scopes, known []Scope, admins bool) error {
	all := known
	if admins {
		all = slices.Concat(known, AdminScopes())
	}
	for _, sc := range scopes {
		if !slices.Contains(all, sc) {
			return &Error{Code: CodeInvalidValue, Field: "scopes", Detail: fmt.Sprintf("The scope %q is not known; use %s.", clip(string(sc), 40), joined(all))}
		}
		if slices.Contains(AdminScopes(), sc) != slices.Contains(AdminScopes(), scopes[0]) {
			return &Error{Code: CodeInvalidValue, Field: "scopes", Detail: "Scopes of administrators (" + joined(AdminScopes()) + ") do not go with those of a provisioning connection; issue two tokens."}
		}
	}
	return nil
}

func joined[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return strings.Join(out, ", ")
}
