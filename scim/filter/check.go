package filter

import (
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// readable refuses attributes whose values are never shown: a filter on them
// would tell what they are.
func (s *scanner) readable(n *node, start int) error {
	for _, a := range [...]*schema.Attr{n.attr, n.sub} {
		switch {
		case a == nil:
		case a.Hidden():
			return s.fail(start, "%s is never returned and cannot be compared", quote(a.Path()))
		case a.Counted && s.what != aPath:
			return s.fail(start, "%s is counted when a group is asked for it, and cannot be compared", quote(a.Path()))
		}
	}
	return nil
}

// check decides whether a comparison makes sense for its attribute, and
// prepares the literal in the form it is compared in. start is where the
// comparison stands in the text.
func (s *scanner) check(n *node, lit literal, start int) error {
	if err := s.readable(n, start); err != nil {
		return err
	}
	n.lit = lit.Value
	if n.op == opPr {
		return s.checkSource(n, start)
	}
	if lit.Kind == jsontree.Null {
		if n.op != opEq && n.op != opNe {
			return s.fail(lit.at, "null goes with eq and ne only")
		}
		return s.checkSource(n, start)
	}
	if n.target().Type == schema.TypeComplex {
		if n.sub = n.attr.Sub("value"); n.sub == nil {
			return s.fail(start, "%s consists of sub-attributes; name one of them, such as %s",
				quote(n.attr.Path()), quote(n.attr.Subs[0].Path()))
		}
		n.implied = true
		if err := s.readable(n, start); err != nil {
			return err
		}
	}
	if err := s.checkSource(n, start); err != nil {
		return err
	}
	if err := s.operands(n, lit); err != nil {
		return err
	}
	return nil
}

// operands checks operator and literal against the attribute's type.
func (s *scanner) operands(n *node, lit literal) error {
	a := n.target()
	switch a.Type {
	case schema.TypeBoolean:
		if n.op != opEq && n.op != opNe {
			return s.mismatch(n, lit.at)
		}
		return s.boolean(n, lit)
	case schema.TypeInteger, schema.TypeDecimal:
		if n.op.text() {
			return s.mismatch(n, lit.at)
		}
		if n.how = asNumber; lit.Kind == jsontree.Number {
			n.num, _ = parseDecimal(lit.Text)
			return nil
		}
		return s.wrongType(n, lit, "a number without quotes")
	case schema.TypeDateTime:
		if n.op.text() {
			return s.mismatch(n, lit.at)
		}
		n.how = asInstant
		var ok bool
		if lit.Kind == jsontree.String {
			n.at, ok = parseInstant(lit.Text)
		}
		if !ok {
			return s.wrongType(n, lit, "a date and time in quotes, such as \"2026-01-31T12:00:00Z\"")
		}
		return nil
	case schema.TypeBinary:
		if n.op.order() {
			return s.mismatch(n, lit.at)
		}
	}
	return s.textual(n, lit)
}

// boolean reads true and false, in quotes too (L-2, L-19).
func (s *scanner) boolean(n *node, lit literal) error {
	n.how = asBool
	switch {
	case lit.IsBool():
		return nil
	case lit.Kind == jsontree.String && jsontree.EqualName(lit.Text, "true"):
		n.lit = jsontree.Bool(true)
	case lit.Kind == jsontree.String && jsontree.EqualName(lit.Text, "false"):
		n.lit = jsontree.Bool(false)
	default:
		return s.wrongType(n, lit, "true or false")
	}
	return nil
}

// textual prepares a comparison of text. Without quotes everything is text
// under Options.Unquoted (L-17).
func (s *scanner) textual(n *node, lit literal) error {
	if lit.Kind != jsontree.String {
		if !s.opts.Unquoted || !lit.bare {
			return s.wrongType(n, lit, "text in double quotes")
		}
		n.lit = jsontree.Str(lit.raw)
	}
	n.how = s.mannerOf(n)
	n.text = n.how.fold(n.lit.Text)
	return nil
}

func (s *scanner) mismatch(n *node, pos int) error {
	return s.fail(pos, "%q does not go with %s, which is of type %s", n.op.String(), quote(n.target().Path()), n.target().Type)
}

func (s *scanner) wrongType(n *node, lit literal, want string) error {
	return s.fail(lit.at, "%s is of type %s and compares with %s", quote(n.target().Path()), n.target().Type, want)
}

// mannerOf says how the values of a text attribute compare.
func (s *scanner) mannerOf(n *node) manner {
	a := n.target()
	switch {
	case s.isLink(n):
		return asLink
	case s.isUserName(n.attr):
		return asName
	case a.CaseExact:
		return asExact
	}
	return asText
}

// isUserName reports whether a is the userName, which has its own folding.
func (s *scanner) isUserName(a *schema.Attr) bool {
	return a.Lower == "username" && a.URN == s.typ.Core.URN && s.typ.Kind == resources.KindUser
}

// isLink reports whether n compares a URL that usher makes and whose base is
// not known here.
func (s *scanner) isLink(n *node) bool {
	switch n.src {
	case fromMeta:
		return n.sub != nil && n.sub.Lower == "location"
	case fromGroups, fromMembers:
		return n.sub != nil && n.sub.Lower == "$ref"
	}
	return false
}

// checkSource refuses what the record of a match does not tell. Paths choose
// among the values of a document and are not asked.
func (s *scanner) checkSource(n *node, start int) error {
	if s.what != aFilter || n.sub == nil {
		return nil
	}
	switch {
	case n.src == fromMembers && n.sub.Lower != "value" && n.sub.Lower != "type" && n.sub.Lower != "$ref":
		return s.fail(start, "groups can be found by members.value, members.type and members.$ref only")
	case n.src == fromMeta && n.sub.Lower == "version" && s.parser.Version == nil:
		return s.fail(start, "resources cannot be found by meta.version")
	}
	return nil
}

// fold gives text in the form it is compared in.
func (m manner) fold(text string) string {
	switch m {
	case asName:
		return string(resources.FoldName(text))
	case asText:
		return string(resources.FoldText(text))
	}
	return text
}
