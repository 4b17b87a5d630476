package filter

import (
	"unicode"
	"unicode/utf8"

	"github.com/usher-scim/usher/internal/jsontree"
)

// literal is a value as it stands in the filter.
type literal struct {
	jsontree.Value
	at   int
	raw  string // the word, when it was not in quotes
	bare bool   // not in quotes
}

// literal reads a JSON string, number, true, false or null. The words
// are accepted in any case (L-2), other text without quotes only under
// Options.Unquoted (L-17).
func (s *scanner) literal(o op) (literal, error) {
	l := literal{at: s.pos}
	if s.at('"') {
		text, err := s.quoted()
		l.Value = jsontree.Str(text)
		return l, err
	}
	w := s.bare()
	l.raw, l.bare = w, true
	switch {
	case w == "":
		return l, s.missing("a value is expected after \"" + o.String() + "\"")
	case jsontree.EqualName(w, "true"):
		l.Value = jsontree.Bool(true)
	case jsontree.EqualName(w, "false"):
		l.Value = jsontree.Bool(false)
	case jsontree.EqualName(w, "null"):
		l.Kind = jsontree.Null
	default:
		if _, ok := parseDecimal(w); ok {
			l.Value = jsontree.Num(w)
			break
		}
		if !s.opts.Unquoted {
			return l, s.fail(l.at, "the value %s must stand in double quotes", quote(w))
		}
		l.Value = jsontree.Str(w)
	}
	return l, nil
}

// bare reads a word without quotes: to the next space, closing parenthesis or,
// inside brackets, closing bracket.
func (s *scanner) bare() string {
	start := s.pos
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c == ' ' || c == ')' || c == '"' || (s.in != nil && c == ']') {
			break
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s.text[s.pos:])
			if !s.opts.Unquoted || !unicode.IsPrint(r) {
				break
			}
		} else if c < ' ' || c == 0x7f {
			break
		}
		s.pos += size
	}
	return s.text[start:s.pos]
}

// quoted reads a JSON string. One without escapes shares the filter's memory.
func (s *scanner) quoted() (string, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return "", s.fail(s.pos, "a control character stands unescaped in a value")
		case c == '"':
			s.pos++
			if !escaped {
				return s.text[start+1 : s.pos-1], nil
			}
			v, err := jsontree.Parse([]byte(s.text[start:s.pos]), jsontree.Limits{})
			if err != nil {
				return "", s.fail(start, "the value in quotes is not a JSON string: %s", reason(err))
			}
			return v.Text, nil
		}
	}
	return "", s.fail(start, "this quote is never closed")
}
