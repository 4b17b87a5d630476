package schema

import (
	"github.com/usher-scim/usher/internal/jsontree"
)

// oneLoginURN is the SCIM 1.1 URN that OneLogin's connector template starts
// with (OLG-02).
const oneLoginURN = "urn:scim:schemas:core:1.0"

// Options say by which rules a value is judged.
type Options struct {
	// Profile is the connection profile: "rfc", "entra", "okta", "onelogin",
	// "jumpcloud", "ping", "authentik", "generic"; "" is "rfc". Here it matters
	// to onelogin (SCIM 1.1 URN) and ping (several primary values, L-31).
	Profile string

	// Partial is for the value of a PATCH operation on a complex attribute:
	// required sub-attributes may be missing, and a sub-attribute the client
	// clears (null, "", []) stays in the value as null, so that a merge can
	// remove it. Elements of an array are always judged whole. [Type.Check]
	// ignores it.
	Partial bool

	// Unseen is for a PUT before it is known what is stored: attributes that no
	// answer shows unless asked to may be missing though they are required, and
	// so may extensions that have such attributes; values that differ in nothing
	// else may be there more than once.
	Unseen bool
}

// Check normalises and validates a whole document of POST or PUT, or the
// result of a PATCH, in place, and leaves it in stored form: without id, meta
// and everything else that is readOnly, unknown, ignored or unassigned; names
// and URNs spelled as the schemas spell them; values and order as sent. doc.go
// lists the rules. It changes nothing when run again on its own result.
//
// Errors are elimity errors.ScimError values: 400 invalidSyntax for the body's
// structure and schemas, 400 invalidValue for anything about a value, with the
// attribute's path first in Detail. After an error doc is half normalised and
// must be thrown away.
func (t *Type) Check(doc *jsontree.Value, opts Options) error {
	if doc == nil || doc.Kind != jsontree.Object {
		return invalidSyntax("the body must be a JSON object, not " + kindName(doc))
	}
	opts.Partial = false
	if err := t.wantSchemas(doc, opts); err != nil {
		return err
	}
	if t.hasFlat(doc) {
		if err := t.unflatten(doc); err != nil {
			return err
		}
	}
	j := judge{opts: opts, at: -1, sub: -1}
	n := 0
	for i := range doc.Items {
		m := &doc.Items[i]
		if err := t.member(&j, m); err != nil {
			return err
		}
		if m.Kind == jsontree.Null {
			continue
		}
		if n != i {
			doc.Items[n] = *m
		}
		n++
	}
	doc.Items = doc.Items[:n]
	if err := need(&j, t.Core.required, doc); err != nil {
		return err
	}
	return t.settleSchemas(doc, opts)
}

// member judges one top-level member; null means that it is not stored.
func (t *Type) member(j *judge, m *jsontree.Value) error {
	if looksURN(m.Name) {
		if x := t.Extension(m.Name); x != nil {
			return j.extension(x, m)
		}
	} else if a := t.top.get(m.Name); a == t.schemas {
		m.Name = a.Name
		return nil
	} else if a != nil {
		return j.member(a, m)
	}
	unassign(m) // unknown: ignored (L-13, L-14, S7)
	return nil
}

// extension judges the object of an extension.
func (j *judge) extension(x *Extension, m *jsontree.Value) error {
	m.Name = x.URN
	if m.Empty() {
		unassign(m)
		return nil
	}
	if m.Kind != jsontree.Object {
		return invalidValue(x.URN + " must be a JSON object with the attributes of this extension, not " + kindName(m))
	}
	n := 0
	for i := range m.Items {
		v := &m.Items[i]
		a := x.Attr(v.Name)
		if a == nil {
			continue // unknown to the extension: ignored (L-14, S7)
		}
		if err := j.member(a, v); err != nil {
			return err
		}
		if v.Kind == jsontree.Null {
			continue
		}
		if n != i {
			m.Items[n] = *v
		}
		n++
	}
	if m.Items = m.Items[:n]; n == 0 {
		unassign(m)
		return nil
	}
	return need(j, x.required, m)
}

// need reports the first required attribute that obj lacks.
func need(j *judge, required []*Attr, obj *jsontree.Value) error {
	for _, a := range required {
		if obj.Get(a.Name) == nil && (!j.opts.Unseen || !a.veiled()) {
			return missing(j, a)
		}
	}
	return nil
}

func missing(j *judge, a *Attr) error {
	return invalidValue(j.path(a) + " is required: send a non-empty " + a.Type.String())
}

// wantSchemas checks the client's list of schemas before anything is changed:
// it must exist and hold the core URN.
func (t *Type) wantSchemas(doc *jsontree.Value, opts Options) error {
	v := doc.Get("schemas")
	if v.Empty() {
		return invalidSyntax("schemas is required: send an array that holds \"" + t.Core.URN + "\"")
	}
	if v.Kind != jsontree.Array {
		return invalidSyntax("schemas must be an array that holds \"" + t.Core.URN + "\", not " + kindName(v))
	}
	found := false
	for i := range v.Items {
		s := &v.Items[i]
		if s.Kind != jsontree.String {
			return invalidSyntax("schemas must hold strings only, not " + kindName(s))
		}
		found = found || t.isCore(s.Text, opts)
	}
	if !found {
		return invalidSyntax("schemas lacks the schema of this resource type: add \"" + t.Core.URN + "\"")
	}
	return nil
}

func (t *Type) isCore(urn string, opts Options) bool {
	return sameURN(t.Core.URN, urn) || (opts.Profile == "onelogin" && sameURN(oneLoginURN, urn))
}

// settleSchemas makes schemas list the core schema and the extensions that
// have content, in the client's order, the ones it forgot at the end (L-12);
// unknown ones go (L-13). It refuses a missing required extension.
func (t *Type) settleSchemas(doc *jsontree.Value, opts Options) error {
	for _, x := range t.Extensions {
		unseen := opts.Unseen && len(x.veiled) > 0 // there may be no more than a client is not shown
		if x.Required && doc.Get(x.URN) == nil && !unseen {
			return invalidValue(x.URN + " is required: send this extension with its attributes")
		}
	}
	v := doc.Get("schemas")
	out := v.Items[:0]
	for i := range v.Items {
		urn := t.Core.URN
		if s := v.Items[i].Text; !sameURN(urn, s) && !sameURN(oneLoginURN, s) {
			x := t.Extension(s)
			if x == nil || doc.Get(x.URN) == nil {
				continue
			}
			urn = x.URN
		}
		if !lists(out, urn) {
			out = append(out, jsontree.Str(urn))
		}
	}
	for _, x := range t.Extensions {
		if doc.Get(x.URN) != nil && !lists(out, x.URN) {
			out = append(out, jsontree.Str(x.URN))
		}
	}
	v.Items = out
	return nil
}

// lists reports whether a canonical URN is in a list of canonical URNs, which
// is never longer than the type has schemas.
func lists(urns []jsontree.Value, urn string) bool {
	for i := range urns {
		if urns[i].Text == urn {
			return true
		}
	}
	return false
}

// Ignored reports whether a top-level attribute name is silently ignored
// wherever a client puts it, in bodies and in PATCH paths: password (S10) is
// not published and never stored.
func Ignored(name string) bool { return jsontree.EqualName(name, "password") }
