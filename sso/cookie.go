package sso

import (
	"net/http"
	"time"
)

// The cookies. Their prefix makes browsers refuse them unless they are Secure,
// for the whole host and for no other (security X2).
const (
	sessionCookie  = "__Host-usher"
	linkCookie     = "__Host-usher-link" // the token of a link that was followed
	languageCookie = "__Host-usher-lang"
)

// How long cookies stay; that of a session stays until the browser closes, and
// works as long as the Directory says.
const (
	linkKept     = time.Hour
	languageKept = 365 * 24 * time.Hour
	trialKept    = time.Hour
)

// cookie reads a cookie; "" when there is none.
func (v *visit) cookie(name string) string {
	c, err := v.r.Cookie(name)
	if err != nil || len(c.Value) > 512 {
		return "" // nothing that usher set
	}
	return c.Value
}

// setCookie sets a cookie; kept 0 is until the browser closes.
func (v *visit) setCookie(name, value string, kept time.Duration) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(kept / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// dropCookie takes a cookie back.
func (v *visit) dropCookie(name string) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
