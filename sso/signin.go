package sso

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/usher-scim/usher/resources"
)

// signInView is what the pages of signing in show.
type signInView struct {
	Address string
	Return  string // where to afterwards; looked at when somebody is signed in
	Start   string // address of the company's sign-in, or ""

	// WithPassword is asked for by administrators who must get in although their
	// company's provider does not let them (BR-115). Others are refused.
	WithPassword bool
}

// maxReturn bounds an address to return to, in bytes.
const maxReturn = 2000

// notes are what the page for signing in can say about what has just happened.
var notes = map[string]string{
	"reset": "signin.note.reset", "out": "signin.note.out", "everywhere": "signin.note.everywhere",
	"active": "signin.note.active", "ended": "signin.note.ended",
}

// signInPage asks for the address.
func (d *Door) signInPage(v *visit) error {
	q := v.r.URL.Query()
	p := v.page("signin.title")
	if key, ok := notes[q.Get("note")]; ok {
		p.Note = v.say(key)
	}
	p.Data = signInView{Return: clip(q.Get("return"), maxReturn), WithPassword: q.Get("with") == "password"}
	v.render(http.StatusOK, "signin", p)
	return nil
}

// signInFirst sends somebody without a session to sign in.
func (v *visit) signInFirst() {
	q := url.Values{}
	if v.cookie(sessionCookie) != "" {
		v.dropCookie(sessionCookie)
		q.Set("note", "ended")
	}
	if v.r.Method != http.MethodPost && slices.Contains(ownPages, v.r.URL.Path) {
		q.Set("return", v.r.URL.Path)
	}
	v.redirect(with("/signin", q))
}

// with gives an address with parameters.
func with(path string, q url.Values) string {
	u := url.URL{Path: path, RawQuery: q.Encode()}
	return u.String()
}

// signIn takes the address, and with it the way to sign in; or the password.
func (d *Door) signIn(v *visit) error {
	f := signInView{Address: v.field("address"), Return: clip(v.form.Get("return"), maxReturn), WithPassword: v.form.Get("with") == "password"}
	if !looksLikeAddress(f.Address) {
		p := v.page("signin.title")
		p.Faults, p.Data = []fault{{"address", v.say("address.needed")}}, f
		v.render(http.StatusUnprocessableEntity, "signin", p)
		return nil
	}
	way, err := d.directory.WayOf(v.ctx, f.Address)
	if err != nil {
		return err
	}
	if way.Connection != "" {
		f.Start = startPath(way, f.Return)
	}
	switch {
	case way.Forced && way.Connection != "" && !f.WithPassword:
		v.leave(f.Start, "leave.provider")
		return nil
	case !v.form.Has("password"):
		v.passwordOf(http.StatusOK, f)
		return nil
	case v.form.Get("password") == "":
		v.passwordOf(http.StatusUnprocessableEntity, f, fault{"password", v.say("password.needed")})
		return nil
	}
	return v.withPassword(f)
}

// withPassword signs in by password. Unknown addresses and wrong passwords have
// one answer (security P3).
func (v *visit) withPassword(f signInView) error {
	cookie, person, err := v.d.directory.PasswordSignIn(v.ctx, f.Address, v.form.Get("password"), v.who())
	switch {
	case resources.HasCode(err, resources.CodeSignInFailed):
		v.passwordOf(verdicts[resources.CodeSignInFailed].status, f, fault{"password", v.say("signin.failed")})
		return nil
	case resources.HasCode(err, resources.CodeRateLimited):
		v.passwordOf(v.slowDown(), f, fault{"password", v.say("refused.many")})
		return nil
	case err != nil:
		return err
	}
	if err := v.enter(cookie, person); err != nil {
		return err
	}
	return v.welcome(person, f.Return)
}

// passwordOf asks for the password of an address.
func (v *visit) passwordOf(status int, f signInView, faults ...fault) {
	p := v.page("signin.title")
	p.Faults, p.Data = faults, f
	v.render(status, "secret", p)
}

// welcome sends who has just signed in to where they wanted to go, with a signed
// note of who it is when the organization's application wants one.
func (v *visit) welcome(person *resources.Person, wanted string) error {
	to := target(person, wanted)
	if to[0] == '/' {
		v.redirect(to)
		return nil
	}
	if person.Settings.HandOff {
		note, err := v.d.handOff.Token(v.ctx, *person, to)
		if err != nil {
			return err
		}
		u, err := url.Parse(to)
		if err != nil {
			return err
		}
		q := u.Query()
		q.Set(handOffParam, note)
		u.RawQuery = q.Encode()
		to = u.String()
	}
	v.leave(to, "leave.app")
	return nil
}

// handOffParam is the parameter by which an application gets the signed note.
const handOffParam = "usher_token"

// signInPath is the page for signing in.
func signInPath(back string, password bool) string {
	q := url.Values{}
	if back != "" {
		q.Set("return", back)
	}
	if password {
		q.Set("with", "password")
	}
	return with("/signin", q)
}

// startPath is where signing in at a connection begins; back is where it is to
// lead.
func startPath(w resources.Way, back string) string {
	q := url.Values{}
	if back != "" {
		q.Set("return", back)
	}
	return with("/sso/"+w.Slug+"/"+w.Connection+"/start", q)
}

// signOutPage asks whether to sign out: following a link must not do it.
func (d *Door) signOutPage(v *visit) error {
	if _, err := v.session(); err != nil {
		return err
	}
	v.render(http.StatusOK, "signout", v.page("signout.title"))
	return nil
}

// signOut ends the session, here and, when the connection wants it, at the provider.
func (d *Door) signOut(v *visit) error {
	ctx, to := v.ctx, ""
	s, err := v.session()
	if err == nil {
		cn, hint, err := d.directory.SignOutAt(ctx, s)
		switch {
		case err != nil: // to stay signed in at the provider is better than to stay signed in here, too
			d.log.WarnContext(ctx, "nobody signed out at the provider", "request", v.requestID(), "err", err)
		case cn != nil:
			to = d.party.LogoutURL(cn, hint, d.public.JoinPath("/signin").String())
		}
	} else if !resources.HasCode(err, resources.CodeUnauthenticated) {
		return err
	}
	if cookie := v.cookie(sessionCookie); cookie != "" {
		if err := d.directory.EndSession(ctx, cookie); err != nil {
			return err
		}
	}
	v.as = nil
	v.keepLanguage()
	v.dropCookie(sessionCookie)
	v.dropCookie(linkCookie)
	if to != "" {
		v.leave(to, "leave.out")
		return nil
	}
	v.redirect("/signin?note=out")
	return nil
}
