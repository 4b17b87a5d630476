package sso

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// groupsLimit bounds the header with groups, in bytes: proxies refuse answers with
// long headers.
const groupsLimit = 3 << 10

// forwardAuth tells a reverse proxy who is signed in to an organization
// (auth_request of nginx, forward_auth of Caddy, ForwardAuth of Traefik): 200 with
// headers, or 401. With redirect=1 a browser without a session is sent to sign in
// instead, and back to where it wanted to go if the organization allows that
// address.
func (d *Door) forwardAuth(v *visit) error {
	slug := v.r.PathValue("org")
	s, err := v.session()
	switch {
	case resources.HasCode(err, resources.CodeUnauthenticated), err == nil && s.Person.Slug != slug:
		return v.turnAway(slug)
	case err != nil:
		v.fault(err)
		return nil
	}
	h := v.w.Header()
	h.Set("X-Usher-User", s.Person.ID)
	h.Set("X-Usher-Email", headerValue(s.Person.Email))
	h.Set("X-Usher-Email-Verified", strconv.FormatBool(s.Person.Proven)) // an administrator may have given any
	h.Set("X-Usher-Name", headerValue(s.Person.Called))
	h.Set("X-Usher-Licences", headerList(s.Person.SKUs))
	h.Set("X-Usher-Groups", headerList(s.Person.Groups))
	v.w.WriteHeader(http.StatusOK)
	return nil
}

// fault answers a proxy with the status of an error alone.
func (v *visit) fault(err error) {
	answer := verdictOf(err)
	if answer.status >= http.StatusInternalServerError {
		v.d.log.ErrorContext(v.ctx, "a proxy was not answered", "request", v.requestID(), "err", err)
	}
	v.w.WriteHeader(answer.status)
}

// turnAway answers for who is not signed in.
func (v *visit) turnAway(slug string) error {
	wanted := wantedFrom(v.r)
	if v.r.URL.Query().Get("redirect") != "1" || wanted == "" || len(wanted) > maxReturn {
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	settings, err := v.d.directory.DoorSettings(v.ctx, slug)
	if resources.HasCode(err, resources.CodeNotFound) || err == nil && (!absolute(wanted) || !settings.MayReturn(wanted)) {
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	if err != nil {
		v.fault(err)
		return nil
	}
	v.w.Header().Set("Location", v.d.public.JoinPath("/").String()+strings.TrimPrefix(signInPath(wanted, false), "/"))
	v.w.WriteHeader(http.StatusFound)
	return nil
}

// wantedFrom is the address that a proxy was asked for, as it tells it; "" when it
// does not.
func wantedFrom(r *http.Request) string {
	h := r.Header
	if u := h.Get("X-Original-URL"); u != "" {
		return u
	}
	host := h.Get("X-Forwarded-Host")
	if host == "" {
		return ""
	}
	scheme := h.Get("X-Forwarded-Proto")
	if scheme == "" {
		scheme = "https"
	}
	return scheme + "://" + host + h.Get("X-Forwarded-Uri")
}

// headerList joins values by commas; a comma in a value is written %2C. What does
// not fit is left out whole.
func headerList(values []string) string {
	var b strings.Builder
	for _, value := range values {
		s := strings.ReplaceAll(headerValue(value), ",", "%2C")
		if b.Len()+len(s)+1 > groupsLimit {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s)
	}
	return b.String()
}

// headerValue writes a text so that every proxy passes it on as it is: printable
// ASCII stands for itself, everything else and % are percent-encoded UTF-8.
func headerValue(s string) string {
	const hexadecimal = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		edge := c == ' ' && (i == 0 || i == len(s)-1) // proxies trim values
		if c < ' ' || c > '~' || c == '%' || edge {
			b.WriteByte('%')
			b.WriteByte(hexadecimal[c>>4])
			b.WriteByte(hexadecimal[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
