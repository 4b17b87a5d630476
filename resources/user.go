package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// User is what the rules look at in a user's document.
type User struct {
	UserName    string
	ExternalID  string
	DisplayName string
	Inactive    bool     // active is false; an absent active is not false
	Emails      []string // every emails[].value, as sent
	Identity    string   // the identity e-mail as sent (BR-002), or ""
	IdentityKey string   // its EmailKey; "" when there is none or it cannot be keyed

	keys     []attrKey // values of declared attributes, see Caller.userOf and userIn
	standing Standing  // what was decided, of stored users and by settle
	wish     wishes    // licences that the document asks for, likewise
	calls    callingWish
}

// UserOf reads a user's document (a SCIM User with canonical names).
func UserOf(doc *jsontree.Value) User {
	u := User{
		UserName:    doc.GetString("userName"),
		ExternalID:  doc.GetString("externalId"),
		DisplayName: doc.GetString("displayName"),
	}
	if a := doc.Get("active"); a != nil && a.Kind == jsontree.False {
		u.Inactive = true
	}
	u.Emails, u.Identity = emailsOf(doc.Get("emails"))
	if u.Identity != "" {
		u.IdentityKey, _ = EmailKey(u.Identity)
	} else if key, ok := EmailKey(u.UserName); ok {
		u.Identity, u.IdentityKey = u.UserName, key
	}
	return u
}

// userOf reads a document that is to be written in place of cur (nil at
// creation), with the values that the caller's organization declared. Codes:
// invalid_value for too many of them.
func (c Caller) userOf(cur *Record, doc *jsontree.Value) (u User, err error) {
	u = UserOf(doc)
	if c.Declared != nil || cur != nil {
		u.keys, err = declaredKeys(c.Declared, "User", cur, doc)
	}
	return u, err
}

// userIn reads a stored user, with the values that were declared when it was
// written.
func userIn(rec *Record, doc *jsontree.Value) User {
	u := UserOf(doc)
	u.keys, u.standing = keysIn(rec.Standing), StandingOf(rec)
	u.wish, u.calls = wishesOf(doc, u.standing.Asks), callingWishOf(doc)
	return u
}

// emailsOf lists the values and chooses the identity e-mail: the primary one,
// else the first of type work, else the first (BR-002).
func emailsOf(emails *jsontree.Value) (all []string, identity string) {
	if emails == nil || emails.Kind != jsontree.Array {
		return nil, ""
	}
	const primary, work, first = 3, 2, 1
	best := 0
	all = make([]string, 0, len(emails.Items))
	for i := range emails.Items {
		e := &emails.Items[i]
		value := e.GetString("value")
		if value == "" {
			continue
		}
		all = append(all, value)
		rank := first
		if p := e.Get("primary"); p != nil && p.Kind == jsontree.True {
			rank = primary
		} else if strings.EqualFold(e.GetString("type"), "work") {
			rank = work
		}
		if rank > best {
			best, identity = rank, value
		}
	}
	return all, identity
}

// display is what groups and managers show of the user.
func (u *User) display() string {
	if u.DisplayName != "" {
		return clip(u.DisplayName, 120)
	}
	return clip(u.UserName, 120)
}

// entries are the user's places in the indexes.
func (u *User) entries(id string, modified int64) []Entry {
	out := make([]Entry, 0, 8+len(u.Emails))
	name := UserName.Key(u.UserName) // the same in both indexes
	out = append(out,
		Entry{Index: UserAll, Value: id},
		Entry{Index: UserName, Value: name},
		Entry{Index: UserNameOrder, Value: name},
		Entry{Index: UserModified, Time: modified})
	if u.DisplayName != "" {
		out = append(out, Entry{Index: UserDisplayOrder, Value: UserDisplayOrder.Key(u.DisplayName)})
	}
	if u.ExternalID != "" {
		out = append(out, Entry{Index: UserExternalID, Value: UserExternalID.Key(u.ExternalID)})
	}
	if u.Inactive {
		out = append(out, Entry{Index: UserInactive, Value: id})
	}
	for _, e := range u.Emails {
		entry := Entry{Index: UserEmail, Value: UserEmail.Key(e)}
		if !slices.Contains(out, entry) {
			out = append(out, entry)
		}
	}
	out = u.standing.Package.entries(u.facts(out))
	return keyEntries(out, KindUser, "User", u.keys)
}

// maxEmails bounds the e-mail addresses of one user: each is an index entry,
// and the work of one commit is bounded.
const maxEmails = 500

// check refuses a user that could not be stored.
func (u *User) check() error {
	if len(u.Emails) <= maxEmails {
		return nil
	}
	return &Error{Code: CodeInvalidValue, Field: "emails", Detail: fmt.Sprintf("A user has at most %d e-mail addresses; send fewer.", maxEmails)}
}

// CreateUser stores a new user. doc is a checked SCIM User without id; the
// result has the id and is what readers will see. Codes: user_name_in_use,
// email_in_use, email_in_other_organization, user_name_not_email (BR-001…004),
// invalid_value for one that is too large (security S11).
func (d *Directory) CreateUser(ctx context.Context, c Caller, doc jsontree.Value) (*Record, error) {
	return d.createUser(ctx, c, doc, nil)
}

