package filter

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// Options are the tolerances of a connection.
type Options struct {
	// Unquoted accepts text values without quotes, up to the next space or
	// closing parenthesis (L-17).
	Unquoted bool

	// Others are the further types that are asked the same: an attribute
	// that only they have has no value here, instead of being an error.
	Others []*schema.Type

	// Fixed gives the values of attributes that are the same for the whole
	// organization, see schema.Attr; "" is no value. Nil: none has one.
	Fixed func(*schema.Attr) string
}

// Filter is a checked filter on the resources of one type, or, inside a
// [Path], on the values of one attribute. It never changes and may be used by
// many goroutines.
type Filter struct {
	parser *Parser
	typ    *schema.Type
	root   *node
}

// Parse reads a filter on resources of a type. Errors: 400 invalidFilter, the
// detail tells what is wrong and where.
func (p *Parser) Parse(t *schema.Type, text string, o Options) (*Filter, error) {
	if len(text) > maxChars && utf8.RuneCountInString(text) > maxChars {
		return nil, aFilter.fault("it is longer than %d characters", maxChars)
	}
	if err := aFilter.checkUTF8(text); err != nil {
		return nil, err
	}
	s := scanner{parser: p, typ: t, opts: o, what: aFilter, text: text}
	if s.spaces(); s.pos == len(text) {
		return nil, aFilter.fault("it is empty")
	}
	root, err := s.expression()
	if err != nil {
		return nil, err
	}
	if s.pos != len(text) {
		return nil, s.missing("the end is expected here")
	}
	return &Filter{parser: p, typ: t, root: root}, nil
}

// checkUTF8 refuses text that is not valid UTF-8.
func (s subject) checkUTF8(text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			return s.faultAt(text, i, "the text is not valid UTF-8")
		}
		i += size
	}
	return nil
}

// Expression gives the filter as a tree of filter-parser, with attribute names
// and URNs spelled as in the schemas, literals decoded, and L-18 rewritten.
func (f *Filter) Expression() grammar.Expression { return expression(f.root, false) }

func expression(n *node, inside bool) grammar.Expression {
	switch n.op {
	case opAnd, opOr:
		return &grammar.LogicalExpression{
			Left: expression(n.left, inside), Right: expression(n.right, inside),
			Operator: grammar.LogicalOperator(n.op.String()),
		}
	case opNot:
		return &grammar.NotExpression{Expression: expression(n.left, inside)}
	case opElem:
		return &grammar.ValuePath{AttributePath: attributePath(n, false), ValueFilter: expression(n.left, true)}
	}
	return &grammar.AttributeExpression{
		AttributePath: attributePath(n, inside),
		Operator:      grammar.CompareOperator(n.op.String()),
		CompareValue:  compareValue(n),
	}
}

func attributePath(n *node, inside bool) grammar.AttributePath {
	if inside {
		if n.sub == nil {
			return grammar.AttributePath{AttributeName: "value"}
		}
		return grammar.AttributePath{AttributeName: n.sub.Name}
	}
	path := grammar.AttributePath{AttributeName: n.attr.Name}
	if n.urn != "" {
		path.URIPrefix = &n.urn
	}
	if n.sub != nil && !n.implied {
		path.SubAttribute = &n.sub.Name
	}
	return path
}

// String gives the filter in its plainest form; reading it again gives the
// same filter. It holds the values of the client: do not log it.
func (f *Filter) String() string {
	var b strings.Builder
	write(&b, f.root, false, true)
	return b.String()
}

// write renders a filter. shown says whether values are written; without them
// it tells only what was asked about.
func write(b *strings.Builder, n *node, inside, shown bool) {
	// The grammar binds and before or, and joins equal operators from the left.
	side := func(c *node, left bool) {
		plain := (c.op != opAnd && c.op != opOr) || (c.op == n.op && left) || (c.op == opAnd && n.op == opOr)
		if plain {
			write(b, c, inside, shown)
			return
		}
		b.WriteByte('(')
		write(b, c, inside, shown)
		b.WriteByte(')')
	}
	switch n.op {
	case opAnd, opOr:
		side(n.left, true)
		b.WriteString(" " + n.op.String() + " ")
		side(n.right, false)
	case opNot:
		b.WriteString("not (")
		write(b, n.left, inside, shown)
		b.WriteByte(')')
	case opElem:
		b.WriteString(attributePath(n, inside).String())
		b.WriteByte('[')
		write(b, n.left, true, shown)
		b.WriteByte(']')
	default:
		b.WriteString(attributePath(n, inside).String())
		b.WriteString(" " + n.op.String())
		switch {
		case n.op == opPr:
		case !shown:
			b.WriteString(" ?")
		default:
			b.WriteByte(' ')
			b.Write(n.lit.Append(nil))
		}
	}
}

// Equality is one condition `sub eq value` of a plain filter.
type Equality struct {
	Sub   *schema.Attr // nil when the values are not complex and are meant themselves
	Value jsontree.Value
}

// Equalities lists the conditions of a filter in brackets that is nothing but
// `sub eq value`, joined by and; ok is false for any other filter. Such a
// filter says what a new value must look like (L-7). Values of boolean
// sub-attributes are booleans, whatever the client wrote (L-19).
func (f *Filter) Equalities() (list []Equality, ok bool) {
	var visit func(n *node) bool
	visit = func(n *node) bool {
		if n.op == opAnd {
			return visit(n.left) && visit(n.right)
		}
		if n.op != opEq || n.isNull() {
			return false
		}
		list = append(list, Equality{Sub: n.sub, Value: n.lit})
		return true
	}
	if f == nil || !visit(f.root) {
		return nil, false
	}
	return list, true
}

func compareValue(n *node) any {
	switch n.lit.Kind {
	case jsontree.String:
		return n.lit.Text
	case jsontree.Number:
		return json.Number(n.lit.Text)
	case jsontree.True:
		return true
	case jsontree.False:
		return false
	}
	return nil
}
