package resources

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// mootness says why a mail is not to be sent any more; the zero value says that it
// is.
type mootness struct {
	text string
	// anew: the reason may come to an end, and what was decided on by usher itself
	// and not sent is decided on again then.
	anew bool
}

// moot looks whether there is still a reason to send a mail.
func (p *posting) moot() mootness {
	m, s := p.m, &p.standing
	switch {
	case p.gone:
		return mootness{text: "the user is gone"}
	case s.State == StateInactive && m.Template != MailAccessChange && m.Template != MailOldAddress:
		return mootness{text: "the user is inactive", anew: true}
	}
	switch m.Template {
	case MailActivate, MailReminder, MailAgain:
		if !s.arrives() {
			return mootness{text: "the user is active already"}
		}
		return p.mootInvitation()
	case MailReset:
		return p.moved()
	case MailLicences:
		if p.plan.Settings.NoLicenceMails {
			return mootness{text: "mails about licences are switched off"}
		}
		if !p.stillLost() {
			return mootness{text: "the licences are there again"}
		}
	case MailDigest:
		if p.plan.Settings.NoDigest || !slices.Contains(s.Roles, RoleFullAdmin) {
			return mootness{text: "the digest is switched off, or the user is no full administrator any more"}
		}
	}
	return mootness{}
}

// mootInvitation is moot of a mail that brings somebody in who has yet to come.
func (p *posting) mootInvitation() mootness {
	switch {
	case p.m.Template == MailAgain:
		return p.moved()
	case p.user.IdentityKey == "":
		return mootness{text: "the user has no address", anew: true}
	case p.m.Trigger != TriggerAuto && p.m.Trigger != TriggerReminder:
		return mootness{}
	case p.plan.Settings.ManualMails:
		return mootness{text: "automatic activation mails are switched off"}
	case suppressed(&p.doc):
		return mootness{text: "the activation mail is suppressed for the user"}
	case p.standing.Tier != "licensed":
		return mootness{text: "the user has no paid licence any more", anew: true}
	}
	return mootness{}
}

// moved reports whether the address is not the user's any more who asked for the
// mail.
func (p *posting) moved() mootness {
	if key, _ := EmailKey(p.m.To); key == p.user.reachedAt(p.m.Purpose) && key != "" {
		return mootness{}
	}
	return mootness{text: "the address is not the user's any more"}
}

// stillLost leaves of the products that were lost those that the user does not
// have again, and reports whether there are any.
func (p *posting) stillLost() bool {
	has := make(map[string]bool)
	for i := range p.standing.Licences {
		if a := &p.standing.Licences[i]; a.Status == Assigned {
			has[p.cat.nameOf(a.SKU)] = true
		}
	}
	p.m.Data.Lost = slices.DeleteFunc(p.m.Data.Lost, func(name string) bool { return has[name] })
	return len(p.m.Data.Lost) > 0
}

// cancel ends a mail that is not to be sent any more. What usher decided on by
// itself before the user was deactivated, or lost the licence, may be decided on
// once more: nobody has been written to yet.
func (p *posting) cancel(ctx context.Context, why mootness) error {
	p.m.State, p.m.Answer = MailCancelled, why.text
	note := func(tx Tx) error {
		p.m.note(tx, "mail.cancelled")
		return nil
	}
	if !why.anew || p.m.Trigger != TriggerAuto {
		return p.commit(ctx, note)
	}
	return p.withUser(ctx, func(s *Standing) {
		if mails := s.mails(); mails.Decided > 0 && mails.Count == 0 {
			mails.Decided = -mails.Decided
			s.Mails = &mails
		}
	}, note, nil)
}

// letter makes what rendering needs, with a fresh link where the mail has one.
func (p *posting) letter(ctx context.Context) (Letter, error) {
	m := p.m
	if m.Language == "" || m.invites() {
		m.Language = p.plan.languageOf(&p.doc, &p.standing)
	}
	out := Letter{
		Name: cmp.Or(calledBy(&p.doc), p.user.display()), Org: cmp.Or(p.org.Name, p.org.Slug), Slug: p.org.Slug,
		Proven: p.standing.proves(p.user.IdentityKey), Calls: p.calls(), TimeZone: p.zone(), Settings: p.plan.Settings,
	}
	way, err := p.d.wayInto(ctx, p.org, p.user.IdentityKey, &p.standing)
	if err != nil {
		return out, err
	}
	out.SSO = way.Connection != ""
	if m.Purpose != "" {
		token, code, expires, err := p.d.mint(ctx, p.l, m)
		if err != nil {
			return out, fmt.Errorf("make a link: %w", err)
		}
		out.Path, out.Code, out.Expires = m.Purpose.path(token), code, time.UnixMilli(expires).UTC()
	}
	out.Mail = *m
	return out, nil
}

// path is where the link of a mail leads, from the server's root.
func (u Purpose) path(token string) string {
	switch u {
	case PurposeReset:
		return "/reset?t=" + token
	case PurposeVerify:
		return "/verify?t=" + token
	}
	return "/activate?t=" + token
}

// calls reports whether the user has a product to call with (BR-100).
func (p *posting) calls() bool {
	return slices.ContainsFunc(p.standing.Licences, func(a Assignment) bool {
		product := p.cat.Product(a.SKU)
		return a.Status == Assigned && product != nil && slices.Contains(product.Capabilities, CapabilityCalling)
	})
}

// zone is the time zone of dates in a mail: the user's, that of the location, of
// the organization.
func (p *posting) zone() string {
	zones := []string{p.doc.GetString("timezone"), "", p.plan.Settings.TimeZone}
	if l := p.plan.placeOf(&p.standing); l != nil {
		zones[1] = l.TimeZone
	}
	for _, z := range zones {
		if z != "" && isZone(z) {
			return z
		}
	}
	return ""
}

// placeOf is the location that a user is at; nil for none.
func (p *Plan) placeOf(s *Standing) *Location {
	if s.Calling == nil {
		return nil
	}
	return p.location(s.Calling.Location)
}
