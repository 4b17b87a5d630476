package resources

import (
	"encoding/json"

	"github.com/usher-scim/usher/internal/jsontree"
)

// What usher decided about a group is one thing: which template gives its members
// products. It is kept in the record's standing and shown as templateId in the
// licence extension of the document (domain.md §5.3).

// groupLicences lists the SKUs that a group's document names for its members.
func groupLicences(doc *jsontree.Value) []string {
	b := doc.Get(LicenceGroupURN)
	if b == nil || b.Kind != jsontree.Object {
		return nil
	}
	return textsOf(b.Get("licenses"))
}

// checkGroupLicences refuses products that a document newly names and that the
// catalogue does not have (BR-154) and, for strict callers, those that nobody
// could have together (BR-153): for others they are issues of the members
// (domain.md §4.13). It gives them as the catalogue spells them; what was named
// before and is no more in the catalogue is left out.
func (c *Catalogue) checkGroupLicences(named, before []string, strict bool) ([]string, error) {
	var known []string
	for _, sku := range named {
		if c.Product(sku) != nil || !containsSKU(before, sku) {
			known = append(known, sku)
		}
	}
	const field = LicenceGroupURN + ":licenses"
	if strict {
		return c.together(field, known)
	}
	var out []string
	for _, sku := range known {
		p := c.Product(sku)
		if p == nil {
			return nil, c.unknown(field, sku)
		}
		out = append(out, p.SKU)
	}
	return sortedSet(out), nil
}

// groupIn reads a stored group: its document with what was declared and decided
// when it was written.
func groupIn(rec *Record, doc *jsontree.Value) groupFacts {
	g := groupOf(doc, keysIn(rec.Standing))
	var s struct {
		Template string `json:"template"`
	}
	if len(rec.Standing) > 0 && json.Unmarshal(rec.Standing, &s) == nil {
		g.template = s.Template
	}
	return g
}

// standing is empty as long as no declared attribute has a value and no template
// gives members anything.
func (g groupFacts) standing() []byte {
	if len(g.keys) == 0 && g.template == "" {
		return nil
	}
	out := []byte{'{'}
	if g.template != "" {
		out = append(append(append(out, `"template":"`...), g.template...), '"')
	}
	if len(g.keys) > 0 {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendKeys(out, g.keys)
	}
	return append(out, '}')
}

// blocks are what a group's standing adds to its document.
func (g groupFacts) blocks() []block {
	if g.template == "" {
		return nil
	}
	return []block{{LicenceGroupURN, appendText(nil, "templateId", g.template)}}
}

// facts adds the places of extension attributes that groups are found by.
func (g groupFacts) facts(out []Entry) []Entry {
	for _, sku := range g.licences {
		out = append(out, Entry{Index: GroupAttr, Value: AttrKey("Group", facts[LicenceGroupURN+":licenses"], FoldText(sku))})
	}
	if g.template != "" {
		out = append(out, Entry{Index: GroupAttr, Value: AttrKey("Group", facts[LicenceGroupURN+":templateId"], FoldText(g.template))})
	}
	return out
}

// showTemplate writes the template that a group has by a changed plan into its
// document, in the commit of the change. A group that is gone needs nothing.
func (d *Directory) showTemplate(tx Tx, c Caller, next *Plan, group string) error {
	cur, err := tx.Read(KindGroup, group)
	if err != nil || cur == nil {
		return err
	}
	doc, err := jsontree.Parse(cur.Profile, jsontree.Limits{})
	if err != nil {
		return err
	}
	unshown(&doc)
	before := groupIn(cur, &doc)
	after := before
	if after.template = ""; next.templateAt(group) >= 0 {
		after.template = next.Templates[next.templateAt(group)].ID
	}
	if after.template == before.template {
		return nil
	}
	now := max(d.now().UnixMilli(), cur.Modified, cur.LinksModified)
	rec := *cur
	rec.Version, rec.Modified, rec.Standing = cur.Version+1, now, after.standing()
	rec.Profile = shown(&doc, group, after.blocks())
	tx.Put(cur, &rec, before.entries(group, max(cur.Modified, cur.LinksModified)), after.entries(group, now))
	tx.Event(Event{Type: "group.updated", Kind: KindGroup, ID: group, Version: rec.Version, Actor: c.Token, Request: c.Request, Changed: []string{LicenceGroupURN}})
	return nil
}
