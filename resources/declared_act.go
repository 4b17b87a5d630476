package resources

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Declarations reads what an organization declared for itself; nothing yet is
// an empty value of version 0. Codes: not_found.
func (d *Directory) Declarations(ctx context.Context, c Caller, slug string) (*Declared, error) {
	if err := c.mayPlatform(); err != nil {
		return nil, err
	}
	o, err := d.orgBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	return d.ownDeclared(ctx, o.ID)
}

// SetDeclared replaces everything an organization declared by a document that
// [ParseDeclared] reads. expect, when not nil, is the version that must still
// be stored. The change is visible at once on this node and within three
// seconds on others. Codes: not_found, invalid_value, version_mismatch,
// schema_in_use when stored resources stand against it.
func (d *Directory) SetDeclared(ctx context.Context, c Caller, slug string, raw []byte, expect *uint64) (*Declared, error) {
	next, err := ParseDeclared(raw)
	if err != nil {
		return nil, err
	}
	return d.changeDeclared(ctx, c, slug, expect, func(*Declared) (*Declared, error) { return next, nil })
}

// changeDeclared makes one change of an organization's declaration. edit gets
// what is stored, with slices of its own, and returns a sound new value.
func (d *Directory) changeDeclared(ctx context.Context, c Caller, slug string, expect *uint64, edit func(own *Declared) (*Declared, error)) (*Declared, error) {
	if err := c.mayPlatform(); err != nil {
		return nil, err
	}
	o, err := d.orgBySlug(ctx, slug)
	if err != nil {
		return nil, err
	}
	const tries = 5
	for range tries {
		own, err := d.ownDeclared(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		if expect != nil && *expect != own.Version {
			return nil, &Error{Code: CodeVersion, Field: "version", Detail: fmt.Sprintf("The declaration has version %d by now, not %d; read it again and repeat the change.", own.Version, *expect)}
		}
		raw, err := d.nextDeclared(ctx, o.ID, own, edit)
		if err != nil {
			return nil, err
		}
		if raw == nil {
			return own, nil
		}
		rec, err := d.writeDeclared(ctx, c, o.ID, own.Version, raw)
		d.forgetCallers()
		if err != nil {
			return nil, fmt.Errorf("change declaration: %w", err)
		}
		if rec != nil {
			return declaredIn(rec)
		}
	}
	return nil, fmt.Errorf("the declaration keeps changing: %w", ErrUnavailable)
}

// nextDeclared makes the document of a changed declaration and checks it
// against everything else; nil when nothing changes.
func (d *Directory) nextDeclared(ctx context.Context, org OrgID, own *Declared, edit func(*Declared) (*Declared, error)) ([]byte, error) {
	was, err := own.Document()
	if err != nil {
		return nil, err
	}
	next, err := edit(&Declared{Schemas: slices.Clone(own.Schemas), Types: slices.Clone(own.Types)})
	if err != nil {
		return nil, err
	}
	raw, err := next.Document()
	if err != nil || bytes.Equal(raw, was) {
		return nil, err
	}
	if len(raw) > maxDeclaration {
		return nil, declaredFault("", fmt.Sprintf("With this change the declaration has more than %d bytes; declare less.", maxDeclaration))
	}
	if next.takesLicences() && !own.takesLicences() {
		return nil, declaredFault("resourceTypes", "The resource type License at /Licenses is usher's own; choose another name and another endpoint.")
	}
	if _, err := d.common.Merge(next); err != nil {
		return nil, err
	}
	return raw, d.orphans(ctx, org, own, next)
}

// writeDeclared stores a declaration in place of the given version, together
// with its number in the organization's record. It returns nil when another
// version is stored by now.
func (d *Directory) writeDeclared(ctx context.Context, c Caller, org OrgID, was uint64, raw []byte) (*Record, error) {
	id := settingID(string(org))
	var next *Record
	_, err := d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		next = nil
		rec, o, err := livingOrg(tx, org)
		if err != nil {
			return err
		}
		cur, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		now := d.now()
		setting := &Record{
			Kind: KindSetting, ID: id, Version: 1, Created: now.UnixMilli(), Modified: now.UnixMilli(),
			Display: "declared schemas", Profile: raw, Standing: nounDeclared.standing(),
		}
		var had []Entry
		if cur != nil {
			setting.Version, setting.Created, had = cur.Version+1, cur.Created, nounDeclared.entries(id)
		}
		if setting.Version != was+1 {
			return nil
		}
		o.Declared = setting.Version
		changed, err := o.record(rec, now)
		if err != nil {
			return err
		}
		tx.Put(cur, setting, had, nounDeclared.entries(id))
		tx.Put(rec, changed, o.entries(), o.entries())
		tx.Event(Event{Type: "organization.updated", Kind: KindOrg, ID: rec.ID, Version: changed.Version, Actor: c.Token, Request: c.Request, Changed: []string{"declared"}})
		next = setting
		return nil
	})
	return next, err
}

