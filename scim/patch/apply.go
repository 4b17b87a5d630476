package patch

import (
	"errors"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

var errNotObject = errors.New("patch: the stored document is not a JSON object")

// Apply runs the operations in order on a copy of doc, the stored document:
// canonical names, with schemas and id, without meta, groups and members. It
// returns the new document in the same form. The request is atomic: on
// an error nothing is returned and doc is as it was. When nothing changes, the
// result renders to the same bytes as doc.
//
// shown is the document with what usher decided in it, which doc is without; nil
// means doc, and is enough unless ReadsShown.
//
// Errors are elimity ScimError values of status 400 (noTarget, mutability,
// invalidValue) about the request, or any other error about the stored
// document.
func (p *Patch) Apply(doc, shown *jsontree.Value) (jsontree.Value, error) {
	if doc == nil || doc.Kind != jsontree.Object {
		return jsontree.Value{}, errNotObject
	}
	if shown == nil {
		shown = doc
	}
	out := doc.Clone()
	for i := range p.edits {
		if err := p.run(&out, shown, &p.edits[i]); err != nil {
			return jsontree.Value{}, err
		}
	}
	if len(p.edits) == 0 || jsontree.Equal(doc, &out) {
		return doc.Clone(), nil
	}
	if err := p.check(&out); err != nil {
		return jsontree.Value{}, err
	}
	if jsontree.Equal(doc, &out) {
		return doc.Clone(), nil
	}
	return out, nil
}

// check validates the document whole: required attributes, one primary value,
// schemas as its content says. The id, which no client writes, stays
// where it was.
func (p *Patch) check(doc *jsontree.Value) error {
	var id jsontree.Value
	at := -1
	for i := range doc.Items {
		if doc.Items[i].Name == "id" {
			id, at = doc.Items[i], i
		}
	}
	if err := p.typ.Check(doc, schema.Options{Profile: p.profile}); err != nil {
		return err
	}
	if at < 0 {
		return nil
	}
	doc.Delete("id")
	at = min(at, len(doc.Items))
	doc.Items = append(doc.Items, jsontree.Value{})
	copy(doc.Items[at+1:], doc.Items[at:])
	doc.Items[at] = id
	return nil
}

// run applies one edit to the document being made.
func (p *Patch) run(doc, shown *jsontree.Value, e *edit) error {
	if e.path.Extension != nil {
		return p.dropExtension(doc, e)
	}
	a := e.path.Attr
	s := slot{doc: doc, urn: e.path.URN, name: a.Name}
	switch {
	case readOnly(&e.path):
		s.doc = shown
		return e.unchanged(s)
	case a.Multi:
		return p.multi(s, e)
	case e.path.Filter != nil && !e.path.Filter.MatchElement(s.get()):
		return e.noTarget()
	case a.Type == schema.TypeComplex:
		return e.complex(s)
	}
	return e.simple(s)
}

// slot is the place of one top-level attribute in a document: at the top or
// in the object of its extension.
type slot struct {
	doc       *jsontree.Value
	urn, name string
}

func (s slot) get() *jsontree.Value {
	if s.urn == "" {
		return s.doc.Get(s.name)
	}
	return s.doc.Get(s.urn).Get(s.name)
}

func (s slot) set(v jsontree.Value) {
	home := s.doc
	if s.urn != "" {
		if home = s.doc.Get(s.urn); home == nil || home.Kind != jsontree.Object {
			home = s.doc.Set(s.urn, jsontree.Obj())
		}
	}
	home.Set(s.name, v)
}

func (s slot) drop() {
	if s.urn == "" {
		s.doc.Delete(s.name)
		return
	}
	s.doc.Get(s.urn).Delete(s.name)
}

// unchanged accepts a write of what only usher writes if it says what readers
// see, and refuses it otherwise.
func (e *edit) unchanged(s slot) error {
	cur := s.get()
	if e.path.Sub != nil {
		cur = cur.Get(e.path.Sub.Name)
	}
	if !cur.Empty() && (jsontree.Equal(cur, &e.value) || sameSet(cur, &e.value)) {
		return nil
	}
	return e.isReadOnly()
}

// sameSet compares two arrays of strings without order.
func sameSet(a, b *jsontree.Value) bool {
	if a.Kind != jsontree.Array || b.Kind != jsontree.Array || len(a.Items) != len(b.Items) {
		return false
	}
	in := make(map[string]struct{}, len(a.Items))
	for i := range a.Items {
		in[jsontree.LowerName(a.Items[i].Text)] = struct{}{}
	}
	for i := range b.Items {
		if _, ok := in[jsontree.LowerName(b.Items[i].Text)]; !ok || b.Items[i].Kind != jsontree.String {
			return false
		}
	}
	return true
}

// dropExtension takes every attribute of an extension away; Check drops the
// URN from schemas.
func (p *Patch) dropExtension(doc *jsontree.Value, e *edit) error {
	x := p.typ.Extension(e.path.Extension.URN)
	obj := doc.Get(x.URN)
	if obj == nil || obj.Kind != jsontree.Object {
		return nil
	}
	if x.Required {
		return e.needed(x.URN)
	}
	for _, a := range x.Attrs {
		if obj.Get(a.Name).Empty() {
			continue
		}
		if err := e.mayDrop(a, obj.Get(a.Name)); err != nil {
			return err
		}
		obj.Delete(a.Name)
	}
	return nil
}

// noTarget is the answer when a value filter selects nothing: there is nothing
// to take away, and nothing to change.
func (e *edit) noTarget() error {
	if e.drops() {
		return nil
	}
	return e.refuse(scimerrors.ScimTypeNoTarget, "no value of %s matches the filter; add the value without a filter first", e.path.Attr.Path())
}

// mayDrop decides whether an assigned attribute may become unassigned. With a
// single complex value its immutable sub-attributes would go; values of a
// multi-valued attribute come and go whole.
func (e *edit) mayDrop(a *schema.Attr, cur *jsontree.Value) error {
	if a.Required {
		return e.needed(a.Path())
	}
	if a.Mutability == schema.Immutable {
		return e.immutable(a)
	}
	if !a.Multi {
		for _, sub := range a.Subs {
			if sub.Mutability == schema.Immutable && !cur.Get(sub.Name).Empty() {
				return e.immutable(sub)
			}
		}
	}
	return nil
}

// needed refuses to leave something required without value.
func (e *edit) needed(name string) error {
	if e.op == opRemove {
		return e.refuse(scimerrors.ScimTypeMutability, "%s is required and cannot be removed; replace it with another value", name)
	}
	return e.refuse(scimerrors.ScimTypeInvalidValue, "%s is required and cannot be empty; send a value", name)
}

func (e *edit) immutable(a *schema.Attr) error {
	return e.refuse(scimerrors.ScimTypeMutability, "%s is immutable and already has another value; leave it out of the request", a.Path())
}

// simple sets or clears a single simple value.
func (e *edit) simple(s slot) error {
	a, cur := e.path.Attr, s.get()
	if e.drops() {
		if a.Required {
			return e.needed(a.Path())
		}
		if cur.Empty() {
			return nil
		}
		if err := e.mayDrop(a, cur); err != nil {
			return err
		}
		s.drop()
		return nil
	}
	if a.Mutability == schema.Immutable && !cur.Empty() && !jsontree.Equal(cur, &e.value) {
		return e.immutable(a)
	}
	s.set(e.value)
	return nil
}

// complex changes a single complex value: the given sub-attributes are set,
// the others kept.
func (e *edit) complex(s slot) error {
	a, cur := e.path.Attr, s.get()
	if e.path.Sub == nil && e.drops() {
		return e.simple(s)
	}
	if a.Mutability == schema.Immutable && !cur.Empty() {
		next := cur.Clone()
		if err := e.change(&next); err != nil {
			return err
		}
		if !jsontree.Equal(cur, &next) {
			return e.immutable(a)
		}
		return nil
	}
	if cur == nil || cur.Kind != jsontree.Object {
		made := jsontree.Obj()
		if err := e.change(&made); err != nil {
			return err
		}
		if len(made.Items) > 0 {
			s.set(made)
		}
		return nil
	}
	before := cur.GetString("value")
	if err := e.change(cur); err != nil {
		return err
	}
	if cur.GetString("value") != before && a.Sub("$ref") != nil && !e.gives("$ref") {
		cur.Delete("$ref")
	}
	if len(cur.Items) == 0 {
		if a.Required {
			return e.needed(a.Path())
		}
		s.drop()
	}
	return nil
}

// gives reports whether the edit's value has a sub-attribute of that name.
func (e *edit) gives(name string) bool {
	if e.path.Sub != nil {
		return jsontree.EqualName(e.path.Sub.Name, name)
	}
	return !e.value.Get(name).Empty()
}

// change applies the edit to one complex value, single or an element.
func (e *edit) change(obj *jsontree.Value) error {
	if sub := e.path.Sub; sub != nil {
		return e.put(obj, sub, &e.value)
	}
	for i := range e.value.Items {
		sub := e.path.Attr.Sub(e.value.Items[i].Name)
		if sub == nil || sub.Mutability == schema.ReadOnly {
			continue
		}
		if err := e.put(obj, sub, &e.value.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// put sets one sub-attribute, or takes it away when v is empty or the edit
// removes it.
func (e *edit) put(obj *jsontree.Value, sub *schema.Attr, v *jsontree.Value) error {
	cur := obj.Get(sub.Name)
	if e.op == opRemove || v.Empty() {
		if sub.Required {
			return e.needed(sub.Path())
		}
		if cur.Empty() {
			return nil
		}
		if err := e.mayDrop(sub, cur); err != nil {
			return err
		}
		obj.Delete(sub.Name)
		return nil
	}
	if sub.Mutability == schema.Immutable && !cur.Empty() && !jsontree.Equal(cur, v) {
		return e.immutable(sub)
	}
	obj.Set(sub.Name, v.Clone())
	return nil
}
