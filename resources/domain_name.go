package resources

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// publicMail lists domains that are no organization's own, see publicDomain.
//
//go:embed public_mail.txt
var publicMail string

// publicDomains reads publicMail: each domain, and whether those below it count
// too. It is read when it is needed first.
var publicDomains = sync.OnceValue(func() map[string]bool { return readDomainList(publicMail) })

// readDomainList reads a list of domains, one in a line: "*.a.example" means those
// below a.example as well, # begins a comment.
func readDomainList(text string) map[string]bool {
	out := make(map[string]bool)
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		name, below := strings.CutPrefix(strings.TrimSpace(line), "*.")
		if name != "" {
			out[name] = below
		}
	}
	return out
}

// publicDomain reports whether a domain belongs to a provider whose customers
// share it, so that no organization can have it to itself (security E4).
func publicDomain(name string) bool {
	list := publicDomains()
	if _, ok := list[name]; ok {
		return true
	}
	for rest, ok := name, true; ok; {
		if _, rest, ok = strings.Cut(rest, "."); ok && list[rest] {
			return true
		}
	}
	return false
}

// longestDomain leaves room for the name of the record.
const longestDomain = 253 - len(challengeLabel)

// domainName brings what somebody typed into the form domains are kept in, and
// refuses what no organization can have (security E4). Codes: domain_invalid,
// public_domain.
func domainName(text string) (string, error) {
	shown := strings.TrimSpace(text)
	invalid := func(why string) (string, error) {
		return "", &Error{Code: CodeDomainInvalid, Field: "name", Detail: quoted(shown) + " " + why}
	}
	switch {
	case shown == "":
		return "", &Error{Code: CodeDomainInvalid, Field: "name", Detail: "A domain is missing; give the part behind the @ of your addresses, for example example.com."}
	case strings.Contains(shown, "://"):
		return invalid("is the address of a page; give the domain alone, for example example.com.")
	case strings.Contains(shown, "@"):
		return invalid("is an e-mail address; give the part behind the @ alone.")
	case strings.HasPrefix(shown, "*."):
		return invalid("has a wildcard; a domain covers exactly the addresses at it, so add every one that you use by itself.")
	case addressLike(shown):
		return invalid("is an IP address; give the name of your mail domain.")
	}
	name, ok := foldDomain(shown)
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case !ok && strings.EqualFold(strings.TrimSuffix(shown, "."), "localhost"), last == "localhost":
		return invalid("is a name of this machine; give a domain of the public DNS.")
	case !ok && !strings.ContainsAny(strings.TrimSuffix(shown, "."), ".") && isLabel(strings.ToLower(strings.TrimSuffix(shown, "."))):
		return invalid("is not below a public suffix; give a whole domain, for example example.com.")
	case !ok || !isHostName(name) || !utf8.ValidString(shown):
		return invalid("is not a domain; give one such as example.com, of letters, digits and hyphens between dots.")
	case len(name) > longestDomain:
		return invalid("is too long for a name of the record before it.")
	case last == "invalid" || last == "onion" || last == "arpa":
		return invalid("has no mailboxes; give the domain of your addresses.")
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return "", &Error{Code: CodePublicDomain, Field: "name", Detail: quoted(name) + " is a public suffix, below which anybody can have a domain; give your own, for example acme." + name + "."}
	}
	if publicDomain(name) {
		return "", &Error{Code: CodePublicDomain, Field: "name", Detail: quoted(name) + " belongs to a provider whose customers share it; only a domain of your own can be verified."}
	}
	return name, nil
}

// addressLike reports whether a text is an IP address, however it is written:
// no domain ends in a number (RFC 3696 §2).
func addressLike(text string) bool {
	text = strings.TrimSuffix(text, ".")
	last := strings.ToLower(text[strings.LastIndexByte(text, '.')+1:])
	hex, isHex := strings.CutPrefix(last, "0x")
	return strings.ContainsAny(text, "[:") || last != "" && strings.Trim(last, "0123456789") == "" || isHex && strings.Trim(hex, "0123456789abcdef") == ""
}

// isHostName reports whether a name is one of hosts (RFC 1123 §2.1): labels of
// letters, digits and inner hyphens.
func isHostName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(label string) bool {
	return label != "" && len(label) <= 63 && strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && label[0] != '-' && label[len(label)-1] != '-'
}
