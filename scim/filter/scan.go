package filter

import (
	"strings"
	"unicode/utf8"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// scanner walks over a text once, from left to right. It never looks back, and
// calls itself for brackets only, which do not nest.
type scanner struct {
	parser *Parser
	typ    *schema.Type
	opts   Options
	what   subject
	text   string
	pos    int
	depth  int          // parentheses and brackets open
	count  int          // comparisons so far
	in     *schema.Attr // the attribute of the brackets, or nil
}

func (s *scanner) fail(pos int, format string, args ...any) error {
	return s.what.faultAt(s.text, pos, format, args...)
}

// spaces skips spaces and reports whether there were any.
func (s *scanner) spaces() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] == ' ' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

// done reports the end of the text, or of the brackets.
func (s *scanner) done() bool { return s.pos >= len(s.text) || (s.in != nil && s.text[s.pos] == ']') }

// word reads up to a space, a quote, a parenthesis or a bracket.
func (s *scanner) word() (string, error) {
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == ' ' || c == '(' || c == ')' || c == '[' || c == ']' || c == '"':
			return s.text[start:s.pos], nil
		case c < ' ' || c >= 0x7f:
			r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
			return "", s.fail(s.pos, "the character %U may stand only inside a value in double quotes", r)
		}
		s.pos++
	}
	return s.text[start:s.pos], nil
}

// turn is what the scan of one filter, or of one pair of brackets, gathers. It
// is of fixed size, so that it costs no memory beyond the stack.
type turn struct {
	tmpl   [maxTemplate]byte // the shape of the filter so far
	used   int               // bytes of it
	opens  [maxDepth]int     // where the open parentheses stand
	open   int               // how many there are
	leaves []node            // comparisons and value paths, in order
}

// put adds to the template and reports whether there was room.
func (t *turn) put(s string) bool {
	if len(s) > len(t.tmpl)-t.used {
		return false
	}
	t.used += copy(t.tmpl[t.used:], s)
	return true
}

