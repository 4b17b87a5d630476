package resources

import (
	"errors"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// change is a user before and after an act: before is nil at creation, after
// at deletion.
type change struct {
	id                  string
	before, after       *User
	rec                 *Record         // what is written, without profile and standing; nil at deletion
	docBefore, docAfter *jsontree.Value // what the client said; docBefore is nil at creation
}

// settle compares a user before and after and is the only place that decides
// consequences: which claims are taken and released (BR-001, BR-005), the
// standing, and the events (BR-261). It runs inside the commit of the change.
func (d *Directory) settle(tx Tx, c Caller, p *Plan, cat *Catalogue, ch change) {
	var had, has string
	if ch.before != nil {
		had = ch.before.IdentityKey
	}
	if ch.after != nil {
		has = ch.after.IdentityKey
	}
	if had != has {
		if had != "" {
			tx.Release(Claim{ClaimEmail, had}, ch.id)
		}
		if has != "" {
			tx.Claim(Claim{ClaimEmail, has}, ch.id)
		}
	}
	if ch.after != nil {
		ch.after.standing = ch.decide(c)
		ch.rec.Standing = ch.after.standing.append(make([]byte, 0, 64), ch.after.keys)
		ch.rec.Profile = shown(ch.docAfter, ch.id, ch.after.standing.blocks(p, cat))
	}
	for _, e := range userEvents(ch) {
		e.Kind, e.ID, e.Actor, e.Request = KindUser, ch.id, c.Token, c.Request
		tx.Event(e)
	}
}

// decide is the standing of a user after a change: its state (domain.md §3.1)
// and its issues (BR-002, BR-006).
func (ch *change) decide(c Caller) Standing {
	s := Standing{Source: c.Origin}
	var before Standing
	if ch.before != nil {
		before = ch.before.standing
		s = before
		s.Issues = nil
	}
	s.State = StateNotVerified
	if ch.after.Inactive {
		s.State = StateInactive
	}
	switch {
	case ch.after.Identity == "":
		s.issue(&before, CodeMissingEmail, "emails", "The user has no e-mail address, so that no mail can be sent; add one.", ch.rec.Modified)
	case ch.after.IdentityKey == "":
		s.issue(&before, CodeEmailInvalid, "emails", "The e-mail address cannot be used; correct it.", ch.rec.Modified)
	}
	return s
}

// userEvents are the events of a change (BR-261).
func userEvents(ch change) []Event {
	switch {
	case ch.before == nil:
		return []Event{{Type: "user.created", Version: ch.rec.Version}}
	case ch.after == nil:
		return []Event{{Type: "user.deleted", Names: []string{ch.before.UserName, ch.before.ExternalID}}}
	}
	out := []Event{{Type: "user.updated", Version: ch.rec.Version, Changed: changedNames(ch.docBefore, ch.docAfter)}}
	switch {
	case !ch.before.Inactive && ch.after.Inactive:
		out = append(out, Event{Type: "user.deactivated", Version: ch.rec.Version})
	case ch.before.Inactive && !ch.after.Inactive:
		out = append(out, Event{Type: "user.reactivated", Version: ch.rec.Version})
	}
	return out
}

// changedNames lists the top-level attributes that differ, those that are gone
// last.
func changedNames(before, after *jsontree.Value) []string {
	var out []string
	for i := range after.Items {
		m := &after.Items[i]
		if m.Name != "id" && !jsontree.Equal(m, before.Get(m.Name)) {
			out = append(out, m.Name)
		}
	}
	for i := range before.Items {
		m := &before.Items[i]
		if m.Name != "id" && after.Get(m.Name) == nil {
			out = append(out, m.Name)
		}
	}
	return out
}

// check applies a connection's userName policy (BR-004).
func (p NamePolicy) check(u *User) error {
	if p != NameEmail {
		return nil
	}
	key, ok := EmailKey(u.UserName)
	if !ok || key != u.IdentityKey {
		return &Error{Code: CodeUserNameNotEmail, Field: "userName", Detail: "userName must be the user's e-mail address on this connection; send the same address as userName and as primary e-mail."}
	}
	return nil
}

// userRefused turns a refused commit into the error of the rule behind it. It
// never names another organization (BR-003).
func userRefused(err error, c Caller, u *User) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	if taken := attributeTaken(r, c); taken != nil {
		return taken
	}
	switch r.Reason {
	case RefusedName:
		return &Error{Code: CodeUserNameInUse, Field: "userName", Detail: "userName is already in use in your organization, by the user with id " + r.Holder + "."}
	case RefusedClaim:
		if r.HolderOrg == c.Org {
			return &Error{Code: CodeEmailInUse, Field: "emails", Detail: "The e-mail address " + quoted(u.Identity) + " already belongs to a user of your organization, the one with id " + r.Holder + "."}
		}
		return &Error{Code: CodeEmailInOtherOrg, Field: "emails", Detail: "The e-mail address " + quoted(u.Identity) + " is managed by another organization; use another address."}
	}
	return err
}

func quoted(s string) string {
	return `"` + strings.ReplaceAll(clip(s, 100), `"`, `'`) + `"`
}