// createUser is CreateUser with what else the act decides and takes along, of a
// user who has no standing yet; how may be nil.
func (d *Directory) createUser(ctx context.Context, c Caller, doc jsontree.Value, how *revision) (*Record, error) {
	if err := c.may(KindUser, true); err != nil {
		return nil, err
	}
	after, err := c.userOf(nil, &doc)
	if err := errors.Join(err, c.Policy.check(&after), after.check(), c.checkAddresses(nil, &after)); err != nil {
		return nil, err
	}
	unshown(&doc)
	var direct []string
	if c.Origin != "" {
		direct = grants(&doc)
	}
	known := d.knowledge(c, nil)
	var rec *Record
	err = d.untilLearned(ctx, c.Org, known, func() (err error) {
		cat, err := d.catalogue(ctx)
		if err != nil {
			return err
		}
		if err := checkSKUs(cat, direct); err != nil {
			return err
		}
		run := 0
		rec, err = d.create(ctx, c, KindUser, func(tx Tx, id string, now int64) (*Record, error) {
			run++
			rules := rules{caller: c, catalogue: cat, known: known}
			if rules.plan, err = d.planIn(ctx, tx, c.Org, run); err != nil {
				return nil, err
			}
			rec := &Record{Kind: KindUser, ID: id, Version: 1, Created: now, Modified: now, Display: after.display()}
			if err := d.settle(ctx, tx, rules, change{id: id, after: &after, rec: rec, docAfter: &doc, now: now, how: how, direct: direct}); err != nil {
				return nil, err
			}
			if how != nil {
				if err := how.beside(tx, rules.plan, id, &Standing{}, &after.standing); err != nil {
					return nil, err
				}
			}
			tx.Put(nil, rec, nil, after.entries(id, now))
			return rec, nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create user: %w", userRefused(err, c, &after))
	}
	return rec, nil
}

// Edit changes a document: it gets the stored record and its parsed profile
// and returns the new document, an object. It may run several times, on what is
// stored by then; doc is its own to change, cur is not. Whatever id the new
// document has is replaced by the stored one. Errors end the update.
type Edit func(cur *Record, doc jsontree.Value) (jsontree.Value, error)

// UpdateUser changes a user's document. When the new document means the same
// as the stored one nothing is written, and version and lastModified stay.
// The result says what readers now see and whether anything was written. Codes:
// not_found and those of [Directory.CreateUser].
func (d *Directory) UpdateUser(ctx context.Context, c Caller, id string, edit Edit) (*Record, bool, error) {
	if err := c.may(KindUser, true); err != nil {
		return nil, false, err
	}
	rec, changed, err := d.revise(ctx, c, id, revision{edit: edit, again: c.Detach})
	if err != nil {
		return nil, false, fmt.Errorf("update user: %w", err)
	}
	return rec, changed, nil
}

// editDocument gives what the client said in the stored document, and what edit
// makes of that; without edit it stays, and both results share what is in it.
func editDocument(cur *Record, edit Edit) (doc, next jsontree.Value, err error) {
	doc, err = jsontree.Parse(cur.Profile, jsontree.Limits{})
	if err != nil {
		return doc, next, fmt.Errorf("stored document of %s: %w", cur.ID, err)
	}
	unshown(&doc)
	if edit == nil {
		return doc, doc, nil
	}
	if next, err = edit(cur, doc.Clone()); err != nil {
		return doc, next, err
	}
	unshown(&next)
	next.Set("id", jsontree.Str(cur.ID))
	return doc, next, nil
}

// maxDocument bounds a stored document, in bytes, so that no series of changes
// grows one beyond what can be sent in a request (security S11).
const maxDocument = 1 << 20

// checkSize refuses a document that is too large and has not become smaller;
// before is nil at creation.
func checkSize(before, rec *Record) error {
	if len(rec.Profile) <= maxDocument || before != nil && len(rec.Profile) < len(before.Profile) {
		return nil
	}
	return &Error{Code: CodeInvalidValue, Detail: "The resource would be larger than 1 MiB; remove values before adding more."}
}

// DeleteUser removes a user, its memberships and its claims (BR-240). check,
// when not nil, may refuse after seeing the record (If-Match). A user that is
// in more groups than one commit can handle leaves them in several first, after
// check has agreed.
func (d *Directory) DeleteUser(ctx context.Context, c Caller, id string, check func(*Record) error) error {
	cat, err := d.catalogue(ctx)
	if err != nil {
		return err
	}
	return d.remove(ctx, c, KindUser, id, check, func(ctx context.Context, r removal) error {
		p, err := d.planIn(ctx, r.tx, c.Org, r.run)
		if err != nil {
			return err
		}
		before := userIn(r.cur, r.doc)
		if err := d.noteDeparture(ctx, c, &before); err != nil {
			return err
		}
		r.tx.Delete(r.cur, before.entries(id, r.cur.Modified))
		return d.settle(ctx, r.tx, rules{c, p, cat, &knowledge{}}, change{id: id, before: &before, now: d.now().UnixMilli()})
	})
}

// withID renders a document with the id behind schemas, where readers expect
// it. Whatever id the document carries is replaced.
func withID(doc *jsontree.Value, id string) []byte {
	out := append(make([]byte, 0, 1024), '{')
	if s := doc.Get("schemas"); s != nil {
		out = append(appendMember(out, s), ',')
	}
	out = append(out, `"id":"`...)
	out = append(append(out, id...), '"')
	for i := range doc.Items {
		m := &doc.Items[i]
		if !jsontree.EqualName(m.Name, "schemas") && !jsontree.EqualName(m.Name, "id") {
			out = appendMember(append(out, ','), m)
		}
	}
	return append(out, '}')
}

func appendMember(dst []byte, m *jsontree.Value) []byte {
	return m.Append(append(jsontree.AppendString(dst, m.Name), ':'))
}
