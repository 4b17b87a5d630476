package filter

import (
	"strings"

	"github.com/usher-scim/usher/scim/schema"
)

// Path is what an attribute path of a PATCH operation points at:
// an attribute, one of its sub-attributes, some of its values, or a whole
// extension.
type Path struct {
	// URN is the extension that the attribute belongs to, as registered: the
	// name of the object in the document. Empty for core and common attributes.
	URN string
	// Attr is the top-level attribute; nil when Extension is set.
	Attr *schema.Attr
	// Filter chooses among the values of Attr; nil for all of them.
	Filter *Filter
	// Sub is the sub-attribute of Attr, or of the values chosen; nil for the
	// whole.
	Sub *schema.Attr
	// Extension is set, and everything else is not, when the path is the URN
	// of an extension and nothing more.
	Extension *schema.Schema
}

// String gives the path in its plainest form.
func (p Path) String() string {
	if p.Extension != nil {
		return p.Extension.URN
	}
	if p.Attr == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(p.Attr.Path())
	if p.Filter != nil {
		b.WriteByte('[')
		write(&b, p.Filter.root, true, true)
		b.WriteByte(']')
	}
	if p.Sub != nil {
		b.WriteByte('.')
		b.WriteString(p.Sub.Name)
	}
	return b.String()
}

// Path reads an attribute path: `name`, `name.sub`, `name[filter]`,
// `name[filter].sub`, each with a schema URN in front or not, in any case
// (L-3, L-5, L-15), or the URN of an extension. Errors: 400 invalidPath, the
// detail tells what is wrong and where.
func (p *Parser) Path(t *schema.Type, text string) (Path, error) {
	if text == "" {
		return Path{}, aPath.fault("it is empty; leave it out to change the whole resource")
	}
	if len(text) > maxPath {
		return Path{}, aPath.fault("it is longer than %d bytes", maxPath)
	}
	if err := aPath.checkUTF8(text); err != nil {
		return Path{}, err
	}
	s := scanner{parser: p, typ: t, what: aPath, text: text}
	return s.path()
}

func (s *scanner) path() (Path, error) {
	name, err := s.word()
	if err != nil {
		return Path{}, err
	}
	if name == "" {
		return Path{}, s.missing("an attribute name is expected here")
	}
	if s.pos == len(s.text) {
		if found, rest := prefix(s.typ, name); found != nil && rest == "" && len(name) == len(found.URN) {
			if found == s.typ.Core {
				return Path{}, s.fail(0, "it is the core schema of %s; leave the path out to change the whole resource", s.typ.Name)
			}
			return Path{Extension: found}, nil
		}
	}
	var n node
	if err := s.resolve(&n, name, 0); err != nil {
		return Path{}, err
	}
	out := Path{Attr: n.attr, Sub: n.sub}
	if n.src == fromExtension || n.src == fromCaller || n.src == fromStanding {
		out.URN = n.attr.URN
	}
	if s.at('[') {
		if err := s.brackets(&n, 0); err != nil {
			return Path{}, err
		}
		out.Filter = &Filter{parser: s.parser, typ: s.typ, root: n.left}
		if s.at('.') {
			if out.Sub, err = s.subOf(n.attr); err != nil {
				return Path{}, err
			}
		}
	}
	if s.pos != len(s.text) {
		return Path{}, s.missing("the path should end here")
	}
	return out, nil
}

// subOf reads `.sub` behind brackets.
func (s *scanner) subOf(a *schema.Attr) (*schema.Attr, error) {
	s.pos++
	start := s.pos
	name, err := s.word()
	if err != nil {
		return nil, err
	}
	sub := a.Sub(name)
	if sub == nil && !simpleValue(a, name) {
		return nil, s.fail(start, "%s has no sub-attribute %s; /Schemas lists them", quote(a.Path()), quote(name))
	}
	return sub, nil
}
