package schema

import (
	"slices"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/resources"
)

// usher's own extensions (domain.md §5.2 … §5.5): optional on every resource.
// What providers write is flat and takes any value of its type; codes, SKUs and
// names compare without case (BR-154), ids with.

// userExtensions are usher's extensions of User. The organization's stands last,
// as in documents.
func userExtensions() []scim.SchemaExtension {
	return []scim.SchemaExtension{
		{Schema: usherSchema(resources.LicenceUserURN, "User licences", "Which licences a user shall have, and has.", licenceFields())},
		{Schema: usherSchema(resources.LifecycleURN, "User lifecycle", "Where a user is in its life, and why something is not as it was asked for.", lifecycleFields())},
		{Schema: usherSchema(resources.CallingURN, "User calling", "What a user shall be reached by, and is.", callingFields())},
		{Schema: usherSchema(resources.OrganizationURN, "User organization", "What a user belongs to, and how it came there.", organizationFields())},
	}
}

// groupExtensions are usher's extensions of Group.
func groupExtensions() []scim.SchemaExtension {
	return []scim.SchemaExtension{
		{Schema: usherSchema(resources.LicenceGroupURN, "Group licences", "Which licences the members of a group get.", groupLicenceFields())},
	}
}

func usherSchema(urn, name, about string, fields []elimity.CoreAttribute) elimity.Schema {
	return elimity.Schema{ID: urn, Name: optional.NewString(name), Description: optional.NewString(about), Attributes: fields}
}

// simples makes attributes without sub-attributes. The list has no spare
// capacity, see userSchema.
func simples(fields ...field) []elimity.CoreAttribute {
	out := make([]elimity.CoreAttribute, len(fields))
	for i, f := range fields {
		out[i] = elimity.SimpleCoreAttribute(f.params())
	}
	return out
}

func licenceFields() []elimity.CoreAttribute {
	effective := field{name: "effective", many: true, about: "The licences the user really has, or waits for."}.with(
		field{name: "value", about: "The SKU of the licence."},
		field{name: "display", about: "The name of the licence."},
		field{
			name: "source", about: "Where the licence comes from; of several sources the one that counts first.",
			canonical: []string{"scim", "direct", "registration", "invitation", "group", "org_template"},
		},
		field{name: "sourceRef", exact: true, about: "The id of the group or template that the licence comes from."},
		field{name: "status", about: "Whether the user has the licence.", canonical: []string{"assigned", "reserved", "error"}},
		field{name: "issue", about: "Why the user does not have the licence."},
		field{kind: TypeDateTime, name: "since", about: "Since when the status is what it is."})
	out := simples(
		field{name: "licenses", many: true, written: true, about: "SKUs of the licences that the user shall have."},
		field{name: "package", written: true, about: "SKU of the package that the user shall have; at most one."},
		field{name: "licensingOrigin", about: "Whether licences were named when the user was created.", canonical: []string{"explicit", "automatic"}},
		field{name: "tier", about: "What kind of user the licences make.", canonical: []string{"licensed", "basic", "unlicensed"}})
	return slices.Clip(append(out, effective))
}

func groupLicenceFields() []elimity.CoreAttribute {
	return simples(
		field{name: "licenses", many: true, written: true, about: "SKUs of the licences that every direct member shall have."},
		field{name: "templateId", exact: true, about: "The id of the template that gives the licences."},
		field{kind: TypeInteger, name: "memberCount", asked: true, about: "How many direct members the group has."},
		field{kind: TypeInteger, name: "assignedCount", asked: true, about: "How many of them have all the licences."},
		field{kind: TypeInteger, name: "errorCount", asked: true, about: "How many of them lack one of the licences."})
}

func lifecycleFields() []elimity.CoreAttribute {
	issues := field{name: "issues", many: true, about: "Why something is not as it was asked for; empty when everything is."}.with(
		field{name: "code", about: "The stable name of the reason."},
		field{name: "attribute", about: "The attribute it is about."},
		field{name: "detail", about: "A sentence with reason and remedy."},
		field{kind: TypeDateTime, name: "since", about: "Since when it is so."})
	out := simples(
		field{
			name: "state", about: "Where the user is in its life.",
			canonical: []string{"invited", "not_verified", "verified", "active", "inactive", "conversion_pending"},
		},
		field{kind: TypeBoolean, name: "emailVerified", about: "Whether the e-mail address is known to reach the user."},
		field{kind: TypeBoolean, name: "invitePending", about: "Whether the user has still to activate."},
		field{kind: TypeDateTime, name: "firstSignInAt", asked: true, about: "When the user signed in first."},
		field{kind: TypeDateTime, name: "lastSignInAt", asked: true, about: "When the user signed in last."},
		field{kind: TypeDateTime, name: "activatedAt", asked: true, about: "When the user activated."},
		field{name: "activationMethod", about: "How the user activated.", canonical: []string{"password", "sso"}},
		field{kind: TypeDateTime, name: "activationEmailLastSentAt", asked: true, about: "When an activation e-mail was sent last."},
		field{kind: TypeInteger, name: "activationEmailCount", asked: true, about: "How many activation e-mails were sent."},
		field{kind: TypeBoolean, name: "suppressActivationEmail", written: true, about: "Whether the user shall get no activation e-mail by itself."})
	return slices.Clip(append(out, issues))
}

func callingFields() []elimity.CoreAttribute {
	return simples(
		field{name: "location", written: true, about: "The location that the user shall be at: its id, externalId or name."},
		field{name: "phoneNumber", written: true, about: "The telephone number that the user shall have, in E.164."},
		field{name: "extension", written: true, about: "The extension that the user shall have, digits."},
		field{name: "effectiveLocation", about: "The location the user is at."},
		field{name: "effectivePhoneNumber", about: "The telephone number the user has."},
		field{name: "effectiveExtension", about: "The extension the user has."},
		field{kind: TypeBoolean, name: "temporaryExtension", about: "Whether the extension is one until there is a number."},
		field{name: "callingStatus", about: "Whether the user can call.", canonical: []string{"none", "pending", "assigned", "error"}})
}

func organizationFields() []elimity.CoreAttribute {
	return simples(
		field{name: "organizationId", exact: true, about: "The id of the organization."},
		field{name: "organizationName", about: "The name of the organization."},
		field{name: "siteUrl", about: "The address of the organization's service site."},
		field{
			name: "provisionSource", about: "How the user came in.",
			canonical: []string{"SCIM", "CONSOLE", "CSV", "API", "JIT", "REGISTRATION", "INVITATION", "CONVERSION"},
		},
		field{name: "domainStatus", about: "What the organization has proved of the domain of the user's e-mail address.", canonical: []string{"none", "verified", "claimed"}})
}

// ownKeys notes of an attribute of usher's extensions where its values are.
func (a *Attr) ownKeys() {
	a.Own = true
	if a.Key = resources.FactPath(a.path); a.Key != "" {
		a.Listed = true
	}
	a.Fixed = a.URN == resources.OrganizationURN && a.Lower != "provisionsource" && a.Lower != "domainstatus"
	a.Apart = a.URN == resources.LifecycleURN && a.Returned == Request
	a.Counted = a.URN == resources.LicenceGroupURN && a.Returned == Request
	for _, sub := range a.Subs {
		sub.ownKeys()
	}
}
