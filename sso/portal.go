package sso

import (
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// portalView is what the portal shows (W-13).
type portalView struct {
	Person   *resources.Person
	State    string
	Language string
	Method   string
	Password bool // it can be changed here
	Sessions []sessionView
	Links    outwardLinks
	Name     string // as typed
}

// sessionView is one browser in which the person is signed in.
type sessionView struct {
	ID, Name, Began, Seen, From string
	Here                        bool
}

// portalNotes are what the portal can say about what has just happened.
var portalNotes = map[string]string{"saved": "me.saved", "password": "me.password.saved", "session": "me.session.gone"}

// stateTexts are the keys of the names of states.
var stateTexts = map[string]string{
	resources.StateActive: "state.active", resources.StateVerified: "state.verified",
	resources.StateNotVerified: "state.not_verified", resources.StateInactive: "state.inactive",
}

// languageTexts are the keys of the names of languages.
var languageTexts = map[string]string{"en": "me.language.en", "fr": "me.language.fr"}

// portal shows somebody what usher knows of them.
func (d *Door) portal(v *visit) error { return v.showPortal(http.StatusOK, nil) }

func (v *visit) showPortal(status int, typed *string, faults ...fault) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	sessions, err := v.d.directory.Sessions(v.ctx, s.Caller, s.Person.ID)
	if err != nil {
		return err
	}
	p := v.page("me.title")
	p.Faults = faults
	if key, ok := portalNotes[v.r.URL.Query().Get("note")]; ok {
		p.Note = v.say(key)
	}
	view := portalView{
		Person: &s.Person, Name: s.Person.Called, Password: s.Session.Method == resources.MethodPassword, Links: linksOf(&s.Person.Settings),
		Method: v.say("me.method.sso"), State: s.Person.State, Language: s.Person.Language,
	}
	if typed != nil {
		view.Name = *typed
	}
	if view.Password {
		view.Method = v.say("me.method.password")
	}
	if key, ok := stateTexts[s.Person.State]; ok {
		view.State = v.say(key)
	}
	if key, ok := languageTexts[s.Person.Language]; ok {
		view.Language = v.say(key)
	}
	for _, o := range sessions {
		view.Sessions = append(view.Sessions, v.sessionOf(o, s))
	}
	p.Wide, p.Data = true, view
	v.render(status, "me", p)
	return nil
}

func (v *visit) sessionOf(o *resources.Session, s *resources.SignedIn) sessionView {
	zone := s.Person.Settings.TimeZone
	out := sessionView{
		ID: o.ID, Name: v.say("me.session.unknown"), From: o.From, Here: o.ID == s.Session.ID,
		Began: v.texts.Day(o.Began, zone), Seen: v.texts.DateTime(o.Seen, zone),
	}
	if browser, system := browserOf(o.Agent); browser != "" {
		out.Name = v.say("agent", "Browser", browser, "System", system)
	}
	return out
}

// rename takes a new displayName.
func (d *Door) rename(v *visit) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	name := v.field("name")
	err = d.directory.Rename(v.ctx, s, name)
	if resources.HasCode(err, resources.CodeNameInvalid) {
		return v.showPortal(verdicts[resources.CodeNameInvalid].status, &name, fault{"name", v.say("name.invalid")})
	}
	if err != nil {
		return err
	}
	v.redirect("/me?note=saved")
	return nil
}

// revoke ends one session of who is signed in, or all of them (id "").
func (d *Door) revoke(v *visit) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	id := v.field("id")
	if id == "" && v.field("all") == "" {
		return errUnread
	}
	err = d.directory.RevokeSessions(v.ctx, s.Caller, s.Person.ID, id)
	if err != nil && !resources.HasCode(err, resources.CodeNotFound) { // it is gone: that is what was asked for
		return err
	}
	if id == "" || id == s.Session.ID {
		v.keepLanguage()
		v.dropCookie(sessionCookie)
		v.redirect("/signin?note=everywhere")
		return nil
	}
	v.redirect("/me?note=session")
	return nil
}

// changePasswordPage asks for the current and a new password.
func (d *Door) changePasswordPage(v *visit) error {
	return v.changeForm(http.StatusOK, nil)
}

func (v *visit) changeForm(status int, failed []resources.Criterion, faults ...fault) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	p, f := v.page("password.title.change"), v.passwordForm(&s.Person, "/me/password")
	f.Old = true
	p.Faults = faults
	p.Data = v.failing(p, f, failed)
	v.render(status, "password", p)
	return nil
}

// changePassword exchanges the password; the session goes on under a new id
// (security O10).
func (d *Door) changePassword(v *visit) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	old, password := v.form.Get("old"), v.form.Get("password")
	var faults []fault
	if old == "" {
		faults = append(faults, fault{"old", v.say("password.needed")})
	}
	if password == "" {
		faults = append(faults, fault{"password", v.say("password.needed")})
	}
	if len(faults) > 0 {
		return v.changeForm(http.StatusUnprocessableEntity, nil, faults...)
	}
	cookie, err := d.directory.ChangePassword(v.ctx, s, old, password)
	switch {
	case resources.HasCode(err, resources.CodeSignInFailed):
		return v.changeForm(verdicts[resources.CodeSignInFailed].status, nil, fault{"old", v.say("password.old.wrong")})
	case resources.HasCode(err, resources.CodeRateLimited):
		return v.changeForm(v.slowDown(), nil, fault{"old", v.say("refused.many")})
	case resources.HasCode(err, resources.CodePasswordPolicy):
		return v.changeForm(verdicts[resources.CodePasswordPolicy].status, resources.PasswordFaults(err))
	case err != nil:
		return err
	}
	v.setCookie(sessionCookie, cookie, 0)
	v.redirect("/me?note=password")
	return nil
}
