package resources

import (
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// mails decides which mails follow from a change of a user: the activation mail
// (BR-080, BR-081) and the one that tells of lost licences (E-15). It costs users
// whom neither concerns a few comparisons.
func (s *settling) mails() error {
	s.bounced()
	if s.newlyAdded() {
		s.decideMail()
	}
	s.dueDigest()
	if lost, kept := s.lostLicences(); len(lost) > 0 {
		return s.d.queueMail(s.tx, &Mail{
			Template: MailLicences, User: s.ch.id, To: s.ch.after.Identity, Trigger: TriggerSystem,
			Data: MailData{Lost: lost, Kept: kept},
		})
	}
	return nil
}

// newlyAdded reports whether the automatic activation mail is to be decided on:
// the user has a paid licence, has never signed in, and can be written to. Until
// there is an address nothing is decided.
func (s *settling) newlyAdded() bool {
	return s.after.Tier == "licensed" && (s.after.Mails == nil || s.after.Mails.Decided <= 0) &&
		s.after.arrives() && s.ch.after.IdentityKey != ""
}

// arrives reports whether a user has yet to sign in for the first time, and may.
func (s *Standing) arrives() bool {
	return s.State != StateInactive && s.State != StateActive && !s.activated()
}

// decideMail decides on the automatic mail, once for ever: what is not sent now
// is not made up for (BR-087, BR-094).
func (s *settling) decideMail() {
	m := s.after.mails()
	at := max(s.ch.now, 1-m.Decided)
	m.Decided = at
	s.after.Mails = &m
	if !s.plan.Settings.ManualMails && !suppressed(s.ch.docAfter) {
		s.tx.Due("a"+s.ch.id, time.UnixMilli(s.ch.now))
	}
}

// mails is a copy of what was decided and sent, for change: standings share it.
func (s *Standing) mails() Mails {
	if s.Mails == nil {
		return Mails{}
	}
	return *s.Mails
}

// suppressed reports whether who wrote the document wants no automatic mail for
// the user (BR-094).
func suppressed(doc *jsontree.Value) bool {
	block := doc.Get(LifecycleURN)
	if block == nil || block.Kind != jsontree.Object {
		return false
	}
	v := block.Get("suppressActivationEmail")
	return v != nil && v.Kind == jsontree.True
}

// bounced keeps the issue of an address that the mail server refused, until the
// address changes or a mail is sent (BR-262).
func (s *settling) bounced() {
	if s.after.Mails == nil {
		return
	}
	s.after.Issues = slices.DeleteFunc(s.after.Issues, func(i Issue) bool { return i.Code == CodeMailBounced })
	switch s.after.Mails.Bounced {
	case "":
	case s.ch.after.IdentityKey:
		s.after.issue(s.before, CodeMailBounced, "emails", "The mail server refused a mail to this address for good; correct the address, or send the activation mail again once the mailbox is there.", s.ch.now)
	default:
		m := s.after.mails()
		m.Bounced = ""
		s.after.Mails = &m
	}
}

// lostLicences names the paid products that somebody loses who has been written
// to, or has signed in, and those that stay. Whoever is deactivated knows.
func (s *settling) lostLicences() (lost, kept []string) {
	if s.ch.before == nil || s.before.Tier != "licensed" || s.plan.Settings.NoLicenceMails ||
		s.ch.after.Inactive || s.ch.before.Inactive || s.ch.after.IdentityKey == "" {
		return nil, nil
	}
	known := s.after.activated() || s.after.Mails != nil && s.after.Mails.Count > 0
	if !known {
		return nil, nil
	}
	for i := range s.before.Licences {
		was := &s.before.Licences[i]
		p := s.catalogue.Product(was.SKU)
		if was.Status != Assigned || p != nil && !p.Paid {
			continue
		}
		if is := s.after.Licence(was.SKU); is == nil || is.Status != Assigned {
			lost = append(lost, s.catalogue.nameOf(was.SKU))
		}
	}
	if len(lost) == 0 {
		return nil, nil
	}
	for i := range s.after.Licences {
		if a := &s.after.Licences[i]; a.Status == Assigned {
			kept = append(kept, s.catalogue.nameOf(a.SKU))
		}
	}
	return lost, kept
}

// nameOf is what people call a product.
func (c *Catalogue) nameOf(sku string) string {
	if p := c.Product(sku); p != nil && p.Name != "" {
		return p.Name
	}
	return sku
}
