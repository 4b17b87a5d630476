package jsontree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits bound what [Parse] accepts. A zero field means no bound of its own.
type Limits struct {
	Depth   int // nested arrays and objects
	Members int // members of one object
	Digits  int // digits of one number, fraction and exponent included
	Values  int // values in the whole text, arrays and objects included
}

// BodyLimits are the limits of every SCIM request body (security S12). Values
// keeps a megabyte of "[0,0,0…" from becoming many megabytes of tree; a
// megabyte of group members is half of it.
func BodyLimits() Limits { return Limits{Depth: 16, Members: 512, Digits: 15, Values: 1 << 17} }

// SyntaxError tells what is wrong with a JSON text and where.
type SyntaxError struct {
	Offset int    // bytes before the fault
	Reason string // a sentence fit for the client
}

// Error gives the reason and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

// parser reads a text in one pass. The items of open containers wait on open;
// when a container closes, its items move to their final place, cut from slab:
// one allocation serves many containers.
type parser struct {
	in   string
	pos  int
	n    int // values so far
	lim  Limits
	open []Value
	slab []Value
}

// Parse reads exactly one JSON value from data. It refuses duplicate member
// names (compared without case), invalid UTF-8, lone surrogates, NUL
// characters and anything after the value. The error is a *[SyntaxError].
func Parse(data []byte, lim Limits) (Value, error) {
	p := parser{in: string(data), lim: lim}
	p.reserve()
	if len(p.in) >= 3 && p.in[:3] == "\xef\xbb\xbf" {
		return Value{}, p.fail("the text starts with a byte order mark; send plain UTF-8")
	}
	if err := p.value("", 0); err != nil {
		return Value{}, err
	}
	p.space()
	if p.pos != len(p.in) {
		return Value{}, p.fail("there is text after the JSON value")
	}
	return p.open[0], nil
}

// reserve makes room for the values of the text in one allocation. A value
// needs a comma or an opening bracket; text may be full of them, so the guess
// is bounded.
func (p *parser) reserve() {
	const open, most = 28, 128
	guess := strings.Count(p.in, ",") + strings.Count(p.in, "{") + strings.Count(p.in, "[")
	room := make([]Value, open+min(guess, most))
	p.open, p.slab = room[:0:open], room[open:]
}

// take moves the items above mark from open to a slice of exactly their
// number; appending to it later copies it and touches no neighbour.
func (p *parser) take(mark int) []Value {
	n := len(p.open) - mark
	if n == 0 {
		return nil
	}
	if n > len(p.slab) {
		const more = 64
		p.slab = make([]Value, n+more)
	}
	items := p.slab[:n:n]
	p.slab = p.slab[n:]
	copy(items, p.open[mark:])
	p.open = p.open[:mark]
	return items
}

func (p *parser) fail(reason string) error {
	return &SyntaxError{Offset: p.pos, Reason: reason}
}

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// value reads one value and puts it on open under the name.
func (p *parser) value(name string, depth int) error {
	p.space()
	if p.pos >= len(p.in) {
		return p.fail("the text ends where a JSON value is expected")
	}
	if p.n++; p.lim.Values > 0 && p.n > p.lim.Values {
		return p.fail(fmt.Sprintf("the text has more than %d values", p.lim.Values))
	}
	switch c := p.in[p.pos]; {
	case c == '"':
		s, err := p.str()
		p.open = append(p.open, Value{Kind: String, Name: name, Text: s})
		return err
	case c == '{':
		return p.object(name, depth+1)
	case c == '[':
		return p.array(name, depth+1)
	case c == '-' || (c >= '0' && c <= '9'):
		s, err := p.number()
		p.open = append(p.open, Value{Kind: Number, Name: name, Text: s})
		return err
	case c == 't':
		return p.word(name, "true", True)
	case c == 'f':
		return p.word(name, "false", False)
	case c == 'n':
		return p.word(name, "null", Null)
	}
	return p.fail("a JSON value is expected here")
}

func (p *parser) word(name, w string, k Kind) error {
	if len(p.in)-p.pos < len(w) || p.in[p.pos:p.pos+len(w)] != w {
		return p.fail("a JSON value is expected here")
	}
	p.pos += len(w)
	p.open = append(p.open, Value{Kind: k, Name: name})
	return nil
}

// enter eats the opening character and reports an empty container.
func (p *parser) enter(depth int, closing byte) (empty bool, err error) {
	if p.lim.Depth > 0 && depth > p.lim.Depth {
		return false, p.fail(fmt.Sprintf("values are nested deeper than %d", p.lim.Depth))
	}
	p.pos++
	p.space()
	if p.peek(closing) {
		p.pos++
		return true, nil
	}
	return false, nil
}

// next eats the comma or the closing character after an item.
func (p *parser) next(closing byte) (done bool, err error) {
	p.space()
	if p.pos >= len(p.in) {
		return false, p.fail("the text ends inside an array or object")
	}
	switch p.in[p.pos] {
	case ',':
		p.pos++
		return false, nil
	case closing:
		p.pos++
		return true, nil
	}
	return false, p.fail("a comma or the end of the array or object is expected here")
}

func (p *parser) array(name string, depth int) error {
	done, err := p.enter(depth, ']')
	mark := len(p.open)
	for !done {
		if err != nil {
			return err
		}
		if err = p.value("", depth); err != nil {
			return err
		}
		done, err = p.next(']')
	}
	items := p.take(mark)
	p.open = append(p.open, Value{Kind: Array, Name: name, Items: items})
	return nil
}

func (p *parser) object(name string, depth int) error {
	done, err := p.enter(depth, '}')
	mark := len(p.open)
	var seen map[string]struct{}
	for !done {
		if err != nil {
			return err
		}
		var member string
		if member, err = p.name(mark, &seen); err != nil {
			return err
		}
		if err = p.value(member, depth); err != nil {
			return err
		}
		done, err = p.next('}')
	}
	items := p.take(mark)
	p.open = append(p.open, Value{Kind: Object, Name: name, Items: items})
	return nil
}

// name reads a member name and its colon. The members before it stand on open
// above mark.
func (p *parser) name(mark int, seen *map[string]struct{}) (string, error) {
	p.space()
	if !p.peek('"') {
		return "", p.fail("a member name in quotes is expected here")
	}
	at := p.pos
	name, err := p.str()
	if err != nil {
		return "", err
	}
	before := p.open[mark:]
	if p.lim.Members > 0 && len(before) >= p.lim.Members {
		return "", p.fail(fmt.Sprintf("an object has more than %d members", p.lim.Members))
	}
	if repeated(before, name, seen) {
		p.pos = at
		return "", p.fail(fmt.Sprintf("the member %q appears twice in one object", clip(name)))
	}
	p.space()
	if !p.peek(':') {
		return "", p.fail("a colon is expected after a member name")
	}
	p.pos++
	return name, nil
}

// repeated reports whether one of the members has that name already. Small
// objects, all that SCIM sends, are searched; large ones get a set, so that
// many full objects in one body stay cheap.
func repeated(members []Value, name string, seen *map[string]struct{}) bool {
	const small = 32
	if len(members) < small {
		for i := range members {
			if len(members[i].Name) == len(name) && EqualName(members[i].Name, name) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 4*small)
		for i := range members {
			(*seen)[LowerName(members[i].Name)] = struct{}{}
		}
	}
	key := LowerName(name)
	if _, again := (*seen)[key]; again {
		return true
	}
	(*seen)[key] = struct{}{}
	return false
}

// clip cuts a name to a readable length, between characters.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
