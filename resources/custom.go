package resources

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Resources of declared types are records of one kind. Which type one is of
// stands at the beginning of its standing, so that lists tell it without
// reading the rest.

const typePrefix = `{"type":"`

// CustomType tells of which declared type a resource is; "" when its standing
// says nothing.
func CustomType(rec *Record) string {
	rest, ok := bytes.CutPrefix(rec.Standing, []byte(typePrefix))
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 {
		return ""
	}
	return string(rest[:end])
}

// custom is what the rules look at in a resource of a declared type.
type custom struct {
	typeName    string
	externalID  string
	displayName string
	keys        []attrKey
}

// customOf reads a document with the keys it stands under.
func customOf(typeName string, doc *jsontree.Value, keys []attrKey) *custom {
	return &custom{typeName: typeName, externalID: doc.GetString("externalId"), displayName: doc.GetString("displayName"), keys: keys}
}

func (r *custom) display() string {
	if r.displayName != "" {
		return clip(r.displayName, 120)
	}
	return clip(r.externalID, 120)
}

// standing is the type and the keys; names of types need no escapes.
func (r *custom) standing() []byte {
	out := append(append(make([]byte, 0, 64), typePrefix...), r.typeName...)
	out = append(out, '"')
	if len(r.keys) > 0 {
		out = appendKeys(append(out, ','), r.keys)
	}
	return append(out, '}')
}

// entries are the resource's places in the indexes.
func (r *custom) entries(id string, modified int64) []Entry {
	out := make([]Entry, 0, 4+2*len(r.keys))
	out = append(out,
		Entry{Index: CustomAll, Value: id},
		Entry{Index: CustomOfType, Value: jsontree.LowerName(r.typeName)},
		Entry{Index: CustomModified, Time: modified})
	if r.externalID != "" {
		out = append(out, Entry{Index: CustomAttr, Value: AttrKey(r.typeName, ExternalIDPath, Folded(r.externalID))})
	}
	return keyEntries(out, KindCustom, r.typeName, r.keys)
}

// customType finds the declared type that a caller means.
func (c Caller) customType(name string) (*TypeDef, error) {
	t := c.Declared.Type(name)
	if t == nil || builtinType(t.Name) {
		return nil, &Error{Code: CodeNotFound, Detail: "Your organization has no resource type " + quoted(name) + "."}
	}
	return t, nil
}

// CreateCustom stores a new resource of a declared type. doc is checked against
// the type's schemas and has no id. Codes: not_found for a type that is not
// declared, attribute_in_use, invalid_value.
func (d *Directory) CreateCustom(ctx context.Context, c Caller, typeName string, doc jsontree.Value) (*Record, error) {
	if err := c.may(KindCustom, true); err != nil {
		return nil, err
	}
	t, err := c.customType(typeName)
	if err != nil {
		return nil, err
	}
	keys, err := declaredKeys(c.Declared, t.Name, nil, &doc)
	if err != nil {
		return nil, err
	}
	after := customOf(t.Name, &doc, keys)
	rec, err := d.create(ctx, c, KindCustom, func(tx Tx, id string, now int64) (*Record, error) {
		rec := &Record{
			Kind: KindCustom, ID: id, Version: 1, Created: now, Modified: now,
			Display: after.display(), Profile: withID(&doc, id), Standing: after.standing(),
		}
		tx.Put(nil, rec, nil, after.entries(id, now))
		tx.Event(Event{Type: "resource.created", Kind: KindCustom, ID: id, Of: t.Name, Version: 1, Actor: c.Token, Request: c.Request})
		return rec, nil
	})
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", t.Name, customRefused(err, c))
	}
	return rec, nil
}

// GetCustom reads one resource of a declared type. Codes: not_found, also for
// one of another type.
func (d *Directory) GetCustom(ctx context.Context, c Caller, typeName, id string) (*Record, error) {
	rec, err := d.Get(ctx, c, KindCustom, id)
	if HasCode(err, CodeNotFound) || err == nil && !jsontree.EqualName(CustomType(rec), typeName) {
		return nil, noCustom(typeName)
	}
	return rec, err
}

