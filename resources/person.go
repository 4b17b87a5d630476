package resources

import (
	"context"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Person is what pages show of who is signed in or being activated.
type Person struct {
	ID          string
	Org         OrgID
	Slug        string
	OrgName     string
	UserName    string
	DisplayName string
	GivenName   string
	FamilyName  string
	Called      string // as calledBy tells
	Email       string // identity e-mail as sent, or ""
	Proven      bool   // the e-mail is known to be the person's
	Language    string // en or fr: the user's, else the organization's (BR-093)
	State       string
	Licences    []string // names of the products that are assigned
	SKUs        []string // of the same, for programs
	Roles       []Role
	NameManaged bool // displayName is the identity provider's to change (BR-106)
	Groups      []string

	Settings Settings // of the organization
}

// personOf tells who a stored user is. rec has Groups when they shall be shown.
func (d *Directory) personOf(ctx context.Context, o *Organization, rec *Record) (*Person, error) {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	plan, err := d.planFor(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	cat, err := d.catalogue(ctx)
	if err != nil {
		return nil, err
	}
	u, n := userIn(rec, &doc), callingNames(&doc)
	s := &u.standing
	p := &Person{
		ID: rec.ID, Org: o.ID, Slug: o.Slug, OrgName: o.Name, UserName: u.UserName, DisplayName: u.DisplayName,
		GivenName: n.given, FamilyName: n.family, Email: u.Identity, Language: plan.languageOf(&doc, s), State: s.State,
		Proven: s.proves(u.IdentityKey), Roles: s.Roles, NameManaged: s.Source == "", Settings: plan.Settings,
	}
	p.Called = calledBy(&doc)
	for i := range s.Licences {
		if a := &s.Licences[i]; a.Status == Assigned {
			name := a.SKU
			if product := cat.Product(a.SKU); product != nil {
				name = product.Name
			}
			p.Licences, p.SKUs = append(p.Licences, name), append(p.SKUs, a.SKU)
		}
	}
	for _, g := range rec.Groups {
		p.Groups = append(p.Groups, g.Display)
	}
	return p, nil
}

// calledBy is what somebody is called in pages and mails: displayName, which many
// identity providers do not send, else the name in full, else the given and the
// family name; "" when there is none of them.
func calledBy(doc *jsontree.Value) string {
	n := callingNames(doc)
	if shown := strings.TrimSpace(n.shown); shown != "" {
		return clip(shown, 120)
	}
	if name := doc.Get("name"); name != nil && name.Kind == jsontree.Object {
		if full := strings.TrimSpace(name.GetString("formatted")); full != "" {
			return clip(full, 120)
		}
	}
	return clip(strings.TrimSpace(strings.TrimSpace(n.given)+" "+strings.TrimSpace(n.family)), 120)
}

// The languages of what people read.
const (
	languageEnglish = "en"
	languageFrench  = "fr"
)

// languageOf is the language in which a user is spoken to: the one it prefers,
// else that of its location, else the organization's (BR-093). What is neither
// English nor French does not count.
func (p *Plan) languageOf(doc *jsontree.Value, s *Standing) string {
	wishes := []string{doc.GetString("preferredLanguage"), "", p.Settings.Language}
	if s.Calling != nil {
		if l := p.location(s.Calling.Location); l != nil {
			wishes[1] = l.Language
		}
	}
	for _, wish := range wishes {
		if l := knownLanguage(wish); l != "" {
			return l
		}
	}
	return languageEnglish
}

// knownLanguage is the first language of a text such as "de, fr-CA;q=0.7" that
// there are texts in; "" for none (RFC 9110 §12.5.4, as preferredLanguage is
// written, RFC 7643 §4.1.1).
func knownLanguage(text string) string {
	for tag := range strings.SplitSeq(clip(text, 200), ",") {
		tag, _, _ = strings.Cut(tag, ";")
		tag = strings.ToLower(strings.TrimSpace(tag))
		for _, l := range []string{languageEnglish, languageFrench} {
			if tag == l || strings.HasPrefix(tag, l+"-") || strings.HasPrefix(tag, l+"_") {
				return l
			}
		}
	}
	return ""
}
