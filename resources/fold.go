package resources

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// FoldName folds a userName for comparison and uniqueness: PRECIS
// UsernameCaseMapped (RFC 8265, R-22); a name PRECIS refuses is folded by NFKC
// and full case folding instead, so that any string can be a userName.
// The rule is baked into keys: never change it.
func FoldName(s string) Folded {
	if lower, ok := asciiLower(s); ok && lower != "" && !strings.ContainsRune(lower, ' ') {
		return Folded(lower)
	}
	if p, err := precis.UsernameCaseMapped.String(s); err == nil {
		return Folded(p)
	}
	return Folded(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))))
}

// FoldText folds any other text that compares without case: NFC and full case
// folding. The rule is baked into keys: never change it.
func FoldText(s string) Folded {
	if lower, ok := asciiLower(s); ok {
		return Folded(lower)
	}
	return Folded(norm.NFC.String(cases.Fold().String(norm.NFC.String(s))))
}

// asciiLower lowers printable ASCII, and reports false for anything else.
func asciiLower(s string) (string, bool) {
	upper := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf || c < 0x20 || c == 0x7f {
			return "", false
		}
		upper = upper || (c >= 'A' && c <= 'Z')
	}
	if !upper {
		return s, true
	}
	return strings.ToLower(s), true
}

// EmailKey is the form of an address in which it is unique across all
// organizations (domain.md §2 EmailKey, BR-001): NFC, the domain as a
// lower-case A-label, the local part case-folded; tags and dots count.
// ok is false when the text cannot be keyed as one mailbox (security E1):
// then no claim is made and the user gets the issue email_invalid (BR-006).
func EmailKey(addr string) (key string, ok bool) {
	// Look-alikes of ASCII letters are refused before NFC, which would turn the
	// Kelvin sign into a K and join two mailboxes.
	if local, _, _ := strings.Cut(addr, "@"); strings.ContainsAny(local, "\u212a\u0130\u017f") {
		return "", false
	}
	addr = norm.NFC.String(addr)
	at := strings.IndexByte(addr, '@')
	if at <= 0 || at != strings.LastIndexByte(addr, '@') || len(addr) > 320 {
		return "", false
	}
	local, ok := foldLocal(addr[:at])
	if !ok {
		return "", false
	}
	domain, ok := foldDomain(addr[at+1:])
	if !ok {
		return "", false
	}
	return local + "@" + domain, true
}

// foldDomain gives a domain as it stands in an EmailKey: a lower-case A-label
// without the dot at its end; false when no mailbox can be at it.
func foldDomain(domain string) (string, bool) {
	domain = strings.TrimSuffix(domain, ".")
	if strings.ContainsAny(domain, "[]:_ ") {
		return "", false
	}
	if !plainDomain(domain) {
		var err error
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", false
		}
	}
	if !strings.Contains(domain, ".") || len(domain) > 253 || numeric(domain) {
		return "", false
	}
	return strings.ToLower(domain), true
}

// plainDomain reports whether a domain is so plain that IDNA changes nothing
// but its case: labels of ASCII letters and digits and single inner hyphens.
// Nearly all are, and IDNA would be half the cost of an address.
func plainDomain(domain string) bool {
	var last byte = '.'
	label := 0
	for i := range len(domain) {
		c := domain[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case (c == '-' || c == '.') && last != '-' && last != '.':
		default:
			return false
		}
		if label++; c == '.' {
			label = 0
		}
		if label > 63 {
			return false
		}
		last = c
	}
	return last != '-' && last != '.'
}

// foldLocal folds the part before the @; ASCII by its own rule.
func foldLocal(local string) (string, bool) {
	if len(local) > 64 || strings.Contains(local, "=?") {
		return "", false
	}
	ascii := true
	for _, r := range local {
		switch {
		case r >= utf8.RuneSelf:
			ascii = false
			if r == utf8.RuneError {
				return "", false
			}
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case !strings.ContainsRune(".!#$&'*+/=?^_{|}~-`", r):
			return "", false
		}
	}
	if ascii {
		return strings.ToLower(local), true
	}
	return norm.NFC.String(cases.Fold().String(local)), true
}

func numeric(domain string) bool {
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	return last == "" || strings.Trim(last, "0123456789") == ""
}
