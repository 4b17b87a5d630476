package resources

import (
	"net/url"
	"strings"
)

// returnPlace is where a URL leads, in the form in which places are compared.
type returnPlace struct {
	origin string // scheme://host[:port], lower-case, without the usual port
	path   string // decoded, begins with a slash
	more   bool   // there is a query or a fragment
}

// MayReturn reports whether people may be sent to an address after they signed in
// (security O11): it must lie at the origin of AppURL, or begin with one of
// ReturnURLs, at the end of a part of the path. Only plain absolute addresses are
// believed: what browsers and libraries read in different ways is refused.
func (s *Settings) MayReturn(target string) bool {
	const longest = 2000
	to, ok := readPlace(target)
	if !ok || len(target) > longest {
		return false
	}
	if app, ok := readPlace(s.AppURL); ok && app.origin == to.origin {
		return true
	}
	for text := range strings.FieldsSeq(s.ReturnURLs) {
		from, ok := readPlace(text)
		if !ok || from.more || from.origin != to.origin {
			continue
		}
		beginning := strings.TrimSuffix(from.path, "/")
		if rest, ok := strings.CutPrefix(to.path, beginning); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// readPlace reads an absolute https URL, or one of http to this machine; false for
// any other, and for one that could be read in two ways.
func readPlace(text string) (returnPlace, bool) {
	for i := range len(text) { // browsers drop some of these, and take a backslash for a slash
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return returnPlace{}, false
		}
	}
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return returnPlace{}, false
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	host, ok := plainHost(strings.ToLower(rest[:end]), scheme)
	if !ok || scheme == "http" && !ofThisMachine(host) {
		return returnPlace{}, false
	}
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Host, rest[:end]) || !plainPath(u) {
		return returnPlace{}, false
	}
	return returnPlace{origin: scheme + "://" + host, path: "/" + strings.TrimPrefix(u.Path, "/"), more: u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#")}, true
}

// plainHost reads host and port and takes the usual port away; false for anything
// that is not a plain name or address of a host: a user, an escape, an odd port.
func plainHost(host, scheme string) (string, bool) {
	name, port, has := strings.Cut(host, ":")
	if inside, ok := strings.CutPrefix(host, "[::1]"); ok {
		name = "[::1]"
		port, has = strings.CutPrefix(inside, ":")
		if !has && inside != "" {
			return "", false
		}
	} else if !isHostName(name) {
		return "", false
	}
	if !has {
		return name, true
	}
	if port == "" || len(port) > 5 || port[0] == '0' || strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return name, true
	}
	return name + ":" + port, true
}

// ofThisMachine reports whether a host, with or without a port, is the machine
// itself.
func ofThisMachine(host string) bool {
	if strings.HasPrefix(host, "[::1]") {
		return true
	}
	name, _, _ := strings.Cut(host, ":")
	rest, ok := strings.CutPrefix(name, "127.")
	return name == "localhost" || ok && strings.Count(rest, ".") == 2 && strings.Trim(rest, "0123456789.") == ""
}

// plainPath reports whether everybody reads the same path: no parts that lead
// upwards or are empty, no slash, backslash, dot or percent sign in disguise.
func plainPath(u *url.URL) bool {
	if u.User != nil || u.Opaque != "" {
		return false
	}
	written := strings.ToLower(u.EscapedPath())
	for _, trick := range [...]string{"%2f", "%5c", "%2e", "%25", "%3b", "%00", "//"} {
		if strings.Contains(written, trick) {
			return false
		}
	}
	for i := range len(u.Path) {
		if u.Path[i] < ' ' || u.Path[i] == 0x7f {
			return false
		}
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		part, _, _ = strings.Cut(part, ";") // some servers take it off and then look at the dots
		if part == "." || part == ".." {
			return false
		}
	}
	return true
}
