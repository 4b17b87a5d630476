package filter

import (
	"bytes"
	"sync"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/usher-scim/usher/resources"
)

// Parser reads filters, paths, sort keys and attribute lists. It remembers what
// the grammar said about the shapes it has seen; shapes hold no client data.
// One Parser serves all requests, concurrently.
type Parser struct {
	// Version gives meta.version of a record as clients see it. Without it
	// filters on meta.version are refused. It must be set before the first use.
	Version func(*resources.Record) string

	mu       sync.RWMutex
	now, old map[string]*shape
}

// generation is how many shapes are remembered before the older half is let
// go. Shapes in use move on to the new generation, so that a flood of odd
// filters does not push out those of real traffic.
const generation = 256

// New makes a Parser.
func New() *Parser {
	return &Parser{now: make(map[string]*shape, generation)}
}

// shape is the tree of a template: how its comparisons are joined.
type shape struct {
	valid bool
	nodes []join // and, or, not; the last one is the root, unless there is none
	root  int
}

// join is one inner node. Negative numbers stand for comparisons: -1 is the
// first one of the text, -2 the second.
type join struct {
	op          op
	left, right int
}

// shapeOf gives the shape of a template with so many comparisons, or false
// when the grammar refuses it.
func (p *Parser) shapeOf(tmpl []byte, leaves int) (*shape, bool) {
	p.mu.RLock()
	s := p.now[string(tmpl)]
	p.mu.RUnlock()
	if s == nil {
		s = p.learn(tmpl, leaves)
	}
	return s, s.valid
}

// learn finds a shape in the old generation or asks the grammar, without
// holding the lock meanwhile, and remembers it: refused ones too.
func (p *Parser) learn(tmpl []byte, leaves int) *shape {
	p.mu.RLock()
	s := p.old[string(tmpl)]
	p.mu.RUnlock()
	if s == nil {
		s = parseTemplate(tmpl, leaves)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.now) >= generation {
		p.old, p.now = p.now, make(map[string]*shape, generation)
	}
	p.now[string(tmpl)] = s
	return s
}

// parseTemplate asks filter-parser.
func parseTemplate(tmpl []byte, leaves int) *shape {
	tree, err := grammar.ParseFilterNumber(bytes.Clone(tmpl)) // a copy, so that the scan's buffer stays on the stack
	if err != nil {
		return &shape{}
	}
	s := &shape{}
	next := 0
	s.root = s.take(tree, &next)
	s.valid = next == leaves
	return s
}

// take adds a tree of filter-parser and returns its place. The grammar keeps
// the order of the text, so counting finds each comparison again.
func (s *shape) take(tree grammar.Expression, next *int) int {
	var j join
	switch e := tree.(type) {
	case *grammar.LogicalExpression:
		j.op = opAnd
		if e.Operator == grammar.OR {
			j.op = opOr
		}
		j.left = s.take(e.Left, next)
		j.right = s.take(e.Right, next)
	case *grammar.NotExpression:
		j.op = opNot
		j.left = s.take(e.Expression, next)
	default:
		*next++
		return -*next
	}
	s.nodes = append(s.nodes, j)
	return len(s.nodes) - 1
}

// build puts comparisons into the shape. Children stand before their parents.
func (s *shape) build(leaves []node) *node {
	if s.root < 0 {
		return &leaves[-s.root-1]
	}
	out := make([]node, len(s.nodes))
	get := func(i int) *node {
		if i < 0 {
			return &leaves[-i-1]
		}
		return &out[i]
	}
	for i, j := range s.nodes {
		out[i] = node{op: j.op, left: get(j.left)}
		if j.op != opNot {
			out[i].right = get(j.right)
		}
	}
	return &out[s.root]
}
