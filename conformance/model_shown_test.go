package conformance_test

import "slices"

// What usher adds to every user (domain.md §5.2, §5.4, §5.5), of organizations
// that subscribe to nothing.

const (
	licenceURN      = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User"
	lifecycleURN    = "urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User"
	organizationURN = "urn:ietf:params:scim:schemas:extension:UsherOrganization:2.0:User"
)

// decided adds to a user as it is shown what usher decided.
func (tn *tenant) decided(body object) {
	state := "not_verified"
	if body["active"] == false {
		state = "inactive"
	}
	lifecycle := object{"state": state, "emailVerified": false, "invitePending": true}
	if identity(body) == "" {
		code := "missing_email"
		if addressed(body) {
			code = "email_invalid"
		}
		lifecycle["issues"] = []any{object{"code": code, "attribute": "emails"}}
	}
	body[licenceURN] = object{"licensingOrigin": "automatic", "tier": "unlicensed"}
	body[lifecycleURN] = lifecycle
	body[organizationURN] = object{"provisionSource": "SCIM", "organizationId": string(tn.ID), "organizationName": tn.Slug, "domainStatus": "none"}
	body["schemas"] = append(slices.Clone(list(body["schemas"])), licenceURN, lifecycleURN, organizationURN)
}

// addressed reports whether a user has any e-mail address, good or not.
func addressed(doc object) bool {
	return slices.ContainsFunc(list(doc["emails"]), func(e any) bool { return text(e.(object), "value") != "" })
}

// undated takes out of an issue since when there is one, and its words.
func undated(v object) {
	if v["code"] != nil && v["since"] != nil {
		delete(v, "since")
		delete(v, "detail")
	}
}
