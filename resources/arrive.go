package resources

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/usher-scim/usher/internal/jsontree"
)

// nameMost is how many characters a display name has at most (BR-106).
const nameMost = 128

// personName checks the name that a person gives itself: how others see it
// (BR-106). Spaces around it do not count.
func personName(text string) (string, error) {
	name := norm.NFC.String(strings.TrimSpace(text))
	n := utf8.RuneCountInString(name)
	switch {
	case n == 0:
		return "", &Error{Code: CodeNameInvalid, Field: "displayName", Detail: "Write your name; it is what people see whom you write to or call."}
	case n > nameMost || len(text) > 16*nameMost:
		return "", &Error{Code: CodeNameInvalid, Field: "displayName", Detail: fmt.Sprintf("The name is longer than %d characters; shorten it.", nameMost)}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unseen):
		return "", &Error{Code: CodeNameInvalid, Field: "displayName", Detail: "The name has a character that cannot be seen; write it again."}
	}
	return name, nil
}

// unseen reports whether a character can only mislead whoever reads a name:
// controls, line ends, and what turns the direction of text. What joins letters in
// some scripts may stay.
func unseen(c rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return !unicode.IsPrint(c) && !unicode.Is(unicode.Zs, c) && c != nonJoiner && c != joiner
}

// Arrive ends an activation by password: displayName is taken (BR-106; ignored
// when the identity provider manages it), the user is active, the link used up, a
// session begins; what anybody may have prepared before is worthless (security
// H1). Codes: name_invalid, invalid_value when no password was chosen,
// sso_required, activation_expired, request_closed when the user is active already.
func (d *Directory) Arrive(ctx context.Context, token, displayName string, v Visitor) (cookie string, p *Person, err error) {
	a, person, err := d.choosing(ctx, token)
	if err != nil {
		return "", nil, err
	}
	if a.live.Purpose != PurposeActivate {
		return "", nil, linkExpired()
	}
	noPassword := &Error{Code: CodeInvalidValue, Field: "password", Detail: "No password was chosen yet; choose one first."}
	if len(a.live.Pending) == 0 {
		return "", nil, noPassword
	}
	now := d.now()
	r := revision{change: func(_ *Plan, s *Standing) error {
		s.signIn(MethodPassword, now)
		return nil
	}}
	if !person.NameManaged {
		name, err := personName(displayName)
		if err != nil {
			return "", nil, err
		}
		r.edit = named(name)
	}
	rec, err := d.withLink(ctx, a, r, func(tx Tx, p *Plan, after *Standing) (bool, error) {
		chosen := a.live.Pending
		if a.live.Purpose != PurposeActivate || len(chosen) == 0 {
			return false, noPassword
		}
		a.access.Password, a.access.PasswordSet = chosen, now.UnixMilli()
		a.access.clearPrepared(tx, MethodPassword, "", "")
		cookie, err = d.startSession(ctx, tx, a.org.ID, a.rec.ID, after, p, Session{Method: MethodPassword}, v)
		return true, err
	})
	if err != nil {
		return "", nil, err
	}
	p, err = d.personOf(ctx, a.org, rec)
	return cookie, p, err
}

// named is the edit that gives a user a display name.
func named(name string) Edit {
	return func(_ *Record, doc jsontree.Value) (jsontree.Value, error) {
		if doc.GetString("displayName") != name {
			doc.Set("displayName", jsontree.Str(name))
		}
		return doc, nil
	}
}

// Rename sets the displayName of who is signed in. Codes: name_invalid,
// managed_by_idp, unauthenticated when the session has ended meanwhile.
func (d *Directory) Rename(ctx context.Context, s *SignedIn, displayName string) error {
	if s.Person.NameManaged {
		return &Error{Code: CodeManagedByIDP, Field: "displayName", Detail: "Your name is managed by your identity provider; ask your administrator to change it there."}
	}
	name, err := personName(displayName)
	if err != nil {
		return err
	}
	_, _, err = d.revise(ctx, s.Caller, s.Person.ID, revision{edit: named(name), check: func(cur *Record) error {
		if !s.Session.letsIn(cur) {
			return signedOut()
		}
		return nil
	}})
	return err
}

// retire takes all links and codes away, and remembers those that activated, so
// that who follows one is sent to sign in (BR-110).
func (a *access) retire() {
	if c := a.credentialFor(PurposeActivate); c != nil {
		a.spend(c.Token)
	}
	a.Credentials = nil
}
