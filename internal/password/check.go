package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The length of a password in code points after NFC.
const (
	Least = 8
	Most  = 256
)

// maxBytes is more than any password of Most code points has before NFC.
const maxBytes = 16 * Most

// shortToken is the length below which a name is ignored: too much contains it.
const shortToken = 3

// Fault is one thing that a password must be and is not.
type Fault string

// The faults.
const (
	NoDigit   Fault = "digit"
	NoUpper   Fault = "upper"
	NoLower   Fault = "lower"
	NoSpecial Fault = "special" // printable, and no letter, digit or space
	BadLength Fault = "length"
	HasName   Fault = "name"
	HasMail   Fault = "address"
	IsCommon  Fault = "common"
)

// Rules are what a new password has to meet.
type Rules struct {
	Least   int      // code points; below 8 it is 8
	Names   []string // of the person; none of their words may be in it
	Address string   // of the person; neither it nor its local part may be in it
	Common  bool     // refuse what many people use, and Words
	Words   []string // names of the organization and of the product
}

// Check tells what is wrong with a password, all of it; nil when nothing is.
func (r Rules) Check(password string) []Fault {
	text, ok := normal(password)
	if !ok {
		return []Fault{BadLength} // the rest of it is not looked at
	}
	var digit, upper, lower, special bool
	for _, c := range text {
		switch {
		case unicode.IsDigit(c):
			digit = true
		case unicode.IsUpper(c) || unicode.IsTitle(c):
			upper = true
		case unicode.IsLower(c):
			lower = true
		case unicode.IsPrint(c) && !unicode.IsLetter(c) && !unicode.IsSpace(c):
			special = true
		}
	}
	folded := fold(text)
	var out []Fault
	for _, f := range []struct {
		fault Fault
		wrong bool
	}{
		{NoDigit, !digit},
		{NoUpper, !upper},
		{NoLower, !lower},
		{NoSpecial, !special},
		{BadLength, utf8.RuneCountInString(text) < max(r.Least, Least)},
		{HasName, containsAny(folded, r.Names)},
		{HasMail, r.mailed(folded)},
		{IsCommon, r.Common && (common(folded) || r.named(folded))},
	} {
		if f.wrong {
			out = append(out, f.fault)
		}
	}
	return out
}

// mailed reports whether a folded password contains the address, its local part,
// or a word of that.
func (r Rules) mailed(folded string) bool {
	local, _, _ := strings.Cut(r.Address, "@")
	whole := fold(r.Address)
	return containsAny(folded, []string{local}) || len(whole) >= shortToken && strings.Contains(folded, whole)
}

// containsAny reports whether a folded password contains a text, or one of its
// words.
func containsAny(folded string, texts []string) bool {
	for _, t := range texts {
		t = fold(t)
		for _, word := range append(words(t), strings.TrimSpace(t)) {
			if utf8.RuneCountInString(word) >= shortToken && strings.Contains(folded, word) {
				return true
			}
		}
	}
	return false
}

// words splits a text at everything that is neither letter nor digit.
func words(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// normal is a password as it is hashed; ok is false for one that is too long.
func normal(password string) (string, bool) {
	if len(password) > maxBytes {
		return "", false
	}
	text := norm.NFC.String(password)
	return text, utf8.RuneCountInString(text) <= Most
}

// fold is a text without case and accents, for comparison.
func fold(s string) string {
	s = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
	return strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, s)
}
