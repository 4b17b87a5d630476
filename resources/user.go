package resources

import (
	"context"
	"fmt"
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
	if u.Identity == "" && strings.Contains(u.UserName, "@") {
		if _, ok := EmailKey(u.UserName); ok {
			u.Identity = u.UserName
		}
	}
	if key, ok := EmailKey(u.Identity); ok {
		u.IdentityKey = key
	}
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
	out = append(out,
		Entry{Index: UserAll, Value: id},
		Entry{Index: UserName, Value: UserName.Key(u.UserName)},
		Entry{Index: UserNameOrder, Value: UserNameOrder.Key(u.UserName)},
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
		if !contains(out, entry) {
			out = append(out, entry)
		}
	}
	return out
}

func contains(list []Entry, e Entry) bool {
	for _, x := range list {
		if x == e {
			return true
		}
	}
	return false
}

// CreateUser stores a new user. doc is a checked SCIM User without id; the
// result has the id and is what readers will see. Codes: user_name_in_use,
// email_in_use, email_in_other_organization, user_name_not_email (BR-001…004).
func (d *Directory) CreateUser(ctx context.Context, c Caller, doc jsontree.Value) (*Record, error) {
	if err := c.may(KindUser, true); err != nil {
		return nil, err
	}
	after := UserOf(&doc)
	if err := c.Policy.check(&after); err != nil {
		return nil, err
	}
	var rec *Record
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		at := d.now()
		id, err := d.newID(KindUser, at)
		if err != nil {
			return err
		}
		now := at.UnixMilli()
		rec = &Record{
			Kind: KindUser, ID: id, Version: 1, Created: now, Modified: now,
			Display: after.display(), Profile: withID(doc, id),
		}
		d.settle(tx, c, change{after: &after, rec: rec})
		tx.Put(nil, rec, nil, after.entries(id, now))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create user: %w", userRefused(err, c.Org, &after))
	}
	return rec, nil
}

// Edit changes a document: it gets the stored record and its parsed profile
// and returns the new document. It may run several times and must not keep or
// change what it was given. Errors end the update.
type Edit func(cur *Record, doc jsontree.Value) (jsontree.Value, error)

// UpdateUser changes a user's document. When the new document means the same
// as the stored one nothing is written, and version and lastModified stay.
// The result says what readers now see and whether anything was written.
func (d *Directory) UpdateUser(ctx context.Context, c Caller, id string, edit Edit) (*Record, bool, error) {
	if err := c.may(KindUser, true); err != nil {
		return nil, false, err
	}
	if k, ok := KindOf(id); !ok || k != KindUser {
		return nil, false, notFound(KindUser)
	}
	var rec *Record
	var after User
	changed := false
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		cur, err := tx.Read(KindUser, id)
		if err != nil {
			return err
		}
		if cur == nil {
			return notFound(KindUser)
		}
		doc, next, err := editDocument(cur, edit)
		if err != nil {
			return err
		}
		if changed = !jsontree.Equal(&doc, &next); !changed {
			rec = cur
			return nil
		}
		before := UserOf(&doc)
		after = UserOf(&next)
		if before.UserName != after.UserName || before.Identity != after.Identity {
			if err := c.Policy.check(&after); err != nil {
				return err
			}
		}
		now := max(d.now().UnixMilli(), cur.Modified)
		r := *cur
		r.Version, r.Modified, r.Display, r.Profile = cur.Version+1, now, after.display(), withID(next, id)
		rec = &r
		if err := checkSize(rec); err != nil {
			return err
		}
		d.settle(tx, c, change{before: &before, after: &after, cur: cur, rec: rec, docBefore: &doc, docAfter: &next})
		tx.Put(cur, rec, before.entries(id, cur.Modified), after.entries(id, now))
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("update user: %w", userRefused(err, c.Org, &after))
	}
	return rec, changed, nil
}

func editDocument(cur *Record, edit Edit) (doc, next jsontree.Value, err error) {
	doc, err = jsontree.Parse(cur.Profile, jsontree.Limits{})
	if err != nil {
		return doc, next, fmt.Errorf("stored document of %s: %w", cur.ID, err)
	}
	next, err = edit(cur, doc.Clone())
	return doc, next, err
}

// maxDocument bounds a stored document, so that no series of changes grows one
// beyond what can be sent in a request (security S11).
const maxDocument = 1 << 20

func checkSize(rec *Record) error {
	if len(rec.Profile) <= maxDocument {
		return nil
	}
	return &Error{Code: CodeInvalidValue, Detail: "The resource would be larger than 1 MiB; remove values before adding more."}
}

// DeleteUser removes a user, its memberships and its claims in one commit
// (BR-240). check, when not nil, may refuse after seeing the record (If-Match).
func (d *Directory) DeleteUser(ctx context.Context, c Caller, id string, check func(*Record) error) error {
	if err := c.may(KindUser, true); err != nil {
		return err
	}
	if k, ok := KindOf(id); !ok || k != KindUser {
		return notFound(KindUser)
	}
	if err := d.leaveMany(ctx, c, id); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	err := d.untilGroupsHold(func() error { return d.deleteUser(ctx, c, id, check) })
	if err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

func (d *Directory) deleteUser(ctx context.Context, c Caller, id string, check func(*Record) error) error {
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		cur, err := tx.Read(KindUser, id)
		if err != nil {
			return err
		}
		if cur == nil {
			return notFound(KindUser)
		}
		if check != nil {
			if err := check(cur); err != nil {
				return err
			}
		}
		doc, err := jsontree.Parse(cur.Profile, jsontree.Limits{})
		if err != nil {
			return fmt.Errorf("stored document of %s: %w", id, err)
		}
		before := UserOf(&doc)
		groups, err := tx.GroupsOf(id)
		if err != nil {
			return err
		}
		d.leave(tx, c, id, groups)
		d.settle(tx, c, change{before: &before, cur: cur})
		tx.Delete(cur, before.entries(id, cur.Modified))
		return nil
	})
	return err
}

// withID renders a document with the id behind schemas, where readers expect
// it. Whatever id the document carries is replaced.
func withID(doc jsontree.Value, id string) []byte {
	items := make([]jsontree.Value, 0, len(doc.Items)+1)
	at := 0
	for i := range doc.Items {
		m := &doc.Items[i]
		switch {
		case jsontree.EqualName(m.Name, "schemas"):
			items = append(items, jsontree.Value{})
			copy(items[1:], items)
			items[0] = *m
			at = 1
		case !jsontree.EqualName(m.Name, "id"):
			items = append(items, *m)
		}
	}
	items = append(items, jsontree.Value{})
	copy(items[at+1:], items[at:])
	items[at] = jsontree.Str(id).As("id")
	out := jsontree.Value{Kind: jsontree.Object, Items: items}
	return out.Append(make([]byte, 0, 1024))
}
