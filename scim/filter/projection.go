package filter

import (
	"net/http"
	"slices"
	"strings"

	scimerr "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// Projection says which attributes of a resource an answer shows (R-77…79).
// The nil Projection, like one made without names, shows what is returned by
// default. It never changes.
type Projection struct {
	typ   *schema.Type
	mode  mode
	picks []pick
}

type mode uint8

const (
	everything mode = iota
	only            // attributes
	without         // excludedAttributes
)

// pick is one name of a list: a whole schema, an attribute, or some of its
// sub-attributes.
type pick struct {
	urn  string         // the extension, or the core schema; "" for common attributes
	attr *schema.Attr   // nil: the whole schema
	subs []*schema.Attr // nil: the whole attribute
}

// Projection reads the parameters attributes and excludedAttributes. Each name
// may be qualified by a schema URN and have a sub-attribute, in any case; the
// URN of a schema stands for all its attributes. Items may hold several names
// with commas between them. Unknown names are ignored. Error: 400 invalidValue
// when both lists name something.
func (p *Parser) Projection(t *schema.Type, attributes, excluded []string) (*Projection, error) {
	in, out := names(attributes), names(excluded)
	if len(in) > 0 && len(out) > 0 {
		return nil, scimerr.ScimError{
			ScimType: scimerr.ScimTypeInvalidValue, Status: http.StatusBadRequest,
			Detail: "attributes and excludedAttributes exclude each other; send one of them.",
		}
	}
	pr := &Projection{typ: t}
	if len(in) > 0 {
		pr.mode = only
	} else if len(out) > 0 {
		pr.mode = without
	}
	for _, name := range append(in, out...) {
		pr.add(name)
	}
	return pr, nil
}

// Defaults is the projection of a client that names no attributes.
func Defaults(t *schema.Type) *Projection { return &Projection{typ: t} }

// names splits lists at commas and drops empty names.
func names(lists []string) []string {
	var out []string
	for _, l := range lists {
		for name := range strings.SplitSeq(l, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

// add notes one name, unless the type does not know it.
func (p *Projection) add(name string) {
	urn, rest := "", name
	if found, after := prefix(p.typ, name); found != nil {
		if len(name) == len(found.URN) {
			p.note(pick{urn: found.URN}, nil)
			return
		}
		urn, rest = found.URN, after
	}
	first, sub, dotted := strings.Cut(rest, ".")
	a := p.typ.Attr(urn, first)
	if a == nil {
		return
	}
	var s *schema.Attr
	if dotted {
		if s = a.Sub(sub); s == nil && !simpleValue(a, sub) {
			return
		}
	}
	p.note(pick{urn: a.URN, attr: a}, s)
}

// note adds a pick to the list; a whole attribute swallows its parts.
func (p *Projection) note(k pick, sub *schema.Attr) {
	if sub != nil {
		k.subs = []*schema.Attr{sub}
	}
	for i := range p.picks {
		old := &p.picks[i]
		if old.urn != k.urn || old.attr != k.attr {
			continue
		}
		if old.subs == nil || k.subs == nil {
			old.subs = nil
		} else if !slices.Contains(old.subs, sub) {
			old.subs = append(old.subs, sub)
		}
		return
	}
	p.picks = append(p.picks, k)
}

// All reports whether the client named no attributes: then the stored document
// of a type that hides nothing may be sent as it is.
func (p *Projection) All() bool { return p == nil || p.mode == everything }

// Wants reports whether a top-level attribute ("members", "groups") can be part
// of the answer, so that it need not be loaded when it cannot.
func (p *Projection) Wants(name string) bool {
	if p == nil || p.typ == nil {
		return true
	}
	a := p.typ.Attr("", name)
	if a == nil {
		return p.mode != only
	}
	keep, _ := p.shows(a)
	return keep
}

// Shows reports whether an attribute can be part of the answer.
func (p *Projection) Shows(a *schema.Attr) bool {
	if p == nil || p.typ == nil {
		return !a.Hidden() && a.Returned != schema.Request
	}
	keep, _ := p.shows(a)
	return keep
}

// shows tells whether an attribute is part of the answer. subs, when not nil,
// are the sub-attributes named, to show only or to leave out.
func (p *Projection) shows(a *schema.Attr) (keep bool, subs []*schema.Attr) {
	switch {
	case a.Hidden():
		return false, nil
	case a.Returned == schema.Always:
		return true, nil
	}
	named := false
	for i := range p.picks {
		k := &p.picks[i]
		switch {
		case k.attr == a:
			named, subs = true, k.subs
		case k.attr == nil && k.urn == a.URN && a.URN != "":
			return p.mode == only && a.Returned != schema.Request, nil
		}
	}
	switch p.mode {
	case only:
		return named, subs
	case without:
		return (!named || subs != nil) && a.Returned != schema.Request, subs
	}
	return a.Returned != schema.Request, nil
}

// Apply removes from a rendered resource what the answer does not show.
// Attributes that are always returned stay, as do schemas; what is never
// returned, or only on request, goes unless named.
func (p *Projection) Apply(doc *jsontree.Value) {
	if p == nil || p.typ == nil || doc.Kind != jsontree.Object {
		return
	}
	kept := doc.Items[:0]
	for i := range doc.Items {
		if p.member(&doc.Items[i]) {
			kept = append(kept, doc.Items[i])
		}
	}
	doc.Items = kept
}

// member prunes a member of the resource and reports whether it stays.
func (p *Projection) member(v *jsontree.Value) bool {
	if a := p.typ.Attr(p.typ.Core.URN, v.Name); a != nil {
		return p.attribute(a, v)
	}
	x := p.typ.Extension(v.Name)
	if x == nil || v.Kind != jsontree.Object {
		return p.mode != only
	}
	kept := v.Items[:0]
	for i := range v.Items {
		a := x.Attr(v.Items[i].Name)
		if (a == nil && p.mode == everything) || (a != nil && p.attribute(a, &v.Items[i])) {
			kept = append(kept, v.Items[i])
		}
	}
	v.Items = kept
	return len(kept) > 0
}

// attribute prunes the value of an attribute and reports whether it stays.
func (p *Projection) attribute(a *schema.Attr, v *jsontree.Value) bool {
	keep, subs := p.shows(a)
	if !keep {
		return false
	}
	if a.Type != schema.TypeComplex {
		return true
	}
	if v.Kind != jsontree.Array {
		return p.element(a, subs, v)
	}
	kept := v.Items[:0]
	for i := range v.Items {
		if p.element(a, subs, &v.Items[i]) {
			kept = append(kept, v.Items[i])
		}
	}
	v.Items = kept
	return len(kept) > 0
}

// element prunes one complex value. A value of which nothing is left goes.
func (p *Projection) element(a *schema.Attr, subs []*schema.Attr, v *jsontree.Value) bool {
	if v.Kind != jsontree.Object {
		return true
	}
	before := len(v.Items)
	kept := v.Items[:0]
	for i := range v.Items {
		if p.showsSub(a.Sub(v.Items[i].Name), subs) {
			kept = append(kept, v.Items[i])
		}
	}
	v.Items = kept
	return len(kept) > 0 || before == 0
}

// showsSub tells whether a sub-attribute is shown; subs are those named.
func (p *Projection) showsSub(s *schema.Attr, subs []*schema.Attr) bool {
	if s == nil {
		return subs == nil || p.mode == without
	}
	switch {
	case s.Hidden():
		return false
	case s.Returned == schema.Always:
		return true
	case s.Returned == schema.Request:
		return p.mode == only && slices.Contains(subs, s)
	}
	switch {
	case subs == nil:
		return true
	case p.mode == only:
		return slices.Contains(subs, s)
	}
	return !slices.Contains(subs, s)
}