// expression reads a whole filter, or what stands inside brackets, up to its
// end, and lets the grammar put the comparisons together.
func (s *scanner) expression() (*node, error) {
	var t turn
	for {
		if err := s.operand(&t); err != nil {
			return nil, err
		}
		more, err := s.connective(&t)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	shape, ok := s.parser.shapeOf(t.tmpl[:t.used], len(t.leaves))
	if !ok {
		return nil, s.what.fault("it does not follow the grammar of RFC 7644 §3.4.2.2")
	}
	return shape.build(t.leaves), nil
}

// operand reads opening parentheses and nots, then one comparison.
func (s *scanner) operand(t *turn) error {
	for {
		s.spaces()
		if s.at('(') {
			if s.depth++; s.depth > maxDepth {
				return s.fail(s.pos, "it is nested deeper than %d; send a simpler one", maxDepth)
			}
			t.opens[t.open] = s.pos // the depth bounds it
			t.open++
			if !t.put("(") {
				return s.tooBig()
			}
			s.pos++
			continue
		}
		start := s.pos
		w, err := s.word()
		if err != nil {
			return err
		}
		if jsontree.EqualName(w, "not") && s.openFollows() {
			if !t.put("not ") {
				return s.tooBig()
			}
			continue
		}
		if w == "" {
			return s.missing("an attribute name is expected here")
		}
		var n node
		if err := s.comparison(&n, w, start); err != nil {
			return err
		}
		return s.add(t, n)
	}
}

// openFollows looks for a parenthesis behind spaces.
func (s *scanner) openFollows() bool {
	i := s.pos
	for i < len(s.text) && s.text[i] == ' ' {
		i++
	}
	return i < len(s.text) && s.text[i] == '('
}

// missing makes the error for a place where something else was expected.
func (s *scanner) missing(expected string) error {
	if s.pos >= len(s.text) {
		return s.fail(len(s.text), "it ends where it should go on: %s", expected)
	}
	rest := s.text[s.pos:]
	if i := strings.IndexByte(rest, ' '); i > 0 {
		rest = rest[:i]
	}
	return s.fail(s.pos, "%s, not %s", expected, quote(rest))
}

// add puts a comparison into the template.
func (s *scanner) add(t *turn, n node) error {
	if t.leaves == nil {
		t.leaves = make([]node, 0, 1)
	}
	t.leaves = append(t.leaves, n)
	var fits bool
	switch n.op {
	case opElem:
		fits = t.put("a[a pr]")
	case opPr:
		fits = t.put("a pr")
	default:
		fits = t.put("a ") && t.put(opNames[n.op]) && t.put(" 0")
	}
	if !fits {
		return s.tooBig()
	}
	return nil
}

func (s *scanner) tooBig() error {
	return s.fail(s.pos, "it has too many parts; send a simpler one")
}

// connective reads closing parentheses, then "and" or "or", or the end.
func (s *scanner) connective(t *turn) (more bool, err error) {
	for {
		spaced := s.spaces()
		if s.done() {
			if t.open > 0 {
				return false, s.fail(t.opens[t.open-1], "this parenthesis is never closed")
			}
			return false, nil
		}
		if s.at(')') {
			if t.open == 0 {
				return false, s.fail(s.pos, "this parenthesis was never opened")
			}
			t.open--
			s.depth--
			if !t.put(")") {
				return false, s.tooBig()
			}
			s.pos++
			continue
		}
		start := s.pos
		w, err := s.word()
		if err != nil {
			return false, err
		}
		join := opAnd
		if jsontree.EqualName(w, "or") {
			join = opOr
		} else if !spaced || !jsontree.EqualName(w, "and") {
			s.pos = start
			return false, s.missing("\"and\", \"or\" or the end is expected here")
		}
		if !spaced || !s.at(' ') {
			return false, s.fail(start, "spaces are needed around %q", opNames[join])
		}
		if !t.put(" ") || !t.put(opNames[join]) || !t.put(" ") {
			return false, s.tooBig()
		}
		return true, nil
	}
}

// comparison reads what follows an attribute: brackets, or an operator and
// its value.
func (s *scanner) comparison(n *node, name string, start int) error {
	if err := s.resolve(n, name, start); err != nil {
		return err
	}
	end := s.pos
	s.spaces()
	if s.in == nil && s.at('[') {
		return s.valuePath(n, start)
	}
	s.pos = end
	return s.operatorAndValue(n, name, start)
}

// operatorAndValue reads the rest of a comparison of an attribute, resolved
// already.
func (s *scanner) operatorAndValue(n *node, name string, start int) error {
	if s.count++; s.count > maxComparisons {
		return s.fail(start, "it has more than %d comparisons; send several requests", maxComparisons)
	}
	if !s.spaces() {
		return s.missing("a space and an operator are expected after " + quote(name))
	}
	opAt := s.pos
	w, err := s.word()
	if err != nil {
		return err
	}
	var ok bool
	if n.op, ok = comparison(w); !ok {
		if w == "" {
			return s.missing("an operator is expected after " + quote(name))
		}
		return s.fail(opAt, "%s is not an operator; use eq, ne, co, sw, ew, gt, ge, lt, le or pr", quote(w))
	}
	if n.op == opPr {
		return s.check(n, literal{at: opAt}, start)
	}
	if !s.spaces() {
		return s.missing("a space and a value are expected after " + quote(w))
	}
	lit, err := s.literal(n.op)
	if err != nil {
		return err
	}
	return s.check(n, lit, start)
}

// valuePath reads `[…]`, and `.sub op value` behind it, which Entra sends and
// which means one more condition on the same value (L-18).
func (s *scanner) valuePath(n *node, start int) error {
	if err := s.brackets(n, start); err != nil {
		return err
	}
	if !s.at('.') {
		return nil
	}
	s.pos++
	subAt := s.pos
	name, err := s.word()
	if err != nil {
		return err
	}
	tail := &node{}
	s.in = n.attr
	defer func() { s.in = nil }()
	if err := s.resolve(tail, name, subAt); err != nil {
		return err
	}
	if err := s.operatorAndValue(tail, name, subAt); err != nil {
		return err
	}
	n.left = &node{op: opAnd, left: n.left, right: tail}
	return nil
}

// brackets reads `[…]` behind the attribute of n and makes n a value path.
func (s *scanner) brackets(n *node, start int) error {
	if n.sub != nil || (n.attr.Type != schema.TypeComplex && !n.attr.Multi) {
		return s.fail(start, "%s has no values that a condition in brackets could choose from", quote(n.target().Path()))
	}
	if err := s.readable(n, start); err != nil {
		return err
	}
	open := s.pos
	if s.depth++; s.depth > maxDepth {
		return s.fail(open, "it is nested deeper than %d; send a simpler one", maxDepth)
	}
	s.pos++
	s.in = n.attr
	inner, err := s.expression()
	s.in = nil
	if err != nil {
		return err
	}
	if !s.at(']') {
		return s.fail(open, "this bracket is never closed")
	}
	s.pos++
	s.depth--
	n.op, n.left = opElem, inner
	return nil
}
