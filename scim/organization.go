package scim

import (
	"bytes"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// What the extension UsherOrganization says of an organization is the same for
// all its users and can change without them. It is not stored with them: it is
// added when a user is shown, and a filter knows it without looking at anybody.

// organizationTail is how the block of a stored user begins that everything is
// added to. The block is the last member of the document (resources.shown).
const organizationTail = `"` + resources.OrganizationURN + `":{"provisionSource":"`

// longestSource is more than any provisionSource has, with the domainStatus and
// what closes the document.
const longestSource = 64

// appendOrganization copies a stored user but for its closing brace and adds
// what its organization is. A user that was last written before there was such a
// block is copied as it is.
func (v *view) appendOrganization(dst, profile []byte) []byte {
	end := len(profile) - 1
	from := max(0, len(profile)-len(organizationTail)-longestSource)
	if !bytes.HasSuffix(profile, []byte(`"}}`)) || !bytes.Contains(profile[from:], []byte(organizationTail)) {
		return append(dst, profile[:end]...)
	}
	dst = append(dst, profile[:end-1]...)
	c := v.caller
	dst = append(append(append(dst, `,"organizationId":"`...), c.Org...), '"')
	if c.OrgName != "" {
		dst = jsontree.AppendString(append(dst, `,"organizationName":`...), c.OrgName)
	}
	if c.SiteURL != "" {
		dst = jsontree.AppendString(append(dst, `,"siteUrl":`...), c.SiteURL)
	}
	return append(dst, '}')
}

// organizationValue is what an attribute of the block has for every user, "" for
// nothing.
func organizationValue(c *resources.Caller, a *schema.Attr) string {
	switch a.Lower {
	case "organizationid":
		return string(c.Org)
	case "organizationname":
		return c.OrgName
	case "siteurl":
		return c.SiteURL
	}
	return ""
}