func noCustom(typeName string) *Error {
	return &Error{Code: CodeNotFound, Detail: "There is no such " + clip(typeName, maxAttributeName) + "."}
}

// UpdateCustom changes a resource of a declared type, as
// [Directory.UpdateUser] changes a user. Codes: not_found and those of
// [Directory.CreateCustom].
func (d *Directory) UpdateCustom(ctx context.Context, c Caller, typeName, id string, edit Edit) (*Record, bool, error) {
	if err := c.may(KindCustom, true); err != nil {
		return nil, false, err
	}
	t, err := c.customType(typeName)
	if err != nil {
		return nil, false, err
	}
	if k, ok := KindOf(id); !ok || k != KindCustom {
		return nil, false, noCustom(t.Name)
	}
	var rec *Record
	changed := false
	_, err = d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		cur, err := tx.Read(KindCustom, id)
		if err != nil {
			return err
		}
		if cur == nil || !jsontree.EqualName(CustomType(cur), t.Name) {
			return noCustom(t.Name)
		}
		doc, next, err := editDocument(cur, edit)
		if err != nil {
			return err
		}
		if changed = !jsontree.Equal(&doc, &next); !changed {
			rec = cur
			return nil
		}
		rec, err = d.writeCustom(tx, c, t, cur, &doc, &next)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("update %s: %w", t.Name, customRefused(err, c))
	}
	return rec, changed, nil
}

// writeCustom asks for the commit of a changed document.
func (d *Directory) writeCustom(tx Tx, c Caller, t *TypeDef, cur *Record, doc, next *jsontree.Value) (*Record, error) {
	keys, err := declaredKeys(c.Declared, t.Name, cur, next)
	if err != nil {
		return nil, err
	}
	before, after := customOf(CustomType(cur), doc, keysIn(cur.Standing)), customOf(t.Name, next, keys)
	now := max(d.now().UnixMilli(), cur.Modified)
	rec := *cur
	rec.Version, rec.Modified, rec.Display = cur.Version+1, now, after.display()
	rec.Profile, rec.Standing = withID(next, cur.ID), after.standing()
	if err := checkSize(cur, &rec); err != nil {
		return nil, err
	}
	tx.Put(cur, &rec, before.entries(cur.ID, cur.Modified), after.entries(cur.ID, now))
	tx.Event(Event{Type: "resource.updated", Kind: KindCustom, ID: cur.ID, Of: t.Name, Version: rec.Version, Actor: c.Token, Request: c.Request, Changed: changedNames(doc, next)})
	return &rec, nil
}

// DeleteCustom removes a resource of a declared type. check is as in
// [Directory.DeleteUser]. Codes: not_found.
func (d *Directory) DeleteCustom(ctx context.Context, c Caller, typeName, id string, check func(*Record) error) error {
	err := d.remove(ctx, c, KindCustom, id, func(cur *Record) error {
		if !jsontree.EqualName(CustomType(cur), typeName) {
			return noCustom(typeName)
		}
		if check == nil {
			return nil
		}
		return check(cur)
	}, func(_ context.Context, x removal) error {
		r := customOf(CustomType(x.cur), x.doc, keysIn(x.cur.Standing))
		x.tx.Delete(x.cur, r.entries(id, x.cur.Modified))
		x.tx.Event(Event{Type: "resource.deleted", Kind: KindCustom, ID: id, Of: r.typeName, Actor: c.Token, Request: c.Request, Names: []string{r.displayName, r.externalID}})
		return nil
	})
	if HasCode(err, CodeNotFound) { // the same whether there is one of another type or none
		return noCustom(typeName)
	}
	return err
}

// customRefused turns a refused commit into the error of the rule behind it.
func customRefused(err error, c Caller) error {
	if r, ok := errors.AsType[*Refusal](err); ok {
		if taken := attributeTaken(r, c); taken != nil {
			return taken
		}
	}
	return err
}
