package resources

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/seal"
)

const (
	linkBytes   = 20 // of a link's secret: 160 bits, 32 characters
	linkLength  = 2*idLength + linkBytes*8/5
	spentKept   = 8                   // links that others replaced and that are still known
	activateFor = 10 * 24 * time.Hour // BR-101
	otherwise   = 24 * time.Hour      // links of other purposes (NIST SP 800-63B-4)
)

// lifetime is how long links of a purpose work.
func (p Purpose) lifetime() time.Duration {
	switch p {
	case PurposeActivate:
		return activateFor
	case PurposeVerify:
		return addressReverts
	}
	return otherwise
}

// linkToken is the text in a link, taken apart: whose it is, and what proves
// that usher made it.
type linkToken struct {
	org    OrgID
	user   string
	secret string
}

// String gives the text: the id of the organization, that of the user, the secret.
func (t linkToken) String() string { return string(t.org) + t.user + t.secret }

// hash is what the store keeps of the secret.
func (t linkToken) hash() []byte {
	sum := sha256.Sum256([]byte(t.secret))
	return sum[:]
}

// parseLink takes the text of a link apart without trusting any of it.
func parseLink(text string) (t linkToken, ok bool) {
	if len(text) != linkLength {
		return t, false
	}
	t = linkToken{OrgID(text[:idLength]), text[idLength : 2*idLength], text[2*idLength:]}
	if k, ok := KindOf(string(t.org)); !ok || k != KindOrg {
		return linkToken{}, false
	}
	if k, ok := KindOf(t.user); !ok || k != KindUser {
		return linkToken{}, false
	}
	raw, err := secretEncoding.DecodeString(t.secret)
	if err != nil || secretEncoding.EncodeToString(raw) != t.secret {
		return linkToken{}, false // the decoder alone skips line ends
	}
	return t, true
}

// carried is what one mail carries: its link and code follow from its id, and from
// what they are good for, so that a mail that is sent once more, to another address
// or after access was ended, does not revive what it carried before.
type carried struct {
	org OrgID
	*credential
	user string
}

func (c carried) context(what string) string {
	return fmt.Sprintf("%s|%s|%s|%s|%s|%d|%s", what, c.org, c.user, c.Mail, c.Purpose, c.Epoch, c.SentTo)
}

// link is the link of the mail, made with a derived value.
func (c carried) link(derived []byte) linkToken {
	return linkToken{c.org, c.user, secretEncoding.EncodeToString(derived[:linkBytes])}
}

// linkLike finds the link of the mail that has the stored hash: keys may have
// been exchanged since it was made. ok is false when none of them made it.
func (c carried) linkLike(keys *seal.Keys, hash []byte) (t linkToken, ok bool) {
	for _, derived := range keys.DeriveAll(c.context("link")) {
		if l := c.link(derived); subtle.ConstantTimeCompare(l.hash(), hash) == 1 {
			t, ok = l, true
		}
	}
	return t, ok
}

// code is the code of the mail: six digits, all of them as likely (BR-101).
func (c carried) code(keys *seal.Keys) string {
	n := binary.BigEndian.Uint64(keys.Derive(c.context("code"))) // the remainder favours some by less than 2⁻⁴⁴
	return fmt.Sprintf("%06d", n%1_000_000)
}

// codeHash is what the store keeps of a code. Who has not the key cannot try
// codes against it.
func (c carried) codeHash(keys *seal.Keys, code string) []byte {
	return keys.Derive(c.context("code hash") + "|" + code)
}

// codeIs compares a code with a stored hash, the same work whatever it is.
func (c carried) codeIs(keys *seal.Keys, code string, hash []byte) bool {
	same := 0
	for _, h := range keys.DeriveAll(c.context("code hash") + "|" + code) {
		same |= subtle.ConstantTimeCompare(h, hash)
	}
	return same == 1
}

// mint makes the link and code that a mail carries, and notes their hashes: those
// of an earlier mail for the same purpose are worthless from then on. Done again
// for the same mail it gives the same ones. It is part of the work on the mail,
// under its lease; a lease without a token is none. Where the organization hides
// codes there is none (BR-102), nor with links that do not activate.
//
// Codes: not_found, user_inactive, request_closed when the mail has no reason any
// more: the user has another address, is active already, or a later mail has been
// sent.
func (d *Directory) mint(ctx context.Context, l Lease, m *Mail) (token, code string, expires int64, err error) {
	keys, err := d.keys(ctx)
	if err != nil {
		return "", "", 0, err
	}
	var link linkToken
	run := 0
	_, err = d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
		run++
		if l.Token != "" {
			tx.Fence(l)
		}
		p, err := d.planIn(ctx, tx, l.Org, run)
		if err != nil {
			return err
		}
		next := credential{Purpose: m.Purpose, Mail: m.ID}
		a, err := d.mailable(tx, m, &next)
		if err != nil {
			return err
		}
		of := carried{l.Org, &next, m.User}
		link, code = of.link(keys.Derive(of.context("link"))), ""
		next.Token = link.hash()
		if m.Purpose == PurposeActivate && !p.Settings.HideCode {
			code = of.code(keys)
			next.Code = of.codeHash(keys, code)
		}
		now := d.now()
		until, changed, err := a.issue(next, now)
		if expires = until; err != nil || !changed {
			return err
		}
		return a.put(tx, now)
	})
	if err != nil {
		return "", "", 0, fmt.Errorf("make a link: %w", err)
	}
	return link.String(), code, expires, nil
}

