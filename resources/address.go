package resources

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// addressReverts is how long an address that an administrator gave to somebody
// waits to be confirmed (BR-005).
const addressReverts = 15 * 24 * time.Hour

// Moved is an identity address that is not confirmed yet, part of the standing: an
// administrator gave another one to somebody who had come in already. The old one
// stays the user's, so that it can come back (BR-005).
type Moved struct {
	Old   string `json:"o"`           // the address until then, as it was sent
	Key   string `json:"k"`           // its EmailKey, which the user holds on to
	Name  string `json:"u,omitempty"` // the userName until then, when it was the address
	New   string `json:"n"`           // EmailKey of the one that is not confirmed
	Until int64  `json:"t"`           // when the old one comes back, milliseconds since 1970
}

// claimed are the addresses that a user holds, as EmailKey: its own, and an old one
// that may come back. Places that are not used are empty.
func claimed(own string, m *Moved) [2]string {
	keys := [2]string{own}
	if m != nil && m.Key != own {
		keys[1] = m.Key
	}
	return keys
}

// claims takes and gives back addresses (BR-001, BR-005).
func (s *settling) claims() {
	var had, has [2]string
	if s.ch.before != nil {
		had = claimed(s.ch.before.IdentityKey, s.before.Moved)
	}
	if s.ch.after != nil {
		has = claimed(s.ch.after.IdentityKey, s.after.Moved)
	}
	if had == has {
		return
	}
	for _, key := range had {
		if key != "" && key != has[0] && key != has[1] {
			s.tx.Release(Claim{ClaimEmail, key}, s.ch.id)
		}
	}
	for _, key := range has {
		if key != "" && key != had[0] && key != had[1] {
			s.tx.Claim(Claim{ClaimEmail, key}, s.ch.id)
		}
	}
}

// address decides what follows from another identity address of somebody who has
// come in already: who had the old one is told (security H3), who has the new one
// is asked to confirm it, and one that an administrator gave goes back when nobody
// does (BR-005). Addresses in verified domains need no confirmation, and a change
// within them is the organization's own affair.
func (s *settling) address() error {
	ch := s.ch
	if ch.before == nil {
		return nil
	}
	had, has := ch.before.IdentityKey, ch.after.IdentityKey
	if had == has {
		if s.after.Moved != nil && s.after.proves(has) {
			s.after.Moved = nil
		}
		return nil
	}
	was := s.before.Moved
	s.after.Moved = nil
	switch {
	case had == "" || has == "", !s.after.activated(), ch.after.Inactive:
		return nil
	case s.before.Covered && s.after.Covered, was != nil && was.Key == has:
		return nil
	}
	m := Moved{Old: ch.before.Identity, Key: had, New: has}
	if key, _ := EmailKey(ch.before.UserName); key == had && ch.before.UserName != ch.after.UserName {
		m.Name = ch.before.UserName
	}
	if was != nil { // the one before was not confirmed either
		m.Old, m.Key, m.Name = was.Old, was.Key, was.Name
	}
	data := MailData{Old: m.Old, New: ch.after.Identity}
	confirmed := s.after.proves(has)
	if !confirmed && s.caller.Origin != "" {
		until := instant(time.UnixMilli(ch.now).Add(addressReverts))
		m.Until, data.Until = until.UnixMilli(), until
		s.after.Moved = &m
		s.tx.Due(itemOfAddress(ch.id), until)
	}
	told := Mail{Template: MailOldAddress, User: ch.id, To: m.Old, Trigger: TriggerSystem, By: s.caller.Token, Data: data}
	if err := s.d.queueMail(s.tx, &told); err != nil || confirmed {
		return err
	}
	return s.d.queueMail(s.tx, &Mail{
		Template: MailNewAddress, User: ch.id, To: ch.after.Identity, Trigger: TriggerSystem, By: s.caller.Token, Purpose: PurposeVerify, Data: data,
	})
}

// itemOfAddress is the item by which an address that was not confirmed goes back.
func itemOfAddress(user string) string { return "e" + user }

// workAddress puts an old address back once the time to confirm the new one has
// passed (BR-005). The old one is still the user's; should its userName be
// somebody else's by now, that stays as it is.
func (d *Directory) workAddress(ctx context.Context, l Lease, item DueItem, user string) error {
	r := revision{lease: &l, item: &item, edit: d.putBack(true)}
	r.change = func(_ *Plan, s *Standing) error {
		if s.Moved != nil && s.Moved.Until <= d.now().UnixMilli() {
			s.Moved = nil
		}
		return nil
	}
	r.beside = func(tx Tx, _ *Plan, _ string, _, after *Standing) error {
		if after.Moved != nil { // changed again since
			tx.Due(item.Item, time.UnixMilli(after.Moved.Until))
		}
		return nil
	}
	_, _, err := d.revise(ctx, l.worker(), user, r)
	if HasCode(err, CodeUserNameInUse) {
		r.edit = d.putBack(false)
		_, _, err = d.revise(ctx, l.worker(), user, r)
	}
	if HasCode(err, CodeNotFound) { // no id of a user: nothing will ever be there
		return d.drop(ctx, l, item)
	}
	if err != nil {
		return fmt.Errorf("put the address of %s back: %w", user, err)
	}
	return nil
}

// putBack makes the edit that brings an old address back whose time has come; the
// userName as well when it says so.
func (d *Directory) putBack(name bool) Edit {
	return func(cur *Record, doc jsontree.Value) (jsontree.Value, error) {
		s := StandingOf(cur)
		m := s.Moved
		if m == nil || d.now().UnixMilli() < m.Until {
			return doc, nil
		}
		if emails := doc.Get("emails"); emails != nil && emails.Kind == jsontree.Array {
			for i := range emails.Items {
				e := &emails.Items[i]
				if key, _ := EmailKey(e.GetString("value")); key == m.New {
					e.Set("value", jsontree.Str(m.Old))
				}
			}
		}
		if key, _ := EmailKey(doc.GetString("userName")); name && m.Name != "" && key == m.New {
			doc.Set("userName", jsontree.Str(m.Name))
		}
		return doc, nil
	}
}
