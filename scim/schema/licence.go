package schema

import (
	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"

	"github.com/usher-scim/usher/resources"
)

// The schemas of a licence. The first is the one that Okta's governance looks
// for when it discovers what users can be given (OKT-18).
const (
	EntitlementURN = "urn:okta:scim:schemas:core:1.0:Entitlement"
	LicenceURN     = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:License"
)

// Licences is the resource type of the licences that an organization has. usher
// makes its resources, nobody writes them.
func Licences() scim.ResourceType {
	entitlement := usherSchema(EntitlementURN, "Entitlement", "Something that users can be given.", simples(
		field{name: "displayName", required: true, about: "The name of the entitlement, for people."},
		field{name: "type", about: "What kind of entitlement it is."},
		field{name: "description", about: "What the entitlement is good for."}))
	licence := usherSchema(LicenceURN, "Licence", "A product that users can be licensed for, and how much of it is used.", simples(
		field{name: "sku", about: "What users and groups ask for the licence by."},
		field{kind: TypeBoolean, name: "paid", about: "Whether a licence takes a seat of a subscription."},
		field{kind: TypeBoolean, name: "package", about: "Whether a user can have only one such licence."},
		field{kind: TypeInteger, name: "seatsTotal", about: "How many users can have the licence; absent without a bound."},
		field{kind: TypeInteger, name: "seatsUsed", about: "How many users have it."},
		field{kind: TypeInteger, name: "seatsReserved", about: "How many seats are kept for people who have been invited."},
		field{kind: TypeInteger, name: "seatsFree", about: "How many more users can have it; absent without a bound."},
		field{kind: TypeInteger, name: "seatsWaiting", about: "How many users wait for a seat."}))
	return scim.ResourceType{
		ID:               optional.NewString("License"),
		Name:             "License",
		Endpoint:         "/Licenses",
		Description:      optional.NewString("A licence that users can be given"),
		Schema:           entitlement,
		SchemaExtensions: []scim.SchemaExtension{{Schema: licence, Required: true}},
	}
}

// AddLicences adds the type [Licences] to a registry. It belongs to making the
// registry. An organization that declared a type of that name or endpoint before
// there was ours keeps its own.
func (r *Registry) AddLicences() error {
	rt := Licences()
	if r.taken(rt.Name, rt.Endpoint) {
		return nil
	}
	t, err := compileType(rt, resources.KindSetting)
	if err != nil {
		return err
	}
	t.Made = true
	r.Types = append(r.Types, t)
	return nil
}

// suggested gives the canonicalValues of an attribute, which for some are what
// the organization can have.
func (a *Attr) suggested(o *resources.Offer) []string {
	if !a.Own || o == nil || a.Mutability != ReadWrite {
		return a.Canonical
	}
	switch a.Lower {
	case "licenses":
		return o.SKUs
	case "package":
		return o.Packages
	case "location":
		return o.Locations
	}
	return a.Canonical
}