// mailable reads what lets the user of a mail in, and notes in the credential
// what it depends on. It refuses a mail that leads nowhere.
func (d *Directory) mailable(tx Tx, m *Mail, next *credential) (*access, error) {
	rec, err := tx.Read(KindUser, m.User)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, notFound(KindUser)
	}
	u, err := storedUser(rec)
	if err != nil {
		return nil, err
	}
	s := &u.standing
	key, ok := EmailKey(m.To)
	switch {
	case u.Inactive:
		return nil, &Error{Code: CodeUserInactive, Detail: "The user is not active in the directory; set active first."}
	case !ok || key != u.reachedAt(m.Purpose):
		return nil, &Error{Code: CodeRequestClosed, Detail: "The user has another address by now; send a new mail."}
	case m.Purpose == PurposeActivate && s.activated():
		return nil, &Error{Code: CodeRequestClosed, Detail: "The user is active already."}
	case m.Purpose == PurposeReset && !s.activated():
		return nil, &Error{Code: CodeRequestClosed, Detail: "The user has no password to reset."}
	}
	next.Epoch, next.SentTo = s.Epoch, key
	return accessIn(tx, m.User)
}

// issue takes a credential in: it replaces the one of its purpose. One of the
// same mail stays as it is, with more time when less than half of it is left, as
// its mail is about to be sent. changed says that there is something to store.
func (a *access) issue(next credential, now time.Time) (expires int64, changed bool, err error) {
	next.Issued, next.Expires = now.UnixMilli(), now.Add(next.Purpose.lifetime()).UnixMilli()
	old := a.credentialFor(next.Purpose)
	switch {
	case old == nil:
		a.Credentials = append(a.Credentials, next)
		return next.Expires, true, nil
	case old.Mail > next.Mail:
		return 0, false, &Error{Code: CodeRequestClosed, Detail: "A later mail has been sent to the user."}
	case old.Mail == next.Mail && old.Used != 0:
		return 0, false, &Error{Code: CodeRequestClosed, Detail: "The link of the mail has been used."}
	}
	same := old.Epoch == next.Epoch && old.SentTo == next.SentTo
	if old.Mail == next.Mail && same && slices.Equal(old.Token, next.Token) {
		if left := old.Expires - next.Issued; left >= next.Purpose.lifetime().Milliseconds()/2 {
			return old.Expires, false, nil
		}
		old.Expires = next.Expires
		return old.Expires, true, nil
	}
	// A password that was chosen by the old link goes with it: somebody else may have
	// had that mail (security H1).
	if old.Purpose == PurposeActivate && !slices.Equal(old.Token, next.Token) {
		a.spend(old.Token)
	}
	*old = next
	return next.Expires, true, nil
}

// spend remembers an activation link that does nothing any more (BR-110).
func (a *access) spend(token []byte) {
	a.Spent = append(a.Spent, token)
	a.Spent = a.Spent[max(0, len(a.Spent)-spentKept):]
}

// found is the credential of a link; nil when the link is none that is known.
// spent says that it was one, before another replaced it.
func (a *access) found(t linkToken) (c *credential, spent bool) {
	hash := t.hash()
	for i := range a.Credentials {
		if subtle.ConstantTimeCompare(a.Credentials[i].Token, hash) == 1 {
			c = &a.Credentials[i]
		}
	}
	for _, old := range a.Spent {
		spent = subtle.ConstantTimeCompare(old, hash) == 1 || spent
	}
	return c, spent
}

// works reports whether the link or code can still be used (domain.md §3.2): not
// when it was used or has expired, nor when the user was deactivated, has another
// address, or whatever else ends access.
func (c *credential) works(u *User, now time.Time) bool {
	return c != nil && c.Used == 0 && now.UnixMilli() < c.Expires && !u.Inactive &&
		c.Epoch == u.standing.Epoch && c.SentTo == u.reachedAt(c.Purpose) && c.SentTo != ""
}

// reachedAt is the address, as EmailKey, that a link for a purpose can be sent to:
// the identity address, but for another password the one before it, as long as it
// may come back. Who has an address that nobody has confirmed yet gets nothing that
// opens what there is.
func (u *User) reachedAt(p Purpose) string {
	if m := u.standing.Moved; p == PurposeReset && m != nil {
		return m.Key
	}
	return u.IdentityKey
}

// confirmed is the address, as it was sent, that a user is told at what happens to
// its access.
func (u *User) confirmed() string {
	if m := u.standing.Moved; m != nil {
		return m.Old
	}
	return u.Identity
}
