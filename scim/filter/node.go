package filter

import (
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// op is what a node of the tree does.
type op uint8

const (
	opPr op = iota
	opEq
	opNe
	opCo
	opSw
	opEw
	opGt
	opGe
	opLt
	opLe
	opElem // attr[…]: one value matches left
	opAnd
	opOr
	opNot // left
)

var opNames = [...]string{
	opPr: "pr", opEq: "eq", opNe: "ne", opCo: "co", opSw: "sw", opEw: "ew",
	opGt: "gt", opGe: "ge", opLt: "lt", opLe: "le", opElem: "[]", opAnd: "and", opOr: "or", opNot: "not",
}

// String gives the operator as the grammar writes it.
func (o op) String() string { return opNames[o] }

// comparison reads an operator in any case.
func comparison(word string) (op, bool) {
	if len(word) != 2 {
		return 0, false
	}
	for o := opPr; o <= opLe; o++ {
		if jsontree.EqualName(opNames[o], word) {
			return o, true
		}
	}
	return 0, false
}

// order reports whether o asks which of two values is greater.
func (o op) order() bool { return o >= opGt && o <= opLe }

// text reports whether o looks at parts of a text.
func (o op) text() bool { return o >= opCo && o <= opEw }

// source says where the values of an attribute come from.
type source uint8

const (
	fromDocument  source = iota // the profile, at the top
	fromExtension               // the profile, in the object of an extension
	fromID                      // Record.ID
	fromMeta                    // times, version, kind and id of the record
	fromGroups                  // Record.Groups
	fromMembers                 // Record.Members
	fromStanding                // the lifecycle extension, but not in the profile (resources.ShownApart)
	fromCaller                  // one value for the whole organization (Options.Fixed)
	nowhere                     // the type has no such attribute (Options.Others)
)

// manner is how two values are compared.
type manner uint8

const (
	asPresence manner = iota // pr, eq null, ne null
	asExact                  // byte by byte
	asText                   // resources.FoldText
	asName                   // resources.FoldName
	asBool
	asNumber
	asInstant
	asLink // a URL whose base is not known here
)

// node is one node of a filter. Leaves and value paths name an attribute: attr
// is top-level, or the attribute of the brackets for leaves inside brackets.
type node struct {
	op          op
	left, right *node

	src     source
	how     manner
	implied bool // the sub-attribute "value" was not written
	urn     string
	attr    *schema.Attr
	sub     *schema.Attr // nil: attr itself

	lit   jsontree.Value // as the client wrote it, decoded
	fixed string         // the value of an attribute fromCaller

	text string // the literal as how compares it
	num  decimal
	at   time.Time
}

// target is the attribute whose values are compared.
func (n *node) target() *schema.Attr {
	if n.sub != nil {
		return n.sub
	}
	return n.attr
}

// isNull reports whether n compares with null.
func (n *node) isNull() bool { return n.op != opPr && n.lit.Kind == jsontree.Null }

// walk calls f for n and everything below it, brackets included.
func (n *node) walk(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	n.left.walk(f)
	n.right.walk(f)
}
