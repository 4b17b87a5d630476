package schema

import (
	"slices"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"
)

// URNs of the built-in schemas.
const (
	UserURN           = elimity.UserSchema
	GroupURN          = elimity.GroupSchema
	EnterpriseUserURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// Builtin returns the resource types every organization has: User with the
// enterprise extension and usher's, and Group. They have no handlers.
func Builtin() []scim.ResourceType {
	return []scim.ResourceType{
		{
			ID:               optional.NewString("User"),
			Name:             "User",
			Endpoint:         "/Users",
			Description:      optional.NewString("User Account"),
			Schema:           userSchema(),
			SchemaExtensions: slices.Insert(userExtensions(), 0, scim.SchemaExtension{Schema: elimity.ExtensionEnterpriseUser()}),
		},
		{
			ID:          optional.NewString("Group"),
			Name:        "Group",
			Endpoint:    "/Groups",
			Description: optional.NewString("Group"),
			Schema:      groupSchema(),

			SchemaExtensions: groupExtensions(),
		},
	}
}

// userSchema is the library's User without password (S10). The list has no
// spare capacity: the library appends to it (elimity.md §4).
func userSchema() elimity.Schema {
	s := elimity.CoreUserSchema()
	s.Attributes = slices.Clip(slices.DeleteFunc(s.Attributes, func(a elimity.CoreAttribute) bool {
		return Ignored(a.Name())
	}))
	return s
}

// groupSchema is RFC 7643 §8.7.1's Group, but displayName is required
// and unique on the server, and members show on request a display that usher
// fills in: it is another resource's, and reading it is most of the work of
// showing a large group.
func groupSchema() elimity.Schema {
	immutable := elimity.AttributeMutabilityImmutable()
	return elimity.Schema{
		ID:          GroupURN,
		Name:        optional.NewString("Group"),
		Description: optional.NewString("Group"),
		Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
				Name:        "displayName",
				Description: optional.NewString("A human-readable name for the Group, unique within the organization. REQUIRED."),
				Required:    true,
				Uniqueness:  elimity.AttributeUniquenessServer(),
			})),
			elimity.ComplexCoreAttribute(elimity.ComplexParams{
				Name:        "members",
				Description: optional.NewString("The users and groups that are direct members of the Group."),
				MultiValued: true,
				SubAttributes: []elimity.SimpleParams{
					elimity.SimpleStringParams(elimity.StringParams{
						Name: "value", Mutability: immutable,
						Description: optional.NewString("Identifier of the member of this Group."),
					}),
					elimity.SimpleReferenceParams(elimity.ReferenceParams{
						Name: "$ref", Mutability: immutable,
						ReferenceTypes: []elimity.AttributeReferenceType{"User", "Group"},
						Description:    optional.NewString("The URI of the User or Group that is a member."),
					}),
					elimity.SimpleStringParams(elimity.StringParams{
						Name: "type", Mutability: immutable, CanonicalValues: []string{"User", "Group"},
						Description: optional.NewString("The type of the member, 'User' or 'Group'."),
					}),
					elimity.SimpleStringParams(elimity.StringParams{
						Name: "display", Mutability: elimity.AttributeMutabilityReadOnly(),
						Returned:    elimity.AttributeReturnedRequest(),
						Description: optional.NewString("A human-readable name of the member; ask for members.display to get it."),
					}),
				},
			}),
		},
	}
}

// commonAttributes are the library's id, externalId and meta, and schemas.
// The library's schemas attribute is replaced: usher itself keeps the list, so
// it is readOnly here and always returned.
func commonAttributes() []elimity.CoreAttribute {
	out := []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleReferenceParams(elimity.ReferenceParams{
			Name:           "schemas",
			Description:    optional.NewString("The URIs of the schemas that the resource has attributes of."),
			MultiValued:    true,
			Required:       true,
			Mutability:     elimity.AttributeMutabilityReadOnly(),
			Returned:       elimity.AttributeReturnedAlways(),
			ReferenceTypes: []elimity.AttributeReferenceType{elimity.AttributeReferenceTypeURI},
		})),
	}
	for _, a := range elimity.CommonAttributes() {
		if a.Name() != "schemas" {
			out = append(out, a)
		}
	}
	return out
}
