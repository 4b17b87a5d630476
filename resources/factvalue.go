package resources

import (
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// OwnURN reports whether a schema URN lies in the namespace of usher's own
// extensions, which no organization can declare.
func OwnURN(urn string) bool {
	const own = extensionPrefix + "Usher"
	if len(urn) < len(own) || !jsontree.EqualName(urn[:len(own)], own) {
		return false
	}
	for _, name := range [...]string{"License:", "Lifecycle:", "Calling:", "Organization:"} {
		if rest := urn[len(own):]; len(rest) >= len(name) && jsontree.EqualName(rest[:len(name)], name) {
			return true
		}
	}
	return false
}

// FactUnlisted is the value of a fact that nearly everybody has and that
// therefore stands in no index, as it is shown; "" when all values do. short is
// what FactPath gives.
func FactUnlisted(short string) string {
	switch short {
	case facts[LicenceUserURN+":licensingOrigin"]:
		return string(OriginAutomatic)
	case facts[LicenceUserURN+":tier"]:
		return "unlicensed"
	case facts[LicenceUserURN+":effective.status"]:
		return string(Assigned)
	case facts[OrganizationURN+":provisionSource"]:
		return "SCIM"
	case facts[CallingURN+":callingStatus"]:
		return "none"
	case facts[CallingURN+":temporaryExtension"]:
		return "false"
	}
	return ""
}

// FactListed reports whether a value of a fact stands in its index; prefix tells
// that value is the beginning of the values asked for. Letters count without
// case.
func FactListed(short, value string, prefix bool) bool {
	common := string(FoldText(FactUnlisted(short)))
	value = string(FoldText(value))
	if prefix {
		return common == "" || !strings.HasPrefix(common, value)
	}
	return value != common
}
