package notify

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxName is how much of a name is shown, in characters (security X5).
const maxName = 64

// holdsControl reports whether a text has characters that end a line or a header,
// or turn the direction of reading.
func holdsControl(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, unseen)
}

// unseen tells characters that no name needs: control characters, and those that
// are not seen but change how the rest is read (U+202E and its like). Joiners are
// left alone, some languages are written with them.
func unseen(r rune) bool {
	if r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// shownName is a name as mails show it: without characters that are not seen,
// with single spaces, and cut short.
func shownName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unseen(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxName {
		s = strings.TrimSpace(string([]rune(s)[:maxName-1])) + "…"
	}
	return s
}

// shownAddress is an e-mail address as mails show it: one in a domain of other
// than ASCII letters is followed by what is asked for in DNS. "" when it cannot be
// shown.
func shownAddress(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 || holdsControl(addr) {
		return ""
	}
	plain, ok := beside(addr[at+1:])
	if !ok {
		return ""
	}
	return addr + plain
}

// beside is the ASCII form of a host in brackets, for hosts that are written in
// another, so that look-alike letters cannot hide; false for what is no host.
func beside(host string) (string, bool) {
	if ascii(host) {
		return "", true
	}
	plain, err := idna.Lookup.ToASCII(host)
	return " (" + plain + ")", err == nil
}

// maxURL bounds addresses that organizations set.
const maxURL = 500

// shownURL is an address that an organization has set, as text; "" when it cannot
// be shown. Mails never link to it: links go to usher itself (security X5).
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxURL || holdsControl(raw) || strings.Contains(raw, " ") {
		return ""
	}
	switch {
	case u.Scheme == "mailto" && u.Opaque != "":
		addr, err := url.PathUnescape(u.Opaque)
		if err != nil {
			return ""
		}
		return shownAddress(addr)
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil:
		if plain, ok := beside(u.Hostname()); ok {
			return strings.TrimSuffix(raw, "/") + plain
		}
	}
	return ""
}
