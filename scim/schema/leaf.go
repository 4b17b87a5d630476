package schema

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// Limits of one value, in bytes. Bodies are bounded before they get here.
const (
	MaxText = 64 << 10          // strings, references and base64 text
	MaxName = resources.MaxName // userName and displayName
)

// leaf judges a simple value. "" means unassigned for every type (L-9).
func (j *judge) leaf(a *Attr, v *jsontree.Value) error {
	if v.Kind == jsontree.String {
		if v.Text == "" {
			unassign(v)
			return nil
		}
		if len(v.Text) > MaxText {
			return invalidValue(j.path(a) + " is longer than " + strconv.Itoa(MaxText) + " bytes: shorten it")
		}
	}
	switch a.Type {
	case TypeString:
		if v.Kind != jsontree.String {
			return j.mistyped(a, v, "a string")
		}
		if a.name {
			return j.nameLike(a, v.Text)
		}
		if a.short && len(v.Text) > MaxName {
			return j.tooLong(a)
		}
	case TypeReference:
		if v.Kind != jsontree.String {
			return j.mistyped(a, v, "a string holding a URI")
		}
	case TypeBoolean:
		return j.boolean(a, v)
	case TypeInteger:
		return j.integer(a, v)
	case TypeDecimal:
		if v.Kind != jsontree.Number {
			return j.mistyped(a, v, "a number")
		}
		if _, err := strconv.ParseFloat(v.Text, 64); err != nil {
			return invalidValue(j.path(a) + " is a number too large to keep")
		}
	case TypeDateTime:
		return j.dateTime(a, v)
	case TypeBinary:
		return j.binary(a, v)
	}
	return nil
}

func (j *judge) tooLong(a *Attr) error {
	return invalidValue(j.path(a) + " is longer than " + strconv.Itoa(MaxName) + " bytes: shorten it")
}

// nameLike judges what people and directories are known by: not blank, not
// long, no control characters. Everything else is kept verbatim.
func (j *judge) nameLike(a *Attr, s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return invalidValue(j.path(a) + " is blank: send a name that has more than white space")
	case len(s) > MaxName:
		return j.tooLong(a)
	case strings.ContainsFunc(s, unicode.IsControl):
		return invalidValue(j.path(a) + " has a control character: remove it")
	}
	return nil
}

func (j *judge) boolean(a *Attr, v *jsontree.Value) error {
	if v.IsBool() {
		return nil
	}
	if v.Kind == jsontree.String { // L-2
		switch {
		case jsontree.EqualName(v.Text, "true"):
			*v = jsontree.Bool(true).As(v.Name)
			return nil
		case jsontree.EqualName(v.Text, "false"):
			*v = jsontree.Bool(false).As(v.Name)
			return nil
		}
	}
	return j.mistyped(a, v, "true or false")
}

func (j *judge) integer(a *Attr, v *jsontree.Value) error {
	if v.Kind != jsontree.Number {
		return j.mistyped(a, v, "an integer")
	}
	if _, err := strconv.ParseInt(v.Text, 10, 64); err != nil {
		return invalidValue(j.path(a) + " must be a whole number of at most 64 bits, written without fraction or exponent")
	}
	return nil
}

func (j *judge) dateTime(a *Attr, v *jsontree.Value) error {
	if v.Kind != jsontree.String {
		return j.mistyped(a, v, "a string holding a dateTime")
	}
	// The library checks the calendar; it would also take "05.Z".
	if dateTimeShape(v.Text) {
		if _, bad := a.Core.ValidateSingular(v.Text); bad == nil {
			return nil
		}
	}
	return invalidValue(j.path(a) + " must be an xsd:dateTime like 2026-03-27T19:59:26Z, with at most 9 fraction digits")
}

// dateTimeShape reports whether s looks like 2026-03-27T19:59:26.000+01:00,
// fraction and zone optional.
func dateTimeShape(s string) bool {
	const shape = "0000-00-00T00:00:00"
	if len(s) < len(shape) || !fits(s[:len(shape)], shape) {
		return false
	}
	s = s[len(shape):]
	if s != "" && s[0] == '.' {
		n := 1
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 1 || n > 10 {
			return false
		}
		s = s[n:]
	}
	return s == "" || s == "Z" || fits(s, "+00:00") || fits(s, "-00:00")
}

// fits compares text with a pattern in which 0 stands for any digit.
func fits(s, pattern string) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if pattern[i] == '0' && s[i] >= '0' && s[i] <= '9' {
			continue
		}
		if s[i] != pattern[i] || pattern[i] == '0' {
			return false
		}
	}
	return true
}

// binary checks base64 (RFC 4648 §4, padding optional as RFC 7643 §2.3.6
// says) by hand: the library compiles a regular expression for every value.
func (j *judge) binary(a *Attr, v *jsontree.Value) error {
	if v.Kind != jsontree.String {
		return j.mistyped(a, v, "a string holding base64")
	}
	if !isBase64(v.Text) {
		return invalidValue(j.path(a) + " must be base64 (RFC 4648 section 4) without line breaks")
	}
	return nil
}

func isBase64(s string) bool {
	body := s
	if len(s)%4 == 0 {
		for range 2 {
			body = strings.TrimSuffix(body, "=")
		}
	}
	if len(body)%4 == 1 {
		return false
	}
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
		default:
			return false
		}
	}
	return true
}
