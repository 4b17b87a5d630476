package sso

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/usher-scim/usher/resources"
)

// ownPages are the pages of this door that a sign-in may lead to (security O11).
var ownPages = []string{"/me", "/me/password", "/activate/name", "/activate/done"}

// target is where somebody goes after signing in: where was asked for, if it is a
// page of this door or an address that the organization allows; else the
// organization's application, else the portal.
func target(p *resources.Person, wanted string) string {
	switch {
	case slices.Contains(ownPages, wanted):
		return wanted
	case wanted != "" && absolute(wanted) && p.Settings.MayReturn(wanted):
		return wanted
	case outward(p.Settings.AppURL, "https", "http") != "":
		return p.Settings.AppURL
	}
	return "/me"
}

// absolute reports whether a text is the full address of a web page as browsers
// read it, too: nothing in it that they drop or take for something else.
func absolute(text string) bool {
	if strings.ContainsFunc(text, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Opaque == ""
}

// outward gives an address of an organization's settings if it has one of the
// schemes, else "".
func outward(address string, schemes ...string) string {
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(schemes, u.Scheme) {
		return ""
	}
	return address
}
