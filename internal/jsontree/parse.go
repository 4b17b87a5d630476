package jsontree

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits bound what [Parse] accepts. A zero field means no bound of its own.
type Limits struct {
	Depth   int // nested arrays and objects
	Members int // members of one object
	Digits  int // digits of one number, fraction and exponent included
}

// BodyLimits are the limits of every SCIM request body (security S12).
func BodyLimits() Limits { return Limits{Depth: 16, Members: 512, Digits: 15} }

// SyntaxError tells what is wrong with a JSON text and where.
type SyntaxError struct {
	Offset int    // bytes before the fault
	Reason string // a sentence fit for the client
}

// Error gives the reason and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

type parser struct {
	in  string
	pos int
	lim Limits
}

// Parse reads exactly one JSON value from data. It refuses duplicate member
// names (compared without case), invalid UTF-8, lone surrogates, NUL
// characters and anything after the value. The error is a *[SyntaxError].
func Parse(data []byte, lim Limits) (Value, error) {
	p := parser{in: string(data), lim: lim}
	if len(p.in) >= 3 && p.in[:3] == "\xef\xbb\xbf" {
		return Value{}, p.fail("the text starts with a byte order mark; send plain UTF-8")
	}
	var v Value
	if err := p.value(&v, 0); err != nil {
		return Value{}, err
	}
	p.space()
	if p.pos != len(p.in) {
		return Value{}, p.fail("there is text after the JSON value")
	}
	return v, nil
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

func (p *parser) value(v *Value, depth int) error {
	p.space()
	if p.pos >= len(p.in) {
		return p.fail("the text ends where a JSON value is expected")
	}
	switch c := p.in[p.pos]; {
	case c == '{':
		return p.object(v, depth+1)
	case c == '[':
		return p.array(v, depth+1)
	case c == '"':
		s, err := p.str()
		v.Kind, v.Text = String, s
		return err
	case c == '-' || (c >= '0' && c <= '9'):
		return p.number(v)
	case c == 't':
		return p.word(v, "true", True)
	case c == 'f':
		return p.word(v, "false", False)
	case c == 'n':
		return p.word(v, "null", Null)
	}
	return p.fail("a JSON value is expected here")
}

func (p *parser) word(v *Value, w string, k Kind) error {
	if len(p.in)-p.pos < len(w) || p.in[p.pos:p.pos+len(w)] != w {
		return p.fail("a JSON value is expected here")
	}
	p.pos += len(w)
	v.Kind = k
	return nil
}

func (p *parser) open(depth int) error {
	if p.lim.Depth > 0 && depth > p.lim.Depth {
		return p.fail(fmt.Sprintf("values are nested deeper than %d", p.lim.Depth))
	}
	p.pos++
	p.space()
	return nil
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

func (p *parser) array(v *Value, depth int) error {
	if err := p.open(depth); err != nil {
		return err
	}
	v.Kind, v.Items = Array, nil
	if p.pos < len(p.in) && p.in[p.pos] == ']' {
		p.pos++
		return nil
	}
	for {
		v.Items = append(v.Items, Value{})
		if err := p.value(&v.Items[len(v.Items)-1], depth); err != nil {
			return err
		}
		done, err := p.next(']')
		if done || err != nil {
			return err
		}
	}
}

func (p *parser) object(v *Value, depth int) error {
	if err := p.open(depth); err != nil {
		return err
	}
	v.Kind, v.Items = Object, nil
	if p.pos < len(p.in) && p.in[p.pos] == '}' {
		p.pos++
		return nil
	}
	for {
		p.space()
		if p.pos >= len(p.in) || p.in[p.pos] != '"' {
			return p.fail("a member name in quotes is expected here")
		}
		at := p.pos
		name, err := p.str()
		if err != nil {
			return err
		}
		if p.lim.Members > 0 && len(v.Items) >= p.lim.Members {
			return p.fail(fmt.Sprintf("an object has more than %d members", p.lim.Members))
		}
		for i := range v.Items {
			if EqualName(v.Items[i].Name, name) {
				p.pos = at
				return p.fail(fmt.Sprintf("the member %q appears twice in one object", clip(name)))
			}
		}
		p.space()
		if p.pos >= len(p.in) || p.in[p.pos] != ':' {
			return p.fail("a colon is expected after a member name")
		}
		p.pos++
		if v.Items == nil {
			v.Items = make([]Value, 0, 4)
		}
		v.Items = append(v.Items, Value{})
		item := &v.Items[len(v.Items)-1]
		if err := p.value(item, depth); err != nil {
			return err
		}
		item.Name = name
		done, err := p.next('}')
		if done || err != nil {
			return err
		}
	}
}

func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

func (p *parser) digits() int {
	n := 0
	for p.pos < len(p.in) && p.in[p.pos] >= '0' && p.in[p.pos] <= '9' {
		p.pos++
		n++
	}
	return n
}

func (p *parser) peek(c byte) bool { return p.pos < len(p.in) && p.in[p.pos] == c }

func (p *parser) number(v *Value) error {
	start := p.pos
	if p.peek('-') {
		p.pos++
	}
	zero := p.peek('0')
	digits := p.digits()
	if digits == 0 || (zero && digits > 1) {
		return p.fail("this is not a JSON number")
	}
	if p.peek('.') {
		p.pos++
		n := p.digits()
		if n == 0 {
			return p.fail("digits are expected after the decimal point")
		}
		digits += n
	}
	if p.peek('e') || p.peek('E') {
		p.pos++
		if p.peek('+') || p.peek('-') {
			p.pos++
		}
		n := p.digits()
		if n == 0 {
			return p.fail("digits are expected in the exponent")
		}
		digits += n
	}
	if p.lim.Digits > 0 && digits > p.lim.Digits {
		return p.fail(fmt.Sprintf("a number has more than %d digits", p.lim.Digits))
	}
	v.Kind, v.Text = Number, p.in[start:p.pos]
	return nil
}

// str reads a string; text without escapes shares the input's memory.
func (p *parser) str() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		switch {
		case c == '"':
			s := p.in[start:p.pos]
			p.pos++
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail("a control character stands unescaped in a string")
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRuneInString(p.in[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail("the text is not valid UTF-8")
			}
			p.pos += size
		}
	}
	return "", p.fail("the text ends inside a string")
}

func (p *parser) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, p.pos-start+32), p.in[start:p.pos]...)
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(buf), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		case c < 0x20:
			return "", p.fail("a control character stands unescaped in a string")
		case c < utf8.RuneSelf:
			buf = append(buf, c)
			p.pos++
		default:
			r, size := utf8.DecodeRuneInString(p.in[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail("the text is not valid UTF-8")
			}
			buf = append(buf, p.in[p.pos:p.pos+size]...)
			p.pos += size
		}
	}
	return "", p.fail("the text ends inside a string")
}

func (p *parser) escape() (rune, error) {
	if p.pos+1 >= len(p.in) {
		return 0, p.fail("the text ends inside an escape")
	}
	c := p.in[p.pos+1]
	if c == 'u' {
		return p.unicode()
	}
	p.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	}
	p.pos -= 2
	return 0, p.fail("this is not a JSON escape")
}

func (p *parser) unicode() (rune, error) {
	r, ok := p.hex4(p.pos + 2)
	if !ok {
		return 0, p.fail("four hexadecimal digits are expected after \\u")
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low := rune(-1)
		if p.pos+8 <= len(p.in) && p.in[p.pos+6] == '\\' && p.in[p.pos+7] == 'u' {
			low, ok = p.hex4(p.pos + 8)
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError || !ok {
			return 0, p.fail("half of a surrogate pair stands alone")
		}
		size = 12
	}
	if r == 0 {
		return 0, p.fail("the character NUL is not accepted")
	}
	p.pos += size
	return r, nil
}

func (p *parser) hex4(at int) (rune, bool) {
	if at+4 > len(p.in) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.in[at : at+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
