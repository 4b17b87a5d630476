package resources

import (
	"context"
	"errors"
	"slices"
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
	now                 int64           // milliseconds since 1970
	how                 *revision       // what else is asked for, or nil; at creation change and beside alone count
	direct              []string        // SKUs that the act grants directly (BR-151)
}

// rules are what an act on users is decided by.
type rules struct {
	caller    Caller
	plan      *Plan
	catalogue *Catalogue
	known     *knowledge
}

// settle compares a user before and after and is the only place that decides
// consequences: which claims are taken and released (BR-001, BR-005), the
// standing with licences, seats and numbers (domain.md §3.7, §3.8), and the
// events (BR-261). It runs inside the commit of the change.
func (d *Directory) settle(ctx context.Context, tx Tx, r rules, ch change) error {
	var before, after Standing
	if ch.before != nil {
		before = ch.before.standing
	}
	if ch.after != nil {
		after = ch.basic(r.caller, &before)
	}
	s := settling{d: d, tx: tx, rules: r, ch: &ch, before: &before, after: &after}
	if ch.after != nil {
		s.covered()
	}
	if err := s.licences(ctx); err != nil {
		return err
	}
	if ch.after != nil {
		s.lifecycle()
		if err := errors.Join(s.address(), s.mails()); err != nil {
			return err
		}
	}
	s.claims()
	s.administrators()
	if ch.after != nil {
		ch.after.standing = after
		ch.rec.Standing = after.append(make([]byte, 0, 64), ch.after.keys)
		ch.rec.Profile = shown(ch.docAfter, ch.id, after.blocks(r.catalogue, after.proves(ch.after.IdentityKey)))
	}
	s.events()
	return nil
}

// settling is one run of settle.
type settling struct {
	rules
	d             *Directory
	tx            Tx
	ch            *change
	before, after *Standing // after becomes what is decided; zero at deletion
}

// basic is the standing after a change without what is decided about licences and
// life: issues (BR-002, BR-006), and what stays.
func (ch *change) basic(c Caller, before *Standing) Standing {
	s := Standing{Source: c.Origin, Asks: c.Asks && ch.docAfter.Get("entitlements") != nil}
	if ch.before != nil {
		s = *before
		s.Issues = nil
		s.Asks = ch.asks(c, before)
		if c.Detach && c.Origin != "" {
			s.Source = c.Origin
		}
	}
	now := ch.rec.Modified
	switch {
	case ch.after.Identity == "":
		s.issue(before, CodeMissingEmail, "emails", "The user has no e-mail address, so that no mail can be sent; add one.", now)
	case ch.after.IdentityKey == "":
		s.issue(before, CodeEmailInvalid, "emails", "The e-mail address cannot be used; correct it.", now)
	}
	return s
}

// asks reports whether entitlements ask for licences from now on: who writes
// them last decides.
func (ch *change) asks(c Caller, before *Standing) bool {
	now, was := ch.docAfter.Get("entitlements"), ch.docBefore.Get("entitlements")
	switch {
	case now == nil:
		return false
	case was != nil && jsontree.Equal(was, now) || c.Origin != "":
		return before.Asks
	}
	return c.Asks
}

// administrators keeps the pool of active full administrators, of which the last
// one stays (BR-245).
func (s *settling) administrators() {
	was, is := s.before.administers(), s.after.administers()
	switch {
	case was && !is:
		s.tx.Give(adminPool, s.ch.id)
		s.tx.Least(adminPool, 1)
	case is && !was:
		s.tx.Take(Pool{Name: adminPool, Limit: -1}, s.ch.id)
	}
}

// administers reports whether the user is an active full administrator.
func (s *Standing) administers() bool {
	return s.State != StateInactive && slices.Contains(s.Roles, RoleFullAdmin)
}

// events appends what happened to the user (BR-261).
func (s *settling) events() {
	list := userEvents(s.ch)
	list = append(append(list, s.lifecycleEvents()...), s.licenceEvents()...)
	if s.ch.before != nil && s.ch.after != nil && len(list) == 0 && !s.onlySeen() {
		list = append(list, Event{Type: "user.updated", Changed: []string{LifecycleURN}})
	}
	for _, e := range list {
		if s.ch.rec != nil {
			e.Version = s.ch.rec.Version
		}
		e.Kind, e.ID, e.Actor, e.Request = KindUser, s.ch.id, s.caller.Token, s.caller.Request
		s.tx.Event(e)
	}
}

// userEvents are the events of a change of what the client said.
func userEvents(ch *change) []Event {
	switch {
	case ch.before == nil:
		return []Event{{Type: "user.created"}}
	case ch.after == nil:
		return []Event{{Type: "user.deleted", Names: []string{ch.before.UserName, ch.before.ExternalID}}}
	}
	var out []Event
	if changed := changedNames(ch.docBefore, ch.docAfter); len(changed) > 0 {
		out = append(out, Event{Type: "user.updated", Changed: changed})
	}
	switch {
	case !ch.before.Inactive && ch.after.Inactive:
		out = append(out, Event{Type: "user.deactivated"})
	case ch.before.Inactive && !ch.after.Inactive:
		out = append(out, Event{Type: "user.reactivated"})
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
	if seats := seatRefused(r); seats != nil {
		return seats
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
