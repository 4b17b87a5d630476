package sso

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
)

// visit is one request of a person, and what is known of who it is.
type visit struct {
	d    *Door
	ctx  context.Context // of the request
	w    http.ResponseWriter
	r    *http.Request
	form url.Values // of a POST

	texts  *i18n.Localizer
	chosen bool              // the person chose the language
	asked  bool              // the browser asks for a language
	person *resources.Person // or nil
	as     *resources.SignedIn
}

// read finds the language of a stranger: the one chosen, else what the browser
// asks for.
func (v *visit) read() {
	lang := i18n.Supported(v.cookie(languageCookie))
	v.chosen = lang != ""
	if !v.chosen {
		lang = i18n.Accepted(v.r.Header.Get("Accept-Language"))
		v.asked = lang != ""
	}
	v.texts = v.d.texts.In(lang)
}

// meet notes who visits: a letter was written in that person's language, and its
// link goes on in it.
func (v *visit) meet(p *resources.Person) {
	v.person = p
	if lang := i18n.Supported(p.Language); !v.chosen && lang != "" {
		v.texts = v.d.texts.In(lang)
	}
}

// at notes the organization that a page belongs to; its language is for who asks
// for none.
func (v *visit) at(lang string) {
	if lang = i18n.Supported(lang); lang != "" && !v.chosen && !v.asked && v.person == nil {
		v.texts = v.d.texts.In(lang)
	}
}

// chooseLanguage takes the language out of the address into a cookie.
func (v *visit) chooseLanguage() bool {
	q := v.r.URL.Query()
	if v.r.Method == http.MethodPost || !q.Has("lang") {
		return false
	}
	if lang := i18n.Supported(q.Get("lang")); lang != "" {
		v.setCookie(languageCookie, lang, languageKept)
	}
	q.Del("lang")
	to := url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}
	v.redirect(to.String())
	return true
}

// keepLanguage lets the pages that follow a session stay in its language.
func (v *visit) keepLanguage() {
	if !v.chosen {
		v.setCookie(languageCookie, v.texts.Lang(), 0)
	}
}

// redirect goes on to a page of this server.
func (v *visit) redirect(to string) {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// who is who asks, for limits and lists of sessions.
func (v *visit) who() resources.Visitor {
	address, _, _ := strings.Cut(v.d.sender(v.r), "/") // of a network its first address
	return resources.Visitor{Address: address, Agent: clip(v.r.UserAgent(), 256)}
}

// session finds who is signed in. Code: unauthenticated.
func (v *visit) session() (*resources.SignedIn, error) {
	if v.as != nil {
		return v.as, nil
	}
	cookie := v.cookie(sessionCookie)
	if cookie == "" {
		return nil, &resources.Error{Code: resources.CodeUnauthenticated}
	}
	s, err := v.d.directory.Session(v.ctx, cookie)
	if err != nil {
		return nil, err
	}
	v.as = s
	v.meet(&s.Person)
	return s, nil
}

// enter gives the browser the session that a sign-in began. The one that it had
// ends: nobody keeps a session that somebody else has planted (O10).
func (v *visit) enter(cookie string, p *resources.Person) error {
	old := v.cookie(sessionCookie)
	v.setCookie(sessionCookie, cookie, 0)
	v.meet(p)
	if old == "" || old == cookie {
		return nil
	}
	return v.d.directory.EndSession(v.ctx, old)
}

// clip cuts a text after at most n bytes.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
