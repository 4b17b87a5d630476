package jsontree

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) digits() int {
	n := 0
	for p.pos < len(p.in) && p.in[p.pos] >= '0' && p.in[p.pos] <= '9' {
		p.pos++
		n++
	}
	return n
}

func (p *parser) peek(c byte) bool { return p.pos < len(p.in) && p.in[p.pos] == c }

func (p *parser) number() (string, error) {
	start := p.pos
	if p.peek('-') {
		p.pos++
	}
	zero := p.peek('0')
	digits := p.digits()
	if digits == 0 || (zero && digits > 1) {
		return "", p.fail("this is not a JSON number")
	}
	if p.peek('.') {
		p.pos++
		n := p.digits()
		if n == 0 {
			return "", p.fail("digits are expected after the decimal point")
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
			return "", p.fail("digits are expected in the exponent")
		}
		digits += n
	}
	if p.lim.Digits > 0 && digits > p.lim.Digits {
		return "", p.fail(fmt.Sprintf("a number has more than %d digits", p.lim.Digits))
	}
	return p.in[start:p.pos], nil
}

// str reads a string; text without escapes shares the input's memory.
func (p *parser) str() (string, error) {
	p.pos++
	in, start, pos := p.in, p.pos, p.pos // locals: this is the hottest loop
	for pos < len(in) {
		c := in[pos]
		switch {
		case c == '"':
			p.pos = pos + 1
			return in[start:pos], nil
		case c == '\\':
			p.pos = pos
			return p.escaped(start)
		case c < 0x20:
			p.pos = pos
			return "", p.fail("a control character stands unescaped in a string")
		case c < utf8.RuneSelf:
			pos++
		default:
			r, size := utf8.DecodeRuneInString(in[pos:])
			if r == utf8.RuneError && size == 1 {
				p.pos = pos
				return "", p.fail("the text is not valid UTF-8")
			}
			pos += size
		}
	}
	p.pos = pos
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
