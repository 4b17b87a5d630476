package resources

import "github.com/usher-scim/usher/internal/jsontree"

// The URNs of usher's extensions (domain.md §5.2 … §5.5). What identity
// providers write and what usher decided stand in one block each; the latter is
// readOnly, added from the Standing when a record is written, and taken out again
// before rules and editors look at the document.
const (
	extensionPrefix = "urn:ietf:params:scim:schemas:extension:"

	LicenceUserURN  = extensionPrefix + "UsherLicense:2.0:User"
	LicenceGroupURN = extensionPrefix + "UsherLicense:2.0:Group"
	LifecycleURN    = extensionPrefix + "UsherLifecycle:2.0:User"
	CallingURN      = extensionPrefix + "UsherCalling:2.0:User"
	OrganizationURN = extensionPrefix + "UsherOrganization:2.0:User"
)

// facts are the paths of extension attributes that are found by an index, with
// the short names they stand under in UserAttr and GroupAttr. Short names are
// stored: never change one. Values that nearly everybody has are not indexed:
// see FactUnlisted.
var facts = map[string]string{
	LicenceUserURN + ":licenses":         "~w",
	LicenceUserURN + ":package":          "~p",
	LicenceUserURN + ":licensingOrigin":  "~o",
	LicenceUserURN + ":tier":             "~t",
	LicenceUserURN + ":effective.value":  "~v",
	LicenceUserURN + ":effective.source": "~f",
	LicenceUserURN + ":effective.status": "~s",
	LicenceUserURN + ":effective.issue":  "~e",
	LifecycleURN + ":state":              "~l",
	LifecycleURN + ":issues.code":        "~i",
	CallingURN + ":location":             "~cl",
	CallingURN + ":phoneNumber":          "~cn",
	CallingURN + ":extension":            "~cx",
	CallingURN + ":effectiveLocation":    "~ce",
	CallingURN + ":effectivePhoneNumber": "~cp",
	CallingURN + ":effectiveExtension":   "~ca",
	CallingURN + ":callingStatus":        "~cs",
	CallingURN + ":temporaryExtension":   "~ct", // only "true"
	OrganizationURN + ":provisionSource": "~ps",
	LicenceGroupURN + ":licenses":        "~w",
	LicenceGroupURN + ":templateId":      "~m",
}

// Facts that no SCIM attribute shows as they are asked for.
const (
	factHeld    = "~vs" // SKU, keySeparator, status; not for status assigned
	factPlace   = "~cd" // id of the location that the user is at
	factRole    = "~r"  // role of an administrator
	factPlaceXT = "~x"  // unique: location id, keySeparator, extension (BR-195)
)

// FactPath is the short name under which an extension attribute is indexed, for
// AttrKey in place of its path; "" when it is not.
func FactPath(path string) string {
	for p, short := range facts {
		if jsontree.EqualName(p, path) {
			return short
		}
	}
	return ""
}
