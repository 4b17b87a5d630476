package jsontree

import (
	"strings"
	"unicode/utf8"
)

// Kind says what a Value holds.
type Kind uint8

// The kinds of JSON values. The zero Value is Absent: it stands for "no such
// member" and is written as null.
const (
	Absent Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

// Value is one JSON value. Inside an object every item carries its member
// name, spelled as the client sent it.
type Value struct {
	Kind  Kind
	Name  string  // the member name when the value is a member of an object
	Text  string  // String: the decoded text. Number: the digits as written
	Items []Value // Array: the elements. Object: the members, in order
}

// Str makes a string value.
func Str(s string) Value { return Value{Kind: String, Text: s} }

// Num makes a number value from its JSON text.
func Num(text string) Value { return Value{Kind: Number, Text: text} }

// Bool makes a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{Kind: True}
	}
	return Value{Kind: False}
}

// Obj makes an object of the given members; use [Value.As] to name them.
func Obj(members ...Value) Value { return Value{Kind: Object, Items: members} }

// Arr makes an array of the given elements.
func Arr(elems ...Value) Value { return Value{Kind: Array, Items: elems} }

// As returns the value under a member name.
func (v Value) As(name string) Value {
	v.Name = name
	return v
}

// IsBool reports whether v is true or false.
func (v *Value) IsBool() bool { return v != nil && (v.Kind == True || v.Kind == False) }

// Empty reports whether SCIM takes v as unassigned: absent, null or an empty
// array (RFC 7643 §2.5).
func (v *Value) Empty() bool {
	return v == nil || v.Kind == Absent || v.Kind == Null || (v.Kind == Array && len(v.Items) == 0)
}

// Get returns the member of an object whose name equals name without ASCII
// case, or nil. The pointer stays good until the object's members change.
func (v *Value) Get(name string) *Value {
	if v == nil || v.Kind != Object {
		return nil
	}
	for i := range v.Items {
		m := &v.Items[i]
		if len(m.Name) == len(name) && EqualName(m.Name, name) {
			return m
		}
	}
	return nil
}

// Set stores val under name: an existing member is replaced in its place and
// keeps its spelling, a new one is appended. It returns the stored member.
func (v *Value) Set(name string, val Value) *Value {
	if m := v.Get(name); m != nil {
		val.Name = m.Name
		*m = val
		return m
	}
	val.Name = name
	v.Items = append(v.Items, val)
	return &v.Items[len(v.Items)-1]
}

// Delete removes the named member and reports whether it was there.
func (v *Value) Delete(name string) bool {
	if v == nil || v.Kind != Object {
		return false
	}
	for i := range v.Items {
		if EqualName(v.Items[i].Name, name) {
			v.Items = append(v.Items[:i], v.Items[i+1:]...)
			return true
		}
	}
	return false
}

// GetString returns the text of a string member, or "".
func (v *Value) GetString(name string) string {
	if m := v.Get(name); m != nil && m.Kind == String {
		return m.Text
	}
	return ""
}

// Clone returns a deep copy, so that editing it leaves v alone.
func (v Value) Clone() Value {
	if v.Items != nil {
		items := make([]Value, len(v.Items))
		for i := range v.Items {
			items[i] = v.Items[i].Clone()
		}
		v.Items = items
	}
	return v
}

// Equal reports whether two values mean the same to SCIM: members in any
// order, names without case, arrays element by element, numbers as written.
func Equal(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Number, String:
		return a.Text == b.Text
	case Array:
		if len(a.Items) != len(b.Items) {
			return false
		}
		for i := range a.Items {
			if !Equal(&a.Items[i], &b.Items[i]) {
				return false
			}
		}
	case Object:
		if len(a.Items) != len(b.Items) {
			return false
		}
		for i := range a.Items {
			if !Equal(&a.Items[i], b.Get(a.Items[i].Name)) {
				return false
			}
		}
	}
	return true
}

// EqualName compares two attribute names without ASCII case. SCIM names are
// ASCII (RFC 7643 §2.1), so no Unicode folding may make two names equal.
func EqualName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}

// LowerName returns an attribute name in ASCII lower case, the key form of
// maps over names.
func LowerName(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}

// Append writes v as JSON to dst and returns the longer slice.
func (v *Value) Append(dst []byte) []byte {
	switch v.Kind {
	case False:
		return append(dst, "false"...)
	case True:
		return append(dst, "true"...)
	case Number:
		return append(dst, v.Text...)
	case String:
		return AppendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Items[i].Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, v.Items[i].Name)
			dst = append(dst, ':')
			dst = v.Items[i].Append(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

const hexDigits = "0123456789abcdef"

// AppendString writes s as a JSON string: quotes, backslashes and control
// characters escaped, everything else as it is, invalid UTF-8 as U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
