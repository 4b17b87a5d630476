package oidc

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/usher-scim/usher/internal/jsontree"
)

// textLimit is how long a claim that is a text may be in bytes; longer ones are
// nothing that usher looks at.
const textLimit = 1024

// document reads members of a JSON object by their exact names. What has another
// type than it should is not there.
type document struct{ of *jsontree.Value }

func (d document) member(name string) *jsontree.Value {
	if d.of == nil || d.of.Kind != jsontree.Object {
		return nil
	}
	for i := range d.of.Items {
		if d.of.Items[i].Name == name {
			return &d.of.Items[i]
		}
	}
	return nil
}

// text gives a text without control characters.
func (d document) text(name string) string {
	m := d.member(name)
	if m == nil || m.Kind != jsontree.String || len(m.Text) > textLimit || strings.ContainsFunc(m.Text, unicode.IsControl) {
		return ""
	}
	return m.Text
}

// list gives a text or an array of texts.
func (d document) list(name string) []string {
	m := d.member(name)
	switch {
	case m == nil:
		return nil
	case m.Kind == jsontree.String:
		return []string{m.Text}
	case m.Kind != jsontree.Array:
		return nil
	}
	out := make([]string, 0, len(m.Items))
	for i := range m.Items {
		if m.Items[i].Kind != jsontree.String {
			return nil
		}
		out = append(out, m.Items[i].Text)
	}
	return out
}

// time reads a NumericDate (RFC 7519 §2); fractions of a second are cut off. One
// with an exponent, below zero or beyond all use is not there.
func (d document) time(name string) (t time.Time, ok bool) {
	m := d.member(name)
	if m == nil || m.Kind != jsontree.Number || strings.ContainsAny(m.Text, "eE") {
		return t, false
	}
	whole, _, _ := strings.Cut(m.Text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return t, false
	}
	return time.Unix(n, 0).UTC(), true
}

// flag reads a boolean, also as the texts and numbers that some providers send;
// nil when there is none.
func (d document) flag(name string) *bool {
	m := d.member(name)
	if m == nil {
		return nil
	}
	var is bool
	switch {
	case m.Kind == jsontree.True, m.Kind == jsontree.String && strings.EqualFold(m.Text, "true"), (m.Kind == jsontree.String || m.Kind == jsontree.Number) && m.Text == "1":
		is = true
	case m.Kind == jsontree.Null:
		return nil
	}
	return &is // whatever else it is, it is no yes
}

// isMicrosoft reports whether a host is where tenants of Entra ID have their
// issuers.
func isMicrosoft(host string) bool {
	switch strings.ToLower(host) {
	case "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net", "login.windows.net":
		return true
	}
	return false
}

// tenantOf gives the tenant that an issuer of Entra ID is of, and whether its
// tokens must name it: the first part of the path, when it is a UUID.
func tenantOf(issuer string) (tenant string, must bool) {
	u, err := url.Parse(issuer)
	if err != nil {
		return "", false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if len(first) != 36 || strings.Count(first, "-") != 4 || strings.Trim(strings.ToLower(first), "0123456789abcdef-") != "" {
		first = ""
	}
	return strings.ToLower(first), isMicrosoft(u.Host)
}
