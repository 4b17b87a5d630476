package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The bounds of one template.
const (
	templateGroups = 200
	templateSKUs   = 50
)

// Templates lists templates: the organization's first, then those of groups in
// order of creation.
func (d *Directory) Templates(ctx context.Context, c Caller) ([]Template, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	out := p.clone().Templates
	slices.SortStableFunc(out, func(a, b Template) int {
		if a.Type != b.Type && a.Type == TemplateOrg {
			return -1
		}
		if a.Type != b.Type && b.Type == TemplateOrg {
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// checked brings a template into the form it is stored in and refuses what
// cannot be whatever else there is.
func (t Template) checked(cat *Catalogue) (Template, error) {
	if t.Type != TemplateOrg && t.Type != TemplateGroup {
		return t, invalidField("type", "The type of a template is org or group.")
	}
	t.Name = strings.TrimSpace(t.Name)
	if len(t.Name) > 100 || hasControl(t.Name) {
		return t, invalidField("name", "The name of a template is at most 100 bytes long, without control characters.")
	}
	if len(t.SKUs) == 0 || len(t.SKUs) > templateSKUs {
		return t, invalidField("skus", "A template gives 1 to %d products; delete it to give none.", templateSKUs)
	}
	skus, err := cat.together("skus", t.SKUs)
	if err != nil {
		return t, err
	}
	t.SKUs, t.Groups = skus, sortedSet(t.Groups)
	switch {
	case t.Type == TemplateOrg && len(t.Groups) > 0:
		return t, invalidField("groups", "The organization's template is for everybody; make one of type group for members of groups.")
	case t.Type == TemplateGroup && (len(t.Groups) == 0 || len(t.Groups) > templateGroups):
		return t, invalidField("groups", "A group template is for 1 to %d groups, by id.", templateGroups)
	}
	for _, g := range t.Groups {
		if k, ok := KindOf(g); !ok || k != KindGroup {
			return t, noGroup(g)
		}
	}
	return t, nil
}

// together brings SKUs that are given at once into the catalogue's spelling, and
// refuses what nobody could have together (BR-153, BR-154).
func (c *Catalogue) together(field string, skus []string) ([]string, error) {
	var out []string
	for _, sku := range skus {
		p := c.Product(sku)
		if p == nil {
			return nil, c.unknown(field, sku)
		}
		for _, other := range out {
			q := c.Product(other)
			if p != q && (p.Package && q.Package || containsFold(p.Exclusive, q.SKU) || containsFold(q.Exclusive, p.SKU)) {
				return nil, &Error{Code: CodeLicenceConflict, Field: field, Detail: "Nobody can have " + p.SKU + " and " + q.SKU + " together; give one of them."}
			}
		}
		out = append(out, p.SKU)
	}
	return sortedSet(out), nil
}

func containsFold(list []string, sku string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return FoldSKU(s) == FoldSKU(sku) })
}

func noGroup(id string) error {
	return &Error{Code: CodeNotFound, Field: "groups", Detail: "There is no group with the id " + quoted(id) + "."}
}

// PutTemplate writes a template: id "" makes a new one. held is the alert when
// taking products away waits for an administrator (BR-165); jobs follow members.
// The organization's template is for users created from now on; ApplyTemplate
// gives it to others. Codes: invalid_value, sku_unknown, licence_conflict,
// not_found, template_in_use, too_many.
func (d *Directory) PutTemplate(ctx context.Context, c Caller, t Template) (out Template, held *Alert, err error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return t, nil, err
	}
	cat, err := d.loadCatalogue(ctx)
	if err != nil {
		return t, nil, err
	}
	if out, err = t.checked(cat); err != nil {
		return t, nil, err
	}
	if err := d.knownGroups(ctx, c.Org, out.Groups); err != nil {
		return t, nil, err
	}
	fresh := ""
	if out.ID == "" {
		if fresh, _, err = d.idFor(c, KindSetting); err != nil {
			return t, nil, err
		}
	}
	held, err = d.changeTemplates(ctx, c, "template.updated", func(p *Plan) error {
		at := p.template(out.ID)
		if fresh != "" {
			at = p.template(fresh)
		}
		switch {
		case fresh != "" && at != nil: // an earlier run of the same request has made it
			out = *at
			return errSame
		case fresh != "":
			out.ID = fresh
			p.Templates = append(p.Templates, out)
			return p.checkTemplates(&out)
		case at == nil:
			return noTemplate()
		}
		if err := c.seen(*at); err != nil {
			return err
		}
		if at.Type != out.Type {
			return invalidField("type", "The type of a template cannot change; delete it and make another.")
		}
		*at = out
		return p.checkTemplates(&out)
	})
	return out, held, err
}

func noTemplate() error { return &Error{Code: CodeNotFound, Detail: "There is no such template."} }

// template finds a template by id; nil when there is none.
func (p *Plan) template(id string) *Template {
	for i := range p.Templates {
		if p.Templates[i].ID == id {
			return &p.Templates[i]
		}
	}
	return nil
}

// checkTemplates refuses a template that another one leaves no room for.
func (p *Plan) checkTemplates(t *Template) error {
	if len(p.Templates) > maxTemplates {
		return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d templates.", maxTemplates)}
	}
	for i := range p.Templates {
		o := &p.Templates[i]
		if o.ID == t.ID {
			continue
		}
		if t.Type == TemplateOrg && o.Type == TemplateOrg {
			return &Error{Code: CodeTemplateInUse, Field: "type", Detail: "The organization has a template already, the one with id " + o.ID + "; change that one."}
		}
		for _, g := range t.Groups {
			if slices.Contains(o.Groups, g) {
				return &Error{Code: CodeTemplateInUse, Field: "groups", Detail: "The group with id " + g + " has a template already, the one with id " + o.ID + "; change that one."}
			}
		}
	}
	return nil
}

// knownGroups refuses groups that do not exist.
func (d *Directory) knownGroups(ctx context.Context, org OrgID, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	known, err := d.store.Exist(ctx, org, groups)
	if err != nil {
		return fmt.Errorf("look groups up: %w", err)
	}
	for i, ok := range known {
		if !ok {
			return noGroup(groups[i])
		}
	}
	return nil
}

// DeleteTemplate removes a template; see PutTemplate. What the organization's
// template has given stays until ApplyTemplate of another one says otherwise.
func (d *Directory) DeleteTemplate(ctx context.Context, c Caller, id string) (held *Alert, err error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	return d.changeTemplates(ctx, c, "template.deleted", func(p *Plan) error {
		at := p.template(id)
		if at == nil {
			return noTemplate()
		}
		if err := c.seen(*at); err != nil {
			return err
		}
		p.Templates = slices.DeleteFunc(p.Templates, func(t Template) bool { return t.ID == id })
		return nil
	})
}