// livingOrg reads an organization that is not being deleted, for change.
func livingOrg(tx Tx, org OrgID) (*Record, *Organization, error) {
	rec, err := tx.Read(KindOrg, string(org))
	if err != nil {
		return nil, nil, err
	}
	if rec == nil {
		return nil, nil, notFound(KindOrg)
	}
	o, err := orgOf(rec)
	if err == nil && o.State == OrgDeleting {
		err = &Error{Code: CodeNotFound, Detail: "The organization is being deleted."}
	}
	return rec, o, err
}

// sound checks a declaration that was put together from parts.
func sound(d *Declared) (*Declared, error) {
	p := &declaredParser{}
	switch {
	case len(d.Schemas) > maxSchemas:
		p.fault("schemas", "There would be %d schemas, at most %d are possible; declare fewer.", len(d.Schemas), maxSchemas)
	case len(d.Types) > maxTypes:
		p.fault("resourceTypes", "There would be %d resource types, at most %d are possible; declare fewer.", len(d.Types), maxTypes)
	}
	p.check(d)
	return d, p.err()
}

// parsePart reads one schema or resource type out of its JSON.
func parsePart(name string, raw []byte, read func(*declaredParser, *jsontree.Value)) error {
	if len(raw) > maxDeclaration {
		return declaredFault(name, fmt.Sprintf("It has more than %d bytes; declare less.", maxDeclaration))
	}
	tree, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil {
		return &Error{Code: CodeInvalidValue, Field: name, Detail: "It is not JSON: " + err.Error() + ".", Err: err}
	}
	if tree.Kind != jsontree.Object {
		return declaredFault(name, "It is a JSON object as RFC 7643 describes it; write {…}.")
	}
	p := &declaredParser{}
	read(p, &tree)
	return p.err()
}

// PutSchema declares a schema (RFC 7643 §7) or replaces the one with this id.
// Codes as for [Directory.SetDeclared].
func (d *Directory) PutSchema(ctx context.Context, c Caller, slug, id string, raw []byte) (*Declared, error) {
	var s SchemaDef
	if err := parsePart("schema", raw, func(p *declaredParser, v *jsontree.Value) {
		if s = p.schema("schema", v); s.ID == "" {
			s.ID = id
		}
		if !jsontree.EqualName(s.ID, id) {
			p.fault("schema.id", "The schema says it is %s, the address %s; send it to its own address.", quoted(s.ID), quoted(id))
		}
		if p.err() == nil {
			p.checkSchema("schema", &s)
		}
	}); err != nil {
		return nil, err
	}
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		if at := slices.IndexFunc(own.Schemas, func(x SchemaDef) bool { return jsontree.EqualName(x.ID, s.ID) }); at >= 0 {
			own.Schemas[at] = s
		} else {
			own.Schemas = append(own.Schemas, s)
		}
		return sound(own)
	})
}

// DeleteSchema removes a schema, also from the types it extends. Codes:
// not_found, schema_in_use also when it is the core of a resource type.
func (d *Directory) DeleteSchema(ctx context.Context, c Caller, slug, id string) (*Declared, error) {
	return d.changeDeclared(ctx, c, slug, nil, func(own *Declared) (*Declared, error) {
		if own.Schema(id) == nil {
			return nil, &Error{Code: CodeNotFound, Detail: "The organization declares no schema " + quoted(id) + "."}
		}
		for i := range own.Types {
			if t := &own.Types[i]; jsontree.EqualName(t.Schema, id) {
				return nil, &Error{Code: CodeSchemaInUse, Detail: "The schema is the core of the resource type " + t.Name + "; delete that first."}
			}
			own.detach(i, id)
		}
		own.Schemas = slices.DeleteFunc(own.Schemas, func(x SchemaDef) bool { return jsontree.EqualName(x.ID, id) })
		return sound(own.withoutBare())
	})
}

// detach takes an extension from a type without touching the slice it was
// cloned from.
func (d *Declared) detach(i int, schema string) {
	t := &d.Types[i]
	t.SchemaExtensions = slices.DeleteFunc(slices.Clone(t.SchemaExtensions), func(e ExtensionDef) bool { return jsontree.EqualName(e.Schema, schema) })
}

// withoutBare leaves out User and Group when nothing extends them.
func (d *Declared) withoutBare() *Declared {
	d.Types = slices.DeleteFunc(d.Types, func(t TypeDef) bool { return builtinType(t.Name) && len(t.SchemaExtensions) == 0 })
	return d
}
