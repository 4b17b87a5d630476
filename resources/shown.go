package resources

import (
	"slices"
	"strconv"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// A stored document is what readers see: what the client said, and in the blocks
// of usher's extensions also what usher decided. unshown takes the latter out
// before anybody edits, compares or judges a document, shown puts it in when a
// record is written.

// decided are the attributes of the extension blocks that usher writes and
// clients cannot (readOnly in domain.md §5.2 … §5.5).
var decided = map[string][]string{
	LicenceUserURN:  {"licensingOrigin", "tier", "effective"},
	LicenceGroupURN: {"templateId", "memberCount", "assignedCount", "errorCount"},
	LifecycleURN: {
		"state", "emailVerified", "invitePending", "firstSignInAt", "lastSignInAt", "activatedAt", "activationMethod",
		"activationEmailLastSentAt", "activationEmailCount", "issues",
	},
	CallingURN:      {"effectiveLocation", "effectivePhoneNumber", "effectiveExtension", "temporaryExtension", "callingStatus"},
	OrganizationURN: {"organizationId", "organizationName", "siteUrl", "provisionSource", "domainStatus"},
}

// unshown leaves of a document what the client said. Blocks that have nothing
// else go, and their URNs with them.
func unshown(doc *jsontree.Value) {
	for urn, names := range decided {
		block := doc.Get(urn)
		if block == nil || block.Kind != jsontree.Object {
			continue
		}
		for _, name := range names {
			block.Delete(name)
		}
		if len(block.Items) > 0 {
			continue
		}
		doc.Delete(urn)
		if s := doc.Get("schemas"); s != nil {
			s.Items = slices.DeleteFunc(s.Items, func(v jsontree.Value) bool { return jsontree.EqualName(v.Text, urn) })
		}
	}
}

// block is what usher adds to one extension: members of a JSON object, each with
// a comma before it.
type block struct {
	urn  string
	body []byte
}

// shown renders a document with the id behind schemas, where readers expect it,
// and with what was decided. Whatever id the document carries is replaced. The
// last block ends the document, so that who shows it can add to it; the client
// never writes there.
func shown(doc *jsontree.Value, id string, blocks []block) []byte {
	out := append(make([]byte, 0, 2048), `{"schemas":[`...)
	schemas := doc.Get("schemas")
	first := true
	add := func(urn string) {
		if !first {
			out = append(out, ',')
		}
		first = false
		out = jsontree.AppendString(out, urn)
	}
	if schemas != nil {
		for i := range schemas.Items {
			add(schemas.Items[i].Text)
		}
	}
	for i := range blocks {
		if doc.Get(blocks[i].urn) == nil {
			add(blocks[i].urn)
		}
	}
	out = append(append(append(out, `],"id":"`...), id...), '"')
	for i := range doc.Items {
		m := &doc.Items[i]
		if jsontree.EqualName(m.Name, "schemas") || jsontree.EqualName(m.Name, "id") {
			continue
		}
		out = appendMember(append(out, ','), m)
		for j := range blocks {
			if jsontree.EqualName(blocks[j].urn, m.Name) {
				out = append(append(out[:len(out)-1], blocks[j].body...), '}')
			}
		}
	}
	for i := range blocks {
		if doc.Get(blocks[i].urn) == nil {
			out = jsontree.AppendString(append(out, ','), blocks[i].urn)
			out = append(append(append(out, `:{`...), blocks[i].body[1:]...), '}')
		}
	}
	return append(out, '}')
}

// blocks are what a user's standing adds to its document. The organization's
// block is the last. verified says whether the identity address is proven.
func (s *Standing) blocks(cat *Catalogue, verified bool) []block {
	out := make([]block, 0, 4)
	out = append(out, block{LicenceUserURN, s.licenceBlock(cat)})
	if body := s.callingBlock(); len(body) > 0 {
		out = append(out, block{CallingURN, body})
	}
	out = append(out, block{LifecycleURN, s.lifecycleBlock(verified)})
	source := s.Source
	if source == "" {
		source = "SCIM"
	}
	domain := "none"
	if s.Covered {
		domain = string(DomainVerified)
	}
	owner := appendText(make([]byte, 0, 64), "provisionSource", source)
	return append(out, block{OrganizationURN, appendText(owner, "domainStatus", domain)})
}

func (s *Standing) licenceBlock(cat *Catalogue) []byte {
	origin := s.Origin
	if origin == "" {
		origin = OriginAutomatic
	}
	out := appendText(make([]byte, 0, 64), "licensingOrigin", string(origin))
	out = appendText(out, "tier", s.tier(cat))
	if len(s.Licences) == 0 {
		return out
	}
	out = append(out, `,"effective":[`...)
	for i := range s.Licences {
		a := &s.Licences[i]
		start := len(out)
		out = appendText(out, "value", a.SKU)
		if p := cat.Product(a.SKU); p != nil {
			out = appendText(out, "display", p.Name)
		}
		if len(a.Sources) > 0 {
			out = appendText(out, "source", string(a.Sources[0].Type))
			if a.Sources[0].Ref != "" {
				out = appendText(out, "sourceRef", a.Sources[0].Ref)
			}
		}
		out = appendText(out, "status", string(a.Status))
		if a.Issue != "" {
			out = appendText(out, "issue", string(a.Issue))
		}
		out = appendInstant(out, "since", a.Since)
		out = closeElement(out, start, i)
	}
	return append(out, ']')
}

// closeElement makes the members written since start an element of an array.
func closeElement(out []byte, start, i int) []byte {
	out[start] = '{'
	out = append(out, '}')
	if i > 0 {
		out = slices.Insert(out, start, ',')
	}
	return out
}

func (s *Standing) lifecycleBlock(verified bool) []byte {
	out := appendText(make([]byte, 0, 96), "state", s.State)
	out = strconv.AppendBool(append(out, `,"emailVerified":`...), verified)
	out = strconv.AppendBool(append(out, `,"invitePending":`...), !s.activated())
	if l := s.Login; l != nil && l.Method != "" {
		out = appendText(out, "activationMethod", string(l.Method))
	}
	if len(s.Issues) == 0 {
		return out
	}
	out = append(out, `,"issues":[`...)
	for i := range s.Issues {
		issue := &s.Issues[i]
		start := len(out)
		out = appendText(out, "code", string(issue.Code))
		if issue.Attribute != "" {
			out = appendText(out, "attribute", issue.Attribute)
		}
		if issue.Detail != "" {
			out = appendText(out, "detail", issue.Detail)
		}
		if issue.Since > 0 {
			out = appendInstant(out, "since", issue.Since)
		}
		out = closeElement(out, start, i)
	}
	return append(out, ']')
}

// callingBlock is empty for who has nothing to do with calling.
func (s *Standing) callingBlock() []byte {
	c := s.Calling
	if c == nil {
		return nil
	}
	var out []byte
	if c.Place != "" { // as the index has it
		out = appendText(out, "effectiveLocation", c.Place)
	}
	if c.Number != "" {
		out = appendText(out, "effectivePhoneNumber", c.Number)
	}
	if c.Extension != "" {
		out = appendText(out, "effectiveExtension", c.Extension)
		out = strconv.AppendBool(append(out, `,"temporaryExtension":`...), c.Temporary)
	}
	status := c.Status
	if status == "" {
		status = "none"
	}
	return appendText(out, "callingStatus", status)
}

// appendText writes a member with a comma before it. Names need no escaping.
func appendText(dst []byte, name, text string) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return jsontree.AppendString(dst, text)
}

// appendInstant writes milliseconds as dates are shown.
func appendInstant(dst []byte, name string, ms int64) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":"`...)
	dst = time.UnixMilli(ms).UTC().AppendFormat(dst, shownTime)
	return append(dst, '"')
}
