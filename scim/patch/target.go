package patch

import (
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

// target reads one path, or one key of a pathless value, with its value.
func (p *parsing) target(at place, text string, value *jsontree.Value) error {
	if p.ignored(at, text) {
		return nil
	}
	path, err := p.paths.Path(p.typ, text)
	if err != nil {
		if p.dialect.lenient && p.unknown(text) {
			return nil // L-14
		}
		return at.wrap(err)
	}
	if path.Extension != nil {
		return p.extension(at, path, value)
	}
	e := edit{place: at, path: path}
	switch {
	case path.Attr == p.members && p.members != nil:
		return p.memberEdit(&e, value)
	case readOnly(&path):
		return p.readOnly(&e, value)
	}
	if err := p.prepare(&e, value); err != nil {
		return err
	}
	p.edits = append(p.edits, e)
	return nil
}

// ignored tells what is silently left out: password of a user wherever it
// stands (S10), and what the server owns as a key of a pathless value (R-24, AUT-02).
func (p *parsing) ignored(at place, text string) bool {
	if urn := p.typ.Core.URN; len(text) > len(urn) && text[len(urn)] == ':' && jsontree.EqualName(text[:len(urn)], urn) {
		text = text[len(urn)+1:]
	}
	if schema.Ignored(text) && p.typ.Kind != resources.KindCustom {
		return true
	}
	return at.key && (jsontree.EqualName(text, "schemas") || jsontree.EqualName(text, "id") || jsontree.EqualName(text, "meta"))
}

// unknown reports whether a refused path is well formed but names something
// the type does not have, as far as one can tell from its head.
func (p *parsing) unknown(text string) bool {
	head, _, filtered := strings.Cut(text, "[")
	if head == "" || !isLetter(head[0]) {
		return false
	}
	for i := 0; i < len(head); i++ {
		if c := head[i]; !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("$-_.:", rune(c)) {
			return false
		}
	}
	// Dots of a version stand before the last colon; behind it there is one at
	// most, with a name on either side.
	name := head[strings.LastIndexByte(head, ':')+1:]
	name, sub, dotted := strings.Cut(name, ".")
	if name == "" || dotted && (sub == "" || strings.Contains(sub, ".")) {
		return false
	}
	if filtered {
		_, err := p.paths.Path(p.typ, head)
		return err != nil
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// extension reads a path that is the URN of an extension. Its value is an
// object whose keys are the extension's attributes (R-5, L-4); some clients
// repeat in it the schemas that it is of, which says nothing new.
func (p *parsing) extension(at place, path filter.Path, value *jsontree.Value) error {
	switch {
	case at.op == opRemove:
		p.edits = append(p.edits, edit{place: at, path: path})
		return nil
	case value == nil:
		return at.missing()
	case value.Empty() || (value.Kind == jsontree.String && value.Text == ""):
		p.edits = append(p.edits, edit{place: at, path: path, clear: true})
		return nil
	case value.Kind != jsontree.Object:
		return at.refuse(scimerrors.ScimTypeInvalidValue, "the value of an extension is an object of its attributes; send one")
	}
	at.key = true
	for i := range value.Items {
		if jsontree.EqualName(value.Items[i].Name, "schemas") {
			continue
		}
		at.text = path.Extension.URN + ":" + value.Items[i].Name
		if err := p.target(at, at.text, &value.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// missing is the answer to an add or replace without value.
func (at place) missing() error {
	return at.refuse(scimerrors.ScimTypeInvalidValue, "value is missing; send the value to %s, or null to clear the attribute", at.op)
}

func readOnly(path *filter.Path) bool {
	return path.Attr.Mutability == schema.ReadOnly || (path.Sub != nil && path.Sub.Mutability == schema.ReadOnly)
}

// readOnly decides a target that only usher writes: as a key it is ignored, as
// a path it must say what is stored, which Apply knows.
func (p *parsing) readOnly(e *edit, value *jsontree.Value) error {
	switch {
	case e.key:
		return nil // L-21
	case e.op == opRemove || e.path.Filter != nil || value == nil:
		return e.isReadOnly()
	case e.path.Attr.URN == "" && e.path.Attr.Lower == "id" && p.self != "":
		if value.Kind != jsontree.String || value.Text != p.self {
			return e.isReadOnly()
		}
		return nil // OKT-11
	}
	e.value = value.Clone()
	p.edits, p.reads = append(p.edits, *e), true
	return nil
}

func (e *edit) isReadOnly() error {
	return e.refuse(scimerrors.ScimTypeMutability, "%s is readOnly; leave it out of the request", e.name())
}

// name is the full name of what the edit changes.
func (e *edit) name() string {
	if e.path.Sub != nil {
		return e.path.Sub.Path()
	}
	return e.path.Attr.Path()
}

// prepare validates and normalises the value of an edit.
func (p *parsing) prepare(e *edit, raw *jsontree.Value) error {
	a, opts := e.path.Attr, schema.Options{Profile: p.profile, Partial: true}
	whole := e.path.Filter == nil && e.path.Sub == nil
	if e.op == opRemove {
		// L-6: a value names the elements to remove, without one all go.
		if !whole || !a.Multi || raw == nil || raw.Kind == jsontree.Null {
			return nil
		}
	} else if raw == nil {
		return e.missing()
	}
	e.value = raw.Clone()
	e.value.Name = ""
	var err error
	switch {
	case e.path.Sub != nil:
		err = e.path.Sub.CheckValue(&e.value, opts)
	case e.path.Filter != nil:
		err = a.CheckElement(&e.value, opts)
	default:
		if a.Multi && a.Sub("primary") != nil && !p.dialect.firstPrimary {
			lastPrimary(&e.value)
		}
		err = a.CheckValue(&e.value, opts)
	}
	if err != nil {
		return e.wrap(err)
	}
	if e.clear = e.value.Empty(); e.op == opRemove {
		e.clear = false
		e.value.Kind = jsontree.Array // an empty list removes nothing
	}
	return nil
}

// lastPrimary leaves only the last of several primary values true (L-31).
func lastPrimary(list *jsontree.Value) {
	if list.Kind != jsontree.Array {
		return
	}
	seen := false
	for i := len(list.Items) - 1; i >= 0; i-- {
		m := list.Items[i].Get("primary")
		if m == nil || (m.Kind != jsontree.True && (m.Kind != jsontree.String || !jsontree.EqualName(m.Text, "true"))) {
			continue
		}
		if seen {
			*m = jsontree.Bool(false).As(m.Name)
		}
		seen = true
	}
}
